"""Faults that last: servers that are gone, refusals, and other solvers."""

import contextlib
import json
import logging

import pytest

import isingprop as ip
from helpers import TESTS, oracle, tolerances
from helpers.dwave.dwave_runs import on_disk
from helpers.dwave.fault_cases import ASKED, OFFLINE, H, O, assert_paid_once_and_kept
from helpers.dwave.rehearsal import small_network, two_classes
from helpers.dwave.small_service import SmallService
from isingprop.qpu.calls import device_session
from isingprop.qpu.calls.record import Index
from isingprop.qpu.local_service import service_faults as faults
from isingprop.util.checked_files import load_tensors

# Faults that last


class Down(SmallService):
    """A server that can go down for a while: connections are refused."""

    def go_down(self) -> None:
        for point in faults.POINTS:  # a connection that is kept alive is not served either
            self.at(point, faults.drop, times=None)
        self._stop()

    def come_back(self) -> None:
        self.forget()
        self._listen(self._server.server_port)


IN_ANOTHER_PROCESS = """
import isingprop as ip, sys
from helpers import oracle
from isingprop.qpu.calls import device_session
problem = oracle.random_problem(4, 3, num_problems=6, seed=1)
sampler = ip.DWave(record=sys.argv[0] and "RECORD", num_copies=2)
states = sampler.sample(problem, num_reads=5, seed=1)
print(states.spins.tobytes().hex())
"""


