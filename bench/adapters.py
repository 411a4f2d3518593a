"""One function per package: arrays in, spins out, as a user of that package would write it.

All have the same schedule: one sweep at each beta of a geometric 2 to 40, best at the papers' initial scale.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

import isingprop as ip

Array = np.ndarray
# (J (H, O), h (B, H), g (1, O), sweeps, reads, seed) -> spins (B, reads, H + O), hidden spins first
Adapter = Callable[[Array, Array, Array, int, int, int], Array]

BETA_RANGE = (2.0, 40.0)
REFERENCE = "dwave-samplers"


def isingprop_tuned(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    sampler = ip.Annealing(num_sweeps=sweeps, beta_range=BETA_RANGE)
    return sampler.sample(ip.IsingProblem(J, h, g), num_reads=reads, seed=seed).spins


def isingprop_default(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    sampler = ip.Annealing(num_sweeps=sweeps)
    return sampler.sample(ip.IsingProblem(J, h, g), num_reads=reads, seed=seed).spins


def dwave_samplers(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    sampler = SimulatedAnnealingSampler()
    rows, columns = np.indices(J.shape).reshape(2, -1)
    quadratic = (rows, columns + len(J), J.ravel())
    spins = np.empty((len(h), reads, sum(J.shape)), dtype=np.int8)
    settings = {"num_sweeps": sweeps, "num_reads": reads, "beta_range": BETA_RANGE}
    for b, fields in enumerate(h):
        linear = np.concatenate([fields, g[0]])
        bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(linear, quadratic, 0.0, "SPIN")
        spins[b] = sampler.sample(bqm, seed=seed + b, **settings).record.sample  # variables come in order
    return spins


def openjij(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    """No seed: OpenJij starts each read from it, and all reads are then the same."""
    from openjij import SASampler

    sampler = SASampler()
    couplings = {(i, len(J) + a): x for i, row in enumerate(J.tolist()) for a, x in enumerate(row)}
    spins = np.empty((len(h), reads, sum(J.shape)), dtype=np.int8)
    settings = {
        "num_sweeps": sweeps,
        "num_reads": reads,
        "beta_min": BETA_RANGE[0],
        "beta_max": BETA_RANGE[1],
    }
    for b, fields in enumerate(h):
        linear = dict(enumerate(np.concatenate([fields, g[0]]).tolist()))
        spins[b] = sampler.sample_ising(linear, couplings, sparse=False, **settings).record.sample
    return spins


ADAPTERS: dict[str, Adapter] = {
    "isingprop": isingprop_tuned,
    "isingprop, default beta": isingprop_default,
    REFERENCE: dwave_samplers,
}
EXTRA_ADAPTERS: dict[str, Adapter] = {"openjij": openjij}  # by the name to import; needed here only


def adapters(*, extra: bool) -> dict[str, Adapter]:
    """Those that are dependencies of ours anyway and, where asked for, those that happen to be installed."""
    found = {name: adapter for name, adapter in EXTRA_ADAPTERS.items() if find_spec(name)}
    return ADAPTERS | (found if extra else {})
