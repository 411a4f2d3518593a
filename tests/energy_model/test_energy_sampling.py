"""Sampling energy-based models: their Ising problems, and outputs of every sampler."""

import numpy as np
import pytest

from helpers import energy_oracle, oracle, tolerances
from helpers.training.energy_samplers import (
    READS,
    RIGHT,
    SAMPLERS,
    WRONG,
    anneal,
    case,
    numbers,
    probabilities,
)
from isingprop import EnergyModel, Tempering
from isingprop.energy_model.model import GIBBS

# The Ising problem


def ising_probabilities(problem, beta):
    """As energy_oracle.joint: bit k of an index is 1 where spin k is up, hidden spins first."""
    up = oracle.boltzmann(problem, beta)[:, ::-1]
    return up.reshape(len(up), 2**problem.num_output, 2**problem.num_hidden)


@pytest.mark.parametrize("beta", [1.0, 0.3, 16.0])
@pytest.mark.parametrize("size", [(1, 1), (5, 2), (8, 3), (2, 4)])
def test_boltzmann_weights_of_the_problem_are_the_joint_distribution(size, beta):
    model, x, _ = case(*size)
    problem = model.problem(x, beta_effective=beta)
    exact = energy_oracle.joint(model, x)
    np.testing.assert_allclose(ising_probabilities(problem, beta), exact, rtol=1e-10)
    assert not np.allclose(ising_probabilities(problem, 1.2 * beta), exact, rtol=0.01)
    assert (problem.num_hidden, problem.num_output, len(problem)) == (*size, 4)
    # E[k | x, y] = sigma(W1 x + W2^T y + b), the sign of the paper's Eqs. (18) and (20).
    joint = ising_probabilities(problem, beta)
    means = joint @ energy_oracle.bits(size[0]) / joint.sum(axis=2, keepdims=True)
    inside = (x @ model.input_weights.T + model.hidden_bias)[:, None] + energy_oracle.bits(
        size[1]
    ) @ model.output_weights
    np.testing.assert_allclose(means, 1 / (1 + np.exp(-inside)), rtol=1e-9)


@pytest.mark.parametrize("beta", [1.0, 16.0])
def test_energies_are_those_of_equation_37(beta):
    """q^T Q q with an upper triangular Q, of the sign that goes with P ~ exp(+q^T Q q), and a
    constant.
    """
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("num_hidden", [548, 5000])
def test_large_models_are_sampled_in_one_call(num_hidden):
    model, x = (
        energy_oracle.random_energy_model(3, num_hidden, 2, scale=0.02),
        oracle.random_images(2, 3).astype(float),
    )
    exact = np.exp(energy_oracle.output_log_prob(model, x))
    drawn = numbers(model.sample(x, num_reads=2000, seed=0))
    for each, p in zip(drawn, exact, strict=True):
        assert not tolerances.is_rejected(each, p)
        assert tolerances.is_rejected(each, p[::-1])


@pytest.mark.slow
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
    monkeypatch.setattr("isingprop.energy_model.model._MAX_BYTES", limit)
    assert tolerances.same_bits(whole, model.sample(x, RIGHT[name], 30, seed=4))


def test_the_number_of_threads_changes_nothing(kernel):
    model, x, _ = case(17, 3, count=9)
    one, many = (model.sample(x, anneal(1.0, num_threads=n), 50, seed=1) for n in (1, 5))
    assert tolerances.same_bits(one, many)
    assert tolerances.same_bits(model.sample(x, anneal(1.0), 50, seed=1, beta_effective=1), one)
