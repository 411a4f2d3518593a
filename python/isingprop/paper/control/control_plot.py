"""Plots the control experiment: errors, accuracy against time, and low states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.paper.control.control_outcomes import Outcome, SizeOutcome
from isingprop.util.plot_axes import COLOURS, plot_end_bars, set_log_ticks, set_percent

_ORANGE, _BLUE, _GREEN, _PINK, _YELLOW, _SKY, _BLACK = COLOURS
_PAPERS = {"linestyle": ":", "marker": "o"}
_ADAM = {"linestyle": "--", "marker": "s"}
_MARGIN = {"linestyle": "-", "marker": "^"}
# A colour for each source of states or loss; a line and a marker for each way of training.
_STYLES: dict[str, dict[str, str]] = {
    "dragon": {"color": _ORANGE} | _PAPERS,
    "dragon-adam": {"color": _ORANGE} | _ADAM,
    "dragon-margin": {"color": _ORANGE} | _MARGIN,
    "cyclic": {"color": _BLUE} | _PAPERS,
    "cyclic-margin": {"color": _BLUE} | _MARGIN,
    "equilibrium": {"color": _GREEN} | _PAPERS,
    "equilibrium-margin": {"color": _GREEN} | _MARGIN,
    "class-states": {"color": _BLACK} | _ADAM,
    "class-states-margin": {"color": _BLACK} | _MARGIN,
    "backprop-squared": {"color": _PINK} | _PAPERS,
    "backprop-hinge": {"color": _PINK} | _MARGIN,
    "backprop-entropy": {"color": _YELLOW} | _MARGIN,
}


def plot(outcomes: Sequence[SizeOutcome]) -> Any:
    """Returns a figure with four panels for each number of training images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 1.6 + 7.2 * len(outcomes)), layout="constrained")
    panels = figure.subplots(2 * len(outcomes), 2, squeeze=False)
    for k, each in enumerate(outcomes):
        _plot_size(panels[2 * k : 2 * k + 2].ravel().tolist(), each, 4 * k)

    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def _plot_size(panels: Sequence[Any], each: SizeOutcome, first: int) -> None:
    """Plots the results for one number of training images; `first` is the place of its letter."""
    errors, accuracies, codes, energies = panels
    for name, own in each.methods.items():
        epochs = np.arange(1, each.size.epochs + 1)
        train_error = own.arrays["train_error"].mean(axis=0)
        # A logarithmic axis cannot show 0.
        shown = np.where(train_error > 0, train_error, np.nan)
        errors.plot(epochs, shown, label=own.method.title, **_style(name))
        accuracy = own.arrays["test_accuracy"].mean(axis=0)
        accuracies.plot(_seconds(own), accuracy, **_style(name))

    ising = {name: own for name, own in each.methods.items() if own.is_ising}
    _plot_states(codes, ising, "codes")
    _plot_states(energies, ising, "above")

    titles = (
        ("training error after each epoch", "epoch", "training error"),
        ("test accuracy against time", "time on one core (s)", "test accuracy"),
        ("low states with class codes", "epoch", "fraction of low states"),
        ("low states above class states", "epoch", "energy above class states\n/ their distance"),
    )
    for k, (axes, (title, x, y)) in enumerate(zip(panels, titles, strict=True)):
        letter = chr(ord("a") + first + k)
        axes.set_title(
            f"({letter}) {title}, {each.size.num_train:,} images", loc="left", fontsize=10
        )
        axes.set(xlabel=x, ylabel=y)
        axes.grid(alpha=0.25)
    _set_axes(*panels)


def _set_axes(errors: Any, accuracies: Any, codes: Any, energies: Any) -> None:
    """Sets the scales of the axes of one number of training images."""
    from matplotlib.ticker import MaxNLocator

    errors.set(yscale="log")
    accuracies.set(xscale="log")
    set_log_ticks(errors.yaxis, 100, " %")
    set_log_ticks(accuracies.xaxis)
    set_percent(accuracies.yaxis)
    set_percent(codes.yaxis)
    for axes in (errors, codes, energies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _seconds(own: Outcome) -> NDArray[np.float64]:
    """Returns the time from the start to the end of each epoch, median over seeds."""
    seconds: NDArray[np.float64] = np.median(own.arrays["seconds"], axis=0).cumsum()
    return seconds


def _plot_states(axes: Any, methods: dict[str, Outcome], key: str) -> None:
    """Plots the mean over seeds of an array (seeds, epochs), and the range after the last epoch."""
    ends = []
    for name, own in methods.items():
        values = own.arrays[key]
        mean, last = values.mean(axis=0), values[:, -1]
        axes.plot(np.arange(1, len(mean) + 1), mean, **_style(name))
        # Rounded, the mean of equal values may be beyond them.
        below, above = np.maximum([mean[-1] - last.min(), last.max() - mean[-1]], 0)
        ends.append((mean[-1], (below, above)))
    if ends:
        plot_end_bars(axes, ends, [_style(name) for name in methods])


def _style(name: str) -> dict[str, Any]:
    return {"linewidth": 1.2, "markersize": 3.5, **_STYLES[name]}
