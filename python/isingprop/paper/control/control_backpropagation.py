"""Backpropagation with the optimizer of the other methods: Adam, minibatches and averages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.paper.common.methods import NUM_HIDDEN

Loss = Literal["hinge", "cross-entropy"]
_Floats = NDArray[np.float32]

_MEAN_DECAY, _SQUARE_DECAY = 0.9, 0.999  # of Adam
_ORDER = 2  # key of the random stream for the order of images, apart from the initial parameters


class ScorePerceptron:
    """A network with one hidden layer of ReLUs and one score for each class.

        k = max(W x + b^h, 0),   o = J^T k + b^o

        hinge:          loss = max(0, 1 + max_(l != y) o_l - o_y)
        cross-entropy:  loss = log sum_l exp(o_l) - o_y

    The predicted class is the one of the largest score. Updates are those of Adam.

    Args:
        network: the initial parameters, with one output per class; they are copied.
        loss: "hinge" or "cross-entropy".
    """

    def __init__(self, network: BipartiteNetwork, loss: Loss) -> None:
        """Copies the parameters of the network into one flat array, so that Adam is one formula."""
        arrays = network.parameters().values()
        self._hinge = loss == "hinge"
        self._shapes = [array.shape for array in arrays]
        self._flat = np.concatenate([array.ravel() for array in arrays])
        self._slopes, self._means, self._squares, self._average = (
            np.zeros_like(self._flat) for _ in range(4)
        )
        self._num_updates = self._num_averaged = 0

    def scores(self, images: _Floats) -> _Floats:
        """Returns the scores of the classes, (n, K), for images (n, I), by averaged parameters."""
        flat = self._average if self._num_averaged else self._flat
        weights, couplings, hidden_bias, output_bias = self._views(flat)
        hidden = np.maximum(images @ weights.T + hidden_bias, 0)
        result: _Floats = hidden @ couplings + output_bias
        return result

    def predict(self, images: _Floats) -> NDArray[np.int64]:
        """Returns the predicted classes, (n,), for images (n, I)."""
        return np.asarray(self.scores(images).argmax(axis=1))

    def update(
        self, images: _Floats, labels: NDArray[np.int64], rate: float, *, averaged: bool
    ) -> int:
        """Makes one step of Adam on a minibatch.

        Args:
            images: (B, I).
            labels: (B,).
            rate: learning rate of all parameters.
            averaged: whether the parameters after the step count in the average.

        Returns:
            The number of images that were misclassified before the step.
        """
        weights, couplings, hidden_bias, output_bias = self._views(self._flat)
        hidden = np.maximum(images @ weights.T + hidden_bias, 0)
        scores = hidden @ couplings + output_bias

        score_slopes = self._score_slopes(scores, labels) / np.float32(len(labels))
        hidden_slopes = (score_slopes @ couplings.T) * (hidden > 0)
        slopes = self._views(self._slopes)
        np.matmul(hidden_slopes.T, images, out=slopes[0])
        np.matmul(hidden.T, score_slopes, out=slopes[1])
        hidden_slopes.sum(axis=0, out=slopes[2])
        score_slopes.sum(axis=0, out=slopes[3])

        self._step(rate)
        if averaged:
            self._num_averaged += 1
            self._average += (self._flat - self._average) / np.float32(self._num_averaged)
        return int((scores.argmax(axis=1) != labels).sum())

    def _score_slopes(self, scores: _Floats, labels: NDArray[np.int64]) -> _Floats:
        """Returns the derivatives of the loss of each image by its scores, (B, K)."""
        rows = np.arange(len(labels))
        if not self._hinge:
            from scipy.special import softmax

            slopes: _Floats = softmax(scores, axis=1)
            slopes[rows, labels] -= 1
            return slopes

        others = scores.copy()
        others[rows, labels] = -np.inf
        rivals = others.argmax(axis=1)
        short = (1 + others[rows, rivals] - scores[rows, labels] > 0).astype(np.float32)
        slopes = np.zeros_like(scores)
        slopes[rows, rivals] = short
        slopes[rows, labels] = -short
        return slopes

    def _step(self, rate: float) -> None:
        """Moves the parameters against the slopes, by Adam."""
        self._num_updates += 1
        self._means += np.float32(1 - _MEAN_DECAY) * (self._slopes - self._means)
        self._squares += np.float32(1 - _SQUARE_DECAY) * (np.square(self._slopes) - self._squares)

        size = rate / (1 - _MEAN_DECAY**self._num_updates)
        root = np.sqrt(self._squares / np.float32(1 - _SQUARE_DECAY**self._num_updates))
        self._flat -= np.float32(size) * self._means / (root + np.float32(1e-8))

    def _views(self, flat: _Floats) -> list[_Floats]:
        """Returns W (H, I), J (H, K), b^h and b^o, which share their memory with a flat array."""
        ends = np.cumsum([np.prod(shape) for shape in self._shapes])[:-1]
        parts = np.split(flat, ends)
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]


@dataclass(frozen=True)
class ScoreMethod:
    """Training of a ScorePerceptron by Adam, at a rate that falls to 0 in a straight line."""

    title: str
    loss: Loss
    batch_size: int
    average_from: int
    num_hidden: int = NUM_HIDDEN

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> ScoreLearner:
        """Creates a network from the seed and returns its Learner."""
        network = BipartiteNetwork.random(
            num_inputs=images.train_images.shape[1],
            num_hidden=self.num_hidden,
            num_classes=images.num_classes,
            redundancy=1,
            seed=seed,
        )
        return ScoreLearner(self, ScorePerceptron(network, self.loss), images, learning_rate, seed)


class ScoreLearner:
    """A Learner that trains a ScorePerceptron."""

    def __init__(
        self,
        method: ScoreMethod,
        network: ScorePerceptron,
        images: ImageSet,
        learning_rate: float,
        seed: int,
    ) -> None:
        """Takes the method, a new network, and the images to train and test on."""
        self.network = network
        self._method, self._images, self._rate = method, images, learning_rate
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _ORDER])))
        self._epoch = 0

    def train_epoch(self, num_epochs: int) -> tuple[float, float]:
        """Trains for one of num_epochs epochs; returns the error before each update, twice."""
        self._epoch += 1
        averaged = self._epoch >= self._method.average_from
        pixels, labels = self._images.train_images, self._images.train_labels
        order, size, wrong = self._random.permutation(len(labels)), self._method.batch_size, 0

        for first in range(0, len(order), size):
            rows = order[first : first + size]
            done = (self._epoch - 1 + first / len(order)) / num_epochs
            rate = self._rate * (1 - done)
            wrong += self.network.update(pixels[rows], labels[rows], rate, averaged=averaged)

        error = wrong / len(order)
        return error, error

    def predict(self) -> NDArray[np.int64]:
        """Returns the predicted classes of the test images."""
        return self.network.predict(self._images.test_images)
