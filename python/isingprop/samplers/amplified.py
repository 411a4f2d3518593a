"""The simulated quantum annealer with amplitude amplification: Amplified samples marked states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem
from isingprop.quantum.amplification import (
    Method,
    applications,
    best_iterations,
    check_method,
    failure_probability,
    fixed_point_success,
    grover_success,
    growing_lengths,
)
from isingprop.quantum.measurement import AMPLIFIED, FinalState, Measurement, sample_numbers
from isingprop.samplers.arguments import check_problem
from isingprop.samplers.coherent_annealing import Coherent
from isingprop.states import States
from isingprop.util.checks import Doubles, Spins, real_number


@dataclass(frozen=True)
class Amplified(Coherent, returns_checked_states=True):
    """Measures the amplified marked states of a coherent anneal; see `isingprop.coherent.amplify`.

    A Trainer marks the states of wrong classes. A problem without marks is sampled like by
    `Coherent`. The `info` of the states is that of `Coherent` and `unamplified`: the states that
    `Coherent` would have returned, from which a Trainer takes its training error. The number of
    applications does not count them.

    Args:
        total_time: see `Coherent`.
        num_steps: see `Coherent`.
        schedule: see `Coherent`.
        rescale: see `Coherent`.
        num_threads: see `Coherent`.
        method: "grover" assumes that |A| is known and runs the best number of iterations for it.
            "fixed-point" assumes nothing: it runs 0, 1, 3, 7 ... iterations until a run ends in a
            marked state.
        failure: the failure probability of "fixed-point", in (0, 1).
        exponent: >= 0; the states of an image have the total weight |A|^exponent. 0 is the paper's
            Eq. (13), and 1 is a learning rate in proportion to |A|. 2 is nearly the update of
            `Coherent`, whose marked states have this weight.

    References:
        arXiv:2506.05244, Eqs. (12) and (13).
    """

    method: Method = "grover"
    failure: float = 0.1
    exponent: float = 0.0

    def __post_init__(self) -> None:
        """Checks and converts all arguments."""
        super().__post_init__()
        check_method(self.method)
        object.__setattr__(self, "failure", failure_probability(self.failure))
        object.__setattr__(self, "exponent", real_number("exponent", self.exponent, least=0.0))

    @property
    def takes_marks(self) -> bool:
        """Whether sample() looks for the states that a problem has marked: True."""
        return True

    def settings(self) -> dict[str, Any]:
        """Returns all that decides the states, by name."""
        own = {"method": self.method, "failure": self.failure, "exponent": self.exponent}
        return super().settings() | own

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Measures the amplified state of each problem; see `Coherent.sample` for the arguments."""
        num_reads, seed = self._checked(problem, num_reads, seed, initial)
        return self._collected(
            problem,
            lambda end: (self._amplified(end, seed, num_reads), end.measured(seed, num_reads)),
            seed=seed,
        )

    def weighted_states(self, problem: IsingProblem) -> States:
        """Returns all 2^N states, weighted by the marked part of the final state alone, Eq. (13).

        The weights are 0 where the state has no marked part; see `Coherent.weighted_states`.
        """
        check_problem(problem)
        return self._collected(problem, lambda end: (self._marked_part(end), end.all_states()))

    def _marked_part(self, end: FinalState) -> Measurement:
        """Returns all states, weighted by the marked part of a final state."""
        if end.marked is None:
            return end.all_states()

        weights = np.where(end.marked, end.probabilities, 0.0)
        if end.marked_probability > 0:
            weights *= self._total_weight(end) / end.marked_probability
        return end.all_states()._replace(weights=weights)

    def _amplified(self, end: FinalState, seed: int, num_reads: int) -> Measurement:
        """Returns num_reads measurements after amplitude amplification."""
        plain = end.measured(seed, num_reads)
        if end.marked is None:
            return plain

        total = self._total_weight(end)
        weights = None if total == 1 else np.full(num_reads, total / num_reads)
        if end.marked_probability == 0:  # amplification leaves psi as it is
            return plain._replace(weights=weights)

        # One random number decides whether a read ends in a marked state, the other one in which.
        for_state, for_success = end.random(seed, AMPLIFIED, num_reads).T
        successes, count = self._searches(math.sqrt(end.marked_probability), for_success)
        marked, unmarked = (
            sample_numbers(np.where(part, end.probabilities, 0.0), for_state)
            for part in (end.marked, ~end.marked)
        )
        numbers = np.where(successes, marked, unmarked)
        return plain._replace(numbers=numbers, weights=weights, applications=count)

    def _total_weight(self, end: FinalState) -> float:
        """Returns |A|^exponent, the sum of the weights of a problem's reads."""
        return float(end.marked_probability ** (self.exponent / 2))

    def _searches(self, amplitude: float, random: Doubles) -> tuple[NDArray[np.bool_], int]:
        """Simulates the search for a marked state in each read.

        Args:
            amplitude: |A|.
            random: (R,), in [0, 1).

        Returns:
            Whether each read ends in a marked state, (R,), and the applications of U and U† in all
            reads together.
        """
        if self.method == "grover":
            num_iterations = best_iterations(amplitude)
            successes = random < grover_success(amplitude, num_iterations)
            return successes, len(random) * applications(num_iterations)

        # Read r is still searching while random[r] is below the probability that no run so far has
        # found a marked state.
        count, not_found = 0, np.ones(len(random))
        searching = np.ones(len(random), bool)
        for num_iterations in growing_lengths():
            count += int(searching.sum()) * applications(num_iterations)
            not_found *= 1 - fixed_point_success(amplitude, num_iterations, self.failure)
            searching &= random < not_found
            if not searching.any():
                break

        return ~searching, count
