"""Answers that do not fit their calls, on the real client: they are told as that, with the problem
and the file, and nothing paid is lost.
"""

import json
import re

import pytest

import isingprop as ip
from helpers import tolerances
from helpers.dwave.dwave_runs import on_disk
from helpers.dwave.fault_cases import ASKED, NUM_CALLS, assert_paid_once_and_kept
from helpers.dwave.malformed import (
    MALFORMED,
    TIMING,
    field,
    qubits,
    replaced,
    wrong_energies,
)
from isingprop.qpu.calls import call_sender
from isingprop.qpu.calls.record import Index
from isingprop.qpu.local_service import service_faults as faults

FETCHES = 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_answer_is_told_after_three_fetches_and_used_when_it_is_right(
    make, sapi, problem, wanted, kind
):
    sapi.at("answer", MALFORMED[kind], times=None)
    qpu = make(sapi)
    with pytest.raises(RuntimeError, match="must fit its call") as caught:
        qpu.sample(problem[:2], **ASKED)
    [paid] = sapi.paid
    [path] = qpu.record.glob("*.safetensors")
    text = str(caught.value)
    assert type(caught.value) is RuntimeError
    assert "\n" not in text
    assert paid.id in text
    assert str(path) in text
    assert sapi.requests.count("answer") == FETCHES
    assert sapi.requests.count("submit") == 1
    assert on_disk(qpu.record) == [(paid.id, False)]

    # By the same process as by another one.
    sapi.forget()
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


def test_a_malformed_answer_is_told_in_words(make, sapi, problem):
    sapi.at("answer", qubits(lambda each: each[:-1]), times=None)
    with pytest.raises(
        RuntimeError,
        match=r"^D-Wave's answer to problem .*-.* of /.*/isingprop-.*\.safetensors must fit its "
        r"call, got ValueError: it must have the (\d+) qubits of its call, got \d+, without \d+, "
        r"3 times; going on later fetches it again, and to give it up for lost, delete that file$",
    ):
        make(sapi).sample(problem[:1], **ASKED)


def test_other_answers_are_kept_before_a_malformed_one_is_told(make, sapi, problem, wanted):
    """So that they do not wait at D-Wave for the malformed one."""
    first = []

    def of_the_first(exchange):
        first.extend([exchange.reply["id"]] if not first else [])
        if exchange.reply["id"] == first[0]:
            faults.cut_payload(exchange)

    sapi.at("answer", of_the_first, times=None)
    qpu = make(sapi)
    with pytest.raises(RuntimeError, match=f"answer to problem .* of .*{FETCHES} times"):
        qpu.sample(problem, **ASKED)
    assert len(Index(qpu.record).pending) == 1
    assert sum(has_answer for _, has_answer in on_disk(qpu.record)) == NUM_CALLS - 1
    sapi.forget()
    qpu.close()
    again = make(sapi)
    assert_paid_once_and_kept(sapi, again, again.sample(problem, **ASKED), wanted)


def test_a_malformed_answer_of_a_stand_in_is_told_at_once(problem, tmp_path):
    class Chatty(ip.EmulatedQPU):
        calls = 0

        def sample(self, bqm, **parameters):
            self.calls += 1
            return super().sample(bqm, **parameters | {"num_reads": 3})

    chip = Chatty("zephyr", 2)
    with pytest.raises(RuntimeError, match=r"must fit its call, got .* must have 1 reads, got 3"):
        ip.DWave(solver=chip, record=tmp_path).sample(problem[:1], **ASKED)
    assert chip.calls == 1


@pytest.mark.parametrize("kind", TIMING)
def test_timing_data_of_any_form_keep_what_was_paid(make, sapi, problem, wanted, kind):
    sapi.at("answer", field("timing", TIMING[kind]), times=None)
    qpu = make(sapi)
    states = qpu.sample(problem, **ASKED)
    assert tolerances.same_bits(states.spins, wanted.spins)
    assert len(sapi.paid) == qpu.calls_estimated == NUM_CALLS
    assert qpu.qpu_seconds == pytest.approx(
        sum(call["estimated_seconds"] for call in states.info["calls"])
    )
    qpu.close()

    def refuse(token):
        raise AssertionError(token)

    for path in qpu.record.glob("*.safetensors"):
        header = path.read_bytes()[8:].partition(b"\x00")[0]
        assert not re.search(rb"[^a-zA-Z](NaN|Infinity)", header)
    again = ip.Replay(qpu.record).sample(problem, **ASKED)
    assert tolerances.same_bits(again.spins, wanted.spins)
    json.loads(json.dumps(again.info, allow_nan=False), parse_constant=refuse)


@pytest.mark.parametrize("told", [None, 17, ["a"], {}, "", "x" * 1000], ids=str)
def test_an_id_of_any_form_keeps_what_was_paid(make, sapi, problem, wanted, told):
    """An answer is then looked for by its label."""

    def other_id(exchange):
        for each in exchange.reply:
            each["id"] = told

    sapi.at("accepted", other_id)
    qpu = make(sapi)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


def test_an_id_that_never_comes_keeps_what_was_paid(make, sapi, problem, wanted, monkeypatch):
    monkeypatch.setattr(call_sender, "_ID_SECONDS", 0.3)
    sapi.at("accepted", replaced(None))
    qpu = make(sapi)
    # Closing the client waits for the thread that such a reply has ended.
    monkeypatch.setattr(qpu.device.client, "close", lambda **_: None)
    assert_paid_once_and_kept(sapi, qpu, qpu.sample(problem, **ASKED), wanted)


def test_energies_that_contradict_their_states_are_counted_and_not_used(
    make, sapi, problem, wanted
):
    sapi.at("answer", wrong_energies(2))
    sapi.at("answer", wrong_energies(1, by=float("nan")), skip=1)
    qpu = make(sapi)
    states = qpu.sample(problem, **ASKED)
    assert_paid_once_and_kept(sapi, qpu, states, wanted)
    assert states.info["energies_wrong"] == qpu.energies_wrong == 3
    assert sorted(call["energies_wrong"] for call in states.info["calls"]) == [0, 1, 2]
    qpu.close()
    assert ip.Replay(qpu.record).sample(problem, **ASKED).info["energies_wrong"] == 3
    assert Index(qpu.record).energies_wrong == 3


def test_energies_are_checked_after_a_broken_connection_but_not_by_another_process(
    make, sapi, problem, wanted
):
    sapi.at("answer", faults.cut, times=FETCHES + NUM_CALLS)
    sapi.at("answer", wrong_energies(1), times=None)
    qpu = make(sapi)
    states = qpu.sample(problem, **ASKED)
    assert [call["energies_wrong"] for call in states.info["calls"]] == [1] * NUM_CALLS

    sapi.at("answer", MALFORMED["no JSON"], times=None)
    other = make(sapi, folder="other")
    with pytest.raises(RuntimeError, match="3 times"):
        other.sample(problem, **ASKED)
    other.close()
    sapi.forget()
    sapi.at("answer", wrong_energies(1), times=None)
    again = make(sapi, folder="other")
    states = again.sample(problem, **ASKED)
    assert [call["energies_wrong"] for call in states.info["calls"]] == [None] * NUM_CALLS
    assert states.info["energies_wrong"] == again.energies_wrong == 0
