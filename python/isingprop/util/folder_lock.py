"""FolderLock: one process at a time writes into a folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import weakref
from collections.abc import Iterator
from pathlib import Path

from isingprop.util.messages import say

LOCK_FILE = "lock"

# Some file systems give the first one where another process holds the lock.
_HELD_BY_ANOTHER = {errno.EACCES, errno.EAGAIN}
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
_MAX_HOLDER = 300  # bytes that are read of a lock file: a pid and the name of a host


class FolderLock:
    """A lock on a folder, which ends with `release` or with the process, however it ends.

    The kernel keeps it on the file `lock` in the folder. The file stays, and says who holds the
    folder or held it last. Within a process the lock refuses a second one as well. A forked process
    does not hold the lock of its parent, and does not keep it alive.

    On NFS the lock counts on all hosts, unless the folder is mounted with `nolock` or `local_lock`.
    Where the file system has no locks a line on stderr says so, and nothing is locked.

    Raises:
        BlockingIOError: for a folder that is locked, with the process and the host at work there.
        OSError: for a folder that is missing, or in which no file can be written.
    """

    def __init__(self, folder: Path) -> None:
        """Locks a folder."""
        self.folder = folder
        self._file: int | None = None
        _OPEN.add(self)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        with self.released_on_error():
            _lock(self._file, folder)

    def release(self) -> None:
        """Unlocks the folder, if this has not been done."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    @contextlib.contextmanager
    def released_on_error(self) -> Iterator[None]:
        """Releases the lock if the context ends with an error, whose traceback may live on."""
        try:
            yield
        except BaseException:
            self.release()
            raise

    def __del__(self) -> None:
        """Unlocks a folder that nobody holds on to any more."""
        self.release()

    def holds(self) -> bool:
        """Returns whether the folder is still the one that this process has locked.

        It is not after `release`, nor where the folder was moved, removed or replaced.
        """
        if self._file is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False

    @property
    def _path(self) -> Path:
        return self.folder / LOCK_FILE


def _lock(file: int, folder: Path) -> None:
    """Locks an open file, and writes into it who holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            raise BlockingIOError(
                f"{folder} must be written by one process at a time, got {_holder(file)} at work"
            ) from None
        if error.errno not in _WITHOUT_LOCKS:
            error.filename = str(folder / LOCK_FILE)
            raise
        say(
            f"isingprop: {folder} is not locked, as its file system has no locks "
            f"({error.strerror}); let no other process write there"
        )

    with contextlib.suppress(OSError):  # on a full disk the folder is locked all the same
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        os.fdatasync(file)  # other hosts read it from a server


def _holder(file: int) -> str:
    """Returns who holds a lock, as its file says; the file may be empty or hold anything."""
    try:
        pid, host = os.pread(file, _MAX_HOLDER, 0).decode().split()
    except (OSError, ValueError):
        return "another"
    return f"process {pid} on {host}" if pid.isdecimal() and host.isprintable() else "another"


def _release_inherited() -> None:
    """Closes the files of all locks in a forked process, which would keep them locked."""
    for lock in list(_OPEN):
        lock.release()


_OPEN: weakref.WeakSet[FolderLock] = weakref.WeakSet()
os.register_at_fork(after_in_child=_release_inherited)
