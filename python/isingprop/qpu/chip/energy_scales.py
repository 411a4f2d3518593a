"""The energy scales A(s) and B(s) of a chip's anneals, as D-Wave measured them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from isingprop.qpu.chip.chip_file import REAL_CHIPS, facts_of
from isingprop.util.checks import Doubles

_GHZ_PER_KELVIN = 20.836619  # k_B / h, CODATA 2018
_KELVIN_PER_MILLIKELVIN = 1e-3


@dataclass(frozen=True, eq=False)
class EnergyScales:
    """The energy scales of one chip along its anneals, in GHz, and its temperature.

        H = -A(s) / 2 sum_u sigma^x_u
            + B(s) / 2 [sum_u h_u sigma^z_u + sum_uv J_uv sigma^z_u sigma^z_v]

    Both protocols lead through the same pairs (A, B), one pair for each control bias c. The
    standard anneal chooses c(s) such that the persistent current, and so sqrt(B), grows linearly
    with s; a fast anneal has c(s) = s. One table of (s, c, A, B) holds both, with s that of the
    standard anneal. Between its rows ln A and ln B are linear in s (standard) or in c (fast), which
    keeps within 2.2 % of D-Wave's tables of 1,000 rows wherever A is above 1e-4 GHz.

    Args:
        table: (K, 4), rows of s, c, and A and B in GHz, ascending in s and c from 0 to 1.
        temperature: temperature of the qubits in mK.

    Example:
        >>> scales = EnergyScales.of("zephyr")
        >>> transverse, problem = scales.at([0.0, 0.5, 1.0])
        >>> transverse.round(2), problem.round(2), scales.temperature
        (array([11.31,  0.37,  0.  ]), array([ 0.56,  5.04, 14.73]), 20.0)

    References:
        D-Wave's documentation: Per-QPU Solver Properties and Schedules; Annealing Implementation
        and Controls (standard-anneal and fast-anneal protocols).
    """

    table: Doubles
    temperature: float

    @classmethod
    def of(cls, topology: str) -> Self:
        """Returns the scales of Advantage_system4.1 ("pegasus") or Advantage2_system1 ("zephyr").

        They stand for those of all chips of the topology.
        """
        annealing = facts_of(REAL_CHIPS[topology])["annealing"]
        return cls(np.array(annealing["s_c_a_b"]), annealing["temperature_mk"])

    def at(self, fractions: Any, *, fast: bool = False) -> tuple[Doubles, Doubles]:
        """Returns A and B in GHz at anneal fractions s in [0, 1] of a standard or a fast anneal."""
        s, c, *scales = self.table.T
        bias = c if fast else s
        transverse, problem = (np.exp(np.interp(fractions, bias, np.log(each))) for each in scales)
        return transverse, problem


def thermal_energy(temperature: float) -> float:
    """Returns k_B T / h in GHz of a temperature in mK."""
    return _GHZ_PER_KELVIN * _KELVIN_PER_MILLIKELVIN * temperature
