"""Pictures of embeddings."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from isingprop.qpu.chip.fabric import Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding
from isingprop.util.files import write_atomically

_INCHES, _DPI = (16.0, 12.6), 100  # 1600 x 1260 pixels
_SIDE_POINTS = 850.0  # of the chip, in points of 1/72 inch
_MOST_IN_LEGEND = 30
_GAP = 0.06  # of a qubit's length, at each end, so that the qubits of a chain can be told apart
_PAIRS = (
    0,
    2,
    4,
    6,
    8,
    10,
    12,
    16,
    18,
)  # dark colours of tab20, each before its light one; grey is for what is left
_UNUSED = (0.86, 0.86, 0.86, 1.0)


def draw_copies(
    graph: WorkingGraph, copies: Sequence[Embedding], path: str | os.PathLike[str]
) -> None:
    """Draws a chip: each working qubit is a bar, light in the hidden chains of a copy and dark in its output chains.

    Args:
        graph: the chip.
        copies: disjoint embeddings on it.
        path: a PNG file, made or replaced.

    Raises:
        OSError: where it cannot be written.
    """
    fabric = Fabric.of(graph)
    bars = fabric.bars()
    bars += _GAP * (bars[:, ::-1] - bars)
    line_points = _SIDE_POINTS / len(fabric.unit)
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    axes.add_collection(LineCollection(list(bars), colors=[_UNUSED], linewidths=0.3 * line_points))
    unused = len(graph.qubits) - sum(copy.num_qubits for copy in copies)
    legend: list[Artist] = [Line2D([], [], color=_UNUSED, lw=4, label=f"not used: {unused} qubits")]
    for k, copy in enumerate(copies):
        dark, light = (colormaps["tab20"](_PAIRS[k % len(_PAIRS)] + shade) for shade in (0, 1))
        for chains, colour, width in ((copy.hidden, light, 0.8), (copy.output, dark, 0.5)):
            chosen = np.searchsorted(graph.qubits, np.concatenate(chains))
            axes.add_collection(
                LineCollection(list(bars[chosen]), colors=[colour], linewidths=width * line_points)
            )
        if k < _MOST_IN_LEGEND:
            legend.append(Patch(facecolor=light, edgecolor=dark, lw=3, label=_label(k, copy)))
    if len(copies) > _MOST_IN_LEGEND:
        legend.append(Line2D([], [], lw=0, label=f"and {len(copies) - _MOST_IN_LEGEND} more"))
    _finish(axes, graph, copies, legend)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    write_atomically(path, content.getvalue())


def _finish(
    axes: Axes, graph: WorkingGraph, copies: Sequence[Embedding], legend: list[Artist]
) -> None:
    axes.autoscale_view()
    axes.invert_yaxis()  # row 0 on top, as D-Wave draws them
    axes.set_axis_off()
    name = f"{len(copies[0].hidden)} hidden and {len(copies[0].output)} output spins"
    chip = f"{graph.topology.capitalize()} {'x'.join(map(str, graph.shape))}, {len(graph.qubits)} working qubits"
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


def _label(index: int, copy: Embedding) -> str:
    return f"{index + 1}: {copy.num_qubits}, {copy.max_chain_hidden} and {copy.max_chain_output}"
