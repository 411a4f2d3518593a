"""The inverse temperature of class probabilities, from images that a network has not seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Floats32
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.calibration import likeliest_beta

_LEAST = 1e-3  # beta times the mean spread of the energies where labels are no likelier than chance

Train = Callable[[Floats32, NDArray[np.int64]], BipartiteNetwork]


def held_out_beta(train: Train, images: Floats32, labels: NDArray[np.int64], seed: int) -> float:
    """Returns the likeliest beta for energies of images that the network has not seen.

    Two networks are trained on half of the images each, and asked about the other half. One further
    label, spread evenly over the classes, keeps probabilities away from 1 where all labels are
    right. Where labels are no likelier than chance, all classes become nearly so.

    Args:
        train: returns a new network trained on images and labels.
        images: (n, I).
        labels: (n,).
        seed: decides the halves.
    """
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))
    order = order[labels[order].argsort(kind="stable")]  # every other one: the classes' shares
    halves = (order[::2], order[1::2])
    if not len(halves[1]):
        return 1.0

    found = [
        train(images[own], labels[own]).class_energies(images[other])
        for own, other in (halves, halves[::-1])
    ]
    energies = np.concatenate(found)[np.concatenate(halves[::-1]).argsort()]
    try:
        return likeliest_beta(energies, labels, prior=1.0)
    except ValueError:
        return _LEAST / float(np.ptp(energies, axis=1).mean())
