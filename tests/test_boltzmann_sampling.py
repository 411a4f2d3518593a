"""Sampling energy-based models: their Ising problems, outputs of every sampler, sampled gradients, temperatures."""

import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler
from dwave.system.testing import MockDWaveSampler
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2

import oracle
import tolerances
from isingprop import Annealing, DWave, EmulatedQPU, EnergyModel, FromDimod, States, Tempering
from isingprop.energy_model.mlp import PARAMETERS
from isingprop.energy_model.model import GIBBS

READS = 10_000
HOT = {"descend": False, "num_sweeps": 40}


def anneal(beta, **options):
    return Annealing(beta_range=(beta, beta), **HOT | options)


def dimod_at(beta):
    """Gibbs sampling by dwave-samplers."""
    options = {
        "beta_range": [beta, beta],
        "num_sweeps": 40,
        "proposal_acceptance_criteria": "Gibbs",
    }
    return FromDimod(SimulatedAnnealingSampler(), **options)


class Shifted:
    """Boltzmann's distribution of another problem: all fields are off by a tenth."""

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        other = type(problem)(
            problem.couplings, problem.hidden_fields + 0.1, problem.output_fields + 0.1
        )
        states = anneal(1.0).sample(other, num_reads, seed, initial)
        return States(states.spins, problem.energies(states.spins))


RIGHT = {
    "Gibbs": GIBBS,
    "annealing": anneal(1.0, num_threads=2),
    "tempering": Tempering(24, (0.25, 1.0), num_betas=3, target_beta=1.0),
    "dimod": dimod_at(1.0),
}
WRONG = {
    "annealing, too cold": anneal(1.2),
    "dimod, too hot": dimod_at(0.8),
    "shifted fields": Shifted(),
    "low states": Annealing(),
}
SAMPLERS = [*((name, False) for name in RIGHT), *((name, True) for name in WRONG)]


def case(num_hidden=5, num_outputs=2, *, count=4, seed=0):
    """A model whose outputs are neither certain nor even, its inputs and labels."""
    model = oracle.random_energy_model(4, num_hidden, num_outputs, seed=seed)
    random = np.random.default_rng([seed, count])
    return model, random.random((count, 4)), random.integers(0, 2, (count, num_outputs))


def numbers(outputs):
    """Of outputs (..., M): bit k is unit k."""
    return (outputs.astype(np.int64) << np.arange(outputs.shape[-1])).sum(axis=-1)


def probabilities(model, x):
    """P(y | x), by enumeration: (B, 2^M)."""
    return oracle.joint(model, x).sum(axis=2)


# The Ising problem


def ising_probabilities(problem, beta):
    """As oracle.joint: bit k of an index is 1 where spin k is up, hidden spins first."""
    up = oracle.boltzmann(problem, beta)[:, ::-1]
    return up.reshape(len(up), 2**problem.num_output, 2**problem.num_hidden)


@pytest.mark.parametrize("beta", [1.0, 0.3, 16.0])
@pytest.mark.parametrize("size", [(1, 1), (5, 2), (8, 3), (2, 4)])
def test_boltzmann_weights_of_the_problem_are_the_joint_distribution(size, beta):
    model, x, _ = case(*size)
    problem = model.problem(x, beta_effective=beta)
    exact = oracle.joint(model, x)
    np.testing.assert_allclose(ising_probabilities(problem, beta), exact, rtol=1e-10)
    assert not np.allclose(ising_probabilities(problem, 1.2 * beta), exact, rtol=0.01)
    assert (problem.num_hidden, problem.num_output, len(problem)) == (*size, 4)
    # E[k | x, y] = sigma(W1 x + W2^T y + b), the sign of the paper's Eqs. (18) and (20).
    joint = ising_probabilities(problem, beta)
    means = joint @ oracle.bits(size[0]) / joint.sum(axis=2, keepdims=True)
    inside = (x @ model.input_weights.T + model.hidden_bias)[:, None] + oracle.bits(
        size[1]
    ) @ model.output_weights
    np.testing.assert_allclose(means, 1 / (1 + np.exp(-inside)), rtol=1e-9)


