"""IsingClassifier: a network and its trainer under scikit-learn's conventions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from isingprop.network.bipartite import BipartiteNetwork
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.protocol import Sampler
from isingprop.training.evaluation import lowest_outputs
from isingprop.training.feature_ranges import ranges_without_outliers
from isingprop.training.learning_rule import LearningRates
from isingprop.training.trainer import Trainer
from isingprop.util.checks import whole_number


class IsingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier trained by dragon training, for scikit-learn's pipelines, searches and scores.

    The inputs of a network are pixels, so features are scaled to [0, 1] by their range in the
    training data, and clipped there afterwards. Outliers do not count for the range, where they
    would leave no room for the others, and `fit` warns of them; see `ranges_without_outliers`.

    Args:
        num_hidden: hidden spins.
        redundancy: output spins per class.
        epochs: passes over the training data.
        num_states: m, states per sample and update; 1 is equilibrium propagation.
        learning_rate: see LearningRates.for_images. It is lower than the trainer's, because classes
            that overlap, as those of small tables do, do not settle at 0.001.
        sampler: default Annealing().
        num_test_reads: reads of a sample in predict, of which the lowest counts.
        random_state: an int for the same result each time, None or a RandomState to draw one.

    Attributes:
        classes_: the labels, sorted.
        n_features_in_: the number of features.
        network_: the trained BipartiteNetwork.
        history_: one EpochRecord for each epoch.

    Example:
        >>> from sklearn.datasets import load_digits
        >>> X, y = load_digits(return_X_y=True)
        >>> model = IsingClassifier(epochs=3, random_state=0).fit(X[:1000], y[:1000])
        >>> model.score(X[1000:], y[1000:]) > 0.8
        True
    """

    def __init__(
        self,
        num_hidden: int = 120,
        *,
        redundancy: int = 4,
        epochs: int = 13,
        num_states: int = 20,
        learning_rate: float = 0.0003,
        sampler: Sampler | None = None,
        num_test_reads: int = 10,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        """Keeps the arguments; they are checked in fit, as scikit-learn wants it."""
        self.num_hidden = num_hidden
        self.redundancy = redundancy
        self.epochs = epochs
        self.num_states = num_states
        self.learning_rate = learning_rate
        self.sampler = sampler
        self.num_test_reads = num_test_reads
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> IsingClassifier:
        """Trains a new network on (n, features) samples and (n,) labels of any kind.

        Raises:
            ValueError: for arguments out of range, and where training diverges, with the learning
                rates.

        Warns:
            UserWarning: of outliers, with their features.
        """
        epochs = whole_number("epochs", self.epochs, least=1)
        features, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must hold at least 2 classes, got {len(self.classes_)} class")

        self._lowest, highest = ranges_without_outliers(features)
        spread = highest - self._lowest
        self._spread = np.where(spread > 0, spread, 1.0)
        pixels = self._pixels(features)

        self._seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.network_ = BipartiteNetwork.random(
            num_inputs=features.shape[1],
            num_hidden=self.num_hidden,
            num_classes=len(self.classes_),
            redundancy=self.redundancy,
            seed=self._seed,
        )
        trainer = Trainer(
            self.network_,
            self.sampler,
            num_states=self.num_states,
            learning_rate=LearningRates.for_images(self.learning_rate, pixels),
            num_test_reads=self.num_test_reads,
            seed=self._seed,
        )
        self.history_ = [trainer.train_epoch(pixels, labels) for _ in range(epochs)]
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Returns the labels of (n, features) samples.

        The label of a sample is the one with the largest score in the lowest of several states, the
        first of equals.
        """
        check_is_fitted(self)
        features = validate_data(self, X, dtype=np.float64, reset=False)
        sampler = Annealing() if self.sampler is None else self.sampler
        pixels = self._pixels(features)

        # One random stream for all: a prediction must not depend on a sample's place among others.
        one_stream = np.zeros(len(pixels), dtype=np.uint64)
        outputs = lowest_outputs(
            self.network_,
            sampler,
            pixels,
            num_reads=self.num_test_reads,
            seed=self._seed,
            streams=one_stream,
        )
        return np.asarray(self.classes_[self.network_.readout.scores(outputs).argmax(axis=1)])

    def _pixels(self, features: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns features scaled to [0, 1] by their range in the training data."""
        scaled: NDArray[np.float64] = np.clip((features - self._lowest) / self._spread, 0.0, 1.0)
        return scaled.astype(np.float32)
