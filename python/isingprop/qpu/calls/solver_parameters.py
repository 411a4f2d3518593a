"""The solver parameters that all calls of a sampler have, checked against the device."""

from __future__ import annotations

from typing import Any

import numpy as np

from isingprop.qpu.calls.connection import device_name
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
        _check_takes(device, "flux_biases", "flux_drift_compensation")
        # D-Wave's own compensation would act on the same fluxes.
        parameters["flux_drift_compensation"] = False
    return parameters


def checked_flux_biases(device: Any, settings: Settings) -> Doubles:
    """Returns the flux bias of each qubit of a device, working or not, or (0,) where there is none.

    Raises:
        ValueError: for another number of qubits.
    """
    if settings.flux_biases is None:
        return np.empty(0)
    num_qubits = solver_property(device.properties, "num_qubits")
    if len(settings.flux_biases) != num_qubits:
        raise ValueError(
            f"flux_biases must be {num_qubits} numbers, one for each qubit of "
            f"{device_name(device)}, working or not, got {len(settings.flux_biases)}"
        )
    return np.array(settings.flux_biases)


def _check_takes(device: Any, *names: str) -> None:
    """Checks that a device takes parameters."""
    for name in names:
        if name not in device.parameters:
            raise ValueError(
                f"solver {device_name(device)} must take the parameter {name}, "
                "got one that does not"
            )
