"""Measured numbers in the user's cache folder, so that nothing is measured twice."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from isingprop.util.checked_files import load_json, save_json

_VERSION = 1  # of how numbers are measured; another one measures them anew


class Measurements:
    """Numbers that were measured under the same circumstances, in one file.

    Each is written as soon as it is known. Without a folder that can be written, numbers are
    measured anew in each process.

    Args:
        circumstances: values that JSON can hold, which determine all numbers together with the
            keys.
    """

    def __init__(self, *circumstances: Any) -> None:
        """Reads the file, where there is one."""
        import pooch

        self._circumstances = [_VERSION, *circumstances]
        name = hashlib.sha256(_key(self._circumstances).encode()).hexdigest()
        self._path = Path(pooch.os_cache("isingprop")) / "trials" / f"{name}.json"
        self._numbers = self._read()

    def get(self, key: Any) -> Any:
        """Returns the number of a key, or None where it was not measured."""
        return self._numbers.get(_key(key))

    def put(self, key: Any, number: Any) -> None:
        """Keeps a number, beside those that other processes have kept meanwhile."""
        self._numbers = {**self._read(), **self._numbers, _key(key): number}
        content = {"circumstances": self._circumstances, "numbers": self._numbers}
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            save_json(self._path, content)

    def _read(self) -> dict[str, Any]:
        """Returns what the file holds; nothing where it is missing or damaged."""
        try:
            content = load_json(self._path, "measured numbers")
            valid = _key(content["circumstances"]) == _key(self._circumstances)
            numbers = content["numbers"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return {}
        return numbers if valid and isinstance(numbers, dict) else {}


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
