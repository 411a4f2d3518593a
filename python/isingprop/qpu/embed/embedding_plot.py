"""A plot of the copies of a network on a chip."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from isingprop.qpu.chip.fabric import Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding
from isingprop.util.files import write_atomically
from isingprop.util.plot_axes import COLOURS

_INCHES, _DPI = (16.0, 12.6), 100  # 1600 x 1260 pixels
_SIDE_POINTS = 850.0  # side of the chip, in points of 1/72 inch
_MAX_IN_LEGEND = 30
# Share of a qubit's length that is left out at each end, to separate the qubits of a chain.
_GAP = 0.06
_LIGHT = 0.55  # share of white in the colour of hidden chains
_UNUSED = (0.86, 0.86, 0.86, 1.0)
# Sizes of the numbers on copies, in points: a quarter of the distance between them, within limits.
_NUMBER_SHARE, _MIN_NUMBER, _MAX_NUMBER = 0.25, 5.0, 24.0
# Widths of bars, in distances between two lines.
_UNUSED_WIDTH, _HIDDEN_WIDTH, _OUTPUT_WIDTH = 0.3, 0.8, 0.5


def plot_copies(
    graph: WorkingGraph, copies: Sequence[Embedding], path: str | os.PathLike[str]
) -> None:
    """Plots a chip with a bar for each working qubit.

    Each copy has a colour, light in its hidden chains and dark in its output chains, and its number
    in its middle. There are seven colours: many copies share them.

    Args:
        graph: the chip.
        copies: disjoint embeddings on it.
        path: the PNG file to make or replace.

    Raises:
        OSError: where the file cannot be written.
    """
    content = io.BytesIO()
    copies_figure(graph, copies).savefig(content, format="png")
    write_atomically(path, content.getvalue())


def copies_figure(graph: WorkingGraph, copies: Sequence[Embedding]) -> Figure:
    """Returns the plot of `plot_copies` as a matplotlib Figure."""
    fabric = Fabric.of(graph)
    bars = fabric.bars()
    bars += _GAP * (bars[:, ::-1] - bars)
    line_points = _SIDE_POINTS / len(fabric.unit)

    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    width = _UNUSED_WIDTH * line_points
    axes.add_collection(LineCollection(list(bars), colors=[_UNUSED], linewidths=width))
    unused = len(graph.qubits) - sum(copy.num_qubits for copy in copies)
    legend: list[Artist] = [Line2D([], [], color=_UNUSED, lw=4, label=f"not used: {unused} qubits")]

    for k, copy in enumerate(copies):
        entry = _plot_copy(axes, graph, bars, line_points, k, copy)
        if k < _MAX_IN_LEGEND:
            legend.append(entry)
    if len(copies) > _MAX_IN_LEGEND:
        legend.append(Line2D([], [], lw=0, label=f"and {len(copies) - _MAX_IN_LEGEND} more"))
    _write_numbers(axes, graph, bars, copies)
    _finish(axes, graph, copies, legend)
    return figure


def _plot_copy(
    axes: Axes,
    graph: WorkingGraph,
    bars: NDArray[np.float64],
    line_points: float,
    index: int,
    copy: Embedding,
) -> Patch:
    """Plots the chains of one copy, and returns its entry in the legend."""
    dark = COLOURS[index % len(COLOURS)]
    red, green, blue = (_LIGHT + (1 - _LIGHT) * channel for channel in to_rgb(dark))
    light = red, green, blue
    for chains, shade, width in (
        (copy.hidden, light, _HIDDEN_WIDTH),
        (copy.output, dark, _OUTPUT_WIDTH),
    ):
        chosen = np.searchsorted(graph.qubits, np.concatenate(chains))
        axes.add_collection(
            LineCollection(list(bars[chosen]), colors=[shade], linewidths=width * line_points)
        )

    label = f"{index + 1}: {copy.num_qubits}, {copy.max_chain_hidden} and {copy.max_chain_output}"
    return Patch(facecolor=light, edgecolor=dark, lw=3, label=label)


def _write_numbers(
    axes: Axes, graph: WorkingGraph, bars: NDArray[np.float64], copies: Sequence[Embedding]
) -> None:
    """Writes the number of each copy into the middle of its qubits."""
    distance = _SIDE_POINTS / math.sqrt(len(copies))
    size = min(max(_NUMBER_SHARE * distance, _MIN_NUMBER), _MAX_NUMBER)
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size, "weight": "bold"}
    style["path_effects"] = [withStroke(linewidth=size / 4, foreground="white")]

    for k, copy in enumerate(copies):
        chosen = np.searchsorted(graph.qubits, np.concatenate([*copy.hidden, *copy.output]))
        x, y = np.median(bars[chosen].mean(axis=1), axis=0)
        axes.text(x, y, str(k + 1), **style)


def _finish(
    axes: Axes, graph: WorkingGraph, copies: Sequence[Embedding], legend: list[Artist]
) -> None:
    """Adds the title and the legend."""
    axes.autoscale_view()
    axes.invert_yaxis()  # row 0 is on top, as in D-Wave's own plots
    axes.set_axis_off()

    name = f"{len(copies[0].hidden)} hidden and {len(copies[0].output)} output spins"
    size = " x ".join(map(str, graph.shape))
    chip = f"{graph.topology.capitalize()} {size}, {len(graph.qubits)} working qubits"
    axes.set_title(
        f"{len(copies)} disjoint {'copies' if len(copies) > 1 else 'copy'} of {name} on {chip}",
        fontsize=18,
    )

    title = (
        "light: hidden chains, dark: output chains\ncopy: qubits, longest hidden and output chain"
    )
    axes.figure.legend(
        handles=legend, title=title, loc="outside right upper", fontsize=13, title_fontsize=13
    )
