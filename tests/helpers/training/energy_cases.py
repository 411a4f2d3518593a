"""Sizes and inputs of energy-based models."""

import numpy as np

from helpers import oracle

SIZES = [(3, 1, 1), (1, 4, 1), (4, 10, 1), (3, 7, 2), (2, 5, 3), (3, 10, 3), (6, 2, 3)]

WIDTHS = [1, 7, 8, 9, 16, 17, 33]  # of blocks of 8, and about them


def inputs(num_inputs=4, count=5, *, seed=0):
    """Some of them zero, as dark pixels are."""
    return oracle.random_images(count, num_inputs, seed=seed).astype(np.float64)


def labels(num_outputs=2, count=5, *, seed=0):
    return np.random.default_rng([seed, num_outputs]).integers(0, 2, (count, num_outputs))
