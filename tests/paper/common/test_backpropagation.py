"""The baseline: scikit-learn's steps, the slope of the loss, and errors that are counted before
each update.
"""

import warnings

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from helpers import oracle, tolerances
from isingprop import BipartiteNetwork
from isingprop.network.bipartite import PARAMETERS
from isingprop.paper.common.backpropagation import Perceptron

ACTIVATIONS = {"relu": "relu", "sigmoid": "logistic"}  # our name, and scikit-learn's

NUM_IMAGES, NUM_INPUTS, NUM_CLASSES = 200, 20, 10

RATE = 0.01


def network(num_hidden=30, num_inputs=NUM_INPUTS, num_classes=NUM_CLASSES, seed=0):
    """Random parameters of the usual size; the biases are not 0."""
    drawn = BipartiteNetwork.random(
        num_inputs=num_inputs,
        num_hidden=num_hidden,
        num_classes=num_classes,
        redundancy=2,
        seed=seed,
    )
    random = np.random.default_rng(seed)
    drawn.hidden_bias[:], drawn.output_bias[:] = (
        random.normal(0, 0.1, n) for n in (num_hidden, 2 * num_classes)
    )
    return drawn


def data(num_images=NUM_IMAGES, num_inputs=NUM_INPUTS, num_classes=NUM_CLASSES):
    random = np.random.default_rng(1)
    return random.random((num_images, num_inputs), np.float32), random.integers(
        0, num_classes, num_images
    )


def parameters(perceptron):
    return {name: getattr(perceptron, name).copy() for name in PARAMETERS}


def theirs(start, activation, images, targets, rate, epochs):
    """scikit-learn's parameters after some epochs from the same start."""
    model = MLPRegressor(
        hidden_layer_sizes=(start.num_hidden,),
        activation=ACTIVATIONS[activation],
        solver="sgd",
        learning_rate_init=rate,
        momentum=0,
        nesterovs_momentum=False,
        alpha=0,
        batch_size=1,
        shuffle=False,
    )
    model.partial_fit(images, targets)  # makes the arrays, which training then changes in place
    model.coefs_[0][:], model.coefs_[1][:] = start.input_weights.T, start.couplings
    model.intercepts_[0][:], model.intercepts_[1][:] = start.hidden_bias, start.output_bias
    for _ in range(epochs):
        model.partial_fit(images, targets)
    assert all(array.dtype == np.float32 for array in model.coefs_ + model.intercepts_)
    arrays = model.coefs_[0].T, model.coefs_[1], model.intercepts_[0], model.intercepts_[1]
    return dict(zip(PARAMETERS, arrays, strict=True))


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_its_parameters_are_those_of_scikit_learn(activation, epochs):
    start, (images, labels) = network(), data()
    targets = start.readout.targets(labels).astype(np.float32)
    perceptron = Perceptron(start, activation)
    for _ in range(epochs):
        perceptron.train_epoch(images, labels, np.arange(NUM_IMAGES), RATE)
    wanted = theirs(start, activation, images, targets, RATE, epochs)
    slack = (
        10 * epochs * tolerances.FLOAT32
    )  # roundings of 200 updates an epoch, which partly cancel
    for name, array in parameters(perceptron).items():
        moved = np.abs(wanted[name] - getattr(start, name)).max()
        assert moved > 1000 * slack, name
        np.testing.assert_allclose(array, wanted[name], rtol=0, atol=slack, err_msg=name)
        assert array.dtype == np.float32


