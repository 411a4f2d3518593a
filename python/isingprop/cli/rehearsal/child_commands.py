"""Commands in processes of their own, on a local service in place of D-Wave."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from isingprop.cli.stop_signals import stops_later

# What a training on a chip imports from other packages. A process that has imported it, and from
# which the commands are forked, saves each of them some seconds. It has the paths of a fresh
# interpreter, among which this package may not be, or not this version of it.
_PRELOADED = ["dwave.samplers", "dwave.system", "matplotlib.figure", "sklearn.datasets"]
_STDOUT, _STDERR = 1, 2
# The socket of that process is in the folder of temporary files. Its name may have 103 characters
# on macOS and 107 on Linux, of which 32 come after the folder's.
_MAX_FOLDER_NAME = 70
_ERROR = re.compile(r"^Error: (.*?)(?:; go on with: .*)?$", re.MULTILINE)


class CommandError(RuntimeError):
    """A command has ended with an error, which the text repeats."""


class ChildCommand:
    """A command `isingprop ARGUMENTS` in a process of its own.

    Args:
        arguments: the words of the command.
        environment: variables to set for it.
        output: folder for what it prints.
    """

    def __init__(self, arguments: list[str], environment: Mapping[str, str], output: Path) -> None:
        """Makes the process, which `running` starts."""
        self._output = output
        context: Any = multiprocessing.get_context(_start_method())
        self._process: BaseProcess = context.Process(
            target=_become, args=(arguments, dict(environment), output)
        )

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Starts the command, and kills it in the end if it has not ended."""
        try:
            with stops_later():  # what is half started could not be killed
                self._process.start()
            yield self
        finally:
            if self._process.pid is not None:
                self._process.kill()
                self._process.join()

    def kill(self) -> None:
        """Sends SIGKILL."""
        self._process.kill()

    def wait(self) -> int:
        """Waits for the end, and returns the exit code, which is negative after a signal."""
        self._process.join()
        code: int | None = self._process.exitcode
        return 0 if code is None else code

    def result(self) -> dict[str, Any]:
        """Waits for the end, and returns the JSON object that the command has printed.

        Raises:
            CommandError: where it has ended with an error.
        """
        code = self.wait()
        if code == 0:
            content: dict[str, Any] = json.loads(_file(self._output, _STDOUT).read_text())
            return content

        errors = _file(self._output, _STDERR).read_text()
        found = _ERROR.search(errors)
        last = next(iter(errors.splitlines()[-1:]), f"it ended with code {code}")
        raise CommandError(found.group(1) if found else last)


def preload() -> None:
    """Starts the process from which commands are forked, which imports what they need."""
    if _start_method() != "forkserver":
        return

    multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOADED)
    # Ctrl-C and the end of a terminal go to all processes; here the parent kills its children.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start_method() -> str:
    """Returns how processes are started: forked or, where its socket has no room, from nothing."""
    return "forkserver" if len(tempfile.gettempdir()) <= _MAX_FOLDER_NAME else "spawn"


def _become(arguments: list[str], environment: dict[str, str], output: Path) -> None:
    """Runs the command in this process, which was just forked."""
    os.environ.update(environment)
    for number in (_STDOUT, _STDERR):
        file = os.open(_file(output, number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)

    threading.Thread(target=_end_with_parent, daemon=True).start()

    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())  # its own is a semaphore, which would outlive a kill
    from isingprop.cli.commands import main

    sys.argv = ["isingprop", *arguments]
    main()


def _end_with_parent() -> None:
    """Ends this process with its parent, without which there is no service to wait for."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _file(output: Path, number: int) -> Path:
    return output / ("stdout" if number == _STDOUT else "stderr")
