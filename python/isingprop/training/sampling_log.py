"""Meter: asks samplers for states, and keeps account of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.problem import IsingProblem
from isingprop.samplers import Sampler, Weighing, draw, weigh
from isingprop.states import States
from isingprop.util.checks import Spins

_QPU_NUMBERS = ("qpu_seconds", "chain_break_fraction", "clipped")


class Meter:
    """Asks samplers for states, and keeps account of it.

    Args:
        max_spins: refuse to send a larger problem.
        beta_effective: keep the effective inverse temperature of the free states.
    """

    def __init__(self, *, max_spins: int | None = None, beta_effective: bool = False) -> None:
        """Starts at zero."""
        self.max_spins = max_spins
        self.beta_effective = beta_effective
        self.seconds = 0.0  #: inside samplers
        self.largest = 0  #: spins of the largest problem that was sent
        self._betas: list[float] = []
        self._told: list[dict[str, float]] = []
        self._applications: int | None = None
        self._counts_applications = True

    def draw(
        self,
        sampler: Sampler,
        problem: IsingProblem,
        num_reads: int,
        seed: int,
        initial: Spins | None = None,
        *,
        free: bool = False,
    ) -> States:
        """The states of a sampler, found to be what was asked for."""
        return self._noted(problem, lambda: draw(sampler, problem, num_reads, seed, initial), free)

    def weigh(self, sampler: Weighing, problem: IsingProblem) -> States:
        """All states of a sampler that has their weights; free ones."""
        self._counts_applications = False  # expectation values take no finite number of them
        return self._noted(problem, lambda: weigh(sampler, problem), True)

    def _noted(self, problem: IsingProblem, ask: Callable[[], States], free: bool) -> States:
        num_spins = sum(problem.couplings.shape)
        if self.max_spins is not None and num_spins > self.max_spins:
            raise ValueError(
                f"max_spins must be at least {num_spins} for {problem}, got {self.max_spins}"
            )
        self.largest = max(self.largest, num_spins)
        start = perf_counter()
        states = ask()
        self.seconds += perf_counter() - start
        if "applications" in states.info:
            self._applications = (self._applications or 0) + int(
                np.sum(states.info["applications"])
            )
        if "qpu_seconds" in states.info:  # all of its info would be too much to keep for an epoch
            self._told.append({name: states.info[name] for name in _QPU_NUMBERS})
        if self.beta_effective and free:
            told = states.info.get("beta_effective")  # of a QPU's reads before their descent
            self._betas.append(states.beta_effective(problem) if told is None else told)
        return states

    def numbers(self) -> dict[str, Any]:
        """What a record says of them."""
        numbers: dict[str, Any] = {
            "seconds_sampling": self.seconds,
            "largest_problem": self.largest or None,
        }
        numbers["applications"] = self._applications if self._counts_applications else None
        if self._betas:
            numbers["beta_effective"] = float(np.median(self._betas))
        if self._told:
            sums = {name: math.fsum(told[name] for told in self._told) for name in _QPU_NUMBERS}
            numbers |= sums
            numbers["chain_break_fraction"] /= len(self._told)
            numbers["clipped"] = int(sums["clipped"])
        return numbers
