"""Reader of IDX files, the format in which MNIST is published."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTES = b"\0\0\x08"  # the first bytes of a file: two zeros, then the data type
# All types of the format, by their byte, most significant byte first.
TYPES = {8: ">u1", 9: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 32  # NumPy's own limit before 2.0
GZIP_START = b"\x1f\x8b"


def read_idx(path: str | os.PathLike[str], *, any_type: bool = False) -> NDArray[Any]:
    """Reads an IDX file of unsigned bytes; gzip is recognised by the content, not by the name.

    The layout is: 00 00 08 (or another type in place of 08), one byte for the number of dimensions,
    each size as a big-endian 32-bit number, then the data in row-major order.

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
    content = _unpacked(Path(path))
    kind, dimensions = _type_and_dimensions(path, content, any_type)

    header = 4 + 4 * dimensions
    if len(content) < header:
        raise ValueError(f"{path} must hold a header of {header} bytes, got {len(content)}")
    shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
    got, size = len(content) - header, math.prod(shape) * kind.itemsize
    # Checked before any array is allocated, since the sizes in the header may be wrong.
    if size == 0 or got != size:
        raise ValueError(
            f"{path} must hold {size or 'some'} bytes of data, shape {shape}, got {got}"
        )

    array = np.frombuffer(content, kind, offset=header).reshape(shape)
    return array.astype(kind.newbyteorder("="))


def _type_and_dimensions(
    path: str | os.PathLike[str], content: bytes, any_type: bool
) -> tuple[np.dtype[Any], int]:
    """Returns the type of the numbers in a file and how many dimensions their array has."""
    allowed = TYPES if any_type else {8: TYPES[8]}
    start = content[:4]
    good = len(start) == 4 and start[:2] == UNSIGNED_BYTES[:2] and start[2] in allowed
    if good and 1 <= start[3] <= MAX_DIMENSIONS:
        return np.dtype(allowed[start[2]]), start[3]

    types = "08, 09 or 0b to 0e (its type)" if any_type else "08"
    raise ValueError(
        f"{path} must start with 00 00 {types} and 01 to 20 (its dimensions), "
        f"got {start.hex(' ') or 'nothing'}"
    )


def _unpacked(path: Path) -> bytes:
    """Returns the content of a file, decompressed if it is gzipped."""
    content = path.read_bytes()
    if not content.startswith(GZIP_START):
        return content
    try:
        return gzip.decompress(content)
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        got = f"{len(content)} bytes that do not: {error}"
        raise ValueError(f"{path} must unpack with gzip, got {got}") from None
