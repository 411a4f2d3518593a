"""Schedules of inverse temperatures from the arguments of dwave-samplers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from isingprop.samplers.arguments import BetaRange, geometric
from isingprop.samplers.as_dimod.two_colouring import Layers
from isingprop.util.checks import Doubles, float_array

ScheduleType = Literal["linear", "geometric", "custom"]
SCHEDULE_TYPES = ("linear", "geometric", "custom")

# Times 1 / (largest bias). It is finite in single precision, and at this beta no spin moves uphill.
_MAX_BETA = 2.0**100


class BetaCount(NamedTuple):
    """The argument of a sampler that gives the number of inverse temperatures."""

    name: str  #: the name of the argument
    given: int | None  #: its value
    number: int  #: what the value means without a custom schedule


def beta_schedule_of(
    layers: Layers,
    kind: ScheduleType,
    custom: ArrayLike | None,
    beta_range: Sequence[float] | None,
    rule: BetaRange,
    count: BetaCount,
) -> tuple[tuple[float, float], Doubles]:
    """Returns the (first, last) inverse temperature, and all of them in units of the layers.

    Args:
        layers: the model as two layers.
        kind: the argument beta_schedule_type.
        custom: the argument beta_schedule, which belongs to "custom".
        beta_range: the argument of this name; None for `rule`.
        rule: the default range in units of 1 / (rms local field).
        count: the number of inverse temperatures.

    Raises:
        ValueError: for arguments that contradict each other or are out of range.
    """
    if kind not in SCHEDULE_TYPES:
        names = ", ".join(SCHEDULE_TYPES)
        raise ValueError(f"beta_schedule_type must be one of {names}, got {kind!r}")
    if (custom is not None) != (kind == "custom"):
        must = "given" if kind == "custom" else "None"
        raise ValueError(
            f"beta_schedule must be {must} with beta_schedule_type {kind!r}, got {custom!r}"
        )

    ends = np.array(rule) / layers.rms_field
    if beta_range is not None:
        ends = _betas("beta_range", beta_range, 2, layers.exponent)

    if custom is not None:
        betas = _betas("beta_schedule", custom, None, layers.exponent)
        _check_custom(betas, ends, beta_range, count)
        ends = betas[[0, -1]]
    elif kind == "geometric" and not ends.all():
        raise ValueError(f"beta_range must be above 0 for a geometric schedule, got {beta_range!r}")
    elif kind == "geometric":
        betas = geometric(float(ends[0]), float(ends[1]), count.number)
    else:
        betas = np.linspace(ends[0], ends[1], count.number) if count.number > 1 else ends[1:]

    first, last = np.ldexp(ends, -layers.exponent).tolist()
    return (first, last), betas


def _check_custom(
    betas: Doubles, ends: Doubles, beta_range: Sequence[float] | None, count: BetaCount
) -> None:
    """Raises ValueError for a length or a beta_range that contradicts a custom schedule."""
    if count.given not in (None, len(betas)):
        raise ValueError(
            f"{count.name} must be None or {len(betas)}, as many as beta_schedule has, "
            f"got {count.given}"
        )
    if beta_range is not None and (ends != betas[[0, -1]]).any():
        raise ValueError(
            f"beta_range must be None or the ends of beta_schedule, got {beta_range!r}"
        )


def _betas(name: str, value: ArrayLike, length: int | None, exponent: int) -> Doubles:
    """Returns inverse temperatures in units of 2^-exponent, checked; None is any length."""
    given = float_array(name, value, shape=(length,)).astype(np.float64)
    with np.errstate(over="ignore"):  # an infinite beta is refused below
        scaled = np.ldexp(given, exponent)

    for beta in given[(scaled < 0) | (scaled > _MAX_BETA)]:
        raise ValueError(
            f"{name} must be at least 0 and at most 2^100 / (largest bias), got {beta}"
        )
    return scaled
