"""Plots Fig. 2: a map of the states at each moment, and their distances, order and overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import PAIRS
from isingprop.analysis.scaling import interval_of
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.zhang2025.fig2_numbers import order_parameter, overlap_curves
from isingprop.paper.zhang2025.landscape_plot import legend_entries, limits, scatter, write_classes
from isingprop.paper.zhang2025.moments import epoch_name
from isingprop.util.plot_axes import COLOURS, move_beside

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
    panels = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes in panels.flat[len(moments) :]:
        axes.set_axis_off()

    # Maps are of the first seed, and so are the accuracies in their titles.
    for k, (axes, epoch) in enumerate(zip(panels.flat, moments, strict=False)):
        scatter(axes, points[k].reshape(-1, 2), maps[k]["classes"].ravel())
        tested, whole = stacked["accuracy_images"][0, k], stacked["accuracy"][0, k]
        title = (
            f"{epoch_name(epoch)}: accuracy {100 * tested:.0f} %\n"
            f"({100 * whole:.1f} % on all test images)"
        )
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
    """Gives all maps the same scale, and labels the outer axes."""
    low, high = limits(points)
    panels[0, 0].set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    for axes in panels.flat[: len(points)]:
        axes.set_box_aspect(1)

    for row in panels:
        row[0].set_ylabel("MDS coordinate 2 (spins)")
    for axes in panels.flat[max(len(points) - _COLUMNS, 0) : len(points)]:  # none below them
        axes.set_xlabel("MDS coordinate 1 (spins)")
        axes.tick_params(labelbottom=True)


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

    distances = {
        label: (stacked["distances"][:, :, k], (0.0, np.inf))
        for k, label in enumerate(_LABELS.values())
    }
    _plot_curves(left, moments, distances, COLOURS[:3])
    left.set(
        ylabel="mean Hamming distance (spins)", title="(a) distances of states", ylim=(0, None)
    )

    curves = {
        "test accuracy": (stacked["accuracy"], (0.0, 1.0)),
        "unclassified states": (stacked["unclassified"], (0.0, 1.0)),
        "order, 1 − within / between": (order_parameter(stacked["distances"]), (-np.inf, 1.0)),
    }
    _plot_curves(right, moments, curves, COLOURS[3:])
    right.set(ylabel="fraction", title="(b) accuracy and order")

    for axes in (left, right):
        _epoch_axis(axes, moments)
        axes.grid(alpha=0.25)
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False, fontsize=8
        )

    _plot_overlaps(bottom, moments, stacked["counts"])
    return figure


def _plot_curves(
    axes: Any,
    moments: tuple[float, ...],
    curves: dict[str, tuple[NDArray[Any], tuple[float, float]]],
    colours: Sequence[str],
) -> None:
    """Plots means over seeds with Student's 95 % interval.

    The interval of few seeds may leave the values that are possible. A mean cannot, so the interval
    is cut there, and holds it with no smaller probability.

    Args:
        axes: a matplotlib Axes.
        moments: times in epochs.
        curves: for each label the values, (seeds, moments), and their least and largest possible.
        colours: at least one for each curve.
    """
    style: dict[str, Any] = {"markersize": 4.5, "linewidth": 1.3, "capsize": 2.5}
    for k, (label, (values, possible)) in enumerate(curves.items()):
        mean, low, high = np.array([interval_of(column) for column in values.T]).T
        ends = np.clip([low, high], *possible)
        errors = np.nan_to_num(np.abs(ends - mean))
        style |= {"color": colours[k], "marker": "osD"[k]}
        move_beside(axes.errorbar(moments, mean, errors, label=label, **style), k, len(curves))


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

    panels = figure.subplots(1, len(PAIRS), sharex=True, sharey=True)
    for j, (axes, label) in enumerate(zip(panels, _LABELS.values(), strict=True)):
        for i, k in enumerate(shown):
            q, probabilities = overlap_curves(counts[:, k])
            probabilities = np.where(probabilities > 0, probabilities, np.nan)  # no log of 0
            colour = colormaps["cividis_r"](0.1 + 0.9 * i / max(len(shown) - 1, 1))
            axes.plot(
                q,
                probabilities[j],
                color=colour,
                linewidth=1.3,
                marker=".",
                markersize=2.5,
                label=epoch_name(moments[k]),
            )
        axes.set(xlabel="overlap q", title=f"({'cde'[j]}) {label}", yscale="log", ylim=(1e-5, 1))
        axes.grid(alpha=0.25)

    panels[0].set_ylabel("P(q), fraction of pairs")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(shown), frameon=False, fontsize=9
    )
