"""Parallel tempering on the CPU."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isingprop import kernels
from isingprop.problem import IsingProblem
from isingprop.samplers.arguments import (
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
from isingprop.util.checks import Spins, real_number, seed_number, true_or_false, whole_number

# In units of 1 / (rms local field of a random state); bench/tempering.py measures it. The hot end need only be so hot
# that replicas forget where they were: hotter ones flip more spins, which costs time.
RELATIVE_LADDER = (1.25, 8.8)
_MOST_BETAS = 1000
# An adaptive ladder moves for the first time after 16 sweeps, if they are in the first half.
_ADAPTIVE_SWEEPS = 32
# Energies of neighbouring rungs overlap where rungs grow as the root of the number of spins; also from there.
_BETAS_PER_ROOT, _FEWEST_BETAS = 0.75, 12


@dataclass(frozen=True)
class Tempering(BaseSampler, returns_checked_states=True):
    """Parallel tempering: replicas at K temperatures, which neighbours swap after each sweep with probability

        63/64 min(1, exp((beta_k - beta_l) (E_k - E_l))),   beta_k = beta_first * (beta_last / beta_first)^(k / (K - 1))

    so that what is frozen at the cold end is carried to the hot end, melted and brought back. A read costs
    K = num_betas times the sweeps of an annealing read with the same num_sweeps.

    Args:
        num_sweeps: sweeps of each replica, 1 to 10 million.
        beta_range: (first, last), the hot and the cold end in 1 / (unit of J), finite, and > 0 unless they are equal;
            None for 1.25 / f and 8.8 / f, with f each problem's root mean square local field as in Annealing.
        num_threads: threads over reads; changes the speed, never the states.
        num_betas: rungs of the ladder, 1 to 1,000; None for 0.75 sqrt(N) of a problem with N spins, but at least 12.
        adaptive: move the inner rungs during the first half of the sweeps so that all gaps reject equally many swaps,
            then freeze them. Each read has a ladder of its own. Swaps and round trips are counted from then on. Takes
            32 sweeps, and some hundred to even them out.
        target_beta: None returns the lowest state that any replica was in, after a zero-temperature descent. A number
            in beta_range, which must then be given, returns the last state at that inverse temperature as it is:
            Boltzmann-distributed after enough sweeps. The rung nearest to it is put there and stays.

    The `info` of the states has betas (B, R, num_betas), in 1 / (unit of J); swap_acceptance (B, R, num_betas - 1), the
    fraction of swaps between neighbours that was done, NaN where none was tried; and round_trips (B, R), how often a
    replica came back to the hot end from the cold one.

    Example:
        >>> problem = IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> states = Tempering(num_sweeps=10, num_betas=3).sample(problem, num_reads=2, seed=0)
        >>> states.spins
        array([[[-1, -1],
                [-1, -1]]], dtype=int8)
        >>> states.info["swap_acceptance"].shape
        (1, 2, 2)

    References:
        Hukushima & Nemoto 1996, doi:10.1143/JPSJ.65.1604. Order of swaps and adaptive ladder: Syed, Bouchard-Côté,
        Deligiannidis & Doucet 2022, doi:10.1111/rssb.12464.
    """

    num_sweeps: int = 30
    beta_range: BetaRange | None = None
    num_threads: int = 1
    num_betas: int | None = field(default=None, kw_only=True)
    adaptive: bool = field(default=False, kw_only=True)
    target_beta: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Checks all arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "beta_range", beta_range_of(self.beta_range))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))
        if self.num_betas is not None:
            object.__setattr__(
                self,
                "num_betas",
                whole_number("num_betas", self.num_betas, least=1, most=_MOST_BETAS),
            )
        true_or_false("adaptive", self.adaptive)
        if self.adaptive and self.num_sweeps < _ADAPTIVE_SWEEPS:
            raise ValueError(
                f"num_sweeps must be at least {_ADAPTIVE_SWEEPS} with adaptive, got {self.num_sweeps}"
            )
        if self.beta_range is not None and self.beta_range[0] > self.beta_range[1]:
            raise ValueError(
                f"beta_range must rise from the hot to the cold end, got {self.beta_range}"
            )
        if self.target_beta is not None:
            object.__setattr__(self, "target_beta", self._check_target(self.target_beta))

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Runs num_reads ladders for each problem, all replicas from random states or from `initial`.

        The arguments are those of Annealing.sample.

        Returns:
            States with exact energies; `info` has the seed, the range of beta and what the class says.

        Raises:
            ValueError: for num_reads < 1, start states that do not fit, or fields that are not finite.
            KeyboardInterrupt: on Ctrl-C, within a few milliseconds.
        """
        check_problem(problem)
        betas, target = self._ladder(self.num_betas or rung_number(problem.num_spins))
        states = temper(
            problem,
            betas,
            num_sweeps=self.num_sweeps,
            relative=self.beta_range is None,
            adaptive=self.adaptive,
            target=target,
            num_reads=num_reads,
            seed=seed,
            initial=initial,
            num_threads=self.num_threads,
        )
        states.info.update(beta_info(self.beta_range, RELATIVE_LADDER))
        return states

    def _check_target(self, value: float) -> float:
        if self.beta_range is None:
            raise ValueError(f"beta_range must be given with target_beta, got None and {value!r}")
        target = real_number("target_beta", value, least=0.0)
        if not self.beta_range[0] <= target <= self.beta_range[1]:
            raise ValueError(f"target_beta must be in beta_range = {self.beta_range}, got {target}")
        return target

    def _ladder(self, num_betas: int) -> tuple[NDArray[np.float64], int | None]:
        """The rungs, and the number of the one at target_beta."""
        first, last = self.beta_range or RELATIVE_LADDER
        betas = geometric(first, last, num_betas).clip(first, last)
        betas[0], betas[-1] = first, last  # not rounded: target_beta may be one of them
        if self.target_beta is None:
            return betas, None
        target = int(abs(betas - self.target_beta).argmin())
        betas[target] = self.target_beta
        return betas, target


def rung_number(num_spins: int) -> int:
    """How many rungs a problem has where nobody says."""
    return min(_MOST_BETAS, max(_FEWEST_BETAS, round(_BETAS_PER_ROOT * math.sqrt(num_spins))))


def temper(
    problem: IsingProblem,
    betas: NDArray[np.float64],
    *,
    num_sweeps: int,
    relative: bool = False,
    adaptive: bool = False,
    target: int | None = None,
    num_reads: int = 1,
    seed: int | None = None,
    initial: Spins | None = None,
    num_threads: int = 1,
) -> States:
    """Parallel tempering on a ladder `betas`, finite, >= 0 and rising; `target` is a rung. Else as Tempering."""
    seed = seed_number(seed)
    spins, energies, ladders, acceptance, round_trips = kernels.temper(
        problem.couplings,
        problem.hidden_fields,
        problem.output_fields,
        betas,
        num_sweeps,
        -1 if target is None else target,
        relative,
        adaptive,
        read_number(num_reads),
        seed,
        problem.streams,
        start_states(initial),
        num_threads,
    )
    info = {
        "seed": seed,
        "betas": ladders,
        "swap_acceptance": acceptance,
        "round_trips": round_trips,
    }
    return States.trusted(spins, energies, info)
