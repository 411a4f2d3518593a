"""Samplers and commands on a local server that speaks D-Wave's Solver API."""

import pytest
from dwave.system import DWaveSampler

import isingprop as ip
from helpers import oracle
from helpers.dwave.dwave_runs import TRAIN, assert_paid_once_and_kept
from helpers.dwave.fault_cases import ASKED, CLIENT_SECONDS, NUM_CALLS, H, O
from helpers.dwave.small_service import SmallService
from helpers.forked_command import commands, shorten_waits
from isingprop.qpu.calls import call_sender, device_session


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(device_session, "_DELAYS", None)  # both are put back after the test
    monkeypatch.setattr(call_sender, "_SETTLING", None)
    shorten_waits()


@pytest.fixture(scope="module")
def problem():
    return oracle.random_problem(H, O, num_problems=2 * NUM_CALLS, seed=1)


@pytest.fixture
def sapi():
    with SmallService() as server:
        yield server


@pytest.fixture
def make(tmp_path):
    """Makes samplers on servers, each with a client of its own, and closes them after the test."""
    made = []

    def make(sapi, mode="forward", *, folder="record", num_copies=2, **client):
        device = DWaveSampler(
            **sapi.config, **{"request_timeout": CLIENT_SECONDS, "http_retry_total": 2, **client}
        )
        made.append(
            (ip.DWave(mode, solver=device, record=tmp_path / folder, num_copies=num_copies), device)
        )
        return made[-1][0]

    yield make
    for sampler, device in made:
        sampler.close()
        device.client.close(wait=False)


@pytest.fixture(scope="module")
def wanted(problem, tmp_path_factory):
    """The states where nothing goes wrong."""
    with SmallService() as sapi, DWaveSampler(**sapi.config) as device:
        qpu = ip.DWave(solver=device, record=tmp_path_factory.mktemp("wanted"), num_copies=2)
        states = qpu.sample(problem, **ASKED)
        assert len(sapi.paid) == NUM_CALLS
    return states


@pytest.fixture
def run(tmp_path):
    """run(sapi, *arguments, kill_at=..., full_at=...): starts the command in tmp_path."""

    def start(sapi, *arguments, **fate):
        environment = sapi.environment
        return commands().start(
            *arguments, cwd=tmp_path, environment=environment, hasty=True, **fate
        )

    return start


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory):
    """The model's bytes after a run that nothing befell."""
    folder = tmp_path_factory.mktemp("unbroken")
    with SmallService() as sapi:
        done = commands().start(*TRAIN, cwd=folder, environment=sapi.environment, hasty=True)
        assert done.wait() == 0, done.stderr
        assert_paid_once_and_kept(sapi, folder)
    return (folder / "run" / "model.safetensors").read_bytes()
