"""The classes of all commands: help with options in groups, and errors with their names."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from isingprop.cli.shell.option_names import in_option_names

USAGE_ERROR = 2

#: The groups of options, in the order of the help; an option names its own as `rich_help_panel`.
GROUPS = ("Data", "Chip", "Network", "Learning", "Sampling", "QPU", "Run", "Options", "Completion")
DATA, CHIP, NETWORK, LEARNING, SAMPLING, QPU, RUN, _OTHERS, COMPLETION = GROUPS
_FEW = 9  # options that need no groups
_NAME_WIDTH = 30  # columns of the longest name that has its text beside it


class ShellCommand(TyperCommand):
    """A command, whose errors name its options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and options into the help."""
        _write_options(self, ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command.

        Raises:
            typer.TyperException: for an error, in one line and in names of options.
        """
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            error.message = in_option_names(error.message, ctx)
            raise


class ShellGroup(TyperGroup):
    """A group of commands, which shows its help where none of them is named."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes commands and options into the help."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words behind the name of the group."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit(USAGE_ERROR)
        return super().parse_args(ctx, args)


def _write_options(command: TyperCommand | TyperGroup, context: Any, formatter: Any) -> None:
    """Writes arguments, and options by their groups, in one pair of columns."""
    rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], **{name: [] for name in GROUPS}}
    params = command.get_params(context)
    options = [param for param in params if param.param_type_name == "option"]
    for param in params:
        if (row := param.get_help_record(context)) is not None:
            rows[_group_of(param, few=len(options) < _FEW)].append(row)

    names = [name for group in rows.values() for name, _ in group]
    width = max(len(name) for name in names if len(name) <= _NAME_WIDTH)
    for title, group in rows.items():
        if group:
            with formatter.section(title):
                formatter.write("".join(_lines(*row, width, formatter.width) for row in group))


def _group_of(param: Any, *, few: bool) -> str:
    if param.param_type_name == "argument":
        return "Arguments"
    group: str | None = param.rich_help_panel
    return _OTHERS if group is None or (few and group != COMPLETION) else group


def _lines(name: str, text: str, width: int, columns: int) -> str:
    """Returns the lines of an option, in which names of samplers and the like are never broken."""
    start, indent = f"  {name:<{width}}  ", " " * (width + 4)
    above = ""
    if len(name) > width:
        start, above = indent, f"  {name}\n"

    lines = wrap(
        text, columns, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False
    )
    return above + "\n".join(lines) + "\n"
