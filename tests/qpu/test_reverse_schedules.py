"""Schedules of anneals from a start state: found whenever the chip accepts one, else refused."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from dwave.system import DWaveSampler

from isingprop.qpu.chip.chip_file import REAL_CHIPS, ChipDescription
from isingprop.qpu.chip.reverse_schedules import cyclic_schedules, reverse_schedule
from isingprop.qpu.chip.schedules import check_anneal_schedule, check_h_gain_schedule


def chip_with(times=(0.5, 2000.0), gains=(-3.0, 3.0), max_points=12, max_gain_points=20):
    return {
        "chip_id": "chip",
        "annealing_time_range": list(times),
        "max_anneal_schedule_points": max_points,
        "h_gain_schedule_range": list(gains),
        "max_h_gain_schedule_points": max_gain_points,
    }


CHIP = chip_with()

CHIPS = {
    **{name: ChipDescription.of(topology, 2).properties for topology, name in REAL_CHIPS.items()},
    "slow": chip_with((1.0, 2000.0), (-1.1, 1.1)),
    "slower": chip_with((2.0, 2000.0), (-4.0, 4.0)),
    "odd": chip_with((0.37, 40.0), (0.0, 1.0)),
    "fast": chip_with((0.02, 2000.0), (-1.0, 1.0)),
    "few points": chip_with((0.5, 2000.0), max_points=4, max_gain_points=4),
}

REFUSAL = re.compile(
    r"annealing_time must be at least (\S+) us for s_target \S+ on a chip with an "
    r"annealing_time_range of \[.*, got [^\n]*$"
)

TARGETS = (0.0, 0.333, 0.45, 0.5, 0.9, 0.999)


def times_over(properties, count=200):
    """Annealing times over the whole range of a chip, more of them where they are short."""
    low, high = properties["annealing_time_range"]
    times = [np.geomspace(low, high, count), low + 0.01 * np.arange(count)]
    return np.unique(np.round(np.concatenate(times), 2).clip(low, high)).tolist()


def slopes(before, after, starts, ends):
    """The slopes of ramps between ticks, as D-Wave computes and rounds them."""
    return np.round(np.abs(after - before) / (ends / 100 - starts / 100), 10)


def any_reverse(time, s_target, properties):
    """Whether there is a reverse schedule, by trying every tick for the point at s_target.

    Where a schedule with a pause is accepted, the one that reaches s_target at the end of the pause
    is, too.
    """
    end = round(100 * time)
    middle = np.arange(1, end)
    steepest = 1 / properties["annealing_time_range"][0]
    down, up = slopes(1, s_target, 0, middle), slopes(s_target, 1, middle, end)
    return bool(((down <= steepest) & (up <= steepest)).any())


def any_cyclic(time, s_target, properties):
    """Whether there are cyclic schedules, by trying every pair of ticks in the middle."""
    end = round(100 * time)
    low, high = properties["h_gain_schedule_range"]
    steepest, steepest_gain = 1 / properties["annealing_time_range"][0], (high - low) / 0.02
    on = np.arange(1, min(end - 1, 150))[:, None]  # beyond this a gain is as good as sooner
    down = np.arange(2, min(end, 1000))[None]
    later = down > on
    fall = slopes(1, s_target, on, np.where(later, down, on + 1)) <= steepest
    rise = (slopes(s_target, 1, down, end) <= steepest) & (slopes(1, 0, down, end) <= steepest_gain)
    return bool((later & (slopes(0, 1, 0, on) <= steepest_gain) & fall & rise).any())


def assert_legal(anneal, gain, time, s_target, properties):
    dwave = SimpleNamespace(properties=properties, parameters={"anneal_schedule": None})
    DWaveSampler.validate_anneal_schedule(dwave, anneal)
    assert check_anneal_schedule(anneal, properties) == anneal
    assert (anneal[0], anneal[-1]) == ([0, 1], [time, 1])
    assert min(s for _, s in anneal) == s_target
    if gain is not None:
        assert check_h_gain_schedule(gain, time, properties) == gain
        assert [t for t, _ in anneal] == [t for t, _ in gain]
        assert [s for _, s in anneal] == [1, 1, s_target, 1]
        assert [g for _, g in gain] == [0, 1, 1, 0]


def made_or_refused(mode, time, s_target, properties):
    """The anneal schedule and the gain schedule, or why there are none."""
    try:
        if mode == "reverse":
            return (reverse_schedule(time, s_target, properties), None), ""
        return cyclic_schedules(time, s_target, properties), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.slow
@pytest.mark.parametrize("s_target", TARGETS)
@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("mode", ["reverse", "cyclic"])
def test_a_legal_schedule_is_found_whenever_there_is_one(mode, chip, s_target):
    properties, refused = CHIPS[chip], []
    exists = any_reverse if mode == "reverse" else any_cyclic
    times = times_over(properties)
    assert len(times) > 200
    for time in times:
        made, reason = made_or_refused(mode, time, s_target, properties)
        if made is not None:
            assert_legal(*made, time, s_target, properties)
            continue
        least = float(REFUSAL.match(reason)[1])
        assert reason.endswith(f", got {time:g}")
        assert not exists(time, s_target, properties)
        assert not exists(round(least - 0.01, 2), s_target, properties)
        assert exists(least, s_target, properties)
        refused.append((time, least))
    assert len({least for _, least in refused}) <= 1
    assert all(time < least for time, least in refused)
    if s_target == 0:
        assert refused


@pytest.mark.parametrize(
    ("time", "s_target", "schedule"),
    [
        (300, 0.45, [[0, 1], [0.55, 0.45], [299.45, 0.45], [300, 1]]),
        (2000.0, 0.0, [[0, 1], [1, 0], [1999, 0], [2000, 1]]),
        (2.0, 0.45, [[0, 1], [0.5, 0.45], [1.5, 0.45], [2, 1]]),  # ramps of a quarter
        (0.6, 0.45, [[0, 1], [0.28, 0.45], [0.32, 0.45], [0.6, 1]]),  # as steep as allowed
        (
            0.5,
            0.58,
            [[0, 1], [0.21, 0.58], [0.29, 0.58], [0.5, 1]],
        ),  # 50 (1 - 0.58) is a little more than 21
        (0.5, 0.5, [[0, 1], [0.25, 0.5], [0.5, 1]]),  # no time to pause
        (20, 0.333, [[0, 1], [0.67, 0.333], [19.33, 0.333], [20, 1]]),  # rounded up to the grid
    ],
)
def test_reverse_schedules_worked_out_by_hand(time, s_target, schedule):
    assert reverse_schedule(time, s_target, CHIP) == schedule


def test_a_chip_whose_shortest_anneal_is_1_us_takes_reverse_anneals_from_1_1_us_on():
    chip = chip_with((1.0, 2000.0))
    assert reverse_schedule(1.1, 0.45, chip) == [[0, 1], [0.55, 0.45], [1.1, 1]]
    assert reverse_schedule(2.19, 0.45, chip)[1:3] == [[0.55, 0.45], [1.64, 0.45]]
    assert reverse_schedule(20, 0.45, chip)[1:3] == [[1.1, 0.45], [18.9, 0.45]]


@pytest.mark.parametrize(
    ("time", "s_target", "on", "down"),
    [
        (20, 0.45, 0.5, 1.05),
        (1.5, 0.45, 0.5, 1.0),
        (1.28, 0.45, 0.5, 0.78),
        (1.25, 0.5, 0.5, 0.75),
        (0.98, 0.45, 0.29, 0.57),  # 0.41 us beyond 0.57, shared out as 49 to 22
        (0.57, 0.45, 0.01, 0.29),  # all as steep as allowed
    ],
)
def test_cyclic_schedules_worked_out_by_hand(time, s_target, on, down):
    anneal = [[0, 1], [on, 1], [down, s_target], [time, 1]]
    gain = [[0, 0], [on, 1], [down, 1], [time, 0]]
    assert cyclic_schedules(time, s_target, CHIP) == (anneal, gain)


def test_a_chip_that_takes_three_points_gets_a_reverse_schedule_without_a_pause():
    chip = chip_with(max_points=3)
    assert reverse_schedule(20.01, 0.45, chip) == [[0, 1], [10, 0.45], [20.01, 1]]


REFUSED = {
    "annealing_time must be at least 0.56 us for s_target 0.45 on a chip with an "
    "annealing_time_range of [0.5, 2000], got 0.55": ("reverse", 0.55, 0.45, {}),
    "annealing_time must be at least 2.2 us for s_target 0.45 on a chip with an "
    "annealing_time_range of [2, 2000], got 2": ("reverse", 2, 0.45, {"times": (2.0, 2000.0)}),
    "annealing_time must be at least 0.57 us for s_target 0.45 on a chip with an "
    "annealing_time_range of [0.5, 2000] and an h_gain_schedule_range of [-3, 3], got 0.56": (
        "cyclic",
        0.56,
        0.45,
        {},
    ),
    "h_gain_schedule_range of solver chip must reach from 0 to 1 for cyclic annealing, got "
    "[-0.5, 0.5]": ("cyclic", 20, 0.45, {"gains": (-0.5, 0.5)}),
    "max_anneal_schedule_points of solver chip must be at least 4 for cyclic annealing, got 3": (
        "cyclic",
        20,
        0.45,
        {"max_points": 3},
    ),
    "max_h_gain_schedule_points of solver chip must be at least 4 for cyclic annealing, got 2": (
        "cyclic",
        20,
        0.45,
        {"max_gain_points": 2},
    ),
    "max_anneal_schedule_points of solver chip must be at least 3 for reverse annealing, got 2": (
        "reverse",
        20,
        0.45,
        {"max_points": 2},
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refusal_says_which_property_leaves_no_schedule(reason):
    mode, time, s_target, properties = REFUSED[reason]
    make = reverse_schedule if mode == "reverse" else cyclic_schedules
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        make(time, s_target, chip_with(**properties))


@pytest.mark.parametrize("make", [reverse_schedule, cyclic_schedules])
@pytest.mark.parametrize(
    ("time", "s_target", "error", "message"),
    [
        (0.49, 0.9, ValueError, "annealing_time must be in the chip's annealing_time_range of "),
        (2000.01, 0.5, ValueError, "annealing_time must be in the chip's annealing_time_range of "),
        (20.005, 0.5, ValueError, "annealing_time must be a multiple of 0.01 us, got 20.005"),
        (float("nan"), 0.5, ValueError, "annealing_time must be finite, got nan"),
        ("20", 0.5, TypeError, "annealing_time must be a number, got '20'"),
        (20, 1.0, ValueError, "s_target must be at least 0 and below 1, got 1"),
        (20, -0.1, ValueError, "s_target must be at least 0 and below 1, got -0.1"),
        (20, None, TypeError, "s_target must be a number, got None"),
    ],
)
def test_schedules_are_not_made_of_wrong_numbers(make, time, s_target, error, message):
    with pytest.raises(error, match=f"^{message}"):
        make(time, s_target, CHIP)
