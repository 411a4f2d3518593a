"""Figs. 2 and 3: the numbers are those of the states, the files are whole, and the words follow from the numbers."""

import csv
import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

import isingprop as ip
from isingprop.analysis.landscape import embed, hamming_distances, spreads
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.zhang2025 import fig2, fig2_findings, fig3
from isingprop.paper.zhang2025.landscape_plot import (
    COLOUR_OF,
    aligned,
    limits,
    scatter,
    write_classes,
)
from isingprop.paper.zhang2025.moments import (
    Course,
    Map,
    Sampling,
    Statistics,
    class_means,
    states_of,
)
from tolerances import same_bits

MOMENTS = (0.0, 0.1, 1.0, 3.0)
# Digits after three epochs of 300 images at Fig. 2's rate, over eight seeds: accuracy 0.74 to 0.81; order rises by 0.19
# to 0.32, and the silhouette by 0.55 or more.
TRAINED, ORDERED, APART = 0.7, 0.12, 0.4


class InProcess:
    """A runner without processes or files."""

    def run(self, jobs, images, description):
        assert description
        return [job.run(images) for job in jobs]


def setup_in(folder, *, num_seeds=2, seed=0):
    return Setup("digits", None, num_seeds, seed, True, folder)


@pytest.fixture(scope="module")
def images():
    return ip.load_data("digits", num_train=300)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Both figures in quick mode: the folder and what they returned."""
    folder = tmp_path_factory.mktemp("figures")
    setup = setup_in(folder)
    return folder, fig2.reproduce(setup, InProcess()), fig3.reproduce(setup, InProcess())


def rows_of(folder, name):
    with (folder / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_training_to_a_moment_meets_each_image_once_an_epoch(images, monkeypatch):
    met, streams = [], []
    before = ip.Trainer.train_epoch

    def noted(self, pixels, labels):
        met.append(pixels)
        streams.append((self.seed, len(self.history)))
        return before(self, pixels, labels)

    monkeypatch.setattr(ip.Trainer, "train_epoch", noted)
    list(Course(0, 0.001, (0.0, 0.01, 0.5, 1.0, 2.0, 4.0)).networks(images))
    assert [len(pixels) for pixels in met] == [3, 147, 150, 300, 300, 300]
    assert len(set(streams)) == len(streams)  # no two parts draw the same random numbers
    first = np.concatenate(met[:3])
    assert not np.array_equal(first, images.train_images)
    assert sorted(row.tobytes() for row in first) == sorted(
        row.tobytes() for row in images.train_images
    )


def parameters(course, images):
    for network in course.networks(images):
        last = network
    return np.concatenate([array.ravel() for array in last.parameters().values()])


def test_a_moment_is_the_same_whichever_come_later_and_differs_between_seeds(images):
    short, whole = Course(1, 0.001, (0.1, 1.0)), Course(1, 0.001, (0.1, 1.0, 2.0))
    at_one = [
        np.concatenate([array.ravel() for array in network.parameters().values()])
        for network in whole.networks(images)
    ]
    assert same_bits(parameters(short, images), at_one[1])
    assert not np.array_equal(at_one[1], at_one[2])
    assert not np.array_equal(parameters(replace(short, seed=2), images), at_one[1])


def test_untrained_is_the_network_that_other_figures_start_from(images):
    start = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=120, num_classes=10, seed=4)
    wanted = np.concatenate([array.ravel() for array in start.parameters().values()])
    assert same_bits(parameters(Course(4, 0.001, (0.0,)), images), wanted)


def test_statistics_are_those_of_the_states_drawn(images):
    course, sampling = Course(0, fig2.LEARNING_RATE, MOMENTS), Sampling(20, 10)
    found = Statistics(course, sampling).run(images)
    for network in course.networks(images):
        last = network
    rows = sampling.rows(images)
    assert np.bincount(images.test_labels[rows]).tolist() == [2] * 10
    spins, classes = states_of(last, images.test_images[rows], 10, seed=0)
    flat, labels = spins.reshape(-1, 160), images.test_labels[rows]
    owner, label = np.repeat(np.arange(20), 10), np.repeat(labels, 10)
    apart = hamming_distances(flat, flat).astype(np.float64)
    one, kin = owner[:, None] == owner, label[:, None] == label
    kinds = [one & ~np.eye(200, dtype=bool), kin & ~one, ~kin]
    np.testing.assert_allclose(
        found["distances"][-1], [apart[kind].mean() for kind in kinds], rtol=1e-12
    )
    known = classes.ravel() >= 0
    wanted = silhouette_samples(
        apart[known][:, known], classes.ravel()[known], metric="precomputed"
    )
    np.testing.assert_allclose(found["silhouette"][-1, -1], wanted.mean(), rtol=1e-10)
    of_three = wanted[classes.ravel()[known] == 3].mean()
    np.testing.assert_allclose(found["silhouette"][-1, 3], of_three, rtol=1e-10)
    assert found["unclassified"][-1] == pytest.approx(1 - known.mean())
    assert found["reads_right"][-1] == pytest.approx((classes == labels[:, None]).mean())
    assert found["distinct"][-1] == len({state.tobytes() for state in flat})
    predicted = ip.predict(last, ip.Annealing(30), images.test_images, seed=0)
    assert found["accuracy"][-1] == (predicted == images.test_labels).mean()
    assert found["accuracy_images"][-1] == (predicted[rows] == labels).mean()


def test_a_map_shows_the_states_of_its_moment(images):
    course, sampling = Course(0, fig2.LEARNING_RATE, (0.0, 1.0)), Sampling(20, 10)
    found = Map(course, sampling, 60).run(images)
    for network in course.networks(images):
        last = network
    spins, classes = states_of(last, images.test_images[found["images"]], 10, seed=0)
    wanted = embed(spins.reshape(-1, 160), num_landmarks=60, seed=0)
    assert same_bits(found["points"], wanted.points.reshape(20, 10, 2))
    np.testing.assert_array_equal(found["classes"], classes)
    np.testing.assert_array_equal(found["labels"], images.test_labels[found["images"]])
    assert found["stress"].item() == wanted.stress


def test_class_means_have_no_value_for_a_class_without_states():
    means = class_means(lambda values, _: values, np.array([1.0, 2.0, 6.0]), np.array([0, 2, 2]), 4)
    np.testing.assert_array_equal(means, [1, np.nan, 4, np.nan, 3])
    assert np.isnan(class_means(lambda values, _: values, np.zeros(0), np.zeros(0, int), 2)).all()


def test_aligned_maps_keep_all_distances_and_undo_a_turn_and_a_mirror():
    random = np.random.default_rng(0)
    first = random.normal(size=(6, 4, 2))
    turn = np.array([[np.cos(2), np.sin(2)], [np.sin(2), -np.cos(2)]])
    turned, last = aligned([first @ turn, first])
    np.testing.assert_allclose(turned, first, atol=1e-12)
    assert last is first


def test_limits_hold_every_point_with_room_beside_and_are_square():
    points = [np.array([[[0.0, 0.0], [10.0, 2.0]]]), np.array([[[-10.0, 1.0]]])]
    low, high = limits(points)
    assert (high - low).tolist() == pytest.approx([21.6, 21.6])
    assert ((low + high) / 2).tolist() == pytest.approx([0, 1])
    low, high = limits([np.zeros((1, 3, 2))])
    assert (high > low).all()


def test_equal_states_are_one_dot_and_grey_lies_behind():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    points = np.array([[0.0, 0], [0, 0], [0, 0], [0, 0], [1, 1], [2, 2]])
    scatter(axes, points, np.array([3, 3, 3, 3, -1, 9]), area=2.0)
    [dots] = axes.collections
    assert dots.get_offsets().tolist() == [[1, 1], [0, 0], [2, 2]]
    assert dots.get_sizes().tolist() == [2, 4, 2]
    from matplotlib.colors import to_hex

    assert [to_hex(colour).upper() for colour in dots.get_facecolors()] == [
        COLOUR_OF[c] for c in (-1, 3, 9)
    ]


def test_digits_are_written_for_the_classes_there_are():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.set(xlim=(-5, 5), ylim=(-5, 5))
    write_classes(axes, np.array([[-1.0, 0], [1, 0], [0, 2]]), np.array([0, 4, -1]), 10)
    assert {text.get_text(): text.get_position() for text in axes.texts} == {
        "0": pytest.approx((-1.8, 0)),
        "4": pytest.approx((1.8, 0)),
    }
    write_classes(axes, np.zeros((2, 2)), np.array([-1, -1]), 10)
    assert len(axes.texts) == 2


def test_ten_classes_have_colours_of_their_own():
    assert len({COLOUR_OF[c] for c in range(-1, 10)}) == 11


class ToldError(Exception):
    """Ends a figure as soon as its jobs are known."""


@pytest.mark.parametrize("figure", [fig2, fig3])
@pytest.mark.parametrize("num_seeds", [1, 3])
@pytest.mark.parametrize("quick", [True, False])
def test_numbers_of_jobs_are_kept_and_jobs_are_independent_json(figure, num_seeds, quick, tmp_path):
    class Counting:
        def run(self, jobs, images, description):
            assert len({json.dumps(asdict(job)) + type(job).__name__ for job in jobs}) == len(jobs)
            raise ToldError(len(jobs))

    setup = replace(setup_in(tmp_path, num_seeds=num_seeds), quick=quick)
    with pytest.raises(ToldError) as told:
        figure.reproduce(setup, Counting())
    assert told.value.args == (figure.number_of_jobs(setup),)


def test_files_are_whole_and_json_is_what_was_returned(done):
    folder, *returned = done
    for name, numbers in zip(("fig2", "fig3"), returned, strict=True):
        assert (
            json.loads((folder / f"{name}.json").read_text(), parse_constant=pytest.fail) == numbers
        )
        note, empty, title = (folder / f"{name}.md").read_text().splitlines()[:3]
        assert note.startswith("*A quick run on digits")
        assert (empty, title[:7]) == ("", "# Fig. ")
    for name in ("fig2", "fig2_order", "fig3"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert ET.fromstring((folder / f"{name}.svg").read_text()).tag.endswith("svg")
        assert (folder / f"{name}.svg").stat().st_size < 2_000_000


def test_again_with_the_same_seed_gives_the_same_bytes(done, tmp_path):
    folder, *_ = done
    setup = setup_in(tmp_path)
    fig2.reproduce(setup, InProcess())
    fig3.reproduce(setup, InProcess())
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 15
    for name in names:
        if not name.endswith(".json"):  # which has the seconds
            assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


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


def test_points_of_fig2_are_all_states(done):
    folder, numbers, _ = done
    rows = rows_of(folder, "fig2_points")
    assert len(rows) == len(numbers["epochs"]) * 30 * 20
    assert {row["class"] for row in rows} == {str(c) for c in range(-1, 10)}
    assert {(row["image"], row["read"]) for row in rows[:600]} == {
        (row["image"], row["read"]) for row in rows[-600:]
    }


def test_digits_are_learned_and_their_states_come_to_order(done):
    _, numbers, one_digit = done
    assert numbers["accuracy"][-1]["mean"] > TRAINED
    assert numbers["order"][-1]["mean"] > numbers["order"][0]["mean"] + ORDERED
    assert numbers["silhouette"][-1]["mean"] > numbers["silhouette"][0]["mean"] + APART
    assert one_digit["distance"][1]["mean"] < one_digit["distance"][0]["mean"]
    assert one_digit["right"][1]["mean"] > one_digit["right"][0]["mean"]


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


def test_two_classes_one_seed_and_images_that_are_no_squares(images, tmp_path, monkeypatch):
    monkeypatch.setattr(Setup, "load_data", lambda self: with_classes(images, 2, 60))
    setup = setup_in(tmp_path, num_seeds=1)
    numbers = fig2.reproduce(setup, InProcess())
    assert len(numbers["class_silhouettes"]) == 2
    assert fig3.reproduce(setup, InProcess())["digit"] == 1
    assert all(
        each["low"] is None and each["mean"] is not None for each in numbers["accuracy"]
    )  # of one seed
    assert "there is no interval to say" in (tmp_path / "fig2.md").read_text()


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
