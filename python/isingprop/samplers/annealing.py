"""Simulated annealing on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
    read_number,
    start_states,
    sweep_number,
    thread_number,
)
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, seed_number, true_or_false

# In units of 1 / (rms local field). From 2 or 4 to 10 or 20 states go too far from where they were, and a descent alone
# leaves them where they are: either costs about a point of test accuracy.
_COLD_BETA_RANGE = (8.0, 40.0)


@dataclass(frozen=True)
class Annealing(BaseSampler, returns_checked_states=True):
    """Simulated annealing: Metropolis sweeps over the two layers in turn while beta grows geometrically.

        beta_k = beta_first * (beta_last / beta_first)^(k / (num_sweeps - 1)),   k = 0 ... num_sweeps - 1

    By default the range follows each problem's own scale: beta runs from 0.88 / f to 8.8 / f, where f is the root mean
    square of the local fields of a random state,

        f^2 = (sum_i h_i^2 + sum_a g_a^2 + 2 sum_ia J_ia^2) / (H + O),

    so it keeps step with couplings that grow in training, and does not depend on how problems are batched.

    Args:
        num_sweeps: sweeps per read, 1 to 10 million; a sweep updates every spin once.
        beta_range: (first, last) inverse temperature in 1 / (unit of J), finite and >= 0, both > 0 unless they are
            equal; None for the rule above. Equal ends sample at constant temperature.
        num_threads: threads over chains; changes the speed, never the states.
        descend: end with a zero-temperature descent, so that no single flip lowers the energy. False leaves the states
            as the last sweep had them: Boltzmann-distributed after enough sweeps at constant beta (a spin without any
            field forgets where it began as (31/32)^sweeps), and better with a colder end than the default range's.

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
    descend: bool = True

    def __post_init__(self) -> None:
        """Checks all arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "beta_range", beta_range_of(self.beta_range))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))
        true_or_false("descend", self.descend)

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
            seed: 0 ... 2^64 - 1; None draws one (it is in `info`). Read r of problem b depends only on the seed, on
                problem.streams[b] and on r.
            initial: int8 start states (B, R, N), or with a length of 1 in place of B or R.

        Returns:
            States with exact energies; `info` has the seed and the range of beta.

        Raises:
            ValueError: for num_reads < 1, start states that do not fit, or fields that are not finite.
            KeyboardInterrupt: on Ctrl-C, within a few milliseconds.
        """
        check_problem(problem)
        states = anneal(
            problem,
            self._betas,
            relative=self.beta_range is None,
            descend=self.descend,
            num_reads=num_reads,
            seed=seed,
            initial=initial,
            num_threads=self.num_threads,
        )
        states.info.update(self._info)
        return states

    # Looked up rather than made: a training call lasts ten microseconds.
    @cached_property
    def _betas(self) -> NDArray[np.float64]:
        return geometric(*(self.beta_range or RELATIVE_BETA_RANGE), self.num_sweeps)

    @cached_property
    def _info(self) -> dict[str, object]:
        return beta_info(self.beta_range)


@dataclass(frozen=True)
class Reannealing(BaseSampler, returns_checked_states=True):
    """A few cold sweeps from start states, then the descent: they stay near, but do not lie still.

    beta grows from 8 / f to 40 / f, with f as in Annealing; that of a descent alone is infinite throughout.

    Args:
        num_sweeps: sweeps per read, 1 to 10 million.
        num_threads: threads over chains; changes the speed, never the states.
    """

    num_sweeps: int = 5
    num_threads: int = 1

    def __post_init__(self) -> None:
        """Checks both arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """As Annealing.sample."""
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
    descend: bool = True,
    num_reads: int = 1,
    seed: int | None = None,
    initial: Spins | None = None,
    num_threads: int = 1,
) -> States:
    """One sweep at each of the inverse temperatures `betas`, finite and >= 0; else as Annealing.sample."""
    seed = seed_number(seed)
    spins, energies = kernels.anneal(
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
    return States.trusted(spins, energies, {"seed": seed})
