"""Schedules s(t) of a coherent anneal: functions of time, or points with straight lines between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from isingprop.util.checks import Doubles, float_array, real_number

Schedule: TypeAlias = Callable[[float], float] | Sequence[Sequence[float]]

_SCHEDULE_ROUNDING = 1e-6  # relative, of its end and of its values


def schedule_values(schedule: Schedule | None, total_time: float, num_steps: int) -> Doubles:
    """s at the middle of each step: (num_steps,), in [0, 1]."""
    times = (np.arange(num_steps) + 0.5) * (total_time / num_steps)
    if schedule is None:
        return (np.arange(num_steps) + 0.5) / num_steps
    if callable(schedule):
        values = np.array([real_number("schedule(t)", schedule(float(t))) for t in times])
    else:
        points = float_array("schedule", schedule, shape=(None, 2)).astype(np.float64)
        at, values = points.T
        if (
            (np.diff(at) <= 0).any()
            or at[0] != 0
            or not math.isclose(at[-1], total_time, rel_tol=_SCHEDULE_ROUNDING)
        ):
            raise ValueError(
                f"schedule must have times that rise from 0 to total_time = {total_time}, got {at.tolist()}"
            )
        values = np.interp(times, at, values)
    if values.min() < -_SCHEDULE_ROUNDING or values.max() > 1 + _SCHEDULE_ROUNDING:
        raise ValueError(
            f"schedule must have values in [0, 1], got {values.min():g} to {values.max():g}"
        )
    clipped: Doubles = np.clip(values, 0.0, 1.0)
    return clipped
