"""Samplers, which turn an IsingProblem into States."""

from typing import Any

__all__ = [
    "Amplified",
    "Annealing",
    "BaseSampler",
    "Coherent",
    "Cyclic",
    "DWave",
    "FromDimod",
    "Replay",
    "Sampler",
    "Tempering",
]


def __getattr__(name: str) -> Any:
    """Returns a sampler class, imported at its first use; see isingprop.__getattr__."""
    import isingprop

    if name in __all__:
        return getattr(isingprop, name)
    raise AttributeError(f"module 'isingprop.samplers' has no attribute {name!r}")
