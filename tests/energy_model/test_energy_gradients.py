"""Gradients of energy-based models, the perceptron of a model, and their weights."""

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from helpers import energy_oracle, tolerances
from helpers.training.energy_cases import SIZES, WIDTHS, inputs, labels
from isingprop import MLP, EnergyModel
from isingprop.energy_model.mlp import PARAMETERS

# Gradients


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_gradients_are_the_slopes_of_the_enumerated_log_likelihood(size, seed):
    model, x, y = (
        energy_oracle.random_energy_model(*size, seed=seed),
        inputs(size[0]),
        labels(size[2], seed=seed),
    )
    gradient = model.gradient(x, y)
    slopes = energy_oracle.slopes(lambda other: energy_oracle.log_likelihood(other, x, y), model)
    for name in PARAMETERS:
        given = getattr(gradient, name)
        assert given.shape == getattr(model, name).shape
        np.testing.assert_allclose(
            given, slopes[name], rtol=tolerances.GRADIENT, atol=tolerances.DIFFERENCE
        )


@pytest.mark.parametrize("size", [(40, 30, 2), (17, 100, 1), (3, 9, 4), (5, 33, 3)])
def test_gradients_of_wider_models_are_slopes_along_random_lines(kernel, size):
    """The oracle sums hidden units in closed form; each parameter alone, and inputs by the
    dozen.
    """
    model, x, y = (
        energy_oracle.random_energy_model(*size, scale=0.3),
        inputs(size[0], 12),
        labels(size[2], 12),
    )
    gradient, random, step = model.gradient(x, y), np.random.default_rng(0), 2.0**-9
    rows = np.arange(12), (y << np.arange(size[2])).sum(axis=1)
    for name in PARAMETERS:
        for _ in range(3):
            line = random.normal(size=getattr(model, name).shape)
            line /= np.linalg.norm(line)

            def moved(t, name=name, line=line):
                arrays = {**model.parameters(), name: getattr(model, name) + t * line}
                return energy_oracle.output_log_prob(EnergyModel(**arrays), x)[rows].mean()

            slope = (8 * (moved(step) - moved(-step)) - moved(2 * step) + moved(-2 * step)) / (
                12 * step
            )
            along = (getattr(gradient, name) * line).sum()
            assert along == pytest.approx(slope, rel=tolerances.GRADIENT, abs=1e-9)


def dyadic_model(*size):
    """Its P(y | x) is made of quarters, whatever x: each output alone, with a bias of log 3
    or 0.
    """
    num_inputs, num_hidden, num_outputs = size
    biases = np.resize([np.log(3), 0.0, -np.log(3)], num_outputs)
    hidden = np.random.default_rng(0).normal(size=(num_hidden, num_inputs))
    return EnergyModel(hidden, np.zeros((num_outputs, num_hidden)), output_bias=biases)


@pytest.mark.parametrize("num_outputs", [1, 2, 3])
def test_outputs_in_exact_proportion_give_the_exact_gradient(num_outputs):
    model, x, y = dyadic_model(4, 5, num_outputs), inputs(), labels(num_outputs)
    counts = np.round(64 * np.exp(model.log_prob(x[:1])[0])).astype(int)
    assert counts.sum() == 64
    outputs = np.random.default_rng(0).permutation(
        np.repeat(energy_oracle.bits(num_outputs), counts, axis=0)
    )
    exact, sampled = model.gradient(x, y), model.gradient(x, y, np.tile(outputs, (5, 1, 1)))
    for name in PARAMETERS:
        np.testing.assert_allclose(getattr(sampled, name), getattr(exact, name), rtol=0, atol=1e-14)
    assert not np.allclose(
        model.gradient(x, y, np.tile(outputs[1:], (5, 1, 1))).output_bias, exact.output_bias
    )


@pytest.mark.parametrize("size", SIZES)
def test_gradients_hold_the_conditional_means_of_hidden_units(size):
    """With x, y and one sample y': db = E[k | x, y] - E[k | x, y'], and the others are products of
    it.
    """
    model, x = energy_oracle.random_energy_model(*size), inputs(size[0], 1)
    joint, bits, outputs = (
        energy_oracle.joint(model, x)[0],
        energy_oracle.bits(size[1]),
        energy_oracle.bits(size[2]),
    )
    means = joint @ bits / joint.sum(axis=1, keepdims=True)  # E[k | x, y], (2^M, K)
    sigma = 1 / (
        1
        + np.exp(-(model.input_weights @ x[0] + model.hidden_bias + outputs @ model.output_weights))
    )
    np.testing.assert_allclose(means, sigma, rtol=1e-10)
    for number, y in enumerate(outputs):
        for other, sample in enumerate(outputs):
            gradient = model.gradient(x, y[None], sample[None, None])
            change = means[number] - means[other]
            np.testing.assert_allclose(gradient.hidden_bias, change, rtol=0, atol=1e-12)
            np.testing.assert_allclose(
                gradient.input_weights, np.outer(change, x[0]), rtol=0, atol=1e-12
            )
            np.testing.assert_array_equal(gradient.output_bias, y - sample)
            second = np.outer(y, means[number]) - np.outer(sample, means[other])
            np.testing.assert_allclose(gradient.output_weights, second, rtol=0, atol=1e-12)