@pytest.mark.parametrize("beta", [1.0, 16.0])
def test_energies_are_those_of_equation_37(beta):
    """q^T Q q with an upper triangular Q, of the sign that goes with P ~ exp(+q^T Q q), and a constant."""
    num_hidden, num_outputs = 5, 2
    model, x, _ = case(num_hidden, num_outputs)
    problem, spins = model.problem(x, beta_effective=beta), oracle.all_states(7)
    q = (1.0 + spins) / 2
    for b in range(len(x)):
        upper = np.zeros((7, 7))
        upper[:num_hidden, :num_hidden] = np.diag(
            model.input_weights @ x[b] + model.hidden_bias
        )  # B
        upper[:num_hidden, num_hidden:] = (
            model.output_weights.T
        )  # K x M: the paper's W2, turned over to fit
        upper[num_hidden:, num_hidden:] = np.diag(model.output_bias)  # C
        assert (upper == np.triu(upper)).all()
        gaps = problem.energies(np.broadcast_to(spins, (len(x), *spins.shape)))[b] + (
            q @ upper / beta * q
        ).sum(axis=1)
        np.testing.assert_allclose(gaps, gaps[0], rtol=0, atol=1e-12)


def test_the_problem_does_not_grow_with_the_inputs_and_takes_streams():
    model, x, _ = case()
    assert model.problem(x).streams.tolist() == [0, 1, 2, 3]
    assert model.problem(x, streams=[7, 7, 0, 2]).streams.tolist() == [7, 7, 0, 2]
    assert model.problem(x).output_fields.shape == (1, 2)
    assert model.problem(x).couplings.dtype == np.float64


# Outputs


@pytest.mark.parametrize(("name", "wrong"), SAMPLERS)
@pytest.mark.parametrize("size", [(5, 1), (5, 2), (4, 3)])
def test_outputs_of_samplers_are_drawn_from_p_of_y_given_x(name, wrong, size):
    """Of the wrong ones each is found out on one input at least."""
    model, x, _ = case(*size)
    outputs = (WRONG if wrong else RIGHT)[name].sample(model.problem(x), READS, 0).spins[
        :, :, size[0] :
    ] > 0
    same = model.sample(x, (WRONG if wrong else RIGHT)[name], READS, seed=0)
    assert (same.shape, same.dtype) == ((4, READS, size[1]), np.int8)
    assert tolerances.same_bits(same, outputs.astype(np.int8))
    exact = probabilities(model, x)
    rejected = [tolerances.is_rejected(*each) for each in zip(numbers(same), exact, strict=True)]
    assert any(rejected) == wrong


def test_outputs_of_states_are_the_last_spins_as_bits():
    model, x, _ = case(5, 2)
    states = GIBBS.sample(model.problem(x), 6, 0)
    outputs = model.outputs(states)
    assert outputs.dtype == np.int8
    np.testing.assert_array_equal(2 * outputs - 1, states.spins[:, :, 5:])


def test_gibbs_sampling_is_the_default_sampler_and_1000_reads():
    model, x, _ = case()
    assert tolerances.same_bits(model.sample(x, seed=3), model.sample(x, GIBBS, 1000, 3))
    assert not np.array_equal(model.sample(x), model.sample(x))


@pytest.mark.parametrize("num_hidden", [548, 5000])
def test_large_models_are_sampled_in_one_call(num_hidden):
    model, x = (
        oracle.random_energy_model(3, num_hidden, 2, scale=0.02),
        oracle.random_images(2, 3).astype(float),
    )
    exact = np.exp(oracle.output_log_prob(model, x))
    drawn = numbers(model.sample(x, num_reads=2000, seed=0))
    for each, p in zip(drawn, exact, strict=True):
        assert not tolerances.is_rejected(each, p)
        assert tolerances.is_rejected(each, p[::-1])


def test_tempering_crosses_between_outputs_that_gibbs_sampling_does_not():
    """Hidden units that all pull one way hold the output where it is."""
    weights = np.full((1, 20), 3.0)
    even = -20 * np.log((1 + np.exp(3)) / 2)
    model = EnergyModel(np.zeros((20, 1)), weights, output_bias=[even + 0.3])
    exact = 1 / (1 + np.exp(-0.3))
    assert np.exp(model.log_prob([[0.0]]))[0, 1] == pytest.approx(exact, rel=1e-9)
    tempering = Tempering(200, (0.05, 1.0), num_betas=12, target_beta=1.0)
    for sampler, wrong in ((tempering, False), (GIBBS, True)):
        outputs = model.sample([[0.0]], sampler, 5000, seed=0)
        assert tolerances.is_rejected(numbers(outputs)[0], np.array([1 - exact, exact])) == wrong


