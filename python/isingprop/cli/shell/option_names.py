"""Names of options in messages of the library, which names arguments of Python."""

from __future__ import annotations

import re
from collections.abc import Mapping

import typer

# What a message is about: its first word, or its first word with an index.
_SUBJECT = re.compile(r"(\w+)(?=(?:\[\d+\])? (?:must|cannot)\b)")
# Words that no prose has, and that are no parts of paths, calls or equations.
_NAMES = re.compile(r"(?<![\w./=-])[a-z]+(?:_[a-z]+)+(?![\w/(=-])")
_ABOUT_A_FILE = re.compile(r" \(in \S")


def in_option_names(message: str, context: typer.Context) -> str:
    """Returns the message of an error with options of the command in place of arguments.

    "num_train must be at most 9, got 10" begins with "--num-train". The argument of
    `--qpu-annealing-time` may be `annealing_time`, that of `--threads` `num_threads`. With --resume
    what was not given keeps its name at the beginning, since it is a setting of a run, and so do
    the names of files, and those that a file holds.

    Args:
        message: the message in one line.
        context: that of the command that ended with the error.
    """
    if _ABOUT_A_FILE.search(message):
        return message
    options = {
        param.name: max(param.opts, key=len)
        for param in context.command.params
        if param.param_type_name == "option"
    }

    start, rest = "", message
    if subject := _SUBJECT.match(message):
        kept = _is_given(context, "resume") or subject[1] in map(str, context.params.values())
        known = {
            name: each for name, each in options.items() if _is_given(context, name) or not kept
        }
        start, rest = _option_of(subject[1], known), message[subject.end() :]
        if start != subject[1]:
            rest = re.sub("^ must be None", " cannot be given", rest)
    return start + _NAMES.sub(lambda name: _option_of(name[0], options), rest)


def _option_of(argument: str, options: Mapping[str, str]) -> str:
    """Returns the option that an argument comes from, or its own name if that is not certain."""
    if argument in options:
        return options[argument]
    near = [
        option
        for name, option in options.items()
        if name.endswith(f"_{argument}") or argument == f"num_{name}"
    ]
    return near[0] if len(near) == 1 else argument


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
