"""Tests of states: what is kept, what is refused, the lowest read, the mean spins and the
effective temperature.
"""

import dimod
import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.oracle import random_spins
from isingprop import Annealing, IsingProblem, States
from isingprop.states import basis

UP_DOWN = [[[1, -1]]]


def test_converts_and_keeps():
    states = States(spins=[[[1, -1], [1.0, 1]]], energies=[[1, 2]], info={"seed": 3})
    assert (states.spins.dtype, states.energies.dtype) == (np.int8, np.float64)
    assert states.spins.tolist() == [[[1, -1], [1, 1]]]
    assert states.energies.tolist() == [[1.0, 2.0]]
    assert (states.num_reads, states.info) == (2, {"seed": 3})


def test_arrays_of_the_right_type_are_not_copied():
    spins, energies = random_spins(2, 3, 4), np.zeros((2, 3))
    states = States(spins, energies)
    assert np.shares_memory(states.spins, spins)
    assert np.shares_memory(states.energies, energies)


def test_lowest_is_the_first_of_equals():
    spins = random_spins(3, 4, 5)
    energies = np.array([[3.0, 1, 2, 1], [0, 0, 0, 0], [5, 4, 3, -2]])
    lowest = States(spins, energies, {"seed": 1}).lowest()
    assert lowest.num_reads == 1
    assert lowest.energies.tolist() == [[1], [0], [-2]]
    np.testing.assert_array_equal(lowest.spins[:, 0], spins[[0, 1, 2], [1, 0, 3]])
    assert lowest.info == {"seed": 1}


def test_mean_spins():
    spins = random_spins(3, 8, 5)  # eight reads: every mean is a binary fraction, so it is exact
    means = States(spins, np.zeros((3, 8))).mean_spins()
    np.testing.assert_array_equal(means, spins.astype(float).sum(axis=1) / 8)


WEIGHTS = [[0.5, 0.25, 0.0, 0.25], [0.0, 0.0, 0.0, 0.0], [0.25, 0.0, 0.125, 0.0]]


def test_weights_are_converted_and_kept():
    states = States(random_spins(3, 4, 5), np.zeros((3, 4)), weights=np.float32(WEIGHTS))
    assert states.weights.dtype == np.float64
    assert states.weights.tolist() == WEIGHTS
    assert States(UP_DOWN, [[0.0]], weights=[[1]]).weights.dtype == np.float64
    assert States(UP_DOWN, [[0.0]]).weights is None


def test_mean_spins_with_weights_are_a_weighted_sum():
    """Of weights that are binary fractions, so that it is exact; it is not divided by their sum."""
    spins = random_spins(3, 4, 5)
    means = States(spins, np.zeros((3, 4)), weights=WEIGHTS).mean_spins()
    np.testing.assert_array_equal(means, (np.array(WEIGHTS)[..., None] * spins).sum(axis=1))
    assert not means[1].any()


def test_lowest_is_among_the_reads_that_have_a_weight():
    spins, energies = (
        random_spins(3, 4, 5),
        np.array([[3.0, 1, 0, 1], [2, 1, 0, 5], [0, -9, 0, -8]]),
    )
    states = States(spins, energies, {"seed": 1}, weights=WEIGHTS)
    assert states.lowest_read().tolist() == [
        1,
        2,
        0,
    ]  # in the second set none has one, so all count
    lowest = states.lowest()
    assert lowest.energies.tolist() == [[1], [0], [0]]
    np.testing.assert_array_equal(lowest.spins[:, 0], spins[[0, 1, 2], [1, 2, 0]])
    assert (lowest.info, lowest.weights) == ({"seed": 1}, None)


def test_a_weight_of_two_thirds_is_a_read_listed_twice():
    spins, problem = random_spins(2, 2, 6), oracle.random_problem(4, 2, num_problems=2)
    weighted = States(spins, np.zeros((2, 2)), weights=[[2 / 3, 1 / 3]] * 2)
    listed = states_of(np.ascontiguousarray(spins[:, [0, 0, 1]]))
    np.testing.assert_allclose(weighted.mean_spins(), listed.mean_spins(), rtol=0, atol=1e-15)
    assert weighted.beta_effective(problem) == pytest.approx(
        listed.beta_effective(problem), rel=1e-9
    )
    evenly = states_of(spins).beta_effective(problem)
    assert weighted.beta_effective(problem) != pytest.approx(evenly, rel=1e-3)


