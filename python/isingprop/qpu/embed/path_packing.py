"""Packs a chip with copies of a network whose chains are crossing paths."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.crossing_paths import CrossingPaths
from isingprop.qpu.embed.embedding import Embedding, better
from isingprop.qpu.embed.line_packing import MAX_LENGTH_RATIO
from isingprop.qpu.embed.packing_order import PackingOrder, rectangle

# Rectangles that fail in a row before an order is given up, and orders that fail in a row before
# the chip counts as full.
_PATIENCE, _MAX_ORDERS = 40, 3
# A copy whose longest chain is this times as long as that of another one is left out.
_MAX_CHAIN_RATIO = 2
_FACTORS = 1.08, 1.15, 1.3, 10.0  # the last one makes all rectangles equal in size


class PathPacking:
    """Packs a chip again and again, each time in another order; the best packing is kept.

    Args:
        graph: the chip.
        num_hidden: H, hidden spins of the network.
        num_output: O, output spins of the network.
        start: disjoint copies that are known, or none. The first packing adds copies to them.
        tried: number of packings that led to `start`; the orders of the others are new.
    """

    def __init__(
        self,
        graph: WorkingGraph,
        num_hidden: int,
        num_output: int,
        start: list[Embedding],
        tried: int = 0,
    ) -> None:
        """Takes the known copies; nothing is tried."""
        self.copies = start  #: the best copies so far
        self.tried = tried  #: number of packings so far
        self._graph = graph
        self._shape = num_hidden, num_output
        self._paths = CrossingPaths(graph)
        self._hopeless: set[tuple[int, ...]] = set()  # rectangles that failed on the empty chip

    @property
    def work(self) -> int:
        """The work so far, which its time grows with; it is the same on every machine."""
        return self._paths.work

    def improve(self) -> None:
        """Packs the chip once more, and keeps the better packing."""
        self._paths.release()
        kept = self.copies if self.tried == 0 else []
        for copy in kept:
            self._paths.remove(copy.qubits)

        packed = [*kept, *self._pack(np.random.default_rng(self.tried))]
        fewest = min((copy.num_qubits for copy in packed), default=0)
        shortest = min((copy.max_chain for copy in packed), default=0)
        packed = [
            copy
            for copy in packed
            if copy.num_qubits <= MAX_LENGTH_RATIO * fewest
            and copy.max_chain <= _MAX_CHAIN_RATIO * shortest
        ]
        self.tried += 1

        packed.sort(key=lambda copy: copy.num_qubits)
        self.copies = better(self.copies, packed)

    def _pack(self, random: np.random.Generator) -> Iterator[Embedding]:
        """Yields copies on the free qubits, in an order that changes at random.

        In half of the packings it changes for each copy, in the others only after a miss.
        """
        changes = bool(random.integers(2))
        order, misses = _random_order(random), 0
        while misses < _MAX_ORDERS:
            copy = self._next(order)
            misses = 0 if copy is not None else misses + 1
            if copy is not None:
                self._paths.remove(copy.qubits)
                yield copy
            if copy is None or changes:
                order = _random_order(random)

    def _next(self, order: PackingOrder) -> Embedding | None:
        """Returns the first copy that is found on the free qubits in an order."""
        rectangles = self._paths.rectangles(*self._shape)
        failures = 0
        for row in order.sorted(rectangles, self._paths.num_units):
            key = tuple(row.tolist())
            if key in self._hopeless:
                continue
            if failures == _PATIENCE:
                break

            chains = self._paths.biclique(rectangle(row), *self._shape)
            if chains is not None and (copy := Embedding(*chains)).fits(self._graph):
                return copy
            failures += 1
            if self._paths.is_empty:
                self._hopeless.add(key)
        return None


def _random_order(random: np.random.Generator) -> PackingOrder:
    """Returns a random order of rectangles."""
    factor = _FACTORS[random.integers(len(_FACTORS))]
    return PackingOrder(factor, *random.integers(2, size=4).tolist())
