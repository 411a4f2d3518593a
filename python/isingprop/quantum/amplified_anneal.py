"""Amplitude amplification on the state vector.

U and its inverse, the anneal forward and backward, are applied step by step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from isingprop.problem import IsingProblem
from isingprop.quantum.amplification import (
    MAX_ITERATIONS,
    Method,
    applications,
    check_method,
    failure_probability,
    fixed_point_phases,
    grover_phases,
    lengths,
)
from isingprop.quantum.state_vector import Amplitudes, Anneal, probability
from isingprop.quantum.time_schedule import Schedule
from isingprop.util.checks import check_shape, whole_number
from isingprop.util.short_repr import short_repr


@dataclass(frozen=True, eq=False)
class Amplification:
    """An amplified state and what it cost, which `amplify` returns."""

    state: Amplitudes  #: (2**N,), the amplified state
    amplitude: float  #: |A| of the marked states in psi = U |+...+>
    success_probability: float  #: probability of a marked state in `state`
    num_iterations: int  #: iterations of Q in the last run, which gave the state
    num_forward: int  #: applications of U in all runs
    num_reversed: int  #: applications of U† in all runs

    __repr__ = short_repr

    @property
    def num_applications(self) -> int:
        """The number of applications of U and U† in all runs."""
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
    """Amplifies the marked states of psi = U |+...+> by iterations of Q = -U S_0 U† S_w.

    S_w marks the wanted states, and S_0 is a reflection about |+...+>. U and U† are run step by
    step. The state stays as it is where psi has no marked part.

    Args:
        problem: one problem, see `anneal`.
        total_time: see `anneal`.
        num_steps: see `anneal`.
        marked: (2**N,) bool, or (2**O,) bool for states that are marked by their output spins
            alone. Default: the marks of the problem, see `IsingProblem`.
        method: "grover" uses phases of pi, with success probability sin^2((2k + 1) arcsin |A|).
            "fixed-point" uses the phases of Yoder, Low and Chuang, with which further iterations
            never lead away from the marked states again.
        num_iterations: k, 0 to 2^24. The default of "grover" is the best number for the |A| at
            hand. The default of "fixed-point" assumes that |A| is unknown: runs of 0, 1, 3, 7 ...
            iterations, up to the first whose success probability is at least 1 - failure. The
            applications of all these runs are counted; on a device, a search may end earlier by
            chance.
        failure: the probability that "fixed-point" may leave in unmarked states, in (0, 1).
        schedule: see `anneal`.
        dtype: see `anneal`.
        num_threads: see `anneal`.

    Returns:
        The state, its success probability, and how often U and U† were applied: k + 1 and k times
        in each run.

    Raises:
        ValueError, FloatingPointError, KeyboardInterrupt: like `anneal`.

    Example:
        >>> import isingprop as ip
        >>> problem = ip.IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> output_up = [False, True]
        >>> up = ip.coherent.amplify(problem, total_time=10, num_steps=100, marked=output_up)
        >>> round(up.amplitude, 2), round(up.success_probability, 2)
        (0.31, 1.0)
        >>> up.num_forward, up.num_reversed
        (3, 2)

    References:
        arXiv:2506.05244, Eqs. (12) and (13); Brassard, Høyer, Mosca & Tapp 2002,
        arXiv:quant-ph/0005055; Yoder, Low & Chuang 2014, doi:10.1103/PhysRevLett.113.210501; Yan et
        al. 2022, doi:10.1038/s41598-022-15093-x.
    """
    run = Anneal(problem, total_time, num_steps, schedule, dtype, num_threads)
    mask = _mask_of(problem, marked)
    check_method(method)
    if num_iterations is not None:
        num_iterations = whole_number(
            "num_iterations", num_iterations, least=0, most=MAX_ITERATIONS
        )
    failure = failure_probability(failure)

    psi = run.forward(run.start())
    amplitude = math.sqrt(probability(psi, mask))
    if amplitude == 0:
        return Amplification(psi, 0.0, 0.0, 0, 1, 0)

    tried = [num_iterations] if num_iterations is not None else lengths(amplitude, method, failure)
    last = tried[-1]
    if last > MAX_ITERATIONS:
        raise ValueError(
            f"num_iterations must be given for |A| = {amplitude:g}, whose best number is {last}"
        )

    # Only the last run needs to be simulated.
    phases = grover_phases(last) if method == "grover" else fixed_point_phases(last, failure)
    for alpha, beta in phases:
        psi = _iterate(run, psi, mask, alpha, beta)

    count, backward = sum(map(applications, tried)), sum(tried)
    success = probability(psi, mask)
    return Amplification(psi, amplitude, success, last, count - backward, backward)


def _iterate(
    run: Anneal, state: Amplitudes, mask: NDArray[np.bool_], alpha: float, beta: float
) -> Amplitudes:
    """Applies Q = -U S_0(alpha) U† S_w(beta) to a state, in place, and returns it.

    Products are of real numbers, since those of complex numbers may have other bits on another
    processor.
    """
    # S_w(beta) multiplies the marked amplitudes by e^(i beta).
    cosine, sine = (-1.0, 0.0) if abs(beta) == math.pi else (math.cos(beta), math.sin(beta))
    rotated = state.real * cosine - state.imag * sine
    np.copyto(state.imag, state.real * sine + state.imag * cosine, where=mask)
    np.copyto(state.real, rotated, where=mask)
    del rotated  # as large as half the state

    state = run.backward(state)

    # S_0(alpha) subtracts (1 - e^(-i alpha)) times the mean amplitude from each amplitude.
    re, im = (float(part.sum()) * 2.0**-run.num_spins for part in (state.real, state.imag))
    cosine, sine = (2.0, 0.0) if alpha == math.pi else (1 - math.cos(alpha), math.sin(alpha))
    state.real -= cosine * re - sine * im
    state.imag -= cosine * im + sine * re

    state = run.forward(state)
    return np.negative(state, out=state)


def marked_states(problem: IsingProblem) -> NDArray[np.bool_] | None:
    """Returns which of all states a single problem has marked, (2**N,), or None."""
    return None if problem.marked is None else np.repeat(problem.marked[0], 2**problem.num_hidden)


def _mask_of(problem: IsingProblem, marked: ArrayLike | None) -> NDArray[np.bool_]:
    """Returns the mask of all states, (2**N,), from marks of states or of outputs.

    None stands for the marks of the problem.
    """
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
