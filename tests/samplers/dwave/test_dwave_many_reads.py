"""Requests for more reads than one call may make: they are split, and each read is paid once."""

from collections import Counter

import pytest

import isingprop as ip
from helpers import tolerances
from helpers.dwave.chip_commands import Stopping
from helpers.dwave.dwave_cases import CountedQPU, calls_of, contents, starts_for
from isingprop.qpu.calls.call_files import load_call
from isingprop.qpu.settings import FROM_STARTS, MODES

READS, MOST = 53, 10  # of each problem, of a call


def chip(most=MOST, **options):
    device = CountedQPU(**options)
    device.properties["num_reads_range"] = [1, most]
    return device


def recorded(folder):
    """How often each read of each request is recorded; every call is answered."""
    reads = Counter()
    for path in folder.glob("*.safetensors"):
        call, timing = load_call(path)
        assert timing is not None
        for tile in call.tiles:
            reads.update((tile.request, tile.first_read + k) for k in range(tile.count))
    return reads


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("num_problems", "num_copies", "calls"), [(1, 2, 3), (7, 2, 24), (2, None, 3)]
)
def test_each_read_is_made_once_and_kept(make, problem, mode, num_problems, num_copies, calls):
    problem = problem[:num_problems]
    starts = None if mode not in FROM_STARTS else starts_for(problem)
    asked = {"num_reads": READS, "seed": 1, "initial": starts}
    qpu = make(mode, solver=chip(), num_copies=num_copies)
    states = qpu.sample(problem, **asked)
    assert states.spins.shape == (num_problems, READS, problem.num_spins)
    assert calls_of(qpu) == len(states.info["calls"]) == calls
    assert max(each["num_reads"] for each in qpu.device.asked) == MOST
    reads = recorded(qpu.record)
    assert set(reads.values()) == {1}
    assert len(reads) == num_problems * READS
    seconds = sum(call["timing"]["qpu_access_time"] for call in states.info["calls"]) / 1e6
    assert qpu.qpu_seconds == pytest.approx(seconds) == pytest.approx(states.info["qpu_seconds"])
    again = qpu.sample(problem, **asked)
    assert calls_of(qpu) == calls
    assert tolerances.same_bits(again.spins, states.spins)
    replayed = ip.Replay(qpu.record).sample(problem, **asked)
    assert tolerances.same_bits(replayed.spins, states.spins)


def test_calls_for_other_reads_get_other_reads(make, problem):
    """Also of an emulated chip, which answers equal requests alike."""
    qpu = make(solver=chip(beta=0.2), num_copies=1, descend=False, scale=0.5)
    states = qpu.sample(problem[:1], num_reads=5 * MOST, seed=1)
    parts = states.spins.reshape(5, -1)
    assert len({part.tobytes() for part in parts}) == 5


def test_spin_reversals_change_from_call_to_call(make, problem):
    qpu = make(solver=chip(), num_copies=1, spin_reversal=True)
    qpu.sample(problem[:1], num_reads=5 * MOST, seed=1)
    calls = [load_call(path)[0] for path in qpu.record.glob("*.safetensors")]
    assert len({call.flips.tobytes() for call in calls}) > 1


@pytest.mark.slow
def test_fifty_thousand_reads_on_four_copies(make, problem):
    qpu = make(solver=CountedQPU(sweeps_per_us=0.01), num_copies=4)
    states = qpu.sample(problem[:1], num_reads=50_000, seed=1)
    assert states.num_reads == 50_000
    asked = [each["num_reads"] for each in qpu.device.asked]
    assert max(asked) <= 10_000
    assert set(recorded(qpu.record).values()) == {1}
    assert 4 * sum(asked) == 50_000


@pytest.mark.slow
def test_five_thousand_reads_of_a_millisecond(make, problem):
    qpu = make(solver=CountedQPU(sweeps_per_us=0.001), num_copies=1, annealing_time=1000.0)
    states = qpu.sample(problem[:1], num_reads=5000, seed=1)
    calls = states.info["calls"]
    assert len(calls) == 6
    assert all(call["timing"]["qpu_access_time"] <= 1e6 for call in calls)
    assert sum(call["parameters"]["num_reads"] for call in calls) == 5000
    price = qpu.estimate(
        num_images=1, epochs=1, num_states=5000, num_hidden=4, num_output=3, num_test_reads=5000
    )
    assert price.calls == price.calls_per_epoch_one_copy == 6
    assert price.seconds == pytest.approx(qpu.qpu_seconds, rel=1e-5)


