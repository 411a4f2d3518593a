"""Two commands on one folder: the second is refused, and leftovers of killed ones are cleared."""

import contextlib
import json
import os
import signal
import socket

import pytest

from helpers.cli.cli_reproduce import TWO_SEEDS
from helpers.cli.cli_runs import NO_DATA, assert_refused, isingprop
from helpers.forked_command import commands
from helpers.processes import wait_until
from helpers.tolerances import PROCESS_SECONDS

TINY = ("--num-train", "10", "--num-test", "10", "--hidden", "8", "--num-states", "1")
FOR_EVER = ("train", *TINY, "--epochs", "1000000")
ONE_EPOCH = ("train", *TINY, "--epochs", "1")


def started_run(*arguments, cwd, **options):
    return commands().start(*arguments, cwd=cwd, environment=NO_DATA, hasty=True, **options)


@contextlib.contextmanager
def running(*arguments, cwd, until):
    """A command that has come to make a file, and is killed in the end."""
    run = started_run(*arguments, cwd=cwd, own_group=True)
    try:
        wait_until(lambda: until() or run.poll() is not None)
        assert run.poll() is None, run.stderr
        yield run
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait(PROCESS_SECONDS)


def epochs_of(folder):
    return (folder / "history.csv").read_text().count("\n") - 1


def files_of(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "training.png")


def temporary(folder):
    return [path.name for path in folder.rglob(".*")]


WHOLE = ["checkpoint.safetensors", "config.json", "history.csv", "lock", "model.safetensors"]


@pytest.mark.slow
def test_a_run_that_is_running_is_not_resumed_and_loses_nothing(tmp_path):
    folder = tmp_path / "run"
    history = folder / "history.csv"
    with running(*FOR_EVER, "--out", "run", cwd=tmp_path, until=history.is_file) as run:
        at_work = f"got process {run.pid} on {socket.gethostname()} at work"
        for _ in range(3):
            second = isingprop("train", "--resume", "run", cwd=tmp_path)
            refusal = f"run must be written by one process at a time, {at_work}"
            assert_refused(second, 1, refusal)
        done = epochs_of(folder)
        fresh = isingprop(*ONE_EPOCH, "--out", "run", cwd=tmp_path)
        assert_refused(fresh, 1, "run must be new or empty, got one that is not")
        looked = isingprop("evaluate", "run", cwd=tmp_path)  # readers need no lock
        assert looked.returncode == 0, looked.stderr
        wait_until(lambda: epochs_of(folder) > done)
        run.send_signal(signal.SIGINT)
        assert run.wait(PROCESS_SECONDS) == 130
    done = epochs_of(folder)
    more = ("--epochs", str(done + 1), "--json")
    result = isingprop("train", "--resume", "run", *more, cwd=tmp_path)
    assert json.loads(result.stdout)["epochs"] == done + 1


@pytest.mark.slow
def test_two_new_runs_in_one_folder_and_one_is_refused(tmp_path):
    """They find the folder empty at the same time."""
    for attempt in range(5):
        name = f"run-{attempt}"
        runs = [
            started_run(*ONE_EPOCH, "--seed", str(k), "--out", name, cwd=tmp_path) for k in range(3)
        ]
        codes = [run.wait(PROCESS_SECONDS) for run in runs]
        assert sorted(codes) == [0, 1, 1], [run.stderr for run in runs]
        for run, code in zip(runs, codes, strict=True):
            assert code == 0 or f"{name} must be " in run.stderr.splitlines()[-1]
        settings = json.loads((tmp_path / name / "config.json").read_text())["settings"]
        assert settings["seed"] == codes.index(0)
        assert epochs_of(tmp_path / name) == 1


@pytest.mark.slow
def test_new_runs_without_a_name_have_folders_of_their_own(tmp_path):
    runs = [started_run(*ONE_EPOCH, "--seed", str(k), cwd=tmp_path) for k in range(4)]
    assert [run.wait(PROCESS_SECONDS) for run in runs] == [0] * 4
    folders = sorted((tmp_path / "runs").iterdir())
    assert [folder.name for folder in folders] == [f"digits-{k}" for k in range(1, 5)]
    seeds = [
        json.loads((folder / "config.json").read_text())["settings"]["seed"] for folder in folders
    ]
    assert sorted(seeds) == [0, 1, 2, 3]


KILLS = {
    "while it writes its settings": (("os", "fsync", 1, "before"), "new"),
    "while it writes a checkpoint": (("os", "fsync", 5, "before"), "old"),
    "while it writes a model": (("os", "fsync", 6, "before"), "old"),
    "before a file gets its name": (("pathlib", "Path.replace", 5, "before"), "old"),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", KILLS)
def test_a_killed_run_leaves_a_temporary_file_and_the_next_one_clears_it(tmp_path, moment):
    kill, then = KILLS[moment]
    command = "train", *TINY, "--epochs", "3", "--out", "run"
    killed = commands().start(*command, cwd=tmp_path, environment=NO_DATA, kill_at=kill)
    assert killed.wait(PROCESS_SECONDS) == -signal.SIGKILL
    folder = tmp_path / "run"
    assert len(temporary(folder)) == 1
    for name in (".model.onnx.7.tmp", ".notes.tmp"):  # of another command, and a stranger's
        (folder / name).touch() if then == "old" else None
    others = 2 if then == "old" else 0
    again = command if then == "new" else ("train", "--resume", "run")
    result = isingprop(*again, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(temporary(folder)) == others
    assert [name for name in files_of(folder) if name[0] != "."] == WHOLE
    assert epochs_of(folder) == 3


@pytest.mark.slow
def test_two_commands_do_not_reproduce_into_one_folder(tmp_path):
    command = "reproduce", "fig4", *TWO_SEEDS, "--workers", "1", "--out", "out"
    jobs = tmp_path / "out" / "jobs"
    with running(*command, cwd=tmp_path, until=lambda: any(jobs.glob("*.safetensors"))) as run:
        second = isingprop("reproduce", "fig2", *TWO_SEEDS, "--out", "out", cwd=tmp_path)
        at_work = f"got process {run.pid} on {socket.gethostname()} at work"
        assert_refused(second, 1, f"out must be written by one process at a time, {at_work}")
        os.kill(run.pid, signal.SIGKILL)  # its worker lives on for a moment, and holds nothing
        assert run.wait(PROCESS_SECONDS) == -signal.SIGKILL
        for name in ("out/.fig4.csv.1.tmp", "out/jobs/.0123.safetensors.1.tmp"):
            (tmp_path / name).touch()
        again = isingprop(*command, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert temporary(tmp_path / "out") == []
