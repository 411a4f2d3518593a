"""Schedules s(t) of a coherent anneal.

A schedule is a function of time, or points (t, s) that are interpolated linearly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Doubles, float_array, real_number

Schedule: TypeAlias = Callable[[float], float] | Sequence[Sequence[float]]

_SCHEDULE_ROUNDING = 1e-6  # tolerance of the last time (relative) and of the range of s


def schedule_values(schedule: Schedule | None, total_time: float, num_steps: int) -> Doubles:
    """Returns s at the middle of each step, (num_steps,), in [0, 1].

    The schedule None stands for s = t / total_time.

    Raises:
        ValueError: for points whose times do not rise from 0 to total_time, or s outside [0, 1].
    """
    times = (np.arange(num_steps) + 0.5) * (total_time / num_steps)
    if schedule is None:
        return (np.arange(num_steps) + 0.5) / num_steps

    if callable(schedule):
        values = np.array([real_number("schedule(t)", schedule(float(t))) for t in times])
    else:
        values = _interpolated(schedule, times, total_time)

    if values.min() < -_SCHEDULE_ROUNDING or values.max() > 1 + _SCHEDULE_ROUNDING:
        raise ValueError(
            f"schedule must have values in [0, 1], got {values.min():g} to {values.max():g}"
        )
    clipped: Doubles = np.clip(values, 0.0, 1.0)
    return clipped


def _interpolated(
    points: Sequence[Sequence[float]], times: NDArray[np.floating[Any]], total_time: float
) -> Doubles:
    """Returns s at the given times on straight lines between the points of a schedule."""
    at, values = float_array("schedule", points, shape=(None, 2)).astype(np.float64).T

    ends_fit = at[0] == 0 and math.isclose(at[-1], total_time, rel_tol=_SCHEDULE_ROUNDING)
    if (np.diff(at) <= 0).any() or not ends_fit:
        raise ValueError(
            f"schedule must have times that rise from 0 to total_time = {total_time}, "
            f"got {at.tolist()}"
        )

    interpolated: Doubles = np.interp(times, at, values)
    return interpolated
