"""All commands of the shell, by the words that name them."""

from collections.abc import Iterator
from typing import Any

from isingprop.cli.commands import root_command


def commands(command: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple, Any]]:
    """Each command and each group with its words; the first is `isingprop` itself."""
    command = root_command() if command is None else command
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


GROUPS = [words for words, command in commands() if hasattr(command, "commands")]
COMMANDS = [words for words, command in commands() if not hasattr(command, "commands")]
