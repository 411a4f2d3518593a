"""Runs of many epochs, runs that are killed at any write, and runs that diverge."""

import csv
import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers.cli.cli_runs import NO_DATA, assert_refused, isingprop
from helpers.dwave.chip_commands import run
from helpers.forked_command import commands
from helpers.idx_files import write_folder
from helpers.training.saved_files import bytes_per_save
from helpers.training.training_runs import DATA, make
from helpers.written_files import SETTINGS_OF_A_RUN
from isingprop import LearningRates
from isingprop.cli.run_folder import RunFolder
from isingprop.data.download import FILES

TINY = ("--num-train", "10", "--num-test", "10", "--hidden", "8", "--num-states", "1")
MODELS = "model.safetensors", "checkpoint.safetensors"
EPOCHS = 103
# Files are flushed for the settings, then two an epoch, one more in the first, and one more in
# epochs 50 and 100, whose records go into a file of their own: at call 101 a new one, at 202 the
# same.
MOMENTS = [(2, "before"), (101, "after"), (103, "before"), (202, "before"), (202, "after")]


def columns_without_times(path):
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if "seconds" not in name} for row in rows]


def same_run(first, second):
    for name in MODELS:
        ours, theirs = load_file(first / name), load_file(second / name)
        assert list(ours) == list(theirs)
        assert all(np.array_equal(ours[key], theirs[key]) for key in ours)
    histories = [columns_without_times(folder / "history.csv") for folder in (first, second)]
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_a_run_killed_at_any_write_ends_as_one_never_stopped(tmp_path):
    """SIGKILL before and after files are flushed; then the run goes on, and is looked at again."""
    train = ("train", *TINY, "--epochs", str(EPOCHS), "--out")
    assert isingprop(*train, "whole", cwd=tmp_path).returncode == 0
    for moment, when in MOMENTS:
        name = f"{moment}-{when}"
        killed = commands().start(
            *(*train, name),
            cwd=tmp_path,
            environment=NO_DATA,
            kill_at=("os", "fsync", moment, when),
        )
        assert killed.wait() == -9
        result = isingprop("train", "--resume", name, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        same_run(tmp_path / "whole", tmp_path / name)
    result = isingprop("train", "--resume", name, "--epochs", str(EPOCHS + 1), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(columns_without_times(tmp_path / name / "history.csv")) == EPOCHS + 1


@pytest.mark.slow
def test_an_epoch_writes_the_same_after_1500_as_after_100(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    trainer, folder = make(), RunFolder(tmp_path, SETTINGS_OF_A_RUN)
    trainer.fit(DATA, 1)
    folder.save(trainer)
    block = 50
    early, late = (
        bytes_per_save(tmp_path, trainer, lambda: folder.save(trainer), first, block)
        for first in (100, 1500)
    )
    # Numbers have up to two digits more in the records of half a block, and in history.csv.
    assert abs(early - late) < 2 * block


@pytest.mark.slow
def test_a_run_that_diverges_names_the_rate_and_not_resume(tmp_path):
    result = isingprop("train", *TINY, "--learning-rate", "1e30", "--out", "run", cwd=tmp_path)
    assert_refused(
        result,
        1,
        "training diverged in epoch 1: ",
        "reached 1e+30",
        "begin a new run with --learning-rate below 1e+30",
    )
    assert "--resume" not in result.stderr
    assert "epoch before" not in result.stderr
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_a_run_that_diverges_late_keeps_its_last_epoch(tmp_path, capfd, monkeypatch):
    """In this process, where the rate is raised after the first epoch."""
    save = RunFolder.save

    def save_and_raise_the_rate(folder, trainer):
        save(folder, trainer)
        trainer._set_rates(LearningRates.of(1e30))

    monkeypatch.setattr(RunFolder, "save", save_and_raise_the_rate)
    monkeypatch.chdir(tmp_path)
    done = run(capfd, monkeypatch, "train", *TINY, "--epochs", "2", "--out", "run")
    assert done.code == 1
    error = done.err.splitlines()[-1]
    assert error.startswith("Error: training diverged in epoch 2: ")
    assert error.endswith("; run keeps the last epoch before")
    assert "--resume" not in done.err
    assert [row["epoch"] for row in columns_without_times(tmp_path / "run" / "history.csv")] == [
        "1"
    ]
    checkpoint, model = (load_file(tmp_path / "run" / name) for name in MODELS)
    assert all(np.isfinite(array).all() for array in checkpoint.values())
    assert all(np.array_equal(checkpoint[name], model[name]) for name in checkpoint)


@pytest.mark.slow
def test_evaluate_needs_no_training_images(tmp_path):
    """Neither the files, nor as many images as the run was trained on."""
    files = write_folder(tmp_path / "data")
    options = ("--data", "mnist", "--data-dir", "data", "--num-train", "50", "--num-test", "20")
    tiny = (*TINY[4:], *options, "--epochs", "1", "--out", "run")
    assert isingprop("train", *tiny, cwd=tmp_path).returncode == 0
    before = isingprop("evaluate", "run", "--json", cwd=tmp_path)
    assert before.returncode == 0, before.stderr
    for file in FILES[:2]:
        (files / f"{file}.gz").unlink()
    after = isingprop("evaluate", "run", "--json", cwd=tmp_path)
    assert after.returncode == 0, after.stderr
    assert after.stdout == before.stdout
    fewer = isingprop("evaluate", "run", "--num-test", "10", "--json", cwd=tmp_path)
    assert json.loads(fewer.stdout)["num_test"] == 10
    too_many = isingprop("evaluate", "run", "--num-test", "1000", cwd=tmp_path)
    assert_refused(too_many, 1, "--num-test must be at most 30, got 1000")
