"""Images as files hold them, before labels are numbered and values are scaled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUM_SHOWN = 10  # names in a message
_PORTION = 4096  # images that are checked at a time, which bounds the memory


@dataclass(frozen=True)
class RawImages:
    """Images with the labels that a file gives them, if it does.

    Args:
        source: the file, and what of it, for messages.
        images: (n, ...) numbers.
        labels: (n,), or (n, 1), integers or text; None without labels.
        rows: what messages call each image, such as "line 3" or the path of its file; None for
            "row 0", "row 1", ...
        names: what a prediction calls each image; None for 0, 1, ...
        has_type: whether the type of the values means something, as in arrays, but not in tables of
            text.
        column_names: of a table, one for each value of an image.
    """

    source: str
    images: NDArray[Any]
    labels: NDArray[Any] | None
    rows: Sequence[str] | None = None
    names: Sequence[str] | None = None
    has_type: bool = True
    column_names: tuple[str, ...] | None = None

    def row(self, number: int) -> str:
        """Returns what messages call an image, with its file."""
        return f"{self.source}, {f'row {number}' if self.rows is None else self.rows[number]}"

    def check_values(self) -> None:
        """Checks that the images are an array of finite numbers, at least one of each image."""
        kind, shape = self.images.dtype, self.images.shape
        if kind.kind not in "buif":
            raise ValueError(f"{self.source} must hold numbers, got type {kind}")
        if self.images.ndim < 2 or not self.images.size:
            raise ValueError(
                f"{self.source} must hold images, a row or an array of pixels for each, "
                f"got shape {shape}"
            )
        if kind.kind != "f":
            return

        for first in range(0, len(self.images), _PORTION):
            good = np.isfinite(self.images[first : first + _PORTION])
            if not good.all():
                number, *where = (int(k) for k in np.argwhere(~good)[0])
                value = self.images[(first + number, *where)]
                raise ValueError(
                    f"{self.row(first + number)}: {self._pixel(where)} must be finite, got {value}"
                )

    def check_range(self, lowest: float, highest: float) -> None:
        """Checks that all values are in [lowest, highest]."""
        if lowest <= self.images.min() and self.images.max() <= highest:
            return
        wrong = (self.images < lowest) | (self.images > highest)
        number, *where = (int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(
            f"{self.row(number)}: {self._pixel(where)} must be in [{lowest:g}, {highest:g}], "
            f"got {self.images[(number, *where)]}"
        )

    def _pixel(self, where: list[int]) -> str:
        if self.column_names is not None:
            return f"column {self.column_names[where[0]]!r}"
        return f"pixel {', '.join(map(str, where))}"


@dataclass(frozen=True)
class RawData:
    """Training images, test images if there are any, and lines about what was left out."""

    train: RawImages
    test: RawImages | None = None
    notes: tuple[str, ...] = ()


def listed(names: Iterable[object]) -> str:
    """Returns the first names of a list, and how many more there are; "nothing" without any."""
    texts = [str(name) for name in names]
    more = len(texts) - _NUM_SHOWN
    shown = ", ".join(texts[:_NUM_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown or "nothing"


def contents(folder: Path) -> str:
    """Returns what is in a folder, what is hidden left out, for messages."""
    names = (f"{path.name}/" if path.is_dir() else path.name for path in sorted(folder.iterdir()))
    return listed(name for name in names if not is_hidden(name.rstrip("/")))


def is_hidden(name: str) -> bool:
    """Returns whether a file or folder is hidden, or what macOS adds to archives."""
    return name.startswith(".") or name == "__MACOSX"
