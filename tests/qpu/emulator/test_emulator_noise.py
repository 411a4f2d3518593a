"""Errors of fields and couplings of emulated chips: fixed by the seed, or another in each call."""

import numpy as np
import pytest
from scipy.stats import chi2

from helpers.dwave.emulated_reads import RAW
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

NUM_READS = 400
FALSE_ALARM = 1e-6  # of exact means of reads that are taken for noisy ones

MODELS = ["svmc-tf", "classical"]


def chip(model: str, **noise: float) -> EmulatedQPU:
    return EmulatedQPU("zephyr", 1, model=model, sweeps_per_us=5, **noise)


def magnetisations(qpu: EmulatedQPU) -> np.ndarray:
    """Means of all qubits without fields, (48,)."""
    fields = dict.fromkeys(qpu.nodelist, 0.0)
    return qpu.sample_ising(fields, {}, num_reads=NUM_READS, **RAW).record.sample.mean(axis=0)


def correlations(qpu: EmulatedQPU) -> np.ndarray:
    """Mean products of 20 pairs of qubits with couplings of 0, (20,)."""
    taken: set[int] = set()
    pairs = [edge for edge in qpu.edgelist if not taken & set(edge) and not taken.update(edge)]
    answer = qpu.sample_ising({}, dict.fromkeys(pairs[:20], 0.0), num_reads=NUM_READS, **RAW)
    column = {qubit: k for k, qubit in enumerate(answer.variables)}
    spins = answer.record.sample
    return np.array([(spins[:, column[u]] * spins[:, column[v]]).mean() for u, v in pairs[:20]])


MEANS = {"field_noise": magnetisations, "coupling_noise": correlations}


def is_quiet(means: np.ndarray) -> bool:
    """Whether means of independent signs have expectations of 0, by their sum of squares."""
    return bool(NUM_READS * (means**2).sum() < chi2.isf(FALSE_ALARM, means.size))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("noise", MEANS)
def test_fixed_errors_are_the_same_in_all_calls_and_others_for_another_seed(
    model: str, noise: str
) -> None:
    qpu, other = (chip(model, **{noise: 0.2}, seed=seed) for seed in (0, 1))
    first, second = (MEANS[noise](qpu) for _ in range(2))
    assert not is_quiet(first)
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert np.corrcoef(first, MEANS[noise](other))[0, 1] < 0.7
    assert is_quiet(MEANS[noise](chip(model)))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("noise", MEANS)
def test_jitter_is_another_in_each_call(model: str, noise: str) -> None:
    """|r| of 20 independent pairs is above 0.9 once in 10^7."""
    qpu = chip(model, jitter=0.2)
    first, second = (MEANS[noise](qpu) for _ in range(2))
    assert not is_quiet(first)
    assert not is_quiet(second)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.9
    again = MEANS[noise](chip(model, jitter=0.2))
    assert (again == first).all()


def test_errors_of_one_kind_leave_those_of_another_alone() -> None:
    assert is_quiet(magnetisations(chip("svmc-tf", coupling_noise=0.2)))
    assert is_quiet(correlations(chip("svmc-tf")))


def test_all_that_determines_answers_is_in_the_text_of_an_emulation() -> None:
    def emulation(**given: object) -> str:
        return EmulatedQPU("zephyr", 1, **given).emulation

    assert emulation(model="classical") == (
        "Noise(flip_rate=0.0, beta=6.0, sweeps_per_us=5.0, seed=0)"
    )
    options = {
        "model": ("svmc-tf", "classical"),
        "temperature": (15.0, 20.0),
        "flip_rate": (0.0, 0.1),
        "sweeps_per_us": (1.0, 2.0),
        "field_noise": (0.0, 0.1),
        "coupling_noise": (0.0, 0.1),
        "jitter": (0.0, 0.1),
        "seed": (0, 1),
    }
    for name, (one, other) in options.items():
        assert emulation(**{name: one}) != emulation(**{name: other})
    assert emulation() == emulation(model="svmc-tf", temperature=20)
