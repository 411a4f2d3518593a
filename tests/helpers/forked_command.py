"""The command in processes forked from one that has imported everything, so that each starts at
once.

    run = commands().start("train", "--out", "run", cwd=tmp_path, environment=sapi.environment)
    run.kill()  # kill -9, from any thread
    run.wait()

A run can be made to kill itself at a call of a function, or to find the disk full. A hasty run
waits for D-Wave a short time only and draws no picture, which takes as long as a small training.
"""

import contextlib
import errno
import functools
import gc
import importlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parents[1]
_IMPORTED = (
    "dwave.samplers",
    "dwave.system",
    "isingprop.cli",
    "isingprop.cli.train",
    "isingprop.qpu.calls.programmed_chip",
    "isingprop.samplers.dry_run",
    "matplotlib.figure",
    "sklearn.datasets",
)
_RUNNING = -1
_PAUSE = 0.005  # between two looks at a process, in seconds
_SECONDS = 240.0  # a run that takes longer is killed


class Run:
    """One process; it can be used where a subprocess.Popen is killed and waited for."""

    def __init__(self, commands: "Commands", pid: int, output: Path) -> None:
        self.pid = pid
        self._commands = commands
        self._output = output
        self._code: int | None = None
        self._lock = threading.Lock()

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)  # if it ended it is a zombie until poll()

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        with self._lock:
            if self._code is None:
                status = self._commands.ask({"ended": self.pid})
                self._code = None if status == _RUNNING else os.waitstatus_to_exitcode(status)
            return self._code

    def wait(self, timeout: float = _SECONDS) -> int:
        """The exit code at the end, which comes by SIGKILL after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                self.kill()
            time.sleep(_PAUSE)
        return code

    @property
    def stdout(self) -> str:
        return self._output.with_suffix(".out").read_text()

    @property
    def stderr(self) -> str:
        return self._output.with_suffix(".err").read_text()


class Commands:
    """The process that forks."""

    def __init__(self) -> None:
        self._outputs = tempfile.TemporaryDirectory()
        self._started = 0
        self._lock = threading.Lock()
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_TESTS), *sys.path])},
        )

    def close(self) -> None:
        """Ends the process and all that were forked from it."""
        self._server.communicate()
        self._outputs.cleanup()

    def start(
        self,
        *arguments: str,
        cwd: Path,
        environment: dict[str, str],
        hasty: bool = False,
        own_group: bool = False,
        **fate: Any,
    ) -> Run:
        """Starts `isingprop ARGUMENTS`.

        Args:
            arguments: the words of the command.
            cwd: where it runs.
            environment: variables beside those of this process.
            hasty: whether waits for D-Wave are short and no picture is drawn.
            own_group: whether the process leads a group of its own, which can be sent signals.
            fate: kill_at=(module, name in it, which of its calls, "before" or "after") kills the
                run at a call of a function; full_at=N fills the disk when the Nth file is written,
                and for all that follow. Calls of os.fsync for folders are not counted.
        """
        self._started += 1
        output = Path(self._outputs.name) / f"run-{self._started}"
        pid = self.ask(
            {
                "arguments": arguments,
                "cwd": str(cwd),
                "environment": {**os.environ, **environment},
                "output": str(output),
                "hasty": hasty,
                "own_group": own_group,
                "fate": fate,
            }
        )
        return Run(self, pid, output)

    def ask(self, question: dict[str, Any]) -> int:
        with self._lock:
            self._server.stdin.write(json.dumps(question) + "\n")
            self._server.stdin.flush()
            return int(self._server.stdout.readline())


@functools.cache
def commands() -> Commands:
    """The one process of a test session; conftest.py closes it."""
    return Commands()


def close() -> None:
    """Ends the process of the session, if there is one."""
    if commands.cache_info().currsize:
        commands().close()
        commands.cache_clear()


def shorten_waits() -> None:
    from isingprop.qpu.calls import call_sender, device_session

    device_session._DELAYS = (0.05,) * 8
    call_sender._SETTLING = 0.1


def _is_folder(file: int) -> bool:
    return stat.S_ISDIR(os.fstat(file).st_mode)


def _kill_at(module: str, name: str, number: int, when: str) -> None:
    """Makes this process die at a call of a function, the first of which is number 1."""
    owner = importlib.import_module(module)
    *parents, last = name.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    function, calls, os_fsync = getattr(owner, last), 0, os.fsync

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        if function is os_fsync and _is_folder(*arguments):
            return function(*arguments)
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

        result = function(*arguments, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, deadly)


def _full_at(number: int) -> None:
    """Makes the disk full from the Nth file on."""
    flush, files = os.fsync, 0

    def full(file: int) -> None:
        nonlocal files
        files += not _is_folder(file)
        if files >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(file)

    os.fsync = full


def _become(question: dict[str, Any]) -> None:
    """Runs the command in this process, which was just forked."""
    if question["own_group"]:
        os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # questions are the server's
    for number, ending in ((1, ".out"), (2, ".err")):
        file = os.open(question["output"] + ending, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)

    os.chdir(question["cwd"])
    os.environ.clear()
    os.environ.update(question["environment"])
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)

    if question["hasty"]:
        from isingprop.cli import run_folder

        shorten_waits()
        run_folder.RunFolder.plot = lambda *_: None
    fate = question["fate"]
    if "kill_at" in fate:
        _kill_at(*fate["kill_at"])
    if "full_at" in fate:
        _full_at(fate["full_at"])

    sys.argv = ["isingprop", *question["arguments"]]
    from isingprop.cli import main

    main()


def _serve() -> None:
    """Answers each question of standard input: the number of a new process, or how one ended."""
    for name in _IMPORTED:
        importlib.import_module(name)
    warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
    # What is frozen is not collected when a child ends, which would take 0.7 s of CPU.
    gc.collect()
    gc.freeze()

    running: set[int] = set()
    for line in iter(sys.stdin.readline, ""):
        question = json.loads(line)
        if "ended" in question:
            pid, status = os.waitpid(question["ended"], os.WNOHANG)
            running.discard(pid)
            print(status if pid else _RUNNING, flush=True)
        elif pid := os.fork():
            running.add(pid)
            print(pid, flush=True)
        else:
            return _become(question)

    for pid in running:
        os.kill(pid, signal.SIGKILL)
    return None


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))  # its modules are in the package helpers
    _serve()
