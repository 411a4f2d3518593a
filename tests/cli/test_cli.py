"""The command, as a stranger types it: each test runs it in a process of its own."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file

import isingprop as ip
from helpers.cli.cli_runs import NO_DATA, assert_refused, fresh_isingprop, isingprop
from helpers.forked_command import commands
from helpers.processes import wait_until
from helpers.tolerances import PROCESS_SECONDS

QUICK = (
    "--num-train",
    "60",
    "--num-test",
    "40",
    "--num-states",
    "3",
    "--num-sweeps",
    "10",
    "--hidden",
    "20",
)


def columns_without_times(path):
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if "seconds" not in name} for row in rows]


@pytest.mark.slow
def test_train_leaves_a_whole_run_folder_and_evaluate_agrees(tmp_path):
    result = fresh_isingprop("train", *QUICK, "--epochs", "2", "--out", "run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 3
    assert re.findall(r"^epoch (\d)/2: training error ", result.stderr, re.MULTILINE) == ["1", "2"]
    folder = tmp_path / "run"
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint.safetensors",
        "config.json",
        "history.csv",
        "lock",
        "model.safetensors",
        "training.png",
    ]
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["seed"] == 0
    assert config["versions"]["isingprop"] == ip.__version__
    assert [row["epoch"] for row in columns_without_times(folder / "history.csv")] == ["1", "2"]
    assert (folder / "training.png").read_bytes().startswith(b"\x89PNG")
    assert ip.BipartiteNetwork.load(folder / "model.safetensors").num_hidden == 20
    evaluated = json.loads(isingprop("evaluate", "run", "--json", cwd=tmp_path).stdout)
    assert evaluated["test_accuracy"] == float(
        columns_without_times(folder / "history.csv")[-1]["test_accuracy"]
    )
    assert "class energies" in isingprop("evaluate", "run", cwd=tmp_path).stdout


@pytest.mark.slow
def test_json_is_one_object_on_stdout(tmp_path):
    result = isingprop("train", *QUICK, "--epochs", "1", "--json", cwd=tmp_path)
    content = json.loads(result.stdout)
    wanted = {
        "epochs",
        "train_error",
        "train_error_reads",
        "test_accuracy",
        "num_test",
        "seconds_per_epoch",
        "out",
    }
    assert wanted <= set(content)
    assert (content["epochs"], content["num_test"]) == (1, 40)
    assert content["out"] == os.path.join("runs", "digits-1")  # noqa: PTH118
    assert (tmp_path / content["out"] / "model.safetensors").is_file()
    again = json.loads(isingprop("train", *QUICK, "--epochs", "1", "--json", cwd=tmp_path).stdout)
    assert again["out"].endswith("digits-2")
    assert again["train_error"] == content["train_error"]


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_resumed_run_ends_with_the_bits_of_one_never_stopped(tmp_path, threads):
    same = "--schedule", "constant"  # other schedules know how many epochs there will be
    isingprop("train", *QUICK, *same, "--epochs", "4", "--out", "whole", cwd=tmp_path)
    isingprop("train", *QUICK, *same, "--epochs", "2", "--out", "parts", cwd=tmp_path)
    result = isingprop(
        "train", "--resume", "parts", "--epochs", "4", "--threads", threads, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    whole, parts = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    for name, array in whole.items():
        assert np.array_equal(array, parts[name]), name
    histories = [
        columns_without_times(tmp_path / name / "history.csv") for name in ("whole", "parts")
    ]
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path):
    command = "train", *QUICK, "--epochs", "100000", "--out", "run"
    run = commands().start(*command, cwd=tmp_path, environment=NO_DATA)
    history = tmp_path / "run" / "history.csv"
    try:
        wait_until(history.is_file)
        run.send_signal(signal.SIGINT)
        assert run.wait(PROCESS_SECONDS) == 130
    finally:
        run.kill()
    assert "isingprop train --resume run" in run.stderr
    assert "Traceback" not in run.stderr
    done = len(columns_without_times(history))
    result = isingprop(
        "train", "--resume", "run", "--epochs", str(done + 1), "--json", cwd=tmp_path
    )
    assert json.loads(result.stdout)["epochs"] == done + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler", ["temper", "cyclic", "dimod:dwave.samplers:SteepestDescentSampler"]
)
def test_another_sampler_is_one_flag(tmp_path, sampler):
    options = "--sampler", sampler, "--beta-effective", "--epochs", "2", "--json", "--out", "run"
    result = isingprop("train", *QUICK, *options, cwd=tmp_path)
    content = json.loads(result.stdout)
    assert content["settings"]["sampler"] == sampler
    assert (content["wrong_cycles"] is not None) == (sampler == "cyclic")
    assert content["beta_effective"] == "inf", "all of them end in a local minimum"
    assert columns_without_times(tmp_path / "run" / "history.csv")[-1]["beta_effective"] == "inf"
    evaluated = json.loads(isingprop("evaluate", "run", "--json", cwd=tmp_path).stdout)
    assert evaluated["test_accuracy"] == content["test_accuracy"]


FLAKY = """
import os
from dwave.samplers import SteepestDescentSampler

