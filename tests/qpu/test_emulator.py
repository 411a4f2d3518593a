"""The emulated QPU: its distribution, schedules, noise and order of reads."""

from typing import Any

import dimod
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers import oracle, tolerances
from helpers.dwave.emulated_reads import RAW, STAY
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

NUM_SPINS = 7

NUM_READS = 10_000

CYCLE = [[0, 1], [1, 1], [2, 0], [20, 1]]


def small_problem(qpu: EmulatedQPU) -> tuple[dict[int, float], dict[tuple[int, int], float]]:
    """Fields on some qubits of a Z1 and frustrated couplings: there are triangles among them."""
    nodes = [0, 1, 2, 3, 32, 34, 36]
    random = np.random.default_rng(1)
    edges = [edge for edge in qpu.edgelist if set(edge) <= set(nodes)]
    assert len(edges) == 14
    fields = dict(zip(nodes, random.uniform(-1, 1, NUM_SPINS).tolist(), strict=True))
    return fields, dict(zip(edges, random.uniform(-1, 1, len(edges)).tolist(), strict=True))


def probabilities(
    fields: dict[int, float], couplings: dict[tuple[int, int], float], beta: float
) -> NDArray[np.float64]:
    """exp(-beta E) / Z of all states, by enumeration."""
    spins = oracle.all_states(len(fields)).astype(np.float64)
    number = {qubit: k for k, qubit in enumerate(sorted(fields))}
    energies = sum(h * spins[:, number[u]] for u, h in fields.items())
    energies = energies + sum(
        J * spins[:, number[u]] * spins[:, number[v]] for (u, v), J in couplings.items()
    )
    weights = np.exp(-beta * (energies - energies.min()))
    return weights / weights.sum()


def spins_by_qubit(answer: dimod.SampleSet) -> NDArray[np.int8]:
    return answer.record.sample[:, np.argsort(answer.variables)]


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.4, 1.5])
@pytest.mark.parametrize(
    ("way", "gain"),
    [
        ("forward", 1.0),
        ("forward", -0.5),
        ("forward", 0.0),
        ("reverse", 1.0),
        ("from the last read", 1.0),
    ],
)
def test_reads_have_the_boltzmann_distribution_of_the_physical_problem(
    beta: float, way: str, gain: float
) -> None:
    qpu = EmulatedQPU("zephyr", 1, beta=beta)
    fields, couplings = small_problem(qpu)
    num_reads = (
        NUM_READS // 5 if way == "from the last read" else NUM_READS
    )  # one after another: slow
    given: dict[str, Any] = RAW | {
        "num_reads": num_reads,
        "h_gain_schedule": [[0, gain / 2], [1, gain], [20, gain]],
    }
    if way == "forward":
        given["anneal_schedule"] = [[0, 0], [1, 1], [20, 1]]
    else:
        start = dict.fromkeys(fields, 1)
        given |= {
            "anneal_schedule": STAY,
            "initial_state": start,
            "reinitialize_state": way == "reverse",
        }
    reads = spins_by_qubit(qpu.sample_ising(fields, couplings, **given))
    expected = probabilities({qubit: gain * h for qubit, h in fields.items()}, couplings, beta)
    assert not tolerances.is_rejected(oracle.state_numbers(reads), expected)
    other_gain = probabilities(
        {qubit: (gain - 1) * h for qubit, h in fields.items()}, couplings, beta
    )
    assert tolerances.is_rejected(oracle.state_numbers(reads), other_gain)


@pytest.mark.parametrize("beta", [0.4, 1.5])
def test_the_mean_energy_is_that_of_the_chips_temperature(beta: float) -> None:
    qpu = EmulatedQPU("zephyr", 1, beta=beta)
    fields, couplings = small_problem(qpu)
    schedule = [[0, 0], [1, 1], [20, 1]]
    energies = qpu.sample_ising(
        fields, couplings, num_reads=NUM_READS, anneal_schedule=schedule, **RAW
    ).record.energy
    z = []
    for inverse_temperature in (beta, 1.1 * beta):
        weights = probabilities(fields, couplings, inverse_temperature)
        levels = dimod.BQM.from_ising(fields, couplings).energies(
            (oracle.all_states(NUM_SPINS), sorted(fields))
        )
        mean = weights @ levels
        z.append((energies.mean() - mean) / np.sqrt((weights @ levels**2 - mean**2) / NUM_READS))
    assert abs(z[0]) < tolerances.SIGMAS < abs(z[1])


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


