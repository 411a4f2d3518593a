"""Random states of both phases, and rates, for tests of the learning rule."""

import numpy as np

from helpers import oracle
from isingprop import BipartiteNetwork, States

STEP = 2.0**-3  # of the finite difference; energies are linear in the parameters, so any will do

RATE = 0.125


def phases(num_images, num_free, num_nudged, num_spins, *, seed=0):
    """Free and nudged states, unrelated to each other."""
    return tuple(
        States(
            oracle.random_spins(num_images, reads, num_spins, seed=seed + k),
            np.zeros((num_images, reads)),
        )
        for k, reads in enumerate((num_free, num_nudged))
    )


def copies(network):
    return {name: array.copy() for name, array in network.parameters().items()}


def weighted(states, weights):
    return States(states.spins, states.energies, weights=weights)


def apply(network, step, rates):
    """A new network whose parameters have gone along the gradient, each at its own rate, by
    NumPy.
    """
    moved = {
        name: array + np.float32(getattr(rates, name)) * getattr(step, name)
        for name, array in network.parameters().items()
    }
    return BipartiteNetwork(**moved, num_classes=network.num_classes)
