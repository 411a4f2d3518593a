"""The samplers that `--sampler` can name: checks of the names, and how each sampler is made."""

from __future__ import annotations

import importlib
import re
from typing import Any

from isingprop.estimator.recipes import CLASS_STATES
from isingprop.qpu.emulator.named_chip import solver_or_emulated
from isingprop.readout import Readout
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.cyclic import Cyclic
from isingprop.samplers.dwave import DWave
from isingprop.samplers.from_dimod import FromDimod
from isingprop.samplers.protocol import Sampler
from isingprop.samplers.tempering import Tempering

DWAVE_MODES = {"dwave": "forward", "dwave-reverse": "reverse", "dwave-cyclic": "cyclic"}
_OWN_SAMPLERS: dict[str, type[Annealing | Tempering | Cyclic]] = {
    "anneal": Annealing,
    "temper": Tempering,
    "cyclic": Cyclic,
}
SAMPLER_NAMES = (CLASS_STATES, *_OWN_SAMPLERS, *DWAVE_MODES)
STARTS_FROM_REFERENCES = ("cyclic", "dwave-reverse", "dwave-cyclic")


def check_sampler_name(name: str, value: str) -> None:
    """Checks that a value names a sampler of this package or is dimod:MODULE:CLASS.

    Args:
        name: the name of the argument or option, for the message.
        value: the name of the sampler.

    Raises:
        ValueError: for any other value.
    """
    if value not in SAMPLER_NAMES and not re.fullmatch(r"dimod:[\w.]+:\w+", value):
        raise ValueError(
            f"{name} must be {', '.join(SAMPLER_NAMES)} or dimod:MODULE:CLASS, got {value!r}"
        )


def make_named_sampler(
    name: str,
    *,
    readout: Readout,
    num_sweeps: int,
    num_threads: int,
    qpu_solver: str | None = None,
    qpu_budget: float | None = None,
    qpu_scale: float | None = None,
    qpu_annealing_time: float | None = None,
) -> Sampler:
    """Returns the sampler of this name, with those of the settings that it knows."""
    check_sampler_name("sampler", name)
    if name == CLASS_STATES:
        return ClassStates(readout, num_threads)
    if name in _OWN_SAMPLERS:
        return _OWN_SAMPLERS[name](num_sweeps=num_sweeps, num_threads=num_threads)

    if name in DWAVE_MODES:
        options: dict[str, Any] = {"scale": qpu_scale, "budget": qpu_budget}
        if qpu_annealing_time is not None:
            options["annealing_time"] = qpu_annealing_time
        solver = solver_or_emulated("qpu_solver", qpu_solver)
        return DWave(DWAVE_MODES[name], solver=solver, **options)
    return _dimod_sampler(name, num_sweeps)


def _dimod_sampler(name: str, num_sweeps: int) -> FromDimod:
    """Returns the sampler that dimod:MODULE:CLASS names, with num_sweeps if it takes that."""
    _, module_name, class_name = name.split(":")
    try:
        sampler = getattr(importlib.import_module(module_name), class_name)()
    except Exception as error:  # a module of the user's own may raise anything
        raise ValueError(
            f"sampler {name} cannot be made: {type(error).__name__}: {error}"
        ) from error

    wrapped = FromDimod(sampler)
    return FromDimod(sampler, num_sweeps=num_sweeps) if "num_sweeps" in wrapped.takes else wrapped
