"""The test by class: counts by hand, and what the command prints of them."""

import json

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

import isingprop as ip
from isingprop.cli.finished_runs.confusion import Confusion


def test_pairs_are_counted_as_by_hand():
    found = Confusion.of(np.array([0, 1, 1, -1, 2]), np.array([0, 0, 1, 1, 2]), 4)
    assert found.confusion == [[1, 1, 0, 0, 0], [0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [0] * 5]
    assert found.accuracy_per_class == [0.5, 0.5, 1.0, None]
    assert list(found.lines(["0", "1", "old cat", "a very long name of a class"])) == [
        "label           predicted (?: no class)",
        "                 0 1 2 3 ?  right",
        "0                1 1 . . .  50.0%",
        "1                . 1 . . 1  50.0%",
        "2 old cat        . . 1 . .  100.0%",
        "3 a very long n  . . . . .  -",
    ]


def test_of_many_classes_the_worst_are_printed():
    labels = np.repeat(np.arange(30), 4)
    classes = labels.copy()
    classes[:3] = 7
    classes[-1] = -1
    worst, pairs = Confusion.of(classes, labels, 30).lines([str(k) for k in range(30)])
    assert worst.startswith("worst classes   0: 25.0%, 29: 75.0%, 1: 100.0%, ")
    assert pairs == "most confused   0 as 7: 3, 29 as none: 1"


@pytest.mark.slow
@pytest.mark.parametrize("hidden", ["12", "12,12"])
def test_the_command_tells_it_of_the_run(isingprop, tmp_path, hidden):
    options = "--num-train", "60", "--num-test", "40", "--epochs", "2", "--out", "run"
    assert isingprop("train", *options, "--hidden", hidden).code == 0
    told = json.loads(isingprop("evaluate", "run", "--json").out)
    counts, labels = np.array(told["confusion"]), np.repeat(np.arange(10), 4)
    assert counts.sum(axis=1).tolist() == np.bincount(labels, minlength=10).tolist()
    right = counts[np.arange(10), np.arange(10)]
    assert told["test_accuracy"] == pytest.approx(right.sum() / 40)
    assert told["accuracy_per_class"] == pytest.approx(right / 4)
    printed = isingprop("evaluate", "run").out
    assert "label           predicted" in printed

    if hidden == "12":
        network = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
        images = ip.load_data("digits", num_train=60, num_test=40)
        classes = network.predict(images.test_images)
        expected = confusion_matrix(images.test_labels, classes, labels=range(10))
        np.testing.assert_array_equal(counts[:, :10], expected)
