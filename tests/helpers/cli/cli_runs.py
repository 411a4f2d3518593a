"""The command in a process of its own, and how its refusals look."""

import os
import subprocess
import sys


def isingprop(*arguments, cwd, **environment):
    command = [sys.executable, "-c", "from isingprop.cli import main; main()", *arguments]
    env = {**os.environ, "ISINGPROP_DATA": "", **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def assert_refused(result, code, *fragments):
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    errors = [line for line in result.stderr.splitlines() if not line.startswith("isingprop: ")]
    assert len(errors) == 1, result.stderr
    for fragment in fragments:
        assert fragment in errors[0]
