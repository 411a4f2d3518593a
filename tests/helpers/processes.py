"""Child processes that never outlive a test."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from helpers.tolerances import PROCESS_SECONDS


@contextlib.contextmanager
def started(*command: str, **options: Any) -> Iterator[subprocess.Popen]:
    """A fresh interpreter that runs `python COMMAND`, and is killed in the end."""
    with subprocess.Popen([sys.executable, *command], text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def python(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs code in a fresh interpreter, with these environment variables beside those of
    this one.
    """
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
        check=False,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits for a condition, which must come true in time."""
    deadline = time.monotonic() + PROCESS_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
