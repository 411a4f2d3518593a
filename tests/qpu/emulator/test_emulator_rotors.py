"""The emulated QPU with rotors: what the kernel gets, freeze-out, reverse anneals and pauses.

A z-score beyond tolerances.SIGMAS = 5 is a false alarm once in some 10^6 seeds.
"""

from typing import Any

import numpy as np
import pytest

from helpers import tolerances
from helpers.dwave.emulated_reads import RAW, STAY, small_problem
from isingprop import kernels
from isingprop.qpu.chip.chip_file import ChipDescription
from isingprop.qpu.chip.energy_scales import EnergyScales, thermal_energy
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

NUM_READS = 100

# The first arguments of the kernel.
ARRAYS = [
    *("ends", "couplings", "fields", "offsets"),
    *("transverse", "longitudinal", "gains", "widths"),
]


def free_reads(qpu: EmulatedQPU, field: float, **parameters: Any) -> np.ndarray:
    """Reads (R, 48) of the uncoupled qubits of a Z1 or of 48 qubits of a larger chip."""
    fields = dict.fromkeys(qpu.nodelist[:48], field)
    given = {"num_reads": NUM_READS} | parameters
    return qpu.sample_ising(fields, {}, **given, **RAW).record.sample


def z_of(first: np.ndarray, second: np.ndarray) -> float:
    """By how many standard errors the means of independent spins differ."""
    variance = sum((1 - reads.mean() ** 2) / reads.size for reads in (first, second))
    return (first.mean() - second.mean()) / np.sqrt(variance)


