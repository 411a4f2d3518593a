"""The MLP paper's published figures against ours, as sentences that follow from the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.paper.common.text import percent
from isingprop.paper.mlp_table.table_jobs import UPDATES
from isingprop.paper.mlp_table.table_outcomes import (
    MIN_SUCCESSES,
    SPREAD,
    Outcome,
    Outcomes,
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

#: The names of the columns in sentences.
NAMES = {
    CLASSICAL_1: "Classical-1",
    CLASSICAL_2: "Classical-2",
    ANNEALER: "annealer",
    EXACT: "exact gradients",
}

_BY_CHANCE = 0.0455  # the share of normal numbers beyond two standard deviations


class _Judged(NamedTuple):
    """A published figure with our outcome for the same pair and column."""

    pair: Pair
    column: str
    outcome: Outcome
    paper: Published

    @property
    def name(self) -> str:
        return f"{self.pair.title}, {NAMES[self.column]}"


def comparisons(outcomes: Outcomes) -> Iterator[str]:
    """Yields the findings that compare with the paper; nothing if it has no figures for these."""
    judged = [
        _Judged(pair, column, outcome, outcome.published)
        for pair, columns in outcomes.items()
        for column, outcome in columns.items()
        if outcome.published is not None
    ]

    if judged:
        yield from _accuracies(judged)
        with_verdict = [each for each in judged if each.outcome.verdict() is not Verdict.NONE]
        yield from _differences(with_verdict)
        yield from _success_rates(judged)
        yield from _steps(judged)


def _accuracies(judged: list[_Judged]) -> Iterator[str]:
    """Counts the published accuracies that are within our spread, and lists the others."""
    within, outside, none = (
        [each for each in judged if each.outcome.verdict() is verdict]
        for verdict in (Verdict.WITHIN, Verdict.OUTSIDE, Verdict.NONE)
    )
    num_pairs = len({each.pair for each in judged})
    yield (
        f"Accuracy: of {len(judged)} published figures {len(within)} are within {SPREAD:g} "
        f"standard deviations of ours, {len(outside)} are outside, and {len(none)} have no "
        f"verdict. {num_pairs - len({each.pair for each in outside})} of {num_pairs} pairs have "
        "none outside."
    )

    yield from map(_outside, outside)
    if none:
        listed = "; ".join(
            f"{each.name} ({each.outcome.num_successful} of {len(each.outcome.accuracy)})"
            for each in none
        )
        yield f"Fewer than {MIN_SUCCESSES} successful trials, so no verdict: {listed}."


def _outside(judged: _Judged) -> str:
    """States the numbers of a published accuracy that is outside our spread."""
    outcome, paper, last = judged.outcome, judged.paper, judged.outcome.last
    return (
        f"Outside: {judged.name}: {percent(paper.accuracy)} published, "
        f"{100 * last.mean():.1f} ± {100 * last.std(ddof=1):.1f} % in "
        f"{outcome.num_successful} successful trials here. Of all trials "
        f"{percent(float(outcome.accuracy[:, -1].mean()))}; successful are "
        f"{percent(outcome.success.mean)}, published {percent(paper.success)}."
    )


def _differences(judged: list[_Judged]) -> Iterator[str]:
    """Compares means, a sharper test than spreads, which are wide enough for most figures."""
    if not judged:
        return
    far = [each for each in judged if abs(each.outcome.difference()) > SPREAD]
    listed = "; ".join(f"{each.name} ({each.outcome.difference():+.1f})" for each in far)
    yield (
        f"A second look: {len(far)} of {len(judged)} means differ by more than {SPREAD:g} standard "
        f"errors from the published ones, if those are of {MIN_SUCCESSES} trials with our "
        f"spread; by chance {_BY_CHANCE * len(judged):.1f} would{f': {listed}' if far else ''}."
    )

    parts = []
    for column, members in _by_column(judged).items():
        points = [100 * (each.outcome.last.mean() - each.paper.accuracy) for each in members]
        parts.append(f"{NAMES[column]} {signed(mean_interval(points))}")
    yield f"Our mean accuracy minus the published one, points, mean over pairs: {'; '.join(parts)}."


def _success_rates(judged: list[_Judged]) -> Iterator[str]:
    """Compares the rates of successful trials."""
    parts = []
    for column, members in _by_column(judged).items():
        ours = float(np.mean([each.outcome.success.mean for each in members]))
        paper = float(np.mean([each.paper.success for each in members]))
        parts.append(f"{NAMES[column]} {percent(ours)} (published {percent(paper)})")
    yield f"Success, mean over pairs: {'; '.join(parts)}."

    if outside := [each for each in judged if not each.outcome.is_success_within()]:
        listed = "; ".join(
            f"{each.name} ({percent(each.outcome.success.mean)}, published "
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
    """Compares the number of updates to an accuracy of 70 %."""
    parts = []
    for column, members in _by_column(judged).items():
        steps = [(each.outcome.steps(), each.paper.steps) for each in members]
        reached = np.array([pair for pair in steps if None not in pair], float)
        if reached.size:
            ours, paper = reached.mean(axis=0)
            count = len(reached)
            parts.append(f"{NAMES[column]} {ours:.1f} (published {paper:.1f}; {count} pairs)")
    if parts:
        yield f"Updates to 70 %, mean over the pairs that both reach it: {'; '.join(parts)}."

    for ours_reaches, paper_reaches, where in (
        (True, False, "here, but not in the paper"),
        (False, True, "in the paper, but not here"),
    ):
        names = [
            each.name
            for each in judged
            if (each.outcome.steps() is not None) is ours_reaches
            and (each.paper.steps is not None) is paper_reaches
        ]
        if names:
            yield f"70 % is reached within {UPDATES} updates {where}: {'; '.join(names)}."


def _by_column(judged: list[_Judged]) -> dict[str, list[_Judged]]:
    """Groups the figures by column, in the order of the tables; empty columns are left out."""
    groups = {column: [each for each in judged if each.column == column] for column in COLUMNS}
    return {column: members for column, members in groups.items() if members}


def signed(value: Interval) -> str:
    """Writes a difference with its sign and confidence interval, to two decimals."""
    mean, low, high = (f"{each:+.2f}" for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"
