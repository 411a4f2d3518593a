"""What the studies of perceptrons and their twins share: two classes of a data set, and the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.energy_model.mlp import MLP
from isingprop.paper.common.study_setup import Setup, select_images

NUM_HIDDEN = 548  # the paper's
QUICK_HIDDEN = 32


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
    """As the paper has it: 0-1, or Pullover-Dress."""
    return "-".join(_FASHION[c] if data == "fashion-mnist" else str(c) for c in classes)


def images_of_classes(images: ImageSet, classes: tuple[int, int]) -> ImageSet:
    """The images of two classes."""
    return select_images(
        images, np.isin(images.train_labels, classes), np.isin(images.test_labels, classes)
    )


def num_hidden(setup: Setup) -> int:
    """Of the networks of a study."""
    return QUICK_HIDDEN if setup.quick else NUM_HIDDEN


@dataclass(frozen=True)
class PairImages:
    """Images of two classes; an output is 1 for the second of them.

    Args:
        train_x: (n, N).
        train_y: (n, 1), 0 or 1.
        test_x: (m, N).
        test_y: (m, 1).
    """

    train_x: NDArray[np.float32]
    train_y: NDArray[np.int8]
    test_x: NDArray[np.float32]
    test_y: NDArray[np.int8]

    @classmethod
    def of(cls, images: ImageSet, classes: tuple[int, int]) -> PairImages:
        """All images of these classes, in published order; of the test images the same number of each class.

        Raises:
            ValueError: where there are none of a class.
        """
        train = np.isin(images.train_labels, classes)
        count = min(int((images.test_labels == c).sum()) for c in classes)
        test = np.sort(
            np.concatenate([np.flatnonzero(images.test_labels == c)[:count] for c in classes])
        )
        for part, labels in (
            ("train_labels", images.train_labels),
            ("test_labels", images.test_labels),
        ):
            for c in classes:
                if c not in labels:
                    raise ValueError(f"{part} must have images of class {c}, got none")
        return cls(
            images.train_images[train],
            _second(images.train_labels[train], classes),
            images.test_images[test],
            _second(images.test_labels[test], classes),
        )


class Backpropagation:
    """scikit-learn's MLPClassifier: one hidden layer of sigmoid units, log-loss, Adam; a step at a time.

    Its initial weights are uniform in +-sqrt(2 / (fan in + fan out)), 1.1 times PyTorch's standard deviation for W1.

    Args:
        num_hidden: K.
        learning_rate: of Adam.
        batch_size: inputs of a step.
        seed: of the initial weights.
    """

    def __init__(self, num_hidden: int, learning_rate: float, batch_size: int, seed: int) -> None:
        """See the class."""
        from sklearn.neural_network import MLPClassifier

        self._classifier = MLPClassifier(
            (num_hidden,),
            activation="logistic",
            solver="adam",
            alpha=0.0,
            batch_size=batch_size,
            learning_rate_init=learning_rate,
            shuffle=False,
            random_state=np.random.RandomState(
                np.random.MT19937(seed)
            ),  # an int must be below 2^32
        )

    def step(self, x: NDArray[np.float32], y: NDArray[np.int8]) -> MLP:
        """One update from a batch, (B, N) and (B, 1); returns the perceptron after it."""
        self._classifier.partial_fit(x, y.ravel(), classes=[0, 1])
        first, second = self._classifier.coefs_
        return MLP(first.T, second.T, *self._classifier.intercepts_)


def _second(labels: NDArray[np.int64], classes: tuple[int, int]) -> NDArray[np.int8]:
    second: NDArray[np.int8] = (labels == classes[1]).astype(np.int8)[:, None]
    return second
