"""The D-Wave sampler on emulated chips: reads, start states, descents and info."""

import json

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle, tolerances
from helpers.dwave.dwave_cases import COLD, CountedQPU, H, O, calls_of, starts_for
from isingprop.qpu.calls.record import Index
from isingprop.qpu.calls.tasks import tasks_of
from isingprop.qpu.settings import FROM_STARTS, MODES

# Reads, start states, and what `info` says


@pytest.mark.parametrize("descend", [False, True])
def test_of_more_reads_than_are_asked_for_the_lowest_are_kept(make, problem, descend):
    """By their energies after the descent, where there is one; all 30 are what is asked for of the
    other sampler.
    """
    settings = {"descend": descend, "scale": 0.5, "num_copies": 1}
    few = make(num_reads=30, solver=CountedQPU(beta=0.1), folder="few", **settings)
    states = few.sample(problem, num_reads=4, seed=1)
    every = make(solver=CountedQPU(beta=0.1), folder="all", **settings).sample(
        problem, num_reads=30, seed=1
    )
    assert states.energies.tolist() == np.sort(every.energies, axis=1)[:, :4].tolist()
    assert (states.energies.max(axis=1) < every.energies.max(axis=1)).all()
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))
    assert [asked["num_reads"] for asked in few.device.asked] == [30] * 7


def test_each_start_state_gets_the_reads_of_num_reads(make, problem):
    qpu = make("reverse", num_reads=6, num_copies=1)
    states = qpu.sample(problem[:2], num_reads=3, seed=1, initial=starts_for(problem[:2], 3))
    assert [asked["num_reads"] for asked in qpu.device.asked] == [6] * 6
    assert states.spins.shape == (2, 3, H + O)


@pytest.mark.parametrize("num_reads", [1, 2, 7])
def test_never_fewer_reads_than_are_asked_for(make, problem, num_reads):
    qpu = make(num_reads=2, num_copies=1)
    assert qpu.sample(problem[:2], num_reads=num_reads, seed=1).spins.shape == (2, num_reads, H + O)
    assert [asked["num_reads"] for asked in qpu.device.asked] == [max(num_reads, 2)] * 2


def test_states_end_in_a_descent_unless_they_are_not_to(make, problem):
    ends, raw = (
        make(folder=f"{descend}", descend=descend, solver=CountedQPU(beta=0.05), scale=0.5).sample(
            problem, 20, seed=1
        )
        for descend in (True, False)
    )
    aligned = [states.spins * oracle.local_fields(problem, states.spins) for states in (ends, raw)]
    assert (aligned[0] <= oracle.slack(problem)).all()
    assert (aligned[1] > 0).any(axis=2).mean() > 0.9, (
        "hardly a read of a chip that hot is a local minimum"
    )
    assert (ends.energies <= raw.energies).all(), "the same reads"
    assert raw.info["beta_effective"] == pytest.approx(raw.beta_effective(problem))
    assert ends.info["beta_effective"] == pytest.approx(raw.beta_effective(problem)), (
        "of the chip's own reads"
    )


@pytest.mark.parametrize("mode", FROM_STARTS)
def test_without_start_states_the_anneal_is_forward(make, problem, mode):
    qpu = make(mode)
    states = qpu.sample(problem[:2], num_reads=2, seed=1)
    for asked in qpu.device.asked:
        assert asked["annealing_time"] == 20.0
        assert not {
            "anneal_schedule",
            "initial_state",
            "h_gain_schedule",
            "reinitialize_state",
        } & set(asked)
    assert states.lowest().energies == pytest.approx(oracle.ground_energies(problem[:2]), abs=1e-6)


def test_forward_takes_no_start_states(make, problem, assert_refused):
    qpu = make()
    refusal = (
        "ValueError: initial must be None for DWave(mode='forward'), which takes no start states"
    )
    assert_refused(lambda: qpu.sample(problem, seed=1, initial=starts_for(problem)), refusal)
    assert not qpu.takes_initial
    assert calls_of(qpu) == 0


@pytest.mark.parametrize("spin_reversal", [False, True])
@pytest.mark.parametrize("mode", FROM_STARTS)
def test_a_short_way_back_on_a_cold_chip_ends_where_it_began(make, mode, spin_reversal):
    """In both minima of a ferromagnet, of which one is higher; each read in its own."""
    problem = ip.IsingProblem(np.full((H, O), -1.0), np.full((2, H), 0.1), np.full((2, O), 0.1))
    starts = np.ones((2, 5, H + O), np.int8)
    starts[0, 1::2] = starts[1, ::2] = -1
    qpu = make(
        mode,
        solver=CountedQPU(beta=COLD),
        s_target=0.99,
        descend=False,
        spin_reversal=spin_reversal,
        scale=0.5,
    )
    states = qpu.sample(problem, num_reads=5, seed=1, initial=starts)
    assert tolerances.same_bits(states.spins, starts)
    one = qpu.sample(problem, num_reads=3, seed=1, initial=starts[:, :1])
    assert tolerances.same_bits(one.spins, np.repeat(starts[:, :1], 3, axis=1))


SAME_ENDS = {
    "forward": {},
    "forward, turned over": {"spin_reversal": True},
    "reverse": {"mode": "reverse", "s_target": 0.1},
    "reverse, turned over": {"mode": "reverse", "s_target": 0.1, "spin_reversal": True},
    "cyclic without a bias": {"mode": "cyclic", "s_target": 0.1, "bias": 0.0},
    "cyclic without a bias, turned over": {
        "mode": "cyclic",
        "s_target": 0.1,
        "bias": 0.0,
        "spin_reversal": True,
    },
}


