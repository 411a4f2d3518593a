"""Weights of the input layer, and random ones of any layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.util.checks import float_array

Floats32 = NDArray[np.float32]


def input_weight_array(input_weights: ArrayLike) -> Floats32:
    """Returns a checked float32 copy of W, (n_1, I), in column order.

    The weights of one pixel are then neighbours, so that dark pixels are skipped whole.
    """
    weights = float_array("input_weights", input_weights, shape=(None, None), single=True)
    return np.array(weights, dtype=np.float32, order="F")


def random_weights(
    random: np.random.Generator, gain: float, shape: tuple[int, int], num_inputs: int
) -> NDArray[np.float64]:
    """Returns gain * U(-1/sqrt(num_inputs), 1/sqrt(num_inputs)) of this shape."""
    weights: NDArray[np.float64] = gain * ((2 * random.random(shape) - 1) / np.sqrt(num_inputs))
    return weights
