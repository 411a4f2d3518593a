"""Derives the sentences of the report of the control experiment from its results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from isingprop.analysis.scaling import Interval
from isingprop.paper.common.text import interval_of_percent, percent, table
from isingprop.paper.control.control_methods import BEST_CLOSED, SAMPLED_PAIRS
from isingprop.paper.control.control_outcomes import Outcome, SizeOutcome

BETTER, WORSE = "better", "worse"
UNDECIDED, ONE_SEED = "no difference to be seen", "one seed, so no verdict"

_WHOLE = 10  # factors have no decimals from here on

Methods = Mapping[str, Outcome]
OTHERS = ("dragon", "backprop-hinge", "backprop-entropy", "backprop-squared")
ANSWERING = ("dragon", "dragon-adam", "dragon-margin", "class-states", BEST_CLOSED)

# Pairs of methods whose test accuracies are compared.
COMPARED = (*SAMPLED_PAIRS, *((BEST_CLOSED, name) for name in OTHERS))
NUM_INTERVALS = len(COMPARED) + len(ANSWERING)  # for each number of training images


def findings(outcomes: Sequence[SizeOutcome]) -> Iterator[str]:
    """Yields sentences on what sampling adds to training and to answers, and on what a chip is for.

    Args:
        outcomes: the results for each number of training images.
    """
    for each in outcomes:
        yield from _of_size(f"{each.size.num_train:,} images", each.methods)
    yield from _low_states(outcomes[-1])
    yield from _chip(outcomes[-1])

    for each in outcomes:
        if ends := "; ".join(_at_grid_ends(each)):
            yield (
                f"{each.size.num_train:,} images, at an end of the grid of rates, so perhaps not "
                f"at its best: {ends}."
            )


def differences(outcomes: Sequence[SizeOutcome]) -> str:
    """Returns the table of all differences of test accuracies, a column for each size."""
    methods = outcomes[0].methods
    titles = {name: own.method.title for name, own in methods.items()}

    rows = [
        [f"trained by: {titles[own]}, minus {titles[other]}"]
        + [_points(each.methods[own].ahead_of(each.methods[other])) for each in outcomes]
        for own, other in COMPARED
    ]
    rows += [
        [f"answers by sampled states, minus class states: {titles[name]}"]
        + [_points(each.methods[name].gain_of_sampled_answers()) for each in outcomes]
        for name in ANSWERING
    ]

    return table(["", *(f"{each.size.num_train:,} images" for each in outcomes)], rows)


def verdict(difference: Interval) -> str:
    """Returns the verdict on a difference of accuracies: whether its interval excludes 0."""
    if math.isnan(difference.low):
        return ONE_SEED
    return BETTER if difference.low > 0 else WORSE if difference.high < 0 else UNDECIDED


def _points(difference: Interval) -> str:
    """Formats a difference of accuracies with its verdict."""
    return f"{interval_of_percent(difference)} ({verdict(difference)})"


def _of_size(images: str, methods: Methods) -> Iterator[str]:
    """Yields sentences on the accuracies after training on a number of images."""
    sampled = {methods[own].method.title: (own, other) for own, other in SAMPLED_PAIRS}
    yield (
        f"{images}, training by sampled states against class states with all else equal: "
        + _sorted(
            {
                title: methods[own].ahead_of(methods[other])
                for title, (own, other) in sampled.items()
            }
        )
    )

    closed = methods[BEST_CLOSED]
    yield f"{images}, {closed.method.title}, against other methods: " + _sorted(
        {methods[name].method.title: closed.ahead_of(methods[name]) for name in OTHERS}
    )
    yield f"{images}, answers by sampled states against class states of the same network: " + (
        _sorted(
            {
                methods[name].method.title: methods[name].gain_of_sampled_answers()
                for name in ANSWERING
            }
        )
    )


def _sorted(differences: Mapping[str, Interval]) -> str:
    """Returns the titles of differences by their verdict, with their means in points."""
    parts = []
    for wanted in (BETTER, UNDECIDED, WORSE, ONE_SEED):
        own = [
            f"{title} ({100 * each.mean:+.1f})"
            for title, each in differences.items()
            if verdict(each) == wanted
        ]
        if own:
            parts.append(f"{wanted}: {'; '.join(own)}")
    return ". ".join(parts) + "."


def _low_states(each: SizeOutcome) -> Iterator[str]:
    """Yields sentences on what low states of trained networks are."""
    parts = []
    for name in ("dragon", "dragon-margin", BEST_CLOSED):
        own = each.methods[name]
        codes, below = own.last("codes").mean, own.last("lowest_below").mean
        parts.append(
            f"{own.method.title}, {percent(codes)} have a class code as outputs, and in "
            f"{percent(below)} of the images the lowest is below all class states"
        )
    yield f"Low states after training on {each.size.num_train:,} images: {'; '.join(parts)}."

    dragon, closed = each.methods["dragon-margin"], each.methods[BEST_CLOSED]
    if dragon.last("codes").low > closed.last("codes").high:
        yield (
            "What sampling does in training: it raises states that are no class code, until the "
            "low states of a network are its class states. Training by class states never meets "
            "the others, and leaves them where they are, often below; so its networks answer in "
            "closed form, and not from a machine that finds low states."
        )


def _chip(each: SizeOutcome) -> Iterator[str]:
    """Yields the sentences on what a chip would have to do better."""
    closed, sampled = each.methods[BEST_CLOSED], each.methods["dragon-margin"]
    gain, images = sampled.ahead_of(closed), each.size.num_train
    annealed, exact = sampled.seconds_per_epoch, closed.seconds_per_epoch
    assert sampled.qpu_seconds is not None

    yield (
        f"Time of an epoch of {images:,} images: class states {exact:.2g} s of one core, annealed "
        f"states {annealed:.2g} s ({_times(annealed / exact)}), and on a chip an estimated "
        f"{sampled.qpu_seconds:.2g} s of access ({_times(sampled.qpu_seconds / exact)})."
    )
    yield (
        "What a chip would have to do better: take less than these times, or find states that "
        f"teach more than annealed ones, which add {_points(gain)} points here. It would not gain "
        f"by finding the same states sooner: of the annealed low states of a network that is "
        f"trained by them {percent(sampled.last('codes').mean)} have a class code as outputs, and "
        "the lowest of these are known without a search. What is left to a chip is "
        "states that annealing does not find, and deeper networks, whose hidden spins depend on "
        "each other even where the outputs are given, so that no closed form is known."
    )


def _times(factor: float) -> str:
    """Formats how many times as long something takes."""
    return f"{factor:.2g} times as long" if factor < _WHOLE else f"{factor:,.0f} times as long"


def _at_grid_ends(each: SizeOutcome) -> Iterator[str]:
    """Yields the titles of methods whose best rate is the smallest or largest they tried."""
    for name, own in each.methods.items():
        tried = [row["learning_rate"] for row in each.trials.rows if row["method"] == name]
        if own.learning_rate in (min(tried), max(tried)):
            yield f"{own.method.title} ({own.learning_rate:g})"
