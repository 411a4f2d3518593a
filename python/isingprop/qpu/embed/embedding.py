"""Embeddings of complete bipartite networks on a chip: every spin is a chain of qubits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.fabric import VERTICAL
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.lines import Chains, Lines, Rectangle
from isingprop.qpu.embed.stars import Star, Stars
from isingprop.util.checks import whole_number

# Version of find_copies in the keys of stored embeddings; a change of what it finds changes it.
ALGORITHM = 2

# Time limit of minorminer, which needs half of it for the paper's network.
_SEARCH_SECONDS = 240
# A copy with far longer chains than the first one breaks too often to be of use.
_MAX_LENGTH_RATIO = 1.5
# Rectangles that fail in a row, for missing internal couplers, before the chip counts as full: when
# it is packed in several ways, and when nothing has fitted so far.
_PATIENCE, _MUCH_PATIENCE = 300, 30_000
# Once the packings so far have more copies than this in all, no further packing is tried.
_MAX_TRIED = 500
# An order in which rectangles are tried: (factor, direction, by rows, from the right, from below).
# Rectangles whose numbers of qubits differ by less than the factor count as equal; of these, those
# with hidden lines of the direction come first, then those nearest to one side of the chip, then
# those nearest to one of its corners.
Packing = tuple[float, int, bool, bool, bool]
_PACKINGS: tuple[Packing, ...] = tuple(
    itertools.product((1.1, 1.2, 1.05), (0, 1), (False, True), (False, True), (False, True))
)


@dataclass(frozen=True)
class Embedding:
    """One copy of a network on a chip: a chain of qubits for each hidden and each output spin.

    Args:
        hidden: H chains of qubits.
        output: O chains of qubits.
    """

    hidden: Chains
    output: Chains

    @property
    def num_qubits(self) -> int:
        """The number of qubits in all chains."""
        return len(self.qubits)

    @property
    def max_chain_hidden(self) -> int:
        """The number of qubits in the longest hidden chain."""
        return max(map(len, self.hidden))

    @property
    def max_chain_output(self) -> int:
        """The number of qubits in the longest output chain."""
        return max(map(len, self.output))

    @cached_property
    def qubits(self) -> tuple[int, ...]:
        """The qubits chain by chain, hidden chains first."""
        return tuple(itertools.chain(*self.hidden, *self.output))

    def fits(self, graph: WorkingGraph) -> bool:
        """Returns whether a graph has all qubits and couplers that the network needs.

        Chains must be disjoint and connected, and each hidden chain must be coupled to each output
        chain.
        """
        qubits = np.array(self.qubits, dtype=np.int64)
        chains = self.hidden + self.output
        if len(np.unique(qubits)) < len(qubits) or not np.isin(qubits, graph.qubits).all():
            return False

        chain_of = np.full(int(graph.qubits[-1]) + 1, -1)
        chain_of[qubits] = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
        couplers = graph.couplers[(chain_of[graph.couplers] >= 0).all(axis=1)]
        ends = chain_of[couplers]
        if not _connected(qubits, chain_of, couplers[ends[:, 0] == ends[:, 1]]):
            return False

        coupled = np.zeros((len(chains), len(chains)), dtype=bool)
        coupled[ends[:, 0], ends[:, 1]] = coupled[ends[:, 1], ends[:, 0]] = True
        return bool(coupled[: len(self.hidden), len(self.hidden) :].all())


def find_copies(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Finds disjoint copies of the network K_{H,O}, as many as it can.

    A copy is a rectangle of crossing straight lines of qubits, in the orientation that takes fewer
    qubits. The chip is packed with them in several ways, and the packing with the most copies is
    kept. Where not one rectangle fits, a network with one spin on one side is embedded as a star: a
    long chain for that spin, and a single qubit beside it for each other spin. For other networks
    minorminer searches for one copy of any form, for up to four minutes.

    Args:
        graph: the chip.
        num_hidden: H, hidden spins.
        num_output: O, output spins.

    Returns:
        At least one embedding, all checked against the graph, ordered by their number of qubits.

    Raises:
        ValueError: where none was found; the message says what fits.
        KeyboardInterrupt: on Ctrl-C.

    Example:
        >>> copies = find_copies(WorkingGraph.perfect("zephyr", 3), 30, 10)
        >>> [copy.num_qubits for copy in copies]
        [66, 66]
        >>> copies[0].max_chain_hidden, copies[0].max_chain_output
        (2, 3)

    References:
        Boothby et al. 2016, arXiv:1507.04774, and Goodrich et al. 2018, arXiv:1704.01996 (bicliques
        of straight lines); Guha & Khuller 1998, doi:10.1007/PL00009201 (stars); Cai et al. 2014,
        arXiv:1406.2741 (minorminer).
    """
    num_hidden = whole_number("num_hidden", num_hidden, least=1, most=len(graph.qubits))
    num_output = whole_number("num_output", num_output, least=1, most=len(graph.qubits))

    best = _best_packing(graph, num_hidden, num_output)
    if not best and min(num_hidden, num_output) == 1:
        best = _stars(graph, num_hidden, num_output)
    best = best or list(_pack(graph, num_hidden, num_output, _PACKINGS[0], _MUCH_PATIENCE))
    best = [copy for copy in best if copy.fits(graph)] or _search(graph, num_hidden, num_output)

    return sorted(best, key=lambda copy: copy.num_qubits)


