"""Probabilities of classes from their energies, and how well they are calibrated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NUM_BINS = 15
_LARGEST = 1e6  # of beta times the spread of the energies; the likelihood may have no maximum
_STEPS = 200  # of bisection, which ends at neighbouring doubles long before


def class_probabilities(energies: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Returns exp(-beta E_k) / sum_l exp(-beta E_l), (B, K), of energies (B, K)."""
    with np.errstate(over="ignore"):  # beta times a gap may be infinite
        weights = np.exp(-beta * (energies - energies.min(axis=1, keepdims=True)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def likeliest_beta(energies: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Returns the beta > 0 that maximises sum_b log P(y_b) of energies (B, K) and labels (B,).

    The mean of E_y - sum_k P_k E_k, minus the slope of the mean log-likelihood, grows with beta, so
    that bisection finds its zero. Where every label has the lowest energy there is none: the result
    is then 1e6 / (mean spread of the energies), at which the lowest class is certain.

    Raises:
        ValueError: where labels are no likelier than chance at any beta.
    """
    own = energies[np.arange(len(labels)), labels]

    def excess(beta: float) -> float:
        weighted = class_probabilities(energies, beta) * energies
        return float((own - weighted.sum(axis=1)).mean())

    spread = float((energies.max(axis=1) - energies.min(axis=1)).mean())
    if spread == 0 or excess(0.0) >= 0:
        raise ValueError("labels must be likelier than chance at some beta, got none such")

    low, high = 0.0, _LARGEST / spread
    if excess(high) < 0:
        return high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return high


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
