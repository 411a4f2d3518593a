"""The outcomes of trials and searches, and their comparison with the MLP paper's figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.mlp_table.table_jobs import GRID
from isingprop.paper.mlp_table.table_published import Pair, Published
from isingprop.util.checks import Doubles

# A trial is successful if its last NUM_LATE test accuracies are all at least MIN_ACCURACY.
NUM_LATE = 5
MIN_ACCURACY = 0.6
OTHER_MIN_ACCURACIES = (0.55, 0.65)  # they show how much depends on the definition
MIN_SUCCESSES = 3  # as in the paper, a mean is over no fewer successful trials
PASSED = 0.7  # the accuracy that Table 2 counts updates to
SPREAD = 2.0  # standard deviations within which a published accuracy agrees with ours
CONFIDENCE = 0.95  # of the intervals of rates of success


class Verdict(Enum):
    """Whether a published accuracy agrees with ours."""

    WITHIN = "within"
    OUTSIDE = "outside"
    NONE = "no verdict"


@dataclass(frozen=True, eq=False)
class Outcome:
    """The trials of one pair of classes and one method of training.

    Args:
        accuracy: (trials, updates), on test images after each update.
        first_logit: (trials,), the median of |logit| over the training images after the first
            update.
        published: the paper's figures; None if it has none.
    """

    accuracy: Doubles
    first_logit: Doubles
    published: Published | None = None

    @classmethod
    def of(cls, results: Sequence[Arrays], published: Published | None) -> Outcome:
        """Stacks the results of `Trial`, one for each trial."""
        names = ("test_accuracy", "first_logit")
        accuracy, first_logit = (np.stack([each[name] for each in results]) for name in names)
        return cls(accuracy, first_logit, published)

    @property
    def successful(self) -> NDArray[np.bool_]:
        """Which trials were successful: their accuracy rose and stayed high, (trials,)."""
        return self.successful_from(MIN_ACCURACY)

    def successful_from(self, minimum: float) -> NDArray[np.bool_]:
        """Returns which trials were successful, defined by another min accuracy, (trials,)."""
        return np.asarray((self.accuracy[:, -NUM_LATE:] >= minimum).all(axis=1))

    @property
    def num_successful(self) -> int:
        """The number of successful trials."""
        return int(self.successful.sum())

    @property
    def success(self) -> Interval:
        """The rate of successful trials and its Clopper-Pearson interval."""
        # binomtest finds the same numbers by search, which takes a hundred times as long.
        from scipy.special import betaincinv

        k, n, tail = self.num_successful, len(self.accuracy), (1 - CONFIDENCE) / 2
        low = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
        high = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
        return Interval(k / n, low, high)

    @property
    def last(self) -> Doubles:
        """The accuracies after the last update of the successful trials, (num_successful,)."""
        return np.asarray(self.accuracy[self.successful, -1])

    @property
    def curve(self) -> Doubles:
        """The mean accuracy of successful trials, (updates,); NaN if there are none."""
        return mean_of(self.accuracy[self.successful])

    @property
    def curve_error(self) -> Doubles:
        """The standard error of `curve`, (updates,); NaN if there are under two trials.

        Accuracies are in [0, 1], and so is `curve` minus or plus it. That would not hold for the
        standard deviation.
        """
        return sd_of(self.accuracy[self.successful]) / math.sqrt(max(self.num_successful, 1))

    def steps(self) -> int | None:
        """Returns the first update after which `curve` is above 70 %; None if it never is."""
        passed = np.flatnonzero(self.curve > PASSED)
        return int(passed[0]) + 1 if passed.size else None

    def verdict(self) -> Verdict:
        """Returns whether the published accuracy agrees with ours.

        It does if it is within SPREAD standard deviations, taken over successful trials, of their
        mean. Too few successful trials give no verdict.
        """
        if self.published is None or self.num_successful < MIN_SUCCESSES:
            return Verdict.NONE
        away = abs(self.published.accuracy - self.last.mean())
        return Verdict.WITHIN if away <= SPREAD * self.last.std(ddof=1) else Verdict.OUTSIDE

    def difference(self) -> float:
        """Returns our mean accuracy minus the published one, in units of its standard error.

            (m - p) / (s sqrt(1 / n + 1 / 3))

        Here m and s are the mean and the standard deviation over our n successful trials, and the
        published mean p is taken to be over 3 trials with the same s. NaN if there is no verdict.
        """
        if self.published is None or self.verdict() is Verdict.NONE:
            return math.nan

        variance_factor = 1 / self.num_successful + 1 / MIN_SUCCESSES
        error = float(self.last.std(ddof=1)) * math.sqrt(variance_factor)
        away = float(self.last.mean()) - self.published.accuracy
        return away / error if error else math.copysign(math.inf, away)

    def is_success_within(self) -> bool:
        """Returns whether the published rate of success is in our interval."""
        _, low, high = self.success
        return self.published is not None and low <= self.published.success <= high


#: All outcomes, by pair of classes and then by column.
Outcomes = Mapping[Pair, Mapping[str, Outcome]]


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two columns compared trial by trial: each trial has equal images, batches and weights."""

    both: int  #: trials that are successful in both columns
    first: int  #: trials that are successful only in the first
    second: int  #: trials that are successful only in the second
    neither: int
    differences: Doubles  #: last accuracies, first minus second, of trials successful in both

    @classmethod
    def of(cls, first: Sequence[Outcome], second: Sequence[Outcome]) -> Agreement:
        """Compares two columns over all pairs of classes.

        Args:
            first: the outcomes of one column, one for each pair.
            second: the outcomes of the other column, in the same order.
        """
        one, other = (
            np.concatenate([each.successful for each in outcomes]) for outcomes in (first, second)
        )
        last, other_last = (
            np.concatenate([each.accuracy[:, -1] for each in outcomes])
            for outcomes in (first, second)
        )

        both = one & other
        return cls(
            both=int(both.sum()),
            first=int((one & ~other).sum()),
            second=int((other & ~one).sum()),
            neither=int((~one & ~other).sum()),
            differences=(last - other_last)[both],
        )


