"""The jobs that train, how learning rates are chosen, and the curves that exponents are fitted to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import thread_time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import isingprop as ip
import oracle
import tolerances
from isingprop.analysis.scaling import fit_power_law, mean_interval
from isingprop.paper.common import curves, methods, rates
from isingprop.paper.common.backpropagation import Perceptron
from isingprop.paper.common.curves import METHODS, Curves
from isingprop.paper.common.lowest_of import LowestOf
from isingprop.paper.common.methods import (
    LAYDEVANT2024,
    LAYDEVANT2024_RATE,
    BackpropMethod,
    Training,
)
from isingprop.paper.common.study_setup import Setup
from paper_job_kinds import small_images

IMAGES = small_images()
ISING = ("dragon", "cyclic", "equilibrium")
ARRAYS = ("error_reads", "error_lowest", "test_accuracy", "test_accuracy_100")  # all but the times
EPOCHS = 2
BUSY = 0.01  # seconds


@pytest.fixture(autouse=True)
def one_thread():
    """As in a worker: two that wait for each other take many times as long where there is other work."""
    with threadpool_limits(1):
        yield


class MadeUp:
    """In place of a Runner: keeps the jobs that it is asked for, and answers with result(job)."""

    def __init__(self, result):
        self.result, self.jobs = result, []

    def run(self, jobs, images, description):
        self.jobs += jobs
        return [self.result(job) for job in jobs]


def setup(tmp_path, **options):
    return Setup(
        **{
            "data": "digits",
            "data_dir": None,
            "num_seeds": 3,
            "seed": 0,
            "quick": True,
            "out": tmp_path,
        }
        | options
    )


def curve(errors, lowest=None, accuracy=0.9, few=0.8, seconds=1.0):
    """The arrays of a Training job."""
    errors = np.array(errors, dtype=float)
    return {
        "error_reads": errors,
        "error_lowest": errors if lowest is None else np.array(lowest, dtype=float),
        "seconds": np.full(len(errors), seconds),
        "test_accuracy": np.array(accuracy),
        "test_accuracy_100": np.array(few),
    }


# Training


@pytest.mark.parametrize("name", [*METHODS, "laydevant2024"])
def test_a_seed_gives_the_same_arrays_and_another_seed_others(name):
    method = METHODS.get(name, LAYDEVANT2024)
    job = Training(method, 0.003, EPOCHS, 5)
    first, again, other = job.run(IMAGES), job.run(IMAGES), replace(job, seed=6).run(IMAGES)
    assert set(first) == {*ARRAYS, "seconds"}
    assert all(tolerances.same_bits(first[array], again[array]) for array in ARRAYS)
    assert not np.array_equal(first["error_reads"], other["error_reads"])
    assert [first[array].shape for array in (*ARRAYS, "seconds")] == [
        (EPOCHS,),
        (EPOCHS,),
        (),
        (),
        (EPOCHS,),
    ]
    assert (first["seconds"] > 0).all()


@pytest.mark.parametrize("name", ISING)
def test_an_ising_job_is_a_trainers_epochs_and_one_test(name):
    sampler = {"cyclic": ip.Cyclic(30)}.get(name, ip.Annealing(30))
    trainer = ip.Trainer(
        ip.BipartiteNetwork.random(num_inputs=16, num_hidden=120, num_classes=10, seed=5),
        sampler,
        num_states={"dragon": 20, "cyclic": 9, "equilibrium": 1}[name],
        learning_rate=0.003,
        references="wrong-classes" if name == "cyclic" else None,
        seed=5,
    )
    records = [trainer.train_epoch(IMAGES.train_images, IMAGES.train_labels) for _ in range(EPOCHS)]
    result = Training(METHODS[name], 0.003, EPOCHS, 5).run(IMAGES)
    assert result["error_reads"].tolist() == [record.train_error_reads for record in records]
    assert result["error_lowest"].tolist() == [record.train_error_lowest for record in records]
    right = (
        ip.predict(trainer.network, sampler, IMAGES.test_images, num_reads=10, seed=5)
        == IMAGES.test_labels
    )
    assert result["test_accuracy"] == right.mean()


@pytest.mark.parametrize("name", ["backprop-relu", "backprop-sigmoid", "backprop-1200"])
def test_a_backpropagation_job_is_a_perceptrons_epochs_and_one_test(name):
    sizes = {
        "num_inputs": 16,
        "num_hidden": 1200 if name == "backprop-1200" else 120,
        "num_classes": 10,
    }
    activation = "sigmoid" if name == "backprop-sigmoid" else "relu"
    perceptron = Perceptron(ip.BipartiteNetwork.random(**sizes, seed=5), activation)
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([5, 1])))
    result = Training(METHODS[name], 0.003, EPOCHS, 5).run(IMAGES)
    for epoch in range(EPOCHS):
        order = random.permutation(len(IMAGES.train_labels))
        error = perceptron.train_epoch(IMAGES.train_images, IMAGES.train_labels, order, 0.003)
        assert result["error_reads"][epoch] == result["error_lowest"][epoch] == error
    assert (
        result["test_accuracy"]
        == (perceptron.predict(IMAGES.test_images) == IMAGES.test_labels).mean()
    )


def test_all_methods_of_a_seed_begin_with_the_same_parameters(monkeypatch):
    given = {}
    for kind in (methods.Trainer, methods.Perceptron):

        def noted(network, *arguments, kind=kind, **options):
            given[name] = {key: array.copy() for key, array in network.parameters().items()}
            return kind(network, *arguments, **options)

        monkeypatch.setattr(methods, kind.__name__, noted)
    for name in METHODS:
        METHODS[name].start(IMAGES, 0.1, 7)
    wanted = ip.BipartiteNetwork.random(
        num_inputs=16, num_hidden=120, num_classes=10, seed=7
    ).parameters()
    wide = given.pop("backprop-1200")
    assert len(given) == len(METHODS) - 1
    for arrays in given.values():
        assert all(tolerances.same_bits(array, arrays[name]) for name, array in wanted.items())
    assert wide["input_weights"].shape == (1200, 16)


@dataclass(frozen=True)
class Known:
    """A method whose errors and answers are known."""

    rows: Iterator
    answers: np.ndarray
    asked: list

    def start(self, images, learning_rate, seed):
        self.asked.append((images, learning_rate, seed))
        return self

    def train_epoch(self):
        end = thread_time() + BUSY * len(self.asked)
        while thread_time() < end:
            pass
        self.asked.append("an epoch")
        return next(self.rows)

    def predict(self):
        return self.answers


@pytest.mark.parametrize(("num_images", "num_few"), [(300, 100), (60, 60)])
def test_a_result_has_a_row_for_each_epoch_and_two_accuracies(num_images, num_few):
    """The second is of the first images of each class, 100 in all or as many as there are."""
    labels = np.sort(np.arange(num_images) % 10)
    images = replace(IMAGES, test_images=np.zeros((num_images, 16), np.float32), test_labels=labels)
    answers = labels.copy()
    answers[::3] = (answers[::3] + 1) % 10
    answers[labels == 4] = -1
    method = Known(iter([(0.5, 0.4), (0.25, 0.125)]), answers, [])
    start = thread_time()
    result = Training(method, 0.5, 2, 11).run(images)
    assert result["seconds"].sum() <= thread_time() - start, (
        "its own time, whatever else the processor does"
    )
    assert (result["seconds"] >= [BUSY, 2 * BUSY]).all()
    assert method.asked == [(images, 0.5, 11), "an epoch", "an epoch"]
    assert result["error_reads"].tolist() == [0.5, 0.25]
    assert result["error_lowest"].tolist() == [0.4, 0.125]
    assert result["test_accuracy"] == (answers == labels).mean()
    few = np.concatenate([np.flatnonzero(labels == c)[: num_few // 10] for c in range(10)])
    assert result["test_accuracy_100"] == (answers == labels)[few].mean()
    assert num_few == num_images or result["test_accuracy_100"] != result["test_accuracy"]


# The preset of Laydevant et al.


def test_the_preset_of_laydevant_et_al_is_what_they_publish():
    trainer = LAYDEVANT2024.trainer(IMAGES, LAYDEVANT2024_RATE, 3)
    sizes = {"num_inputs": 16, "num_hidden": 120, "num_classes": 10, "seed": 3}
    plain, network = ip.BipartiteNetwork.random(**sizes), trainer.network
    np.testing.assert_array_equal(network.input_weights, plain.input_weights * 0.5)
    np.testing.assert_array_equal(network.couplings, plain.couplings * 0.25)
    rates_of_kinds = trainer.learning_rates
    assert (rates_of_kinds.input_weights, rates_of_kinds.couplings) == (0.002, 0.002)
    assert (rates_of_kinds.hidden_bias, rates_of_kinds.output_bias) == pytest.approx(
        (0.0002, 0.0002)
    )
    assert (trainer.nudge, trainer.skip_correct, trainer.references) == (5.0, True, None)
    assert (trainer.num_states, trainer.batch_size) == (1, 1)
    assert trainer.sampler == LowestOf(ip.Annealing(100), 10)


class Noted:
    """An annealer that notes how many reads of how many problems it is asked for."""

    def __init__(self):
        self.asked = []

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        self.asked.append((len(problem), num_reads))
        return ip.Annealing(100).sample(problem, num_reads, seed, initial)


def test_the_preset_draws_ten_reads_in_both_phases_and_in_the_test():
    sampler = Noted()
    method = replace(LAYDEVANT2024, sampler=LowestOf(sampler, 10))
    course = method.start(IMAGES, LAYDEVANT2024_RATE, 0)
    course.train_epoch()
    assert set(sampler.asked) == {(1, 10)}
    assert 60 < len(sampler.asked) <= 120
    sampler.asked.clear()
    course.predict()
    assert sampler.asked == [(60, 10)]


@pytest.mark.parametrize(("num_reads", "tries"), [(1, 10), (3, 4), (4, 1)])
def test_the_lowest_of_some_tries_is_kept_and_no_try_belongs_to_two_reads(num_reads, tries):
    problem, sampler = oracle.random_problem(9, 7, num_problems=5), ip.Annealing(1, descend=False)
    found = LowestOf(sampler, tries).sample(problem, num_reads, seed=4)
    drawn = sampler.sample(problem, num_reads * tries, seed=4)
    assert found.spins.shape == (5, num_reads, 16)
    for image in range(5):
        for read in range(num_reads):
            own = [(drawn.energies[image, k], k) for k in range(read * tries, (read + 1) * tries)]
            energy, best = min(own)
            assert found.energies[image, read] == energy
            np.testing.assert_array_equal(found.spins[image, read], drawn.spins[image, best])
    np.testing.assert_allclose(
        found.energies, problem.energies(found.spins), rtol=tolerances.ENERGY
    )
    assert tries == 1 or found.energies.mean() < drawn.energies.mean()


# Learning rates


def made_up_trials(tables):
    """A runner whose trials have the errors of a table: errors of each rate, for each method."""
    names = {method: name for name, method in METHODS.items()}
    return MadeUp(lambda job: curve(*tables(names[job.method], job.learning_rate, job.epochs)))


def some(*names):
    return {name: METHODS[name] for name in names}


def test_every_method_tries_the_same_grid_with_a_seed_that_is_not_shown(tmp_path):
    for quick, grid, epochs in (
        (True, (1e-4, 1e-3, 1e-2, 1e-1), 6),
        (False, methods.LEARNING_RATES, 30),
    ):
        runner = made_up_trials(lambda name, rate, epochs: [np.linspace(0.9, 0.1, epochs)])
        which = setup(tmp_path, quick=quick, seed=20, num_seeds=5)
        trials = rates.choose_rates(which, runner, IMAGES, some("dragon", "backprop-relu"))
        asked = [(job.method, job.learning_rate) for job in runner.jobs]
        assert sorted(asked, key=str) == sorted(
            [(m, r) for m in some("dragon", "backprop-relu").values() for r in grid], key=str
        )
        assert {job.epochs for job in runner.jobs} == {epochs} == {trials.epochs}
        (seed,) = {job.seed for job in runner.jobs}
        assert seed not in which.seeds
        assert rates.rates_of(which) == grid
        assert len(trials.rows) == 2 * len(grid)


def test_the_rate_of_the_lowest_error_in_the_last_third_wins(tmp_path):
    """Whatever came before, and whatever the test says."""

    def table(name, rate, epochs):
        last = {1e-4: 0.3, 1e-3: 0.2, 1e-2: 0.1, 1e-1: 0.4}[rate]
        last = 0.5 - last if name == "cyclic" else last
        ends = (
            [last + 0.08, last - 0.08] if rate < 1e-2 else [last - 0.08, last + 0.08]
        )  # of the very last, 1e-3 wins
        early = 0.01 if rate == 1e-4 else 0.99
        return [early] * (epochs - 2) + ends, None, 0.5 if rate == 1e-2 else 0.9

    trials = rates.choose_rates(
        setup(tmp_path), made_up_trials(table), IMAGES, some("dragon", "cyclic")
    )
    assert trials.best == {"dragon": 1e-2, "cyclic": 1e-1}
    row = next(
        row for row in trials.rows if row["method"] == "dragon" and row["learning_rate"] == 1e-2
    )
    assert row["error"] == pytest.approx(0.1)
    assert row["error_all_epochs"] == pytest.approx((4 * 0.99 + 0.2) / 6)
    assert row["test_accuracy"] == 0.5
    assert row["z"] == fit_power_law(range(1, 7), table("dragon", 1e-2, 6)[0]).exponent


def test_of_equal_rates_the_one_with_fewer_errors_in_all_wins_then_the_smaller(tmp_path):
    def table(name, rate, epochs):
        early = {1e-4: 0.9, 1e-3: 0.8, 1e-2: 0.7, 1e-1: 0.7}[rate]
        return [[early] * (epochs - 2) + [0.1, 0.1]]

    trials = rates.choose_rates(setup(tmp_path), made_up_trials(table), IMAGES, some("dragon"))
    assert trials.best == {"dragon": 1e-2}


def test_a_rate_of_the_full_grid_is_judged_by_its_last_ten_of_thirty_epochs(tmp_path):
    def table(name, rate, epochs):
        return [[0.5] * 20 + [0.1] * 10 if rate == 3e-3 else [0.05] * 20 + [0.2] * 10]

    trials = rates.choose_rates(
        setup(tmp_path, quick=False), made_up_trials(table), IMAGES, some("dragon")
    )
    assert trials.best == {"dragon": 3e-3}


@pytest.mark.parametrize("errors", [[0.4, 0, 0, 0, 0, 0], [0.0] * 6])
def test_a_rate_that_leaves_no_errors_to_fit_may_win(tmp_path, errors):
    def table(name, rate, epochs):
        return [errors if rate == 1e-2 else [1.0] * epochs]

    trials = rates.choose_rates(
        setup(tmp_path), made_up_trials(table), IMAGES, some("backprop-relu")
    )
    assert trials.best == {"backprop-relu": 1e-2}
    text = rates.trial_table(trials, some("backprop-relu"))
    assert "nan" not in text
    assert "None" not in text


def test_the_table_of_trials_shows_the_chosen_rate_in_bold(tmp_path):
    def table(name, rate, epochs):
        return [rate**0.25 * np.arange(1.0, epochs + 1) ** (-1 if name == "dragon" else -0.5)]

    two = some("dragon", "equilibrium")
    trials = rates.choose_rates(setup(tmp_path), made_up_trials(table), IMAGES, two)
    header, _, *lines = rates.trial_table(trials, two).splitlines()
    assert header == "| rate | dragon, m = 20 | equilibrium, m = 1 |"
    # 0.1 of the mean of 1/5 and 1/6, and of 1/sqrt(5) and 1/sqrt(6).
    assert lines[0] == "| 0.0001 | **1.83 %, 1.00** | **4.28 %, 0.50** |"
    assert [line.split(" | ")[0] for line in lines] == ["| 0.0001", "| 0.001", "| 0.01", "| 0.1"]
    assert all("**" not in line for line in lines[1:])


# Curves


def curves_of(errors, lowest=None):
    errors = np.array(errors, dtype=float)
    ones = np.ones(len(errors))
    return Curves(
        0.1, errors, errors if lowest is None else lowest, np.ones_like(errors), ones, ones, None
    )


def test_an_exponent_is_the_mean_over_seeds_of_each_ones_fit():
    epochs = np.arange(1, 31)
    own = curves_of([0.5 * epochs**-z for z in (0.8, 1.0, 1.3)])
    assert own.exponent(own.error_reads) == pytest.approx(mean_interval([0.8, 1.0, 1.3]), abs=1e-6)


def test_an_exponent_is_fitted_in_its_window():
    epochs = np.arange(1, 31)
    broken = np.where(epochs <= 10, 0.5 * epochs**-0.5, 0.5 * 10**1.5 * epochs**-2.0)
    own = curves_of([broken, broken])
    assert own.exponent(own.error_reads, 1, 10).mean == pytest.approx(0.5, abs=1e-6)
    assert own.exponent(own.error_reads, 10, 30).mean == pytest.approx(2.0, abs=1e-6)
    assert own.exponent(own.error_reads, 10) == own.exponent(own.error_reads, 10, 30)
    assert 0.5 < own.exponent(own.error_reads).mean < 2


def test_a_seed_without_errors_to_fit_leaves_no_exponent_and_one_seed_no_interval():
    own = curves_of([[0.5, 0.2, 0.1, 0.1], [0.5, 0.2, 0, 0]])
    assert np.isnan(own.exponent(own.error_reads, 2, 4)).all()
    assert np.isfinite(own.exponent(own.error_reads)).all()
    alone = curves_of([[0.5, 0.25, 0.5 / 3]])
    z = alone.exponent(alone.error_reads)
    assert z.mean == pytest.approx(1, abs=1e-6)
    assert np.isnan([z.low, z.high]).all()


def test_the_first_epoch_of_an_error_is_found_in_the_mean_over_seeds():
    own = curves_of([[0.5, 0.04, 0.0, 0.0], [0.5, 0.02, 0.02, 0.04]])
    assert own.epochs_to(0.5) == 1
    assert own.epochs_to(0.03) == 2
    assert own.epochs_to(0.0125) == 3
    assert own.epochs_to(0.001) is None


def test_the_published_exponents_and_methods_are_those_of_the_paper():
    assert curves.PUBLISHED == {
        "dragon": 1.01,
        "equilibrium": 0.64,
        "backprop-relu": 0.78,
        "backprop-sigmoid": 0.56,
        "backprop-1200": 0.84,
    }
    assert set(curves.ORDER) == set(METHODS) == {*curves.PUBLISHED, "cyclic"}
    hidden = {name: method.num_hidden for name, method in METHODS.items()}
    assert hidden == dict.fromkeys(METHODS, 120) | {"backprop-1200": 1200}
    kinds = {
        name: method.activation
        for name, method in METHODS.items()
        if isinstance(method, BackpropMethod)
    }
    assert kinds == {
        "backprop-relu": "relu",
        "backprop-sigmoid": "sigmoid",
        "backprop-1200": "relu",
    }
