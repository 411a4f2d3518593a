"""The orders in which rectangles of a chip are tried when it is packed with copies of a network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.fabric import VERTICAL
from isingprop.qpu.embed.lines import Rectangle

Rectangles = NDArray[np.int64]
"""(n, 6), in each row: qubits, direction of hidden lines, hidden window, output window."""


class PackingOrder(NamedTuple):
    """An order of rectangles.

    Rectangles whose numbers of qubits differ by less than `factor` count as equal; of these, those
    with hidden lines of `direction` come first, then those nearest to one side of the chip, then
    those nearest to one of its corners.
    """

    factor: float
    direction: int
    by_rows: bool  #: whether the side is the upper or the lower one
    right: bool
    low: bool

    def sorted(self, rectangles: Rectangles, num_units: int) -> Rectangles:
        """Returns the rectangles, on a chip of so many units, in this order."""
        qubits = rectangles[:, 0].astype(np.float64)
        columns, rows = _sides(rectangles)
        x = num_units - columns[:, 0] if self.right else columns[:, 1]
        y = num_units - rows[:, 0] if self.low else rows[:, 1]

        level = np.floor(np.log(qubits / qubits.min(initial=np.inf)) / np.log(self.factor))
        first, second = (y, x) if self.by_rows else (x, y)
        keys = qubits, second, first, rectangles[:, 1] != self.direction, level
        return rectangles[np.lexsort(keys)]


def rectangle(row: Rectangles) -> Rectangle:
    """Returns one row of rectangles as a Rectangle."""
    _, direction, *windows = row.tolist()
    return Rectangle(direction, tuple(windows[:2]), tuple(windows[2:]))


def overlap(rectangles: Rectangles, other: Rectangles) -> NDArray[np.bool_]:
    """Returns which of the rectangles overlap with another one, a single row."""
    pairs = zip(_sides(rectangles), _sides(other[None]), strict=True)
    meets = [(side[:, 0] < taken[:, 1]) & (taken[:, 0] < side[:, 1]) for side, taken in pairs]
    return meets[0] & meets[1]


def _sides(rectangles: Rectangles) -> tuple[Rectangles, Rectangles]:
    """Returns the columns and the rows of n rectangles, both (n, 2)."""
    hidden, output = rectangles[:, 2:4], rectangles[:, 4:6]
    upright = rectangles[:, 1:2] == VERTICAL
    return np.where(upright, hidden, output), np.where(upright, output, hidden)
