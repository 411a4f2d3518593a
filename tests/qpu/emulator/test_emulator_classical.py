"""The emulated QPU with the classical model: its distribution and where its reads start."""

from typing import Any

import dimod
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers import oracle, tolerances
from helpers.dwave.emulated_reads import NUM_SPINS, RAW, STAY, small_problem, spins_by_qubit
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

NUM_READS = 10_000


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
    qpu = EmulatedQPU("zephyr", 1, model="classical", beta=beta)
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
    qpu = EmulatedQPU("zephyr", 1, model="classical", beta=beta)
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


def test_a_chain_breaks_where_its_coupling_is_too_weak() -> None:
    qpu = EmulatedQPU("zephyr", 1, model="classical")
    u, v = qpu.edgelist[0]
    for coupling, broken in ((-0.2, 100), (-2.0, 0)):
        reads = qpu.sample_ising(
            {u: 1, v: -1}, {(u, v): coupling}, num_reads=100, **RAW
        ).record.sample
        assert (reads[:, 0] != reads[:, 1]).sum() == broken


@pytest.mark.parametrize("reinitialize", [True, False])
def test_a_read_starts_where_the_last_one_ended_unless_it_is_reinitialized(
    reinitialize: bool,
) -> None:
    qpu = EmulatedQPU(
        "zephyr", 1, model="classical", beta=1.5, sweeps_per_us=0.05
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
