"""The findings of the study of coherent training, as sentences that follow from its numbers."""

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
    EXPECTED_EXPONENTS,
    FITTED_BELOW,
    MIN_INSTANCES,
    STRATEGIES,
    Searches,
)
from isingprop.paper.coherent_training.coherent_times import SCALES, Times
from isingprop.paper.common.rates import Trials
from isingprop.paper.common.text import interval, percent

NUM_LAST = 5  # the errors of so many epochs at the end are averaged and compared
_TARGETS = (0.1, 0.02, 0.005)  # errors whose cost in applications is stated
_NEAR = 0.1  # from the expected exponent: terms of higher order in A may shift it by so much

_ONE_SEED = "one seed, so no verdict"
_NO_DIFFERENCE = "no difference to be seen"
LARGER_THAN_DOUBLE = "more than twice as large"
MAYBE_DOUBLE = "larger, and twice as large is not ruled out"
LESS_THAN_DOUBLE = "larger, but less than twice as large"
NOT_LARGER = "no larger to be seen, and less than twice as large"
SMALLER = "smaller"
UNDECIDED = "neither equal nor twice as large is ruled out"


def findings(
    searches: Searches, outcomes: Mapping[str, Outcome], times: Times, sizes: Sizes, trials: Trials
) -> Iterator[str]:
    """Yields the text of each bullet of the report's section on findings."""
    yield from _searches(searches)
    yield from _ratios_of_errors(outcomes)
    yield from _doubling(outcomes)
    yield from _per_application(outcomes)
    yield from _cost(outcomes)
    yield from _floor(times, sizes.total_time)
    yield from _scales(times, sizes.total_time)
    yield from _rates_at_the_ends(outcomes, trials)


def _rates_at_the_ends(outcomes: Mapping[str, Outcome], trials: Trials) -> Iterator[str]:
    """Names the methods whose best rate is an end of the grid, if there are any."""
    rates = [row["learning_rate"] for row in trials.rows]
    ends = min(rates), max(rates)
    titles = [each.method.title for each in outcomes.values() if each.learning_rate in ends]
    if titles:
        yield f"At the end of the grid of rates, so perhaps not at its best: {'; '.join(titles)}."


def _searches(searches: Searches) -> Iterator[str]:
    """States the fitted exponent of each strategy, and how well the simulation fits theory."""
    for strategy, title in STRATEGIES.items():
        exponent = searches.exponent(strategy)
        if math.isnan(exponent.mean):
            yield (
                f"{title}: no seed has {MIN_INSTANCES} instances with A below {FITTED_BELOW:g}, "
                "so no exponent."
            )
        else:
            expected = EXPECTED_EXPONENTS[strategy]
            yield (
                f"{title}: applications grow as A to the power {interval(exponent)}, "
                f"where {expected} is expected: {_against_expected(exponent, expected)}."
            )

    yield (
        "U and U† run step by step, as many Grover iterations as are best: the success "
        f"probability is that of the closed form within {searches.largest_difference():.1g}."
    )


def _against_expected(exponent: Interval, expected: int) -> str:
    """Compares a fitted exponent with the expected one, in words."""
    if math.isnan(exponent.low):
        return _ONE_SEED
    if exponent.low <= expected <= exponent.high:
        return "as expected"
    if abs(exponent.mean - expected) <= _NEAR:
        return "near it, the rest being of higher order in A"
    return "steeper than that" if exponent.high < expected else "less steep than that"


def better_or_worse(error_ratio: Interval) -> str:
    """Returns the verdict on an error, given its ratio to another error."""
    if math.isnan(error_ratio.low):
        return _ONE_SEED
    return "better" if error_ratio.high < 1 else "worse" if error_ratio.low > 1 else _NO_DIFFERENCE


