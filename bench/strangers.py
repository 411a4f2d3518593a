"""Default schedules on problems of strangers: isingprop.dimod beside dwave-samplers; ratios first.

    python bench/strangers.py [--families lattice-pm1 rbm ...] [--sweeps 100 1000] [--instances 5]
    [--reads 50] [--folder DIR] [--data-dir DIR]

The families are those of stranger_problems.py and graph_problems.py, some of them also multiplied
by 1e-6 and 1e6, and each file of a folder with graphs of the Gset or models of the Biq Mac Library.
Samplers:

    ours        AnnealingSampler, all arguments but seed, sweeps and reads left to their defaults
    tuned       the same with the best of TUNINGS, chosen with other seeds: our default range, or a
                geometric one whose ends are multiples of its ends
    dwave       dwave.samplers.SimulatedAnnealingSampler, as ours
    descent     dwave.samplers.SteepestDescentSolver
    tempering   TemperingSampler, as ours; a read takes as many sweeps for each of its replicas

A residual is the mean energy of the reads above the lowest energy that any run here found for the
problem, a REFERENCE_FACTOR times longer one among them, or that of the planted state; in % of that
energy. A ~ marks residuals of ours and dwave whose difference is within its standard error, which
that of reads is: problems are the same. TTS99 is the CPU time after which a read has had that
energy with probability 0.99, the median over problems. CPU times are those of whole calls; ratios
of them are medians over pairs of calls in turn, one for each problem.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler, SteepestDescentSolver
from graph_problems import FAMILIES as GRAPH_FAMILIES
from measure import PERCENT, time_to_solution
from numpy.typing import NDArray
from sparse_files import read_model
from stranger_problems import Problem, families

from isingprop.dimod import AnnealingSampler, TemperingSampler

OURS, TUNED, DWAVE, DESCENT, TEMPERING = "ours", "tuned", "dwave", "descent", "tempering"
Tuning = tuple[float, float] | None
# Factors of the first and the last beta of the default range; None is the default schedule itself,
# which is not geometric for problems of many scales.
FACTORS = (0.5, 1.0, 2.0)
TUNINGS: tuple[Tuning, ...] = (None, *itertools.product(FACTORS, FACTORS))
REFERENCE_FACTOR = 10  # sweeps of the reference run, over the most of the others
SCALED_FAMILIES = ("lattice-pm1", "lattice-cauchy", "pinned-tenth", "rbm-clamped", "network-5")
SCALES = (1e-6, 1e6)
HIT_TOLERANCE = 1e-9  # of a ground state, relative to its energy

Sample = Callable[[dimod.BinaryQuadraticModel, int, int, int], dimod.SampleSet]


@dataclass(frozen=True)
class Run:
    """One call: energies (R,), all from one function, the CPU time of a read, and the info."""

    energies: NDArray[np.float64]
    seconds_per_read: float
    info: dict[str, list[float]]


@dataclass(frozen=True)
class Row:
    """Problems of one family and scale, sampled with one number of sweeps."""

    name: str
    sweeps: int
    runs: dict[str, list[Run]]  # of each sampler, by problem
    lowest: list[float]  # energies, by problem
    tuning: Tuning

    def above(self, name: str) -> list[NDArray[np.float64]]:
        """Energies above the lowest one, in units of that, by problem; 0 for all ground states."""
        pairs = zip(self.runs[name], self.lowest, strict=True)
        above = [(run.energies - lowest) / (abs(lowest) or 1.0) for run, lowest in pairs]
        return [np.where(each < HIT_TOLERANCE, 0.0, each) for each in above]

    def residual(self, name: str) -> float:
        """In %, the mean over reads and problems."""
        return PERCENT * float(np.mean([above.mean() for above in self.above(name)]))

    def error(self, name: str) -> float:
        """The standard error of the residual, from the spread of reads."""
        squares = [above.var() / len(above) for above in self.above(name)]
        return PERCENT * float(np.sqrt(sum(squares))) / len(squares)

    def excess(self, other: str) -> tuple[float, float]:
        """The residual of ours less that of another sampler, and its standard error."""
        error = float(np.hypot(self.error(OURS), self.error(other)))
        return self.residual(OURS) - self.residual(other), error

    def tts(self, name: str) -> float:
        """TTS99 in seconds."""
        hits = [float((above == 0).mean()) for above in self.above(name)]
        pairs = zip(hits, self.runs[name], strict=True)
        return median(time_to_solution(p, run.seconds_per_read) for p, run in pairs)

    def seconds_per_read(self, name: str) -> float:
        return median(run.seconds_per_read for run in self.runs[name])

    def cpu_ratio(self) -> float:
        pairs = zip(self.runs[DWAVE], self.runs[OURS], strict=True)
        return median(dwave.seconds_per_read / ours.seconds_per_read for dwave, ours in pairs)


def anneal(
    bqm: dimod.BinaryQuadraticModel,
    sweeps: int,
    reads: int,
    seed: int,
    beta_range: list[float] | None = None,
) -> dimod.SampleSet:
    return AnnealingSampler().sample(
        bqm, num_sweeps=sweeps, num_reads=reads, seed=seed, beta_range=beta_range
    )


def anneal_dwave(
    bqm: dimod.BinaryQuadraticModel, sweeps: int, reads: int, seed: int
) -> dimod.SampleSet:
    return SimulatedAnnealingSampler().sample(bqm, num_sweeps=sweeps, num_reads=reads, seed=seed)


def descend(bqm: dimod.BinaryQuadraticModel, sweeps: int, reads: int, seed: int) -> dimod.SampleSet:
    return SteepestDescentSolver().sample(bqm, num_reads=reads, seed=seed)


def temper(bqm: dimod.BinaryQuadraticModel, sweeps: int, reads: int, seed: int) -> dimod.SampleSet:
    return TemperingSampler().sample(bqm, num_sweeps=sweeps, num_reads=reads, seed=seed)


SAMPLERS: dict[str, Sample] = {
    OURS: anneal,
    DWAVE: anneal_dwave,
    DESCENT: descend,
    TEMPERING: temper,
}


def run(sample: Sample, problem: Problem, sweeps: int, reads: int, seed: int) -> Run:
    start = time.process_time()
    samples = sample(problem.bqm, sweeps, reads, seed)
    seconds = (time.process_time() - start) / reads
    energies = problem.bqm.energies((samples.record.sample, samples.variables))
    return Run(energies, seconds, samples.info)


def tuned(tuning: Tuning, beta_range: list[float]) -> Sample:
    if tuning is None:
        return anneal
    return partial(
        anneal, beta_range=[f * beta for f, beta in zip(tuning, beta_range, strict=True)]
    )


def best_tuning(
    problems: list[Problem], defaults: list[Run], sweeps: int, reads: int, seed: int
) -> Tuning:
    """The tuning with the lowest mean energy, over problems and in units of the default's."""

    def mean_energy(tuning: Tuning) -> float:
        total = 0.0
        for problem, default in zip(problems, defaults, strict=True):
            sample = tuned(tuning, default.info["beta_range"])
            energies = run(sample, problem, sweeps, reads, seed).energies
            total += energies.mean() / (abs(default.energies.mean()) or 1.0)
        return total

    return min(TUNINGS, key=mean_energy)


