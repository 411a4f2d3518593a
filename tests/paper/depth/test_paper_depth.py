"""The study of depth: its networks and its job."""

from dataclasses import replace

import numpy as np
import pytest

import isingprop as ip
from helpers import tolerances
from helpers.paper.depth_names import FULL, QUICK
from helpers.paper.job_kinds import small_images
from helpers.paper.made_up import setup
from isingprop.data.subsets import class_balanced
from isingprop.paper.common.methods import Training
from isingprop.paper.depth.depth_jobs import LayeredTraining, num_tested, variants
from isingprop.training.evaluation import Evaluation

IMAGES = small_images()


def small(tmp_path, name):
    return variants(setup(tmp_path))[name]


# The networks


def test_the_variants_are_one_two_and_three_layers_and_the_controls(tmp_path):
    methods = variants(setup(tmp_path, quick=False))
    assert tuple(methods) == FULL
    assert tuple(variants(setup(tmp_path))) == QUICK
    hidden = [
        (120,),
        (120,),
        (120,),
        (240,),
        (120, 120),
        (120, 120),
        (120, 120, 120),
        (120, 120, 120),
    ]
    assert [method.hidden for method in methods.values()] == hidden
    assert [method.active_layers for method in methods.values()] == [2, 2, 2, 2, 2, None, 2, None]
    trainers = [method.trainer(IMAGES, 0.001, 0) for method in methods.values()]
    assert [trainer.margin for trainer in trainers] == pytest.approx(
        [0, 4.8, 4.8, 0, 4.8, 4.8, 3.2, 3.2]
    )
    assert {(trainer.sampler, trainer.num_states) for trainer in trainers} == {
        (ip.Annealing(20), 9)
    }
    assert len({method.title for method in methods.values()}) == len(methods)


@pytest.mark.parametrize("name", ["1x32", "1x32-margin", "1x64"])
def test_one_hidden_layer_is_the_papers(tmp_path, name):
    """But for the margin: parameters and rates."""
    trainer = small(tmp_path, name).trainer(IMAGES, 0.001, 4)
    wanted = ip.BipartiteNetwork.random(
        num_inputs=16, num_hidden=64 if name == "1x64" else 32, num_classes=10, seed=4
    )
    assert tolerances.same_bits(trainer.network.input_weights, wanted.input_weights)
    assert tolerances.same_bits(trainer.network.couplings[0], wanted.couplings)
    assert trainer.learning_rates == ip.LearningRates.of(0.001)


def test_one_hidden_layer_with_deep_settings_has_what_two_have(tmp_path):
    one, two = (
        small(tmp_path, name).trainer(IMAGES, 0.001, 4) for name in ("1x32-deep", "2x32-two")
    )
    assert tolerances.same_bits(one.network.input_weights, two.network.input_weights)
    assert one.learning_rates == two.learning_rates == ip.LearningRates.of(0.001, deep=True)
    assert one.margin == two.margin


@pytest.mark.slow
@pytest.mark.parametrize("name", ["2x32-two", "2x32-all", "3x32-two", "3x32-all"])
def test_a_deep_network_has_the_defaults_of_the_package(tmp_path, name):
    method = small(tmp_path, name)
    network = ip.LayeredNetwork.random(
        num_inputs=16, hidden=int(name[0]) * [32], num_classes=10, seed=4
    )
    active_layers = 2 if name.endswith("two") else None
    options = {"num_states": 9, "active_layers": active_layers, "seed": 4}
    rates = ip.LearningRates.of(0.01, deep=True)
    trainer = ip.Trainer(network, ip.Annealing(20), learning_rate=rates, **options)
    records, accuracies = [], []
    for _ in range(2):
        records.append(trainer.train_epoch(IMAGES.train_images, IMAGES.train_labels))
        accuracies.append(trainer.evaluate(IMAGES.test_images, IMAGES.test_labels).accuracy)
    result = LayeredTraining(method, 0.01, 2, 4).run(IMAGES)
    assert result["error_reads"].tolist() == [record.train_error_reads for record in records]
    assert result["error_lowest"].tolist() == [record.train_error_lowest for record in records]
    assert result["test_accuracy"].tolist() == accuracies
    assert result["margin"] == trainer.margin
    spins = {"2x32-two": 72, "2x32-all": 104, "3x32-two": 72, "3x32-all": 136}
    assert result["largest_problem"] == spins[name]
    assert (result["seconds"] > 0).all()
    assert result["seconds"].shape == (2,)
    right = ip.predict(
        trainer.network,
        ip.Annealing(20),
        IMAGES.test_images,
        num_reads=10,
        seed=4,
        active_layers=active_layers,
    )
    again = Training(method, 0.01, 2, 4).run(IMAGES)
    assert again["error_reads"].tolist() == result["error_reads"].tolist(), (
        "a trial is the same training"
    )
    assert again["test_accuracy"] == (right == IMAGES.test_labels).mean()


def test_a_test_is_of_the_first_2000_images_of_all_classes(tmp_path, monkeypatch):
    labels = np.sort(np.arange(2500) % 10)
    pixels = np.random.default_rng(0).random((2500, 16), np.float32)
    many, tested = replace(IMAGES, test_images=pixels, test_labels=labels), []
    assert (num_tested(IMAGES), num_tested(many)) == (60, 2000)
    monkeypatch.setattr(
        ip.Trainer,
        "evaluate",
        lambda self, *images: tested.append(images) or Evaluation(0.5, 0, 0, 1),
    )
    result = LayeredTraining(small(tmp_path, "1x32"), 0.01, 2, 0).run(many)
    assert result["test_accuracy"].tolist() == [0.5, 0.5]
    first = class_balanced(labels, 2000, 10)
    assert np.bincount(labels[first]).tolist() == 10 * [200]
    for images, classes in tested:
        np.testing.assert_array_equal(images, pixels[first])
        np.testing.assert_array_equal(classes, labels[first])
