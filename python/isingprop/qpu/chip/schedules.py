"""Anneal schedules s(t) and h-gain schedules g(t): those of reverse and cyclic annealing, and D-Wave's rules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from isingprop.util.checks import real_number

Schedule: TypeAlias = list[list[float]]
"""[[time in us, value], ...], linear in between."""

_TICKS = 100  # the chips round times to 0.01 us
ANNEALING_TIMES = (0.5, 2000.0)  # us, the annealing_time_range of every chip on offer
_STEEPEST = 50  # ticks of a ramp of s from 0 to 1: the shortest annealing time
# A ramp of s takes 1 us times its height, half as steep as is allowed: the control lines smear faster ones.
_GENTLE = 100
# Ramps of h pass a low-pass filter of 3 MHz on Advantage, with a rise time of 0.12 us.
_GAIN_RAMP = 50
# D-Wave's documentation; mocks leave some of it out.
_USUAL: dict[str, Any] = {
    "max_anneal_schedule_points": 12,
    "max_h_gain_schedule_points": 20,
    "h_gain_schedule_range": (-4.0, 4.0),
    "problem_run_duration_range": (0.0, 1_000_000.0),
}
_STEEPEST_GAIN = 0.02  # us for the whole of h_gain_schedule_range; D-Wave's "typical" bound


def reverse_schedule(annealing_time: float, s_target: float) -> Schedule:
    """From s = 1 down to s_target, a pause there, and back up.

        [[0, 1], [r, s_target], [T - r, s_target], [T, 1]],   r = (1 - s_target) us, at most T / 4

    r grows where that is steeper than 2 per us, the most that the chips allow; without time to pause the two points in
    the middle are one.

    Args:
        annealing_time: T, 0.5 to 2000 us, in steps of 0.01.
        s_target: anneal fraction of the pause, at least 0 and below 1.

    Raises:
        ValueError: for a value out of range, or a T that is too short for two ramps.

    Example:
        >>> reverse_schedule(300.0, 0.45)
        [[0.0, 1.0], [0.55, 0.45], [299.45, 0.45], [300.0, 1.0]]
    """
    end, s_target = _annealing_ticks(annealing_time), check_anneal_fraction(s_target)
    steep = _steepest_ramp(s_target)
    _check_long_enough(end, 2 * steep, s_target)
    ramp = max(steep, min(_gentle_ramp(s_target), end // 4))
    middle = sorted({ramp, end - ramp})
    return [[0.0, 1.0], *([tick / _TICKS, s_target] for tick in middle), [end / _TICKS, 1.0]]


def cyclic_schedules(annealing_time: float, s_target: float) -> tuple[Schedule, Schedule]:
    """The bias toward the reference comes on at s = 1; then s falls to s_target, and rises while the bias decays.

        anneal [[0, 1], [0.5, 1], [0.5 + r, s_target], [T, 1]],   h gain [[0, 0], [0.5, 1], [0.5 + r, 1], [T, 0]]

    r = (1 - s_target) us, or as much less as leaves the gain 0.5 us to decay: a filter smears faster ramps of h.

    Args:
        annealing_time: T, up to 2000 us, in steps of 0.01.
        s_target: lowest anneal fraction, at least 0 and below 1.

    Returns:
        (anneal_schedule, h_gain_schedule).

    Raises:
        ValueError: for a value out of range, or a T that is too short for all ramps.

    Example:
        >>> cyclic_schedules(20.0, 0.5)
        ([[0.0, 1.0], [0.5, 1.0], [1.0, 0.5], [20.0, 1.0]], [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0], [20.0, 0.0]])

    References:
        Wang, Yeh & Kamenev 2022, doi:10.1038/s41467-022-33179-y.
    """
    end, s_target = _annealing_ticks(annealing_time), check_anneal_fraction(s_target)
    steep = _steepest_ramp(s_target)
    _check_long_enough(end, 2 * _GAIN_RAMP + steep, s_target)
    ramp = max(steep, min(_gentle_ramp(s_target), end - 2 * _GAIN_RAMP))
    times = [tick / _TICKS for tick in (0, _GAIN_RAMP, _GAIN_RAMP + ramp, end)]
    anneal = [[time, s] for time, s in zip(times, (1.0, 1.0, s_target, 1.0), strict=True)]
    gain = [[time, g] for time, g in zip(times, (0.0, 1.0, 1.0, 0.0), strict=True)]
    return anneal, gain


def check_anneal_schedule(schedule: object, properties: Mapping[str, Any]) -> Schedule:
    """Returns `schedule` as plain floats, once it is found to be one that the chip runs as it is written.

    The rules are those of DWaveSampler.validate_anneal_schedule; besides, all numbers must be finite, times start at 0
    on a grid of 0.01 us, and s is in [0, 1].

    Args:
        schedule: [[t in us, s], ...].
        properties: of the chip.

    Raises:
        TypeError: for what is no list of pairs of numbers.
        ValueError: for a schedule that breaks a rule, or a chip without the properties to check it by.
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
    """Returns `schedule` as plain floats, once it is found to be one that the chip accepts.

    Args:
        schedule: [[t in us, g], ...].
        anneal_end: us, the end of the anneal schedule or the annealing time; the gain must end there.
        properties: of the chip.

    Raises:
        TypeError: for what is no list of pairs of numbers.
        ValueError: for a schedule that breaks a rule, or a chip without the properties to check it by.
    """
    name = "h_gain_schedule"
    least, most = solver_property(properties, "h_gain_schedule_range")
    points = _points(name, schedule, solver_property(properties, "max_h_gain_schedule_points"))
    if points[-1][0] != anneal_end:
        raise ValueError(
            f"{name} must end where the anneal does, at {anneal_end:g} us, got {points[-1][0]:g}"
        )
    _check_values(name, "g", points, least, most)
    _check_slopes(name, points, (most - least) / _STEEPEST_GAIN)
    return points


