"""The command `isingprop`: its subcommands, and how each of them ends."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

from isingprop import __version__
from isingprop.cli.evaluate import evaluate
from isingprop.cli.export import export
from isingprop.cli.finished_runs.runs_list import runs
from isingprop.cli.model_commands.predict import predict
from isingprop.cli.qpu_commands import qpu_app
from isingprop.cli.report.report_command import report
from isingprop.cli.reproduce import reproduce
from isingprop.cli.shell.shell_commands import COMPLETION, ShellCommand, ShellGroup
from isingprop.cli.stop_signals import StopSignals
from isingprop.cli.train import train
from isingprop.util.messages import drop_unsaid, say

_NAME = "isingprop"  # also behind `python -m`
app = typer.Typer(
    cls=ShellGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(qpu_app, name="qpu")
# `isingprop --help` lists the commands in this order.
for command in (reproduce, train, evaluate, predict, report, runs, export):
    app.command(cls=ShellCommand)(command)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def isingprop(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Train neural networks with Ising machines."""


def root_command() -> Any:
    """Returns the whole command, as typer makes it of the functions of its subcommands."""
    root: Any = get_command(app)
    for param in root.params:
        if param.name in ("install_completion", "show_completion"):
            param.rich_help_panel = COMPLETION
    return root


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
        code: int = root_command().main(prog_name=_NAME, standalone_mode=False)
    except typer.TyperException as error:
        say(f"Error: {' '.join(_text(error).split())}")
        return error.exit_code
    return code


def _text(error: typer.TyperException) -> str:
    """Returns the message, with the option's name and with the value that was given."""
    unknown = isinstance(error, typer.BadParameter) and error.param is None
    text = error.message if unknown else error.format_message()
    # typer checks bounds by pydantic, whose message leaves out the value.
    found: list[Any] = getattr(error.__cause__, "errors", list)()
    given = [each["input"] for each in found if isinstance(each, dict) and "input" in each]
    return f"{text}, got {given[0]}" if given and str(given[0]) not in text else text