@pytest.mark.parametrize("name", RIGHT)
def test_inputs_sampled_whole_or_in_parts_give_the_same_bits(name):
    model, x, _ = case(count=5)
    sampler = RIGHT[name]
    whole = sampler.sample(model.problem(x), 30, seed=4).spins
    assert tolerances.same_bits(whole, sampler.sample(model.problem(x), 30, seed=4).spins)
    assert not np.array_equal(whole, sampler.sample(model.problem(x), 30, seed=5).spins)
    for rows in ([0, 1], [2, 3, 4], [4, 0]):
        part = sampler.sample(model.problem(x[rows], streams=rows), 30, seed=4).spins
        assert tolerances.same_bits(part, whole[rows])


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("limit", [1, 7 * 30, 2 * 7 * 30, 5 * 7 * 30 - 1])
def test_states_that_are_too_many_at_once_are_drawn_in_parts_of_the_same_bits(
    monkeypatch, name, limit
):
    model, x, _ = case(count=5)
    whole = model.sample(x, RIGHT[name], 30, seed=4)
    monkeypatch.setattr("isingprop.energy_model.model._MOST_BYTES", limit)
    assert tolerances.same_bits(whole, model.sample(x, RIGHT[name], 30, seed=4))


def test_the_number_of_threads_changes_nothing(kernel):
    model, x, _ = case(17, 3, count=9)
    one, many = (model.sample(x, anneal(1.0, num_threads=n), 50, seed=1) for n in (1, 5))
    assert tolerances.same_bits(one, many)
    assert tolerances.same_bits(model.sample(x, anneal(1.0), 50, seed=1, beta_effective=1), one)


# Divergences


def test_frequencies_and_divergence_of_samples():
    model, x, _ = case(3, 2, count=2)
    outputs = np.array([[[0, 1], [1, 1], [0, 1], [0, 0]], [[1, 0]] * 4])
    frequencies = [[0.25, 0, 0.5, 0.25], [0, 1, 0, 0]]
    np.testing.assert_array_equal(model.frequencies(outputs), frequencies)
    total = 0.0
    for p, q in zip(probabilities(model, x), np.array(frequencies), strict=True):
        middle = (p + q) / 2
        for each in (p, q):
            seen = each > 0
            total += (each[seen] * np.log(each[seen] / middle[seen])).sum() / 2
    assert model.divergence(x, outputs) == pytest.approx(total / 2, rel=1e-12)


def test_divergence_is_nothing_for_exact_proportions_and_log_2_at_most():
    even = EnergyModel([[0.0]], [[0.0]])
    assert even.divergence([[0.0]], [[[0], [1]]]) == pytest.approx(0, abs=1e-15)
    sure = EnergyModel([[0.0]], [[0.0]], output_bias=[200.0])
    assert sure.divergence([[0.0]], [[[0], [0]]]) == pytest.approx(np.log(2), rel=1e-12)
    assert sure.divergence([[0.0]], [[[1], [1]]]) == pytest.approx(0, abs=1e-15)


# Gradients from samples


def contributions(model, x):
    """What a sample of each output adds to the second means of Eqs. (14) and (15): by parameter (B, 2^M, ...)."""
    outputs = oracle.bits(model.output_weights.shape[0])
    inside = (x @ model.input_weights.T + model.hidden_bias)[
        :, None
    ] + outputs @ model.output_weights
    hidden = 1 / (1 + np.exp(-inside))
    return {
        "input_weights": hidden[..., None] * x[:, None, None],
        "output_weights": outputs[..., None] * hidden[:, :, None],
        "hidden_bias": hidden,
        "output_bias": np.broadcast_to(outputs, (len(x), *outputs.shape)),
    }


def standard_errors(model, x, num_reads):
    """Of all entries of a gradient of so many independent reads of each input, by parameter."""
    p, errors = probabilities(model, x), {}
    for name, values in contributions(model, x).items():
        mean = np.einsum("bo,bo...->b...", p, values)
        variances = np.einsum("bo,bo...->b...", p, (values - mean[:, None]) ** 2)
        errors[name] = np.sqrt(variances.sum(axis=0) / num_reads) / len(x)
    return errors


def z_scores(model, x, y, outputs):
    """Of all entries, in a row."""
    exact, sampled = model.gradient(x, y), model.gradient(x, y, outputs)
    errors = standard_errors(model, x, outputs.shape[1])
    parts = [(getattr(sampled, name) - getattr(exact, name)) / errors[name] for name in PARAMETERS]
    return np.concatenate([part.ravel() for part in parts])


