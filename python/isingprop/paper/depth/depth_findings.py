"""Derives the sentences of the report of the study of depth from its results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from isingprop.analysis.scaling import Interval
from isingprop.paper.common.rates import Trials
from isingprop.paper.common.text import interval_of_percent
from isingprop.paper.depth.depth_jobs import NUM_LATE, Outcome

_BETTER = "better"
_WORSE = "worse"
_UNDECIDED = "no difference to be seen"
_ONE_SEED = "one seed, so no verdict"


def one_layer(outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    """Returns the networks with one hidden layer."""
    return [own for own in outcomes.values() if own.depth == 1]


def deep(outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    """Returns the networks with more than one hidden layer."""
    return [own for own in outcomes.values() if own.depth > 1]


def findings(outcomes: Mapping[str, Outcome], trials: Trials) -> Iterator[str]:
    """Yields sentences on depth, ways of sampling, length of training, costs and learning rates."""
    yield from _depth(one_layer(outcomes), deep(outcomes))
    yield from _pairs(deep(outcomes))

    if rising := "; ".join(own.method.title for own in outcomes.values() if own.rise().low > 0):
        yield (
            f"Still rising in the last {2 * NUM_LATE} epochs, so perhaps better if trained for "
            f"longer: {rising}."
        )

    yield from _costs(outcomes)

    rates = [row["learning_rate"] for row in trials.rows]
    ends = min(rates), max(rates)
    at_ends = [own.method.title for own in outcomes.values() if own.learning_rate in ends]
    if at_ends:
        yield f"At the end of the grid of rates, so perhaps not at its best: {'; '.join(at_ends)}."


def _depth(shallow: list[Outcome], deeper: list[Outcome]) -> Iterator[str]:
    """Yields sentences that compare deep networks with those of one hidden layer."""
    verdicts = {
        (own, other): _verdict(own.ahead_of(other)) for own, other in product(deeper, shallow)
    }

    for other in shallow:
        parts = []
        for verdict in (_BETTER, _UNDECIDED, _WORSE, _ONE_SEED):
            titles = [own.method.title for own in deeper if verdicts[own, other] == verdict]
            if titles:
                parts.append(f"{verdict}: {', '.join(titles)}")
        yield f"Against {other.method.title}: {'; '.join(parts)}."

    if _ONE_SEED in verdicts.values():
        return
    yield _conclusion(shallow, deeper, verdicts)
    count = len(verdicts)
    yield (
        f"These are {count} intervals of 95 %, of which {count / 20:.1g} would miss the truth by "
        "chance, in the mean."
    )


def _conclusion(
    shallow: list[Outcome], deeper: list[Outcome], verdicts: dict[tuple[Outcome, Outcome], str]
) -> str:
    """Returns the sentence on whether depth helps."""
    better = [
        own.method.title
        for own in deeper
        if all(verdicts[own, other] == _BETTER for other in shallow)
    ]
    worse = [own for own in deeper if any(verdicts[own, other] == _WORSE for other in shallow)]

    if better:
        return (
            f"Depth helps here: better than every network of one hidden layer: {', '.join(better)}."
        )
    if len(worse) == len(deeper):
        return (
            "Depth does not help here: every deep network is worse than at least one of one "
            "hidden layer."
        )
    return (
        "Depth is not seen to help here: no deep network is better than every one of one hidden "
        "layer."
    )


def _pairs(deeper: list[Outcome]) -> Iterator[str]:
    """Yields sentences on pairs of deep networks that differ in one respect.

    These are depth at the same way of sampling, and the way of sampling at the same depth.
    """
    for own in deeper:
        for other in deeper:
            layers, other_layers = own.method.active_layers, other.method.active_layers
            by_depth = own.depth > other.depth and layers == other_layers
            by_sampling = own.depth == other.depth and layers is None is not other_layers
            if by_depth or by_sampling:
                difference = _points(own.ahead_of(other))
                yield f"{own.method.title}, minus {other.method.title}: {difference}."


def _verdict(difference: Interval) -> str:
    """Returns the verdict on a difference of accuracies: whether its interval excludes 0."""
    if math.isnan(difference.low):
        return _ONE_SEED
    return _BETTER if difference.low > 0 else _WORSE if difference.high < 0 else _UNDECIDED


def _points(difference: Interval) -> str:
    """Formats a difference with its verdict."""
    return f"{interval_of_percent(difference)} points ({_verdict(difference)})"


def _costs(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Yields sentences on time and largest problem against the number of hidden layers."""
    first, *_ = outcomes.values()
    for active_layers, description in ((2, "Two layers at a time"), (None, "All at once")):
        same = [each for each in deep(outcomes) if each.method.active_layers == active_layers]
        networks = [first, *same]

        seconds = [each.seconds_per_epoch for each in networks]
        second, third = np.diff(seconds)
        grows = "no more than" if third <= second else "more than"
        problems = ", ".join(str(each.largest_problem.max()) for each in networks)
        times = ", ".join(f"{each:.2g}" for each in seconds)

        yield (
            f"{description}, with 1, 2, 3 hidden layers: {times} s per epoch; the third adds "
            f"{third:.2g} s, {grows} the second ({second:.2g} s). Largest problem: {problems} "
            "spins."
        )
