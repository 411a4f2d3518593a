"""A sampler that keeps the lowest of several tries of each read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import Annealing
from isingprop.states import States
from isingprop.util.checks import Spins


@dataclass(frozen=True)
class LowestOf:
    """Samples `tries` states for each read and keeps the one of lowest energy."""

    sampler: Annealing
    tries: int

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Works like `Annealing.sample`, with `tries` chains for each read.

        `initial` has the start states of all these chains, (B, R * tries, N), or a length of 1 in
        place of B or R * tries.
        """
        states = self.sampler.sample(problem, num_reads * self.tries, seed, initial)

        energies = states.energies.reshape(len(problem), num_reads, self.tries)
        best = energies.argmin(axis=2) + self.tries * np.arange(num_reads)
        rows = np.arange(len(problem))[:, None]

        return States.trusted(states.spins[rows, best], states.energies[rows, best], states.info)