@pytest.mark.parametrize(("name", "wrong"), SAMPLERS)
@pytest.mark.parametrize("size", [(5, 1), (6, 2)])
def test_sampled_gradients_agree_with_exact_ones(name, wrong, size):
    """Each of some fifty entries with the false-alarm rate of SIGMAS."""
    model, x, y = case(*size)
    outputs = model.sample(x, (WRONG if wrong else RIGHT)[name], READS, seed=1)
    scores = z_scores(model, x, y, outputs)
    assert (np.abs(scores).max() > tolerances.SIGMAS) == wrong


def test_sampled_gradients_spread_as_independent_reads_do():
    """300 gradients of 100 reads each: the sum of squares of each entry's z-scores, by chi-square, two-sided."""
    model, x, y = case()
    outputs = model.sample(x, GIBBS, 30_000, seed=2)
    squares = sum(z_scores(model, x, y, part) ** 2 for part in np.split(outputs, 300, axis=1))
    low, high = chi2.isf([1 - tolerances.FALSE_ALARM / 2, tolerances.FALSE_ALARM / 2], 300)
    assert ((squares > low) & (squares < high)).all()


# Temperatures


@pytest.mark.parametrize("beta", [0.3, 2.5])
def test_a_sampler_at_another_temperature_gives_p_with_its_beta_effective(beta):
    model, x, _ = case()
    exact = probabilities(model, x)
    for sampler in (anneal(beta), dimod_at(beta)):
        for told, wrong in ((beta, False), (1.0, True), (1.2 * beta, True)):
            drawn = numbers(model.sample(x, sampler, READS, seed=0, beta_effective=told))
            assert (
                any(tolerances.is_rejected(*each) for each in zip(drawn, exact, strict=True))
                == wrong
            )


def estimate_error(model, x, beta, guess, num_reads):
    """Standard error of a maximum-pseudolikelihood estimate (Godambe's), by enumeration of all states.

    The slope of a read's log-pseudolikelihood is -2 sum s_k f_k sigma(2 beta s_k f_k).
    """
    problem = model.problem(x, beta_effective=guess)
    spins = np.tile(oracle.all_states(problem.num_spins), (len(x), 1, 1))
    aligned = spins * oracle.local_fields(problem, spins)
    sigma = 1 / (1 + np.exp(-2 * beta * aligned))
    slopes = (-2 * aligned * sigma).sum(axis=2)
    curvatures = (4 * aligned**2 * sigma * (1 - sigma)).sum(axis=2)
    p = oracle.boltzmann(problem, beta)
    np.testing.assert_allclose((p * slopes).sum(axis=1), 0, atol=1e-10)
    return np.sqrt((p * slopes**2).sum() / num_reads) / (p * curvatures).sum()


@pytest.mark.parametrize("guess", [1.0, 3.0])
@pytest.mark.parametrize("beta", [0.4, 1.0, 2.0])
def test_the_beta_of_a_sampler_is_found(beta, guess):
    """Whatever the guess, in the units of the problem's own J; a beta that is 10 % off is told from it."""
    model, x, _ = case()
    error = estimate_error(model, x, beta, guess, READS)
    for sampler, factor in ((anneal(beta), 1.0), (dimod_at(beta), 1.0), (anneal(1.1 * beta), 1.1)):
        found = model.estimate_beta_effective(x, sampler, READS, 0, guess=guess)
        assert (abs(found - beta) > tolerances.SIGMAS * error) == (factor != 1)
        problem = model.problem(x, beta_effective=guess)
        assert found == sampler.sample(problem, READS, 0).beta_effective(problem)


def test_search_finds_the_beta_of_a_sampler():
    model, x, _ = case()
    grid = [0.5, 1.0, 2.0, 4.0, 8.0]
    for best, beta in enumerate(grid):
        divergences = model.search_beta_effective(x, anneal(beta), grid, 5000, seed=0)
        assert (divergences.shape, divergences.argmin()) == ((5,), best)
        assert divergences[best] < 0.1 * np.delete(divergences, best).min()
    for k, told in enumerate(grid):  # those of the last sampler, one by one
        outputs = model.sample(x, anneal(8.0), 5000, 0, beta_effective=told)
        assert divergences[k] == model.divergence(x, outputs)
        pairs = zip(model.frequencies(outputs), probabilities(model, x), strict=True)
        assert divergences[k] == pytest.approx(
            np.mean([jensenshannon(*pair) ** 2 for pair in pairs]), rel=1e-9
        )
    assert model.search_beta_effective(x, GIBBS, (1.0,), 10).shape == (1,)


# D-Wave


