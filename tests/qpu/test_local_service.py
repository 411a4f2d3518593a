"""The local service with the real DWaveSampler: what D-Wave's client makes of each fault."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dimod
import numpy as np
import pytest
import requests
from dwave.cloud.api.resources import Problems
from dwave.cloud.exceptions import (
    InvalidAPIResponseError,
    RequestTimeout,
    SolverAuthenticationError,
    SolverError,
    SolverFailureError,
    SolverOfflineError,
)
from dwave.system import DWaveSampler
from dwave.system.exceptions import FailoverCondition

from helpers.dwave.small_service import NAME, SmallService
from helpers.processes import python, started
from helpers.tolerances import PROCESS_SECONDS
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
from isingprop.qpu.local_service import service_faults as faults

RAW = {"auto_scale": False, "answer_mode": "raw"}

NUM_READS = 10


@pytest.fixture
def sapi() -> Iterator[SmallService]:
    with SmallService() as server:
        yield server


def sample(sampler: DWaveSampler, label: str = "a label", **parameters: Any) -> dimod.SampleSet:
    """A ferromagnetic chain in a field, resolved."""
    edges = sampler.edgelist[:8]
    fields = dict.fromkeys(sorted({qubit for edge in edges for qubit in edge}), -0.5)
    given = RAW | {"num_reads": NUM_READS, "label": label} | parameters
    answer = sampler.sample_ising(fields, dict.fromkeys(edges, -1.0), **given)
    answer.resolve()
    return answer


def test_a_ferromagnet_comes_back_ordered_and_is_paid_once(sapi: SmallService) -> None:
    with DWaveSampler(**sapi.config) as sampler:
        answer = sample(sampler)
    assert (answer.record.sample == 1).mean() > 0.9
    assert answer.record.sample.shape[0] == NUM_READS
    [paid] = sapi.paid
    assert answer.info["problem_id"] == paid.id
    assert answer.info["problem_label"] == paid.label == "a label"
    assert answer.info["timing"]["qpu_access_time"] == paid.qpu_access_time > 15_000
    assert paid.job["params"] == RAW | {"num_reads": NUM_READS}


def test_spins_and_energies_of_each_read_arrive_as_the_chip_gave_them() -> None:
    broken = [40, 77]
    chip, same = (
        EmulatedQPU("pegasus", 3, broken_qubits=broken, temperature=200) for _ in range(2)
    )
    random = np.random.default_rng(0)
    fields = {qubit: float(random.normal()) for qubit in chip.nodelist[3:90]}
    couplings = {edge: -0.5 for edge in chip.edgelist if edge[0] in fields and edge[1] in fields}
    start = {qubit: int(random.choice([-1, 1])) for qubit in fields}
    given = {
        "num_reads": 7,
        "anneal_schedule": [[0, 1], [1, 0.5], [2, 1]],
        "initial_state": start,
        **RAW,
    }
    wanted = same.sample_ising(fields, couplings, **given)
    with SmallService({"P3": chip}) as sapi, DWaveSampler(**sapi.config) as sampler:
        assert (sampler.nodelist, sampler.edgelist) == (chip.nodelist, chip.edgelist)
        assert sampler.solver.graph_id == WorkingGraph.of(chip).graph_id
        for name in (
            "num_qubits",
            "h_range",
            "per_qubit_coupling_range",
            "problem_timing_data",
            "chip_id",
        ):
            assert sampler.properties[name] == chip.properties[name]
        answer = sampler.sample_ising(fields, couplings, **given)
        answer.resolve()
    assert list(answer.variables) == list(wanted.variables)
    assert (answer.record.sample == wanted.record.sample).all()
    assert np.allclose(answer.record.energy, wanted.record.energy, rtol=1e-14)


def test_a_histogram_counts_equal_reads_and_is_sorted(sapi: SmallService) -> None:
    with DWaveSampler(**sapi.config) as sampler:
        answer = sample(sampler, answer_mode="histogram", num_reads=200)
    assert answer.record.num_occurrences.sum() == 200
    assert len(answer) < 200
    assert (np.diff(answer.record.energy) >= 0).all()


def test_a_pending_problem_is_polled_through_server_errors() -> None:
    with SmallService(pending=0.2) as sapi:
        sapi.at("poll", faults.http_error(503), times=2)
        with DWaveSampler(**sapi.config) as sampler:
            assert len(sample(sampler)) == NUM_READS
        assert sapi.requests.count("poll") >= 3
        assert len(sapi.paid) == 1


OFFLINE = "Solver is offline"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "action", "error", "num_paid"),
    [
        ("submit", faults.drop, requests.ConnectionError, 0),
        ("accepted", faults.drop, requests.ConnectionError, 1),
        ("accepted", faults.cut, requests.exceptions.ChunkedEncodingError, 1),
        ("accepted", faults.delay(4.0), RequestTimeout, 1),
        ("submit", faults.http_error(500), SolverError, 0),
        ("accepted", faults.http_error(502), SolverError, 1),
        ("submit", faults.reject("h out of range"), SolverFailureError, 0),
        ("submit", faults.reject(OFFLINE), SolverOfflineError, 0),
        ("submit", faults.submission_error(400, "bad data"), SolverFailureError, 0),
        ("answer", faults.http_error(500), SolverError, 1),
        ("answer", faults.cut, requests.exceptions.ChunkedEncodingError, 1),
        ("answer", faults.not_json, InvalidAPIResponseError, 1),
        ("answer", faults.cut_payload, ValueError, 1),
    ],
)
def test_a_fault_is_raised_and_what_was_paid_stays_there_to_fetch(
    sapi: SmallService, point: str, action: faults.Action, error: type[Exception], num_paid: int
) -> None:
    sapi.at(point, action)
    with DWaveSampler(**sapi.config, request_timeout=2.0) as sampler:
        with pytest.raises(error):
            sample(sampler, "sought")
        with Problems.from_config(sampler.client.config) as problems:
            found = [each.id for each in problems.list_problems(label="sought", status="COMPLETED")]
        assert found == [paid.id for paid in sapi.paid]
        assert len(found) == num_paid
        for id_ in found:
            assert len(sampler.client.retrieve_answer(id_).sampleset) == NUM_READS
        assert len(sample(sampler)) == NUM_READS  # the fault is over
    assert len(sapi.paid) == num_paid + 1


def test_a_lost_connection_to_a_ready_answer_is_mended_by_the_client_itself(
    sapi: SmallService,
) -> None:
    sapi.at("answer", faults.drop, times=2)
    with DWaveSampler(**sapi.config) as sampler:
        assert len(sample(sampler)) == NUM_READS
    assert sapi.requests.count("answer") == 3


def test_lost_reads_are_an_answer_without_an_error(sapi: SmallService) -> None:
    sapi.at("answer", faults.lose_reads(3))
    with DWaveSampler(**sapi.config) as sampler:
        assert len(sample(sampler)) == NUM_READS - 3


def test_what_the_chip_refuses_fails_with_its_message_and_is_not_paid(sapi: SmallService) -> None:
    with DWaveSampler(**sapi.config) as sampler:
        with pytest.raises(SolverFailureError, match="num_reads must be at most 10000, got 20000"):
            sample(sampler, num_reads=20_000)
        [told] = sapi.problems.values()
    assert told.error is not None
    assert sapi.paid == []


def test_an_offline_solver_is_left_for_the_other_one() -> None:
    chips = {"big": EmulatedQPU("zephyr", 2), "small": EmulatedQPU("zephyr", 1)}
    with SmallService(chips) as sapi, DWaveSampler(failover=True, **sapi.config) as sampler:
        assert sampler.solver.name == "big"
        sapi.offline.add("big")
        with pytest.raises(FailoverCondition):
            sample(sampler)
        sampler.trigger_failover()
        assert sampler.solver.name == "small"
        assert len(sample(sampler)) == NUM_READS
    assert [paid.solver for paid in sapi.paid] == ["small"]


def test_a_solver_is_found_by_its_name_and_an_unknown_one_is_not() -> None:
    chips = {"big": EmulatedQPU("zephyr", 2), "small": EmulatedQPU("zephyr", 1)}
    with SmallService(chips) as sapi:
        with DWaveSampler(**sapi.config, solver="small") as sampler:
            assert len(sampler.nodelist) == len(chips["small"].nodelist)
        with pytest.raises(SolverError, match="No solver with name='none'"):
            DWaveSampler(**sapi.config, solver="none")


def test_a_wrong_token_is_not_let_in(sapi: SmallService) -> None:
    with pytest.raises(SolverAuthenticationError):
        DWaveSampler(**sapi.config | {"token": "another"})
    assert sapi.requests == []


def test_an_action_waits_for_its_turn(sapi: SmallService) -> None:
    sapi.at("answer", faults.lose_reads(1), skip=1, times=2)
    with DWaveSampler(**sapi.config) as sampler:
        lost = [NUM_READS - len(sample(sampler)) for _ in range(4)]
    assert lost == [0, 1, 1, 0]


def test_what_goes_wrong_in_an_action_is_raised_in_the_end() -> None:
    sapi = SmallService()
    sapi.at("submit", lambda exchange: exchange.no_such_thing)  # type: ignore[attr-defined]
    with DWaveSampler(**sapi.config) as sampler, pytest.raises(requests.ConnectionError):
        sample(sampler)
    with pytest.raises(AttributeError, match="no_such_thing"):
        sapi.close()


@pytest.fixture
def strange_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user's own account, in a file and in variables."""
    (tmp_path / "dwave.conf").write_text("[defaults]\nsolver = mine\nproxy = http://nowhere\n")
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    monkeypatch.setenv("DWAVE_PROFILE", "strange")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")


