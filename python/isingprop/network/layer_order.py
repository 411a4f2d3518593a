"""The order of layers in a state: side by side, apart, and as the two sides of a bipartite problem.

With sizes (3, 2, 4) a state of the network is s1 s1 s1 | s2 s2 | s3 s3 s3 s3. A layer couples to
its neighbours only, so layers 1 and 3 are one side of a bipartite problem, layer 2 is the other,
and the state in the problem's order is s1 s1 s1 s3 s3 s3 s3 | s2 s2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.problem import IsingProblem
from isingprop.util.checks import Spins, check_shape

_Scalar = TypeVar("_Scalar", np.int8, np.float32)


def to_sides(spins: ArrayLike, sizes: tuple[int, ...]) -> Spins:
    """Returns states (..., N) with layers 1, 3, 5 ... first, then layers 2, 4, 6 ..."""
    layers = parts(spins, sizes)
    return _joined([*layers[::2], *layers[1::2]])


def from_sides(spins: ArrayLike, sizes: tuple[int, ...]) -> Spins:
    """Returns states (..., N) in the order that `to_sides` was given, layer 1 first."""
    layers, num_odd = parts(spins, (*sizes[::2], *sizes[1::2])), len(sizes[::2])
    return _joined([layers[k // 2 + num_odd * (k % 2)] for k in range(len(layers))])


def bipartite(
    couplings: Sequence[NDArray[np.float32]],
    fields: Sequence[NDArray[np.float32]],
    streams: NDArray[np.uint64],
) -> IsingProblem:
    """Returns the bipartite problem of several layers.

    Args:
        couplings: J^l, (n_l, n_(l+1)), between layers l and l + 1; the problem has the transpose of
            those whose layer l is on its output side.
        fields: (B or 1, n_l) of each layer.
        streams: (B,), see IsingProblem.
    """
    sizes = tuple(field.shape[1] for field in fields)
    odd, even = slices(sizes[::2]), slices(sizes[1::2])
    whole = np.zeros((odd[-1].stop, even[-1].stop), dtype=np.float32)
    for k, array in enumerate(couplings):
        whole[odd[(k + 1) // 2], even[k // 2]] = array if k % 2 == 0 else array.T

    hidden_fields = _side(fields[::2], rows=len(streams))
    return IsingProblem.trusted(whole, hidden_fields, _side(fields[1::2]), streams)


@lru_cache(maxsize=64)
def slices(sizes: tuple[int, ...]) -> list[slice]:
    """Returns where layers of these sizes are when they follow each other."""
    return [slice(start, stop) for start, stop in pairwise(accumulate(sizes, initial=0))]


def parts(spins: ArrayLike, sizes: tuple[int, ...]) -> list[Spins]:
    """Returns the layers of states (..., N): views, where `spins` is an array."""
    array, where = np.asarray(spins), slices(sizes)
    if array.shape[-1:] != (where[-1].stop,):
        check_shape("spins", array, (*array.shape[:-1], where[-1].stop))
    return [array[..., layer] for layer in where]


def side_sizes(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Returns the hidden and output spins of layers of these sizes as one bipartite problem."""
    return sum(sizes[::2]), sum(sizes[1::2])


def fields_of_spins(
    spins: Spins, couplings: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns b + s J, (R, n), for (R, m) spins and (m, n) couplings.

    The order of the sum in `spins @ couplings` depends on the number of rows, on BLAS and on the
    processor, and so do its last bits; those of the kernel do not.
    """
    return kernels.spin_fields(np.ascontiguousarray(spins), couplings, bias)


def _side(fields: Sequence[NDArray[np.float32]], rows: int = 1) -> NDArray[np.float32]:
    """Returns the (B or 1, n_l) fields of the layers of one side, side by side.

    There is one row where all of them have one and `rows` is 1, else the largest number of rows.
    """
    rows = max(rows, *(len(field) for field in fields))
    return _joined([np.broadcast_to(field, (rows, field.shape[1])) for field in fields])


def _joined(arrays: list[NDArray[_Scalar]]) -> NDArray[_Scalar]:
    """Returns arrays side by side along the last axis, in C order, whatever concatenate does."""
    return np.ascontiguousarray(np.concatenate(arrays, axis=-1))
