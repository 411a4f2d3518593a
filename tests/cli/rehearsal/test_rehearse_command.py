"""The command `isingprop qpu rehearse`, its whole way on a small chip."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.cli.cli_runs import COMMAND, assert_refused, isingprop
from helpers.dwave.small_service import TOKEN, SmallService
from helpers.processes import started, wait_until
from helpers.tolerances import PROCESS_SECONDS
from isingprop import EmulatedQPU

SMALL = (
    *("--hidden", "5", "--num-train", "50", "--num-test", "20", "--num-states", "3"),
    *("--epochs", "3"),
)
CHECKS = (
    *("embedding", "clipping", "chain breaks", "effective beta", "price"),
    *("budget stop", "faults", "resume", "replay"),
)


@pytest.fixture(scope="module")
def chip_file(tmp_path_factory):
    """The file of a Z2, on which one copy of K_{5,40} fits."""
    path = tmp_path_factory.mktemp("chips") / "z2.json"
    path.write_text(json.dumps(EmulatedQPU("zephyr", 2).properties))
    return os.fspath(path)


def surroundings(folder: Path) -> tuple[Path, dict[str, str]]:
    """An empty working folder; and variables for an empty temporary folder, without an account."""
    here, nothing = folder / "here", os.fspath(folder / "nothing")
    for name in ("here", "temporary"):
        (folder / name).mkdir()
    account = {"DWAVE_API_TOKEN": "", "DWAVE_CONFIG_FILE": "", "HOME": nothing}
    places = {"XDG_CONFIG_HOME": nothing, "TMPDIR": os.fspath(folder / "temporary")}
    return here, {**account, **places}


def assert_nothing_left(folder: Path) -> None:
    assert list((folder / "here").iterdir()) == list((folder / "temporary").iterdir()) == []


@pytest.mark.slow
def test_a_rehearsal_passes_and_leaves_nothing_behind(tmp_path, chip_file):
    here, variables = surroundings(tmp_path)
    done = isingprop(
        "qpu", "rehearse", *SMALL, "--chip", chip_file, "--json", cwd=here, **variables
    )
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads(done.stdout)
    assert content["ok"] is True
    assert [check["name"] for check in content["checks"]] == list(CHECKS)
    assert [check for check in content["checks"] if not check["ok"]] == []
    found = {check["name"]: check for check in content["checks"]}
    assert found["embedding"]["problems"][0]["copies"] == 1
    # One call for each image, and one for two test images, two epochs long.
    assert found["resume"]["paid"] == found["resume"]["kept"] == 2 * (content["num_train"] + 2)
    assert found["budget stop"]["stopped_after"] == 2
    assert found["resume"]["killed_after"] > found["resume"]["paid"] // 2
    # One call for each of 50 images and 20 test images.
    assert found["price"]["planned_calls"] == 3 * 70
    assert content["num_train"] < 50
    assert content["num_states"] == 3
    assert all(line.startswith("isingprop: ") for line in done.stderr.splitlines())
    assert_nothing_left(tmp_path)


@pytest.mark.slow
def test_what_needs_attention_is_said_with_what_to_change(tmp_path, chip_file):
    here, variables = surroundings(tmp_path)
    wrong = ("--qpu-scale", "8", "--qpu-budget", "0.5")
    done = isingprop("qpu", "rehearse", *SMALL, *wrong, "--chip", chip_file, cwd=here, **variables)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert [line[:16].strip() for line in lines] == [*CHECKS, "in all"]
    marks = {name: line[16:27].strip() for name, line in zip(CHECKS, lines, strict=False)}
    assert {name for name, mark in marks.items() if mark != "OK"} == {"clipping", "price"}
    assert marks["clipping"] == marks["price"] == "attention"
    assert "of couplings J were out of the chip's range; lower --qpu-scale, which is 8" in lines[1]
    assert "--qpu-budget is 0.5 s; raise it, or lower --epochs or --num-train" in lines[4]
    assert lines[-1].startswith("in all          7 of 9 checks have passed")
    assert_nothing_left(tmp_path)


@pytest.mark.slow
def test_a_run_that_ends_early_says_why(tmp_path, chip_file):
    here, variables = surroundings(tmp_path)
    wrong = ("--learning-rate", "1e30", "--test-sampler", "anneal")
    done = isingprop("qpu", "rehearse", *SMALL, *wrong, "--chip", chip_file, cwd=here, **variables)
    assert done.returncode == 1
    line = done.stdout.splitlines()[-2]
    assert line.startswith("run             attention  it has not come to its end: ")
    assert "diverge" in line
    assert "train --resume" not in line
    assert_nothing_left(tmp_path)


@pytest.mark.slow
def test_of_a_solver_only_its_properties_are_read(tmp_path):
    here, variables = surroundings(tmp_path)
    with SmallService({"mine": EmulatedQPU("zephyr", 1)}) as sapi:
        account = {**variables, **sapi.environment}
        unknown = isingprop("qpu", "rehearse", "--solver", "none", cwd=here, **account)
        # K_{120,40} does not fit on its Z1, which is known before anything is run.
        small = isingprop("qpu", "rehearse", "--solver", "mine", cwd=here, **account)
        assert set(sapi.requests) == {"solvers"}
    assert_refused(unknown, 1, "none", "dwave solvers")
    assert_refused(small, 1, "120")
    assert TOKEN not in unknown.stderr + small.stderr
    assert_refused(
        isingprop("qpu", "rehearse", "--solver", "any", cwd=here, **variables), 1, "dwave setup"
    )
    assert_nothing_left(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "fragments"),
    [
        (("--sampler", "anneal"), 2, ("--sampler", "dwave-reverse", "anneal")),
        (("--qpu-solver", "any"), 2, ("--qpu-solver",)),
        (("--resume", "run"), 2, ("--resume",)),
        (("--learning-rate", "0"), 2, ("--learning-rate", "above 0")),
        (("--chip", "no_such_chip"), 1, ("--chip must be", "no_such_chip")),
        (("--chip", "zephyr.json", "--solver", "any"), 2, ("--chip", "--solver")),
    ],
)
def test_wrong_options_are_refused_in_one_line(tmp_path, options, code, fragments):
    assert_refused(isingprop("qpu", "rehearse", *options, cwd=tmp_path), code, *fragments)


def processes_of(group: int) -> list[str]:
    """The states of the processes of a group that have not ended."""
    states = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, number = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it has ended since
            continue
        if int(number) == group and state != "Z":
            states.append(state)
    return states


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "send"),
    [(signal.SIGINT, os.kill), (signal.SIGTERM, os.kill), (signal.SIGHUP, os.killpg)],
)
def test_a_signal_ends_a_rehearsal_with_all_its_processes(tmp_path, chip_file, number, send):
    """SIGHUP goes to the whole group, as when a terminal is closed."""
    here, variables = surroundings(tmp_path)
    command = [*COMMAND[1:], "qpu", "rehearse", *SMALL, "--chip", chip_file]
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path)}
    options = {"cwd": here, "env": environment, "start_new_session": True}
    with started(*command, **options, stderr=subprocess.PIPE) as running:
        said = iter(running.stderr.readline, "")
        assert any("running through faults" in line for line in said)
        send(running.pid, number)
        _, rest = running.communicate(timeout=PROCESS_SECONDS)
        assert running.returncode == 128 + number
        assert rest == "Interrupted.\n"
        wait_until(lambda: processes_of(running.pid) == [])
    assert_nothing_left(tmp_path)