class Flaky(SteepestDescentSampler):
    calls = 0

    def sample(self, bqm, **options):
        Flaky.calls += 1
        if Flaky.calls > int(os.environ["GOOD_CALLS"]):
            raise RuntimeError("the machine\\nis on fire")
        return super().sample(bqm, **options)
"""


@pytest.mark.slow
def test_a_sampler_that_fails_leaves_the_last_checkpoint_and_says_how_to_resume(tmp_path):
    """An epoch makes 60 calls and tests with 40: the second one fails at its 30th image."""
    (tmp_path / "flaky.py").write_text(FLAKY)
    flags = *QUICK, "--sampler", "dimod:flaky:Flaky"
    good = {"PYTHONPATH": str(tmp_path), "GOOD_CALLS": "1000"}
    isingprop("train", *flags, "--epochs", "1", "--out", "one", cwd=tmp_path, **good)
    isingprop("train", *flags, "--epochs", "2", "--out", "two", cwd=tmp_path, **good)
    broken = isingprop(
        "train",
        *flags,
        "--epochs",
        "2",
        "--out",
        "run",
        cwd=tmp_path,
        **good | {"GOOD_CALLS": "129"},
    )
    assert_refused(
        broken, 1, "RuntimeError: the machine is on fire", "isingprop train --resume run"
    )
    models = {
        name: load_file(tmp_path / name / "checkpoint.safetensors") for name in ("one", "run")
    }
    assert all(np.array_equal(array, models["run"][name]) for name, array in models["one"].items())
    assert isingprop("train", "--resume", "run", cwd=tmp_path, **good).returncode == 0
    models = {name: load_file(tmp_path / name / "model.safetensors") for name in ("two", "run")}
    assert all(np.array_equal(array, models["run"][name]) for name, array in models["two"].items())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["train", "--epochs", "0"], ["--epochs", "1"]),
        (["train", "--data", "cifar"], ["--data", "cifar", "digits"]),
        (["train", "--hidden", "120,0"], ["--hidden", "120,0"]),
        (["train", "--learning-rate", "nan"], ["--learning-rate", "nan"]),
        (["train", "--learning-rate", "0"], ["--learning-rate", "0"]),
        (["train", "--seed", "-1"], ["--seed"]),
        (["train", "--threads", "0"], ["--threads"]),
        (["train", "--threads", "5000"], ["--threads"]),
        (["train", "--num-sweeps", "99999999999999"], ["--num-sweeps"]),
        (["train", "--num-states", "0"], ["--num-states"]),
        (["train", "--num-states", "999999999999"], ["--num-states"]),
        (
            ["train", "--sampler", "oracle"],
            ["--sampler", "oracle", "anneal, temper, cyclic, dwave"],
        ),
        (["train", "--sampler", "dimod:dwave.samplers"], ["--sampler", "dimod:MODULE:CLASS"]),
        (["train", "--nonsense"], ["--nonsense"]),
        (["evaluate"], ["DIR"]),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(tmp_path, arguments, fragments):
    assert_refused(isingprop(*arguments, cwd=tmp_path), 2, *fragments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["train", "--num-train", "5000"], ["--num-train", "1437", "5000"]),
        (["train", "--data", "mnist", "--data-dir", "nowhere"], ["nowhere"]),
        (
            ["train", "--sampler", "dimod:nowhere:Sampler"],
            ["dimod:nowhere:Sampler", "No module named 'nowhere'"],
        ),
        (
            ["train", "--sampler", "dimod:dimod:Nothing"],
            ["dimod:dimod:Nothing", "has no attribute 'Nothing'"],
        ),
        (["train", "--sampler", "dimod:builtins:int"], ["int", "sample()"]),
        (["train", "--resume", "nowhere"], ["nowhere", "config.json"]),
        (["evaluate", "nowhere"], ["nowhere", "config.json"]),
    ],
)
def test_other_errors_are_one_line_and_exit_1(tmp_path, arguments, fragments):
    assert_refused(isingprop(*arguments, cwd=tmp_path), 1, *fragments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_killed_between_two_files_is_made_whole(tmp_path):
    isingprop("train", *QUICK, "--epochs", "2", "--out", "run", cwd=tmp_path)
    whole = {
        name: (tmp_path / "run" / name).read_bytes()
        for name in ("model.safetensors", "history.csv")
    }
    (tmp_path / "run" / "history.csv").unlink()
    isingprop("train", *QUICK, "--epochs", "1", "--out", "early", cwd=tmp_path)
    shutil.copy(tmp_path / "early" / "model.safetensors", tmp_path / "run" / "model.safetensors")
    assert isingprop("train", "--resume", "run", cwd=tmp_path).returncode == 0
    assert {name: (tmp_path / "run" / name).read_bytes() for name in whole} == whole


@pytest.mark.slow
def test_evaluate_reads_the_model(tmp_path):
    isingprop("train", *QUICK, "--epochs", "1", "--out", "run", cwd=tmp_path)
    (tmp_path / "run" / "model.safetensors").write_bytes(b"junk")
    assert_refused(isingprop("evaluate", "run", cwd=tmp_path), 1, "model.safetensors")


@pytest.mark.slow
def test_an_existing_run_is_never_overwritten(tmp_path):
    isingprop("train", *QUICK, "--epochs", "1", "--out", "run", cwd=tmp_path)
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    result = isingprop(
        "train", *QUICK, "--epochs", "1", "--seed", "7", "--out", "run", cwd=tmp_path
    )
    assert_refused(result, 1, "run", "--resume")
    assert_refused(isingprop("train", "--resume", "run", "--seed", "7", cwd=tmp_path), 2, "--seed")
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before


@pytest.mark.slow
def test_a_spoilt_run_folder_is_refused(tmp_path):
    isingprop("train", *QUICK, "--epochs", "1", "--out", "run", cwd=tmp_path)
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: len(whole) // 2])
    assert_refused(
        isingprop("train", "--resume", "run", "--epochs", "2", cwd=tmp_path),
        1,
        "checkpoint.safetensors",
    )
    shutil.copy(tmp_path / "run" / "model.safetensors", checkpoint)
    assert_refused(
        isingprop("train", "--resume", "run", "--epochs", "2", cwd=tmp_path),
        1,
        "isingprop-checkpoint",
    )
    (tmp_path / "run" / "config.json").write_text("{")
    assert_refused(isingprop("evaluate", "run", cwd=tmp_path), 1, "config.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert_refused(isingprop("train", *QUICK, "--out", "locked/run", cwd=tmp_path), 1, "locked")


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_keeps_the_last_checkpoint(tmp_path):
    isingprop("train", *QUICK, "--epochs", "1", "--out", "run", cwd=tmp_path)
    files = [path for path in (tmp_path / "run").iterdir() if path.name != "lock"]
    before = [path.read_bytes() for path in files]
    resumed = commands().start(
        *("train", "--resume", "run", "--epochs", "3"), cwd=tmp_path, environment=NO_DATA, full_at=1
    )
    code = resumed.wait()
    result = subprocess.CompletedProcess(resumed, code, resumed.stdout, resumed.stderr)
    assert_refused(result, 1, "No space left on device")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *(p.name for p in files),
        "lock",
    }
    assert [path.read_bytes() for path in files] == before
    assert isingprop("train", "--resume", "run", "--epochs", "3", cwd=tmp_path).returncode == 0


def test_help_says_what_each_command_does(tmp_path):
    result = isingprop("train", "--help", cwd=tmp_path)
    assert result.returncode == 0
    assert "--num-states" in result.stdout


@pytest.mark.slow
def test_a_training_imports_only_what_it_uses(python, tmp_path):
    words = ["isingprop", "train", *QUICK, "--epochs", "1", "--out", str(tmp_path / "run")]
    unused = {"dimod", "dwave", "networkx", "minorminer", "dask", "onnx", "plotly"}
    code = f"""
import sys
sys.argv = {[*words, "--sampler", "anneal"]}
from isingprop.cli import main
try:
    main()
except SystemExit:
    print({unused} & set(sys.modules))
"""
    assert python(code).stdout.endswith("\nset()\n")
