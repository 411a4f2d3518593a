"""GrowingFile: a list of records on disk, to which only the new ones are written."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from isingprop.util.files import flush_folder, write_atomically

Record = TypeVar("Record")


class GrowingFile(Generic[Record]):
    """A text file with a line for each record of a list that grows.

    To add a record costs the same however many there are. A process that is killed while it adds
    some leaves all earlier lines whole, with a part of the new ones after them.

    Args:
        path: the file. What it holds before the first call of `hold` is replaced.
        line: returns the line of a record, with its end.
        header: the text before the first line.
        flushed: whether new records are on the disk when `hold` returns. Otherwise the system
            writes them within seconds, or `flush` does.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        line: Callable[[Record], str],
        header: str = "",
        *,
        flushed: bool = True,
    ) -> None:
        """Counts no records; the file is not touched."""
        self.path = Path(path)
        self._line = line
        self._header = header
        self._flushed = flushed
        self._last: Record | None = None
        self._left: tuple[int, ...] = ()
        self.count = 0  #: records in the file
        self.size = 0  #: bytes of header and lines
        self._sha256 = hashlib.sha256()  # of these bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of header and lines, as hexadecimal text."""
        return self._sha256.hexdigest()

    def begins(self, records: Sequence[Record]) -> bool:
        """Returns whether the records in the file are the first ones of a list.

        Only the last of them is compared, since a list that grows does not change otherwise.
        """
        if self.count == 0:
            return True
        return len(records) >= self.count and records[self.count - 1] is self._last

    def hold(self, records: Sequence[Record]) -> None:
        """Makes the file hold these records.

        An error leaves none of the new records. The whole file is written anew and flushed, under a
        temporary name, at the first call, or if its records are not the first ones of the list, or
        if it is not as the last call left it.
        """
        grows = self.count > 0 and self.begins(records) and self._left == _state(self.path)
        first, size = (self.count, self.size) if grows else (0, 0)
        sha256 = self._sha256.copy() if grows else hashlib.sha256()
        text = "".join(self._line(record) for record in records[first:])
        content = (text if grows else self._header + text).encode()

        if grows:
            _add(self.path, size, content, self._flushed)
        else:
            write_atomically(self.path, content)
            # At once, since a file that is written next may count the records in this one.
            flush_folder(self.path.parent)

        self.count, self._last = len(records), records[-1] if records else None
        sha256.update(content)
        self.size, self._sha256 = size + len(content), sha256
        self._left = _state(self.path)

    def flush(self) -> None:
        """Flushes the records to the disk."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())


def _state(path: Path) -> tuple[int, ...]:
    """Returns what changes whenever anybody writes to a file; empty where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _add(path: Path, size: int, content: bytes, flushed: bool) -> None:
    """Adds bytes to a file of a known size, which an error leaves at that size."""
    with path.open("ab", buffering=0) as file:
        try:
            left = memoryview(content)
            while left:  # one call may write a part only
                left = left[file.write(left) :]
            if flushed:
                os.fsync(file.fileno())

        except BaseException as error:
            with contextlib.suppress(OSError):
                file.truncate(size)
            # The error of a full disk has no file name.
            if isinstance(error, OSError) and error.filename is None:
                error.filename = str(path)
            raise
