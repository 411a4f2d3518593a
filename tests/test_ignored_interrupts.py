"""The tests pass where signals are ignored: SIGHUP under nohup, SIGINT behind a script's `&`."""

import signal
import subprocess
import sys
import threading

import pytest

from helpers import TESTS
from helpers.tolerances import TEST_SECONDS

# A test that sends the signal to a process of its own.
CASES = {
    signal.SIGINT: "test_interrupts.py::test_ctrl_c_ends_a_long_call[one huge chain]",
    signal.SIGTERM: "cli/test_stop_signals.py::test_a_signal_ends_a_long_call_of_a_kernel[15]",
    signal.SIGHUP: "cli/test_stop_signals.py::test_a_signal_ends_a_long_call_of_a_kernel[1]",
}
IGNORING = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", CASES)
def test_a_test_of_a_signal_passes_where_it_is_ignored(number):
    command = [sys.executable, "-c", IGNORING, "-m", "pytest", str(TESTS / CASES[number])]
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
