"""Rotors in a transverse field: problems, a twin in NumPy, and exact means by integration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop import kernels

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Mirror = Callable[[Floats], Floats]

PI = np.float32(np.pi)
LOG_UNITS = 2.0**23 / np.log(2)
MASK, GAMMA = 2**64 - 1, 0x9E3779B97F4A7C15
COSINE = np.array([0.99999662, -0.16664828, 8.3063253e-3, -1.8363655e-4], np.float32)
SINE = np.array([0.99999995, -0.49999905, 4.1663585e-2, -1.3853704e-3, 2.3153932e-5], np.float32)
LOGARITHM = np.array(
    [1.8456562e-6, 0.44249532, -0.71779109, 0.45652172, -0.27654083, 0.1210023, -2.5691106e-2],
    np.float32,
)


@dataclass(frozen=True)
class Rotors:
    """A model: `couplings` maps pairs of rotors to J, `fields` are h and `offsets` f."""

    fields: tuple[float, ...]
    couplings: dict[tuple[int, int], float]
    offsets: tuple[float, ...] | None = None

    @property
    def num_rotors(self) -> int:
        return len(self.fields)

    def arrays(self) -> tuple[NDArray[np.int64], Doubles, Doubles, Doubles]:
        """Returns ends, couplings, fields and offsets as the kernel takes them."""
        ends = np.array(list(self.couplings), np.int64).reshape(-1, 2)
        offsets = np.zeros(self.num_rotors) if self.offsets is None else np.array(self.offsets)
        return ends, np.array(list(self.couplings.values()), float), np.array(self.fields), offsets


@dataclass(frozen=True)
class Sweeps:
    """Strengths of each sweep."""

    transverse: Doubles
    longitudinal: Doubles
    gains: Doubles
    widths: Doubles

    @classmethod
    def constant(
        cls, count: int, transverse: float, longitudinal: float, gain: float = 1, width: float = 1
    ) -> Sweeps:
        return cls(*(np.full(count, x, float) for x in (transverse, longitudinal, gain, width)))

    def arrays(self) -> tuple[Doubles, Doubles, Doubles, Doubles]:
        return self.transverse, self.longitudinal, self.gains, self.widths


def anneal(
    rotors: Rotors, sweeps: Sweeps, num_reads: int, **options: Any
) -> tuple[NDArray[np.int8], Floats]:
    """Returns what the kernel does: spins and angles (num_reads, num_rotors)."""
    given = {"first_read": 0, "seed": 1, "stream": 2, "initial": None, "num_threads": 1} | options
    return kernels.anneal_rotors(*rotors.arrays(), *sweeps.arrays(), num_reads=num_reads, **given)


# The twin


def mirrored(angles: Floats) -> Floats:
    """Returns angles in [-pi, 2 pi], mirrored at 0 and at pi."""
    above = np.abs(angles)
    return np.minimum(above, 2 * PI - above)


def twin(
    rotors: Rotors,
    sweeps: Sweeps,
    num_reads: int,
    seed: int,
    stream: int,
    mirror: Mirror = mirrored,
) -> Floats:
    """Returns the angles (num_reads, num_rotors) of reads 0, 1, ... from the start at pi / 2."""
    ends, couplings, fields, offsets = rotors.arrays()
    matrix = np.zeros((rotors.num_rotors,) * 2, np.float32)
    matrix[ends[:, 0], ends[:, 1]] = matrix[ends[:, 1], ends[:, 0]] = couplings
    state = _seeds(num_reads, seed, stream)
    angles = np.full((rotors.num_rotors, num_reads), PI / 2, np.float32)

    for a, b, g, w in zip(*sweeps.arrays(), strict=True):
        transverse, longitudinal = np.float32(a * LOG_UNITS), np.float32(b * LOG_UNITS)
        unit = np.float32(w * (float(PI) * 2.0**-31))
        for i, old in enumerate(angles):
            field = np.float32(g) * np.float32(fields[i]) + np.float32(offsets[i])
            for j in np.flatnonzero(matrix[i]):
                field = field + matrix[i, j] * cosine(angles[j])

            turn = _next(state).view(np.int32).astype(np.float32)
            log_u = logarithm(_next(state))
            new = mirror(old + turn * unit)
            gain = (sine(new) - sine(old)) * transverse
            gain -= (cosine(new) - cosine(old)) * (field * longitudinal)
            angles[i] = np.where(log_u < gain, new, old)
    return angles.T.copy()


def cosine(angles: Floats) -> Floats:
    x = PI / 2 - angles
    return _polynomial(COSINE, x * x) * x


def sine(angles: Floats) -> Floats:
    x = PI / 2 - angles
    return _polynomial(SINE, x * x)


def logarithm(r: NDArray[np.uint32]) -> Floats:
    """Returns 2^23 log2(u) of u = (r >> 1) / 2^31."""
    words = (r >> np.uint32(1)).astype(np.int32).astype(np.float32).view(np.int32)
    linear = (words - np.int32((127 + 31) << 23)).astype(np.float32)
    y = (words & np.int32(0x7FFFFF)).astype(np.float32) * np.float32(2.0**-23)
    return linear + _polynomial(LOGARITHM, y) * np.float32(2.0**23)


def _polynomial(coefficients: Floats, x: Floats) -> Floats:
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def _mix(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def _fold(key: int, number: int) -> int:
    return _mix((key + GAMMA & MASK) ^ _mix(number))


def _seeds(num_reads: int, seed: int, stream: int) -> list[NDArray[np.uint32]]:
    """Returns the four words of xoshiro128+ of all reads."""
    words = np.empty((num_reads, 4), np.uint32)
    for read in range(num_reads):
        key = _fold(_fold(_mix(seed), stream), read)
        for k in (0, 2):
            key = key + GAMMA & MASK
            z = _mix(key)
            words[read, k : k + 2] = z & 0xFFFFFFFF, z >> 32
    return list(words.T.copy())


def _next(s: list[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Returns the next number of each read (https://prng.di.unimi.it/xoshiro128plus.c)."""
    result, t = s[0] + s[3], s[1] << np.uint32(9)
    s[2] = s[2] ^ s[0]
    s[3] = s[3] ^ s[1]
    s[1] = s[1] ^ s[2]
    s[0] = s[0] ^ s[3]
    s[2] = s[2] ^ t
    s[3] = (s[3] << np.uint32(11)) | (s[3] >> np.uint32(21))
    return result


