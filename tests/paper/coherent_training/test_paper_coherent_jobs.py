"""The study of coherent training: its methods and its jobs."""

import math
from dataclasses import replace

import numpy as np
import pytest

import isingprop as ip
from helpers import tolerances
from helpers.paper.coherent_results import NAMES, SHOTS, SMALL
from helpers.paper.made_up import setup
from isingprop.paper.coherent_training.coherent_jobs import (
    PAIRS,
    CoherentTraining,
    Sizes,
    few_classes,
    marked_problem,
    methods_of,
    networks,
    sizes_of,
)
from isingprop.paper.coherent_training.coherent_search import Search, evenly_spread
from isingprop.paper.coherent_training.coherent_times import AnnealingTimes
from isingprop.paper.common.methods import Training
from isingprop.problem import largest_local_fields
from isingprop.quantum.amplification import (
    best_iterations,
    fixed_point_success,
    grover_success,
    growing_lengths,
)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return few_classes(setup(tmp_path_factory.mktemp("data")))


# Images and methods


def test_the_images_are_the_first_of_three_classes(tmp_path, images):
    whole = ip.load_data("digits")
    for classes in range(3):
        own = whole.train_images[whole.train_labels == classes][:10]
        np.testing.assert_array_equal(images.train_images[images.train_labels == classes], own)
    assert len(images.train_labels) == 30
    np.testing.assert_array_equal(images.test_labels, whole.test_labels[whole.test_labels < 3])
    np.testing.assert_array_equal(images.test_images, whole.test_images[whole.test_labels < 3])
    assert (images.num_classes, images.name) == (3, "digits")
    assert len(few_classes(setup(tmp_path, quick=False)).train_labels) == 60


def test_no_more_than_500_images_are_tested(tmp_path, monkeypatch, images):
    many = np.arange(2000) % 10
    pixels = np.random.default_rng(0).random((2000, 4), np.float32)
    large = ip.ImageSet("many", pixels, many, pixels, many, num_classes=10)
    which = setup(tmp_path)
    monkeypatch.setattr(type(which), "load_data", lambda self, num_train: large)
    found = few_classes(which)
    assert (len(found.train_labels), len(found.test_labels)) == (600, 500)
    np.testing.assert_array_equal(found.test_images, pixels[many < 3][:500])


def test_the_methods_differ_in_the_states_that_they_learn_from():
    methods = methods_of(Sizes())
    assert tuple(methods) == NAMES
    plain, even, scaled = ip.Coherent(100.0), ip.Amplified(100.0), ip.Amplified(100.0, exponent=1.0)
    assert [method.sampler for method in methods.values()] == [plain] * 3 + [
        even,
        scaled,
        even,
        scaled,
        scaled,
    ]
    assert [method.num_states for method in methods.values()] == [
        None,
        20,
        1,
        None,
        None,
        20,
        20,
        3,
    ]
    assert len({method.title for method in methods.values()}) == len(NAMES)
    for name, other in PAIRS.items():
        assert (methods[name].num_states == methods[other].num_states) == (
            name != "amplified-3-scaled"
        )
        assert (type(methods[name].sampler), type(methods[other].sampler)) == (
            ip.Amplified,
            ip.Coherent,
        )
    assert Sizes().num_spins == 12


def test_the_anneals_own_time_is_one_of_those_compared(tmp_path):
    for quick in (True, False):
        sizes = sizes_of(setup(tmp_path, quick=quick))
        assert sizes.total_time in sizes.times
        assert sizes.total_time < max(sizes.times)


# Jobs


def network_of(images, seed, num_hidden=2):
    return ip.BipartiteNetwork.random(
        num_inputs=64, num_hidden=num_hidden, num_classes=3, redundancy=2, seed=seed
    )


def wrong_states(network, images):
    """(B, 2^N) bool, by the definition."""
    numbers = np.arange(2 ** (network.num_hidden + network.num_output))
    spins = (
        2 * (numbers[:, None] >> np.arange(network.num_hidden, 14)[None, : network.num_output] & 1)
        - 1
    )
    return network.readout.predict(spins)[None, :] != images.train_labels[:, None]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_training_is_a_trainers_epochs_and_the_exact_error_after_each(images, name):
    method, network = methods_of(SMALL)[name], network_of(images, 4)
    options = {"num_states": method.num_states, "learning_rate": ip.LearningRates.of(0.02)}
    trainer = ip.Trainer(network, method.sampler, **options, seed=4)
    result, records, errors = CoherentTraining(method, 0.02, 2, 4).run(images), [], []
    for _ in range(2):
        records.append(trainer.train_epoch(images.train_images, images.train_labels))
        chances = ip.Coherent(10.0).weighted_states(network.problem(images.train_images)).weights
        errors.append((chances * wrong_states(network, images)).sum(axis=1).mean())
    np.testing.assert_allclose(result["error"], errors, rtol=1e-9)
    assert result["error_reads"].tolist() == [record.train_error_reads for record in records]
    assert result["applications"].tolist() == [record.applications or 0 for record in records]
    assert (result["applications"] > 0).all() == (name in SHOTS)
    accuracy = trainer.evaluate(images.test_images, images.test_labels).accuracy
    assert result["test_accuracy"] == accuracy
    again = Training(method, 0.02, 2, 4).run(images)
    assert again["error_reads"].tolist() == result["error_reads"].tolist(), (
        "a trial is the same training"
    )


