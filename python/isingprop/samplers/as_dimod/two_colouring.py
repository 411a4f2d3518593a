"""The two layers of a dense model of two colours, such as a network of this package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem
from isingprop.util.checks import Doubles

# The kernels of two layers take time in proportion to all pairs, those of graphs to couplings.
_LEAST_DENSITY = 0.5


@dataclass(frozen=True)
class Layers:
    """A model of N variables as two layers of spins."""

    couplings: Doubles  #: J, (H, O)
    fields: Doubles  #: h and g, (H + O,)
    slots: NDArray[np.int64]  #: (N,), the number of the spin of each variable

    def problem(self, first: int, count: int) -> IsingProblem:
        """Returns a problem for each of `count` reads, with the read's number as its stream."""
        hidden, output = np.split(self.fields[None], [len(self.couplings)], axis=1)
        streams = np.arange(first, first + count, dtype=np.uint64)
        return IsingProblem.trusted(
            self.couplings, np.repeat(hidden, count, axis=0), output, streams
        )


def layers_of(ends: NDArray[np.int64], couplings: Doubles, fields: Doubles) -> Layers | None:
    """Returns a dense model of two colours as two layers of spins, and None for any other.

    Each coupling of such a model joins the layers, at least half of their pairs are coupled, and
    all variables are within three couplings of the first. The larger class is the hidden layer.
    """
    outputs = _smaller_class(ends, len(fields))
    if outputs is None:
        return None

    num_hidden = int(np.count_nonzero(~outputs))
    slots = np.empty(len(fields), dtype=np.int64)
    slots[~outputs] = np.arange(num_hidden)
    slots[outputs] = np.arange(num_hidden, len(fields))

    dense, in_layers = np.zeros((num_hidden, len(fields) - num_hidden)), np.empty(len(fields))
    hidden, output = np.sort(slots[ends.T], axis=0)
    dense[hidden, output - num_hidden], in_layers[slots] = couplings, fields
    return Layers(dense, in_layers, slots)


def _smaller_class(ends: NDArray[np.int64], num_variables: int) -> NDArray[np.bool_] | None:
    """Returns which variables belong to the smaller class of a dense model, or None."""
    # Two classes have at most this many pairs. The smaller one has at most half of the variables,
    # and each of it this many couplings in the mean. So most graphs need no second look.
    most_pairs, least_degree = num_variables**2 // 4, _LEAST_DENSITY * num_variables / 2
    if not 0 < len(ends) <= most_pairs or np.bincount(ends.ravel()).max() < least_degree:
        return None

    def neighbours(of: NDArray[np.bool_]) -> NDArray[np.bool_]:
        found = np.zeros(num_variables, dtype=bool)
        found[second[of[first]]] = found[first[of[second]]] = True
        return found

    first, second = ends.T
    here = neighbours(neighbours(np.arange(num_variables) == 0))
    there = neighbours(here)
    if (here == there).any() or (there[first] == there[second]).any():
        return None

    count = int(np.count_nonzero(there))
    if len(ends) < _LEAST_DENSITY * count * (num_variables - count):
        return None
    return there if 2 * count <= num_variables else here
