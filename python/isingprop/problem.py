"""IsingProblem: one set of couplings and many sets of fields; the only thing that a sampler sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.util.checks import Floats, Spins, check_shape, float_array, spin_array

if TYPE_CHECKING:
    import dimod


_MOST_MARKED = 26  # output spins, as many as a state vector has


class IsingProblem:
    """B bipartite Ising problems that share their couplings.

    E_b(s, t) = sum_i h_bi s_i + sum_a g_ba t_a + sum_ia J_ia s_i t_a,   to be minimised.

    Args:
        couplings: J, (H, O).
        hidden_fields: h, (B, H).
        output_fields: g, (B, O), or (1, O) where all problems share them.
        streams: (B,) whole numbers, default 0 ... B - 1. Read r of problem b draws its random numbers from the stream
            (seed, streams[b], r). Slices keep theirs, so a batch gives the same bits whole or in parts (as long as its
            numbers are within a factor of 2^100 of each other).
        marked: (B, 2^O) or (1, 2^O) bool, by their outputs the states that an amplifying sampler is to find; bit a of
            the index is 1 where output spin a is +1. Other samplers take no notice.

    The arrays keep their precision: all float32, or all float64 as soon as one of them is.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinity.
        TypeError: for arrays that do not hold real numbers.

    Example:
        >>> problem = IsingProblem(couplings=[[-1.0]], hidden_fields=[[0.5], [0.0]], output_fields=[[0.0]])
        >>> problem.energies([[[1, 1]], [[1, -1]]])
        array([[-0.5],
               [ 1. ]])

    References:
        Zhang & Kamenev 2025, arXiv:2506.05244, Eqs. (2) and (3).
    """

    __slots__ = ("couplings", "hidden_fields", "marked", "output_fields", "streams")

    couplings: Floats
    hidden_fields: Floats
    output_fields: Floats
    streams: NDArray[np.uint64]
    marked: NDArray[np.bool_] | None

    def __init__(
        self,
        couplings: ArrayLike,
        hidden_fields: ArrayLike,
        output_fields: ArrayLike,
        *,
        streams: ArrayLike | None = None,
        marked: ArrayLike | None = None,
    ) -> None:
        """See the class."""
        given_couplings = float_array("couplings", couplings, shape=(None, None))
        num_hidden, num_output = given_couplings.shape
        given_hidden = float_array("hidden_fields", hidden_fields, shape=(None, num_hidden))
        rows = len(given_hidden)
        one_row = np.ndim(output_fields) == 2 and np.shape(output_fields)[0] == 1
        given_output = float_array(
            "output_fields", output_fields, shape=(1 if one_row else rows, num_output)
        )
        dtype = np.result_type(given_couplings, given_hidden, given_output)
        self.couplings = given_couplings.astype(dtype, copy=False)
        self.hidden_fields = given_hidden.astype(dtype, copy=False)
        self.output_fields = given_output.astype(dtype, copy=False)
        self.streams = stream_array(streams, rows)
        self.marked = marked_array(marked, rows, num_output)

    @classmethod
    def trusted(
        cls,
        couplings: Floats,
        hidden_fields: Floats,
        output_fields: Floats,
        streams: NDArray[np.uint64],
        marked: NDArray[np.bool_] | None = None,
    ) -> IsingProblem:
        """A problem made of arrays that fit and are of one dtype; samplers refuse NaN in it all the same."""
        problem = object.__new__(cls)
        problem.couplings = couplings
        problem.hidden_fields = hidden_fields
        problem.output_fields = output_fields
        problem.streams = streams
        problem.marked = marked
        return problem

    def __len__(self) -> int:
        """B, the number of problems."""
        return len(self.hidden_fields)

    def __getitem__(self, rows: slice) -> IsingProblem:
        """Some of the problems, each with the random stream it had."""
        if not isinstance(rows, slice):
            raise TypeError(f"an IsingProblem is indexed by slices, got {rows!r}")
        if not len(self.hidden_fields[rows]):
            raise ValueError(
                f"a slice of an IsingProblem must hold a problem, got {rows!r} of {len(self)}"
            )
        shared = len(self.output_fields) == 1
        output_fields = self.output_fields if shared else self.output_fields[rows]
        marked = self.marked if self.marked is None or len(self.marked) == 1 else self.marked[rows]
        hidden_fields, streams = self.hidden_fields[rows], self.streams[rows]
        return IsingProblem(
            self.couplings, hidden_fields, output_fields, streams=streams, marked=marked
        )

    def __repr__(self) -> str:
        """The sizes."""
        return (
            f"IsingProblem({len(self)} x {self.num_hidden} hidden + {self.num_output} output spins)"
        )

    @property
    def num_hidden(self) -> int:
        """H, the number of hidden spins."""
        return int(self.couplings.shape[0])

    @property
    def num_output(self) -> int:
        """O, the number of output spins."""
        return int(self.couplings.shape[1])

    @property
    def num_spins(self) -> int:
        """N = H + O."""
        return self.num_hidden + self.num_output

    def energies(self, spins: ArrayLike | Spins) -> NDArray[np.float64]:
        """E of given states, summed in double precision.

        Args:
            spins: (B, R, N), -1 or +1, hidden spins first.

        Returns:
            (B, R) float64, in the units of the couplings.

        Raises:
            ValueError: for another shape or a value that is not -1 or +1.
        """
        checked = spin_array("spins", spins, shape=(len(self), None, self.num_spins))
        return kernels.energies(self.couplings, self.hidden_fields, self.output_fields, checked)

    def to_bqm(self, index: int = 0) -> dimod.BinaryQuadraticModel:
        """Problem number `index` as a dimod model over variables 0 ... N - 1, hidden spins first, same energies."""
        import dimod

        if not -len(self) <= index < len(self):
            raise IndexError(f"index must be in 0 ... {len(self) - 1}, got {index}")
        shared = len(self.output_fields) == 1
        fields = np.concatenate(
            [self.hidden_fields[index], self.output_fields[0 if shared else index]]
        )
        rows, columns = np.indices(self.couplings.shape).reshape(2, -1)
        quadratic = (rows, columns + self.num_hidden, self.couplings.ravel())
        return dimod.BinaryQuadraticModel.from_numpy_vectors(fields, quadratic, 0.0, dimod.SPIN)


def all_fields(problem: IsingProblem) -> NDArray[np.float64]:
    """The fields of all spins, (B, N), found to be finite."""
    hidden = float_array("hidden_fields", problem.hidden_fields, shape=problem.hidden_fields.shape)
    output = float_array("output_fields", problem.output_fields, shape=problem.output_fields.shape)
    rows = np.broadcast_to(output, (len(hidden), problem.num_output))
    return np.concatenate([hidden, rows], axis=1, dtype=np.float64)


def largest_local_fields(problem: IsingProblem) -> NDArray[np.float64]:
    """The largest local field that any spin of a problem can have, max_k (|h_k| + sum_j |J_kj|): (B,), finite."""
    fields = np.abs(all_fields(problem))
    couplings = np.abs(
        float_array("couplings", problem.couplings, shape=problem.couplings.shape).astype(
            np.float64
        )
    )
    with np.errstate(over="ignore"):  # what is too large is refused below
        largest: NDArray[np.float64] = (
            fields + np.append(couplings.sum(axis=1), couplings.sum(axis=0))
        ).max(axis=1)
    if not np.isfinite(largest).all():
        raise ValueError(f"local fields must be finite, got sizes up to {largest.max()}")
    return largest


def marked_array(marked: ArrayLike | None, rows: int, num_output: int) -> NDArray[np.bool_] | None:
    """Returns `marked` as a (rows or 1, 2^O) array, or None."""
    if marked is None:
        return None
    array = np.asarray(marked)
    if array.dtype != np.bool_:
        raise TypeError(f"marked must be an array of booleans, got dtype {array.dtype}")
    if num_output > _MOST_MARKED:
        raise ValueError(
            f"marked must be None for more than {_MOST_MARKED} output spins, got {num_output}"
        )
    one_row = array.ndim == 2 and len(array) == 1
    check_shape("marked", array, (1 if one_row else rows, 2**num_output))
    return array


def stream_array(streams: ArrayLike | None, rows: int) -> NDArray[np.uint64]:
    """Returns the numbers of the random streams of `rows` problems: those given, or 0 ... rows - 1."""
    if streams is None:
        return np.arange(rows, dtype=np.uint64)
    array = np.asarray(streams)
    if array.dtype.kind not in "iu":
        raise TypeError(f"streams must be an array of integers, got dtype {array.dtype}")
    check_shape("streams", array, (rows,))
    if array.dtype.kind == "i" and array.min() < 0:
        raise ValueError(f"streams must not be negative, got {array.min()}")
    return np.ascontiguousarray(array, dtype=np.uint64)
