"""A small task to train on through an emulated chip; importing it imports nothing of D-Wave's."""

import numpy as np

from isingprop import BipartiteNetwork, ImageSet


def two_classes(num_train: int = 6, num_test: int = 5) -> ImageSet:
    """Images of eight pixels, the first or the last four of them bright."""
    random = np.random.default_rng(0)
    labels = np.arange(num_train + num_test) % 2
    pixels = 0.4 * random.random((len(labels), 8)) + 0.6 * (np.arange(8) // 4 == labels[:, None])
    parts = zip(np.split(pixels, [num_train]), np.split(labels, [num_train]), strict=True)
    return ImageSet("two", *(array for part in parts for array in part), num_classes=2)


def small_network(seed: int = 0) -> BipartiteNetwork:
    """Four hidden and four output spins."""
    return BipartiteNetwork.random(
        num_inputs=8, num_hidden=4, num_classes=2, redundancy=2, seed=seed
    )
