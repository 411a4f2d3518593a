"""The MLP paper's tables: their images and their jobs."""

from itertools import islice

import numpy as np
import pytest

import isingprop as ip
from helpers.idx_files import FILES
from helpers.paper.findings import finding, text_of
from helpers.paper.made_up import setup
from helpers.paper.table_results import folder_of, papers, reproduced
from isingprop.energy_model.energy_trainer import EnergyTrainer, batches
from isingprop.energy_model.model import GIBBS
from isingprop.paper.common.image_pairs import Backpropagation, PairImages, images_of_classes
from isingprop.paper.mlp_table import table_jobs as mlp_table_runs
from isingprop.paper.mlp_table import table_study as mlp_table
from isingprop.paper.mlp_table.table_jobs import (
    GRID,
    STAND_IN,
    Search,
    Trial,
    trial_seeds,
)
from isingprop.paper.mlp_table.table_published import COLUMNS, Pair
from isingprop.paper.mlp_table.table_sources import load_sources, num_tested, pairs_in

DIGITS = ip.load_data("digits")


def numbers_of(images):
    pixels = np.rint(images[:, [0, -1]] * 255).astype(int)
    return pixels @ [256, 1]


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

    def download(name, *_):
        if name == "mnist":
            return [tmp_path / "mnist" / f"{file}.gz" for file in FILES]
        raise ConnectionError("no network")

    monkeypatch.setattr(ip.data.load, "download", download)
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
