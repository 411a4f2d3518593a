"""Ranges of features in which outliers do not count."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Doubles

# One row that is multiplied by 10 costs the iris 0.13 of their accuracy; by 1,000, all of it. Of
# scikit-learn's own tables the longest tail (breast cancer) ends at 9, of log-normal values with
# sigma = 1 at about 10.
_OUTLIER = 20
# A pixel at the edge of images is 0 in nearly all of them, and its few other values are no measure.
_FEWEST, _FEWEST_SHARE = 20, 0.1
_NUM_SHOWN = 5  # features in the warning


def ranges_without_outliers(features: Doubles) -> tuple[Doubles, Doubles]:
    """Returns the lowest and the highest value of each feature but for outliers, with a warning.

    Let d be the distance that nine tenths of the samples have at most from the median of a feature,
    those at the median itself left out. A value farther from the median than 20 d is an outlier. A
    feature with fewer than 20 samples, or a tenth of them, off its median has none.

    Args:
        features: (n, features), finite.

    Returns:
        (features,) lowest and (features,) highest values.

    Warns:
        UserWarning: of outliers, with their features.

    Example:
        >>> from sklearn.datasets import load_wine
        >>> X, _ = load_wine(return_X_y=True)
        >>> lowest, highest = ranges_without_outliers(X[:, :3])
        >>> lowest, highest
        (array([11.03,  0.74,  1.36]), array([14.83,  5.8 ,  3.23]))
    """
    lowest, highest = features.min(axis=0), features.max(axis=0)
    with np.errstate(over="ignore"):  # an infinite distance is an outlier's
        distances = np.abs(features - np.median(features, axis=0))
        outliers = distances > _limits(distances)
    if not outliers.any():
        return lowest, highest

    inner_lowest = np.where(outliers, np.inf, features).min(axis=0)
    inner_highest = np.where(outliers, -np.inf, features).max(axis=0)
    _warn(features, outliers, inner_lowest, inner_highest)
    return inner_lowest, inner_highest


def _limits(distances: Doubles) -> Doubles:
    """Returns the distance from the median beyond which a value is an outlier, (features,)."""
    ordered = np.sort(distances, axis=0)
    num_others = (ordered > 0).sum(axis=0)
    nine_tenths = np.take_along_axis(ordered, (-1 - num_others // 10)[None], axis=0)[0]
    fewest = max(_FEWEST, _FEWEST_SHARE * len(distances))
    limits: Doubles = np.where(num_others >= fewest, _OUTLIER * nine_tenths, np.inf)
    return limits


def _warn(
    features: Doubles, outliers: NDArray[np.bool_], lowest: Doubles, highest: Doubles
) -> None:
    """Warns of outliers, with one of them as an example."""
    columns = np.flatnonzero(outliers.any(axis=0))
    names = ", ".join(str(column) for column in columns[:_NUM_SHOWN])
    names += ", ..." if len(columns) > _NUM_SHOWN else ""
    rows = np.flatnonzero(outliers.any(axis=1))
    row, column = rows[0], np.flatnonzero(outliers[rows[0]])[0]

    warnings.warn(
        f"X should be without outliers, got some in {len(rows)} of {len(features)} samples, in "
        f"features {names}: such as {features[row, column]:g} in sample {row}, feature {column}, "
        f"whose other values are in [{lowest[column]:g}, {highest[column]:g}]. They are clipped to "
        "the range of the others; if their size matters, take its logarithm first",
        stacklevel=4,
    )
