"""Tests of maps: points of the plane, distances and overlaps of states."""

import itertools

import numpy as np
import pytest
from sklearn.manifold import smacof
from sklearn.metrics import silhouette_samples

from helpers.oracle import random_spins
from helpers.tolerances import same_bits
from isingprop.analysis import majorisation
from isingprop.analysis.landscape import (
    embed,
    hamming_distances,
    mean_distances,
    neighbour_agreement,
    overlap_counts,
    silhouettes,
    spreads,
)

# A hundred landmarks in place of all cost the map of 300 random states 3.0 to 3.9 % of its stress
# (eight choices).
LANDMARK_STRESS = 1.05

# Distances of a set that fits into the plane, in spins of 24: SMACOF stops while a line is still
# slightly bent.
FITS = 0.15


def slow_distance(first, second):
    return sum(a != b for a, b in zip(first.tolist(), second.tolist(), strict=True))


def slow_stress(spins, points):
    pairs = list(itertools.combinations(range(len(spins)), 2))
    wanted = np.array([slow_distance(spins[i], spins[j]) for i, j in pairs], dtype=float)
    have = np.array([np.linalg.norm(points[i] - points[j]) for i, j in pairs])
    return np.sqrt(((have - wanted) ** 2).sum() / (wanted**2).sum())


def lengths(points):
    return np.linalg.norm(points[:, None] - points, axis=2)


def flips(num_spins, *groups):
    """All up, but for the spins of a group."""
    spins = np.ones((len(groups), num_spins), dtype=np.int8)
    for state, group in zip(spins, groups, strict=True):
        state[list(group)] = -1
    return spins


def basins(num_basins, num_states, *, num_spins=60, noise=0.05, seed=0):
    centres = random_spins(num_basins, num_spins, seed=seed)
    random = np.random.default_rng([seed, 1])
    kept = np.where(random.random((num_basins, num_states, num_spins)) < noise, -1, 1)
    return (centres[:, None] * kept).astype(np.int8)


@pytest.mark.parametrize("distance", [1, 5, 30])
def test_two_states_end_at_their_hamming_distance(distance):
    spins = flips(30, [], range(distance))
    found = embed(spins)
    np.testing.assert_allclose(lengths(found.points)[0, 1], distance, rtol=1e-9)
    assert found.stress < 1e-9


def test_states_that_fit_into_the_plane_keep_their_distances():
    """Along a line, and at the corners of an equilateral triangle."""
    line = flips(24, [], range(6), range(12), range(24))
    triangle = flips(24, range(8), range(8, 16), range(16, 24))
    for spins in (line, triangle):
        found = embed(spins)
        np.testing.assert_allclose(
            lengths(found.points), hamming_distances(spins, spins), atol=FITS
        )
        assert found.stress < 0.01


def test_far_basins_stay_apart_in_the_map():
    spins = basins(3, 40, num_spins=160)
    points = embed(spins.reshape(-1, 160)).points.reshape(3, 40, 2)
    centres = points.mean(axis=1)
    widest = np.linalg.norm(points - centres[:, None], axis=2).max()
    assert min(lengths(centres)[np.triu_indices(3, 1)]) > 3 * widest


def test_stress_is_kruskals_over_all_pairs_with_repeated_states():
    spins = random_spins(12, 10)[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 3, 3, 3, 7]]
    found = embed(spins)
    assert found.num_distinct == 12
    np.testing.assert_allclose(found.stress, slow_stress(spins, found.points), rtol=1e-12)
    assert found.stress > 0.1


def test_equal_states_share_a_point_and_do_not_move_the_others():
    spins = random_spins(30, 20)
    rows = np.random.default_rng(1).integers(30, size=200)
    rows[:30] = range(30)
    once, often = embed(spins, num_landmarks=15), embed(spins[rows], num_landmarks=15)
    assert same_bits(often.points, once.points[rows])


def test_the_order_of_states_does_not_matter():
    spins, order = random_spins(80, 20), np.random.default_rng(2).permutation(80)
    assert same_bits(
        embed(spins[order], num_landmarks=30).points, embed(spins, num_landmarks=30).points[order]
    )


def test_same_seed_same_bits_and_another_seed_other_landmarks():
    spins = random_spins(80, 20)
    first, again, other = (embed(spins, num_landmarks=30, seed=seed) for seed in (5, 5, 6))
    assert same_bits(first.points, again.points)
    assert first.stress == again.stress
    assert not same_bits(first.points, other.points)


def test_landmarks_are_as_many_as_asked_for_and_no_more_than_there_are():
    spins = random_spins(80, 20)
    assert [embed(spins, num_landmarks=n).num_landmarks for n in (1, 30, 80, 1000)] == [
        1,
        30,
        80,
        80,
    ]