@pytest.fixture
def make(tmp_path):
    made = []

    def make(solver, **settings):
        made.append(
            DWave(solver=solver, descend=False, record=tmp_path / str(len(made)), **settings)
        )
        return made[-1]

    yield make
    for sampler in made:
        sampler.close()


@pytest.mark.parametrize("size", [(4, 1), (3, 2)])
def test_outputs_of_an_emulated_chip_are_drawn_from_p(make, size):
    """A chip at beta = 3 with half the couplings samples at 1.5; chains hold."""
    model, x, _ = case(*size, count=3)
    qpu = make(EmulatedQPU("zephyr", 1, beta=3.0, sweeps_per_us=20.0), scale=0.5)
    exact = probabilities(model, x)
    for told, wrong in ((1.5, False), (1.0, True)):
        outputs = model.sample(x, qpu, 3000, seed=0, beta_effective=told)
        assert (outputs.shape, outputs.dtype) == ((3, 3000, size[1]), np.int8)
        assert (
            any(tolerances.is_rejected(*each) for each in zip(numbers(outputs), exact, strict=True))
            == wrong
        )
        # Told 1.5, or 1.0, the chip's clock is the same. 5 %: its anneal, of some hundred sweeps, comes to an end.
        assert model.estimate_beta_effective(x, qpu, 3000, 0, guess=told) == pytest.approx(
            1.5, rel=0.05
        )
        info = qpu.sample(model.problem(x, beta_effective=told), 3000, 0).info
        assert info["clipped"] == 0


@pytest.mark.parametrize("size", [(5, 1), (3, 2)])
def test_biases_out_of_the_chips_range_are_capped_and_counted(make, size):
    """h within 4 on a Zephyr chip: of each input's K + M fields those count that are beyond, on chains of one qubit."""
    chip = EmulatedQPU("zephyr", 1)
    assert chip.properties["h_range"] == [-4.0, 4.0]
    drawn = oracle.random_energy_model(4, *size, scale=0.5)
    model = EnergyModel(
        20 * drawn.input_weights, drawn.output_weights, drawn.hidden_bias, drawn.output_bias
    )
    x = oracle.random_images(3, 4).astype(np.float64)
    qpu = make(chip, scale=1.0, num_copies=1)
    problem = model.problem(x)
    lengths = np.array([len(chain) for chain in qpu.copies(*size)[0].hidden])
    beyond = int(((np.abs(problem.hidden_fields) / lengths > 4) * lengths).sum())
    assert beyond > 0
    assert qpu.sample(problem, 10, seed=0).info["clipped"] == beyond
    outputs = model.sample(x, qpu, 10, seed=0)
    assert outputs.shape == (3, 10, size[1])
    assert set(np.unique(outputs)) <= {0, 1}


def test_oceans_own_mock_is_a_solver(make):
    model, x, y = case(3, 2)
    mock = MockDWaveSampler(topology_type="zephyr", topology_shape=[1, 4], parameter_warnings=False)
    outputs = model.sample(x, make(mock), 7, seed=0)
    assert outputs.shape == (4, 7, 2)
    assert np.isfinite(model.gradient(x, y, outputs).input_weights).all()


# Refusals

MODEL, X, Y = case()


