"""One call to a chip as data: what is sent, what each copy of the network does, and its answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.calls.program import majority
from isingprop.qpu.chip.schedules import MICROSECONDS_PER_SECOND
from isingprop.util.checks import Doubles, Spins

# Costs are computed with a factor, since a division would change the last bit of recorded costs.
_SECONDS_PER_MICROSECOND = 1 / MICROSECONDS_PER_SECOND
_MAX_DOUBLE = sys.float_info.max


@dataclass(frozen=True, eq=False)
class Tile:
    """The record of what one copy of the network sampled in a call, and on which qubits."""

    request: str  #: digest of the problem and of all that was requested of it
    copy: int  #: index of the copy on the chip
    first_read: int  #: index in the request of the copy's first read
    count: int  #: number of the call's reads that are used


@dataclass(frozen=True, eq=False)
class Call:
    """One submission to a chip, with all that is needed to turn its answer into spins.

    S copies of the network with Q qubits take part in it.
    """

    label: str
    tiles: tuple[Tile, ...]
    num_spins: int  #: N, spins of the problem, without the apex spin that a mode adds (program.py)
    qubits: NDArray[np.int32]  #: (Q,), qubits in use, chain by chain
    chain_lengths: NDArray[np.int32]  #: (S, spins of a copy)
    flips: Spins  #: (S, spins of a copy), -1 for spins that are reversed
    initial_state: Spins  #: (Q,), or (0,) where there is none
    #: Solver parameters, without label, initial_state and those by qubit.
    parameters: dict[str, Any]
    #: Solver, host, graph id, scale, chain strength, clipped values, estimated seconds.
    notes: dict[str, Any]
    problem_id: str | None = None  #: the id under which D-Wave keeps the answer, once it is known
    #: Solver parameters with a number for each qubit of the chip, working or not.
    by_qubit: Mapping[str, Doubles] = field(default_factory=dict)
    #: Reads whose energy in the answer is not that of their states; None where it was not checked.
    energies_wrong: int | None = None

    def solver_parameters(self) -> dict[str, Any]:
        """Returns all that the solver gets besides the problem and its label."""
        given = dict(self.parameters)
        if self.initial_state.size:
            start = zip(self.qubits.tolist(), self.initial_state.tolist(), strict=True)
            given["initial_state"] = dict(start)
        return given | {name: numbers.tolist() for name, numbers in self.by_qubit.items()}


class PreparedCall(NamedTuple):
    """A call that is ready to be sent, with its physical problem."""

    call: Call
    h: dict[int, float]
    j: dict[tuple[int, int], float]


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to one call, as spins of the network."""

    call: Call
    timing: dict[str, Any]  #: D-Wave's timing data, in microseconds
    spins: Spins  #: (S, R, N), 0 where half of a chain's qubits are +1
    chain_break_fraction: float  #: share of broken chains among all chains of all reads

    @property
    def num_chains(self) -> int:
        """The number of chains of all copies in all reads."""
        return int(self.spins.shape[1]) * self.call.chain_lengths.size

    @property
    def cost(self) -> Cost:
        """The QPU access time that was charged."""
        return cost_of(self.call, self.timing)


class Cost(NamedTuple):
    """What a call was charged."""

    seconds: float  #: of QPU access time
    is_estimate: bool  #: whether the answer does not say it


def cost_of(call: Call, timing: Mapping[str, Any]) -> Cost:
    """Returns what a call was charged by the timing data of its answer.

    Where these do not have the access time as a number that is finite and not negative, it is the
    estimate that was made before the call, by D-Wave's formula.
    """
    time = timing.get("qpu_access_time")
    if isinstance(time, int | float) and not isinstance(time, bool) and 0 <= time <= _MAX_DOUBLE:
        return Cost(float(time) * _SECONDS_PER_MICROSECOND, is_estimate=False)
    return Cost(float(call.notes["estimated_seconds"]), is_estimate=True)


def decode(call: Call, samples: Spins) -> tuple[Spins, float]:
    """Decodes the qubits of a call's answer by majority.

    Args:
        call: the call.
        samples: (R, Q) qubits, -1 or +1.

    Returns:
        Spins (S, R, N), 0 where a chain has a tie; and the fraction of chains that are broken.
    """
    spins, broken = majority(samples, call.chain_lengths.ravel())
    # (R, S, spins of a copy), with the spin reversal undone.
    logical = spins.reshape(len(samples), *call.flips.shape) * call.flips
    if call.flips.shape[1] > call.num_spins:
        # With an apex, states come in pairs of equal energy; the one meant has the apex up. An apex
        # with a tie counts as up.
        apex = logical[:, :, -1:]
        logical = logical[:, :, :-1] * (apex + (apex == 0))
    return np.ascontiguousarray(logical.swapaxes(0, 1)), float(broken.mean())
