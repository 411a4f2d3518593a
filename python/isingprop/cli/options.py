"""Options that several commands share, and checks of values that typer cannot check itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer import Option

from isingprop.cli.run_samplers import SAMPLER_NAMES, check_sampler_name
from isingprop.cli.run_settings import BOUNDS
from isingprop.cli.shell.shell_commands import DATA, RUN


def whole(name: str, group: str, text: str) -> Any:
    """Returns the option, in a group and with this help, of a setting that is a whole number."""
    least, most = BOUNDS[name]
    return count(group, text, least=least, most=most)


def count(group: str, text: str, *, least: int = 1, most: int | None = None) -> Any:
    """Returns the option, in a group and with this help, of a whole number within bounds."""
    return Option(metavar="N", min=least, max=most, rich_help_panel=group, help=text)


SAMPLERS_TEXT = ", ".join([*SAMPLER_NAMES, "or dimod:MODULE:CLASS"])

DataDir = Annotated[
    Path | None,
    Option(rich_help_panel=DATA, help="Folder of IDX files [env: ISINGPROP_DATA]."),
]
Threads = Annotated[int, whole("threads", RUN, "Changes the speed, never the numbers.")]
AsJson = Annotated[
    bool, Option("--json", rich_help_panel=RUN, help="Print one JSON object and nothing else.")
]

Command = TypeVar("Command", bound=Callable[..., Any])


def with_options_of(
    command: Callable[..., Any], *, left_out: Collection[str]
) -> Callable[[Command], Command]:
    """Returns a decorator that gives a command the options of another one, after its own.

    The decorated function gets them in its `**options`.

    Args:
        command: the function of the other command.
        left_out: parameters of it that are no option of the decorated command.
    """

    def decorate(function: Command) -> Command:
        own = [
            each
            for each in signature(function, eval_str=True).parameters.values()
            if each.kind is not Parameter.VAR_KEYWORD
        ]
        shared = [
            each
            for each in signature(command, eval_str=True).parameters.values()
            if each.name not in left_out
        ]

        whole = signature(function).replace(parameters=[*own, *shared])
        function.__signature__ = whole  # type: ignore[attr-defined]
        return function

    return decorate


def hidden_layers(text: str) -> tuple[int, ...]:
    """Returns the sizes that `--hidden` lists, such as (120, 60) for "120,60"."""
    numbers = tuple(int(part) if part.strip().isdecimal() else 0 for part in text.split(","))
    if min(numbers) < 1:
        raise typer.BadParameter(
            f"--hidden must be whole numbers with commas between, at least 1, got {text!r}"
        )
    return numbers


def sampler_name(option: str, text: str) -> str:
    """Returns the name of a sampler after a check; a wrong one is an error of usage."""
    try:
        check_sampler_name(option, text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text


def positive(option: str, value: float) -> float:
    """Returns a number after checking that it is finite and above 0."""
    if not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{option} must be finite and above 0, got {value}")
    return value


def absolute(path: Path | None) -> str | None:
    """Returns the absolute path, which stays right when a run is resumed from another folder."""
    return None if path is None else str(path.absolute())
