"""Plots Fig. 2: a map of the states at each moment, and their distances, order and overlaps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import PAIRS
from isingprop.analysis.scaling import interval_of
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.study_setup import COLOURS
from isingprop.paper.zhang2025.fig2_numbers import order_parameter, overlap_curves
from isingprop.paper.zhang2025.landscape_plot import legend_entries, limits, scatter, write_classes
from isingprop.paper.zhang2025.moments import epoch_name

_COLUMNS = 3  # maps in a row
_MAX_OVERLAP_MOMENTS = 5  # moments whose P(q) is plotted; more lines would be hard to distinguish
# The legend of each kind of pair in landscape.PAIRS.
_LABELS = {
    "same_image": "same image",
    "same_class": "same class, other image",
    "other_class": "other class",
}


def plot_maps(
    moments: tuple[float, ...],
    stacked: Arrays,
    maps: list[Arrays],
    points: list[NDArray[np.float64]],
    num_classes: int,
) -> Any:
    """Returns a figure with one map for each moment.

    Args:
        moments: times in epochs.
        stacked: the results of `Statistics`, with seeds as the first axis.
        maps: the results of `Map` at each moment.
        points: the aligned points of the maps, (B, R, 2) each.
        num_classes: number of classes.
    """
    from matplotlib.figure import Figure

    rows = -(-len(moments) // _COLUMNS)  # rounded up
    figure = Figure(figsize=(9, 3.5 * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, sharex="row", sharey="row", squeeze=False)
    for axes in panels.flat[len(moments) :]:
        axes.set_axis_off()

    # Maps are of the first seed, and so are the accuracies in their titles.
    for k, (axes, epoch) in enumerate(zip(panels.flat, moments, strict=False)):
        scatter(axes, points[k].reshape(-1, 2), maps[k]["classes"].ravel())
        tested, whole = stacked["accuracy_images"][0, k], stacked["accuracy"][0, k]
        count = len(maps[k]["labels"])
        title = f"{epoch_name(epoch)}: {tested:.0%} of {count} images\n({whole:.1%} of all)"
        axes.set_title(title, fontsize=9.5)
    _set_limits(panels, points)

    last = panels.flat[len(moments) - 1]
    write_classes(last, points[-1].reshape(-1, 2), maps[-1]["classes"].ravel(), num_classes)
    figure.legend(
        handles=legend_entries(num_classes),
        loc="outside lower center",
        ncols=num_classes + 1,
        frameon=False,
        fontsize=9,
        columnspacing=0.9,
        handletextpad=0.1,
    )
    return figure


def _set_limits(panels: Any, points: list[NDArray[np.float64]]) -> None:
    """Gives all maps of a row the same scale, and labels the outer axes."""
    for k, row in enumerate(panels):
        low, high = limits(points[k * _COLUMNS : (k + 1) * _COLUMNS])
        row[0].set(
            xlim=(low[0], high[0]), ylim=(low[1], high[1]), ylabel="MDS coordinate 2 (spins)"
        )
        for axes in row:
            axes.set_box_aspect(1)
    for axes in panels[-1]:
        axes.set_xlabel("MDS coordinate 1 (spins)")


def plot_order(moments: tuple[float, ...], stacked: Arrays) -> Any:
    """Returns a figure of distances, accuracy and order at each moment, and of P(q).

    Args:
        moments: times in epochs.
        stacked: the results of `Statistics`, with seeds as the first axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    halves: Any = figure.subfigures(2, 1)
    top, bottom = halves
    left, right = top.subplots(1, 2)

    for k, label in enumerate(_LABELS.values()):
        _plot_curve(left, moments, stacked["distances"][:, :, k], COLOURS[k], "osD"[k], label)
    left.set(
        ylabel="mean Hamming distance (spins)", title="(a) distances of states", ylim=(0, None)
    )

    curves = {
        "test accuracy": (stacked["accuracy"], COLOURS[3], "o"),
        "unclassified states": (stacked["unclassified"], COLOURS[6], "s"),
        "order, 1 − within / between": (order_parameter(stacked["distances"]), COLOURS[1], "D"),
    }
    for label, (values, colour, marker) in curves.items():
        _plot_curve(right, moments, values, colour, marker, label)
    right.set(ylabel="fraction", title="(b) accuracy and order", ylim=(-0.03, 1.03))

    for axes in (left, right):
        _epoch_axis(axes, moments)
        axes.grid(alpha=0.25)
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False, fontsize=8
        )

    _plot_overlaps(bottom, moments, stacked["counts"])
    return figure


def _plot_curve(
    axes: Any, moments: tuple[float, ...], values: NDArray[Any], colour: str, mark: str, label: str
) -> None:
    """Plots the mean over seeds of values (seeds, moments) with Student's 95 % interval."""
    means = np.array([interval_of(column) for column in values.T])
    errors = np.nan_to_num(means[:, 2] - means[:, 0])
    style: dict[str, Any] = {"marker": mark, "markersize": 4.5, "linewidth": 1.3, "capsize": 2.5}
    axes.errorbar(moments, means[:, 0], yerr=errors, color=colour, label=label, **style)


def _epoch_axis(axes: Any, moments: tuple[float, ...]) -> None:
    """Makes the axis of epochs logarithmic, with a place for the untrained network at 0."""
    first = min(epoch for epoch in moments if epoch > 0)
    axes.set_xscale("symlog", linthresh=first, linscale=0.5)
    axes.set_xticks(moments, [f"{epoch:g}" for epoch in moments], fontsize=8)
    axes.minorticks_off()
    axes.set(xlabel="epoch (0: untrained)", xlim=(-first / 4, 1.3 * moments[-1]))


def _plot_overlaps(figure: Any, moments: tuple[float, ...], counts: NDArray[np.int64]) -> None:
    """Plots P(q) of each kind of pair; lines go from pale for early to dark for late moments."""
    from matplotlib import colormaps

    shown = np.unique(np.linspace(0, len(moments) - 1, _MAX_OVERLAP_MOMENTS).round().astype(int))

    panels = figure.subplots(1, len(PAIRS), sharey=True)
    for j, (axes, label) in enumerate(zip(panels, _LABELS.values(), strict=True)):
        for i, k in enumerate(shown):
            q, probabilities = overlap_curves(counts[:, k])
            colour = colormaps["cividis_r"](0.1 + 0.9 * i / max(len(shown) - 1, 1))
            axes.plot(
                q, probabilities[j], color=colour, linewidth=1.3, label=epoch_name(moments[k])
            )
        axes.set(xlabel="overlap q", title=f"({'cde'[j]}) {label}", yscale="log", ylim=(1e-5, 1))
        axes.grid(alpha=0.25)

    panels[0].set_ylabel("P(q)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(shown), frameon=False, fontsize=9
    )
