"""The classes of a training whose samples come in parts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def all_classes(classes: ArrayLike | None, known: NDArray[Any] | None) -> NDArray[Any]:
    """Returns the sorted labels of all classes, which the first part names.

    Args:
        classes: the labels, as `partial_fit` has got them.
        known: the labels from before; None for the first part.

    Raises:
        ValueError: for none at first, fewer than 2, or others than before.
    """
    if known is not None:
        if classes is not None and not np.array_equal(np.unique(np.asarray(classes)), known):
            raise ValueError(f"classes must be {known} as before, got {classes}")
        return known

    if classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit, got None")
    labels = np.unique(np.asarray(classes))
    if len(labels) < 2:
        raise ValueError(f"classes must be at least 2, got {labels}")
    return labels


def class_numbers(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Returns the numbers of labels among the sorted classes, and refuses others."""
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(f"y must hold labels of {classes}, got {unknown[0]}")
    return np.asarray(np.searchsorted(classes, y), dtype=np.int64)