@pytest.mark.slow
@pytest.mark.parametrize("process", ["this", "another"])
def test_a_server_that_is_gone_is_a_connection_error_and_its_answers_come_later(
    make, problem, wanted, python, tmp_path, process
):
    with Down() as sapi:
        sapi.at("answer", lambda _: sapi.go_down(), skip=1)
        sapi.at("answer", faults.drop, skip=1, times=None)
        qpu = make(sapi, http_retry_total=0)
        with pytest.raises(ConnectionError, match="D-Wave does not answer") as caught:
            qpu.sample(problem, **ASKED)
        assert type(caught.value) is ConnectionError
        assert "\n" not in str(caught.value)
        assert str(qpu.record) in str(caught.value)
        paid = len(sapi.paid)
        assert paid >= 2
        sapi.come_back()
        if process == "this":
            states = qpu.sample(problem, **ASKED)
        else:
            qpu.close()
            code = IN_ANOTHER_PROCESS.replace("RECORD", str(qpu.record))
            result = python(code, PYTHONPATH=str(TESTS), **sapi.environment)
            assert result.returncode == 0, result.stderr
            assert bytes.fromhex(result.stdout) == wanted.spins.tobytes()
            states = qpu.sample(problem, **ASKED)
        assert_paid_once_and_kept(sapi, qpu, states, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("action", [faults.drop, faults.http_error(503)])
def test_submissions_that_never_come_through_are_given_up(make, sapi, problem, wanted, action):
    """Though all else does: that nothing was accepted is found out after each."""
    sapi.at("submit", action, times=4 * len(device_session._DELAYS))
    qpu = make(sapi)
    with pytest.raises(ConnectionError, match="D-Wave does not answer"):
        qpu.sample(problem[:1], **ASKED)
    assert sapi.requests.count("submit") <= len(device_session._DELAYS) + 1
    sapi.forget()
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


# Refusals

REFUSALS = {
    "rejected": (faults.reject("h is out of range"), "h is out of range"),
    "refused": (faults.submission_error(400, "no such parameter"), "no such parameter"),
    "HTTP 400": (faults.http_error(400, "body too large"), "body too large"),
    "quota": (
        faults.submission_error(400, "insufficient remaining solver access time"),
        "insufficient remaining",
    ),
    "HTTP quota": (
        faults.http_error(403, "insufficient remaining solver access time"),
        "insufficient remaining",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_d_wave_refuses_is_told_in_its_words_and_leaves_nothing_pending(
    make, sapi, problem, wanted, refusal
):
    action, words = REFUSALS[refusal]
    sapi.at("submit", action, times=None)
    qpu = make(sapi)
    with pytest.raises(RuntimeError, match=words) as caught:
        qpu.sample(problem[:1], **ASKED)
    assert "\n" not in str(caught.value)
    assert "Advantage_fake1" in str(caught.value)
    assert (sapi.paid, on_disk(qpu.record)) == ([], [])
    sapi.forget()
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


@pytest.mark.parametrize("point", ["submit", "accepted", "poll", "answer"])
def test_a_token_that_expires_keeps_what_is_pending(make, problem, wanted, point):
    with SmallService(pending=0.02) as sapi:
        sapi.at(point, faults.http_error(401), skip=1, times=None)
        qpu = make(sapi)
        with pytest.raises(PermissionError, match="dwave setup") as caught:
            qpu.sample(problem, **ASKED)
        assert "\n" not in str(caught.value)
        paid = {each.id for each in sapi.paid}
        known = {problem_id for problem_id, _ in on_disk(qpu.record)}
        assert paid - known == set() or None in known
        sapi.forget()
        assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


# Another solver


def trained(sampler, epochs=2):
    network = small_network()
    ip.Trainer(network, sampler, num_states=3, batch_size=3, seed=0).fit(
        two_classes(), epochs=epochs
    )
    return {name: array.tobytes() for name, array in network.parameters().items()}


def two_chips():
    return {"Z": ip.EmulatedQPU("zephyr", 2), "P": ip.EmulatedQPU("pegasus", 3)}


@pytest.mark.slow
def test_training_goes_on_with_another_solver_and_is_played_back(make, tmp_path):
    with SmallService(two_chips()) as sapi:
        sapi.at("submit", lambda _: sapi.offline.add("Z"), skip=3)
        network = trained(make(sapi))
        paid = len(sapi.paid)
        assert [each.solver for each in sapi.paid[:4]] == ["Z", "Z", "Z", "P"]
        assert {each.solver for each in sapi.paid[3:]} == {"P"}
        assert sorted(on_disk(tmp_path / "record")) == sorted((each.id, True) for each in sapi.paid)
        answers = [
            json.loads(load_tensors(path, "qpu-call", ())[1]["call"])
            for path in tmp_path.rglob("*.safetensors")
        ]
        assert {answer["notes"]["solver"] for answer in answers} == {"Z", "P"}
        assert len({answer["notes"]["graph_id"] for answer in answers}) == 2
        assert trained(make(sapi)) == trained(ip.Replay(tmp_path / "record")) == network
        assert len(sapi.paid) == paid


@pytest.mark.slow
def test_an_answer_that_is_not_found_at_once_is_no_reason_for_another_solver(make, problem, wanted):
    with SmallService(two_chips()) as sapi:
        sapi.at("answer", faults.http_error(404))
        qpu = make(sapi)
        assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)
        assert {paid.solver for paid in sapi.paid} == {"Z"}


@pytest.mark.slow
def test_answers_that_wait_at_a_solver_that_is_gone_are_used(make, problem, wanted):
    with SmallService(two_chips()) as sapi:
        sapi.at("accepted", lambda _: sapi.offline.add("Z"), skip=1)
        sapi.at("answer", faults.cut, times=2)
        qpu = make(sapi)
        states = qpu.sample(problem, **ASKED)
        assert [each.solver for each in sapi.paid] == ["Z", "Z", "P"]
        assert sorted(on_disk(qpu.record)) == sorted((each.id, True) for each in sapi.paid)
        assert tolerances.same_bits(states.spins[:4], wanted.spins[:4])


def test_one_solver_that_goes_offline_is_waited_for(make, sapi, problem, wanted):
    sapi.at("submit", lambda _: sapi.offline.add("Advantage_fake1"))
    sapi.at("submit", lambda _: sapi.offline.clear(), skip=5)
    qpu = make(sapi)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


@pytest.mark.slow
def test_calls_that_fail_together_are_one_failure(make, sapi, caplog):
    """Eight calls were under way when the solver went offline: that is waited for once, not eight
    times.
    """
    problem = oracle.random_problem(H, O, num_problems=8, seed=1)
    sapi.at("submit", faults.reject(OFFLINE), times=8)
    qpu = make(sapi, num_copies=1)
    with caplog.at_level(logging.WARNING, "isingprop"):
        qpu.sample(problem, **ASKED)
    assert [
        record.getMessage() for record in caplog.records if "trying again" in record.getMessage()
    ] == ["D-Wave: Solver is offline; trying again in 0 s"]
    assert len(sapi.paid) == 8


def test_a_paid_answer_is_used_after_the_working_graph_has_changed(
    make, problem, wanted, monkeypatch
):
    with SmallService() as sapi:
        sapi.at("answer", faults.not_json, times=None)
        first = make(sapi)
        monkeypatch.setattr(device_session, "_DELAYS", ())
        with pytest.raises(ConnectionError):
            first.sample(problem, **ASKED)
        first.close()
        sapi.forget()
        used = {
            int(qubit) for call in Index(first.record).pending.values() for qubit in call.qubits
        }
        sapi.chips["Advantage_fake1"] = ip.EmulatedQPU("zephyr", 2, broken_qubits=sorted(used))
        again = make(sapi)
        assert_paid_once_and_kept(sapi, again, again.sample(problem, **ASKED), wanted)


def test_a_solver_without_a_schedule_for_the_mode_is_refused_as_soon_as_it_is_open(
    monkeypatch, problem, tmp_path
):
    """Before the network is embedded; the connection is closed again."""
    slow = ip.EmulatedQPU("zephyr", 2)
    slow.properties["annealing_time_range"] = [1.0, 2000.0]
    with SmallService({"slow": slow}) as sapi:
        for name, value in sapi.environment.items():
            monkeypatch.setenv(name, value)
        with contextlib.closing(
            ip.DWave("reverse", annealing_time=1.09, solver="slow", record=tmp_path)
        ) as qpu:
            for call in (lambda: qpu.copies(H, O), lambda: qpu.sample(problem, seed=1)):
                with pytest.raises(
                    ValueError, match=r"^annealing_time must be at least 1\.1 us for s_"
                ):
                    call()
        assert sapi.paid == []
        with contextlib.closing(
            ip.DWave("reverse", annealing_time=1.1, solver="slow", record=tmp_path)
        ) as qpu:
            assert len(qpu.copies(H, O)) > 0
