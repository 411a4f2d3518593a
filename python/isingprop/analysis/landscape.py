"""Maps of low-energy states, and measures of the distances and overlaps that a map cannot show.

All functions take the spins of any network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.analysis.majorisation import place_states, row_distances, stress_of
from isingprop.util.checks import Doubles, check_shape, seed_number, spin_array, whole_number
from isingprop.util.short_repr import short_repr

PAIRS = ("same_image", "same_class", "other_class")  # the rows of overlap_counts


@dataclass(frozen=True, eq=False)
class Landscape:
    """A map of states as points of the plane, which `embed` returns."""

    points: Doubles  #: (n, 2), in spins: distances of points approximate Hamming distances
    stress: float  #: Kruskal's stress-1 over all pairs of the n states; 0 for an exact map
    num_distinct: int  #: the number of different states
    num_landmarks: int  #: the number of different states that SMACOF placed together

    __repr__ = short_repr


def embed(spins: ArrayLike, *, num_landmarks: int = 2000, seed: int | None = 0) -> Landscape:
    """Maps states to the plane so that distances of points approximate Hamming distances.

    This is metric multidimensional scaling, which minimises

        stress-1 = sqrt(sum_{i<j} (|x_i - x_j| - d_ij)^2 / sum_{i<j} d_ij^2),

    where d_ij is the number of spins that differ. Equal states share a point, and each distinct
    state has the same weight when points are placed, however often it was found: a state that many
    reads ended in does not flatten the rest. At most num_landmarks random distinct states are
    placed together by SMACOF, from their two principal components. Each other state is then placed
    by the same majorisation step with the landmarks y_j held fixed,

        x <- mean_j [y_j + d_j (x - y_j) / |x - y_j|],

    which never raises its own stress. The returned stress is over all pairs of the n states,
    including repeated states.

    Args:
        spins: (n, N), -1 or +1.
        num_landmarks: at least 1. Time grows as num_landmarks^2 times the number of steps, plus
            n num_landmarks.
        seed: seed of the choice of landmarks; None takes a random one.

    Returns:
        Points whose mean over distinct states is 0, with the stress. The same seed gives the same
        bits on processors of one kind, since BLAS runs in a single thread.

    Raises:
        ValueError: for another shape or a value that is not -1 or +1.

    Example:
        >>> points = embed([[1, 1, 1, 1], [1, 1, -1, -1], [1, 1, -1, -1]]).points
        >>> round(float(np.linalg.norm(points[0] - points[1])), 6)
        2.0

    References:
        de Leeuw 1977 (SMACOF); Kruskal 1964, doi:10.1007/BF02289565 (stress-1); Borg & Groenen
        2005, Sections 8, 9; arXiv:2506.05244, Section III.
    """
    from threadpoolctl import threadpool_limits

    checked = spin_array("spins", spins, shape=(None, None))
    num_landmarks = whole_number("num_landmarks", num_landmarks, least=1)
    random = np.random.Generator(np.random.PCG64(seed_number(seed)))

    states, rows, counts = np.unique(checked, axis=0, return_inverse=True, return_counts=True)
    order = random.permutation(len(states))
    landmarks, others = order[:num_landmarks], order[num_landmarks:]

    with threadpool_limits(1):
        points = place_states(states, landmarks, others)
        points -= points.mean(axis=0)
        stress = stress_of(states, counts, points)

    return Landscape(points[rows.ravel()], stress, len(states), len(landmarks))


def hamming_distances(spins: ArrayLike, others: ArrayLike) -> NDArray[np.float32]:
    """Returns the number of spins in which each pair of states differs.

        d_ij = (N - s_i . s_j) / 2

    Args:
        spins: (n, N), -1 or +1.
        others: (m, N), -1 or +1.

    Returns:
        (n, m), whole numbers.

    Raises:
        ValueError: for another shape or a value that is not -1 or +1.

    Example:
        >>> hamming_distances([[1, 1, 1]], [[1, 1, 1], [1, -1, -1]])
        array([[0., 2.]], dtype=float32)
    """
    first = spin_array("spins", spins, shape=(None, None))
    second = spin_array("others", others, shape=(None, first.shape[1]))
    return row_distances(first.astype(np.float32), second.astype(np.float32))


def overlap_counts(spins: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Counts all pairs of different reads by the number d of spins in which they differ.

    The distribution P(q) of their overlap q follows from the counts:

        q = (1/N) sum_k s_k s'_k = 1 - 2 d / N,   P(q) = counts[kind, d] / sum_d' counts[kind, d']

    Args:
        spins: (B, R, N), -1 or +1: R reads for each of B images.
        labels: (B,) the true class of each image, integers.

    Returns:
        (3, N + 1): the numbers of pairs with d = 0 ... N. The rows (PAIRS) are two reads of one
        image, reads of two images of one class, and reads of images of different classes. Each pair
        counts once, and no read is paired with itself.

    Raises:
        ValueError: for shapes that do not fit or a value that is not -1 or +1.
        TypeError: for labels that are not integers.

    Example:
        >>> overlap_counts([[[1, 1], [1, -1]], [[1, 1], [1, 1]]], labels=[3, 3])
        array([[1, 1, 0],
               [2, 2, 0],
               [0, 0, 0]])
    """
    checked = spin_array("spins", spins, shape=(None, None, None))
    classes = _integers("labels", labels, len(checked))
    num_images, num_reads, num_spins = checked.shape
    reads = checked.astype(np.float32).reshape(-1, num_spins)

    counts = np.zeros((len(PAIRS), num_spins + 1), dtype=np.int64)
    for image in range(num_images):
        first = image * num_reads
        distances = row_distances(reads[first : first + num_reads], reads[first:]).astype(np.int64)
        kinds = np.where(classes[image:] == classes[image], 1, 2)
        kinds[0] = 0  # the image itself
        bins = distances + (num_spins + 1) * np.repeat(kinds, num_reads)
        counts += np.bincount(bins.ravel(), minlength=counts.size).reshape(counts.shape)

    counts[0, 0] -= num_images * num_reads  # each read was paired with itself
    counts[0] //= 2  # pairs within an image were counted in both orders
    return counts