def test_the_gradient_of_a_batch_is_the_mean_over_its_inputs():
    model, x, y = energy_oracle.random_energy_model(), inputs(), labels()
    outputs = np.random.default_rng(1).integers(0, 2, (5, 7, 2))
    for samples in (None, outputs):
        whole = model.gradient(x, y, samples)
        alone = [
            model.gradient(
                x[b : b + 1], y[b : b + 1], None if samples is None else samples[b : b + 1]
            )
            for b in range(5)
        ]
        for name in PARAMETERS:
            mean = np.mean([getattr(each, name) for each in alone], axis=0)
            np.testing.assert_allclose(getattr(whole, name), mean, rtol=0, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize(("num_hidden", "num_outputs", "count"), [(64, 12, 40), (3000, 1, 1500)])
def test_gradients_of_large_batches_are_means_of_smaller_ones(
    kernel, num_hidden, num_outputs, count
):
    """Such that the sums are made in several parts."""
    model, x = (
        energy_oracle.random_energy_model(2, num_hidden, num_outputs, scale=0.2),
        inputs(2, count),
    )
    y = labels(num_outputs, count)
    whole = model.gradient(x, y)
    parts = [model.gradient(x[rows], y[rows]) for rows in np.split(np.arange(count), 10)]
    for name in PARAMETERS:
        mean = np.mean([getattr(each, name) for each in parts], axis=0)
        np.testing.assert_allclose(getattr(whole, name), mean, rtol=0, atol=1e-14)


# The perceptron


@pytest.mark.parametrize("num_outputs", [1, 2, 3])
def test_the_perceptron_is_scikit_learns(kernel, num_outputs):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 6)), labels(num_outputs, 40)
    drawn = energy_oracle.random_energy_model(6, 9, num_outputs)
    mlp = MLP(
        drawn.input_weights,
        drawn.output_weights,
        drawn.hidden_bias,
        -drawn.output_weights.sum(axis=1) / 2,
    )
    theirs = MLPClassifier((9,), activation="logistic", random_state=0)
    theirs.partial_fit(x, y if num_outputs > 1 else y.ravel(), classes=range(max(num_outputs, 2)))
    theirs.coefs_ = [mlp.input_weights.T, mlp.output_weights.T]
    theirs.intercepts_ = [mlp.hidden_bias, mlp.output_bias]
    z = mlp.predict_proba(x)
    expected = theirs.predict_proba(x) if num_outputs > 1 else theirs.predict_proba(x)[:, 1:]
    np.testing.assert_allclose(z, expected, rtol=1e-12)
    np.testing.assert_array_equal(mlp.predict(x), theirs.predict(x).reshape(40, -1))
    assert 0.05 < mlp.predict(x).mean() < 0.95
    losses = [
        log_loss(y[:, m], np.stack([1 - z[:, m], z[:, m]], axis=1)) for m in range(num_outputs)
    ]
    assert mlp.loss(x, y) == pytest.approx(sum(losses), rel=1e-12)
    np.testing.assert_allclose(mlp.logits(x), np.log(z / (1 - z)), rtol=1e-10, atol=1e-12)


def test_predict_of_an_even_chance_is_0():
    assert MLP([[1.0]], [[0.0]]).predict([[1.0]]).tolist() == [[0]]


def test_hidden_fields_are_w1_x_plus_b(kernel):
    for num_hidden in WIDTHS:
        for num_inputs in WIDTHS:
            model, x = (
                energy_oracle.random_energy_model(num_inputs, num_hidden, 1),
                inputs(num_inputs, 3),
            )
            exact = x @ model.input_weights.T + model.hidden_bias
            np.testing.assert_allclose(
                model.hidden_fields(x), exact, rtol=0, atol=1e-13 * (num_inputs + 1)
            )


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.float16])
def test_inputs_of_other_types_are_those_numbers(dtype):
    model, x = energy_oracle.random_energy_model(), (8 * inputs()).astype(dtype)
    same = x.astype(np.float64)
    assert tolerances.same_bits(model.log_prob(x), model.log_prob(same))
    assert tolerances.same_bits(model.to_mlp().predict_proba(x), model.to_mlp().predict_proba(same))
    assert tolerances.same_bits(model.log_prob(x), model.log_prob(np.asfortranarray(same)))
    assert tolerances.same_bits(
        model.log_prob(x[::-1]), np.ascontiguousarray(model.log_prob(x)[::-1])
    )


