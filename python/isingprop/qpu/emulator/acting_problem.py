"""What acts on the qubits of an emulated chip in one call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Doubles


@dataclass(frozen=True, eq=False)
class ActingProblem:
    """The fields and couplings that act on n qubits, with the errors of the chip."""

    h: Doubles  #: (n,), fields that follow the gain
    fixed: Doubles  #: (n,), fields that do not
    ends: NDArray[np.int64]  #: (E, 2), the two ends of each coupling, as indices of fields
    couplings: Doubles  #: (E,)
