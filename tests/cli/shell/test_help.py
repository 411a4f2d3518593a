"""Help, version and hints, as a newcomer meets them in a terminal of 80 columns."""

import re
import runpy
import subprocess
import sys

import pytest

import isingprop as ip
from helpers.cli.cli_runs import fresh_isingprop
from helpers.cli.command_tree import COMMANDS, GROUPS

EACH = pytest.mark.parametrize("words", [*GROUPS, *COMMANDS], ids=" ".join)


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def headings(text):
    return re.findall(r"^(\w+):$", text, re.MULTILINE)


def options(text):
    return re.findall(r"^  (--[\w-]+)", text, re.MULTILINE)


def test_the_version_is_all_that_version_prints(isingprop):
    assert isingprop("--version") == (0, f"{ip.__version__}\n", "")


@EACH
def test_h_is_help(isingprop, words):
    whole = isingprop(*words, "--help")
    assert whole.code == 0
    assert whole.out.startswith(" ".join(("Usage: isingprop", *words)))
    assert isingprop(*words, "-h") == whole


@EACH
def test_help_is_plain_text_that_fits_80_columns(isingprop, words):
    text = isingprop(*words, "--help").out
    assert text.isascii()  # no boxes
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "...\n" not in text.partition("\n")[2], "the text of a command is cut off"


@pytest.mark.parametrize("words", GROUPS, ids=" ".join)
def test_a_bare_group_shows_its_help(isingprop, words):
    assert isingprop(*words) == (2, isingprop(*words, "--help").out, "")


def test_many_options_are_in_groups(isingprop):
    text = isingprop("train", "--help").out
    groups = ["Data", "Network", "Learning", "Sampling", "QPU", "Run", "Options"]
    assert headings(text) == groups
    inside = dict(zip(groups, re.split(r"^\w+:$", text, flags=re.MULTILINE)[1:], strict=True))
    assert options(inside["Data"]) == [
        *("--data", "--label", "--data-dir", "--num-train", "--num-test")
    ]
    assert {"--learning-rate", "--epochs", "--margin"} <= set(options(inside["Learning"]))
    assert {"--num-states", "--sampler"} <= set(options(inside["Sampling"]))
    assert {"--seed", "--out", "--resume"} <= set(options(inside["Run"]))
    assert all(each.startswith(("--qpu-", "--dry-run")) for each in options(inside["QPU"]))
    assert options(inside["Options"]) == []  # -h, --help


def test_few_options_need_no_groups(isingprop):
    assert headings(isingprop("evaluate", "--help").out) == ["Arguments", "Options"]


def test_completion_comes_last_in_the_help(isingprop):
    text = isingprop("--help").out
    assert headings(text) == ["Commands", "Options", "Completion"]
    assert options(text.partition("Completion:")[2]) == [
        *("--install-completion", "--show-completion")
    ]
    assert "completion" not in isingprop("train", "--help").out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("train", "--num-state", "3"), "--num-states"),
        (("train", "--recepi=paper"), "--recipe"),
        (("qpu", "plan", "--minute", "1"), "--minutes"),
        (("--verison",), "--version"),
        (("trian",), "Did you mean 'train'?"),
        (("qpu", "emebd"), "Did you mean 'embed'?"),
    ],
)
def test_misspelt_words_are_one_line_with_a_hint(isingprop, words, hint):
    done = isingprop(*words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert hint in done.err


def test_what_an_option_must_be_is_said_without_preamble(isingprop):
    done = isingprop("train", "--learning-rate", "nan")
    assert done == (2, "", "Error: --learning-rate must be finite and above 0, got nan\n")


@pytest.mark.parametrize(
    ("value", "ending"), [("0", "or equal to 1, got 0"), ("2.5", "as an integer, got 2.5")]
)
def test_a_value_out_of_bounds_is_quoted(isingprop, value, ending):
    done = isingprop("train", "--epochs", value)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: Invalid value for '--epochs': ")
    assert done.err.endswith(f"{ending}\n")


def test_a_value_that_is_quoted_is_not_quoted_again(isingprop):
    done = isingprop("train", "--optimizer", "best")
    assert done.err.count("best") == 1


def test_an_unknown_error_keeps_its_traceback(isingprop, monkeypatch):
    def fail(_):
        raise KeyError("a mistake of ours")

    monkeypatch.setattr("isingprop.cli.evaluate.RunFolder.open", fail)
    with pytest.raises(KeyError, match="a mistake of ours"):
        isingprop("evaluate", "run")


def test_python_m_is_the_command(isingprop, monkeypatch, capfd):
    wanted = isingprop("train", "--help").out
    monkeypatch.setattr(sys, "argv", ["/somewhere/isingprop/__main__.py", "train", "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("isingprop", run_name="__main__")
    assert (stop.value.code or 0, capfd.readouterr().out) == (0, wanted)


@pytest.mark.slow
def test_python_m_in_a_process_of_its_own(tmp_path):
    words = "-m", "isingprop", "trian"
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    whole = fresh_isingprop("trian", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, whole.stdout, whole.stderr)


@pytest.mark.slow
def test_help_imports_nothing_heavy(python):
    """The command starts in some 0.6 s, and completes as fast."""
    result = python("""
import sys
from isingprop.cli.commands import root_command
root_command()
heavy = {"scipy", "sklearn", "matplotlib", "dimod", "dwave", "plotly", "requests", "rich"}
print(heavy & set(sys.modules))
""")
    assert result.stdout == "set()\n", result.stderr
