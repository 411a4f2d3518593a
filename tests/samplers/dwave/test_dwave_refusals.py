"""What the D-Wave sampler refuses."""

import json

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle
from helpers.dwave.dwave_cases import CountedQPU, calls_of, contents, with_arrays
from isingprop.qpu.settings import MODES

# What is refused

CHIP = ip.EmulatedQPU("zephyr", 1)

REFUSED = {
    "ValueError: mode must be one of forward, reverse, cyclic, fast, got 'sideways'": {
        "mode": "sideways"
    },
    "ValueError: num_reads must be at least 1, got 0": {"num_reads": 0},
    "TypeError: num_reads must be an integer, got 2.5": {"num_reads": 2.5},
    "ValueError: annealing_time must be finite and above 0, got nan": {
        "annealing_time": float("nan")
    },
    "ValueError: annealing_time must be finite and above 0, got 0.0": {"annealing_time": 0},
    "TypeError: annealing_time must be a number, got '20'": {"annealing_time": "20"},
    "ValueError: annealing_time must be in the chip's annealing_time_range of [0.5, 2000] us, "
    "got 0.1": {"annealing_time": 0.1, "solver": CHIP},
    "ValueError: annealing_time must be in the chip's annealing_time_range of [0.5, 2000] us, "
    "got 2001": {"annealing_time": 2001, "solver": CHIP, "mode": "reverse"},
    "ValueError: annealing_time must be a multiple of 0.01 us, got 20.001": {
        "annealing_time": 20.001,
        "solver": CHIP,
    },
    "ValueError: annealing_time must be at least 0.57 us for s_target 0.45 on a chip with an "
    "annealing_time_range of [0.5, 2000] and an h_gain_schedule_range of [-1, 1], got 0.56": {
        "mode": "cyclic",
        "annealing_time": 0.56,
        "solver": CHIP,
    },
    "ValueError: chain_strength must be finite and above 0, got 0.0": {"chain_strength": 0},
    "ValueError: chain_strength must be finite and above 0, got -1.0": {"chain_strength": -1},
    "TypeError: chain_strength must be a number, got '2'": {"chain_strength": "2"},
    "ValueError: scale must be finite and above 0, got 0.0": {"scale": 0.0},
    "ValueError: scale must be finite and above 0, got inf": {"scale": float("inf")},
    "TypeError: scale must be a number, got True": {"scale": True},
    "ValueError: s_target must be at least 0 and below 1, got -0.1": {"s_target": -0.1},
    "ValueError: s_target must be at least 0 and below 1, got 1": {
        "mode": "reverse",
        "s_target": 1.0,
    },
    "ValueError: s_target must be at least 0 and below 1, got 2": {
        "mode": "cyclic",
        "s_target": 2.0,
    },
    "ValueError: bias must be finite and at least 0, got -0.4": {"bias": -0.4},
    "TypeError: spin_reversal must be an integer, got 'yes'": {"spin_reversal": "yes"},
    "ValueError: spin_reversal must be at least 1, got 0": {"spin_reversal": 0},
    "TypeError: reinitialize_state must be True or False, got 0": {"reinitialize_state": 0},
    "ValueError: reinitialize_state must be True for DWave(mode='fast'), which takes no start "
    "states, got False": {"mode": "fast", "reinitialize_state": False},
    "TypeError: descend must be True or False, got 'no'": {"descend": "no"},
    "ValueError: num_copies must be at least 1, got 0": {"num_copies": 0},
    "TypeError: num_copies must be an integer, got 1.0": {"num_copies": 1.0},
    "ValueError: budget must be finite and at least 0, got -1.0": {"budget": -1},
    "ValueError: budget must be finite and at least 0, got nan": {"budget": float("nan")},
    "TypeError: budget must be a number, got '1'": {"budget": "1"},
    "TypeError: solver must be a name, features, or a device such as EmulatedQPU(), got 3": {
        "solver": 3
    },
    "TypeError: solver must be a name, features, or a device such as EmulatedQPU(), got <class": {
        "solver": ip.EmulatedQPU
    },
    "TypeError: solver must be a name, features, or a device such as EmulatedQPU(), got "
    "Annealing": {"solver": ip.Annealing()},
}


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_bad_argument_is_refused_by_name(assert_refused, tmp_path, monkeypatch, refusal):
    monkeypatch.chdir(tmp_path)
    assert_refused(lambda: ip.DWave(**REFUSED[refusal]), refusal)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [1.0, 1.5, float("nan"), float("inf")])
