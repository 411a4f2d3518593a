"""The curves of coherent training over the seeds, and the exponents that are fitted to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, interval_of, mean_interval
from isingprop.paper.coherent_training.coherent_jobs import CoherentMethod
from isingprop.paper.common.curves import EARLY, exponent
from isingprop.paper.common.jobs import Arrays

KINDS = {"error_reads": "during each epoch", "error": "after it"}  #: when errors are taken


def windows_of(epochs: int) -> dict[str, tuple[int, int]]:
    """First and last epoch of what exponents are fitted to; a short training has no early and late part."""
    every = {"all": (1, epochs)}
    return every | {"early": (1, EARLY), "late": (EARLY, epochs)} if epochs > EARLY else every


@dataclass(frozen=True, eq=False)
class Outcome:
    """One method over its seeds: arrays of (seeds, epochs)."""

    method: CoherentMethod
    learning_rate: float
    error: NDArray[np.float64]
    error_reads: NDArray[np.float64]
    applications: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]  #: (seeds,)

    @classmethod
    def of(cls, method: CoherentMethod, learning_rate: float, results: Sequence[Arrays]) -> Outcome:
        """Of the results of all seeds."""
        names = ("error", "error_reads", "applications", "test_accuracy")
        return cls(
            method, learning_rate, *(np.stack([own[name] for own in results]) for name in names)
        )

    def exponents(self, kind: str, window: str) -> NDArray[np.float64]:
        """z of each seed, of a kind of error over a window of epochs."""
        first, last = windows_of(self.error.shape[1])[window]
        epochs, errors = (
            np.arange(first, last + 1),
            {"error_reads": self.error_reads, "error": self.error}[kind],
        )
        return np.array([exponent(epochs, row[epochs - 1]) for row in errors])

    @property
    def has_applications(self) -> bool:
        """Whether it measures: exact expectation values have no finite number of applications."""
        return self.method.num_states is not None

    @property
    def used(self) -> NDArray[np.int64]:
        """Applications up to the end of each epoch."""
        return self.applications.cumsum(axis=1).astype(np.int64)

    def exponents_of_applications(self) -> NDArray[np.float64]:
        """As exponents over all epochs, of the error after each against the applications up to its end; of shots."""
        return np.array(
            [exponent(used, row) for used, row in zip(self.used, self.error, strict=True)]
        )

    def applications_to(self, error: float) -> float:
        """Up to the end of the first epoch with no larger error: median over seeds, infinite if half have none."""
        found = []
        for used, row in zip(self.used, self.error, strict=True):
            reached = np.flatnonzero(row <= error)
            found.append(used[reached[0]] if reached.size else math.inf)
        return float(np.median(found))

    def last(self, num_epochs: int) -> NDArray[np.float64]:
        """The mean error of the last epochs of each seed."""
        mean: NDArray[np.float64] = self.error[:, -num_epochs:].mean(axis=1)
        return mean


class Comparison(NamedTuple):
    """Of an exponent with another one, seed by seed."""

    minus_plain: Interval
    minus_double: Interval  #: minus twice the other one

    @classmethod
    def of(cls, own: Outcome, plain: Outcome, kind: str, window: str) -> Comparison:
        """Of a kind of error over a window of epochs."""
        mine, other = own.exponents(kind, window), plain.exponents(kind, window)
        return cls(interval_of(mine - other), interval_of(mine - 2 * other))


def ratio(own: NDArray[np.float64], other: NDArray[np.float64]) -> Interval:
    """Geometric mean of the ratios of equal seeds, > 0, and the interval of its logarithm."""
    return Interval(*(math.exp(each) for each in mean_interval(np.log(own) - np.log(other))))
