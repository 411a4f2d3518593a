"""Writes the report of the study of depth: tables, findings, and the choices behind the numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from isingprop.analysis.scaling import standard_error
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
from isingprop.paper.depth.depth_findings import deep, findings, one_layer
from isingprop.paper.depth.depth_jobs import NUM_LATE, NUM_STATES, NUM_SWEEPS, Outcome, num_tested

_PAPER = (
    "The paper (arXiv:2506.05244, Section VI) proposes to train networks of any depth on a machine "
    "that holds two layers: they are sampled while all others are frozen, in a sweep forward and a "
    "sweep backward. It has no numbers for that. Here two and three hidden layers are trained so, "
    "and with all layers sampled at once."
)
_CHOICES = (
    "Data: {data}, {num_train} training images; {seeds} seeds; {epochs} epochs. Every test is of "
    "the same {num_tested} test images, the first of each class, by the lowest of 10 states. ± is "
    "the standard error over seeds, brackets are Student's 95 % interval of the differences of "
    "equal seeds; neither has the choice of the test images in it, which for one accuracy of "
    "{level} is a standard error of {alone}.",
    f"Sampling: simulated annealing, {NUM_SWEEPS} sweeps and a descent, m = {NUM_STATES} states "
    f"per image. One image "
    "per update.",
    "Settings of deep networks, the defaults of Trainer and LayeredNetwork: input weights drawn 6 "
    "times as large as in the paper, couplings half as large from layer to layer; input weights "
    "learn at 4 times the rate, couplings at half of it; the label must win by a margin, the "
    "spins of the last hidden layer over 200 times the number of hidden layers. They were chosen "
    "by the test error of deep networks on MNIST, which is in favour of these; with the paper's "
    "scales two hidden layers do not learn. So depth is not all that differs: one hidden layer is "
    "also shown with the margin of two, and with all of these settings (“deep settings”).",
    "Training error: of the states that the last epoch learned from, each before its own update; "
    "all of them, and in brackets the lowest one of each image. With a margin these states are "
    "pushed away from the label, and their error is larger for it: it is not to be held against "
    "that of another margin.",
    "Time: what one core of this machine takes for an epoch, without waiting and without the "
    "test; median over epochs and seeds. Largest problem: of all that the sampler was sent in "
    "training.",
    "Figure: means over seeds; bands and bars are the standard error over seeds.",
    "{rule} The trials of each network are as long as its runs.",
)


def report(setup: Setup, images: ImageSet, outcomes: Mapping[str, Outcome], trials: Trials) -> str:
    """Returns the text of deep.md.

    Args:
        setup: the settings of the command.
        images: the images that the study used.
        outcomes: the results of each network.
        trials: the trials of learning rates.
    """
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
        bullets(findings(outcomes, trials)),
        f"## Every rate: error in the last third of {trials.epochs} epochs, and z over them "
        "(one seed)",
        trial_table(trials, methods),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]
    return "\n\n".join(parts) + "\n"


def _num_late(outcomes: Mapping[str, Outcome]) -> int:
    """Returns the number of last epochs whose mean is compared."""
    first, *_ = outcomes.values()
    return min(NUM_LATE, len(first.test_accuracy[0]))


def _results(outcomes: Mapping[str, Outcome]) -> str:
    """Returns the table of accuracies, errors and costs."""
    rows = []
    for own in outcomes.values():
        tested = [
            percent_with_error(float(each.mean()), standard_error(each))
            for each in (own.last, own.late)
        ]
        reads, lowest = (
            percent(float(errors[:, -1].mean())) for errors in (own.error_reads, own.error_lowest)
        )
        row = [own.method.title, f"{own.margin[0]:g}", f"{own.learning_rate:g}", *tested]
        row += [f"{reads} ({lowest})", f"{own.seconds_per_epoch:.2g} s"]
        rows.append([*row, str(own.largest_problem.max())])

    header = [
        "hidden layers × spins",
        "margin",
        "rate",
        "test accuracy, last epoch",
        f"mean of the last {_num_late(outcomes)}",
        "training error",
        "time per epoch",
        "largest problem (spins)",
    ]
    return table(header, rows)


def _differences(outcomes: Mapping[str, Outcome]) -> str:
    """Returns the table of each deep network minus each network with one hidden layer."""
    others = one_layer(outcomes)
    rows = [
        [own.method.title, *(interval_of_percent(own.ahead_of(other)) for other in others)]
        for own in deep(outcomes)
    ]
    return table(["", *(f"minus {other.method.title}" for other in others)], rows)
