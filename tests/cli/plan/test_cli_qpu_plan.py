"""The command `isingprop qpu plan`, from the chip to the command that it prints."""

import json
import re
import shlex
import sys
from dataclasses import replace

import numpy as np
import pytest

import isingprop as ip
from helpers.cli.cli_runs import error_lines
from helpers.dwave.small_service import NAME, TOKEN, SmallService
from isingprop.cli import main
from isingprop.cli.qpu_commands import qpu_plan
from isingprop.cli.qpu_commands.plan.chip_quality import measured_quality
from isingprop.cli.qpu_commands.plan.measurements import Measurements
from isingprop.cli.qpu_commands.plan.plan_output import command
from isingprop.cli.qpu_commands.plan.trials import Run, Trials
from isingprop.qpu.chip.chip_file import ChipDescription

CHIP = ("--topology", "zephyr", "--size", "2", "--hidden", "6")
SMALL = (*CHIP, "--num-train", "150", "--num-test", "60")
MINUTES = 0.3


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def own_cache(cache, monkeypatch):
    """One cache folder for all tests of this file, so that the network is embedded once."""
    monkeypatch.setenv("XDG_CACHE_HOME", cache)


def settings(**changes):
    made = qpu_plan._settings("digits", None, 150, 60, 6, "emulated:zephyr:2")
    return replace(made, **changes)


@pytest.mark.slow
def test_a_plan_costs_what_the_sampler_estimates_and_its_command_is_accepted(isingprop):
    done = isingprop("qpu", "plan", "--minutes", MINUTES, *SMALL, "--json")
    assert done.code == 0, done.err
    content = json.loads(done.out)
    assert content["plans"]
    for plan in content["plans"]:
        chip = ip.DWave(solver=ip.EmulatedQPU("zephyr", 2), annealing_time=plan["annealing_time"])
        price = chip.estimate(
            num_images=plan["num_images"],
            epochs=plan["epochs"],
            num_states=plan["num_states"],
            batch_size=plan["batch_size"],
            num_hidden=6,
            num_output=40,
        )
        assert (plan["calls"], plan["seconds"]) == (price.calls, price.seconds)
        assert plan["seconds"] <= 60 * MINUTES
        assert plan["batch_size"] % content["copies"] == 0
    assert content["seconds_left"] == 60 * MINUTES - content["plans"][0]["seconds"]
    errors = [plan["expected_error"] for plan in content["plans"]]
    assert errors == sorted(errors)

    words = shlex.split(content["command"])
    assert words[:2] == ["isingprop", "train"]
    dry = isingprop(*words[1:], "--dry-run")
    assert dry.code == 0, dry.err
    first = content["plans"][0]
    assert f"annealing_time = {first['annealing_time']}" in dry.out
    assert words[words.index("--qpu-budget") + 1] == f"{60 * MINUTES:g}"

    again = json.loads(isingprop("qpu", "plan", "--minutes", MINUTES, *SMALL, "--json").out)
    assert again == content | {"trials_made": 0}
    more = json.loads(isingprop("qpu", "plan", "--minutes", 2 * MINUTES, *SMALL, "--json").out)
    assert more["plans"][0]["expected_error"] <= first["expected_error"]
    assert more["trials_made"] > 0

    wanted = (errors[-1] + max(errors)) / 2
    target = ("--target-error", str(wanted))
    cheapest = isingprop("qpu", "plan", "--minutes", MINUTES, *SMALL, *target, "--json")
    plans = json.loads(cheapest.out)["plans"]
    assert all(plan["expected_error"] <= wanted for plan in plans)
    assert plans[0]["seconds"] <= first["seconds"]
    assert [plan["seconds"] for plan in plans] == sorted(plan["seconds"] for plan in plans)

    hopeless = isingprop("qpu", "plan", "--minutes", MINUTES, *SMALL, "--target-error", "0.0001")
    assert (hopeless.code, hopeless.out) == (1, "")
    least = float(re.search(r"--target-error must be at least (\S+) ", hopeless.err)[1])
    assert errors[0] <= least < errors[0] + 2e-4
    enough = isingprop("qpu", "plan", "--minutes", MINUTES, *SMALL, "--target-error", least)
    assert enough.code == 0, "what the message demands is enough"
    text = isingprop("qpu", "plan", "--minutes", MINUTES, *SMALL).out
    assert [line.split("  ")[0] for line in text.splitlines() if line[0] != " "] == [
        "chip",
        "network",
        "reads",
        "trials",
        "plans",
        "check",
        "left",
        "command",
    ]
    assert content["command"] in text


@pytest.mark.slow
def test_the_plan_for_a_solver_is_that_for_its_chip_and_sends_nothing(isingprop, monkeypatch):
    options = (*SMALL[4:], "--minutes", MINUTES, "--json")
    with SmallService() as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        done = isingprop("qpu", "plan", "--solver", NAME, *options)
        assert service.paid == []
    assert done.code == 0, done.err
    assert TOKEN not in done.out + done.err
    content = json.loads(done.out)
    assert f"--qpu-solver {NAME} " in content["command"]
    same = json.loads(isingprop("qpu", "plan", *SMALL, *options[4:]).out)
    assert content["plans"] == same["plans"]


