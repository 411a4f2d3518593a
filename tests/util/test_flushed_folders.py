"""Names of files are on the disk, too: which folders are flushed, and what killed writers leave."""

import errno
import os
import stat
from pathlib import Path

import pytest

from isingprop.util.files import (
    flush_folder,
    folders_flushed_once,
    make_folder,
    remove_leftovers,
    write_atomically,
)
from isingprop.util.growing_file import GrowingFile


@pytest.fixture
def flushed(monkeypatch):
    """What is flushed, by the names of files and folders, in that order."""
    noted, fsync = [], os.fsync

    def note(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        noted.append(path.name + "/" if is_folder else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return noted


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_name_is_on_the_disk_after_its_content(here, flushed):
    write_atomically("new", b"1")
    assert flushed == ["file", "here/"]
    write_atomically(here / "new", b"2")
    assert flushed == ["file", "here/"] * 2


def test_several_files_may_share_a_flush_of_their_folder(here, flushed):
    (here / "other").mkdir()
    with folders_flushed_once():
        for name in ("one", "two", "other/three"):
            write_atomically(here / name, b"1")
        assert flushed == ["file"] * 3
    assert sorted(flushed[3:]) == ["here/", "other/"]
    write_atomically(here / "four", b"1")
    assert flushed[5:] == ["file", "here/"]


def test_an_error_among_several_files_leaves_no_flush_for_later(here, flushed):
    def fail():
        with folders_flushed_once():
            write_atomically("one", b"1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    write_atomically("two", b"1")
    assert flushed == ["file", "file", "here/"]


def test_a_growing_file_is_there_before_what_counts_its_records(here, flushed):
    file, records = GrowingFile(here / "grown", str), ["1"]
    with folders_flushed_once():
        file.hold(records)
        assert flushed == ["file", "here/"]
        records.append("2")
        file.hold(records)
        assert flushed == ["file", "here/", "file"]


def test_new_folders_are_on_the_disk_with_their_parents(here, flushed):
    make_folder(here / "a" / "b")
    assert flushed == ["here/", "a/"]
    make_folder(here / "a" / "b")
    assert flushed == ["here/", "a/"]
    with pytest.raises(FileExistsError):
        make_folder(here / "a" / "b", exist_ok=False)
    (here / "file").touch()
    with pytest.raises(FileExistsError):
        make_folder(here / "file")


def test_records_that_are_elsewhere_too_are_flushed_when_asked(here, flushed):
    file = GrowingFile(here / "grown", str, flushed=False)
    records = ["1"]
    file.hold(records)
    records.append("2")
    flushed.clear()
    file.hold(records)
    assert (flushed, file.path.read_text()) == ([], "12")
    file.flush()
    assert flushed == ["file"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP])
def test_file_systems_that_cannot_flush_folders_are_borne(here, monkeypatch, number):
    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    flush_folder(here)


def test_a_disk_that_fails_is_told_with_the_folder(here, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=str(here)):
        flush_folder(here)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_leftovers_are_files_of_our_own_pattern_only(here):
    left = [".model.safetensors.12.tmp", ".a.csv.3.tmp", ".b.json.4.tmp"]
    kept = ["model.tmp", ".hidden.tmp", ".x.12.tmp~", "x.12.tmp", ".12.tmp"]
    for name in (*left, *kept):
        (here / name).touch()
    (here / ".folder.5.tmp").mkdir()
    remove_leftovers(here, "*.csv", "b.json")
    assert names(here) == sorted([*kept, left[0], ".folder.5.tmp"])
    remove_leftovers(here)
    assert names(here) == sorted([*kept, ".folder.5.tmp"])
    remove_leftovers(here / "missing")
