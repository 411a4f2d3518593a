"""The seven training methods of Fig. 5, and their curves of error against epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, fit_power_law, interval_of, mean_interval
from isingprop.paper.common.methods import (
    BACKPROP_RELU,
    BACKPROP_SIGMOID,
    BACKPROP_WIDE,
    CLASS_STATES,
    CYCLIC,
    DRAGON,
    EQUILIBRIUM,
    Method,
)
from isingprop.paper.common.study_setup import Setup

# In the order in which their jobs start: the method that takes longest comes first.
METHODS: dict[str, Method] = {
    "backprop-1200": BACKPROP_WIDE,
    "dragon": DRAGON,
    "cyclic": CYCLIC,
    "equilibrium": EQUILIBRIUM,
    "class-states": CLASS_STATES,
    "backprop-relu": BACKPROP_RELU,
    "backprop-sigmoid": BACKPROP_SIGMOID,
}
# The exponents z that the paper gives for its Fig. 5.
PUBLISHED = {
    "dragon": 1.01,
    "equilibrium": 0.64,
    "backprop-relu": 0.78,
    "backprop-sigmoid": 0.56,
    "backprop-1200": 0.84,
}
# The order of rows in tables and of lines in legends.
ORDER = (
    "dragon",
    "cyclic",
    "equilibrium",
    "class-states",
    "backprop-relu",
    "backprop-sigmoid",
    "backprop-1200",
)
EARLY = 10  # last epoch of the early window of a fit, and first epoch of the late window


def epochs_of(setup: Setup) -> int:
    """Returns the number of epochs that every method trains for."""
    return 10 if setup.quick else 100


@dataclass(frozen=True)
class Curves:
    """The results of one method over its seeds; arrays are (seeds, epochs) unless noted."""

    learning_rate: float
    error_reads: NDArray[np.float64]
    error_lowest: NDArray[np.float64]
    seconds: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]  #: (seeds,), after the last epoch
    test_accuracy_100: NDArray[np.float64]  #: (seeds,), on the papers' 100 test images
    qpu_seconds: float | None  #: estimated per epoch on a chip; None for backpropagation

    def exponent(
        self, errors: NDArray[np.float64], first: int = 1, last: int | None = None
    ) -> Interval:
        """Returns z over epochs first ... last, and its interval over seeds.

        Args:
            errors: (seeds, epochs).
            first: first epoch of the fit, counted from 1.
            last: last epoch of the fit, included; None for the last one there is.

        Returns:
            The mean of the fits of each seed; NaN if a seed has fewer than two epochs with errors.
        """
        epochs = np.arange(first, (errors.shape[1] if last is None else last) + 1)
        return interval_of([exponent(epochs, row[epochs - 1]) for row in errors])

    def early_and_late(self) -> tuple[Interval, Interval]:
        """Returns z of all reads up to epoch EARLY, and from epoch EARLY on."""
        epochs = self.error_reads.shape[1]
        turn = min(EARLY, epochs)
        early = self.exponent(self.error_reads, 1, turn)
        late = self.exponent(self.error_reads, turn, epochs)
        return early, late

    def least_squares_exponent(self, errors: NDArray[np.float64]) -> Interval:
        """Returns z by least squares of log error on log epoch, without epochs of error 0.

        Args:
            errors: (seeds, epochs).

        Returns:
            The mean of the fits of each seed; NaN if a seed has fewer than two epochs with errors.
        """
        epochs = np.log(np.arange(1, errors.shape[1] + 1))
        if np.any((errors > 0).sum(axis=1) < 2):
            return Interval(math.nan, math.nan, math.nan)
        return mean_interval(
            [-np.polyfit(epochs[row > 0], np.log(row[row > 0]), 1)[0] for row in errors]
        )

    def epochs_to(self, error: float) -> int | None:
        """Returns the first epoch whose error of all reads, mean over seeds, is at most `error`."""
        reached = np.flatnonzero(self.error_reads.mean(axis=0) <= error)
        return int(reached[0]) + 1 if reached.size else None


def exponent(epochs: NDArray[np.int64], errors: NDArray[np.float64]) -> float:
    """Returns z of one seed; NaN if fewer than two epochs have errors."""
    return fit_power_law(epochs, errors).exponent if (errors > 0).sum() > 1 else math.nan
