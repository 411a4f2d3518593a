"""The room of coherent samplers: their reads against the state vector, their weights, streams, and refusals."""

import hashlib
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import oracle
import tolerances
from isingprop import Amplified, Coherent, IsingProblem, coherent, samplers
from isingprop.quantum.amplification import (
    applications,
    best_iterations,
    fixed_point_success,
    grover_success,
)

TIME, STEPS, READS = 5.0, 30, 20_000
PLAIN = Coherent(TIME, STEPS, rescale=False)
GROVER = Amplified(TIME, STEPS, rescale=False)
FIXED = Amplified(TIME, STEPS, rescale=False, method="fixed-point", failure=0.2)
HIDDEN, OUTPUT = 3, 3
OUTPUTS = np.isin(np.arange(2**OUTPUT), [3, 4])  # |A|^2 = 0.077, 0.086, 0.041 in the three problems
RUN = {"total_time": TIME, "num_steps": STEPS}


def problem_of(num_problems=3, *, marked=None, streams=None, dtype=np.float32):
    problem = oracle.random_problem(HIDDEN, OUTPUT, num_problems=num_problems, dtype=dtype)
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    return IsingProblem(*arrays, streams=streams, marked=marked)


MARKED = problem_of(marked=[OUTPUTS])


def probabilities(problem, k):
    return np.abs(coherent.anneal(problem[k : k + 1], **RUN)) ** 2


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
    # Where nothing acts on them, a plain read's two spins and the hidden one of a marked read are fair coins.
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


def test_info_and_energies():
    states = GROVER.sample(MARKED, 4, seed=5)
    assert set(states.info) == {"seed", "applications", "marked_probability", "unamplified"}
    assert states.info["seed"] == 5
    np.testing.assert_array_equal(states.energies, MARKED.energies(states.spins))
    for k in range(3):
        psi = coherent.anneal(MARKED[k : k + 1], **RUN)
        mine = np.linalg.norm(psi[np.repeat(OUTPUTS, 2**HIDDEN)]) ** 2
        assert states.info["marked_probability"][k] == pytest.approx(mine, rel=1e-12)
        assert states.info["applications"][k] == 4 * applications(best_iterations(mine**0.5))
    assert set(PLAIN.sample(problem_of(), 4, seed=5).info) == {"seed", "applications"}


@pytest.mark.parametrize("factor", [1.0, 1e-20, 1e20])
def test_rescaling_divides_by_the_largest_local_field(factor):
    problem = problem_of(dtype=np.float64)
    arrays = [
        factor * each for each in (problem.couplings, problem.hidden_fields, problem.output_fields)
    ]
    weights = Coherent(TIME, STEPS).weighted_states(IsingProblem(*arrays)).weights
    spins = oracle.all_states(6)
    for k in range(3):
        largest = np.abs(
            oracle.local_fields(problem[k : k + 1], spins)
        ).max()  # some state has all terms of one sign
        divided = IsingProblem(
            *(each / largest for each in (problem.couplings, *fields_of(problem, k)))
        )
        expected = np.abs(coherent.anneal(divided, **RUN)) ** 2
        np.testing.assert_allclose(weights[k], expected, rtol=0, atol=tolerances.AMPLITUDE)
    assert not np.allclose(weights[0], probabilities(problem, 0), atol=0.01)


def fields_of(problem, k):
    return problem.hidden_fields[k : k + 1], problem.output_fields[k : k + 1]


