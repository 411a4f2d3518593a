"""EarlyStopping: ends a training that no longer gets better on samples that it does not see."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Floats32
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.training.optimizer import copies, put_back
from isingprop.util.checks import Doubles


@dataclass(eq=False)
class EarlyStopping:
    """Tests a network after each epoch, by class energies, and keeps its best parameters.

    Args:
        images: (n, I), which the network is not trained on.
        labels: (n,).
        weights: (n,), how much each image counts; None for equal ones.
        patience: how many epochs in a row may be no better than the best.
    """

    images: Floats32
    labels: NDArray[np.int64]
    weights: Doubles | None
    patience: int
    accuracies: list[float] = field(default_factory=list, init=False)  #: after each epoch
    best_epoch: int = field(default=0, init=False)  #: 1 for the first
    _best: dict[str, Floats32] = field(default_factory=dict, init=False)

    def is_over(self, network: BipartiteNetwork) -> bool:
        """Tests the network after an epoch, and returns whether training is to end."""
        correct = network.predict(self.images) == self.labels
        accuracy = float(np.average(correct, weights=self.weights))
        if not self.accuracies or accuracy > max(self.accuracies):
            self.best_epoch, self._best = len(self.accuracies) + 1, copies(network)
        self.accuracies.append(accuracy)
        return len(self.accuracies) - self.best_epoch >= self.patience

    def put_back_best(self, network: BipartiteNetwork) -> None:
        """Gives the network the parameters of its best epoch, the first of equally good ones."""
        put_back(network, self._best)
