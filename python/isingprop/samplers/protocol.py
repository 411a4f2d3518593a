"""What every sampler can do."""

from __future__ import annotations

from typing import Protocol

from isingprop.checks import Spins
from isingprop.problem import IsingProblem
from isingprop.states import States


class Sampler(Protocol):
    """Anything that draws low-energy states: a CPU kernel, a QPU, a stranger's dimod sampler."""

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Draws num_reads states for each of the B problems.

        Args:
            problem: B problems over N spins.
            num_reads: R >= 1.
            seed: the same seed gives the same states; None draws one.
            initial: start states, (B, R, N) or with a length of 1 in place of B or R, where the sampler can use them.
        """
        ...
