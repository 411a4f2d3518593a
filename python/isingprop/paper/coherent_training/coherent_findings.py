"""What the study of coherent training finds, in words that follow from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from isingprop.analysis.scaling import Interval, interval_of
from isingprop.paper.coherent_training.coherent_curves import (
    KINDS,
    Comparison,
    Outcome,
    ratio,
    windows_of,
)
from isingprop.paper.coherent_training.coherent_jobs import PAIRS, Sizes
from isingprop.paper.coherent_training.coherent_search import (
    EXPECTED,
    LEAST_INSTANCES,
    MOST_FITTED,
    WAYS,
    Searches,
)
from isingprop.paper.coherent_training.coherent_times import SCALES, Times
from isingprop.paper.common.rates import Trials
from isingprop.paper.common.text import interval, percent

LAST = 5  # epochs at the end whose mean error is compared
_TARGETS = (0.1, 0.02, 0.005)  # errors to reach
_NEAR = 0.1  # what terms of higher order in A may add to an exponent

_ONE_SEED = "one seed, so no verdict"
_UNSEEN = "no difference to be seen"
LARGER_THAN_DOUBLE = "more than twice as large"
MAYBE_DOUBLE = "larger, and twice as large is not ruled out"
LESS_THAN_DOUBLE = "larger, but less than twice as large"
NOT_LARGER = "no larger to be seen, and less than twice as large"
SMALLER = "smaller"
UNDECIDED = "neither equal nor twice as large is ruled out"


def findings(
    searches: Searches, outcomes: Mapping[str, Outcome], times: Times, sizes: Sizes, trials: Trials
) -> Iterator[str]:
    """One for each bullet."""
    yield from _searches(searches)
    yield from _ends(outcomes)
    yield from _doubling(outcomes)
    yield from _per_application(outcomes)
    yield from _price(outcomes)
    yield from _floor(times, sizes.total_time)
    yield from _scales(times, sizes.total_time)
    rates = [row["learning_rate"] for row in trials.rows]
    ends = min(rates), max(rates)
    if edges := "; ".join(
        own.method.title for own in outcomes.values() if own.learning_rate in ends
    ):
        yield f"At the end of the grid of rates, so perhaps not at its best: {edges}."


def _searches(searches: Searches) -> Iterator[str]:
    for way, title in WAYS.items():
        found = searches.exponent(way)
        if math.isnan(found.mean):
            yield f"{title}: no seed has {LEAST_INSTANCES} instances with A below {MOST_FITTED:g}, so no exponent."
        else:
            power = f"{interval(found)}, where {EXPECTED[way]} is expected: {_as(found, way)}"
            yield f"{title}: applications grow as A to the power {power}."
    yield (
        "U and U† run step by step, as many Grover iterations as are best: the success probability "
        f"is that of the closed form within {searches.largest_difference():.1g}."
    )


def _as(found: Interval, way: str) -> str:
    if math.isnan(found.low):
        return _ONE_SEED
    if found.low <= EXPECTED[way] <= found.high:
        return "as expected"
    if abs(found.mean - EXPECTED[way]) <= _NEAR:
        return "near it, the rest being of higher order in A"
    return "steeper than that" if found.high < EXPECTED[way] else "less steep than that"


def better_or_worse(of_errors: Interval) -> str:
    """Of the ratio of an error to another one."""
    if math.isnan(of_errors.low):
        return _ONE_SEED
    return "better" if of_errors.high < 1 else "worse" if of_errors.low > 1 else _UNSEEN


def _ends(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """The first epochs and the last ones of amplified training against plain training."""
    for name, plain in PAIRS.items():
        own, other = outcomes[name], outcomes[plain]
        first, third = (ratio(own.error[:, epoch], other.error[:, epoch]) for epoch in (0, 2))
        last = ratio(own.last(LAST), other.last(LAST))
        yield (
            f"{own.method.title}, over {other.method.title}, ratio of errors: after 1 epoch "
            f"{_told(first)}, after 3 {_told(third)}, at the end {_told(last)}."
        )


def _told(value: Interval) -> str:
    return f"{interval(value)} ({better_or_worse(value)})"


def verdict(found: Comparison) -> str:
    """Of an exponent against another one and against twice that."""
    if math.isnan(found.minus_plain.low) or math.isnan(found.minus_double.low):
        return (
            _ONE_SEED
            if not math.isnan(found.minus_plain.mean)
            else "no exponent in every seed, so no verdict"
        )
    if found.minus_plain.high < 0:
        return SMALLER
    if found.minus_double.low > 0:
        return LARGER_THAN_DOUBLE
    larger = found.minus_plain.low > 0
    if found.minus_double.high < 0:
        return LESS_THAN_DOUBLE if larger else NOT_LARGER
    return MAYBE_DOUBLE if larger else UNDECIDED


def answer(verdicts: Mapping[str, str]) -> str | None:
    """Whether z doubles, from a verdict for each title; None where one has none."""
    doubled = [
        title for title, told in verdicts.items() if told in (LARGER_THAN_DOUBLE, MAYBE_DOUBLE)
    ]
    less = [
        title for title, told in verdicts.items() if told in (LESS_THAN_DOUBLE, NOT_LARGER, SMALLER)
    ]
    open_ones = [title for title, told in verdicts.items() if told == UNDECIDED]
    if len(doubled) + len(less) + len(open_ones) < len(verdicts):
        return None
    if len(less) == len(verdicts):
        return "No: in no amplified training is it twice as large as in plain training."
    told = {
        "double not ruled out": doubled,
        "less than double": less,
        "neither equal nor double ruled out": open_ones,
    }
    named = {
        word: ", ".join(f"“{title}”" for title in titles) for word, titles in told.items() if titles
    }
    return "; ".join(f"{word}: {titles}" for word, titles in named.items()) + "."


def _doubling(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    first, *_ = outcomes.values()
    windows = windows_of(first.error.shape[1])
    for (kind, when), (window, (low, high)) in product(KINDS.items(), windows.items()):
        verdicts = {}
        for name, plain in PAIRS.items():
            found = Comparison.of(outcomes[name], outcomes[plain], kind, window)
            verdicts[outcomes[name].method.title] = verdict(found)
        told = "; ".join(f"{title}: {word}" for title, word in verdicts.items())
        yield f"z of errors {when}, epochs {low} to {high}, against plain training: {told}."
        if window == "all" and (text := answer(verdicts)):
            yield f"Does z of errors {when} double? {text}"
    yield (
        f"These are {len(KINDS) * len(windows) * len(PAIRS)} comparisons with two intervals of 95 "
        "% each, of which some miss the truth by chance. And where the error runs into a floor, z "
        "is that of the way there."
    )


def _per_application(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    for name, plain in PAIRS.items():
        own, other = outcomes[name], outcomes[plain]
        if not own.has_applications:
            continue
        found = interval_of(own.exponents_of_applications() - other.exponents_of_applications())
        told = _UNSEEN
        if math.isnan(found.low):
            told = _ONE_SEED
        elif found.low > 0 or found.high < 0:
            told = "larger" if found.low > 0 else "smaller"
        yield f"z against applications, {own.method.title}, minus {other.method.title}: {interval(found)} ({told})."
    shots = [own for own in outcomes.values() if own.has_applications]
    for error in _TARGETS:
        needed = [own.applications_to(error) for own in shots]
        if math.isfinite(min(needed)):
            best = shots[int(np.argmin(needed))].method.title
            yield f"Fewest applications to an error of {percent(error)}: {best}, {min(needed):,.0f}."


def _floor(times: Times, total_time: float) -> Iterator[str]:
    """What of the error at the end is the anneal's, and not that of what was learnt."""
    here, longest = times.column(total_time), times.column(max(times.total_times))
    error, later = 1 - times.right[:, -1, 0, here], 1 - times.right[:, -1, 0, longest]
    learning = float(times.wrong_ground[:, -1].mean())
    yield (
        f"The floor, in plain training after {times.epochs[-1]} epochs: the error is "
        f"{percent(float(error.mean()))}, and {percent(learning)} of the ground states are wrong. "
        f"{floor_words(float(error.mean()), learning)} With time {times.total_times[longest]:g} in "
        f"place of {total_time:g}, and nothing else changed, the error is "
        f"{percent(float(later.mean()))} ({better_or_worse(ratio(later, error))})."
    )


