"""Columns of tables: which one holds the labels, and which ones the values of images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from isingprop.data.formats.raw_images import listed

_USUAL_LABELS = ("label", "class", "target")
_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True)
class Columns:
    """The places of a table's columns.

    Args:
        values: of those that are the pixels of an image.
        label: of the labels; None without them.
        names: of `values`; None for a table without a header.
        left_out: names of columns that are neither.
    """

    values: tuple[int, ...]
    label: int | None
    names: tuple[str, ...] | None
    left_out: tuple[str, ...] = ()


def labelled_columns(
    source: str, names: Sequence[str] | None, count: int, label: str | None
) -> Columns:
    """Returns the columns of a table with labels.

    Columns without a name, or with the one that pandas gives to an index, are left out.

    Args:
        source: the file, for messages.
        names: of the columns; None without a header.
        count: of the columns.
        label: the name of the column of labels, or its number from 0 (or from -1, the last). None
            takes the one that is called label, class or target.
    """
    if names is not None and len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise ValueError(f"{source} must have columns of different names, got {twice!r} twice")

    where = _place_of_label(source, names, count, label)
    left_out = [k for k, name in enumerate(names or ()) if _is_index(name) and k != where]
    values = tuple(k for k in range(count) if k != where and k not in left_out)
    if not values:
        raise ValueError(f"{source} must have columns beside its labels, got {count} in all")

    if names is None:
        return Columns(values, where, None)
    return Columns(
        values, where, tuple(names[k] for k in values), tuple(names[k] for k in left_out)
    )


def unlabelled_columns(
    source: str,
    names: Sequence[str] | None,
    count: int,
    *,
    num_inputs: int,
    label: str | None,
    wanted: tuple[str, ...] | None,
) -> Columns:
    """Returns the columns of a table whose images are to be classified.

    Args:
        source: the file, for messages.
        names: of the columns; None without a header.
        count: of the columns.
        num_inputs: pixels of an image.
        label: a column that is left out where there is one more than pixels, see
            `labelled_columns`.
        wanted: the names of the columns of the training images; None if they had none. They are
            taken by name where the table has a header.
    """
    if names is not None and wanted is not None:
        missing = [name for name in wanted if name not in names]
        if missing:
            raise ValueError(
                f"{source} must have the columns of the training images, got no {listed(missing)}"
            )
        return Columns(tuple(names.index(name) for name in wanted), None, wanted)

    where = None
    has_label = label is not None if names is None else names_labels(names, label)
    if has_label and count == num_inputs + 1:
        where = _place_of_label(source, names, count, label)
    values = tuple(k for k in range(count) if k != where)
    if len(values) != num_inputs:
        raise ValueError(
            f"{source} must have {num_inputs} columns, one for each input of the network, "
            f"got {len(values)}"
        )
    return Columns(values, where, None if names is None else tuple(names[k] for k in values))


def names_labels(cells: Sequence[str], label: str | None) -> bool:
    """Returns whether a first line holds the name of the column of labels."""
    usual = label is None and any(cell.lower() in _USUAL_LABELS for cell in cells)
    return usual or (label in cells and not _NUMBER.fullmatch(str(label)))


def _place_of_label(source: str, names: Sequence[str] | None, count: int, label: str | None) -> int:
    """Returns the place of the column of labels."""
    if names is not None and label in names:
        return names.index(label)
    if label is not None and _NUMBER.fullmatch(label) and -count <= int(label) < count:
        return int(label) % count

    if label is None and names is not None:
        usual = [k for k, name in enumerate(names) if name.lower() in _USUAL_LABELS]
        if len(usual) == 1:
            return usual[0]
    known = f"{count} columns without a header" if names is None else f"columns {listed(names)}"
    raise ValueError(
        f"label must name the column of labels in {source}, or be its number from 0, "
        f"got {label!r} for {known}"
    )


def _is_index(name: str) -> bool:
    return not name.strip() or name.startswith(("__index_level_", "Unnamed: "))
