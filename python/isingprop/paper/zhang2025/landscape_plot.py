"""Plots states as points of the plane, for Figs. 2 and 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.readout import UNCLASSIFIED

# Paul Tol's "muted" palette for colour-blind readers, with black as the tenth colour. Digits beside
# the points make sure that colour is not the only cue.
_MUTED = (
    "#CC6677",
    "#332288",
    "#DDCC77",
    "#117733",
    "#88CCEE",
    "#882255",
    "#44AA99",
    "#999933",
    "#AA4499",
    "#000000",
)
_GREY = "#B8B8B8"
COLOUR_OF = {UNCLASSIFIED: _GREY, **dict(enumerate(_MUTED))}

_MARGIN = 0.04  # empty border of a panel, as a fraction of the extent of all points
_DIGIT_DISTANCE = 0.08  # from a basin to its digit, as a fraction of the height of the panel
_OUTLINE = 2.5  # width of the white outline of a digit, in points


def aligned(points: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Rotates or reflects each map so that its images lie closest to their places in the next map.

        R = U V^T,   U S V^T = sum_b p_b^T p'_b

    p_b is the mean of image b's points in one map, p'_b that in the next (Schönemann 1966). MDS
    determines a map only up to such an orthogonal transformation R.

    Args:
        points: one map for each moment, (B, R, 2) each.

    Returns:
        The transformed maps; the last one is unchanged.
    """
    turned = [points[-1]]
    for each in reversed(points[:-1]):
        left, _, right = np.linalg.svd(each.mean(axis=1).T @ turned[0].mean(axis=1))
        turned.insert(0, each @ left @ right)
    return turned


def scatter(
    axes: Any, points: NDArray[np.float64], classes: NDArray[np.int64], *, area: float = 3.0
) -> None:
    """Plots states as dots in the colours of their classes.

    Args:
        axes: a matplotlib Axes.
        points: (n, 2); equal points of one class share a dot.
        classes: (n,), the output class of each state.
        area: area of a dot in points^2; it is multiplied by the square root of the number of
            states that share the dot.
    """
    cells, counts = np.unique(np.column_stack([points, classes]), axis=0, return_counts=True)

    # Unclassified states are plotted first, behind the others, and large dots before small ones.
    order = np.lexsort((-counts, cells[:, 2] != UNCLASSIFIED))
    colours = [COLOUR_OF[int(c)] for c in cells[order, 2]]
    areas = area * np.sqrt(counts[order])
    axes.scatter(*cells[order, :2].T, s=areas, c=colours, alpha=0.75, linewidths=0, rasterized=True)


def limits(
    points: Sequence[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns two opposite corners, (2,) each, of a square around all points of all panels."""
    every = np.concatenate([each.reshape(-1, 2) for each in points])
    middle = (every.max(axis=0) + every.min(axis=0)) / 2
    # Where all points coincide, the square has a half-width of one spin.
    half = (0.5 + _MARGIN) * np.ptp(every, axis=0).max() or 1.0
    return middle - half, middle + half


def write_classes(
    axes: Any, points: NDArray[np.float64], classes: NDArray[np.int64], num_classes: int
) -> None:
    """Writes each class beside the median of its states, on the side away from the centre."""
    from matplotlib.patheffects import withStroke

    found = [c for c in range(num_classes) if (classes == c).any()]
    medians = np.array([np.median(points[classes == c], axis=0) for c in found]).reshape(-1, 2)

    away = medians - medians.mean(axis=0) if found else medians
    lengths = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), np.finfo(float).tiny)
    places = medians + _DIGIT_DISTANCE * np.ptp(axes.get_ylim()) * away / lengths

    outline = [withStroke(linewidth=_OUTLINE, foreground="white")]
    for c, (x, y) in zip(found, places, strict=True):
        axes.text(
            x, y, str(c), ha="center", va="center", fontsize=11, weight="bold", path_effects=outline
        )


def legend_entries(num_classes: int) -> list[Any]:
    """Returns legend entries: a dot for each class, and one for unclassified states."""
    from matplotlib.lines import Line2D

    named = [(str(c), COLOUR_OF[c]) for c in range(num_classes)] + [
        ("none (−1)", COLOUR_OF[UNCLASSIFIED])
    ]
    return [
        Line2D([], [], marker="o", markersize=6, linewidth=0, color=colour, label=name)
        for name, colour in named
    ]
