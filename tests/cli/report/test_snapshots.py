"""`isingprop train --snapshots`: the model of each epoch in the run folder."""

import numpy as np
import pytest

import isingprop as ip
from helpers.cli import cli_runs
from isingprop.cli.report.snapshots import evenly_spaced, snapshot_path, snapshot_paths
from isingprop.cli.run_folder import RunFolder

TRAIN = ("train", "--num-train", "30", "--num-test", "20", "--hidden", "8")


@pytest.fixture
def isingprop(tmp_path):
    """Runs the command in tmp_path, without its picture."""
    return lambda *arguments: cli_runs.isingprop(*arguments, cwd=tmp_path)


def contents(folder):
    return {path.name: path.read_bytes() for path in snapshot_paths(folder).values()}


@pytest.mark.slow
def test_the_model_of_each_epoch_is_kept(isingprop, tmp_path):
    options = "--epochs", "2", "--snapshots", "--sampler", "class-states", "--average-from", "2"
    assert isingprop(*TRAIN, *options, "--out", "run").returncode == 0
    run = RunFolder.open(tmp_path / "run")
    kept = snapshot_paths(run.path)
    assert list(kept) == [0, 1, 2]
    assert sorted((tmp_path / "run" / "snapshots").iterdir()) == list(kept.values())

    images = run.settings.load_data()
    trainer = run.settings.make_trainer(images)
    expected = [trainer.network.with_arrays(copied(trainer.network))]
    for _ in trainer.train(images, 2):
        expected.append(trainer.model.with_arrays(copied(trainer.model)))
    for epoch, network in enumerate(expected):
        found = ip.BipartiteNetwork.load(kept[epoch]).parameters()
        for name, array in network.parameters().items():
            np.testing.assert_array_equal(found[name], array)
    assert not np.array_equal(trainer.network.couplings, expected[2].couplings), "the average"


def copied(network):
    return {name: array.copy() for name, array in network.parameters().items()}


@pytest.mark.slow
@pytest.mark.parametrize("hidden", ["8", "8,6"])
def test_a_resumed_run_keeps_the_same_models(isingprop, tmp_path, hidden):
    options = "--hidden", hidden, "--snapshots", "--schedule", "constant"
    assert isingprop(*TRAIN, *options, "--epochs", "3", "--out", "whole").returncode == 0
    assert isingprop(*TRAIN, *options, "--epochs", "1", "--out", "two").returncode == 0
    snapshot_path(tmp_path / "two", 1).unlink()  # killed between the checkpoint and the snapshot
    assert isingprop("train", "--resume", "two", "--epochs", "3").returncode == 0
    assert len(contents(tmp_path / "two")) == 4
    assert contents(tmp_path / "two") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_resumed_run_may_begin_and_cease_to_keep_them(isingprop, tmp_path):
    assert isingprop(*TRAIN, "--epochs", "2", "--out", "run").returncode == 0
    assert not (tmp_path / "run" / "snapshots").exists()
    assert isingprop("train", "--resume", "run", "--epochs", "3", "--snapshots").returncode == 0
    assert list(snapshot_paths(tmp_path / "run")) == [2, 3]
    assert isingprop("train", "--resume", "run", "--epochs", "4").returncode == 0
    assert isingprop("train", "--resume", "run", "--epochs", "5", "--no-snapshots").returncode == 0
    assert list(snapshot_paths(tmp_path / "run")) == [2, 3, 4]


def test_other_files_are_no_snapshots(tmp_path):
    path = snapshot_path(tmp_path, 12)
    path.parent.mkdir()
    for name in (path.name, ".epoch-00001.safetensors.9.tmp", "epoch-x.safetensors", "notes"):
        (path.parent / name).touch()
    assert snapshot_paths(tmp_path) == {12: path}
    assert snapshot_paths(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 17, 31, 1000])
def test_epochs_are_evenly_spaced(count):
    epochs = list(range(5, 5 + count))
    found = evenly_spaced(epochs, 16)
    assert len(found) == min(count, 16)
    assert found[0] == 5
    assert found[-1] == 4 + count
    steps = np.diff(found)
    assert count == 1 or (steps.min() >= 1 and np.ptp(steps) <= 1)
