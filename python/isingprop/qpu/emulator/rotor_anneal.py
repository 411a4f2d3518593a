"""Anneals of rotors: spin-vector Monte Carlo with transverse-field-dependent updates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isingprop import kernels
from isingprop.qpu.chip.energy_scales import EnergyScales, thermal_energy
from isingprop.qpu.emulator.acting_problem import ActingProblem
from isingprop.qpu.emulator.anneal_request import Request, sweep_times
from isingprop.util.checks import Spins

_LARGEST_STEP = 1.0  # times pi, of a proposed angle


def anneal_rotors(
    problem: ActingProblem,
    request: Request,
    start: Spins | None,
    scales: EnergyScales,
    temperature: float,
    sweeps_per_us: float,
    random: np.random.Generator,
) -> Spins:
    """Returns the signs of all rotors at the end of each anneal: (R, n).

    Rotors start at pi / 2, or at 0 and pi where there is an initial state.

    Args:
        problem: what acts on the n qubits.
        request: schedules and number of reads.
        start: (n,), or None where the anneal begins at s = 0.
        scales: energy scales of the chip.
        temperature: in mK.
        sweeps_per_us: sweeps per microsecond.
        random: names the random streams of the reads.
    """
    times = sweep_times(request, sweeps_per_us)
    fractions = np.interp(times, *request.anneal.T)
    transverse, longitudinal = scales.at(fractions, fast=request.fast)
    widths = np.minimum(_LARGEST_STEP, transverse / longitudinal)
    gains = np.interp(times, *request.gain.T)
    unit = 2 * thermal_energy(temperature)
    seed = int(random.integers(0, 2**64, dtype=np.uint64))

    def reads(
        first: int, count: int, initial: NDArray[np.float32] | None
    ) -> tuple[Spins, NDArray[np.float32]]:
        return kernels.anneal_rotors(
            problem.ends,
            problem.couplings,
            problem.h,
            problem.fixed,
            transverse / unit,
            longitudinal / unit,
            gains,
            widths,
            num_reads=count,
            first_read=first,
            seed=seed,
            stream=0,
            initial=initial,
            num_threads=1,
        )

    if start is None:
        return reads(0, request.num_reads, None)[0]
    angles = np.where(start > 0, np.float32(0), np.float32(np.pi))[None]
    if request.reinitialize:
        return reads(0, request.num_reads, angles)[0]

    # Each read starts where the last one ended.
    spins = np.empty((request.num_reads, len(start)), np.int8)
    for k, read in enumerate(spins):
        last, angles = reads(k, 1, angles)
        read[:] = last[0]
    return spins