@pytest.mark.parametrize("case", SAME_ENDS)
def test_the_lowest_states_are_ground_states(make, problem, case):
    qpu = make(**SAME_ENDS[case], descend=False, scale=0.9, annealing_time=60.0)
    starts = None if case.startswith("forward") else starts_for(problem)
    states = qpu.sample(problem, num_reads=30, seed=1, initial=starts)
    assert states.info["clipped"] == 0
    assert states.lowest().energies == pytest.approx(oracle.ground_energies(problem), abs=1e-6)
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))
    low = states.energies < oracle.ground_energies(problem) + 1e-6
    assert low.mean() > 0.3, "far more often than one of 128 states by chance"


@pytest.mark.parametrize("bias", [0.0, 4.0])
def test_a_bias_leads_to_the_minimum_of_the_start_state(make, bias):
    """Of two equal ones of a ferromagnet that forgets at s = 0.

    Without a bias, 40 of one kind: 2^-39.
    """
    problem = ip.IsingProblem(np.full((H, O), -1.0), np.zeros((2, H)), np.zeros((2, O)))
    starts = np.ones((2, 1, H + O), np.int8)
    starts[1] = -1
    qpu = make("cyclic", bias=bias, scale=0.5, s_target=0.0, descend=False, spin_reversal=True)
    states = qpu.sample(problem, num_reads=20, seed=1, initial=starts)
    along = (states.spins * starts).mean(axis=2)
    assert (np.abs(along) > 0.7).mean() > 0.9, "both are minima"
    assert (along > 0).all() == (bias > 0)


@pytest.mark.parametrize("mode", MODES)
def test_info_tells_what_was_done(make, problem, mode):
    qpu = make(mode, num_copies=3, scale=0.5)
    starts = None if mode not in FROM_STARTS else starts_for(problem)
    states = qpu.sample(problem, num_reads=5, seed=9, initial=starts)
    info, calls = states.info, states.info["calls"]
    assert (info["seed"], info["sampler"]) == (9, "DWave")
    assert len(calls) == len({call["label"] for call in calls}) == calls_of(qpu) == 3
    for call, asked in zip(calls, qpu.device.asked, strict=True):
        told = {
            name: value for name, value in asked.items() if name not in ("label", "initial_state")
        }
        assert call["parameters"] == told
        assert call["label"] == asked["label"]
        assert call["solver"] == qpu.device.properties["chip_id"]
        assert call["solver"] == f"emulated-{call['graph_id']}"
        assert call["problem_id"] is None
        assert call["timing"]["qpu_access_time"] == pytest.approx(
            1e6 * call["estimated_seconds"], rel=1e-5
        )
        assert call["scale"] > 0
        assert call["chain_strength"] > 0
        assert call["clipped"] == 0
    seconds = sum(call["timing"]["qpu_access_time"] for call in calls) / 1e6
    assert info["qpu_seconds"] == pytest.approx(seconds)
    assert qpu.qpu_seconds == pytest.approx(seconds)
    assert json.loads(json.dumps(info, allow_nan=True)) == info


def test_the_fraction_of_broken_chains_is_what_the_read_out_breaks(make):
    """Chains of L qubits that hold: P(broken) = 1 - (1 - p)^L - p^L.

    False alarms: 1e-6, two-sided.
    """
    p, num_reads = 0.05, 400
    big = oracle.random_problem(10, 10, seed=3)
    qpu = make(solver=CountedQPU(beta=COLD, flip_rate=p), scale=0.3, chain_strength=6.0)
    states = qpu.sample(big, num_reads=num_reads, seed=1)
    (tile,) = states.info["calls"]
    [task] = tasks_of(big, num_reads, 1, None, qpu.settings())
    [answer] = Index(qpu.record).reads(task.request)[1]
    lengths = answer.call.chain_lengths
    assert set(lengths.ravel()) == {2}
    chance = 1 - (1 - p) ** lengths.ravel() - p ** lengths.ravel()
    broken = states.info["chain_break_fraction"] * num_reads * lengths.size
    deviation = np.sqrt(num_reads * (chance * (1 - chance)).sum())
    assert abs(broken - num_reads * chance.sum()) < tolerances.SIGMAS * deviation
    assert states.info["chain_break_fraction"] == tile["chain_break_fraction"]


@pytest.mark.slow
def test_the_fraction_of_broken_chains_is_of_all_chains_of_all_calls(make):
    """A call with one copy in use weighs less than one with four."""
    problem = oracle.random_problem(10, 10, num_problems=5, seed=3)
    qpu = make(solver=CountedQPU(size=2, flip_rate=0.05))
    info = qpu.sample(problem, num_reads=3, seed=1).info
    first, second = (call["chain_break_fraction"] for call in info["calls"])
    assert first != second
    assert info["chain_break_fraction"] == pytest.approx((4 * first + second) / 5)


def test_what_is_done_with_info_does_not_reach_later_answers(make, problem):
    qpu = make()
    first = qpu.sample(problem[:1], seed=1).info
    kept = json.loads(json.dumps(first, allow_nan=True))
    first["calls"][0]["timing"]["qpu_access_time"] = 0.0
    first["calls"][0]["parameters"].clear()
    assert qpu.sample(problem[:1], seed=1).info == kept


def test_values_out_of_range_are_told_of(make, problem):
    info = make(scale=40.0).sample(problem, seed=1).info
    assert info["clipped"] == sum(call["clipped"] for call in info["calls"]) > 0
