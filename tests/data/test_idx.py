"""IDX files: what is read, what is refused and in which words."""

import doctest
import gzip
import re
import tracemalloc

import numpy as np
import pytest

from helpers.idx_files import header, idx, refusal, spoiled
from isingprop.data import idx as module
from isingprop.data.idx import read_idx

MAGIC = "must start with 00 00 08 and 01 to 20 (its dimensions), got "

WHOLE = gzip.compress(idx(np.arange(200)), mtime=0)


plain_or_gzip = pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])


@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 3, 2), (1,) * 32])
@plain_or_gzip
def test_the_content_tells_how_to_read_not_the_name(tmp_path, shape, pack):
    array = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    for name in ("file", "file.gz"):
        (tmp_path / name).write_bytes(pack(idx(array)))
        read = read_idx(tmp_path / name)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, array, strict=True)


def test_what_is_read_can_be_written_to(tmp_path):
    (tmp_path / "file").write_bytes(idx(np.arange(3)))
    read = read_idx(str(tmp_path / "file"))
    read[0] = 9
    np.testing.assert_array_equal(read, [9, 1, 2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", MAGIC + "nothing"),
        (b"\0\0\x08", MAGIC + "00 00 08"),
        (b"<html></html>", MAGIC + "3c 68 74 6d"),
        (b"\0\0\x0d\x01" + b"\0\0\0\1" + b"\0\0\0\0", MAGIC + "00 00 0d 01"),
        (b"\0\1\x08\x01" + b"\0\0\0\1" + b"\7", MAGIC + "00 01 08 01"),
        (header(), MAGIC + "00 00 08 00"),
        (header(*[1] * 33) + b"\7", MAGIC + "00 00 08 21"),
        (header(7, 28, 28)[:10], "must hold a header of 16 bytes, got 10"),
        (header(5) + bytes(4), "must hold 5 bytes of data, shape (5,), got 4"),
        (header(0, 28, 28), "must hold some bytes of data, shape (0, 28, 28), got 0"),
    ],
)
@plain_or_gzip
def test_refuses_what_is_not_idx(tmp_path, content, message, pack):
    path = tmp_path / "file"
    path.write_bytes(pack(content))
    with pytest.raises(ValueError, match=refusal(f"{path} {message}")):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "message", "got", "got_by_gzip"),
    [
        (
            header(60_000, 28, 28) + bytes(1000),
            "must hold 47040000 bytes of data, shape (60000, 28, 28)",
            "1000",
            "a file of {held}, which unpack to {most} at most",
        ),
        (
            header(*[2**32 - 1] * 3) + b"\0",
            f"must hold {(2**32 - 1) ** 3} bytes of data, shape {(2**32 - 1,) * 3}",
            "1",
            "a file of {held}, which unpack to {most} at most",
        ),
        (header(5) + bytes(6), "must hold 5 bytes of data, shape (5,)", "6", "more"),
        (header(5) + bytes(2**21), "must hold 5 bytes of data, shape (5,)", "2097152", "more"),
    ],
)
def test_sizes_that_are_wrong(tmp_path, content, message, got, got_by_gzip):
    packed = gzip.compress(content)
    got_by_gzip = got_by_gzip.format(held=len(packed), most=1032 * len(packed))
    for written, found in ((content, got), (packed, got_by_gzip)):
        (tmp_path / "file").write_bytes(written)
        with pytest.raises(
            ValueError, match=refusal(f"{tmp_path / 'file'} {message}, got {found}")
        ):
            read_idx(tmp_path / "file")


@pytest.mark.parametrize("start", [b"", header(5), header(2**20), header(2**31)], ids=len)
def test_a_megabyte_that_unpacks_to_a_gigabyte_takes_little_memory(tmp_path, start):
    zeros = gzip.compress(bytes(2**20), mtime=0)
    content = gzip.compress(start) + zeros * (2**20 // len(zeros))
    assert len(content) < 2**20 + 100
    (tmp_path / "file").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"file must (start with|hold)"):
            read_idx(tmp_path / "file")
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_a_file_of_several_members_is_one(tmp_path):
    """As `cat a.gz b.gz` and bgzip make them."""
    content = idx(np.arange(200))
    parts = [content[:3], content[3:7], content[7:90], b"", content[90:]]
    (tmp_path / "file").write_bytes(b"".join(map(gzip.compress, parts)))
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), np.arange(200))


def test_zeros_that_compress_as_well_as_they_can_are_read(tmp_path):
    """The bound on what a file may unpack to is deflate's own."""
    array = np.zeros(2**20, np.uint8)
    (tmp_path / "file").write_bytes(gzip.compress(idx(array), compresslevel=9))
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), array)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(WHOLE[: len(WHOLE) // 2], id="cut off"),
        pytest.param(WHOLE[:2], id="only its magic"),
        pytest.param(spoiled(WHOLE, 10), id="deflate data that are none"),
        pytest.param(spoiled(WHOLE, len(WHOLE) - 8), id="wrong checksum"),
        pytest.param(spoiled(WHOLE, 2), id="unknown method"),
        pytest.param(WHOLE + b"more", id="trailing bytes"),
    ],
)
def test_refuses_gzip_that_does_not_unpack(tmp_path, content):
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    start = re.escape(f"{path} must unpack with gzip, got {len(content)} bytes that do not: ")
    with pytest.raises(ValueError, match=f"^{start}[^\n]+$"):
        read_idx(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        read_idx(tmp_path / "nothing-here")


def test_the_example_in_the_docstring():
    failed, attempted = doctest.testmod(module)
    assert (failed, attempted) == (0, 2)
