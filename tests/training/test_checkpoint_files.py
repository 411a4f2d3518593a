"""Checkpoints of long histories: what is on disk at any instant, and what a save costs."""

import json
import os
import shutil
from functools import lru_cache

import pytest

from helpers.training.saved_files import bytes_per_save, contents, states_after_a_kill
from helpers.training.training_runs import DATA, bits, make, without_seconds
from isingprop.training import checkpoints
from isingprop.util.checked_files import load_tensors

SECOND = "checkpoint.history.jsonl"
EPOCHS, BLOCK = 11, 3


@pytest.fixture
def short_blocks(monkeypatch):
    monkeypatch.setattr(checkpoints, "_BLOCK", BLOCK)


@pytest.fixture
def long_run(tmp_path, short_blocks):
    """A run with its records in two files."""
    return trained(make(), tmp_path / "checkpoint", EPOCHS)


def trained(trainer, path, epochs):
    for _ in trainer.train(DATA, epochs):
        trainer.save_checkpoint(path)
    return trainer


def restored(path):
    trainer = make()
    trainer.restore(path)
    return trainer


def put(folder, files):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_a_long_history_is_in_two_files_and_comes_back(tmp_path, long_run):
    assert set(contents(tmp_path)) == {"checkpoint", SECOND}
    lines = (tmp_path / SECOND).read_text().splitlines()
    assert 0 < EPOCHS - len(lines) < BLOCK, "the latest records are in the checkpoint"
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, len(lines) + 1))
    twin = restored(tmp_path / "checkpoint")
    assert (bits(twin), twin.history) == (bits(long_run), long_run.history)


def test_one_save_is_one_file_with_all_records(tmp_path, long_run):
    for name in ("other", "again"):
        long_run.save_checkpoint(tmp_path / name)
        assert not (tmp_path / f"{name}.history.jsonl").exists()
        _, text = load_tensors(tmp_path / name, "checkpoint", ())
        assert [record["epoch"] for record in json.loads(text["history"])] == [
            *range(1, EPOCHS + 1)
        ]
        assert restored(tmp_path / name).history == long_run.history


def test_a_short_run_is_one_file_however_often_it_is_saved(tmp_path):
    trainer = trained(make(), tmp_path / "checkpoint", 4)
    assert set(contents(tmp_path)) == {"checkpoint"}
    assert restored(tmp_path / "checkpoint").history == trainer.history


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 5, 8], ids="from epoch {}".format)
def test_a_run_killed_at_any_write_goes_on_to_the_bits_of_one_never_stopped(
    tmp_path, monkeypatch, short_blocks, first
):
    """Killed in a first process, or in a second one that went on from a checkpoint."""
    whole, folder = make(), tmp_path / "run"
    steps = [bits(whole)] + [bits(whole) for _ in whole.train(DATA, EPOCHS)]
    folder.mkdir()
    trainer = trained(make(), folder / "checkpoint", first) if first else make()
    if first:
        trainer = restored(folder / "checkpoint")

    with monkeypatch.context() as patches:
        states = states_after_a_kill(
            folder, patches, lambda: trained(trainer, folder / "checkpoint", EPOCHS - first)
        )

    epochs = set()
    for files in states:
        put(folder, files)
        twin = make()
        if "checkpoint" in files:
            twin.restore(folder / "checkpoint")
        epochs.add(done := len(twin.history))
        assert bits(twin) == steps[done]
        if done < EPOCHS:
            trained(twin, folder / "checkpoint", EPOCHS - done)
        last = restored(folder / "checkpoint")
        assert bits(last) == bits(twin) == steps[-1]
        assert without_seconds(last.history) == without_seconds(whole.history)
    assert epochs == set(range(first, EPOCHS + 1))


@pytest.mark.slow
def test_a_save_costs_the_same_after_1500_epochs_as_after_100(tmp_path, monkeypatch):
    """In bytes, and in records that are turned into text."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    trainer, path, encoded = make(), tmp_path / "checkpoint", []
    as_json, block = checkpoints._as_json.__wrapped__, checkpoints._BLOCK
    counted = lru_cache(2 * block)(lambda record: encoded.append(record) or as_json(record))
    monkeypatch.setattr(checkpoints, "_as_json", counted)
    trained(trainer, path, 1)
    sizes = []
    for first in (100, 1500):
        sizes.append(
            bytes_per_save(tmp_path, trainer, lambda: trainer.save_checkpoint(path), first, block)
        )
        assert len(encoded) == len(trainer.history), "each record is turned into text once"
    # Of numbers of two digits or three, and of four: those of the records of half a block.
    assert abs(sizes[1] - sizes[0]) < 2 * block


@pytest.mark.parametrize("spoil", ["missing", "cut", "changed"])
def test_a_checkpoint_without_its_earlier_records_is_refused(
    assert_refused, tmp_path, long_run, spoil
):
    path, second = tmp_path / "checkpoint", tmp_path / SECOND
    content = second.read_bytes()
    counted = json.loads(load_tensors(path, "checkpoint", ())[1]["earlier_history"])
    if spoil == "missing":
        second.unlink()
        refusal = (
            f"FileNotFoundError: no history file at {second}, which {path} needs: "
            "keep the two together"
        )
    else:
        second.write_bytes(content[:-1] if spoil == "cut" else b" " + content[1:])
        refusal = (
            f"ValueError: {second} must begin with the {counted['records']} records that {path} "
            "counts, got other bytes"
        )
    trainer = make()
    assert_refused(lambda: trainer.restore(path), refusal)
    assert trainer.history == []
    # The trainer that still has the records makes both files whole.
    trained(long_run, path, BLOCK)
    assert restored(path).history == long_run.history


def test_another_history_in_the_same_trainer_is_not_mixed_with_the_first(tmp_path, long_run):
    other = trained(make(), tmp_path / "other", EPOCHS - 2)
    long_run.restore(tmp_path / "other")
    for epochs in (1, BLOCK):
        trained(long_run, tmp_path / "checkpoint", epochs)
        twin = restored(tmp_path / "checkpoint")
        assert twin.history == long_run.history
    assert twin.history[: EPOCHS - 2] == other.history


def test_a_copy_of_the_checkpoint_in_its_folder_stays_good_while_the_run_goes_on(
    tmp_path, long_run
):
    records = list(long_run.history)
    shutil.copy(tmp_path / "checkpoint", tmp_path / "copy")
    trained(long_run, tmp_path / "checkpoint", 2 * BLOCK)
    assert restored(tmp_path / "copy").history == records


@pytest.mark.slow
def test_a_run_killed_over_the_checkpoint_of_another_leaves_one_of_the_two(
    tmp_path, monkeypatch, short_blocks
):
    """The other has its records in the file that the new run will use."""
    folder, scratch = tmp_path / "run", tmp_path / "scratch"
    folder.mkdir()
    old, new = trained(make(), folder / "checkpoint", EPOCHS), make(seed=4)
    new.fit(DATA, EPOCHS)
    with monkeypatch.context() as patches:
        states = states_after_a_kill(
            folder, patches, lambda: trained(new, folder / "checkpoint", 3 * BLOCK)
        )

    first = []
    for files in states:
        put(scratch, files)
        try:
            twin = restored(scratch / "checkpoint")
        except ValueError:
            twin = make(seed=4)
            twin.restore(scratch / "checkpoint")
        run = old if twin.seed == old.seed else new
        assert twin.history == run.history[: len(twin.history)]
        first.append(run is old)
    assert any(first)
    assert not all(first)
