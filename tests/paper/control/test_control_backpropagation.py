"""Backpropagation by hinge loss and cross-entropy, with Adam and averages."""

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle, tolerances
from helpers.paper.made_up import IMAGES
from isingprop.paper.control.control_backpropagation import ScoreMethod, ScorePerceptron

LOSSES = ("hinge", "cross-entropy")
NAMES = ("input_weights", "couplings", "hidden_bias", "output_bias")


def network():
    made = ip.BipartiteNetwork.random(
        num_inputs=4, num_hidden=5, num_classes=3, redundancy=1, seed=2
    )
    made.hidden_bias[:] = np.linspace(-0.2, 0.3, 5)
    return made


def data(count=6):
    return oracle.random_images(count, 4), np.arange(count) % 3


def scores(parameters, images):
    hidden = np.maximum(images @ parameters[0].T + parameters[2], 0)
    return hidden @ parameters[1] + parameters[3]


def loss(kind, parameters, images, labels):
    """The mean over images of the formula in the docstring, in float64."""
    found, rows = scores(parameters, images.astype(float)), np.arange(len(labels))
    right = found[rows, labels]
    if kind == "cross-entropy":
        return (np.log(np.exp(found).sum(axis=1)) - right).mean()
    found[rows, labels] = -np.inf
    return np.maximum(0, 1 + found.max(axis=1) - right).mean()


def slopes(kind, parameters, images, labels):
    found = [np.empty_like(array) for array in parameters]
    for array, slope in zip(parameters, found, strict=True):
        for where in np.ndindex(array.shape):
            sides = []
            for shift in (1e-6, -2e-6):
                array[where] += shift
                sides.append(loss(kind, parameters, images, labels))
            array[where] += 1e-6
            slope[where] = (sides[0] - sides[1]) / 2e-6
    return found


@pytest.mark.parametrize("kind", LOSSES)
def test_updates_are_those_of_adam_down_the_slopes_of_the_loss(kind):
    start, (images, labels) = network(), data()
    perceptron = ScorePerceptron(start, kind)
    parameters = [start.parameters()[name].astype(float) for name in NAMES]
    means, squares = ([np.zeros_like(array) for array in parameters] for _ in range(2))
    for t, rate in enumerate((0.02, 0.01, 0.01), 1):
        wrong = int((scores(parameters, images).argmax(axis=1) != labels).sum())
        for k, slope in enumerate(slopes(kind, parameters, images, labels)):
            means[k] += 0.1 * (slope - means[k])
            squares[k] += 0.001 * (slope**2 - squares[k])
            root = np.sqrt(squares[k] / (1 - 0.999**t))
            parameters[k] -= rate * means[k] / (1 - 0.9**t) / (root + 1e-8)
        assert perceptron.update(images, labels, rate, averaged=False) == wrong
        np.testing.assert_allclose(perceptron.scores(images), scores(parameters, images), atol=1e-4)


def test_answers_are_those_of_the_mean_of_the_averaged_parameters():
    images, labels = data()
    averaged, plain = (ScorePerceptron(network(), "hinge") for _ in range(2))
    visited = []
    for step in range(4):
        averaged.update(images, labels, 0.05, averaged=step >= 2)
        plain.update(images, labels, 0.05, averaged=False)
        visited.append(plain._flat.copy())
    mean = plain._views(np.mean(visited[2:], axis=0))
    wanted = scores(mean, images)
    np.testing.assert_allclose(averaged.scores(images), wanted, atol=100 * tolerances.FLOAT32)
    np.testing.assert_array_equal(averaged.predict(images), wanted.argmax(axis=1))
    assert not np.allclose(averaged.scores(images), plain.scores(images))


@pytest.mark.parametrize("kind", LOSSES)
def test_it_learns_and_repeats(kind):
    method = ScoreMethod("name", kind, 10, 31, num_hidden=32)
    errors = []
    for _ in range(2):
        learner = method.start(IMAGES, 0.01, 3)
        errors.append([learner.train_epoch(60)[0] for _ in range(60)])
    assert errors[0] == errors[1]
    assert errors[0][0] > 0.7
    assert errors[0][-1] < 0.5
    assert learner.predict().shape == (60,)
