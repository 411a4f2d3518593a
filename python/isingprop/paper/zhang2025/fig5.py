"""Fig. 5 of the paper: training error against epoch, and its exponent z, for seven methods.

The exponent is that of error = A epoch^-z, Eq. (8).

Jobs: short `Training` trials of every method at every learning rate, and then a full `Training` of
every method at its best rate for each seed.

Writes fig5.csv (errors), fig5_seconds.csv and fig5_rates.csv (the trials), fig5.json and fig5.md,
and the picture fig5 as PNG and SVG.
"""

from __future__ import annotations

import math
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import fit_power_law, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.chip_time import qpu_seconds
from isingprop.paper.common.curves import METHODS, ORDER, PUBLISHED, Curves, epochs_of, exponent
from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.methods import Training
from isingprop.paper.common.rates import Trials, choose_rates, rates_of
from isingprop.paper.common.study_setup import Setup, described
from isingprop.paper.common.text import finite, interval
from isingprop.paper.zhang2025.fig5_report import report
from isingprop.util.plot_axes import COLOURS, set_log_ticks

_MARKERS = dict(zip(ORDER, "o^vXsDP", strict=True))
_MIN_ERROR = 1e-5  # axes end there, at the smallest error that a bin may show
# Bins have equal width in log epoch, about 15 in a decade; each of the first 8 epochs has its own.
_NUM_BINS = 30
_SAMPLER_FREE = "class-states"  # black, the last colour, in every study
_COLOURS = dict(zip([name for name in ORDER if name != _SAMPLER_FREE], COLOURS, strict=False)) | {
    _SAMPLER_FREE: COLOURS[-1]
}


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: for each method one at each rate, and one for each seed."""
    return len(METHODS) * (len(rates_of(setup)) + setup.num_seeds)


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Runs the jobs and writes all files of the study; returns what the JSON file has."""
    start = perf_counter()
    images = setup.load_data()

    trials = choose_rates(setup, runner, images, METHODS)
    curves = _train(setup, runner, images, trials.best)

    numbers = {
        "methods": {name: _numbers(name, curves[name]) for name in ORDER},
        **setup.facts(images),
        "epochs": epochs_of(setup),
        "seconds": perf_counter() - start,
    }

    _write_rows(setup, trials, curves)
    setup.write_json("fig5", numbers)
    shown = "Training error of seven methods, one image per update; means, bands: range over seeds"
    setup.write_picture("fig5", _plot(curves, setup.is_papers), shown, described(images))
    setup.write_report("fig5", report(setup, images, trials, curves))
    return numbers


def _train(
    setup: Setup, runner: Runner, images: ImageSet, rates: dict[str, float]
) -> dict[str, Curves]:
    """Trains each method with each seed and returns its curves."""
    epochs = epochs_of(setup)
    grid = [(name, seed) for name in METHODS for seed in setup.seeds]
    jobs = [Training(METHODS[name], rates[name], epochs, seed) for name, seed in grid]
    results = dict(zip(grid, runner.run(jobs, images, "training"), strict=True))

    curves = {}
    for name, method in METHODS.items():
        own = [results[name, seed] for seed in setup.seeds]
        stacked = {key: np.stack([result[key] for result in own]) for key in own[0]}
        curves[name] = Curves(rates[name], qpu_seconds=qpu_seconds(method, images), **stacked)
    return curves


def _numbers(name: str, curves: Curves) -> dict[str, Any]:
    reads, lowest = curves.error_reads, curves.error_lowest
    z, z_lowest = curves.exponent(reads), curves.exponent(lowest)
    early, late = curves.early_and_late()

    return {
        "z": finite(z.mean),
        "z_low": finite(z.low),
        "z_high": finite(z.high),
        "z_published": PUBLISHED.get(name),
        "z_lowest": finite(z_lowest.mean),
        "z_lowest_low": finite(z_lowest.low),
        "z_lowest_high": finite(z_lowest.high),
        "z_early": finite(early.mean),
        "z_late": finite(late.mean),
        "final_error": float(reads[:, -1].mean()),
        "final_error_se": finite(standard_error(reads[:, -1])),
        "final_error_lowest": float(lowest[:, -1].mean()),
        "test_accuracy": float(curves.test_accuracy.mean()),
        "test_accuracy_se": finite(standard_error(curves.test_accuracy)),
        "learning_rate": curves.learning_rate,
        "seconds_per_epoch": float(np.median(curves.seconds)),
        "qpu_seconds_per_epoch": curves.qpu_seconds,
    }


def _write_rows(setup: Setup, trials: Trials, curves: dict[str, Curves]) -> None:
    """Writes fig5.csv, fig5_seconds.csv and fig5_rates.csv."""
    errors, seconds = [], []
    for name in ORDER:
        own = curves[name]
        for row, seed in enumerate(setup.seeds):
            for k in range(own.error_reads.shape[1]):
                where = {
                    "method": name,
                    "learning_rate": own.learning_rate,
                    "seed": seed,
                    "epoch": k + 1,
                }
                reads, lowest = float(own.error_reads[row, k]), float(own.error_lowest[row, k])
                errors.append({**where, "error_reads": reads, "error_lowest": lowest})
                seconds.append({**where, "seconds": float(own.seconds[row, k])})

    setup.write_csv("fig5", errors)
    setup.write_csv("fig5_seconds", seconds)
    setup.write_csv("fig5_rates", trials.rows)


