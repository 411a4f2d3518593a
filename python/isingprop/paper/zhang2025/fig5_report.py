"""Writes the report of Fig. 5: tables, findings, and the choices behind the numbers."""

from __future__ import annotations

import numpy as np

from isingprop.analysis.scaling import standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.curves import EARLY, METHODS, ORDER, PUBLISHED, Curves
from isingprop.paper.common.methods import NUM_SWEEPS
from isingprop.paper.common.rates import Trials, rule, trial_table
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, interval, percent, percent_with_error, table
from isingprop.paper.zhang2025.fig5_findings import findings

_PAPER = (
    "The paper: the training error falls as epoch^(−z), with z = 1.01 for dragon training (m = "
    "20), 0.78 for backpropagation with ReLU, 0.64 for equilibrium propagation, 0.56 for "
    "backpropagation with sigmoids and 0.84 with 1,200 hidden units; so that dragon training needs "
    "the fewest epochs in the long run."
)
_CHOICES = (
    "Data: {data}, {num_train} training images (the first of each class), {num_test} test images; "
    "pixels in [0, 1].",
    "Network: {inputs}-120-40 ({inputs}-1200-40 for the wide one), 4 outputs per class, W from "
    "U(±1/√{inputs}), J from U(±1/√120), biases 0: the same initial parameters for every method "
    "of a seed. One image at a time, in a new random order each epoch, at one constant rate for "
    "all parameters.",
    f"Dragon: m = 20 states of simulated annealing, {NUM_SWEEPS} sweeps and a descent each. "
    f"Equilibrium: m = 1. Cyclic: m = 9, one cycle of {NUM_SWEEPS} sweeps from each of the nine "
    f"wrong classes' states of Eq. (7). The "
    "nudged state is that of Eq. (7).",
    "Class states: the lowest state whose outputs are the code of a class, in closed form, in "
    "place of a sampled one; the update is the same.",
    "Backpropagation: linear outputs, squared error Σ(o − n[y])²/2 to the targets ±1, plain "
    "gradient descent without momentum or weight decay; the class is the one with the largest sum "
    "of its 4 outputs. The paper does not say what its loss, its learning rates and its sigmoid "
    "network's outputs are.",
    "Error: an image counts by the states it was learned from, before its own update: all of them "
    "(what one read does), or the lowest one. The paper does not say which. An unclassified state "
    "is wrong. Backpropagation has one answer per image, taken before the image's own update as "
    "well. The cyclic method's states all begin in wrong classes, so that their error is that of "
    "the search rather than of the network.",
    "z: Poisson regression of error = A · epoch^(−z) over epochs 1 to {epochs}, for each seed, "
    "which takes errors of 0 as they are; brackets are Student's 95 % interval of the mean over "
    "{seeds} seeds, and say nothing of the "
    f"choice of epochs. z early and late: the same fit up to epoch {EARLY}, and from there on. z "
    f"by logarithms: least "
    "squares of log error on log epoch, epochs without errors left out. A dash: a seed without "
    "errors left to fit.",
    "Figure: lines are means over seeds, bands their range, both averaged over bins of log epoch; "
    "a bin without any error has no place on a logarithmic axis. Dotted lines are the fits of z "
    "to the mean over seeds.",
    "Time: what one core of this machine takes, without waiting. QPU time: an estimate for a "
    "perfect Zephyr Z12 chip full of copies of the network, with the published timing of "
    "Advantage2_system1 and anneals of 20 μs; one image per update. No chip was used.",
)
_SMALL = 0.01  # error whose cost is compared


def report(setup: Setup, images: ImageSet, trials: Trials, curves: dict[str, Curves]) -> str:
    """Returns the text of fig5.md.

    Args:
        setup: the settings of the command.
        images: the images that the study used.
        trials: the trials of learning rates.
        curves: the curves of each method.
    """
    epochs = curves["dragon"].error_reads.shape[1]
    facts = {
        "data": images.name,
        "num_train": len(images.train_labels),
        "num_test": len(images.test_labels),
        "inputs": images.train_images.shape[1],
        "epochs": epochs,
        "seeds": setup.num_seeds,
    }

    parts = [
        "# Fig. 5: training error against epoch",
        _PAPER,
        "## Exponents",
        _exponents(curves),
        "## Errors at equal epochs: all states (lowest state)",
        _errors(curves, [epoch for epoch in (1, 3, 10, 30, 100) if epoch <= epochs]),
        f"## Cost of an error of {percent(_SMALL)} (all states)",
        _costs(curves),
        "## What this says",
        bullets(findings(curves, trials, setup.is_papers)),
        f"## Every rate: error in the last third of {trials.epochs} epochs, and z over them "
        "(one seed)",
        trial_table(trials, METHODS),
        "## Choices",
        bullets([choice.format(**facts) for choice in _CHOICES] + [rule(trials, METHODS)]),
    ]
    return "\n\n".join(parts) + "\n"


def _exponents(curves: dict[str, Curves]) -> str:
    """Returns the table of exponents."""
    rows = []
    for name in ORDER:
        own = curves[name]
        fits = [
            own.exponent(own.error_reads),
            *own.early_and_late(),
            own.least_squares_exponent(own.error_reads),
            own.exponent(own.error_lowest),
        ]
        cells = [METHODS[name].title, f"{own.learning_rate:g}", str(PUBLISHED.get(name, "–"))]
        rows.append([*cells, *(interval(fit) for fit in fits)])

    header = [
        "",
        "best rate",
        "z, paper",
        "z, all states",
        "z early",
        "z late",
        "z by logarithms",
        "z, lowest state",
    ]
    return table(header, rows)


def _errors(curves: dict[str, Curves], epochs: list[int]) -> str:
    """Returns the table of errors after some epochs."""
    rows = []
    for name in ORDER:
        own, cells = curves[name], []
        for epoch in epochs:
            reads, lowest = own.error_reads[:, epoch - 1], own.error_lowest[:, epoch - 1]
            cell = percent_with_error(float(reads.mean()), standard_error(reads))
            if not (reads == lowest).all():
                cell += f" ({percent(float(lowest.mean()))})"
            cells.append(cell)

        accuracy = own.test_accuracy
        tested = percent_with_error(float(accuracy.mean()), standard_error(accuracy))
        rows.append([METHODS[name].title, *cells, tested])

    return table(["", *(f"epoch {epoch}" for epoch in epochs), "test accuracy at the end"], rows)


def _costs(curves: dict[str, Curves]) -> str:
    """Returns the table of epochs and times to the small error."""
    rows = []
    for name in ORDER:
        own, epochs = curves[name], curves[name].epochs_to(_SMALL)
        if epochs is None:
            rows.append([METHODS[name].title, "not reached", "–", "–"])
            continue

        seconds = float(np.median(own.seconds, axis=0)[:epochs].sum())
        chip = "–" if own.qpu_seconds is None else f"{epochs * own.qpu_seconds:,.0f} s"
        rows.append([METHODS[name].title, str(epochs), f"{seconds:.2g} s", chip])

    return table(["", "epochs", "time on one core", "QPU time, estimated"], rows)
