"""The typed door to the C++ extension: every call of `isingprop._core` goes through this module.

| subject          | function              | result                                                |
|------------------|-----------------------|-------------------------------------------------------|
| annealing        | `anneal`              | states of simulated annealing, and their energies     |
|                  | `temper`              | states of parallel tempering, with swap statistics    |
|                  | `cycle`               | states of cyclic annealing, with each cycle's end     |
|                  | `descend`             | states that no single flip improves, from given ones  |
|                  | `energies`            | energies of given states                              |
|                  | `absolute_betas`      | relative inverse temperatures in 1 / (unit of J)      |
| any graph        | `anneal_graph`        | states of simulated annealing, and their energies     |
|                  | `temper_graph`        | states of parallel tempering, with swap statistics    |
|                  | `absolute_graph_betas` | relative inverse temperatures in 1 / (unit of J)     |
| rotors           | `anneal_rotors`       | spins and angles of rotors in a transverse field      |
| network          | `local_fields`        | x W + b of images x                                   |
|                  | `spin_fields`         | s J + b of spins s, for the next hidden layer         |
|                  | `reference_states`    | lowest states whose output spins are given            |
|                  | `class_energies`      | energies of those states for each class              |
|                  | `update`              | none: adds a gradient step to the parameters in place |
|                  | `train_classes`       | wrong images in an epoch of training on class states  |
|                  | `adam`                | none: makes a step of Adam in place                   |
| energy model     | `weighted_sums`       | rows W + b, summed in the order of the inputs         |
|                  | `output_distribution` | log P(y) and P(y) of all outputs y                    |
|                  | `hidden_means`        | means of hidden units, weighted over outputs          |
|                  | `sigmoid`             | 1 / (1 + exp(-x))                                     |
|                  | `softplus`            | log(1 + exp(x))                                       |
| state vector     | `energy_table`        | energies of all 2^N states                            |
|                  | `evolve`              | sum of probabilities: evolves a state vector in place |
| instruction sets | `available_kernels`   | names that this processor can run, narrowest first    |
|                  | `current_kernel`      | the name in use                                       |
|                  | `select_kernel`       | none: chooses the instruction set of all threads      |

The stubs `_core.pyi` give the argument types, array shapes and return values of each function.
Arrays are never converted: an array of another dtype or memory order raises TypeError.
"""

from pathlib import Path

from isingprop import _core
from isingprop._core import (
    COLD_BETA,
    absolute_betas,
    absolute_graph_betas,
    adam,
    anneal,
    anneal_graph,
    anneal_rotors,
    available_kernels,
    class_energies,
    current_kernel,
    cycle,
    descend,
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
    temper_graph,
    train_classes,
    update,
    weighted_sums,
)

__all__ = [
    "COLD_BETA",
    "LIBRARY",
    "absolute_betas",
    "absolute_graph_betas",
    "adam",
    "anneal",
    "anneal_graph",
    "anneal_rotors",
    "available_kernels",
    "class_energies",
    "current_kernel",
    "cycle",
    "descend",
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
    "temper_graph",
    "train_classes",
    "update",
    "weighted_sums",
]

LIBRARY = Path(str(_core.__file__))  #: the compiled extension itself
