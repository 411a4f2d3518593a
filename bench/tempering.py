"""Where parallel tempering beats annealing, and where it does not: CPU time to solution on hard
problems.

    python bench/tempering.py [--families certified uniform-512 ...] [--seconds 2]

For each family and sampler, at several numbers of sweeps: the hit probability of a read, the CPU
time of one, the time to a solution with 99 % certainty (the median and the largest over problems)
and the mean residual energy. A solution is the proved ground state, or the lowest state that any
run here has found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from instances import HIT_TOLERANCE, certified_problems
from measure import PERCENT, time_to_solution

import isingprop as ip
from isingprop.samplers.protocol import Sampler

Array = np.ndarray
FEWEST_READS, MOST_READS = 6, 2000
ANNEALING_SWEEPS = (30, 100, 300, 1000, 3000, 10000)
TEMPERING_SWEEPS = (30, 100, 300, 1000, 3000)


@dataclass
class Runs:
    """Energies and CPU seconds per read of one sampler at one number of sweeps, by problem."""

    energies: list[Array]
    seconds: list[float]


def searched(problems: list[ip.IsingProblem]) -> tuple[list[ip.IsingProblem], Array]:
    """Problems whose ground states nobody has proved."""
    return problems, np.full(len(problems), np.inf)


def random_problem(draw: Callable[..., Array], num_hidden: int, num_output: int) -> ip.IsingProblem:
    return ip.IsingProblem(
        draw((num_hidden, num_output)), np.zeros((1, num_hidden)), np.zeros((1, num_output))
    )


def uniform(size: int, count: int) -> tuple[list[ip.IsingProblem], Array]:
    """J from U(-1, 1), all to all."""
    random = np.random.default_rng([size, 1])
    return searched(
        [
            random_problem(lambda shape: random.uniform(-1, 1, shape), size, size)
            for _ in range(count)
        ]
    )


def plus_minus(size: int, count: int) -> tuple[list[ip.IsingProblem], Array]:
    """J = +-1, all to all, a gauge of no use: frustrated."""
    random = np.random.default_rng([size, 2])
    return searched(
        [
            random_problem(lambda shape: random.choice([-1.0, 1.0], shape), size, size)
            for _ in range(count)
        ]
    )


def cubic(side: int, count: int) -> tuple[list[ip.IsingProblem], Array]:
    """J = +-1 on the edges of a cubic lattice with open ends, its two sublattices as layers."""
    random = np.random.default_rng([side, 3])
    sites = np.indices((side,) * 3).reshape(3, -1).T
    odd = sites.sum(axis=1) % 2
    place = np.where(odd, np.cumsum(odd) - 1, np.cumsum(1 - odd) - 1)
    near = np.abs(sites[odd == 0][:, None] - sites[odd == 1][None]).sum(axis=2) == 1
    assert place.max() < len(near)
    return searched(
        [
            random_problem(lambda shape: near * random.choice([-1.0, 1.0], shape), *near.shape)
            for _ in range(count)
        ]
    )


FAMILIES: dict[str, Callable[[], tuple[list[ip.IsingProblem], Array]]] = {
    "certified": certified_problems,
    "pm-80": lambda: plus_minus(80, 8),
    "pm-256": lambda: plus_minus(256, 6),
    "uniform-512": lambda: uniform(512, 4),
    "pm-512": lambda: plus_minus(512, 4),
    "cubic-10": lambda: cubic(10, 6),
}


def samplers() -> dict[tuple[str, int], Sampler]:
    table: dict[tuple[str, int], Sampler] = {
        ("annealing", s): ip.Annealing(s) for s in ANNEALING_SWEEPS
    }
    for sweeps in TEMPERING_SWEEPS:
        table["tempering", sweeps] = ip.Tempering(sweeps)
        if sweeps > TEMPERING_SWEEPS[0]:  # too few to adapt
            table["tempering, adaptive", sweeps] = ip.Tempering(sweeps, adaptive=True)
    return table


def run(sampler: Sampler, problem: ip.IsingProblem, seconds: float) -> tuple[Array, float]:
    """Energies of as many reads as fit into the time, and the CPU time of one."""
    start = time.process_time()
    sampler.sample(problem, num_reads=2, seed=1)
    reads = int(np.clip(2 * seconds / (time.process_time() - start), FEWEST_READS, MOST_READS))
    start = time.process_time()
    energies = sampler.sample(problem, num_reads=reads, seed=0).energies[0]
    return energies, (time.process_time() - start) / reads


def report(name: str, seconds: float) -> None:
    problems, best = FAMILIES[name]()
    runs = {}
    for key, sampler in samplers().items():
        results = [run(sampler, problem, seconds) for problem in problems]
        runs[key] = Runs([energies for energies, _ in results], [each for _, each in results])
        best = np.minimum(best, [energies.min() for energies in runs[key].energies])
    print(f"\n{name}: {len(problems)} x {problems[0]!r}, lowest {best.mean():.4f} on average")
    print(
        f"{'':22}{'sweeps':>7}{'p':>9}{'ms a read':>11}{'TTS99, ms':>11}"
        f"{'largest':>11}{'residual, %':>13}"
    )
    fastest: dict[str, float] = {}
    for (sampler_name, sweeps), found in runs.items():
        above = [energies - lowest for energies, lowest in zip(found.energies, best, strict=True)]
        hits = [(each < HIT_TOLERANCE).mean() for each in above]
        times = [
            1e3 * time_to_solution(p, each) for p, each in zip(hits, found.seconds, strict=True)
        ]
        residual = PERCENT * np.mean(
            [each.mean() / abs(lowest) for each, lowest in zip(above, best, strict=True)]
        )
        print(
            f"{sampler_name:22}{sweeps:7}{np.mean(hits):9.4f}{1e3 * np.mean(found.seconds):11.3f}",
            end="",
        )
        print(f"{median(times):11.3f}{max(times):11.3f}{residual:13.4f}")
        fastest[sampler_name] = min(fastest.get(sampler_name, np.inf), median(times))
    for sampler_name, tts in fastest.items():
        print(
            f"{sampler_name:22} at its best {tts:.3f} ms, "
            f"annealing / it = {fastest['annealing'] / tts:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--families", nargs="+", choices=FAMILIES, default=list(FAMILIES), metavar="NAME"
    )
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of CPU for each sampler and problem"
    )
    args = parser.parse_args()
    for name in args.families:
        report(name, args.seconds)


if __name__ == "__main__":
    main()
