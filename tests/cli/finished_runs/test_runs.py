"""`isingprop runs`: a row for each run, with what they have not in common."""

import json

import pytest

FEW = ("--num-train", "60", "--num-test", "40", "--hidden", "8", "--epochs", "2")


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
