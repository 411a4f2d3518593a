"""Anneal schedules s(t) and h-gain schedules g(t): reverse and cyclic annealing, D-Wave's rules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from isingprop.util.checks import real_number

Schedule: TypeAlias = list[list[float]]
"""[[time in us, value], ...]; values between the points are interpolated linearly."""

MICROSECONDS_PER_SECOND = 1e6
ANNEALING_TIMES = (0.5, 2000.0)  # us, the annealing_time_range of every chip on offer

# Times are computed as whole ticks of 0.01 us, since the chips round times to that.
_TICKS = 100  # per us
_TIME_DECIMALS = 2  # decimals of a time in us that is a whole number of ticks
# Ticks of a ramp of s from 0 to 1. The steepest one takes the shortest annealing time. Schedules
# here are half as steep where there is time, as control lines smear faster ramps.
_STEEPEST_RAMP, _GENTLE_RAMP = 50, 100
# Ticks of a ramp of the gain. Fields pass a low-pass filter of 3 MHz on Advantage, whose rise time
# is 0.12 us.
_GAIN_RAMP = 50
_RAMP_DECIMALS = 6  # decimals kept of ticks before they are rounded up, as 1 - 0.45 > 0.55
_SLOPE_DECIMALS = 10  # D-Wave rounds slopes to so many decimals before it compares them
_SHORTEST_GAIN_RAMP = 0.02  # us for the whole h_gain_schedule_range; D-Wave calls this typical
# Properties that mock samplers leave out, from D-Wave's documentation.
_USUAL_PROPERTIES: dict[str, Any] = {
    "max_anneal_schedule_points": 12,
    "max_h_gain_schedule_points": 20,
    "h_gain_schedule_range": (-4.0, 4.0),
    "problem_run_duration_range": (0.0, 1_000_000.0),
}


def reverse_schedule(annealing_time: float, s_target: float) -> Schedule:
    """Returns a schedule that goes from s = 1 down to s_target, pauses there, and goes back to 1.

        [[0, 1], [r, s_target], [T - r, s_target], [T, 1]],   r = (1 - s_target) us, at most T / 4

    r is larger where the ramp would be steeper than 2 per us, the maximum of the chips. Without
    time for a pause the two points in the middle are one.

    Args:
        annealing_time: T, 0.5 to 2000 us, in steps of 0.01.
        s_target: anneal fraction of the pause, in [0, 1).

    Raises:
        ValueError: for a value out of range, or a T that is too short for two ramps.

    Example:
        >>> reverse_schedule(300.0, 0.45)
        [[0.0, 1.0], [0.55, 0.45], [299.45, 0.45], [300.0, 1.0]]
    """
    end, s_target = _annealing_ticks(annealing_time), check_anneal_fraction(s_target)
    steepest = _ramp_ticks(_STEEPEST_RAMP, s_target)
    _check_long_enough(end, 2 * steepest, s_target)

    ramp = max(steepest, min(_ramp_ticks(_GENTLE_RAMP, s_target), end // 4))
    middle = sorted({ramp, end - ramp})
    return [[0.0, 1.0], *([tick / _TICKS, s_target] for tick in middle), [end / _TICKS, 1.0]]


def cyclic_schedules(annealing_time: float, s_target: float) -> tuple[Schedule, Schedule]:
    """Returns the schedules of cyclic annealing.

    A bias toward the reference state is turned on at s = 1; then s falls to s_target, and rises
    again while the bias decays.

        anneal [[0, 1], [0.5, 1], [0.5 + r, s_target], [T, 1]]
        h gain [[0, 0], [0.5, 1], [0.5 + r, 1],        [T, 0]],   r = (1 - s_target) us

    r is smaller where the gain would have less than 0.5 us to decay: a filter smears faster ramps
    of h.

    Args:
        annealing_time: T, up to 2000 us, in steps of 0.01.
        s_target: lowest anneal fraction, in [0, 1).

    Returns:
        (anneal_schedule, h_gain_schedule).

    Raises:
        ValueError: for a value out of range, or a T that is too short for all ramps.

    Example:
        >>> cyclic_schedules(20.0, 0.5)[0]
        [[0.0, 1.0], [0.5, 1.0], [1.0, 0.5], [20.0, 1.0]]
        >>> cyclic_schedules(20.0, 0.5)[1]
        [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0], [20.0, 0.0]]

    References:
        Wang, Yeh & Kamenev 2022, doi:10.1038/s41467-022-33179-y.
    """
    end, s_target = _annealing_ticks(annealing_time), check_anneal_fraction(s_target)
    steepest = _ramp_ticks(_STEEPEST_RAMP, s_target)
    _check_long_enough(end, 2 * _GAIN_RAMP + steepest, s_target)

    ramp = max(steepest, min(_ramp_ticks(_GENTLE_RAMP, s_target), end - 2 * _GAIN_RAMP))
    times = [tick / _TICKS for tick in (0, _GAIN_RAMP, _GAIN_RAMP + ramp, end)]
    anneal = [[time, s] for time, s in zip(times, (1.0, 1.0, s_target, 1.0), strict=True)]
    gain = [[time, g] for time, g in zip(times, (0.0, 1.0, 1.0, 0.0), strict=True)]
    return anneal, gain


def check_anneal_schedule(schedule: object, properties: Mapping[str, Any]) -> Schedule:
    """Checks that the chip runs `schedule` exactly as given, and returns it as plain floats.

    The rules are those of DWaveSampler.validate_anneal_schedule. In addition all numbers must be
    finite, times must start at 0 and be multiples of 0.01 us, and s must be in [0, 1].

    Args:
        schedule: [[t in us, s], ...].
        properties: solver properties of the chip.

    Raises:
        TypeError: for anything but a list of pairs of numbers.
        ValueError: for a schedule that breaks a rule, or a chip without the properties to check it
            by.
    """
    name = "anneal_schedule"
    shortest, longest = solver_property(properties, "annealing_time_range")
    points = _points(name, schedule, solver_property(properties, "max_anneal_schedule_points"))
    if points[-1][0] > longest:
        raise ValueError(f"{name} must end at {longest:g} us or before, got {points[-1][0]:g}")
    _check_values(name, "s", points, 0.0, 1.0)

    first, last = points[0][1], points[-1][1]
    if first not in (0, 1):
        raise ValueError(f"{name} must start at s = 0 (forward) or 1 (reverse), got {first:g}")
    if last != 1:
        raise ValueError(f"{name} must end at s = 1, got {last:g}")

    for (_, before), (time, s) in itertools.pairwise(points):
        if first == 0 and s < before:
            raise ValueError(
                f"{name} from s = 0 must not fall, got {before:g} and then {s:g} at {time:g} us"
            )
    _check_slopes(name, points, 1 / shortest)

    return points


def check_h_gain_schedule(
    schedule: object, anneal_end: float, properties: Mapping[str, Any]
) -> Schedule:
    """Checks that the chip accepts `schedule`, and returns it as plain floats.

    Args:
        schedule: [[t in us, g], ...].
        anneal_end: us, the end of the anneal schedule or the annealing time; the gain must end
            there.
        properties: solver properties of the chip.

    Raises:
        TypeError: for anything but a list of pairs of numbers.
        ValueError: for a schedule that breaks a rule, or a chip without the properties to check it
            by.
    """
    name = "h_gain_schedule"
    low, high = solver_property(properties, "h_gain_schedule_range")
    points = _points(name, schedule, solver_property(properties, "max_h_gain_schedule_points"))
    if points[-1][0] != anneal_end:
        raise ValueError(
            f"{name} must end where the anneal does, at {anneal_end:g} us, got {points[-1][0]:g}"
        )

    _check_values(name, "g", points, low, high)
    _check_slopes(name, points, (high - low) / _SHORTEST_GAIN_RAMP)

    return points


def solver_property(properties: Mapping[str, Any], name: str) -> Any:
    """Returns a property of a chip, or its usual value where a stand-in does not have it.

    Raises:
        ValueError: where neither is known; it names the chip.
    """
    if properties.get(name) is None:
        if name in _USUAL_PROPERTIES:
            return _USUAL_PROPERTIES[name]
        raise ValueError(
            f"solver {solver_name(properties)} must have the property {name}, got none"
        )
    return properties[name]


def solver_name(properties: Mapping[str, Any]) -> str:
    """Returns the name of a chip for error messages."""
    return str(properties.get("chip_id", "without a chip_id"))


def check_annealing_time(annealing_time: float, allowed: tuple[float, float]) -> float:
    """Returns `annealing_time`, in us, which must be in `allowed` and a multiple of 0.01 us."""
    time = real_number("annealing_time", annealing_time)
    if not allowed[0] <= time <= allowed[1]:
        raise ValueError(
            f"annealing_time must be in [{allowed[0]:g}, {allowed[1]:g}] us, got {time:g}"
        )
    if not _is_on_grid(time):
        raise ValueError(f"annealing_time must be a multiple of 0.01 us, got {time!r}")
    return time


def check_anneal_fraction(s_target: float) -> float:
    """Checks that `s_target` is in [0, 1), and returns it."""
    fraction = real_number("s_target", s_target)
    if not 0 <= fraction < 1:
        raise ValueError(f"s_target must be at least 0 and below 1, got {fraction:g}")
    return fraction


def _points(name: str, schedule: object, max_points: int) -> Schedule:
    """Checks the number of points, their types and their times; returns the points as floats."""
    if not isinstance(schedule, list | tuple):
        raise TypeError(f"{name} must be a list of [time, value] pairs, got {schedule!r}")
    if not 2 <= len(schedule) <= max_points:
        raise ValueError(f"{name} must have 2 to {max_points} points, got {len(schedule)}")
    for k, pair in enumerate(schedule):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise TypeError(
                f"{name} must be a list of [time, value] pairs, got {pair!r} at index {k}"
            )

    points = [
        [real_number(f"{name}[{k}][{j}]", pair[j]) for j in (0, 1)]
        for k, pair in enumerate(schedule)
    ]
    _check_times(name, [time for time, _ in points])
    return points


def _check_times(name: str, times: list[float]) -> None:
    """Checks that times start at 0, increase, and are multiples of 0.01 us."""
    if times[0] != 0:
        raise ValueError(f"{name} must start at 0 us, got {times[0]:g}")
    for before, time in itertools.pairwise(times):
        if not _is_on_grid(time):
            raise ValueError(f"times of {name} must be multiples of 0.01 us, got {time!r}")
        if time <= before:
            raise ValueError(f"times of {name} must increase, got {before:g} us and then {time:g}")


def _check_values(name: str, symbol: str, points: Schedule, low: float, high: float) -> None:
    """Checks that all values of a schedule are in [low, high]; messages call a value `symbol`."""
    for time, value in points:
        if not low <= value <= high:
            raise ValueError(
                f"{symbol} of {name} must be in [{low:g}, {high:g}], got {value:g} at {time:g} us"
            )


def _check_slopes(name: str, points: Schedule, steepest: float) -> None:
    """Checks that no part of a schedule is steeper than `steepest`, in 1 / us."""
    for (start, before), (end, after) in itertools.pairwise(points):
        slope = round(abs(after - before) / (end - start), _SLOPE_DECIMALS)
        if slope > steepest:
            raise ValueError(
                f"slopes of {name} must be at most {steepest:g} per us, "
                f"got {slope:g} up to {end:g} us"
            )


def _annealing_ticks(annealing_time: float) -> int:
    """Returns a checked annealing time in ticks."""
    return round(check_annealing_time(annealing_time, ANNEALING_TIMES) * _TICKS)


def _ramp_ticks(full_ramp: int, s_target: float) -> int:
    """Returns the ticks of a ramp between s = 1 and s_target; one from 0 to 1 takes `full_ramp`."""
    return math.ceil(round(full_ramp * (1 - s_target), _RAMP_DECIMALS))


def _check_long_enough(end: int, min_ticks: int, s_target: float) -> None:
    """Checks that a schedule of `end` ticks has time for its ramps."""
    if end < min_ticks:
        raise ValueError(
            f"annealing_time must be at least {min_ticks / _TICKS:g} us for s_target "
            f"{s_target:g}, got {end / _TICKS:g}"
        )


def _is_on_grid(time: float) -> bool:
    """Returns whether a time in us is a whole number of ticks."""
    return round(time, _TIME_DECIMALS) == time
