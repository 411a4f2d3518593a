"""The straight lines of working qubits on a chip, and the rectangles in which they cross: each is a biclique.

Every vertical line that works along some rows and every horizontal line that works along some columns cross once where
rows and columns meet, and an internal coupler joins them there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.fabric import HORIZONTAL, VERTICAL, Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph

Window = tuple[int, int]  # units: the first, and one past the last
Windows = NDArray[np.int64]  # (n, 2)
Chains = tuple[tuple[int, ...], ...]  # of qubits, each chain for a spin

_TOO_MANY = 2**31  # qubits: there are no lines for it


class Rectangle(NamedTuple):
    """Where a biclique may lie: hidden lines of `direction` in `hidden` units, the output lines across in `output`."""

    direction: int
    hidden: Window
    output: Window


class Lines:
    """The working lines of a chip, of which some can be taken away.

    Args:
        graph: the chip.
    """

    def __init__(self, graph: WorkingGraph) -> None:
        """See the class."""
        fabric = Fabric.of(graph)
        self._fabric = fabric
        shape = (2, len(fabric.unit), int(fabric.place[:, 2].max()) + 1)
        self._qubit = np.full(shape, -1)
        self._qubit[tuple(fabric.place.T)] = graph.qubits
        ends = fabric.place[np.searchsorted(graph.qubits, graph.couplers)]  # (E, 2 ends, 3)
        external = (ends[:, 0, :2] == ends[:, 1, :2]).all(axis=1)
        self._joined = np.zeros(shape, dtype=np.int64)  # 1: with the next segment
        self._joined[tuple(ends[external, 0].T)] = 1
        internal = ends[
            ends[:, 0, 0] != ends[:, 1, 0], :, 1
        ]  # vertical qubits have the lower numbers
        self._crosses = np.zeros(shape[1:2] * 2, dtype=bool)  # [vertical line, horizontal line]
        self._crosses[tuple(internal.T)] = True
        self._bounds = np.searchsorted(
            fabric.unit, np.arange(fabric.num_units + 1)
        )  # lines of unit k: k, k + 1
        self._measure()

    @property
    def num_units(self) -> int:
        """Units of the chip, the same in both directions."""
        return self._fabric.num_units

    def take_away(self, qubits: tuple[int, ...]) -> None:
        """From now on these qubits are in use."""
        self._qubit[np.isin(self._qubit, qubits)] = -1
        self._measure()

    def _measure(self) -> None:
        """Counts how many segments in a row work, from each one on."""
        self._run = np.zeros_like(self._qubit)
        following = np.zeros(self._qubit.shape[:2], dtype=np.int64)
        for segment in reversed(range(self._qubit.shape[2])):
            following = (self._qubit[..., segment] >= 0) * (
                1 + self._joined[..., segment] * following
            )
            self._run[..., segment] = following

    def rectangles(self, num_hidden: int, num_output: int) -> NDArray[np.int64]:
        """(n, 6): qubits, direction, hidden window, output window of all rectangles that may hold the biclique.

        The qubits are a lower bound: missing internal couplers can cost some more, or all.
        """
        hidden, output = self._windows(num_hidden), self._windows(num_output)
        rows = []
        for direction in (VERTICAL, HORIZONTAL):
            qubits = self._least_qubits(direction, output, hidden, num_hidden).T
            qubits = qubits + self._least_qubits(1 - direction, hidden, output, num_output)
            i, k = np.nonzero(qubits < _TOO_MANY)
            rows.append(
                np.column_stack([qubits[i, k], np.full(len(i), direction), hidden[i], output[k]])
            )
        return np.concatenate(rows)

    def most_beside(self, num_spins: int) -> int:
        """The most spins that a rectangle may hold on one side with `num_spins` on the other."""
        there, here = self._windows(num_spins), self._all_windows(1)
        most = 0
        for direction in (VERTICAL, HORIZONTAL):
            enough = self._counts(1 - direction, here, there)[0] >= num_spins
            most = max(
                most, int((self._counts(direction, there, here)[0].T * enough).max(initial=0))
            )
        return most

    def biclique(
        self, where: Rectangle, num_hidden: int, num_output: int
    ) -> tuple[Chains, Chains] | None:
        """The shortest hidden and output chains in a rectangle; None if there are too few that cross each other."""
        hidden = self._spanning(where.direction, where.output, where.hidden)
        output = self._spanning(1 - where.direction, where.hidden, where.output)
        crosses = self._crosses if where.direction == VERTICAL else self._crosses.T
        kept = _complete(crosses[np.ix_(hidden, output)], num_hidden, num_output)
        if kept is None:
            return None
        hidden, output = hidden[kept[0]][:num_hidden], output[kept[1]][:num_output]
        return (
            self._chains(where.direction, where.output, hidden),
            self._chains(1 - where.direction, where.hidden, output),
        )

    def _all_windows(self, least: int) -> Windows:
        windows: Windows = np.stack(np.triu_indices(self.num_units + 1, least), axis=1)
        return windows

    def _windows(self, num_lines: int) -> Windows:
        """The windows with room for so many lines, and not for far more."""
        least = -(-num_lines // self._fabric.width)
        windows = self._all_windows(least)
        return windows[np.diff(windows)[:, 0] <= 2 * least + 2]

    def _span(self, direction: int, across: Windows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(windows, lines): the segment in which a window across the line begins, and how many it has; 0: not all."""
        fabric = self._fabric
        first = (across[:, :1] - fabric.start[direction]) // fabric.reach
        count = (across[:, 1:] - 1 - fabric.start[direction]) // fabric.reach + 1 - first
        inside = (first >= 0) & (first < self._qubit.shape[2])
        run = self._run[direction, np.arange(len(fabric.unit)), np.where(inside, first, 0)]
        return first, np.where(inside & (run >= count), count, 0)

    def _counts(
        self, direction: int, across: Windows, along: Windows
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(across, along): lines in the window `along` that span `across`, and those of them that do it shortest."""
        segments = self._span(direction, across)[1]
        found = []
        for which in (segments > 0, segments == self._fewest(across)):
            before = np.pad(which.cumsum(axis=1), ((0, 0), (1, 0)))[:, self._bounds]
            found.append(before[:, along[:, 1]] - before[:, along[:, 0]])
        return found[0], found[1]

    def _fewest(self, windows: Windows) -> NDArray[np.int64]:
        """(windows, 1): the fewest segments that span each window; some lines need one more."""
        fewest: NDArray[np.int64] = -(-np.diff(windows) // self._fabric.reach)
        return fewest

    def _least_qubits(
        self, direction: int, across: Windows, along: Windows, num_lines: int
    ) -> NDArray[np.int64]:
        """(across, along): the qubits of the shortest `num_lines` lines."""
        spanning, shortest = self._counts(direction, across, along)
        qubits = num_lines * self._fewest(across) + np.maximum(0, num_lines - shortest)
        return np.where(spanning >= num_lines, qubits, _TOO_MANY)

    def _spanning(self, direction: int, across: Window, along: Window) -> NDArray[np.int64]:
        """The lines in the window `along` that span `across`, those with the fewest segments first."""
        segments = self._span(direction, np.array([across]))[1][0]
        lines = np.arange(self._bounds[along[0]], self._bounds[along[1]])
        lines = lines[segments[lines] > 0]
        shortest_first: NDArray[np.int64] = lines[np.argsort(segments[lines], kind="stable")]
        return shortest_first

    def _chains(self, direction: int, across: Window, lines: NDArray[np.int64]) -> Chains:
        first, count = (found[0, lines] for found in self._span(direction, np.array([across])))
        spans = zip(lines, first, first + count, strict=True)
        return tuple(
            tuple(self._qubit[direction, line, start:end].tolist()) for line, start, end in spans
        )


def _complete(
    crosses: NDArray[np.bool_], least_rows: int, least_columns: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Rows and columns that all cross, left after dropping the worst; None if they get too few."""
    rows, columns = np.ones(crosses.shape[0], dtype=bool), np.ones(crosses.shape[1], dtype=bool)
    while rows.sum() >= least_rows and columns.sum() >= least_columns:
        missing = ~crosses & rows[:, None] & columns
        if not missing.any():
            return rows, columns
        of_row, of_column = missing.sum(axis=1), missing.sum(axis=0)
        spare_rows = rows.sum() / least_rows >= columns.sum() / least_columns
        if (of_row.max(), spare_rows) > (of_column.max(), False):
            rows[of_row.argmax()] = False
        else:
            columns[of_column.argmax()] = False
    return None
