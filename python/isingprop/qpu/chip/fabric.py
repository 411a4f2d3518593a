"""Where the qubits of a chip lie: on straight lines, each crossed by the lines of the other direction.

A qubit of Pegasus or Zephyr is a segment of a vertical or a horizontal line. External couplers join it to the next
segments of its line, internal ones to the lines that cross it, odd ones to its neighbour beside it.

Lengths are counted in units, the parts of a line that the ends of crossing segments bound. A unit is crossed by 4
lines on Pegasus, by 2t on Zephyr; a segment is 3 units long on Pegasus, 2 on Zephyr.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.working_graph import WorkingGraph

VERTICAL, HORIZONTAL = 0, 1
# Where the segments of Pegasus begin, in lines, on tracks 0 ... 11: D-Wave's default offsets.
_PEGASUS_OFFSETS = np.array([[2] * 4 + [10] * 4 + [6] * 4, [6] * 4 + [2] * 4 + [10] * 4])


@dataclass(frozen=True, eq=False)
class Fabric:
    """The places of the qubits of a chip; make one with `of`.

    Args:
        place: (Q, 3): direction, line and segment of each qubit.
        unit: (L,): the unit of the other direction's lines in which a line lies.
        start: (2, L): the unit in which the first segment of a line begins; may be outside the chip.
        reach: units of a segment.
        width: lines of a unit.

    References:
        Boothby et al. 2020, arXiv:2003.00133 (Pegasus); Boothby, King & Raymond 2021, D-Wave 14-1056A-A (Zephyr).
    """

    place: NDArray[np.int64]
    unit: NDArray[np.int64]
    start: NDArray[np.int64]
    reach: int
    width: int

    @classmethod
    def of(cls, graph: WorkingGraph) -> Fabric:
        """The fabric of the graph's qubits."""
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
        """Units of the chip, the same in both directions."""
        return int(self.unit[-1]) + 1

    def bars(self) -> NDArray[np.float64]:
        """(Q, 2, 2): both ends of each qubit, x and y, in lines: vertical line k is at x = k + 1/2."""
        direction, line, segment = self.place.T
        first = self.start[direction, line] + self.reach * segment
        before = self.width - int((self.unit == 0).sum())  # lines that unit 0 lacks
        along = np.stack([first, first + self.reach], axis=1) * self.width - before
        across = np.stack([line, line], axis=1) + 0.5
        x = np.where(direction[:, None] == VERTICAL, across, along)
        y = np.where(direction[:, None] == VERTICAL, along, across)
        return np.stack([x, y], axis=2).astype(np.float64)
