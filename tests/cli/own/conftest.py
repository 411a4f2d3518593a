"""Runs on the user's own images."""

import pytest

from helpers.own_files import bars, pixel_names, write_csv
from isingprop.cli import run_folder

QUICK = ("--hidden", "8", "--epochs", "2")


@pytest.fixture(autouse=True)
def _no_picture_of_a_training(monkeypatch):
    """It takes longer than the training."""
    monkeypatch.setattr(run_folder, "history_png", lambda *_: b"")


@pytest.fixture
def table(tmp_path):
    """A table of 60 images of 12 x 12 pixels, labelled flat and upright."""
    images, labels = bars(60)
    names = [("flat", "upright")[label] for label in labels]
    return write_csv(tmp_path / "bars.csv", images, names, names=pixel_names(144))


@pytest.fixture
def train(isingprop):
    """Makes the run folder `run` from a file or folder."""

    def train(data, *options):
        done = isingprop("train", "--data", data, *QUICK, *options, "--out", "run")
        assert done.code == 0, done.err
        return done

    return train
