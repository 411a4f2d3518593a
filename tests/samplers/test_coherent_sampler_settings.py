"""Coherent samplers: scale of fields, schedules, settings, strangers and refusals."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.samplers.coherent_cases import (
    GROVER,
    HIDDEN,
    MARKED,
    OUTPUT,
    OUTPUTS,
    PLAIN,
    RUN,
    STEPS,
    TIME,
    probabilities,
    problem_of,
)
from isingprop import Amplified, Coherent, IsingProblem, coherent
from isingprop.quantum.amplification import (
    applications,
    best_iterations,
)
from isingprop.samplers import protocol


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
    """And with an exponent of 0 they are those of the plain state, as a device would
    measure them.
    """
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
    assert not sampler.takes_initial
    assert sampler.takes_marks
    assert not Coherent().takes_marks


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
    return partial(
        protocol.weighted_states_from, changed(lambda states: replace(states, **changes)), MARKED
    )


def test_a_strangers_weights_are_taken():
    same, own = changed(lambda states: states), Amplified(TIME, STEPS, exponent=1.0)
    for ask in (
        lambda sampler: protocol.sample_from(sampler, MARKED, 2, 0),
        lambda sampler: protocol.weighted_states_from(sampler, MARKED),
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
                protocol.sample_from,
                changed(lambda states: replace(states, weights=np.ones((3, 2)))),
                MARKED,
                2,
                0,
            ),
            "ValueError: weights from Stranger must be at least 0 and sum to at most 1, got",
        ),
        (
            partial(protocol.weighted_states_from, changed(lambda states: None), MARKED),
            "TypeError: Stranger.weighted_states() must return States, got NoneType",
        ),
        (
            partial(
                protocol.weighted_states_from,
                changed(lambda states: PLAIN.weighted_states(MARKED[:1])),
                MARKED,
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
