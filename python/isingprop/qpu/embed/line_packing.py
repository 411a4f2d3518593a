"""Packs a chip with copies of a network whose chains are straight lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding, better
from isingprop.qpu.embed.lines import Lines
from isingprop.qpu.embed.packing_order import PackingOrder, overlap, rectangle

# A copy with far longer chains than the first one breaks too often to be of use.
MAX_LENGTH_RATIO = 1.5
# Rectangles that fail in a row, for missing internal couplers, before the chip counts as full.
_PATIENCE = 300
# Once the packings so far have more copies than this in all, no further packing is tried.
_MAX_TRIED = 500
_ORDERS = tuple(
    PackingOrder(*values)
    for values in itertools.product(
        (1.1, 1.2, 1.05), (0, 1), (False, True), (False, True), (False, True)
    )
)


def line_packing(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Returns the copies of the packing with the most of them, of equals with the fewest qubits.

    A copy is a rectangle of crossing straight lines of qubits, in the orientation that takes fewer
    qubits. The chip is packed with them in several orders.

    References:
        Boothby et al. 2016, arXiv:1507.04774, and Goodrich et al. 2018, arXiv:1704.01996.
    """
    best: list[Embedding] = []
    tried = 0
    for order in _ORDERS:
        copies = list(_pack(graph, num_hidden, num_output, order))
        best = better(best, copies)
        tried += len(copies)
        if not best or tried > _MAX_TRIED:
            break
    return best


def _pack(
    graph: WorkingGraph, num_hidden: int, num_output: int, order: PackingOrder
) -> Iterator[Embedding]:
    """Yields copies, one rectangle after another, until many rectangles in a row fail."""
    lines, max_qubits = Lines(graph), np.inf
    filled = False
    while not filled:
        rectangles = lines.rectangles(num_hidden, num_output)
        fewest = rectangles[:, 0].min(initial=len(graph.qubits))
        max_qubits = min(max_qubits, MAX_LENGTH_RATIO * fewest)
        rectangles = order.sorted(rectangles[rectangles[:, 0] <= max_qubits], lines.num_units)

        filled, failures = True, 0
        while len(rectangles) and failures < _PATIENCE:
            where, rectangles = rectangles[0], rectangles[1:]
            chains = lines.biclique(rectangle(where), num_hidden, num_output)
            failures += 1
            if chains is not None and (copy := Embedding(*chains)).num_qubits <= max_qubits:
                yield copy
                lines.remove(copy.qubits)
                rectangles = rectangles[~overlap(rectangles, where)]
                filled, failures = False, 0
