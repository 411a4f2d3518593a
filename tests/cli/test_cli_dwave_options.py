"""Options of the command for a chip: dry runs, a test's own sampler, accounts, refusals."""

import json
import os
import shutil
import subprocess

import pytest

from helpers.cli.cli_runs import error_lines
from helpers.dwave.chip_commands import QUICK, SAMPLERS, SMALL, Stopping, answers, history
from helpers.processes import started
from isingprop.qpu.calls.record import Index
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_dry_run_shows_the_first_request_and_leaves_nothing(
    isingprop, whole, monkeypatch, tmp_path, sampler
):
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("train", *SMALL, "--sampler", sampler, "--dry-run")
    assert done.code == 0, done.err
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == "first request   shown, not sent"
    assert [line.split()[0] for line in lines[1:]] == [
        "solver",
        "problem",
        "h",
        "scale",
        "parameters",
        "cost",
    ]
    assert lines[-1].endswith(" ms of QPU access time (emulated: estimated, nothing billed)")
    assert ("initial_state" in done.out) == (sampler != "dwave")
    assert ("h_gain_schedule" in done.out) == (sampler == "dwave-cyclic")
    as_json = isingprop(
        "train", *SMALL, "--sampler", sampler, "--dry-run", "--json", "--out", "run"
    )
    body = json.loads(as_json.out)
    assert set(body) == {"solver", "h", "J", "params", "label"}
    assert body["params"]["num_reads"] >= 1
    assert body["params"]["auto_scale"] is False
    assert stopping.calls == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_annealing_time_of_a_run_is_that_of_its_requests(isingprop):
    options = "--sampler", "dwave", "--qpu-annealing-time", "7.5", "--dry-run", "--json"
    done = isingprop("train", *SMALL, *options)
    assert json.loads(done.out)["params"]["annealing_time"] == 7.5, done.err


@pytest.mark.slow
def test_a_dry_run_stops_before_a_test_that_has_no_answers_yet(isingprop, monkeypatch, tmp_path):
    """Ten calls of the epoch are answered; the eleventh would be the test's."""
    with monkeypatch.context() as patch:
        Stopping(patch, at=11)
        assert isingprop("train", *SMALL, "--sampler", "dwave", "--out", "run").code == 130
    assert len(Index(tmp_path / "run" / "qpu").pending) == 1
    assert len(answers(tmp_path / "run")) == 11, "ten, and the one that was asked for"
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("train", "--resume", "run", "--dry-run")
    assert (done.code, done.out.splitlines()[0]) == (0, "first request   shown, not sent"), done.err
    assert stopping.calls == 0


