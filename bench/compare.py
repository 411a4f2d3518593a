"""Side by side with other samplers: same problems, one process, one thread, CPU time; ratios first.

    python bench/compare.py [--sweeps 50 100] [--images 1000] [--reads 20] [--repeats 5] [--all]
    [--json FILE]

All that a user's call costs is timed, from arrays to states: checks, conversions, the making of
models. Energies are then evaluated from the states by one function for all, outside of the timing.
Only our sampler ends with a zero-temperature descent, as it does by default. Of its lead at 100
sweeps on certified problems and the beta range of the others, that is 0.05 % of the mean energy and
half of the hit probability and of 1 / TTS99. A package is added in adapters.py.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np
from adapters import BETA_RANGE, EXTRA_ADAPTERS, OURS, REFERENCE, Adapter, adapters
from instances import certified_problems, image_set, new_network, trained_network
from measure import (
    SINGLE_CALLS,
    Group,
    Pair,
    Quality,
    Speed,
    judge,
    measure_times,
    one_by_one,
    pairs_with_pytorch,
    sample_energies,
    summarize,
)

import isingprop as ip
from isingprop import kernels

TRAIN_IMAGES, HALF_TRAINED_EPOCHS = 1000, 2
LONG_READS, LONG_SWEEPS = 200, 2000  # for the best-known energies of problems without a certificate


def make_groups(args: argparse.Namespace) -> tuple[list[Group], ip.IsingProblem]:
    """The groups for quality, and the many problems of one network for speed."""
    images = image_set(TRAIN_IMAGES, args.images)
    untrained = new_network(args.seed).problem(images.test_images)
    trained = trained_network(images, HALF_TRAINED_EPOCHS, args.seed).problem(images.test_images)
    problems, energies = certified_problems()
    size = f"{problems[0].num_hidden} x {problems[0].num_output}"
    groups = [Group(f"certified, untrained, {size}", problems, energies, certified=True)]
    for name, many in (("untrained", untrained), (f"after {HALF_TRAINED_EPOCHS} epochs", trained)):
        part = many[: args.problems]
        long_run = ip.Annealing(num_sweeps=LONG_SWEEPS).sample(
            part, num_reads=LONG_READS, seed=args.seed
        )
        groups.append(
            Group(f"{name}, {images.name} images", one_by_one(part), long_run.energies.min(axis=1))
        )
    return groups, untrained


def print_speeds(speeds: dict[str, Speed], pairs: list[Pair], sweeps: int) -> None:
    print(
        f"\nSPEED at {sweeps} sweeps: spin updates per CPU second as called; x: over {REFERENCE}'s;"
    )
    print(
        "mean E: of the reads of the timed bulk calls; "
        f"above ours: less that of {OURS} for the same images"
    )
    print(f"{'':26}{'bulk':>8}{'one image':>11}{'bulk, M/s':>11}{'one image, M/s':>16}", end="")
    print(f"{'mean E':>10}{'above ours':>12}{'images':>8}")
    for name, x in speeds.items():
        print(f"{name:26}{x.bulk_ratio:7.1f}x{x.single_ratio:10.1f}x{x.bulk / 1e6:11.0f}", end="")
        print(f"{x.single / 1e6:16.0f}{x.mean_energy:10.3f}{x.energy_above_ours:12.3f}{x.images:8}")
    for pair in pairs:
        print(
            f"{pair.name} over the fastest of pytorch ({pair.other}): "
            f"{pair.bulk_ratio:.1f}x bulk, ",
            end="",
        )
        print(f"{pair.single_ratio:.1f}x one image, mean E lower by {pair.energy_below:.3f}")


def print_qualities(group: Group, qualities: dict[str, Quality], sweeps: str) -> None:
    source = (
        "proved"
        if group.certified
        else f"from {LONG_READS} reads x {LONG_SWEEPS} sweeps and all below"
    )
    print(
        f"\nQUALITY at {sweeps} sweeps, {len(group.problems)} problems: {group.name}; "
        f"minima {source}"
    )
    print(
        f"{'':26}{'1/TTS99':>9}{'residual':>11}{'sweeps':>8}{'TTS99, ms':>12}{'residual, %':>13}",
        end="",
    )
    print(f"{'p per read':>12}{'mean E':>10}{'best E':>10}")
    base = qualities[REFERENCE]
    for name, x in qualities.items():
        # Infinite where fewer than half of the problems were ever solved; two such do not compare.
        faster = "-" if base.tts_ms == x.tts_ms == np.inf else f"{base.tts_ms / x.tts_ms:.1f}x"
        print(
            f"{name:26}{faster:>9}{x.mean_residual / base.mean_residual:10.2f}x{x.sweeps:8}", end=""
        )
        print(f"{x.tts_ms:12.3g}{x.mean_residual:13.3f}{x.hit_probability:12.4f}", end="")
        print(f"{x.mean_energy:10.3f}{x.best_energy:10.3f}")


def thread_ratios(
    problems: list[ip.IsingProblem], sweeps: int, args: argparse.Namespace
) -> tuple[float, float]:
    """Returns the wall time of one thread over two, and the CPU time of two over one.

    Both are medians of interleaved pairs of one call each.
    """
    times = []
    for seed in range(args.repeats):
        ends = [(time.perf_counter(), time.process_time())]
        for threads in (1, 2):
            sampler = ip.Annealing(sweeps, num_threads=threads)
            for problem in problems:
                sampler.sample(problem, num_reads=args.reads, seed=seed)
            ends.append((time.perf_counter(), time.process_time()))
        times.append(np.diff(ends, axis=0))
    one, two = np.moveaxis(times, 1, 0)
    return median(one[:, 0] / two[:, 0]), median(two[:, 1] / one[:, 1])


def machine() -> dict[str, str]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    found = {"processor": model or platform.machine(), "kernel": kernels.current_kernel()}
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
    parser.add_argument(
        "--problems", default=20, help="problems of each network for quality", **whole
    )
    parser.add_argument(
        "--quality-reads", default=1000, help="per problem, for p and energies", **whole
    )
    parser.add_argument("--seed", default=0, **whole)
    parser.add_argument(
        "--all", action="store_true", help="also the packages that only this script uses"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    return parser.parse_args()


def report_group(
    group: Group,
    table: dict[str, Adapter],
    speeds: dict[int, dict[str, Speed]],
    args: argparse.Namespace,
) -> dict[str, dict[str, Quality]]:
    """Prints and returns the qualities at each number of sweeps and at each package's best."""
    runs = {s: sample_energies(table, group, s, args.quality_reads, args.seed) for s in args.sweeps}
    qualities = {}
    for sweeps, energies in runs.items():
        times = {name: speed.seconds_per_read for name, speed in speeds[sweeps].items()}
        qualities[str(sweeps)] = {
            name: judge(sweeps, energies[name], group.best, times[name]) for name in table
        }
    if len(runs) > 1:
        columns = {name: [quality[name] for quality in qualities.values()] for name in table}
        qualities["each one's best number of"] = {
            name: min(column, key=rank) for name, column in columns.items()
        }
    for sweeps, quality in qualities.items():
        print_qualities(group, quality, sweeps)
    return qualities