@pytest.mark.parametrize("size", [1e-310, 1e300])
def test_sizes_of_couplings_do_not_matter(size):
    states = Coherent(20.0).sample(
        IsingProblem([[size]], [[-size / 4]], [[0.0]]), num_reads=50, seed=1
    )
    assert (states.spins[0].sum(axis=1) == 0).mean() > 0.9
    np.testing.assert_array_equal(
        states.spins, Coherent(20.0).sample(IsingProblem([[4.0]], [[-1]], [[0]]), 50, 1).spins
    )


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_where_nothing_wrong_is_left_reads_count_for_a_to_the_exponent(exponent):
    """And with an exponent of 0 they are those of the plain state, as a device would measure them."""
    problem = problem_of(1, marked=[np.zeros(2**OUTPUT, bool)])
    states = replace(GROVER, exponent=exponent).sample(problem, num_reads=4, seed=0)
    assert tolerances.same_bits(states.spins, PLAIN.sample(problem, num_reads=4, seed=0).spins)
    assert states.info["applications"] == 4
    if exponent:
        assert (states.weights == 0).all()
    else:
        assert states.weights is None
    assert (replace(GROVER, exponent=exponent).weighted_states(problem).weights == 0).all()


def test_no_field_at_all_leaves_all_states_alike():
    weights = Coherent().weighted_states(IsingProblem([[0.0]], [[0.0]], [[0.0]])).weights
    np.testing.assert_allclose(weights, 0.25, atol=tolerances.AMPLITUDE)


@pytest.mark.parametrize("schedule", [lambda t: (t / TIME) ** 2, [(0, 0.2), (1, 0.9), (TIME, 0.4)]])
def test_schedules_are_those_of_anneal(schedule):
    problem = problem_of(1)
    psi = coherent.anneal(problem, schedule=schedule, **RUN)
    for sampler in (PLAIN, GROVER):
        weights = replace(sampler, schedule=schedule).weighted_states(problem).weights[0]
        np.testing.assert_allclose(weights, np.abs(psi) ** 2, rtol=0, atol=tolerances.AMPLITUDE)
        assert not np.allclose(weights, probabilities(problem, 0), atol=0.01)


def test_default_steps_are_of_half_a_unit():
    for total_time, steps in ((40.0, 80), (0.1, 1), (10.1, 21)):
        sampler = Coherent(total_time)
        assert sampler.settings()["num_steps"] == steps
        same = Coherent(total_time, steps).weighted_states(problem_of()).weights
        assert tolerances.same_bits(sampler.weighted_states(problem_of()).weights, same)


def test_settings_are_what_decides_the_states():
    points = [(0, 0.0), (2, 0.5), (4, 1.0)]
    sampler = Amplified(4.0, 2, points, False, 3, method="fixed-point", failure=0.2, exponent=1)
    told = {
        "name": "Amplified",
        "total_time": 4.0,
        "num_steps": 2,
        "schedule": [0.25, 0.75],
        "rescale": False,
    }
    assert sampler.settings() == told | {"method": "fixed-point", "failure": 0.2, "exponent": 1.0}
    assert Coherent().settings() == {
        "name": "Coherent", "total_time": 40.0, "num_steps": 80, "schedule": None, "rescale": True
    }  # fmt: skip
    assert not samplers.takes_initial(sampler)
    assert samplers.takes_marks(sampler)
    assert not samplers.takes_marks(Coherent())


class Stranger(Amplified):
    """Changes its own weights."""

    change = staticmethod(lambda states: states)

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        return self.change(super().sample(problem, num_reads, seed, initial))

    def weighted_states(self, problem):
        return self.change(super().weighted_states(problem))


def changed(change):
    stranger = Stranger(TIME, STEPS, exponent=1.0)
    object.__setattr__(stranger, "change", change)
    return stranger


def weigh_changed(**changes):
    return partial(samplers.weigh, changed(lambda states: replace(states, **changes)), MARKED)