def _ratios_of_errors(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Compares the errors of amplified and plain training after the first and the last epochs."""
    for name, plain_name in PAIRS.items():
        amplified, plain = outcomes[name], outcomes[plain_name]
        first, third = (ratio(amplified.error[:, k], plain.error[:, k]) for k in (0, 2))
        last = ratio(amplified.mean_of_last(NUM_LAST), plain.mean_of_last(NUM_LAST))
        yield (
            f"{amplified.method.title}, over {plain.method.title}, ratio of errors: "
            f"after 1 epoch {_ratio_and_verdict(first)}, after 3 {_ratio_and_verdict(third)}, "
            f"at the end {_ratio_and_verdict(last)}."
        )


def _ratio_and_verdict(error_ratio: Interval) -> str:
    return f"{interval(error_ratio)} ({better_or_worse(error_ratio)})"


def verdict(comparison: Comparison) -> str:
    """Returns in words how an exponent compares with another one and with twice that one."""
    minus_plain, minus_double = comparison
    if math.isnan(minus_plain.mean):
        return "no exponent in every seed, so no verdict"
    if math.isnan(minus_plain.low) or math.isnan(minus_double.low):
        return _ONE_SEED

    if minus_plain.high < 0:
        return SMALLER
    if minus_double.low > 0:
        return LARGER_THAN_DOUBLE
    is_larger = minus_plain.low > 0
    if minus_double.high < 0:
        return LESS_THAN_DOUBLE if is_larger else NOT_LARGER
    return MAYBE_DOUBLE if is_larger else UNDECIDED


def answer(verdicts: Mapping[str, str]) -> str | None:
    """Answers whether the exponent z doubles.

    Args:
        verdicts: what `verdict` returns for each method, by the method's title.

    Returns:
        A sentence, or None if a method has no verdict.
    """
    groups = {
        "double not ruled out": (LARGER_THAN_DOUBLE, MAYBE_DOUBLE),
        "less than double": (LESS_THAN_DOUBLE, NOT_LARGER, SMALLER),
        "neither equal nor double ruled out": (UNDECIDED,),
    }
    titles = {
        label: [title for title, each in verdicts.items() if each in members]
        for label, members in groups.items()
    }
    if sum(map(len, titles.values())) < len(verdicts):
        return None
    if len(titles["less than double"]) == len(verdicts):
        return "No: in no amplified training is it twice as large as in plain training."

    parts = [
        f"{label}: {', '.join(f'“{title}”' for title in members)}"
        for label, members in titles.items()
        if members
    ]
    return "; ".join(parts) + "."


def _doubling(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Compares exponents for each kind of error and window, and answers whether they double."""
    first, *_ = outcomes.values()
    windows = windows_of(first.error.shape[1])
    for (kind, when), (window, (low, high)) in product(KINDS.items(), windows.items()):
        verdicts = {}
        for name, plain in PAIRS.items():
            comparison = Comparison.of(outcomes[name], outcomes[plain], kind, window)
            verdicts[outcomes[name].method.title] = verdict(comparison)

        listed = "; ".join(f"{title}: {each}" for title, each in verdicts.items())
        yield f"z of errors {when}, epochs {low} to {high}, against plain training: {listed}."
        if window == "all" and (text := answer(verdicts)):
            yield f"Does z of errors {when} double? {text}"

    yield (
        f"These are {len(KINDS) * len(windows) * len(PAIRS)} comparisons with two intervals of "
        "95 % each, of which some miss the truth by chance. And where the error runs into a "
        "floor, z is that of the way there."
    )


def _per_application(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Compares methods that measure by their error against the number of applications."""
    for name, plain_name in PAIRS.items():
        amplified, plain = outcomes[name], outcomes[plain_name]
        if amplified.has_applications:
            difference = interval_of(
                amplified.exponents_of_applications() - plain.exponents_of_applications()
            )
            yield (
                f"z against applications, {amplified.method.title}, minus {plain.method.title}: "
                f"{interval(difference)} ({_larger_or_smaller(difference)})."
            )

    measuring = [each for each in outcomes.values() if each.has_applications]
    for error in _TARGETS:
        needed = [each.applications_to(error) for each in measuring]
        if math.isfinite(min(needed)):
            best = measuring[int(np.argmin(needed))].method.title
            yield (
                f"Fewest applications to an error of {percent(error)}: {best}, {min(needed):,.0f}."
            )


def _larger_or_smaller(difference: Interval) -> str:
    if math.isnan(difference.low):
        return _ONE_SEED
    return "larger" if difference.low > 0 else "smaller" if difference.high < 0 else _NO_DIFFERENCE


def _floor(times: Times, total_time: float) -> Iterator[str]:
    """States which part of the error at the end is due to the anneal, not to what was learned."""
    column, longest = times.column(total_time), times.column(max(times.total_times))
    error, later = 1 - times.right[:, -1, 0, column], 1 - times.right[:, -1, 0, longest]
    mean, wrong = float(error.mean()), float(times.wrong_ground[:, -1].mean())

    yield (
        f"The floor, in plain training after {times.epochs[-1]} epochs: the error is "
        f"{percent(mean)}, and {percent(wrong)} of the ground states are wrong. "
        f"{floor_words(mean, wrong)} "
        f"With time {times.total_times[longest]:g} in place of {total_time:g}, and nothing else "
        f"changed, the error is {percent(float(later.mean()))} "
        f"({better_or_worse(ratio(later, error))})."
    )


def floor_words(error: float, wrong_ground: float) -> str:
    """Returns which share of an error is diabatic, given the fraction of wrong ground states."""
    if wrong_ground >= error:
        return "Nothing of it need be the anneal's."
    share = 1 - wrong_ground / error
    most = "Most" if share > 0.5 else "A part"
    return (
        f"{most} of it, {percent(share)}, is diabatic error: ground states are right, "
        "but the anneal leaves them."
    )


def _cost(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """States the ratio of the applications of amplified training to those of plain training."""
    amplified, plain = outcomes["amplified-20-scaled"], outcomes["plain-20"]
    first, last = (
        amplified.applications[:, k].mean() / plain.applications[:, k].mean() for k in (0, -1)
    )
    yield (
        f"{amplified.method.title}, takes {first:.0f} times the applications of "
        f"{plain.method.title}, in the first epoch and {last:.0f} times in the last: "
        "the fewer wrong states are left, the more."
    )


def _scales(times: Times, total_time: float) -> Iterator[str]:
    """Compares the problems of trained networks as they are with the rescaled ones."""
    column = times.column(total_time)
    for k, epoch in enumerate(times.epochs):
        if not epoch:
            continue
        divided, plain = (1 - times.right[:, k, scale, column] for scale in range(len(SCALES)))
        yield (
            "H as it is, not divided by its largest local field "
            f"({times.field[:, epoch].mean():.1f}), after {epoch} epochs, time {total_time:g}: "
            f"error {percent(float(plain.mean()))} against {percent(float(divided.mean()))}. "
            f"{scale_words(ratio(plain, divided))}"
        )


def scale_words(error_ratio: Interval) -> str:
    """Explains the ratio of the error of H as it is to the error of H divided."""
    word = better_or_worse(error_ratio)
    if word == "better":
        return (
            "Better: its energies are larger by that factor, and in their units the same time is "
            "a longer one."
        )
    if word == "worse":
        return "Worse: with a fixed step, larger weights make each step too coarse."
    return f"({word})"
