"""Simulated annealing on the CPU, from random states or from start states."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop import kernels
from isingprop.problem import IsingProblem
from isingprop.samplers.arguments import (
    RELATIVE_BETA_RANGE,
    BetaRange,
    beta_info,
    beta_range_of,
    check_problem,
    geometric,
    is_constant,
    read_number,
    start_states,
    sweep_number,
    thread_number,
)
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, seed_number, true_or_false

# In units of 1 / (local field). Ranges that start at 2 or 4 and end at 10 or 20 move the states
# too far from their start, and a descent alone does not move them at all. Either costs about one
# percentage point of test accuracy.
_COLD_BETA_RANGE = (8.0, 40.0)


@dataclass(frozen=True)
class Annealing(BaseSampler, returns_checked_states=True):
    """Simulated annealing: Metropolis sweeps while beta grows geometrically.

        beta_k = beta_first * (beta_last / beta_first)^(k / (num_sweeps - 1)),
        k = 0 ... num_sweeps - 1

    A sweep updates the hidden and then the output layer. By default the range of beta follows the
    local fields of each problem: it runs from 0.88 / f to 8.8 / f, where f is the root mean square
    of the local fields of a random state,

        f^2 = mean of f_i^2 over all spins,   f_i^2 = h_i^2 + sum_j J_ij^2.

    So it grows and shrinks with the couplings, and does not depend on how problems are batched.
    Other problems than a network's need more, for which cpp/chains/local_scales.h has the formulas:

    - Spins with |h_i| > sum_j |J_ij| are pinned: they end at -sign(h_i), and are left out of f.
    - Parts that share no coupling are independent. Each has a range of its own.
    - Where some spins freeze at a beta at which others are free, the sweeps are shared out, so that
      each spin gets its share of them. This is where scales differ by more than a factor of 4.
    - Clusters and patterns of spins that the couplings hold together count as stronger.
    - Where fields dominate, the cold end follows the couplings alone.

    Args:
        num_sweeps: sweeps per read, 1 to 10 million; a sweep updates every spin once.
        beta_range: (first, last) inverse temperature in 1 / (unit of J), finite and >= 0, both > 0
            unless they are equal; None for the rule above. Equal ends sample at constant
            temperature.
        num_threads: threads over chains; changes the speed, never the states.
        descend: whether to end with a zero-temperature descent, after which no single flip lowers
            the energy. None does so where the schedule ends cold: not at constant beta, nor if the
            last beta is less than 4 / f. False returns the states after the last sweep. At constant
            beta they are Boltzmann-distributed after enough sweeps; a spin without any field
            forgets its start as (31/32)^sweeps. Without the descent, a colder end than the default
            gives lower states.

    Example:
        >>> problem = IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> Annealing(num_sweeps=10).sample(problem, num_reads=2, seed=0).spins
        array([[[-1, -1],
                [-1, -1]]], dtype=int8)

    References:
        Kirkpatrick, Gelatt & Vecchi 1983, doi:10.1126/science.220.4598.671.
    """

    num_sweeps: int = 30
    beta_range: BetaRange | None = None
    num_threads: int = 1
    descend: bool | None = None

    def __post_init__(self) -> None:
        """Checks and converts all arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "beta_range", beta_range_of(self.beta_range))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))
        if self.descend is not None:
            true_or_false("descend", self.descend)

    def settings(self) -> dict[str, Any]:
        """Returns all that decides the states, `descend` as True or False where that is known."""
        ends_cold = self.descend is None and self.beta_range is None
        return super().settings() | {"descend": True if ends_cold else self._descend}

    @property
    def ends_in_descent(self) -> bool:
        """Whether reads may end in a descent: unless `descend` is False or beta is constant."""
        return self._descend is not False

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Anneals num_reads chains for each problem, from random states or from `initial`.

        Args:
            problem: B problems over N spins.
            num_reads: R >= 1.
            seed: 0 ... 2^64 - 1; None takes a random one. Read r of problem b depends only on the
                seed, on problem.streams[b] and on r.
            initial: int8 start states (B, R, N), or with a length of 1 in place of B or R.

        Returns:
            States with exact energies; `info` holds the seed, the range of beta, and as betas
            (B, 2) its ends for each problem in 1 / (unit of J).

        Raises:
            ValueError: for num_reads < 1, start states that do not fit, or fields that are not
                finite.
            KeyboardInterrupt: on Ctrl-C, within a few milliseconds.
        """
        check_problem(problem)

        states = anneal(
            problem,
            self._betas,
            relative=self.beta_range is None,
            descend=self._descend,
            num_reads=num_reads,
            seed=seed,
            initial=initial,
            num_threads=self.num_threads,
        )
        states.info.update(self._info)
        return states

    # All three are cached, because a call in training lasts only ten microseconds.
    @cached_property
    def _descend(self) -> bool | None:
        """The argument `descend`, or False at constant beta; None is where a problem ends cold."""
        constant = self.descend is None and is_constant(self.beta_range)
        return False if constant else self.descend

    @cached_property
    def _betas(self) -> NDArray[np.float64]:
        """The inverse temperature of each sweep, (num_sweeps,)."""
        return geometric(*(self.beta_range or RELATIVE_BETA_RANGE), self.num_sweeps)

    @cached_property
    def _info(self) -> dict[str, object]:
        """The entries of `States.info` on the range of beta."""
        return beta_info(self.beta_range)


@dataclass(frozen=True)
class Reannealing(BaseSampler, returns_checked_states=True):
    """A few cold sweeps from start states, followed by a zero-temperature descent.

    The states stay near their start but still move, as they would not by a descent alone. beta
    grows from 8 / f to 40 / f, with f the local field of `Annealing`.

    Args:
        num_sweeps: sweeps per read, 1 to 10 million.
        num_threads: threads over chains; changes the speed, never the states.
    """

    num_sweeps: int = 5
    num_threads: int = 1

    def __post_init__(self) -> None:
        """Checks and converts both arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))

    @property
    def ends_in_descent(self) -> bool:
        """True."""
        return True

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Anneals from `initial` or from random states; see `Annealing.sample` for arguments."""
        check_problem(problem)

        betas = geometric(*_COLD_BETA_RANGE, self.num_sweeps)
        return anneal(
            problem,
            betas,
            relative=True,
            num_reads=num_reads,
            seed=seed,
            initial=initial,
            num_threads=self.num_threads,
        )


def anneal(
    problem: IsingProblem,
    betas: NDArray[np.float64],
    *,
    relative: bool = False,
    descend: bool | None = True,
    num_reads: int = 1,
    seed: int | None = None,
    initial: Spins | None = None,
    num_threads: int = 1,
) -> States:
    """Anneals with one sweep at each of the given inverse temperatures.

    Args:
        problem: B problems over N spins.
        betas: (num_sweeps,), finite and >= 0.
        relative: whether betas are in units of 1 / (local field) of each problem instead of
            1 / (unit of J).
        descend: see `Annealing`.
        num_reads: see `Annealing.sample`.
        seed: see `Annealing.sample`.
        initial: see `Annealing.sample`.
        num_threads: threads over chains.

    Returns:
        States with exact energies; `info` holds the seed and `betas` (B, 2), the first and the last
        inverse temperature in 1 / (unit of J).
    """
    seed = seed_number(seed)

    spins, energies, ends = kernels.anneal(
        problem.couplings,
        problem.hidden_fields,
        problem.output_fields,
        betas,
        relative,
        descend,
        read_number(num_reads),
        seed,
        problem.streams,
        start_states(initial),
        num_threads,
    )

    return States.trusted(spins, energies, {"seed": seed, "betas": ends})
