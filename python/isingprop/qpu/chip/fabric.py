"""The places of a chip's qubits, which are segments of straight vertical and horizontal lines.

An external coupler joins a segment to the next segment of its line, an internal one to a segment
that crosses it, an odd one to the parallel segment beside it.

Lengths are counted in units: the ends of the segments that cross a line divide it into units of
equal length. A unit is crossed by 4 lines on Pegasus and by 2t lines on Zephyr; a segment is 3
units long on Pegasus and 2 units long on Zephyr.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.working_graph import WorkingGraph

VERTICAL, HORIZONTAL = 0, 1
# The line at which the first segment begins on tracks 0 ... 11 of Pegasus, vertical and horizontal:
# D-Wave's default offsets.
_PEGASUS_OFFSETS = np.array([[2] * 4 + [10] * 4 + [6] * 4, [6] * 4 + [2] * 4 + [10] * 4])


@dataclass(frozen=True, eq=False)
class Fabric:
    """The lines and segments of a chip; `of` makes it from a working graph.

    Args:
        place: (Q, 3), the direction, line and segment of each qubit.
        unit: (L,), the unit that a line crosses, counted along the lines of the other direction.
        start: (2, L), the unit in which the first segment of a line begins, by direction; it may
            lie outside the chip.
        reach: length of a segment in units.
        width: number of lines that cross a unit.

    References:
        Boothby et al. 2020, arXiv:2003.00133 (Pegasus); Boothby, King & Raymond 2021, D-Wave
        14-1056A-A (Zephyr).
    """

    place: NDArray[np.int64]
    unit: NDArray[np.int64]
    start: NDArray[np.int64]
    reach: int
    width: int

    @classmethod
    def of(cls, graph: WorkingGraph) -> Fabric:
        """Returns the places of the graph's qubits."""
        m = graph.shape[0]
        if graph.topology == "pegasus":
            u, w, k, z = np.unravel_index(graph.qubits, (2, m, 12, m - 1))
            unit = (np.arange(12 * m) + 2) // 4  # segments begin at lines 2, 6 and 10 of each 12
            start = np.tile((_PEGASUS_OFFSETS + 2) // 4, m)
            return cls(np.stack([u, 12 * w + k, z], axis=1), unit, start, reach=3, width=4)

        t = graph.shape[1]
        u, w, k, j, z = np.unravel_index(graph.qubits, (2, 2 * m + 1, t, 2, m))
        unit = np.arange((2 * m + 1) * 2 * t) // (2 * t)
        start = np.tile(np.arange(len(unit)) % 2, (2, 1))
        return cls(np.stack([u, (w * t + k) * 2 + j, z], axis=1), unit, start, reach=2, width=2 * t)

    @property
    def num_units(self) -> int:
        """The number of units along a line, which is the same in both directions."""
        return int(self.unit[-1]) + 1

    def bars(self) -> NDArray[np.float64]:
        """Returns x and y of both ends of each qubit: (Q, end, 2), for a plot.

        The distance of two lines is 1; vertical line k is at x = k + 1/2.
        """
        direction, line, segment = self.place.T
        first = self.start[direction, line] + self.reach * segment
        before = self.width - int((self.unit == 0).sum())  # unit 0 of Pegasus has fewer lines
        along = np.stack([first, first + self.reach], axis=1) * self.width - before
        across = np.stack([line, line], axis=1) + 0.5

        x = np.where(direction[:, None] == VERTICAL, across, along)
        y = np.where(direction[:, None] == VERTICAL, along, across)
        return np.stack([x, y], axis=2).astype(np.float64)
