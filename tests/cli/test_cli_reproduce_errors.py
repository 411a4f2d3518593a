"""The command that reproduces the figures: refusals and interrupts."""

import contextlib
import json
import os
import signal
import socket

import pytest

from helpers.cli.cli_reproduce import TWO_SEEDS, contents, results_of, without_seconds
from helpers.cli.cli_runs import NO_DATA, assert_refused, error_lines, isingprop
from helpers.forked_command import commands
from helpers.idx_files import write_folder
from helpers.processes import wait_until
from helpers.tolerances import PROCESS_SECONDS

# Refusals


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["fig6"], ["fig6", "fig2", "table", "coherent", "mlp-equivalence", "all"]),
        ([], ["FIGURE", "fig2", "all"]),
        (["fig4", "--workers", "0"], ["--workers", "1"]),
        (["fig4", "--seeds", "0"], ["--seeds", "1"]),
        (["fig4", "--seed", "-1"], ["--seed", "0"]),
        (["fig4", "--data", "cifar"], ["--data", "cifar", "digits"]),
        (
            ["fig4", "--workers", "2", "--scheduler", "tcp://localhost:1"],
            ["--workers", "--scheduler"],
        ),
        (["fig4", "--nonsense"], ["--nonsense"]),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(tmp_path, arguments, fragments):
    assert_refused(isingprop("reproduce", *arguments, cwd=tmp_path), 2, *fragments)
    assert list(tmp_path.iterdir()) == []


def closed_port():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["fig4", "--data", "digits", "--data-dir", "few"], ["--data-dir", "digits"]),
        (["fig4", "--data-dir", "nowhere"], ["--data-dir must be a folder", "nowhere"]),
        (["fig4", "--data-dir", "few"], ["num_train must be at most 60, got 300"]),
        (["table", "--data-dir", "few"], ["num_train must be at most 60, got 300"]),
        (["mlp-equivalence", "--data-dir", "nowhere"], ["--data-dir must be a folder", "nowhere"]),
        (
            ["mlp-equivalence", "--data", "fashion-mnist", "--data-dir", "."],
            ["train-images-idx3-ubyte"],
        ),
        (["fig4", "--scheduler", "nonsense"], ["--scheduler must be an address", "nonsense"]),
        (
            ["fig4", "--scheduler", f"tcp://localhost:{closed_port()}"],
            ["got no answer from tcp://localhost:"],
        ),
    ],
)
def test_other_errors_are_one_line_and_exit_1(tmp_path, arguments, fragments):
    write_folder(tmp_path / "few")
    result = isingprop("reproduce", *arguments, "--quick", "--out", "out", cwd=tmp_path)
    assert_refused(result, 1, *fragments)
    assert [path.name for path in tmp_path.iterdir()] == ["few"]


@pytest.mark.parametrize("out", ["file", "file/out"])
def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path, out):
    (tmp_path / "file").write_text("precious")
    assert_refused(isingprop("reproduce", "fig4", "--quick", "--out", out, cwd=tmp_path), 1, "file")
    assert (tmp_path / "file").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# Ctrl-C


def is_gone(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_the_same_again_goes_on(fig4, tmp_path):
    """Sent to the whole group, as a terminal does, as soon as one job is finished."""
    command = "reproduce", "fig4", *TWO_SEEDS, "--workers", "1", "--out", "out"
    jobs = tmp_path / "out" / "jobs"
    run = commands().start(*command, cwd=tmp_path, environment=NO_DATA, own_group=True)
    try:
        wait_until(lambda: list(jobs.glob("*.safetensors")) or run.poll() is not None)
        os.killpg(run.pid, signal.SIGINT)
        code = run.wait(PROCESS_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    stderr = run.stderr
    assert (code, run.stdout) == (130, "")
    assert len(error_lines(stderr)) == 1, stderr
    assert "Interrupted" in stderr
    assert "say the same again" in stderr
    wait_until(lambda: is_gone(run.pid))
    finished = results_of(tmp_path / "out")
    assert 0 < len(finished) < 6
    assert all(path.suffix == ".safetensors" and path.name[0] != "." for path in jobs.iterdir())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["jobs", "lock"]
    again = isingprop("reproduce", "fig4", *TWO_SEEDS, "--out", "out", cwd=tmp_path)
    after = results_of(tmp_path / "out")
    assert {name: after[name] for name in finished} == finished
    assert without_seconds(json.loads(again.stdout)) == without_seconds(json.loads(fig4[1].stdout))
    assert contents(tmp_path / "out") == contents(fig4[0] / "out")
