"""The fast-anneal protocol: what is sent and what it costs, with fields carried by an apex spin."""

import json

import numpy as np
import pytest
from dwave.cloud.solver import StructuredSolver

import isingprop as ip
from helpers import oracle
from helpers.dwave.dwave_cases import COLD, CountedQPU, H, O, calls_of, starts_for
from helpers.dwave.emulated_reads import RAW
from isingprop.qpu.settings import MODES

NANOSECONDS = 0.02  # us


def test_a_fast_request_has_no_fields_and_the_energy_of_its_problem(make, problem):
    """Up to a constant and a scale, in states whose apex is up."""
    qpu = make("fast", annealing_time=NANOSECONDS, num_copies=1)
    call, h, j = qpu.first_request(problem[:1], num_reads=5, seed=1)
    assert call.parameters == {
        "num_reads": 5,
        "auto_scale": False,
        "answer_mode": "raw",
        "fast_anneal": True,
        "annealing_time": NANOSECONDS,
    }
    assert call.initial_state.size == 0
    assert set(h) == set(call.qubits.tolist())
    assert not any(h.values())

    logical = oracle.random_spins(1, 50, H + O, seed=3)[0]
    with_apex = np.concatenate([logical, np.ones((50, 1), np.int8)], axis=1)
    qubits = np.repeat(with_apex, call.chain_lengths[0], axis=1)
    state = {int(q): qubits[:, k].astype(float) for k, q in enumerate(call.qubits)}
    physical = sum(value * state[u] * state[v] for (u, v), value in j.items())
    wanted = call.notes["scale"] * problem[:1].energies(logical[None])[0]
    assert np.ptp(physical - wanted) < 1e-5 * np.ptp(wanted)


def test_a_slow_fast_anneal_of_a_cold_chip_ends_in_a_ground_state(make, problem):
    qpu = make("fast", solver=CountedQPU(beta=COLD), annealing_time=40.0, descend=False)
    states = qpu.sample(problem, num_reads=40, seed=1)
    ground = oracle.ground_energies(problem)
    assert states.lowest().energies == pytest.approx(ground, abs=1e-5)


def test_fast_reads_take_nanoseconds_and_no_start_states(make, problem):
    qpu = make("fast", annealing_time=0.005, spin_reversal=True)
    asked = {"num_reads": 6, "seed": 1}
    states = qpu.sample(problem[:3], **asked)
    for call in states.info["calls"]:
        assert call["timing"]["qpu_anneal_time_per_sample"] in (0.0, 0.01)  # 5 ns, two decimals
        assert call["estimated_seconds"] == pytest.approx(
            call["timing"]["qpu_access_time"] / 1e6, rel=1e-5
        )
    assert not qpu.takes_initial
    with pytest.raises(ValueError, match=r"^initial must be None for DWave\(mode='fast'\)"):
        qpu.sample(problem[:3], initial=starts_for(problem[:3]), **asked)

    replay = ip.Replay(qpu.record)
    assert not replay.takes_initial
    assert np.array_equal(replay.sample(problem[:3], **asked).spins, states.spins)
    calls = calls_of(qpu)
    qpu.sample(problem[:3], **asked)
    assert calls_of(qpu) == calls


def test_the_price_of_a_fast_run_is_that_of_its_anneals(make):
    """It is the client's own, which is right for a time that is given."""
    device = CountedQPU("zephyr", 2)
    plan = {"num_images": 3, "epochs": 1, "num_states": 4, "num_hidden": 4, "num_output": 4}
    price = make("fast", solver=device, annealing_time=NANOSECONDS).estimate(**plan)
    slow = make("fast", solver=device, annealing_time=20.0).estimate(**plan)
    (qubits,) = {price.num_qubits, slow.num_qubits}
    reads = 4 // price.copies + (4 % price.copies > 0)
    used = sum(
        copy.num_qubits for copy in make("fast", solver=device).copies(4, 4)[: min(4, price.copies)]
    )
    solver = type("Solver", (), {"properties": device.properties})
    client = StructuredSolver.estimate_qpu_access_time(
        solver, used, reads, annealing_time=NANOSECONDS
    )
    assert qubits >= used
    assert price.seconds == pytest.approx(3 * client / 1e6)
    assert slow.seconds - price.seconds == pytest.approx(3 * reads * (20 - NANOSECONDS) / 1e6)


REFUSED = {
    "annealing_time must be in the chip's fast_anneal_time_range of [0.005, 2000] us, got 0.004": {
        "annealing_time": 0.004
    },
    "annealing_time must be in the chip's fast_anneal_time_range of [0.005, 2000] us, got 2001": {
        "annealing_time": 2001.0
    },
    "annealing_time must be a multiple of 1e-06 us, got 0.0050001": {"annealing_time": 0.0050001},
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_time_that_the_protocol_does_not_allow_is_refused(assert_refused, message):
    device = ip.EmulatedQPU("zephyr", 1)
    assert_refused(
        lambda: ip.DWave("fast", solver=device, **REFUSED[message]), f"ValueError: {message}"
    )


def test_a_chip_without_the_protocol_is_refused(make, problem):
    without_range = CountedQPU()
    del without_range.properties["fast_anneal_time_range"]
    with pytest.raises(ValueError, match=r"must have the property fast_anneal_time_range"):
        make("fast", solver=without_range)
    without_parameter = CountedQPU()
    del without_parameter.parameters["fast_anneal"]
    with pytest.raises(ValueError, match=r"must take the parameter fast_anneal, got one that does"):
        make("fast", solver=without_parameter).sample(problem, seed=1)
    assert without_parameter.asked == []


FAST = {**RAW, "fast_anneal": True, "annealing_time": NANOSECONDS}


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({}, 0.1, r"^h must be 0 where fast_anneal is True, got 0\.1 on \d+$"),
        ({"h_gain_schedule": [[0, 1], [0.02, 1]]}, 0, r"^h_gain_schedule must be None where fast"),
        ({"initial_state": {0: 1}}, 0, r"^initial_state must be None where fast_anneal is True"),
        (
            {"annealing_time": None, "anneal_schedule": [[0, 0], [1, 0.5], [2, 1]]},
            0,
            r"^anneal_schedule must be None where fast_anneal is True",
        ),
        (
            {"annealing_time": 0.004},
            0,
            r"fast_anneal_time_range of \[0\.005, 2000\] us, got 0\.004",
        ),
        ({"fast_anneal": False}, 0, r"annealing_time_range of \[0\.5, 2000\] us, got 0\.02"),
    ],
)
def test_an_emulated_chip_refuses_what_the_protocol_does_not_take(changed, field, message):
    device = ip.EmulatedQPU("zephyr", 1)
    u, v = device.edgelist[0]
    assert device.sample_ising({u: 0.0}, {(u, v): -1.0}, **FAST).record.sample.shape == (1, 2)
    with pytest.raises(ValueError, match=message):
        device.sample_ising({u: field}, {(u, v): -1.0}, **{**FAST, **changed})


def test_the_settings_of_older_modes_are_as_before():
    """So records of before play back."""
    names = ["annealing_time", "bias", "chain_strength", "descend", "device", "mode", "name"]
    names += ["num_reads", "s_target", "scale", "spin_reversal"]
    for mode in MODES:
        settings = ip.DWave(mode, solver=ip.EmulatedQPU("zephyr", 1)).settings()
        assert sorted(settings) == names
        json.dumps(settings)
