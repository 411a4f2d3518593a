"""The emulated QPU: its timing, what it lists, and what it refuses."""

from collections.abc import Callable
from typing import Any

import dimod
import pytest
from dwave.system import FixedEmbeddingComposite

from helpers.dwave.emulated_reads import RAW, STAY
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU


@pytest.mark.slow
@pytest.mark.parametrize(
    ("num_reads", "schedule", "milliseconds"),
    # computed with estimate_qpu_access_time from Advantage2_system1's timing data
    [(1, None, 34.8), (20, None, 38.2), (100, None, 52.5), (1, 300, 35.0), (20, 300, 42.9)],
)
def test_the_timing_is_that_of_a_chip(
    num_reads: int, schedule: float | None, milliseconds: float
) -> None:
    qpu = EmulatedQPU("zephyr", 6, sweeps_per_us=0.01)
    qubits = qpu.nodelist[:906]
    given: dict[str, Any] = {"num_reads": num_reads}
    if schedule:
        given |= {
            "anneal_schedule": [[0, 1], [schedule, 1]],
            "initial_state": dict.fromkeys(qubits, 1),
        }
    timing = qpu.sample_ising(dict.fromkeys(qubits, 1.0), {}, **given, **RAW).info["timing"]
    assert timing["qpu_access_time"] / 1000 == pytest.approx(milliseconds, abs=0.05)
    assert timing["qpu_access_time"] == pytest.approx(
        timing["qpu_programming_time"] + timing["qpu_sampling_time"], abs=0.02
    )
    assert timing["qpu_programming_time"] == 34631.59
    assert timing["qpu_delay_time_per_sample"] == (16.07 if schedule else 60.57)
    one = sum(timing[f"qpu_{part}_time_per_sample"] for part in ("anneal", "readout", "delay"))
    assert timing["qpu_anneal_time_per_sample"] == (schedule or 20)
    assert timing["qpu_sampling_time"] == pytest.approx(num_reads * one, abs=0.02 * num_reads)


def test_it_lists_what_a_solver_lists() -> None:
    pegasus, zephyr = EmulatedQPU("pegasus", 2).properties, EmulatedQPU("zephyr", 1).properties
    assert pegasus["per_qubit_coupling_range"] == [-18, 15]
    assert zephyr["per_group_coupling_range"] == [-13, 10]
    assert "per_group_coupling_range" not in pegasus
    assert "per_qubit_coupling_range" not in zephyr
    assert pegasus["chip_id"].startswith("emulated-pegasus-2-")
    names = "h_range", "h_gain_schedule_range", "extended_j_range", "annealing_time_range"
    assert [pegasus[name] for name in names] == [[-4, 4], [-3, 3], [-2, 1], [0.5, 2000]]
    assert [zephyr[name] for name in names] == [[-6, 6], [-1, 1], [-2, 1], [0.5, 2000]]
    assert zephyr["num_reads_range"] == [1, 10_000]
    assert zephyr["problem_run_duration_range"] == [0, 1_000_000]
    assert (zephyr["max_anneal_schedule_points"], zephyr["max_h_gain_schedule_points"]) == (12, 20)


def test_broken_parts_are_not_there() -> None:
    qpu = EmulatedQPU("zephyr", 1, broken_qubits=[3], broken_couplers=[[24, 0]])
    graph = WorkingGraph.perfect("zephyr", 1).without([3], [[0, 24]])
    assert qpu.nodelist == qpu.properties["qubits"] == graph.qubits.tolist()
    assert qpu.edgelist == [tuple(pair) for pair in graph.couplers.tolist()]
    assert qpu.properties["chip_id"] == f"emulated-{graph.graph_id}"
    with pytest.raises(dimod.exceptions.BinaryQuadraticModelStructureError):
        qpu.sample_ising({3: 1.0}, {}, **RAW)


def test_composites_take_it_for_a_chip() -> None:
    qpu = EmulatedQPU("zephyr", 1)
    (u, v), w = qpu.edgelist[0], qpu.nodelist[-1]
    sampler = FixedEmbeddingComposite(qpu, {"a": [u, v], "b": [w]})
    answer = sampler.sample_qubo(
        {("a", "a"): -1, ("b", "b"): 1}, chain_strength=1, num_reads=10, auto_scale=False
    )
    assert answer.first.sample == {"a": 1, "b": 0}
    assert answer.record.chain_break_fraction.sum() == 0


