"""The D-Wave sampler without an account, and devices of the user's."""

import gc
from pathlib import Path

import pytest
from dwave.system.testing import MockDWaveSampler

import isingprop as ip
from helpers import tolerances
from helpers.dwave.dwave_cases import CountedQPU, H, O, calls_of, starts_for
from helpers.dwave.rehearsal import small_network
from isingprop.qpu.settings import FROM_STARTS, MODES

# Other devices


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_ocean_s_own_mock_is_a_solver(make, problem, mode):
    mock = MockDWaveSampler(topology_type="zephyr", topology_shape=[1, 4], parameter_warnings=False)
    qpu = make(mode, solver=mock)
    starts = None if mode not in FROM_STARTS else starts_for(problem)
    states = qpu.sample(problem, num_reads=3, seed=1, initial=starts)
    assert states.spins.shape == (7, 3, H + O)
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))
    again = qpu.sample(problem, num_reads=3, seed=1, initial=starts)
    assert tolerances.same_bits(states.spins, again.spins)


def test_a_dimod_sampler_is_pointed_to_dwave():
    with pytest.raises(TypeError, match=r"use DWave\(solver=EmulatedQPU\(\)\)"):
        ip.Trainer(small_network(), ip.EmulatedQPU("zephyr", 1))


@pytest.fixture
def no_account(monkeypatch, tmp_path):
    """No configuration file, no environment variable and no network."""
    for name in (
        "DWAVE_API_TOKEN",
        "DWAVE_PROFILE",
        "DWAVE_CONFIG_FILE",
        "DWAVE_API_ENDPOINT",
        "DWAVE_API_SOLVER",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")

    def refuse(*_, **__):
        raise AssertionError("nothing may be asked for over a network")

    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.mark.parametrize("solver", [None, "Advantage_system4.1", {"topology__type": "zephyr"}])
def test_without_an_account_the_error_is_one_line_saying_how_to_get_one(
    no_account, problem, tmp_path, solver
):
    qpu = ip.DWave(solver=solver, record=tmp_path / "record")
    for call in (
        lambda: qpu.sample(problem, seed=1),
        lambda: qpu.first_request(problem, seed=1),
        lambda: qpu.estimate(num_images=10, epochs=1),
        lambda: qpu.device,
    ):
        with pytest.raises(ConnectionError) as caught:
            call()
        assert "dwave setup" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert not list(tmp_path.glob("record/*.safetensors"))
    qpu.close()


def test_a_profile_that_does_not_exist_is_said_in_one_line(
    no_account, monkeypatch, problem, tmp_path
):
    monkeypatch.setenv("DWAVE_PROFILE", "nowhere")
    qpu = ip.DWave(record=tmp_path / "record")
    with pytest.raises(ConnectionError, match="dwave setup"):
        qpu.sample(problem, seed=1)
    qpu.close()


def test_nothing_is_opened_or_written_before_the_first_call(no_account, tmp_path):
    qpu = ip.DWave("cyclic")
    assert qpu.record.parent == Path.cwd() / "runs"
    assert qpu.record.name.startswith("qpu-")
    assert repr(qpu) == f"DWave(mode='cyclic', record={str(qpu.record)!r})"
    qpu.close()
    assert list(Path.cwd().iterdir()) == []


def test_the_default_folder_is_one_for_each_settings(no_account):
    folders = [
        ip.DWave(**settings).record
        for settings in ({}, {"mode": "reverse"}, {"bias": 0.5}, {"budget": 3})
    ]
    assert len(set(folders)) == 3
    assert folders[0] == folders[3]


def test_a_device_of_the_users_is_left_open(make, problem):
    qpu = make()
    closed = []
    qpu.device.close = lambda: closed.append(True)
    qpu.sample(problem[:1], seed=1)
    qpu.close()
    qpu.close()
    assert closed == []
    assert qpu.sample(problem[:1], seed=1).num_reads == 1, "the next call opens the folder again"


def test_a_sampler_that_is_forgotten_lets_go_of_its_folder_without_a_warning(tmp_path, problem):
    """pytest makes an error of a ResourceWarning."""
    qpu = ip.DWave(solver=CountedQPU(), record=tmp_path)
    qpu.sample(problem[:1], seed=1)
    del qpu
    gc.collect()
    other = ip.DWave(solver=CountedQPU(), record=tmp_path)
    other.sample(problem[:1], seed=1)
    assert calls_of(other) == 0
    other.close()
