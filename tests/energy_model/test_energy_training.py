"""Training energy-based models: Adam, exact updates, batches."""

import numpy as np
import pytest

from helpers import energy_oracle, tolerances
from helpers.training.energy_runs import arrays, data, last, same, start
from isingprop import (
    Annealing,
    EnergyModel,
    EnergyTrainer,
)
from isingprop.energy_model.energy_trainer import Adam
from isingprop.energy_model.mlp import PARAMETERS
from isingprop.training.divergence import DivergedError

# Adam


def test_adam_is_kingma_and_bas_algorithm_1():
    """Of a seeded walk of gradients, some of them 0 throughout or of all sizes; upward, as Adam
    goes down -g.
    """
    random = np.random.default_rng(0)
    adam, m, v, theta, ours = Adam(0.03), 0.0, 0.0, np.zeros(6), np.zeros(6)
    for t in range(1, 41):
        g = random.normal(size=6) * [0, 1e-12, 1e-8, 1, 1e6, 1]
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        theta = theta + 0.03 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        moves = adam.steps({"a": g[:2], "b": g[2:].reshape(2, 2)})
        assert {name: move.shape for name, move in moves.items()} == {"a": (2,), "b": (2, 2)}
        ours += np.concatenate([moves["a"], moves["b"].ravel()])
        np.testing.assert_allclose(ours, theta, rtol=1e-10, atol=0)
    assert theta[0] == 0


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_first_steps_are_as_long_as_the_learning_rate(size):
    moves = Adam(0.25).steps({"a": np.array([size, -size, 0.0])})
    np.testing.assert_allclose(moves["a"], [0.25, -0.25, 0.0], rtol=2e-5)


# One update


def test_an_exact_step_is_adams_along_the_gradient():
    model, (x, y) = start(), data()
    trainer, adam, by_hand = EnergyTrainer(model, learning_rate=0.02), Adam(0.02), model
    for part in (slice(0, 5), slice(5, 12), slice(3, 4)):
        moves = adam.steps(by_hand.gradient(x[part], y[part]).parameters())
        by_hand = EnergyModel(**{name: getattr(by_hand, name) + moves[name] for name in PARAMETERS})
        stepped = trainer.step(x[part], y[part])
        assert stepped is trainer.model
        assert same(stepped, by_hand)
    assert not same(model, by_hand)


def test_a_step_moves_every_weight_up_the_slope_of_the_enumerated_log_likelihood():
    model, (x, y) = start(), data()
    slopes = energy_oracle.slopes(lambda other: energy_oracle.log_likelihood(other, x, y), model)
    stepped = EnergyTrainer(model, learning_rate=0.01).step(x, y)
    for name in PARAMETERS:
        moved = getattr(stepped, name) - getattr(model, name)
        clear = np.abs(slopes[name]) > 1e-6
        assert clear.mean() > 0.5
        np.testing.assert_allclose(moved[clear], 0.01 * np.sign(slopes[name][clear]), rtol=0.02)


def test_models_stay_as_they_were():
    model, (x, y) = start(), data()
    before = [array.tobytes() for array in arrays(model)]
    trainer = EnergyTrainer(model, learning_rate=0.1)
    models = list(trainer.steps(x, y, 4))
    after = [[array.tobytes() for array in arrays(each)] for each in models]
    assert [array.tobytes() for array in arrays(model)] == before
    assert len({id(each) for each in (model, *models)}) == 5
    last(trainer, x, y, 3)
    assert [[array.tobytes() for array in arrays(each)] for each in models] == after
    assert type(trainer.model) is EnergyModel


# Batches


class Recorder(EnergyTrainer):
    """Keeps its batches."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.batches = []

    def step(self, x, y):
        self.batches.append((x, y))
        return super().step(x, y)


def rows_of(recorder, x, y):
    """Which inputs each batch was made of; labels came with them."""
    found = []
    for inputs, targets in recorder.batches:
        rows = [int(np.flatnonzero((x == each).all(axis=1))[0]) for each in inputs]
        np.testing.assert_array_equal(targets, y[rows])
        found.append(rows)
    return found


@pytest.mark.parametrize(("count", "size"), [(12, 4), (12, 12), (13, 4), (5, 1), (7, 6)])
def test_batches_hold_every_input_once_a_round(count, size):
    x, y = data(count)
    trainer = Recorder(start(), batch_size=size, seed=5)
    per_round = count // size
    last(trainer, x, y, 3 * per_round)
    batches = rows_of(trainer, x, y)
    assert {len(rows) for rows in batches} == {size}
    rounds = np.reshape(batches, (3, per_round * size)).tolist()
    for each in rounds:
        assert len(set(each)) == len(each) == per_round * size
    assert len(set(map(tuple, rounds))) == 3
    assert rounds[0] != sorted(rounds[0])


def test_every_input_is_in_some_batch_even_where_some_are_left_out_of_a_round():
    x, y = data(7)
    trainer = Recorder(start(), batch_size=3)
    last(trainer, x, y, 20)
    assert set(np.unique(rows_of(trainer, x, y))) == set(range(7))


def test_a_batch_is_at_most_all_inputs():
    x, y = data(3)
    trainer = Recorder(start(), batch_size=5)
    assert len(list(trainer.steps(x, y, 4))) == 4
    assert {tuple(sorted(rows)) for rows in rows_of(trainer, x, y)} == {(0, 1, 2)}


@pytest.mark.slow
def test_the_orders_of_rounds_are_uniform():
    """Which of 4 inputs is first, in 600 rounds; the next call of steps() goes on with other
    orders.
    """
    x, y = data(4)
    trainer = Recorder(start(), batch_size=1)
    for _ in range(6):
        last(trainer, x, y, 400)
    rows = np.array(rows_of(trainer, x, y)).reshape(600, 4)
    assert (np.sort(rows, axis=1) == np.arange(4)).all()
    for place in range(4):
        assert not tolerances.is_rejected(rows[:, place], np.full(4, 0.25))
    assert len(set(map(tuple, rows))) == 24
    assert not np.array_equal(rows[:100], rows[100:200])


def test_steps_gives_each_model_when_it_is_asked_for():
    x, y = data()
    trainer = Recorder(start())
    models = trainer.steps(x, y, count=3)
    assert trainer.batches == []
    assert next(models) is trainer.model
    assert len(trainer.batches) == 1
    assert len(list(models)) == 2


def test_fit_makes_all_steps_and_returns_the_last_model():
    x, y = data()
    fitted, stepped = EnergyTrainer(start()), EnergyTrainer(start())
    model = fitted.fit(x, y, 7)
    assert model is fitted.model
    assert same(model, last(stepped, x, y, 7))


@pytest.mark.parametrize(
    "sampler", [None, Annealing(num_sweeps=5, beta_range=(1, 1), descend=False)]
)
@pytest.mark.parametrize("rate", [1e30, 3e38])
def test_divergence_is_named_with_the_rate_and_leaves_the_model_before(sampler, rate):
    model = start()
    trainer = EnergyTrainer(model, sampler, num_reads=5, learning_rate=rate)
    message = f"training diverged in update 1: input_weights reached .* = {rate:g}, take a smaller"
    with pytest.raises(DivergedError, match=message.replace("+", r"\+")):
        trainer.fit(*data(), count=3)
    assert trainer.model is model
