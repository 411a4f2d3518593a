"""Estimates how long a chip would take for an epoch of a training method."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from isingprop.data.load import ImageSet
from isingprop.paper.common.methods import IsingMethod, Method
from isingprop.readout import Readout
from isingprop.samplers.class_states import ClassStates

if TYPE_CHECKING:
    from isingprop.samplers.dwave import DWave


def qpu_seconds(method: Method, images: ImageSet) -> float | None:
    """Estimates the QPU access time of an epoch; None for methods that do not sample states.

    The chip is a Zephyr Z12 without defects, filled with copies of the network, with the timing of
    Advantage2_system1.
    """
    if not isinstance(method, IsingMethod) or isinstance(method.sampler, ClassStates):
        return None
    price = _chip("forward" if method.references is None else "cyclic").estimate(
        num_images=len(images.train_labels),
        epochs=1,
        num_states=method.num_states,
        batch_size=method.batch_size,
        num_hidden=method.num_hidden,
        num_output=Readout(images.num_classes).num_output,
    )
    return price.seconds_per_epoch


@lru_cache(maxsize=2)  # to lay out copies of the network on the chip takes seconds
def _chip(mode: str) -> DWave:
    """Returns the chip, which keeps its layout from call to call."""
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
    from isingprop.samplers.dwave import DWave

    return DWave(mode, solver=EmulatedQPU("zephyr"))
