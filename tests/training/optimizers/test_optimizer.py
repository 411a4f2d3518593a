"""Adam, averages and schedules: against plain double precision, update by update."""

import math
from dataclasses import asdict

import numpy as np
import pytest

from helpers import oracle
from helpers.training.deep_networks import slow_changes
from helpers.training.deep_runs import deep, make_deep
from helpers.training.optimizer_runs import AsSampler, Updates, copies
from helpers.training.training_runs import DATA, RATE, RATES, bits, make
from isingprop import BipartiteNetwork, ImageSet, LayeredNetwork
from isingprop.training.optimizer import OPTIMIZERS, rate_factor

# Steps are of order 1 times the rate, each with some roundings of single precision in it, which
# the next steps carry along.
STEPS = 1e-4
# Roundings of the drift, per parameter of order 1.
AVERAGE = 1e-5

# On the grid, with 4 states and batches of 4, changes are exact in single precision: one that
# should be 0 is 0, which Adam would make a whole step of otherwise.
ON_GRID = ImageSet(
    "grid",
    oracle.on_grid(DATA.train_images[:16]),
    DATA.train_labels[:16],
    DATA.test_images,
    DATA.test_labels,
    num_classes=3,
)


class SlowAdam:
    """Kingma & Ba's algorithm 1 for parameters by name, each with a count of its own."""

    def __init__(self):
        self.means, self.squares, self.counts = {}, {}, {}

    def step(self, name, change, rate):
        t = self.counts[name] = self.counts.get(name, 0) + 1
        self.means[name] = 0.9 * self.means.get(name, 0.0) + 0.1 * change
        self.squares[name] = 0.999 * self.squares.get(name, 0.0) + 0.001 * change**2
        mean, square = self.means[name] / (1 - 0.9**t), self.squares[name] / (1 - 0.999**t)
        return rate * mean / (np.sqrt(square) + 1e-8)


def changes_of(network, noted):
    """The gradient of an update in double precision, by the names of the parameters."""
    step = noted.step
    if isinstance(network, BipartiteNetwork):
        return oracle.slow_gradient(noted.pixels, step.free, step.nudged, network.num_hidden)
    return slow_changes(step.layer, network.sizes, noted.pixels, step.free, step.nudged)


