"""Tests of amplitude amplification: closed forms against 2 x 2 matrices, and U and U† applied
step by step.
"""

import math
from itertools import islice

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import IsingProblem, coherent
from isingprop.quantum.amplification import (
    MAX_ITERATIONS,
    applications,
    best_iterations,
    fixed_point_phases,
    fixed_point_success,
    grover_phases,
    grover_success,
    growing_lengths,
)

AMPLITUDES = [1e-4, 0.03, 0.2, 0.5, 0.7, 0.95, 1.0]

FAILURES = [0.5, 0.1, 1e-4]

RUN = {"total_time": 3.0, "num_steps": 12}

METHODS = {
    "grover": lambda k: grover_phases(k),
    "fixed-point": lambda k: fixed_point_phases(k, 0.1),
}


def in_the_plane(amplitude, phases):
    """psi after Q = -U S_0(alpha) U† S_w(beta) for each pair, by its parts along psi_rest and
    psi_marked.

    U S_0(alpha) U† = 1 - (1 - e^(-i alpha)) |psi><psi|, and S_w(beta) is diagonal.
    """
    psi = np.array([math.sqrt(1 - amplitude**2), amplitude], complex)
    state = psi.copy()
    for alpha, beta in phases:
        state = -(np.eye(2) - (1 - np.exp(-1j * alpha)) * np.outer(psi, psi)) @ (
            state * [1, np.exp(1j * beta)]
        )
    return state


@pytest.mark.parametrize("amplitude", AMPLITUDES)
@pytest.mark.parametrize("num_iterations", [0, 1, 2, 7, 40])
def test_success_is_that_of_two_by_two_matrices(amplitude, num_iterations):
    state = in_the_plane(amplitude, grover_phases(num_iterations))
    assert abs(state[1]) ** 2 == pytest.approx(
        grover_success(amplitude, num_iterations), abs=tolerances.AMPLITUDE
    )
    for failure in FAILURES:
        state = in_the_plane(amplitude, fixed_point_phases(num_iterations, failure))
        expected = fixed_point_success(amplitude, num_iterations, failure)
        assert abs(state[1]) ** 2 == pytest.approx(expected, abs=tolerances.AMPLITUDE)


@pytest.mark.parametrize("num_iterations", [0, 1, 3, 20, 200])
@pytest.mark.parametrize("failure", FAILURES)
def test_fixed_point_does_not_lead_away_again(num_iterations, failure):
    """From a threshold on success is at least 1 - failure, and comes down to that bound once for
    each iteration.
    """
    length = 2 * num_iterations + 1
    scale = math.cosh(math.acosh(1 / math.sqrt(failure)) / length)
    amplitudes = np.sqrt(1 - (np.cos(np.linspace(0, np.pi / 2, 40_001)) / scale) ** 2)
    success = np.array([fixed_point_success(each, num_iterations, failure) for each in amplitudes])
    assert success.min() > 1 - failure - tolerances.AMPLITUDE
    assert success[0] == pytest.approx(1 - failure)
    assert success[-1] == pytest.approx(1)
    assert fixed_point_success(0.9 * amplitudes[0], num_iterations, failure) < 1 - failure
    lows = (success[1:-1] < success[:-2]) & (success[1:-1] < success[2:])
    assert lows.sum() == num_iterations
    np.testing.assert_allclose(success[1:-1][lows], 1 - failure, atol=1e-3)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("amplitude", [0.001, 0.02, 0.3, 0.8])
def test_fixed_point_succeeds_from_the_length_of_the_paper_on(amplitude, failure):
    """L >= log(2 / sqrt(failure)) / |A|."""
    least = math.ceil((math.log(2 / math.sqrt(failure)) / amplitude - 1) / 2)
    for num_iterations in range(least, 3 * least + 10):
        assert (
            fixed_point_success(amplitude, num_iterations, failure)
            >= 1 - failure - tolerances.AMPLITUDE
        )


def test_phases_of_the_fixed_point_are_those_of_the_paper():
    """Symmetric, and with failure = 1 the pi / 3-like sequence without damping."""
    for failure in FAILURES:
        for num_iterations in (1, 2, 5):
            alpha, beta = fixed_point_phases(num_iterations, failure).T
            assert (alpha == -beta[::-1]).all()
            gamma = 1 / np.cosh(np.arccosh(failure**-0.5) / (2 * num_iterations + 1))
            tangent = np.tan(
                2 * np.pi * np.arange(1, num_iterations + 1) / (2 * num_iterations + 1)
            )
            np.testing.assert_allclose(
                1 / np.tan(alpha / 2), tangent * np.sqrt(1 - gamma**2), rtol=1e-12
            )
            assert ((alpha > 0) & (alpha < 2 * np.pi)).all()
    assert grover_phases(3).tolist() == 3 * [[math.pi, math.pi]]
    assert fixed_point_phases(0, 0.1).shape == grover_phases(0).shape == (0, 2)


