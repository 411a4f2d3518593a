"""How Figs. 2 and 3 draw states as points of the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.readout import UNCLASSIFIED

# Paul Tol's "muted" colours, made for the colour-blind, and black as the tenth; digits are written beside them.
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

_MARGIN = 0.04  # of the extent of all panels
_BESIDE = 0.08  # of the height of the panel, from a basin to its digit
_OUTLINE = 2.5  # points of white around a written digit


def aligned(points: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Turns or mirrors each map so that its images lie as near as can be to where they lie in the next map.

    A map is only given up to that. R = U V^T of the singular vectors of sum_b p_b^T p'_b, p_b the mean of image b's
    states (Schönemann 1966): (B, R, 2) each.
    """
    turned = [points[-1]]
    for each in reversed(points[:-1]):
        left, _, right = np.linalg.svd(each.mean(axis=1).T @ turned[0].mean(axis=1))
        turned.insert(0, each @ left @ right)
    return turned


def scatter(
    axes: Any, points: NDArray[np.float64], classes: NDArray[np.int64], *, area: float = 3.0
) -> None:
    """Draws (n, 2) states; equal ones are one dot, of `area` points^2 times the root of how often it was found."""
    cells, counts = np.unique(np.column_stack([points, classes]), axis=0, return_counts=True)
    order = np.lexsort(
        (-counts, cells[:, 2] != UNCLASSIFIED)
    )  # grey at the back, small dots in front
    colours = [COLOUR_OF[int(c)] for c in cells[order, 2]]
    areas = area * np.sqrt(counts[order])
    axes.scatter(*cells[order, :2].T, s=areas, c=colours, alpha=0.75, linewidths=0, rasterized=True)


def limits(
    points: Sequence[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners of a square around all points of all panels."""
    every = np.concatenate([each.reshape(-1, 2) for each in points])
    middle = (every.max(axis=0) + every.min(axis=0)) / 2
    half = (0.5 + _MARGIN) * np.ptp(every, axis=0).max() or 1.0  # spins, where all points are one
    return middle - half, middle + half


def write_classes(
    axes: Any, points: NDArray[np.float64], classes: NDArray[np.int64], num_classes: int
) -> None:
    """Writes each class beside the median of its states, away from the middle: colour is then not the only cue."""
    from matplotlib.patheffects import withStroke

    found = [c for c in range(num_classes) if (classes == c).any()]
    medians = np.array([np.median(points[classes == c], axis=0) for c in found]).reshape(-1, 2)
    away = medians - medians.mean(axis=0) if found else medians
    lengths = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), np.finfo(float).tiny)
    places = medians + _BESIDE * np.ptp(axes.get_ylim()) * away / lengths
    outline = [withStroke(linewidth=_OUTLINE, foreground="white")]
    for c, (x, y) in zip(found, places, strict=True):
        axes.text(
            x, y, str(c), ha="center", va="center", fontsize=11, weight="bold", path_effects=outline
        )


def legend_entries(num_classes: int) -> list[Any]:
    """A dot for each class and one for none."""
    from matplotlib.lines import Line2D

    named = [(str(c), COLOUR_OF[c]) for c in range(num_classes)] + [
        ("none (−1)", COLOUR_OF[UNCLASSIFIED])
    ]
    return [
        Line2D([], [], marker="o", markersize=6, linewidth=0, color=colour, label=name)
        for name, colour in named
    ]
