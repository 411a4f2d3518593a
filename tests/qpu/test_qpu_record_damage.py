"""Records of calls: other processes, damaged files and full disks."""

import json
import os
import signal
import socket
import subprocess

import numpy as np
import pytest

import isingprop as ip
from helpers import TESTS, tolerances
from helpers.dwave.qpu_records import (
    SETTINGS,
    TIMING,
    a_call,
    contents,
    damaged,
    fail_for_want_of_space,
    has,
    random_samples,
)
from helpers.processes import started
from isingprop.qpu.calls.record import Index, Record
from isingprop.util import checked_files
from isingprop.util.checked_files import save_tensors

HOLDER = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(TESTS)!r})
from isingprop.qpu.calls.record import Record
from helpers.dwave.qpu_records import a_call
record = Record.of(Path(sys.argv[1]), {SETTINGS!r})
record.begin(a_call())
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_another_process_is_refused_until_the_first_one_ends_however_it_ends(tmp_path, death):
    with started("-c", HOLDER, str(tmp_path), stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError) as caught:
            Record.of(tmp_path, SETTINGS)
        assert str(caught.value) == (
            f"{tmp_path} must be written by one process at a time, "
            f"got process {holder.pid} on {socket.gethostname()} at work"
        )

        holder.send_signal(death)
        holder.wait(timeout=tolerances.PROCESS_SECONDS)
    assert list(Record.of(tmp_path, SETTINGS).index.pending) == ["isingprop-1"]


def test_reading_takes_no_lock(record, tmp_path):
    call = a_call()
    record.begin(call)
    record.finish(call, random_samples(call), TIMING)
    assert has(Index(tmp_path), "first")
    assert repr(ip.Replay(tmp_path)) == f"Replay({str(tmp_path)!r})"


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "empty": lambda path: path.write_bytes(b""),
    "cut in the header": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "text": lambda path: path.write_text(
        "not safetensors at all, but long enough to be read as such"
    ),
    "another kind": lambda path: save_tensors(path, "model", {"samples": np.zeros(3)}, {}),
    "an earlier kind": lambda path: save_tensors(path, "qpu-answer", {"samples": np.zeros(3)}, {}),
    "without arrays": lambda path: save_tensors(
        path, "qpu-call", {"samples": np.zeros(3)}, {"call": "{}"}
    ),
    "without a call": lambda path: resaved(path, None),
    "a call that is no JSON": lambda path: resaved(path, "{"),
    "a call that is a list": lambda path: resaved(path, "[1]"),
    "a call with a field too many": lambda path: resaved(path, "added"),
}


def resaved(path, head):
    arrays, metadata = checked_files.load_tensors(path, "qpu-call", ())
    if head == "added":
        head = json.dumps(json.loads(metadata["call"]) | {"colour": "red"})
    save_tensors(path, "qpu-call", arrays, {} if head is None else {"call": head})


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_no_call_is_refused_by_name(tmp_path, damage):
    path = damaged(tmp_path, DAMAGES[damage])
    before = contents(tmp_path)
    for make in (
        lambda: Record.of(tmp_path, SETTINGS),
        lambda: Index(tmp_path),
        lambda: ip.Replay(tmp_path),
    ):
        with pytest.raises(ValueError, match="must") as caught:
            make()
        assert str(caught.value).startswith(f"{path} must ")
        assert "\n" not in str(caught.value)
    assert contents(tmp_path) == before


def test_a_file_of_another_version_is_refused_by_name(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(checked_files, "FORMAT_VERSION", "0")
        path = damaged(tmp_path, lambda _: None)
    with pytest.raises(ValueError, match="format version 2, got '0'") as caught:
        Index(tmp_path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "\xff"])
def test_settings_that_do_not_read_are_refused_by_name(tmp_path, text):
    damaged(tmp_path, lambda _: (tmp_path / "settings.json").write_bytes(text.encode("latin-1")))
    for make in (lambda: Record.of(tmp_path, SETTINGS), lambda: ip.Replay(tmp_path)):
        with pytest.raises(
            ValueError, match=r"settings\.json must hold the settings of a sampler, got"
        ) as caught:
            make()
        assert str(caught.value).startswith(f"{tmp_path / 'settings.json'} must ")


def test_a_folder_without_settings_is_no_record(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="must be a folder of recorded answers, got one without settings"
    ):
        ip.Replay(tmp_path)
    with pytest.raises(FileNotFoundError, match="must be a folder of recorded answers"):
        ip.Replay(tmp_path / "not there")


def test_an_answer_without_samples_is_refused_by_name(tmp_path):
    def without_samples(path):
        arrays, metadata = checked_files.load_tensors(path, "qpu-call", ())
        del arrays["samples"]
        save_tensors(path, "qpu-call", arrays, metadata)

    path = damaged(tmp_path, without_samples)
    with pytest.raises(ValueError, match="got no samples") as caught:
        Index(tmp_path).reads("first")
    assert str(caught.value).startswith(str(path))


@pytest.fixture
def full_disk(monkeypatch):
    """A switch: from then on nothing can be flushed to the disk."""

    def fill():
        monkeypatch.setattr(os, "fsync", fail_for_want_of_space)

    return fill


@pytest.mark.parametrize("step", ["begin", "identify", "finish"])
def test_a_full_disk_leaves_what_was_there(tmp_path, record, full_disk, step):
    answered = a_call("isingprop-0", requests=("before",))
    record.begin(answered)
    record.finish(answered, random_samples(answered), TIMING)
    call = a_call()
    if step != "begin":
        record.begin(call)
    before, pending = contents(tmp_path), set(record.index.pending)
    full_disk()
    steps = {
        "begin": lambda: record.begin(call),
        "identify": lambda: record.identify(call, "id-7"),
        "finish": lambda: record.finish(call, random_samples(call), TIMING),
    }
    with pytest.raises(OSError, match="No space left on device"):
        steps[step]()
    assert contents(tmp_path) == before
    assert set(record.index.pending) == set(Index(tmp_path).pending) == pending
    assert has(record.index, "before")
    assert not has(record.index, "first")
    assert record.index.seconds == pytest.approx(0.01525)


def test_a_full_disk_stops_a_new_record(tmp_path, full_disk):
    full_disk()
    with pytest.raises(OSError, match="No space left on device"):
        Record.of(tmp_path / "qpu", SETTINGS).begin(a_call())
    assert not (tmp_path / "qpu" / "settings.json").exists()


def test_temporary_files_of_a_killed_process_are_no_answers(tmp_path, record):
    (tmp_path / ".isingprop-1.safetensors.4711.tmp").write_bytes(b"half an answer")
    assert Index(tmp_path).pending == {}