def test_all_states_as_landmarks_are_scikit_learns_smacof_from_principal_components():
    spins = random_spins(40, 20)
    distinct = np.unique(spins, axis=0).astype(float)
    left, sizes, _ = np.linalg.svd(distinct - distinct.mean(axis=0), full_matrices=False)
    distances = hamming_distances(distinct, distinct).astype(float)
    _, raw = smacof(distances, init=left[:, :2] * sizes[:2], n_init=1, max_iter=300, eps=1e-6)
    wanted = np.sqrt(2 * raw / (distances**2).sum())
    np.testing.assert_allclose(embed(spins).stress, wanted, rtol=1e-6)


@pytest.mark.slow
def test_few_landmarks_cost_little_stress():
    spins = random_spins(300, 40)
    full, few = embed(spins), embed(spins, num_landmarks=100)
    assert full.stress <= few.stress < LANDMARK_STRESS * full.stress


def test_placing_never_raises_the_stress_of_a_state_and_ends_where_it_cannot_fall(monkeypatch):
    states = random_spins(60, 40)
    landmarks = majorisation.place_landmarks(states[:30])
    distances = hamming_distances(states[30:], states[:30]).astype(np.float64)

    def stresses(steps):
        monkeypatch.setattr(majorisation, "_MAX_STEPS", steps)
        points = majorisation.place_others(distances, landmarks)
        return np.square(np.linalg.norm(points[:, None] - landmarks, axis=2) - distances).sum(
            axis=1
        )

    monkeypatch.setattr(majorisation, "_MAX_STEPS", 0)
    start = np.array([landmarks[row.tolist().index(min(row))] for row in distances])
    assert same_bits(majorisation.place_others(distances, landmarks), start)
    course = np.array([stresses(steps) for steps in range(40)])
    assert (np.diff(course, axis=0) <= 1e-9 * course[:-1]).all()
    assert (course[-1] < course[0]).all()

    monkeypatch.setattr(majorisation, "_MIN_MOVE", 1e-6)
    best = stresses(2000)
    points = majorisation.place_others(distances, landmarks)
    for step in ([0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]):
        aside = np.square(
            np.linalg.norm((points + step)[:, None] - landmarks, axis=2) - distances
        ).sum(axis=1)
        assert (aside > best).all()


def test_blocks_do_not_change_the_map(monkeypatch):
    spins = random_spins(80, 20)
    whole = embed(spins, num_landmarks=30)
    monkeypatch.setattr(majorisation, "_BLOCK_ROWS", 7)
    parts = embed(spins, num_landmarks=30)
    np.testing.assert_allclose(parts.points, whole.points, atol=1e-9)
    np.testing.assert_allclose(parts.stress, whole.stress, rtol=1e-12)


@pytest.mark.parametrize("num_spins", [1, 2, 9])
def test_one_state_lies_at_the_origin_without_stress(num_spins):
    found = embed(np.ones((3, num_spins), dtype=np.int8))
    assert found.points.tolist() == [[0, 0]] * 3
    assert (found.stress, found.num_distinct, found.num_landmarks) == (0.0, 1, 1)


def test_both_states_of_one_spin():
    np.testing.assert_allclose(lengths(embed([[1], [-1]]).points), [[0, 1], [1, 0]], atol=1e-12)


def test_points_are_centred_on_the_distinct_states():
    spins = random_spins(50, 20)
    points = embed(spins[np.r_[:50, [0] * 100]], num_landmarks=20).points
    np.testing.assert_allclose(points[:50].mean(axis=0), 0, atol=1e-12)


def test_hamming_distances_recounted():
    first, second = random_spins(7, 33), random_spins(5, 33, seed=1)
    wanted = [[slow_distance(a, b) for b in second] for a in first]
    assert hamming_distances(first, second).tolist() == wanted


def slow_counts(spins, labels):
    counts = np.zeros((3, spins.shape[2] + 1), dtype=int)
    reads = [(image, read) for image in range(len(spins)) for read in range(spins.shape[1])]
    for (i, r), (j, s) in itertools.combinations(reads, 2):
        kind = 0 if i == j else 1 if labels[i] == labels[j] else 2
        counts[kind, slow_distance(spins[i, r], spins[j, s])] += 1
    return counts


@pytest.mark.parametrize(
    "labels", [[0, 1, 0, 2, 1], [4, 4, 4, 4, 4], [0, 1, 2, 3, 4], [-1, 7, -1, 7, 0]]
)
def test_overlap_counts_recounted_pair_by_pair(labels):
    spins = random_spins(5, 6, 9)
    np.testing.assert_array_equal(overlap_counts(spins, labels), slow_counts(spins, labels))


def test_every_pair_counts_once():
    counts = overlap_counts(random_spins(4, 10, 12), [0, 1, 1, 0])
    assert counts.sum(axis=1).tolist() == [4 * 45, 2 * 100, 4 * 100]
    assert overlap_counts(random_spins(4, 1, 12), [0, 1, 1, 0])[0].sum() == 0


