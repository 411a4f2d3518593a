"""Figs. 2 and 3: moments of training, maps, and whole files."""

import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

import isingprop as ip
from helpers.paper.landscapes import InProcess, setup_in
from helpers.tolerances import same_bits
from isingprop.analysis.landscape import embed, hamming_distances
from isingprop.paper.zhang2025 import fig2, fig3
from isingprop.paper.zhang2025.fig2_plot import plot_maps, plot_order
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

MOMENTS = (0.0, 0.1, 1.0, 3.0)


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


@pytest.mark.slow
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


def panel():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.set(xlim=(-5, 5), ylim=(-5, 5))
    return axes


def test_digits_are_written_for_the_classes_there_are():
    axes = panel()
    write_classes(axes, np.array([[-1.0, 0], [1, 0], [0, 2]]), np.array([0, 4, -1]), 10)
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert set(places) == {"0", "4"}
    assert places["0"][0] < -1
    assert places["4"][0] > 1
    write_classes(axes, np.zeros((2, 2)), np.array([-1, -1]), 10)
    assert len(axes.texts) == 2


@pytest.mark.parametrize("seed", range(5))
def test_a_digit_is_nearer_to_its_own_basin_than_to_others(seed):
    """Ten basins close to each other, with some states that are anywhere."""
    random = np.random.default_rng(seed)
    grid = np.array([(x, y) for y in (-1.2, 0, 1.2) for x in (-1.8, -0.6, 0.6, 1.8)])[:10]
    classes = np.repeat(np.arange(10), 40)
    points = grid[classes] + 0.12 * random.standard_normal((400, 2))
    points[::10] = random.uniform(-4, 4, (40, 2))
    axes = panel()
    write_classes(axes, points, classes, 10)

    assert len(axes.texts) == 10
    for text in axes.texts:
        away = np.hypot(*(np.array(text.get_position()) - points).T)
        own = classes == int(text.get_text())
        assert away[own].min() < away[~own].min()
        assert 0.2 < np.hypot(*(np.array(text.get_position()) - grid[int(text.get_text())])) < 1


def test_all_maps_have_one_scale_and_bars_of_order_are_possible():
    """Student's interval of two seeds is far wider than what an accuracy may be."""
    moments = (0.0, 0.1, 0.3, 1.0, 3.0)
    random = np.random.default_rng(0)
    maps = [{"classes": random.integers(-1, 10, (4, 5)), "labels": np.arange(4)} for _ in moments]
    points = [random.standard_normal((4, 5, 2)) * (1 + k) for k in range(5)]
    fractions = np.array([[0.02, 0.1, 0.5, 0.9, 0.97], [0.06, 0.4, 0.8, 0.98, 0.99]])
    stacked = {
        "accuracy": fractions,
        "accuracy_images": fractions,
        "unclassified": 1 - fractions,
        "distances": 40 * fractions[..., None] * [0.1, 0.5, 1.0],
        "counts": random.integers(0, 9, (2, 5, 3, 21)),
    }
    panels = plot_maps(moments, stacked, maps, points, 10).axes[:5]
    assert len({axes.get_xlim() + axes.get_ylim() for axes in panels}) == 1

    distances, fraction, *_ = plot_order(moments, stacked).axes
    for axes, most in ((distances, np.inf), (fraction, 1.0)):
        for container in axes.containers[:2]:
            ends = np.array(container.lines[2][0].get_segments())[:, :, 1]
            assert ends.min() >= 0
            assert ends.max() <= most
    curves = distances.containers + fraction.containers
    assert len({curve.lines[0].get_color() for curve in curves}) == len(curves) == 6


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


@pytest.mark.slow
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


@pytest.mark.slow
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
