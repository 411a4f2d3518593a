"""Reader of IDX files, the format in which MNIST is published."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTES = b"\0\0\x08"  # the first bytes of a file: two zeros, then the data type
MAX_DIMENSIONS = 32  # NumPy's own limit before 2.0
GZIP_START = b"\x1f\x8b"


def read_idx(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Reads an IDX file of unsigned bytes; gzip is recognised by the content, not by the name.

    The layout is: 00 00 08, one byte for the number of dimensions, each size as a big-endian 32-bit
    number, then the data in row-major order.

    Args:
        path: the file.

    Returns:
        The array, in the shape that the file states.

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
    dimensions = content[3] if len(content) > 3 and content.startswith(UNSIGNED_BYTES) else 0
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        start = content[:4].hex(" ") or "nothing"
        raise ValueError(
            f"{path} must start with 00 00 08 and 01 to 20 (its dimensions), got {start}"
        )

    header = 4 + 4 * dimensions
    if len(content) < header:
        raise ValueError(f"{path} must hold a header of {header} bytes, got {len(content)}")
    shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
    got, size = len(content) - header, math.prod(shape)
    # Checked before any array is allocated, since the sizes in the header may be wrong.
    if size == 0 or got != size:
        raise ValueError(
            f"{path} must hold {size or 'some'} bytes of data, shape {shape}, got {got}"
        )

    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()


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
