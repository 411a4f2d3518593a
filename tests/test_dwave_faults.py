"""Faults between the D-Wave sampler and D-Wave, on the real client: nothing paid is lost, and nothing is paid twice.

The emulated chips give a request that comes again another answer, so that equal bits mean: paid once.
"""

import json
import logging
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from dwave.system import DWaveSampler

import fake_sapi
import isingprop as ip
import oracle
import sapi_faults as faults
import tolerances
from dwave_runs import on_disk
from fake_sapi import FakeSapi
from forked_command import shorten_waits
from isingprop.qpu.calls import connection
from isingprop.qpu.calls.record import Index
from isingprop.samplers import dwave
from isingprop.util.files import load_tensors
from rehearsal import small_network, two_classes

H, O = 4, 3  # noqa: E741 (the field's letters)
NUM_CALLS = 3  # for six problems on two copies
# Five reads: the answer is of a length that shows when a byte is missing, which is not so of four.
ASKED = {"num_reads": 5, "seed": 1}
CLIENT_SECONDS = 0.4  # the client's patience with a request
OFFLINE = "Solver is offline"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(dwave, "_DELAYS", None)  # both are put back after the test
    monkeypatch.setattr(connection, "_SETTLING", None)
    shorten_waits()


@pytest.fixture(scope="module")
def problem():
    return oracle.random_problem(H, O, num_problems=2 * NUM_CALLS, seed=1)


@pytest.fixture
def sapi():
    with FakeSapi() as server:
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
    with FakeSapi() as sapi, DWaveSampler(**sapi.config) as device:
        qpu = ip.DWave(solver=device, record=tmp_path_factory.mktemp("wanted"), num_copies=2)
        states = qpu.sample(problem, **ASKED)
        assert len(sapi.paid) == NUM_CALLS
    return states


def assert_paid_once_and_kept(sapi, qpu, states, wanted, num_calls=NUM_CALLS):
    assert len(sapi.paid) == num_calls
    assert sorted(on_disk(qpu.record)) == sorted((paid["id"], True) for paid in sapi.paid)
    assert Index(qpu.record).pending == {}
    assert tolerances.same_bits(states.spins, wanted.spins)
    assert tolerances.same_bits(states.energies, wanted.energies)
    assert qpu.qpu_seconds == pytest.approx(
        sum(paid["qpu_access_time"] for paid in sapi.paid) * 1e-6
    )


# Faults that pass

TOO_LATE = faults.delay(CLIENT_SECONDS + 0.2)
PASSING = {
    f"{point}: {name}": (point, action)
    for points, actions in [
        ("submit accepted poll answer", {"drop": faults.drop, "500": faults.http_error(500)}),
        ("submit accepted", {"408": faults.http_error(408), "429": faults.http_error(429)}),
        (
            "accepted poll answer",
            {"cut": faults.cut, "not JSON": faults.not_json, "503": faults.http_error(503)},
        ),
        ("poll answer", {"404": faults.http_error(404), "403": faults.http_error(403)}),
        ("accepted poll answer", {"late": TOO_LATE}),
        ("answer", {"lost reads": faults.lose_reads(2), "cut payload": faults.cut_payload}),
        ("submit", {"offline": faults.reject(OFFLINE), "503": faults.http_error(503)}),
    ]
    for point in points.split()
    for name, action in actions.items()
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_nothing(make, problem, wanted, fault):
    with FakeSapi(pending=0.02) as sapi:
        sapi.at(*PASSING[fault], skip=1)
        qpu = make(sapi)
        states = qpu.sample(problem, **ASKED)
        assert_paid_once_and_kept(sapi, qpu, states, wanted)


@pytest.mark.parametrize("point", ["submit", "accepted", "answer"])
def test_a_fault_in_every_call_costs_nothing(make, sapi, problem, wanted, point):
    sapi.at(point, faults.drop, times=2 * NUM_CALLS)
    qpu = make(sapi, http_retry_total=0)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


@pytest.mark.parametrize("first", ["accepted", "answer"])
@pytest.mark.parametrize("fault", ["500", "401", "403", "404", "late"])
def test_a_fault_while_a_paid_answer_is_looked_for_costs_nothing(
    make, sapi, problem, wanted, first, fault
):
    """A call without an id is looked for in the list, one with an id by its id."""
    action = TOO_LATE if fault == "late" else faults.http_error(int(fault))
    sapi.at(first, faults.cut)
    if first == "accepted":
        sapi.at("list", action, times=3)
    else:
        sapi.at("answer", action, skip=NUM_CALLS)  # after the three first attempts
    qpu = make(sapi)
    refused = 0
    while refused < 9:  # a token is the user's turn
        try:
            states = qpu.sample(problem, **ASKED)
            break
        except PermissionError:
            refused += 1
    assert (refused > 0) == (fault == "401")
    assert_paid_once_and_kept(sapi, qpu, states, wanted)


def test_an_answer_is_asked_for_by_id_where_it_is_known(make, sapi, problem, wanted):
    sapi.at("answer", faults.cut)
    qpu = make(sapi)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)
    assert "list" not in sapi.requests
    assert sapi.requests.count("answer") <= 2 * NUM_CALLS
    assert sapi.requests.count("submit") == NUM_CALLS


