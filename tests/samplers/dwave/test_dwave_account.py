"""The D-Wave sampler without an account, and devices of the user's."""

import gc
from pathlib import Path

import pytest
from dwave.system.testing import MockDWaveSampler

import isingprop as ip
from helpers import oracle, tolerances
from helpers.dwave.dwave_cases import CountedQPU, H, O, calls_of, starts_for
from helpers.dwave.rehearsal import small_network
from helpers.dwave.small_service import NAME, SmallService
from isingprop.cli.run_samplers import make_named_sampler
from isingprop.qpu.settings import FROM_STARTS, MODES
from isingprop.readout import Readout

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
    assert qpu.qpu_seconds == 0.0
    qpu.close()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_profile_that_does_not_exist_is_said_in_one_line(
    no_account, monkeypatch, problem, tmp_path
):
    monkeypatch.setenv("DWAVE_PROFILE", "nowhere")
    qpu = ip.DWave(record=tmp_path / "record")
    with pytest.raises(ConnectionError, match="dwave setup"):
        qpu.sample(problem, seed=1)
    qpu.close()


@pytest.mark.parametrize("wrong", ["token", "solver"])
def test_a_wrong_token_or_solver_leaves_no_folder(monkeypatch, problem, tmp_path, wrong):
    with SmallService() as sapi:
        account = sapi.environment | ({"DWAVE_API_TOKEN": "no"} if wrong == "token" else {})
        for name, value in account.items():
            monkeypatch.setenv(name, value)
        qpu = ip.DWave(solver="nobody" if wrong == "solver" else NAME, record=tmp_path / "record")
        says = "D-Wave must know the token" if wrong == "token" else "a D-Wave solver must be"
        with pytest.raises(ConnectionError, match=says):
            qpu.sample(problem, seed=1)
        qpu.close()
    assert list(tmp_path.iterdir()) == []


REFUSED = {
    "a network that does not fit": ({}, (60, 60), ValueError),
    "a budget below the first call": ({"budget": 0.001}, (H, O), ip.QPUBudgetError),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_no_call_is_made_for_leaves_no_folder(make, tmp_path, why):
    settings, shape, error = REFUSED[why]
    qpu = make(**settings)
    with pytest.raises(error):
        qpu.sample(oracle.random_problem(*shape, num_problems=1, seed=1), seed=1)
    assert list(tmp_path.iterdir()) == []


# Emulated chips by name


@pytest.mark.parametrize("chip", [("zephyr", 1), ("pegasus", 2)])
def test_the_name_of_an_emulated_chip_is_that_chip_as_in_the_shell(
    no_account, problem, tmp_path, chip
):
    name = "emulated:{}:{}".format(*chip)
    named, made = ip.DWave(solver=name), ip.DWave(solver=ip.EmulatedQPU(*chip))
    shell = make_named_sampler(
        "dwave", readout=Readout(10), num_sweeps=1, num_threads=1, qpu_solver=name
    )
    assert named.settings() == made.settings() == shell.settings()
    assert named.record == made.record == shell.record
    assert named.get_params()["solver"] == name
    assert (named.is_billed, ip.DWave().is_billed) == (False, True)
    spins = []
    for k, sampler in enumerate((named, made, shell)):
        sampler.record = tmp_path / str(k)
        spins.append(sampler.sample(problem[:1], num_reads=3, seed=1).spins)
        sampler.close()
    assert tolerances.same_bits(*spins)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("emulated:zephyr:0", "size must be at least 1, got 0"),
        ("emulated:advantage2_system1:4", "size must be None for Advantage2_system1"),
    ],
)
def test_a_size_that_no_chip_has_is_refused_with_the_whole_name(name, reason):
    message = f"^solver must name a chip that exists, got {name!r}: {reason}"
    with pytest.raises(ValueError, match=message):
        ip.DWave(solver=name)


def test_names_of_emulated_chips_may_have_capitals():
    chip = ip.DWave(solver="Emulated:Zephyr:1").device
    assert len(chip.nodelist) == len(ip.DWave(solver="emulated:zephyr:1").device.nodelist) == 48


@pytest.mark.parametrize("name", ["emulated", "emulated:chimera", "emulated:zephyr:x", "emulated:"])
def test_another_emulated_chip_is_refused_with_all_that_there_are(name):
    known = (
        "solver must be emulated:Advantage_system4.1, emulated:Advantage2_system1, or "
        "emulated:pegasus or emulated:zephyr with :SIZE if need be, got "
    )
    with pytest.raises(ValueError, match="solver must be emulated") as caught:
        ip.DWave(solver=name)
    assert str(caught.value) == f"{known}{name!r}"


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
