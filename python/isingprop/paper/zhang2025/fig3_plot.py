"""Plots Fig. 3: images of one digit, and their states in a poorly and a well trained network."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.paper.common.jobs import Arrays
from isingprop.paper.zhang2025.landscape_plot import legend_entries, limits, scatter
from isingprop.paper.zhang2025.moments import epoch_name

TRAINED = ("poorly trained", "well trained")  # the names of the two moments
_AREA = 8.0  # area of the dot of a state that was found once, in points^2


def plot(
    shown: NDArray[np.float32],
    digit: int,
    num_classes: int,
    moments: tuple[float, ...],
    found: Arrays,
) -> Any:
    """Returns a figure with the images in its first row and their states at a moment in the others.

    Args:
        shown: (n, I), the images.
        digit: the class of the images.
        num_classes: number of classes.
        moments: times in epochs.
        found: the result of a `Digit` job.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    panels = figure.subplots(1 + len(moments), len(shown), squeeze=False)
    for axes, pixels in zip(panels[0], shown, strict=True):
        _plot_image(axes, pixels)
    for k in range(len(moments)):
        _plot_states(panels[1 + k], k, digit, moments, found)
    for axes in panels[-1]:
        axes.set_xlabel("MDS coordinate 1 (spins)", fontsize=9)

    handles = legend_entries(num_classes)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        fontsize=9,
        columnspacing=1.0,
        handletextpad=0.1,
    )
    return figure


def _plot_states(row: Any, k: int, digit: int, moments: tuple[float, ...], found: Arrays) -> None:
    """Plots the states of each image at moment number k."""
    low, high = limits([points.reshape(-1, 2) for points in found["points"]])
    for i, axes in enumerate(row):
        scatter(axes, found["points"][k, i], found["classes"][k, i], area=_AREA)
        right, distance = found["right"][k, i], found["distance"][k, i]
        axes.set_title(f"{100 * right:.0f} % class {digit}, d = {distance:.1f}", fontsize=9)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.set_box_aspect(1)
        axes.tick_params(labelsize=8, labelleft=i == 0, labelbottom=k == len(moments) - 1)

    label = f"{TRAINED[k]} ({epoch_name(moments[k])})\nMDS coordinate 2 (spins)"
    row[0].set_ylabel(label, fontsize=9)


def _plot_image(axes: Any, pixels: NDArray[np.float32]) -> None:
    """Plots an image as a square if its number of pixels is a square, else as one row."""
    side = isqrt(len(pixels))
    num_rows = side if side * side == len(pixels) else 1
    axes.imshow(pixels.reshape(num_rows, -1), cmap="gray_r", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