def test_an_s_target_out_of_range_is_refused_in_every_mode(value):
    for mode in MODES:
        with pytest.raises(ValueError, match=r"^s_target must be"):
            ip.DWave(mode, s_target=value)


REFUSED_CALLS = {
    "TypeError: problem must be an IsingProblem, got list": {"problem": [1.0]},
    "ValueError: num_reads must be at least 1, got 0": {"num_reads": 0},
    "TypeError: num_reads must be an integer, got 1.5": {"num_reads": 1.5},
    "ValueError: seed must be at least 0, got -1": {"seed": -1},
    "TypeError: seed must be an integer, got 'a'": {"seed": "a"},
    "TypeError: initial must be int8 spins, got dtype float64": {"initial": np.ones((1, 1, 7))},
    "ValueError: initial must have shape (1, 1, 7), got (1, 1, 6)": {
        "initial": np.ones((1, 1, 6), np.int8)
    },
    "ValueError: initial must have shape (1, 1, 7), got (7,)": {"initial": np.ones(7, np.int8)},
    "ValueError: initial must be -1 or +1, got 0 at index (0, 0, 0)": {
        "initial": np.zeros((1, 1, 7), np.int8)
    },
}


@pytest.mark.parametrize("refusal", REFUSED_CALLS)
def test_a_bad_call_is_refused_by_name_and_sends_nothing(make, problem, assert_refused, refusal):
    qpu = make("reverse", num_copies=1)
    asked = {"problem": problem[:1], "num_reads": 1, "seed": 1, "initial": None} | REFUSED_CALLS[
        refusal
    ]
    assert_refused(lambda: qpu.sample(**asked), refusal)
    assert calls_of(qpu) == 0
    assert not list(qpu.record.glob("*.safetensors"))


def test_fields_that_are_not_finite_are_refused(make, problem):
    poisoned = with_arrays(problem, hidden_fields=problem.hidden_fields.copy())
    poisoned.hidden_fields[2, 1] = np.nan
    with pytest.raises(
        ValueError, match=r"hidden_fields must be finite, got nan at index \(2, 1\)"
    ):
        make().sample(poisoned, seed=1)


def test_a_network_that_does_not_fit_is_refused_by_its_size(make):
    qpu = make()
    with pytest.raises(ValueError, match=r"^num_hidden must be at most 48, got 60$"):
        qpu.sample(oracle.random_problem(60, 40), seed=1)
    with pytest.raises(ValueError, match=r"fit"):
        qpu.sample(oracle.random_problem(30, 30), seed=1)
    assert calls_of(qpu) == 0
    assert not list(qpu.record.glob("*.safetensors"))


def test_couplings_whose_sums_are_out_of_range_are_refused_before_they_are_sent(make, problem):
    device = CountedQPU()
    device.properties["per_group_coupling_range"] = [-0.5, 0.5]
    with pytest.raises(
        ValueError, match=r"^sum of .* must be in .*; lower scale or chain_strength$"
    ):
        make(solver=device, scale=1.0).sample(problem, seed=1)
    assert device.asked == []


def test_no_token_is_written_or_told(make, monkeypatch, problem):
    monkeypatch.setenv("DWAVE_API_TOKEN", "SECRET-4711")
    qpu = make()
    states = qpu.sample(problem[:1], seed=1)
    assert all(b"SECRET-4711" not in content for content in contents(qpu.record).values())
    assert "SECRET-4711" not in json.dumps(states.info, allow_nan=True) + repr(qpu) + json.dumps(
        qpu.settings()
    )
