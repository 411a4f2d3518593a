"""The end of a descent on a model of 0 and 1, in exact arithmetic on its own biases.

The kernels work on spins x = (1 + s) / 2. The fields of the spins,

    h_i = b_i / 2 + sum_j q_ij / 4,

are rounded, so that a spin whose local field cancels but for that rounding may be on the wrong
side.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import dimod
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from isingprop.util.checks import Doubles, Spins

_MORE = 1 + 2.0**-20  # what rounding may take from a sum of positive numbers
_BITS, _LEAST_EXPONENT = 52, -1074  # of a double


def settled(bqm: dimod.BinaryQuadraticModel, samples: Spins) -> list[int]:
    """Flips variables until no single flip lowers the energy of a BINARY model.

        E(x) = sum_i b_i x_i + sum_ij q_ij x_i x_j,   d_i = b_i + sum_j q_ij x_j

    A flip changes the energy by (1 - 2 x_i) d_i. Where rounding leaves the sign of d_i open, it is
    summed exactly.

    Args:
        bqm: with finite biases.
        samples: (R, N) of 0 and 1, whose columns are the variables in the order of the model. They
            are changed in place.

    Returns:
        The numbers of the samples that have changed.
    """
    if bqm.num_interactions == 0:
        return []
    biases = _matrices(bqm)
    high, low = biases.split()
    if not low.any():
        return []  # the fields of the spins need no rounding, as for whole numbers

    changed = []
    for read, variables in _open_places(high, low, samples).items():
        if _settle(biases, samples[read], variables):
            changed.append(read)
    return changed


def _settle(biases: _Biases, sample: Spins, variables: list[int]) -> bool:
    """Settles one sample in place; flips may only be due at `variables`. Returns if it changes."""
    values = sample.tolist()  # Python numbers are read faster
    flipped = set()
    while variables:
        k = variables.pop()
        row = biases.row(k)
        sign = 1 - 2 * values[k]
        if sign * math.fsum([biases.linear[k], *(q for j, q in row if values[j])]) < 0:
            values[k] = 1 - values[k]
            flipped.add(k)
            variables += [j for j, q in row if sign * q * (1 - 2 * values[j]) < 0]

    for k in flipped:
        sample[k] = values[k]
    return bool(flipped)


class _Biases(NamedTuple):
    """Biases b and q of a model, with both q_ij and q_ji: the rows of a sparse matrix."""

    linear: Doubles  #: (N,)
    quadratic: Doubles
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]

    def any(self) -> bool:
        """Returns whether any of them is not 0."""
        return bool(self.linear.any() or self.quadratic.any())

    def sizes(self) -> Doubles:
        """Returns |b_i| + sum_j |q_ij|, (N,)."""
        ones = np.ones((len(self.linear), 1))
        sums: Doubles = abs(self).fields(ones)[:, 0]
        return sums

    def row(self, k: int) -> list[tuple[int, float]]:
        """Returns the variables j that k has interactions with, each with q_kj."""
        row = slice(self.indptr[k], self.indptr[k + 1])
        others, biases = self.indices[row].tolist(), self.quadratic[row].tolist()
        return list(zip(others, biases, strict=True))

    def __abs__(self) -> _Biases:
        return self._replace(linear=abs(self.linear), quadratic=abs(self.quadratic))

    def fields(self, states: Doubles) -> Doubles:
        """Returns d_i of states x, both (N, R)."""
        shape = (len(self.linear),) * 2
        matrix = sparse.csr_array((self.quadratic, self.indices, self.indptr), shape)
        result: Doubles = matrix @ states
        result += self.linear[:, None]
        return result

    def split(self) -> tuple[_Biases, _Biases]:
        """Returns multiples of a unit of each variable, and what they leave.

        Doubles hold all sums of the multiples.
        """
        exponents = np.maximum(np.frexp(self.sizes())[1] - _BITS, _LEAST_EXPONENT)
        units = np.ldexp(1.0, exponents)
        each = np.repeat(units, np.diff(self.indptr))
        linear = np.rint(self.linear / units) * units
        quadratic = np.rint(self.quadratic / each) * each
        rest = self._replace(linear=self.linear - linear, quadratic=self.quadratic - quadratic)
        return self._replace(linear=linear, quadratic=quadratic), rest


def _matrices(bqm: dimod.BinaryQuadraticModel) -> _Biases:
    vectors = bqm.to_numpy_vectors(sort_labels=False)
    rows, columns, biases = vectors.quadratic
    ends = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    size = bqm.num_variables
    matrix = sparse.csr_array((np.tile(biases, 2).astype(np.float64), ends), shape=(size, size))
    linear = np.asarray(vectors.linear_biases, np.float64)
    return _Biases(linear, matrix.data, matrix.indices, matrix.indptr)


def _open_places(high: _Biases, low: _Biases, samples: Spins) -> dict[int, list[int]]:
    """Returns the variables of each read whose flip may lower the energy."""
    states = np.ascontiguousarray(samples.T)
    signs = 1 - 2 * states
    changes = high.fields(states.astype(np.float64))
    changes *= signs
    is_open = changes < low.sizes()[:, None] * _MORE
    if is_open.any() and not low.split()[1].any():
        # Both parts are exact, so that their sum has the sign of the exact sum.
        is_open = changes + signs * low.fields(states.astype(np.float64)) < 0

    result: dict[int, list[int]] = {}
    for read, variable in np.argwhere(is_open.T).tolist():
        result.setdefault(read, []).append(variable)
    return result
