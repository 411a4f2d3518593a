"""What the samplers on the CPU share: their arguments and the geometric schedule of inverse temperatures."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem
from isingprop.util.checks import Spins, real_number, whole_number

# In units of 1 / (rms local field of a random state): 0.44 at the paper's initial scale, so this is 2 -> 20 there.
# bench/schedule.py measures it: with the descent at the end, 2 -> 40 leaves 13 to 34 % more residual energy after 100
# sweeps, on untrained, half-trained and trained networks alike; 2 -> 15 is better still at 30 sweeps, worse at 1,000.
RELATIVE_BETA_RANGE = (0.88, 8.8)

# More would not fit in any memory, or would last for days.
MOST_READS = 2**31 - 1
MOST_SWEEPS = 10_000_000

BetaRange = tuple[float, float]


def sweep_number(value: object) -> int:
    """Returns `value` as a number of sweeps."""
    return whole_number("num_sweeps", value, least=1, most=MOST_SWEEPS)


def thread_number(value: object) -> int:
    """Returns `value` as a number of threads."""
    return whole_number("num_threads", value, least=1, most=1024)


def read_number(value: object) -> int:
    """Returns `value` as a number of reads."""
    return whole_number("num_reads", value, least=1, most=MOST_READS)


def beta_range_of(value: BetaRange | None) -> BetaRange | None:
    """Returns `value` as (first, last) inverse temperatures, both > 0 unless they are equal; or None."""
    if value is None:
        return None
    try:
        first, last = value
    except (TypeError, ValueError):
        raise ValueError(f"beta_range must be two numbers (first, last), got {value!r}") from None
    first = real_number("beta_range[0]", first, least=0.0)
    last = real_number("beta_range[1]", last, least=0.0)
    if first != last and min(first, last) == 0.0:
        raise ValueError(
            f"beta_range must be positive for a geometric schedule, got ({first}, {last})"
        )
    return first, last


def check_problem(problem: object) -> None:
    """Refuses what is not an IsingProblem."""
    if not isinstance(problem, IsingProblem):
        raise TypeError(f"problem must be an IsingProblem, got {type(problem).__name__}")


def start_states(initial: Spins | None) -> Spins | None:
    """Returns `initial` as a C-ordered int8 array; the kernel checks the rest."""
    if initial is None:
        return None
    array = np.ascontiguousarray(initial)
    if array.dtype != np.int8:
        raise TypeError(f"initial must be int8 spins, got dtype {array.dtype}")
    return array


@lru_cache(maxsize=64)
def geometric(first: float, last: float, count: int) -> NDArray[np.float64]:
    """The schedule; rounded to float32, so that the last bit of a platform's pow does not reach the states."""
    if first == last or count == 1:
        return np.full(count, last, dtype=np.float64)
    betas = [first * (last / first) ** (k / (count - 1)) for k in range(count)]
    return np.array(betas, dtype=np.float32).astype(np.float64)


def beta_info(
    beta_range: BetaRange | None, rule: BetaRange = RELATIVE_BETA_RANGE
) -> dict[str, object]:
    """What `info` says of the range: the rule's where none was given."""
    if beta_range is None:
        return {"beta_range": rule, "beta_unit": "1/rms field"}
    return {"beta_range": beta_range, "beta_unit": "1/J"}