def mean_distances(counts: NDArray[np.int64]) -> Doubles:
    """Returns the mean Hamming distance of the pairs that `overlap_counts` counted, in spins.

    Args:
        counts: (..., N + 1), the numbers of pairs that differ in d = 0 ... N spins.

    Returns:
        (...), NaN where there is no pair.

    Example:
        >>> mean_distances(np.array([[0, 3, 1], [0, 0, 0]]))
        array([1.25,  nan])
    """
    totals = counts.sum(axis=-1)
    sums = counts @ np.arange(counts.shape[-1], dtype=np.float64)
    return np.asarray(np.divide(sums, totals, out=np.full(totals.shape, np.nan), where=totals > 0))


def spreads(spins: ArrayLike) -> Doubles:
    """Returns the mean Hamming distance of two different reads of each image.

        d = R / (R - 1) (N - sum_k m_k^2) / 2,   m_k = (1/R) sum_r s_rk

    Args:
        spins: (B, R, N), -1 or +1: R >= 2 reads for each of B images.

    Returns:
        (B,), in spins.

    Raises:
        ValueError: for another shape, one read only, or a value that is not -1 or +1.

    Example:
        >>> spreads([[[1, 1], [1, 1]], [[1, 1], [-1, -1]]])
        array([0., 2.])
    """
    checked = spin_array("spins", spins, shape=(None, None, None))
    num_reads, num_spins = checked.shape[1:]
    if num_reads == 1:
        raise ValueError("spins must be of at least 2 reads, got 1")

    # Integers make the spread of reads that agree exactly 0.
    sums = checked.sum(axis=1, dtype=np.int64)
    squares = np.square(sums).sum(axis=1)
    return np.asarray((num_spins * num_reads**2 - squares) / (2 * num_reads * (num_reads - 1)))


