"""Maps of low-energy states, and the distances and overlaps that a map cannot show; takes spins of any network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.util.checks import Doubles, Spins, check_shape, seed_number, spin_array, whole_number

PAIRS = ("same_image", "same_class", "other_class")  # the rows of overlap_counts

_BLOCK = 500  # states whose distances to all others are held at once: 40 MB for 10,000 others
_MOST_STEPS = 300  # of majorisation, as in scikit-learn
_SMACOF_EPS = 1e-6  # scikit-learn's default since 1.7; stress then has three good digits
_MOVED = 0.01  # spins; a placed state that moves by less in a step has arrived


@dataclass(frozen=True, eq=False)
class Landscape:
    """States as points of the plane: what `embed` returns."""

    points: Doubles  #: (n, 2), in spins: distances of points stand for Hamming distances
    stress: float  #: Kruskal's stress-1 over all pairs of the n states; 0 for a true map
    num_distinct: int  #: states that differ from each other
    num_landmarks: int  #: of them, those that SMACOF placed


def embed(spins: ArrayLike, *, num_landmarks: int = 2000, seed: int | None = 0) -> Landscape:
    """Maps states to the plane so that distances of points are near Hamming distances (metric MDS).

        stress-1 = sqrt(sum_{i<j} (|x_i - x_j| - d_ij)^2 / sum_{i<j} d_ij^2),   d_ij = number of spins that differ

    Equal states share a point, and each distinct state counts once where points are placed, however often it was
    found: so a state that all reads fell into does not flatten the rest. At most num_landmarks random distinct states
    are placed together by SMACOF, from their two principal components; each other state then by the same
    majorisation step with the landmarks held fixed,

        x <- mean_j [y_j + d_j (x - y_j) / |x - y_j|],

    which never raises its own stress. The stress that is returned is over all pairs of the n states, repeated ones
    with their weight.

    Args:
        spins: (n, N), -1 or +1.
        num_landmarks: at least 1. Time grows as its square times steps, plus n times it.
        seed: of the choice of landmarks; None draws one.

    Returns:
        Points centred on their mean over distinct states, with the stress. Same seed, same bits, on processors of one
        kind: sums are those of one thread of BLAS.

    Raises:
        ValueError: for another shape or a value that is not -1 or +1.

    Example:
        >>> points = embed([[1, 1, 1, 1], [1, 1, -1, -1], [1, 1, -1, -1]]).points
        >>> round(float(np.linalg.norm(points[0] - points[1])), 6)
        2.0

    References:
        de Leeuw 1977 (SMACOF); Kruskal 1964, doi:10.1007/BF02289565 (stress-1); Borg & Groenen 2005, Sections 8, 9;
        arXiv:2506.05244, Section III.
    """
    from threadpoolctl import threadpool_limits

    checked = spin_array("spins", spins, shape=(None, None))
    num_landmarks = whole_number("num_landmarks", num_landmarks, least=1)
    random = np.random.Generator(np.random.PCG64(seed_number(seed)))
    states, rows, counts = np.unique(checked, axis=0, return_inverse=True, return_counts=True)
    order = random.permutation(len(states))
    landmarks, others = order[:num_landmarks], order[num_landmarks:]
    points = np.zeros((len(states), 2))
    with threadpool_limits(1):
        points[landmarks] = _smacof(states[landmarks])
        for first in range(0, len(others), _BLOCK):
            block = others[first : first + _BLOCK]
            distances = hamming_distances(states[block], states[landmarks]).astype(np.float64)
            points[block] = _placed(distances, points[landmarks])
        points -= points.mean(axis=0)
        stress = _stress(states, counts, points)
    return Landscape(points[rows.ravel()], stress, len(states), len(landmarks))


def hamming_distances(spins: ArrayLike, others: ArrayLike) -> NDArray[np.float32]:
    """d_ij = (N - s_i . s_j) / 2, the number of spins that differ: (n, N) and (m, N) in, (n, m) out.

    Raises:
        ValueError: for another shape or a value that is not -1 or +1.

    Example:
        >>> hamming_distances([[1, 1, 1]], [[1, 1, 1], [1, -1, -1]])
        array([[0., 2.]], dtype=float32)
    """
    first = spin_array("spins", spins, shape=(None, None))
    second = spin_array("others", others, shape=(None, first.shape[1]))
    return _distances(first.astype(np.float32), second.astype(np.float32))


def overlap_counts(spins: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Counts all pairs of different reads by the number of spins in which they differ; P(q) follows from it.

        q = (1/N) sum_k s_k s'_k = 1 - 2 d / N,   P(q) = counts[kind, d] / sum_d' counts[kind, d']

    Args:
        spins: (B, R, N), -1 or +1: R reads for each of B images.
        labels: (B,) the true class of each image, integers.

    Returns:
        (3, N + 1): pairs with d = 0 ... N of two reads of one image, of reads of two images of one class, and of
        reads of images of different classes (PAIRS). Each pair counts once, and no read is paired with itself.

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
        distances = _distances(reads[first : first + num_reads], reads[first:]).astype(np.int64)
        kinds = np.where(classes[image:] == classes[image], 1, 2)
        kinds[0] = 0
        bins = distances + (num_spins + 1) * np.repeat(kinds, num_reads)
        counts += np.bincount(bins.ravel(), minlength=counts.size).reshape(counts.shape)
    counts[0, 0] -= num_images * num_reads  # each read with itself
    counts[0] //= 2  # pairs within an image were met from both sides
    return counts


def mean_distances(counts: NDArray[np.int64]) -> Doubles:
    """The mean Hamming distance in spins of the pairs in `overlap_counts`: (..., N + 1) in, (...) out; NaN for none.

    Example:
        >>> mean_distances(np.array([[0, 3, 1], [0, 0, 0]]))
        array([1.25,  nan])
    """
    totals = counts.sum(axis=-1)
    sums = counts @ np.arange(counts.shape[-1], dtype=np.float64)
    return np.asarray(np.divide(sums, totals, out=np.full(totals.shape, np.nan), where=totals > 0))


def spreads(spins: ArrayLike) -> Doubles:
    """The mean Hamming distance of two different reads of each image.

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
    sums = checked.sum(axis=1, dtype=np.int64)
    squares = np.square(sums).sum(
        axis=1
    )  # whole numbers: reads that agree have a spread of exactly 0
    return np.asarray((num_spins * num_reads**2 - squares) / (2 * num_reads * (num_reads - 1)))


