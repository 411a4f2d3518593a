"""The command in a process of its own, and how its refusals look."""

import os
import re
import subprocess
import sys

from helpers.forked_command import commands
from helpers.tolerances import TEST_SECONDS

COMMAND = (sys.executable, "-c", "from isingprop.cli import main; main()")
NO_DATA = {"ISINGPROP_DATA": ""}
NOTICE = re.compile(r"isingprop: |epoch \d+/\d+: |\w+: \d+/\d+ jobs, ")


def isingprop(*arguments, cwd, **environment):
    """Runs the command in a process that is forked from one that has imported everything.

    No picture of a training is drawn, which takes longer than the training.
    """
    run = commands().start(*arguments, cwd=cwd, environment={**NO_DATA, **environment}, hasty=True)
    code = run.wait()
    return subprocess.CompletedProcess(arguments, code, run.stdout, run.stderr)


def fresh_isingprop(*arguments, cwd, **environment):
    """Runs the command in a fresh interpreter, as a stranger starts it."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env={**os.environ, **NO_DATA, **environment},
        capture_output=True,
        text=True,
        timeout=TEST_SECONDS,
        check=False,
    )


def error_lines(text):
    """Returns the lines of an error output that are neither notices nor progress."""
    return [line for line in text.splitlines() if not NOTICE.match(line)]


def assert_refused(result, code, *fragments):
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    errors = error_lines(result.stderr)
    assert len(errors) == 1, result.stderr
    for fragment in fragments:
        assert fragment in errors[0]