@dataclass(frozen=True, eq=False)
class Searches:
    """The results of the search for the annealer's beta_effective.

    Args:
        divergence: (searches, updates, grid), from P(y | x), in nats.
        estimate: (searches, updates, grid), the estimates of States.beta_effective.
        gibbs: (searches, updates), the divergence of Gibbs sampling, in nats.
    """

    divergence: Doubles
    estimate: Doubles
    gibbs: Doubles

    @classmethod
    def of(cls, results: Sequence[Arrays]) -> Searches:
        """Stacks the results of `Search`."""
        names = ("divergence", "estimate", "gibbs")
        return cls(*(np.stack([result[name] for result in results]) for name in names))

    @property
    def means(self) -> Doubles:
        """The mean divergence over searches and updates, (grid,)."""
        means: Doubles = self.divergence.mean(axis=(0, 1))
        return means

    @property
    def best(self) -> float:
        """The value with the min divergence; the first of equal ones."""
        return GRID[int(self.means.argmin())]

    @property
    def is_best_at_an_end(self) -> bool:
        """Whether the best value is an end of the grid."""
        return self.best in (GRID[0], GRID[-1])

    @property
    def estimated(self) -> float:
        """The median estimate of beta_effective from problems made with the best value."""
        return float(np.median(self.estimate[:, :, int(self.means.argmin())]))


def mean_of(rows: Doubles) -> Doubles:
    """Returns the mean of the rows, (n, m) to (m,); NaN if n = 0."""
    mean: Doubles = rows.mean(axis=0) if len(rows) else np.full(rows.shape[1], math.nan)
    return mean


def sd_of(rows: Doubles) -> Doubles:
    """Returns the unbiased standard deviation over rows, (n, m) to (m,); NaN if n < 2."""
    sd: Doubles = rows.std(axis=0, ddof=1) if len(rows) > 1 else np.full(rows.shape[1], math.nan)
    return sd