def test_an_answer_is_asked_for_by_label_where_no_id_is_known(make, sapi, problem, wanted):
    sapi.at("accepted", faults.drop)
    qpu = make(sapi)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)
    assert sapi.requests.count("list") == 1
    assert sapi.requests.count("submit") == NUM_CALLS


def test_nothing_is_asked_twice_where_nothing_goes_wrong(make, sapi, problem, wanted):
    qpu = make(sapi)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)
    assert {point: sapi.requests.count(point) for point in ("submit", "answer", "list")} == {
        "submit": NUM_CALLS,
        "answer": NUM_CALLS,
        "list": 0,
    }


def test_every_step_is_on_disk_before_the_next(make, sapi, problem, wanted):
    """The call before it is sent, its id before the answer is asked for, and the answer before it is used."""
    qpu, seen = make(sapi), []
    for point in ("submit", "answer"):
        sapi.at(point, lambda _, point=point: seen.append((point, on_disk(qpu.record))), times=None)
    qpu.sample(problem[:1], **ASKED)
    [paid] = sapi.paid
    assert seen == [("submit", [(None, False)]), ("answer", seen[1][1])]
    assert seen[1][1] in (
        [(None, False)],
        [(paid["id"], False)],
    )  # the client may ask before it says
    assert on_disk(qpu.record) == [(paid["id"], True)]


def test_an_id_is_on_disk_while_the_answer_is_awaited(make, problem):
    with FakeSapi(pending=0.3) as sapi:
        qpu, seen = make(sapi, request_timeout=5), []
        sapi.at("answer", lambda _: seen.append(on_disk(qpu.record)))
        qpu.sample(problem[:1], **ASKED)
        assert seen == [[(sapi.paid[0]["id"], False)]]


def test_an_answer_that_is_not_written_is_not_used(make, sapi, problem, wanted, monkeypatch):
    qpu = make(sapi)
    with monkeypatch.context() as patch:
        patch.setattr(
            "isingprop.qpu.calls.record.Record.finish",
            lambda *_: (_ for _ in ()).throw(OSError("no finish")),
        )
        with pytest.raises(OSError, match="no finish"):
            qpu.sample(problem, **ASKED)
    assert (sapi.paid[0]["id"], False) in on_disk(qpu.record)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


def test_a_request_that_arrives_late_is_not_paid_twice(make, sapi, problem, wanted, monkeypatch):
    """The client gives up; the server accepts after that, in the time that is waited for it."""
    monkeypatch.setattr(connection, "_SETTLING", 1.0)
    arrived = threading.Event()

    def arrive_late(_):
        time.sleep(CLIENT_SECONDS + 0.5)
        arrived.set()

    sapi.at("submit", arrive_late)
    qpu = make(sapi)
    states = qpu.sample(problem, **ASKED)
    arrived.wait()
    time.sleep(0.1)  # until it would have been accepted
    assert_paid_once_and_kept(sapi, qpu, states, wanted)


# Faults that last


