"""Files that are written completely or not at all, and are on the disk when a function returns.

What is left after a power failure depends on the file system:

- POSIX promises a file's content once the file is flushed, and its name once its folder is.
- ext4, XFS and btrfs keep a flushed folder, and show a renamed file as the old or the new one,
  whole. ext4 and XFS also keep changes of names in order, which btrfs does not promise.
- An NFS server has a new name on its disk before it answers, unless it exports with `async`.
- Some file systems cannot flush a folder (network shares, FUSE): names are then safe when the
  file system writes them, as a rule within seconds. A kill of the process loses nothing anywhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from contextvars import ContextVar
from fnmatch import fnmatch
from pathlib import Path

# Errors of file systems that cannot flush a folder; PostgreSQL passes over the first two as well.
_CANNOT_FLUSH = {errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.\d+\.tmp")

# Folders whose flush waits for the end of `folders_flushed_once`.
_WAITING: ContextVar[set[Path] | None] = ContextVar("_WAITING", default=None)


def write_atomically(path: str | os.PathLike[str], *content: bytes | memoryview) -> None:
    """Writes a file so that readers see either the old content or the new one, never a part.

    The content goes to a temporary file beside `path`, is flushed to the disk, and the file is
    then renamed. The folder is flushed, too, so that the file survives a power failure.
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

    waiting = _WAITING.get()
    if waiting is None:
        flush_folder(target.parent)
    else:
        waiting.add(target.parent)


@contextlib.contextmanager
def folders_flushed_once() -> Iterator[None]:
    """Makes `write_atomically` leave the flush of a folder to the end of the context.

    It is for several files that are of use in any combination of old and new ones.
    """
    folders: set[Path] = set()
    token = _WAITING.set(folders)
    try:
        yield
    finally:
        _WAITING.reset(token)

    for folder in folders:
        flush_folder(folder)


def flush_folder(folder: Path) -> None:
    """Flushes the names of a folder's files to the disk, where the file system can do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # a folder that may be written but not listed
        return

    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            error.filename = str(folder)
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, exist_ok: bool = True) -> None:
    """Makes a folder with its parents, whose names are on the disk when it returns.

    Raises:
        FileExistsError: for a file in its place, or a folder unless `exist_ok`.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=exist_ok)
    for each in reversed(missing):
        flush_folder(each.parent)


def is_temporary(path: Path) -> bool:
    """Returns whether a file has a name that `write_atomically` gives to temporary files."""
    return _TEMPORARY.fullmatch(path.name) is not None


def remove_leftovers(folder: Path, *patterns: str) -> None:
    """Removes temporary files of killed writers.

    Nobody else may be writing these files: the folder must be locked. Caches, which processes on
    several hosts may share without a lock, keep theirs.

    Args:
        folder: the folder, which may be missing.
        patterns: the names of the files that were to be written; all names if there are none.
    """
    for path in folder.glob(".*.tmp"):
        found = _TEMPORARY.fullmatch(path.name)
        if found is not None and any(fnmatch(found["name"], each) for each in patterns or ("*",)):
            with contextlib.suppress(OSError):
                path.unlink()
