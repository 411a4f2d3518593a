"""What came of the trials of the MLP paper's tables, and how it compares with the published figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.mlp_table.table_jobs import GRID
from isingprop.paper.mlp_table.table_published import Published
from isingprop.util.checks import Doubles

# Of a successful trial: so many last test accuracies, all of them at least so large.
NUM_LATE = 5
LEAST_ACCURACY = 0.6
OTHER_LEAST = (0.55, 0.65)  # to see what depends on it
LEAST_SUCCESSES = 3  # the paper's means are of at least as many successful trials
PASSED = 0.7  # the accuracy that Table 2 counts updates to
SPREAD = 2.0  # standard deviations
CONFIDENCE = 0.95


class Verdict(Enum):
    """Of a published accuracy."""

    WITHIN = "within"
    OUTSIDE = "outside"
    NONE = "no verdict"


@dataclass(frozen=True, eq=False)
class Outcome:
    """One pair and one way of training: its trials.

    Args:
        accuracy: (trials, updates), on test images, after each update.
        first_logit: (trials,), see Trial.
        published: the paper's figures; None where there are none.
    """

    accuracy: Doubles
    first_logit: Doubles
    published: Published | None = None

    @classmethod
    def of(cls, results: Sequence[Arrays], published: Published | None) -> Outcome:
        """Of the results of Trial."""
        accuracy, first_logit = (
            np.stack([r[name] for r in results]) for name in ("test_accuracy", "first_logit")
        )
        return cls(accuracy, first_logit, published)

    @property
    def successful(self) -> NDArray[np.bool_]:
        """(trials,): those that rose and stayed there."""
        return self.successful_from(LEAST_ACCURACY)

    def successful_from(self, least: float) -> NDArray[np.bool_]:
        """As `successful`, with another least accuracy."""
        return np.asarray((self.accuracy[:, -NUM_LATE:] >= least).all(axis=1))

    @property
    def num_successful(self) -> int:
        """How many there are."""
        return int(self.successful.sum())

    @property
    def success(self) -> Interval:
        """The rate of successful trials and its Clopper-Pearson interval."""
        from scipy.special import (
            betaincinv,  # binomtest finds the same by search, which takes a hundred times as long
        )

        k, n, tail = self.num_successful, len(self.accuracy), (1 - CONFIDENCE) / 2
        low = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
        high = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
        return Interval(k / n, low, high)

    @property
    def last(self) -> Doubles:
        """Of successful trials, the accuracy after the last update."""
        return np.asarray(self.accuracy[self.successful, -1])

    @property
    def curve(self) -> Doubles:
        """(updates,), the mean of successful trials; NaN where there are none."""
        return mean_of(self.accuracy[self.successful])

    @property
    def curve_sd(self) -> Doubles:
        """(updates,), their standard deviation; NaN where there are fewer than two."""
        return sd_of(self.accuracy[self.successful])

    def steps(self) -> int | None:
        """The first update after which the mean of successful trials is above 70 %; None where it never is."""
        passed = np.flatnonzero(self.curve > PASSED)
        return int(passed[0]) + 1 if passed.size else None

    def verdict(self) -> Verdict:
        """Whether the published accuracy is within two standard deviations of successful trials of their mean."""
        if self.published is None or self.num_successful < LEAST_SUCCESSES:
            return Verdict.NONE
        away = abs(self.published.accuracy - self.last.mean())
        return Verdict.WITHIN if away <= SPREAD * self.last.std(ddof=1) else Verdict.OUTSIDE

    def difference(self) -> float:
        """Our mean accuracy minus the published one, in units of the standard error of that difference.

            (m - p) / (s sqrt(1 / n + 1 / 3)),   of n successful trials with mean m and standard deviation s,

        as if the published mean p were of 3 trials with the same s. NaN where there is no verdict.
        """
        if self.published is None or self.verdict() is Verdict.NONE:
            return math.nan
        error = float(self.last.std(ddof=1)) * math.sqrt(
            1 / self.num_successful + 1 / LEAST_SUCCESSES
        )
        away = float(self.last.mean()) - self.published.accuracy
        return away / error if error else math.copysign(math.inf, away)

    def is_success_within(self) -> bool:
        """Whether the published rate of success is in our interval."""
        _, low, high = self.success
        return self.published is not None and low <= self.published.success <= high


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two columns trial by trial: the same images, batches and initial weights."""

    both: int  #: successful in both
    first: int  #: in the first alone
    second: int
    neither: int
    differences: Doubles  #: first minus second, of the last accuracies where both were successful

    @classmethod
    def of(cls, first: Sequence[Outcome], second: Sequence[Outcome]) -> Agreement:
        """Over all pairs of classes."""
        one, other = (
            np.concatenate([each.successful for each in outcomes]) for outcomes in (first, second)
        )
        last = [
            np.concatenate([each.accuracy[:, -1] for each in outcomes])
            for outcomes in (first, second)
        ]
        both = one & other
        counts = [int(each.sum()) for each in (both, one & ~other, other & ~one, ~one & ~other)]
        return cls(counts[0], counts[1], counts[2], counts[3], (last[0] - last[1])[both])


@dataclass(frozen=True, eq=False)
class Searches:
    """The search for the stand-in's beta_effective: (searches, updates, values of the grid).

    Args:
        divergence: from P(y | x), in nats.
        estimate: what States.beta_effective says.
        gibbs: (searches, updates), the divergence of Gibbs sampling.
    """

    divergence: Doubles
    estimate: Doubles
    gibbs: Doubles

    @classmethod
    def of(cls, results: Sequence[Arrays]) -> Searches:
        """Of the results of Search."""
        return cls(
            *(
                np.stack([result[name] for result in results])
                for name in ("divergence", "estimate", "gibbs")
            )
        )

    @property
    def means(self) -> Doubles:
        """(grid,): over searches and updates."""
        means: Doubles = self.divergence.mean(axis=(0, 1))
        return means

    @property
    def best(self) -> float:
        """The value of the least divergence; of equals the first."""
        return GRID[int(self.means.argmin())]

    @property
    def at_the_end(self) -> bool:
        """Whether the best is an end of the grid."""
        return self.best in (GRID[0], GRID[-1])

    @property
    def estimated(self) -> float:
        """The median estimate from problems made with the best value."""
        return float(np.median(self.estimate[:, :, int(self.means.argmin())]))


def mean_of(rows: Doubles) -> Doubles:
    """(n, m) in, (m,) out; NaN where n = 0."""
    mean: Doubles = rows.mean(axis=0) if len(rows) else np.full(rows.shape[1], math.nan)
    return mean


def sd_of(rows: Doubles) -> Doubles:
    """(n, m) in, (m,) out, unbiased; NaN where n < 2."""
    sd: Doubles = rows.std(axis=0, ddof=1) if len(rows) > 1 else np.full(rows.shape[1], math.nan)
    return sd
