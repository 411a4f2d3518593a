"""The command `isingprop qpu estimate`: each test runs it in a process of its own."""

import json
import os

import pytest

import isingprop as ip
from helpers.cli.cli_runs import assert_refused, isingprop
from helpers.dwave.small_service import TOKEN, SmallService

SMALL = ("--topology", "zephyr", "--size", "4", "--hidden", "12", "--output", "8")


@pytest.fixture(scope="module")
def estimate(tmp_path_factory):
    """estimate(*options): the command in a folder of its own, without an account and with a cache
    of its own.
    """
    folder = tmp_path_factory.mktemp("estimate")

    def run(*options, **account):
        nothing = os.fspath(folder / "nothing")
        none = {
            "DWAVE_API_TOKEN": "",
            "DWAVE_CONFIG_FILE": "",
            "HOME": nothing,
            "XDG_CONFIG_HOME": nothing,
        }
        environment = {**none, **account, "XDG_CACHE_HOME": os.fspath(folder / "cache")}
        return isingprop("qpu", "estimate", *options, cwd=folder, **environment)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["forward", "reverse", "cyclic"])
def test_the_json_is_what_the_sampler_estimates(estimate, mode, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    run = (
        "--num-train",
        "30",
        "--num-test",
        "20",
        "--epochs",
        "3",
        "--num-states",
        "9",
        "--batch-size",
        "5",
    )
    result = estimate(*SMALL, *run, "--mode", mode, "--annealing-time", "50", "--json")
    assert result.returncode == 0, result.stderr
    content = json.loads(result.stdout)
    price = ip.DWave(mode, annealing_time=50.0, solver=ip.EmulatedQPU("zephyr", 4)).estimate(
        num_images=30,
        epochs=3,
        num_states=9,
        batch_size=5,
        num_test=20,
        num_hidden=12,
        num_output=8,
    )
    assert {name: content[name] for name in vars(price)} == vars(price)
    assert content["copies"] > 1
    assert content["train_calls"] + content["test_calls"] == content["calls"] == price.calls
    assert content["train_seconds"] == pytest.approx(3 * price.seconds_per_epoch)
    assert content["test_seconds"] == pytest.approx(3 * price.test_seconds_per_epoch)
    assert content["seconds"] == price.seconds
    assert content["stand_in"] is True
    assert content["solver"].startswith("emulated-zephyr-4")


@pytest.mark.slow
def test_the_text_tells_of_one_copy_and_all_of_tests_and_of_the_stand_in(estimate):
    run = ("--num-train", "30", "--num-test", "20", "--epochs", "3", "--batch-size", "5")
    content = json.loads(estimate(*SMALL, *run, "--json").stdout)
    lines = estimate(*SMALL, *run).stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "chip",
        "network",
        "an epoch",
        "",
        "a test",
        "the run",
    ]
    chip, _, one, every, test, whole = lines
    assert "stand-in" in chip
    assert "timing data of Advantage2_system1" in chip
    assert f"30 calls, {content['seconds_per_epoch_one_copy']:.2f} s with 1 copy" in one
    assert (
        f"{content['calls_per_epoch']} calls, {content['seconds_per_epoch']:.2f} s with "
        f"{content['copies']} copies" in every
    )
    assert (
        f"{content['test_calls_per_epoch']} calls, {content['test_seconds_per_epoch']:.2f} s"
        in test
    )
    assert f"{content['calls']} calls, {content['seconds']:.1f} s" in whole


@pytest.mark.slow
def test_a_solver_is_priced_by_its_own_timing_and_sent_nothing(estimate, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    chip = ip.EmulatedQPU("zephyr", 4)
    chip.properties["chip_id"] = "slow"
    chip.properties["problem_timing_data"]["typical_programming_time"] = 60_000.0
    with SmallService({"slow": chip}) as sapi:
        result = estimate(
            "--solver", "slow", "--hidden", "12", "--output", "8", "--json", **sapi.environment
        )
        unknown = estimate("--solver", "fast", **sapi.environment)
    assert result.returncode == 0, result.stderr
    content = json.loads(result.stdout)
    price = ip.DWave(solver=chip).estimate(
        num_images=1000, epochs=30, num_test=100, num_hidden=12, num_output=8
    )
    assert {name: content[name] for name in vars(price)} == vars(price)
    assert price.seconds_per_epoch > 60
    assert (content["solver"], content["stand_in"]) == ("slow", False)
    assert sapi.paid == []
    assert_refused(unknown, 1, "fast", "dwave solvers")
    assert TOKEN not in result.stdout + result.stderr + unknown.stderr


@pytest.mark.slow
def test_a_real_chip_is_priced_by_its_own_timing(estimate, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    given = "--chip", "Advantage_system4_1", "--hidden", "12", "--output", "8"
    content = json.loads(estimate(*given, "--json").stdout)
    price = ip.DWave(solver=ip.EmulatedQPU("advantage_system4.1")).estimate(
        num_images=1000, epochs=30, num_test=100, num_hidden=12, num_output=8
    )
    assert {name: content[name] for name in vars(price)} == vars(price)
    assert (content["timing_of"], content["perfect"]) == ("Advantage_system4.1", False)
    line = estimate(*given).stdout.splitlines()[0]
    assert "with the timing data of Advantage_system4.1" in line
    assert "perfect" not in line


@pytest.mark.slow
def test_a_solver_needs_an_account_and_the_message_says_how_to_get_one(estimate):
    assert_refused(estimate("--solver", "Advantage_system4.1"), 1, "dwave setup")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "fragments"),
    [
        ((), 2, ("--topology", "--chip", "--solver")),
        (
            ("--topology", "zephyr", "--solver", "Advantage_system4.1"),
            2,
            ("--topology", "--solver"),
        ),
        (("--solver", "Advantage_system4.1", "--size", "4"), 2, ("--size", "--topology")),
        (("--chip", "nowhere.json"), 1, ("--chip must be ", "got nowhere.json (No such file")),
        (
            (*SMALL, "--mode", "cyclic", "--annealing-time", "0.5"),
            1,
            ("--annealing-time must be at least 0.57 us", "h_gain_schedule_range of [-1, 1]"),
        ),
        (
            (*SMALL, "--annealing-time", "0.1"),
            1,
            ("--annealing-time must be in the chip's annealing_time_range of [0.5, 2000] us, ",),
        ),
        (("--topology", "zephyr", "--size", "1", "--hidden", "500"), 1, ("500",)),
    ],
)
def test_what_cannot_be_priced_is_one_line(estimate, options, code, fragments):
    assert_refused(estimate(*options), code, *fragments)
