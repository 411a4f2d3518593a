"""Probabilities of classes from their energies, and how well they are calibrated."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import real_number

_NUM_BINS = 15
_LARGEST = 1e6  # of beta times the spread of the energies; the likelihood may have no maximum


def beta_number(name: str, value: object) -> float:
    """Returns `value` as the beta of class probabilities, which are kept in double precision."""
    return real_number(name, value, above=0.0, most=sys.float_info.max)


def class_probabilities(energies: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Returns exp(-beta E_k) / sum_l exp(-beta E_l), (B, K), of energies (B, K)."""
    with np.errstate(over="ignore"):  # beta times a gap may be infinite
        weights = np.exp(-beta * (energies - energies.min(axis=1, keepdims=True)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def likeliest_beta(
    energies: NDArray[np.float64], labels: NDArray[np.int64], *, prior: float = 0.0
) -> float:
    """Returns the beta > 0 that maximises sum_b log P(y_b) of energies (B, K) and labels (B,).

    The slope of that sum, sum_b (sum_k P_k E_k - E_y), falls with beta, and has one zero at most.
    Where every label has the lowest energy it has none: the result is then 1e6 / (mean spread of
    the energies), at which the lowest class is all but certain.

    Args:
        energies: (B, K).
        labels: (B,).
        prior: a number of further labels, spread evenly over images and classes. With any of them
            there is a maximum.

    Raises:
        ValueError: where labels are no likelier than chance at any beta.
    """
    from scipy.optimize import brentq

    gaps = energies - energies[np.arange(len(labels)), labels][:, None]
    spread = float(np.ptp(energies, axis=1).mean())
    even = prior * float(gaps.mean())  # the sum of the gaps of the further labels

    def minus_slope(scaled: float) -> float:
        means = (class_probabilities(energies, scaled / spread) * gaps).sum(axis=1)
        return even - float(means.sum() + prior * means.mean())

    if not gaps.mean() > 0:
        raise ValueError(
            "labels must be likelier than chance at some beta, got energies of labels that are "
            f"{0.0 - gaps.mean():g} above the mean over classes"
        )

    if minus_slope(_LARGEST) <= 0:
        return _LARGEST / spread
    return float(brentq(minus_slope, 0.0, _LARGEST, xtol=1e-15, maxiter=1000)) / spread


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Returns the expected calibration error of probabilities (B, K), with 15 equal bins.

    It is the mean over images of |accuracy - mean confidence| of their bin, where the confidence is
    the largest probability.

    References:
        Guo, Pleiss, Sun & Weinberger 2017, arXiv:1706.04599.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _NUM_BINS).astype(np.int64), _NUM_BINS - 1)
    excess = np.bincount(bins, weights=correct - confidence, minlength=_NUM_BINS)
    return float(np.abs(excess).sum() / len(labels))
