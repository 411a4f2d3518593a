"""The results of the control experiment, and the numbers that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, interval_of, mean_interval
from isingprop.data.load import ImageSet
from isingprop.paper.common.curves import exponent
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.methods import Method
from isingprop.paper.common.rates import Trials
from isingprop.paper.control.control_jobs import stacked
from isingprop.paper.control.control_methods import Size


@dataclass(frozen=True, eq=False)
class Outcome:
    """The results of one method over its seeds."""

    method: Method
    learning_rate: float
    qpu_seconds: float | None  #: estimated per epoch on a chip; None where nothing is sampled
    arrays: dict[str, NDArray[np.float64]]  #: of `ControlTraining`, (seeds, epochs) or (seeds,)

    @classmethod
    def of(
        cls, method: Method, rate: float, qpu_seconds: float | None, results: list[Arrays]
    ) -> Outcome:
        """Takes the results of all seeds."""
        return cls(method, rate, qpu_seconds, stacked(results))

    @property
    def is_ising(self) -> bool:
        """Returns whether the network has energies, and so low states."""
        return "codes" in self.arrays

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Returns the test accuracy after the last epoch, without sampling, (seeds,)."""
        last: NDArray[np.float64] = self.arrays["test_accuracy"][:, -1]
        return last

    @property
    def sampled_accuracy(self) -> NDArray[np.float64]:
        """Returns the test accuracy after the last epoch by the lowest sampled states, (seeds,)."""
        return self.arrays["test_accuracy_sampled"]

    @property
    def seconds_per_epoch(self) -> float:
        """Returns the median time of an epoch, over epochs and seeds."""
        return float(np.median(self.arrays["seconds"]))

    @property
    def z(self) -> Interval:
        """Returns the exponent of the errors of learned states, as Fig. 5 has it, over seeds."""
        errors = self.arrays["error_reads"]
        epochs = np.arange(1, errors.shape[1] + 1)
        return interval_of([exponent(epochs, row) for row in errors])

    def last(self, name: str) -> Interval:
        """Returns the mean over seeds of an array after the last epoch, and its interval."""
        return interval_of(self.arrays[name][:, -1])

    def ahead_of(self, other: Outcome) -> Interval:
        """Returns by how much the test accuracy is ahead, seed by seed, neither sampled."""
        return mean_interval(self.accuracy - other.accuracy)

    def gain_of_sampled_answers(self) -> Interval:
        """Returns the test accuracy by sampled states minus that by class states."""
        return mean_interval(self.sampled_accuracy - self.accuracy)


@dataclass(frozen=True, eq=False)
class SizeOutcome:
    """The results of all methods on a number of training images."""

    size: Size
    images: ImageSet
    trials: Trials
    methods: dict[str, Outcome]
