"""Measurements of compare.py: CPU time of a package's calls, energies, and time to solution."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from adapters import OURS, REFERENCE, SLOW, TORCH_ADAPTERS, Adapter, Array
from instances import HIT_TOLERANCE

import isingprop as ip

SINGLE_CALLS = 100  # timed calls with one image each
SLOW_IMAGES, SLOW_READS = 50, 500  # at most, for SLOW packages: timed images, reads for quality
CERTAINTY = 0.99
PERCENT = 100.0


@dataclass
class Group:
    """Problems of one kind, each with B = 1, and the lowest energies known."""

    name: str
    problems: list[ip.IsingProblem]
    best: Array
    certified: bool = False


@dataclass
class Timing:
    """CPU seconds per image of each repeat, and the mean energy of each image in bulk."""

    bulk: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    energies: Array = field(default_factory=lambda: np.empty(0))


@dataclass
class Speed:
    """Spin updates per CPU second; ratios to REFERENCE are medians of interleaved pairs."""

    bulk_ratio: float  # all images in one call
    single_ratio: float  # one image per call
    bulk: float
    single: float
    seconds_per_read: float  # in bulk
    images: int  # timed in bulk
    mean_energy: float  # of the reads of the timed bulk calls
    energy_above_ours: float  # the same, less that of OURS for the same images


@dataclass
class Pair:
    """One of ours over another package; ratios are medians of interleaved pairs."""

    name: str
    other: str
    bulk_ratio: float
    single_ratio: float
    energy_below: float  # mean energy of the other's reads less ours, in the timed bulk calls


@dataclass
class Quality:
    """Means over the problems of a group. Residuals are above the best-known energy, in % of it."""

    sweeps: int
    tts_ms: float  # time to solution at CERTAINTY, the median over problems, of CPU time
    mean_residual: float
    hit_probability: float  # of one read
    mean_energy: float
    best_energy: float


def one_by_one(problem: ip.IsingProblem) -> list[ip.IsingProblem]:
    return [problem[b : b + 1] for b in range(len(problem))]


def call(
    adapter: Adapter, problem: ip.IsingProblem, *settings: int
) -> Array:  # sweeps, reads, seed
    return adapter(problem.couplings, problem.hidden_fields, problem.output_fields, *settings)


def timed_calls(
    adapter: Adapter, problems: list[ip.IsingProblem], *settings: int
) -> tuple[float, list[Array]]:
    """CPU seconds per image, and the states of each problem."""
    start = time.process_time()
    states = [call(adapter, problem, *settings) for problem in problems]
    return (time.process_time() - start) / sum(map(len, problems)), states


def measure_times(
    table: dict[str, Adapter], problem: ip.IsingProblem, sweeps: int, args: argparse.Namespace
) -> dict[str, Timing]:
    """Calls all packages in turn in each repeat, so that other loads fall on all of them."""
    timings = {name: Timing() for name in table}
    for adapter in table.values():
        call(adapter, problem[:1], sweeps, args.reads, args.seed)  # warms up
    for seed in range(args.seed, args.seed + args.repeats):
        for name, adapter in table.items():
            part, timing = problem[:SLOW_IMAGES] if name in SLOW else problem, timings[name]
            settings = sweeps, args.reads, seed
            seconds, (states,) = timed_calls(adapter, [part], *settings)
            timing.bulk.append(seconds)
            timing.single.append(
                timed_calls(adapter, one_by_one(part[:SINGLE_CALLS]), *settings)[0]
            )
            energies = part.energies(states).mean(axis=1) / args.repeats
            timing.energies = timing.energies + energies if len(timing.energies) else energies
    return timings


def ratios(slow: Timing, fast: Timing) -> tuple[float, float]:
    """In bulk, and of one image per call."""
    return median(np.divide(slow.bulk, fast.bulk)), median(np.divide(slow.single, fast.single))


def energy_above(timing: Timing, other: Timing) -> float:
    """Over the images that both were timed on."""
    images = min(len(timing.energies), len(other.energies))
    return (timing.energies[:images] - other.energies[:images]).mean()


def summarize(timings: dict[str, Timing], updates: int, reads: int) -> dict[str, Speed]:
    """updates: of spins, per image."""
    return {
        name: Speed(
            *ratios(timings[REFERENCE], timing),
            bulk=updates / median(timing.bulk),
            single=updates / median(timing.single),
            seconds_per_read=median(timing.bulk) / reads,
            images=len(timing.energies),
            mean_energy=timing.energies.mean(),
            energy_above_ours=energy_above(timing, timings[OURS]),
        )
        for name, timing in timings.items()
    }


def pairs_with_pytorch(timings: dict[str, Timing]) -> list[Pair]:
    """Each of ours over the fastest of pytorch's, where there is one."""
    found = [name for name in TORCH_ADAPTERS if name in timings]
    if not found:
        return []
    fastest = min(found, key=lambda name: median(timings[name].bulk))
    theirs = timings[fastest]
    ours = {name: timing for name, timing in timings.items() if name.startswith(OURS)}
    return [
        Pair(name, fastest, *ratios(theirs, own), energy_above(theirs, own))
        for name, own in ours.items()
    ]


def sample_energies(
    table: dict[str, Adapter], group: Group, sweeps: int, reads: int, seed: int
) -> dict[str, Array]:
    """Returns energies (problems, reads) of each package, and the lowest known ones."""
    energies = {}
    for name, adapter in table.items():
        settings = sweeps, min(reads, SLOW_READS) if name in SLOW else reads, seed
        states = [(problem, call(adapter, problem, *settings)) for problem in group.problems]
        energies[name] = np.concatenate([problem.energies(spins) for problem, spins in states])
        lowest = energies[name].min(axis=1)
        if group.certified and (lowest < group.best - HIT_TOLERANCE).any():
            sys.exit(f"{name} undercut a certified ground state: something is wrong")
        group.best = np.minimum(group.best, lowest)
    return energies


def time_to_solution(p: float, seconds_per_read: float) -> float:
    """Returns the time after which a ground state is seen with probability CERTAINTY.

    It is at least that of one read.
    """
    if p >= CERTAINTY:
        return seconds_per_read
    return seconds_per_read * np.log(1 - CERTAINTY) / np.log(1 - p) if p > 0 else float("inf")


def judge(sweeps: int, energies: Array, best: Array, seconds_per_read: float) -> Quality:
    above = energies - best[:, None]
    hits = (above < HIT_TOLERANCE).mean(axis=1)
    times = [time_to_solution(p, seconds_per_read) for p in hits]
    residual = PERCENT * (above.mean(axis=1) / abs(best)).mean()
    means = energies.mean(), energies.min(axis=1).mean()
    return Quality(sweeps, 1e3 * median(times), residual, hits.mean(), *means)
