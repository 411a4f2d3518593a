"""Problems that D-Wave accepts and does not solve, on the real client: they are sent anew a few
times. A solver that is offline is replaced, in whatever way it says so.
"""

import logging

import pytest

import isingprop as ip
from helpers import oracle, tolerances
from helpers.dwave.dwave_runs import on_disk
from helpers.dwave.fault_cases import ASKED, NUM_CALLS, H, O, assert_paid_once_and_kept
from helpers.dwave.small_service import SmallService
from isingprop.qpu.local_service import service_faults as faults

RESENT = 3

ENDS = {
    "failed": faults.fail(),
    "failed without a word": faults.fail(None),
    "failed with a number": faults.fail(5),
    "cancelled": faults.cancel,
    "failed at once": faults.reject("Internal error"),
}


@pytest.mark.slow
@pytest.mark.parametrize("pending", [0.0, 0.02])
@pytest.mark.parametrize("end", ENDS)
def test_a_problem_that_is_not_solved_is_sent_anew(make, problem, wanted, end, pending):
    with SmallService(pending=pending) as sapi:
        sapi.at("submit", ENDS[end], skip=1, times=RESENT)
        qpu = make(sapi)
        assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_problem_that_is_never_solved_ends_the_run_with_what_to_do(
    make, sapi, problem, wanted, end
):
    sapi.at("submit", ENDS[end], times=None)
    qpu = make(sapi)
    words = {"failed": "Internal error", "cancelled": ".*canceled request"}[end]
    for _ in range(2):  # each attempt of the user is a new one
        sapi.requests.clear()
        with pytest.raises(
            RuntimeError,
            match=f"^Advantage_fake1 did not solve problem isingprop-.*, sent 4 times: {words}; "
            "nothing was charged for it and /.* has all answers so far: go on later, or with "
            "another solver$",
        ) as caught:
            qpu.sample(problem[:1], **ASKED)
        assert type(caught.value) is RuntimeError
        assert sapi.requests.count("submit") == RESENT + 1
        assert (sapi.paid, on_disk(qpu.record)) == ([], [])
    sapi.forget()
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


def test_one_problem_that_is_never_solved_is_not_sent_more_often_while_others_are(
    make, sapi, problem
):
    sent = []

    def fail_the_first(exchange):
        for job in exchange.jobs:
            sent.append(job["data"]["lin"])
            if sent[-1] == sent[0]:
                faults.fail()(faults.Exchange("submit", [job]))

    sapi.at("submit", fail_the_first, times=None)
    qpu = make(sapi, num_copies=1)
    with pytest.raises(RuntimeError, match=r"did not solve problem .*, sent 4 times"):
        qpu.sample(problem, **ASKED)
    assert sent.count(sent[0]) == RESENT + 1
    assert len(sapi.paid) == len(problem) - 1
    assert sorted(on_disk(qpu.record)) == sorted((paid.id, True) for paid in sapi.paid)


def test_problems_that_fail_together_are_one_failure(make, sapi, caplog):
    """Also those that are found when the others are recovered."""
    problem = oracle.random_problem(H, O, num_problems=8, seed=1)
    sapi.at("submit", faults.fail(), times=8)
    qpu = make(sapi, num_copies=1)
    with caplog.at_level(logging.WARNING, "isingprop"):
        qpu.sample(problem, **ASKED)
    assert [record.getMessage() for record in caplog.records if record.name == "isingprop"] == [
        "D-Wave: Internal error; trying again in 0 s"
    ]
    assert len(sapi.paid) == 8


@pytest.mark.parametrize("known", ["id", "label"])
@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_problem_that_is_found_not_solved_is_sent_anew(make, problem, wanted, end, known):
    with SmallService(pending=0.02) as sapi:
        sapi.at("submit", ENDS[end])
        if known == "id":
            sapi.at("poll", faults.http_error(403))
        else:
            sapi.at("accepted", faults.drop)
        qpu = make(sapi, http_retry_total=0)
        assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)
        assert sapi.requests.count("submit") == NUM_CALLS + 1


REFUSALS = {
    "HTTP 400": faults.http_error(400, "h is out of range"),
    "an error in place of a status": faults.submission_error(400, "h is out of range"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_problem_that_is_refused_is_not_sent_anew(make, sapi, problem, refusal):
    sapi.at("submit", REFUSALS[refusal], times=None)
    with pytest.raises(RuntimeError, match=r"did not take problem .*: h is out of range"):
        make(sapi).sample(problem[:1], **ASKED)
    assert sapi.requests.count("submit") == 1


OFFLINE = {
    "HTTP 400": faults.http_error(400, "Solver is offline"),
    "HTTP 403, in other words": faults.http_error(403, "solver Z is currently OFFLINE."),
    "an error in place of a status": faults.submission_error(400, "Solver is offline"),
    "failed, in other words": faults.reject("The solver Z is offline"),
    "failed later": faults.fail("Solver is offline"),
}


@pytest.mark.slow
@pytest.mark.parametrize("told", OFFLINE)
def test_a_solver_that_says_it_is_offline_is_replaced(make, problem, wanted, told):
    def at_z(exchange):
        if any(job["solver"]["name"] == "Z" for job in exchange.jobs):
            OFFLINE[told](exchange)

    with SmallService(
        {"Z": ip.EmulatedQPU("zephyr", 2), "P": ip.EmulatedQPU("pegasus", 3)}
    ) as sapi:
        sapi.at("submit", at_z, times=None, skip=1)
        qpu = make(sapi)
        states = qpu.sample(problem, **ASKED)
        assert [each.solver for each in sapi.paid] == ["Z", "P", "P"]
        assert sorted(on_disk(qpu.record)) == sorted((each.id, True) for each in sapi.paid)
        assert tolerances.same_bits(states.spins[:2], wanted.spins[:2])
        assert "list" not in sapi.requests  # nothing was sent that might have been charged
