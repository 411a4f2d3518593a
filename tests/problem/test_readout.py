"""Tests of the class code: targets, scores, classes, and what has none."""

import numpy as np
import pytest

from helpers.oracle import all_states
from isingprop import Readout
from isingprop.readout import UNCLASSIFIED


@pytest.mark.parametrize(("num_classes", "redundancy"), [(2, 1), (3, 4), (10, 4)])
def test_targets_are_eq_4_and_predict_inverts_them(num_classes, redundancy):
    readout = Readout(num_classes, redundancy)
    labels = np.arange(num_classes)
    targets = readout.targets(labels)
    assert targets.dtype == np.int8
    assert (
        targets.shape
        == (num_classes, num_classes * redundancy)
        == (num_classes, readout.num_output)
    )
    for label in labels:
        for output in range(readout.num_output):
            own = redundancy * label <= output < redundancy * (label + 1)
            assert targets[label, output] == (1 if own else -1)
    np.testing.assert_array_equal(readout.predict(targets), labels)


def test_redundancy_is_four_as_in_the_paper():
    assert Readout(10).num_output == 40


def test_any_shape_of_labels():
    readout = Readout(3, 2)
    labels = np.array([[0, 2], [1, 1]])
    targets = readout.targets(labels)
    assert targets.shape == (2, 2, 6)
    np.testing.assert_array_equal(readout.predict(targets), labels)
    assert readout.targets(1).tolist() == [-1, -1, 1, 1, -1, -1]


def test_scores_and_classes_of_every_state_recounted():
    readout = Readout(3, 2)
    states = all_states(6)
    scores, classes = readout.scores(states), readout.predict(states)
    for state, score, predicted in zip(
        states.tolist(), scores.tolist(), classes.tolist(), strict=True
    ):
        assert score == [state[0] + state[1], state[2] + state[3], state[4] + state[5]]
        winners = [k for k in range(3) if score[k] == max(score)]
        assert predicted == (winners[0] if len(winners) == 1 else UNCLASSIFIED)
    assert (classes == UNCLASSIFIED).any()


@pytest.mark.parametrize("redundancy", [127, 128, 129, 300])
def test_scores_beyond_the_range_of_a_byte(redundancy):
    readout = Readout(3, redundancy)
    outputs = readout.targets([0, 1, 2])
    outputs[2, :redundancy] = 1  # a tie of the largest scores there are
    np.testing.assert_array_equal(
        readout.scores(outputs), redundancy * np.array([[1, -1, -1], [-1, 1, -1], [1, -1, 1]])
    )
    assert readout.predict(outputs).tolist() == [0, 1, UNCLASSIFIED]


def test_no_single_largest_score_is_unclassified():
    assert UNCLASSIFIED == -1
    assert Readout(2, 1).predict([[1, 1], [-1, -1], [1, -1]]).tolist() == [-1, -1, 0]


@pytest.mark.parametrize(("num_classes", "redundancy"), [(2, 1), (3, 2), (2, 5)])
def test_wrong_outputs_recounted(num_classes, redundancy):
    """Bit a of the index is 1 where output a is +1; what is in no class is wrong for all of
    them.
    """
    readout = Readout(num_classes, redundancy)
    labels = np.arange(num_classes)[::-1]
    table = readout.wrong_outputs(labels)
    assert (table.shape, table.dtype) == ((num_classes, 2**readout.num_output), np.bool_)
    for number in range(2**readout.num_output):
        groups = [number >> redundancy * k & (2**redundancy - 1) for k in range(num_classes)]
        scores = [group.bit_count() for group in groups]
        for row, label in enumerate(labels):
            alone = all(score < scores[label] for k, score in enumerate(scores) if k != label)
            assert table[row, number] != alone
    table[:] = False
    assert readout.wrong_outputs(labels).any(), "not the table that is kept"


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: Readout(1), "ValueError: num_classes must be at least 2, got 1"),
        (lambda: Readout(2.0), "TypeError: num_classes must be an integer, got 2.0"),
        (lambda: Readout(True), "TypeError: num_classes must be an integer, got True"),
        (lambda: Readout(2, 0), "ValueError: redundancy must be at least 1, got 0"),
        (
            lambda: Readout(2).targets([2]),
            "ValueError: labels must be in 0 ... 1, got 2 at index 0",
        ),
        (
            lambda: Readout(2).targets([0, -1]),
            "ValueError: labels must be in 0 ... 1, got -1 at index 1",
        ),
        (
            lambda: Readout(2).targets([0.0]),
            "TypeError: labels must be an array of integers, got dtype float64",
        ),
        (
            lambda: Readout(2).targets(["0"]),
            "TypeError: labels must be an array of integers, got dtype <U1",
        ),
        (
            lambda: Readout(2, 1).predict([1, -1, 1]),
            "ValueError: outputs must have shape (2,), got (3,)",
        ),
        (lambda: Readout(2, 1).predict(1), "ValueError: outputs must have shape (2,), got ()"),
        (
            lambda: Readout(9, 3).wrong_outputs([0]),
            "ValueError: num_classes * redundancy must be at most 20, got 27",
        ),
        (
            lambda: Readout(2, 1).wrong_outputs([2]),
            "ValueError: labels must be in 0 ... 1, got 2 at index 0",
        ),
        (
            lambda: Readout(2, 1).wrong_outputs([-1]),
            "ValueError: labels must be in 0 ... 1, got -1 at index 0",
        ),
        (lambda: Readout(2, 1).wrong_outputs(0), "ValueError: labels must have shape (1,), got ()"),
        (
            lambda: Readout(2, 1).scores([1, 0]),
            "ValueError: outputs must be -1 or +1, got 0 at index (1,)",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