def ferromagnet_up(qpu: EmulatedQPU, s_target: float, **parameters: Any) -> np.ndarray:
    """Whether most qubits of the ferromagnetic Z1 are up after a reverse anneal from all up, by
    read.
    """
    answer = qpu.sample_ising(
        {},
        dict.fromkeys(qpu.edgelist, -0.5),
        num_reads=NUM_READS,
        anneal_schedule=[[0, 1], [2, s_target], [18, s_target], [20, 1]],
        initial_state=dict.fromkeys(qpu.nodelist, 1),
        **parameters,
        **RAW,
    )
    return answer.record.sample.sum(axis=1) > 0


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of all calls of the kernel."""
    calls = []
    true = kernels.anneal_rotors

    def anneal_rotors(*arrays: Any, **others: Any) -> Any:
        calls.append(dict(zip(ARRAYS, arrays, strict=True)) | others)
        return true(*arrays, **others)

    monkeypatch.setattr(kernels, "anneal_rotors", anneal_rotors)
    return calls


@pytest.mark.parametrize("topology", ["pegasus", "zephyr"])
def test_the_kernel_gets_the_scales_of_the_topology_over_the_temperature(
    topology: str, sent: list[dict[str, Any]]
) -> None:
    qpu = EmulatedQPU(topology, 2, temperature=16, sweeps_per_us=3)
    u, v = qpu.edgelist[0]
    gain = [[0, 0.5], [10, 1], [20, 0.5]]
    qpu.sample_ising({u: 0.25, v: -1}, {(u, v): -0.5}, num_reads=2, h_gain_schedule=gain, **RAW)
    [call] = sent
    s = (np.arange(60) + 0.5) / 60
    transverse, problem = EnergyScales.of(topology).at(s)
    assert call["transverse"] == pytest.approx(transverse / 2 / thermal_energy(16))
    assert call["longitudinal"] == pytest.approx(problem / 2 / thermal_energy(16))
    assert call["widths"] == pytest.approx(np.minimum(1, transverse / problem))
    assert call["gains"] == pytest.approx(1 - np.abs(s - 0.5))
    assert (call["fields"], call["offsets"]) == (pytest.approx([0.25, -1]), pytest.approx([0, 0]))
    assert (call["ends"].tolist(), call["couplings"].tolist()) == ([[0, 1]], [-0.5])
    assert (call["initial"], call["num_reads"]) == (None, 2)


def test_a_fast_anneal_has_the_scales_of_its_protocol(sent: list[dict[str, Any]]) -> None:
    qpu = EmulatedQPU("zephyr", 1)
    for parameters in ({"fast_anneal": True}, {}):
        qpu.sample_ising({}, {qpu.edgelist[0]: -1.0}, annealing_time=1.0, **parameters, **RAW)
    fast, standard = sent
    s = (np.arange(len(fast["gains"])) + 0.5) / len(fast["gains"])
    unit = 2 * thermal_energy(EnergyScales.of("zephyr").temperature)
    for call, is_fast in ((fast, True), (standard, False)):
        assert call["transverse"] * unit == pytest.approx(
            EnergyScales.of("zephyr").at(s, fast=is_fast)[0]
        )
    assert not np.allclose(fast["transverse"], standard["transverse"])


def test_a_chip_from_a_file_has_the_scales_of_its_topology(sent: list[dict[str, Any]]) -> None:
    other = EmulatedQPU("pegasus", 3).properties | {"chip_id": "Advantage_system9.9"}
    for qpu in (EmulatedQPU(ChipDescription.of_solver(other)), EmulatedQPU("pegasus", 3)):
        qpu.sample_ising({qpu.nodelist[0]: 1.0}, {}, **RAW)
    assert tolerances.same_bits(sent[0]["longitudinal"], sent[1]["longitudinal"])


def test_a_reverse_anneal_starts_from_the_angles_of_its_state(sent: list[dict[str, Any]]) -> None:
    qpu = EmulatedQPU("zephyr", 1)
    (u, v), state = qpu.edgelist[0], [1, -1]
    given = {"anneal_schedule": STAY, "initial_state": {u: 1, v: -1}, "num_reads": 3}
    for reinitialize in (True, False):
        reads = qpu.sample_ising(
            {}, {(u, v): -1.0}, reinitialize_state=reinitialize, **given, **RAW
        )
        assert (reads.record.sample == state).all()
    together, *one_by_one = sent
    angles = np.array([[0, np.pi]], np.float32)
    assert tolerances.same_bits(together["initial"], angles)
    assert [(call["first_read"], call["num_reads"]) for call in one_by_one] == [
        (0, 1),
        (1, 1),
        (2, 1),
    ]
    assert tolerances.same_bits(one_by_one[0]["initial"], angles)


def test_a_strong_field_aligns_all_qubits_and_none_prefers_no_sign() -> None:
    qpu = EmulatedQPU("zephyr", 1)
    assert (free_reads(qpu, 3) == -1).all()
    assert (free_reads(qpu, -3) == 1).all()
    assert abs(free_reads(qpu, 0).mean()) < tolerances.SIGMAS / np.sqrt(48 * NUM_READS)


@pytest.mark.parametrize("topology", ["pegasus", "zephyr"])
def test_qubits_follow_fields_more_the_stronger_and_the_colder(topology: str) -> None:
    qpu, hot = (EmulatedQPU(topology, 3, temperature=t) for t in (None, 60))
    weak, middle, strong = (free_reads(qpu, h) for h in (0.05, 0.15, 0.4))
    assert z_of(weak, middle) > tolerances.SIGMAS < z_of(middle, strong)
    assert z_of(free_reads(hot, 0.15), middle) > tolerances.SIGMAS


def test_zephyr_is_colder_against_its_couplings_than_pegasus() -> None:
    pegasus, zephyr = (free_reads(EmulatedQPU(each, 3), 0.15) for each in ("pegasus", "zephyr"))
    assert z_of(pegasus, zephyr) > tolerances.SIGMAS


def test_what_happens_after_the_freeze_out_changes_nothing() -> None:
    """The field is turned off at s = 0.8, where A / B is 1e-4, or at s = 0.1, where it is 5."""
    qpu = EmulatedQPU("zephyr", 1)
    always, late, early = (
        free_reads(qpu, 0.2, h_gain_schedule=gains)
        for gains in (
            [[0, 1], [20, 1]],
            [[0, 1], [16, 1], [16.1, 0], [20, 0]],
            [[0, 1], [2, 1], [2.1, 0], [20, 0]],
        )
    )
    assert abs(z_of(always, late)) < tolerances.SIGMAS < z_of(early, always)


def test_a_longer_anneal_and_a_pause_find_lower_energies() -> None:
    """Couplings of +-1/2 of a Z2; a pause is at s = 0.3, before the freeze-out."""
    qpu = EmulatedQPU("zephyr", 2)
    signs = np.random.default_rng(0).choice([-0.5, 0.5], len(qpu.edgelist)).tolist()
    couplings = dict(zip(qpu.edgelist, signs, strict=True))
    energies = [
        qpu.sample_ising({}, couplings, num_reads=NUM_READS, **given, **RAW).record.energy
        for given in (
            {"annealing_time": 1.0},
            {"annealing_time": 20.0},
            {"anneal_schedule": [[0, 0], [0.3, 0.3], [19.3, 0.3], [20, 1]]},
        )
    ]
    short, long, paused = ((each.mean(), each.var() / NUM_READS) for each in energies)
    for better in (long, paused):
        assert (short[0] - better[0]) / np.sqrt(short[1] + better[1]) > tolerances.SIGMAS


def test_a_reverse_anneal_keeps_its_state_or_forgets_it_by_how_far_s_falls() -> None:
    qpu = EmulatedQPU("zephyr", 1)
    assert ferromagnet_up(qpu, 0.7).all()
    forgotten = ferromagnet_up(qpu, 0.0)
    assert abs(forgotten.mean() - 0.5) * 2 * np.sqrt(NUM_READS) < tolerances.SIGMAS


@pytest.mark.parametrize("reinitialize", [True, False])
def test_angles_are_carried_on_unless_reads_are_reinitialized(reinitialize: bool) -> None:
    """Free qubits turn over now and then at s = 0.5: at the 100th read, or at each first one."""
    qpu = EmulatedQPU("zephyr", 1, sweeps_per_us=2)
    qubits = qpu.nodelist
    given = {
        "anneal_schedule": [[0, 1], [1, 0.5], [4, 1]],
        "initial_state": dict.fromkeys(qubits, 1),
        "reinitialize_state": reinitialize,
    }
    reads = qpu.sample_ising(
        dict.fromkeys(qubits, 0.0), {}, num_reads=4 * NUM_READS, **given, **RAW
    ).record.sample
    last = reads[-NUM_READS:].mean()
    assert last > 0.8 if reinitialize else last < 0.5


@pytest.mark.parametrize("model", ["svmc-tf", "classical"])
def test_calls_for_other_reads_get_other_answers(model: str) -> None:
    one, other, again = (
        EmulatedQPU("zephyr", 1, model=model).sample_ising(
            dict.fromkeys(range(24), 0.0), {}, num_reads=5, first_read=first, **RAW
        )
        for first in (0, 5, 0)
    )
    assert tolerances.same_bits(one.record.sample, again.record.sample)
    assert (one.record.sample != other.record.sample).any()


def test_energies_are_those_of_the_problem_that_was_sent_whatever_the_noise() -> None:
    qpu = EmulatedQPU("zephyr", 1, field_noise=0.2, coupling_noise=0.2, jitter=0.2)
    fields, couplings = small_problem(qpu)
    answer = qpu.sample_ising(fields, couplings, num_reads=5, **RAW)
    for sample, energy in answer.data(["sample", "energy"], sorted_by=None):
        expected = sum(h * sample[u] for u, h in fields.items())
        expected += sum(J * sample[u] * sample[v] for (u, v), J in couplings.items())
        assert energy == pytest.approx(expected)