def loss(arrays, sigmoid, image, target):
    """In double precision, from the formulas of the class."""
    W, J, b, c = (arrays[name] for name in PARAMETERS)
    total = W @ image + b
    hidden = 1 / (1 + np.exp(-total)) if sigmoid else np.where(total > 0, total, 0)
    return ((J.T @ hidden + c - target) ** 2).sum() / 2


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_is_the_rate_times_the_slope_of_the_loss(activation):
    """By central differences of every parameter."""
    start = network(num_hidden=6, num_inputs=5, num_classes=3)
    images, labels = data(1, 5, 3)
    perceptron = Perceptron(start, activation)
    before = {name: array.astype(np.float64) for name, array in parameters(perceptron).items()}
    perceptron.train_epoch(images, labels, np.array([0]), 1.0)
    image, target = (
        images[0].astype(np.float64),
        start.readout.targets(labels[0]).astype(np.float64),
    )
    active = before["input_weights"] @ image + before["hidden_bias"] > 0
    assert active.any()
    assert not active.all()
    for name, array in parameters(perceptron).items():
        step, slope = array - before[name], np.empty(array.shape)
        for where in np.ndindex(array.shape):
            sides = []
            for shift in (1e-5, -1e-5):
                moved = {**before, name: before[name].copy()}
                moved[name][where] += shift
                sides.append(loss(moved, activation == "sigmoid", image, target))
            slope[where] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(step, -slope, rtol=0, atol=10 * tolerances.FLOAT32, err_msg=name)
        assert slope.any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_and_classes_are_those_of_the_formula(activation):
    start, (images, _) = network(), data()
    for array in start.parameters().values():
        array *= 5
    perceptron = Perceptron(start, activation)
    total = images.astype(np.float64) @ start.input_weights.T.astype(np.float64) + start.hidden_bias
    hidden = 1 / (1 + np.exp(-total)) if activation == "sigmoid" else np.maximum(total, 0)
    outputs = hidden @ start.couplings.astype(np.float64) + start.output_bias
    np.testing.assert_allclose(
        perceptron.outputs(images), outputs, rtol=0, atol=tolerances.FLOAT32 * 100
    )
    sums = outputs[:, 0::2] + outputs[:, 1::2]
    classes = perceptron.predict(images)
    assert len(np.unique(classes)) > 2
    np.testing.assert_array_equal(classes, sums.argmax(axis=1))
    assert (classes != outputs.argmax(axis=1) // 2).any(), (
        "the sum of a class decides, not its largest output"
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_images_come_in_the_order_that_is_asked_for(activation):
    start, (images, labels) = network(), data()
    order = np.random.default_rng(2).permutation(NUM_IMAGES)
    ordered, sorted_before, other = (Perceptron(start, activation) for _ in range(3))
    error = ordered.train_epoch(images, labels, order, RATE)
    assert error == sorted_before.train_epoch(
        images[order], labels[order], np.arange(NUM_IMAGES), RATE
    )
    other.train_epoch(images, labels, order[::-1], RATE)
    for name, array in parameters(ordered).items():
        assert tolerances.same_bits(array, parameters(sorted_before)[name]), name
        assert not np.array_equal(array, parameters(other)[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_image_is_judged_before_its_own_update_and_after_those_before_it(activation):
    start, (images, labels) = network(), data()
    order = np.random.default_rng(3).permutation(NUM_IMAGES)
    whole, single = Perceptron(start, activation), Perceptron(start, activation)
    for rate in (0.05, 0.05, 0.02):
        wrong = after = 0
        for k in order:
            wrong += int(single.predict(images[k : k + 1])[0] != labels[k])
            single.train_epoch(images, labels, order[:0], rate)
            single.train_epoch(images[k : k + 1], labels[k : k + 1], np.array([0]), rate)
            after += int(single.predict(images[k : k + 1])[0] != labels[k])
        assert whole.train_epoch(images, labels, order, rate) == pytest.approx(
            wrong / NUM_IMAGES, abs=1e-12
        )
        assert after < wrong


def test_the_network_and_the_images_are_left_alone():
    start, (images, labels) = network(), data()
    before = {name: array.copy() for name, array in start.parameters().items()}
    given = images.copy(), labels.copy()
    for activation in ACTIVATIONS:
        perceptron = Perceptron(start, activation)
        perceptron.train_epoch(images, labels, np.arange(NUM_IMAGES), RATE)
        for name, array in parameters(perceptron).items():
            assert not np.array_equal(array, before[name]), name
    assert all(
        tolerances.same_bits(array, before[name]) for name, array in start.parameters().items()
    )
    assert tolerances.same_bits(images, given[0])
    assert np.array_equal(labels, given[1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_rate_that_is_too_large_is_all_wrong_without_a_warning(activation):
    start, (images, labels) = network(), data()
    labels[:] = 0  # which the first of several NaN would be taken for
    perceptron = Perceptron(start, activation)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        errors = [
            perceptron.train_epoch(images, labels, np.arange(NUM_IMAGES), 100.0) for _ in range(3)
        ]
        assert not np.isfinite(perceptron.outputs(images)).any()
        perceptron.predict(images)
    assert errors[0] > 0.5
    assert errors[1:] == [1.0, 1.0]


def test_sigmoids_far_from_0_are_without_a_warning():
    perceptron = Perceptron(network(), "sigmoid")
    perceptron.hidden_bias[:] = -1000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs = perceptron.outputs(data()[0])
    np.testing.assert_array_equal(outputs, np.broadcast_to(perceptron.output_bias, outputs.shape))


def test_it_learns():
    images = oracle.random_images(60, NUM_INPUTS)
    labels = np.arange(60) % NUM_CLASSES
    images[np.arange(60), labels] += 1
    perceptron = Perceptron(network(), "relu")
    errors = [perceptron.train_epoch(images, labels, np.arange(60), 0.03) for _ in range(30)]
    assert errors[0] > 0.5
    assert errors[-1] < 0.1
    assert (perceptron.predict(images) == labels).mean() > 0.9
