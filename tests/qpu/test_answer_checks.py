"""What is checked of an answer before it is written."""

import json
import math

import dimod
import numpy as np
import pytest

from helpers.dwave.malformed import nested
from helpers.dwave.qpu_records import SETTINGS, a_call, random_samples
from isingprop.qpu.calls.answer_checks import (
    Reads,
    num_wrong_energies,
    plain_timing,
    problem_id_of,
    reads_of,
)
from isingprop.qpu.calls.call_data import PreparedCall
from isingprop.qpu.calls.record import Index, Record


class Unspeakable:
    def __repr__(self):
        raise RuntimeError


CIRCLE: list = []
CIRCLE.append(CIRCLE)

ODD = [
    math.nan,
    -math.inf,
    {"a": {"b": [math.inf]}},
    10**400,
    -(10**5000),
    nested(100_000),
    CIRCLE,
    Unspeakable(),
    b"\xff",
    "x" * 1_000_000,
    "\ud83d",
    np.float64("nan"),
    np.arange(3),
    1j,
]


@pytest.mark.parametrize("where", ["the access time", "another time", "in its place"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_timing_data_of_any_form_are_kept_in_strict_json(odd, where, tmp_path):
    told = {
        "the access time": {"qpu_access_time": odd},
        "another time": {"qpu_access_time": 20_000.0, "other": odd},
        "in its place": odd,
    }[where]
    timing = plain_timing(told)
    assert len(json.dumps(timing, allow_nan=False)) < 2_000

    record, call = Record.of(tmp_path, SETTINGS), a_call()
    record.begin(call)
    record.finish(call, random_samples(call), timing)
    again = Index(tmp_path)
    has_time = where == "another time"
    assert again.num_estimated == (not has_time)
    assert again.seconds == pytest.approx(0.02 if has_time else call.notes["estimated_seconds"])
    assert again.reads("first")[1][0].timing == timing


def test_timing_data_that_are_plain_stay_as_they_are():
    plain = {"qpu_access_time": 15_250.5, "reads": 7, "ok": True, "none": None, "unit": "us"}
    assert plain_timing(plain) == plain
    numbers = plain_timing({"a": np.float64(1.5), "b": np.int64(3), "c": np.float32(0.5)})
    assert numbers == {"a": 1.5, "b": 3, "c": 0.5}
    assert {type(number) for number in numbers.values()} == {int, float}
    assert plain_timing(None) == {}
    assert plain_timing({math.nan: 1, (10**5000,): 2, "x" * 1000: 3}) == {
        "nan": 1,
        "a tuple that cannot be shown": 2,
        "x" * 300: 3,
    }
    assert len(plain_timing(dict.fromkeys(map(str, range(10_000)), 1))) == 100


def test_an_id_is_a_text():
    assert problem_id_of("01bd9a92-2bc5") == "01bd9a92-2bc5"
    for other in (None, "", 17, 1.5, True, ["a"], {}, b"a", "x" * 301):
        assert problem_id_of(other) is None


def prepared_call(seed=0):
    call, random = a_call(seed=seed), np.random.default_rng(seed)
    qubits = sorted(call.qubits.tolist())
    h = {qubit: float(random.normal()) for qubit in reversed(qubits)}
    j = {
        (u, v): float(random.normal()) for u, v in zip(qubits, qubits[1:] + qubits[:1], strict=True)
    }
    return PreparedCall(call, h, j)


def answered(prepared):
    """Reads in the order of the call, and the sample set of dimod with its own energies."""
    samples = random_samples(prepared.call)
    model = dimod.BinaryQuadraticModel.from_ising(prepared.h, prepared.j)
    rows = dimod.as_samples((samples, prepared.call.qubits.tolist()))
    return samples, dimod.SampleSet.from_samples_bqm(rows, model)


def test_energies_of_states_are_right_up_to_rounding():
    for seed in range(20):
        prepared = prepared_call(seed)
        samples, answer = answered(prepared)
        reads = reads_of(answer, prepared.call)
        assert np.array_equal(reads.samples, samples)
        assert num_wrong_energies(prepared, reads) == 0
        # Summed in another order, and with the rounding of single precision in one term.
        terms = [prepared.h[q] * samples[:, k] for k, q in enumerate(prepared.call.qubits.tolist())]
        at = {qubit: k for k, qubit in enumerate(prepared.call.qubits.tolist())}
        terms += [j * samples[:, at[u]] * samples[:, at[v]] for (u, v), j in prepared.j.items()]
        for order in (terms, terms[::-1]):
            assert num_wrong_energies(prepared, Reads(samples, np.sum(order, axis=0))) == 0
        coarse = np.sum([np.float32(terms[0]), *terms[1:]], axis=0)
        assert num_wrong_energies(prepared, Reads(samples, coarse)) == len(samples)


def test_energies_of_other_states_are_wrong():
    prepared = prepared_call()
    samples, answer = answered(prepared)
    energies = answer.record.energy
    for k, wrong in enumerate([energies[0] + 1e-9, math.nan, math.inf, -energies[0]]):
        other = energies.copy()
        other[k % len(other)] = wrong
        assert num_wrong_energies(prepared, Reads(samples, other)) == 1
    flipped = samples.copy()
    flipped[1, 0] *= -1
    assert num_wrong_energies(prepared, Reads(flipped, energies)) == 1
    assert num_wrong_energies(prepared, Reads(-samples, energies)) == len(samples)


def test_equal_reads_that_are_counted_once_are_all_reads():
    prepared = prepared_call()
    samples = np.repeat(random_samples(prepared.call)[:1], 3, axis=0)
    model = dimod.BinaryQuadraticModel.from_ising(prepared.h, prepared.j)
    rows = dimod.as_samples((samples, prepared.call.qubits.tolist()))
    answer = dimod.SampleSet.from_samples_bqm(rows, model).aggregate()
    reads = reads_of(answer, prepared.call)
    assert len(answer) == 1
    assert np.array_equal(reads.samples, samples)
    answer.record.energy += 1
    assert num_wrong_energies(prepared, reads_of(answer, prepared.call)) == 3
