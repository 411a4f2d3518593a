"""Checks of the arguments that samplers share, and the geometric schedule of beta."""

from __future__ import annotations

import sys
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem
from isingprop.util.checks import Spins, real_number, whole_number

# In units of 1 / (local field), see cpp/chains/local_scales.h. That field is 0.44 at the paper's
# initial scale, where the range is therefore 2 ... 20. bench/schedule.py measures it: with the
# descent at the end, 2 ... 40 leaves 13 to 34 % more residual energy after 100 sweeps, on
# untrained, half-trained and trained networks; 2 ... 15 is better at 30 sweeps and worse at 1,000.
RELATIVE_BETA_RANGE = (0.88, 8.8)

# Larger numbers would not fit in any memory, or would last for days.
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


def beta_number(name: str, value: object) -> float:
    """Returns `value` as an inverse temperature."""
    return real_number(name, value, least=0.0, most=sys.float_info.max)


def beta_range_of(value: BetaRange | None) -> BetaRange | None:
    """Returns `value` as (first, last) inverse temperatures, or None.

    Both must be finite and >= 0, and > 0 unless they are equal.
    """
    if value is None:
        return None

    try:
        first, last = value
    except (TypeError, ValueError):
        raise ValueError(f"beta_range must be two numbers (first, last), got {value!r}") from None

    first = beta_number("beta_range[0]", first)
    last = beta_number("beta_range[1]", last)
    if first != last and min(first, last) == 0.0:
        raise ValueError(
            f"beta_range must be positive for a geometric schedule, got ({first}, {last})"
        )
    return first, last


def is_constant(beta_range: BetaRange | None) -> bool:
    """Returns whether a range is given and its ends are equal."""
    return beta_range is not None and beta_range[0] == beta_range[1]


def check_problem(problem: object) -> None:
    """Raises TypeError unless `problem` is an IsingProblem."""
    if not isinstance(problem, IsingProblem):
        raise TypeError(f"problem must be an IsingProblem, got {type(problem).__name__}")


def start_states(initial: Spins | None) -> Spins | None:
    """Returns start states as a C-ordered int8 array; the kernel checks shape and values."""
    if initial is None:
        return None
    array = np.ascontiguousarray(initial)
    if array.dtype != np.int8:
        raise TypeError(f"initial must be int8 spins, got dtype {array.dtype}")
    return array


@lru_cache(maxsize=64)
def geometric(first: float, last: float, count: int) -> NDArray[np.float64]:
    """Returns inverse temperatures that grow geometrically from first to last, (count,).

    They are rounded to the 24 bits of a float32, because the last bits of pow() differ between
    platforms and would change the states.
    """
    if first == last or count == 1:
        return np.full(count, last, dtype=np.float64)
    parts = [k / (count - 1) for k in range(count)]
    if np.isfinite(last / first):
        betas = [first * (last / first) ** part for part in parts]
    else:
        betas = [first ** (1 - part) * last**part for part in parts]
    mantissas, exponents = np.frexp(betas)
    return np.ldexp(mantissas.astype(np.float32).astype(np.float64), exponents)


def beta_info(
    beta_range: BetaRange | None, rule: BetaRange = RELATIVE_BETA_RANGE
) -> dict[str, object]:
    """Returns the entries of `States.info` on the range of beta; None stands for `rule`."""
    if beta_range is None:
        return {"beta_range": rule, "beta_unit": "1/local field"}
    return {"beta_range": beta_range, "beta_unit": "1/J"}
