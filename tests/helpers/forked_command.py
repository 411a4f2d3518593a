"""The command in processes that are forked from one that has imported everything, so that each starts at once.

    with Commands() as commands:
        run = commands.start("train", "--out", "run", cwd=tmp_path, environment=sapi.environment)
        run.kill()  # kill -9, from any thread
        run.wait()

The D-Wave sampler's waits are short in them, and no picture is drawn, which would take as long as a small run. A run
can be told to kill itself at a call of a function.
"""

import contextlib
import errno
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

_IMPORTED = (
    "dwave.system",
    "isingprop.qpu.calls.programmed_chip",
    "isingprop.samplers.dry_run",
    "matplotlib.figure",
    "sklearn.datasets",
)
_RUNNING = -1
_PAUSE = 0.005  # between two looks at a process, in seconds


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
            os.kill(self.pid, number)  # if it ended it is a zombie until wait()

    def wait(self) -> int:
        """The exit code, negative for a signal."""
        with self._lock:
            while self._code is None:
                status = self._commands.ask({"ended": self.pid})
                self._code = None if status == _RUNNING else os.waitstatus_to_exitcode(status)
                time.sleep(0 if self._code is not None else _PAUSE)
        return self._code

    @property
    def stdout(self) -> str:
        return self._output.with_suffix(".out").read_text()

    @property
    def stderr(self) -> str:
        return self._output.with_suffix(".err").read_text()


class Commands:
    """The process that forks.

    Args:
        outputs: folder for what the runs say.
    """

    def __init__(self, outputs: Path) -> None:
        self._outputs = outputs
        self._started = 0
        self._lock = threading.Lock()
        self._server = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Commands":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def start(self, *arguments: str, cwd: Path, environment: dict[str, str], **fate: Any) -> Run:
        """Starts `isingprop ARGUMENTS`.

        Args:
            arguments: of the command.
            cwd: where it runs.
            environment: variables beside those of this process.
            fate: kill_at=(module, name in it, which of its calls, "before" or "after") kills the run at a call of a
                function; full_at=N fills the disk when the Nth file is written, and for all that follow.
        """
        self._started += 1
        output = self._outputs / f"run-{self._started}"
        pid = self.ask(
            {
                "arguments": arguments,
                "cwd": str(cwd),
                "environment": environment,
                "output": str(output),
                "fate": fate,
            }
        )
        return Run(self, pid, output)

    def ask(self, question: dict[str, Any]) -> int:
        with self._lock:
            self._server.stdin.write(json.dumps(question) + "\n")
            self._server.stdin.flush()
            return int(self._server.stdout.readline())


def shorten_waits() -> None:
    from isingprop.qpu.calls import call_sender, device_session

    device_session._DELAYS = (0.05,) * 8
    call_sender._SETTLING = 0.1


def _kill_at(module: str, name: str, number: int, when: str) -> None:
    """Has this process die at a call of a function, the first of which is number 1."""
    owner = importlib.import_module(module)
    *parents, last = name.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    function, calls = getattr(owner, last), 0

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, deadly)


def _full_at(number: int) -> None:
    """Has the disk be full from the Nth file on."""
    flush, files = os.fsync, 0

    def full(file: int) -> None:
        nonlocal files
        files += 1
        if files >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(file)

    os.fsync = full


def _become(question: dict[str, Any]) -> None:
    """Runs the command in this process, which was just forked."""
    for number, ending in ((1, ".out"), (2, ".err")):
        file = os.open(question["output"] + ending, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
    os.chdir(question["cwd"])
    os.environ.update(question["environment"])
    fate = question["fate"]
    if "kill_at" in fate:
        _kill_at(*fate["kill_at"])
    if "full_at" in fate:
        _full_at(fate["full_at"])
    sys.argv = ["isingprop", *question["arguments"]]
    from isingprop.cli import main

    main()


def _serve() -> None:
    from isingprop.cli import run_folder

    for name in _IMPORTED:
        importlib.import_module(name)
    shorten_waits()
    run_folder.RunFolder.plot = lambda *_: None
    for line in sys.stdin:
        question = json.loads(line)
        if "ended" in question:
            pid, status = os.waitpid(question["ended"], os.WNOHANG)
            print(status if pid else _RUNNING, flush=True)
        elif pid := os.fork():
            print(pid, flush=True)
        else:
            _become(question)


if __name__ == "__main__":
    _serve()
