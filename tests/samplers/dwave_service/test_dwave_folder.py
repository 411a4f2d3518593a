"""The folder of a run on D-Wave: full disks, other processes, and no token anywhere."""

import json
import logging
import multiprocessing
import os
import signal
import subprocess
import traceback
from pathlib import Path

import pytest
from dwave.system import DWaveSampler

import isingprop as ip
from helpers import oracle, tolerances
from helpers.cli.cli_runs import error_lines
from helpers.dwave.dwave_runs import (
    ANSWER,
    CALL,
    RECORD,
    RESUME,
    TRAIN,
    finish,
    on_disk,
)
from helpers.dwave.small_service import TOKEN, SmallService
from helpers.forked_command import shorten_waits
from isingprop.qpu.calls import call_sender, device_session
from isingprop.qpu.local_service import service_faults as faults

# The disk


@pytest.mark.slow
@pytest.mark.parametrize("file", [CALL, CALL + 1, ANSWER])
def test_a_run_on_a_full_disk_names_the_file_and_pays_nothing_twice(run, tmp_path, unbroken, file):
    with SmallService() as sapi:
        stopped = run(sapi, *TRAIN, full_at=file)
        assert stopped.wait() == 1
        [line] = error_lines(stopped.stderr)
        assert line.startswith("Error: [Errno 28] No space left on device: 'run/qpu/")
        assert line.endswith("go on with: isingprop train --resume run")
        finish(run, sapi, tmp_path, unbroken)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB at tmp_path/run."""
    folder = tmp_path / "run"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a disk cannot be mounted: {error}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["submit", "accepted", "answer"])
def test_a_disk_that_fills_up_in_a_call_loses_nothing(run, tmp_path, unbroken, small_disk, point):
    with SmallService() as sapi:
        filler = small_disk / "filler"

        def fill(_):
            with filler.open("wb", buffering=0) as file:
                for size in (4096, 1):
                    try:
                        while file.write(bytes(size)) == size:
                            pass
                    except OSError:
                        continue

        sapi.at(point, fill, skip=4)
        stopped = run(sapi, *TRAIN)
        assert stopped.wait() == 1
        assert "No space left on device: 'run/qpu/" in stopped.stderr
        paid = len(sapi.paid)
        filler.unlink()
        finish(run, sapi, tmp_path, unbroken)
        assert paid >= 4


@pytest.mark.slow
def test_a_read_only_record_is_refused_before_anything_is_sent(run, tmp_path, small_disk):
    with SmallService() as sapi:
        first = run(sapi, *TRAIN, kill_at=(RECORD, "Record.finish", 3, "after"))
        assert first.wait() == -signal.SIGKILL
        paid = len(sapi.paid)
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        stopped = run(sapi, *RESUME)
        assert stopped.wait() == 1
        assert "Read-only file system" in stopped.stderr
        assert len(stopped.stderr.splitlines()) == 1
        assert len(sapi.paid) == paid


# Secrets


def echo(exchange):
    raise faults.ReplyError(500, f"500 for the token {TOKEN}\nof {TOKEN}")


ECHOES = {
    "none": (),
    "solvers": (("solvers", echo),),
    "submission": (("submit", echo),),
    "search": (("accepted", faults.drop), ("list", echo)),
    "answer": (("answer", echo),),
    "refused": (("submit", faults.submission_error(400, f"no rights for {TOKEN}")),),
    "rejected": (("submit", faults.reject(f"no rights for {TOKEN}")),),
    "offline": (("submit", faults.reject(f"Solver is offline for {TOKEN}")),),
    "unauthorized": (("submit", faults.http_error(401, f"who is {TOKEN}?")),),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("echoed", "arguments"),
    [
        *((echoed, ()) for echoed in ("none", "solvers", "submission", "search", "rejected")),
        *((echoed, ("--json",)) for echoed in ("none", "rejected")),
        *(
            (echoed, ("--dry-run", *json))
            for echoed in ("none", "solvers")
            for json in ((), ("--json",))
        ),
    ],
)
def test_the_token_is_nowhere(run, tmp_path, echoed, arguments):
    with SmallService() as sapi:
        for point, action in ECHOES[echoed]:
            sapi.at(point, action)
        done = run(sapi, *TRAIN, *arguments)
        code = done.wait()
        assert code == (1 if echoed in ("solvers", "refused", "unauthorized") else 0), done.stderr
        assert "Traceback" not in done.stderr
        if echoed in ("refused", "rejected"):
            assert "no rights for (token)" in done.stderr
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert bool(files) == ("--dry-run" not in arguments) or echoed == "solvers"
        files += [path for path in Path(os.environ["XDG_CACHE_HOME"]).rglob("*") if path.is_file()]
        assert TOKEN not in done.stdout + done.stderr
        assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


@pytest.fixture
def sampler(monkeypatch, tmp_path):
    """sampler(sapi): in this process, in tmp_path/record, with short waits."""
    monkeypatch.setattr(device_session, "_DELAYS", None)  # both are put back after the test
    monkeypatch.setattr(call_sender, "_SETTLING", None)
    shorten_waits()
    made = []

    def make(sapi):
        device = DWaveSampler(**sapi.config)
        made.append((ip.DWave(solver=device, record=tmp_path / "record"), device))
        return made[-1][0]

    yield make
    for qpu, device in made:
        qpu.close()
        device.client.close(wait=False)


@pytest.fixture(scope="module")
def problem():
    return oracle.random_problem(4, 3, num_problems=2, seed=1)


@pytest.mark.parametrize("echoed", ECHOES)
def test_no_message_and_no_repr_has_the_token(sampler, problem, caplog, tmp_path, echoed):
    told = []
    with SmallService() as sapi, caplog.at_level(logging.INFO):
        qpu = sampler(sapi)
        for point, action in ECHOES[echoed]:
            sapi.at(point, action)
        try:
            states = qpu.sample(problem, seed=0)
        except (RuntimeError, OSError) as error:
            told += [repr(error), *traceback.format_exception(error)]
            states = qpu.sample(problem, seed=0)
        told += [
            repr(qpu),
            repr(states),
            json.dumps(states.info),
            repr(ip.Replay(qpu.record)),
            caplog.text,
        ]
    assert bool(len(told) > 5) == (echoed in ("refused", "unauthorized"))
    assert [text for text in told if TOKEN in text] == []
    assert [path for path in tmp_path.rglob("*.*") if TOKEN.encode() in path.read_bytes()] == []


# Processes


def test_two_samplers_of_one_process_share_a_folder(sampler, problem):
    with SmallService() as sapi:
        first, second = sampler(sapi), sampler(sapi)
        states = (
            first.sample(problem, seed=0),
            second.sample(problem, seed=0),
            first.sample(problem, seed=0),
        )
        assert len(sapi.paid) == 1
        assert (
            second.sample(problem, seed=1).info["calls"]
            == first.sample(problem, seed=1).info["calls"]
        )
        assert len(sapi.paid) == 2
        assert first.qpu_seconds == second.qpu_seconds
        first.close()
        assert len(on_disk(second.record)) == 2
        second.sample(problem, seed=2)
        assert len(sapi.paid) == 3
    assert tolerances.same_bits(*(each.spins for each in states))


@pytest.mark.slow
def test_a_folder_is_locked_until_the_last_of_its_samplers_is_closed(sampler, problem, python):
    code = (
        "from isingprop.qpu.calls.record import Record, read_settings; from pathlib import Path\n"
        "Record.of(Path(r'FOLDER'), read_settings(Path(r'FOLDER')))"
    )
    with SmallService() as sapi:
        qpu, other = sampler(sapi), sampler(sapi)
        for each in (qpu, other):
            each.sample(problem, seed=0)
        sapi.at("submit", faults.submission_error(400, "no"))
        with pytest.raises(RuntimeError, match="no") as kept:  # its frames refer to the folder
            qpu.sample(problem, seed=1)
        qpu.close()
        assert (
            f"got process {os.getpid()} on "
            in python(code.replace("FOLDER", str(qpu.record))).stderr
        )
        other.close()
        assert python(code.replace("FOLDER", str(qpu.record))).stderr == ""
        assert kept.value is not None


@pytest.mark.slow
def test_a_second_command_on_a_run_is_refused_in_one_line(run, tmp_path, unbroken):
    with SmallService(pending=0.2) as sapi:
        second = []

        def start(_):
            second.append(run(sapi, *RESUME))
            second[0].wait()

        sapi.at("answer", start, skip=4)
        first = run(sapi, *TRAIN)
        assert first.wait() == 0, first.stderr
        assert second[0].wait() == 1
        [line] = error_lines(second[0].stderr)
        assert f"run must be written by one process at a time, got process {first.pid} on " in line
        finish(run, sapi, tmp_path, unbroken)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_is_another_process(sampler, problem):
    """Its client has no threads, and what it paid for would be paid for again by the first."""
    with SmallService() as sapi:
        qpu = sampler(sapi)
        qpu.sample(problem, seed=0)
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()

        def child():
            try:
                qpu.sample(problem, seed=1)
            except OSError as error:
                there.send(str(error))
            os._exit(0)

        process = context.Process(target=child, daemon=True)
        process.start()
        assert here.poll(tolerances.PROCESS_SECONDS)
        assert "must be written by one process at a time" in here.recv()
        process.join()
        qpu.sample(problem, seed=1)
        assert len(sapi.paid) == 2