def solver_property(properties: Mapping[str, Any], name: str) -> Any:
    """Returns what a chip says of itself, or where a stand-in does not, what is usual if there is such a thing.

    Raises:
        ValueError: where neither is known, naming the chip.
    """
    if properties.get(name) is None:
        if name in _USUAL:
            return _USUAL[name]
        raise ValueError(
            f"solver {solver_name(properties)} must have the property {name}, got none"
        )
    return properties[name]


def solver_name(properties: Mapping[str, Any]) -> str:
    """The name of a chip, for messages."""
    return str(properties.get("chip_id", "without a chip_id"))


def check_annealing_time(annealing_time: float, allowed: tuple[float, float]) -> float:
    """Returns `annealing_time`, in us, once it is in [least, most] and a time that a chip does not round."""
    time = real_number("annealing_time", annealing_time)
    if not allowed[0] <= time <= allowed[1]:
        raise ValueError(
            f"annealing_time must be in [{allowed[0]:g}, {allowed[1]:g}] us, got {time:g}"
        )
    if not _is_on_grid(time):
        raise ValueError(f"annealing_time must be a multiple of 0.01 us, got {time!r}")
    return time


def check_anneal_fraction(s_target: float) -> float:
    """Returns `s_target` once it is in [0, 1)."""
    fraction = real_number("s_target", s_target)
    if not 0 <= fraction < 1:
        raise ValueError(f"s_target must be at least 0 and below 1, got {fraction:g}")
    return fraction


def _points(name: str, schedule: object, most: int) -> Schedule:
    """The points as floats: 2 to `most`, at times that are on the grid, start at 0 and increase."""
    if not isinstance(schedule, list | tuple):
        raise TypeError(f"{name} must be a list of [time, value] pairs, got {schedule!r}")
    if not 2 <= len(schedule) <= most:
        raise ValueError(f"{name} must have 2 to {most} points, got {len(schedule)}")
    for k, pair in enumerate(schedule):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise TypeError(
                f"{name} must be a list of [time, value] pairs, got {pair!r} at index {k}"
            )
    points = [
        [real_number(f"{name}[{k}][{j}]", pair[j]) for j in (0, 1)]
        for k, pair in enumerate(schedule)
    ]
    times = [time for time, _ in points]
    if times[0] != 0:
        raise ValueError(f"{name} must start at 0 us, got {times[0]:g}")
    for before, time in itertools.pairwise(times):
        if not _is_on_grid(time):
            raise ValueError(f"times of {name} must be multiples of 0.01 us, got {time!r}")
        if time <= before:
            raise ValueError(f"times of {name} must increase, got {before:g} us and then {time:g}")
    return points


def _check_values(name: str, symbol: str, points: Schedule, least: float, most: float) -> None:
    for time, value in points:
        if not least <= value <= most:
            raise ValueError(
                f"{symbol} of {name} must be in [{least:g}, {most:g}], got {value:g} at {time:g} us"
            )


def _check_slopes(name: str, points: Schedule, steepest: float) -> None:
    for (start, before), (end, after) in itertools.pairwise(points):
        slope = round(abs(after - before) / (end - start), 10)  # as D-Wave rounds it
        if slope > steepest:
            raise ValueError(
                f"slopes of {name} must be at most {steepest:g} per us, got {slope:g} up to {end:g} us"
            )


def _annealing_ticks(annealing_time: float) -> int:
    return round(check_annealing_time(annealing_time, ANNEALING_TIMES) * _TICKS)


def _gentle_ramp(s_target: float) -> int:
    return math.ceil(round(_GENTLE * (1 - s_target), 6))  # 1 - 0.45 is a little more than 0.55


def _steepest_ramp(s_target: float) -> int:
    """Ticks from 1 to s_target at 2 per us."""
    return math.ceil(round(_STEEPEST * (1 - s_target), 6))


def _check_long_enough(end: int, least: int, s_target: float) -> None:
    if end < least:
        raise ValueError(
            f"annealing_time must be at least {least / _TICKS:g} us for s_target {s_target:g}, got {end / _TICKS:g}"
        )


def _is_on_grid(time: float) -> bool:
    return round(time, 2) == time
