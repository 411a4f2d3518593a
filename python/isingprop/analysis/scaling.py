"""Exponents of error against epoch, Eq. (8), and means over seeds with confidence intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from isingprop.util.checks import float_array, real_number


class PowerLaw(NamedTuple):
    """A power law, error = prefactor * epoch^-exponent."""

    exponent: float  #: z, which is > 0 for an error that falls
    prefactor: float  #: the error at epoch 1


class Interval(NamedTuple):
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float


def fit_power_law(epochs: ArrayLike, errors: ArrayLike) -> PowerLaw:
    """Fits error = A epoch^-z by Poisson regression.

        maximise sum_k (errors_k log mu_k - mu_k),   mu_k = A epochs_k^-z

    An error is a count of wrong states over the number of states, so an error of 0 is a valid
    observation. Least squares of logarithms would have to leave it out, and with it the best
    epochs. Each epoch is weighted in proportion to mu_k, as counts are, which for z = 1 gives every
    decade of epochs the same weight. scikit-learn's PoissonRegressor finds the same fit but takes a
    thousand times as long.

    Args:
        epochs: (K,), > 0.
        errors: (K,), in [0, 1], above 0 in at least two places.

    Returns:
        The exponent z and the prefactor A.

    Raises:
        ValueError: for other shapes or values.

    Example:
        >>> z, prefactor = fit_power_law([1, 10, 100], [0.5, 0.05, 0.005])
        >>> round(z, 6), round(prefactor, 6)
        (1.0, 0.5)

    References:
        arXiv:2506.05244, Eq. (8); McCullagh & Nelder 1989, Generalized Linear Models.
    """
    from scipy.optimize import brentq
    from scipy.special import logsumexp, softmax

    epochs = float_array("epochs", epochs, shape=(None,)).astype(np.float64)
    errors = float_array("errors", errors, shape=epochs.shape).astype(np.float64)
    if epochs.min() <= 0:
        raise ValueError(f"epochs must be above 0, got {epochs.min()}")
    if errors.min() < 0 or errors.max() > 1:
        raise ValueError(f"errors must be in [0, 1], got {errors.min()} to {errors.max()}")
    if np.unique(epochs[errors > 0]).size < 2:
        raise ValueError(f"errors must be above 0 at two epochs at least, got {errors[errors > 0]}")

    log_epochs = np.log(epochs)
    mean = errors @ log_epochs / errors.sum()

    def excess(z: float) -> float:
        """Returns how much the mean of log epoch under mu exceeds that under the errors.

        It falls with z and is 0 at the maximum of the likelihood.
        """
        return float(softmax(-z * log_epochs) @ log_epochs - mean)

    bound = 1.0
    while excess(-bound) < 0 or excess(bound) > 0:
        bound *= 2
    z = float(brentq(excess, -bound, bound, xtol=1e-12))

    return PowerLaw(z, float(np.exp(np.log(errors.sum()) - logsumexp(-z * log_epochs))))


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Returns the mean of independent repetitions and Student's interval around it.

        mean -+ t(n - 1) s / sqrt(n)

    Args:
        values: (n,), one for each seed.
        confidence: the probability that the interval holds the true mean, in (0, 1).

    Returns:
        The interval; its ends are NaN for n = 1, where the spread is unknown.

    Example:
        >>> mean, low, high = mean_interval([1.0, 2.0, 3.0])
        >>> mean, round(low, 6), round(high, 6)
        (2.0, -0.484138, 4.484138)

    References:
        Student 1908, doi:10.2307/2331554.
    """
    from scipy.stats import t

    values = float_array("values", values, shape=(None,)).astype(np.float64)
    confidence = real_number("confidence", confidence, above=0.0)
    if confidence >= 1:
        raise ValueError(f"confidence must be below 1, got {confidence}")

    mean = float(values.mean())
    if len(values) == 1:
        return Interval(mean, float("nan"), float("nan"))

    half = float(t.ppf((1 + confidence) / 2, len(values) - 1) * standard_error(values))
    return Interval(mean, mean - half, mean + half)


def interval_of(values: ArrayLike) -> Interval:
    """Works like `mean_interval`, but returns NaN where any of the (n,) values is NaN.

    Example:
        >>> interval_of([1.0, float("nan")])
        Interval(mean=nan, low=nan, high=nan)
    """
    array = np.asarray(values, dtype=np.float64)
    if np.isfinite(array).all():
        return mean_interval(array)
    return Interval(float("nan"), float("nan"), float("nan"))


def standard_error(values: ArrayLike) -> float:
    """Returns the standard error s / sqrt(n) of (n,) independent repetitions; NaN for n = 1.

    Example:
        >>> round(standard_error([1.0, 2.0, 3.0]), 6)
        0.57735
    """
    values = float_array("values", values, shape=(None,)).astype(np.float64)
    if len(values) == 1:
        return float("nan")
    return float(values.std(ddof=1) / np.sqrt(len(values)))