def test_cannot_be_reassigned():
    with pytest.raises(AttributeError):
        States([[[1]]], [[0.0]]).spins = None


@pytest.mark.parametrize(
    ("spins", "energies", "refusal"),
    [
        ([[1, -1]], [[0.0]], "ValueError: spins must have shape (n, n, n), got (1, 2)"),
        (np.ones((1, 0, 2)), [[]], "ValueError: spins must have shape (n, n, n), got (1, 0, 2)"),
        ([[[1, 0]]], [[0.0]], "ValueError: spins must be -1 or +1, got 0 at index (0, 0, 1)"),
        ([[[1, 0.5]]], [[0.0]], "ValueError: spins must be -1 or +1, got 0.5 at index (0, 0, 1)"),
        (
            [[[1, np.nan]]],
            [[0.0]],
            "ValueError: spins must be -1 or +1, got nan at index (0, 0, 1)",
        ),
        ([[[True, False]]], [[0.0]], "TypeError: spins must be an array of spins, got dtype bool"),
        ([[["1", "-1"]]], [[0.0]], "TypeError: spins must be an array of spins, got dtype <U2"),
        (UP_DOWN, [0.0], "ValueError: energies must have shape (1, 1), got (1,)"),
        (UP_DOWN, [[0.0, 1.0]], "ValueError: energies must have shape (1, 1), got (1, 2)"),
        (UP_DOWN, [[np.inf]], "ValueError: energies must be finite, got inf"),
        (UP_DOWN, [[np.nan]], "ValueError: energies must be finite, got nan"),
        (UP_DOWN, [["1.0"]], "TypeError: energies must be an array of real numbers, got dtype <U3"),
        (
            UP_DOWN,
            [[1j]],
            "TypeError: energies must be an array of real numbers, got dtype complex128",
        ),
        (
            UP_DOWN,
            [[None]],
            "TypeError: energies must be an array of real numbers, got dtype object",
        ),
    ],
)
def test_refusals(assert_refused, spins, energies, refusal):
    assert_refused(lambda: States(spins, energies), refusal)


@pytest.mark.parametrize(
    ("weights", "refusal"),
    [
        ([1.0], "ValueError: weights must have shape (1, 1), got (1,)"),
        ([[0.5, 0.5]], "ValueError: weights must have shape (1, 1), got (1, 2)"),
        ([[-0.25]], "ValueError: weights must be at least 0, got -0.25"),
        ([[np.nan]], "ValueError: weights must be finite, got nan"),
        ([[True]], "TypeError: weights must be an array of real numbers, got dtype bool"),
    ],
)
def test_refusals_of_weights(assert_refused, weights, refusal):
    assert_refused(lambda: States(UP_DOWN, [[0.0]], weights=weights), refusal)


def states_of(spins):
    return States(spins, np.zeros(spins.shape[:2]))


def free_spins(fields):
    """A problem without couplings and the state with all spins up, so that s_k f_k are these
    numbers and a 0.
    """
    problem = IsingProblem(np.zeros((len(fields), 1)), [fields], [[0.0]])
    return states_of(np.ones((1, 1, len(fields) + 1), np.int8)), problem


def scores(problem, spins, beta):
    """First and minus second derivative of each state's log-pseudolikelihood: (B R,), (B R,)."""
    aligned = (spins * oracle.local_fields(problem, spins)).reshape(-1, problem.num_spins)
    first = -2 * aligned / (1 + np.exp(-2 * beta * aligned))
    return first.sum(axis=1), ((aligned / np.cosh(beta * aligned)) ** 2).sum(axis=1)