def measure(name: str, problems: list[Problem], args: argparse.Namespace) -> list[Row]:
    """The rows of one family, one for each number of sweeps."""
    lowest: list[float] = []
    for problem in problems:
        sweeps = REFERENCE_FACTOR * max(args.sweeps)
        reference = run(anneal, problem, sweeps, args.reads, args.seed).energies.min()
        known = np.inf if problem.ground_energy is None else problem.ground_energy
        lowest.append(min(float(reference), known))

    rows = []
    for sweeps in args.sweeps:
        settings = sweeps, args.reads, args.seed
        runs: dict[str, list[Run]] = {each: [] for each in SAMPLERS}
        # The samplers take turns, so that other loads of the machine fall on all of them.
        for problem, (each, sample) in itertools.product(problems, SAMPLERS.items()):
            runs[each].append(run(sample, problem, *settings))
        tuning = best_tuning(problems, runs[OURS], sweeps, args.reads, args.seed + 1)
        runs[TUNED] = [
            run(tuned(tuning, default.info["beta_range"]), problem, *settings)
            for problem, default in zip(problems, runs[OURS], strict=True)
        ]
        rows.append(Row(name, sweeps, runs, lowest, tuning))

    for k, problem in enumerate(problems):
        every = [float(found[k].energies.min()) for row in rows for found in row.runs.values()]
        lowest[k] = min(lowest[k], *every)
        planted = problem.ground_energy
        if planted is not None and lowest[k] < planted - HIT_TOLERANCE * abs(planted):
            sys.exit(f"{name}: {lowest[k]} is below the planted {planted}: something is wrong")
    return rows


def groups(args: argparse.Namespace) -> Iterator[tuple[str, list[Problem]]]:
    """Names and problems of all families, scales and files."""
    for name in args.families:
        make = args.table[name]
        problems = [make(np.random.default_rng([args.seed, k])) for k in range(args.instances)]
        yield name, problems
        for scale in SCALES if name in SCALED_FAMILIES else ():
            yield f"{name} x {scale:g}", [scaled(problem, scale) for problem in problems]
    yield from ((path.name, [problem]) for path, problem in args.files)


def scaled(problem: Problem, scale: float) -> Problem:
    bqm = problem.bqm.copy()
    bqm.scale(scale)
    return Problem(bqm, None if problem.ground_energy is None else scale * problem.ground_energy)


