"""Shared parts of the studies of perceptrons: images of two classes, and the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.energy_model.mlp import MLP
from isingprop.paper.common.study_setup import Setup, select_images

NUM_HIDDEN = 548  # hidden units of the paper's perceptrons
QUICK_HIDDEN = 32

# The names of the classes of Fashion-MNIST, in the order of their labels.
_FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle Boot",
)


def pair_name(data: str, classes: tuple[int, int]) -> str:
    """Returns the paper's name of a pair of classes, such as 0-1 or Pullover-Dress."""
    return "-".join(_FASHION[c] if data == "fashion-mnist" else str(c) for c in classes)


def images_of_classes(images: ImageSet, classes: tuple[int, int]) -> ImageSet:
    """Returns the training and test images of two classes."""
    return select_images(
        images, np.isin(images.train_labels, classes), np.isin(images.test_labels, classes)
    )


def num_hidden(setup: Setup) -> int:
    """Returns the number of hidden units of the networks of a study."""
    return QUICK_HIDDEN if setup.quick else NUM_HIDDEN


@dataclass(frozen=True)
class PairImages:
    """Images of two classes with binary outputs: 0 for the first class and 1 for the second.

    Args:
        train_x: (n, N), pixels in [0, 1].
        train_y: (n, 1), 0 or 1.
        test_x: (m, N), pixels in [0, 1].
        test_y: (m, 1), 0 or 1.
    """

    train_x: NDArray[np.float32]
    train_y: NDArray[np.int8]
    test_x: NDArray[np.float32]
    test_y: NDArray[np.int8]

    @classmethod
    def of(cls, images: ImageSet, classes: tuple[int, int]) -> PairImages:
        """Selects all training images of two classes, and equally many test images of each.

        Images keep their published order.

        Raises:
            ValueError: if a class has no training image or no test image.
        """
        for part, labels in (
            ("train_labels", images.train_labels),
            ("test_labels", images.test_labels),
        ):
            for c in classes:
                if c not in labels:
                    raise ValueError(f"{part} must have images of class {c}, got none")

        train = np.isin(images.train_labels, classes)
        count = min(int((images.test_labels == c).sum()) for c in classes)
        test = np.sort(
            np.concatenate([np.flatnonzero(images.test_labels == c)[:count] for c in classes])
        )

        return cls(
            images.train_images[train],
            _second(images.train_labels[train], classes),
            images.test_images[test],
            _second(images.test_labels[test], classes),
        )


class Backpropagation:
    """scikit-learn's MLPClassifier, trained one step at a time.

    It has one hidden layer of sigmoid units and minimises the log-loss with Adam. Its initial
    weights are uniform in +-sqrt(2 / (fan in + fan out)); the standard deviation of its input
    weights is 1.1 times PyTorch's.

    Args:
        num_hidden: number of hidden units, K.
        learning_rate: learning rate of Adam.
        batch_size: number of images in a step.
        seed: seed of the initial weights.
    """

    def __init__(self, num_hidden: int, learning_rate: float, batch_size: int, seed: int) -> None:
        """Creates the classifier; its weights are set in the first step."""
        from sklearn.neural_network import MLPClassifier

        self._classifier = MLPClassifier(
            (num_hidden,),
            activation="logistic",
            solver="adam",
            alpha=0.0,
            batch_size=batch_size,
            learning_rate_init=learning_rate,
            shuffle=False,
            # An integer seed would have to be below 2^32.
            random_state=np.random.RandomState(np.random.MT19937(seed)),
        )

    def step(self, x: NDArray[np.float32], y: NDArray[np.int8]) -> MLP:
        """Makes one update from images (B, N) and outputs (B, 1); returns the new perceptron."""
        self._classifier.partial_fit(x, y.ravel(), classes=[0, 1])
        first, second = self._classifier.coefs_
        return MLP(first.T, second.T, *self._classifier.intercepts_)


def _second(labels: NDArray[np.int64], classes: tuple[int, int]) -> NDArray[np.int8]:
    """Returns the binary outputs, (n, 1): 1 for the second class."""
    second: NDArray[np.int8] = (labels == classes[1]).astype(np.int8)[:, None]
    return second