def silhouettes(spins: ArrayLike, classes: ArrayLike) -> Doubles:
    """How much nearer each state is to the other states of its class than to the nearest other class.

        (b - a) / max(a, b),   a, b = mean Hamming distance to the own and to the nearest other class

    It is 1 for classes that are far-apart single states and 0 where a class does not stand out. The mean distance to a
    class follows from its mean spins, d = (N - s . m) / 2, so time grows as n and not as n^2.

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
    sums = np.stack([states[own == c].sum(axis=0) for c in range(len(sizes))])
    distances = (
        states.shape[1] * sizes - states @ sums.T
    ) / 2  # summed over each class; 0 to itself
    rows = np.arange(len(states))
    within = distances[rows, own] / np.maximum(sizes[own] - 1, 1)
    distances /= sizes
    distances[rows, own] = np.inf
    between = distances.min(axis=1)
    larger = np.maximum(within, between)
    gain = np.divide(between - within, larger, out=np.zeros_like(larger), where=larger > 0)
    return np.where(sizes[own] > 1, gain, 0.0)


def neighbour_agreement(spins: ArrayLike, classes: ArrayLike) -> Doubles:
    """The share of each read's nearest reads of other images that have its class.

    Args:
        spins: (B, R, N), -1 or +1: R reads for each of B >= 2 images.
        classes: (B, R) integers.

    Returns:
        (B, R) in [0, 1]. Of several nearest reads at the same distance each has an equal part.

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
        distances = _distances(reads[rows], reads)
        distances[:, rows] = np.inf
        nearest = distances == distances.min(axis=1, keepdims=True)
        same = nearest & (labels[rows, None] == labels)
        shares[image] = same.sum(axis=1) / nearest.sum(axis=1)
    return shares


def _smacof(states: Spins) -> Doubles:
    """The points of states that all differ, placed together: (n, 2)."""
    from sklearn.manifold import smacof

    if len(states) == 1:
        return np.zeros((1, 2))
    centred = states - states.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    start = np.zeros((len(states), 2))
    start[:, : min(2, len(sizes))] = (left * sizes)[:, :2]
    distances = hamming_distances(states, states).astype(np.float64)
    placed: Doubles = smacof(
        distances, init=start, n_init=1, max_iter=_MOST_STEPS, eps=_SMACOF_EPS
    )[0]
    return placed


def _placed(distances: Doubles, landmarks: Doubles) -> Doubles:
    """Points of (n, L) Hamming distances to fixed (L, 2) landmarks: (n, 2). Each starts at its nearest landmark."""
    points: Doubles = landmarks[distances.argmin(axis=1)]
    centre = landmarks.mean(axis=0)
    moving = np.arange(len(points))
    for _ in range(_MOST_STEPS):
        before, wanted = points[moving], distances[moving]
        lengths = _lengths(before, landmarks)
        ratios = np.divide(wanted, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        points[moving] = (
            centre + before * ratios.mean(axis=1)[:, None] - ratios @ landmarks / len(landmarks)
        )
        moving = moving[np.abs(points[moving] - before).max(axis=1) > _MOVED]
        if not len(moving):
            break
    return points


def _stress(states: Spins, counts: NDArray[np.int64], points: Doubles) -> float:
    """Kruskal's stress-1 over all pairs of states that were found `counts` times."""
    errors = squares = 0.0
    for first in range(0, len(states), _BLOCK):
        block = slice(first, first + _BLOCK)
        distances = hamming_distances(states[block], states).astype(np.float64)
        lengths = _lengths(points[block], points)
        errors += float(counts[block] @ np.square(lengths - distances) @ counts)
        squares += float(counts[block] @ np.square(distances) @ counts)
    return float(np.sqrt(errors / squares)) if squares else 0.0


def _lengths(points: Doubles, others: Doubles) -> Doubles:
    """Euclidean distances of points of the plane: (n, 2) and (m, 2) in, (n, m) out; exactly 0 for equal points."""
    offsets = points[:, :1] - others[:, 0], points[:, 1:] - others[:, 1]
    return np.asarray(np.sqrt(np.square(offsets[0]) + np.square(offsets[1])))


def _distances(spins: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hamming distances of rows; whole numbers below 2^24 are exact as float32."""
    return np.asarray((spins.shape[1] - spins @ others.T) / 2, dtype=np.float32)


def _integers(name: str, value: ArrayLike, *shape: int) -> NDArray[np.int64]:
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an array of integers, got dtype {array.dtype}")
    check_shape(name, array, shape)
    return array.astype(np.int64)
