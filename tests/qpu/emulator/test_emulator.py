"""The emulated QPU with either model: schedules, read-out, and the same answers to requests."""

from typing import Any

import dimod
import numpy as np
import pytest

from helpers import tolerances
from helpers.dwave.emulated_reads import NUM_SPINS, RAW, STAY, small_problem, spins_by_qubit
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

CYCLE = [[0, 1], [1, 1], [2, 0], [20, 1]]

# Temperatures at which answers to the same request differ.
HOT: dict[str, dict[str, Any]] = {
    "svmc-tf": {"model": "svmc-tf", "temperature": 200},
    "classical": {"model": "classical", "beta": 1},
}

both_models = pytest.mark.parametrize("model", HOT)


def test_energies_are_those_of_the_whole_problem_whatever_the_gain() -> None:
    qpu = EmulatedQPU("zephyr", 1)
    fields, couplings = small_problem(qpu)
    answer = qpu.sample_ising(
        fields, couplings, num_reads=5, h_gain_schedule=[[0, 0], [20, 0]], **RAW
    )
    energies = dimod.BQM.from_ising(fields, couplings).energies(
        (answer.record.sample, answer.variables)
    )
    assert (answer.record.energy == energies).all()


@both_models
def test_reads_are_a_sorted_histogram_unless_they_are_wanted_raw_or_annealed_in_reverse(
    model: str,
) -> None:
    qpu = EmulatedQPU("zephyr", 1, **HOT[model])
    fields, couplings = small_problem(qpu)
    histogram = qpu.sample_ising(fields, couplings, num_reads=500, auto_scale=False)
    assert histogram.record.num_occurrences.sum() == 500
    assert len(histogram) <= 2**NUM_SPINS
    assert (np.diff(histogram.record.energy) >= 0).all()
    reverse = {"anneal_schedule": STAY, "initial_state": dict.fromkeys(fields, 1)}
    assert (
        len(qpu.sample_ising(fields, couplings, num_reads=500, auto_scale=False, **reverse)) == 500
    )


def blocks(qpu: EmulatedQPU) -> tuple[list[int], dict[tuple[int, int], float]]:
    """All qubits of a Z1 and a ferromagnetic coupling on each coupler: one block that flips as a
    whole.
    """
    return qpu.nodelist, dict.fromkeys(qpu.edgelist, -0.5)


def reads_up(qpu: EmulatedQPU, schedule: list[list[float]], bias: float = 0.0) -> int:
    """How many reads of the ferromagnet, started with all spins up, end with most spins up; the
    gain ends at 0.
    """
    qubits, couplings = blocks(qpu)
    answer = qpu.sample_ising(
        dict.fromkeys(qubits, -bias),
        couplings,
        num_reads=400,
        anneal_schedule=schedule,
        h_gain_schedule=[[0, 0], [1, 1], [2, 1], [20, 0]],
        initial_state=dict.fromkeys(qubits, 1),
        **RAW,
    )
    return int((answer.record.sample.sum(axis=1) > 0).sum())


def sigmas_up(qpu: EmulatedQPU, bias: float) -> float:
    """By how many standard errors reads that went down to s = 0 prefer up to down."""
    return (reads_up(qpu, CYCLE, bias) - 200) / 10  # of 400 that are independent


@both_models
def test_a_reverse_anneal_that_stays_at_s_1_keeps_the_initial_state(model: str) -> None:
    qpu = EmulatedQPU("zephyr", 1, model=model)
    fields, couplings = small_problem(qpu)
    states = [np.where(np.arange(48) % k, 1, -1) for k in (2, 3)]
    for state in states:
        chains = {(u, v): -1.0 * state[u] * state[v] for u, v in couplings}
        start = {qubit: int(state[qubit]) for qubit in fields}
        answer = qpu.sample_ising(
            {}, chains, num_reads=50, anneal_schedule=STAY, initial_state=start, **RAW
        )
        assert (spins_by_qubit(answer) == [start[qubit] for qubit in sorted(fields)]).all()


@both_models
def test_a_reverse_anneal_down_to_s_0_forgets_the_initial_state(model: str) -> None:
    qpu = EmulatedQPU("zephyr", 1, model=model)
    assert reads_up(qpu, STAY) == 400
    assert abs(sigmas_up(qpu, 0)) < tolerances.SIGMAS