class Down(FakeSapi):
    """A server that can go down for a while: connections are refused."""

    def go_down(self) -> None:
        for point in faults.POINTS:  # a connection that is kept alive is not served either
            self.at(point, faults.drop, times=None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def come_back(self) -> None:
        self._actions.clear()
        address = self._server.server_address
        self._server = ThreadingHTTPServer(address, fake_sapi._handler(self))
        self._server.handle_error = self._note_error
        self._thread = type(self._thread)(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()


IN_ANOTHER_PROCESS = """
import isingprop as ip, oracle, sys
from isingprop.samplers import dwave
problem = oracle.random_problem(4, 3, num_problems=6, seed=1)
states = ip.DWave(record=sys.argv[0] and "RECORD", num_copies=2).sample(problem, num_reads=5, seed=1)
print(states.spins.tobytes().hex())
"""


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
            result = python(code, PYTHONPATH=str(Path(__file__).parent), **sapi.environment)
            assert result.returncode == 0, result.stderr
            assert bytes.fromhex(result.stdout) == wanted.spins.tobytes()
            states = qpu.sample(problem, **ASKED)
        assert_paid_once_and_kept(sapi, qpu, states, wanted)


@pytest.mark.parametrize("action", [faults.drop, faults.http_error(503)])
def test_submissions_that_never_come_through_are_given_up(make, sapi, problem, wanted, action):
    """Though all else does: that nothing was accepted is found out after each."""
    sapi.at("submit", action, times=4 * len(dwave._DELAYS))
    qpu = make(sapi)
    with pytest.raises(ConnectionError, match="D-Wave does not answer"):
        qpu.sample(problem[:1], **ASKED)
    assert sapi.requests.count("submit") <= len(dwave._DELAYS) + 1
    sapi._actions.clear()
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
    sapi._actions.clear()
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


@pytest.mark.parametrize("point", ["submit", "accepted", "poll", "answer"])
def test_a_token_that_expires_keeps_what_is_pending(make, problem, wanted, point):
    with FakeSapi(pending=0.02) as sapi:
        sapi.at(point, faults.http_error(401), skip=1, times=None)
        qpu = make(sapi)
        with pytest.raises(PermissionError, match="dwave setup") as caught:
            qpu.sample(problem, **ASKED)
        assert "\n" not in str(caught.value)
        paid = {each["id"] for each in sapi.paid}
        known = {problem_id for problem_id, _ in on_disk(qpu.record)}
        assert paid - known == set() or None in known
        sapi._actions.clear()
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


def test_training_goes_on_with_another_solver_and_is_played_back(make, tmp_path):
    with FakeSapi(two_chips()) as sapi:
        sapi.at("submit", lambda _: sapi.offline.add("Z"), skip=3)
        network = trained(make(sapi))
        paid = len(sapi.paid)
        assert [each["solver"]["name"] for each in sapi.paid[:4]] == ["Z", "Z", "Z", "P"]
        assert {each["solver"]["name"] for each in sapi.paid[3:]} == {"P"}
        assert sorted(on_disk(tmp_path / "record")) == sorted(
            (each["id"], True) for each in sapi.paid
        )
        answers = [
            json.loads(load_tensors(path, "qpu-call", ())[1]["call"])
            for path in tmp_path.rglob("*.safetensors")
        ]
        assert {answer["notes"]["solver"] for answer in answers} == {"Z", "P"}
        assert len({answer["notes"]["graph_id"] for answer in answers}) == 2
        assert trained(make(sapi)) == trained(ip.Replay(tmp_path / "record")) == network
        assert len(sapi.paid) == paid


def test_an_answer_that_is_not_found_at_once_is_no_reason_for_another_solver(make, problem, wanted):
    with FakeSapi(two_chips()) as sapi:
        sapi.at("answer", faults.http_error(404))
        qpu = make(sapi)
        assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)
        assert {paid["solver"]["name"] for paid in sapi.paid} == {"Z"}


def test_answers_that_wait_at_a_solver_that_is_gone_are_used(make, problem, wanted):
    with FakeSapi(two_chips()) as sapi:
        sapi.at("accepted", lambda _: sapi.offline.add("Z"), skip=1)
        sapi.at("answer", faults.cut, times=2)
        qpu = make(sapi)
        states = qpu.sample(problem, **ASKED)
        assert [each["solver"]["name"] for each in sapi.paid] == ["Z", "Z", "P"]
        assert sorted(on_disk(qpu.record)) == sorted((each["id"], True) for each in sapi.paid)
        assert tolerances.same_bits(states.spins[:4], wanted.spins[:4])


def test_one_solver_that_goes_offline_is_waited_for(make, sapi, problem, wanted):
    sapi.at("submit", lambda _: sapi.offline.add("Advantage_fake1"))
    sapi.at("submit", lambda _: sapi.offline.clear(), skip=5)
    qpu = make(sapi)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


def test_calls_that_fail_together_are_one_failure(make, sapi, caplog):
    """Eight calls were under way when the solver went offline: that is waited for once, not eight times."""
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
    with FakeSapi() as sapi:
        sapi.at("answer", faults.not_json, times=None)
        first = make(sapi)
        monkeypatch.setattr(dwave, "_DELAYS", ())
        with pytest.raises(ConnectionError):
            first.sample(problem, **ASKED)
        first.close()
        sapi._actions.clear()
        used = {
            int(qubit) for call in Index(first.record).pending.values() for qubit in call.qubits
        }
        sapi.chips["Advantage_fake1"] = ip.EmulatedQPU("zephyr", 2, broken_qubits=sorted(used))
        again = make(sapi)
        assert_paid_once_and_kept(sapi, again, again.sample(problem, **ASKED), wanted)
