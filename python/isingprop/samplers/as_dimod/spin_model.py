"""A binary quadratic model as an Ising problem on a graph."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import dimod
import numpy as np
from numpy.typing import NDArray

from isingprop import kernels
from isingprop.samplers.as_dimod.two_colouring import Layers, layers_of
from isingprop.util.checks import Doubles


@dataclass(frozen=True)
class SpinModel:
    """The arrays of a model of N variables, as spins.

        E(s) = offset + sum_i h_i s_i + sum_ij J_ij s_i s_j

    A model without variables has one spin, which stands for none.
    """

    ends: NDArray[np.int64]  #: (E, 2), the variables that each coupling joins
    couplings: Doubles  #: J, (E,), none of them 0
    fields: Doubles  #: h, (N,)
    offset: float

    @cached_property
    def layers(self) -> Layers | None:
        """The two layers of a dense model, for which there are kernels of its own, or None."""
        return layers_of(self.ends, self.couplings, self.fields)

    def absolute_betas(self, relative: Doubles) -> Doubles:
        """Returns inverse temperatures that are relative to the model in 1 / (unit of J)."""
        if self.layers is None:
            return kernels.absolute_graph_betas(self.ends, self.couplings, self.fields, relative)
        problem = self.layers.problem(0, 1)
        arrays = problem.couplings, problem.hidden_fields, problem.output_fields
        betas: Doubles = kernels.absolute_betas(*arrays, relative)[0]
        return betas

    def cold_beta(self) -> float:
        """Returns the inverse temperature from which on reads end in a descent by default.

        It is 4 / f, with f the local field of `isingprop.Annealing` for a dense model of two
        layers, and else with f^2 = mean of h_i^2 + sum_j J_ij^2 over the spins on which any acts.
        """
        if self.layers is not None:
            return float(self.absolute_betas(np.array([kernels.COLD_BETA]))[0])
        largest = max(abs(self.fields).max(), abs(self.couplings).max(initial=0.0))
        if largest == 0:
            return float(np.inf)
        strengths = np.repeat(np.square(self.couplings / largest), 2)
        squares = np.bincount(self.ends.ravel(), strengths, len(self.fields))
        squares += np.square(self.fields / largest)
        return float(kernels.COLD_BETA / largest / np.sqrt(squares.sum() / (squares > 0).sum()))


def spin_model_of(bqm: dimod.BinaryQuadraticModel) -> SpinModel:
    """Returns the arrays of a model; BINARY variables are x = (1 + s) / 2.

    Raises:
        TypeError: for anything that is not a BinaryQuadraticModel.
        ValueError: for biases or an offset that are not finite.
    """
    if not isinstance(bqm, dimod.BinaryQuadraticModel):
        raise TypeError(f"bqm must be a dimod.BinaryQuadraticModel, got {type(bqm).__name__}")

    vectors = bqm.to_numpy_vectors(sort_labels=False)
    fields = np.asarray(vectors.linear_biases, dtype=np.float64)
    rows, columns, biases = vectors.quadratic
    ends = np.stack([rows, columns], axis=1, dtype=np.int64)
    couplings = np.asarray(biases, dtype=np.float64)
    _check_finite(bqm, fields, ends, couplings)

    edges = couplings != 0
    if not edges.all():
        ends, couplings = ends[edges], couplings[edges]

    offset = float(bqm.offset)
    if bqm.vartype is dimod.BINARY:
        offset += float(fields.sum() / 2 + couplings.sum() / 4)
        couplings = couplings / 4
        fields = fields / 2 + np.bincount(ends.ravel(), np.repeat(couplings, 2), len(fields))
    return SpinModel(ends, couplings, fields if len(fields) else np.zeros(1), offset)


def _check_finite(
    bqm: dimod.BinaryQuadraticModel, linear: Doubles, ends: NDArray[np.int64], quadratic: Doubles
) -> None:
    """Raises ValueError for a number that is not finite, with the names of its variables."""
    variables: Sequence[Hashable] = bqm.variables
    for k in np.flatnonzero(~np.isfinite(linear)).tolist():
        raise ValueError(f"bqm must have finite biases, got {linear[k]} for {variables[k]!r}")
    for k in np.flatnonzero(~np.isfinite(quadratic)).tolist():
        names = ", ".join(repr(variables[end]) for end in sorted(ends[k].tolist()))
        raise ValueError(f"bqm must have finite biases, got {quadratic[k]} for ({names})")
    if not np.isfinite(bqm.offset):
        raise ValueError(f"offset of bqm must be finite, got {bqm.offset}")
