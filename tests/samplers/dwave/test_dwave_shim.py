"""Flux biases: how they are sent and recorded, and that a shim balances the chains of a network."""

import hashlib

import numpy as np
import pytest
from dwave.system.temperatures import h_to_fluxbias
from scipy.stats import chi2

import isingprop as ip
from helpers import oracle, tolerances
from helpers.dwave.chip_commands import Stopping
from helpers.dwave.dwave_cases import CountedQPU, H, O, calls_of
from helpers.dwave.emulated_reads import RAW
from isingprop.qpu.calls.call_files import load_call
from isingprop.qpu.chip.chip_file import ChipDescription
from isingprop.qpu.chip.limits import check_anneal_offsets

CALLS, READS = 6, 400
# A chip whose chains all are balanced fails once in 10^6 seeds.
FALSE_ALARM = 1e-6


def free(num_hidden=H, num_output=O):
    """A network without fields and couplings."""
    zeros = [np.zeros((1, number)) for number in (num_hidden, num_output)]
    return ip.IsingProblem(np.zeros((num_hidden, num_output)), *zeros)


def noisy(field_noise=0.05, size=1, **options):
    return CountedQPU("zephyr", size, field_noise=field_noise, **options)


def is_balanced(magnetisations, reads, error=0.0):
    """Whether means of n spins, of so many reads each, have expectations of 0 up to an error.

    sum m^2 / (1 / reads + error^2) is chi-square with n degrees of freedom if they have.
    """
    statistic = (magnetisations**2 / (1 / reads + error**2)).sum()
    return statistic < chi2.isf(FALSE_ALARM, magnetisations.size)


def chain_magnetisations(make, problem, qpu, biases, mode="forward", **options):
    """Means of 1,000 reads of the chains, at the same strengths as in calls for the problem."""
    notes = qpu.first_request(problem, seed=0).call.notes
    given = {"scale": notes["scale"], "chain_strength": notes["chain_strength"]}
    other = make(
        mode,
        solver=noisy(**options),
        num_copies=1,
        flux_biases=biases,
        folder=f"after-{mode}-{hashlib.sha256(repr(biases).encode()).hexdigest()[:8]}",
        descend=False,
        **given,
    )
    shape = problem.num_hidden, problem.num_output
    return other.sample(free(*shape), num_reads=1000, seed=7).spins[0].mean(axis=0)


def test_flux_biases_are_sent_recorded_and_part_of_the_settings(make, problem):
    device = CountedQPU()
    biases = np.linspace(-1e-5, 1e-5, device.properties["num_qubits"])
    qpu = make(solver=device, flux_biases=biases, num_copies=1)
    states = qpu.sample(problem[:2], num_reads=3, seed=1)
    for asked in device.asked:
        assert asked["flux_biases"] == biases.tolist()
        assert asked["flux_drift_compensation"] is False
        assert asked["auto_scale"] is False
    for path in qpu.record.glob("*.safetensors"):
        assert np.array_equal(load_call(path)[0].by_qubit["flux_biases"], biases)
    settings = qpu.settings()
    assert settings["flux_biases"] == hashlib.sha256(biases.tobytes()).hexdigest()
    assert make(solver=device, folder="other").settings().keys() == settings.keys() - {
        "flux_biases"
    }
    again = make(solver=device, folder="again").set_params(**qpu.get_params())
    assert again.settings() == settings
    replayed = ip.Replay(qpu.record).sample(problem[:2], num_reads=3, seed=1)
    assert tolerances.same_bits(replayed.spins, states.spins)


def test_flux_biases_act_like_fields_that_do_not_follow_the_gain():
    """A free qubit ends up with probability 1 / (1 + exp(2 beta h)): z-test on 4,000 reads."""
    device = ip.EmulatedQPU("zephyr", 1, model="classical", beta=2.0)
    qubit = device.nodelist[0]
    biases = np.zeros(device.properties["num_qubits"])
    biases[qubit] = h_to_fluxbias(0.3)
    for given in ({}, {"h_gain_schedule": [[0, 0.5], [20, 0.5]]}):
        asked = {"num_reads": 4000, "flux_biases": biases.tolist(), **given, **RAW}
        mean = device.sample_ising({qubit: 0.0}, {}, **asked).record.sample.mean()
        assert abs(mean + np.tanh(2.0 * 0.3)) < 5 / np.sqrt(4000)


