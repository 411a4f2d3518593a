"""Amplitude amplification, literally: U and its inverse are applied step by step to the whole state vector."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from isingprop.problem import IsingProblem
from isingprop.quantum.amplification import (
    MOST_ITERATIONS,
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
        num_iterations = whole_number(
            "num_iterations", num_iterations, least=0, most=MOST_ITERATIONS
        )
    failure = failure_probability(failure)
    psi = run.forward(run.start())
    amplitude = math.sqrt(probability(psi, mask))
    if amplitude == 0:
        return Amplification(psi, 0.0, 0.0, 0, 1, 0)
    tried = [num_iterations] if num_iterations is not None else lengths(amplitude, method, failure)
    if tried[-1] > MOST_ITERATIONS:
        raise ValueError(
            f"num_iterations must be given for |A| = {amplitude:g}, whose best number is {tried[-1]}"
        )
    phases = (
        grover_phases(tried[-1]) if method == "grover" else fixed_point_phases(tried[-1], failure)
    )
    for alpha, beta in phases:
        psi = _iterate(run, psi, mask, alpha, beta)
    count = sum(map(applications, tried))
    backward = sum(tried)
    return Amplification(
        psi, amplitude, probability(psi, mask), tried[-1], count - backward, backward
    )


def _iterate(
    run: Anneal, state: Amplitudes, mask: NDArray[np.bool_], alpha: float, beta: float
) -> Amplitudes:
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
