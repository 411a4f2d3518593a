"""Images of a report: many small images side by side in one PNG file."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isqrt, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]
Shape = tuple[int, int, int]  # rows, columns and channels of an image

MAX_SIDE = 64  # pixels; larger images are averaged over squares of pixels
_MAX_RATIO = 4  # of the sides of a rectangle that holds pixels of unknown shape
RGB = 3
_WHITE = 255


@dataclass(frozen=True)
class Sheet:
    """Equally large images, row by row from the left, in one PNG file."""

    png: bytes
    count: int
    width: int  #: of one image, in pixels
    height: int
    columns: int  #: images in a row

    @classmethod
    def of(cls, tiles: NDArray[np.uint8]) -> Sheet:
        """Puts (n, rows, columns, 1 or 3) images in a sheet that is about square."""
        from PIL import Image

        count, height, width, channels = tiles.shape
        columns = ceil(count**0.5)
        rows = ceil(count / columns)
        padded = np.zeros((rows * columns, height, width, channels), dtype=np.uint8)
        padded[:count] = tiles

        grid = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
        pixels = grid.reshape(rows * height, columns * width, channels)
        file = io.BytesIO()
        Image.fromarray(pixels.squeeze(axis=2) if channels == 1 else pixels).save(
            file, format="png", optimize=True
        )
        return cls(file.getvalue(), count, width, height, columns)

    def payload(self) -> dict[str, Any]:
        """Returns what the page needs of it, as JSON has it."""
        text = base64.b64encode(self.png).decode()
        sizes = {name: value for name, value in vars(self).items() if name != "png"}
        return {"uri": f"data:image/png;base64,{text}", **sizes}


def image_shape(num_pixels: int, known: Sequence[int] | None) -> Shape:
    """Returns the shape in which pixels are shown.

    Args:
        num_pixels: of an image.
        known: its shape, (rows, columns) or (rows, columns, channels); None where it is unknown.

    Returns:
        The known shape where it is that of a grey or RGB image. Otherwise a square, or the
        rectangle nearest to one; where all rectangles are long, one with a few empty places.
    """
    if known is not None and prod(known) == num_pixels:
        shape = (*known, 1)[:3]
        if len(known) in (2, 3) and shape[2] in (1, RGB):
            return shape[0], shape[1], shape[2]

    side = isqrt(num_pixels)
    rows = next(rows for rows in range(side, 0, -1) if num_pixels % rows == 0)
    if num_pixels > _MAX_RATIO * rows**2:
        rows = side
    return rows, ceil(num_pixels / rows), 1


def framed(pixels: Numbers, shape: Shape, fill: float, max_side: int = MAX_SIDE) -> Numbers:
    """Returns (n, I) pixels as (n, rows, columns, channels) images with sides up to max_side.

    Empty places get the value `fill`. Larger images are averaged over squares of pixels, of which
    those at the right and lower edges may be incomplete.
    """
    missing = prod(shape) - pixels.shape[1]
    whole = np.pad(pixels, ((0, 0), (0, missing)), constant_values=fill)
    images = whole.reshape(len(pixels), *shape)

    step = ceil(max(shape[:2]) / max_side)
    starts = [np.arange(0, size, step) for size in shape[:2]]
    sums = np.add.reduceat(np.add.reduceat(images, starts[0], axis=1), starts[1], axis=2)
    heights, widths = (np.diff([*first, size]) for first, size in zip(starts, shape, strict=False))
    return np.asarray(sums / (heights[:, None, None] * widths[:, None]))


def grey_levels(images: Numbers) -> NDArray[np.uint8]:
    """Returns values in [0, 1] as bytes; 0 is black."""
    return np.rint(_WHITE * images).astype(np.uint8)


def two_colours(values: Numbers, largest: float, colours: tuple[str, str]) -> NDArray[np.uint8]:
    """Returns (n, rows, columns, 1) values as colours, (n, rows, columns, 3).

    Args:
        values: in [-largest, largest].
        largest: the value with the whole second colour; 0 where all values are 0.
        colours: of the lowest and the highest value, as #RRGGBB; 0 is white.
    """
    low, high = (np.array(list(bytes.fromhex(colour[1:]))) for colour in colours)
    share = values / (largest or 1.0)
    colour = np.where(share < 0, low, high)
    mixed: NDArray[np.float64] = np.rint(_WHITE + np.abs(share) * (colour - _WHITE))
    return mixed.astype(np.uint8)
