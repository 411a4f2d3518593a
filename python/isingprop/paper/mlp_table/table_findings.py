"""What the MLP paper's tables say when they are made again, in words that follow from the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.paper.common.text import percent
from isingprop.paper.mlp_table.table_jobs import STAND_IN, UPDATES
from isingprop.paper.mlp_table.table_outcomes import (
    LEAST_ACCURACY,
    LEAST_SUCCESSES,
    OTHER_LEAST,
    SPREAD,
    Agreement,
    Outcome,
    Searches,
    Verdict,
)
from isingprop.paper.mlp_table.table_published import (
    ANNEALER,
    CLASSICAL_1,
    CLASSICAL_2,
    COLUMNS,
    EXACT,
    Pair,
    Published,
)

NAMES = {
    CLASSICAL_1: "Classical-1",
    CLASSICAL_2: "Classical-2",
    ANNEALER: "annealer",
    EXACT: "exact gradients",
}

_CERTAIN = 5.0  # a logit whose output is 0 or 1 to within 0.7 %
_BY_CHANCE = 0.0455  # of normal numbers, beyond two standard deviations

Outcomes = Mapping[Pair, Mapping[str, Outcome]]


class _Judged(NamedTuple):
    """One published figure and ours."""

    pair: Pair
    column: str
    own: Outcome
    paper: Published

    @property
    def name(self) -> str:
        return f"{self.pair.title}, {NAMES[self.column]}"


def findings(outcomes: Outcomes, searches: Searches) -> Iterator[str]:
    """One sentence or more for each question."""
    judged = [
        _Judged(pair, column, own, own.published)
        for pair, columns in outcomes.items()
        for column, own in columns.items()
        if own.published is not None
    ]
    if judged:
        yield from _accuracies(judged)
        yield from _differences([each for each in judged if each.own.verdict() is not Verdict.NONE])
        yield from _successes(judged)
        yield from _steps(judged)
    else:
        yield "There are no published figures for a quick run or for these data, so none are beside ours."
    for column in (CLASSICAL_2, ANNEALER):
        yield _cost(outcomes, column)
    yield _temperature(searches)
    yield _start(outcomes)
    yield _definition(outcomes)


def _accuracies(judged: list[_Judged]) -> Iterator[str]:
    found = {
        verdict: [each for each in judged if each.own.verdict() is verdict] for verdict in Verdict
    }
    num_pairs = len({each.pair for each in judged})
    within, outside, none = (
        found[verdict] for verdict in (Verdict.WITHIN, Verdict.OUTSIDE, Verdict.NONE)
    )
    yield (
        f"Accuracy: of {len(judged)} published figures {len(within)} are within {SPREAD:g} "
        f"standard deviations of ours, {len(outside)} are outside, and {len(none)} have no "
        f"verdict. {num_pairs - len({each.pair for each in outside})} of {num_pairs} pairs have "
        "none outside."
    )
    for each in outside:
        last = each.own.last
        yield (
            f"Outside: {each.name}: {percent(each.paper.accuracy)} published, "
            f"{100 * last.mean():.1f} ± {100 * last.std(ddof=1):.1f} % in "
            f"{each.own.num_successful} successful trials here. Of all trials "
            f"{percent(float(each.own.accuracy[:, -1].mean()))}; successful are "
            f"{percent(each.own.success.mean)}, published {percent(each.paper.success)}."
        )
    if none:
        listed = "; ".join(
            f"{each.name} ({each.own.num_successful} of {len(each.own.accuracy)})" for each in none
        )
        yield f"Fewer than {LEAST_SUCCESSES} successful trials, so no verdict: {listed}."


def _differences(judged: list[_Judged]) -> Iterator[str]:
    """A second look, at means: spreads are wide, and most things are within them."""
    if not judged:
        return
    far = [each for each in judged if abs(each.own.difference()) > SPREAD]
    listed = "; ".join(f"{each.name} ({each.own.difference():+.1f})" for each in far)
    yield (
        f"A second look: {len(far)} of {len(judged)} means differ by more than {SPREAD:g} standard "
        f"errors from the published ones, if those are of {LEAST_SUCCESSES} trials with our "
        f"spread; by chance {_BY_CHANCE * len(judged):.1f} would{f': {listed}' if far else ''}."
    )
    parts = []
    for column in _columns(judged):
        points = [
            100 * (each.own.last.mean() - each.paper.accuracy)
            for each in judged
            if each.column == column
        ]
        parts.append(f"{NAMES[column]} {_signed(mean_interval(points))}")
    yield f"Our mean accuracy minus the published one, points, mean over pairs: {'; '.join(parts)}."


def _successes(judged: list[_Judged]) -> Iterator[str]:
    parts = []
    for column in _columns(judged):
        own = [each for each in judged if each.column == column]
        rates = [
            float(np.mean(values))
            for values in zip(*((e.own.success.mean, e.paper.success) for e in own), strict=True)
        ]
        parts.append(f"{NAMES[column]} {percent(rates[0])} (published {percent(rates[1])})")
    yield f"Success, mean over pairs: {'; '.join(parts)}."
    if outside := [each for each in judged if not each.own.is_success_within()]:
        listed = "; ".join(
            f"{each.name} ({percent(each.own.success.mean)}, published "
            f"{percent(each.paper.success)})"
            for each in outside
        )
        yield (
            f"Published rates of success outside our intervals: {len(outside)} of {len(judged)} "
            f"(they are of 3 to 16 trials, so they have wide intervals of their own): {listed}."
        )
    else:
        yield f"All {len(judged)} published rates of success are in our intervals."


def _steps(judged: list[_Judged]) -> Iterator[str]:
    parts = []
    for column in _columns(judged):
        steps = [(each.own.steps(), each.paper.steps) for each in judged if each.column == column]
        both = np.array(
            [(ours, paper) for ours, paper in steps if ours is not None and paper is not None]
        )
        if both.size:
            ours, paper = both.mean(axis=0)
            parts.append(f"{NAMES[column]} {ours:.1f} (published {paper:.1f}; {len(both)} pairs)")
    if parts:
        yield f"Updates to 70 %, mean over the pairs that both reach it: {'; '.join(parts)}."
    ours_alone = [
        each.name for each in judged if each.own.steps() is not None and each.paper.steps is None
    ]
    paper_alone = [
        each.name for each in judged if each.own.steps() is None and each.paper.steps is not None
    ]
    for names, told in (
        (ours_alone, "here, but not in the paper"),
        (paper_alone, "in the paper, but not here"),
    ):
        if names:
            yield f"70 % is reached within {UPDATES} updates {told}: {'; '.join(names)}."


def _cost(outcomes: Outcomes, column: str) -> str:
    """What sampling costs, trial by trial."""
    found = Agreement.of(
        [each[column] for each in outcomes.values()], [each[EXACT] for each in outcomes.values()]
    )
    told = (
        f"{NAMES[column]} against exact gradients, the same trials: {found.both} successful with "
        f"both, {found.neither} with neither, {found.first} with {NAMES[column]} alone, "
        f"{found.second} with exact gradients alone"
    )
    if not found.differences.size:
        return f"{told}."
    difference = _signed(mean_interval(100 * found.differences))
    return f"{told}; where both are, {NAMES[column]} ends higher by {difference} points."


def _temperature(searches: Searches) -> str:
    _, last = STAND_IN.beta_range or (math.nan, math.nan)
    told = (
        f"The annealer's beta_effective is {searches.best:g} by the least divergence, "
        f"{searches.means.min():.2g} nats (Gibbs sampling: {searches.gibbs.mean():.2g}); "
        f"States.beta_effective says {searches.estimated:.3g}, and its schedule ends at {last:g}. "
        "The paper found 16 for its chip."
    )
    return told + (
        " It is an end of the grid, so perhaps not the best." if searches.at_the_end else ""
    )


def _start(outcomes: Outcomes) -> str:
    """Why trials fail."""
    logits = {
        column: float(
            np.median(np.concatenate([each[column].first_logit for each in outcomes.values()]))
        )
        for column in (CLASSICAL_1, EXACT)
    }
    return (
        "After the first update the median size of a training image's logit is "
        f"{logits[CLASSICAL_1]:.1f} by backpropagation and {logits[EXACT]:.1f} by exact gradients: "
        + (
            "most outputs are as good as certain, and a trial first has to come back from there."
            if min(logits.values()) > _CERTAIN
            else "outputs are not yet certain."
        )
    )


def _definition(outcomes: Outcomes) -> str:
    every = [own for columns in outcomes.values() for own in columns.values()]
    rates = {
        least: percent(float(np.concatenate([own.successful_from(least) for own in every]).mean()))
        for least in (LEAST_ACCURACY, *OTHER_LEAST)
    }
    others = ", ".join(f"{rates[least]} from {100 * least:.0f} %" for least in OTHER_LEAST)
    return (
        f"The definition of success: {rates[LEAST_ACCURACY]} of all trials are successful with a "
        f"least accuracy of {100 * LEAST_ACCURACY:.0f} %; with others it would be {others}."
    )


def _columns(judged: list[_Judged]) -> list[str]:
    return [column for column in COLUMNS if any(each.column == column for each in judged)]


def _signed(value: Interval) -> str:
    mean, low, high = (f"{each:+.2f}" for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"
