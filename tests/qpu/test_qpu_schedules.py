"""Tests of the rules for schedules, held against D-Wave's own checker."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from dwave.system import DWaveSampler

from isingprop.qpu.chip.schedules import (
    check_anneal_schedule,
    check_annealing_time,
    check_h_gain_schedule,
)

CHIP = {
    "chip_id": "chip",
    "annealing_time_range": [0.5, 2000.0],
    "max_anneal_schedule_points": 12,
    "h_gain_schedule_range": [-3.0, 3.0],
    "max_h_gain_schedule_points": 20,
}

DWAVE = SimpleNamespace(properties=CHIP, parameters={"anneal_schedule": None})


def dwave_accepts(schedule):
    try:
        DWaveSampler.validate_anneal_schedule(DWAVE, schedule)
    except ValueError:
        return False
    return True


def accepts(schedule):
    try:
        check_anneal_schedule(schedule, CHIP)
    except ValueError:
        return False
    return True


def test_an_annealing_time_may_be_at_either_bound():
    assert [check_annealing_time(time, CHIP) for time in (0.5, 2000)] == [0.5, 2000.0]
    for time, must in (
        (0.4, r"in the chip's annealing_time_range of \[0.5, 2000\] us"),
        (2001.0, r"in the chip's annealing_time_range of \[0.5, 2000\] us"),
        (20.001, "a multiple of 0.01 us"),
    ):
        with pytest.raises(ValueError, match=f"^annealing_time must be {must}, got {time:g}$"):
            check_annealing_time(time, CHIP)


@pytest.mark.slow
def test_random_schedules_are_judged_as_by_dwave():
    """On times and fractions for which D-Wave's checker looks at all that ours does."""
    random = np.random.default_rng(5)
    judged = {True: 0, False: 0}
    for _ in range(3000):
        size = int(random.integers(1, 15))
        steps = random.choice(
            [0.0, 0.1, 0.3, 1.0, 500.0], size=size, p=[0.02, 0.23, 0.25, 0.48, 0.02]
        )
        times = np.round(np.cumsum(steps) - steps[0], 2)
        fractions = random.choice([0.0, 0.5, 1.0], size=size)
        if random.random() < 0.5:
            fractions.sort()
        fractions[0], fractions[-1] = (
            random.choice([0.0, 1.0, 0.5], p=[0.6, 0.3, 0.1]),
            random.choice([1.0, 0.5], p=[0.9, 0.1]),
        )
        schedule = np.stack([times, fractions], axis=1).tolist()
        assert accepts(schedule) == dwave_accepts(schedule), schedule
        judged[accepts(schedule)] += 1
    assert min(judged.values()) > 300


@pytest.mark.parametrize("s_first", [0.0, 1.0])
def test_slopes_are_judged_as_by_dwave_on_each_tick(s_first):
    for tick, s in itertools.product(range(1, 60), (0.1, 0.3, 0.7)):
        schedule = [[0.0, s_first], [tick / 100, s], [100.0, 1.0]]
        assert accepts(schedule) == dwave_accepts(schedule), schedule