@pytest.mark.slow
def test_a_dry_run_of_an_epoch_that_has_all_its_answers_says_so(
    isingprop, whole, monkeypatch, tmp_path
):
    folder, _ = whole("dwave", isingprop)
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "checkpoint.safetensors").unlink()
    stopping = Stopping(monkeypatch, at=1)
    done = isingprop("train", "--resume", "run", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert done.out == "first request   none: all answers of the next epoch are on disk\n"
    assert json.loads(isingprop("train", "--resume", "run", "--dry-run", "--json").out) == {}
    assert stopping.calls == 0


@pytest.mark.slow
def test_the_request_of_a_dry_run_is_the_first_of_the_run(isingprop, monkeypatch):
    body = json.loads(
        isingprop("train", *SMALL, "--sampler", "dwave-cyclic", "--dry-run", "--json").out
    )
    sent = []

    def sample_ising(_, h, J, **parameters):
        sent.append((h, J, parameters))
        raise KeyboardInterrupt

    monkeypatch.setattr(EmulatedQPU, "sample_ising", sample_ising)
    assert isingprop("train", *SMALL, "--sampler", "dwave-cyclic", "--out", "run").code == 130
    ((h, J, parameters),) = sent
    assert body["h"] == {str(qubit): value for qubit, value in h.items()}
    assert body["J"] == {f"{u} {v}": value for (u, v), value in J.items()}
    start = {str(qubit): value for qubit, value in parameters.pop("initial_state").items()}
    assert body["params"].pop("initial_state") == start
    del parameters["label"]
    assert body["params"] == parameters


@pytest.mark.parametrize("sampler", ["anneal", "cyclic", "temper"])
def test_a_dry_run_without_a_chip_is_refused(isingprop, tmp_path, sampler):
    done = isingprop("train", *QUICK, "--sampler", sampler, "--dry-run")
    assert done.code == 1
    assert done.out == ""
    must = "--dry-run must go with --sampler dwave, dwave-reverse or dwave-cyclic"
    assert done.err == f"Error: {must}, got {sampler}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "test_sampler", "epoch", "test"),
    [
        ("dwave", "anneal", 10, 0),
        ("anneal", "dwave", 0, 10),
        ("dwave", "dwave", 10, 10),
        ("cyclic", "dwave", 0, 10),
    ],
)
def test_a_test_has_a_sampler_of_its_own(isingprop, tmp_path, sampler, test_sampler, epoch, test):
    options = "--sampler", sampler, "--test-sampler", test_sampler, "--out", "run", "--json"
    done = isingprop("train", *SMALL, *options, "--epochs", "1")
    assert done.code == 0, done.err
    assert len(answers(tmp_path / "run")) == epoch + test
    content = json.loads(done.out)
    assert content["qpu_seconds"] == pytest.approx(Index(tmp_path / "run" / "qpu").seconds)
    assert [bool(row["qpu_seconds"]) for row in history(tmp_path / "run")] == [sampler == "dwave"]
    evaluated = json.loads(isingprop("evaluate", "run", "--json").out)
    assert evaluated["test_accuracy"] == content["test_accuracy"]
    assert len(answers(tmp_path / "run")) == epoch + test
    resumed = isingprop("train", "--resume", "run", "--json")
    assert resumed.code == 0, resumed.err
    assert len(answers(tmp_path / "run")) == epoch + test, "nothing was left to do"


def test_modes_do_not_differ_between_training_and_test(isingprop, tmp_path):
    """One budget and one folder of answers are for one sampler; tests have no start states in any
    mode.
    """
    options = (
        "--sampler",
        "dwave-cyclic",
        "--test-sampler",
        "dwave",
        "--epochs",
        "1",
        "--out",
        "run",
    )
    done = isingprop("train", *SMALL, *options)
    assert done.code == 1
    assert done.err == "Error: --test-sampler must be dwave-cyclic or no D-Wave chip, got dwave\n"
    assert not (tmp_path / "run").exists()


def test_a_scale_decides_the_values_that_are_sent(isingprop):
    def shown(*options):
        done = isingprop("train", *SMALL, "--sampler", "dwave", "--dry-run", *options)
        assert done.code == 0, done.err
        return done.out

    assert "scale           0.5; " in shown("--qpu-scale", "0.5")
    assert "scale           0.5; " not in shown()


@pytest.mark.parametrize(
    "option",
    [
        ("--qpu-budget", "1"),
        ("--qpu-scale", "1"),
        ("--qpu-annealing-time", "20"),
        ("--qpu-solver", "emulated:zephyr:2"),
    ],
)
def test_options_of_a_chip_are_refused_where_there_is_none(isingprop, option):
    done = isingprop("train", "--num-train", "10", "--num-test", "10", *option)
    assert done.code == 1
    assert done.err.startswith(f"Error: {option[0]} must go with sampler dwave, dwave-reverse")


