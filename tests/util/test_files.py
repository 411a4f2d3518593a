"""Tests of files: whole or not at all, and what does not read."""

import errno
import os
import resource
import stat
import tempfile
from pathlib import Path

import numpy as np
import pytest

from helpers import oracle
from isingprop import BipartiteNetwork
from isingprop.network.bipartite import PARAMETERS
from isingprop.util.checked_files import FORMAT_VERSION, load_tensors, save_tensors
from isingprop.util.files import write_atomically

NOBODY = 65534


@pytest.fixture
def target(tmp_path):
    """A file that is there already, alone in its folder."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def read_only_folder():
    """A folder in which this process cannot write, even as root; with the file `model` in it."""
    folder = Path(tempfile.mkdtemp())  # not tmp_path, whose parents are closed to others altogether
    (folder / "model").write_bytes(b"old")
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    yield folder
    if user == 0:
        os.seteuid(user)
    folder.chmod(0o755)
    (folder / "model").unlink()
    folder.rmdir()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_writes_and_replaces(tmp_path):
    write_atomically(tmp_path / "file", b"one")
    write_atomically(str(tmp_path / "file"), b"two")
    assert contents(tmp_path) == {"file": b"two"}


def test_the_content_is_on_the_disk_before_the_name_is_and_then_the_name(target, monkeypatch):
    at_flush, fsync = [], os.fsync

    def look_and_flush(descriptor):
        found = os.fstat(descriptor)
        size = "folder" if stat.S_ISDIR(found.st_mode) else found.st_size
        at_flush.append((size, target.read_bytes()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look_and_flush)
    write_atomically(target, b"newer")
    assert at_flush == [(len(b"newer"), b"old"), ("folder", b"newer")]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(target, monkeypatch, call, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(call, fail)
    for path in (target, target.with_name("new")):
        with pytest.raises(type(error)) as caught:
            write_atomically(path, b"new")
        assert caught.value is error
    assert contents(target.parent) == {target.name: b"old"}


def test_a_disk_that_takes_no_more_leaves_the_old_file_and_nothing_else(target):
    """A limit on the size of files stands for the full disk: the write itself fails half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            oracle.random_network(200, 100).save(target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(target.parent) == {target.name: b"old"}


def test_a_read_only_folder(read_only_folder):
    for name in ("model", "new"):
        with pytest.raises(PermissionError, match="Permission denied"):
            oracle.random_network().save(read_only_folder / name)
    assert contents(read_only_folder) == {"model": b"old"}


def test_folders_in_the_way(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "folder", b"new")
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_tensors_and_text_come_back(tmp_path):
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.arange(6.0).reshape(2, 3).T,
    }
    save_tensors(tmp_path / "file", "thing", tensors, {"note": "α = 1"})
    loaded, metadata = load_tensors(tmp_path / "file", "thing", ("a", "b"))
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(loaded[name], tensor)
        assert loaded[name].dtype == tensor.dtype
    assert metadata == {
        "format": "isingprop-thing",
        "format_version": FORMAT_VERSION,
        "note": "α = 1",
    }


def saved(path, *, kind="network", drop=None, bad=None, version=FORMAT_VERSION, **metadata):
    """A network's file, with what is wrong with it as options."""
    parameters = dict(oracle.random_network().parameters())
    if bad is not None:
        parameters["couplings"] = np.full_like(parameters["couplings"], bad)
    parameters.pop(drop, None)
    save_tensors(
        path, kind, parameters, {"num_classes": "3", "format_version": version, **metadata}
    )


def test_what_is_not_a_networks_file_is_refused(tmp_path, assert_refused):
    path = tmp_path / "model"
    saved(path, kind="checkpoint")
    refusal = f"ValueError: {path} must be an isingprop-network file, got 'isingprop-checkpoint'"
    assert_refused(lambda: BipartiteNetwork.load(path), refusal)
    saved(path, version="3")
    refusal = (
        f"ValueError: {path} must have format version 2, got '3': it was written by another version"
    )
    assert_refused(lambda: BipartiteNetwork.load(path), refusal)
    saved(path, drop="couplings")
    refusal = f"ValueError: {path} must hold {', '.join(PARAMETERS)}, got no couplings"
    assert_refused(lambda: BipartiteNetwork.load(path), refusal)


def test_a_networks_file_that_makes_no_sense_is_refused(tmp_path, assert_refused):
    path = tmp_path / "model"
    saved(path, bad=np.nan)
    assert_refused(
        lambda: BipartiteNetwork.load(path), "ValueError: couplings must be finite, got nan"
    )
    saved(path, num_classes="4")
    refusal = "ValueError: couplings must have a multiple of num_classes = 4 columns, got 6"
    assert_refused(lambda: BipartiteNetwork.load(path), refusal)
    save_tensors(path, "network", oracle.random_network().parameters(), {})
    assert_refused(lambda: BipartiteNetwork.load(path), f"ValueError: {path} must")


def test_what_is_no_safetensors_file_is_refused(tmp_path, assert_refused):
    path = tmp_path / "model"
    saved(path)
    whole = path.read_bytes()
    for content in (b"", b"garbage", b"\\xff" * 100, whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        refusal = f"ValueError: {path} must be a safetensors file, got one that does not read: "
        assert_refused(lambda: BipartiteNetwork.load(path), refusal)


def test_no_file(tmp_path, assert_refused):
    for path in (tmp_path / "model", tmp_path):
        assert_refused(
            lambda path=path: BipartiteNetwork.load(path),
            f"FileNotFoundError: no network file at {path}",
        )