@pytest.mark.usefixtures("strange_account")
def test_a_client_of_this_process_reads_no_file_of_an_account(
    sapi: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DWAVE_PROFILE")
    monkeypatch.delenv("http_proxy")
    with DWaveSampler(**sapi.config) as sampler:
        assert sampler.solver.name == NAME


@pytest.mark.slow
@pytest.mark.usefixtures("strange_account")
def test_a_child_knows_nothing_of_an_account_and_uses_no_proxy(
    sapi: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DWAVE_API_SOLVER", "mine")
    done = python(CHILD, **sapi.environment)
    assert done.returncode == 0, done.stderr
    assert [paid.label for paid in sapi.paid] == ["child"]


CHILD = """
from dwave.system import DWaveSampler
sampler = DWaveSampler()
sampler.sample_ising({}, {sampler.edgelist[0]: -1}, auto_scale=False, label="child").resolve()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "num_paid"), [("submit", 0), ("accepted", 1), ("poll", 1), ("answer", 1)]
)
def test_a_child_is_killed_at_a_point_of_its_call(point: str, num_paid: int) -> None:
    with (
        SmallService(pending=0.1) as sapi,
        started("-c", CHILD, env={**os.environ, **sapi.environment}) as child,
    ):
        sapi.at(
            point, faults.midway(faults.kill(child)) if point == "answer" else faults.kill(child)
        )
        assert child.wait(PROCESS_SECONDS) == -signal.SIGKILL
    assert len(sapi.paid) == num_paid
    assert sapi.requests[-1] == ("submit" if point == "accepted" else point)