def test_a_strangers_weights_are_taken():
    same, own = changed(lambda states: states), Amplified(TIME, STEPS, exponent=1.0)
    for ask in (
        lambda sampler: samplers.draw(sampler, MARKED, 2, 0),
        lambda sampler: samplers.weigh(sampler, MARKED),
    ):
        assert tolerances.same_bits(ask(same).weights, ask(own).weights)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (weigh_changed(weights=None), "ValueError: weights from Stranger must be there, got None"),
        (
            weigh_changed(weights=np.ones((3, 64))),
            "ValueError: weights from Stranger must be at least 0 and sum to at",
        ),
        (
            partial(
                samplers.draw,
                changed(lambda states: replace(states, weights=np.ones((3, 2)))),
                MARKED,
                2,
                0,
            ),
            "ValueError: weights from Stranger must be at least 0 and sum to at most 1, got",
        ),
        (
            partial(samplers.weigh, changed(lambda states: None), MARKED),
            "TypeError: Stranger.weighted_states() must return States, got NoneType",
        ),
        (
            partial(
                samplers.weigh, changed(lambda states: PLAIN.weighted_states(MARKED[:1])), MARKED
            ),
            "ValueError: spins from Stranger must have shape (3, n, 6), got (1, 64, 6)",
        ),
    ],
)
def test_bad_answers_of_strangers_are_refused(assert_refused, call, refusal):
    assert_refused(call, refusal)


def test_a_schedule_is_the_samplers_own():
    points = [[0, 0], [TIME, 1]]
    sampler = Coherent(TIME, STEPS, schedule=points)
    points.append([2 * TIME, 1])
    assert sampler == Coherent(TIME, STEPS, schedule=np.array([[0, 0], [TIME, 1]]))
    assert hash(sampler) == hash(Coherent(TIME, STEPS, schedule=((0.0, 0.0), (TIME, 1.0))))
    weights = Coherent(TIME, STEPS).weighted_states(MARKED).weights
    np.testing.assert_allclose(sampler.weighted_states(MARKED).weights, weights, rtol=1e-12)


WIDE = oracle.random_problem(20, 7)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: Coherent(0), "ValueError: total_time must be finite and above 0, got 0.0"),
        (
            lambda: Coherent(6e6),
            "ValueError: total_time must be at most 5e+06 without num_steps, got 6e+06",
        ),
        (
            lambda: Coherent().sample(IsingProblem([[1e308, 1e308]], [[0.0]], [[0.0, 0.0]])),
            "ValueError: local fields must be finite, got sizes up to inf",
        ),
        (lambda: Coherent(num_steps=0), "ValueError: num_steps must be at least 1, got 0"),
        (
            lambda: Coherent(schedule=lambda t: 2),
            "ValueError: schedule must have values in [0, 1], got 2 to 2",
        ),
        (
            lambda: Coherent(4, schedule=[(0, 0), (3, 1)]),
            "ValueError: schedule must have times that rise from 0 to",
        ),
        (lambda: Coherent(rescale=1), "TypeError: rescale must be True or False, got 1"),
        (lambda: Coherent(num_threads=0), "ValueError: num_threads must be at least 1, got 0"),
        (
            lambda: Amplified(total_time=-1),
            "ValueError: total_time must be finite and above 0, got -1.0",
        ),
        (
            lambda: Amplified(method="x"),
            "ValueError: method must be 'grover' or 'fixed-point', got 'x'",
        ),
        (lambda: Amplified(failure=1.5), "ValueError: failure must be below 1, got 1.5"),
        (
            lambda: Amplified(exponent=-1),
            "ValueError: exponent must be finite and at least 0, got -1.0",
        ),
        (lambda: PLAIN.sample(None), "TypeError: problem must be an IsingProblem, got NoneType"),
        (lambda: PLAIN.weighted_states(3), "TypeError: problem must be an IsingProblem, got int"),
        (lambda: GROVER.weighted_states(3), "TypeError: problem must be an IsingProblem, got int"),
        (lambda: PLAIN.sample(MARKED, 0), "ValueError: num_reads must be at least 1, got 0"),
        (lambda: PLAIN.sample(MARKED, 1, -1), "ValueError: seed must be at least 0, got -1"),
        (
            lambda: PLAIN.sample(MARKED, 1, 0, np.ones((3, 1, 6), np.int8)),
            "ValueError: initial must be None for Coherent, which starts from |+...+>",
        ),
        (lambda: PLAIN.sample(WIDE), "ValueError: problem must have at most 26 spins, got 27"),
        (
            lambda: GROVER.weighted_states(WIDE),
            "ValueError: problem must have at most 26 spins, got 27",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