def test_each_qubit_of_a_noisy_chip_has_a_field_of_its_own_in_all_calls():
    quiet, noisy_one = (
        ip.EmulatedQPU("zephyr", 1, model="classical", field_noise=noise) for noise in (0.0, 0.1)
    )
    assert quiet.emulation == "Noise(flip_rate=0.0, beta=6.0, sweeps_per_us=5.0, seed=0)"
    assert noisy_one.emulation.endswith("seed=0, field_noise=0.1)")
    asked = {"num_reads": 500, **RAW}
    fields = dict.fromkeys(quiet.nodelist, 0.0)
    still = quiet.sample_ising(fields, {}, **asked).record.sample.mean(axis=0)
    first, second = (
        noisy_one.sample_ising(fields, {}, **asked).record.sample.mean(axis=0) for _ in range(2)
    )
    assert is_balanced(still, 500)
    assert not is_balanced(first, 500)
    assert np.corrcoef(first, second)[0, 1] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("size", "num_hidden", "num_output"), [(1, H, O), (3, 20, 12)])
def test_after_a_shim_the_chains_are_balanced(make, size, num_hidden, num_output):
    problem = oracle.random_problem(num_hidden, num_output, num_problems=1, seed=1)
    qpu = make(solver=noisy(size=size), num_copies=1)
    biases = qpu.shim(problem, num_calls=CALLS, num_reads=READS)
    assert calls_of(qpu) == CALLS
    used = np.flatnonzero(biases)
    assert set(used) == set(qpu.copies(num_hidden, num_output)[0].qubits)

    error = 1.3 / np.sqrt(CALLS * READS)
    before, after, wrong = (
        chain_magnetisations(make, problem, qpu, each, size=size)
        for each in (None, biases, -biases)
    )
    assert is_balanced(after, 1000, error)
    assert not is_balanced(before, 1000, error)
    assert not is_balanced(wrong, 1000, error)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["reverse", "cyclic", "fast"])
def test_a_shim_measures_the_chains_of_its_mode(make, problem, mode):
    """Those of the apex, too, and all copies at a time."""
    qpu = make(mode, solver=noisy(size=2), spin_reversal=True, num_reads=2)
    copies = qpu.copies(H, O)
    biases = qpu.shim(problem, num_calls=2, num_reads=50)
    assert set(np.flatnonzero(biases)) == {q for copy in copies for q in copy.qubits}
    assert len(qpu.device.asked) == 2
    price = qpu.estimate(
        num_images=2,
        epochs=1,
        num_states=50 * len(copies),
        references=0,
        num_hidden=H,
        num_output=O,
    )
    assert price.calls == 2
    assert price.seconds == pytest.approx(qpu.qpu_seconds, rel=1e-6)
    for asked in qpu.device.asked:
        assert asked["num_reads"] == 50
        assert asked.get("fast_anneal", False) == (mode == "fast")
        assert "initial_state" not in asked
    for path in qpu.record.glob("*.safetensors"):
        assert load_call(path)[0].flips.min() == 1


@pytest.mark.slow
def test_a_shim_is_paid_once_and_within_the_budget(make, problem, monkeypatch):
    asked = {"num_calls": 3, "num_reads": 20}
    whole = make(solver=noisy(), folder="whole")
    biases = whole.shim(problem, **asked)
    assert whole.qpu_seconds > 0
    assert np.array_equal(whole.shim(problem, **asked), biases)
    assert calls_of(whole) == 3
    assert not np.array_equal(whole.shim(problem, **asked, seed=1), biases)

    first = make(solver=noisy())
    with monkeypatch.context() as patched:
        Stopping(patched, 2)
        with pytest.raises(KeyboardInterrupt):
            first.shim(problem, **asked)
    first.close()
    second = make(solver=noisy())
    assert np.array_equal(second.shim(problem, **asked), biases)
    assert calls_of(second) == 2

    poor = make(solver=noisy(), budget=1.5 * second.qpu_seconds / 3, folder="poor")
    with pytest.raises(ip.QPUBudgetError):
        poor.shim(problem, **asked)
    assert calls_of(poor) == 1


