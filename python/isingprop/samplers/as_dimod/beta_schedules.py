"""Schedules of inverse temperatures from the arguments of dwave-samplers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from isingprop.samplers.arguments import BetaRange, geometric
from isingprop.samplers.as_dimod.model_kernels import Sampled
from isingprop.samplers.as_dimod.spin_model import SpinModel
from isingprop.util.checks import Doubles, float_array

ScheduleType = Literal["linear", "geometric", "custom"]
SCHEDULE_TYPES = ("linear", "geometric", "custom")

_ROUNDING = 2.0**-23  # of geometric schedules


class BetaCount(NamedTuple):
    """The argument of a sampler that gives the number of inverse temperatures."""

    name: str  #: the name of the argument
    given: int | None  #: its value
    number: int  #: what the value means without a custom schedule
    sweeps: int = 1  #: sweeps at each inverse temperature
    may_be_infinite: bool = False  #: whether a custom one may be


class BetaSchedule(NamedTuple):
    """A schedule of inverse temperatures."""

    betas: Doubles  #: (num_sweeps,), or (num_betas,) for a ladder
    range: Doubles  #: (2,), the first and the last
    relative: bool  #: whether they are relative to the model, see `isingprop.Annealing`

    @property
    def is_constant(self) -> bool:
        """Whether all inverse temperatures are one number that was given."""
        return not self.relative and bool(
            (self.betas == self.range[0]).all() and (self.range == self.range[0]).all()
        )

    def range_in(self, model: SpinModel, sampled: Sampled) -> list[float]:
        """Returns the first and the last inverse temperature in 1 / (unit of the biases).

        `sampled` is the result of a kernel with this schedule, which tells them. Those of no sweep
        are NaN, unless they were given.
        """
        ends = self.range
        if self.relative and not len(self.betas):
            ends = np.full(2, np.nan)
        elif self.relative and np.allclose(self.betas[[0, -1]], ends, rtol=_ROUNDING, atol=0.0):
            ends = sampled.range * (ends / self.betas[[0, -1]])
        elif self.relative:
            ends = model.absolute_betas(ends)
        return [float(beta) for beta in ends]

    def ends_cold(self, model: SpinModel) -> bool:
        """Returns whether reads are to end in a descent by default: not at a constant beta."""
        if not len(self.betas):
            return False
        if self.relative or self.is_constant:
            return self.relative
        return bool(self.betas[-1] >= model.cold_beta())


def beta_schedule_of(
    kind: ScheduleType,
    custom: ArrayLike | None,
    beta_range: Sequence[float] | None,
    rule: BetaRange,
    count: BetaCount,
) -> BetaSchedule:
    """Returns the schedule that the arguments of a sampler ask for.

    Args:
        kind: the argument beta_schedule_type.
        custom: the argument beta_schedule, which belongs to "custom".
        beta_range: the argument of this name; None for `rule`.
        rule: the default range, relative to the model.
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

    ends = np.array(rule)
    if beta_range is not None:
        ends = _betas("beta_range", beta_range, 2)
    first, last = ends.tolist()

    if custom is not None:
        try:
            betas = _betas("beta_schedule", custom, None, may_be_infinite=count.may_be_infinite)
        except TypeError as error:  # here dwave-samplers raises ValueError
            raise ValueError(str(error)) from None
        _check_custom(betas, ends, beta_range, count)
        return BetaSchedule(np.repeat(betas, count.sweeps), betas[[0, -1]], relative=False)

    if kind == "linear":
        betas = np.linspace(first, last, count.number) if count.number > 1 else ends[1:]
    elif ends.all():
        betas = geometric(first, last, count.number)
    else:
        raise ValueError(f"beta_range must be above 0 for a geometric schedule, got {beta_range!r}")
    betas = np.repeat(betas[: count.number], count.sweeps)
    return BetaSchedule(betas, ends, relative=beta_range is None)


def _check_custom(
    betas: Doubles, ends: Doubles, beta_range: Sequence[float] | None, count: BetaCount
) -> None:
    """Raises ValueError for a length or a beta_range that contradicts a custom schedule."""
    number = len(betas) * count.sweeps
    if count.given not in (None, number):
        per_beta = f" times num_sweeps_per_beta = {count.sweeps}" if count.sweeps > 1 else ""
        raise ValueError(
            f"{count.name} must be None or {number}, as many as beta_schedule has{per_beta}, "
            f"got {count.given}"
        )
    if beta_range is not None and (ends != betas[[0, -1]]).any():
        raise ValueError(
            f"beta_range must be None or the ends of beta_schedule, got {beta_range!r}"
        )


def _betas(
    name: str, value: ArrayLike, length: int | None, may_be_infinite: bool = False
) -> Doubles:
    """Returns inverse temperatures, checked; None is any length."""
    numbers = np.asarray(value)
    infinite = np.zeros(numbers.shape, dtype=bool)
    if may_be_infinite and numbers.dtype.kind == "f":
        infinite = np.isposinf(numbers)
        numbers = np.where(infinite, 0, numbers)

    betas = float_array(name, numbers, shape=(length,)).astype(np.float64)
    for beta in betas[betas < 0]:
        raise ValueError(f"{name} must be at least 0, got {beta}")
    betas[infinite] = np.inf
    return betas
