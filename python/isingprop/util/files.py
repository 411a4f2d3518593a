"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], *content: bytes | memoryview) -> None:
    """Writes a file so that readers see either the old content or the new one, never a part.

    The content goes to a temporary file beside `path`, is flushed to the disk, and the file is
    then renamed.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")

    try:
        with temporary.open("wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)

    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        # The error of a full disk has no file name.
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(target)
        raise
