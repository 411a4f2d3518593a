"""The MLP paper's tables: images, jobs, outcomes, and what their numbers, files and words say of made-up results."""

import json
import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from scipy.stats import binomtest

import isingprop as ip
from idx_files import FILES, write_folder
from isingprop.energy_model.energy_trainer import EnergyTrainer, batches
from isingprop.energy_model.model import GIBBS
from isingprop.paper.common import study_setup as papers_setup
from isingprop.paper.common.image_pairs import Backpropagation, PairImages, images_of_classes
from isingprop.paper.mlp_table import table_jobs as mlp_table_runs
from isingprop.paper.mlp_table import table_study as mlp_table
from isingprop.paper.mlp_table.table_findings import findings
from isingprop.paper.mlp_table.table_jobs import (
    GRID,
    STAND_IN,
    Search,
    Trial,
    trial_seeds,
)
from isingprop.paper.mlp_table.table_outcomes import Agreement, Outcome, Searches, Verdict
from isingprop.paper.mlp_table.table_published import COLUMNS, Pair, Published, pairs_of, published
from isingprop.paper.mlp_table.table_sources import load_sources, num_tested, pairs_in
from test_paper_figures import finding, rows_of, text_of
from test_paper_methods import MadeUp, one_thread, setup  # noqa: F401 (used by all)

DIGITS = ip.load_data("digits")
RISING = np.append(np.full(10, 0.5), np.linspace(0.6, 0.9, 10))
CONSTANT = np.full(20, 0.5)
VOLATILE = np.append(np.full(17, 0.5), [0.9, 0.5, 0.9])
PAPER = Published(accuracy=0.8, steps=8, success=0.5)
TWO_THREE = Pair("mnist", (2, 3))


