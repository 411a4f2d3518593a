"""Measures the default rule of Annealing: which range of beta, in units of 1 / (rms local field),
is best.

    python bench/schedule.py [--epochs 0 2 13] [--sweeps 10 30 100 1000] [--problems 20] [--reads
    200]

For networks of growing training, prints the mean residual energy (% of the lowest energy known)
without and with the final descent, the hit probability of a read with it, and its CPU time, which
falls with the flips; then how many of the certified ground states one call finds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from instances import HIT_TOLERANCE, certified_problems, image_set, new_network, trained_network

import isingprop as ip
from isingprop import kernels
from isingprop.samplers.arguments import RELATIVE_BETA_RANGE

Array = np.ndarray
Range = tuple[float, float]

TRAIN_IMAGES = 1000
FIRSTS = (0.44, 0.66, 0.88, 1.25)
LASTS = (4.4, 6.6, 8.8, 17.6)
LONG_SWEEPS = 3000  # for the lowest energies, with each of LONG_RANGES
LONG_RANGES = ((0.44, 17.6), (0.88, 17.6), (0.44, 8.8))
CALL_READS, CALL_SWEEPS = 20, 1000  # the call that must find the certified ground states
PERCENT = 100.0


@dataclass
class Cell:
    """What one range of beta gives at one number of sweeps."""

    residual: float  # %, as the last sweep left the states
    descended: float  # %, after the descent
    hits: float  # of one read, after the descent
    microseconds: float  # of CPU for one read


def anneal(
    problem: ip.IsingProblem, beta: Range, sweeps: int, reads: int, seed: int, descend: bool
) -> Array:
    """Energies (B, R) for a range that Annealing itself does not let one choose: a relative one."""
    betas = np.geomspace(*beta, sweeps) if sweeps > 1 else np.array(beta[1:])
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    return kernels.anneal(*arrays, betas, True, descend, reads, seed, problem.streams, None, 1)[1]


def lowest_energies(problem: ip.IsingProblem, reads: int) -> Array:
    runs = [anneal(problem, beta, LONG_SWEEPS, reads, 1, True) for beta in LONG_RANGES]
    return np.min([run.min(axis=1) for run in runs], axis=0)


def measure(
    problem: ip.IsingProblem, best: Array, beta: Range, sweeps: int, reads: int, seed: int
) -> Cell:
    """The two runs are of the same chains: the descent draws no random numbers."""
    raw = anneal(problem, beta, sweeps, reads, seed, False) - best[:, None]
    start = time.process_time()
    low = anneal(problem, beta, sweeps, reads, seed, True) - best[:, None]
    microseconds = 1e6 * (time.process_time() - start) / low.size
    residuals = [PERCENT * (above.mean(axis=1) / abs(best)).mean() for above in (raw, low)]
    return Cell(*residuals, (low < HIT_TOLERANCE).mean(), microseconds)


def grid() -> list[Range]:
    """The ranges to try, the present default among them."""
    return sorted({(first, last) for first in FIRSTS for last in LASTS} | {RELATIVE_BETA_RANGE})


def print_network(name: str, problem: ip.IsingProblem, args: argparse.Namespace) -> None:
    best = lowest_energies(problem, args.reads)
    print(f"\n{name}: {len(problem)} problems, lowest energies {best.mean():.2f} on average")
    print(
        "residual % | after the descent | hits per read | us per read;  "
        "* the least after the descent"
    )
    print(
        f"{'first':>7}{'last':>8}" + "".join(f"{f'{sweeps} sweeps':>32}" for sweeps in args.sweeps)
    )
    run = args.reads, args.seed
    cells = {beta: [measure(problem, best, beta, s, *run) for s in args.sweeps] for beta in grid()}
    least = [min(cell.descended for cell in column) for column in zip(*cells.values(), strict=True)]
    for beta, row in cells.items():
        texts = [
            f"{c.residual:10.3f}|{c.descended:6.3f}{'*' if c.descended == x else ' '}|{c.hits:.3f}|"
            f"{c.microseconds:6.2f}"
            for c, x in zip(row, least, strict=True)
        ]
        mark = "  <- default" if beta == RELATIVE_BETA_RANGE else ""
        print(f"{beta[0]:7.2f}{beta[1]:8.2f}" + "".join(texts) + mark)


def print_certified(args: argparse.Namespace) -> None:
    """How many certified ground states one call per problem finds, for each of many seeds."""
    problems, energies = certified_problems()
    print(
        f"\ncertified ground states found by {CALL_READS} reads x {CALL_SWEEPS} sweeps, "
        f"{args.seeds} seeds"
    )
    print(f"{'first':>7}{'last':>8}  seeds that found 0, 1, ... {len(problems)}")
    reads = CALL_READS * args.seeds  # as many as that many calls have
    for beta in grid():
        counts = np.zeros((len(problems), args.seeds), dtype=bool)
        for k, (problem, best) in enumerate(zip(problems, energies, strict=True)):
            run = anneal(problem, beta, CALL_SWEEPS, reads, args.seed, True)
            counts[k] = run.reshape(args.seeds, CALL_READS).min(axis=1) < best + HIT_TOLERANCE
        found = np.bincount(counts.sum(axis=0), minlength=len(problems) + 1)
        print(f"{beta[0]:7.2f}{beta[1]:8.2f}  {found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    whole = {"type": int, "metavar": "N"}
    parser.add_argument("--epochs", nargs="+", default=[0, 2, 13], help="of training", **whole)
    parser.add_argument("--sweeps", nargs="+", default=[10, 30, 100, 1000], **whole)
    parser.add_argument("--problems", default=20, help="test images", **whole)
    parser.add_argument("--reads", default=200, help="per problem", **whole)
    parser.add_argument("--seeds", default=50, help="for the certified ground states", **whole)
    parser.add_argument("--seed", default=0, **whole)
    args = parser.parse_args()
    images = image_set(TRAIN_IMAGES, args.problems)
    for epochs in args.epochs:
        network = trained_network(images, epochs) if epochs else new_network()
        name = f"after {epochs} epochs on {TRAIN_IMAGES} {images.name} images"
        print_network(name, network.problem(images.test_images), args)
    print_certified(args)


if __name__ == "__main__":
    main()