@both_models
def test_a_bias_with_a_gain_that_ends_at_0_brings_a_melted_state_back(model: str) -> None:
    assert sigmas_up(EmulatedQPU("zephyr", 1, model=model), 1) > 3 * tolerances.SIGMAS
    assert sigmas_up(EmulatedQPU("zephyr", 1, model=model), -1) < -3 * tolerances.SIGMAS


@both_models
def test_flip_rate_is_how_often_a_qubit_is_read_out_turned_over(model: str) -> None:
    rate, num_reads = 0.02, 2000
    qpu = EmulatedQPU("zephyr", 1, model=model, flip_rate=rate)
    taken: set[int] = set()
    pairs = [edge for edge in qpu.edgelist if not taken & set(edge) and not taken.update(edge)]
    reads = qpu.sample_ising({}, dict.fromkeys(pairs, -2.0), num_reads=num_reads, **RAW)
    column = {qubit: k for k, qubit in enumerate(reads.variables)}
    ends = np.array([[column[u], column[v]] for u, v in pairs])
    broken = reads.record.sample[:, ends[:, 0]] != reads.record.sample[:, ends[:, 1]]
    expected = (
        2 * rate * (1 - rate)
    )  # one of two; at s = 1 a coupling of -2 is broken once in exp(24) times
    z = (broken.mean() - expected) / np.sqrt(expected * (1 - expected) / broken.size)
    assert abs(z) < tolerances.SIGMAS


@both_models
def test_flips_are_read_out_only_and_not_where_the_next_read_starts(model: str) -> None:
    qpu = EmulatedQPU("zephyr", 1, model=model, flip_rate=0.3)
    qubits, couplings = blocks(qpu)
    start = dict.fromkeys(qubits, 1)
    given = {
        "num_reads": 50,
        "anneal_schedule": STAY,
        "initial_state": start,
        "reinitialize_state": False,
    }
    last = qpu.sample_ising({}, couplings, **given, **RAW).record.sample[-1]
    assert 20 < (last == 1).sum() < 48  # 34 and 3; after 50 flips it would be 24


def answers(qpu: EmulatedQPU, *seeds: int, **parameters: Any) -> list[bytes]:
    fields, couplings = small_problem(qpu)
    requests = [({qubit: h * seed for qubit, h in fields.items()}, couplings) for seed in seeds]
    return [
        spins_by_qubit(qpu.sample_ising(*each, **RAW, num_reads=20, **parameters)).tobytes()
        for each in requests
    ]


@both_models
def test_the_same_requests_get_the_same_answers_in_any_order(model: str) -> None:
    first, again, other = (EmulatedQPU("zephyr", 1, **HOT[model], seed=seed) for seed in (0, 0, 1))
    one, two, one_more = answers(first, 1, 2, 1)
    assert answers(again, 2, 1, 1, label="a label does not count") == [two, one, one_more]
    assert len({one, two, one_more, *answers(other, 1)}) == 4


@both_models
def test_the_order_of_qubits_in_a_request_does_not_count(model: str) -> None:
    first, again = (EmulatedQPU("zephyr", 1, **HOT[model]) for _ in range(2))
    fields, couplings = small_problem(first)
    backwards = [
        dict(reversed(part.items()))
        for part in (fields, {(v, u): J for (u, v), J in couplings.items()})
    ]
    one, two = first.sample_ising(fields, couplings, **RAW), again.sample_ising(*backwards, **RAW)
    assert tolerances.same_bits(spins_by_qubit(one), spins_by_qubit(two))


@pytest.mark.parametrize("pause", [0.0, 250.0, None])
def test_pauses_cost_what_they_take_and_a_pause_of_0_nothing(pause: float | None) -> None:
    """D-Wave's client prices a pause of 0 like the default, 1,000 us of programming here."""
    qpu = EmulatedQPU("zephyr", 1)
    fields, couplings = small_problem(qpu)
    pauses = {} if pause is None else {"programming_thermalization": pause}
    times = qpu.sample_ising(fields, couplings, num_reads=3, **pauses, **RAW).info["timing"]
    typical = qpu.properties["problem_timing_data"]["typical_programming_time"]
    expected = typical + (1000.0 if pause is None else pause)
    assert times["qpu_programming_time"] == pytest.approx(expected, abs=0.01)
    longer = qpu.sample_ising(
        fields, couplings, num_reads=3, readout_thermalization=40.0, **pauses, **RAW
    ).info["timing"]
    assert longer["qpu_access_time"] - times["qpu_access_time"] == pytest.approx(120.0, abs=0.02)
    assert longer["qpu_readout_time_per_sample"] == times["qpu_readout_time_per_sample"]