def test_reads_are_a_sorted_histogram_unless_they_are_wanted_raw_or_annealed_in_reverse() -> None:
    qpu = EmulatedQPU("zephyr", 1, beta=1)
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


def test_a_reverse_anneal_that_stays_at_s_1_keeps_the_initial_state() -> None:
    qpu = EmulatedQPU("zephyr", 1)
    fields, couplings = small_problem(qpu)
    states = [np.where(np.arange(48) % k, 1, -1) for k in (2, 3)]
    for state in states:
        chains = {(u, v): -1.0 * state[u] * state[v] for u, v in couplings}
        start = {qubit: int(state[qubit]) for qubit in fields}
        answer = qpu.sample_ising(
            {}, chains, num_reads=50, anneal_schedule=STAY, initial_state=start, **RAW
        )
        assert (spins_by_qubit(answer) == [start[qubit] for qubit in sorted(fields)]).all()


def test_a_reverse_anneal_down_to_s_0_forgets_the_initial_state() -> None:
    qpu = EmulatedQPU("zephyr", 1)
    assert reads_up(qpu, STAY) == 400
    assert abs(sigmas_up(qpu, 0)) < tolerances.SIGMAS


def test_a_bias_with_a_gain_that_ends_at_0_brings_a_melted_state_back() -> None:
    assert sigmas_up(EmulatedQPU("zephyr", 1), 1) > 3 * tolerances.SIGMAS
    assert sigmas_up(EmulatedQPU("zephyr", 1), -1) < -3 * tolerances.SIGMAS


def test_a_chain_breaks_where_its_coupling_is_too_weak() -> None:
    qpu = EmulatedQPU("zephyr", 1)
    u, v = qpu.edgelist[0]
    for coupling, broken in ((-0.2, 100), (-2.0, 0)):
        reads = qpu.sample_ising(
            {u: 1, v: -1}, {(u, v): coupling}, num_reads=100, **RAW
        ).record.sample
        assert (reads[:, 0] != reads[:, 1]).sum() == broken


def test_flip_rate_is_how_often_a_qubit_is_read_out_turned_over() -> None:
    rate, num_reads = 0.02, 2000
    qpu = EmulatedQPU("zephyr", 1, flip_rate=rate)
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


@pytest.mark.parametrize("reinitialize", [True, False])
def test_a_read_starts_where_the_last_one_ended_unless_it_is_reinitialized(
    reinitialize: bool,
) -> None:
    qpu = EmulatedQPU(
        "zephyr", 1, beta=1.5, sweeps_per_us=0.05
    )  # one sweep, in which few pairs turn over
    pairs = dict.fromkeys([(0, 24), (1, 32), (2, 26), (3, 34)], -1.0)
    assert set(pairs) <= set(qpu.edgelist)
    given = {
        "anneal_schedule": STAY,
        "initial_state": {qubit: 1 for pair in pairs for qubit in pair},
    }
    answer = qpu.sample_ising(
        {}, pairs, num_reads=2000, reinitialize_state=reinitialize, **given, **RAW
    )
    magnetisation = answer.record.sample[50:].mean()
    assert magnetisation > 0.7 if reinitialize else abs(magnetisation) < 0.3


def test_flips_are_read_out_only_and_not_where_the_next_read_starts() -> None:
    qpu = EmulatedQPU("zephyr", 1, flip_rate=0.3)
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


def test_the_same_requests_get_the_same_answers_in_any_order() -> None:
    first, again, other = (EmulatedQPU("zephyr", 1, beta=1, seed=seed) for seed in (0, 0, 1))
    one, two, one_more = answers(first, 1, 2, 1)
    assert answers(again, 2, 1, 1, label="a label does not count") == [two, one, one_more]
    assert len({one, two, one_more, *answers(other, 1)}) == 4


def test_the_order_of_qubits_in_a_request_does_not_count() -> None:
    first, again = (EmulatedQPU("zephyr", 1, beta=1) for _ in range(2))
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