def floor_words(error: float, learning: float) -> str:
    """Of the error and the fraction of wrong ground states."""
    if learning >= error:
        return "Nothing of it need be the anneal's."
    share = 1 - learning / error
    most = "Most" if share > 0.5 else "A part"
    return f"{most} of it, {percent(share)}, is diabatic error: ground states are right, but the anneal leaves them."


def _price(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """What amplification takes, update by update."""
    own, plain = outcomes["amplified-20-scaled"], outcomes["plain-20"]
    times = own.applications[:, [0, -1]].mean(axis=0) / plain.applications[:, [0, -1]].mean(axis=0)
    yield (
        f"{own.method.title}, takes {times[0]:.0f} times the applications of {plain.method.title}, "
        f"in the first epoch and {times[1]:.0f} times in the last: the fewer wrong states are "
        "left, the more."
    )


def _scales(times: Times, total_time: float) -> Iterator[str]:
    """Of the trained networks: H divided by its largest local field, or as it is."""
    here = times.column(total_time)
    for k, epoch in enumerate(times.epochs):
        if not epoch:
            continue
        divided, plain = (1 - times.right[:, k, scale, here] for scale in range(len(SCALES)))
        yield (
            "H as it is, not divided by its largest local field "
            f"({times.field[:, epoch].mean():.1f}), after {epoch} epochs, time {total_time:g}: "
            f"error {percent(float(plain.mean()))} against {percent(float(divided.mean()))}. "
            f"{scale_words(ratio(plain, divided))}"
        )


def scale_words(found: Interval) -> str:
    """Of the error of H as it is over that of H divided."""
    told = better_or_worse(found)
    if told == "better":
        return "Better: its energies are larger by that factor, and in their units the same time is a longer one."
    if told == "worse":
        return "Worse: with a fixed step, larger weights make each step too coarse."
    return f"({told})"
