"""How much samples count, by their own weights and those of their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.class_weight import compute_sample_weight

from isingprop.training.minibatches import checked_weights
from isingprop.util.checks import Doubles

ClassWeight = Mapping[Any, float] | str | None


def combined_weights(
    sample_weight: ArrayLike | None, class_weight: ClassWeight, y: NDArray[Any]
) -> Doubles | None:
    """Returns the products of both weights for samples with labels y, or None for equal ones.

    Raises:
        ValueError: for weights of another shape, below 0 or all 0.
    """
    weights = checked_weights("sample_weight", sample_weight, len(y))
    if class_weight is None:
        return weights
    given = dict(class_weight) if isinstance(class_weight, Mapping) else class_weight
    of_classes = checked_weights("class_weight", compute_sample_weight(given, y), len(y))
    assert of_classes is not None  # only for no weights
    return checked_weights(
        "sample_weight", of_classes * (1.0 if weights is None else weights), len(y)
    )
