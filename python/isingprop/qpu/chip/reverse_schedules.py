"""Schedules of anneals from a start state, within what a chip allows: reverse and cyclic annealing.

Ramps are gentle where there is time, and as steep as the chip allows where there is not. So a
schedule is refused only where the chip accepts none of this kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from isingprop.qpu.chip.schedules import (
    TICKS,
    Schedule,
    check_anneal_fraction,
    check_annealing_time,
    slope_of,
    solver_name,
    solver_property,
    steepest_gain,
)

# A gentle ramp of s takes this many times as long as the steepest one, since control lines smear
# fast ramps.
_GENTLE = 2
# Ticks of a gentle ramp of the gain. Fields pass a low-pass filter of 3 MHz on Advantage, whose
# rise time is 0.12 us.
_GENTLE_GAIN = 50
_RAMP_DECIMALS = 6  # decimals kept of ticks before they are rounded up, as 1 - 0.45 > 0.55
_REVERSE_POINTS, _CYCLIC_POINTS = 3, 4  # least points of a schedule


def reverse_schedule(
    annealing_time: float, s_target: float, properties: Mapping[str, Any]
) -> Schedule:
    """Returns a schedule that goes from s = 1 down to s_target, pauses there, and goes back to 1.

        [[0, 1], [r, s_target], [T - r, s_target], [T, 1]]

    The ramp r is twice as long as the chip needs, but at most T / 4, and longer only where the chip
    needs that. Without time for a pause the two points in the middle are one.

    Args:
        annealing_time: T in us, in the chip's annealing_time_range and a multiple of 0.01.
        s_target: anneal fraction of the pause, in [0, 1).
        properties: solver properties of the chip.

    Raises:
        ValueError: for a value out of range, or where the chip accepts no such schedule.

    Example:
        >>> chip = {"annealing_time_range": [0.5, 2000.0], "max_anneal_schedule_points": 12}
        >>> reverse_schedule(300.0, 0.45, chip)
        [[0.0, 1.0], [0.55, 0.45], [299.45, 0.45], [300.0, 1.0]]
    """
    shortest, end = _times(annealing_time, properties)
    drop = 1 - check_anneal_fraction(s_target)
    steepest = _fewest_ticks(drop, 1 / shortest)
    max_points = _max_points(properties, "max_anneal_schedule_points", _REVERSE_POINTS, "reverse")
    if end < 2 * steepest:
        raise ValueError(_too_short(end, 2 * steepest, s_target, properties))

    ramp = max(steepest, min(_gentle_ticks(drop, shortest), end // 4))
    middle = sorted({ramp, end - ramp}) if max_points > _REVERSE_POINTS else [end // 2]
    return [[0.0, 1.0], *([tick / TICKS, s_target] for tick in middle), [end / TICKS, 1.0]]


def cyclic_schedules(
    annealing_time: float, s_target: float, properties: Mapping[str, Any]
) -> tuple[Schedule, Schedule]:
    """Returns the schedules of cyclic annealing.

    A bias toward the reference state is turned on at s = 1; then s falls to s_target, and rises
    again while the bias decays.

        anneal [[0, 1], [g, 1], [g + r, s_target], [T, 1]]
        h gain [[0, 0], [g, 1], [g + r, 1],        [T, 0]]

    g is 0.5 us and r twice as long as the chip needs. Where 0.5 us would not be left for the decay,
    r is shorter, and where that is not enough g and the decay are, too: a filter smears faster
    ramps of h.

    Args:
        annealing_time: T in us, in the chip's annealing_time_range and a multiple of 0.01.
        s_target: lowest anneal fraction, in [0, 1).
        properties: solver properties of the chip.

    Returns:
        (anneal_schedule, h_gain_schedule).

    Raises:
        ValueError: for a value out of range, or where the chip accepts no such schedules.

    Example:
        >>> from isingprop.qpu.chip.chip_file import ChipDescription
        >>> chip = ChipDescription.of("zephyr", 1).properties
        >>> cyclic_schedules(20.0, 0.5, chip)[0]
        [[0.0, 1.0], [0.5, 1.0], [1.0, 0.5], [20.0, 1.0]]
        >>> cyclic_schedules(20.0, 0.5, chip)[1]
        [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0], [20.0, 0.0]]

    References:
        Wang, Yeh & Kamenev 2022, doi:10.1038/s41467-022-33179-y.
    """
    shortest, end = _times(annealing_time, properties)
    drop = 1 - check_anneal_fraction(s_target)
    for name in ("max_anneal_schedule_points", "max_h_gain_schedule_points"):
        _max_points(properties, name, _CYCLIC_POINTS, "cyclic")
    least_gain, steepest = _gain_ticks(properties), _fewest_ticks(drop, 1 / shortest)
    least_rise = max(steepest, least_gain)  # of s, while the gain falls
    least = least_gain + steepest + least_rise
    if end < least:
        raise ValueError(_too_short(end, least, s_target, properties, "h_gain_schedule_range"))

    rise = max(least_rise, _GENTLE_GAIN)
    if (left := end - _GENTLE_GAIN - rise) >= steepest:
        gain, ramp = _GENTLE_GAIN, max(steepest, min(_gentle_ticks(drop, shortest), left))
    else:  # both ends of the gain get the same share of what they lack
        lacking = _GENTLE_GAIN - least_gain, rise - least_rise
        gain, ramp = least_gain + (end - least) * lacking[0] // sum(lacking), steepest

    times = [tick / TICKS for tick in (0, gain, gain + ramp, end)]
    anneal = [[time, s] for time, s in zip(times, (1.0, 1.0, s_target, 1.0), strict=True)]
    gains = [[time, g] for time, g in zip(times, (0.0, 1.0, 1.0, 0.0), strict=True)]
    return anneal, gains


def _times(annealing_time: float, properties: Mapping[str, Any]) -> tuple[float, int]:
    """Returns the shortest annealing time of a chip in us, and a checked one in ticks."""
    time = check_annealing_time(annealing_time, properties)
    return solver_property(properties, "annealing_time_range")[0], round(time * TICKS)


def _fewest_ticks(change: float, steepest: float) -> int:
    """Returns the ticks of the fastest ramp by `change` that is no steeper than `steepest`."""
    ticks = max(1, math.floor(change * TICKS / steepest))
    while slope_of(change, ticks / TICKS) > steepest:
        ticks += 1
    return ticks


def _gentle_ticks(drop: float, shortest: float) -> int:
    """Returns the ticks of a gentle ramp of s by `drop`."""
    return math.ceil(round(_GENTLE * shortest * TICKS * drop, _RAMP_DECIMALS))


def _gain_ticks(properties: Mapping[str, Any]) -> int:
    """Returns the ticks of the fastest ramp of the gain between 0 and 1."""
    low, high = solver_property(properties, "h_gain_schedule_range")
    if not low <= 0 < 1 <= high:
        raise ValueError(
            f"h_gain_schedule_range of solver {solver_name(properties)} must reach from 0 to 1 for "
            f"cyclic annealing, got [{low:g}, {high:g}]"
        )
    return _fewest_ticks(1.0, steepest_gain(properties))


def _max_points(properties: Mapping[str, Any], name: str, least: int, mode: str) -> int:
    """Returns a property of the chip on points of a schedule, which must be at least `least`."""
    points = int(solver_property(properties, name))
    if points < least:
        raise ValueError(
            f"{name} of solver {solver_name(properties)} must be at least {least} for {mode} "
            f"annealing, got {points}"
        )
    return points


def _too_short(
    end: int, least: int, s_target: float, properties: Mapping[str, Any], *others: str
) -> str:
    """Returns the message for an annealing time without time for the ramps.

    Args:
        end: ticks of the annealing time.
        least: ticks that the ramps take.
        s_target: lowest anneal fraction.
        properties: solver properties of the chip.
        others: names of properties that count beside annealing_time_range.
    """
    bounds = []
    for name in ("annealing_time_range", *others):
        low, high = solver_property(properties, name)
        bounds.append(f"{name} of [{low:g}, {high:g}]")

    return (
        f"annealing_time must be at least {least / TICKS:g} us for s_target {s_target:g} on a chip "
        f"with an {' and an '.join(bounds)}, got {end / TICKS:g}"
    )
