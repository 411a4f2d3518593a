"""Epochs that end whole or leave no trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isingprop.network.base_network import Floats32, Network
from isingprop.training.divergence import DivergedError, converging
from isingprop.training.optimizer import Optimizer


def copies(network: Network) -> dict[str, Floats32]:
    """Returns copies of the parameters, in their memory order."""
    return {name: array.copy(order="K") for name, array in network.parameters().items()}


def put_back(network: Network, parameters: dict[str, Any]) -> None:
    """Copies parameters into the network's own arrays."""
    for name, array in network.parameters().items():
        array[...] = parameters[name]


@contextmanager
def undone_on_error(optimizer: Optimizer, done: int) -> Iterator[dict[str, Floats32]]:
    """Yields copies of the parameters, and restores them and the optimizer after an error.

    `done` is the number of whole epochs so far.
    """
    network = optimizer.network
    before, state = copies(network), optimizer.copy_state()
    watch = converging(network.parameters, f"epoch {done + 1}", optimizer.rates)

    try:
        with watch:
            yield before
    except BaseException as error:
        put_back(network, before)
        optimizer.put_back(state)
        note = f"isingprop: epoch {done + 1} was undone, the network is as epoch {done} left it"
        if not isinstance(error, DivergedError):  # it would diverge again
            note += (
                "; to resume, call fit() again, in a new process after restore() of the last "
                "checkpoint"
            )
        error.add_note(note)
        raise
