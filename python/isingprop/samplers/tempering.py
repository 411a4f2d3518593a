"""Parallel tempering on the CPU, for lowest states or for samples at a temperature."""

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
    beta_number,
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
from isingprop.util.checks import Spins, seed_number, true_or_false, whole_number

# In units of 1 / (local field); bench/tempering.py measures it. The hot end need only be hot enough
# for replicas to forget their state: a hotter one flips more spins, which costs time.
RELATIVE_LADDER = (1.25, 8.8)
_MAX_BETAS = 1000
# An adaptive ladder moves for the first time after 16 sweeps, which must be in the first half.
_ADAPTIVE_SWEEPS = 32
# The energies of neighbouring rungs overlap if the number of rungs grows as the root of the number
# of spins. Both numbers come from bench/tempering.py, too.
_BETAS_PER_ROOT, _MIN_BETAS = 0.75, 12


@dataclass(frozen=True)
class Tempering(BaseSampler, returns_checked_states=True):
    """Parallel tempering: replicas at K temperatures, which neighbours swap after each sweep.

    A swap of rungs k and l is made with probability

        63/64 min(1, exp((beta_k - beta_l) (E_k - E_l))),
        beta_k = beta_first * (beta_last / beta_first)^(k / (K - 1)),

    so a replica that is frozen at the cold end can move to the hot end, change there and come back.
    A read costs K = num_betas times the sweeps of an annealing read with the same num_sweeps.

    The `info` of the states holds betas (B, R, num_betas), in 1 / (unit of J); swap_acceptance
    (B, R, num_betas - 1), the share of tried swaps between neighbours that were made, NaN where
    none was tried; and round_trips (B, R), how often a replica came back to the hot end from the
    cold one.

    For training, ask for one state: nearly all reads end in the same ground state, so more teach
    nothing. Give the Trainer a margin, against which the state of the label must win, or let it
    average: with num_states = 1 on 1,000 digits the test accuracy after 4 epochs is 88.7 ± 2.5 %,
    with margin = 5 91.8 ± 1.5 %, and 95 % by the average from epoch 2, with or without a
    margin (five seeds).

    Args:
        num_sweeps: sweeps of each replica, 1 to 10 million.
        beta_range: (first, last), the hot and the cold end in 1 / (unit of J), finite, and > 0
            unless they are equal; None for 1.25 / f and 8.8 / f, with f the local field of each
            problem and the rungs between as the rule of `Annealing` says.
        num_threads: threads over reads; changes the speed, never the states.
        num_betas: rungs of the ladder, 1 to 1,000; None for 0.75 sqrt(N) with N spins, and at
            least 12, or 1 at constant beta.
        adaptive: whether to move the inner rungs during the first half of the sweeps, so that all
            gaps reject the same share of swaps, and then to fix them. Each read has its own ladder.
            Swaps and round trips are counted in the second half. At least 32 sweeps are required,
            and a few hundred are needed for equal shares.
        target_beta: None returns the lowest state that any replica was in, after a zero-temperature
            descent, unless beta is constant: then it is that beta. A number in beta_range, which
            must then be given, returns the last state at that inverse temperature without a
            descent: Boltzmann-distributed after enough sweeps. The nearest rung is set to this
            value and does not move.

    Example:
        >>> problem = IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> states = Tempering(num_sweeps=10, num_betas=3).sample(problem, num_reads=2, seed=0)
        >>> states.spins
        array([[[-1, -1],
                [-1, -1]]], dtype=int8)
        >>> states.info["swap_acceptance"].shape
        (1, 2, 2)

    References:
        Hukushima & Nemoto 1996, doi:10.1143/JPSJ.65.1604. Order of swaps and adaptive ladder: Syed,
        Bouchard-Côté, Deligiannidis & Doucet 2022, doi:10.1111/rssb.12464.
    """

    num_sweeps: int = 30
    beta_range: BetaRange | None = None
    num_threads: int = 1
    num_betas: int | None = field(default=None, kw_only=True)
    adaptive: bool = field(default=False, kw_only=True)
    target_beta: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Checks and converts all arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "beta_range", beta_range_of(self.beta_range))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))
        if self.num_betas is not None:
            num_betas = whole_number("num_betas", self.num_betas, least=1, most=_MAX_BETAS)
            object.__setattr__(self, "num_betas", num_betas)

        true_or_false("adaptive", self.adaptive)
        if self.adaptive and self.num_sweeps < _ADAPTIVE_SWEEPS:
            raise ValueError(
                f"num_sweeps must be at least {_ADAPTIVE_SWEEPS} with adaptive, "
                f"got {self.num_sweeps}"
            )
        if self.beta_range is not None and self.beta_range[0] > self.beta_range[1]:
            raise ValueError(
                f"beta_range must rise from the hot to the cold end, got {self.beta_range}"
            )

        if self.target_beta is not None:
            target = target_number(self.target_beta, self.beta_range)
            object.__setattr__(self, "target_beta", target)

    @property
    def ends_in_descent(self) -> bool:
        """Whether reads are the lowest states, not samples at target_beta."""
        return self.target_beta is None and not is_constant(self.beta_range)

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Runs num_reads ladders for each problem, all replicas from random states or `initial`.

        Args:
            problem: B problems over N spins.
            num_reads: see `Annealing.sample`.
            seed: see `Annealing.sample`.
            initial: see `Annealing.sample`; all replicas of a read share its start state.

        Returns:
            States with exact energies; `info` holds the seed, the range of beta and the entries
            that the class lists.

        Raises:
            ValueError: for num_reads < 1, start states that do not fit, or fields that are not
                finite.
            KeyboardInterrupt: on Ctrl-C, within a few milliseconds.
        """
        check_problem(problem)

        betas, target = ladder_of(
            self.beta_range,
            self.num_betas or rung_number(problem.num_spins, self.beta_range),
            self.target_beta,
        )
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


def target_number(value: object, beta_range: BetaRange | None) -> float:
    """Returns target_beta, which must be in beta_range."""
    if beta_range is None:
        raise ValueError(f"beta_range must be given with target_beta, got None and {value!r}")
    target = beta_number("target_beta", value)
    if not beta_range[0] <= target <= beta_range[1]:
        raise ValueError(f"target_beta must be in beta_range = {beta_range}, got {target}")
    return target


def ladder_of(
    beta_range: BetaRange | None, num_betas: int, target_beta: float | None
) -> tuple[NDArray[np.float64], int | None]:
    """Returns the rungs, (num_betas,), and the number of the rung at target_beta or None.

    A constant beta is its own target.
    """
    first, last = beta_range or RELATIVE_LADDER
    betas = geometric(first, last, num_betas).clip(first, last)
    betas[0], betas[-1] = first, last  # exactly, since target_beta may be one of them
    return with_target(betas, last if is_constant(beta_range) else target_beta)


def with_target(
    betas: NDArray[np.float64], target_beta: float | None
) -> tuple[NDArray[np.float64], int | None]:
    """Returns rungs of which the nearest is at target_beta, and its number or None."""
    if target_beta is None:
        return betas, None
    target = int(abs(betas - target_beta).argmin())
    betas = betas.copy()
    betas[target] = target_beta
    return betas, target


def rung_number(num_spins: int, beta_range: BetaRange | None = None) -> int:
    """Returns the default number of rungs of a problem."""
    if is_constant(beta_range):
        return 1
    return min(_MAX_BETAS, max(_MIN_BETAS, round(_BETAS_PER_ROOT * math.sqrt(num_spins))))


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
    """Runs parallel tempering on a given ladder.

    Args:
        problem: B problems over N spins.
        betas: (K,), the ladder: finite, >= 0 and rising.
        num_sweeps: sweeps of each replica.
        relative: whether betas are in units of 1 / (local field) of each problem instead of
            1 / (unit of J).
        adaptive: see `Tempering`.
        target: the number of the rung whose last states are returned; None returns lowest states.
        num_reads: see `Annealing.sample`.
        seed: see `Annealing.sample`.
        initial: see `Annealing.sample`.
        num_threads: threads over reads.

    Returns:
        States with exact energies; `info` holds the seed, betas, swap_acceptance and round_trips.
    """
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
