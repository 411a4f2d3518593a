"""Anneals of a classical magnet: Gibbs sampling along the schedules of a request."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from dwave.samplers.sa.simulated_annealing import simulated_annealing
from numpy.typing import NDArray

from isingprop.qpu.emulator.acting_problem import ActingProblem
from isingprop.qpu.emulator.anneal_request import Request, sweep_times
from isingprop.util.checks import Spins

_GAIN_STEPS = 8  # equal steps that replace a ramp of the gain from 0 to its largest value
_MAX_SEED = 2**63  # dwave.samplers takes seeds from 1 to one below it


def anneal_spins(
    problem: ActingProblem,
    request: Request,
    start: Spins | None,
    beta: float,
    sweeps_per_us: float,
    random: np.random.Generator,
) -> Spins:
    """Returns the spins at the end of each anneal, before they are read out: (R, n)."""
    segments = list(_segments(request, beta, sweeps_per_us))
    shape = request.num_reads, len(problem.h)
    if start is None:
        states = random.choice(np.array([-1, 1], np.int8), shape)
        return _follow(states, problem, segments, random)
    if request.reinitialize:
        return _follow(np.tile(start, (shape[0], 1)), problem, segments, random)

    # Each read starts where the last one ended.
    reads = np.empty(shape, np.int8)
    last = start[None].copy()
    for read in reads:
        read[:] = _follow(last, problem, segments, random)[0]
    return reads


def _follow(
    states: Spins,
    problem: ActingProblem,
    segments: list[tuple[float, NDArray[np.float64]]],
    random: np.random.Generator,
) -> Spins:
    """Takes states (R, n) from the begin of the schedules to their end, in place."""
    # SimulatedAnnealingSampler.sample() would take longer than the sweeps of a segment; its kernel
    # reads lists twice as fast as arrays.
    graph = [array.tolist() for array in (*problem.ends.T, problem.couplings)]
    for gain, betas in segments:
        fields = (gain * problem.h + problem.fixed).tolist()
        seed = int(random.integers(1, _MAX_SEED))
        # Gibbs updates, since Metropolis's rule would flip a free spin in every sweep.
        simulated_annealing(len(states), fields, *graph, 1, betas, seed, states, False, "Gibbs")
    return states


def _segments(
    request: Request, beta: float, sweeps_per_us: float
) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Yields the schedules as segments in which the gain of h is constant.

    A segment is its gain and the inverse temperatures of its sweeps, (n,).
    """
    times = sweep_times(request, sweeps_per_us)
    betas = beta * np.interp(times, *request.anneal.T)

    step = np.abs(request.gain[:, 1]).max() / _GAIN_STEPS
    levels = np.rint(np.interp(times, *request.gain.T) / step) if step else np.zeros(len(times))
    for part in np.split(np.arange(len(times)), np.flatnonzero(np.diff(levels)) + 1):
        yield step * levels[part[0]], betas[part]
