"""Samplers, which turn an IsingProblem into States."""

from importlib import import_module
from typing import Any

# Each class is imported at its first use: few programs need more than one of them.
_MODULES = {
    "Amplified": "amplified",
    "Annealing": "annealing",
    "BaseSampler": "protocol",
    "ClassStates": "class_states",
    "Coherent": "coherent_annealing",
    "Cyclic": "cyclic",
    "DWave": "dwave",
    "FromDimod": "from_dimod",
    "Replay": "replay",
    "Sampler": "protocol",
    "Tempering": "tempering",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Returns a class of samplers, and imports it if need be."""
    if name not in _MODULES:
        raise AttributeError(f"module 'isingprop.samplers' has no attribute {name!r}")
    return getattr(import_module(f"isingprop.samplers.{_MODULES[name]}"), name)
