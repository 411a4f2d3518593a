"""Rotors in a transverse field beside dwave-samplers' RotorModelAnnealingSampler: speed and means.

    python bench/rotors.py [--chip advantage2_system1] [--sweeps 100] [--repeats 7]

CPU time per update of one rotor in one read, one thread, on the working graph of a real chip with J
and h uniform in [-1, 1] and in [-0.1, 0.1], from arrays (theirs: from a model that is made
beforehand) to states. Both anneal from a = 10 kT to b = 10 kT with transverse-field proposals, in
turn; ratios are medians of pairs. Then both sample three rotors at fixed strengths: theirs has 256
angles, which moves no mean by a standard error.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import dimod
import numpy as np
from dwave.samplers import RotorModelAnnealingSampler

from isingprop import kernels
from isingprop.qpu.chip.chip_file import ChipDescription

Array = np.ndarray
STRENGTH = 10.0  # kT, of each field at its end of the anneal
THEIR_ANGLES = 256  # of a full turn
STATISTICS_READS, STATISTICS_SWEEPS = 20_000, 100


def chip_model(chip: str, seed: int) -> tuple[Array, Array, Array]:
    """Returns ends, couplings and fields on the working graph of a chip."""
    graph = ChipDescription.of(chip).graph
    random = np.random.default_rng(seed)
    ends = np.searchsorted(graph.qubits, graph.couplers)
    return ends, random.uniform(-1, 1, len(ends)), random.uniform(-0.1, 0.1, len(graph.qubits))


def forward(num_sweeps: int) -> tuple[Array, Array]:
    """Returns transverse and longitudinal strengths of an anneal."""
    s = (np.arange(num_sweeps) + 0.5) / num_sweeps
    return STRENGTH * (1 - s), STRENGTH * s


def ours(
    model: tuple[Array, Array, Array], strengths: tuple[Array, Array], num_reads: int, seed: int
) -> Array:
    """Returns angles (num_reads, N)."""
    ends, couplings, fields = model
    a, b = strengths
    plan = a, b, np.ones_like(a), np.minimum(1, a / b)
    zeros = np.zeros_like(fields)
    return kernels.anneal_rotors(
        ends, couplings, fields, zeros, *plan, num_reads, 0, seed, 0, None, 1
    )[1]


def bqm_of(model: tuple[Array, Array, Array]) -> dimod.BinaryQuadraticModel:
    ends, couplings, fields = model
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        fields, (ends[:, 0], ends[:, 1], couplings), 0.0, "SPIN"
    )


def theirs(
    bqm: dimod.BinaryQuadraticModel, strengths: tuple[Array, Array], num_reads: int, seed: int
) -> Array:
    """Returns angles (num_reads, N) in [0, 2 pi)."""
    found = RotorModelAnnealingSampler().sample(
        bqm,
        num_reads=num_reads,
        Hd_field=strengths[0],
        Hp_field=strengths[1],
        beta_schedule_type="custom",
        proposal_acceptance_criteria="MetropolisTF",
        project_states=(False, False),
        seed=seed,
    )
    return found.info["rotor_states"] * (2 * np.pi / THEIR_ANGLES)


def cpu_seconds(sample: Callable[..., Array], *arguments: object) -> float:
    start = time.process_time()
    sample(*arguments)
    return time.process_time() - start


def compare_speed(model: tuple[Array, Array, Array], num_sweeps: int, repeats: int) -> None:
    bqm, strengths, num_rotors = bqm_of(model), forward(num_sweeps), len(model[2])
    for num_reads in (64, 1):
        pairs = [
            (
                cpu_seconds(theirs, bqm, strengths, num_reads, seed),
                cpu_seconds(ours, model, strengths, num_reads, seed),
            )
            for seed in range(repeats)
        ]
        slow, fast = np.array(pairs).T * 1e9 / (num_reads * num_sweeps * num_rotors)
        print(
            f"{num_reads:3} reads x {num_sweeps} sweeps: theirs {median(slow):6.1f} ns per update,"
            f" ours {median(fast):5.2f}, ratio {median(slow / fast):.1f}"
            f" ({min(slow / fast):.1f} to {max(slow / fast):.1f})"
        )


def compare_means() -> None:
    """Prints means over reads of three coupled rotors, and their difference in standard errors."""
    ends = np.array([[0, 1], [1, 2], [0, 2]])
    model = ends, np.array([0.7, -0.5, 0.6]), np.array([0.4, -0.3, 0.1])
    print(f"{'a':>5}{'b':>5}   mean{'ours':>10}{'theirs':>10}   difference / standard error")
    for a, b in ((1.5, 2.0), (3.0, 1.0), (0.8, 2.5)):
        strengths = np.full(STATISTICS_SWEEPS, a), np.full(STATISTICS_SWEEPS, b)
        samples = (
            ours(model, strengths, STATISTICS_READS, 1),
            theirs(bqm_of(model), strengths, STATISTICS_READS, 1),
        )
        for name, function in (("cos", np.cos), ("|sin|", lambda x: np.abs(np.sin(x)))):
            for i in range(len(model[2])):
                x, y = (function(each[:, i]) for each in samples)
                error = np.sqrt((x.var() + y.var()) / STATISTICS_READS)
                z = (x.mean() - y.mean()) / error
                print(f"{a:5}{b:5} {name:>5} {i}{x.mean():9.4f}{y.mean():10.4f}{z:10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chip", default="advantage2_system1", help="name of a real chip")
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()

    model = chip_model(args.chip, seed=0)
    print(f"{args.chip}: {len(model[2])} rotors, {len(model[0])} couplings")
    compare_speed(model, args.sweeps, args.repeats)
    compare_means()


if __name__ == "__main__":
    main()
