"""How learning rates are chosen, and the curves that exponents are fitted to."""

import numpy as np
import pytest

from helpers.paper.made_up import IMAGES, MadeUp, curve, setup
from isingprop.analysis.scaling import fit_power_law, mean_interval
from isingprop.paper.common import curves, methods, rates
from isingprop.paper.common.curves import METHODS, Curves
from isingprop.paper.common.methods import (
    BackpropMethod,
)

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
    assert set(curves.ORDER) == set(METHODS) == {*curves.PUBLISHED, "cyclic", "class-states"}
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
