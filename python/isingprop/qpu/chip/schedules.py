"""D-Wave's rules for annealing times, anneal schedules s(t) and h-gain schedules g(t)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, TypeAlias

from isingprop.util.checks import real_number

Schedule: TypeAlias = list[list[float]]
"""[[time in us, value], ...]; values between the points are interpolated linearly."""

MICROSECONDS_PER_SECOND = 1e6
TICKS = 100  #: per us; the chips round times to a whole number of ticks of 0.01 us
_TIME_DECIMALS = 2  # decimals of a time in us that is a whole number of ticks
_FAST_DECIMALS = 6  # decimals of a time in us that is a whole number of picoseconds
_SLOPE_DECIMALS = 10  # D-Wave rounds slopes to so many decimals before it compares them
_SHORTEST_GAIN_RAMP = 0.02  # us for the whole h_gain_schedule_range; D-Wave calls this typical


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
    _check_slopes(name, points, steepest_gain(properties))

    return points


def steepest_gain(properties: Mapping[str, Any]) -> float:
    """Returns the steepest slope of the gain that a chip accepts, in 1 / us."""
    low, high = solver_property(properties, "h_gain_schedule_range")
    return float(high - low) / _SHORTEST_GAIN_RAMP


def slope_of(change: float, duration: float) -> float:
    """Returns the slope of a ramp as D-Wave compares it, in 1 / us."""
    return round(abs(change) / duration, _SLOPE_DECIMALS)


def solver_property(properties: Mapping[str, Any], name: str) -> Any:
    """Returns a property of a chip.

    Raises:
        ValueError: for a chip without it; the message names the chip.
    """
    if properties.get(name) is None:
        raise ValueError(
            f"solver {solver_name(properties)} must have the property {name}, got none"
        )
    return properties[name]


def solver_name(properties: Mapping[str, Any]) -> str:
    """Returns the name of a chip for error messages."""
    return str(properties.get("chip_id", "without a chip_id"))


def check_annealing_time(
    annealing_time: float, properties: Mapping[str, Any], *, fast: bool = False
) -> float:
    """Returns `annealing_time`, in us, which a chip must accept.

    It must be in the chip's annealing_time_range and a multiple of 0.01 us. For the fast-anneal
    protocol (`fast`) it must be in fast_anneal_time_range and a multiple of 1e-6 us, the finest
    resolution that D-Wave states.
    """
    name = "fast_anneal_time_range" if fast else "annealing_time_range"
    low, high = solver_property(properties, name)
    time = real_number("annealing_time", annealing_time)
    if not low <= time <= high:
        raise ValueError(
            f"annealing_time must be in the chip's {name} of [{low:g}, {high:g}] us, got {time:g}"
        )
    decimals = _FAST_DECIMALS if fast else _TIME_DECIMALS
    if round(time, decimals) != time:
        raise ValueError(f"annealing_time must be a multiple of {10**-decimals:g} us, got {time!r}")
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
        slope = slope_of(after - before, end - start)
        if slope > steepest:
            raise ValueError(
                f"slopes of {name} must be at most {steepest:g} per us, "
                f"got {slope:g} up to {end:g} us"
            )


def _is_on_grid(time: float) -> bool:
    """Returns whether a time in us is a whole number of ticks."""
    return round(time, _TIME_DECIMALS) == time