def _best_packing(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Returns the copies of the packing with the most of them, of equals with the fewest qubits."""
    best: list[Embedding] = []
    tried = 0
    for packing in _PACKINGS:
        copies = list(_pack(graph, num_hidden, num_output, packing, _PATIENCE))
        best = min(
            best, copies, key=lambda found: (-len(found), sum(copy.num_qubits for copy in found))
        )
        tried += len(copies)
        if not best or tried > _MAX_TRIED:
            break
    return best


def _pack(
    graph: WorkingGraph, num_hidden: int, num_output: int, packing: Packing, patience: int
) -> Iterator[Embedding]:
    """Yields copies, one rectangle after another, until `patience` rectangles in a row fail."""
    lines, max_qubits = Lines(graph), np.inf
    filled = False
    while not filled:
        rectangles = lines.rectangles(num_hidden, num_output)
        fewest = rectangles[:, 0].min(initial=len(graph.qubits))
        max_qubits = min(max_qubits, _MAX_LENGTH_RATIO * fewest)
        rectangles = rectangles[rectangles[:, 0] <= max_qubits]
        rectangles = rectangles[np.lexsort(_order(rectangles, lines.num_units, *packing))]

        filled, failures = True, 0
        while len(rectangles) and failures < patience:
            where, rectangles = rectangles[0], rectangles[1:]
            chains = lines.biclique(_rectangle(where), num_hidden, num_output)
            failures += 1
            if chains is not None and (copy := Embedding(*chains)).num_qubits <= max_qubits:
                yield copy
                lines.remove(copy.qubits)
                rectangles = rectangles[~_overlap(rectangles, where)]
                filled, failures = False, 0


def _order(
    rectangles: NDArray[np.int64],
    num_units: int,
    factor: float,
    direction: int,
    by_rows: bool,
    right: bool,
    low: bool,
) -> tuple[NDArray[np.generic], ...]:
    """Returns the sort keys of rectangles in a `Packing`, the most significant key last."""
    qubits = rectangles[:, 0].astype(np.float64)
    columns, rows = _sides(rectangles)
    x = num_units - columns[:, 0] if right else columns[:, 1]
    y = num_units - rows[:, 0] if low else rows[:, 1]

    level = np.floor(np.log(qubits / qubits.min(initial=np.inf)) / np.log(factor))
    first, second = (y, x) if by_rows else (x, y)
    return qubits, second, first, rectangles[:, 1] != direction, level


def _rectangle(row: NDArray[np.int64]) -> Rectangle:
    """Returns a row of `Lines.rectangles` as a Rectangle."""
    _, direction, *windows = row.tolist()
    return Rectangle(direction, tuple(windows[:2]), tuple(windows[2:]))


def _sides(rectangles: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the columns and the rows of n rectangles, both (n, 2)."""
    hidden, output = rectangles[:, 2:4], rectangles[:, 4:6]
    upright = rectangles[:, 1:2] == VERTICAL
    return np.where(upright, hidden, output), np.where(upright, output, hidden)


def _overlap(rectangles: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns which of the rectangles overlap with another one."""
    pairs = zip(_sides(rectangles), _sides(other[None]), strict=True)
    meets = [(side[:, 0] < taken[:, 1]) & (taken[:, 0] < side[:, 1]) for side, taken in pairs]
    return meets[0] & meets[1]


def _stars(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Returns disjoint stars whose centres are at most 1.5 times as long as the shortest one."""
    stars, num_leaves = Stars(graph), max(num_hidden, num_output)
    copies: list[Embedding] = []
    max_length = np.inf
    while (star := stars.find(num_leaves)) is not None and len(star.centre) <= max_length:
        max_length = min(max_length, _MAX_LENGTH_RATIO * len(star.centre))
        copies.append(_copy_of(star, num_output))
        stars.remove(copies[-1].qubits)

    if not copies:
        raise ValueError(
            f"num_hidden and num_output must fit on {graph.graph_id}, got {num_hidden} and "
            f"{num_output}; beside 1 spin at most {len(stars.largest().leaves)} were found to fit"
        )
    return copies


def _copy_of(star: Star, num_output: int) -> Embedding:
    """Returns a star as an embedding; its centre is the spin that is alone on its side."""
    leaves = tuple((qubit,) for qubit in star.leaves)
    if num_output == 1:
        return Embedding(leaves, (star.centre,))
    return Embedding((star.centre,), leaves)


def _search(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Returns one embedding of any form, found by minorminer."""
    import networkx
    from minorminer import find_embedding

    num_spins, num_couplings = num_hidden + num_output, num_hidden * num_output
    if num_spins <= len(graph.qubits) and num_couplings <= len(graph.couplers):
        network = networkx.complete_bipartite_graph(num_hidden, num_output)
        found = find_embedding(network, graph.to_networkx(), timeout=_SEARCH_SECONDS, random_seed=0)
        chains = tuple(tuple(found[spin]) for spin in sorted(found))
        copy = Embedding(chains[:num_hidden], chains[num_hidden:])
        if found and copy.fits(graph):
            return [copy]

    lines = Lines(graph)
    raise ValueError(
        f"num_hidden and num_output must fit on {graph.graph_id}, got {num_hidden} and "
        f"{num_output}; beside {num_output} spins there is room for at most "
        f"{lines.max_beside(num_output)}, "
        f"beside {num_hidden} for at most {lines.max_beside(num_hidden)}"
    )


def _connected(
    qubits: NDArray[np.int64], chain_of: NDArray[np.int64], couplers: NDArray[np.int64]
) -> bool:
    """Returns whether the couplers, each inside a chain, connect the qubits of every chain.

    Each connected piece ends up with the lowest number of its qubits, which spreads by one coupler
    per round.
    """
    piece = np.arange(len(chain_of))
    while True:
        before = piece.copy()
        np.minimum.at(piece, couplers[:, 0], before[couplers[:, 1]])
        np.minimum.at(piece, couplers[:, 1], before[couplers[:, 0]])
        if (piece == before).all():
            return len(np.unique(piece[qubits])) == len(np.unique(chain_of[qubits]))