def rank(quality: Quality) -> tuple[float, float]:
    return quality.tts_ms, quality.mean_residual


def main() -> None:
    args = arguments()
    table = adapters(extra=args.all)
    groups, many = make_groups(args)
    print(
        f"{len(many)} images x {args.reads} reads, one thread, beta {BETA_RANGE}, "
        f"median of {args.repeats}"
    )
    speeds, pairs = {}, {}
    for sweeps in args.sweeps:
        timings = measure_times(table, many, sweeps, args)
        speeds[sweeps] = summarize(timings, sweeps * args.reads * many.num_spins, args.reads)
        pairs[sweeps] = pairs_with_pytorch(timings)
        print_speeds(speeds[sweeps], pairs[sweeps], sweeps)
    calls = {
        "all images in one call": [many],
        "one image per call": one_by_one(many[:SINGLE_CALLS]),
    }
    threads = {
        name: thread_ratios(problems, args.sweeps[-1], args) for name, problems in calls.items()
    }
    print()
    for name, ratios in threads.items():
        print(
            "two threads, {}: {:.2f}x as fast by the clock, {:.2f}x the CPU time of one".format(
                name, *ratios
            )
        )
    qualities = {group.name: report_group(group, table, speeds, args) for group in groups}
    print("\n" + ", ".join(f"{name} {value}" for name, value in machine().items()))
    if args.json:
        numbers = {
            "machine": machine(),
            "settings": vars(args),
            "speed": speeds,
            "over_pytorch": pairs,
        }
        numbers |= {"two_threads": threads, "quality": qualities}
        args.json.write_text(json.dumps(numbers, default=plain, indent=1))


def plain(value: object) -> object:
    """What json cannot write by itself."""
    return str(value) if isinstance(value, Path) else asdict(value)


if __name__ == "__main__":
    main()