@pytest.mark.parametrize("amplitude", [1e-5, 0.01, 0.1, 0.3, 0.5, 0.6, 0.7, 0.71, 0.9, 1.0])
def test_best_number_of_iterations_is_the_best_before_the_first_turn(amplitude):
    best = best_iterations(amplitude)
    half_turn = math.ceil(math.pi / (2 * math.asin(amplitude)))
    success = [grover_success(amplitude, k) for k in range(half_turn)] if amplitude > 1e-4 else []
    assert not success or success[best] == max(success)
    assert abs((2 * best + 1) * math.asin(amplitude) - math.pi / 2) <= math.asin(amplitude) * (
        1 + 1e-9
    )


def test_numbers_of_iterations_and_applications():
    assert best_iterations(0.0) == 0
    assert best_iterations(1 + 1e-15) == 0
    assert grover_success(1 + 1e-15, 3) == pytest.approx(1)
    assert fixed_point_success(1 + 1e-15, 3, 0.1) == pytest.approx(1)
    assert fixed_point_success(0.0, 5, 0.1) == pytest.approx(0, abs=tolerances.AMPLITUDE)
    assert [applications(k) for k in (0, 1, 7)] == [1, 3, 15]
    lengths = list(growing_lengths())
    assert lengths[:6] == list(islice(growing_lengths(), 6)) == [0, 1, 3, 7, 15, 31]
    assert MAX_ITERATIONS // 2 < lengths[-1] <= MAX_ITERATIONS
    for k in range(1, len(lengths)):
        assert sum(map(applications, lengths[: k + 1])) <= 2 * applications(lengths[k])


def problem_and_state(num_hidden=3, num_output=4):
    problem = oracle.random_problem(num_hidden, num_output, dtype=np.float64)
    return problem, coherent.anneal(problem, **RUN)


def masks():
    """Of 7 spins, with |A| from 0.04 to 1: a rare state, some states, half of them, all."""
    probabilities = np.abs(problem_and_state()[1]) ** 2
    order = np.argsort(probabilities)
    some = np.zeros((4, 128), bool)
    for mask, rows in zip(some, (order[40:41], order[20:70], order[::2], order), strict=True):
        mask[rows] = True
    return some


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_iterations", [0, 1, 2, 5])
@pytest.mark.parametrize("mask", masks(), ids=["one", "some", "half", "all"])
def test_amplify_does_what_the_closed_forms_say(method, num_iterations, mask):
    """And the state is that of the plane: psi's own marked and other part, each with one factor."""
    problem, psi = problem_and_state()
    done = coherent.amplify(
        problem, marked=mask, method=method, num_iterations=num_iterations, **RUN
    )
    amplitude = np.linalg.norm(psi[mask])
    rest, marked = in_the_plane(min(amplitude, 1), METHODS[method](num_iterations))
    size = np.linalg.norm(psi[~mask]) or 1
    expected = np.where(mask, marked * psi / amplitude, rest * psi / size)
    assert np.abs(done.state - expected).max() < 10 * tolerances.AMPLITUDE
    assert done.amplitude == pytest.approx(amplitude, abs=tolerances.AMPLITUDE)
    assert done.success_probability == pytest.approx(
        abs(marked) ** 2, abs=10 * tolerances.AMPLITUDE
    )
    assert (done.num_iterations, done.num_forward, done.num_reversed) == (
        num_iterations,
        num_iterations + 1,
        num_iterations,
    )
    assert done.num_applications == 2 * num_iterations + 1


@pytest.mark.parametrize("mask", masks()[:3], ids=["one", "some", "half"])
def test_defaults_of_amplify(mask):
    """Plain: the best number.

    Fixed point: 0, 1, 3 ... up to the first that succeeds, all of which are counted.
    """
    problem, psi = problem_and_state()
    amplitude, runs = float(np.linalg.norm(psi[mask])), []
    done = coherent.amplify(problem, marked=mask, **RUN)
    best = best_iterations(amplitude)
    assert (done.num_iterations, done.num_forward, done.num_reversed) == (best, best + 1, best)
    assert done.success_probability == pytest.approx(grover_success(amplitude, best), abs=1e-9)
    for failure in (0.3, 0.01):
        runs = [0]
        while fixed_point_success(amplitude, runs[-1], failure) < 1 - failure:
            runs.append(2 * runs[-1] + 1)
        done = coherent.amplify(problem, marked=mask, method="fixed-point", failure=failure, **RUN)
        assert done.success_probability >= 1 - failure
        assert done.success_probability == pytest.approx(
            fixed_point_success(amplitude, runs[-1], failure), abs=1e-9
        )
        assert (done.num_forward, done.num_reversed) == (sum(runs) + len(runs), sum(runs))
        assert done.num_iterations == runs[-1]
        assert done.num_applications == sum(map(applications, runs))


