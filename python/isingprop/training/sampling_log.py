"""SamplingLog: asks samplers for states, and keeps an account of time, sizes and costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.problem import IsingProblem
from isingprop.samplers.protocol import Sampler, Weighing, sample_from, weighted_states_from
from isingprop.states import QPUUsage, States
from isingprop.util.checks import Spins


class SamplingLog:
    """Asks samplers for states, and keeps an account of it for the record of an epoch.

    Args:
        max_spins: refuse to send a larger problem to any sampler.
        beta_effective: keep the effective inverse temperature of the free states.
    """

    def __init__(self, *, max_spins: int | None = None, beta_effective: bool = False) -> None:
        """Starts with nothing counted."""
        self.max_spins = max_spins
        self.beta_effective = beta_effective
        self.seconds = 0.0  #: inside samplers
        self.largest = 0  #: spins of the largest problem that was sent
        self._betas: list[float] = []
        self._qpu_usage: list[QPUUsage] = []
        self._applications: int | None = None
        self._counts_applications = True

    def sample(
        self,
        sampler: Sampler,
        problem: IsingProblem,
        num_reads: int,
        seed: int,
        initial: Spins | None = None,
        *,
        free: bool = False,
    ) -> States:
        """Samples states, checked, and counts them; `free` ones are states of H[x]."""
        return self._logged(
            problem, lambda: sample_from(sampler, problem, num_reads, seed, initial), free
        )

    def weighted_states(self, sampler: Weighing, problem: IsingProblem) -> States:
        """Returns all states with their weights, checked, and counts them as free ones."""
        self._counts_applications = False  # no finite number of them gives expectation values
        return self._logged(problem, lambda: weighted_states_from(sampler, problem), True)

    def _logged(self, problem: IsingProblem, ask: Callable[[], States], free: bool) -> States:
        num_spins = sum(problem.couplings.shape)
        if self.max_spins is not None and num_spins > self.max_spins:
            raise ValueError(
                f"max_spins must be at least {num_spins} for {problem}, got {self.max_spins}"
            )
        self.largest = max(self.largest, num_spins)

        start = perf_counter()
        states = ask()
        self.seconds += perf_counter() - start

        usage = states.qpu_usage
        if usage is not None:
            self._qpu_usage.append(usage)
        if states.applications is not None:
            self._applications = (self._applications or 0) + int(states.applications.sum())
        if self.beta_effective and free:
            # For a chip it is that of the reads before their descent.
            beta = states.beta_effective(problem) if usage is None else usage.beta_effective
            self._betas.append(beta)
        return states

    def numbers(self) -> dict[str, Any]:
        """Returns the account under the names that an EpochRecord has for it."""
        numbers: dict[str, Any] = {
            "seconds_sampling": self.seconds,
            "largest_problem": self.largest or None,
            "applications": self._applications if self._counts_applications else None,
        }
        if self._betas:
            numbers["beta_effective"] = float(np.median(self._betas))

        if usage := self._qpu_usage:
            broken = math.fsum(each.chain_break_fraction for each in usage)
            numbers["qpu_seconds"] = math.fsum(each.seconds for each in usage)
            numbers["calls_estimated"] = sum(each.calls_estimated for each in usage)
            numbers["energies_wrong"] = sum(each.energies_wrong for each in usage)
            numbers["chain_break_fraction"] = broken / len(usage)
            numbers["clipped"] = sum(each.clipped for each in usage)
        return numbers
