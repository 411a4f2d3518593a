"""The MLP paper's tables: outcomes of trials."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from helpers.paper.table_results import CONSTANT, PAPER, RISING, TWO_THREE, ending, outcome
from isingprop.paper.mlp_table.table_outcomes import Agreement, Verdict
from isingprop.paper.mlp_table.table_plot import plot
from isingprop.paper.mlp_table.table_published import COLUMNS, Pair, pairs_of, published

VOLATILE = np.append(np.full(17, 0.5), [0.9, 0.5, 0.9])


# The published figures


def test_the_published_figures_are_the_papers():
    """Some of each table, word for word, and the sum of each column."""
    assert published(TWO_THREE) == {
        "classical-1": (0.8277, 8, 0.5),
        "classical-2": (0.7742, 12, 0.4),
        "annealer": (0.8586, 7, 0.28),
    }
    assert published(Pair("mnist", (5, 9)))["annealer"] == (0.6740, None, 0.5)
    assert published(Pair("fashion-mnist", (4, 8)))["classical-2"] == (0.8, 15, 0.21)
    assert published(Pair("fashion-mnist", (3, 9)))["annealer"] == (0.9970, 6, 0.63)
    assert published(Pair("digits", (2, 3))) == {}
    figures = [published(pair) for name in ("mnist", "fashion-mnist") for pair in pairs_of(name)]
    sums = {}
    for column in COLUMNS[:3]:
        own = [each[column] for each in figures]
        steps = [each.steps for each in own if each.steps is not None]
        sums[column] = [
            sum(each.accuracy for each in own),
            sum(steps),
            100 * sum(each.success for each in own),
        ]
    assert sums["classical-1"] == pytest.approx([13.8852, 139, 1049])
    assert sums["classical-2"] == pytest.approx([13.4906, 152, 1044])
    assert sums["annealer"] == pytest.approx([13.7555, 97, 928])


def test_a_successful_trial_rises_and_stays_there():
    falling = np.append(np.full(19, 0.9), 0.59)
    late = np.append(np.full(15, 0.5), np.full(5, 0.6))
    later = np.append(np.full(16, 0.5), np.full(4, 0.9))
    own = outcome(RISING, CONSTANT, VOLATILE, falling, late, later)
    assert own.successful.tolist() == [True, False, False, False, True, False]
    assert own.successful_from(0.61).tolist() == [True, False, False, False, False, False]
    assert own.num_successful == 2
    assert own.last.tolist() == [0.9, 0.6]
    np.testing.assert_array_equal(own.curve, (RISING + late) / 2)
    np.testing.assert_allclose(own.curve_error, np.abs(RISING - late) / 2)


def test_bands_are_possible_accuracies():
    """Standard deviations would reach beyond 100 %, where one of few trials fails late."""
    pair = outcome(np.ones(20), np.ones(20), np.append(np.full(15, 0.6), np.ones(5)))
    [axes] = plot({TWO_THREE: {"classical-1": pair}}).axes
    [band] = axes.collections
    _, heights = band.get_paths()[0].vertices.T
    assert pair.curve[0] + pair.accuracy[:, 0].std(ddof=1) > 1
    assert 0 <= heights.min() < heights.max() == pytest.approx(1)
    assert heights.min() == pytest.approx(pair.curve[0] - 0.4 / 3)


def test_no_curve_leaves_its_panel():
    low = outcome(*[np.append(np.full(15, 0.2), np.full(5, 0.9))] * 3)
    [axes] = plot({TWO_THREE: {"classical-1": low}}).axes
    assert axes.get_ylim()[0] < 0.2


@pytest.mark.parametrize("successes", [0, 1, 4, 9, 10])
def test_the_interval_of_the_rate_of_success_is_exact(successes):
    own = outcome(*successes * [RISING], *(10 - successes) * [CONSTANT])
    wanted = binomtest(successes, 10).proportion_ci(0.95, "exact")
    assert own.success == pytest.approx((successes / 10, wanted.low, wanted.high))
    assert own.is_success_within() == (wanted.low <= 0.5 <= wanted.high)


def test_updates_are_counted_to_the_first_above_70_percent():
    at = np.append(np.full(10, 0.5), np.full(10, 0.7))
    assert outcome(at).steps() is None
    at[15] = 0.71
    assert outcome(at).steps() == 16
    early = np.append(np.full(5, 0.9), np.full(15, 0.5))
    assert outcome(early).steps() is None, "no success"
    assert outcome(early, at).steps() == 16, "of successful trials alone"
    low, high = np.full(20, 0.65), np.full(20, 0.8)
    assert outcome(low, low, high).steps() == 1, "mean 0.7 and a little more in binary"
    assert outcome(low, low, low, high).steps() is None, "the mean, not the first to get there"


@pytest.mark.parametrize(
    ("accuracy", "values", "verdict"),
    [
        (0.80, (0.79, 0.80, 0.81), Verdict.WITHIN),
        (0.8199, (0.79, 0.80, 0.81), Verdict.WITHIN),
        (0.8201, (0.79, 0.80, 0.81), Verdict.OUTSIDE),
        (0.7801, (0.79, 0.80, 0.81), Verdict.WITHIN),
        (0.7799, (0.79, 0.80, 0.81), Verdict.OUTSIDE),
        (0.80, (0.79, 0.81), Verdict.NONE),
        (0.80, (0.79, 0.80, 0.5), Verdict.NONE),
        (0.80, (), Verdict.NONE),
    ],
)
def test_a_published_accuracy_is_judged_by_the_spread_of_successful_trials(
    accuracy, values, verdict
):
    own = outcome(*ending(*values), CONSTANT, paper=PAPER._replace(accuracy=accuracy))
    assert own.verdict() is verdict
    assert math.isnan(own.difference()) == (verdict is Verdict.NONE)
    assert replace(own, published=None).verdict() is Verdict.NONE


def test_a_difference_is_in_units_of_its_standard_error():
    own = outcome(*ending(0.79, 0.80, 0.81), paper=PAPER._replace(accuracy=0.78))
    assert own.difference() == pytest.approx(0.02 / (0.01 * math.sqrt(2 / 3)))
    same = outcome(*ending(0.75, 0.75, 0.75))
    assert same.difference() == -math.inf


def test_two_columns_are_held_against_each_other_trial_by_trial():
    first = [outcome(*ending(0.8, 0.9), CONSTANT, CONSTANT), outcome(*ending(0.7), CONSTANT)]
    second = [
        outcome(*ending(0.7), CONSTANT, *ending(0.9), CONSTANT),
        outcome(*ending(0.75), CONSTANT),
    ]
    found = Agreement.of(first, second)
    assert (found.both, found.first, found.second, found.neither) == (2, 1, 1, 2)
    assert found.differences.tolist() == pytest.approx([0.1, -0.05])
