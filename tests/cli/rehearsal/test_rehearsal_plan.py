"""How much of a planned run is rehearsed."""

from dataclasses import replace

import pytest

from helpers.cli.settings_of_runs import settings_of_a_run
from isingprop import DWave, EmulatedQPU
from isingprop.cli.rehearsal import rehearsal_plan
from isingprop.cli.rehearsal.rehearsal_plan import make_plan

PLANNED = settings_of_a_run(
    num_train=1000,
    num_test=100,
    epochs=30,
    num_states=20,
    num_sweeps=5,
    hidden=(4,),
    sampler="dwave",
    seed=0,
)


@pytest.fixture(scope="module")
def chip():
    """A Z2, on which two copies of K_{4,40} fit."""
    return EmulatedQPU("zephyr", 2)


@pytest.fixture
def plan_of(chip, monkeypatch, tmp_path):
    """plan_of(seconds, **changed): the plan where an anneal takes so many seconds."""

    def plan_of(seconds, **changed):
        monkeypatch.setattr(rehearsal_plan, "_seconds_of", lambda *_: seconds)
        planned = replace(PLANNED, **changed)
        images = planned.load_data()
        return make_plan(planned, images, planned.make_trainer(images), chip, tmp_path)

    return plan_of


def test_a_fast_chip_is_asked_for_enough_calls_and_no_more(plan_of):
    plan = plan_of(0.0)
    assert plan.calls == 24
    assert plan.settings == replace(PLANNED, num_train=11, num_test=2, epochs=2)
    assert plan.price.calls == 30 * (1000 + 100 / 2)
    assert plan.times_training == 30 * 1000 / (2 * 11)
    assert plan.times_testing == 30 * 100 / (2 * 2)
    # The first two calls, but not the third.
    call = plan.price.seconds_per_epoch / 1000
    assert 2 * call < plan.small_budget < 3 * call


def test_a_slow_chip_is_asked_for_fewer_reads(plan_of):
    plan = plan_of(5.0)
    assert plan.calls == 12
    assert plan.settings.num_states == int(20 * 15 / (12 * 5.2))
    assert plan_of(1e6).settings.num_states == 1
    assert plan_of(1.0).settings.num_states == 20


def test_a_small_run_is_rehearsed_for_more_epochs_than_it_will_have(plan_of):
    plan = plan_of(0.0, num_train=2, num_test=1, epochs=1)
    assert (plan.settings.num_train, plan.settings.num_test) == (2, 1)
    assert plan.settings.epochs == 4
    assert plan.calls == 12


def test_tests_off_the_chip_make_no_calls(plan_of):
    plan = plan_of(0.0, test_sampler="anneal")
    assert plan.calls == 24
    assert (plan.settings.num_train, plan.settings.num_test) == (12, 100)
    assert plan.price.test_calls_per_epoch == 0


def test_an_average_begins_within_the_rehearsal(plan_of):
    assert plan_of(0.0, average_from=20).settings.average_from == 2
    assert plan_of(0.0, average_from=1).settings.average_from == 1


@pytest.mark.slow
def test_a_deep_network_has_calls_but_no_price_by_the_formula(plan_of):
    plan = plan_of(0.0, hidden=(4, 4))
    assert plan.price is None
    assert 12 <= plan.calls <= 24
    assert plan.small_budget > 0


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["dwave", "dwave-reverse"])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_run_makes_the_calls_that_were_planned(plan_of, chip, tmp_path, sampler, batch_size):
    plan = plan_of(0.0, sampler=sampler, batch_size=batch_size)
    images = plan.settings.load_data()
    trainer = plan.settings.make_trainer(images)
    settings = {**trainer.sampler.get_params(), "solver": chip, "record": tmp_path / "record"}
    sampler = DWave(**settings)
    trainer.replace_samplers(sampler=sampler, test_sampler=sampler)
    trainer.fit(images, plan.settings.epochs)
    calls = list((tmp_path / "record").glob("*.safetensors"))
    assert len(calls) == plan.calls
    assert trainer.sampler.qpu_seconds / len(calls) == pytest.approx(plan.small_budget / 2.5)
