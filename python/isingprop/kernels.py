"""The typed door to the C++ extension: every call of `isingprop._core` from Python goes through this module.

The stubs `kernels.pyi` give the argument types, array shapes and return values of each function. Arrays are never
converted: an array of another dtype or order is a TypeError.
"""

from pathlib import Path

from isingprop import _core
from isingprop._core import (
    anneal,
    available_kernels,
    current_kernel,
    cycle,
    energies,
    energy_table,
    evolve,
    hidden_means,
    local_fields,
    output_distribution,
    reference_states,
    select_kernel,
    sigmoid,
    softplus,
    spin_fields,
    temper,
    update,
    weighted_sums,
)

__all__ = [
    "LIBRARY",
    "anneal",
    "available_kernels",
    "current_kernel",
    "cycle",
    "energies",
    "energy_table",
    "evolve",
    "hidden_means",
    "local_fields",
    "output_distribution",
    "reference_states",
    "select_kernel",
    "sigmoid",
    "softplus",
    "spin_fields",
    "temper",
    "update",
    "weighted_sums",
]

LIBRARY = Path(str(_core.__file__))  #: the compiled extension itself
