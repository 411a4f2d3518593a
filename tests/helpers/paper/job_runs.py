"""Processes that run jobs, and what is read from their logs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import isingprop as ip
from helpers.processes import wait_until
from helpers.tolerances import INTERRUPT_SECONDS, PROCESS_SECONDS
from isingprop.paper.common.jobs import Arrays


def ran(log: Path) -> list[int]:
    """The numbers of the jobs that started, in that order."""
    return [int(line) for line in log.read_text().split()] if log.is_file() else []


def numbers(results: list[Arrays], images: ip.ImageSet) -> list[int]:
    """The numbers of the jobs that gave these results."""
    return [int(arrays["sum"].item() - images.train_labels.sum()) for arrays in results]


@contextlib.contextmanager
def waiting(code: str, marker: Path) -> Iterator[subprocess.Popen]:
    """A process of a group of its own that runs code, as soon as the marker is there."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: marker.exists() or process.poll() is not None)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


CODE = """
import sys
from isingprop.paper.common.jobs import Runner
from helpers.paper.job_kinds import Count, small_images
from pathlib import Path
with Runner(Path({folder!r}), workers=2, scheduler={scheduler!r}) as runner:
    try:
        jobs = [Count({log!r}, k, seconds) for k, seconds in enumerate({seconds})]
        runner.run(jobs, small_images(), "")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
"""


def check_interrupt(process: subprocess.Popen) -> None:
    """Ctrl-C in a terminal, which goes to the whole group."""
    os.killpg(process.pid, signal.SIGINT)
    sent = time.monotonic()
    process.wait(timeout=PROCESS_SECONDS)
    assert time.monotonic() - sent < INTERRUPT_SECONDS
    assert process.stderr.read() == "interrupted\n"
    assert process.returncode == 0