def test_mean_distances_and_spreads_are_those_of_the_pairs():
    spins, labels = basins(4, 8), np.array([0, 0, 1, 1])
    counts = overlap_counts(spins, labels)
    within = [
        np.mean([slow_distance(a, b) for a, b in itertools.combinations(reads, 2)])
        for reads in spins
    ]
    other = [
        slow_distance(a, b)
        for i, j in ((0, 2), (0, 3), (1, 2), (1, 3))
        for a in spins[i]
        for b in spins[j]
    ]
    np.testing.assert_allclose(spreads(spins), within, rtol=1e-14)
    np.testing.assert_allclose(
        mean_distances(counts)[[0, 2]], [np.mean(within), np.mean(other)], rtol=1e-14
    )
    assert np.isnan(mean_distances(overlap_counts(spins, [0, 1, 2, 3]))).tolist() == [
        False,
        True,
        False,
    ]


def test_reads_that_agree_have_a_spread_of_exactly_zero():
    assert spreads(np.repeat(random_spins(5, 1, 161), 7, axis=1)).tolist() == [0.0] * 5


@pytest.mark.parametrize("classes", [[0] * 10 + [1] * 12 + [5] * 18, list(range(3)) * 13 + [2]])
def test_silhouettes_are_scikit_learns(classes):
    spins = random_spins(40, 25)
    distances = hamming_distances(spins, spins).astype(np.float64)
    wanted = silhouette_samples(distances, classes, metric="precomputed")
    np.testing.assert_allclose(silhouettes(spins, classes), wanted, rtol=1e-12)


def test_silhouettes_of_lone_states_equal_states_and_one_class():
    spins = flips(6, [], [], range(6), range(6), [0])
    assert silhouettes(spins, [0, 0, 1, 1, 2]).tolist() == [1, 1, 1, 1, 0]
    assert silhouettes(flips(6, [], []), [3, 4]).tolist() == [0, 0]
    assert silhouettes(np.ones((4, 3)), [0, 0, 1, 1]).tolist() == [0, 0, 0, 0]
    assert np.isnan(silhouettes(spins, [2] * 5)).all()


def test_neighbour_agreement_recounted():
    spins = random_spins(6, 4, 5)
    classes = np.random.default_rng(3).integers(-1, 2, size=(6, 4))
    wanted = np.empty((6, 4))
    for i, r in np.ndindex(6, 4):
        others = [
            (slow_distance(spins[i, r], spins[j, s]), classes[j, s])
            for j, s in np.ndindex(6, 4)
            if j != i
        ]
        nearest = [c for distance, c in others if distance == min(others)[0]]
        wanted[i, r] = nearest.count(classes[i, r]) / len(nearest)
    np.testing.assert_array_equal(neighbour_agreement(spins, classes), wanted)
    assert 0 < wanted.mean() < 1


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: embed([1, 1]), "ValueError: spins must have shape (n, n), got (2,)"),
        (lambda: embed(np.ones((0, 3))), "ValueError: spins must have shape (n, n), got (0, 3)"),
        (lambda: embed([[1, 0]]), "ValueError: spins must be -1 or +1, got 0 at index (0, 1)"),
        (
            lambda: embed([[1]], num_landmarks=0),
            "ValueError: num_landmarks must be at least 1, got 0",
        ),
        (
            lambda: embed([[1]], num_landmarks=2.0),
            "TypeError: num_landmarks must be an integer, got 2.0",
        ),
        (lambda: embed([[1]], seed=-1), "ValueError: seed must be at least 0, got -1"),
        (
            lambda: hamming_distances([[1, 1]], [[1]]),
            "ValueError: others must have shape (n, 2), got (1, 1)",
        ),
        (
            lambda: overlap_counts([[1]], [0]),
            "ValueError: spins must have shape (n, n, n), got (1, 1)",
        ),
        (
            lambda: overlap_counts([[[1]]], [0, 1]),
            "ValueError: labels must have shape (1,), got (2,)",
        ),
        (
            lambda: overlap_counts([[[1]]], [0.0]),
            "TypeError: labels must be an array of integers, got dtype float64",
        ),
        (lambda: silhouettes([[1]], [[0]]), "ValueError: classes must have shape (1,), got (1, 1)"),
        (
            lambda: silhouettes([[1]], ["a"]),
            "TypeError: classes must be an array of integers, got dtype <U1",
        ),
        (
            lambda: neighbour_agreement([[[1]]], [[0]]),
            "ValueError: spins must be of at least 2 images, got 1",
        ),
        (
            lambda: neighbour_agreement([[[1]]] * 2, [0]),
            "ValueError: classes must have shape (2, 1), got (1,)",
        ),
        (lambda: spreads([[[1]]]), "ValueError: spins must be of at least 2 reads, got 1"),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
