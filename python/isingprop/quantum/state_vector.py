"""State vectors of a simulated quantum annealer, which evolve forward or backward under

    H(t) = -(1 - s(t)) sum_k X_k + s(t) H,   from |+...+>, the ground state at s = 0,

where H is diagonal and holds the energy E of each state. The paper's Eq. (11) has the other sign of
the first term, with which the start state would be the highest one. Bit k of a state's number is 1
where spin k is +1; hidden spins come first.
"""

from __future__ import annotations

import math
import os
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from isingprop import kernels
from isingprop.problem import IsingProblem, all_fields
from isingprop.quantum.time_schedule import Schedule, schedule_values
from isingprop.util.checks import (
    Doubles,
    check_shape,
    float_array,
    real_number,
    true_or_false,
    whole_number,
)

MOST_SPINS = 26
MOST_STEPS = 10_000_000
# Max distance of the sum of probabilities from 1 after up to a million steps; beyond that it grows
# in proportion to the number of steps. Rounding moves the sum by about 1e-17 a step, or by 1e-8
# with complex64. The state is then scaled to a sum of 1.
_NORM_TOLERANCE = {np.dtype(np.complex128): 1e-10, np.dtype(np.complex64): 1e-2}
_STEPS_OF_TOLERANCE = 1e6
_START_TOLERANCE = {np.dtype(np.complex128): 1e-10, np.dtype(np.complex64): 1e-5}
# In radians. A phase has a relative error of a few 1e-16, so the largest one is right to 1e-6.
_MAX_PHASE = 1e9
_ENERGY_BYTES = 8
_CACHE_LINE = 64
_READABLE_POWER = 7  # larger powers of 10 are printed as 10^n

Amplitudes: TypeAlias = NDArray[np.complex128] | NDArray[np.complex64]


def anneal(
    problem: IsingProblem,
    *,
    total_time: float,
    num_steps: int,
    schedule: Schedule | None = None,
    dtype: DTypeLike = np.complex128,
    initial: ArrayLike | None = None,
    reverse: bool = False,
    num_threads: int | None = None,
) -> Amplitudes:
    """Returns the final state U |+...+> of a coherent anneal of the problem.

    The evolution is a second-order Trotter product. With dt = total_time / num_steps and
    s_k = s((k + 1/2) dt),

        U = prod_k exp(-i s_k H dt / 2) exp(i (1 - s_k) dt sum X) exp(-i s_k H dt / 2),

    whose error falls as num_steps^-2. The bits are the same on every instruction set and for any
    number of threads.

    Args:
        problem: one problem of at most 26 spins.
        total_time: > 0, with hbar = 1 and energies in the units of J; the transverse field is 1 in
            these units.
        num_steps: 1 to 10 million.
        schedule: s(t) in [0, 1] for t in [0, total_time]: a function, or points (t, s) from t = 0
            to total_time, which are interpolated linearly. Default: t / total_time.
        dtype: np.complex128, or np.complex64, which takes two thirds of the time and of the memory.
            Errors with complex64, for 100 steps and up to 22 spins: 1e-5 of the largest amplitude,
            1e-10 of the fidelity, and 1e-6 of the sum of probabilities.
        initial: (2**N,) start amplitudes of norm 1, in place of |+...+>.
        reverse: whether to apply U† to `initial`, that is, the same steps backward.
        num_threads: default: one for each processor.

    Returns:
        (2**N,) amplitudes. Together with the table of energies they take 24 bytes for each state,
        or 16 with complex64.

    Raises:
        ValueError: for more than one problem, too many spins, a schedule out of range, or start
            amplitudes that do not fit.
        FloatingPointError: where rounding has moved the sum of probabilities by more than 1e-10
            (1e-2 with complex64).
        KeyboardInterrupt: on Ctrl-C.

    Example:
        >>> import isingprop as ip
        >>> problem = ip.IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> state = ip.coherent.anneal(problem, total_time=10, num_steps=100)
        >>> (abs(state) ** 2).round(2)  # both spins down, one of them up, both up
        array([0.91, 0.  , 0.  , 0.09])

    References:
        arXiv:2506.05244, Section V; Suzuki 1991, doi:10.1063/1.529425.
    """
    run = Anneal(problem, total_time, num_steps, schedule, dtype, num_threads)
    true_or_false("reverse", reverse)
    if initial is None:
        if reverse:
            raise ValueError("initial must be given where reverse is True, got None")
        return run.forward(run.start())

    state = _amplitude_array(initial, run.dtype, problem.num_spins)
    return run.backward(state) if reverse else run.forward(state)


