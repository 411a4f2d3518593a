"""SIGTERM and SIGHUP end a command as Ctrl-C does, each with an exit code of its own."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from helpers.cli.cli_reproduce import TWO_SEEDS
from helpers.cli.cli_runs import COMMAND, NO_DATA, error_lines, isingprop
from helpers.dwave.chip_commands import run
from helpers.forked_command import commands
from helpers.processes import started, wait_until
from helpers.tolerances import PROCESS_SECONDS
from isingprop.cli.stop_signals import STOP_SIGNALS, StopSignals, stops_later

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
TINY = ("--num-train", "10", "--num-test", "10", "--hidden", "8", "--num-states", "1")
FOR_EVER = ("train", *TINY, "--epochs", "1000000", "--out", "run")
# An epoch is one call of a kernel, of minutes.
LONG_EPOCH = (
    *("train", "--num-train", "1000", "--num-test", "10", "--hidden", "200", "--sampler", "anneal"),
    *("--num-states", "100", "--num-sweeps", "1000", "--batch-size", "1000", "--out", "run"),
)


def epochs_of(folder):
    return (folder / "history.csv").read_text().count("\n") - 1


def assert_goes_on(folder, cwd):
    """The run is resumed for one more epoch, and leaves no temporary file."""
    done = epochs_of(folder)
    more = ("--epochs", str(done + 1), "--json")
    result = isingprop("train", "--resume", folder.name, *more, cwd=cwd)
    assert json.loads(result.stdout)["epochs"] == done + 1
    assert list(folder.glob(".*")) == []


@contextlib.contextmanager
def started_run(*arguments, cwd):
    running = commands().start(*arguments, cwd=cwd, environment=NO_DATA, hasty=True, own_group=True)
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_a_run_with_one_line_and_its_code(tmp_path, number):
    with started_run(*FOR_EVER, cwd=tmp_path) as running:
        wait_until((tmp_path / "run" / "history.csv").is_file)
        running.send_signal(number)
        assert running.wait(PROCESS_SECONDS) == CODES[number]
    assert error_lines(running.stderr) == ["Interrupted; go on with: isingprop train --resume run"]
    assert_goes_on(tmp_path / "run", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_a_long_call_of_a_kernel(tmp_path, number):
    with started_run(*LONG_EPOCH, cwd=tmp_path) as running:
        wait_until((tmp_path / "run" / "config.json").is_file)
        time.sleep(0.5)
        running.send_signal(number)
        assert running.wait(PROCESS_SECONDS) == CODES[number]
    assert error_lines(running.stderr) == ["Interrupted; go on with: isingprop train --resume run"]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["config.json", "lock"]


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
def test_a_signal_to_the_whole_group_ends_reproduce_in_one_line(tmp_path, number):
    """As a terminal or a batch system sends it: to the worker processes, too."""
    command = "reproduce", "fig4", *TWO_SEEDS, "--workers", "2", "--out", "out"
    jobs = tmp_path / "out" / "jobs"
    with started_run(*command, cwd=tmp_path) as running:
        wait_until(lambda: any(jobs.glob("*.safetensors")) or running.poll() is not None)
        os.killpg(running.pid, number)
        assert running.wait(PROCESS_SECONDS) == CODES[number], running.stderr
        line = "Interrupted; what is finished is kept in out: say the same again to go on"
        assert error_lines(running.stderr) == [line]


# Commands, and a function of their first step.
OTHERS = {
    "evaluate": (("evaluate", "run"), "isingprop.cli.evaluate.RunFolder.open"),
    "export": (("export", "run", "model.onnx"), "isingprop.cli.export.RunFolder.open"),
    "embed": (
        ("qpu", "embed", "--topology", "pegasus"),
        "isingprop.cli.qpu_commands.qpu_embed.chosen_chip",
    ),
    "plan": (("qpu", "plan", "--minutes", "1"), "isingprop.cli.qpu_commands.qpu_plan.chosen_chip"),
    "rehearse": (("qpu", "rehearse"), "isingprop.cli.rehearsal.rehearse.chosen_chip"),
    "reproduce": (("reproduce", "fig4", "--quick"), "isingprop.cli.reproduce._load_data"),
}


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.usefixtures("default_signals")
def test_a_signal_ends_every_command_with_one_line_and_its_code(
    capfd, monkeypatch, tmp_path, name, number
):
    def stop(*_, **__):
        signal.raise_signal(number)
        raise AssertionError

    arguments, function = OTHERS[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(function, stop)
    done = run(capfd, monkeypatch, *arguments)
    assert done == (CODES[number], "", "Interrupted.\n")


IGNORING = """
import os, signal, sys
for number in {numbers}:
    signal.signal(number, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.slow
@pytest.mark.parametrize("ignored", CODES)
def test_a_signal_that_is_ignored_stays_ignored(tmp_path, ignored):
    """As nohup ignores SIGHUP, and a script's `&` SIGINT."""
    code = IGNORING.format(numbers=[int(ignored)])
    environment = {**os.environ, **NO_DATA}
    [ending] = [each for each in CODES if each not in (ignored, signal.SIGINT)][:1]
    command = "-c", code, *COMMAND[1:], *FOR_EVER
    with started(*command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as running:
        history = tmp_path / "run" / "history.csv"
        wait_until(history.is_file)
        running.send_signal(ignored)
        done = epochs_of(tmp_path / "run")
        wait_until(lambda: epochs_of(tmp_path / "run") > done + 1)
        running.send_signal(ending)
        running.communicate(timeout=PROCESS_SECONDS)
    assert running.returncode == CODES[ending]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_many_signals_are_as_good_as_one(tmp_path, seed):
    numbers = [list(CODES)[(seed + k) % 3] for k in range(12)]
    environment = {**os.environ, **NO_DATA}
    command = *COMMAND[1:], *FOR_EVER
    with started(*command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as running:
        wait_until((tmp_path / "run" / "history.csv").is_file)
        for number in numbers:
            running.send_signal(number)
            time.sleep(0.02)
        _, errors = running.communicate(timeout=PROCESS_SECONDS)
    # A further signal after the last word ends the process by itself.
    assert running.returncode in {CODES[numbers[0]], *(-number for number in numbers)}
    assert error_lines(errors) == ["Interrupted; go on with: isingprop train --resume run"]
    assert_goes_on(tmp_path / "run", tmp_path)


@pytest.mark.slow
def test_a_closed_terminal_ends_a_run_as_it_should(tmp_path):
    """The line about it finds no terminal any more."""
    ours, theirs = pty.openpty()
    code = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from isingprop.cli import main
main()
"""
    running = subprocess.Popen(
        [sys.executable, "-c", code, *FOR_EVER],
        cwd=tmp_path, env={**os.environ, **NO_DATA}, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        wait_until((tmp_path / "run" / "history.csv").is_file)
        os.close(ours)
        assert running.wait(PROCESS_SECONDS) == CODES[signal.SIGHUP]
    finally:
        running.kill()
    assert_goes_on(tmp_path / "run", tmp_path)


def test_handlers_are_the_commands_only(capsys, monkeypatch):
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    from isingprop.cli import main

    monkeypatch.setattr(sys, "argv", ["isingprop", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert "reproduce" in capsys.readouterr().out
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


@pytest.fixture
def default_signals():
    """The handlers of a fresh interpreter, for this test."""
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in zip(STOP_SIGNALS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("default_signals")
def test_an_impatient_signal_takes_effect_again_after_a_while(monkeypatch):
    """Where something has swallowed the first one."""
    monkeypatch.setattr("isingprop.cli.stop_signals._SECONDS_TO_END", 0.05)
    with StopSignals() as signals:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
        time.sleep(0.06)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signals.exit_code(code) for code in (0, 1, 130)] == [0, 1, 143]
    assert {signal.getsignal(number) for number in STOP_SIGNALS} == {signal.SIG_DFL}


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_can_be_put_off(number):
    reached = []

    def put_off():
        with stops_later():
            signal.raise_signal(number)
            reached.append(number)

    with StopSignals(), pytest.raises(KeyboardInterrupt):
        put_off()
    assert reached == [number]


def test_a_handler_of_somebody_else_is_kept():
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with StopSignals(), stops_later():
            signal.raise_signal(signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
