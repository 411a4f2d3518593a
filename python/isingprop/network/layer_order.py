"""Spins and fields of several layers, each coupled to the next: side by side, apart, and as a bipartite problem."""

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
    """States (..., N) of layers of these sizes: layers 1, 3, 5 ... first, then 2, 4, 6 ..."""
    layers = parts(spins, sizes)
    return _joined([*layers[::2], *layers[1::2]])


def from_sides(spins: ArrayLike, sizes: tuple[int, ...]) -> Spins:
    """And back: layer 1 first."""
    layers, num_odd = parts(spins, (*sizes[::2], *sizes[1::2])), len(sizes[::2])
    return _joined([layers[k // 2 + num_odd * (k % 2)] for k in range(len(layers))])


def bipartite(
    couplings: Sequence[NDArray[np.float32]],
    fields: Sequence[NDArray[np.float32]],
    streams: NDArray[np.uint64],
) -> IsingProblem:
    """Layers with (B or 1, n_l) fields as one problem: each J^l in its place, transposed if layer l is an output."""
    sizes = tuple(field.shape[1] for field in fields)
    odd, even = slices(sizes[::2]), slices(sizes[1::2])
    whole = np.zeros((odd[-1].stop, even[-1].stop), dtype=np.float32)
    for k, array in enumerate(couplings):
        whole[odd[(k + 1) // 2], even[k // 2]] = array if k % 2 == 0 else array.T
    return IsingProblem.trusted(
        whole, _side(fields[::2], len(streams)), _side(fields[1::2]), streams
    )


@lru_cache(maxsize=64)
def slices(sizes: tuple[int, ...]) -> list[slice]:
    """Where layers of these sizes are when they follow each other."""
    return [slice(start, stop) for start, stop in pairwise(accumulate(sizes, initial=0))]


def parts(spins: ArrayLike, sizes: tuple[int, ...]) -> list[Spins]:
    """Layers of these sizes: views, where `spins` is an array."""
    array, where = np.asarray(spins), slices(sizes)
    if array.shape[-1:] != (where[-1].stop,):
        check_shape("spins", array, (*array.shape[:-1], where[-1].stop))
    return [array[..., layer] for layer in where]


def _side(fields: Sequence[NDArray[np.float32]], rows: int = 1) -> NDArray[np.float32]:
    """The fields of some layers, (B, n) or (1, n), side by side: (1, n) where all are, unless `rows` are wanted."""
    rows = max(rows, *(len(field) for field in fields))
    return _joined([np.broadcast_to(field, (rows, field.shape[1])) for field in fields])


def _joined(arrays: list[NDArray[_Scalar]]) -> NDArray[_Scalar]:
    """Side by side along the last axis, in C order, which concatenate alone does not promise."""
    return np.ascontiguousarray(np.concatenate(arrays, axis=-1))


def fields_of_spins(
    spins: Spins, couplings: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """b + s J for (R, m) spins and (m, n) couplings: (R, n).

    The order of the sum in `spins @ couplings` depends on how many rows there are, on BLAS and on the processor, and so
    do its last bits; the kernel's does not.
    """
    return kernels.spin_fields(np.ascontiguousarray(spins), couplings, bias)
