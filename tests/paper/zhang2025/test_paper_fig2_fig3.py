"""Figs. 2 and 3: the numbers are those of the states, and the words follow from the numbers."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import isingprop as ip
from helpers.paper.landscapes import InProcess, setup_in
from helpers.tolerances import same_bits
from isingprop.analysis.landscape import embed, spreads
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.zhang2025 import fig2, fig2_findings, fig3
from isingprop.paper.zhang2025.moments import (
    Course,
    states_of,
)

# Digits after three epochs of 300 images at Fig. 2's rate, over eight seeds: accuracy 0.74 to 0.81;
# order rises by 0.19 to 0.32, and the silhouette by 0.55 or more.
TRAINED, ORDERED, APART = 0.7, 0.12, 0.4


def rows_of(folder, name):
    with (folder / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_rows_of_fig2_are_the_means_in_its_json(done):
    folder, numbers, _ = done
    rows = rows_of(folder, "fig2")
    assert len(rows) == 2 * len(numbers["epochs"])
    for k, epoch in enumerate(numbers["epochs"]):
        own = [row for row in rows if float(row["epoch"]) == epoch]
        assert [row["seed"] for row in own] == ["0", "1"]
        assert [bool(row["stress"]) for row in own] == [True, False]
        for name in ("accuracy", "unclassified", "distance_same_class", "neighbours", "silhouette"):
            mean = np.mean([float(row[name]) for row in own])
            assert numbers[name][k]["mean"] == pytest.approx(mean)
            assert numbers[name][k]["low"] <= mean <= numbers[name][k]["high"]
        within, between = (
            np.array([float(row[f"distance_{kind}"]) for row in own])
            for kind in ("same_class", "other_class")
        )
        assert numbers["order"][k]["mean"] == pytest.approx((1 - within / between).mean())


@pytest.mark.slow
def test_overlaps_are_probabilities_with_the_mean_distance(done):
    folder, numbers, _ = done
    rows = rows_of(folder, "fig2_overlaps")
    for k, epoch in enumerate(numbers["epochs"]):
        for kind in ("same_image", "same_class", "other_class"):
            own = [row for row in rows if float(row["epoch"]) == epoch and row["pairs"] == kind]
            q, p = (np.array([float(row[name]) for row in own]) for name in ("q", "probability"))
            assert len(q) == 161
            assert (q[0], q[-1]) == (1, -1)
            assert p.sum() == pytest.approx(1, abs=1e-4)
            mean = numbers[f"distance_{kind}"][k]["mean"]  # the same number of pairs for each seed
            assert (p * (1 - q) / 2 * 160).sum() == pytest.approx(mean, rel=1e-3)


@pytest.mark.slow
def test_points_of_fig2_are_all_states(done):
    folder, numbers, _ = done
    rows = rows_of(folder, "fig2_points")
    assert len(rows) == len(numbers["epochs"]) * 30 * 20
    assert {row["class"] for row in rows} == {str(c) for c in range(-1, 10)}
    assert {(row["image"], row["read"]) for row in rows[:600]} == {
        (row["image"], row["read"]) for row in rows[-600:]
    }


@pytest.mark.slow
def test_digits_are_learned_and_their_states_come_to_order(done):
    _, numbers, one_digit = done
    assert numbers["accuracy"][-1]["mean"] > TRAINED
    assert numbers["order"][-1]["mean"] > numbers["order"][0]["mean"] + ORDERED
    assert numbers["silhouette"][-1]["mean"] > numbers["silhouette"][0]["mean"] + APART
    assert one_digit["distance"][1]["mean"] < one_digit["distance"][0]["mean"]
    assert one_digit["right"][1]["mean"] > one_digit["right"][0]["mean"]


@pytest.mark.slow
def test_rows_of_fig3_are_all_test_images_of_the_digit(done, images):
    folder, _, numbers = done
    rows = rows_of(folder, "fig3")
    sevens = np.flatnonzero(images.test_labels == 7).tolist()
    assert numbers["num_images"] == len(sevens)
    assert len(rows) == 2 * 2 * len(sevens)
    assert [int(row["image"]) for row in rows[: len(sevens)]] == sevens
    for k, epoch in enumerate(numbers["epochs"]):
        own = [row for row in rows if float(row["epoch"]) == epoch]
        for name in ("distance", "right", "unclassified", "num_classes"):
            assert numbers[name][k]["mean"] == pytest.approx(
                np.mean([float(row[name]) for row in own])
            )
        assert numbers["shown_distance"][k] == [float(row["distance"]) for row in own[:5]]


@pytest.mark.slow
def test_the_fraction_of_closer_images_is_recounted(done):
    folder, _, numbers = done
    rows = rows_of(folder, "fig3")
    found = {
        (row["seed"], row["image"], float(row["epoch"])): float(row["distance"]) for row in rows
    }
    poor, well = numbers["epochs"]
    pairs = [
        (distance, found[seed, image, well])
        for (seed, image, epoch), distance in found.items()
        if epoch == poor
    ]
    closer = np.mean(
        [after < before for before, after in pairs]
    )  # the same number of images for each seed
    assert numbers["fraction_closer"]["mean"] == pytest.approx(closer)


def test_one_digit_is_that_of_its_states(images):
    course = Course(0, 0.001, (0.0,))
    found = fig3.Digit(course, 7, 3, 4).run(images)
    network = next(course.networks(images))
    spins, classes = states_of(network, images.test_images[images.test_labels == 7], 4, seed=0)
    np.testing.assert_array_equal(found["distance"], [spreads(spins)])
    np.testing.assert_array_equal(found["right"], [(classes == 7).mean(axis=1)])
    np.testing.assert_array_equal(found["classes"], [classes[:3]])
    assert same_bits(found["points"][0].reshape(-1, 2), embed(spins[:3].reshape(-1, 160)).points)


def with_classes(images, num_classes, pixels):
    """Fewer classes and another number of pixels, so not a square."""
    train, test = images.train_labels < num_classes, images.test_labels < num_classes
    parts = images.train_images[train][:, :pixels], images.train_labels[train]
    return ip.ImageSet(
        "few",
        *parts,
        images.test_images[test][:40, :pixels],
        images.test_labels[test][:40],
        num_classes,
    )


def test_two_classes_one_seed_and_images_that_are_no_squares(
    images, tmp_path, undrawn, monkeypatch
):
    monkeypatch.setattr(Setup, "load_data", lambda self: with_classes(images, 2, 60))
    setup = setup_in(tmp_path, num_seeds=1)
    numbers = fig2.reproduce(setup, InProcess())
    assert len(numbers["class_silhouettes"]) == 2
    assert fig3.reproduce(setup, InProcess())["digit"] == 1
    assert all(
        each["low"] is None and each["mean"] is not None for each in numbers["accuracy"]
    )  # of one seed
    assert "there is no interval to say" in (tmp_path / "fig2.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["train", "test"])
def test_without_images_of_the_papers_digit_it_is_the_last_class_that_there_is(
    images, tmp_path, monkeypatch, part
):
    few = with_classes(images, 9, 64)
    kept = getattr(few, f"{part}_labels") < 7
    parts = {
        f"{part}_{kind}": getattr(few, f"{part}_{kind}")[kept] for kind in ("images", "labels")
    }
    few = replace(few, **parts)
    monkeypatch.setattr(Setup, "load_data", lambda self: few)
    assert fig3.reproduce(setup_in(tmp_path), InProcess())["digit"] == 6


def numbers_told(done, **changes):
    _, numbers, _ = done
    return " ".join(fig2_findings.findings({**numbers, **changes}, 30, False))


def flat(value, count, half=0.01):
    return [{"mean": value, "low": value - half, "high": value + half}] * count


@pytest.mark.slow
def test_words_of_fig2_follow_from_its_numbers(done):
    """Contradictory numbers get contradictory words."""
    _, numbers, _ = done
    count = len(numbers["epochs"])
    ordered = flat(0.1, count - 1) + flat(0.9, 1)
    assert "the intervals do not overlap" in numbers_told(done, order=ordered)
    assert (
        "the largest step of that comes between epochs 1 and 3"
        in numbers_told(done, order=ordered).lower()
    )
    disordered = numbers_told(done, order=flat(0.1, count))
    assert "the intervals overlap" in disordered
    assert "largest step of that" not in disordered
    late, early = flat(50, count - 1) + flat(5, 1), flat(50, 1) + flat(5, count - 1)
    assert "states first come together" in numbers_told(
        done, order=ordered, distance_same_image=early
    )
    assert "states first come together" not in numbers_told(
        done, order=ordered, distance_same_image=late
    )
    assert "10 of 10 output classes" in numbers_told(done, class_silhouettes=flat(0.8, 10))
    one_lost = numbers_told(done, class_silhouettes=flat(0.8, 8) + flat(0.3, 1) + flat(0.1, 1))
    assert "8 of 10 output classes" in one_lost
    assert "not so: 8 (0.30, weak), 9 (0.10)." in one_lost
    assert "are easier than the others" in numbers_told(
        done, accuracy_images=flat(0.9, count), accuracy=flat(0.8, count)
    )
    assert "are easier" not in numbers_told(
        done, accuracy_images=flat(0.8, count), accuracy=flat(0.8, count)
    )
    maps = {**numbers["map"], "stress": np.linspace(0.11, 0.19, count).tolist()}
    assert "a stress of 0.11 to 0.19 (" in numbers_told(done, map=maps)


@pytest.mark.slow
def test_words_of_fig3_follow_from_its_numbers(done):
    _, _, numbers = done

    def told(distances, right):
        changed = {
            name: [flat(value, 1)[0] for value in values]
            for name, values in (("distance", distances), ("right", right))
        }
        return " ".join(fig3._findings({**numbers, **changed}))

    assert "Of training images of the class it is for" in told([20, 5], [0.2, 0.99])
    assert "are more closely spaced" in told([20, 5], [0.2, 0.99])
    assert "is almost surely 7: it is for 99.0 %" in told([20, 5], [0.2, 0.99])
    assert "are no more closely spaced" in told([5, 5], [0.2, 0.5])
    assert "is not almost surely 7" in told([5, 5], [0.2, 0.5])
