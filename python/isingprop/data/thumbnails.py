"""Thumbnails: small pictures of images, for notebooks."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Floats

_MOST = 10  # pictures
_MOST_SIDE = 64  # pixels of a picture: a larger one is thinned out
_HEIGHT = 48  # at which a picture is shown, in CSS pixels
_COLOURS = {1: 0, 3: 2}  # the number of channels, and PNG's code for it


def thumbnails(title: str, images: Floats, labels: NDArray[np.int64], names: Sequence[str]) -> str:
    """Returns HTML with the title, and the first image of each of up to ten classes.

    Args:
        title: plain text.
        images: (n, pixels) in [0, 1]. Only square images are shown, grey or with three channels,
            row by row, the channels of a pixel side by side.
        labels: (n,).
        names: the name of each class, for below its image.
    """
    line = f"<div>{escape(title)}</div>"
    shape = square_shape(images.shape[1])
    if shape is None:
        return line

    classes, rows = np.unique(labels, return_index=True)
    shown = [names[label] for label in classes[:_MOST]]
    figures = [
        '<figure style="display:inline-block;margin:2px;text-align:center">'
        f'<img style="height:{_HEIGHT}px;image-rendering:pixelated" alt="class {name}" '
        f'src="data:image/png;base64,{base64.b64encode(png(images[row].reshape(shape))).decode()}">'
        f"<figcaption>{name}</figcaption></figure>"
        for name, row in zip(map(escape, shown), rows[:_MOST], strict=True)
    ]
    return line + "".join(figures)


def square_shape(num_pixels: int) -> tuple[int, int, int] | None:
    """Returns the height, width and channels of a square grey or coloured image, or None."""
    for channels in _COLOURS:
        side = math.isqrt(num_pixels // channels)
        if side > 1 and channels * side * side == num_pixels:
            return side, side, channels
    return None


def png(picture: Floats) -> bytes:
    """Returns a picture, (height, width, channels) in [0, 1], as the content of a PNG file.

    References:
        ISO/IEC 15948 (PNG), sections 5 and 11.
    """
    step = -(-max(picture.shape[:2]) // _MOST_SIDE)
    pixels = np.rint(255 * picture[::step, ::step]).astype(np.uint8)
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))  # each begins with its filter: none

    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
