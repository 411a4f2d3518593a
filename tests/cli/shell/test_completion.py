"""Completion by the Tab key in bash, zsh and fish."""

import os
import shutil
import subprocess
import sys

import pytest

from helpers.tolerances import PROCESS_SECONDS

PRINTED = {  # by what the shell asks with
    "bash": ({"COMP_WORDS": "isingprop train --num-s", "COMP_CWORD": "2"}, "{}"),
    "zsh": ({"_TYPER_COMPLETE_ARGS": "isingprop train --num-s"}, '"{}":'),
    "fish": (
        {
            "_TYPER_COMPLETE_ARGS": "isingprop train --num-s",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
        "{}\t",
    ),
}

# A shell that has the printed script prints what it would offer after `isingprop qpu e`.
OFFERED = {
    "bash": """
source <(isingprop --show-completion)
COMP_WORDS=(isingprop qpu e) COMP_CWORD=2
_isingprop_completion isingprop
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { : }
_arguments() { print -r -- $@ | grep -o '"e[a-z]*"' | tr -d '"' }
eval "$(isingprop --show-completion)"
words=(isingprop qpu e) CURRENT=3
_isingprop_completion
""",
    "fish": """
isingprop --show-completion | source
complete -C "isingprop qpu e" | cut -f 1
""",
}
INSTALLED = {
    "bash": ".bash_completions/isingprop.sh",
    "zsh": ".zfunc/_isingprop",
    "fish": ".config/fish/completions/isingprop.fish",
}


@pytest.fixture
def in_shell(tmp_path):
    """Runs lines in a shell whose home is tmp_path and that finds `isingprop`."""
    script = tmp_path / "bin" / "isingprop"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m isingprop "$@"\n')
    script.chmod(0o755)
    path = os.pathsep.join([str(script.parent), os.environ["PATH"]])
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": path}

    def run(shell, lines):
        if shutil.which(shell) is None:
            pytest.skip(f"no {shell} here")
        return subprocess.run(
            [shell, "-c", lines],
            env={**environment, "XDG_CONFIG_HOME": str(tmp_path / ".config")},
            capture_output=True,
            text=True,
            timeout=PROCESS_SECONDS,
            check=False,
        )

    return run


@pytest.mark.parametrize("shell", PRINTED)
def test_options_are_completed(isingprop, monkeypatch, shell):
    asked, form = PRINTED[shell]
    for name, value in {**asked, "_ISINGPROP_COMPLETE": f"complete_{shell}"}.items():
        monkeypatch.setenv(name, value)
    done = isingprop()
    assert (done.code, done.err) == (0, "")
    assert all(form.format(option) in done.out for option in ("--num-states", "--num-sweeps"))
    assert "--num-train" not in done.out


@pytest.mark.slow
@pytest.mark.parametrize("shell", OFFERED)
def test_each_shell_takes_the_script(in_shell, shell):
    done = in_shell(shell, OFFERED[shell])
    assert done.stdout.split() == ["embed", "estimate"], done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("shell", INSTALLED)
def test_completion_is_installed_for_the_shell_it_is_asked_from(in_shell, tmp_path, shell):
    done = in_shell(shell, "isingprop --install-completion; true")
    assert f"{shell} completion installed in " in done.stdout, done.stderr
    assert "isingprop" in (tmp_path / INSTALLED[shell]).read_text()
