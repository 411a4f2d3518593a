"""The six ways of training of Fig. 5, and what came of them."""

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
    CYCLIC,
    DRAGON,
    EQUILIBRIUM,
    Method,
)
from isingprop.paper.common.study_setup import Setup

METHODS: dict[str, Method] = {
    "backprop-1200": BACKPROP_WIDE,  # the longest first
    "dragon": DRAGON,
    "cyclic": CYCLIC,
    "equilibrium": EQUILIBRIUM,
    "backprop-relu": BACKPROP_RELU,
    "backprop-sigmoid": BACKPROP_SIGMOID,
}
PUBLISHED = {
    "dragon": 1.01,
    "equilibrium": 0.64,
    "backprop-relu": 0.78,
    "backprop-sigmoid": 0.56,
    "backprop-1200": 0.84,
}
ORDER = ("dragon", "cyclic", "equilibrium", "backprop-relu", "backprop-sigmoid", "backprop-1200")
EARLY = 10  # the last epoch of the early window and the first of the late one


def epochs_of(setup: Setup) -> int:
    """How long every method trains."""
    return 10 if setup.quick else 100


@dataclass(frozen=True)
class Curves:
    """One method over its seeds: arrays of (seeds, epochs)."""

    learning_rate: float
    error_reads: NDArray[np.float64]
    error_lowest: NDArray[np.float64]
    seconds: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]  #: (seeds,), after the last epoch
    test_accuracy_100: NDArray[np.float64]  #: (seeds,), on the papers' 100 test images
    qpu_seconds: float | None  #: of an epoch on a chip, for methods that could use one

    def exponent(
        self, errors: NDArray[np.float64], first: int = 1, last: int | None = None
    ) -> Interval:
        """z over epochs first ... last, and its interval over seeds; NaN where a seed has no errors left to fit."""
        epochs = np.arange(first, (errors.shape[1] if last is None else last) + 1)
        return interval_of([exponent(epochs, row[epochs - 1]) for row in errors])

    def early_and_late(self) -> tuple[Interval, Interval]:
        """z of all states up to epoch EARLY, and from there on."""
        epochs = self.error_reads.shape[1]
        turn = min(EARLY, epochs)
        return self.exponent(self.error_reads, 1, turn), self.exponent(
            self.error_reads, turn, epochs
        )

    def least_squares_exponent(self, errors: NDArray[np.float64]) -> Interval:
        """As `exponent`, by least squares of log error on log epoch, epochs without errors left out."""
        epochs = np.log(np.arange(1, errors.shape[1] + 1))
        if np.any((errors > 0).sum(axis=1) < 2):
            return Interval(math.nan, math.nan, math.nan)
        return mean_interval(
            [-np.polyfit(epochs[row > 0], np.log(row[row > 0]), 1)[0] for row in errors]
        )

    def epochs_to(self, error: float) -> int | None:
        """The first epoch in which the error of all states, averaged over seeds, is no more than this."""
        reached = np.flatnonzero(self.error_reads.mean(axis=0) <= error)
        return int(reached[0]) + 1 if reached.size else None


def exponent(epochs: NDArray[np.int64], errors: NDArray[np.float64]) -> float:
    """z; NaN where fewer than two epochs have errors."""
    return fit_power_law(epochs, errors).exponent if (errors > 0).sum() > 1 else math.nan
