"""Bicliques of crossing paths: chains for chips on which straight lines are often broken.

In a rectangle of a chip, each path of qubits from its upper to its lower side crosses each path
from its left to its right side, whatever lines they follow, and where they cross, an internal
coupler joins them. So disjoint paths of both kinds are the chains of a complete bipartite network.
A path passes a broken qubit by an odd coupler to the parallel line beside it, or by way of a free
qubit of the other direction:

          |   |   |
    ------+---+   |        the output chain moves to the next line where its own is broken
          |   +---+---
          |   |   |        hidden chains
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from isingprop.qpu.chip.fabric import HORIZONTAL, VERTICAL, Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.contacts import Contacts
from isingprop.qpu.embed.disjoint_paths import disjoint_paths
from isingprop.qpu.embed.lines import Chains, Rectangle
from isingprop.util.checks import Doubles

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

# Paths of one kind are found after those of the other kind, so often in turn.
_ROUNDS = 3
# Costs in qubits. Before output paths are known, a hidden path that takes an output line, and one
# that lacks a coupler to such a line, may be in their way.
_COST_IN_THE_WAY, _COST_PERHAPS_MISSING = 3.0, 0.3
_COST_MISSING = 1.7  # of a coupler that two paths lack where they cross: qubits of another way
# Qubits of a path beyond those for its units: half a qubit for its ends, half for its detours.
_BESIDE = 1.0
# The time of a small rectangle, and of listing the rectangles of one shape, in qubits of a large
# rectangle that take as long: about 30 us each.
_WORK_OF_RECTANGLE, _WORK_OF_SHAPE = 200, 4
# Rectangles are up to this times as wide as without defects, and some units more.
_MAX_STRETCH, _MAX_MARGIN = 1.5, 3


class CrossingPaths:
    """Finds bicliques of crossing paths on the qubits of a chip that are not in use.

    Args:
        graph: the chip.

    Example:
        >>> paths = CrossingPaths(WorkingGraph.perfect("zephyr", 3))
        >>> hidden, output = paths.biclique(Rectangle(VERTICAL, (1, 5), (1, 3)), 30, 10)
        >>> len(hidden), len(output), max(map(len, hidden)), max(map(len, output))
        (30, 10, 2, 3)
    """

    def __init__(self, graph: WorkingGraph) -> None:
        """Places all qubits of the chip; all are free."""
        self._fabric = Fabric.of(graph)
        self.num_units = self._fabric.num_units  #: units along a line, the same in both directions
        self.work = 0  #: grows with the time spent, in the same way on every machine

        self._qubits = graph.qubits
        self._neighbours = graph.neighbours()
        self._free = np.append(np.ones(len(graph.qubits), dtype=bool), False)
        ends = np.searchsorted(graph.qubits, graph.couplers)
        self._couplers = np.concatenate([ends, ends[:, ::-1]])

        # The unit of each qubit's line, and the units that it crosses: from first to last - 1.
        self._direction, line, segment = self._fabric.place.T
        self._unit = self._fabric.unit[line]
        self._first = self._fabric.start[self._direction, line] + self._fabric.reach * segment
        self._last = self._first + self._fabric.reach

    @property
    def is_empty(self) -> bool:
        """Whether no qubit is in use."""
        return bool(self._free[:-1].all())

    def release(self) -> None:
        """Marks all qubits as free."""
        self._free[:-1] = True

    def remove(self, qubits: tuple[int, ...]) -> None:
        """Marks qubits as used."""
        self._free[np.searchsorted(self._qubits, qubits)] = False

    def rectangles(self, num_hidden: int, num_output: int) -> Indices:
        """Returns all rectangles with enough free qubits for the paths.

        Returns:
            (n, 6), in each row: qubits, direction, hidden window, output window, as in
            `Lines.rectangles`. The number of qubits is a guess.
        """
        lines = [self._crossing_lines(direction) for direction in (VERTICAL, HORIZONTAL)]
        rows = [
            self._rectangles(lines, direction, length, num_hidden, num_output)
            for direction in (VERTICAL, HORIZONTAL)
            for length in self._lengths(num_output)
        ]
        num_shapes = 2 * len(self._lengths(num_hidden)) * len(self._lengths(num_output))
        self.work += self.num_units**2 + _WORK_OF_SHAPE * num_shapes
        return np.concatenate([np.empty((0, 6), dtype=np.int64), *rows])

    def biclique(
        self, where: Rectangle, num_hidden: int, num_output: int
    ) -> tuple[Chains, Chains] | None:
        """Returns hidden and output chains in a rectangle that are all coupled to each other.

        Returns:
            (hidden chains, output chains), or None where they were not found. Qubits outside the
            rectangle may help where two chains lack a coupler.
        """
        area = self._area(where)
        self.work += len(area.qubits) + _WORK_OF_RECTANGLE
        paths = _crossing(area, num_hidden, num_output)
        if paths is None:
            return None

        hidden, output = ([area.qubits[path] for path in side] for side in paths)
        contacts = Contacts(self._neighbours, self._free, hidden, output)
        if not contacts.complete():
            return None

        contacts.prune()
        chains = [tuple(self._qubits[chain].tolist()) for chain in contacts.chains]
        return tuple(chains[:num_hidden]), tuple(chains[num_hidden:])

    def _lengths(self, num_spins: int) -> range:
        """Returns how many units wide the lines of so many spins may be."""
        least = -(-num_spins // self._fabric.width)
        return range(least, min(self.num_units, int(_MAX_STRETCH * least) + _MAX_MARGIN) + 1)

    def _rectangles(
        self, lines: list[Indices], direction: int, output: int, num_hidden: int, num_output: int
    ) -> Indices:
        """Returns the rectangles whose output windows are `output` units wide: (n, 6).

        `lines` has what `_crossing_lines` counts in each direction.

        Hidden paths keep to their unit unless there is no other way, so that the free qubits of a
        unit in its emptiest row count; output paths may move between units.
        """
        across, along = lines[direction], lines[1 - direction]
        emptiest = sliding_window_view(across, output, axis=1).min(axis=2)
        paths_before = np.pad(emptiest.cumsum(axis=0), ((1, 0), (0, 0)))
        outputs = sliding_window_view(along, output, axis=0).sum(axis=2)

        found = [np.empty((0, 6), dtype=np.int64)]
        for hidden in self._lengths(num_hidden):
            enough = paths_before[hidden:] - paths_before[:-hidden] >= num_hidden
            if not enough.any():
                continue
            fewest = sliding_window_view(outputs, hidden, axis=1).min(axis=2).T
            x, y = np.nonzero(enough & (fewest >= num_output))
            qubits = self._guess(num_hidden, output) + self._guess(num_output, hidden)
            constant = np.broadcast_to([int(qubits), direction], (len(x), 2))
            found.append(np.column_stack([constant, x, x + hidden, y, y + output]))
        return np.concatenate(found)

    def _guess(self, num_paths: int, units: int) -> float:
        """Returns the qubits that so many paths across so many units take about."""
        return num_paths * (units / self._fabric.reach + _BESIDE)

    def _crossing_lines(self, direction: int) -> Indices:
        """Returns how many free lines of a unit cross each unit of the other direction."""
        chosen = np.flatnonzero(self._free[:-1] & (self._direction == direction))
        crossed = (self._first[chosen, None] + np.arange(self._fabric.reach)).ravel()
        unit = np.repeat(self._unit[chosen], self._fabric.reach)
        inside = (crossed >= 0) & (crossed < self.num_units)
        places = unit[inside] * self.num_units + crossed[inside]
        count = np.bincount(places, minlength=self.num_units**2)
        return count.reshape(self.num_units, self.num_units)

    def _area(self, where: Rectangle) -> _Area:
        """Returns the free qubits in a rectangle, and how they are joined."""
        sides = {where.direction: (where.hidden, where.output)}
        sides[1 - where.direction] = where.output, where.hidden
        inside = self._free[:-1].copy()
        for direction, (unit, crossed) in sides.items():
            touches = (self._unit >= unit[0]) & (self._unit < unit[1])
            touches &= (self._first < crossed[1]) & (self._last > crossed[0])
            inside &= touches | (self._direction != direction)

        qubits = np.flatnonzero(inside)
        number = np.full(len(self._free), -1)
        number[qubits] = np.arange(len(qubits))
        couplers = number[self._couplers]
        couplers = couplers[(couplers >= 0).all(axis=1)]

        first, last = self._first[qubits], self._last[qubits]
        is_hidden = self._direction[qubits] == where.direction
        begin = np.where(is_hidden, first <= where.output[0], first <= where.hidden[0])
        end = np.where(is_hidden, last >= where.output[1], last >= where.hidden[1])
        missing = _missing(is_hidden, self._unit[qubits], first, last, couplers)
        return _Area(qubits, couplers, is_hidden, begin, end, missing)


@dataclass(frozen=True, eq=False)
class _Area:
    """The n free qubits in a rectangle, numbered 0 ... n - 1."""

    qubits: Indices  #: (n,), numbers of the chip's qubits
    couplers: Indices  #: (E, 2), in both directions
    is_hidden: Mask  #: (n,), whether a qubit has the direction of hidden chains
    begin: Mask  #: (n,), whether a path of the qubit's direction may begin with it
    end: Mask  #: (n,), whether a path of the qubit's direction may end with it
    missing: Indices  #: (k, 2), a hidden and an output qubit that cross without a coupler

    def paths(
        self, hidden: bool, allowed: Mask, cost: Doubles, number: int
    ) -> list[Indices] | None:
        """Returns disjoint hidden or output paths over the qubits allowed, as (length,) numbers."""
        nodes = np.flatnonzero(allowed)
        position = np.full(len(allowed), -1)
        position[nodes] = np.arange(len(nodes))
        edges = position[self.couplers]

        own = (self.is_hidden == hidden)[nodes]
        found = disjoint_paths(
            edges[(edges >= 0).all(axis=1)],
            cost[nodes],
            own & self.begin[nodes],
            own & self.end[nodes],
            number,
        )
        return None if found is None else [nodes[path] for path in found]


def _missing(
    is_hidden: Mask, unit: Indices, first: Indices, last: Indices, couplers: Indices
) -> Indices:
    """Returns the pairs of a hidden and an output qubit that cross without a coupler: (k, 2)."""
    hidden, output = np.flatnonzero(is_hidden), np.flatnonzero(~is_hidden)
    row = np.full(len(unit), -1)
    row[hidden], row[output] = np.arange(len(hidden)), np.arange(len(output))

    lacks = (unit[output] >= first[hidden, None]) & (unit[output] < last[hidden, None])
    lacks &= (unit[hidden, None] >= first[output]) & (unit[hidden, None] < last[output])
    across = couplers[is_hidden[couplers[:, 0]] & ~is_hidden[couplers[:, 1]]]
    lacks[row[across[:, 0]], row[across[:, 1]]] = False
    i, k = np.nonzero(lacks)
    return np.column_stack([hidden[i], output[k]])


def _crossing(
    area: _Area, num_hidden: int, num_output: int
) -> tuple[list[Indices], list[Indices]] | None:
    """Returns hidden and output paths with few qubits and few couplers that are missing."""
    size = len(area.qubits)
    best, least = None, np.inf
    output_used = np.zeros(size, dtype=bool)
    for turn in range(_ROUNDS):
        cost = np.ones(size) + _COST_MISSING * _lacking(area.missing, 0, output_used)
        if turn == 0:
            perhaps = _lacking(area.missing, 0, np.ones(size, dtype=bool))
            cost = np.where(area.is_hidden, 1 + _COST_PERHAPS_MISSING * perhaps, _COST_IN_THE_WAY)
        hidden = area.paths(True, ~output_used, cost, num_hidden)
        if hidden is None:
            break

        hidden_used = _mask(size, hidden)
        cost = np.ones(size) + _COST_MISSING * _lacking(area.missing, 1, hidden_used)
        output = area.paths(False, ~hidden_used, cost, num_output)
        if output is None:
            break

        output_used = _mask(size, output)
        total = hidden_used.sum() + cost[output_used].sum()
        if total >= least:
            break
        best, least = (hidden, output), total
    return best


def _lacking(missing: Indices, side: int, used: Mask) -> Doubles:
    """Returns how many couplers each qubit of a side lacks to the used qubits of the other."""
    own, other = missing[:, side], missing[:, 1 - side]
    weights = used[other].astype(np.float64)
    number: Doubles = np.bincount(own, weights, len(used)).astype(np.float64)
    return number


def _mask(size: int, paths: list[Indices]) -> Mask:
    """Returns which of so many qubits the paths take."""
    used = np.zeros(size, dtype=bool)
    used[np.concatenate(paths)] = True
    return used