def _plot(curves: dict[str, Curves], is_papers: bool) -> Any:
    """Returns a figure of the errors against epochs, time on a core and estimated QPU time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 9.0), layout="constrained")
    panels = figure.subplots(2, 2, sharey=True)
    epochs = np.arange(1, curves["dragon"].error_reads.shape[1] + 1)

    for name in ORDER:
        own = curves[name]
        _plot_errors(panels[0, 0], epochs, own.error_reads, name, _label(name, own, is_papers))
        _plot_fit(panels[0, 0], epochs, own.error_reads, name)
        _plot_errors(panels[0, 1], epochs, own.error_lowest, name)
        _plot_errors(panels[1, 0], np.median(own.seconds, axis=0).cumsum(), own.error_reads, name)
        if own.qpu_seconds is not None:
            _plot_errors(panels[1, 1], epochs * own.qpu_seconds, own.error_reads, name)
    _set_axes(panels, curves)

    title = f"z of all states, epochs 1 to {len(epochs)} [95 % interval over seeds only]"
    panels[0, 0].plot([], [], color="0.4", linestyle=":", label="fit: error = A epoch$^{-z}$")
    figure.legend(
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=9,
        title=title,
        title_fontsize=9,
    )
    return figure


def _set_axes(panels: Any, curves: dict[str, Curves]) -> None:
    """Makes all axes logarithmic and labels them."""
    titles = (
        ("(a) all states", "epoch"),
        ("(b) the lowest state of each image", "epoch"),
        ("(c) all states, against time", "time on one core (s)"),
        ("(d) all states, against QPU time", "estimated QPU access time (s)"),
    )
    for axes, (title, label) in zip(panels.flat, titles, strict=True):
        axes.set(xscale="log", yscale="log", xlabel=label)
        axes.set_title(title, loc="left")
        axes.yaxis.set_tick_params(labelleft=True)
        axes.grid(alpha=0.25)
    for axes in panels[:, 0]:
        axes.set_ylabel("training error")

    smallest = min(
        float(own.error_lowest.mean(axis=0).min(initial=1, where=own.error_lowest.any(axis=0)))
        for own in curves.values()
    )
    panels[0, 0].set_ylim(max(smallest, _MIN_ERROR) / 2, 1.2)
    panels[0, 1].sharex(panels[0, 0])

    for axes in panels.flat:
        set_log_ticks(axes.xaxis)
        set_log_ticks(axes.yaxis, 100, " %")


def _plot_fit(axes: Any, epochs: NDArray[Any], errors: NDArray[np.float64], name: str) -> None:
    """Plots the power law that fits the mean over seeds, if there are enough errors to fit."""
    mean = errors.mean(axis=0)
    if math.isnan(exponent(epochs, mean)):
        return
    z, prefactor = fit_power_law(epochs, mean)
    fitted = prefactor * epochs.astype(float) ** -z
    axes.plot(epochs, fitted, color=_COLOURS[name], linestyle=":", linewidth=1)


def _plot_errors(
    axes: Any, x: NDArray[Any], errors: NDArray[np.float64], name: str, label: str | None = None
) -> None:
    """Plots mean and range over seeds in bins of equal width in log epoch.

    A bin without any error is left out: a logarithmic axis cannot show 0.

    Args:
        axes: a matplotlib Axes.
        x: (epochs,), the position of each epoch.
        errors: (seeds, epochs).
        name: name of the method.
        label: entry of the legend; None for no entry.
    """
    edges = np.unique(np.geomspace(1, len(x) + 1, _NUM_BINS).round().astype(int)) - 1
    binned = np.stack([errors[:, a:b].mean(axis=1) for a, b in pairwise(edges)], axis=1)
    centres = np.array([np.exp(np.log(x[a:b]).mean()) for a, b in pairwise(edges)])

    mean = np.where(binned.mean(axis=0) > 0, binned.mean(axis=0), np.nan)
    # A range that starts at 0 starts below the end of the axis instead.
    low, high = np.maximum(binned.min(axis=0), _MIN_ERROR / 10), binned.max(axis=0)
    axes.fill_between(centres, low, high, color=_COLOURS[name], alpha=0.15, linewidth=0)
    style: dict[str, Any] = {"marker": _MARKERS[name], "markersize": 4, "linewidth": 1.2}
    axes.plot(centres, mean, color=_COLOURS[name], label=label, **style)


def _label(name: str, curves: Curves, is_papers: bool) -> str:
    """Returns the entry of a method in the legend."""
    published = f" (paper: {PUBLISHED[name]})" if is_papers and name in PUBLISHED else ""
    return f"{METHODS[name].title}: z = {interval(curves.exponent(curves.error_reads))}{published}"
