"""The last lines of `isingprop train` say what its numbers count."""

import json

import pytest

from isingprop.cli import run_folder

SMALL = ("--num-train", "60", "--num-test", "40", "--hidden", "8", "--epochs", "1", "--out", "run")
SAMPLED = ("--sampler", "anneal", "--num-states", "3", "--num-sweeps", "5")


@pytest.fixture(autouse=True)
def _no_picture_of_a_training(monkeypatch):
    """It takes longer than the training."""
    monkeypatch.setattr(run_folder, "history_png", lambda *_: b"")


@pytest.mark.parametrize(
    ("options", "reads", "margin"),
    [
        ((), "", " (the label must win by a margin of 5)"),
        (("--margin", "0"), "", ""),
        (
            (*SAMPLED, "--margin", "1.5"),
            " (lowest reads), {:.2%} (all reads)",
            " (the label must win by a margin of 1.5)",
        ),
        ((*SAMPLED, "--recipe", "paper"), " (lowest reads), {:.2%} (all reads)", ""),
    ],
)
def test_the_training_error_says_what_is_wrong_and_of_which_reads(
    isingprop, tmp_path, options, reads, margin
):
    told = isingprop("train", *SMALL, *options).out.splitlines()[0]
    known = json.loads(isingprop("runs", "run", "--json").out)["runs"][0]
    head, row = (tmp_path / "run" / "history.csv").read_text().splitlines()
    all_reads = float(dict(zip(head.split(","), row.split(","), strict=True))["train_error_reads"])
    assert told.startswith("test accuracy   ")
    _, error = told.split("; ")
    assert error == f"training error {known['train_error']:.2%}{reads.format(all_reads)}{margin}"
