"""Division of a binary quadratic model into two layers of spins, by two-colouring its graph.

A graph that has no two-colouring has an odd cycle, which the error message names.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import dimod
import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem
from isingprop.util.checks import Doubles

_MAX_NAMES = 12  # max length of a cycle that a message shows in full


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


def layers_of(bqm: dimod.BinaryQuadraticModel) -> Layers:
    """Returns a model as two layers of spins.

    Raises:
        TypeError: for anything that is not a BinaryQuadraticModel.
        ValueError: for biases or an offset that are not finite, or an odd cycle, which is named.
    """
    if not isinstance(bqm, dimod.BinaryQuadraticModel):
        raise TypeError(f"bqm must be a dimod.BinaryQuadraticModel, got {type(bqm).__name__}")

    variables = list(bqm.variables)
    vectors = bqm.to_numpy_vectors(sort_labels=False)
    fields = np.asarray(vectors.linear_biases, dtype=np.float64)
    rows, columns, biases = vectors.quadratic
    ends = np.sort(np.array([rows, columns], dtype=np.int64), axis=0)
    quadratic = np.asarray(biases, dtype=np.float64)
    _check_finite(variables, fields, ends, quadratic)
    if not np.isfinite(bqm.offset):
        raise ValueError(f"offset of bqm must be finite, got {bqm.offset}")

    ends, quadratic = ends[:, quadratic != 0], quadratic[quadratic != 0]
    larger, smaller = two_colouring(variables, ends)

    if bqm.vartype is dimod.BINARY:  # x = (1 + s) / 2
        quadratic = quadratic / 4
        fields = fields / 2 + np.bincount(ends.ravel(), np.tile(quadratic, 2), len(variables))

    # A layer without variables gets a single spin that stands for no variable.
    num_hidden, num_output = max(1, len(larger)), max(1, len(smaller))
    slots = np.empty(len(variables), dtype=np.int64)
    slots[larger], slots[smaller] = np.arange(len(larger)), num_hidden + np.arange(len(smaller))

    couplings, padded = np.zeros((num_hidden, num_output)), np.zeros(num_hidden + num_output)
    hidden, output = np.sort(slots[ends], axis=0)
    couplings[hidden, output - num_hidden], padded[slots] = quadratic, fields
    return Layers(couplings, padded, slots)


def _check_finite(
    variables: list[Hashable], linear: Doubles, ends: NDArray[np.int64], quadratic: Doubles
) -> None:
    """Raises ValueError for a bias that is not finite, with the names of its variables."""
    for k in np.flatnonzero(~np.isfinite(linear)):
        raise ValueError(f"bqm must have finite biases, got {linear[k]} for {variables[k]!r}")
    for k in np.flatnonzero(~np.isfinite(quadratic)):
        names = ", ".join(repr(variables[end]) for end in ends[:, k])
        raise ValueError(f"bqm must have finite biases, got {quadratic[k]} for ({names})")


def two_colouring(
    variables: Sequence[Hashable], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divides the variables 0 ... N - 1 into two classes so that each edge joins the two.

    The first class gets the larger class of each component. Variables with common neighbours are
    close to each other in their class: the order is that of Cuthill & McKee 1969
    (doi:10.1145/800195.805928). SciPy's implementation breaks ties differently on different
    processors, and the samples would change with the order.

    Args:
        variables: (N,), the names of the variables in messages.
        ends: (2, E), the edges.

    Returns:
        The variables of both classes, in order.

    Raises:
        ValueError: naming a cycle of odd length.
    """
    if (complete := _complete_classes(len(variables), ends)) is not None:
        return complete

    neighbours = _neighbours(len(variables), ends)
    colours, parents = [-1] * len(variables), [-1] * len(variables)
    layers: tuple[list[int], list[int]] = ([], [])

    for root in sorted(range(len(variables)), key=lambda u: len(neighbours[u])):
        if colours[root] >= 0:
            continue

        # A breadth-first search, in which the component grows while it is traversed.
        colours[root] = 0
        component = [root]
        for u in component:
            for v in neighbours[u]:
                if colours[v] < 0:
                    colours[v], parents[v] = 1 - colours[u], u
                    component.append(v)
                elif colours[v] == colours[u]:
                    raise ValueError(_odd_cycle(variables, parents, u, v))

        classes = [[v for v in component if colours[v] == colour] for colour in (0, 1)]
        for layer, members in zip(layers, sorted(classes, key=len, reverse=True), strict=True):
            layer += members

    if not layers[1] and len(layers[0]) > 1:  # no edges at all: the second layer needs a spin
        layers[1].append(layers[0].pop())
    return np.array(layers[0], dtype=np.int64), np.array(layers[1], dtype=np.int64)


def _complete_classes(
    num_variables: int, ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Returns what the search would return if each variable of one class has an edge to each of the
    other, as in the paper's network, and None for other graphs.
    """
    first, second = ends
    across = np.zeros(num_variables, dtype=bool)  # from variable 0
    across[second[first == 0]] = across[first[second == 0]] = True

    count = int(np.count_nonzero(across))
    if count == 0 or len(first) != count * (num_variables - count):
        return None
    if (across[first] == across[second]).any():
        return None

    here, there = np.flatnonzero(~across), np.flatnonzero(across)
    return (here, there) if len(here) >= count else (there, here)


def _neighbours(num_variables: int, ends: NDArray[np.int64]) -> list[list[int]]:
    """Returns the neighbours of each variable, those with the fewest neighbours first."""
    first, second = np.concatenate([ends, ends[::-1]], axis=1)
    degrees = np.bincount(first, minlength=num_variables)
    order = np.lexsort((second, degrees[second], first))
    flat, stops = second[order].tolist(), np.cumsum(degrees).tolist()
    return [flat[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def _odd_cycle(variables: Sequence[Hashable], parents: list[int], u: int, v: int) -> str:
    """Returns the error message for neighbours u and v of one colour.

    Both are equally far from the root of their component, to which `parents` lead. So their paths
    to the nearest common ancestor and the edge between them form an odd cycle.
    """
    up, down = [u], [v]
    while up[-1] != down[-1]:
        up.append(parents[up[-1]])
        down.append(parents[down[-1]])

    names = [repr(variables[k]) for k in up[::-1] + down]
    if len(names) > _MAX_NAMES:
        names[_MAX_NAMES // 2 : -_MAX_NAMES // 2] = ["..."]
    return (
        f"bqm must be two-colourable, got an odd cycle: {' - '.join(names)}; "
        "dwave.samplers.SimulatedAnnealingSampler takes any graph"
    )
