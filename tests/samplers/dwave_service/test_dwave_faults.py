"""Faults between the D-Wave sampler and D-Wave, on the real client: nothing paid is lost, and
nothing is paid twice.

The emulated chips give a request that comes again another answer, so that equal bits mean: paid
once.
"""

import threading
import time

import pytest

from helpers.dwave.dwave_runs import on_disk
from helpers.dwave.fault_cases import (
    ASKED,
    CLIENT_SECONDS,
    NUM_CALLS,
    OFFLINE,
    assert_paid_once_and_kept,
)
from helpers.dwave.small_service import SmallService
from isingprop.qpu.calls import call_sender
from isingprop.qpu.local_service import service_faults as faults

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


@pytest.mark.slow
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_nothing(make, problem, wanted, fault):
    with SmallService(pending=0.02) as sapi:
        sapi.at(*PASSING[fault], skip=1)
        qpu = make(sapi)
        states = qpu.sample(problem, **ASKED)
        assert_paid_once_and_kept(sapi, qpu, states, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["submit", "accepted", "answer"])
def test_a_fault_in_every_call_costs_nothing(make, sapi, problem, wanted, point):
    sapi.at(point, faults.drop, times=2 * NUM_CALLS)
    qpu = make(sapi, http_retry_total=0)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


@pytest.mark.parametrize("first", ["accepted", "answer"])
@pytest.mark.parametrize("fault", ["500", "401", "403", "404", "late"])
@pytest.mark.slow
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
    """The call before it is sent, its id before the answer is asked for, and the answer before it
    is used.
    """
    qpu, seen = make(sapi), []
    for point in ("submit", "answer"):
        sapi.at(point, lambda _, point=point: seen.append((point, on_disk(qpu.record))), times=None)
    qpu.sample(problem[:1], **ASKED)
    [paid] = sapi.paid
    assert seen == [("submit", [(None, False)]), ("answer", seen[1][1])]
    assert seen[1][1] in (
        [(None, False)],
        [(paid.id, False)],
    )  # the client may ask before it says
    assert on_disk(qpu.record) == [(paid.id, True)]


def test_an_id_is_on_disk_while_the_answer_is_awaited(make, problem):
    with SmallService(pending=0.3) as sapi:
        qpu, seen = make(sapi, request_timeout=5), []
        sapi.at("answer", lambda _: seen.append(on_disk(qpu.record)))
        qpu.sample(problem[:1], **ASKED)
        assert seen == [[(sapi.paid[0].id, False)]]


def test_an_answer_that_is_not_written_is_not_used(make, sapi, problem, wanted, monkeypatch):
    qpu = make(sapi)
    with monkeypatch.context() as patch:
        patch.setattr(
            "isingprop.qpu.calls.record.Record.finish",
            lambda *_: (_ for _ in ()).throw(OSError("no finish")),
        )
        with pytest.raises(OSError, match="no finish"):
            qpu.sample(problem, **ASKED)
    assert (sapi.paid[0].id, False) in on_disk(qpu.record)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


def test_a_request_that_arrives_late_is_not_paid_twice(make, sapi, problem, wanted, monkeypatch):
    """The client gives up; the server accepts after that, in the time that is waited for it."""
    monkeypatch.setattr(call_sender, "_SETTLING", 1.0)
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
