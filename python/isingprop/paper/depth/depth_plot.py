"""Plots the test accuracy of networks of different depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from isingprop.analysis.scaling import standard_error
from isingprop.paper.depth.depth_jobs import NUM_LATE, Outcome
from isingprop.util.plot_axes import COLOURS, set_percent

_ORANGE, _BLUE, _GREEN, _PINK, _, _SKY, _BLACK = COLOURS
# Each network of one hidden layer has a colour and a marker of its own.
_ONE_LAYER = {_BLACK: "o", _GREEN: "s", _PINK: "D", _SKY: "v"}
# Deeper networks have a marker and a line for each depth, and a colour for each way of sampling:
# blue for two layers at a time, orange for all at once.
_DEEP: dict[int, dict[str, str]] = {
    2: {"marker": "^", "linestyle": "-"},
    3: {"marker": "P", "linestyle": "-."},
}
_SPREAD = 0.13  # distance of two points of the same depth, in units of one hidden layer


def plot(outcomes: Mapping[str, Outcome]) -> Any:
    """Returns a figure of the accuracy after each epoch, and its late mean against depth.

    The late mean has the error bars, since bands around all curves would hide each other.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 5.0), layout="constrained")
    course, ends = figure.subplots(1, 2, width_ratios=(1.25, 1), sharey=True)

    networks = list(outcomes.values())
    for own, place, style in zip(networks, _places(networks), _styles(networks), strict=True):
        mean = own.test_accuracy.mean(axis=0)
        epochs = np.arange(1, len(mean) + 1)
        course.plot(epochs, mean, linewidth=1.2, markersize=4, label=own.method.title, **style)
        late, bar = own.late.mean(), standard_error(own.late)
        ends.errorbar(place, late, bar, capsize=3, markersize=6, **style)

    _set_axes(course, ends, networks)
    figure.legend(
        *course.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=9,
    )
    return figure


def _places(networks: list[Outcome]) -> list[float]:
    """Returns the horizontal positions of the networks: those of one depth are side by side."""
    depths = [own.depth for own in networks]
    offsets = {
        depth: iter(_SPREAD * (np.arange(depths.count(depth)) - (depths.count(depth) - 1) / 2))
        for depth in depths
    }
    return [depth + float(next(offsets[depth])) for depth in depths]


def _styles(networks: list[Outcome]) -> list[dict[str, Any]]:
    """Returns the colour, marker and line of each network."""
    one_layer = iter(_ONE_LAYER.items())
    styles: list[dict[str, Any]] = []
    for own in networks:
        if own.depth == 1:
            colour, marker = next(one_layer)
            styles.append({"color": colour, "marker": marker, "linestyle": "--"})
        else:
            colour = _BLUE if own.method.active_layers else _ORANGE
            styles.append(_DEEP[own.depth] | {"color": colour})
    return styles


def _set_axes(course: Any, ends: Any, networks: list[Outcome]) -> None:
    """Labels the axes of both panels."""
    from matplotlib.ticker import MaxNLocator

    course.set(xlabel="epoch", ylabel="test accuracy")
    course.xaxis.set_major_locator(MaxNLocator(integer=True))
    course.set_title("(a) after each epoch", loc="left")

    depths = {own.depth for own in networks}
    ends.set(
        xlabel="hidden layers",
        ylabel="test accuracy",
        xlim=(0.5, max(depths) + 0.5),
        xticks=sorted(depths),
    )
    num_late = min(NUM_LATE, networks[-1].test_accuracy.shape[1])
    ends.set_title(f"(b) mean over the last {num_late} epochs", loc="left")

    for axes in (course, ends):
        axes.yaxis.set_tick_params(labelleft=True)
        set_percent(axes.yaxis)
        axes.grid(alpha=0.25)
