"""The quantum annealer, simulated: the state vector of all spins, forward, backward, and with marked states amplified.

    H(t) = -(1 - s(t)) sum_k X_k + s(t) H,   from |+...+>, its ground state at s = 0,

with H diagonal, the energy E of each state. The sign of the first term is not that of the paper's Eq. (11), whose start
state would be the highest one. Bit k of a state's number is 1 where spin k is +1, hidden spins first.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from isingprop import _core
from isingprop.amplification import (
    MOST_ITERATIONS,
    Method,
    applications,
    check_method,
    failure_probability,
    fixed_point_phases,
    grover_phases,
    lengths,
)
from isingprop.checks import Doubles, check_shape, float_array, real_number, true_or_false, whole_number
from isingprop.problem import IsingProblem, all_fields

MOST_SPINS = 26
MOST_STEPS = 10_000_000
# How far the probabilities may be from a sum of 1, after up to a million steps (and in proportion to their number
# beyond that). Rounding moves the sum by some 1e-17 a step, with complex64 by some 1e-8. Then it is scaled to 1.
_NORM_TOLERANCE = {np.dtype(np.complex128): 1e-10, np.dtype(np.complex64): 1e-2}
_STEPS_OF_TOLERANCE = 1e6
_START_TOLERANCE = {np.dtype(np.complex128): 1e-10, np.dtype(np.complex64): 1e-5}
_SCHEDULE_ROUNDING = 1e-6  # relative, of its end and of its values
# In radians. A phase is right to 1e-16 of its size, so at this one to 1e-6 or so.
_LARGEST_PHASE = 1e9
_ENERGY_BYTES = 8
_CACHE_LINE = 64
_READABLE_POWER = 7  # a larger power of 10 is said as such

Amplitudes: TypeAlias = NDArray[np.complex128] | NDArray[np.complex64]
Schedule: TypeAlias = Callable[[float], float] | Sequence[Sequence[float]]


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
    """The state U |+...+> that a coherent anneal of the problem ends in.

    Second-order Trotter: with dt = total_time / num_steps and s_k = s((k + 1/2) dt),

        U = prod_k exp(-i s_k H dt / 2) exp(i (1 - s_k) dt sum X) exp(-i s_k H dt / 2),

    whose error falls with num_steps^-2. The same bits on every instruction set and for any number of threads.

    Args:
        problem: one problem of at most 26 spins.
        total_time: > 0, with hbar = 1 and energies in the units of J; the transverse field is 1 of them.
        num_steps: 1 to 10 million.
        schedule: s at a time in [0, total_time]: a function, or points (t, s) from t = 0 to total_time to draw straight
            lines between; values in [0, 1]. Default t / total_time.
        dtype: np.complex128, or np.complex64, which takes two thirds of the time and of the memory. Its amplitudes are
            right to 1e-5 of the largest one, its fidelity to 1e-10, and its probabilities sum to 1 within 1e-6 (100
            steps, up to 22 spins).
        initial: (2**N,) amplitudes to start from in place of |+...+>, of norm 1.
        reverse: apply U† to `initial`: the same steps backward.
        num_threads: default: one for each processor.

    Returns:
        (2**N,) amplitudes. They and the table of energies take 24 bytes for each state (16 with complex64).

    Raises:
        ValueError: for more than one problem or too many spins, a schedule out of range, start amplitudes that do not
            fit.
        FloatingPointError: where rounding has moved the sum of probabilities by more than 1e-10 (with complex64 1e-2).
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
    """One problem's U: its table of energies and its steps.

    The arguments are those of `anneal`. Methods change the state that they are given, and return it.
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
        """Checks all arguments, in order, before any work."""
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
        self._couplings = float_array("couplings", problem.couplings, shape=problem.couplings.shape).astype(np.float64)
        step = total_time / num_steps
        halves = s * (step / 2)
        self._phases = np.append(halves, 0.0) + np.insert(halves, 0, 0.0)
        self._angles = (1 - s) * step
        with np.errstate(over="ignore"):  # what is too large is refused below
            largest = self._phases.max() * (np.abs(self._fields).sum() + np.abs(self._couplings).sum())
        if not largest <= _LARGEST_PHASE:
            what = "the phase of a step, total_time / num_steps times all |h| and |J|,"
            raise ValueError(f"{what} must be at most {_LARGEST_PHASE:g}, got {largest:g}")

    @cached_property
    def energies(self) -> Doubles:
        """Of all states, (2**N,); made when they are needed, after all checks."""
        hidden, output = np.split(self._fields, [len(self._couplings)])
        return _core.energy_table(self._couplings, hidden, output, self._num_threads)

    def start(self) -> Amplitudes:
        """|+...+>."""
        state = _aligned(2**self.num_spins, self.dtype)
        state[...] = 2 ** (-self.num_spins / 2)
        return state

    def forward(self, state: Amplitudes) -> Amplitudes:
        """U."""
        return self._evolve(state, self._phases, self._angles)

    def backward(self, state: Amplitudes) -> Amplitudes:
        """U†: its steps backward, with all angles of the other sign."""
        return self._evolve(state, -self._phases[::-1], -self._angles[::-1])

    def _evolve(self, state: Amplitudes, phases: Doubles, angles: Doubles) -> Amplitudes:
        total = _core.evolve(
            state, self.energies, np.ascontiguousarray(phases), np.ascontiguousarray(angles), self._num_threads
        )
        tolerance = _NORM_TOLERANCE[self.dtype] * max(1.0, len(angles) / _STEPS_OF_TOLERANCE)
        if not abs(total - 1) <= tolerance:
            raise FloatingPointError(f"probabilities must sum to 1 within {tolerance:g}, got {total!r}")
        parts = state.view(state.real.dtype)  # a product of complex numbers may have other bits on another processor
        parts *= parts.dtype.type(1 / math.sqrt(total))
        return state


@dataclass(frozen=True, eq=False)
class Amplification:
    """What `amplify` has done."""

    state: Amplitudes  #: (2**N,)
    amplitude: float  #: |A| of the marked states in psi = U |+...+>
    success_probability: float  #: of a marked state, now
    num_iterations: int  #: of Q, in the run that the state is of
    num_forward: int  #: applications of U, in all runs
    num_reversed: int  #: applications of U†

    @property
    def num_applications(self) -> int:
        """Of U and U†."""
        return self.num_forward + self.num_reversed


def amplify(
    problem: IsingProblem,
    *,
    total_time: float,
    num_steps: int,
    marked: ArrayLike | None = None,
    method: Method = "grover",
    num_iterations: int | None = None,
    failure: float = 0.1,
    schedule: Schedule | None = None,
    dtype: DTypeLike = np.complex128,
    num_threads: int | None = None,
) -> Amplification:
    """Amplifies the marked states of psi = U |+...+>: iterates Q = -U S_0 U† S_w, with U and U† run step by step.

    S_w marks the states that are looked for, S_0 is a reflection about |+...+>. Nothing happens where psi has no
    marked state.

    Args:
        problem: as for `anneal`.
        total_time: as for `anneal`.
        num_steps: as for `anneal`.
        marked: (2**N,) or, by the outputs alone, (2**O,) bool. Default: what the problem has marked, see IsingProblem.
        method: "grover": every phase is pi, success sin^2((2k + 1) arcsin |A|). "fixed-point": the phases of Yoder,
            Low and Chuang, with which further iterations do not lead away from the marked states again.
        num_iterations: k, 0 to 2^24. Default for "grover": the best number, which takes |A| to be known. Default for
            "fixed-point": nothing is known of |A|; runs of 0, 1, 3, 7 ... iterations, up to the first whose success
            probability is at least 1 - failure. All of their applications are counted; on a device, one that is lucky
            ends earlier.
        failure: of "fixed-point", in (0, 1): probability that may be left in other states.
        schedule: as for `anneal`.
        dtype: as for `anneal`.
        num_threads: as for `anneal`.

    Returns:
        The state, its success probability, and how often U and U† were applied: k + 1 and k times in a run.

    Raises:
        ValueError, FloatingPointError, KeyboardInterrupt: as `anneal`.

    Example:
        >>> import isingprop as ip
        >>> problem = ip.IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> up = ip.coherent.amplify(problem, total_time=10, num_steps=100, marked=[False, True])  # output up
        >>> round(up.amplitude, 2), up.num_forward, up.num_reversed, round(up.success_probability, 2)
        (0.31, 3, 2, 1.0)

    References:
        arXiv:2506.05244, Eqs. (12) and (13); Brassard, Høyer, Mosca & Tapp 2002, arXiv:quant-ph/0005055; Yoder, Low &
        Chuang 2014, doi:10.1103/PhysRevLett.113.210501; Yan et al. 2022, doi:10.1038/s41598-022-15093-x.
    """
    run = Anneal(problem, total_time, num_steps, schedule, dtype, num_threads)
    mask = _mask_of(problem, marked)
    check_method(method)
    if num_iterations is not None:
        num_iterations = whole_number("num_iterations", num_iterations, least=0, most=MOST_ITERATIONS)
    failure = failure_probability(failure)
    psi = run.forward(run.start())
    amplitude = math.sqrt(_probability(psi, mask))
    if amplitude == 0:
        return Amplification(psi, 0.0, 0.0, 0, 1, 0)
    tried = [num_iterations] if num_iterations is not None else lengths(amplitude, method, failure)
    if tried[-1] > MOST_ITERATIONS:
        raise ValueError(f"num_iterations must be given for |A| = {amplitude:g}, whose best number is {tried[-1]}")
    phases = grover_phases(tried[-1]) if method == "grover" else fixed_point_phases(tried[-1], failure)
    for alpha, beta in phases:
        psi = _iterate(run, psi, mask, alpha, beta)
    count = sum(map(applications, tried))
    backward = sum(tried)
    return Amplification(psi, amplitude, _probability(psi, mask), tried[-1], count - backward, backward)


def _iterate(run: Anneal, state: Amplitudes, mask: NDArray[np.bool_], alpha: float, beta: float) -> Amplitudes:
    """-U S_0(alpha) U† S_w(beta), in real numbers: the same bits on every processor."""
    cosine, sine = (-1.0, 0.0) if abs(beta) == math.pi else (math.cos(beta), math.sin(beta))
    turned = state.real * cosine - state.imag * sine
    np.copyto(state.imag, state.real * sine + state.imag * cosine, where=mask)
    np.copyto(state.real, turned, where=mask)
    del turned
    state = run.backward(state)
    re, im = (float(part.sum()) * 2.0**-run.num_spins for part in (state.real, state.imag))
    cosine, sine = (2.0, 0.0) if alpha == math.pi else (1 - math.cos(alpha), math.sin(alpha))
    state.real -= cosine * re - sine * im
    state.imag -= cosine * im + sine * re
    state = run.forward(state)
    return np.negative(state, out=state)


def _probability(state: Amplitudes, mask: NDArray[np.bool_]) -> float:
    parts = (state.real, state.imag)  # one after the other, for the memory's sake
    return sum(float(np.square(part, dtype=np.float64).sum(where=mask)) for part in parts)


def schedule_values(schedule: Schedule | None, total_time: float, num_steps: int) -> Doubles:
    """s at the middle of each step: (num_steps,), in [0, 1]."""
    times = (np.arange(num_steps) + 0.5) * (total_time / num_steps)
    if schedule is None:
        return (np.arange(num_steps) + 0.5) / num_steps
    if callable(schedule):
        values = np.array([real_number("schedule(t)", schedule(float(t))) for t in times])
    else:
        points = float_array("schedule", schedule, shape=(None, 2)).astype(np.float64)
        at, values = points.T
        if (np.diff(at) <= 0).any() or at[0] != 0 or not math.isclose(at[-1], total_time, rel_tol=_SCHEDULE_ROUNDING):
            raise ValueError(
                f"schedule must have times that rise from 0 to total_time = {total_time}, got {at.tolist()}"
            )
        values = np.interp(times, at, values)
    if values.min() < -_SCHEDULE_ROUNDING or values.max() > 1 + _SCHEDULE_ROUNDING:
        raise ValueError(f"schedule must have values in [0, 1], got {values.min():g} to {values.max():g}")
    clipped: Doubles = np.clip(values, 0.0, 1.0)
    return clipped


def state_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """complex128 or complex64."""
    try:
        found = np.dtype(dtype)
    except (TypeError, SyntaxError):
        found = np.dtype(object)
    if found not in _NORM_TOLERANCE:
        raise ValueError(f"dtype must be complex128 or complex64, got {dtype!r}")
    return found


def check_spins(num_spins: int, dtype: np.dtype[Any]) -> None:
    """Refuses more than 26, with the memory that they would take."""
    if num_spins <= MOST_SPINS:
        return
    power = num_spins * math.log10(2) + math.log10((dtype.itemsize + _ENERGY_BYTES) / 1e9)
    gigabytes = f"{10**power:,.0f}" if power < _READABLE_POWER else f"10^{power:.0f}"
    memory = f"amplitudes and energies of 2^{num_spins} states would take {gigabytes} GB"
    raise ValueError(f"problem must have at most {MOST_SPINS} spins, got {num_spins}: {memory}")


def _check_one_problem(problem: object) -> None:
    if not isinstance(problem, IsingProblem):
        raise TypeError(f"problem must be an IsingProblem, got {type(problem).__name__}")
    if len(problem) != 1:
        raise ValueError(f"problem must be one problem, such as problem[:1], got {len(problem)}")


def _aligned(count: int, dtype: np.dtype[Any]) -> Amplitudes:
    """Whatever the memory holds, from a cache line on, as NumPy's arrays seldom are: a step then takes a fifth less."""
    memory = np.empty(count * dtype.itemsize + _CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % _CACHE_LINE
    return memory[first : first + count * dtype.itemsize].view(dtype)


def _amplitude_array(initial: ArrayLike, dtype: np.dtype[Any], num_spins: int) -> Amplitudes:
    given = np.asarray(initial)
    if given.dtype.kind not in "fiuc":
        raise TypeError(f"initial must be an array of numbers, got dtype {given.dtype}")
    check_shape("initial", given, (2**num_spins,))
    state = _aligned(len(given), dtype)
    state[...] = given
    total = _probability(state, np.ones(len(state), bool))
    if not abs(total - 1) <= _START_TOLERANCE[dtype]:
        raise ValueError(f"initial must have probabilities that sum to 1, got {total!r}")
    return state


def marked_states(problem: IsingProblem) -> NDArray[np.bool_] | None:
    """What one problem has marked, by all its spins: (2**N,)."""
    return None if problem.marked is None else np.repeat(problem.marked[0], 2**problem.num_hidden)


def _mask_of(problem: IsingProblem, marked: ArrayLike | None) -> NDArray[np.bool_]:
    """(2**N,), of either form."""
    if marked is None:
        own = marked_states(problem)
        if own is None:
            raise ValueError("marked must be given for a problem that has none marked, got None")
        return own
    mask = np.asarray(marked)
    if mask.dtype != np.bool_:
        raise TypeError(f"marked must be an array of booleans, got dtype {mask.dtype}")
    if mask.shape == (2**problem.num_output,):
        return np.repeat(mask, 2**problem.num_hidden)
    check_shape("marked", mask, (2**problem.num_spins,))
    return mask
