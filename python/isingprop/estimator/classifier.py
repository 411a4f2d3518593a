"""IsingClassifier: a network and its trainer under scikit-learn's conventions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from isingprop.data.feature_ranges import ranges_without_outliers
from isingprop.estimator.held_out_beta import held_out_beta
from isingprop.estimator.recipes import rates_of, recipe, recipe_for
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.protocol import Sampler
from isingprop.training.evaluation import EpochRecord
from isingprop.training.stability import first_unstable
from isingprop.training.trainer import Trainer
from isingprop.util.checks import real_number, whole_number

_EPOCHS, _UPDATES = 30, 1200  # at least, where epochs is None


class IsingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network of Ising spins as a classifier for scikit-learn's pipelines, searches and scores.

    It is trained on class states, without a sampler, or by dragon training with the states of one.
    Other settings are those of `isingprop train`.

    The inputs of a network are pixels, so features are scaled to [0, 1] by their range in the
    training data, and clipped there afterwards. Outliers do not count for the range, where they
    would leave no room for the others, and `fit` warns of them; see `ranges_without_outliers`.

    Predictions are by `BipartiteNetwork.class_energies`, without a sampler. The inverse temperature
    of `predict_proba` must come from samples that a network was not trained on. `fit` therefore
    trains two more networks, each on one half of the samples, and fits beta to the class energies
    of the other half. The network that predicts is trained on all samples. In all, fit takes twice
    as long as training that network does, and twice as many states of the sampler.

    Args:
        num_hidden: hidden spins.
        redundancy: output spins per class.
        epochs: passes over the training data; None is 30, or more for few samples: 1,200 updates of
            10 samples.
        num_states: m, states per sample and update; None is 1 for class states, 3 for a sampler.
        learning_rate: of Adam, which falls to 0 over all epochs.
        sampler: of training; None for class states.
        random_state: an int for the same result each time, None or a RandomState to draw one.

    Attributes:
        classes_: the labels, sorted.
        n_features_in_: the number of features.
        network_: the trained BipartiteNetwork, with its beta.
        history_: one EpochRecord for each epoch of its training.

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
        epochs: int | None = None,
        num_states: int | None = None,
        learning_rate: float = 0.001,
        sampler: Sampler | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        """Keeps the arguments; they are checked in fit, as scikit-learn wants it."""
        self.num_hidden = num_hidden
        self.redundancy = redundancy
        self.epochs = epochs
        self.num_states = num_states
        self.learning_rate = learning_rate
        self.sampler = sampler
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> IsingClassifier:
        """Trains a new network on (n, features) samples and (n,) labels of any kind.

        Raises:
            ValueError: for arguments out of range, and where training diverges, with the learning
                rates.

        Warns:
            UserWarning: of outliers, with their features; of an unstable training.
        """
        if self.epochs is not None:
            whole_number("epochs", self.epochs, least=1)
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
        self.network_, self.history_ = self._trained(pixels, labels)
        if (epoch := first_unstable(self.history_)) is not None:
            warnings.warn(
                f"training is unstable in epoch {epoch}: take a smaller learning_rate than "
                f"{self.learning_rate}",
                stacklevel=2,
            )
        self.network_.beta = held_out_beta(
            lambda some, own: self._trained(some, own)[0], pixels, labels, self._seed
        )
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Returns -E_k of (n, features) samples, (n, K), or E_0 - E_1, (n,), for two classes."""
        pixels = self._checked_pixels(X)
        energies = self.network_.class_energies(pixels)
        two = energies.shape[1] == 2
        return np.asarray(energies[:, 0] - energies[:, 1] if two else -energies)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Returns the labels of (n, features) samples, those of the lowest energy."""
        pixels = self._checked_pixels(X)
        return np.asarray(self.classes_[self.network_.predict(pixels)])

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Returns the probabilities of the classes of (n, features) samples, (n, K)."""
        pixels = self._checked_pixels(X)
        return self.network_.predict_proba(pixels)

    def _trained(
        self, pixels: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> tuple[BipartiteNetwork, list[EpochRecord]]:
        """Returns a new network after its training, and the records of its epochs."""
        rate = real_number("learning_rate", self.learning_rate, above=0.0)
        settings = recipe(recipe_for(self.sampler)) | {"learning_rate": rate}
        settings.pop("num_sweeps")  # of the sampler, which is the user's own
        if self.num_states is not None:
            settings["num_states"] = self.num_states

        network = BipartiteNetwork.random(
            num_inputs=pixels.shape[1],
            num_hidden=self.num_hidden,
            num_classes=len(self.classes_),
            redundancy=self.redundancy,
            coupling_gain=settings.pop("coupling_gain"),
            seed=self._seed,
        )
        sampler = ClassStates(network.readout) if self.sampler is None else self.sampler
        settings["learning_rate"] = rates_of(settings, pixels)
        trainer = Trainer(network, sampler, seed=self._seed, **settings)

        epochs = self.epochs or max(_EPOCHS, math.ceil(_UPDATES * trainer.batch_size / len(labels)))
        return network, [trainer.train_epoch(pixels, labels, epochs) for _ in range(epochs)]

    def _checked_pixels(self, X: ArrayLike) -> NDArray[np.float32]:
        """Returns the pixels of samples, after checks that they and the network are there."""
        check_is_fitted(self)
        return self._pixels(validate_data(self, X, dtype=np.float64, reset=False))

    def _pixels(self, features: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns features scaled to [0, 1] by their range in the training data."""
        scaled: NDArray[np.float64] = np.clip((features - self._lowest) / self._spread, 0.0, 1.0)
        return scaled.astype(np.float32)
