"""Coherent samplers: reads against the state vector, weights and streams."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.samplers.coherent_cases import (
    GROVER,
    HIDDEN,
    MARKED,
    OUTPUTS,
    PLAIN,
    READS,
    RUN,
    STEPS,
    TIME,
    probabilities,
    problem_of,
)
from isingprop import Amplified, Coherent, IsingProblem, coherent
from isingprop.quantum.amplification import (
    applications,
    fixed_point_success,
    grover_success,
)

FIXED = Amplified(TIME, STEPS, rescale=False, method="fixed-point", failure=0.2)


def numbers(spins):
    """Of states, as state vectors have them: bit k is 1 where spin k is up."""
    return oracle.state_numbers(-spins)


def is_marked(spins):
    return OUTPUTS[numbers(spins) >> HIDDEN]


def test_frequencies_of_reads_are_the_squares_of_amplitudes():
    problem = problem_of()
    states = PLAIN.sample(problem, READS, seed=0)
    assert states.weights is None
    for k in range(3):
        expected, drawn = probabilities(problem, k), numbers(states.spins[k])
        assert not tolerances.is_rejected(drawn, expected)
        assert tolerances.is_rejected(numbers(states.spins[k][:, ::-1]), expected), (
            "bits the other way round"
        )
        assert tolerances.is_rejected(numbers(-states.spins[k]), expected), "bits of the other sign"
        sizes = np.sqrt(expected)
        by_amplitude = np.random.default_rng(0).choice(64, READS, p=sizes / sizes.sum())
        assert tolerances.is_rejected(by_amplitude, expected)


@pytest.mark.parametrize("sampler", [GROVER, replace(GROVER, exponent=1.0)])
def test_frequencies_of_amplified_reads_are_those_of_the_amplified_state(sampler):
    """With one iteration too few or too many they are not."""
    states = sampler.sample(MARKED, READS, seed=0)
    for k in range(3):
        own = MARKED[k : k + 1]
        done = coherent.amplify(own, **RUN)
        drawn = numbers(states.spins[k])
        assert done.num_iterations >= 2
        assert not tolerances.is_rejected(drawn, np.abs(done.state) ** 2)
        for other in (done.num_iterations - 1, done.num_iterations + 1):
            away = coherent.amplify(own, num_iterations=other, **RUN).state
            assert tolerances.is_rejected(drawn, np.abs(away) ** 2)
        # Binomial; the false-alarm rate is that of SIGMAS.
        success = grover_success(done.amplitude, done.num_iterations)
        sigma = np.sqrt(success * (1 - success) / READS)
        assert abs(is_marked(states.spins[k]).mean() - success) < tolerances.SIGMAS * sigma
        assert states.info["applications"][k] == READS * done.num_applications


def test_every_read_of_the_fixed_point_is_marked_and_costs_what_it_should():
    states = FIXED.sample(MARKED, READS, seed=0)
    assert is_marked(states.spins).all()
    for k in range(3):
        expected = np.where(np.repeat(OUTPUTS, 2**HIDDEN), probabilities(MARKED, k), 0)
        amplitude = np.sqrt(expected.sum())
        assert not tolerances.is_rejected(numbers(states.spins[k]), expected / expected.sum())
        # A read that ends with run j has cost the sum of the applications up to it.
        reached, cost, mean, square, num_iterations = 1.0, 0, 0.0, 0.0, 0
        while reached > 1e-15:
            cost += applications(num_iterations)
            success = fixed_point_success(amplitude, num_iterations, FIXED.failure)
            mean += reached * success * cost
            square += reached * success * cost**2
            reached *= 1 - success
            num_iterations = 2 * num_iterations + 1
        sigma = np.sqrt((square - mean**2) / READS)
        assert abs(states.info["applications"][k] / READS - mean) < tolerances.SIGMAS * sigma


@pytest.mark.parametrize("sampler", [PLAIN, GROVER, FIXED, Amplified(exponent=1.0)])
def test_a_read_depends_on_seed_stream_and_its_number_alone(sampler):
    def sample(problem, num_reads=20, seed=3):
        return sampler.sample(problem, num_reads, seed=seed)

    whole = sample(MARKED)
    parts = [sample(MARKED[:1]), sample(MARKED[1:])]
    assert tolerances.same_bits(whole.spins, np.concatenate([part.spins for part in parts]))
    assert tolerances.same_bits(whole.energies, np.concatenate([part.energies for part in parts]))
    for name in ("applications", "marked_probability"):
        assert tolerances.same_bits(
            whole.info[name], np.concatenate([part.info[name] for part in parts])
        )
    assert tolerances.same_bits(np.ascontiguousarray(whole.spins[:, :5]), sample(MARKED, 5).spins)
    moved = sample(problem_of(marked=[OUTPUTS], streams=[0, 1, 7])).spins
    assert tolerances.same_bits(whole.spins[:2], moved[:2])
    assert not tolerances.same_bits(whole.spins[2], moved[2])
    assert not tolerances.same_bits(whole.spins, sample(MARKED, seed=4).spins)
    many = replace(sampler, num_threads=3).sample(MARKED, 20, seed=3)
    assert tolerances.same_bits(whole.spins, many.spins)
    drawn = [sampler.sample(MARKED, 20) for _ in range(2)]
    assert drawn[0].info["seed"] != drawn[1].info["seed"]
    assert tolerances.same_bits(drawn[0].spins, sample(MARKED, seed=drawn[0].info["seed"]).spins)


def test_reads_of_the_two_samplers_and_of_two_streams_are_not_the_same_numbers():
    alike = IsingProblem([[0.0]], [[0.0], [0.0]], [[0.0]], marked=[[True, False]])
    states = GROVER.sample(alike, 200, seed=0)
    plain = states.info["unamplified"]
    assert tolerances.same_bits(plain.spins, PLAIN.sample(alike, 200, seed=0).spins)
    # Where nothing acts on them, a plain read's two spins and the hidden one of a marked read are
    # fair coins.
    coins = np.concatenate([plain.spins[..., 0], plain.spins[..., 1], states.spins[..., 0]])
    for a in range(6):
        for b in range(a):
            # The mean of 200 products of independent spins.
            assert abs((coins[a] * coins[b].astype(float)).mean()) < tolerances.SIGMAS / np.sqrt(
                200
            )


def test_seeds_and_streams_do_not_run_into_each_other():
    """2^32 is two words of a seed."""
    one, other = (IsingProblem([[0.0]], [[0.0]], [[0.0]], streams=[stream]) for stream in (0, 1))
    reads = [
        PLAIN.sample(one, 50, seed=2**32),
        PLAIN.sample(other, 50, seed=0),
        PLAIN.sample(one, 50, seed=0),
    ]
    assert len({states.spins.tobytes() for states in reads}) == 3


# Changed only together with a line in CHANGELOG.md, as those of test_same_bits.py.
PINNED = {
    "Coherent": (
        Coherent(10.0, 20),
        "8815a233ca727c84019ff6e3dd688274d2e8da8daadb9ab8db2a2301131472d3",
    ),
    "grover": (
        Amplified(10.0, 20),
        "26d322062891b98a9aeae35cb254489d5e24bf568223cc27292358d9bf8e33c4",
    ),
    "fixed-point": (
        Amplified(10.0, 20, method="fixed-point"),
        "18a66c9c2e8addf2fe58d3a350af73aa4f7cc8d206dd24e69e26013a587a77d7",
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_the_random_streams_have_not_moved(kernel, name):
    arrays = (
        np.arange(h * w).reshape(h, w) * 37 % 64 / 32 - 1 for h, w in ((5, 3), (3, 5), (3, 3))
    )
    problem = IsingProblem(
        *(array.astype(np.float32) for array in arrays), marked=[np.arange(8) < 2]
    )
    sampler, pinned = PINNED[name]
    spins = sampler.sample(problem, num_reads=40, seed=2024).spins
    assert hashlib.sha256(spins.tobytes()).hexdigest() == pinned


def test_weights_of_all_states_are_the_squares_of_amplitudes():
    states = PLAIN.weighted_states(MARKED)
    assert (numbers(states.spins) == np.arange(64)).all()
    np.testing.assert_array_equal(states.energies, MARKED.energies(states.spins))
    for k in range(3):
        psi = coherent.anneal(MARKED[k : k + 1], **RUN)
        # To the last bit, whatever NumPy's own abs() of complex numbers does on a processor.
        assert tolerances.same_bits(states.weights[k], psi.real**2 + psi.imag**2)
        assert states.weights[k].sum() == pytest.approx(1, abs=1e-12)
        marked = states.weights[k][np.repeat(OUTPUTS, 2**HIDDEN)].sum()
        assert states.info["marked_probability"][k] == pytest.approx(marked, rel=1e-12)
    assert "applications" not in states.info
    assert "marked_probability" not in PLAIN.weighted_states(problem_of()).info


@pytest.mark.parametrize("exponent", [0, 1.0, 2.0, 0.5])
@pytest.mark.parametrize("method", ["grover", "fixed-point"])
def test_weights_of_amplified_states_are_the_marked_ones_scaled(exponent, method):
    sampler = Amplified(TIME, STEPS, rescale=False, method=method, exponent=exponent)
    states, plain = sampler.weighted_states(MARKED), PLAIN.weighted_states(MARKED)
    marked = np.repeat(OUTPUTS, 2**HIDDEN)
    for k in range(3):
        amplitude = np.sqrt(plain.weights[k][marked].sum())
        assert not states.weights[k][~marked].any()
        expected = amplitude ** (exponent - 2) * plain.weights[k][marked]
        np.testing.assert_allclose(states.weights[k][marked], expected, rtol=1e-12)
        assert states.weights[k].sum() == pytest.approx(amplitude**exponent, rel=1e-12)
    assert tolerances.same_bits(states.info["unamplified"].weights, plain.weights)
    shots = sampler.sample(MARKED, 7, seed=0)
    if exponent == 0:
        assert shots.weights is None
    else:
        for k in range(3):
            strength = states.weights[k].sum()
            np.testing.assert_allclose(shots.weights[k], np.full(7, strength / 7), rtol=1e-12)


def test_each_problem_has_its_own_marks():
    rows = np.array([OUTPUTS, ~OUTPUTS, np.arange(8) == 6])
    problem = problem_of(marked=rows)
    weights = GROVER.weighted_states(problem).weights
    np.testing.assert_array_equal(weights > 0, np.repeat(rows, 2**HIDDEN, axis=1))
    assert tolerances.same_bits(weights[1:], GROVER.weighted_states(problem[1:]).weights)
    drawn = numbers(FIXED.sample(problem, 100, seed=0).spins) >> HIDDEN
    assert np.take_along_axis(rows, drawn, axis=1).all()


@pytest.mark.parametrize(
    "sampler", [GROVER, FIXED, Amplified(TIME, STEPS, rescale=False, exponent=1.0)]
)
def test_a_problem_without_marks_is_that_of_coherent(sampler):
    problem = problem_of()
    mine, plain = sampler.sample(problem, 20, seed=1), PLAIN.sample(problem, 20, seed=1)
    assert tolerances.same_bits(mine.spins, plain.spins)
    assert mine.info["applications"].tolist() == plain.info["applications"].tolist() == [20, 20, 20]
    assert mine.weights is None
    assert tolerances.same_bits(
        sampler.weighted_states(problem).weights, PLAIN.weighted_states(problem).weights
    )
    nothing = problem_of(marked=np.zeros((3, 8), bool))
    assert tolerances.same_bits(sampler.sample(nothing, 20, seed=1).spins, plain.spins)
    assert not sampler.weighted_states(nothing).weights.any()
    assert sampler.sample(nothing, 20, seed=1).info["marked_probability"].tolist() == [0, 0, 0]


def test_where_all_is_marked_nothing_is_left_to_do():
    everything = problem_of(marked=np.ones((1, 8), bool))
    for sampler in (GROVER, FIXED):
        states = sampler.sample(everything, 500, seed=1)
        assert states.info["applications"].tolist() == [500, 500, 500]
        assert not tolerances.is_rejected(numbers(states.spins[0]), probabilities(everything, 0))
    amplified, plain = (sampler.weighted_states(everything).weights for sampler in (GROVER, PLAIN))
    np.testing.assert_allclose(amplified, plain, rtol=1e-12)