def test_reads_beyond_those_asked_for_are_split_too(make, problem):
    qpu = make(solver=chip(), num_copies=1, num_reads=35)
    states = qpu.sample(problem[:2], num_reads=4, seed=1)
    assert states.spins.shape == (2, 4, problem.num_spins)
    assert [each["num_reads"] for each in qpu.device.asked] == 2 * [10, 10, 10, 5]
    lowest = make(solver=chip(), num_copies=1, folder="all").sample(problem[:2], 35, seed=1)
    assert (states.energies.min(axis=1) <= lowest.energies.min(axis=1) + 1e-6).all()


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 13))
def test_a_request_that_stops_between_its_calls_goes_on(make, problem, monkeypatch, at, after):
    """Four problems on two copies: 6 calls for each two. An answer that was not written is asked
    for again, as an emulated chip keeps none.
    """
    problem = problem[:4]
    asked = {"num_reads": READS, "seed": 1}
    whole = make(solver=chip(), num_copies=2, folder="whole").sample(problem, **asked)
    assert len(whole.info["calls"]) == 12
    first = make(solver=chip(), num_copies=2)
    with monkeypatch.context() as patched:
        Stopping(patched, at, after=after)
        with pytest.raises(KeyboardInterrupt):
            first.sample(problem, **asked)
    first.close()
    before = {
        path: content
        for path, content in contents(first.record).items()
        if path.suffix == ".safetensors" and load_call(path)[1] is not None
    }
    assert len(before) == at - 1
    with pytest.raises(
        ValueError, match=r"must hold an answer to problem \d, got (a part of one|none)$"
    ):
        ip.Replay(first.record).sample(problem, **asked)

    second = make(solver=chip(), num_copies=2)
    states = second.sample(problem, **asked)
    assert calls_of(second) == 12 - (at - 1)
    assert before.items() <= contents(second.record).items()
    assert set(recorded(second.record).values()) == {1}
    assert tolerances.same_bits(states.spins, whole.spins)
    assert second.qpu_seconds == pytest.approx(whole.info["qpu_seconds"])


def test_a_part_of_a_request_is_not_played_back(make, problem, monkeypatch):
    qpu = make(solver=chip(), num_copies=1)
    with monkeypatch.context() as patched:
        Stopping(patched, 3)
        with pytest.raises(KeyboardInterrupt):
            qpu.sample(problem[:1], num_reads=READS, seed=1)
    replay = ip.Replay(qpu.record)
    assert not replay.has(problem[:1], READS, 1)
    with pytest.raises(ValueError, match=r"must hold an answer to problem 0, got a part of one$"):
        replay.sample(problem[:1], num_reads=READS, seed=1)


@pytest.mark.slow
def test_a_budget_holds_for_each_call_of_a_request(make, problem):
    asked = {"num_reads": READS, "seed": 1}
    whole = make(solver=chip(), num_copies=1, folder="free").sample(problem[:1], **asked)
    costs = [call["estimated_seconds"] for call in whole.info["calls"]]
    assert len(costs) == 6
    for affordable in range(1, 6):
        budget = sum(costs[: affordable + 1]) - 1e-4
        poor = make(solver=chip(), num_copies=1, budget=budget, folder=f"{affordable}")
        for calls in (affordable, affordable):  # the second time nothing is asked for
            with pytest.raises(ip.QPUBudgetError):
                poor.sample(problem[:1], **asked)
            assert calls_of(poor) == calls
        assert poor.qpu_seconds <= budget
        poor.close()
        rich = make(solver=chip(), num_copies=1, budget=sum(costs) + 1e-4, folder=f"{affordable}")
        states = rich.sample(problem[:1], **asked)
        assert calls_of(rich) == 6 - affordable
        assert tolerances.same_bits(states.spins, whole.spins)


def test_a_chip_that_is_replaced_within_a_request_makes_the_other_reads(make, problem, monkeypatch):
    """It holds another number of copies, and its calls may make more reads."""
    qpu = make(solver=chip(), num_copies=1)
    with monkeypatch.context() as patched:
        Stopping(patched, 3)
        with pytest.raises(KeyboardInterrupt):
            qpu.sample(problem[:2], num_reads=READS, seed=1)
    qpu.close()
    other = make(solver=chip(most=30), num_copies=3)
    states = other.sample(problem[:2], num_reads=READS, seed=1)
    assert set(recorded(other.record).values()) == {1}
    assert len(recorded(other.record)) == 2 * READS
    replayed = ip.Replay(other.record).sample(problem[:2], num_reads=READS, seed=1)
    assert tolerances.same_bits(replayed.spins, states.spins)