def test_marks_by_outputs_or_by_states_or_the_problems_own():
    problem, _ = problem_and_state()
    outputs = np.random.default_rng(0).random(16) < 0.4
    states = outputs[np.arange(128) >> 3]  # the hidden spins are the low bits
    marked = IsingProblem(
        problem.couplings, problem.hidden_fields, problem.output_fields, marked=[outputs]
    )
    first = coherent.amplify(problem, marked=outputs, **RUN)
    for other in (coherent.amplify(problem, marked=states, **RUN), coherent.amplify(marked, **RUN)):
        assert tolerances.same_bits(first.state, other.state)
    assert not np.allclose(coherent.amplify(marked, marked=~outputs, **RUN).state, first.state), (
        "the argument counts"
    )
    # Two problems with one row of marks, or one for each.
    pair = oracle.random_problem(3, 4, num_problems=2)
    for rows in ([outputs], [outputs, ~outputs]):
        both = IsingProblem(pair.couplings, pair.hidden_fields, pair.output_fields, marked=rows)
        for k in range(2):
            alone = coherent.amplify(pair[k : k + 1], marked=rows[k % len(rows)], **RUN)
            assert tolerances.same_bits(coherent.amplify(both[k : k + 1], **RUN).state, alone.state)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_marked_leaves_psi_alone(method):
    problem, psi = problem_and_state()
    done = coherent.amplify(
        problem, marked=np.zeros(16, bool), method=method, num_iterations=5, **RUN
    )
    assert tolerances.same_bits(done.state, psi)
    assert (done.amplitude, done.success_probability) == (0.0, 0.0)
    assert (done.num_iterations, done.num_forward, done.num_reversed) == (0, 1, 0)


def test_options_are_those_of_anneal():
    problem, _ = problem_and_state()
    outputs = np.arange(16) < 5
    bent = {"schedule": lambda t: (t / 3) ** 2, "num_threads": 2}
    single = coherent.amplify(problem, marked=outputs, dtype="c8", num_iterations=2, **bent, **RUN)
    double = coherent.amplify(problem, marked=outputs, num_iterations=2, **bent, **RUN)
    assert single.state.dtype == np.complex64
    assert np.abs(single.state - double.state).max() < 10 * tolerances.SINGLE_AMPLITUDE
    psi = coherent.anneal(problem, **bent, **RUN)
    assert double.amplitude == pytest.approx(np.linalg.norm(psi[np.arange(128) >> 3 < 5]))


OWN = oracle.random_problem(3, 4)

PAIR = oracle.random_problem(3, 4, num_problems=2)


def amplified(problem=OWN, **options):
    return coherent.amplify(problem, **{**RUN, "marked": np.ones(16, bool), **options})


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (
            lambda: amplified(PAIR),
            "ValueError: problem must be one problem, such as problem[:1], got 2",
        ),
        (
            lambda: amplified(num_steps=0, marked=3),
            "ValueError: num_steps must be at least 1, got 0",
        ),
        (
            lambda: amplified(marked=None),
            "ValueError: marked must be given for a problem that has none marked, got None",
        ),
        (
            lambda: amplified(marked=np.ones(16)),
            "TypeError: marked must be an array of booleans, got dtype float64",
        ),
        (
            lambda: amplified(marked=np.ones(8, bool)),
            "ValueError: marked must have shape (128,), got (8,)",
        ),
        (
            lambda: amplified(marked=np.ones((1, 16), bool)),
            "ValueError: marked must have shape (128,), got (1, 16)",
        ),
        (
            lambda: amplified(method="lucky"),
            "ValueError: method must be 'grover' or 'fixed-point', got 'lucky'",
        ),
        (
            lambda: amplified(num_iterations=-1),
            "ValueError: num_iterations must be at least 0, got -1",
        ),
        (
            lambda: amplified(num_iterations=1.0),
            "TypeError: num_iterations must be an integer, got 1.0",
        ),
        (lambda: amplified(failure=0), "ValueError: failure must be finite and above 0, got 0.0"),
        (lambda: amplified(failure=1), "ValueError: failure must be below 1, got 1.0"),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