class Anneal:
    """The evolution U of one problem: its table of energies and its Trotter steps.

    The arguments are those of `anneal`. `forward` and `backward` change the given state in place
    and return it.
    """

    def __init__(
        self,
        problem: IsingProblem,
        total_time: float,
        num_steps: int,
        schedule: Schedule | None = None,
        dtype: DTypeLike = np.complex128,
        num_threads: int | None = None,
    ) -> None:
        """Checks all arguments, in order, before any work, and prepares the steps."""
        _check_one_problem(problem)
        self.num_spins = problem.num_spins
        total_time = real_number("total_time", total_time, above=0.0)
        num_steps = whole_number("num_steps", num_steps, least=1, most=MOST_STEPS)
        s = schedule_values(schedule, total_time, num_steps)
        self.dtype = state_dtype(dtype)
        check_spins(self.num_spins, self.dtype)
        if num_threads is None:
            num_threads = len(os.sched_getaffinity(0))
        self._num_threads = whole_number("num_threads", num_threads, least=1, most=1024)

        self._fields = all_fields(problem)[0]
        self._couplings = float_array(
            "couplings", problem.couplings, shape=problem.couplings.shape
        ).astype(np.float64)

        # Neighbouring half-steps of H are merged, so phases has one entry more than angles.
        step = total_time / num_steps
        halves = s * (step / 2)
        self._phases = np.append(halves, 0.0) + np.insert(halves, 0, 0.0)
        self._angles = (1 - s) * step
        self._check_phases()

    def _check_phases(self) -> None:
        """Raises ValueError where the phases of a step are too large for double precision."""
        with np.errstate(over="ignore"):  # an infinite phase is refused below
            largest = self._phases.max() * (
                np.abs(self._fields).sum() + np.abs(self._couplings).sum()
            )
        if not largest <= _MAX_PHASE:
            what = "the phase of a step, total_time / num_steps times all |h| and |J|,"
            raise ValueError(f"{what} must be at most {_MAX_PHASE:g}, got {largest:g}")

    @cached_property
    def energies(self) -> Doubles:
        """The energies of all states, (2**N,), computed at first use."""
        hidden, output = np.split(self._fields, [len(self._couplings)])
        return kernels.energy_table(self._couplings, hidden, output, self._num_threads)

    def start(self) -> Amplitudes:
        """Returns the start state |+...+>, in which all amplitudes are equal."""
        state = _aligned(2**self.num_spins, self.dtype)
        state[...] = 2 ** (-self.num_spins / 2)
        return state

    def forward(self, state: Amplitudes) -> Amplitudes:
        """Applies U to a state, in place, and returns it."""
        return self._evolve(state, self._phases, self._angles)

    def backward(self, state: Amplitudes) -> Amplitudes:
        """Applies U†: the steps of U in reverse order, with all angles negated."""
        return self._evolve(state, -self._phases[::-1], -self._angles[::-1])

    def _evolve(self, state: Amplitudes, phases: Doubles, angles: Doubles) -> Amplitudes:
        """Applies Trotter steps to a state, in place, and scales it to norm 1."""
        total = kernels.evolve(
            state,
            self.energies,
            np.ascontiguousarray(phases),
            np.ascontiguousarray(angles),
            self._num_threads,
        )

        tolerance = _NORM_TOLERANCE[self.dtype] * max(1.0, len(angles) / _STEPS_OF_TOLERANCE)
        if not abs(total - 1) <= tolerance:
            raise FloatingPointError(
                f"probabilities must sum to 1 within {tolerance:g}, got {total!r}"
            )

        # The product of real numbers: that of complex ones may have other bits elsewhere.
        parts = state.view(state.real.dtype)
        parts *= parts.dtype.type(1 / math.sqrt(total))
        return state


def state_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Returns `dtype` as complex128 or complex64; others raise ValueError."""
    try:
        found = np.dtype(dtype)
    except (TypeError, SyntaxError):
        found = np.dtype(object)
    if found not in _NORM_TOLERANCE:
        raise ValueError(f"dtype must be complex128 or complex64, got {dtype!r}")
    return found


def check_spins(num_spins: int, dtype: np.dtype[Any]) -> None:
    """Raises ValueError for more than 26 spins, with the memory that they would need."""
    if num_spins <= MOST_SPINS:
        return

    power = num_spins * math.log10(2) + math.log10((dtype.itemsize + _ENERGY_BYTES) / 1e9)
    gigabytes = f"{10**power:,.0f}" if power < _READABLE_POWER else f"10^{power:.0f}"
    memory = f"amplitudes and energies of 2^{num_spins} states would take {gigabytes} GB"
    raise ValueError(f"problem must have at most {MOST_SPINS} spins, got {num_spins}: {memory}")


def _check_one_problem(problem: object) -> None:
    """Raises an error unless `problem` is an IsingProblem that holds a single problem."""
    if not isinstance(problem, IsingProblem):
        raise TypeError(f"problem must be an IsingProblem, got {type(problem).__name__}")
    if len(problem) != 1:
        raise ValueError(f"problem must be one problem, such as problem[:1], got {len(problem)}")


def probability(state: Amplitudes, mask: NDArray[np.bool_]) -> float:
    """Returns the sum of |amplitude|^2 over the states of `mask`, (2**N,)."""
    parts = (state.real, state.imag)  # one after the other, to save memory
    return sum(float(np.square(part, dtype=np.float64).sum(where=mask)) for part in parts)


def _aligned(count: int, dtype: np.dtype[Any]) -> Amplitudes:
    """Returns an uninitialised array that starts at a cache line.

    NumPy's own arrays seldom do; a step takes a fifth less time on an aligned array.
    """
    memory = np.empty(count * dtype.itemsize + _CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % _CACHE_LINE
    return memory[first : first + count * dtype.itemsize].view(dtype)


def _amplitude_array(initial: ArrayLike, dtype: np.dtype[Any], num_spins: int) -> Amplitudes:
    """Returns a copy of start amplitudes, (2**N,), whose probabilities must sum to 1."""
    given = np.asarray(initial)
    if given.dtype.kind not in "fiuc":
        raise TypeError(f"initial must be an array of numbers, got dtype {given.dtype}")
    check_shape("initial", given, (2**num_spins,))

    state = _aligned(len(given), dtype)
    state[...] = given
    total = probability(state, np.ones(len(state), bool))
    if not abs(total - 1) <= _START_TOLERANCE[dtype]:
        raise ValueError(f"initial must have probabilities that sum to 1, got {total!r}")
    return state
