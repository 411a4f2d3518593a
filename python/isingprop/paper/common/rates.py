"""Chooses the learning rate of each method: the best of a grid, found in short trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
