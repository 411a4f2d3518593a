"""Chooses the learning rate of each method: the best of a grid, found in short trials.

`choose_rates` takes the rate of the lowest training error, for studies of how fast that falls;
`choose_by_held_out` that of the lowest error on held-out images, for studies of test accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from isingprop.data.load import ImageSet
from isingprop.paper.common.curves import exponent
from isingprop.paper.common.jobs import Arrays, Runner
from isingprop.paper.common.methods import LEARNING_RATES, Method, Training
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import decimal, finite, percent, table

# Trials use seed + 1000, so the results that are shown had no part in the choice of their rate.
_SEED_STEP = 1000

_RULE = (
    "Learning rates: every method tried the same grid once, with a seed of its own, for {epochs} "
    "epochs, and took the rate of the lowest training error (all states) in the last third of "
    "these epochs; of equals, the one that was lowest over all of them. Test images had no part in "
    "it."
)


# A fifth of the training images is held out of a trial by held-out images; there are as many folds.
_FOLDS = 5

_HELD_OUT_RULE = (
    "Learning rates: every method tried its grid of rates with a seed of its own on four fifths of "
    "the training images, for {epochs} epochs, and took the rate of the lowest error on the last "
    "fifth{folds}. Test images had no part in it."
)


class Trials(NamedTuple):
    """The results of the trials."""

    best: dict[str, float]  #: the chosen rate of each method
    rows: list[dict[str, Any]]  #: one for each trial
    epochs: int
    tied: list[str]  #: methods with several rates of the lowest error


def rates_of(setup: Setup) -> tuple[float, ...]:
    """Returns the grid of learning rates, every second one of them in a quick run."""
    return LEARNING_RATES[::2] if setup.quick else LEARNING_RATES


def choose_rates(
    setup: Setup,
    runner: Runner,
    images: ImageSet,
    methods: Mapping[str, Method],
    *,
    rates: Sequence[float] | None = None,
    epochs: int | None = None,
) -> Trials:
    """Tries every rate with every method on one seed, and chooses the best rate of each method.

    Args:
        setup: the settings of the command.
        runner: what runs the trials.
        images: the images to train on.
        methods: the methods by name.
        rates: the grid, at least two rates; default: `rates_of(setup)`.
        epochs: number of epochs of a trial, at least 3; default: 30, or 6 in a quick run.
    """
    rates = rates_of(setup) if rates is None else rates
    if epochs is None:
        epochs = 6 if setup.quick else 30

    grid = [(name, rate) for rate in rates for name in methods]
    jobs = [Training(methods[name], rate, epochs, setup.seed + _SEED_STEP) for name, rate in grid]
    results = zip(grid, runner.run(jobs, images, "rates"), strict=True)
    rows = [_row(name, rate, result) for (name, rate), result in results]

    best, tied = {}, []
    for name in methods:
        own = sorted(
            (row for row in rows if row["method"] == name),
            key=lambda row: (row["error"], row["error_all_epochs"]),
        )
        best[name] = own[0]["learning_rate"]
        if own[0]["error"] == own[1]["error"]:
            tied.append(name)

    return Trials(best, rows, epochs, tied)


def _row(name: str, rate: float, result: Arrays) -> dict[str, Any]:
    errors = result["error_reads"]
    epochs = len(errors)
    return {
        "method": name,
        "learning_rate": rate,
        "error": float(errors[-(epochs // 3) :].mean()),
        "error_all_epochs": float(errors.mean()),
        "z": finite(exponent(np.arange(1, epochs + 1), errors)),
        "test_accuracy": float(result["test_accuracy"]),
    }


def hold_out(images: ImageSet, fold: int) -> ImageSet:
    """Returns the images with every fifth training image of each class in place of the test images.

    Args:
        images: at least five training images of each class.
        fold: 0 ... 4, the first image of each class that is held out.
    """
    place = np.empty(len(images.train_labels), dtype=np.int64)  # among the images of its class
    for c in range(images.num_classes):
        own = images.train_labels == c
        place[own] = np.arange(own.sum())
    held = place % _FOLDS == fold

    pixels, labels = images.train_images, images.train_labels
    return replace(
        images,
        train_images=pixels[~held],
        train_labels=labels[~held],
        test_images=pixels[held],
        test_labels=labels[held],
    )


def choose_by_held_out(
    setup: Setup,
    runner: Runner,
    images: ImageSet,
    methods: Mapping[str, Method],
    rates: Mapping[str, Sequence[float]],
    *,
    epochs: int,
    num_folds: int = 1,
) -> Trials:
    """Chooses the rate of each method that has the lowest error on held-out training images.

    Args:
        setup: the settings of the command.
        runner: what runs the trials.
        images: the images to train on; their test images are not used.
        methods: the methods by name.
        rates: the grid of each method.
        epochs: number of epochs of a trial.
        num_folds: number of trials at each rate, 1 ... 5; each holds out other images, and has
            another seed.
    """
    grid = [(name, rate) for name in methods for rate in rates[name]]
    errors, training_errors = np.zeros((2, len(grid)))
    for fold in range(num_folds):
        seed = setup.seed + _SEED_STEP + fold
        jobs = [Training(methods[name], rate, epochs, seed) for name, rate in grid]
        results = runner.run(jobs, hold_out(images, fold), "rates")
        errors += [(1 - result["test_accuracy"]) / num_folds for result in results]
        training_errors += [result["error_reads"][-1] / num_folds for result in results]

    rows: list[dict[str, Any]] = [
        {"method": name, "learning_rate": rate, "error": float(error), "training_error": float(own)}
        for (name, rate), error, own in zip(grid, errors, training_errors, strict=True)
    ]
    best: dict[str, float] = {}
    tied = []
    for name in methods:
        mine = [row for row in rows if row["method"] == name]
        first = min(mine, key=lambda row: (row["error"], row["training_error"]))
        best[name] = first["learning_rate"]
        if sum(row["error"] == first["error"] for row in mine) > 1:
            tied.append(name)
    return Trials(best, rows, epochs, tied)


def held_out_rule(epochs: int, num_folds: int = 1) -> str:
    """Returns the sentences of a report that say how rates were chosen by held-out images."""
    folds = "" if num_folds == 1 else f", mean over {num_folds} such fifths"
    return _HELD_OUT_RULE.format(epochs=epochs, folds=folds)


def rule(trials: Trials, methods: Mapping[str, Method]) -> str:
    """Returns the sentences of a report that say how rates were chosen."""
    tied = "; ".join(methods[name].title for name in trials.tied)
    return _RULE.format(epochs=trials.epochs) + (f" Equals there were for: {tied}." if tied else "")


def trial_table(trials: Trials, methods: Mapping[str, Method]) -> str:
    """Returns a Markdown table of the error and exponent of each method at each rate."""
    cells = {(row["method"], row["learning_rate"]): row for row in trials.rows}

    rows = []
    for rate in sorted({row["learning_rate"] for row in trials.rows}):
        entries = []
        for name in methods:
            row = cells[name, rate]
            cell = f"{percent(row['error'])}, {decimal(row['z'])}"
            entries.append(f"**{cell}**" if rate == trials.best[name] else cell)
        rows.append([f"{rate:g}", *entries])

    return table(["rate", *(method.title for method in methods.values())], rows)
