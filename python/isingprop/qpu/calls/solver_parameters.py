"""The solver parameters that all calls of a sampler have, checked against the device."""

from __future__ import annotations

from typing import Any

import numpy as np

from isingprop.qpu.calls.connection import device_name
from isingprop.qpu.chip.limits import check_anneal_offsets
from isingprop.qpu.chip.schedules import (
    check_anneal_schedule,
    check_h_gain_schedule,
    solver_property,
)
from isingprop.qpu.settings import Settings
from isingprop.util.checks import Doubles


def checked_parameters(device: Any, settings: Settings, *, from_starts: bool) -> dict[str, Any]:
    """Returns the parameters of calls, with start states or without, besides those of each call.

    Raises:
        ValueError: for a time or a schedule that the device does not accept, or a parameter that it
            does not take.
    """
    anneal, gain = settings.schedules(device.properties)
    parameters: dict[str, Any] = {"auto_scale": False}
    if "answer_mode" in device.parameters:
        parameters["answer_mode"] = "raw"
    if settings.is_fast:
        _check_takes(device, "fast_anneal")
        parameters["fast_anneal"] = True

    if anneal is None or not from_starts:
        parameters["annealing_time"] = settings.annealing_time
    else:
        parameters |= {
            "anneal_schedule": check_anneal_schedule(anneal, device.properties),
            "reinitialize_state": settings.reinitialize_state,
        }
        if gain is not None:
            end = settings.annealing_time
            parameters["h_gain_schedule"] = check_h_gain_schedule(gain, end, device.properties)
        _check_takes(device, "initial_state", *parameters)

    if settings.flux_biases is not None:
        _check_takes(device, "flux_drift_compensation")
        # D-Wave's own compensation would act on the same fluxes.
        parameters["flux_drift_compensation"] = False
    return parameters


def checked_qubits(device: Any, settings: Settings) -> dict[str, Doubles]:
    """Returns the parameters with a number for each qubit of a device, working or not.

    Raises:
        ValueError: for another number of qubits, an anneal offset that is not in the range of its
            qubit, or a parameter that the device does not take.
    """
    checked = {}
    for name, values in settings.by_qubit().items():
        _check_takes(device, name)
        num_qubits = solver_property(device.properties, "num_qubits")
        if len(values) != num_qubits:
            raise ValueError(
                f"{name} must be {num_qubits} numbers, one for each qubit of "
                f"{device_name(device)}, working or not, got {len(values)}"
            )
        checked[name] = np.array(values)

    if "anneal_offsets" in checked:
        check_anneal_offsets(checked["anneal_offsets"], device.properties)
    return checked


def _check_takes(device: Any, *names: str) -> None:
    """Checks that a device takes parameters."""
    for name in names:
        if name not in device.parameters:
            raise ValueError(
                f"solver {device_name(device)} must take the parameter {name}, "
                "got one that does not"
            )
