"""Requests that take several calls, on a server that fails between them: each call is paid once."""

import signal
import threading

import numpy as np
import pytest

import isingprop as ip
from helpers.dwave.dwave_runs import NUM_CALLS, TRAIN, go_on, on_disk
from helpers.dwave.fault_cases import ASKED
from helpers.dwave.small_service import SmallService
from isingprop.qpu.calls.record import Index
from isingprop.qpu.local_service import service_faults as faults

MOST = 2  # reads of a call; an image of TRAIN has 3, a problem of ASKED 5


def few_reads(**options):
    chip = ip.EmulatedQPU("zephyr", 2)
    chip.properties["num_reads_range"] = [1, MOST]
    return SmallService({"few": chip}, **options)


def assert_paid_once(sapi, record, num_calls):
    assert len(sapi.paid) == num_calls
    assert sorted(on_disk(record)) == sorted((paid.id, True) for paid in sapi.paid)
    assert Index(record).pending == {}


@pytest.fixture(scope="module")
def model_of_few(tmp_path_factory):
    """The model's bytes after a run that nothing befell."""
    from helpers.forked_command import commands

    folder = tmp_path_factory.mktemp("few")
    with few_reads() as sapi:
        done = commands().start(*TRAIN, cwd=folder, environment=sapi.environment, hasty=True)
        assert done.wait() == 0, done.stderr
        assert_paid_once(sapi, folder / "run" / "qpu", 2 * NUM_CALLS)
    return (folder / "run" / "model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "number"),
    [("submit", 1), ("accepted", 0), ("accepted", 7), ("accepted", 8), ("poll", 2), ("answer", 4)],
)
def test_a_run_killed_between_the_calls_of_a_request_goes_on(
    run, tmp_path, model_of_few, point, number
):
    with few_reads(pending=0.01) as sapi:
        box, ready = [], threading.Event()

        def kill(exchange):
            ready.wait()
            faults.kill(box[0])(exchange)

        sapi.at(point, kill, skip=number)
        box.append(run(sapi, *TRAIN))
        ready.set()
        assert box[0].wait() == -signal.SIGKILL
        sapi.pending = 0.0
        resumed = go_on(run, sapi, tmp_path)
        assert resumed.wait() == 0, resumed.stderr
        assert_paid_once(sapi, tmp_path / "run" / "qpu", 2 * NUM_CALLS)
        assert (tmp_path / "run" / "model.safetensors").read_bytes() == model_of_few


@pytest.mark.slow
@pytest.mark.parametrize("number", range(0, 9, 2))
@pytest.mark.parametrize(
    ("point", "action"),
    [
        ("submit", faults.drop),
        ("accepted", faults.drop),
        ("answer", faults.lose_reads(1)),
        ("answer", faults.not_json),
    ],
)
def test_a_fault_between_the_calls_of_a_request_costs_nothing(make, problem, point, action, number):
    """Six problems on two copies: three times three calls."""
    with few_reads() as sapi:
        sapi.at(point, action, skip=number)
        qpu = make(sapi)
        states = qpu.sample(problem, **ASKED)
        assert_paid_once(sapi, qpu.record, 9)
        replayed = ip.Replay(qpu.record).sample(problem, **ASKED)
        assert np.array_equal(replayed.spins, states.spins)
        again = qpu.sample(problem, **ASKED)
        assert np.array_equal(again.spins, states.spins)
        assert len(sapi.paid) == 9


@pytest.mark.slow
def test_a_chip_that_goes_offline_within_a_request_is_replaced(problem, tmp_path, monkeypatch):
    """The other chip may make fewer reads in a call."""
    chips = {"big": ip.EmulatedQPU("zephyr", 2), "small": ip.EmulatedQPU("zephyr", 1)}
    for chip, most in zip(chips.values(), (3, 2), strict=True):
        chip.properties["num_reads_range"] = [1, most]
    with SmallService(chips) as sapi:
        for name, value in sapi.environment.items():
            monkeypatch.setenv(name, value)
        sapi.at("submit", lambda _: sapi.offline.add("big"), skip=2)
        qpu = ip.DWave(record=tmp_path / "record", num_copies=1)
        states = qpu.sample(problem[:3], num_reads=8, seed=1)
        qpu.close()
        assert_paid_once(sapi, tmp_path / "record", len(sapi.paid))
        assert {paid.solver for paid in sapi.paid} == {"big", "small"}
        replayed = ip.Replay(tmp_path / "record").sample(problem[:3], num_reads=8, seed=1)
        assert np.array_equal(replayed.spins, states.spins)
        reads = sum(paid.job["params"]["num_reads"] for paid in sapi.paid)
        assert reads == 3 * 8
