"""Files with a SHA-256 of their content, which is checked at reading: safetensors and JSON."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.util.files import write_atomically

FORMAT_VERSION = "2"
_WITHOUT_CHECKSUM = "1"  # the version of files without a SHA-256
_METADATA_KEY = "isingprop"
_ALIGNMENT = 8  # of arrays in a safetensors file, in bytes; also the size of the header's size
_VERSION, _CHECKSUM = "format_version", "sha256"  # keys in safetensors headers and in JSON

_has_warned = False  # whether a file without a checksum was read


def save_tensors(
    path: str | os.PathLike[str],
    kind: str,
    tensors: dict[str, NDArray[Any]],
    metadata: dict[str, str],
) -> None:
    """Writes arrays and text as a safetensors file whose header names the kind of file.

    The header has the SHA-256 of names, types, shapes and bytes of the arrays, and of the text.
    """
    content = {"format": f"isingprop-{kind}", _VERSION: FORMAT_VERSION, **metadata}
    contiguous = {
        name: np.asarray(tensor, tensor.dtype.newbyteorder("<"), order="C")
        for name, tensor in tensors.items()
    }
    content[_CHECKSUM] = _sha256(content, contiguous)

    # One key holds all text: safetensors does not write several keys in a fixed order, and equal
    # contents must give equal bytes.
    text = {_METADATA_KEY: json.dumps(content, sort_keys=True)}
    write_atomically(path, *_safetensors(contiguous, text))


def _safetensors(
    tensors: Mapping[str, NDArray[Any]], metadata: dict[str, str]
) -> list[bytes | memoryview]:
    """Returns the parts of a safetensors file: size and text of its header, then the arrays.

    `safetensors.numpy.save` copies all arrays twice, which takes longer than their checksum.
    """
    header: dict[str, Any] = {"__metadata__": metadata}
    # Large numbers come first, so that all are aligned.
    ordered = sorted(tensors.items(), key=lambda each: (-each[1].itemsize, each[0]))
    end = 0
    for name, tensor in ordered:
        start, end = end, end + tensor.nbytes
        header[name] = {
            "dtype": "BOOL"
            if tensor.dtype == bool
            else f"{tensor.dtype.kind}{8 * tensor.itemsize}".upper(),
            "shape": tensor.shape,
            "data_offsets": (start, end),
        }

    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    size = len(text).to_bytes(_ALIGNMENT, "little")
    return [size, text, *(_bytes(tensor) for _, tensor in ordered)]


def load_tensors(
    path: str | os.PathLike[str], kind: str, names: tuple[str, ...]
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Reads a file that `save_tensors` wrote; returns its arrays and its text.

    The first file of a process that was written without a checksum is read with a warning.

    Raises:
        FileNotFoundError: where there is no file.
        ValueError: for a file of another kind or version, without one of the arrays, or with
            another content than was written.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"no {kind} file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = _read_metadata(file.metadata())
            names_in_file = file.keys()  # `file` is no dict: it cannot be iterated itself
            tensors = {name: file.get_tensor(name) for name in names_in_file}
    # safetensors and NumPy raise the others for types of numbers that only one of them knows.
    except (SafetensorError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} must be a safetensors file, got one that does not read: {error}"
        ) from None

    _check_header(path, kind, metadata)
    checksum = metadata.pop(_CHECKSUM, None)
    if checksum is None:
        _warn_once(path)
    elif checksum != _sha256(metadata, tensors):
        raise ValueError(_changed(path))
    _check_text(path, metadata)
    check_names(path, tensors, names)
    return tensors, metadata


def check_names(
    path: str | os.PathLike[str], tensors: Mapping[str, Any], names: Collection[str]
) -> None:
    """Raises ValueError for a file that lacks one of the named arrays."""
    missing = [name for name in names if name not in tensors]
    if missing:
        raise ValueError(f"{path} must hold {', '.join(names)}, got no {', '.join(missing)}")


def save_json(path: Path, content: Mapping[str, Any], *, indent: int | None = None) -> None:
    """Writes an object of JSON with the SHA-256 of its content, which no white space changes."""
    versioned = {**content, _VERSION: FORMAT_VERSION}
    text = json.dumps({**versioned, _CHECKSUM: _sha256(versioned)}, indent=indent)
    write_atomically(path, text.encode() + b"\n")


def load_json(path: Path, what: str, *, is_editable: bool = False) -> dict[str, Any]:
    """Reads an object that `save_json` wrote.

    The first file of a process that was written without a checksum is read with a warning.

    Args:
        path: the file.
        what: what it holds, for messages.
        is_editable: whether users may edit the file: another content than was written is then read
            with a warning.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: for a file that is no object of JSON, or with another content than was written.
    """
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} must hold {what}, got {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold {what}, got {content!r:.40}")

    checksum = content.pop(_CHECKSUM, None)
    if checksum is None and _VERSION not in content:
        _warn_once(path)
    elif checksum != _sha256(content):
        if not is_editable:
            raise ValueError(_changed(path))
        warnings.warn(f"{_changed(path)}, as edited by hand or damaged", stacklevel=3)
    content.pop(_VERSION, None)
    return content


def _sha256(content: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]] | None = None) -> str:
    """Returns the SHA-256 of values that JSON can hold, and of C-contiguous arrays."""
    named = sorted((tensors or {}).items())
    layout = [(name, tensor.dtype.str, tensor.shape) for name, tensor in named]
    total = hashlib.sha256(json.dumps([content, layout], sort_keys=True).encode())
    for _, tensor in named:
        total.update(_bytes(tensor))
    return total.hexdigest()


def _bytes(tensor: NDArray[Any]) -> memoryview:
    """Returns the bytes of a C-contiguous array, without a copy."""
    return tensor.reshape(-1).view(np.uint8).data


def _changed(path: str | os.PathLike[str]) -> str:
    return f"{path} must hold what was written there, got a content that does not fit its checksum"


def _warn_once(path: str | os.PathLike[str]) -> None:
    """Warns of a file without a checksum, unless another one was read before."""
    global _has_warned
    if not _has_warned:
        _has_warned = True
        warnings.warn(
            f"{path} has no checksum, as files of earlier versions: damage to it, and to others "
            "like it, is not noticed",
            stacklevel=4,
        )


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Makes errors about what a file holds ValueErrors that quote its path."""
    try:
        yield
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(f"{error} (in {path})") from None