def test_networks_are_in_plain_training_by_exact_expectation_values(images):
    network = network_of(images, 3)
    options = {"num_states": None, "learning_rate": ip.LearningRates.of(0.01)}
    trainer = ip.Trainer(network, ip.Coherent(10.0), **options, seed=3)
    wanted = {0: network.input_weights.copy()}
    for epoch in (1, 2):
        trainer.train_epoch(images.train_images, images.train_labels)
        wanted[epoch] = network.input_weights.copy()
    found = {epoch: each.input_weights.copy() for epoch, each in networks(images, SMALL, (0, 2), 3)}
    assert list(found) == [0, 2]
    assert all(tolerances.same_bits(found[epoch], wanted[epoch]) for epoch in found)


def test_the_largest_local_field_is_what_coherent_divides_by(images):
    problem = marked_problem(network_of(images, 1), images)
    fields = largest_local_fields(problem)
    for k in range(5):
        arrays = (problem.couplings, problem.hidden_fields[k : k + 1], problem.output_fields)
        scaled = ip.IsingProblem(*(array.astype(float) / fields[k] for array in arrays))
        wanted = ip.Coherent(10.0, rescale=False).weighted_states(scaled).weights
        np.testing.assert_allclose(
            ip.Coherent(10.0).weighted_states(problem[k : k + 1]).weights, wanted, atol=1e-12
        )


def test_a_search_counts_until_a_wrong_state_is_seen(images):
    """18 means of 4,000 numbers, 4.5 standard errors each: a false alarm in one of 8,000 seeds."""
    found = Search(SMALL, 0).run(images)
    assert len(found["amplitude"]) == 6
    assert set(found["epoch"]) == {2, 6}
    assert set(found["total_time"]) == {20, 60}
    chances = {}
    for epoch, network in networks(images, SMALL, (2, 6), 0):
        for time in (20.0, 60.0):
            weights = (
                ip.Coherent(time).weighted_states(network.problem(images.train_images)).weights
            )
            chances[epoch, time] = np.sqrt((weights * wrong_states(network, images)).sum(axis=1))
    for k, amplitude in enumerate(found["amplitude"]):
        assert abs(chances[found["epoch"][k], found["total_time"][k]] - amplitude).min() < 1e-9
        iterations = best_iterations(amplitude)
        success = grover_success(amplitude, iterations)
        assert found["success"][k] == success
        assert found["amplified"][k] == pytest.approx(success, abs=1e-9)
        for way, chance, cost in (
            ("repetition", amplitude**2, 1),
            ("grover", success, 2 * iterations + 1),
        ):
            error = cost * math.sqrt(1 - chance) / chance / math.sqrt(4000)
            assert abs(found[way][k] - cost / chance) <= 4.5 * error
        mean, square, going_on, so_far = 0.0, 0.0, 1.0, 0
        for length in growing_lengths():
            so_far += 2 * length + 1
            ends = fixed_point_success(amplitude, length, 0.1)
            mean += going_on * ends * so_far
            square += going_on * ends * so_far**2
            going_on *= 1 - ends
            if going_on < 1e-12:
                break
        error = math.sqrt((square - mean**2) / 4000)
        assert abs(found["fixed_point"][k] - mean) <= 4.5 * error


@pytest.mark.slow
def test_a_search_is_the_same_again_and_another_with_another_seed(images):
    sizes = replace(SMALL, num_instances=3, repetitions=50)
    first, again, other = (Search(sizes, seed).run(images) for seed in (0, 0, 1))
    assert all(tolerances.same_bits(first[name], again[name]) for name in first)
    assert not np.array_equal(first["amplitude"], other["amplitude"])


def test_instances_are_spread_evenly_in_the_logarithm():
    amplitudes = np.geomspace(0.001, 1.0, 301)
    chosen = amplitudes[evenly_spread(amplitudes, 10)]
    assert len(set(chosen)) == 10
    inside = amplitudes[(amplitudes >= 0.005) & (amplitudes <= 0.7)]
    assert (chosen[0], chosen[-1]) == (inside[0], inside[-1])
    steps = np.diff(np.log(chosen))
    np.testing.assert_allclose(steps, steps.mean(), atol=np.log(1000) / 300)
    few = np.array([0.9, 0.1, 0.001, 0.2])
    assert evenly_spread(few, 10) == [1, 3]
    assert evenly_spread(np.array([0.9, 0.001]), 10) == [0, 1], "better these than none"
    assert evenly_spread(np.array([0.1, 0.65, 0.66, 0.67, 0.68]), 4) == [0, 1, 2, 4], (
        "none is taken twice"
    )


def test_annealing_times_are_those_of_single_anneals(images):
    found = AnnealingTimes(SMALL, 1).run(images)
    assert found["ground"].shape == found["right"].shape == (2, 2, 2)
    assert found["field"].shape == (3,)
    for k, (_, network) in enumerate(networks(images, SMALL, (0, 2), 1)):
        problem, wrong = network.problem(images.train_images), wrong_states(network, images)
        fields = largest_local_fields(problem)
        assert found["field"][2 * k] == pytest.approx(fields.mean())
        table = np.stack(
            [ip.coherent.Anneal(problem[b : b + 1], 1.0, 1).energies for b in range(30)]
        )
        lowest = table.argmin(axis=1)
        assert found["wrong_ground"][k] == wrong[np.arange(30), lowest].mean()
        for scale, by in enumerate((fields, np.ones(30))):
            ground, right = [], []
            for b in range(30):
                arrays = (
                    problem.couplings,
                    problem.hidden_fields[b : b + 1],
                    problem.output_fields,
                )
                one = ip.IsingProblem(*(array.astype(float) / by[b] for array in arrays))
                chances = abs(ip.coherent.anneal(one, total_time=10, num_steps=20)) ** 2
                ground.append(chances[lowest[b]])
                right.append(chances[~wrong[b]].sum())
            assert found["ground"][k, scale, 1] == pytest.approx(np.mean(ground))
            assert found["right"][k, scale, 1] == pytest.approx(np.mean(right))
