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
from isingprop.util.plot_axes import COLOURS, plot_end_bars, set_log_ticks

_ORANGE, _BLUE, _GREEN, _PINK, _AMBER, _SKY, _BLACK = COLOURS
# In (b) and (d) the colour says what is learned from, and the line what from these states: full,
# their exact expectation values; dashed, 20 of them; dotted, few of them.
_STYLES: dict[str, dict[str, Any]] = {
    "plain-exact": {"color": _BLACK, "linestyle": "-"},
    "plain-20": {"color": _BLACK, "linestyle": "--", "marker": "o"},
    "plain-1": {"color": _BLACK, "linestyle": ":", "marker": "v"},
    "amplified-exact": {"color": _ORANGE, "linestyle": "-"},
    "amplified-20": {"color": _ORANGE, "linestyle": "--", "marker": "^"},
    "amplified-exact-scaled": {"color": _BLUE, "linestyle": "-"},
    "amplified-20-scaled": {"color": _BLUE, "linestyle": "--", "marker": "s"},
    "amplified-3-scaled": {"color": _BLUE, "linestyle": ":", "marker": "D"},
}
# Those of (a) and (c) are others, so that a colour has one meaning in the whole figure.
_STRATEGY_STYLES = {
    "repetition": (_AMBER, "o"),
    "grover": (_SKY, "s"),
    "fixed_point": (_GREEN, "^"),
}
# Pink goes from pale to dark with training.
_EPOCH_STYLES = (("#E3A6C6", "o"), (_PINK, "s"), ("#7A2E5D", "D"))


def plot(searches: Searches, outcomes: Mapping[str, Outcome], times: Times) -> Any:
    """Plots the four panels and returns the figure.

    They are (a) applications against |A|, (b) error against epochs, (c) error against annealing
    time, and (d) error against applications. Panels (b) and (d) share the axis of errors.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 9.6), layout="constrained")
    (search, epochs), (times_axes, used) = figure.subplots(2, 2)
    _plot_searches(search, searches)
    _plot_errors(epochs, used, outcomes)
    _plot_times(times_axes, times)

    used.sharey(epochs)
    for axes in (search, epochs, used, times_axes):
        axes.grid(alpha=0.25)
    set_log_ticks(epochs.xaxis, most=epochs.lines[0].get_xdata()[-1])
    for axis in (search.xaxis, search.yaxis, used.xaxis, times_axes.xaxis):
        set_log_ticks(axis)
    for axes in (epochs, used, times_axes):
        set_log_ticks(axes.yaxis, 100, " %")

    figure.legend(
        *epochs.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=9,
    )
    return figure


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
    """Plots panels (b) and (d): error against epochs and against applications.

    The error is a mean of squares over seeds, and at least 0. So is the lower end of its bar: the
    standard error of a mean of such values is at most the mean.
    """
    ends, styles = [], []
    for name, outcome in outcomes.items():
        mean, bar = outcome.error.mean(axis=0), standard_error(outcome.error[:, -1])
        style = {"linewidth": 1.2, "markersize": 3.5, **_STYLES[name]}
        numbers = np.arange(1, len(mean) + 1)
        epochs.plot(numbers, mean, label=outcome.method.title, **style)
        if outcome.has_applications:
            used.plot(outcome.cumulative_applications.mean(axis=0), mean, **style)
        ends.append((mean[-1], (bar, bar)))
        styles.append({"marker": "_"} | style)

    for axes in (epochs, used):
        axes.set(xscale="log", yscale="log", ylabel="training error, mean A²")
    epochs.set(xlabel="epoch")
    plot_end_bars(epochs, ends, styles)
    epochs.set_title("(b) error after each epoch; right: after the last one", loc="left")
    used.set(xlabel="applications of U and U† up to the end of the epoch")
    used.set_title("(d) the same against applications, measured states", loc="left")


def _plot_times(axes: Any, times: Times) -> None:
    """Plots panel (c): the probability of a wrong class against annealing time."""
    for k, (epoch, (colour, marker)) in enumerate(zip(times.epochs, _EPOCH_STYLES, strict=False)):
        for scale, rescale in enumerate(SCALES):
            values = 1 - times.right[:, k, scale]
            bars = [standard_error(column) for column in values.T]
            style: dict[str, Any] = {"color": colour, "linewidth": 1, "capsize": 2, "markersize": 4}
            style |= {"marker": marker, "linestyle": "-" if rescale else ":"}
            style |= {} if rescale else {"fillstyle": "none"}
            after = "untrained" if epoch == 0 else f"after {epoch} epochs"
            label = f"{after}, {'H / largest local field' if rescale else 'H as it is'}"
            axes.errorbar(times.total_times, values.mean(axis=0), bars, label=label, **style)

    axes.set(
        xscale="log",
        yscale="log",
        xlabel="total time of the anneal (ħ / transverse field)",
        ylabel="probability of a wrong class",
    )
    axes.set_title("(c) against annealing time", loc="left")
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
