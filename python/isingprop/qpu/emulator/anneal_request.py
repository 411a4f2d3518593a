"""The parameters of a call to an emulated chip, checked as a chip would check them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.limits import check_anneal_offsets
from isingprop.qpu.chip.schedules import (
    check_anneal_schedule,
    check_annealing_time,
    check_h_gain_schedule,
    solver_property,
)
from isingprop.util.checks import Doubles, Spins, float_array, whole_number


@dataclass(frozen=True)
class Request:
    """What the parameters of one call request from a chip."""

    num_reads: int
    anneal: NDArray[np.float64]  #: (P, 2), time in us and s
    gain: NDArray[np.float64]  #: (P, 2), time in us and g
    initial: Mapping[int, int] | None  #: initial state, spins by qubit
    reinitialize: bool  #: whether each read starts from the initial state, not from the last read
    fast: bool  #: whether it is an anneal of the fast-anneal protocol
    flux_biases: Doubles | None  #: (qubits of the chip,), in units of Phi_0
    first_read: int  #: the index of the first read among those of several calls

    @classmethod
    def of(cls, parameters: Mapping[str, Any], properties: Mapping[str, Any]) -> Request:
        """Returns the request of a call's parameters.

        Raises:
            ValueError, TypeError: for parameters that a chip with these properties would refuse, or
                for auto_scale.
        """
        scale, mode = parameters.get("auto_scale", True), parameters.get("answer_mode", "raw")
        if scale is not False:
            raise ValueError(
                f"auto_scale must be False, as the emulation does not scale, got {scale!r}"
            )
        if mode not in ("raw", "histogram"):
            raise ValueError(f"answer_mode must be raw or histogram, got {mode!r}")
        low, high = solver_property(properties, "num_reads_range")
        num_reads = whole_number("num_reads", parameters.get("num_reads", 1), least=low, most=high)

        fast = bool(parameters.get("fast_anneal", False))
        if fast:
            _check_fast(parameters)
        anneal = _anneal_schedule(
            parameters.get("anneal_schedule"), parameters.get("annealing_time"), properties, fast
        )
        end = float(anneal[-1, 0])
        gain = np.array([[0, 1], [end, 1]], dtype=np.float64)
        if "h_gain_schedule" in parameters:
            gain = np.array(check_h_gain_schedule(parameters["h_gain_schedule"], end, properties))

        initial = parameters.get("initial_state")
        _check_initial(initial, anneal[0, 1])
        reinitialize = bool(parameters.get("reinitialize_state", True))
        first_read = whole_number("first_read", parameters.get("first_read", 0), least=0)
        biases = _by_qubit("flux_biases", parameters, properties)
        if (offsets := _by_qubit("anneal_offsets", parameters, properties)) is not None:
            check_anneal_offsets(offsets, properties)
        return cls(num_reads, anneal, gain, initial, reinitialize, fast, biases, first_read)

    def start(self, qubits: Sequence[int]) -> Spins | None:
        """Returns the initial state of some qubits, (n,), or None where there is none."""
        if self.initial is None:
            return None

        state = [self.initial.get(qubit) for qubit in qubits]
        for qubit, spin in zip(qubits, state, strict=True):
            if spin not in (-1, 1):
                raise ValueError(
                    "initial_state must be -1 or +1 on each qubit used, "
                    f"got {spin} on qubit {qubit}"
                )
        return np.array(state, dtype=np.int8)


def sweep_times(request: Request, sweeps_per_us: float) -> Doubles:
    """Returns the times of the sweeps of an anneal in us, in the middle of equal parts, (S,)."""
    end = float(request.anneal[-1, 0])
    num_sweeps = max(1, round(sweeps_per_us * end))
    times: Doubles = (np.arange(num_sweeps, dtype=np.float64) + 0.5) * (end / num_sweeps)
    return times


def _by_qubit(
    name: str, parameters: Mapping[str, Any], properties: Mapping[str, Any]
) -> Doubles | None:
    """Returns the numbers of a parameter for all qubits of a chip, None where it is not given."""
    if parameters.get(name) is None:
        return None
    shape = (solver_property(properties, "num_qubits"),)
    numbers: Doubles = float_array(name, parameters[name], shape=shape).astype(float)
    return numbers


def _check_initial(initial: object, begin: float) -> None:
    """Checks that there is an initial state just where a schedule begins at s = 1."""
    if (begin == 1) != bool(initial):
        wanted, got = ("given", "none") if begin == 1 else ("None", "one")
        raise ValueError(
            f"initial_state must be {wanted} for a schedule from s = {begin:g}, got {got}"
        )


def _check_fast(parameters: Mapping[str, Any]) -> None:
    """Checks that a call of the fast-anneal protocol has no parameter that this does not take.

    Schedules of two points are not emulated, since they are what annealing_time says.
    """
    for name in ("anneal_schedule", "h_gain_schedule", "initial_state"):
        if parameters.get(name) is not None:
            raise ValueError(f"{name} must be None where fast_anneal is True, got one")


def _anneal_schedule(
    schedule: object, time: float | None, properties: Mapping[str, Any], fast: bool
) -> NDArray[np.float64]:
    """Returns the checked anneal schedule (P, 2) of a call: the one given, or a ramp of s."""
    if schedule is None:
        end = solver_property(properties, "default_annealing_time") if time is None else time
        end = check_annealing_time(end, properties, fast=fast)
        return np.array([[0, 0], [end, 1]], dtype=np.float64)
    if time is not None:
        raise ValueError(f"annealing_time must be None where anneal_schedule is given, got {time}")
    return np.array(check_anneal_schedule(schedule, properties))