REVERSE = {"anneal_schedule": STAY, "initial_state": {0: 1, 24: 1}}


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        (
            {"auto_scale": True},
            "ValueError: auto_scale must be False, as the emulation does not scale, got True",
        ),
        ({"beta": 1}, "ValueError: parameters of EmulatedQPU must be of ['anneal_offsets', "),
        ({"answer_mode": "raws"}, "ValueError: answer_mode must be raw or histogram, got 'raws'"),
        ({"num_reads": 0}, "ValueError: num_reads must be at least 1, got 0"),
        ({"num_reads": 10_001}, "ValueError: num_reads must be at most 10000, got 10001"),
        (
            {"num_reads": 500, "annealing_time": 2000},
            "ValueError: num_reads must be at most 499 in the time of one call",
        ),
        (
            {"annealing_time": 0.4},
            "ValueError: annealing_time must be in the chip's annealing_time_range of [0.5, 2000] ",
        ),
        (
            {"annealing_time": 20, **REVERSE},
            "ValueError: annealing_time must be None where anneal_schedule is given",
        ),
        (
            {"anneal_schedule": [[0, 0], [0.1, 1]]},
            "ValueError: slopes of anneal_schedule must be at most 2 per us",
        ),
        (
            {**REVERSE, "anneal_schedule": [[1, 1], [9, 1]]},
            "ValueError: anneal_schedule must start at 0 us, got 1",
        ),
        (
            {"anneal_schedule": STAY},
            "ValueError: initial_state must be given for a schedule from s = 1, got none",
        ),
        (
            {"initial_state": {0: 1}},
            "ValueError: initial_state must be None for a schedule from s = 0, got one",
        ),
        (
            {**REVERSE, "initial_state": {0: 1}},
            "ValueError: initial_state must be -1 or +1 on each qubit used, got No",
        ),
        (
            {**REVERSE, "initial_state": {0: 3, 24: 1}},
            "ValueError: initial_state must be -1 or +1 on each qubit used",
        ),
        (
            {"h_gain_schedule": [[0, 1]]},
            "ValueError: h_gain_schedule must have 2 to 20 points, got 1",
        ),
        (
            {"h_gain_schedule": [[0, 1], [19, 1]]},
            "ValueError: h_gain_schedule must end where the anneal does, at 20 us",
        ),
        (
            {"h_gain_schedule": [[0, 1], [20, 1.5]]},
            "ValueError: g of h_gain_schedule must be in [-1, 1], got 1.5 at 20 us",
        ),
        (
            {"h_gain_schedule": [[0, 1], [20, -1]]},
            "ValueError: h times gain must be in [-6.0, 6.0], got -6.5 on 1",
        ),
    ],
)
def test_what_a_chip_refuses_is_refused(
    parameters: dict[str, Any], refusal: str, assert_refused: Callable[[Callable, str], None]
) -> None:
    qpu = EmulatedQPU("zephyr", 1)
    assert (0, 24) in qpu.edgelist
    fields = {0: 1.5} if "h times" not in refusal else {0: 1.5, 1: 6.5}
    assert_refused(lambda: qpu.sample_ising(fields, {(0, 24): -2}, **RAW | parameters), refusal)


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), -float("inf")])
def test_an_offset_that_is_not_finite_is_refused(
    offset: float, assert_refused: Callable[[Callable, str], None]
) -> None:
    bqm = dimod.BinaryQuadraticModel({0: 0.5}, {(0, 24): -1.0}, offset, "SPIN")
    refusal = f"ValueError: offset of bqm must be finite, got {offset}"
    assert_refused(lambda: EmulatedQPU("zephyr", 1).sample(bqm, **RAW), refusal)


@pytest.mark.parametrize("coupling", [-2.1, 1.1, float("nan")])
def test_a_coupling_out_of_range_is_refused(
    coupling: float, assert_refused: Callable[[Callable, str], None]
) -> None:
    qpu = EmulatedQPU("zephyr", 1)
    refusal = f"ValueError: J must be in [-2.0, 1.0], got {coupling} on (0, 24)"
    assert_refused(lambda: qpu.sample_ising({}, {(0, 24): coupling}, **RAW), refusal)


@pytest.mark.parametrize(
    ("topology", "couplings"), [("pegasus", "couplings"), ("zephyr", "a group of couplings")]
)
def test_too_large_a_sum_of_couplings_is_refused(
    topology: str, couplings: str, assert_refused: Callable[[Callable, str], None]
) -> None:
    qpu = EmulatedQPU(topology, 3)
    lowest = -18 if topology == "pegasus" else -13
    refusal = f"ValueError: sum of {couplings} of qubit "
    assert_refused(lambda: qpu.sample_ising({}, dict.fromkeys(qpu.edgelist, -2.0), **RAW), refusal)
    qpu.sample_ising(
        {}, dict.fromkeys(qpu.edgelist, lowest / 15), **RAW
    )  # at most 15 or 10 couplings are summed


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"topology": "chimera"}, "ValueError: topology must be one of pegasus, zephyr, "),
        ({"topology": "advantage2_system1"}, "ValueError: size must be None for Advantage2_sys"),
        ({"flip_rate": 1.5}, "ValueError: flip_rate must be at most 1, got 1.5"),
        ({"flip_rate": -0.1}, "ValueError: flip_rate must be finite and at least 0, got -0.1"),
        ({"model": "svmc"}, "ValueError: model must be one of svmc-tf, classical, got 'svmc'"),
        ({"model": None}, "ValueError: model must be one of svmc-tf, classical, got None"),
        (
            {"model": "classical", "beta": 0},
            "ValueError: beta must be finite and above 0, got 0",
        ),
        (
            {"model": "classical", "temperature": 16},
            "ValueError: temperature must be None for model='classical', which has beta, got 16",
        ),
        (
            {"beta": 6.0},
            "ValueError: beta must be None for model='svmc-tf', which has a temperature, got 6.0",
        ),
        ({"temperature": 0}, "ValueError: temperature must be finite and above 0, got 0"),
        ({"field_noise": -1}, "ValueError: field_noise must be finite and at least 0, got -1"),
        ({"coupling_noise": -1}, "ValueError: coupling_noise must be finite and at least 0, got "),
        ({"jitter": float("nan")}, "ValueError: jitter must be finite and at least 0, got nan"),
        ({"sweeps_per_us": 0}, "ValueError: sweeps_per_us must be finite and above 0, got 0"),
        ({"seed": -1}, "ValueError: seed must be at least 0, got -1"),
        ({"broken_qubits": [48]}, "ValueError: qubits must be working qubits of "),
    ],
)
def test_a_chip_that_cannot_be_is_refused(
    arguments: dict[str, Any], refusal: str, assert_refused: Callable[[Callable, str], None]
) -> None:
    assert_refused(lambda: EmulatedQPU(**{"topology": "zephyr", "size": 1} | arguments), refusal)