@pytest.mark.slow
def test_a_record_has_the_answers_of_a_sampler_and_of_its_shim(make, problem):
    qpu = make(solver=noisy(), num_copies=1)
    states = qpu.sample(problem, num_reads=4, seed=1)
    paid = qpu.qpu_seconds
    qpu.shim(problem, num_calls=2, num_reads=20)
    assert qpu.qpu_seconds > paid
    again = qpu.sample(problem, num_reads=4, seed=1)
    assert tolerances.same_bits(again.spins, states.spins)


REFUSED = {
    "ValueError: num_calls must be at least 2, got 1": {"num_calls": 1},
    "ValueError: num_reads must be at least 2, got 1": {"num_reads": 1},
    "ValueError: seed must be at least 0, got -1": {"seed": -1},
    "TypeError: problem must be an IsingProblem, got list": {"problem": [1.0]},
}


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_bad_argument_of_a_shim_is_refused(make, problem, assert_refused, refusal):
    qpu = make()
    assert_refused(lambda: qpu.shim(**{"problem": problem, **REFUSED[refusal]}), refusal)
    assert calls_of(qpu) == 0


def test_flux_biases_that_the_chip_does_not_take_are_refused(make, problem, assert_refused):
    bad = {
        "ValueError: flux_biases must be finite, got nan at index (1,)": [0.0, np.nan],
        "ValueError: flux_biases must have shape": [[0.0]],
    }
    for refusal, biases in bad.items():
        assert_refused(lambda biases=biases: make(flux_biases=biases), refusal)
    qpu = make(flux_biases=[0.0, 1e-5])
    with pytest.raises(ValueError, match=r"^flux_biases must be 48 numbers, one .*, got 2$"):
        qpu.sample(problem, seed=1)
    without = CountedQPU()
    del without.parameters["flux_biases"]
    biases = np.zeros(without.properties["num_qubits"])
    with pytest.raises(ValueError, match=r"must take the parameter flux_biases"):
        make(solver=without, flux_biases=biases, folder="without").sample(problem, seed=1)
    with pytest.raises(ValueError, match=r"must take the parameter flux_biases"):
        make(solver=without, folder="shim").shim(problem)
    assert without.asked == []


# Anneal offsets


def test_anneal_offsets_are_checked_sent_and_recorded(make, problem):
    device = CountedQPU()
    ranges = np.array(device.properties["anneal_offset_ranges"])
    offsets = np.where(np.arange(len(ranges)) % 2, *ranges.T)
    qpu = make(solver=device, anneal_offsets=offsets, num_copies=1)
    qpu.sample(problem[:1], num_reads=3, seed=1)
    [asked] = device.asked
    assert asked["anneal_offsets"] == offsets.tolist()
    assert "flux_drift_compensation" not in asked
    [path] = qpu.record.glob("*.safetensors")
    assert np.array_equal(load_call(path)[0].by_qubit["anneal_offsets"], offsets)
    assert qpu.settings()["anneal_offsets"] == hashlib.sha256(offsets.tobytes()).hexdigest()

    qubit = device.nodelist[3]
    for sign, bound in zip((-1, 1), ranges[qubit], strict=True):
        wrong = offsets.copy()
        wrong[qubit] = bound + sign * 1e-3
        refusal = rf"^anneal_offsets must be in anneal_offset_ranges, .* for qubit {qubit}, got "
        with pytest.raises(ValueError, match=refusal):
            make(anneal_offsets=wrong, folder=f"{sign}").sample(problem, seed=1)
        with pytest.raises(ValueError, match=refusal):
            device.sample_ising({qubit: 0.0}, {}, anneal_offsets=wrong.tolist(), **RAW)


def test_working_qubits_of_a_real_chip_have_offsets_and_others_none():
    chip = ChipDescription.of("advantage2_system1")
    offsets = np.zeros(chip.properties["num_qubits"])
    offsets[chip.graph.qubits] = 0.1
    check_anneal_offsets(offsets, chip.properties)
    broken = int(np.setdiff1d(np.arange(len(offsets)), chip.graph.qubits)[0])
    offsets[broken] = 0.1
    with pytest.raises(ValueError, match=rf"\[0, 0\] for qubit {broken}, got 0\.1$"):
        check_anneal_offsets(offsets, chip.properties)
