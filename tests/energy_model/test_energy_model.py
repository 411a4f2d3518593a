"""Energy-based models and perceptrons: their probabilities against enumeration."""

import numpy as np
import pytest
from scipy.special import expit

from helpers import energy_oracle, oracle, tolerances
from helpers.training.energy_cases import SIZES, inputs, labels
from isingprop import MLP, EnergyModel


def rounding(model, x):
    """How far log P may be from the exact one, for each input: (B, 1)."""
    fields = np.abs(x) @ np.abs(model.input_weights).T + np.abs(model.hidden_bias)
    more = model.num_hidden + np.abs(model.output_weights).sum() + np.abs(model.output_bias).sum()
    return tolerances.LOG_PROB * (fields.sum(axis=1, keepdims=True) + more)


# P(y | x)


@pytest.mark.parametrize("size", SIZES)
def test_log_prob_is_that_of_enumeration(kernel, size):
    num_inputs, _, num_outputs = size
    for seed in range(3):
        model, x = (
            energy_oracle.random_energy_model(*size, seed=seed),
            inputs(num_inputs, seed=seed),
        )
        exact = np.log(energy_oracle.joint(model, x).sum(axis=2))
        log_prob = model.log_prob(x)
        assert (log_prob.shape, log_prob.dtype) == ((5, 2**num_outputs), np.float64)
        assert (np.abs(log_prob - exact) < rounding(model, x)).all()
        np.testing.assert_allclose(np.exp(log_prob).sum(axis=1), 1, rtol=tolerances.PROBABILITY)
        np.testing.assert_allclose(
            energy_oracle.output_log_prob(model, x), exact, rtol=0, atol=1e-12
        )  # which is used below


@pytest.mark.parametrize("size", SIZES)
def test_the_sign_of_equations_1_and_2_is_not_the_models(size):
    model, x = energy_oracle.random_energy_model(*size), inputs(size[0])
    other = energy_oracle.joint(model, x, sign=-1).sum(axis=2)
    assert np.abs(np.exp(model.log_prob(x)) - other).max() > 0.1


def test_bit_k_of_an_outputs_number_is_unit_k():
    """Units 0, 1, 2 are 1 with chances of 0.9, 0.2 and 0.6, whatever the hidden unit does."""
    chances = np.array([0.9, 0.2, 0.6])
    model = EnergyModel([[1.0]], np.zeros((3, 1)), output_bias=np.log(chances / (1 - chances)))
    bits = [[number & 1, number >> 1 & 1, number >> 2] for number in range(8)]
    expected = np.where(bits, chances, 1 - chances).prod(axis=1)
    np.testing.assert_allclose(
        np.exp(model.log_prob([[2.0]]))[0], expected, rtol=tolerances.PROBABILITY
    )
    assert model.predict([[2.0]]).tolist() == [[1, 0, 1]]
    assert model.predict([[2.0]]).dtype == np.int8
    assert model.log_likelihood([[2.0]], [[1, 0, 0]]) == pytest.approx(np.log(0.9 * 0.8 * 0.4))
    frequencies = model.frequencies([[[1, 0, 0], [1, 0, 1], [1, 0, 1], [0, 1, 1]]])
    np.testing.assert_array_equal(frequencies * 4, [[0, 1, 0, 0, 0, 2, 1, 0]])


def test_of_equally_likely_outputs_the_first_is_predicted():
    assert EnergyModel([[1.0]], np.zeros((2, 1))).predict([[2.0]]).tolist() == [[0, 0]]


@pytest.mark.parametrize("size", SIZES)
def test_log_likelihood_is_the_mean_over_inputs(size):
    model, x, y = energy_oracle.random_energy_model(*size), inputs(size[0]), labels(size[2])
    assert model.log_likelihood(x, y) == pytest.approx(
        energy_oracle.log_likelihood(model, x, y), rel=1e-12
    )
    assert model.log_likelihood(x, y.astype(bool)) == model.log_likelihood(x, y.astype(float))


