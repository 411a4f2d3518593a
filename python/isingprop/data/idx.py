"""Reader of IDX files, the format in which MNIST is published."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTES = b"\0\0\x08"  # the first bytes of a file: two zeros, then the data type
# All types of the format, by their byte, most significant byte first.
_BYTE = 8
TYPES = {_BYTE: ">u1", 9: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 32  # NumPy's own limit before 2.0
GZIP_START = b"\x1f\x8b"
_MAX_EXPANSION = 1032  # deflate's own limit: 258 bytes for two bits, and less with gzip's headers
_PORTION_BYTES = 2**20  # memory grows with what is there, not with what a header announces

_Stream = BufferedReader | gzip.GzipFile


def read_idx(path: str | os.PathLike[str], *, any_type: bool = False) -> NDArray[Any]:
    """Reads an IDX file of unsigned bytes; gzip is recognised by the content, not by the name.

    The layout is: 00 00 08 (or another type in place of 08), one byte for the number of dimensions,
    each size as a big-endian 32-bit number, then the data in row-major order. No more is unpacked
    than these sizes announce, and nothing if a file of its size cannot hold as much.

    Args:
        path: the file.
        any_type: whether other numbers than unsigned bytes may be in it.

    Returns:
        The array, uint8 or of the type that the file states, in the shape that it states.

    Raises:
        ValueError: for a file that is not IDX of unsigned bytes, does not unpack, or holds no data,
            too little or too much.
        OSError: for a file that cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = Path(file.name).write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        ...     read_idx(file.name)
        array([7, 2, 1], dtype=uint8)

    References:
        LeCun, Cortes & Burges, "The MNIST database of handwritten digits", section on file
        formats.
    """
    path = Path(path)
    allowed = TYPES if any_type else {_BYTE: TYPES[_BYTE]}
    with path.open("rb") as file:
        held = os.fstat(file.fileno()).st_size
        if not file.peek(len(GZIP_START)).startswith(GZIP_START):
            return _array(path, file, held, allowed, packed=False)

        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _array(path, unpacked, held, allowed, packed=True)
        except (zlib.error, EOFError, gzip.BadGzipFile) as error:
            got = f"{held} bytes that do not: {error}"
            raise ValueError(f"{path} must unpack with gzip, got {got}") from None


def _array(
    path: Path, file: _Stream, held: int, allowed: dict[int, str], *, packed: bool
) -> NDArray[Any]:
    """Returns the array of a stream, of which no more is read than its header announces.

    Args:
        path: the file's name in messages.
        file: the stream, at its start.
        held: the size of the file on disk, in bytes.
        allowed: the types that it may have, by their byte.
        packed: whether the file is gzipped.
    """
    start = file.read(4)
    kind, dimensions = _type_and_dimensions(path, start, allowed)

    header, sizes = 4 + 4 * dimensions, file.read(4 * dimensions)
    if len(start + sizes) < header:
        raise ValueError(f"{path} must hold a header of {header} bytes, got {len(start + sizes)}")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    size = math.prod(shape) * kind.itemsize

    got: object = held - header
    if packed and size > held * _MAX_EXPANSION:  # no need to unpack it
        got = f"a file of {held}, which unpack to {held * _MAX_EXPANSION} at most"
    elif packed or size == got:
        data = _read(file, size)
        got = len(data) if len(data) <= size else "more"
    if size == 0 or got != size:
        raise ValueError(
            f"{path} must hold {size or 'some'} bytes of data, shape {shape}, got {got}"
        )

    return np.frombuffer(data, kind).reshape(shape).astype(kind.newbyteorder("="), copy=False)


def _type_and_dimensions(
    path: Path, start: bytes, allowed: dict[int, str]
) -> tuple[np.dtype[Any], int]:
    """Returns the type of the numbers in a file and how many dimensions their array has."""
    good = len(start) == 4 and start[:2] == UNSIGNED_BYTES[:2] and start[2] in allowed
    if good and 1 <= start[3] <= MAX_DIMENSIONS:
        return np.dtype(allowed[start[2]]), start[3]

    types = "08" if len(allowed) == 1 else "08, 09 or 0b to 0e (its type)"
    raise ValueError(
        f"{path} must start with 00 00 {types} and 01 to 20 (its dimensions), "
        f"got {start.hex(' ') or 'nothing'}"
    )


def _read(file: _Stream, size: int) -> bytearray:
    """Returns what is left of a stream, or size + 1 bytes of it where it is longer."""
    data = bytearray()
    while portion := file.read(min(_PORTION_BYTES, size + 1 - len(data))):
        data += portion
    return data
