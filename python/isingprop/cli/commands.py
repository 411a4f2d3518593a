"""The command `isingprop`: its subcommands, and how each of them ends."""

from __future__ import annotations

import sys
import warnings
from typing import NoReturn

import typer

from isingprop.cli.console import USAGE_ERROR
from isingprop.cli.evaluate import evaluate
from isingprop.cli.export import export
from isingprop.cli.finished_runs.runs_list import runs
from isingprop.cli.model_commands.predict import predict
from isingprop.cli.qpu_commands import qpu_app
from isingprop.cli.report.report_command import report
from isingprop.cli.reproduce import reproduce
from isingprop.cli.stop_signals import StopSignals
from isingprop.cli.train import train
from isingprop.util.messages import drop_unsaid, say

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(qpu_app, name="qpu")
# `isingprop --help` lists the commands in this order.
for command in (reproduce, train, evaluate, predict, report, runs, export):
    app.command()(command)


@app.callback()
def isingprop() -> None:
    """Train neural networks with Ising machines."""


def main() -> NoReturn:
    """Runs the command that `sys.argv` names, and exits.

    Errors and warnings are a line each on stderr; the exit code is 2 for wrong usage and 1 for any
    other error. Ctrl-C, SIGTERM and SIGHUP end the command in the same way, with exit code
    128 + signal.
    """
    warnings.showwarning = lambda message, *_: say(f"Warning: {message}")
    with StopSignals() as signals:
        code = signals.exit_code(_exit_code_of_command())

    drop_unsaid()
    sys.exit(code)


def _exit_code_of_command() -> int:
    try:
        code: int = app(standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as error:
        message = error.format_message() if isinstance(error, typer.BadParameter) else str(error)
        say(f"Error: {' '.join(message.split())}")
        return USAGE_ERROR
    return code
