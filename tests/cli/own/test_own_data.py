"""`isingprop train --data` with files and folders of the user's own."""

import json

import numpy as np
import pytest

import isingprop as ip
from helpers.own_files import bars, pixel_names, write_csv, write_idx, write_pictures

QUICK = ("--hidden", "8", "--epochs", "2")
IMAGES, LABELS = bars(60)
KINDS = "digits, mnist, fashion-mnist, openml:NAME, or a file or folder that is there"


def settings(folder):
    return json.loads((folder / "config.json").read_text())["settings"]


def test_the_data_are_described_and_the_model_knows_them(train, table, tmp_path):
    done = train("bars.csv")
    images = ip.ImageSet.from_file(table)
    lines = done.err.splitlines()
    assert lines[:3] == [f"isingprop: {note}" for note in images.notes]
    assert lines[0] == (
        "isingprop: bars: 48 training and 12 test images of 144 values; 2 classes: flat, upright"
    )
    kept = settings(tmp_path / "run")
    assert (kept["data"], kept["data_sha256"]) == (str(table), images.checksum)

    model = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    assert model.class_names == ("flat", "upright")
    assert model.input_format.column_names == images.input_format.column_names
    assert model.input_format.scaling.limit == 255
    assert model.beta is not None


def test_a_label_and_counts(train, tmp_path):
    write_csv(tmp_path / "a.csv", IMAGES, LABELS, names=["shape", *pixel_names(144)[1:]])
    train("a.csv", "--label", "shape", "--num-train", "20", "--num-test", "6")
    kept = settings(tmp_path / "run")
    assert (kept["label"], kept["num_train"]) == ("shape", 20)
    evaluated = ip.ImageSet.from_file(tmp_path / "a.csv", label="shape", num_test=6)
    assert len(evaluated.test_images) == 6


@pytest.mark.parametrize("kind", ["npz", "idx", "pictures"])
def test_other_kinds_of_files(train, isingprop, tmp_path, kind):
    if kind == "npz":
        np.savez(tmp_path / "own.npz", X=IMAGES, y=LABELS)
    elif kind == "idx":
        write_idx(tmp_path / "own" / "train-images.idx3-ubyte", IMAGES)
        write_idx(tmp_path / "own" / "train-labels.idx1-ubyte", LABELS.astype(np.uint8))
    else:
        write_pictures(tmp_path / "own", IMAGES, LABELS)
    train("own.npz" if kind == "npz" else "own")
    model = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    assert model.input_format.image_shape == (12, 12)
    told = json.loads(isingprop("evaluate", "run", "--json").out)
    assert told["num_test"] == 12


def test_the_folder_of_a_run_is_named_like_its_data(isingprop, table, tmp_path):
    done = isingprop("train", "--data", "bars.csv", *QUICK)
    assert done.code == 0, done.err
    assert (tmp_path / "runs" / "bars-1" / "model.safetensors").is_file()


@pytest.mark.slow
def test_a_run_goes_on_from_another_folder(train, isingprop, table, tmp_path, monkeypatch):
    """To the bits of one that was never stopped."""
    train("bars.csv", "--schedule", "constant")
    monkeypatch.chdir(tmp_path.parent)
    run = tmp_path / "run"
    assert isingprop("train", "--resume", run, "--epochs", "4").code == 0
    monkeypatch.chdir(tmp_path)
    whole = (
        "train",
        "--data",
        "bars.csv",
        "--hidden",
        "8",
        "--epochs",
        "4",
        "--schedule",
        "constant",
    )
    assert isingprop(*whole, "--out", "whole").code == 0
    first, second = (
        ip.BipartiteNetwork.load(folder / "model.safetensors")
        for folder in (run, tmp_path / "whole")
    )
    np.testing.assert_array_equal(first.input_weights, second.input_weights)


def test_a_finished_run_that_is_resumed_keeps_what_its_model_knows(
    train, isingprop, table, tmp_path
):
    train("bars.csv")
    assert isingprop("train", "--resume", "run").code == 0
    model = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    assert model.class_names == ("flat", "upright")
    assert model.input_format.scaling.limit == 255


@pytest.mark.slow
@pytest.mark.parametrize("command", [("train", "--epochs", "3", "--resume"), ("evaluate",)])
def test_a_changed_file_is_refused_by_its_name(train, isingprop, table, command):
    train("bars.csv")
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *lines[2:], lines[1]]))
    done = isingprop(*command, "run")
    assert (done.code, done.out) == (1, "")
    (error,) = done.err.splitlines()
    start = f"Error: {table} must hold the images that the run began with (SHA-256 "
    assert error.startswith(start)

    table.unlink()
    done = isingprop(*command, "run")
    assert done == (1, "", f"Error: no file or folder at {table}\n")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--data", "none.csv"), 2, f"--data must be {KINDS}, got none.csv"),
        (
            ("--data", "digits", "--label", "x"),
            2,
            "--label must go with a table of your own, got --data digits",
        ),
        (
            ("--data", "bars.csv", "--data-dir", "."),
            1,
            "--data-dir cannot be given for {table}, got {folder}",
        ),
        (
            ("--data", "bars.csv", "--label", "x"),
            1,
            "--label must name the column of labels in {table}, or be its number from 0, got 'x' "
            "for columns label, pixel0, pixel1, pixel2, pixel3, pixel4, pixel5, pixel6, pixel7, "
            "pixel8 and 135 more",
        ),
        (("--data", "bad.csv"), 1, "{folder}/bad.csv, line 3: must have 2 columns, got 1"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    isingprop, table, tmp_path, options, code, message
):
    (tmp_path / "bad.csv").write_text("a,label\n1,x\n2\n")
    before = sorted(tmp_path.iterdir())
    done = isingprop("train", *options, *QUICK)
    assert (done.code, done.out) == (code, "")
    (line,) = done.err.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(message.format(table=table, folder=tmp_path))
    assert sorted(tmp_path.iterdir()) == before