def _read_metadata(raw: dict[str, str] | None) -> dict[str, str]:
    """Returns the text that `save_tensors` kept under its one key, or none of it."""
    try:
        return dict(json.loads((raw or {})[_METADATA_KEY]))
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}


def _check_text(path: str | os.PathLike[str], metadata: Mapping[str, object]) -> None:
    """Raises ValueError for metadata that is not text, as `save_tensors` writes it."""
    for name, value in metadata.items():
        if not isinstance(value, str):
            raise ValueError(f"{name} in {path} must be text, got {value!r:.80}")


def _check_header(path: str | os.PathLike[str], kind: str, metadata: dict[str, str]) -> None:
    """Raises ValueError for a file of another kind or format version, or without its checksum."""
    wanted = f"isingprop-{kind}"
    if metadata.get("format") != wanted:
        raise ValueError(
            f"{path} must be an {wanted} file, got {metadata.get('format', 'no format')!r}"
        )

    version = metadata.get(_VERSION)
    if version not in (FORMAT_VERSION, _WITHOUT_CHECKSUM):
        raise ValueError(
            f"{path} must have format version {FORMAT_VERSION}, got {version!r}: "
            "it was written by another version of isingprop"
        )
    if version == FORMAT_VERSION and _CHECKSUM not in metadata:
        raise ValueError(f"{path} must have a checksum, got none")