@pytest.mark.parametrize("size", [(1, 1, 1), (6, 3, 50), (120, 40, 20)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_beta_effective_is_that_of_dwave_system(size, dtype):
    from dwave.system.temperatures import maximum_pseudolikelihood_temperature

    problem = oracle.random_problem(*size[:2], dtype=dtype)
    spins = random_spins(1, size[2], problem.num_spins, seed=1)
    if size == (1, 1, 1):
        spins = np.int8([[[1, -1], [1, 1], [-1, 1]]])
    samples = dimod.SampleSet.from_samples(
        spins[0], energy=np.zeros(spins.shape[1]), vartype="SPIN"
    )
    temperature, _ = maximum_pseudolikelihood_temperature(problem.to_bqm(), samples)
    assert states_of(spins).beta_effective(problem) == pytest.approx(
        1 / temperature, rel=1e-6
    )  # its own precision


@pytest.mark.parametrize("beta", [-0.7, 0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("shared", [False, True])
def test_beta_effective_of_exact_samples_is_their_beta(beta, shared):
    """The standard error is the root of E[score^2] / n over E[curvature], by enumeration."""
    problem, num_reads = (
        oracle.random_problem(4, 3, num_problems=3, shared_output_fields=shared),
        10_000,
    )
    probabilities, states = oracle.boltzmann(problem, beta), oracle.all_states(7)
    random = np.random.default_rng(0)
    spins = np.stack(
        [states[random.choice(len(states), num_reads, p=each)] for each in probabilities]
    )
    first, second = (each.reshape(3, -1) for each in scores(problem, np.stack([states] * 3), beta))
    information = num_reads * (probabilities * second).sum()
    sigma = np.sqrt(num_reads * (probabilities * first**2).sum()) / information
    assert sigma < 0.02
    assert abs(states_of(spins).beta_effective(problem) - beta) < tolerances.SIGMAS * sigma


@pytest.mark.parametrize("beta", [-0.7, 0.3, 2.5])
def test_beta_effective_of_all_states_by_their_probabilities_is_beta(beta):
    problem = oracle.random_problem(4, 3, num_problems=3, dtype=np.float64)
    spins, weights = np.stack([oracle.all_states(7)] * 3), oracle.boltzmann(problem, beta)
    for shares in (weights, 0.01 * weights):
        states = States(spins, np.zeros(weights.shape), weights=shares)
        assert states.beta_effective(problem) == pytest.approx(beta, rel=1e-9)
    silent = np.where(np.arange(3)[:, None] == 1, weights, 0)
    alone = States(spins[1:2], np.zeros((1, 128)), weights=weights[1:2]).beta_effective(
        problem[1:2]
    )
    assert States(spins, np.zeros(weights.shape), weights=silent).beta_effective(
        problem
    ) == pytest.approx(alone)


def test_beta_effective_leaves_reads_without_a_weight_out():
    """Ground states alone are infinitely cold, and no reads at all have no temperature."""
    problem = oracle.random_problem(4, 3)
    states = oracle.all_states(7)[None]
    ground = oracle.energies(problem, states).argmin()
    weights = (np.arange(128) == ground)[None] * 0.5
    assert States(states, np.zeros((1, 128)), weights=weights).beta_effective(problem) == np.inf
    assert np.isnan(States(states, np.zeros((1, 128)), weights=0 * weights).beta_effective(problem))


@pytest.mark.parametrize("beta", [0.05, 0.2, 0.4])
def test_beta_effective_of_the_annealer_at_constant_beta_is_that_beta(beta):
    problem = oracle.random_problem(120, 40, num_problems=2)
    states = Annealing(200, (beta, beta), descend=False).sample(problem, num_reads=200, seed=0)
    first, second = scores(problem, states.spins, beta)
    sigma = np.sqrt((first**2).sum()) / second.sum()
    assert sigma < 0.02 * max(beta, 0.1)
    assert abs(states.beta_effective(problem) - beta) < tolerances.SIGMAS * sigma


@pytest.mark.parametrize(("num_problems", "num_reads"), [(1, 1), (3, 7), (2, 500)])
@pytest.mark.parametrize("down", [0.5, 0.2, 0.99])
def test_beta_effective_makes_the_pseudolikelihood_largest(num_problems, num_reads, down):
    problem = oracle.random_problem(60, 20, num_problems=num_problems, dtype=np.float64)
    spins = np.where(
        np.random.default_rng(0).random((num_problems, num_reads, 80)) < down, -1, 1
    ).astype(np.int8)
    beta = states_of(spins).beta_effective(problem)
    width = 1e-9 * max(abs(beta), 1e-3)
    below, above = (scores(problem, spins, near)[0].sum() for near in (beta - width, beta + width))
    assert above < 0 < below


@pytest.mark.parametrize("factor", [2.0**-660, 2.0**-9, 2.0**660])
def test_beta_effective_scales_as_one_over_the_unit_to_the_last_bit(factor):
    problem = oracle.random_problem(30, 20, num_problems=2, dtype=np.float64)
    states = states_of(random_spins(2, 400, 50))
    scaled = [
        factor * array
        for array in (problem.couplings, problem.hidden_fields, problem.output_fields)
    ]
    assert states.beta_effective(IsingProblem(*scaled)) * factor == states.beta_effective(problem)


@pytest.mark.parametrize("factor", [1e-200, 1e-30, 3.0, 1e30, 1e200])
@pytest.mark.parametrize(
    ("fields", "beta"),
    [
        ([-1, -1, 1], np.log(2) / 2),
        ([1, 1, -1], -np.log(2) / 2),
        ([-1, 1, 0], 0.0),
        ([-1] * 999 + [1], np.log(999) / 2),
        ([-1, -1, 1, -1e9], np.log(2) / 2),
        ([-1, -1, 1, -1e-30], np.log(2) / 2),
    ],
)
def test_beta_effective_of_free_spins(fields, beta, factor):
    states, problem = free_spins(factor * np.array(fields, float))
    assert states.beta_effective(problem) == pytest.approx(
        beta / factor, rel=1e-11, abs=1e-13 / factor
    )


@pytest.mark.parametrize(
    ("fields", "beta"),
    [
        ([-1, -2], np.inf),
        ([-1, 0], np.inf),
        ([3], -np.inf),
        ([0, 1e-300], -np.inf),
        ([0, 0], np.nan),
        ([-1, -1e-100, 1e-100, -1e-100], np.inf),
        ([1, 1e-100, -1e-100, 1e-100], -np.inf),
        ([-1e306, -1e306, 1e306], np.log(2) / 2e306),
    ],
)
def test_beta_effective_at_the_ends(fields, beta):
    states, problem = free_spins(fields)
    assert states.beta_effective(problem) == pytest.approx(beta, rel=1e-11, abs=0, nan_ok=True)


def test_beta_effective_of_local_minima_and_maxima():
    problem = oracle.random_problem(20, 10, num_problems=3)
    states = Annealing(num_sweeps=1).sample(problem, num_reads=5, seed=0)
    assert states.beta_effective(problem) == np.inf
    mirrored = IsingProblem(-problem.couplings, -problem.hidden_fields, -problem.output_fields)
    assert states.beta_effective(mirrored) == -np.inf


def test_refusals_of_beta_effective(assert_refused):
    states = states_of(random_spins(2, 3, 5))
    for sizes, shape in (((3, 2, 1), (1, "n", 5)), ((3, 3, 2), (2, "n", 6))):
        problem = oracle.random_problem(*sizes[:2], num_problems=sizes[2])
        wanted = ", ".join(map(str, shape))
        refusal = f"ValueError: spins must have shape ({wanted}), got (2, 3, 5)"
        assert_refused(lambda: states.beta_effective(problem), refusal)  # noqa: B023
    huge = IsingProblem(np.full((3, 2), 1e308), np.zeros((2, 3)), np.zeros((1, 2)))
    refusal = "ValueError: local fields must be finite, got sizes up to inf"
    assert_refused(lambda: states_of(np.ones((2, 1, 5), np.int8)).beta_effective(huge), refusal)


def test_basis_is_all_states_with_bit_1_for_up():
    for num_spins in (1, 2, 9):
        np.testing.assert_array_equal(basis(num_spins), oracle.up_states(num_spins))
        assert basis(num_spins).dtype == np.int8
        assert not basis(num_spins).flags.writeable