@pytest.mark.parametrize("num_hidden", [1, 8, 31, 100])
@pytest.mark.parametrize("num_inputs", [1, 16, 45])
def test_log_prob_of_wider_models_is_that_of_a_sum_of_units(kernel, num_inputs, num_hidden):
    for num_outputs in (1, 2, 4):
        model = energy_oracle.random_energy_model(num_inputs, num_hidden, num_outputs, scale=0.3)
        x = inputs(num_inputs, 20)
        assert (
            np.abs(model.log_prob(x) - energy_oracle.output_log_prob(model, x)) < rounding(model, x)
        ).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("num_hidden", "num_outputs"), [(5000, 1), (5000, 3), (4, 16), (50_001, 1)]
)
def test_large_models(kernel, num_hidden, num_outputs):
    """Of 50,001 hidden units, each near 1/2, the product of all 1 + exp(field) has no place in a
    number.
    """
    model, x = (
        energy_oracle.random_energy_model(3, num_hidden, num_outputs, scale=0.01),
        inputs(3, 2),
    )
    log_prob = model.log_prob(x)
    assert (np.abs(log_prob - energy_oracle.output_log_prob(model, x)) < rounding(model, x)).all()
    np.testing.assert_allclose(np.exp(log_prob).sum(axis=1), 1, rtol=tolerances.PROBABILITY)
    gradient = model.gradient(x, labels(num_outputs, 2))
    assert all(np.isfinite(array).all() for array in gradient.parameters().values())


@pytest.mark.parametrize("size", [30.0, 50.0, 710.0, 1e3, 1e5, 1e15])
@pytest.mark.parametrize("num_outputs", [1, 3])
def test_extreme_weights_neither_overflow_nor_give_nan(kernel, num_outputs, size):
    signs = np.sign(oracle.random_spins(6, 1)).astype(float)
    for where in ("input_weights", "output_weights", "hidden_bias", "output_bias"):
        arrays = energy_oracle.random_energy_model(1, 6, num_outputs).parameters()
        array = arrays[where]
        arrays[where] = (
            size * signs.ravel()[: array.size].reshape(array.shape)
            if array.size <= 6
            else size * array
        )
        model, x = EnergyModel(**arrays), np.array([[1.0], [-1.0], [0.0]])
        log_prob = model.log_prob(x)
        assert np.isfinite(log_prob).all()
        assert (log_prob <= 0).all()
        assert (
            np.abs(log_prob - energy_oracle.output_log_prob(model, x)) <= rounding(model, x)
        ).all()
        np.testing.assert_allclose(np.exp(log_prob).sum(axis=1), 1, rtol=tolerances.PROBABILITY)
        for array in model.gradient(x, labels(num_outputs, 3)).parameters().values():
            assert (np.abs(array) <= 1).all()  # means of differences of probabilities; all |x| <= 1
        perceptron = model.to_mlp()
        z = perceptron.predict_proba(x)
        assert ((z >= 0) & (z <= 1)).all()
        assert np.isfinite(perceptron.loss(x, labels(num_outputs, 3)))


def test_a_unit_far_from_zero_is_its_limit():
    """log P of a unit with a bias of c is -c where it is 0, to the last digits, and not
    log(1 - 1).
    """
    for c in (40.0, 1e3, 1e5):
        model = EnergyModel([[0.0]], [[0.0]], output_bias=[c])
        assert model.log_prob([[0.0]])[0, 0] == pytest.approx(-c, rel=1e-15)
        assert MLP(**model.parameters()).loss([[0.0]], [[0]]) == pytest.approx(c, rel=1e-15)
        assert MLP(**model.parameters()).loss([[0.0]], [[1]]) == pytest.approx(
            np.exp(-c), rel=1e-12
        )


def test_sigmoid_and_softplus_are_good_to_the_last_bits(kernel):
    """As predict_proba and loss have them where hidden units do nothing; 3e-308 stands for what is
    smaller.
    """
    logits = np.concatenate(
        [np.linspace(-700, 700, 2001), np.linspace(-3, 3, 2001), [0.0, 1e-300, -1e-20, 1e90]]
    )
    for c in np.array_split(logits, len(logits) // 16 + 1):
        mlp = MLP([[0.0]], np.zeros((len(c), 1)), output_bias=c)
        np.testing.assert_allclose(mlp.predict_proba([[1.0]])[0], expit(c), rtol=1e-15)
        np.testing.assert_array_equal(mlp.logits([[1.0]])[0], c)
    for c in logits[::20]:
        mlp = MLP([[0.0]], [[0.0]], output_bias=[c])
        assert mlp.loss([[1.0]], [[0]]) == pytest.approx(np.logaddexp(0, c), rel=1e-15, abs=0)
    small = MLP([[0.0]], np.zeros((3, 1)), output_bias=[-745.0, -1e4, -1e90]).predict_proba([[1.0]])
    assert ((small >= 0) & (small < 1e-307)).all()