def read_folder(folder: Path) -> list[tuple[Path, Problem]]:
    """The problems in the files of a folder."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return [(path, Problem(read_model(path))) for path in paths]


def ratio(value: float, base: float) -> str:
    """A dash where both are 0 or infinite."""
    if value == base and value in (0, np.inf):
        return "-"
    return f"{value / base:.2f}" if base else "inf"


def print_heading() -> None:
    print(
        f"{'':26}{'':6}|{'residual':>9}{'CPU':>7}{'TTS99':>8}{'residual':>10}{'TTS99':>8}"
        f" |{'residual, %':^53}|{'CPU ms per read':^26}|{'TTS99, ms':^37}|"
    )
    print(
        f"{'':26}{'sweeps':>6}|{'o/d':>9}{'d/o':>7}{'d/o':>8}{'tuned/o':>10}{'d/tuned':>8} |"
        f"{'ours':>9}{'+-':>7}{'tuned':>8}{'dwave':>9}{'descent':>9}{'tempering':>10}|"
        f"{'ours':>8}{'dwave':>8}{'tempering':>10}|"
        f"{'ours':>9}{'tuned':>9}{'dwave':>9}{'tempering':>10}| tuned"
    )


def print_row(row: Row) -> None:
    excess, error = row.excess(DWAVE)
    mark = "~" if abs(excess) <= error else " "
    ours, dwave = row.residual(OURS), row.residual(DWAVE)
    milliseconds = {each: 1e3 * row.seconds_per_read(each) for each in row.runs}
    tts = {each: 1e3 * row.tts(each) for each in row.runs}
    print(
        f"{row.name:26}{row.sweeps:6}|{ratio(ours, dwave):>8}{mark}{row.cpu_ratio():7.1f}"
        f"{ratio(tts[DWAVE], tts[OURS]):>8}{ratio(row.residual(TUNED), ours):>10}"
        f"{ratio(tts[DWAVE], tts[TUNED]):>8} |{ours:9.4f}{row.error(OURS):7.4f}"
        f"{row.residual(TUNED):8.4f}{dwave:9.4f}{row.residual(DESCENT):9.4f}"
        f"{row.residual(TEMPERING):10.4f}|{milliseconds[OURS]:8.3f}{milliseconds[DWAVE]:8.3f}"
        f"{milliseconds[TEMPERING]:10.3f}|{tts[OURS]:9.3g}{tts[TUNED]:9.3g}{tts[DWAVE]:9.3g}"
        f"{tts[TEMPERING]:10.3g}| "
        + ("default" if row.tuning is None else "{:g} {:g}".format(*row.tuning)),
        flush=True,
    )


def print_worse(rows: list[Row], other: str) -> None:
    """The rows where the defaults of ours are worse than another sampler."""
    worse = [row for row in rows if row.excess(other)[0] > row.excess(other)[1]]
    names = {row.name for row in worse}
    print(
        f"\nours at defaults is above {other} by more than the standard error in {len(worse)} of "
        f"{len(rows)} rows, {len(names)} of {len({row.name for row in rows})} families"
    )
    for row in worse:
        excess, error = row.excess(other)
        print(f"    {row.name}, {row.sweeps} sweeps: {excess:.4f} +- {error:.4f} %")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    whole = partial(parser.add_argument, type=int, metavar="N")
    parser.add_argument("--families", nargs="+", metavar="NAME", help="all by default")
    whole("--sweeps", nargs="+", default=[100, 1000])
    whole("--instances", default=5, help="problems of each family")
    whole("--reads", default=50, help="per problem")
    whole("--epochs", nargs="+", default=[0, 5, 50], help="of training the network")
    whole("--seed", default=0)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="Gset and Biq Mac files")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="MNIST, in place of digits")
    args = parser.parse_args()

    args.table = families(args.epochs, args.data_dir) | GRAPH_FAMILIES
    args.families = args.families or list(args.table)
    for name in args.families:
        if name not in args.table:
            parser.error(f"--families must be among {', '.join(args.table)}; got {name}")
    try:
        args.files = read_folder(args.folder) if args.folder else []
    except (OSError, ValueError) as error:
        parser.error(f"--folder: {error}")
    return args


def main() -> None:
    args = arguments()
    print(f"{args.instances} problems of each family x {args.reads} reads, one thread")
    print("o: ours at its defaults; d: dwave-samplers at its defaults; ratios above 1 favour ours,")
    print("but ratios of residuals below 1; ~: within the standard error")
    print_heading()
    rows = []
    for name, problems in groups(args):
        for row in measure(name, problems, args):
            rows.append(row)
            print_row(row)
    print_worse(rows, DWAVE)
    print_worse(rows, DESCENT)


if __name__ == "__main__":
    main()