@pytest.fixture
def no_account(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("DWAVE_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_without_an_account_the_error_is_one_line_saying_how_to_get_one(
    isingprop, no_account, sampler
):
    mine = "--qpu-solver", "Advantage2_system1.6"
    for more in ((), mine, (*mine, "--dry-run")):
        done = isingprop("train", *QUICK, "--sampler", sampler, *more)
        assert done.code == 1
        assert done.out == ""
        errors = error_lines(done.err)
        assert len(errors) == 1, done.err
        assert "dwave setup" in errors[0]
        assert "Traceback" not in done.err


@pytest.mark.slow
@pytest.mark.parametrize("solver", [None, "Advantage_system4.1"])
def test_a_dry_run_without_an_account_says_which_chip_it_assumes(
    isingprop, no_account, tmp_path, solver
):
    options = *QUICK, "--sampler", "dwave", "--test-sampler", "anneal"
    asked = () if solver is None else ("--qpu-solver", solver)
    done = isingprop("train", *options, *asked, "--dry-run")
    chip = solver or "Advantage2_system1"
    assert done.code == 0, done.err
    (note,) = done.err.splitlines()
    assert note.startswith("isingprop: no D-Wave account is set up (dwave setup); the chip is ")
    assert f"assumed to be {chip}, as D-Wave listed it in 2026" in note
    first, described, *_, cost = done.out.splitlines()
    assert first == "first request   shown, not sent"
    assert described.startswith(f"solver          emulated-{chip}-")
    assert "nothing billed" in cost
    named = isingprop("train", *options, "--qpu-solver", f"emulated:{chip}", "--dry-run")
    assert (named.out, named.err) == (done.out, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_configuration_that_does_not_read_is_no_lack_of_an_account(
    isingprop, no_account, monkeypatch
):
    monkeypatch.setenv("DWAVE_PROFILE", "nowhere")
    done = isingprop("train", *QUICK, "--sampler", "dwave", "--dry-run")
    assert done.code == 1
    assert "Config profile 'nowhere' not found" in done.err


@pytest.mark.slow
def test_a_run_that_found_no_account_leaves_no_folder(isingprop, no_account, tmp_path):
    assert isingprop("train", *QUICK, "--sampler", "dwave", "--out", "run").code == 1
    assert list(tmp_path.iterdir()) == []
    done = isingprop("train", *SMALL, "--sampler", "dwave", "--epochs", "1", "--out", "run")
    assert done.code == 0, done.err


@pytest.mark.slow
@pytest.mark.parametrize("command", [("embed",), ("estimate",), ("plan", "--minutes", "1")])
def test_solvers_of_qpu_commands_are_those_of_an_account(isingprop, no_account, command):
    done = isingprop("qpu", *command, "--solver", "emulated:zephyr:2")
    assert done.code == 1
    assert done.err == (
        "Error: --solver must be a solver of your D-Wave account, got emulated:zephyr:2; "
        "other chips are --topology or --chip\n"
    )


REFUSED = {
    "--sampler must be class-states, anneal": ("--sampler", "qpu"),
    "--test-sampler must be class-states, anneal": ("--test-sampler", "qpu"),
    "--qpu-budget must be finite and above 0, got 0.0": ("--qpu-budget", "0"),
    "--qpu-budget must be finite and above 0, got nan": ("--qpu-budget", "nan"),
    "--qpu-scale must be finite and above 0, got -1.0": ("--qpu-scale", "-1"),
    "--qpu-solver must be emulated:Advantage_system4.1, emulated:Advantage2_system1, or ": (
        "--sampler",
        "dwave",
        "--qpu-solver",
        "emulated:chimera",
    ),
    "--qpu-annealing-time must be finite and above 0, got 0.0": (
        "--sampler",
        "dwave",
        "--qpu-annealing-time",
        "0",
    ),
    "--qpu-annealing-time must be in the chip's annealing_time_range of [0.5, 2000] us": (
        "--sampler",
        "dwave",
        "--qpu-annealing-time",
        "0.4",
        "--qpu-solver",
        "emulated:zephyr:2",
    ),
    "size must be at least": ("--sampler", "dwave", "--qpu-solver", "emulated:zephyr:0"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_option_is_refused_in_one_line_before_any_work(isingprop, tmp_path, what):
    done = isingprop("train", *QUICK, *REFUSED[what])
    assert done.code in (1, 2)
    assert done.out == ""
    (error,) = done.err.splitlines()
    assert what in error
    assert list(tmp_path.iterdir()) == []


HOLDER = """
import sys, time
from pathlib import Path
from isingprop.qpu.calls.record import Record, read_settings
record = Record.of(Path(sys.argv[1]), read_settings(Path(sys.argv[1])))
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_two_commands_do_not_write_into_one_folder(isingprop, monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        Stopping(patched, 3)
        assert isingprop("train", *SMALL, "--sampler", "dwave", "--out", "run").code == 130
    command = "-c", HOLDER, str(tmp_path / "run" / "qpu")
    with started(*command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == "held\n"
        done = isingprop("train", "--resume", "run")
    assert done.code == 1
    errors = error_lines(done.err)
    assert len(errors) == 1
    refusal = f"must be written by one process at a time, got process {holder.pid} on "
    assert refusal in errors[0]
    assert isingprop("train", "--resume", "run").code == 0
