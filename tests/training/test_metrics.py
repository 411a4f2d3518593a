"""Tests of metrics: predictions, errors over reads, errors of the lowest read, recounted by
hand.
"""

from itertools import pairwise

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.known_states import (
    ENERGIES,
    LABELS,
    LOWEST_CLASSES,
    OUTPUTS,
    WRONG_LOWEST,
    WRONG_READS,
    Stub,
)
from isingprop import Annealing, BipartiteNetwork, Evaluation, States, predict
from isingprop.readout import UNCLASSIFIED
from isingprop.training import error_count
from isingprop.training import evaluation as metrics
from isingprop.training.error_count import ErrorCount

SAMPLER = Annealing(num_sweeps=5)


@pytest.fixture
def network():
    return oracle.random_network(3, 2, num_classes=2, redundancy=2)


def test_predict_takes_the_lowest_read(network):
    images = np.zeros((4, 3), np.float32)
    assert predict(network, Stub(OUTPUTS, ENERGIES), images, num_reads=2).tolist() == LOWEST_CLASSES
    assert predict(network, Stub(OUTPUTS, ENERGIES), images, num_reads=1).tolist() == [0, 1, 1, 0]


def test_evaluation_counts_the_unclassified_as_wrong():
    evaluation = Evaluation.of(np.array(LOWEST_CLASSES), LABELS)
    assert evaluation == Evaluation(
        accuracy=0.5, standard_error=0.25, unclassified=0.25, num_images=4
    )


@pytest.mark.parametrize("bounds", [(0, 4), (0, 1, 2, 3, 4), (0, 3, 4)])
@pytest.mark.parametrize("at_a_time", [1, 2, 100])
def test_error_count_recounts_the_table(network, monkeypatch, bounds, at_a_time):
    monkeypatch.setattr(error_count, "_COUNT_IMAGES", at_a_time)
    errors, stub = ErrorCount(network), Stub(OUTPUTS, ENERGIES)
    problem = network.problem(np.zeros((4, 3)))
    for a, b in pairwise(bounds):
        moved_on = errors.add(stub.sample(problem[a:b], 2), LABELS[a:b])
        assert moved_on or at_a_time > b - a
    errors.count()
    assert (errors.num_images, errors.reads, errors.lowest) == (4, WRONG_READS, WRONG_LOWEST)
    errors.count()
    assert errors.num_images == 4


def test_error_count_of_many_states_recounted(network):
    """More images than are counted at a time, several times over."""
    num_images, num_reads = 300, 7
    labels = np.arange(num_images) % 2
    spins = oracle.random_spins(num_images, num_reads, 2 + 4)
    energies = np.random.default_rng(0).normal(size=(num_images, num_reads))
    errors = ErrorCount(network)
    for k in range(num_images):
        errors.add(States(spins[k : k + 1], energies[k : k + 1]), labels[k : k + 1])
    errors.count()
    wrong_reads = wrong_lowest = 0
    for k in range(num_images):
        wrong = []
        for read in spins[k]:
            first, second = read[2] + read[3], read[4] + read[5]
            wrong.append((first <= second) if labels[k] == 0 else (second <= first))
        wrong_reads += sum(wrong)
        wrong_lowest += wrong[int(np.argmin(energies[k]))]
    assert errors.lowest == wrong_lowest / num_images
    assert abs(errors.reads - wrong_reads / (num_images * num_reads)) < tolerances.ENERGY


def test_predictions_do_not_depend_on_portions(network, monkeypatch):
    """Of a sampler that only tosses coins, so that every stream shows."""
    images, coins = np.zeros((50, 3), np.float32), Annealing(1, (0.0, 0.0), descend=False)
    whole = predict(network, coins, images, num_reads=2, seed=5)
    assert whole.dtype == np.int64
    assert set(whole.tolist()) == {UNCLASSIFIED, 0, 1}
    for size in (1, 4, 50):
        monkeypatch.setattr(metrics, "_PREDICT_IMAGES", size)
        np.testing.assert_array_equal(predict(network, coins, images, num_reads=2, seed=5), whole)
    assert (predict(network, coins, images, num_reads=2, seed=6) != whole).any()


def test_predictions_are_those_of_the_lowest_states(network):
    images = np.random.default_rng(0).random((20, 3), dtype=np.float32)
    states = SAMPLER.sample(network.problem(images), num_reads=4, seed=9)
    outputs = states.spins[np.arange(20), states.energies.argmin(axis=1), 2:]
    by_hand = network.readout.predict(outputs)
    np.testing.assert_array_equal(predict(network, SAMPLER, images, num_reads=4, seed=9), by_hand)
    assert len(set(by_hand.tolist())) > 1


IMAGES = np.full((2, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    ("images", "num_reads", "refusal"),
    [
        (IMAGES, 0, "ValueError: num_reads must be at least 1, got 0"),
        (IMAGES, 1.0, "TypeError: num_reads must be an integer, got 1.0"),
        (IMAGES[:0], 1, "ValueError: images must have shape (n, 3), got (0, 3)"),
        (IMAGES[:, :2], 1, "ValueError: images must have shape (n, 3), got (2, 2)"),
        (2 * IMAGES + 1, 1, "ValueError: images must be in [0, 1], got 2.0"),
        (IMAGES.astype(int), 1, "TypeError: images must be floating-point pixels"),
    ],
)
def test_refusals(assert_refused, images, num_reads, refusal):
    network = BipartiteNetwork.random(num_inputs=3, num_hidden=2, num_classes=2)
    assert_refused(lambda: predict(network, SAMPLER, images, num_reads=num_reads), refusal)
