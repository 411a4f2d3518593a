"""The inverse temperature of class probabilities, from images that a network has not seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Floats32
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.calibration import likeliest_beta
from isingprop.training.minibatches import weighted_rows
from isingprop.util.checks import Doubles

_LEAST = 1e-3  # beta times the mean spread of the energies where labels are no likelier than chance
_MIDDLE = 0.5  # of the offsets of weighted_rows: numbers of times are rounded to the nearest

Train = Callable[[NDArray[np.int64]], BipartiteNetwork]


def held_out_beta(
    train: Train,
    images: Floats32,
    labels: NDArray[np.int64],
    seed: int,
    weights: Doubles | None = None,
) -> float:
    """Returns the likeliest beta for energies of images that the network has not seen.

    Two networks are trained on half of the images each, and asked about the other half.

    Args:
        train: returns a new network trained on the images of these numbers.
        images: (n, I).
        labels: (n,).
        seed: decides the halves.
        weights: (n,), how much each image counts; None for equal ones.
    """
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))
    order = order[labels[order].argsort(kind="stable")]  # every other one: the classes' shares
    halves = (order[::2], order[1::2])
    if not len(halves[1]):
        return 1.0

    found = [train(own).class_energies(images[other]) for own, other in (halves, halves[::-1])]
    energies = np.concatenate(found)[np.concatenate(halves[::-1]).argsort()]
    return beta_of_unseen(energies, labels, weights)


def beta_of_unseen(
    energies: Doubles, labels: NDArray[np.int64], weights: Doubles | None = None
) -> float:
    """Returns the likeliest beta for energies (n, K) of images that were not trained on.

    One further label, spread evenly over the classes, keeps probabilities away from 1 where all
    labels are right. Where labels are no likelier than chance, all classes become nearly so.
    """
    if weights is not None:
        rows = weighted_rows(weights, _MIDDLE)
        energies, labels = energies[rows], labels[rows]
    try:
        return likeliest_beta(energies, labels, prior=1.0)
    except ValueError:
        spread = float(np.ptp(energies, axis=1).mean())
        return _LEAST / spread if spread > 0 else 1.0
