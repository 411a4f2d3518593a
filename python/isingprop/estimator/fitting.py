"""The samples of a fit, and how a trainer learns from them: epoch by epoch, or part by part."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from isingprop.estimator.early_stopping import EarlyStopping
from isingprop.estimator.held_out_beta import beta_of_unseen, held_out_beta
from isingprop.network.base_network import Floats32
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.training.evaluation import EpochRecord
from isingprop.training.trainer import Trainer
from isingprop.util.checks import Doubles
from isingprop.util.progress import Progress

_UNSEEN = 1000  # samples that beta is fitted to while parts come in


class Samples(NamedTuple):
    """Samples with their labels and weights."""

    pixels: Floats32  #: (n, I)
    labels: NDArray[np.int64]  #: (n,)
    weights: Doubles | None  #: (n,), > 0; None for equal ones

    def part(self, rows: NDArray[np.int64]) -> Samples:
        """Returns the samples of these numbers."""
        weights = None if self.weights is None else self.weights[rows]
        return Samples(self.pixels[rows], self.labels[rows], weights)

    def split(self, fraction: float, seed: int) -> tuple[Samples, Samples]:
        """Returns the samples without a share of each class, and this share."""
        from sklearn.model_selection import train_test_split

        rows = np.arange(len(self.labels))
        own, held = train_test_split(
            rows, test_size=fraction, stratify=self.labels, random_state=seed
        )
        return self.part(own), self.part(held)


def one_epoch(trainer: Trainer, samples: Samples) -> BipartiteNetwork:
    """Trains for an epoch on samples that may be others than before, and returns the network."""
    trainer.train_epoch(samples.pixels, samples.labels, weights=samples.weights, other_images=True)
    return cast(BipartiteNetwork, trainer.network)


def train(
    trainer: Trainer,
    samples: Samples,
    epochs: int,
    progress: Progress,
    stop: EarlyStopping | None = None,
    title: str = "",
) -> BipartiteNetwork:
    """Trains for a number of epochs, or until it is time to stop, and returns the network.

    Args:
        trainer: of a network that it has not trained yet.
        samples: to train on.
        epochs: the max number of them.
        progress: counts samples.
        stop: tests the network after each epoch.
        title: what the text of the progress begins with.
    """
    network = cast(BipartiteNetwork, trainer.network)
    for epoch in range(1, epochs + 1):
        text = f"{title}epoch {epoch}/{epochs}"
        progress.describe(text)
        record = trainer.train_epoch(
            samples.pixels, samples.labels, epochs, weights=samples.weights
        )

        is_over = stop is not None and stop.is_over(network)
        progress.note(f"error {record.train_error_lowest:.2%}")
        progress.advance(len(samples.labels))
        progress.line(f"{text}: training error {record.train_error_lowest:.2%}")
        if is_over:
            break

    if stop is not None:
        stop.put_back_best(network)
    return network


class Stream:
    """A trainer whose samples come in parts, and what the network made of the latest ones.

    Args:
        trainer: of the network, with a schedule that needs no end.
    """

    def __init__(self, trainer: Trainer) -> None:
        """Starts with no samples seen."""
        self._trainer = trainer
        network = cast(BipartiteNetwork, trainer.network)
        self._energies = np.empty((0, network.num_classes))
        self._labels = np.empty(0, np.int64)
        self._weights = np.empty(0)

    def learn(
        self,
        samples: Samples,
        train_anew: Callable[[NDArray[np.int64]], BipartiteNetwork],
        seed: int,
    ) -> tuple[BipartiteNetwork, list[EpochRecord]]:
        """Trains for an epoch on a part, and returns the network and all records so far.

        Args:
            samples: the part.
            train_anew: trains another network on samples of these numbers, for the first beta.
            seed: decides the halves of the first part.
        """
        network = cast(BipartiteNetwork, self._trainer.network)
        is_new = network.beta is None and not self._trainer.history
        if not is_new:
            self._ask(network, samples)
        one_epoch(self._trainer, samples)

        if is_new:
            network.beta = held_out_beta(train_anew, *samples[:2], seed, samples.weights)
        else:
            network.beta = beta_of_unseen(self._energies, self._labels, self._weights)
        return network, self._trainer.history

    def _ask(self, network: BipartiteNetwork, samples: Samples) -> None:
        """Keeps the energies of samples that the network is about to be trained on."""
        count = len(samples.labels)
        weights = np.ones(count) if samples.weights is None else samples.weights
        energies = network.class_energies(samples.pixels)
        self._energies = np.concatenate([self._energies, energies])[-_UNSEEN:]
        self._labels = np.concatenate([self._labels, samples.labels])[-_UNSEEN:]
        self._weights = np.concatenate([self._weights, weights])[-_UNSEEN:]