class Nameless:
    """No sampler."""


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: MODEL.problem(X[:, :2]), "ValueError: x must have shape (n, 4), got (4, 2)"),
        (
            lambda: MODEL.problem(X * np.nan),
            "ValueError: x must be finite, got nan at index (0, 0)",
        ),
        (
            lambda: MODEL.problem(X, beta_effective=0),
            "ValueError: beta_effective must be finite and above 0, got 0.0",
        ),
        (
            lambda: MODEL.problem(X, beta_effective=-1),
            "ValueError: beta_effective must be finite and above 0, got -1",
        ),
        (
            lambda: MODEL.problem(X, beta_effective="1"),
            "TypeError: beta_effective must be a number, got '1'",
        ),
        (
            lambda: MODEL.problem(X, beta_effective=np.nan),
            "ValueError: beta_effective must be finite and above 0, got",
        ),
        (
            lambda: MODEL.problem(X, streams=[1]),
            "ValueError: streams must have shape (4,), got (1,)",
        ),
        (lambda: MODEL.sample(X[0]), "ValueError: x must have shape (n, 4), got (4,)"),
        (
            lambda: MODEL.sample(X, Nameless()),
            "TypeError: sampler must have a method sample(), got Nameless",
        ),
        (
            lambda: MODEL.sample(X, Annealing),
            "TypeError: sampler must be an instance, got the class Annealing",
        ),
        (
            lambda: MODEL.sample(X, SimulatedAnnealingSampler()),
            "TypeError: sampler must be one of isingprop's, got the dimod sampler SimulatedAnnealingSampler: use FromD",
        ),
        (lambda: MODEL.sample(X, num_reads=0), "ValueError: num_reads must be at least 1, got 0"),
        (
            lambda: MODEL.sample(X, num_reads=2.0),
            "TypeError: num_reads must be an integer, got 2.0",
        ),
        (lambda: MODEL.sample(X, seed=-1), "ValueError: seed must be at least 0, got -1"),
        (
            lambda: MODEL.sample(X, beta_effective=0),
            "ValueError: beta_effective must be finite and above 0, got 0.0",
        ),
        (
            lambda: MODEL.outputs(States(np.ones((4, 3, 6)), np.zeros((4, 3)))),
            "ValueError: spins must have shape (n, n, 7), got (4, 3, 6)",
        ),
        (
            lambda: MODEL.frequencies(np.ones((2, 3))),
            "ValueError: outputs must have shape (n, n, 2), got (2, 3)",
        ),
        (
            lambda: MODEL.frequencies(np.full((1, 1, 2), 3)),
            "ValueError: outputs must be 0 or 1, got 3 at index (0, 0",
        ),
        (
            lambda: MODEL.divergence(X, np.ones((4, 3, 1))),
            "ValueError: outputs must have shape (4, n, 2), got (4, 3",
        ),
        (
            lambda: MODEL.divergence(X, np.ones((3, 3, 2))),
            "ValueError: outputs must have shape (4, n, 2), got (3, 3, ",
        ),
        (
            lambda: MODEL.estimate_beta_effective(X, None),
            "TypeError: sampler must have a method sample(), got NoneType",
        ),
        (
            lambda: MODEL.outputs(
                States(np.ones((4, 3, 7)), np.zeros((4, 3)), weights=np.ones((4, 3)) / 3)
            ),
            "ValueError: states must be samples, got states with weights",
        ),
        (
            lambda: MODEL.sample("x", None, 0, -1, beta_effective=0),
            "TypeError: x must be an array of real numbers",
        ),
        (
            lambda: MODEL.sample(X, None, 0, -1, beta_effective=0),
            "TypeError: sampler must have a method sample()",
        ),
        (
            lambda: MODEL.sample(X, GIBBS, 0, -1, beta_effective=0),
            "ValueError: num_reads must be at least 1, got 0",
        ),
        (
            lambda: MODEL.problem("x", beta_effective=0),
            "TypeError: x must be an array of real numbers",
        ),
        (
            lambda: MODEL.search_beta_effective(X, None, [0], 0, -1),
            "TypeError: sampler must have a method sample()",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1], 0, -1),
            "ValueError: num_reads must be at least 1, got 0",
        ),
        (
            lambda: MODEL.estimate_beta_effective(X, GIBBS, 0),
            "ValueError: num_reads must be at least 1, got 0",
        ),
        (
            lambda: MODEL.estimate_beta_effective(X, GIBBS, guess=0),
            "ValueError: guess must be finite and above 0, got",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, []),
            "ValueError: grid must have shape (n,), got (0,)",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [[1.0]]),
            "ValueError: grid must have shape (n,), got (1, 1)",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1, 0]),
            "ValueError: grid[1] must be finite and above 0, got 0",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1, -2]),
            "ValueError: grid[1] must be finite and above 0, got -2",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [np.nan]),
            "ValueError: grid must be finite, got nan at index ",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, ["1"]),
            "TypeError: grid must be an array of real numbers, got",
        ),
        (
            lambda: MODEL.search_beta_effective(X, Nameless(), [1]),
            "TypeError: sampler must have a method sample(), got",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1], 0),
            "ValueError: num_reads must be at least 1, got 0",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


def test_bad_arguments_are_refused_before_any_work(counting_sampler):
    for call in (
        lambda: MODEL.search_beta_effective(X, counting_sampler, [1.0, 2.0, 0.0]),
        lambda: MODEL.search_beta_effective(X, counting_sampler, [1.0], seed=-1),
        lambda: MODEL.sample(X, counting_sampler, beta_effective=0),
        lambda: MODEL.sample(X[:, 1:], counting_sampler),
    ):
        with pytest.raises(ValueError, match="must"):
            call()
    assert counting_sampler.calls == 0
