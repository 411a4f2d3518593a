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
_DIGIT_DISTANCES = (0.05, 0.07, 0.09)  # from a basin to its digit, in heights of the panel
_MAX_CENTRES = 500  # states that are tried as the middle of a basin
_DIGIT_SIZE = 0.035  # half the size of a digit, in heights of the panel
_NUM_DIRECTIONS = 16  # in which places for a digit are looked for
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
    axes: Any, points: NDArray[np.float64], classes: NDArray[np.int64], *, area: float = 5.0
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
    """Writes each class beside its basin, where no state of another class is nearer.

    The basin of a class is where most of its states are near each other. Of the places around it,
    that is chosen which is furthest from states of other classes and from other digits.
    """
    from matplotlib.patheffects import withStroke

    height = float(np.ptp(axes.get_ylim()))
    outline = [withStroke(linewidth=_OUTLINE, foreground="white")]
    taken = np.empty((0, 2))

    for c in range(num_classes):
        own = points[classes == c]
        if not len(own):
            continue
        others = points[(classes != c) & (classes != UNCLASSIFIED)]
        x, y = _place_beside(own, np.concatenate([others, taken]), height)
        taken = np.concatenate([taken, [[x, y]]])
        axes.text(
            x, y, str(c), ha="center", va="center", fontsize=11, weight="bold", path_effects=outline
        )


def _place_beside(
    own: NDArray[np.float64], others: NDArray[np.float64], height: float
) -> NDArray[np.float64]:
    """Returns the place for a digit, (2,), beside the densest of its own points."""
    radius = min(_DIGIT_DISTANCES) * height
    centres = own[:: -(-len(own) // _MAX_CENTRES)]
    basin = centres[(_distances(centres, own) < radius).sum(axis=1).argmax()]

    angles = 2 * np.pi * np.arange(_NUM_DIRECTIONS) / _NUM_DIRECTIONS
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    places = np.concatenate([basin + share * height * circle for share in _DIGIT_DISTANCES])

    # The state of another class that is nearest should be further away than one of the own class.
    # A place on the own states is no better than one just beside them.
    score = -np.maximum(_distances(places, own).min(axis=1), _DIGIT_SIZE * height)
    if len(others):
        score += _distances(places, others).min(axis=1)
    best: NDArray[np.float64] = places[score.argmax()]
    return best


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the distances of points (n, 2) from points (m, 2), as (n, m)."""
    distances: NDArray[np.float64] = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
    return distances


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
