"""Reads that start from the last one, and reads that are shared out over spin reversals."""

import numpy as np
import pytest
from dwave.cloud.solver import StructuredSolver

import isingprop as ip
from helpers import tolerances
from helpers.dwave.chip_commands import Stopping
from helpers.dwave.dwave_cases import CountedQPU, calls_of, starts_for
from isingprop.qpu.calls.call_files import load_call
from isingprop.qpu.chip.chip_file import ChipDescription
from isingprop.qpu.estimate import access_time

ASKED = {"num_reads": 10, "seed": 1}


def recorded(qpu):
    return [load_call(path)[0] for path in sorted(qpu.record.glob("*.safetensors"))]


# Reads that start from the last one


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["reverse", "cyclic"])
def test_reads_that_start_from_the_last_one_are_requested_priced_and_recorded(make, problem, mode):
    qpu = make(mode, reinitialize_state=False, num_copies=1)
    asked = {**ASKED, "initial": starts_for(problem[:2])}
    states = qpu.sample(problem[:2], **asked)
    assert [each["reinitialize_state"] for each in qpu.device.asked] == [False, False]
    assert qpu.settings()["reinitialize_state"] is False
    price = qpu.estimate(
        num_images=2, epochs=1, num_states=10, num_hidden=4, num_output=3, references=1
    )
    assert price.calls == 2
    assert price.seconds == pytest.approx(qpu.qpu_seconds, rel=1e-6)
    for call in states.info["calls"]:
        paid = call["timing"]["qpu_access_time"] / 1e6
        assert call["estimated_seconds"] == pytest.approx(paid, rel=1e-6)

    replayed = ip.Replay(qpu.record).sample(problem[:2], **asked)
    assert tolerances.same_bits(replayed.spins, states.spins)
    other = make(mode, num_copies=1, folder="other")
    other.sample(problem[:2], **asked)
    assert other.qpu_seconds != pytest.approx(qpu.qpu_seconds, rel=1e-4)


@pytest.mark.parametrize("topology", ["pegasus", "zephyr"])
@pytest.mark.parametrize("reinitialize_state", [True, False])
def test_the_price_has_the_solvers_own_deltas(topology, reinitialize_state):
    properties = ChipDescription.of(topology, 2).properties
    timing, schedule = properties["problem_timing_data"], [[0, 1], [1, 0.5], [40, 1]]
    kind = f"reverse_annealing_with{'' if reinitialize_state else 'out'}_reinit"
    extra = timing[f"{kind}_prog_time_delta"] + 7 * timing[f"{kind}_delay_time_delta"]
    plain = access_time(properties, 30, 7, annealing_time=40.0)
    price = access_time(
        properties, 30, 7, anneal_schedule=schedule, reinitialize_state=reinitialize_state
    )
    assert price - plain == pytest.approx(extra / 1e6, abs=1e-12)
    theirs = StructuredSolver.estimate_qpu_access_time(
        type("Solver", (), {"properties": properties}),
        30,
        7,
        anneal_schedule=schedule,
        initial_state=[1],
        reinitialize_state=reinitialize_state,
    )
    assert price == theirs / 1e6


def test_reads_that_start_from_the_last_one_stay_where_it_was_turned_over(make):
    """A magnet that a read turns over with p = 0.065, as often from either state.

    Of reads from the start state, p are turned over; else in the long run half of them are, and p
    are not in the state of the read before (400 reads; the standard deviation of p is 0.012).
    """
    magnet = ip.IsingProblem(-np.ones((4, 3)), np.zeros((1, 4)), np.zeros((1, 3)))
    up = np.ones((1, 1, 7), np.int8)
    settings = {"annealing_time": 2.0, "s_target": 0.6, "scale": 1.0, "chain_strength": 2.0}
    settings |= {"descend": False, "num_copies": 1}
    for again in (True, False):
        qpu = make(
            "reverse",
            solver=CountedQPU(beta=1.0),
            reinitialize_state=again,
            folder=f"{again}",
            **settings,
        )
        spins = qpu.sample(magnet, num_reads=400, seed=1, initial=up).spins[0]
        is_down = spins.sum(axis=1) < 0
        changed = is_down[1:] != is_down[:-1]
        assert (0.03 if again else 0.25) < is_down.mean() < (0.1 if again else 0.75)
        assert again or 0.03 < changed.mean() < 0.1


# Spin reversals over which the reads are shared out


@pytest.mark.parametrize(
    ("num_reads", "reversals", "calls"),
    [(10, 2, [5, 5]), (10, 3, [4, 4, 2]), (10, 4, [3, 3, 3, 1]), (3, 8, [1, 1, 1])],
)
def test_the_reads_of_a_problem_are_shared_out_over_reversals(
    make, problem, num_reads, reversals, calls
):
    qpu = make(spin_reversal=reversals, num_copies=1)
    asked = {"num_reads": num_reads, "seed": 1}
    states = qpu.sample(problem[:1], **asked)
    assert [each["num_reads"] for each in qpu.device.asked] == calls
    assert len({call.flips.tobytes() for call in recorded(qpu)}) == len(calls)
    assert len({call["label"] for call in states.info["calls"]}) == len(calls)
    price = qpu.estimate(num_images=1, epochs=1, num_states=num_reads, num_hidden=4, num_output=3)
    assert price.calls == len(calls)
    assert price.seconds == pytest.approx(qpu.qpu_seconds, rel=1e-6)

    replayed = ip.Replay(qpu.record).sample(problem[:1], **asked)
    assert tolerances.same_bits(replayed.spins, states.spins)
    qpu.sample(problem[:1], **asked)
    assert calls_of(qpu) == len(calls)


@pytest.mark.slow
def test_problems_that_share_calls_share_their_reversals(make, problem):
    """Five copies of seven problems: each copy has a reversal of its own."""
    qpu = make(spin_reversal=2, solver=CountedQPU("zephyr", 2), num_copies=5)
    copies = len(qpu.copies(4, 3))
    qpu.sample(problem, **ASKED)
    calls = recorded(qpu)
    assert len(calls) == 2 * -(-len(problem) // copies)
    assert {call.parameters["num_reads"] for call in calls} == {5}
    assert len({flips.tobytes() for call in calls for flips in call.flips}) == 2 * len(problem)


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_request_that_stops_between_its_reversals_goes_on_with_the_others(
    make, problem, monkeypatch, at
):
    whole = make(spin_reversal=4, num_copies=1, folder="whole").sample(problem[:1], **ASKED)
    first = make(spin_reversal=4, num_copies=1)
    with monkeypatch.context() as patched:
        Stopping(patched, at)
        with pytest.raises(KeyboardInterrupt):
            first.sample(problem[:1], **ASKED)
    first.close()
    second = make(spin_reversal=4, num_copies=1)
    states = second.sample(problem[:1], **ASKED)
    assert calls_of(second) == 4 - (at - 1)
    assert tolerances.same_bits(states.spins, whole.spins)


def test_one_reversal_is_the_setting_of_before(make, problem):
    named = {value: make(spin_reversal=value, folder=f"{value}") for value in (True, 1, 2)}
    assert named[1].settings() == named[True].settings() != named[2].settings()
    states = {value: qpu.sample(problem, **ASKED).spins for value, qpu in named.items()}
    assert np.array_equal(states[True], states[1])
