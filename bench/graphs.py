"""Any graph: `isingprop.dimod.AnnealingSampler` beside dwave-samplers' simulated annealing.

    python bench/graphs.py [--reads 64 1] [--sweeps 100] [--repeats 5] [--cold] [--only NAME]

CPU time of whole calls from a model that is made beforehand to a sample set, one thread, in turn;
ratios are medians of pairs, with the mean energies of both. Both go from beta = 0.05 to 3 in
geometric steps, or with --cold stay at 3. The graphs: the working graphs of two real chips, a
cubic lattice, a random graph of which 6 % of all pairs couple, and the Sherrington-Kirkpatrick
model; couplings are uniform in [-1, 1], or -1 and +1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

from isingprop.dimod import AnnealingSampler
from isingprop.qpu.chip.chip_file import ChipDescription

Array = np.ndarray
HOT, COLD = 0.05, 3.0
LATTICE_SIDE, RANDOM_NODES, EDGE_SHARE, SK_SPINS = 20, 800, 0.06, 512


def chip(name: str) -> tuple[int, Array]:
    """Returns the number of qubits and the couplers (E, 2) of a real chip."""
    graph = ChipDescription.of(name).graph
    return len(graph.qubits), np.searchsorted(graph.qubits, graph.couplers)


def lattice() -> tuple[int, Array]:
    """Returns a periodic cubic lattice."""
    sites = np.arange(LATTICE_SIDE**3).reshape((LATTICE_SIDE,) * 3)
    pairs = [np.stack([sites, np.roll(sites, -1, axis)], axis=-1) for axis in range(3)]
    return sites.size, np.concatenate(pairs).reshape(-1, 2)


def random_graph(nodes: int, share: float) -> tuple[int, Array]:
    """Returns a graph in which each pair is an edge with probability `share`."""
    pairs = np.stack(np.triu_indices(nodes, 1), axis=1)
    return nodes, pairs[np.random.default_rng(0).random(len(pairs)) < share]


def models(only: str) -> Iterator[tuple[str, dimod.BinaryQuadraticModel]]:
    """Yields the models whose names contain a text."""
    graphs: dict[str, Callable[[], tuple[int, Array]]] = {
        "Zephyr chip": lambda: chip("advantage2_system1"),
        "Pegasus chip": lambda: chip("advantage_system4_1"),
        "20^3": lattice,
        "800 nodes, 6 %": lambda: random_graph(RANDOM_NODES, EDGE_SHARE),
        "SK 512": lambda: random_graph(SK_SPINS, 1.0),
    }
    random = np.random.default_rng(1)
    for graph, make in graphs.items():
        nodes, ends = make()
        kinds = {
            "uniform": random.uniform(-1, 1, len(ends)),
            "+-1": random.choice([-1.0, 1.0], len(ends)),
        }
        if graph.startswith("SK"):
            kinds = {"normal": random.normal(0, nodes**-0.5, len(ends))}
        for kind, couplings in kinds.items():
            if only not in (name := f"{graph} {kind}"):
                continue
            arrays = np.zeros(nodes), (ends[:, 0], ends[:, 1], couplings), 0.0, "SPIN"
            yield name, dimod.BinaryQuadraticModel.from_numpy_vectors(*arrays)


def timed(sampler: dimod.Sampler, bqm: dimod.BinaryQuadraticModel, **parameters: object) -> tuple:
    """Returns the CPU seconds of a call and the mean energy of its samples."""
    start = time.process_time()
    samples = sampler.sample(bqm, **parameters)
    return time.process_time() - start, float(samples.record.energy.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reads", type=int, nargs="+", default=[64, 1])
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="stay at the last temperature")
    parser.add_argument("--only", default="", help="models whose names contain this")
    args = parser.parse_args()

    beta_range = (COLD if args.cold else HOT, COLD)
    print(f"{'model':24} reads   theirs    ours  ratio   mean energies, and standard error")
    for name, bqm in models(args.only):
        for reads in args.reads:
            common = {"num_reads": reads, "num_sweeps": args.sweeps, "beta_range": beta_range}
            pairs = [
                (
                    timed(SimulatedAnnealingSampler(), bqm, seed=seed + 1, **common),
                    timed(AnnealingSampler(), bqm, seed=seed, **common),
                )
                for seed in range(args.repeats)
            ]
            times, energies = np.array(pairs).transpose(2, 0, 1)
            slow, fast = 1e3 * np.median(times, axis=0)
            error = energies.std(axis=0).max() / max(1, args.repeats - 1) ** 0.5
            ratio = median(times[:, 0] / times[:, 1])
            means = "{:.1f} {:.1f} {:.1f}".format(*energies.mean(axis=0), error)
            print(f"{name:24}{reads:6}{slow:7.0f} ms{fast:5.1f} ms{ratio:7.1f}   {means}")


if __name__ == "__main__":
    main()
