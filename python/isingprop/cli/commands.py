"""The command `isingprop`: its subcommands, and how each of them ends."""

from __future__ import annotations

import sys
import warnings
from typing import NoReturn

import typer

from isingprop.cli.console import USAGE_ERROR
from isingprop.cli.evaluate import evaluate
from isingprop.cli.export import export
from isingprop.cli.model_commands.predict import predict
from isingprop.cli.qpu_commands import qpu_app
from isingprop.cli.reproduce import reproduce
from isingprop.cli.train import train
from isingprop.util.messages import say

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(qpu_app, name="qpu")
# `isingprop --help` lists the commands in this order.
for command in (reproduce, train, evaluate, predict, export):
    app.command()(command)


@app.callback()
def isingprop() -> None:
    """Train neural networks with Ising machines."""


def main() -> NoReturn:
    """Runs the command that `sys.argv` names, and exits.

    Errors and warnings are a line each on stderr; the exit code is 2 for wrong usage and 1 for any
    other error.
    """
    warnings.showwarning = lambda message, *_: say(f"Warning: {message}")
    try:
        code = app(standalone_mode=False)
    except typer.Exit as stop:
        code = stop.exit_code
    except typer.TyperException as error:
        message = error.format_message() if isinstance(error, typer.BadParameter) else str(error)
        say(f"Error: {' '.join(message.split())}")
        code = USAGE_ERROR

    sys.exit(code)
