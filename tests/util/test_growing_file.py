"""Files that grow by a line for each record: what is written, when, and what an error leaves."""

import errno
import hashlib
import os

import pytest

from isingprop.util.growing_file import GrowingFile


def line(record):
    return f"{record}\n"


@pytest.fixture
def grown(tmp_path):
    """A file with a header and two records, and the list that it holds."""
    records = ["one", "two"]
    file = GrowingFile(tmp_path / "file", line, header="records\n")
    file.hold(records)
    return file, records


def test_only_new_lines_are_written(grown):
    file, records = grown
    before = file.path.stat().st_ino
    lines = []
    file._line = lambda record: lines.append(record) or line(record)
    records += ["three", "four"]
    assert file.begins(records)
    file.hold(records)
    assert lines == ["three", "four"]
    assert file.path.read_text() == "records\none\ntwo\nthree\nfour\n"
    assert file.path.stat().st_ino == before, "the file was replaced"
    content = file.path.read_bytes()
    assert (file.count, file.size, file.sha256) == (
        4,
        len(content),
        hashlib.sha256(content).hexdigest(),
    )


def test_the_first_call_replaces_what_was_there(tmp_path):
    (tmp_path / "file").write_text("of another run\n" * 9)
    GrowingFile(tmp_path / "file", line).hold(["one"])
    assert (tmp_path / "file").read_text() == "one\n"
    GrowingFile(tmp_path / "file", line).hold([])
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.parametrize("records", [[], ["one"], ["one", "other"], ["a", "b", "c"]])
def test_another_list_is_written_whole(grown, records):
    file, _ = grown
    assert not file.begins(records)
    file.hold(records)
    assert file.path.read_text() == "records\n" + "".join(map(line, records))
    content = file.path.read_bytes()
    assert (file.count, file.size, file.sha256) == (
        len(records),
        len(content),
        hashlib.sha256(content).hexdigest(),
    )


@pytest.mark.parametrize("content", [None, b"", b"records\none\n", b"records\nONE\ntwo\nmore\n"])
def test_a_file_that_somebody_changed_is_made_whole(grown, content):
    file, records = grown
    if content is None:
        file.path.unlink()
    else:
        file.path.write_bytes(content)
    file.hold([*records, "three"])
    assert file.path.read_text() == "records\none\ntwo\nthree\n"


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_a_failure_adds_nothing(grown, monkeypatch, error):
    file, records = grown
    flush, before = os.fsync, file.path.read_bytes()
    at_flush = []

    def fail(descriptor):
        at_flush.append(file.path.read_bytes())
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)) as caught:
        file.hold([*records, "three"])
    assert caught.value is error
    assert isinstance(error, KeyboardInterrupt) or error.filename == str(file.path)
    assert at_flush == [before + b"three\n"]
    assert file.path.read_bytes() == before
    assert [path.name for path in file.path.parent.iterdir()] == ["file"]
    monkeypatch.setattr(os, "fsync", flush)
    file.hold([*records, "three", "four"])
    assert file.path.read_bytes() == before + b"three\nfour\n"
