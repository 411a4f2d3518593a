"""Learning curves of coherent training over the seeds, and the exponents fitted to them."""

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

#: The two kinds of training error, and when each of them is measured.
KINDS = {"error_reads": "during each epoch", "error": "after it"}


def windows_of(epochs: int) -> dict[str, tuple[int, int]]:
    """Returns the first and last epoch of each window that exponents are fitted to, by name.

    A training of at most EARLY epochs has only the window of all epochs.
    """
    whole = {"all": (1, epochs)}
    return whole | {"early": (1, EARLY), "late": (EARLY, epochs)} if epochs > EARLY else whole


@dataclass(frozen=True, eq=False)
class Outcome:
    """The learning curves of one method over all seeds, as arrays of shape (seeds, epochs)."""

    method: CoherentMethod
    learning_rate: float
    error: NDArray[np.float64]
    error_reads: NDArray[np.float64]
    applications: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]  #: (seeds,)

    @classmethod
    def of(cls, method: CoherentMethod, learning_rate: float, results: Sequence[Arrays]) -> Outcome:
        """Stacks the results of `CoherentTraining`, one for each seed."""
        names = ("error", "error_reads", "applications", "test_accuracy")
        arrays = (np.stack([result[name] for result in results]) for name in names)
        return cls(method, learning_rate, *arrays)

    def exponents(self, kind: str, window: str) -> NDArray[np.float64]:
        """Fits the exponent z for each seed.

        Args:
            kind: which error, a key of `KINDS`.
            window: which epochs, a key of `windows_of`.

        Returns:
            z, (seeds,).
        """
        first, last = windows_of(self.error.shape[1])[window]
        epochs = np.arange(first, last + 1)
        errors = {"error_reads": self.error_reads, "error": self.error}[kind]
        return np.array([exponent(epochs, row[epochs - 1]) for row in errors])

    @property
    def has_applications(self) -> bool:
        """Whether the method measures: exact expectation values need infinitely many anneals."""
        return self.method.num_states is not None

    @property
    def cumulative_applications(self) -> NDArray[np.int64]:
        """The number of applications of U and U† up to the end of each epoch, (seeds, epochs)."""
        return self.applications.cumsum(axis=1).astype(np.int64)

    def exponents_of_applications(self) -> NDArray[np.float64]:
        """Fits, over all epochs, the error after an epoch against the applications up to its end.

        Returns:
            z of each seed, (seeds,). It is meaningful only if `has_applications`.
        """
        counts = self.cumulative_applications
        return np.array([exponent(used, row) for used, row in zip(counts, self.error, strict=True)])

    def applications_to(self, error: float) -> float:
        """Counts the applications up to the end of the first epoch with at most this error.

        Returns:
            The median over seeds; infinity if half of the seeds or more have no such epoch.
        """
        counts = []
        for used, row in zip(self.cumulative_applications, self.error, strict=True):
            reached = np.flatnonzero(row <= error)
            counts.append(used[reached[0]] if reached.size else math.inf)
        return float(np.median(counts))

    def mean_of_last(self, num_epochs: int) -> NDArray[np.float64]:
        """Returns the mean error of the last epochs for each seed, (seeds,)."""
        mean: NDArray[np.float64] = self.error[:, -num_epochs:].mean(axis=1)
        return mean


class Comparison(NamedTuple):
    """The exponent of amplified training compared with that of plain training, seed by seed."""

    minus_plain: Interval  #: z of amplified training minus z of plain training
    minus_double: Interval  #: z of amplified training minus twice z of plain training

    @classmethod
    def of(cls, amplified: Outcome, plain: Outcome, kind: str, window: str) -> Comparison:
        """Compares the exponents of one kind of error over one window of epochs."""
        z, z_plain = amplified.exponents(kind, window), plain.exponents(kind, window)
        return cls(interval_of(z - z_plain), interval_of(z - 2 * z_plain))


def ratio(numerators: NDArray[np.float64], denominators: NDArray[np.float64]) -> Interval:
    """Returns the geometric mean of the ratios of equal seeds, with its confidence interval.

    Args:
        numerators: (seeds,), > 0.
        denominators: (seeds,), > 0.
    """
    logs = mean_interval(np.log(numerators) - np.log(denominators))
    return Interval(*(math.exp(each) for each in logs))
