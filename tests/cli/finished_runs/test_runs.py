"""`isingprop runs`: a row for each run, with what they have not in common."""

import json

import numpy as np
import pytest

from helpers.own_files import bars
from isingprop.cli import run_folder

FEW = ("--num-train", "60", "--num-test", "40", "--hidden", "8", "--epochs", "2")


@pytest.fixture(autouse=True)
def _no_picture_of_a_training(monkeypatch):
    """It takes longer than the training."""
    monkeypatch.setattr(run_folder, "history_png", lambda *_: b"")


@pytest.fixture
def three(isingprop):
    """Runs of two samplers and two seeds; their folders are named by the command."""
    for options in (("--seed", "1"), ("--seed", "2"), ("--seed", "2", "--sampler", "anneal")):
        assert isingprop("train", *FEW, *options).code == 0


def test_runs_are_listed_with_the_settings_that_differ(isingprop, three, tmp_path):
    done = isingprop("runs")
    assert (done.code, done.err) == (0, "")
    head, *rows = done.out.splitlines()
    assert head.split()[:6] == ["run", "epochs", "test", "train", "error", "time"]
    assert {"sampler", "seed", "num_states", "margin"} == set(head.split()[6:])
    assert [row.split()[0] for row in rows] == [f"runs/digits-{k}" for k in (1, 2, 3)]
    assert [row.split()[1] for row in rows] == ["2/2"] * 3
    assert "anneal" in rows[2]
    assert "anneal" not in rows[1]

    [alone] = isingprop("runs", "runs/digits-2").out.splitlines()[1:]
    assert alone.split() == rows[1].split()[: len(alone.split())]


def test_json_has_the_last_epoch_of_each_history(isingprop, three, tmp_path):
    told = json.loads(isingprop("runs", "--json").out)["runs"]
    for k, run in enumerate(told, start=1):
        lines = (tmp_path / "runs" / f"digits-{k}" / "history.csv").read_text().splitlines()
        last = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
        assert run["test_accuracy"] == float(last["test_accuracy"])
        assert run["train_error"] == float(last["train_error_lowest"])
        assert (run["epochs"], run["settings"]["seed"]) == (2, 1 if k == 1 else 2)


def write_bars(path, seed):
    path.parent.mkdir(exist_ok=True)
    images, labels = bars(60, seed)
    np.savez(path, X=images, y=labels)


def columns(isingprop):
    """The cells of each column of the list."""
    lines = [
        line.split() for line in isingprop("runs").out.replace("train error", "e").splitlines()
    ]
    rows = [[*row[:4], " ".join(row[4:6]), *row[6:]] for row in lines[1:]]
    return dict(zip(lines[0], zip(*rows, strict=True), strict=True))


def test_data_are_listed_by_the_end_of_their_path_and_checksums_where_that_is_the_same(
    isingprop, tmp_path
):
    for name in ("one.npz", "two.npz"):
        write_bars(tmp_path / "a" / name, seed=len(name))
        assert isingprop("train", "--data", f"a/{name}", *FEW[4:]).code == 0
    found = columns(isingprop)
    assert found["data"] == ("one.npz", "two.npz")
    assert "data_sha256" not in found

    for seed in (1, 2):
        write_bars(tmp_path / "b" / "two.npz", seed)
        assert isingprop("train", "--data", "b/two.npz", *FEW[4:]).code == 0
    found = columns(isingprop)
    long = [str(tmp_path / folder / "two.npz") for folder in ("a", "b", "b")]
    assert found["data"] == ("one.npz", *long)
    told = json.loads(isingprop("runs", "--json").out)["runs"]
    assert found["data_sha256"] == tuple(run["settings"]["data_sha256"][:8] for run in told)
    assert len(told[0]["settings"]["data_sha256"]) == 64


def test_a_damaged_run_is_a_warning_beside_the_others(isingprop, three, tmp_path):
    checkpoint = tmp_path / "runs" / "digits-2" / "checkpoint.safetensors"
    content = bytearray(checkpoint.read_bytes())
    content[-1] ^= 1
    checkpoint.write_bytes(content)
    done = isingprop("runs")
    assert [row.split()[0] for row in done.out.splitlines()[1:]] == [
        "runs/digits-1",
        "runs/digits-3",
    ]
    assert done.err.startswith("Warning: runs/digits-2/checkpoint.safetensors must hold what was")


def test_a_folder_without_runs_is_refused(isingprop, tmp_path):
    done = isingprop("runs", "nowhere")
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: nowhere must be or hold folders of runs, got none\n"
