"""The end of a descent on a model of 0 and 1, in exact arithmetic on its own biases.

The kernels work on spins x = (1 + s) / 2. The fields of the spins,

    h_i = b_i / 2 + sum_j q_ij / 4,

are rounded, so that a spin whose local field cancels but for that rounding may be on the wrong
side.
"""

from __future__ import annotations

import math

import dimod
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from isingprop.util.checks import Doubles, Spins

_ROUNDING = 2.0**-52


def settled(bqm: dimod.BinaryQuadraticModel, samples: Spins) -> Spins:
    """Flips variables until no single flip lowers the energy of a BINARY model.

        E(x) = sum_i b_i x_i + sum_ij q_ij x_i x_j,   d_i = b_i + sum_j q_ij x_j

    A flip changes the energy by (1 - 2 x_i) d_i. Where rounding leaves the sign of d_i open, it is
    summed exactly.

    Args:
        bqm: with finite biases.
        samples: (R, N) of 0 and 1, whose columns are the variables in the order of the model.

    Returns:
        (R, N); `samples` itself where nothing has to change.
    """
    if bqm.num_interactions == 0:
        return samples
    linear, quadratic = _matrices(bqm)
    sizes = abs(linear) + samples @ abs(quadratic)
    changes = (1 - 2 * samples) * (linear + samples @ quadratic)
    terms = 1 + np.diff(quadratic.indptr)
    open_places = list(map(tuple, np.argwhere(changes < _ROUNDING * terms * sizes).tolist()))
    if not open_places or _fields_are_exact(linear, quadratic):
        return samples

    result: Spins = samples.copy()
    while open_places:
        read, k = open_places.pop()
        row = slice(quadratic.indptr[k], quadratic.indptr[k + 1])
        others = quadratic.indices[row]
        change = math.fsum([linear[k], *(quadratic.data[row] * result[read, others])])
        if (1 - 2 * result[read, k]) * change < 0:
            result[read, k] = 1 - result[read, k]
            open_places += [(read, j) for j in others.tolist()]
    return result


def _matrices(bqm: dimod.BinaryQuadraticModel) -> tuple[Doubles, sparse.csr_array]:
    """Returns b and q, with both q_ij and q_ji, in the order of the variables."""
    vectors = bqm.to_numpy_vectors(sort_labels=False)
    rows, columns, biases = vectors.quadratic
    ends = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    size = bqm.num_variables
    quadratic = sparse.csr_array((np.tile(biases, 2), ends), shape=(size, size))
    linear: NDArray[np.float64] = np.asarray(vectors.linear_biases, np.float64)
    return linear, quadratic


def _fields_are_exact(linear: Doubles, quadratic: sparse.csr_array) -> bool:
    """Returns whether the sums of the spins' fields need no rounding, as for whole numbers."""
    fields = linear / 2 + quadratic.sum(axis=1) / 4
    rows = np.split(quadratic.data, quadratic.indptr[1:-1])
    return all(
        math.fsum([field, -bias / 2, *(-row / 4)]) == 0
        for field, bias, row in zip(fields, linear, rows, strict=True)
    )
