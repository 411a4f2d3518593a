"""The room of states: what is kept, what is refused, the lowest read and the mean spins."""

import numpy as np
import pytest

from isingprop import States
from oracle import random_spins

UP_DOWN = [[[1, -1]]]


def test_converts_and_keeps():
    states = States(spins=[[[1, -1], [1.0, 1]]], energies=[[1, 2]], info={"seed": 3})
    assert (states.spins.dtype, states.energies.dtype) == (np.int8, np.float64)
    assert states.spins.tolist() == [[[1, -1], [1, 1]]]
    assert states.energies.tolist() == [[1.0, 2.0]]
    assert (states.num_reads, states.info) == (2, {"seed": 3})


def test_arrays_of_the_right_type_are_not_copied():
    spins, energies = random_spins(2, 3, 4), np.zeros((2, 3))
    states = States(spins, energies)
    assert np.shares_memory(states.spins, spins)
    assert np.shares_memory(states.energies, energies)


def test_lowest_is_the_first_of_equals():
    spins = random_spins(3, 4, 5)
    energies = np.array([[3.0, 1, 2, 1], [0, 0, 0, 0], [5, 4, 3, -2]])
    lowest = States(spins, energies, {"seed": 1}).lowest()
    assert lowest.num_reads == 1
    assert lowest.energies.tolist() == [[1], [0], [-2]]
    np.testing.assert_array_equal(lowest.spins[:, 0], spins[[0, 1, 2], [1, 0, 3]])
    assert lowest.info == {"seed": 1}


def test_mean_spins():
    spins = random_spins(3, 8, 5)  # eight reads: every mean is a binary fraction, so it is exact
    means = States(spins, np.zeros((3, 8))).mean_spins()
    np.testing.assert_array_equal(means, spins.astype(float).sum(axis=1) / 8)


def test_cannot_be_reassigned():
    with pytest.raises(AttributeError):
        States([[[1]]], [[0.0]]).spins = None


@pytest.mark.parametrize(
    ("spins", "energies", "refusal"),
    [
        ([[1, -1]], [[0.0]], "ValueError: spins must have shape (n, n, n), got (1, 2)"),
        (np.ones((1, 0, 2)), [[]], "ValueError: spins must have shape (n, n, n), got (1, 0, 2)"),
        ([[[1, 0]]], [[0.0]], "ValueError: spins must be -1 or +1, got 0 at index (0, 0, 1)"),
        ([[[1, 0.5]]], [[0.0]], "ValueError: spins must be -1 or +1, got 0.5 at index (0, 0, 1)"),
        ([[[1, np.nan]]], [[0.0]], "ValueError: spins must be -1 or +1, got nan at index (0, 0, 1)"),
        ([[[True, False]]], [[0.0]], "TypeError: spins must be an array of spins, got dtype bool"),
        ([[["1", "-1"]]], [[0.0]], "TypeError: spins must be an array of spins, got dtype <U2"),
        (UP_DOWN, [0.0], "ValueError: energies must have shape (1, 1), got (1,)"),
        (UP_DOWN, [[0.0, 1.0]], "ValueError: energies must have shape (1, 1), got (1, 2)"),
        (UP_DOWN, [[np.inf]], "ValueError: energies must be finite, got inf"),
        (UP_DOWN, [[np.nan]], "ValueError: energies must be finite, got nan"),
        (UP_DOWN, [["1.0"]], "TypeError: energies must be an array of real numbers, got dtype <U3"),
        (UP_DOWN, [[1j]], "TypeError: energies must be an array of real numbers, got dtype complex128"),
        (UP_DOWN, [[None]], "TypeError: energies must be an array of real numbers, got dtype object"),
    ],
)
def test_refusals(assert_refused, spins, energies, refusal):
    assert_refused(lambda: States(spins, energies), refusal)