@pytest.mark.slow
def test_an_interrupted_plan_goes_on_where_it_was(isingprop, monkeypatch):
    options = (*SMALL, "--num-test", "50", "--json")  # other images than those of other tests
    true, calls = Trials._measured, []

    def stopping(self, run, seed):
        calls.append(run)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return true(self, run, seed)

    with monkeypatch.context() as patch:
        patch.setattr(Trials, "_measured", stopping)
        stopped = isingprop("qpu", "plan", "--minutes", "0.1", *options)
    assert (stopped.code, stopped.out) == (130, "")
    assert "the same command goes on from there" in stopped.err
    content = json.loads(isingprop("qpu", "plan", "--minutes", "0.1", *options).out)
    assert content["trials_made"] == content["trials"] - 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--minutes", "0"), "--minutes must be finite and above 0, got 0.0"),
        (("--minutes", "nan"), "--minutes must be finite and above 0, got nan"),
        (("--minutes", "1", "--target-error", "1"), "--target-error must be above 0 and below 1"),
        (("--minutes", "1", "--hidden", "500"), "500"),
        (("--minutes", "0.001"), "the price of one epoch of 106 images, got 0.001"),
        (("--minutes", "1", "--chip", "advantage2_system1"), "one of --topology, --chip and"),
    ],
)
def test_what_cannot_be_planned_is_one_line(isingprop, options, message):
    done = isingprop("qpu", "plan", *SMALL, *options)
    assert done.code in (1, 2)
    assert done.out == ""
    (error,) = error_lines(done.err)
    assert message in error


def test_processes_that_measure_at_the_same_time_keep_the_numbers_of_both():
    mine, other = Measurements("test", 1), Measurements("test", 1)
    mine.put([1, 2.5], 0.25)
    other.put([2, 2.5], 0.5)
    mine.put([3, 2.5], 0.75)
    found = Measurements("test", 1)
    assert [found.get([k, 2.5]) for k in (1, 2, 3)] == [0.25, 0.5, 0.75]
    assert Measurements("test", 2).get([1, 2.5]) is None


def test_the_command_trains_with_the_settings_of_its_trials(monkeypatch):
    """All settings, those that the command leaves to `isingprop train`, too."""
    planned = settings(
        num_train=99,
        epochs=3,
        num_states=7,
        batch_size=6,
        learning_rate=0.0015,
        qpu_annealing_time=7.5,
        qpu_budget=18.0,
    )
    found = []
    monkeypatch.setattr(
        "isingprop.cli.train.run_training", lambda settings, *rest: found.append(settings)
    )
    monkeypatch.setattr(sys, "argv", shlex.split(command(planned)))
    with pytest.raises(SystemExit):
        main()
    assert found == [planned]


@pytest.mark.slow
def test_a_trial_is_a_training_run_with_the_falling_rate():
    run = Run(100, 2, 5, 4, 0.005, num_sweeps=30)  # as many as tests make
    images = ip.load_data("digits", num_train=150, num_test=60)
    error = Trials(settings(), images).error(run, seed=3)
    same = settings(
        num_train=100,
        epochs=2,
        batch_size=5,
        num_states=4,
        learning_rate=0.005,
        seed=3,
        sampler="anneal",
        test_sampler=None,
        qpu_solver=None,
    )
    trainer = same.make_trainer(same.load_data())
    assert trainer.schedule == "linear"
    assert error == 1 - trainer.fit(same.load_data(), 2)[-1].test_accuracy
    few = Trials(settings(), images).error(run._replace(num_sweeps=1), seed=3)
    assert few != error, "the states are those of fewer sweeps"


@pytest.mark.slow
def test_a_run_that_diverges_has_everything_wrong():
    images = ip.load_data("digits", num_train=150, num_test=60)
    run = Run(100, 1, 5, 1, 1e25, num_sweeps=1)
    assert Trials(settings(), images).error(run, seed=0) == 1.0


@pytest.mark.slow
def test_reads_of_a_better_chip_are_worth_more_sweeps():
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=6, num_classes=10, seed=0)
    problems = [network.problem(ip.load_data("digits").train_images[:4])]
    chip = ChipDescription.of("zephyr", 2)
    hot, cold = (ip.EmulatedQPU(chip, temperature=t, flip_rate=t / 500) for t in (200.0, 5.0))
    bad, good = (measured_quality(device, [], problems, 100.0) for device in (hot, cold))
    assert bad.excess > good.excess >= 0
    assert bad.num_sweeps < good.num_sweeps
    assert bad.chain_break_fraction > good.chain_break_fraction
    assert measured_quality(hot, [], problems, 100.0) == bad, "from the cache folder"
    assert np.isfinite(good.excess)
