"""How good the reads of a chip are, measured on its emulation, in sweeps of our own annealing."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.cli.qpu_commands.plan.measurements import Measurements
from isingprop.problem import IsingProblem
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.dwave import DWave
from isingprop.util.messages import say

# Numbers of sweeps that are compared with the chip: steps of about a half are as fine as the
# energies of so few reads allow.
_SWEEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_CHIP_READS = 20  # of each problem
_CPU_READS = 200
# The lowest energy of so many long reads stands for the ground state.
_LONG_SWEEPS, _LONG_READS = 1000, 50


@dataclass(frozen=True)
class Quality:
    """The quality of reads of an emulated chip, after their descent, at one annealing time."""

    annealing_time: float  #: us
    excess: float  #: mean of (energy - lowest) / |lowest|
    chain_break_fraction: float  #: before the descent
    beta_effective: float  #: before the descent, median over calls
    num_calls: int
    num_sweeps: int  #: of `Annealing` with the nearest excess


def measured_quality(
    device: EmulatedQPU,
    qubits_per_copy: Sequence[int],
    problems: Sequence[IsingProblem],
    annealing_time: float,
) -> Quality:
    """Returns the quality at an annealing time in us, from the cache folder if it is there.

    Args:
        device: the emulated chip.
        qubits_per_copy: qubits of each copy of the network, which tell embeddings apart.
        problems: problems of the network, each with fields of several images.
        annealing_time: time of a read in us.
    """
    known = Measurements(
        "quality", *_circumstances(device), list(qubits_per_copy), _digest(problems)
    )
    if (found := known.get(annealing_time)) is None:
        say(f"isingprop: measuring reads of the emulated chip at {annealing_time:g} us")
        found = asdict(_measure(device, problems, annealing_time))
        known.put(annealing_time, found)
    return Quality(**found)


def _measure(
    device: EmulatedQPU, problems: Sequence[IsingProblem], annealing_time: float
) -> Quality:
    """Anneals the problems on the emulated chip and on the CPU."""
    with tempfile.TemporaryDirectory() as record:
        sampler = DWave(annealing_time=annealing_time, solver=device, record=record)
        reads = [sampler.sample(problem, _CHIP_READS, seed=0) for problem in problems]
        sampler.close()

    lowest = []
    for problem, states in zip(problems, reads, strict=True):
        best = Annealing(num_sweeps=_LONG_SWEEPS).sample(problem, _LONG_READS, seed=0).energies
        lowest.append(np.minimum(best.min(axis=1), states.energies.min(axis=1)))

    excess = _excess([states.energies for states in reads], lowest)
    return Quality(
        annealing_time,
        excess,
        float(np.mean([states.info["chain_break_fraction"] for states in reads])),
        float(np.mean([states.info["beta_effective"] for states in reads])),
        sum(len(states.info["calls"]) for states in reads),
        _equal_sweeps(excess, problems, lowest),
    )


def _equal_sweeps(
    excess: float, problems: Sequence[IsingProblem], lowest: Sequence[NDArray[np.float64]]
) -> int:
    """Returns the number of sweeps whose mean excess is nearest to that of the chip."""

    def distance(num_sweeps: int) -> float:
        annealing = Annealing(num_sweeps=num_sweeps)
        energies = [annealing.sample(each, _CPU_READS, seed=0).energies for each in problems]
        return abs(_excess(energies, lowest) - excess)

    return min(_SWEEPS, key=distance)


def _excess(
    energies: Sequence[NDArray[np.float64]], lowest: Sequence[NDArray[np.float64]]
) -> float:
    """Returns the mean of (energy - lowest) / |lowest| over all reads of all problems."""
    return float(
        np.mean(
            [
                (each.mean(axis=1) - best) / np.abs(best)
                for each, best in zip(energies, lowest, strict=True)
            ]
        )
    )


def _circumstances(device: EmulatedQPU) -> tuple[str, str]:
    """Returns all that determines the reads of a device, with its graph."""
    properties = json.dumps(device.properties, sort_keys=True)
    return device.emulation, hashlib.sha256(properties.encode()).hexdigest()


def _digest(problems: Sequence[IsingProblem]) -> str:
    content = hashlib.sha256()
    for problem in problems:
        for array in (problem.couplings, problem.hidden_fields, problem.output_fields):
            content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()