def test_twins_share_their_weights():
    model = energy_oracle.random_energy_model()
    mlp = model.to_mlp()
    back = EnergyModel.from_mlp(mlp)
    assert (type(mlp), type(back)) == (MLP, EnergyModel)
    for name in PARAMETERS:
        assert tolerances.same_bits(getattr(model, name), getattr(mlp, name), getattr(back, name))
    assert tolerances.same_bits(model.log_prob(inputs()), back.log_prob(inputs()))


def test_weights_are_copies_that_cannot_be_changed():
    arrays = {
        name: np.array(array)
        for name, array in energy_oracle.random_energy_model().parameters().items()
    }
    model = EnergyModel(**arrays)
    before = model.log_prob(inputs())
    for name, array in arrays.items():
        array += 1
        with pytest.raises(ValueError, match="read-only"):
            getattr(model, name)[0] = 0
    assert tolerances.same_bits(model.log_prob(inputs()), before)
    assert (model.num_inputs, model.num_hidden, model.num_outputs) == (4, 5, 2)
    assert repr(model) == "EnergyModel(4 inputs, 5 hidden, 2 outputs)"
    assert repr(model.to_mlp()) == "MLP(4 inputs, 5 hidden, 2 outputs)"


def test_biases_are_zero_if_not_given():
    model = energy_oracle.random_energy_model()
    bare = EnergyModel(model.input_weights, model.output_weights)
    assert not bare.hidden_bias.any()
    assert not bare.output_bias.any()
    assert (bare.hidden_bias.shape, bare.output_bias.shape) == ((5,), (2,))


def test_random_models_are_normal_and_follow_their_seed():
    """10,000 and 100,000 weights: mean, standard deviation and fourth moment by z-score."""
    model = EnergyModel.random(num_inputs=1000, num_hidden=100, num_outputs=16, scale=0.02, seed=3)
    for array in (model.input_weights, model.output_weights):
        standard, n = array.ravel() / 0.02, array.size
        for power, mean, variance in ((1, 0, 1), (2, 1, 2), (4, 3, 96)):
            assert abs((standard**power).mean() - mean) < tolerances.SIGMAS * np.sqrt(variance / n)
    assert not model.hidden_bias.any()
    assert not model.output_bias.any()
    sizes = {"num_inputs": 3, "num_hidden": 2}
    again, other, default = (
        EnergyModel.random(**sizes, seed=seed).input_weights for seed in (3, 4, 0)
    )
    assert tolerances.same_bits(EnergyModel.random(**sizes, seed=3).input_weights, again)
    assert tolerances.same_bits(EnergyModel.random(**sizes).input_weights, default)
    assert not np.array_equal(again, other)
    assert not np.array_equal(
        *(EnergyModel.random(**sizes, seed=None).input_weights for _ in range(2))
    )
    assert EnergyModel.random(**sizes).num_outputs == 1
    np.testing.assert_allclose(
        EnergyModel.random(**sizes, scale=1.0).input_weights * 0.01, default, rtol=1e-15
    )


# The equivalence, Section 3.4


def distances(eps, num_outputs):
    """Of the model's gradient from that of minus the perceptron's loss, and the sizes of the
    latter, W1 then W2.
    """
    model = energy_oracle.random_energy_model(4, 6, num_outputs)
    model = EnergyModel(eps * model.input_weights, eps * model.output_weights)
    x, y = inputs(), labels(num_outputs)
    ours = model.gradient(x, y)
    theirs = energy_oracle.slopes(lambda mlp: -mlp.loss(x, y), model.to_mlp())
    pairs = [(getattr(ours, name), theirs[name]) for name in PARAMETERS[:2]]
    return np.array([[np.linalg.norm(a - b), np.linalg.norm(b)] for a, b in pairs])


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_for_small_weights_the_gradient_is_that_of_backpropagation(num_outputs):
    """Of weights of order eps, W1's gradient is of order eps, and that of W2 of order 1; they
    differ by two orders and by one order less: y W2 sigma', the first order of sigma in Eq. (48),
    is left out of Eq. (50).
    """
    near, far = distances(1 / 64, num_outputs), distances(1 / 32, num_outputs)
    orders = np.log2(far / near)
    np.testing.assert_allclose(orders, [[3, 1], [1, 0]], rtol=0, atol=0.05)