@pytest.fixture(autouse=True)
def _no_data_but_what_a_test_names(monkeypatch):
    def refuse(name):
        raise ConnectionError(f"no network for {name}")

    monkeypatch.delenv("ISINGPROP_DATA", raising=False)
    monkeypatch.setattr("isingprop.data.load.download", refuse)
    mlp_table._sources.cache_clear()
    papers_setup._load.cache_clear()


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures take longer than all the rest."""
    monkeypatch.setattr(mlp_table, "plot", lambda outcomes: None)
    monkeypatch.setattr(papers_setup.Setup, "write_picture", lambda self, name, figure: None)


# The images


def folder_of(tmp_path, *names, parts=("train", "t10k"), each=12, start=0):
    """IDX files of `each` images of each class in either part, all images different."""
    count = 10 * each
    for k, name in enumerate(names):
        arrays = {}
        for number, part in enumerate(("train", "t10k")):
            numbers = start + 1000 * k + count * number + np.arange(count)
            pixels = np.stack([numbers // 256, numbers % 256], axis=1).astype(np.uint8)
            own = (
                np.repeat(pixels, 8, axis=1).reshape(count, 4, 4),
                np.arange(count, dtype=np.uint8) % 10,
            )
            if part in parts:
                arrays |= dict(zip(FILES[2 * number : 2 * number + 2], own, strict=True))
        write_folder(tmp_path / name, arrays)
    return str(tmp_path)


def numbers_of(images):
    pixels = np.rint(images[:, [0, -1]] * 255).astype(int)
    return pixels @ [256, 1]


def papers(tmp_path, **options):
    return setup(tmp_path, **{"data": "mnist", "quick": False, "data_dir": str(tmp_path)} | options)


def test_the_papers_tables_are_of_both_data_sets(tmp_path):
    folder_of(tmp_path, "mnist", "fashion-mnist")
    which = papers(tmp_path)
    sources = load_sources(which)
    assert {name: source.halved for name, source in sources.items()} == {
        "mnist": False,
        "fashion-mnist": False,
    }
    pairs = pairs_in(which, sources)
    assert [pair.title for pair in pairs[:3]] == ["2-3", "3-9", "5-7"]
    fashion = ["Pullover-Dress", "Dress-Ankle Boot", "Sandal-Sneaker", "Sandal-Shirt", "Coat-Bag"]
    assert [pair.title for pair in pairs[11:]] == fashion
    assert [pair.classes for pair in pairs[11:]] == [(2, 3), (3, 9), (5, 7), (5, 6), (4, 8)]
    assert [num_tested(sources[pair.data], pair) for pair in pairs] == 16 * [24]
    np.testing.assert_array_equal(
        numbers_of(sources["fashion-mnist"].images.test_images), 1120 + np.arange(120)
    )


def test_without_training_files_each_class_of_the_test_images_is_halved(tmp_path):
    folder_of(tmp_path, "mnist")
    folder_of(tmp_path, "fashion-mnist", parts=("t10k",), each=21)
    for which in (papers(tmp_path), papers(tmp_path, data="fashion-mnist")):
        source = load_sources(which)["fashion-mnist"]
        assert source.halved
        train, test = (
            numbers_of(images) for images in (source.images.train_images, source.images.test_images)
        )
        assert not set(train) & set(test)
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), 210 + np.arange(210))
        for digit in range(10):  # numbered in turn
            np.testing.assert_array_equal(
                train[source.images.train_labels == digit], 210 + digit + 10 * np.arange(10)
            )
            assert (source.images.test_labels == digit).sum() == 11


def test_without_fashion_the_tables_have_digits_alone(tmp_path, undrawn, capsys):
    folder_of(tmp_path, "mnist")
    numbers, _ = reproduced(papers(tmp_path))
    assert list(numbers["data"]) == ["mnist"]
    assert len(numbers["pairs"]) == 11
    assert (
        capsys.readouterr().err == "No Fashion-MNIST found: the tables have MNIST's pairs alone\n"
    )
    assert finding(
        text_of(tmp_path, "mlp-table"),
        "No Fashion-MNIST found: the tables have MNIST's pairs alone.",
    )


def test_files_in_the_folder_itself_are_not_taken_for_fashion(tmp_path, monkeypatch):
    folder_of(tmp_path, ".")
    assert list(load_sources(papers(tmp_path))) == ["mnist"]
    monkeypatch.setenv("ISINGPROP_DATA", str(tmp_path))
    assert list(load_sources(papers(tmp_path, data_dir=None))) == ["mnist"]
    assert list(load_sources(papers(tmp_path, data="fashion-mnist"))) == ["fashion-mnist"], (
        "named, so they are"
    )


def test_without_network_the_tables_have_digits_alone(tmp_path, monkeypatch):
    folder = folder_of(tmp_path, "mnist")

    def download(name):
        if name == "mnist":
            return [tmp_path / "mnist" / f"{file}.gz" for file in FILES]
        raise ConnectionError("no network")

    monkeypatch.setattr("isingprop.data.load.download", download)
    assert folder
    assert list(load_sources(papers(tmp_path, data_dir=None))) == ["mnist"]


def test_what_is_missing_is_refused_before_any_work(tmp_path):
    folder_of(tmp_path, "mnist", each=9)
    with pytest.raises(
        ValueError, match=r"^train_labels must have class 2 at least 10 times, got 9$"
    ):
        mlp_table.number_of_jobs(papers(tmp_path))
    with pytest.raises(FileNotFoundError, match="data_dir must hold train-images-idx3-ubyte"):
        mlp_table.number_of_jobs(papers(tmp_path, data="fashion-mnist"))
    folder_of(tmp_path, "fashion-mnist", parts=("t10k",), each=19)
    with pytest.raises(
        ValueError, match=r"^train_labels must have class 2 at least 10 times, got 9$"
    ):
        mlp_table.number_of_jobs(papers(tmp_path, data="fashion-mnist"))


def test_a_quick_run_is_of_three_pairs_of_its_data(tmp_path):
    folder_of(tmp_path, "mnist", "fashion-mnist")
    for name in ("digits", "mnist", "fashion-mnist"):
        folder = None if name == "digits" else str(tmp_path)
        which = setup(tmp_path, data=name, data_dir=folder)
        sources = load_sources(which)
        assert list(sources) == [name]
        assert pairs_in(which, sources) == [
            Pair(name, (2, 3)),
            Pair(name, (3, 9)),
            Pair(name, (5, 7)),
        ]


def test_the_images_of_a_pair_are_all_of_its_own():
    images = images_of_classes(DIGITS, (5, 7))
    for part in ("train", "test"):
        labels = getattr(DIGITS, f"{part}_labels")
        own = np.isin(labels, (5, 7))
        np.testing.assert_array_equal(
            getattr(images, f"{part}_images"), getattr(DIGITS, f"{part}_images")[own]
        )
        np.testing.assert_array_equal(getattr(images, f"{part}_labels"), labels[own])


def test_the_trials_of_other_seeds_are_others(tmp_path):
    assert list(trial_seeds(setup(tmp_path, num_seeds=2, seed=3, quick=False))) == [
        9,
        10,
        11,
        12,
        13,
        14,
    ]
    assert list(trial_seeds(setup(tmp_path, num_seeds=2, seed=5, quick=False))) == [
        15,
        16,
        17,
        18,
        19,
        20,
    ]
    assert list(trial_seeds(setup(tmp_path, num_seeds=2, seed=3))) == [3, 4]


# The jobs

PAIR = images_of_classes(DIGITS, (5, 7))


@pytest.fixture
def few_reads(monkeypatch):
    monkeypatch.setattr(mlp_table_runs, "NUM_READS", 10)
    monkeypatch.setattr(mlp_table_runs, "SEARCH_READS", 10)


def seen(monkeypatch, job):
    """The images, batches, weights and all options of a training."""
    found = {"batches": []}
    trainer, backpropagation = EnergyTrainer.__init__, Backpropagation.__init__

    def init(self, model, sampler=None, **options):
        found.update(options, model=model, sampler=sampler)
        trainer(self, model, sampler, **options)

    def init_baseline(self, *options):
        found["options"] = options
        backpropagation(self, *options)

    def noted(step):
        def noting(self, x, y):
            found["batches"].append((x, y))
            return step(self, x, y)

        return noting

    with monkeypatch.context() as patch:
        patch.setattr(EnergyTrainer, "__init__", init)
        patch.setattr(Backpropagation, "__init__", init_baseline)
        patch.setattr(EnergyTrainer, "step", noted(EnergyTrainer.step))
        patch.setattr(Backpropagation, "step", noted(Backpropagation.step))
        found["result"] = job.run(PAIR)
    return found


@pytest.mark.usefixtures("few_reads")
def test_the_columns_differ_in_how_they_train_alone(monkeypatch):
    found = {column: seen(monkeypatch, Trial(column, (5, 7), 8, 4, 2.5)) for column in COLUMNS}
    first = found["exact"]
    for own in found.values():
        assert len(own["batches"]) == 20
        for (x, y), (other_x, other_y) in zip(own["batches"], first["batches"], strict=True):
            np.testing.assert_array_equal(x, other_x)
            np.testing.assert_array_equal(y, other_y)
    assert found["classical-1"]["options"][:3] == (8, 0.1, 5)
    samplers = {"classical-2": GIBBS, "annealer": STAND_IN, "exact": None}
    for column, sampler in samplers.items():
        own = found[column]
        assert own["sampler"] is sampler
        assert (own["learning_rate"], own["num_reads"], own["beta_effective"]) == (0.1, 10, 2.5)
        for name, array in own["model"].parameters().items():
            np.testing.assert_array_equal(array, first["model"].parameters()[name])
    assert np.std(first["model"].input_weights) == pytest.approx(0.01, rel=0.2)


def test_a_trial_trains_on_20_images_of_its_own_and_tests_on_all(monkeypatch):
    """Each round of four batches has the same 20 images, in another order; none is in the test."""
    rounds = []
    for seed in (4, 5):
        found = seen(monkeypatch, Trial("exact", (5, 7), 8, seed))
        x = np.concatenate([x for x, _ in found["batches"]]).reshape(5, 20, 64)
        y = np.concatenate([y for _, y in found["batches"]]).reshape(5, 20)
        assert {len(batch) for batch, _ in found["batches"]} == {5}
        assert (y.sum(axis=1) == 10).all()
        images = [
            {image.tobytes(): bit for image, bit in zip(*each, strict=True)}
            for each in zip(x, y, strict=True)
        ]
        assert len(images[0]) == 20
        assert all(each == images[0] for each in images)
        assert not np.array_equal(x[0], x[1])
        labels = {
            image.tobytes(): label
            for image, label in zip(PAIR.train_images, PAIR.train_labels, strict=True)
        }
        assert all(labels[image] == (7 if bit else 5) for image, bit in images[0].items())
        assert not {image.tobytes() for image in PAIR.test_images} & set(images[0])
        rounds.append((images[0], found["seed"], found["model"].input_weights.tobytes()))
    assert all(one != other for one, other in zip(*rounds, strict=True))


@pytest.mark.usefixtures("few_reads")
@pytest.mark.parametrize("column", COLUMNS)
def test_the_result_is_the_perceptrons_accuracy_after_each_update(column):
    job = Trial(column, (5, 7), 8, 8)
    x, y = mlp_table_runs._training_images(PairImages.of(PAIR, (5, 7)), job._seed(0))
    pair, step = PairImages.of(PAIR, (5, 7)), job._step(64)
    mlps = [step(x[rows], y[rows]) for rows in islice(batches(20, 5, job._seed(3)), 20)]
    result = job.run(PAIR)
    wanted = [(mlp.predict(pair.test_x) == pair.test_y).mean() for mlp in mlps]
    assert result["test_accuracy"].tolist() == wanted
    assert len(set(wanted)) > 1
    assert result["first_logit"] == np.median(np.abs(mlps[0].logits(x)))
    again = job.run(PAIR)
    assert all(again[name].tolist() == result[name].tolist() for name in result)


@pytest.mark.usefixtures("few_reads")
def test_a_search_is_of_each_model_of_an_exact_training(monkeypatch):
    job = Search((5, 7), 8, 4)
    found = seen(monkeypatch, job)
    result = found["result"]
    assert found["sampler"] is None
    assert {name: array.shape for name, array in result.items()} == {
        "divergence": (20, 6),
        "estimate": (20, 6),
        "gibbs": (20,),
    }
    own = seen(monkeypatch, Trial("exact", (5, 7), 8, 4))
    assert not np.array_equal(found["model"].input_weights, own["model"].input_weights), (
        "a trial's seed"
    )
    x, _ = mlp_table_runs._training_images(PairImages.of(PAIR, (5, 7)), job._seed(0))
    trainer = EnergyTrainer(found["model"], learning_rate=0.1)
    model = [trainer.step(*each) for each in found["batches"]][-1]
    divergence = model.search_beta_effective(x, STAND_IN, GRID, 10, job._seed(2))
    np.testing.assert_array_equal(result["divergence"][-1], divergence)
    assert result["gibbs"][-1] == model.divergence(x, model.sample(x, GIBBS, 10, job._seed(2)))
    estimate = model.estimate_beta_effective(x, STAND_IN, 1, job._seed(2), guess=4.0)
    assert result["estimate"][-1, 2] == estimate


# The published figures


def test_the_published_figures_are_the_papers():
    """Some of each table, word for word, and the sum of each column."""
    assert published(TWO_THREE) == {
        "classical-1": (0.8277, 8, 0.5),
        "classical-2": (0.7742, 12, 0.4),
        "annealer": (0.8586, 7, 0.28),
    }
    assert published(Pair("mnist", (5, 9)))["annealer"] == (0.6740, None, 0.5)
    assert published(Pair("fashion-mnist", (4, 8)))["classical-2"] == (0.8, 15, 0.21)
    assert published(Pair("fashion-mnist", (3, 9)))["annealer"] == (0.9970, 6, 0.63)
    assert published(Pair("digits", (2, 3))) == {}
    figures = [published(pair) for name in ("mnist", "fashion-mnist") for pair in pairs_of(name)]
    sums = {}
    for column in COLUMNS[:3]:
        own = [each[column] for each in figures]
        steps = [each.steps for each in own if each.steps is not None]
        sums[column] = [
            sum(each.accuracy for each in own),
            sum(steps),
            100 * sum(each.success for each in own),
        ]
    assert sums["classical-1"] == pytest.approx([13.8852, 139, 1049])
    assert sums["classical-2"] == pytest.approx([13.4906, 152, 1044])
    assert sums["annealer"] == pytest.approx([13.7555, 97, 928])


# Outcomes


def outcome(*curves, paper=PAPER, logit=10.0):
    return Outcome(np.array(curves), np.full(len(curves), logit), paper)


def test_a_successful_trial_rises_and_stays_there():
    falling = np.append(np.full(19, 0.9), 0.59)
    late = np.append(np.full(15, 0.5), np.full(5, 0.6))
    later = np.append(np.full(16, 0.5), np.full(4, 0.9))
    own = outcome(RISING, CONSTANT, VOLATILE, falling, late, later)
    assert own.successful.tolist() == [True, False, False, False, True, False]
    assert own.successful_from(0.61).tolist() == [True, False, False, False, False, False]
    assert own.num_successful == 2
    assert own.last.tolist() == [0.9, 0.6]
    np.testing.assert_array_equal(own.curve, (RISING + late) / 2)
    np.testing.assert_allclose(own.curve_sd, np.abs(RISING - late) / math.sqrt(2))


@pytest.mark.parametrize("successes", [0, 1, 4, 9, 10])
def test_the_interval_of_the_rate_of_success_is_exact(successes):
    own = outcome(*successes * [RISING], *(10 - successes) * [CONSTANT])
    wanted = binomtest(successes, 10).proportion_ci(0.95, "exact")
    assert own.success == pytest.approx((successes / 10, wanted.low, wanted.high))
    assert own.is_success_within() == (wanted.low <= 0.5 <= wanted.high)


def test_updates_are_counted_to_the_first_above_70_percent():
    at = np.append(np.full(10, 0.5), np.full(10, 0.7))
    assert outcome(at).steps() is None
    at[15] = 0.71
    assert outcome(at).steps() == 16
    early = np.append(np.full(5, 0.9), np.full(15, 0.5))
    assert outcome(early).steps() is None, "no success"
    assert outcome(early, at).steps() == 16, "of successful trials alone"
    low, high = np.full(20, 0.65), np.full(20, 0.8)
    assert outcome(low, low, high).steps() == 1, "mean 0.7 and a little more in binary"
    assert outcome(low, low, low, high).steps() is None, "the mean, not the first to get there"


def ending(*values):
    return [np.append(np.full(19, 0.65), value) for value in values]


@pytest.mark.parametrize(
    ("accuracy", "values", "verdict"),
    [
        (0.80, (0.79, 0.80, 0.81), Verdict.WITHIN),
        (0.8199, (0.79, 0.80, 0.81), Verdict.WITHIN),
        (0.8201, (0.79, 0.80, 0.81), Verdict.OUTSIDE),
        (0.7801, (0.79, 0.80, 0.81), Verdict.WITHIN),
        (0.7799, (0.79, 0.80, 0.81), Verdict.OUTSIDE),
        (0.80, (0.79, 0.81), Verdict.NONE),
        (0.80, (0.79, 0.80, 0.5), Verdict.NONE),
        (0.80, (), Verdict.NONE),
    ],
)
def test_a_published_accuracy_is_judged_by_the_spread_of_successful_trials(
    accuracy, values, verdict
):
    own = outcome(*ending(*values), CONSTANT, paper=PAPER._replace(accuracy=accuracy))
    assert own.verdict() is verdict
    assert math.isnan(own.difference()) == (verdict is Verdict.NONE)
    assert replace(own, published=None).verdict() is Verdict.NONE


def test_a_difference_is_in_units_of_its_standard_error():
    own = outcome(*ending(0.79, 0.80, 0.81), paper=PAPER._replace(accuracy=0.78))
    assert own.difference() == pytest.approx(0.02 / (0.01 * math.sqrt(2 / 3)))
    same = outcome(*ending(0.75, 0.75, 0.75))
    assert same.difference() == -math.inf


def test_two_columns_are_held_against_each_other_trial_by_trial():
    first = [outcome(*ending(0.8, 0.9), CONSTANT, CONSTANT), outcome(*ending(0.7), CONSTANT)]
    second = [
        outcome(*ending(0.7), CONSTANT, *ending(0.9), CONSTANT),
        outcome(*ending(0.75), CONSTANT),
    ]
    found = Agreement.of(first, second)
    assert (found.both, found.first, found.second, found.neither) == (2, 1, 1, 2)
    assert found.differences.tolist() == pytest.approx([0.1, -0.05])


# Numbers, files and words


def searched(best=3, gibbs=0.001):
    divergence = np.full((20, len(GRID)), 0.1) + np.linspace(-0.01, 0.01, 20)[:, None]
    divergence[:, best] -= 0.05
    estimate = np.full((20, len(GRID)), 7.0)
    estimate[:, best] = np.append(np.full(15, 11.0), np.full(5, np.inf))
    return {"divergence": divergence, "estimate": estimate, "gibbs": np.full(20, gibbs)}


def rising_to(last):
    return np.append(np.linspace(0.5, 0.65, 15), np.linspace(0.65, last, 5))


def near_the_paper(job, name):
    """One trial of three fails; the others end at the published accuracy on average."""
    figures = published(Pair(name, job.classes))
    mean = figures[job.column].accuracy if job.column in figures else 0.8
    spread = (0.0, -0.02, 0.02)[job.seed % 3]
    return CONSTANT if job.seed % 3 == 0 else rising_to(mean + spread)


class Noting(MadeUp):
    """Tells the result which images it is of, and keeps what it was asked for."""

    def run(self, jobs, images, description):
        self.jobs += [(images.name, job) for job in jobs]
        for job in jobs:
            assert (
                set(job.classes)
                == set(images.train_labels.tolist())
                == set(images.test_labels.tolist())
            )
        return [self.result(job, images.name) for job in jobs]


def reproduced(which, curve=near_the_paper, **options):
    """A setup's numbers and the jobs that they were asked of; curve(job, name of the images) is a trial's."""

    def result(job, name):
        if isinstance(job, Search):
            return searched(**options)
        assert job.beta_effective == (
            GRID[options.get("best", 3)] if job.column == "annealer" else 1.0
        )
        return {
            "test_accuracy": curve(job, name),
            "first_logit": np.array(30.0 if job.column == "exact" else 20.0),
        }

    runner = Noting(result)
    return mlp_table.reproduce(which, runner), runner


@pytest.fixture(autouse=True)
def three_trials_per_seed(monkeypatch):
    """Of which the tests count the successes."""
    monkeypatch.setattr(mlp_table_runs, "_TRIALS_PER_SEED", 3)


@pytest.fixture
def both(tmp_path):
    folder_of(tmp_path, "mnist")
    folder_of(tmp_path, "fashion-mnist", parts=("t10k",), each=20)
    return papers(tmp_path)


@pytest.mark.parametrize("quick", [True, False])
def test_the_number_of_jobs_is_known_beforehand(tmp_path, undrawn, both, quick):
    which = setup(tmp_path) if quick else both
    _, runner = reproduced(which)
    assert (
        mlp_table.number_of_jobs(which)
        == len(runner.jobs)
        == (3 + 3 * 3 * 4 if quick else 2 * 3 + 16 * 9 * 4)
    )
    assert {job.num_hidden for _, job in runner.jobs} == {32 if quick else 548}
    assert len(set(runner.jobs)) == len(runner.jobs)
    searches = {(name, job.classes) for name, job in runner.jobs if isinstance(job, Search)}
    assert searches == (
        {("digits", (2, 3))} if quick else {("mnist", (2, 3)), ("fashion-mnist", (2, 3))}
    )
    trials = dict.fromkeys(
        Pair(name, job.classes) for name, job in runner.jobs if isinstance(job, Trial)
    )
    assert list(trials) == (
        pairs_of("digits")[:3] if quick else [*pairs_of("mnist"), *pairs_of("fashion-mnist")]
    )


def test_the_numbers_follow_from_the_results(tmp_path, both, undrawn):
    numbers, _ = reproduced(both)
    assert json.loads((tmp_path / "mlp-table.json").read_text()) == numbers
    assert numbers["data"]["fashion-mnist"] == {
        "num_train": 100,
        "num_test": 100,
        "halves_of_test_images": True,
    }
    assert (numbers["trials"], numbers["updates"], numbers["num_hidden"]) == (9, 20, 548)
    first = numbers["pairs"][0]
    assert (first["title"], first["num_test"]) == ("2-3", 24)
    own = first["columns"]["annealer"]
    assert own["published"] == {"test_accuracy": 0.8586, "steps_to_70": 7, "success": 0.28}
    assert own["successful"] == 6
    assert own["success"][0] == pytest.approx(2 / 3)
    assert own["test_accuracy"] == pytest.approx(0.8586)
    assert own["test_accuracy_sd"] == pytest.approx(0.02 * math.sqrt(6 / 5))
    assert own["test_accuracy_all"] == pytest.approx((2 * 0.8586 + 0.5) / 3)
    assert own["steps_to_70"] == 17
    assert (own["verdict"], own["difference_in_se"]) == ("within", pytest.approx(0, abs=1e-9))
    assert "published" not in first["columns"]["exact"]
    assert numbers["annealer"]["beta_effective"] == 8
    assert numbers["annealer"]["estimate"] == 11
    assert numbers["annealer"]["divergence"] == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.1, 0.1])
    files = {"csv", "json", "md"}
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        *(f"mlp-table.{kind}" for kind in files),
        "mlp-table-curves.csv",
    }


def test_a_row_is_a_trial_and_the_curves_are_beside_it(tmp_path, both, undrawn):
    numbers, _ = reproduced(both)
    rows, curves = rows_of(tmp_path / "mlp-table.csv"), rows_of(tmp_path / "mlp-table-curves.csv")
    assert (len(rows), len(curves)) == (16 * 4 * 9, 16 * 4 * 9 * 20)
    keys = ("data", "pair", "column", "trial")
    courses = {}
    for row in curves:
        courses.setdefault(tuple(row[key] for key in keys), []).append(float(row["test_accuracy"]))
    for row in rows:
        course = courses[tuple(row[key] for key in keys)]
        assert float(row["test_accuracy"]) == course[-1]
        assert row["successful"] == str(int(min(course[-5:]) >= 0.6))
        above = [k + 1 for k, accuracy in enumerate(course) if accuracy > 0.7]
        assert row["first_above_70"] == (str(above[0]) if above else "")
    for pair in numbers["pairs"]:
        for column, own in pair["columns"].items():
            some = [
                row
                for row in rows
                if (row["data"], row["pair"], row["column"])
                == (pair["data"], pair["title"], column)
            ]
            assert sum(int(row["successful"]) for row in some) == own["successful"]
            assert np.mean([float(row["test_accuracy"]) for row in some]) == pytest.approx(
                own["test_accuracy_all"]
            )


def test_all_published_accuracies_within(tmp_path, both, undrawn):
    reproduced(both)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "Accuracy: ")
    assert line.endswith(
        "of 48 published figures 48 are within 2 standard deviations of ours, 0 are outside, and 0 have no verdict. "
        "16 of 16 pairs have none outside."
    )
    for beginning in ("Outside: ", "Fewer than "):
        assert f"- {beginning}" not in text
    assert "0 of 48 means differ" in finding(text, "A second look: ")
    assert finding(text, "Fashion-MNIST's training files are missing: ")
    assert (
        "| mnist | 2-3 | 82.8 ± 2.2 (6) | *82.8* | 77.4 ± 2.2 (6) | *77.4* | 85.9 ± 2.2 (6) | *85.9* | 80.0"
        in text
    )
    assert "| mnist | 5-9 | 18 | *11* | >20 | *>20* | >20 | *>20* | 18 |" in text
    assert "| mnist | 2-3 | 67 [30, 93] | *50* |" in text
    line = finding(text, "70 % is reached within ")
    assert line.endswith("in the paper, but not here: 8-9, Classical-2."), (
        "which is published to end at 66 %"
    )
    assert text.count("(!)") == text.count("(?)") == 1, "the legend"
    assert "*A quick run" not in text


def one_apart(pair, column, other):
    """As near_the_paper, with another result in one place."""

    def curve(job, name):
        return (
            other(job)
            if (Pair(name, job.classes), job.column) == (pair, column)
            else near_the_paper(job, name)
        )

    return curve


def test_a_published_accuracy_outside_is_named_with_its_numbers(tmp_path, both, undrawn):
    apart = one_apart(
        Pair("mnist", (8, 9)), "classical-2", lambda job: rising_to((0.79, 0.8, 0.81)[job.seed % 3])
    )
    numbers, _ = reproduced(both, apart)
    text = text_of(tmp_path, "mlp-table")
    assert " 47 are within 2 standard deviations of ours, 1 are outside, and 0 " in finding(
        text, "Accuracy: "
    )
    told = "Outside: 8-9, Classical-2: 66.2 % published, 80.0 ± 0.9 % in 9 successful trials here. "
    told += "Of all trials 80.0 %; successful are 100.0 %, published 40.0 %."
    assert finding(text, "Outside: ") == f"- {told}"
    assert "80.0 ± 0.9 (9) (!)" in text
    assert "1 of 48 means differ by more than 2 standard errors" in finding(text, "A second look: ")
    assert "8-9, Classical-2 (+23" in finding(text, "A second look: ")
    assert finding(text, "Accuracy: ").endswith("15 of 16 pairs have none outside.")
    verdicts = [own.get("verdict") for pair in numbers["pairs"] for own in pair["columns"].values()]
    assert (verdicts.count("outside"), verdicts.count("within"), verdicts.count(None)) == (
        1,
        47,
        16,
    )


def test_where_the_paper_does_not_reach_70_percent_is_told(tmp_path, both, undrawn):
    reproduced(both, one_apart(Pair("mnist", (5, 9)), "annealer", lambda job: rising_to(0.8)))
    line = finding(
        text_of(tmp_path, "mlp-table"),
        "70 % is reached within 20 updates here, but not in the paper: ",
    )
    assert line.endswith(": 5-9, annealer.")


def test_too_few_successful_trials_give_no_verdict(tmp_path, both, undrawn):
    few = one_apart(
        Pair("mnist", (0, 1)), "annealer", lambda job: rising_to(0.9) if job.seed < 2 else CONSTANT
    )
    reproduced(both, few)
    text = text_of(tmp_path, "mlp-table")
    assert " 47 are within 2 standard deviations of ours, 0 are outside, and 1 " in finding(
        text, "Accuracy: "
    )
    assert finding(text, "Fewer than 3 successful trials").endswith(": 0-1, annealer (2 of 9).")
    assert "90.0 ± 0.0 (2) (?)" in text
    line = finding(text, "Published rates of success outside our intervals: ")
    assert "0-1, annealer (22.2 %, published 100.0 %)" in line


def test_no_successful_trial_at_all_is_told(tmp_path, both, undrawn):
    reproduced(both, lambda job, name: CONSTANT)
    text = text_of(tmp_path, "mlp-table")
    assert " 0 are within 2 standard deviations of ours, 0 are outside, and 48 " in finding(
        text, "Accuracy: "
    )
    assert "- A second look: " not in text
    assert "0 successful with both, 144 with neither" in finding(
        text, "annealer against exact gradients"
    )
    assert "| mnist | 2-3 | – (0) (?) | *82.8* |" in text
    assert "in the paper, but not here: 2-3, Classical-1; " in finding(
        text, "70 % is reached within 20 updates"
    )


def test_the_means_are_held_against_the_published_ones(tmp_path, both, undrawn):
    def shifted(job, name):
        return near_the_paper(job, name) + 0.01 * (job.column == "classical-1")

    reproduced(both, shifted)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "Our mean accuracy minus the published one, points, mean over pairs: ")
    assert "Classical-1 +1.00 [+1.00, +1.00]; Classical-2 " in line
    line = finding(text, "Success, mean over pairs: ")
    assert "Classical-1 66.7 % (published 65.6 %)" in line
    line = finding(text, "Updates to 70 %, mean over the pairs that both reach it: ")
    figures = [
        published(pair)["classical-1"]
        for name in ("mnist", "fashion-mnist")
        for pair in pairs_of(name)
    ]
    steps = [np.argmax(rising_to(each.accuracy) + 0.01 > 0.7) + 1 for each in figures]
    assert f"Classical-1 {np.mean(steps):.1f} (published 8.7; 16 pairs)" in line


def test_what_sampling_costs_is_told(tmp_path, both, undrawn):
    values = {"classical-2": 0.8, "annealer": 0.75, "exact": 0.79, "classical-1": 0.8}
    fails = {"annealer": 0, "exact": 1}

    def curve(job, name):
        return CONSTANT if job.seed == fails.get(job.column) else rising_to(values[job.column])

    reproduced(both, curve)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "Classical-2 against exact gradients, the same trials: ")
    assert (
        "128 successful with both, 0 with neither, 16 with Classical-2 alone, 0 with exact gradients alone"
        in line
    )
    assert line.endswith("where both are, Classical-2 ends higher by +1.00 [+1.00, +1.00] points.")
    line = finding(text, "annealer against exact gradients, the same trials: ")
    assert (
        "112 successful with both, 0 with neither, 16 with annealer alone, 16 with exact gradients alone"
        in line
    )
    assert line.endswith("where both are, annealer ends higher by -4.00 [-4.00, -4.00] points.")


@pytest.mark.parametrize("best", [0, 3, 5])
def test_the_temperature_is_the_grids_best(tmp_path, undrawn, best):
    reproduced(setup(tmp_path), best=best)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "The annealer's beta_effective is ")
    assert f"is {GRID[best]:g} by the least divergence, 0.05 nats (Gibbs sampling: 0.001)" in line
    assert "States.beta_effective says 11, and its schedule ends at 10" in line
    assert ("end of the grid" in line) == (best != 3)
    cells = ["0.1"] * 6
    cells[best] = "**0.05**"
    assert f"| divergence (nats) | {' | '.join(cells)} |" in text


def test_searches_are_over_all_updates_and_seeds():
    own = [searched(), searched()]
    own[1]["divergence"][:, 1] = 0.02  # against 0.05, but the other has 0.1
    assert Searches.of(own).best == 8.0
    own[0]["divergence"][10:, 1] = 0.0  # in the mean 0.05 - 0.0025
    own[0]["estimate"][:, 1], own[1]["estimate"][:, 1] = 5.0, np.append(np.full(19, 7.0), np.inf)
    assert (Searches.of(own).best, Searches.of(own).estimated) == (2.0, 6.0)


@pytest.mark.parametrize(
    ("logit", "told"), [(20.0, "most outputs are as good as certain"), (2.0, "not yet certain")]
)
def test_the_first_update_is_told(logit, told):
    curves = {column: outcome(RISING, CONSTANT, paper=None, logit=logit) for column in COLUMNS}
    curves["exact"] = replace(curves["exact"], first_logit=np.array([30.0, 30.0]))
    lines = list(findings({TWO_THREE: curves}, Searches.of([searched()])))
    (line,) = [line for line in lines if line.startswith("After the first update")]
    assert f" {logit:.1f} by backpropagation and 30.0 by exact gradients" in line
    assert told in line


def test_the_definition_of_success_is_tried_with_other_numbers():
    curves = {
        column: outcome(CONSTANT, *ending(0.58, 0.62, 0.66), paper=None) for column in COLUMNS
    }
    lines = list(findings({TWO_THREE: curves}, Searches.of([searched()])))
    assert "50.0 % of all trials are successful with a least accuracy of 60 %" in lines[-1]
    assert lines[-1].endswith("with others it would be 75.0 % from 55 %, 25.0 % from 65 %.")


def test_a_quick_run_has_no_published_figures_and_says_what_it_is(tmp_path, undrawn):
    numbers, _ = reproduced(setup(tmp_path))
    text = text_of(tmp_path, "mlp-table")
    assert text.startswith("*A quick run on digits")
    assert finding(text, "There are no published figures for a quick run or for these data")
    assert not any(words in text for words in ("in italics", "diamonds"))
    assert "*paper*" not in text
    assert all(
        "published" not in own for pair in numbers["pairs"] for own in pair["columns"].values()
    )
    folder_of(tmp_path, "mnist")
    numbers, _ = reproduced(setup(tmp_path, data="mnist", data_dir=str(tmp_path)))
    assert all(
        "published" not in own for pair in numbers["pairs"] for own in pair["columns"].values()
    )


@pytest.mark.parametrize("num_seeds", [3, 1])
def test_it_is_drawn_to_the_same_bytes(tmp_path, num_seeds):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        reproduced(setup(tmp_path / folder, num_seeds=num_seeds))
    for name in ("mlp-table.png", "mlp-table.svg", "mlp-table.csv", "mlp-table-curves.csv"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "mlp-table.svg").read_text().rstrip().endswith("</svg>")


def test_the_papers_pairs_are_drawn_with_its_figures(tmp_path, both, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        papers_setup.Setup, "write_picture", lambda self, name, figure: drawn.append((name, figure))
    )
    reproduced(both)
    ((name, figure),) = drawn
    assert name == "mlp-table"
    panels = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in panels] == [
        pair.title for pair in (*pairs_of("mnist"), *pairs_of("fashion-mnist"))
    ]
    lines = panels[0].lines
    curves = [line for line in lines if len(line.get_xdata()) == 20]
    places = [line for line in lines if len(line.get_xdata()) == 1]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][-1] == "published"
    assert len(curves) == 4
    assert [float(line.get_ydata()[0]) for line in places] == [0.8277, 0.7742, 0.8586]
    assert [float(line.get_xdata()[0]) for line in places] == [21, 21, 21]
    assert curves[0].get_ydata()[-1] == pytest.approx(0.8277)
