"""Reader of Parquet files: tables with a column per pixel, with pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.data.formats.raw_images import RawData, RawImages
from isingprop.data.formats.table_columns import Columns, labelled_columns, unlabelled_columns


def read_parquet(path: Path, label: str | None) -> RawData:
    """Reads a table with a column of labels; `label` is as in `labelled_columns`.

    Raises:
        ValueError: with file, row and reason for what is no table of numbers with labels.
        ImportError: without pyarrow, which `pip install "isingprop[tables]"` brings.
    """
    table = _table(path)
    columns = labelled_columns(str(path), table.column_names, table.num_columns, label)
    left = f"{path}: column {columns.left_out[0]!r} is left out" if columns.left_out else None
    return RawData(_images(path, table, columns), notes=() if left is None else (left,))


def read_unlabelled_parquet(
    path: Path, *, num_inputs: int, label: str | None, wanted: tuple[str, ...] | None
) -> RawImages:
    """Reads a table without labels, or without its column of them; see `unlabelled_columns`."""
    table = _table(path)
    columns = unlabelled_columns(
        str(path),
        table.column_names,
        table.num_columns,
        num_inputs=num_inputs,
        label=label,
        wanted=wanted,
    )
    return _images(path, table, columns)


def _table(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError('a Parquet file needs pyarrow: pip install "isingprop[tables]"') from None

    try:
        return pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} must be a Parquet file, got {error}") from None


def _images(path: Path, table: Any, columns: Columns) -> RawImages:
    """Returns the images and labels of a table of pyarrow."""
    if not table.num_rows:
        raise ValueError(f"{path} must hold a row for each image, got none")
    values = [_numbers(path, table, k) for k in columns.values]
    labels = None
    if columns.label is not None:
        labels = np.array(table.column(columns.label).to_pylist(), dtype=object)

    return RawImages(
        str(path), np.column_stack(values), labels, has_type=False, column_names=columns.names
    )


def _numbers(path: Path, table: Any, k: int) -> NDArray[Any]:
    """Returns column k, which must hold a number in each row."""
    column, name = table.column(k), table.column_names[k]
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise ValueError(f"{path}, row {row}: column {name!r} must be a finite number, got none")

    array = np.asarray(column.to_numpy())
    if array.dtype.kind not in "buif":
        raise ValueError(f"{path}: column {name!r} must hold numbers, got type {column.type}")
    return array
