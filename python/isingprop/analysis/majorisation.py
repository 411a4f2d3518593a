"""Multidimensional scaling of states in the plane by majorisation (SMACOF)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Doubles, Spins

_BLOCK_ROWS = 500  # states whose distances to all others are held at once: 40 MB for 10,000 others

_MAX_STEPS = 300  # scikit-learn's default
_SMACOF_EPS = 1e-6  # scikit-learn's default since 1.7; the stress then has three good digits
_MIN_MOVE = 0.01  # spins; a point that moves by less in a step has converged


def place_states(states: Spins, landmarks: NDArray[np.int64], others: NDArray[np.int64]) -> Doubles:
    """Places the landmarks together, and then each other state with the landmarks held fixed.

    Args:
        states: (n, N), which all differ.
        landmarks: (L,), rows of the states that are placed together.
        others: (n - L,), the other rows.

    Returns:
        (n, 2), points.
    """
    points = np.zeros((len(states), 2))
    points[landmarks] = place_landmarks(states[landmarks])

    for first in range(0, len(others), _BLOCK_ROWS):
        block = others[first : first + _BLOCK_ROWS]
        distances = _spin_distances(states[block], states[landmarks])
        points[block] = place_others(distances, points[landmarks])

    return points


def place_landmarks(states: Spins) -> Doubles:
    """Places states that all differ, (n, N), together by SMACOF; returns their points, (n, 2).

    The start is the projection on the first two principal components.
    """
    from sklearn.manifold import smacof

    if len(states) == 1:
        return np.zeros((1, 2))

    centred = states - states.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    start = np.zeros((len(states), 2))
    start[:, : min(2, len(sizes))] = (left * sizes)[:, :2]

    distances = _spin_distances(states, states)
    placed: Doubles = smacof(distances, init=start, n_init=1, max_iter=_MAX_STEPS, eps=_SMACOF_EPS)[
        0
    ]
    return placed


def place_others(distances: Doubles, landmarks: Doubles) -> Doubles:
    """Places states by their Hamming distances to landmarks, which stay where they are.

    Each point starts at its nearest landmark and moves until it has converged.

    Args:
        distances: (n, L), in spins.
        landmarks: (L, 2), points.

    Returns:
        (n, 2), points.
    """
    points: Doubles = landmarks[distances.argmin(axis=1)]
    centre = landmarks.mean(axis=0)

    moving = np.arange(len(points))
    for _ in range(_MAX_STEPS):
        before, wanted = points[moving], distances[moving]
        lengths = _lengths(before, landmarks)
        ratios = np.divide(wanted, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        points[moving] = (
            centre + before * ratios.mean(axis=1)[:, None] - ratios @ landmarks / len(landmarks)
        )

        moving = moving[np.abs(points[moving] - before).max(axis=1) > _MIN_MOVE]
        if not len(moving):
            break

    return points


def stress_of(states: Spins, counts: NDArray[np.int64], points: Doubles) -> float:
    """Returns Kruskal's stress-1 of a map over all pairs of states, 0 where all are equal.

    Args:
        states: (n, N), distinct states.
        counts: (n,), how often each of them was found.
        points: (n, 2), the map.
    """
    errors = squares = 0.0
    for first in range(0, len(states), _BLOCK_ROWS):
        block = slice(first, first + _BLOCK_ROWS)
        distances = _spin_distances(states[block], states)
        lengths = _lengths(points[block], points)
        errors += float(counts[block] @ np.square(lengths - distances) @ counts)
        squares += float(counts[block] @ np.square(distances) @ counts)

    return float(np.sqrt(errors / squares)) if squares else 0.0


def row_distances(spins: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the Hamming distances of rows: (n, N) and (m, N) spins in, (n, m) out.

    They are exact, since float32 holds all whole numbers below 2^24.
    """
    return np.asarray((spins.shape[1] - spins @ others.T) / 2, dtype=np.float32)


def _spin_distances(spins: Spins, others: Spins) -> Doubles:
    """Returns the Hamming distances of rows in double precision, (n, m)."""
    return row_distances(spins.astype(np.float32), others.astype(np.float32)).astype(np.float64)


def _lengths(points: Doubles, others: Doubles) -> Doubles:
    """Returns Euclidean distances in the plane: (n, 2) and (m, 2) points in, (n, m) out.

    The distance of equal points is exactly 0.
    """
    offsets = points[:, :1] - others[:, 0], points[:, 1:] - others[:, 1]
    return np.asarray(np.sqrt(np.square(offsets[0]) + np.square(offsets[1])))
