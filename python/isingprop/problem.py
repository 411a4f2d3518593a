"""IsingProblem: one set of couplings and many sets of fields.

A problem is all that a sampler sees; it knows nothing of images, labels or training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop import kernels
from isingprop.util.checks import Floats, Spins, check_shape, float_array, spin_array

if TYPE_CHECKING:
    import dimod

_MAX_MARKED = 26  # output spins: the max number of spins of a simulated state vector


class IsingProblem:
    """B bipartite Ising problems that share their couplings.

    E_b(s, t) = sum_i h_bi s_i + sum_a g_ba t_a + sum_ia J_ia s_i t_a,   to be minimised.

    Args:
        couplings: J, (H, O).
        hidden_fields: h, (B, H).
        output_fields: g, (B, O), or (1, O) where all problems share them.
        streams: (B,) integers >= 0, default 0 ... B - 1. Read r of problem b takes its random
            numbers from the stream (seed, streams[b], r). A slice keeps the streams of its
            problems, so a batch gives the same bits whole or in parts, as long as all numbers of
            the batch are within a factor of 2^100 of each other.
        marked: (B, 2^O) or (1, 2^O) bool, the states that an amplifying sampler looks for, given
            by their output spins: bit a of the index is 1 where output spin a is +1. Other
            samplers ignore it.

    The arrays are all float32, or all float64 if any of them is float64.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinity.
        TypeError: for arrays that do not hold real numbers.

    Example:
        >>> problem = IsingProblem(
        ...     couplings=[[-1.0]], hidden_fields=[[0.5], [0.0]], output_fields=[[0.0]]
        ... )
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
        """Checks that the arrays fit together and converts them to one dtype."""
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
        """Returns a problem made of arrays that are known to fit and to have one dtype.

        Nothing is checked here; samplers still refuse NaN and infinity.
        """
        problem = object.__new__(cls)
        problem.couplings = couplings
        problem.hidden_fields = hidden_fields
        problem.output_fields = output_fields
        problem.streams = streams
        problem.marked = marked
        return problem

    def __len__(self) -> int:
        """Returns B, the number of problems."""
        return len(self.hidden_fields)

    def __getitem__(self, rows: slice) -> IsingProblem:
        """Returns a slice of the problems, each with its own random stream and marks."""
        if not isinstance(rows, slice):
            raise TypeError(f"an IsingProblem is indexed by slices, got {rows!r}")
        if not len(self.hidden_fields[rows]):
            raise ValueError(
                f"a slice of an IsingProblem must hold a problem, got {rows!r} of {len(self)}"
            )

        # Arrays of one row are shared by all problems.
        output_fields = self.output_fields
        if len(output_fields) != 1:
            output_fields = output_fields[rows]
        marked = self.marked
        if marked is not None and len(marked) != 1:
            marked = marked[rows]

        return IsingProblem(
            self.couplings,
            self.hidden_fields[rows],
            output_fields,
            streams=self.streams[rows],
            marked=marked,
        )

    def __repr__(self) -> str:
        """Returns the class name with the number of problems and of spins."""
        return (
            f"IsingProblem({len(self)} x {self.num_hidden} hidden + {self.num_output} output spins)"
        )

    @property
    def num_hidden(self) -> int:
        """The number of hidden spins, H."""
        return int(self.couplings.shape[0])

    @property
    def num_output(self) -> int:
        """The number of output spins, O."""
        return int(self.couplings.shape[1])

    @property
    def num_spins(self) -> int:
        """The number of all spins, N = H + O."""
        return self.num_hidden + self.num_output

    def energies(self, spins: ArrayLike | Spins) -> NDArray[np.float64]:
        """Returns the energies E of given states, summed in double precision.

        Args:
            spins: (B, R, N), -1 or +1, hidden spins first.

        Returns:
            (B, R) float64, in the units of the couplings.

        Raises:
            ValueError: for another shape or a value that is not -1 or +1.
        """
        checked = spin_array("spins", spins, shape=(len(self), None, self.num_spins))
        return kernels.energies(self.couplings, self.hidden_fields, self.output_fields, checked)

    def descended(self, spins: Spins, num_threads: int = 1) -> Spins:
        """Returns the states in which a zero-temperature descent from given states ends.

        All hidden spins that lower the energy by it are turned over at once, then all output spins,
        and so on, until no single flip lowers the energy. A spin without a local field stays.

        Args:
            spins: (B, R, N) int8, -1 or +1, hidden spins first.
            num_threads: threads over states; changes the speed, never the states.

        Returns:
            (B, R, N).
        """
        states, _ = kernels.descend(
            self.couplings,
            self.hidden_fields,
            self.output_fields,
            np.ascontiguousarray(spins),
            num_threads,
        )
        return states

    def to_bqm(self, index: int = 0) -> dimod.BinaryQuadraticModel:
        """Returns problem number `index` as a dimod model with the same energies.

        Its variables are 0 ... N - 1, hidden spins first.

        Raises:
            IndexError: for an index outside -B ... B - 1.
        """
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
    """Returns the fields of all spins, (B, N), and checks that they are finite."""
    hidden = float_array("hidden_fields", problem.hidden_fields, shape=problem.hidden_fields.shape)
    output = float_array("output_fields", problem.output_fields, shape=problem.output_fields.shape)
    rows = np.broadcast_to(output, (len(hidden), problem.num_output))
    return np.concatenate([hidden, rows], axis=1, dtype=np.float64)


def largest_local_fields(problem: IsingProblem) -> NDArray[np.float64]:
    """Returns the largest local field that any spin of each problem can have, (B,).

        f = max_k (|h_k| + sum_j |J_kj|)

    Raises:
        ValueError: where f is not finite.
    """
    fields = np.abs(all_fields(problem))
    couplings = np.abs(
        float_array("couplings", problem.couplings, shape=problem.couplings.shape).astype(
            np.float64
        )
    )

    with np.errstate(over="ignore"):  # an infinite sum is refused below
        largest: NDArray[np.float64] = (
            fields + np.append(couplings.sum(axis=1), couplings.sum(axis=0))
        ).max(axis=1)

    if not np.isfinite(largest).all():
        raise ValueError(f"local fields must be finite, got sizes up to {largest.max()}")
    return largest


def marked_array(marked: ArrayLike | None, rows: int, num_output: int) -> NDArray[np.bool_] | None:
    """Returns `marked` as a (rows or 1, 2^O) bool array, or None."""
    if marked is None:
        return None

    array = np.asarray(marked)
    if array.dtype != np.bool_:
        raise TypeError(f"marked must be an array of booleans, got dtype {array.dtype}")
    if num_output > _MAX_MARKED:
        raise ValueError(
            f"marked must be None for more than {_MAX_MARKED} output spins, got {num_output}"
        )

    one_row = array.ndim == 2 and len(array) == 1
    check_shape("marked", array, (1 if one_row else rows, 2**num_output))
    return array


def stream_array(streams: ArrayLike | None, rows: int) -> NDArray[np.uint64]:
    """Returns the numbers of the random streams of `rows` problems, by default 0 ... rows - 1."""
    if streams is None:
        return np.arange(rows, dtype=np.uint64)

    array = np.asarray(streams)
    if array.dtype.kind not in "iu":
        raise TypeError(f"streams must be an array of integers, got dtype {array.dtype}")
    check_shape("streams", array, (rows,))
    if array.dtype.kind == "i" and array.min() < 0:
        raise ValueError(f"streams must not be negative, got {array.min()}")
    return np.ascontiguousarray(array, dtype=np.uint64)
