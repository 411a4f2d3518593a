"""Runs on D-Wave that are killed or interrupted, and go on: nothing paid is lost, and nothing is
paid twice.
"""

import os
import signal
import subprocess
import threading
import time

import numpy as np
import pytest

from helpers.cli.cli_runs import error_lines
from helpers.dwave.dwave_runs import (
    ANSWER,
    CALL,
    CHECKPOINT,
    NUM_CALLS,
    RECORD,
    TRAIN,
    finish,
    go_on,
)
from helpers.dwave.small_service import SmallService
from helpers.processes import started, wait_until
from helpers.tolerances import PROCESS_SECONDS
from isingprop import EmulatedQPU
from isingprop.qpu.calls.record import Index
from isingprop.qpu.local_service import service_faults as faults

NUM_RANDOM_KILLS = 20


# kill -9


POINTS_OF_CALLS = [
    ("submit", 0),
    ("accepted", 5),
    ("accepted", NUM_CALLS - 1),
    ("half accepted", 7),
    ("poll", 1),
    ("answer", 3),
    ("half answer", NUM_CALLS - 1),
]


@pytest.mark.slow
@pytest.mark.parametrize(("point", "number"), POINTS_OF_CALLS)
def test_a_run_killed_at_a_point_of_a_call_goes_on(run, tmp_path, unbroken, point, number):
    with SmallService(pending=0.01) as sapi:
        box = []
        ready = threading.Event()

        def kill(exchange):
            ready.wait()
            faults.kill(box[0])(exchange)

        action = faults.midway(kill) if point.startswith("half") else kill
        sapi.at(point.removeprefix("half "), action, skip=number)
        box.append(run(sapi, *TRAIN))
        ready.set()
        assert box[0].wait() == -signal.SIGKILL
        sapi.pending = 0.0
        finish(run, sapi, tmp_path, unbroken)


FLUSH = ("os", "fsync")

MOMENTS = {
    "call not yet on disk": (RECORD, "Record.begin", 5, "before"),
    "id on disk, answer not yet there": (RECORD, "Record.identify", 3, "after"),
    "answer here, not yet on disk": (RECORD, "Record.finish", 8, "before"),
    "answer on disk, not yet used": (RECORD, "Record.finish", 8, "after"),
    "after an update": ("isingprop.training.optimizer", "update_in_place", 3, "after"),
    "between checkpoint and model": (
        "isingprop.training.trainer",
        "Trainer.save_checkpoint",
        1,
        "after",
    ),
    "settings of the run half written": (*FLUSH, 1, "before"),
    "settings of the record half written": (*FLUSH, 2, "before"),
    "a call half written": (*FLUSH, CALL, "before"),
    "an id half written": (*FLUSH, CALL + 1, "before"),
    "an answer half written": (*FLUSH, ANSWER, "before"),
    "a checkpoint half written": (*FLUSH, CHECKPOINT, "before"),
    "a model half written": (*FLUSH, CHECKPOINT + 1, "before"),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_between_two_steps_goes_on(run, tmp_path, unbroken, moment):
    with SmallService() as sapi:
        assert run(sapi, *TRAIN, kill_at=MOMENTS[moment]).wait() == -signal.SIGKILL
        finish(run, sapi, tmp_path, unbroken)


@pytest.mark.slow
def test_a_run_killed_at_random_moments_goes_on(run, tmp_path, unbroken):
    random = np.random.default_rng(0)
    with SmallService(pending=0.02) as sapi:
        kills = 0
        while kills < NUM_RANDOM_KILLS:
            running, paid = go_on(run, sapi, tmp_path), len(sapi.paid)
            deadline = time.monotonic() + PROCESS_SECONDS
            while kills % 2 and len(sapi.paid) == paid < NUM_CALLS and time.monotonic() < deadline:
                time.sleep(0.005)  # every other one after a new call
            time.sleep(0.05 * random.random() if kills % 2 else 0.4 * random.random())
            running.kill()
            if running.wait() == 0:
                break
            kills += 1
        assert kills >= NUM_RANDOM_KILLS // 2
        finish(run, sapi, tmp_path, unbroken)


@pytest.mark.slow
def test_the_chip_may_be_another_when_a_killed_run_goes_on(run, tmp_path):
    """A qubit of a call that was paid has broken since: its answer is used, and the others are
    embedded anew.
    """
    with SmallService() as sapi:
        assert (
            run(sapi, *TRAIN, kill_at=(RECORD, "Record.finish", 3, "before")).wait()
            == -signal.SIGKILL
        )
        [call] = Index(tmp_path / "run" / "qpu").pending.values()
        [name] = sapi.chips
        sapi.chips[name] = EmulatedQPU("zephyr", 2, broken_qubits=call.qubits[:1])
        finish(run, sapi, tmp_path)
        assert sapi.requests.count("submit") == NUM_CALLS


# Ctrl-C


@pytest.mark.slow
def test_ctrl_c_while_an_answer_is_awaited_is_one_line_and_pays_nothing_twice(
    run, tmp_path, unbroken
):
    """In a process that nothing was forked into, which must end at once, whatever threads the
    client has.
    """
    with SmallService() as sapi:
        sapi.at("submit", lambda _: setattr(sapi, "pending", 600.0), skip=4)
        code = "-c", "from isingprop.cli import main; main()", *TRAIN
        environment = {**os.environ, **sapi.environment}
        with started(*code, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as running:
            wait_until(lambda: "poll" in sapi.requests)
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=PROCESS_SECONDS)
        assert running.returncode == 130, errors
        assert error_lines(errors) == ["Interrupted; go on with: isingprop train --resume run"]
        sapi.pending = 0.0
        for problem in sapi.problems.values():
            problem.ready = 0.0
        finish(run, sapi, tmp_path, unbroken)
