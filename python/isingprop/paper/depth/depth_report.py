"""What the study of depth says, in words that follow from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from isingprop.analysis.scaling import Interval, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.rates import Trials, rule, trial_table
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import (
    bullets,
    interval_of_percent,
    percent,
    percent_with_error,
    table,
)
from isingprop.paper.depth.depth_jobs import NUM_LATE, NUM_STATES, NUM_SWEEPS, Outcome, num_tested

_PAPER = (
    "The paper (arXiv:2506.05244, Section VI) proposes to train networks of any depth on a machine that holds two "
    "layers: they are sampled while all others are frozen, in a sweep forward and a sweep backward. It has no "
    "numbers for that. Here two and three hidden layers are trained so, and with all layers sampled at once."
)
_CHOICES = (
    "Data: {data}, {num_train} training images; {seeds} seeds; {epochs} epochs. Every test is of the same "
    "{num_tested} test images, the first of each class, by the lowest of 10 states. ± is the standard error over "
    "seeds, brackets are Student's 95 % interval of the differences of equal seeds; neither has the choice of the "
    "test images in it, which for one accuracy of {level} is a standard error of {alone}.",
    f"Sampling: simulated annealing, {NUM_SWEEPS} sweeps and a descent, m = {NUM_STATES} states per image. One image "
    "per update.",
    "Settings of deep networks, the defaults of Trainer and LayeredNetwork: input weights drawn 6 times as large as "
    "in the paper, couplings half as large from layer to layer; input weights learn at 4 times the rate, couplings "
    "at half of it; the label must win by a margin, the spins of the last hidden layer over 200 times the number of "
    "hidden layers. They were chosen by the test error of deep networks on MNIST, which is in favour of these; with "
    "the paper's scales two hidden layers do not learn. So depth is not all that differs: one hidden layer is also "
    "shown with the margin of two, and with all of these settings (“deep settings”).",
    "Training error: of the states that the last epoch learned from, each before its own update; all of them, and in "
    "brackets the lowest one of each image. With a margin these states are pushed away from the label, and their "
    "error is larger for it: it is not to be held against that of another margin.",
    "Time: what one core of this machine takes for an epoch, without waiting and without the test; median over "
    "epochs and seeds. Largest problem: of all that the sampler was sent in training.",
    "Figure: means over seeds; bands and bars are the standard error over seeds.",
    "{rule} The trials of each network are as long as its runs.",
)

_BETTER, _WORSE, _UNDECIDED, _ONE_SEED = (
    "better",
    "worse",
    "no difference to be seen",
    "one seed, so no verdict",
)


def report(setup: Setup, images: ImageSet, outcomes: Mapping[str, Outcome], trials: Trials) -> str:
    """The text of deep.md."""
    methods = {name: own.method for name, own in outcomes.items()}
    level = float(np.mean([own.late.mean() for own in outcomes.values()]))
    facts = {
        "data": images.name,
        "num_train": f"{len(images.train_labels):,}",
        "seeds": setup.num_seeds,
        "epochs": trials.epochs,
        "num_tested": f"{num_tested(images):,}",
        "level": percent(level),
        "alone": percent((level * (1 - level) / num_tested(images)) ** 0.5),
        "rule": rule(trials, methods),
    }
    parts = [
        "# Depth: one, two and three hidden layers",
        _PAPER,
        "## Here",
        _results(outcomes),
        f"## Test accuracy, mean of the last {_num_late(outcomes)} epochs: differences in points",
        _differences(outcomes),
        "## What this says",
        bullets(_findings(outcomes, trials)),
        f"## Every rate: error in the last third of {trials.epochs} epochs, and z over them (one seed)",
        trial_table(trials, methods),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]
    return "\n\n".join(parts) + "\n"


def _num_late(outcomes: Mapping[str, Outcome]) -> int:
    first, *_ = outcomes.values()
    return min(NUM_LATE, len(first.test_accuracy[0]))


def _one_layer(outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    return [own for own in outcomes.values() if own.depth == 1]


def _deep(outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    return [own for own in outcomes.values() if own.depth > 1]


def _results(outcomes: Mapping[str, Outcome]) -> str:
    rows = []
    for own in outcomes.values():
        tested = [
            percent_with_error(float(each.mean()), standard_error(each))
            for each in (own.last, own.late)
        ]
        reads, lowest = (
            percent(float(errors[:, -1].mean())) for errors in (own.error_reads, own.error_lowest)
        )
        rows.append(
            [
                own.method.title,
                f"{own.margin[0]:g}",
                f"{own.learning_rate:g}",
                *tested,
                f"{reads} ({lowest})",
                f"{own.seconds_per_epoch:.2g} s",
                str(own.largest_problem.max()),
            ]
        )
    header = ["hidden layers × spins", "margin", "rate", "test accuracy, last epoch"]
    header += [
        f"mean of the last {_num_late(outcomes)}",
        "training error",
        "time per epoch",
        "largest problem (spins)",
    ]
    return table(header, rows)


def _differences(outcomes: Mapping[str, Outcome]) -> str:
    """Each deep network minus each of those with one hidden layer."""
    rows = [
        [
            own.method.title,
            *(interval_of_percent(own.ahead_of(other)) for other in _one_layer(outcomes)),
        ]
        for own in _deep(outcomes)
    ]
    return table(["", *(f"minus {other.method.title}" for other in _one_layer(outcomes))], rows)


def _findings(outcomes: Mapping[str, Outcome], trials: Trials) -> Iterator[str]:
    yield from _depth(_one_layer(outcomes), _deep(outcomes))
    for own in _deep(outcomes):
        for other in _deep(outcomes):
            deeper = (
                own.depth > other.depth and own.method.active_layers == other.method.active_layers
            )
            at_once = (
                own.depth == other.depth
                and own.method.active_layers is None is not other.method.active_layers
            )
            if deeper or at_once:
                yield f"{own.method.title}, minus {other.method.title}: {_points(own.ahead_of(other))}."
    if rising := "; ".join(own.method.title for own in outcomes.values() if own.rise().low > 0):
        yield f"Still rising in the last {2 * NUM_LATE} epochs, so perhaps better if trained for longer: {rising}."
    yield from _costs(outcomes)
    rates = [row["learning_rate"] for row in trials.rows]
    ends = min(rates), max(rates)
    if edges := "; ".join(
        own.method.title for own in outcomes.values() if own.learning_rate in ends
    ):
        yield f"At the end of the grid of rates, so perhaps not at its best: {edges}."


def _depth(one_layer: list[Outcome], deep: list[Outcome]) -> Iterator[str]:
    """The deep networks against each network of one hidden layer, and what follows for depth."""
    verdicts = {
        (own, other): _verdict(own.ahead_of(other)) for own, other in product(deep, one_layer)
    }
    for other in one_layer:
        told: dict[str, list[str]] = {}
        for own in deep:
            told.setdefault(verdicts[own, other], []).append(own.method.title)
        order = [verdict for verdict in (_BETTER, _UNDECIDED, _WORSE, _ONE_SEED) if verdict in told]
        parts = "; ".join(f"{verdict}: {', '.join(told[verdict])}" for verdict in order)
        yield f"Against {other.method.title}: {parts}."
    if _ONE_SEED in verdicts.values():
        return
    better = [
        own.method.title
        for own in deep
        if all(verdicts[own, other] == _BETTER for other in one_layer)
    ]
    worse = [
        own.method.title
        for own in deep
        if any(verdicts[own, other] == _WORSE for other in one_layer)
    ]
    if better:
        yield f"Depth helps here: better than every network of one hidden layer: {', '.join(better)}."
    elif len(worse) == len(deep):
        yield "Depth does not help here: every deep network is worse than at least one of one hidden layer."
    else:
        yield "Depth is not seen to help here: no deep network is better than every one of one hidden layer."
    count = len(verdicts)
    yield f"These are {count} intervals of 95 %, of which {count / 20:.1g} would miss the truth by chance, in the mean."


def _verdict(difference: Interval) -> str:
    if math.isnan(difference.low):
        return _ONE_SEED
    return _BETTER if difference.low > 0 else _WORSE if difference.high < 0 else _UNDECIDED


def _points(difference: Interval) -> str:
    return f"{interval_of_percent(difference)} points ({_verdict(difference)})"


def _costs(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Time against the number of hidden layers, and the largest problem."""
    first, *_ = outcomes.values()
    for active_layers, told in ((2, "Two layers at a time"), (None, "All at once")):
        own = [
            first,
            *(each for each in _deep(outcomes) if each.method.active_layers == active_layers),
        ]
        seconds = [each.seconds_per_epoch for each in own]
        second, third = np.diff(seconds)
        grows = "no more than" if third <= second else "more than"
        problems = ", ".join(str(each.largest_problem.max()) for each in own)
        times = ", ".join(f"{each:.2g}" for each in seconds)
        yield (
            f"{told}, with 1, 2, 3 hidden layers: {times} s per epoch; the third adds {third:.2g} s, {grows} the "
            f"second ({second:.2g} s). Largest problem: {problems} spins."
        )