@pytest.mark.parametrize(
    ("schedule", "error", "message"),
    [
        (None, TypeError, r"anneal_schedule must be a list of \[time, value\] pairs, got None"),
        (
            [[0, 0], 5],
            TypeError,
            r"anneal_schedule must be a list of \[time, value\] pairs, got 5 at index 1",
        ),
        ([[0, 0], [5, 1, 2]], TypeError, r"anneal_schedule .* got \[5, 1, 2\] at index 1"),
        ([[0, 0], [5, "1"]], TypeError, r"anneal_schedule\[1\]\[1\] must be a number, got '1'"),
        ([[0, 0]], ValueError, "anneal_schedule must have 2 to 12 points, got 1"),
        (
            [[t, t / 12] for t in range(13)],
            ValueError,
            "anneal_schedule must have 2 to 12 points, got 13",
        ),
        (
            [[0, float("nan")], [5, 1]],
            ValueError,
            r"anneal_schedule\[0\]\[1\] must be finite, got nan",
        ),
        (
            [[0, 0], [float("inf"), 1]],
            ValueError,
            r"anneal_schedule\[1\]\[0\] must be finite, got inf",
        ),
        ([[1, 0], [5, 1]], ValueError, "anneal_schedule must start at 0 us, got 1"),
        (
            [[0, 0], [5.005, 1]],
            ValueError,
            "times of anneal_schedule must be multiples of 0.01 us, got 5.005",
        ),
        (
            [[0, 0], [5, 0.5], [5, 1]],
            ValueError,
            "times of anneal_schedule must increase, got 5 us and then 5",
        ),
        (
            [[0, 0], [5, 0.5], [4, 1]],
            ValueError,
            "times of anneal_schedule must increase, got 5 us and then 4",
        ),
        (
            [[0, 0], [2001, 1]],
            ValueError,
            "anneal_schedule must end at 2000 us or before, got 2001",
        ),
        (
            [[0, 1], [5, -0.1], [9, 1]],
            ValueError,
            r"s of anneal_schedule must be in \[0, 1\], got -0.1 at 5 us",
        ),
        (
            [[0, 0], [5, 1.1], [9, 1]],
            ValueError,
            r"s of anneal_schedule must be in \[0, 1\], got 1.1 at 5 us",
        ),
        (
            [[0, 0.5], [5, 1]],
            ValueError,
            r"anneal_schedule must start at s = 0 \(forward\) or 1 \(reverse\), got 0.5",
        ),
        ([[0, 0], [5, 0.9]], ValueError, "anneal_schedule must end at s = 1, got 0.9"),
        (
            [[0, 0], [5, 0.5], [9, 0.4], [20, 1]],
            ValueError,
            "anneal_schedule from s = 0 must not fall, got 0.5 and then 0.4 at 9 us",
        ),
        (
            [[0, 1], [0.2, 0.5], [9, 1]],
            ValueError,
            "slopes of anneal_schedule must be at most 2 per us, got 2.5 up to 0.2 us",
        ),
    ],
)
def test_wrong_anneal_schedules_are_refused_by_name_and_value(schedule, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        check_anneal_schedule(schedule, CHIP)


def test_a_forward_schedule_may_pause_and_tuples_become_plain_lists():
    schedule = ((0, 0), (np.float32(10), 0.5), (20, 0.5), (30, 1))
    checked = check_anneal_schedule(schedule, CHIP)
    assert checked == [[0, 0], [10, 0.5], [20, 0.5], [30, 1]]
    assert {type(number) for point in checked for number in point} == {float}


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ([[0, 0]], "h_gain_schedule must have 2 to 20 points, got 1"),
        ([[t, 0] for t in range(21)], "h_gain_schedule must have 2 to 20 points, got 21"),
        ([[0.5, 0], [20, 0]], "h_gain_schedule must start at 0 us, got 0.5"),
        ([[0, 0], [19, 0]], "h_gain_schedule must end where the anneal does, at 20 us, got 19"),
        (
            [[0, 0], [5, 3.5], [20, 0]],
            r"g of h_gain_schedule must be in \[-3, 3\], got 3.5 at 5 us",
        ),
        (
            [[0, 0], [5, -3.5], [20, 0]],
            r"g of h_gain_schedule must be in \[-3, 3\], got -3.5 at 5 us",
        ),
        (
            [[0, -3], [0.01, 3], [20, 0]],
            "slopes of h_gain_schedule must be at most 300 per us, got 600 up to 0.01 us",
        ),
    ],
)
def test_wrong_gain_schedules_are_refused_by_name_and_value(schedule, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        check_h_gain_schedule(schedule, 20.0, CHIP)


def test_gain_schedules_may_reach_all_bounds():
    steep = [[0, -3], [0.02, 3], [20, 0]]
    assert check_h_gain_schedule(steep, 20, CHIP) == steep


@pytest.mark.parametrize("name", ["annealing_time_range", "max_anneal_schedule_points"])
def test_a_chip_that_does_not_say_what_anneals_it_takes_is_named(name):
    properties = {key: value for key, value in CHIP.items() if key != name}
    with pytest.raises(ValueError, match=f"^solver chip must have the property {name}, got none$"):
        check_anneal_schedule([[0, 0], [1, 1]], properties)


@pytest.mark.parametrize("name", ["h_gain_schedule_range", "max_h_gain_schedule_points"])
def test_a_chip_that_does_not_say_what_gains_it_takes_is_named(name):
    properties = {key: value for key, value in CHIP.items() if key != name}
    with pytest.raises(ValueError, match=f"^solver chip must have the property {name}, got none$"):
        check_h_gain_schedule([[0, 0], [1, 1]], 1.0, properties)
