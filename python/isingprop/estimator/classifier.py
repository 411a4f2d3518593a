"""IsingClassifier: a network and its trainer under scikit-learn's conventions."""

from __future__ import annotations

import math
import warnings
from copy import deepcopy
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from isingprop.data.feature_ranges import ranges_without_outliers
from isingprop.estimator.class_labels import all_classes, class_numbers
from isingprop.estimator.early_stopping import EarlyStopping
from isingprop.estimator.fitting import Samples, Stream, one_epoch, train
from isingprop.estimator.held_out_beta import beta_of_unseen, held_out_beta
from isingprop.estimator.recipes import BATCH_SIZE, recipe, recipe_for
from isingprop.estimator.sample_weights import ClassWeight, combined_weights
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.protocol import Sampler
from isingprop.training.evaluation import EpochRecord
from isingprop.training.stability import first_unstable
from isingprop.training.trainer import Trainer
from isingprop.util.checks import Doubles, real_number, whole_number
from isingprop.util.input_format import Scaling
from isingprop.util.progress import Progress

_EPOCHS, _UPDATES = 30, 1200  # at least, where epochs is None
_MOST_HELD = 0.9  # share of samples for validation


class IsingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network of Ising spins as a classifier for scikit-learn's pipelines, searches and scores.

    It is trained on class states, without a sampler, or by dragon training with the states of one.
    Other settings are those of `isingprop train`.

    The inputs of a network are pixels, so features are scaled to [0, 1] by their range in the
    training data, and clipped there afterwards. Outliers do not count for the range, where they
    would leave no room for the others, and `fit` warns of them; see `ranges_without_outliers`. If
    pixels are above 1/2 in the mean, dark and bright are exchanged, with which it learns more.

    Predictions are by `BipartiteNetwork.class_energies`, without a sampler. The inverse temperature
    of `predict_proba` must come from samples that a network was not trained on. `fit` therefore
    trains two more networks, each on one half of the samples, and fits beta to the class energies
    of the other half. The network that predicts is trained on all samples. In all, fit takes twice
    as long as training that network does, and twice as many states of the sampler. With
    early_stopping beta comes from the validation samples, and no other network is trained.

    A sample of weight w is in an epoch n w / (sum of all w) times, rounded down or up at random so
    that this is the mean. An epoch has n samples, those whose weight is not 0. So each update is in
    the mean that of samples repeated as often as integer weights say; only the ratios of weights
    count, and a weight of 0 leaves its sample out.

    Args:
        num_hidden: hidden spins.
        redundancy: output spins per class.
        epochs: passes over the training data; None is 30, or more for few samples: 1,200 updates of
            10 samples.
        num_states: m, states per sample and update; None is 1 for class states, 3 for a sampler.
        learning_rate: of Adam, which falls to 0 over all epochs.
        sampler: of training; None for class states.
        class_weight: a weight for each class, by its label, or "balanced": in inverse proportion to
            its share of the samples. Weights of samples are multiplied by it.
        warm_start: whether `fit` goes on with the network of the last one, at a fresh learning
            rate, in place of a new one. The ranges of features stay those of the first fit.
        early_stopping: whether to leave out some samples of each class for validation, to end
            training when their accuracy no longer rises, and to keep the best network.
        validation_fraction: the share of these samples.
        n_iter_no_change: how many epochs in a row may be no better than the best.
        verbose: 1 shows progress on stderr: a bar, or lines where there is no terminal.
        random_state: an int for the same result each time, None or a RandomState to draw one.

    Attributes:
        classes_: the labels, sorted.
        n_features_in_: the number of features.
        network_: the trained BipartiteNetwork, with its beta.
        history_: one EpochRecord for each epoch of its last fit, or call of partial_fit.
        validation_scores_: with early_stopping, the accuracy after each epoch.
        best_epoch_: with early_stopping, the epoch whose network is kept, 1 for the first.

    Example:
        >>> from sklearn.datasets import load_digits
        >>> X, y = load_digits(return_X_y=True)
        >>> model = IsingClassifier(epochs=3, random_state=0).fit(X[:1000], y[:1000])
        >>> model.score(X[1000:], y[1000:]) > 0.8
        True
    """

    classes_: NDArray[Any]
    network_: BipartiteNetwork
    history_: list[EpochRecord]
    _stream: Stream | None
    _num_passes: int  #: fits since the last one that began with a new network

    def __init__(
        self,
        num_hidden: int = 120,
        *,
        redundancy: int = 4,
        epochs: int | None = None,
        num_states: int | None = None,
        learning_rate: float = 0.001,
        sampler: Sampler | None = None,
        class_weight: ClassWeight = None,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        """Keeps the arguments; they are checked in fit, as scikit-learn wants it."""
        self.num_hidden = num_hidden
        self.redundancy = redundancy
        self.epochs = epochs
        self.num_states = num_states
        self.learning_rate = learning_rate
        self.sampler = sampler

        self.class_weight = class_weight
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.verbose = verbose
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> IsingClassifier:
        """Trains a network on (n, features) samples and (n,) labels of any kind.

        Args:
            X: (n, features).
            y: (n,).
            sample_weight: (n,), >= 0, see the class; None for equal ones.

        Raises:
            ValueError: for arguments out of range, and where training diverges, with the learning
                rates.

        Warns:
            UserWarning: of outliers, with their features; of an unstable training.
        """
        self._check_arguments()
        goes_on = self.warm_start and hasattr(self, "network_")
        features, y = validate_data(self, X, y, dtype=np.float64, reset=not goes_on)
        check_classification_targets(y)
        features, y, weights = self._weighed(features, y, sample_weight)

        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y must hold at least 2 classes, got {len(classes)} class")
        if goes_on and not np.array_equal(classes, self.classes_):
            raise ValueError(f"y must hold {self.classes_} with warm_start, got {classes}")
        start = self.network_ if goes_on else None
        if not goes_on:
            self.classes_ = classes
            self._set_ranges(features)

        self._seed, self._stream = self._drawn_seed(), None
        self._num_passes = self._num_passes + 1 if goes_on else 1
        self._learn(Samples(self._pixels(features), labels, weights), start)
        if (epoch := first_unstable(self.history_)) is not None:
            warnings.warn(
                f"training is unstable in epoch {epoch}: take a smaller learning_rate than "
                f"{self.learning_rate}",
                stacklevel=2,
            )
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> IsingClassifier:
        """Goes on with the network for one epoch on these samples, at a constant learning rate.

        The ranges of features are those of the samples of the first call: later values beyond them
        are clipped. The beta of probabilities is fitted to the latest 1,000 samples, at the class
        energies that they had before they were trained on; samples that come again and again make
        the probabilities too sure.

        Args:
            X: (n, features).
            y: (n,).
            classes: all labels that are to come; needed in the first call.
            sample_weight: (n,), >= 0, see the class; None for equal ones.
        """
        self._check_arguments()
        is_new = not hasattr(self, "network_")
        features, y = validate_data(self, X, y, dtype=np.float64, reset=is_new)
        if self.class_weight == "balanced":
            raise ValueError("class_weight must be None or by class in partial_fit, got 'balanced'")
        features, y, weights = self._weighed(features, y, sample_weight)
        self.classes_ = all_classes(classes, None if is_new else self.classes_)
        labels = class_numbers(y, self.classes_)

        if is_new:
            self._set_ranges(features)
        samples = Samples(self._pixels(features), labels, weights)
        stream = getattr(self, "_stream", None)
        if stream is None:
            self._seed = self._drawn_seed()
            start = None if is_new else self.network_
            stream = Stream(self._trainer(samples, start, schedule="constant"))

        def half(rows: NDArray[np.int64]) -> BipartiteNetwork:
            return one_epoch(self._trainer(samples, schedule="constant"), samples.part(rows))

        self.network_, self.history_ = stream.learn(samples, half, self._seed)
        self._stream = stream
        return self

    def set_params(self, **params: Any) -> IsingClassifier:
        """Sets arguments; those of the sampler are named sampler__num_sweeps and so on.

        Raises:
            ValueError: for an unknown name, or an argument of a sampler where there is none.
        """
        sampler = params.get("sampler", self.sampler)
        own = [name for name in params if name.startswith("sampler__")]
        if own and not hasattr(sampler, "set_params"):
            raise ValueError(
                "sampler must be one with set_params(), such as isingprop.Annealing(), "
                f"for {own[0]}, got {sampler!r}"
            )
        return cast(IsingClassifier, super().set_params(**params))

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

    def _learn(self, samples: Samples, start: BipartiteNetwork | None) -> None:
        """Trains the network that predicts, and finds its beta."""
        held = None
        if self.early_stopping:
            samples, held = samples.split(self.validation_fraction, self._seed)

        epochs = self.epochs or max(_EPOCHS, math.ceil(_UPDATES * BATCH_SIZE / len(samples.labels)))
        passes = 1 if held is not None else 1 + self._num_passes
        total = passes * epochs * len(samples.labels)
        with Progress(total, shown=bool(self.verbose)) as progress:
            trainer = self._trainer(samples, start)
            if held is None:
                train(trainer, samples, epochs, progress)
            else:
                stop = EarlyStopping(*held, patience=self.n_iter_no_change)
                train(trainer, samples, epochs, progress, stop)
                self.validation_scores_, self.best_epoch_ = stop.accuracies, stop.best_epoch

            def half(rows: NDArray[np.int64]) -> BipartiteNetwork:
                own, num_epochs = samples.part(rows), self._num_passes * epochs
                return train(self._trainer(own), own, num_epochs, progress, title="halves: ")

            network = cast(BipartiteNetwork, trainer.network)
            if held is None:
                network.beta = held_out_beta(half, *samples[:2], self._seed, samples.weights)
            else:
                energies = network.class_energies(held.pixels)
                network.beta = beta_of_unseen(energies, held.labels, held.weights)
        self.network_, self.history_ = network, trainer.history

    def _trainer(
        self, samples: Samples, start: BipartiteNetwork | None = None, **changes: Any
    ) -> Trainer:
        """Returns a trainer of a new network, or of a copy of one to start from."""
        rate = real_number("learning_rate", self.learning_rate, above=0.0)
        settings = recipe(recipe_for(self.sampler)) | {"learning_rate": rate} | changes
        settings.pop("num_sweeps")  # of the sampler, which is the user's own
        if self.num_states is not None:
            settings["num_states"] = self.num_states

        gain = settings.pop("coupling_gain")
        network = deepcopy(start)
        if network is None:
            network = BipartiteNetwork.random(
                num_inputs=samples.pixels.shape[1],
                num_hidden=self.num_hidden,
                num_classes=len(self.classes_),
                redundancy=self.redundancy,
                coupling_gain=gain,
                seed=self._seed,
            )
        sampler = ClassStates(network.readout) if self.sampler is None else self.sampler
        return Trainer(network, sampler, seed=self._seed, **settings)

    def _check_arguments(self) -> None:
        """Checks what no other class checks."""
        if self.epochs is not None:
            whole_number("epochs", self.epochs, least=1)
        real_number("validation_fraction", self.validation_fraction, above=0.0, most=_MOST_HELD)
        whole_number("n_iter_no_change", self.n_iter_no_change, least=1)

    def _weighed(
        self, features: Doubles, y: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Doubles, NDArray[Any], Doubles | None]:
        """Returns samples, labels and weights, without samples of weight 0."""
        names = np.asarray(y)
        weights = combined_weights(sample_weight, self.class_weight, names)
        if weights is None:
            return features, names, None
        kept = weights > 0
        return features[kept], names[kept], weights[kept]

    def _set_ranges(self, features: Doubles) -> None:
        """Keeps the ranges of features, which pixels are made with."""
        self._scaling = Scaling(*ranges_without_outliers(features)).darkened(features)

    def _drawn_seed(self) -> int:
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _checked_pixels(self, X: ArrayLike) -> NDArray[np.float32]:
        """Returns the pixels of samples, after checks that they and the network are there."""
        check_is_fitted(self)
        return self._pixels(validate_data(self, X, dtype=np.float64, reset=False))

    def _pixels(self, features: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns features scaled to [0, 1] by their range in the training data."""
        return self._scaling.pixels(features)
