"""Samples a dimod model with isingprop's samplers in place of dwave-samplers' annealer.

    python python/examples/from_dimod.py           # takes some 2 s

The model is a spin glass on a triangular lattice, J = +-1, with small fields. The samplers take any
BinaryQuadraticModel, SPIN or BINARY, and return a dimod.SampleSet, so that the line that makes the
sampler is all that changes. Prints the lowest and the mean energy of 100 reads of 100 sweeps and
the time of the call, on a lattice that is small enough to be enumerated and on a larger one; and
what is refused.
"""

import time

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

import isingprop.dimod

SAMPLERS = {
    "isingprop annealing": isingprop.dimod.AnnealingSampler(),
    "isingprop tempering": isingprop.dimod.TemperingSampler(),
    "dwave-samplers annealing": SimulatedAnnealingSampler(),
}


def lattice(size: int, seed: int = 0) -> dimod.BinaryQuadraticModel:
    """Returns a glass on size x size spins, whose variables are their (row, column)."""
    random = np.random.default_rng(seed)
    bqm = dimod.BinaryQuadraticModel("SPIN")
    for i, j in np.ndindex(size, size):
        bqm.add_linear((i, j), random.uniform(-0.5, 0.5))
        for neighbour in ((i + 1, j), (i, j + 1), (i + 1, j + 1)):
            if max(neighbour) < size:
                bqm.add_quadratic((i, j), neighbour, random.choice([-1, 1]))
    return bqm


def main() -> None:
    """Prints a line for each sampler and lattice, and a refusal."""
    for size in (4, 20):
        bqm = lattice(size)
        print(f"{size} x {size} spins")
        if bqm.num_variables <= 16:
            energy = dimod.ExactSolver().sample(bqm).first.energy
            print(f"  {'enumeration':24} lowest {energy:9.3f}")

        for name, sampler in SAMPLERS.items():
            start = time.perf_counter()
            samples = sampler.sample(bqm, num_reads=100, num_sweeps=100, seed=0)
            milliseconds = 1000 * (time.perf_counter() - start)
            energies = samples.record.energy
            found = f"lowest {energies.min():9.3f}, mean {energies.mean():9.3f}"
            print(f"  {name:24} {found}, {milliseconds:6.1f} ms")

    infinite = dimod.BinaryQuadraticModel.from_ising({"a": np.inf}, {"ab": 1})
    try:
        isingprop.dimod.AnnealingSampler().sample(infinite)
    except ValueError as error:
        print(f"refused: {error}")


if __name__ == "__main__":
    main()