def silhouettes(spins: ArrayLike, classes: ArrayLike) -> Doubles:
    """Returns how much nearer each state is to its own class than to the nearest other class.

        (b - a) / max(a, b),   a, b = mean Hamming distances to the own and the nearest other class

    The silhouette is 1 where each class is a single state far from the others, and 0 where a class
    is no nearer than another one. The mean distance to a class follows from its mean spins m,
    d = (N - s . m) / 2, so time grows as n and not as n^2.

    Args:
        spins: (n, N), -1 or +1.
        classes: (n,) integers.

    Returns:
        (n,) in [-1, 1]; 0 for the only state of a class, NaN where there is only one class.

    Raises:
        ValueError: for shapes that do not fit or a value that is not -1 or +1.
        TypeError: for classes that are not integers.

    Example:
        >>> silhouettes([[1, 1, 1, 1], [1, 1, 1, -1], [-1, -1, -1, -1]], [0, 0, 5]).round(2)
        array([0.75, 0.67, 0.  ])

    References:
        Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7.
    """
    states = spin_array("spins", spins, shape=(None, None)).astype(np.float64)
    own = np.unique(_integers("classes", classes, len(states)), return_inverse=True)[1].ravel()
    sizes = np.bincount(own)
    if len(sizes) == 1:
        return np.full(len(states), np.nan)

    # The distances of each state, summed over each class; the distance to itself adds 0.
    sums = np.stack([states[own == c].sum(axis=0) for c in range(len(sizes))])
    distances = (states.shape[1] * sizes - states @ sums.T) / 2

    rows = np.arange(len(states))
    within = distances[rows, own] / np.maximum(sizes[own] - 1, 1)
    distances /= sizes
    distances[rows, own] = np.inf
    between = distances.min(axis=1)

    larger = np.maximum(within, between)
    gain = np.divide(between - within, larger, out=np.zeros_like(larger), where=larger > 0)
    return np.where(sizes[own] > 1, gain, 0.0)


def neighbour_agreement(spins: ArrayLike, classes: ArrayLike) -> Doubles:
    """Returns the share of each read's nearest reads, of other images, that have its class.

    Args:
        spins: (B, R, N), -1 or +1: R reads for each of B >= 2 images.
        classes: (B, R) integers.

    Returns:
        (B, R) in [0, 1]. Several nearest reads at the same distance count equally.

    Raises:
        ValueError: for shapes that do not fit, one image only, or a value that is not -1 or +1.
        TypeError: for classes that are not integers.

    Example:
        >>> neighbour_agreement([[[1, 1, 1]], [[1, 1, -1]], [[1, -1, 1]]], [[0], [0], [4]])
        array([[0.5],
               [1. ],
               [0. ]])
    """
    checked = spin_array("spins", spins, shape=(None, None, None))
    if len(checked) == 1:
        raise ValueError("spins must be of at least 2 images, got 1")
    own = _integers("classes", classes, *checked.shape[:2])
    num_reads, num_spins = checked.shape[1:]
    reads, labels = checked.astype(np.float32).reshape(-1, num_spins), own.ravel()

    shares = np.empty(own.shape)
    for image in range(len(checked)):
        rows = slice(image * num_reads, (image + 1) * num_reads)
        distances = row_distances(reads[rows], reads)
        distances[:, rows] = np.inf  # the reads of the image itself do not count
        nearest = distances == distances.min(axis=1, keepdims=True)
        same = nearest & (labels[rows, None] == labels)
        shares[image] = same.sum(axis=1) / nearest.sum(axis=1)
    return shares


def _integers(name: str, value: ArrayLike, *shape: int) -> NDArray[np.int64]:
    """Returns `value` as an int64 array of this shape."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an array of integers, got dtype {array.dtype}")
    check_shape(name, array, shape)
    return array.astype(np.int64)
