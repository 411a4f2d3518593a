"""What Fig. 5 says, in words that follow from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from isingprop.data import ImageSet
from isingprop.paper.curves import EARLY, METHODS, ORDER, PUBLISHED, Curves
from isingprop.paper.methods import NUM_SWEEPS
from isingprop.paper.rates import RULE, Trials, trial_table
from isingprop.paper.setup import Setup
from isingprop.paper.text import bullets, interval, percent, percent_with_error, table
from isingprop.scaling import standard_error

_PAPER = (
    "The paper: the training error falls as epoch^(−z), with z = 1.01 for dragon training (m = 20), 0.78 for "
    "backpropagation with ReLU, 0.64 for equilibrium propagation, 0.56 for backpropagation with sigmoids and 0.84 "
    "with 1,200 hidden units; so that dragon training needs the fewest epochs in the long run."
)
_CHOICES = (
    "Data: {data}, {num_train} training images (the first of each class), {num_test} test images; pixels in [0, 1].",
    "Network: {inputs}-120-40 ({inputs}-1200-40 for the wide one), 4 outputs per class, W from U(±1/√{inputs}), J "
    "from U(±1/√120), biases 0: the same initial parameters for every method of a seed. One image at a time, in a "
    "new random order each epoch, at one constant rate for all parameters.",
    f"Dragon: m = 20 states of simulated annealing, {NUM_SWEEPS} sweeps and a descent each. Equilibrium: m = 1. "
    f"Cyclic: m = 9, one cycle of {NUM_SWEEPS} sweeps from each of the nine wrong classes' states of Eq. (7). The "
    "nudged state is that of Eq. (7).",
    "Backpropagation: linear outputs, squared error Σ(o − n[y])²/2 to the targets ±1, plain gradient descent without "
    "momentum or weight decay; the class is the one with the largest sum of its 4 outputs. The paper does not say "
    "what its loss, its learning rates and its sigmoid network's outputs are.",
    "Error: an image counts by the states it was learned from, before its own update: all of them (what one read "
    "does), or the lowest one. The paper does not say which. An unclassified state is wrong. Backpropagation has one "
    "answer per image, taken before the image's own update as well. The cyclic method's states all begin in wrong "
    "classes, so that their error is that of the search rather than of the network.",
    "z: Poisson regression of error = A · epoch^(−z) over epochs 1 to {epochs}, for each seed, which takes errors of "
    "0 as they are; brackets are Student's 95 % interval of the mean over {seeds} seeds. z early and late: the same "
    f"fit up to epoch {EARLY}, and from there on. Where the two differ, the curve is no power law. A dash: a seed "
    "without errors left to fit.",
    "Figure: lines are means over seeds, bands their range, both averaged over bins of log epoch. A line ends where "
    "no image of any seed was wrong any more.",
    "Time: what one core of this machine takes, without waiting. QPU time: an estimate for a perfect "
    "Zephyr Z12 chip full of copies of the network, with the published timing of Advantage 4.1 and anneals of 20 μs; "
    "one image per update. No chip was used.",
)
_LEARNS = 0.1  # a smaller z is that of a network that does not learn at this rate
_SMALL = 0.01  # the error that methods are timed to


def report(setup: Setup, images: ImageSet, trials: Trials, curves: dict[str, Curves]) -> str:
    """The text of fig5.md."""
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
        f"## Cost of an error of {_SMALL:.0%}",
        _costs(curves),
        "## What this says",
        bullets(_findings(curves, trials)),
        f"## Every rate: error in the last third of {trials.epochs} epochs, and z over them (one seed)",
        trial_table(trials, METHODS),
        "## Choices",
        bullets([choice.format(**facts) for choice in _CHOICES] + [RULE.format(epochs=trials.epochs)]),
    ]
    return "\n\n".join(parts) + "\n"


def _exponents(curves: dict[str, Curves]) -> str:
    rows = []
    for name in ORDER:
        own, epochs = curves[name], curves[name].error_reads.shape[1]
        late = own.exponent(own.error_reads, EARLY, epochs) if epochs > EARLY else own.exponent(own.error_reads)
        rows.append(
            [
                METHODS[name].title,
                f"{own.learning_rate:g}",
                str(PUBLISHED.get(name, "–")),
                interval(own.exponent(own.error_reads)),
                interval(own.exponent(own.error_reads, 1, EARLY)),
                interval(late) if epochs > EARLY else "–",
                interval(own.exponent(own.error_lowest)),
            ]
        )
    header = ["", "best rate", "z, paper", "z, all states", "z early", "z late", "z, lowest state"]
    return table(header, rows)


def _errors(curves: dict[str, Curves], epochs: list[int]) -> str:
    rows = []
    for name in ORDER:
        own, cells = curves[name], []
        for epoch in epochs:
            reads, lowest = own.error_reads[:, epoch - 1], own.error_lowest[:, epoch - 1]
            both = percent_with_error(float(reads.mean()), standard_error(reads))
            cells.append(both if (reads == lowest).all() else f"{both} ({percent(float(lowest.mean()))})")
        tested = percent_with_error(float(own.test_accuracy.mean()), standard_error(own.test_accuracy))
        rows.append([METHODS[name].title, *cells, tested])
    return table(["", *(f"epoch {epoch}" for epoch in epochs), "test accuracy at the end"], rows)


def _costs(curves: dict[str, Curves]) -> str:
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


def _findings(curves: dict[str, Curves], trials: Trials) -> Iterator[str]:
    for name, published in PUBLISHED.items():
        z = curves[name].exponent(curves[name].error_reads)
        if math.isnan(z.low):
            yield f"{METHODS[name].title}: no interval for z, so nothing to compare with the paper's {published}."
        else:
            inside = "agrees with" if z.low <= published <= z.high else "differs from"
            yield f"{METHODS[name].title}: z = {interval(z)} at the best rate {inside} the paper's {published}."
    exponents = {name: curves[name].exponent(curves[name].error_reads).mean for name in PUBLISHED}
    ranked = sorted((name for name in exponents if not math.isnan(exponents[name])), key=lambda name: -exponents[name])
    yield "Exponents from large to small: " + "; ".join(METHODS[name].title for name in ranked) + "."
    yield _dragon_against(curves, "backprop-relu")
    yield _dragon_against(curves, "equilibrium")
    edges = [METHODS[name].title for name in ORDER if trials.best[name] in _grid_ends(trials)]
    if edges:
        yield f"At the end of the grid of rates, so perhaps not at its best: {', '.join(edges)}."
    yield from _at_equal_rates(trials)
    known = [row for row in trials.rows if not math.isnan(row["z"])]
    spread = {name: [row["z"] for row in known if row["method"] == name] for name in ("dragon", "backprop-relu")}
    told = [f"{min(z):.2f} to {max(z):.2f} for {METHODS[name].title}" for name, z in spread.items() if z]
    yield f"z follows from the learning rate: over the grid it goes from {' and '.join(told)}."


def _dragon_against(curves: dict[str, Curves], other: str) -> str:
    """Who has the smaller error, averaged over seeds, in the same epoch."""
    dragon, rival = curves["dragon"].error_reads, curves[other].error_reads
    better = int((dragon.mean(axis=0) < rival.mean(axis=0)).sum())
    text = f"Dragon training has a smaller error than {METHODS[other].title} in {better} of {dragon.shape[1]} epochs"
    free = np.flatnonzero(rival.max(axis=0) == 0)
    if free.size:
        text += f"; {METHODS[other].title} makes no error at all in any seed for the first time in epoch {free[0] + 1}"
    last, first = float(dragon[:, -1].mean()), float(rival[:, -1].mean())
    return f"{text}. In the last epoch: {percent(last)} against {percent(first)}."


def _at_equal_rates(trials: Trials) -> Iterator[str]:
    """Whose exponent is larger where both have the same rate, among rates at which both learn."""
    z = {(row["method"], row["learning_rate"]): row["z"] for row in trials.rows}
    rates = sorted({rate for _, rate in z if min(z["dragon", rate], z["backprop-relu", rate]) > _LEARNS})
    ahead = [f"{rate:g}" for rate in rates if z["dragon", rate] > z["backprop-relu", rate]]
    behind = [f"{rate:g}" for rate in rates if z["dragon", rate] <= z["backprop-relu", rate]]
    told = [f"dragon training has the larger z at {', '.join(ahead)}"] if ahead else []
    told += [f"backpropagation with ReLU at {', '.join(behind)}"] if behind else []
    if told:
        yield f"At one and the same rate (one seed, {trials.epochs} epochs), {', and '.join(told)}."


def _grid_ends(trials: Trials) -> set[float]:
    rates = [row["learning_rate"] for row in trials.rows]
    return {min(rates), max(rates)}
