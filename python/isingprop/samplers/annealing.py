"""Simulated annealing on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isingprop import _core
from isingprop.checks import Spins, real_number, seed_number, whole_number
from isingprop.problem import IsingProblem
from isingprop.states import States

# In units of 1 / (rms local field of a random state): 0.44 at the paper's initial scale, so this is 2 -> 20 there.
# bench/schedule.py measures it: with the descent at the end, 2 -> 40 leaves 13 to 34 % more residual energy after 100
# sweeps, on untrained, half-trained and trained networks alike; 2 -> 15 is better still at 30 sweeps, worse at 1,000.
RELATIVE_BETA_RANGE = (0.88, 8.8)


# More would not fit in any memory, or would last for days.
_MOST_READS = 2**31 - 1
MOST_SWEEPS = 10_000_000


@dataclass(frozen=True)
class Annealing:
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
    beta_range: tuple[float, float] | None = None
    num_threads: int = 1
    descend: bool = True

    def __post_init__(self) -> None:
        """Checks all arguments."""
        object.__setattr__(self, "num_sweeps", whole_number("num_sweeps", self.num_sweeps, least=1, most=MOST_SWEEPS))
        if self.beta_range is not None:
            object.__setattr__(self, "beta_range", _check_range(self.beta_range))
        object.__setattr__(self, "num_threads", whole_number("num_threads", self.num_threads, least=1, most=1024))
        if not isinstance(self.descend, bool):
            raise TypeError(f"descend must be True or False, got {self.descend!r}")

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
        if not isinstance(problem, IsingProblem):
            raise TypeError(f"problem must be an IsingProblem, got {type(problem).__name__}")
        relative = self.beta_range is None
        beta_range = RELATIVE_BETA_RANGE if self.beta_range is None else self.beta_range
        seed = seed_number(seed)
        if initial is not None:
            initial = np.ascontiguousarray(initial)
            if initial.dtype != np.int8:
                raise TypeError(f"initial must be int8 spins, got dtype {initial.dtype}")
        spins, energies = _core.anneal(
            problem.couplings,
            problem.hidden_fields,
            problem.output_fields,
            _geometric(*beta_range, self.num_sweeps),
            relative,
            self.descend,
            whole_number("num_reads", num_reads, least=1, most=_MOST_READS),
            seed,
            problem.streams,
            initial,
            self.num_threads,
        )
        info = {"seed": seed, "beta_range": beta_range, "beta_unit": "1/rms field" if relative else "1/J"}
        return States.trusted(spins, energies, info)


def _check_range(beta_range: tuple[float, float]) -> tuple[float, float]:
    try:
        first, last = beta_range
    except (TypeError, ValueError):
        raise ValueError(f"beta_range must be two numbers (first, last), got {beta_range!r}") from None
    first = real_number("beta_range[0]", first, least=0.0)
    last = real_number("beta_range[1]", last, least=0.0)
    if first != last and min(first, last) == 0.0:
        raise ValueError(f"beta_range must be positive for a geometric schedule, got ({first}, {last})")
    return first, last


@lru_cache(maxsize=64)
def _geometric(first: float, last: float, num_sweeps: int) -> NDArray[np.float64]:
    """The schedule; rounded to float32, so that the last bit of a platform's pow does not reach the states."""
    if first == last or num_sweeps == 1:
        return np.full(num_sweeps, last, dtype=np.float64)
    betas = [first * (last / first) ** (k / (num_sweeps - 1)) for k in range(num_sweeps)]
    return np.array(betas, dtype=np.float32).astype(np.float64)
