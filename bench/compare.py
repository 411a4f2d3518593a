"""Side by side with other samplers: same problems, one process, one thread, CPU time; ratios first.

    python bench/compare.py [--sweeps 50 100] [--images 1000] [--reads 20] [--repeats 5] [--all] [--json FILE]

All that a user's call costs is timed, from arrays to states: checks, conversions, the making of models.
Energies are then evaluated from the states by one function for all, outside of the timing. Our sampler ends
with its zero-temperature descent, as it does by default. A package is added in adapters.py.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np
from adapters import BETA_RANGE, EXTRA_ADAPTERS, REFERENCE, Adapter, Array, adapters
from instances import HIT_TOLERANCE, certified_problems, image_set, new_network, trained_network

import isingprop as ip
from isingprop import _core

TRAIN_IMAGES, HALF_TRAINED_EPOCHS = 1000, 2
LONG_READS, LONG_SWEEPS = 200, 2000  # for the best-known energies of problems without a certificate
SINGLE_CALLS = 100  # timed calls with one image each
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
class Speed:
    """Spin updates per CPU second as called; ratios to REFERENCE are medians of interleaved pairs."""

    bulk_ratio: float  # all images in one call
    single_ratio: float  # one image per call
    bulk: float
    single: float
    seconds_per_read: float  # in bulk


@dataclass
class Quality:
    """Means over the problems of a group. Residuals are above the best-known energy, in % of it."""

    tts_ms: float  # time to solution at CERTAINTY, the median over problems, of CPU time
    mean_residual: float
    hit_probability: float  # of one read
    mean_energy: float
    best_energy: float


def call(adapter: Adapter, problem: ip.IsingProblem, *settings: int) -> Array:  # sweeps, reads, seed
    return adapter(problem.couplings, problem.hidden_fields, problem.output_fields, *settings)


def cpu_seconds(adapter: Adapter, problems: list[ip.IsingProblem], *settings: int) -> float:
    start = time.process_time()
    for problem in problems:
        call(adapter, problem, *settings)
    return (time.process_time() - start) / sum(map(len, problems))


def measure_speed(
    table: dict[str, Adapter], problem: ip.IsingProblem, sweeps: int, args: argparse.Namespace
) -> dict[str, Speed]:
    """Each repeat calls all packages in turn, so that other loads on the machine fall on all of them."""
    singles = one_by_one(problem[:SINGLE_CALLS])
    seconds = {name: ([], []) for name in table}  # per image: bulk, single
    for adapter in table.values():
        cpu_seconds(adapter, singles[:1], sweeps, args.reads, args.seed)  # warms up
    for seed in range(args.seed, args.seed + args.repeats):
        for name, adapter in table.items():
            for times, part in zip(seconds[name], ([problem], singles), strict=True):
                times.append(cpu_seconds(adapter, part, sweeps, args.reads, seed))
    updates = sweeps * args.reads * problem.num_spins
    speeds = {}
    for name, (bulk, single) in seconds.items():
        ratios = [median(np.divide(*pair)) for pair in zip(seconds[REFERENCE], (bulk, single), strict=True)]
        rates = updates / median(bulk), updates / median(single)
        speeds[name] = Speed(*ratios, *rates, seconds_per_read=median(bulk) / args.reads)
    return speeds


def sample_energies(table: dict[str, Adapter], group: Group, *settings: int) -> dict[str, Array]:
    """(problems, reads) for each package, evaluated by one judge; the best-known energies follow."""
    energies = {}
    for name, adapter in table.items():
        pairs = [(problem, call(adapter, problem, *settings)) for problem in group.problems]
        energies[name] = np.concatenate([problem.energies(spins) for problem, spins in pairs])
        lowest = energies[name].min(axis=1)
        if group.certified and (lowest < group.best - HIT_TOLERANCE).any():
            sys.exit(f"{name} undercut a certified ground state: something is wrong")
        group.best = np.minimum(group.best, lowest)
    return energies


def time_to_solution(p: float, seconds_per_read: float) -> float:
    """The time after which a ground state was seen with probability CERTAINTY; at least that of one read."""
    if p >= CERTAINTY:
        return seconds_per_read
    return seconds_per_read * np.log(1 - CERTAINTY) / np.log(1 - p) if p > 0 else float("inf")


def judge(energies: Array, best: Array, seconds_per_read: float) -> Quality:
    above = energies - best[:, None]
    hits = (above < HIT_TOLERANCE).mean(axis=1)
    times = [time_to_solution(p, seconds_per_read) for p in hits]
    residual = PERCENT * (above.mean(axis=1) / abs(best)).mean()
    return Quality(1e3 * median(times), residual, hits.mean(), energies.mean(), energies.min(axis=1).mean())


def one_by_one(problem: ip.IsingProblem) -> list[ip.IsingProblem]:
    return [problem[b : b + 1] for b in range(len(problem))]


def make_groups(args: argparse.Namespace) -> tuple[list[Group], ip.IsingProblem]:
    """The groups for quality, and the many problems of one network for speed."""
    images = image_set(TRAIN_IMAGES, args.images)
    untrained = new_network(args.seed).problem(images.test_images)
    trained = trained_network(images, HALF_TRAINED_EPOCHS, args.seed).problem(images.test_images)
    problems, energies = certified_problems()
    groups = [Group("certified, untrained", problems, energies, certified=True)] if problems else []
    for name, many in (("untrained", untrained), (f"after {HALF_TRAINED_EPOCHS} epochs", trained)):
        part = many[: args.problems]
        long_run = ip.Annealing(num_sweeps=LONG_SWEEPS).sample(part, num_reads=LONG_READS, seed=args.seed)
        groups.append(Group(f"{name}, {images.name} images", one_by_one(part), long_run.energies.min(axis=1)))
    return groups, untrained


def print_speeds(speeds: dict[str, Speed], sweeps: int) -> None:
    print(f"\nSPEED at {sweeps} sweeps: spin updates per CPU second as called; x: over {REFERENCE}'s")
    print(f"{'':24}{'bulk':>9}{'one image':>11}{'bulk, M/s':>12}{'one image, M/s':>16}")
    for name, x in speeds.items():
        print(f"{name:24}{x.bulk_ratio:8.1f}x{x.single_ratio:10.1f}x{x.bulk / 1e6:12.0f}{x.single / 1e6:16.0f}")


def print_qualities(group: Group, qualities: dict[str, Quality], sweeps: str) -> None:
    source = "proved" if group.certified else f"from {LONG_READS} reads x {LONG_SWEEPS} sweeps and all below"
    print(f"\nQUALITY at {sweeps} sweeps, {len(group.problems)} problems: {group.name}; minima {source}")
    print(f"{'':24}{'1/TTS99':>9}{'residual':>11}{'TTS99, ms':>12}{'residual, %':>13}", end="")
    print(f"{'p per read':>12}{'mean E':>10}{'best E':>10}")
    base = qualities[REFERENCE]
    for name, x in qualities.items():
        faster = base.tts_ms / x.tts_ms if np.isfinite(x.tts_ms) else 0.0
        print(f"{name:24}{faster:8.1f}x{x.mean_residual / base.mean_residual:10.2f}x", end="")
        print(f"{x.tts_ms:12.3g}{x.mean_residual:13.3f}{x.hit_probability:12.4f}", end="")
        print(f"{x.mean_energy:10.3f}{x.best_energy:10.3f}")


def thread_ratios(problem: ip.IsingProblem, sweeps: int, args: argparse.Namespace) -> tuple[float, float]:
    """Wall time of one thread over two, and CPU time of two over one: medians of interleaved pairs."""
    times = []
    for seed in range(args.repeats):
        ends = [(time.perf_counter(), time.process_time())]
        for threads in (1, 2):
            ip.Annealing(sweeps, num_threads=threads).sample(problem, num_reads=args.reads, seed=seed)
            ends.append((time.perf_counter(), time.process_time()))
        times.append(np.diff(ends, axis=0))
    one, two = np.moveaxis(times, 1, 0)
    return median(one[:, 0] / two[:, 0]), median(two[:, 1] / one[:, 1])


def machine() -> dict[str, str]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    found = {"processor": model or platform.machine(), "kernel": _core.current_kernel()}
    found["python"] = platform.python_version()
    for name in ("isingprop", "numpy", "dimod", "dwave-samplers", *EXTRA_ADAPTERS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    whole = {"type": int, "metavar": "N"}
    parser.add_argument("--sweeps", nargs="+", default=[100], **whole)
    parser.add_argument("--images", default=1000, help="problems of the timed calls", **whole)
    parser.add_argument("--reads", default=20, help="per problem, in the timed calls", **whole)
    parser.add_argument("--repeats", default=5, help="interleaved timings; medians count", **whole)
    parser.add_argument("--problems", default=20, help="problems of each network for quality", **whole)
    parser.add_argument("--quality-reads", default=1000, help="per problem, for p and energies", **whole)
    parser.add_argument("--seed", default=0, **whole)
    parser.add_argument("--all", action="store_true", help="also the packages that only this script uses")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    return parser.parse_args()


def report_group(
    group: Group, table: dict[str, Adapter], speeds: dict[int, dict[str, Speed]], args: argparse.Namespace
) -> dict[str, dict[str, Quality]]:
    """Prints and returns the qualities at each number of sweeps and, for several, at each package's best."""
    runs = {s: sample_energies(table, group, s, args.quality_reads, args.seed) for s in args.sweeps}
    qualities = {}
    for sweeps, energies in runs.items():
        times = {name: speed.seconds_per_read for name, speed in speeds[sweeps].items()}
        qualities[str(sweeps)] = {name: judge(energies[name], group.best, times[name]) for name in table}
    if len(runs) > 1:
        best = {name: min(qualities, key=lambda s: qualities[s][name].tts_ms) for name in table}
        label = f"each one's best ({', '.join(best.values())})"
        qualities[label] = {name: qualities[sweeps][name] for name, sweeps in best.items()}
    for sweeps, quality in qualities.items():
        print_qualities(group, quality, sweeps)
    return qualities


def main() -> None:
    args = arguments()
    table = adapters(extra=args.all)
    groups, many = make_groups(args)
    print(f"{len(many)} images x {args.reads} reads, one thread, beta {BETA_RANGE}, median of {args.repeats}")
    speeds = {sweeps: measure_speed(table, many, sweeps, args) for sweeps in args.sweeps}
    for sweeps in args.sweeps:
        print_speeds(speeds[sweeps], sweeps)
    threads = thread_ratios(many, args.sweeps[-1], args)
    print("\ntwo threads: {:.2f}x as fast by the clock, {:.2f}x the CPU time of one".format(*threads))
    qualities = {group.name: report_group(group, table, speeds, args) for group in groups}
    print("\n" + ", ".join(f"{name} {value}" for name, value in machine().items()))
    if args.json:
        numbers = {"machine": machine(), "settings": vars(args), "speed": speeds, "two_threads": threads}
        args.json.write_text(json.dumps(numbers | {"quality": qualities}, default=plain, indent=1))


def plain(value: object) -> object:
    """What json cannot write by itself."""
    return str(value) if isinstance(value, Path) else asdict(value)


if __name__ == "__main__":
    main()
