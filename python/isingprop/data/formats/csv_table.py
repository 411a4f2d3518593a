"""Reader of tables of text: values with commas, semicolons or tabs between, a row per image."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.data.formats.raw_images import RawData, RawImages
from isingprop.data.formats.table_columns import (
    Columns,
    labelled_columns,
    names_labels,
    unlabelled_columns,
)

_DELIMITERS = ",;\t"
_BLOCK = 2048  # rows whose values are held in double precision at a time

IsHeader = Callable[[list[str]], bool]
Choose = Callable[[Sequence[str] | None, int], Columns]


def read_csv(path: Path, label: str | None) -> RawData:
    """Reads a table with a column of labels; `label` is as in `labelled_columns`.

    The text is UTF-8, with or without a byte order mark. The first line is a header if it holds the
    name of the column of labels, or no number, or the numbers 0, 1, 2, ... in order.

    Raises:
        ValueError: with file, line and reason for what is no table of numbers with labels.
    """
    images, columns = _read(
        path,
        lambda cells: _is_header(cells) or names_labels(cells, label),
        lambda names, count: labelled_columns(str(path), names, count, label),
    )
    left = f"{path}: column {columns.left_out[0]!r} is left out" if columns.left_out else None
    return RawData(images, notes=() if left is None else (left,))


def read_unlabelled_csv(
    path: Path, *, num_inputs: int, label: str | None, wanted: tuple[str, ...] | None
) -> RawImages:
    """Reads a table without labels, or without its column of them; see `unlabelled_columns`."""
    arguments: dict[str, Any] = {"num_inputs": num_inputs, "label": label, "wanted": wanted}
    images, _ = _read(
        path,
        lambda cells: _is_header(cells) or (wanted is not None and set(wanted) <= set(cells)),
        lambda names, count: unlabelled_columns(str(path), names, count, **arguments),
    )
    return images


def _read(path: Path, is_header: IsHeader, choose: Choose) -> tuple[RawImages, Columns]:
    """Returns the images of a file, and the columns that were chosen for them."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=_delimiter(first), strict=True)
            try:
                return _read_rows(path, reader, is_header, choose)
            except csv.Error as error:
                raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}{_not_utf_8(path)}: save it as UTF-8") from None


def _not_utf_8(path: Path) -> str:
    """Returns the first line and byte that are not UTF-8; the error itself counts from a buffer."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                found = line[error.start]
                return f", line {number}: must be text in UTF-8, got byte {found:#04x}"
    return " must be text in UTF-8"


def _read_rows(
    path: Path, reader: Any, is_header: IsHeader, choose: Choose
) -> tuple[RawImages, Columns]:
    rows = ((reader.line_num, row) for row in reader if row)
    line, first = next(rows, (0, []))
    if not first:
        raise ValueError(f"{path} must hold a table, got nothing")
    cells = [cell.strip() for cell in first]
    names = cells if is_header(cells) else None
    columns = choose(names, len(first))

    table = _Table(path, columns, len(first), names)
    if names is None:
        table.add(line, first)
    for line, row in rows:
        table.add(line, row)
    return table.images(), columns


@dataclass
class _Table:
    """The rows of a table that have been read so far."""

    path: Path
    columns: Columns
    width: int
    header: Sequence[str] | None

    def __post_init__(self) -> None:
        self._lines: list[int] = []
        self._labels: list[str] = []
        self._rows: list[NDArray[np.float64]] = []
        self._blocks: list[NDArray[Any]] = []

    def add(self, line: int, cells: list[str]) -> None:
        """Adds a row after checks that it has all cells, and numbers in those of the values."""
        if len(cells) != self.width:
            raise ValueError(
                f"{self.path}, line {line}: must have {self.width} columns, got {len(cells)}"
            )
        texts = [cells[k] for k in self.columns.values]
        try:
            values = np.array(texts, dtype=np.float64)
        except ValueError:
            values = np.array(np.nan)
        if not np.isfinite(values).all():
            raise ValueError(f"{self.path}, line {line}: {self._complaint(cells)}")

        if self.columns.label is not None:
            self._labels.append(cells[self.columns.label].strip())
        self._lines.append(line)
        self._rows.append(values)
        if len(self._rows) == _BLOCK:
            self._pack()

    def images(self) -> RawImages:
        """Returns all rows."""
        self._pack()
        if not self._lines:
            raise ValueError(f"{self.path} must hold a row for each image, got none")
        return RawImages(
            str(self.path),
            np.concatenate(self._blocks),
            None if self.columns.label is None else np.array(self._labels),
            rows=_Lines(self._lines),
            has_type=False,
            column_names=self.columns.names,
        )

    def _pack(self) -> None:
        """Keeps rows in fewer bytes where that loses nothing: pixels are whole numbers to 255."""
        if self._rows:
            self._blocks.append(_compact(np.stack(self._rows)))
            self._rows = []

    def _complaint(self, cells: list[str]) -> str:
        """Returns what is wrong with the first cell of values that is no finite number."""
        for k in self.columns.values:
            if not _is_number(cells[k]) or not np.isfinite(float(cells[k])):
                column = k if self.header is None else repr(self.header[k])
                return f"column {column} must be a finite number, got {cells[k]!r}"
        return "columns must be finite numbers"


class _Lines(Sequence[str]):
    """The lines of a file, by the number of the image."""

    def __init__(self, numbers: list[int]) -> None:
        self._numbers = numbers

    def __getitem__(self, index: Any) -> Any:
        return f"line {self._numbers[index]}"

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return (f"line {number}" for number in self._numbers)


def _compact(block: NDArray[np.float64]) -> NDArray[Any]:
    """Returns the same numbers as unsigned bytes or 32-bit integers, if they are such."""
    lowest, highest = block.min(), block.max()
    if not (block == np.rint(block)).all() or max(-lowest, highest) >= np.iinfo(np.int32).max:
        return block
    small = lowest >= 0 and highest <= np.iinfo(np.uint8).max
    return block.astype(np.uint8 if small else np.int32)


def _delimiter(line: str) -> str:
    """Returns what stands between the cells of a line: that which makes most of them."""
    counts = {mark: len(next(csv.reader([line], delimiter=mark), [])) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: counts[mark])


def _is_header(cells: list[str]) -> bool:
    """Whether a first line names columns, whatever their names mean."""
    counts = len(cells) > 1 and cells == [str(k) for k in range(len(cells))]
    return counts or not any(_is_number(cell) for cell in cells)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
