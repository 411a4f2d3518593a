"""The picture of the study of coherent training, with panels (a) to (d)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from isingprop.analysis.scaling import standard_error
from isingprop.paper.coherent_training.coherent_curves import Outcome
from isingprop.paper.coherent_training.coherent_search import (
    EXPECTED_EXPONENTS,
    FITTED_BELOW,
    STRATEGIES,
    Searches,
)
from isingprop.paper.coherent_training.coherent_times import SCALES, Times
from isingprop.paper.common.study_setup import COLOURS

_ORANGE, _BLUE, _GREEN, _PINK, _AMBER, _SKY, _BLACK = COLOURS
# The colour says what is learned from; a full line means exact expectation values, dashes mean
# measured states.
_STYLES: dict[str, dict[str, Any]] = {
    "plain-exact": {"color": _BLACK, "linestyle": "-"},
    "plain-20": {"color": _BLACK, "linestyle": "--", "marker": "o"},
    "plain-1": {"color": _PINK, "linestyle": "--", "marker": "v"},
    "amplified-exact": {"color": _ORANGE, "linestyle": "-"},
    "amplified-20": {"color": _ORANGE, "linestyle": "--", "marker": "^"},
    "amplified-exact-scaled": {"color": _BLUE, "linestyle": "-"},
    "amplified-20-scaled": {"color": _BLUE, "linestyle": "--", "marker": "s"},
    "amplified-3-scaled": {"color": _GREEN, "linestyle": "--", "marker": "D"},
}
_STRATEGY_STYLES = {
    "repetition": (_ORANGE, "o"),
    "grover": (_BLUE, "s"),
    "fixed_point": (_GREEN, "^"),
}
_SHORT_AXIS = 200  # max / min up to which ticks at 2 and 5 do not run into each other
_EPOCH_COLOURS = (_BLACK, _ORANGE, _BLUE)


def plot(searches: Searches, outcomes: Mapping[str, Outcome], times: Times) -> Any:
    """Plots the four panels and returns the figure.

    They are (a) applications against |A|, (b) error against epochs, (c) error against annealing
    time, and (d) error against applications.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 9.6), layout="constrained")
    (search, epochs), (times_axes, used) = figure.subplots(2, 2)
    _plot_searches(search, searches)
    _plot_errors(epochs, used, outcomes)
    _plot_times(times_axes, times)

    for axes in (search, epochs, times_axes):
        _few_ticks(axes.xaxis)
    for axes in (search, epochs, used, times_axes):
        axes.grid(alpha=0.25)
    for axes in (epochs, used, times_axes):
        _few_ticks(axes.yaxis, 100, " %")

    figure.legend(
        *epochs.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=9,
    )
    return figure


def _few_ticks(axis: Any, factor: float = 1, unit: str = "") -> None:
    """Sets ticks at powers of ten, on a short axis also at 2 and 5 times these.

    Labels are the values times the factor, as plain numbers with the unit.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    subs = (1, 2, 5) if high / low < _SHORT_AXIS else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{factor * value:.6g}{unit}"))
    axis.set_minor_formatter(NullFormatter())


def _plot_searches(axes: Any, searches: Searches) -> None:
    """Plots panel (a): counts against |A|, and lines with the expected exponents."""
    amplitudes = searches.pooled("amplitude")
    for strategy, (colour, marker) in _STRATEGY_STYLES.items():
        power = EXPECTED_EXPONENTS[strategy]
        axes.plot(
            amplitudes,
            searches.pooled(strategy),
            linestyle="",
            marker=marker,
            markersize=3.5,
            color=colour,
            label=f"{STRATEGIES[strategy]}, line ∝ A$^{{{power}}}$",
        )
        if (amplitudes < FITTED_BELOW).any():
            ends = np.array([amplitudes.min(), FITTED_BELOW])
            line = searches.prefactor(strategy, power) * ends**power
            axes.plot(ends, line, color=colour, linewidth=1)

    axes.set(
        xscale="log",
        yscale="log",
        xlabel="A, amplitude of wrong states",
        ylabel="applications of U and U†",
    )
    axes.set_title("(a) until a wrong state is seen", loc="left")
    axes.legend(frameon=False, fontsize=9)


def _plot_errors(epochs: Any, used: Any, outcomes: Mapping[str, Outcome]) -> None:
    """Plots panels (b) and (d): error against epochs and against applications."""
    for name, outcome in outcomes.items():
        mean = outcome.error.mean(axis=0)
        bars = np.array([standard_error(column) for column in outcome.error.T])
        style = {"linewidth": 1.2, "markersize": 3.5, **_STYLES[name]}
        numbers = np.arange(1, len(mean) + 1)
        epochs.plot(numbers, mean, label=outcome.method.title, **style)
        epochs.fill_between(
            numbers, mean - bars, mean + bars, color=style["color"], alpha=0.12, linewidth=0
        )
        if outcome.has_applications:
            used.plot(outcome.cumulative_applications.mean(axis=0), mean, **style)

    for axes in (epochs, used):
        axes.set(xscale="log", yscale="log", ylabel="training error, mean A²")
    epochs.set(xlabel="epoch")
    epochs.set_title("(b) error after each epoch", loc="left")
    used.set(xlabel="applications of U and U† up to the end of the epoch")
    used.set_title("(d) the same against applications, shots alone", loc="left")


def _plot_times(axes: Any, times: Times) -> None:
    """Plots panel (c): the probability of a wrong class against annealing time."""
    for k, (epoch, colour) in enumerate(zip(times.epochs, _EPOCH_COLOURS, strict=False)):
        for scale, rescale in enumerate(SCALES):
            values = 1 - times.right[:, k, scale]
            bars = [standard_error(column) for column in values.T]
            style: dict[str, Any] = {"color": colour, "linewidth": 1, "capsize": 2, "markersize": 4}
            style |= (
                {"marker": "o", "linestyle": "-"} if rescale else {"marker": "x", "linestyle": ":"}
            )
            after = "untrained" if epoch == 0 else f"after {epoch} epochs"
            label = f"{after}, H {'rescaled' if rescale else 'as it is'}"
            axes.errorbar(times.total_times, values.mean(axis=0), bars, label=label, **style)

    axes.set(
        xscale="log",
        yscale="log",
        xlabel="total time of the anneal",
        ylabel="probability of a wrong class",
    )
    axes.set_title("(c) annealing time", loc="left")
    axes.legend(frameon=False, fontsize=8)
