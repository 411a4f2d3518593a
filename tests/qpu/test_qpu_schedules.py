"""Tests of schedules: those that are made, and D-Wave's rules, held against its own checker."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from dwave.system import DWaveSampler

from isingprop.qpu.chip.schedules import (
    check_anneal_schedule,
    check_annealing_time,
    check_h_gain_schedule,
    cyclic_schedules,
    reverse_schedule,
)

CHIP = {
    "chip_id": "chip",
    "annealing_time_range": [0.5, 2000.0],
    "max_anneal_schedule_points": 12,
    "h_gain_schedule_range": [-3.0, 3.0],
    "max_h_gain_schedule_points": 20,
}

DWAVE = SimpleNamespace(properties=CHIP, parameters={"anneal_schedule": None})

TARGETS = [0.0, 0.01, 0.333, 0.35, 0.45, 0.5, 0.9, 0.999]


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


def shortest(make, s_target):
    """The shortest annealing time, in us, that `make` takes."""
    for tick in range(50, 1000):
        try:
            make(tick / 100, s_target)
        except ValueError:
            continue
        return tick / 100
    raise AssertionError("none below 10 us")


def times_from(first):
    """Each hundredth of a microsecond for a while, and some long times."""
    start = round(first * 100)
    return [tick / 100 for tick in range(start, start + 300)] + [20.0, 99.99, 300.0, 2000.0]


@pytest.mark.parametrize("s_target", TARGETS)
def test_reverse_schedules_go_down_pause_and_come_up(s_target):
    for time in times_from(shortest(reverse_schedule, s_target)):
        schedule = reverse_schedule(time, s_target)
        assert check_anneal_schedule(schedule, CHIP) == schedule
        DWaveSampler.validate_anneal_schedule(DWAVE, schedule)
        assert (schedule[0], schedule[-1]) == ([0, 1], [time, 1])
        assert {s for _, s in schedule[1:-1]} == {s_target}
        assert 3 <= len(schedule) <= 4
        down, up = schedule[1][0], time - schedule[-2][0]
        assert up == pytest.approx(down, abs=1e-9), (
            "equal but for the rounding of time - (time - down)"
        )


@pytest.mark.parametrize("s_target", TARGETS)
def test_cyclic_schedules_hold_the_bias_until_s_is_down_and_let_it_decay(s_target):
    for time in times_from(shortest(cyclic_schedules, s_target)):
        anneal, gain = cyclic_schedules(time, s_target)
        assert check_anneal_schedule(anneal, CHIP) == anneal
        DWaveSampler.validate_anneal_schedule(DWAVE, anneal)
        assert check_h_gain_schedule(gain, time, CHIP) == gain
        assert [t for t, _ in anneal] == [t for t, _ in gain]
        assert [s for _, s in anneal] == [1, 1, s_target, 1]
        assert [g for _, g in gain] == [0, 1, 1, 0]
        rise, decay = gain[1][0], gain[3][0] - gain[2][0]
        assert rise == 0.5
        assert decay >= 0.5 - 1e-9


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
    assert reverse_schedule(time, s_target) == schedule


@pytest.mark.parametrize(
    ("time", "s_target", "middle"),
    [(20, 0.45, 1.05), (1.5, 0.45, 1.0), (1.28, 0.45, 0.78), (1.25, 0.5, 0.75)],
)
def test_cyclic_schedules_worked_out_by_hand(time, s_target, middle):
    anneal = [[0, 1], [0.5, 1], [middle, s_target], [time, 1]]
    assert cyclic_schedules(time, s_target) == (anneal, [[0, 0], [0.5, 1], [middle, 1], [time, 0]])


def test_times_too_short_for_the_ramps_are_refused():
    with pytest.raises(
        ValueError, match=r"^annealing_time must be at least 0.56 us for s_target 0.45, got 0.55$"
    ):
        reverse_schedule(0.55, 0.45)
    with pytest.raises(
        ValueError, match=r"^annealing_time must be at least 1.28 us for s_target 0.45, got 1.27$"
    ):
        cyclic_schedules(1.27, 0.45)


@pytest.mark.parametrize("make", [reverse_schedule, cyclic_schedules])
@pytest.mark.parametrize(
    ("time", "s_target", "error", "message"),
    [
        (0.49, 0.9, ValueError, r"annealing_time must be in \[0.5, 2000\] us, got 0.49"),
        (2000.01, 0.5, ValueError, r"annealing_time must be in \[0.5, 2000\] us, got 2000.01"),
        (20.005, 0.5, ValueError, "annealing_time must be a multiple of 0.01 us, got 20.005"),
        (float("nan"), 0.5, ValueError, "annealing_time must be finite, got nan"),
        ("20", 0.5, TypeError, "annealing_time must be a number, got '20'"),
        (20, 1.0, ValueError, "s_target must be at least 0 and below 1, got 1"),
        (20, -0.1, ValueError, "s_target must be at least 0 and below 1, got -0.1"),
        (20, None, TypeError, "s_target must be a number, got None"),
    ],
)
def test_schedules_are_not_made_of_wrong_numbers(make, time, s_target, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        make(time, s_target)


def test_an_annealing_time_may_be_at_either_bound():
    assert [check_annealing_time(time, (0.5, 2000)) for time in (0.5, 2000)] == [0.5, 2000.0]


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


def test_a_chip_that_does_not_say_its_annealing_times_is_named():
    properties = {key: value for key, value in CHIP.items() if key != "annealing_time_range"}
    with pytest.raises(
        ValueError, match=r"^solver chip must have the property annealing_time_range, got none$"
    ):
        check_anneal_schedule([[0, 0], [1, 1]], properties)


def test_a_stand_in_that_does_not_say_the_usual_limits_is_held_to_them():
    said = {"annealing_time_range": [0.5, 2000]}
    with pytest.raises(ValueError, match=r"^anneal_schedule must have 2 to 12 points, got 13$"):
        check_anneal_schedule([[float(k), k / 12] for k in range(13)], said)
    with pytest.raises(
        ValueError, match=r"^g of h_gain_schedule must be in \[-4, 4\], got 4.5 at 1 us$"
    ):
        check_h_gain_schedule([[0, 0], [1, 4.5]], 1.0, said)
