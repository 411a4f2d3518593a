"""Files that are checked at reading: safetensors files with a header that names their kind."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.util.files import write_atomically

FORMAT_VERSION = "1"
_METADATA_KEY = "isingprop"


def save_tensors(
    path: str | os.PathLike[str],
    kind: str,
    tensors: dict[str, NDArray[Any]],
    metadata: dict[str, str],
) -> None:
    """Writes arrays and text as a safetensors file whose header names the kind of file."""
    from safetensors.numpy import save

    content = {"format": f"isingprop-{kind}", "format_version": FORMAT_VERSION, **metadata}
    # One key holds all text: safetensors does not write several keys in a fixed order, and equal
    # contents must give equal bytes.
    header = {_METADATA_KEY: json.dumps(content, sort_keys=True)}
    contiguous = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    write_atomically(path, save(contiguous, metadata=header))


def load_tensors(
    path: str | os.PathLike[str], kind: str, names: tuple[str, ...]
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Reads a file that `save_tensors` wrote; returns its arrays and its text.

    Raises:
        FileNotFoundError: where there is no file.
        ValueError: for a file of another kind or version, or without one of the arrays.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"no {kind} file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = _read_metadata(file.metadata())
            names_in_file = file.keys()  # `file` is no dict: it cannot be iterated itself
            tensors = {name: file.get_tensor(name) for name in names_in_file}
    except SafetensorError as error:
        raise ValueError(
            f"{path} must be a safetensors file, got one that does not read: {error}"
        ) from None

    _check_header(path, kind, metadata)
    check_names(path, tensors, names)
    return tensors, metadata


def check_names(
    path: str | os.PathLike[str], tensors: Mapping[str, Any], names: Collection[str]
) -> None:
    """Raises ValueError for a file that lacks one of the named arrays."""
    missing = [name for name in names if name not in tensors]
    if missing:
        raise ValueError(f"{path} must hold {', '.join(names)}, got no {', '.join(missing)}")


def _read_metadata(raw: dict[str, str] | None) -> dict[str, str]:
    """Returns the text that `save_tensors` kept under its one key, or none of it."""
    try:
        return dict(json.loads((raw or {})[_METADATA_KEY]))
    except (KeyError, TypeError, ValueError):
        return {}


def _check_header(path: str | os.PathLike[str], kind: str, metadata: dict[str, str]) -> None:
    """Raises ValueError for a file of another kind or format version."""
    wanted = f"isingprop-{kind}"
    if metadata.get("format") != wanted:
        raise ValueError(
            f"{path} must be an {wanted} file, got {metadata.get('format', 'no format')!r}"
        )
    version = metadata.get("format_version")
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{path} must have format version {FORMAT_VERSION}, got {version!r}: "
            "it was written by another version of isingprop"
        )
