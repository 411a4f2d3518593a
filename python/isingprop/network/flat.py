"""All parameters of a network as one flat array, in the order of Network.parameters.

Input weights are by pixels, (I, n_1), as the kernels have them.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from isingprop.network.base_network import Floats32, Network

_Network = TypeVar("_Network", bound=Network)


def size_of(network: Network) -> int:
    """Returns the number of parameters."""
    return sum(array.size for array in network.parameters().values())


def parts_of(network: Network) -> dict[str, slice]:
    """Returns where each parameter is in the flat array, by name."""
    stops = np.cumsum([array.size for array in network.parameters().values()]).tolist()
    spans = zip(network.parameters(), [0, *stops], stops, strict=False)
    return {name: slice(start, stop) for name, start, stop in spans}


def over(network: _Network, flat: Floats32) -> _Network:
    """Returns a network of the same shape whose parameters are views of a flat array."""
    arrays = {}
    for name, part in parts_of(network).items():
        shape = network.parameters()[name].shape
        by_pixels = name == "input_weights"
        arrays[name] = flat[part].reshape(shape[::-1]).T if by_pixels else flat[part].reshape(shape)
    return network.with_arrays(arrays)


def flat_views(network: Network) -> dict[str, Floats32]:
    """Returns each parameter of a network as a flat view of it, by name."""
    return {
        name: (array.T if name == "input_weights" else array).reshape(-1)
        for name, array in network.parameters().items()
    }


def parameters_of_layer(network: Network, layer: int | None) -> list[str]:
    """Returns the names of the parameters that an update of layers l and l + 1 changes.

    None stands for all layers. Input weights go with layer 1.
    """
    if layer is None:
        return list(network.parameters())
    arrays = [network.layer_couplings[layer - 1], *network.layer_biases[layer - 1 : layer + 1]]
    arrays += [network.input_weights] if layer == 1 else []
    return [
        name
        for name, array in network.parameters().items()
        if any(array is each for each in arrays)
    ]
