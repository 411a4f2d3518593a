"""The jobs that train by each method."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import thread_time

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle, tolerances
from helpers.paper.made_up import IMAGES
from isingprop.paper.common import methods
from isingprop.paper.common.backpropagation import Perceptron
from isingprop.paper.common.curves import METHODS
from isingprop.paper.common.lowest_of import LowestOf
from isingprop.paper.common.methods import (
    CLOSED_FORM,
    LAYDEVANT2024,
    LAYDEVANT2024_RATE,
    Training,
)

ISING = ("dragon", "cyclic", "equilibrium", "class-states")

ARRAYS = ("error_reads", "error_lowest", "test_accuracy", "test_accuracy_100")  # all but the times

EPOCHS = 2

BUSY = 0.01  # seconds


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
    network = ip.BipartiteNetwork.random(num_inputs=16, num_hidden=120, num_classes=10, seed=5)
    samplers = {"cyclic": ip.Cyclic(30), "class-states": ip.ClassStates(network.readout)}
    sampler = samplers.get(name, ip.Annealing(30))
    trainer = ip.Trainer(
        network,
        sampler,
        num_states={"dragon": 20, "cyclic": 9}.get(name, 1),
        learning_rate=ip.LearningRates.of(0.003),
        references="wrong-classes" if name == "cyclic" else None,
        seed=5,
    )
    records = [trainer.train_epoch(IMAGES.train_images, IMAGES.train_labels) for _ in range(EPOCHS)]
    result = Training(METHODS[name], 0.003, EPOCHS, 5).run(IMAGES)
    assert result["error_reads"].tolist() == [record.train_error_reads for record in records]
    assert result["error_lowest"].tolist() == [record.train_error_lowest for record in records]
    if name == "class-states":
        classes = network.predict(IMAGES.test_images)
    else:
        classes = ip.predict(network, sampler, IMAGES.test_images, num_reads=10, seed=5)
    assert result["test_accuracy"] == (classes == IMAGES.test_labels).mean()


def test_the_closed_form_is_a_trainer_with_adam_and_a_falling_rate():
    network = ip.BipartiteNetwork.random(
        num_inputs=16, num_hidden=120, num_classes=10, coupling_gain=0.3, seed=5
    )
    options = {"margin": 5.0, "batch_size": 10, "optimizer": "adam", "schedule": "linear"}
    sampler = ip.ClassStates(network.readout)
    trainer = ip.Trainer(network, sampler, num_states=1, learning_rate=0.01, seed=5, **options)
    records = trainer.fit(IMAGES, EPOCHS)
    result = Training(CLOSED_FORM, 0.01, EPOCHS, 5).run(IMAGES)
    assert result["error_reads"].tolist() == [record.train_error_reads for record in records]
    assert result["test_accuracy"] == records[-1].test_accuracy


def test_a_test_is_of_averaged_parameters_where_there_are_any():
    method = replace(CLOSED_FORM, average_from=1)
    learner = method.start(IMAGES, 0.01, 5)
    for _ in range(EPOCHS):
        learner.train_epoch(EPOCHS)
    trainer = learner.trainer
    assert trainer.model is not trainer.network
    np.testing.assert_array_equal(learner.predict(), trainer.model.predict(IMAGES.test_images))


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

    def train_epoch(self, num_epochs):
        end = thread_time() + BUSY * len(self.asked)
        while thread_time() < end:
            pass
        self.asked.append(f"an epoch of {num_epochs}")
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
    assert method.asked == [(images, 0.5, 11), "an epoch of 2", "an epoch of 2"]
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
    course.train_epoch(1)
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
