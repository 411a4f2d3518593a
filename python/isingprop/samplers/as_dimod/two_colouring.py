"""A binary quadratic model as two layers of spins: its two-colouring, or the odd cycle for which it has none."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import dimod
import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem
from isingprop.util.checks import Doubles

_MOST_NAMES = 12  # of a cycle that a message shows in full
_TINY = (
    2.0**-1000
)  # biases below it are not scaled up: their inverse temperatures would be infinite


@dataclass(frozen=True)
class Layers:
    """A model of N variables as two layers of spins, in units of 2^exponent."""

    couplings: Doubles  # (H, O)
    fields: Doubles  # (H + O,)
    slots: NDArray[np.int64]  # (N,): which spin a variable is
    rms_field: float  # of a random state, over the spins on which anything acts
    exponent: int

    def problem(self, first: int, count: int) -> IsingProblem:
        """A problem for each of `count` reads, which draws from the stream of the read's number."""
        hidden, output = np.split(self.fields[None], [len(self.couplings)], axis=1)
        streams = np.arange(first, first + count, dtype=np.uint64)
        return IsingProblem.trusted(
            self.couplings, np.repeat(hidden, count, axis=0), output, streams
        )


def layers_of(bqm: dimod.BinaryQuadraticModel) -> Layers:
    """Finds the layers.

    Raises:
        ValueError: for biases that are not finite, or an odd cycle, which is named.
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
    ends, quadratic = ends[:, quadratic != 0], quadratic[quadratic != 0]
    larger, smaller = two_colouring(variables, ends)
    largest = float(max(np.abs(fields).max(initial=0), np.abs(quadratic).max(initial=0)))
    exponent = math.frexp(largest)[1] if largest > _TINY else 0
    fields, quadratic = np.ldexp(fields, -exponent), np.ldexp(quadratic, -exponent)
    if bqm.vartype is dimod.BINARY:  # x = (1 + s) / 2
        quadratic = quadratic / 4
        fields = fields / 2 + np.bincount(ends.ravel(), np.tile(quadratic, 2), len(variables))
    # A layer without variables has one spin that stands for none.
    num_hidden, num_output = max(1, len(larger)), max(1, len(smaller))
    slots = np.empty(len(variables), dtype=np.int64)
    slots[larger], slots[smaller] = np.arange(len(larger)), num_hidden + np.arange(len(smaller))
    couplings, padded = np.zeros((num_hidden, num_output)), np.zeros(num_hidden + num_output)
    hidden, output = np.sort(slots[ends], axis=0)
    couplings[hidden, output - num_hidden], padded[slots] = quadratic, fields
    return Layers(couplings, padded, slots, _rms_field(fields, ends, quadratic), exponent)


def _check_finite(
    variables: list[Hashable], linear: Doubles, ends: NDArray[np.int64], quadratic: Doubles
) -> None:
    for k in np.flatnonzero(~np.isfinite(linear)):
        raise ValueError(f"bqm must have finite biases, got {linear[k]} for {variables[k]!r}")
    for k in np.flatnonzero(~np.isfinite(quadratic)):
        names = ", ".join(repr(variables[end]) for end in ends[:, k])
        raise ValueError(f"bqm must have finite biases, got {quadratic[k]} for ({names})")


def _rms_field(fields: Doubles, ends: NDArray[np.int64], quadratic: Doubles) -> float:
    """sqrt((sum_i h_i^2 + 2 sum_ij J_ij^2) / number of spins with any bias); 1 where there is none."""
    acted_on = fields != 0
    acted_on[ends] = True
    squares = math.fsum(fields**2) + 2 * math.fsum(
        quadratic**2
    )  # fsum: the order of the variables does not matter
    return math.sqrt(squares / max(1, int(np.count_nonzero(acted_on)))) or 1.0


def two_colouring(
    variables: Sequence[Hashable], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divides the variables 0 ... N - 1 into two classes that no edge lies in.

    Of each component the larger class goes to the first. Variables with common neighbours are close in their class: the
    order is that of Cuthill & McKee 1969 (doi:10.1145/800195.805928). SciPy's breaks ties in other ways on other
    processors, and with the order the samples would change.

    Args:
        variables: (N,), what a message calls them.
        ends: (2, E), the edges.

    Raises:
        ValueError: naming a cycle of odd length.
    """
    neighbours = _neighbours(len(variables), ends)
    colours, parents = [-1] * len(variables), [-1] * len(variables)
    layers: tuple[list[int], list[int]] = ([], [])
    for root in sorted(range(len(variables)), key=lambda u: len(neighbours[u])):
        if colours[root] >= 0:
            continue
        colours[root] = 0
        component = [root]
        for u in component:  # grows as it is walked along
            for v in neighbours[u].tolist():
                if colours[v] < 0:
                    colours[v], parents[v] = 1 - colours[u], u
                    component.append(v)
                elif colours[v] == colours[u]:
                    raise ValueError(_odd_cycle(variables, parents, u, v))
        classes = [[v for v in component if colours[v] == colour] for colour in (0, 1)]
        for layer, members in zip(layers, sorted(classes, key=len, reverse=True), strict=True):
            layer += members
    if not layers[1] and len(layers[0]) > 1:  # isolated spins only
        layers[1].append(layers[0].pop())
    return np.array(layers[0], dtype=np.int64), np.array(layers[1], dtype=np.int64)


def _neighbours(num_variables: int, ends: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Of each variable, those with few neighbours of their own first."""
    first, second = np.concatenate([ends, ends[::-1]], axis=1)
    degrees = np.bincount(first, minlength=num_variables)
    order = np.lexsort((second, degrees[second], first))
    return np.split(second[order], np.cumsum(degrees)[:-1])


def _odd_cycle(variables: Sequence[Hashable], parents: list[int], u: int, v: int) -> str:
    """What is wrong with neighbours u and v, which are equally far from the root that `parents` lead to."""
    up, down = [u], [v]
    while up[-1] != down[-1]:
        up.append(parents[up[-1]])
        down.append(parents[down[-1]])
    names = [repr(variables[k]) for k in up[::-1] + down]
    if len(names) > _MOST_NAMES:
        names[_MOST_NAMES // 2 : -_MOST_NAMES // 2] = ["..."]
    return (
        f"bqm must be two-colourable, got an odd cycle: {' - '.join(names)}; "
        "dwave.samplers.SimulatedAnnealingSampler takes any graph"
    )