CASES = {
    "one hidden layer": lambda: make(optimizer="adam", num_states=4, batch_size=4),
    "rates of their own": lambda: make(
        optimizer="adam", num_states=4, batch_size=4, learning_rate=RATES, average_from=1
    ),
    "two hidden layers": lambda: make_deep(optimizer="adam", num_states=4, batch_size=4),
    "three hidden layers, averaged": lambda: make_deep(
        network=deep((5, 3, 4)), optimizer="adam", num_states=4, batch_size=4, average_from=1
    ),
    "two hidden layers at once": lambda: make_deep(
        optimizer="adam", num_states=4, batch_size=4, active_layers=None
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_adam_is_kingma_and_bas_algorithm_1(monkeypatch, case):
    """A layer that is updated twice in a minibatch makes two steps of Adam."""
    trainer, updates, adam = CASES[case](), Updates(monkeypatch), SlowAdam()
    network = trainer.network
    kinds, rates = network.kinds(), asdict(trainer.learning_rates)
    values = {name: array.astype(float) for name, array in copies(network).items()}
    for _ in range(3):
        trainer.train_epoch(ON_GRID.train_images, ON_GRID.train_labels)
    for noted in updates.noted:
        changes = changes_of(network, noted)
        for name, change in changes.items():
            values[name] += adam.step(name, change, rates[kinds[name]])
        for name in set(values) - set(changes):
            assert (noted.before[name] == noted.after[name]).all()
        for name, value in values.items():
            np.testing.assert_allclose(noted.after[name], value, rtol=0, atol=STEPS * RATE)
    assert trainer._optimizer.num_steps == adam.counts
    if case == "two hidden layers":
        assert adam.counts["bias_2"] == 2 * adam.counts["bias_1"] == 2 * adam.counts["bias_3"] == 24


AVERAGED = {
    "one hidden layer": lambda **options: make(batch_size=5, **options),
    "class states": lambda **options: make(
        AsSampler(oracle.random_network().readout), num_states=1, batch_size=5, **options
    ),
    "two hidden layers": lambda **options: make_deep(batch_size=5, **options),
    "three hidden layers": lambda **options: make_deep(
        network=deep((5, 3, 4)), batch_size=5, **options
    ),
}


@pytest.mark.filterwarnings("ignore:training is unstable")  # with Adam's large steps
@pytest.mark.parametrize("average_from", [1, 2, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", AVERAGED)
def test_the_model_is_the_mean_of_the_parameters_after_every_update(
    monkeypatch, case, optimizer, average_from
):
    trainer = AVERAGED[case](optimizer=optimizer, average_from=average_from)
    plain, updates = AVERAGED[case](optimizer=optimizer), Updates(monkeypatch)
    for record in trainer.train(DATA, 3):
        averaged = [kept for number, kept in updates.minibatches if number]
        assert len(averaged) == 5 * max(0, record.epoch + 1 - average_from)
        if not averaged:
            assert trainer.model is trainer.network
            continue
        for name, array in trainer.model.parameters().items():
            mean = np.mean([kept[name].astype(float) for kept in averaged], axis=0)
            np.testing.assert_allclose(array, mean, rtol=0, atol=AVERAGE)
            assert array.dtype == np.float32
    plain.fit(DATA, 3)
    assert bits(trainer) == bits(plain), "the network keeps the last parameters"


@pytest.mark.parametrize("kind", ["bipartite", "layered"])
def test_the_model_is_a_copy_that_can_be_saved(tmp_path, kind):
    make_run = make if kind == "bipartite" else make_deep
    trainer = make_run(average_from=1)
    assert trainer.model is trainer.network
    trainer.fit(DATA, 1)
    before, model = bits(trainer), trainer.model
    model.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model")
    assert isinstance(loaded, BipartiteNetwork if kind == "bipartite" else LayeredNetwork)
    for name, array in trainer.model.parameters().items():
        assert (loaded.parameters()[name] == array).all()
        assert (array != trainer.network.parameters()[name]).any()
    for array in model.parameters().values():
        array[...] = 7
    assert bits(trainer) == before
    assert not any((array == 7).any() for array in trainer.model.parameters().values())


def test_tests_of_the_history_are_those_of_the_model():
    """Whose accuracy differs from that of the network after at least one of these epochs."""
    trainer, last = make(average_from=1, learning_rate=0.5), []
    for record in trainer.train(DATA, 6):
        model = make(network=trainer.model).evaluate(DATA.test_images, DATA.test_labels)
        assert record.test_accuracy == model.accuracy
        assert trainer.evaluate(DATA.test_images, DATA.test_labels) == model
        network = make(network=trainer.network).evaluate(DATA.test_images, DATA.test_labels)
        last.append(network.accuracy == model.accuracy)
    assert not all(last)


def test_class_states_test_the_model_by_its_class_energies():
    network = oracle.random_network()
    trainer = make(
        AsSampler(network.readout), network, num_states=1, average_from=1, learning_rate=0.5
    )
    differs = []
    for record in trainer.train(DATA, 6):
        right = [
            (each.predict(DATA.test_images) == DATA.test_labels).mean()
            for each in (trainer.model, network)
        ]
        assert record.test_accuracy == right[0]
        differs.append(right[0] != right[1])
    assert any(differs)


FACTORS = {
    "constant": lambda p: 1.0,
    "linear": lambda p: 1 - p,
    "cosine": lambda p: (1 + math.cos(math.pi * p)) / 2,
}


@pytest.mark.parametrize("schedule", [*FACTORS, "a function"])
@pytest.mark.parametrize("make_run", [make, make_deep])
def test_rates_of_each_minibatch_follow_the_schedule(monkeypatch, make_run, schedule):
    """Of 3 epochs with 5 minibatches each; all updates of a minibatch have one factor."""
    asked = []

    def own(done):
        asked.append(done)
        return 1 / (1 + done)

    factor_of = FACTORS.get(schedule, lambda p: 1 / (1 + p))
    trainer = make_run(batch_size=5, schedule=schedule if schedule in FACTORS else own)
    updates = Updates(monkeypatch)
    trainer.fit(DATA, 3)
    per_minibatch = len(updates.noted) // 15
    for k, noted in enumerate(updates.noted):
        expected = trainer.learning_rates.array() * factor_of(k // per_minibatch / 15)
        np.testing.assert_allclose(noted.rates, expected, rtol=1e-6, atol=1e-9)
    assert asked == (pytest.approx(np.arange(15) / 15) if schedule == "a function" else [])


def test_epochs_asked_for_one_at_a_time_have_the_rates_of_a_whole_run():
    whole, single = (make(schedule="cosine", average_from=2) for _ in range(2))
    whole.fit(DATA, 3)
    for _ in range(3):
        single.train_epoch(DATA.train_images, DATA.train_labels, num_epochs=3)
    assert bits(single) == bits(whole)


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (np.nan, "ValueError: schedule(0) must be finite and at least 0, got nan"),
        (np.inf, "ValueError: schedule(0) must be finite and at least 0, got inf"),
        (-0.5, "ValueError: schedule(0) must be finite and at least 0, got -0.5"),
        (1e39, "ValueError: schedule(0) must be finite and at least 0, got 1e+39"),
        (None, "TypeError: schedule(0) must be a number, got None"),
        ("1", "TypeError: schedule(0) must be a number, got '1'"),
    ],
)
def test_a_schedule_that_gives_no_factor_is_refused(assert_refused, value, refusal):
    trainer = make(schedule=lambda done: value)
    before = bits(trainer)
    assert_refused(lambda: trainer.fit(DATA, 1), refusal)
    assert (bits(trainer), trainer.history) == (before, [])


def test_a_factor_that_is_wrong_later_undoes_its_epoch(assert_refused):
    trainer, one = (make(schedule=lambda p: 1.0 if p < 0.7 else np.nan) for _ in range(2))
    refusal = "ValueError: schedule(0.7101) must be finite and at least 0, got nan"
    assert_refused(lambda: trainer.fit(DATA, 3), refusal)
    one.train_epoch(DATA.train_images, DATA.train_labels, num_epochs=3)
    one.train_epoch(DATA.train_images, DATA.train_labels, num_epochs=3)
    assert bits(trainer) == bits(one)


def test_factors_of_the_named_schedules_begin_with_1():
    assert [rate_factor(name, 0.0) for name in FACTORS] == [1, 1, 1]
    assert [rate_factor(name, 0.5) for name in FACTORS] == pytest.approx([1, 0.5, 0.5])
