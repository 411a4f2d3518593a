"""The straight lines of working qubits on a chip, and the rectangles in which they cross.

A vertical line whose qubits work along some rows and a horizontal line whose qubits work along some
columns cross once where these rows and columns meet, and an internal coupler joins them there. So
the lines that span a rectangle are the chains of a complete bipartite network:

         columns 2-3
          |   |   |        vertical lines that span rows 5-6: hidden chains
    row 5-+---+---+-
    row 6-+---+---+-       horizontal lines that span columns 2-3: output chains
          |   |   |
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.fabric import HORIZONTAL, VERTICAL, Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph

Window = tuple[int, int]  # a range of units: the first, and one past the last
Windows = NDArray[np.int64]  # (n, 2), n ranges of units
Chains = tuple[tuple[int, ...], ...]  # the qubits of each chain, one chain for a spin

_IMPOSSIBLE = 2**31  # stands for the number of qubits where there are not enough lines


class Rectangle(NamedTuple):
    """A rectangle that may hold a biclique.

    Hidden chains are lines of `direction` in the units `hidden`; output chains are lines of the
    other direction in the units `output`.
    """

    direction: int
    hidden: Window
    output: Window


class Lines:
    """The lines of working qubits on a chip that are not in use.

    Args:
        graph: the chip.
    """

    def __init__(self, graph: WorkingGraph) -> None:
        """Places the qubits and couplers of the chip on its lines."""
        fabric = Fabric.of(graph)
        self._fabric = fabric

        # (direction, line, segment): the qubit, or -1; whether a coupler joins it to the next one.
        shape = (2, len(fabric.unit), int(fabric.place[:, 2].max()) + 1)
        self._qubit = np.full(shape, -1)
        self._qubit[tuple(fabric.place.T)] = graph.qubits
        ends = fabric.place[np.searchsorted(graph.qubits, graph.couplers)]  # (E, 2 ends, 3)
        external = (ends[:, 0, :2] == ends[:, 1, :2]).all(axis=1)
        self._joined = np.zeros(shape, dtype=np.int64)
        self._joined[tuple(ends[external, 0].T)] = 1

        # (vertical line, horizontal line): whether a coupler joins them. The first qubit of an
        # internal coupler is the vertical one, since vertical qubits have the lower numbers.
        internal = ends[ends[:, 0, 0] != ends[:, 1, 0], :, 1]
        self._crosses = np.zeros(shape[1:2] * 2, dtype=bool)
        self._crosses[tuple(internal.T)] = True

        # Unit k is crossed by the lines from bounds[k] to bounds[k + 1] - 1.
        self._bounds = np.searchsorted(fabric.unit, np.arange(fabric.num_units + 1))
        self._count_runs()

    @property
    def num_units(self) -> int:
        """The number of units along a line, which is the same in both directions."""
        return self._fabric.num_units

    def remove(self, qubits: tuple[int, ...]) -> None:
        """Marks qubits as used."""
        self._qubit[np.isin(self._qubit, qubits)] = -1
        self._count_runs()

    def _count_runs(self) -> None:
        """Counts, from each segment on, how many segments in a row are free and joined."""
        self._run = np.zeros_like(self._qubit)
        following = np.zeros(self._qubit.shape[:2], dtype=np.int64)
        for segment in reversed(range(self._qubit.shape[2])):
            free = self._qubit[..., segment] >= 0
            following = free * (1 + self._joined[..., segment] * following)
            self._run[..., segment] = following

    def rectangles(self, num_hidden: int, num_output: int) -> NDArray[np.int64]:
        """Returns all rectangles that may hold the biclique.

        Returns:
            (n, 6), in each row: qubits, direction, hidden window, output window. The number of
            qubits is a lower bound: missing internal couplers can make a biclique larger, or
            impossible.
        """
        hidden, output = self._windows(num_hidden), self._windows(num_output)
        rows = []
        for direction in (VERTICAL, HORIZONTAL):
            qubits = self._min_qubits(direction, output, hidden, num_hidden).T
            qubits = qubits + self._min_qubits(1 - direction, hidden, output, num_output)
            i, k = np.nonzero(qubits < _IMPOSSIBLE)
            directions = np.full(len(i), direction)
            rows.append(np.column_stack([qubits[i, k], directions, hidden[i], output[k]]))
        return np.concatenate(rows)

    def max_beside(self, num_spins: int) -> int:
        """Returns how many spins a rectangle can hold at most beside `num_spins` others."""
        there, here = self._windows(num_spins), self._all_windows(1)
        best = 0
        for direction in (VERTICAL, HORIZONTAL):
            enough = self._counts(1 - direction, here, there)[0] >= num_spins
            beside = self._counts(direction, there, here)[0].T * enough
            best = max(best, int(beside.max(initial=0)))
        return best

    def biclique(
        self, where: Rectangle, num_hidden: int, num_output: int
    ) -> tuple[Chains, Chains] | None:
        """Returns the shortest hidden and output chains in a rectangle that all cross each other.

        Returns:
            (hidden chains, output chains), or None where there are too few of them.
        """
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

    def _all_windows(self, min_units: int) -> Windows:
        """Returns all windows of at least `min_units` units."""
        windows: Windows = np.stack(np.triu_indices(self.num_units + 1, min_units), axis=1)
        return windows

    def _windows(self, num_lines: int) -> Windows:
        """Returns the windows that so many lines can cross, up to twice as wide plus 2 units."""
        min_units = -(-num_lines // self._fabric.width)
        windows = self._all_windows(min_units)
        return windows[np.diff(windows)[:, 0] <= 2 * min_units + 2]

    def _span(self, direction: int, across: Windows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns which segments of each line span each window, both results (windows, lines).

        Returns:
            (first segment, number of segments); the number is 0 where not all of them are free.
        """
        fabric = self._fabric
        first = (across[:, :1] - fabric.start[direction]) // fabric.reach
        count = (across[:, 1:] - 1 - fabric.start[direction]) // fabric.reach + 1 - first

        inside = (first >= 0) & (first < self._qubit.shape[2])
        run = self._run[direction, np.arange(len(fabric.unit)), np.where(inside, first, 0)]
        return first, np.where(inside & (run >= count), count, 0)

    def _counts(
        self, direction: int, across: Windows, along: Windows
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Counts the lines in each window `along` that span each window `across`.

        Returns:
            (all of these lines, those with the fewest segments), both (across, along).
        """
        segments = self._span(direction, across)[1]
        counts = []
        for which in (segments > 0, segments == self._min_segments(across)):
            before = np.pad(which.cumsum(axis=1), ((0, 0), (1, 0)))[:, self._bounds]
            counts.append(before[:, along[:, 1]] - before[:, along[:, 0]])
        return counts[0], counts[1]

    def _min_segments(self, windows: Windows) -> NDArray[np.int64]:
        """Returns the min number of segments that span each window: (windows, 1).

        Lines whose segments begin elsewhere need one more.
        """
        segments: NDArray[np.int64] = -(-np.diff(windows) // self._fabric.reach)
        return segments

    def _min_qubits(
        self, direction: int, across: Windows, along: Windows, num_lines: int
    ) -> NDArray[np.int64]:
        """Returns the number of qubits in the `num_lines` shortest lines: (across, along)."""
        spanning, shortest = self._counts(direction, across, along)
        qubits = num_lines * self._min_segments(across) + np.maximum(0, num_lines - shortest)
        return np.where(spanning >= num_lines, qubits, _IMPOSSIBLE)

    def _spanning(self, direction: int, across: Window, along: Window) -> NDArray[np.int64]:
        """Returns the lines in the window `along` that span `across`, shortest lines first."""
        segments = self._span(direction, np.array([across]))[1][0]
        lines = np.arange(self._bounds[along[0]], self._bounds[along[1]])
        lines = lines[segments[lines] > 0]
        shortest_first: NDArray[np.int64] = lines[np.argsort(segments[lines], kind="stable")]
        return shortest_first

    def _chains(self, direction: int, across: Window, lines: NDArray[np.int64]) -> Chains:
        """Returns the qubits of lines that span a window."""
        first, count = (found[0, lines] for found in self._span(direction, np.array([across])))
        spans = zip(lines, first, first + count, strict=True)
        return tuple(
            tuple(self._qubit[direction, line, start:end].tolist()) for line, start, end in spans
        )


def _complete(
    crosses: NDArray[np.bool_], min_rows: int, min_columns: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Removes rows and columns until all that are left cross; None where too few are left.

    Each step removes the row or column with the most missing crossings; of equals, a row where rows
    are the more abundant.
    """
    rows, columns = np.ones(crosses.shape[0], dtype=bool), np.ones(crosses.shape[1], dtype=bool)
    while rows.sum() >= min_rows and columns.sum() >= min_columns:
        missing = ~crosses & rows[:, None] & columns
        if not missing.any():
            return rows, columns

        of_row, of_column = missing.sum(axis=1), missing.sum(axis=0)
        spare_rows = rows.sum() / min_rows >= columns.sum() / min_columns
        if (of_row.max(), spare_rows) > (of_column.max(), False):
            rows[of_row.argmax()] = False
        else:
            columns[of_column.argmax()] = False
    return None