# Exact means


def observables(angles: Floats) -> dict[str, Doubles]:
    """Returns cosines, sines and products of cosines of each read."""
    columns = np.moveaxis(angles.astype(float), -1, 0)
    found = {}
    for i, x in enumerate(columns):
        found[f"cos {i}"], found[f"sin {i}"] = np.cos(x), np.sin(x)
    for i, j in combinations(range(len(columns)), 2):
        found[f"cos {i} cos {j}"] = np.cos(columns[i]) * np.cos(columns[j])
    return found


def exact(
    rotors: Rotors, transverse: float, longitudinal: float, gain: float = 1
) -> dict[str, tuple[float, float]]:
    """Returns mean and standard deviation of each observable under exp(-E) d theta.

    The integral over each angle is a sum over 60 nodes of Gauss and Legendre: of an integrand with
    an energy of some 10 kT it has more than 10 correct digits.
    """
    nodes, weights = np.polynomial.legendre.leggauss(60)
    grid = np.meshgrid(*[np.pi / 2 * (1 + nodes)] * rotors.num_rotors, indexing="ij")
    angles = np.stack(grid, axis=-1)
    volume = np.prod(np.meshgrid(*[weights] * rotors.num_rotors, indexing="ij"), axis=0)

    ends, couplings, fields, offsets = rotors.arrays()
    x = np.cos(angles)
    classical = (
        x @ (gain * fields + offsets) + (x[..., ends[:, 0]] * x[..., ends[:, 1]]) @ couplings
    )
    p = volume * np.exp(transverse * np.sin(angles).sum(axis=-1) - longitudinal * classical)
    p /= p.sum()
    means = {name: ((p * v).sum(), (p * v**2).sum()) for name, v in observables(angles).items()}
    return {name: (mean, np.sqrt(square - mean**2)) for name, (mean, square) in means.items()}


def z_scores(angles: Floats, expected: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Returns by how many standard errors the means of independent reads differ from exact ones."""
    return {
        name: (values.mean() - expected[name][0]) / (expected[name][1] / np.sqrt(len(values)))
        for name, values in observables(angles).items()
    }
