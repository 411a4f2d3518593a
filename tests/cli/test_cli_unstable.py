"""What `isingprop train` says of a training whose learning rate is too large."""

import csv
import json
from pathlib import Path

QUICK = ("--num-train", "100", "--num-test", "100", "--hidden", "20", "--epochs", "4")


def test_a_mad_rate_is_told_in_progress_summary_and_history(isingprop):
    done = isingprop("train", *QUICK, "--learning-rate", "10", "--out", "run")
    assert done.code == 0, done.err
    told = [line for line in done.err.splitlines() if "unstable" in line]
    assert len(told) == 1
    assert told[0].startswith("isingprop: training is unstable in epoch 1: the parameters became ")
    assert "Warning" not in done.err
    summary = [line for line in done.out.splitlines() if line.startswith("unstable")]
    assert summary == ["unstable        in epoch 1: begin a new run with a smaller --learning-rate"]
    with Path("run/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["unstable"] == "True"

    again = isingprop("train", "--resume", "run", "--epochs", "5", "--json")
    assert json.loads(again.out)["first_unstable_epoch"] == 1
    assert "unstable" not in again.err


def test_a_usual_rate_is_not(isingprop):
    done = isingprop("train", *QUICK, "--out", "run", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["first_unstable_epoch"] is None
    assert "unstable" not in done.err
    with Path("run/history.csv").open() as file:
        assert [row["unstable"] for row in csv.DictReader(file)] == ["False"] * 4
