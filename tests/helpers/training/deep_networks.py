"""Small deep networks, their images and their energies in double precision."""

from collections import Counter
from itertools import pairwise

import numpy as np

from helpers import oracle, tolerances
from isingprop import LayeredNetwork

NUM_INPUTS = 3

# Two, three and four layers of spins, at most 16 spins; the last layer has two classes.
SIZES = [(5, 4), (3, 4, 2), (5, 1, 4), (4, 3, 5, 2), (1, 2, 3, 4), (4, 4, 4, 4)]


def deep_network(sizes, num_inputs=NUM_INPUTS, *, num_classes=2, grid=True, seed=0):
    """All parameters normally distributed; on the grid, sums in single precision are exact."""
    random = np.random.default_rng([seed, *sizes])
    arrays = (
        random.normal(size=(sizes[0], num_inputs)),
        [random.normal(size=shape) for shape in pairwise(sizes)],
        [random.normal(size=size) for size in sizes],
    )
    network = LayeredNetwork(*arrays, num_classes=num_classes)
    for name, array in network.parameters().items():
        array[...] = oracle.on_grid(array) if grid else array
        assert array.any(), name
    return network


def some_images(num_images=2, num_inputs=NUM_INPUTS):
    return oracle.on_grid(np.random.default_rng(1).random((num_images, num_inputs)))


def exact_energies(network, images, spins):
    """Eq. (14) with each bias once, spin by spin from the formula: (B, R, N), or (R, N) for all
    images, to (B, R).
    """
    weights, images = network.input_weights.astype(float), images.astype(float)
    bounds = np.cumsum([0, *(len(bias) for bias in network.biases)])
    layers = [spins[..., start:stop].astype(float) for start, stop in pairwise(bounds)]
    total = np.einsum(
        "bri,ia,ba->br",
        np.broadcast_to(layers[0], (len(images), *layers[0].shape[-2:])),
        weights,
        images,
    )
    for layer, bias in zip(layers, network.biases, strict=True):
        total = total + layer @ bias.astype(float)
    for (lower, upper), couplings in zip(pairwise(layers), network.couplings, strict=True):
        total = total + ((lower @ couplings.astype(float)) * upper).sum(axis=-1)
    return total


def same_parameters(first, second):
    ours, theirs = first.parameters(), second.parameters()
    return list(ours) == list(theirs) and all(
        tolerances.same_bits(ours[name], theirs[name]) for name in ours
    )


def slow_changes(layer, sizes, pixels, free, nudged):
    """Eqs. (5), (6) for two layers, or all: {name: change per unit of rate}, in double
    precision.
    """
    starts = np.cumsum([0, *(sizes if layer is None else sizes[layer - 1 : layer + 1])])
    first, changes = 1 if layer is None else layer, Counter()
    means = []
    for sign, states in ((1, free), (-1, nudged)):
        layers = [states[..., a:b].astype(float) for a, b in pairwise(starts)]
        count = sign / states.shape[0] / states.shape[1]
        means.append((count, layers))
    for count, layers in means:
        for k, spins in enumerate(layers):
            changes[f"bias_{first + k}"] += count * spins.sum(axis=(0, 1))
            if k + 1 < len(layers):
                changes[f"couplings_{first + k}"] += count * np.einsum(
                    "brm,brn->mn", spins, layers[k + 1]
                )
        if first == 1:
            changes["input_weights"] += count * np.einsum(
                "bri,ba->ia", layers[0], pixels.astype(float)
            )
    return changes
