"""The tests end where SIGINT is ignored, as it is under nohup and behind a script's `&`."""

import signal
import subprocess
import sys
import threading

import pytest

from helpers import TESTS
from helpers.tolerances import TEST_SECONDS

CASE = "test_interrupts.py::test_ctrl_c_ends_a_long_call[one huge chain]"
SIGINT_IGNORED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.slow
def test_a_test_of_ctrl_c_ends_where_sigint_is_ignored():
    command = [sys.executable, "-c", SIGINT_IGNORED, "-m", "pytest", str(TESTS / CASE)]
    done = subprocess.run(
        command,
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=TEST_SECONDS / 2,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_test_that_waits_for_ever_fails():
    """The alarm that is set for each test breaks off any wait of the main thread."""
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(pytest.fail.Exception, match="did not end within"):
        threading.Event().wait()
