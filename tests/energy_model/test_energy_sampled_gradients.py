"""Sampled gradients of energy-based models, temperatures of samplers, and chips."""

import numpy as np
import pytest
from dwave.system.testing import MockDWaveSampler
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2

from helpers import energy_oracle, oracle, tolerances
from helpers.training.energy_samplers import (
    READS,
    RIGHT,
    SAMPLERS,
    WRONG,
    anneal,
    case,
    dimod_at,
    numbers,
    probabilities,
)
from isingprop import DWave, EmulatedQPU, EnergyModel
from isingprop.energy_model.mlp import PARAMETERS
from isingprop.energy_model.model import GIBBS

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
    """What a sample of each output adds to the second means of Eqs. (14) and (15): by parameter (B,
    2^M, ...).
    """
    outputs = energy_oracle.bits(model.output_weights.shape[0])
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


@pytest.mark.slow
@pytest.mark.parametrize(("name", "wrong"), SAMPLERS)
@pytest.mark.parametrize("size", [(5, 1), (6, 2)])
def test_sampled_gradients_agree_with_exact_ones(name, wrong, size):
    """Each of some fifty entries with the false-alarm rate of SIGMAS."""
    model, x, y = case(*size)
    outputs = model.sample(x, (WRONG if wrong else RIGHT)[name], READS, seed=1)
    scores = z_scores(model, x, y, outputs)
    assert (np.abs(scores).max() > tolerances.SIGMAS) == wrong


@pytest.mark.slow
def test_sampled_gradients_spread_as_independent_reads_do():
    """300 gradients of 100 reads each: the sum of squares of each entry's z-scores, by chi-square,
    two-sided.
    """
    model, x, y = case()
    outputs = model.sample(x, GIBBS, 30_000, seed=2)
    squares = sum(z_scores(model, x, y, part) ** 2 for part in np.split(outputs, 300, axis=1))
    low, high = chi2.isf([1 - tolerances.FALSE_ALARM / 2, tolerances.FALSE_ALARM / 2], 300)
    assert ((squares > low) & (squares < high)).all()


# Temperatures


@pytest.mark.slow
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
    """Standard error of a maximum-pseudolikelihood estimate (Godambe's), by enumeration of all
    states.

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


@pytest.mark.slow
@pytest.mark.parametrize("guess", [1.0, 3.0])
@pytest.mark.parametrize("beta", [0.4, 1.0, 2.0])
def test_the_beta_of_a_sampler_is_found(beta, guess):
    """Whatever the guess, in the units of the problem's own J; a beta that is 10 % off is told from
    it.
    """
    model, x, _ = case()
    error = estimate_error(model, x, beta, guess, READS)
    for sampler, factor in ((anneal(beta), 1.0), (dimod_at(beta), 1.0), (anneal(1.1 * beta), 1.1)):
        found = model.estimate_beta_effective(x, sampler, READS, 0, guess=guess)
        assert (abs(found - beta) > tolerances.SIGMAS * error) == (factor != 1)
        problem = model.problem(x, beta_effective=guess)
        assert found == sampler.sample(problem, READS, 0).beta_effective(problem)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("size", [(4, 1), (3, 2)])
def test_outputs_of_an_emulated_chip_are_drawn_from_p(make, size):
    """A chip at beta = 3 with half the couplings samples at 1.5; chains hold."""
    model, x, _ = case(*size, count=3)
    qpu = make(EmulatedQPU("zephyr", 1, model="classical", beta=3.0, sweeps_per_us=20.0), scale=0.5)
    exact = probabilities(model, x)
    for told, wrong in ((1.5, False), (1.0, True)):
        outputs = model.sample(x, qpu, 3000, seed=0, beta_effective=told)
        assert (outputs.shape, outputs.dtype) == ((3, 3000, size[1]), np.int8)
        assert (
            any(tolerances.is_rejected(*each) for each in zip(numbers(outputs), exact, strict=True))
            == wrong
        )
        # Told 1.5, or 1.0, the chip's clock is the same. 5 %: its anneal, of some hundred sweeps,
        # comes to an end.
        assert model.estimate_beta_effective(x, qpu, 3000, 0, guess=told) == pytest.approx(
            1.5, rel=0.05
        )
        info = qpu.sample(model.problem(x, beta_effective=told), 3000, 0).info
        assert info["clipped"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [(5, 1), (3, 2)])
def test_biases_out_of_the_chips_range_are_capped_and_counted(make, size):
    """h within 6 on a Zephyr chip: of each input's K + M fields those count that are beyond, on
    chains of one qubit.
    """
    chip = EmulatedQPU("zephyr", 1)
    assert chip.properties["h_range"] == [-6.0, 6.0]
    drawn = energy_oracle.random_energy_model(4, *size, scale=0.5)
    model = EnergyModel(
        40 * drawn.input_weights, drawn.output_weights, drawn.hidden_bias, drawn.output_bias
    )
    x = oracle.random_images(3, 4).astype(np.float64)
    qpu = make(chip, scale=1.0, num_copies=1)
    problem = model.problem(x)
    lengths = np.array([len(chain) for chain in qpu.copies(*size)[0].hidden])
    beyond = int(((np.abs(problem.hidden_fields) / lengths > 6) * lengths).sum())
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
