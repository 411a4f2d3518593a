"""How learning rates are chosen by held-out training images."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import tolerances
from helpers.paper.made_up import IMAGES, MadeUp, curve, setup
from isingprop.paper.common import rates
from isingprop.paper.common.curves import METHODS

TWO = {name: METHODS[name] for name in ("dragon", "class-states")}
GRID = {"dragon": (1e-3, 1e-2), "class-states": (1e-4, 1e-3, 1e-2)}


def chosen(tmp_path, accuracy, **options):
    """The trials where a job has the accuracy `accuracy(name, rate, seed)`, and the jobs."""
    names = {method: name for name, method in TWO.items()}

    def result(job):
        errors = np.linspace(0.9, job.learning_rate, job.epochs)
        return curve(errors, accuracy=accuracy(names[job.method], job.learning_rate, job.seed))

    runner = MadeUp(result)
    which = setup(tmp_path, seed=20, num_seeds=5)
    trials = rates.choose_by_held_out(which, runner, IMAGES, TWO, GRID, epochs=4, **options)
    assert not {job.seed for job in runner.jobs} & set(which.seeds)
    return trials, runner


def test_the_rate_of_the_highest_held_out_accuracy_wins(tmp_path):
    trials, runner = chosen(tmp_path, lambda name, rate, seed: 0.9 - abs(rate - 1e-3))
    assert trials.best == {"dragon": 1e-3, "class-states": 1e-3}
    assert trials.tied == []
    assert len(runner.jobs) == len(trials.rows) == 5
    assert {job.epochs for job in runner.jobs} == {4} == {trials.epochs}
    row = trials.rows[1]
    assert (row["method"], row["learning_rate"]) == ("dragon", 1e-2)
    assert row["error"] == pytest.approx(0.1 + 0.009)
    assert row["training_error"] == 1e-2


def test_of_equal_rates_the_one_with_the_lowest_training_error_wins(tmp_path):
    trials, _ = chosen(tmp_path, lambda name, rate, seed: 0.9 if name == "dragon" else rate)
    assert trials.best == {"dragon": 1e-3, "class-states": 1e-2}
    assert trials.tied == ["dragon"]


def test_folds_have_seeds_of_their_own_and_count_alike(tmp_path):
    accuracy = {1020: {1e-3: 0.9, 1e-2: 0.8}, 1021: {1e-3: 0.4, 1e-2: 0.6}}
    trials, runner = chosen(
        tmp_path, lambda name, rate, seed: accuracy[seed].get(rate, 0.1), num_folds=2
    )
    assert trials.best["dragon"] == 1e-2
    assert trials.rows[1]["error"] == pytest.approx(0.3)
    assert {job.seed for job in runner.jobs} == {1020, 1021}


@pytest.mark.parametrize("fold", [0, 3])
def test_a_fifth_of_each_class_is_held_out_and_no_test_image_is_seen(fold):
    labels = np.sort(np.arange(60) % 4)[::-1].copy()
    images = replace(IMAGES, train_labels=labels, test_labels=labels, num_classes=4)
    held = rates.hold_out(images, fold)
    assert np.bincount(held.test_labels).tolist() == [3, 3, 3, 3]
    assert np.bincount(held.train_labels).tolist() == [12, 12, 12, 12]
    rows = np.flatnonzero(np.arange(60) % 15 % 5 == fold)
    assert tolerances.same_bits(held.test_images, images.train_images[rows])
    assert tolerances.same_bits(held.train_images, np.delete(images.train_images, rows, axis=0))


def test_the_rule_says_how_many_folds_there_were():
    assert "for 30 epochs" in rates.held_out_rule(30)
    assert "mean over 2 such fifths" in rates.held_out_rule(30, 2)
