"""Which data a run was made with, as its folder keeps it for later commands."""

import json

import pytest

from helpers.idx_files import write_folder

QUICK = ("--epochs", "1", "--hidden", "8", "--recipe", "paper", "--num-states", "1")


@pytest.fixture
def settings(tmp_path):
    return lambda: json.loads((tmp_path / "run" / "config.json").read_text())["settings"]


@pytest.mark.slow
def test_a_run_keeps_the_folder_that_the_environment_names(
    isingprop, monkeypatch, tmp_path, settings
):
    write_folder(tmp_path / "files")
    monkeypatch.setenv("ISINGPROP_DATA", "files")
    assert isingprop("train", "--data", "mnist", *QUICK, "--out", "run").code == 0
    assert settings()["data_dir"] == str(tmp_path / "files")

    monkeypatch.delenv("ISINGPROP_DATA")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = isingprop("evaluate", "../run", "--json")
    assert (done.code, json.loads(done.out)["num_test"]) == (0, 30)


@pytest.mark.slow
def test_the_environment_is_not_for_digits(isingprop, monkeypatch, tmp_path, settings):
    monkeypatch.setenv("ISINGPROP_DATA", str(tmp_path))
    assert isingprop("train", *QUICK, "--num-train", "20", "--out", "run").code == 0
    assert settings()["data_dir"] is None


def test_a_folder_that_is_not_there_is_refused_by_what_names_it(isingprop, monkeypatch, tmp_path):
    monkeypatch.setenv("ISINGPROP_DATA", str(tmp_path / "none"))
    done = isingprop("train", "--data", "mnist", *QUICK, "--out", "run")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: ISINGPROP_DATA must be a folder, got '{tmp_path / 'none'}'")
    assert not (tmp_path / "run").exists()
