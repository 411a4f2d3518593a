"""Errors name the option that was given, whatever the library calls its argument."""

from types import SimpleNamespace

import pytest
import typer

from helpers.cli.command_tree import COMMANDS, commands
from isingprop.cli.console import one_line_errors

# What a command cannot do without.
REQUIRED = {
    ("reproduce",): ["fig2"],
    ("evaluate",): ["run"],
    ("predict",): ["run", "images"],
    ("report",): ["run"],
    ("export",): ["run", "model.onnx"],
    ("qpu", "plan"): ["--minutes", "1"],
}
NUMBERS = (int, float, int | None, float | None)


def numeric_options():
    for words, command in commands():
        for param in command.params:
            descriptor = getattr(param, "type_descriptor", SimpleNamespace(annotation=None))
            if descriptor.annotation in NUMBERS and param.opts[0].startswith("--"):
                yield words, param.name, param.opts[0], str(int(param.min or 1))


NUMERIC = list(numeric_options())


def shown(words, given, message):
    """What the command shows of an error of the library."""

    def fail(**_):
        with one_line_errors():
            raise ValueError(message)

    tree = dict(commands())
    tree[words].callback = fail
    with pytest.raises(typer.TyperException) as caught:
        tree[()].main([*words, *REQUIRED.get(words, []), *given], standalone_mode=False)
    assert caught.value.exit_code == 1
    return caught.value.format_message()


def test_the_numeric_options_are_found():
    found = {(words, option) for words, _, option, _ in NUMERIC}
    assert len(found) > 35
    assert {(("train",), "--qpu-annealing-time"), (("qpu", "embed"), "--size")} <= found
    assert {words for words, *_ in NUMERIC} < set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "name", "option", "value"), NUMERIC, ids=[f"{w[-1]} {o}" for w, _, o, _ in NUMERIC]
)
def test_a_number_is_refused_by_the_name_of_its_option(words, name, option, value):
    message = "must be at least 9, got 3"
    assert shown(words, [option, value], f"{name} {message}") == f"{option} {message}"


@pytest.mark.parametrize(
    ("words", "given", "message", "wanted"),
    [
        # It was not given, and should be.
        (("train",), [], "label must name the column", "--label must name the column"),
        (("predict",), [], "label must name the column", "--label must name the column"),
        # The library has another name for it.
        (
            ("train",),
            ["--qpu-annealing-time", "5"],
            "annealing_time must be in the chip's annealing_time_range, got 5",
            "--qpu-annealing-time must be in the chip's annealing_time_range, got 5",
        ),
        (
            ("evaluate",),
            ["--threads", "2"],
            "num_threads must be at least 9, got 2",
            "--threads must be at least 9, got 2",
        ),
        (
            ("train",),
            ["--hidden", "5,0"],
            "hidden[1] must be at least 1, got 0",
            "--hidden[1] must be at least 1, got 0",
        ),
        # Further names are in the message.
        (
            ("qpu", "embed"),
            [],
            "num_hidden and num_output must fit on a chip, got 120 and 40",
            "--hidden and --output must fit on a chip, got 120 and 40",
        ),
        (
            ("train",),
            [],
            "cannot download it: name its folder with data_dir or ISINGPROP_DATA",
            "cannot download it: name its folder with --data-dir or ISINGPROP_DATA",
        ),
        # A shell has no None.
        (
            ("train",),
            ["--data-dir", "x"],
            "data_dir must be None for digits, got 'x'",
            "--data-dir cannot be given for digits, got 'x'",
        ),
    ],
)
def test_names_of_options_stand_for_names_of_arguments(words, given, message, wanted):
    assert shown(words, given, message) == wanted


@pytest.mark.parametrize(
    ("words", "given", "message"),
    [
        (
            ("train",),
            ["--resume", "run"],
            "num_test must be 20 as in the checkpoint run/checkpoint, got 5",
        ),
        (("train",), ["--seed", "5"], "seed must be at least 0, got -1 (in run/config.json)"),
        (("train",), ["--data", "out"], "out must hold IDX files, got none"),
        (("evaluate",), [], "settings must hold data_dir, got none (in run/config.json)"),
        (("train",), ["--data", "digits"], "my_data must hold IDX files, got none"),
        (("train",), ["--num-train", "5"], "runs/num_train must be new, got num_train/x"),
    ],
)
def test_other_names_stay(words, given, message):
    """Settings of a run that were not given, names that a file holds, parts of paths."""
    assert shown(words, given, message) == message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--num-train", "5000"), "--num-train must be at most 1437, got 5000"),
        (("train", "--average-from", "31"), "--average-from must be at most 30, the last"),
        (
            ("train", "--sampler", "dwave", "--test-sampler", "dwave-cyclic"),
            "--test-sampler must be dwave or no D-Wave chip, got dwave-cyclic",
        ),
        (("train", "--qpu-scale", "2"), "--qpu-scale must go with sampler dwave, "),
        (("train", "--data-dir", "x"), "--data-dir cannot be given for digits "),
        (("qpu", "embed", "--topology", "zephyr", "--size", "99"), "--size must be at most 40"),
        (("qpu", "plan", "--minutes", "1", "--num-test", "9999"), "--num-test must be at most 360"),
    ],
)
def test_what_the_library_refuses_has_the_name_of_the_option(isingprop, tmp_path, words, message):
    done = isingprop(*words)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"Error: {message}")
    assert list(tmp_path.iterdir()) == []
