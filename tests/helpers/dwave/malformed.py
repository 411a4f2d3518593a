"""Answers of a local service that do not read, do not fit their calls, or contradict themselves."""

import base64

import numpy as np

from isingprop.qpu.local_service import service_faults as faults
from isingprop.qpu.local_service.qp_format import base64_text


def field(name, value):
    """An action that puts a value into an answer."""
    return faults.change_answer(lambda answer: answer.update({name: value}))


def without(name):
    return faults.change_answer(lambda answer: answer.pop(name))


def array(name, dtype, change):
    """An action that changes an array in an answer."""

    def changed(answer):
        content = np.frombuffer(base64.b64decode(answer[name]), dtype)
        answer[name] = base64_text(change(content.copy()).astype(dtype).tobytes())

    return faults.change_answer(changed)


def qubits(change):
    return array("active_variables", "<i4", change)


def wrong_energies(count, by=1.0):
    """An action by which the first `count` reads have another energy than their states."""

    def change(energies):
        energies[:count] += by
        return energies

    return array("energies", "<f8", change)


def whole(**changed):
    """An action that changes what stands beside an answer."""
    return lambda exchange: exchange.reply.update(changed)


def replaced(reply):
    def action(exchange):
        exchange.reply = reply

    return action


def nested(depth):
    """Lists in lists."""
    inner = []
    for _ in range(depth):
        inner = [inner]
    return inner


MALFORMED = {
    "a qubit missing": qubits(lambda each: each[:-1]),
    "a qubit too many": qubits(lambda each: np.append(each, 127)),
    "another qubit": qubits(lambda each: np.append(each[:-1], 127)),
    "a qubit twice": qubits(lambda each: np.append(each[:-1], each[0])),
    "a negative qubit": qubits(lambda each: np.append(-1, each[1:])),
    "a qubit beyond the chip": qubits(lambda each: np.append(each[:-1], 10**6)),
    "reads missing": faults.lose_reads(2),
    "no read": faults.lose_reads(5),
    "more reads": array("energies", "<f8", lambda each: np.append(each, each)),
    "reads that count twice": field("num_occurrences", base64_text(np.full(5, 2, "<i4").tobytes())),
    "reads that count too often": field(
        "num_occurrences", base64_text(np.full(5, 2**31 - 1, "<i4").tobytes())
    ),
    "spins that are bits": whole(type="qubo"),
    "solutions cut off": faults.cut_payload,
    "solutions of another text": field("solutions", "%%%"),
    "solutions of a number": field("solutions", 5),
    "no solutions": without("solutions"),
    "no energies": field("energies", None),
    "a chip without end": field("num_variables", 10**15),
    "a chip with a name": field("num_variables", "many"),
    "another format": field("format", "what"),
    "no format": without("format"),
    "no answer": whole(answer=None),
    "an answer of text": whole(answer="none"),
    "another type": whole(type="what"),
    "another problem's label": whole(label="isingprop-0"),
    "another problem's id": whole(id="another"),
    "a status that is unknown": whole(status="LOST"),
    "an error without a status": replaced({"error_code": 500, "error_msg": "what"}),
    "a list": replaced([]),
    "nothing": replaced(None),
    "half of JSON": faults.not_json,
    "no JSON": replaced(b"\xff\x00{"),
}

TIMING = {
    "none": None,
    "a list": [1, 2],
    "a text": "12 ms",
    "empty": {},
    "a null": {"qpu_access_time": None},
    "a negative time": {"qpu_access_time": -5e6},
    "a text for a time": {"qpu_access_time": "15000"},
    "an object for a time": {"qpu_access_time": {"us": 15000}},
    "a truth value": {"qpu_access_time": True},
    "deep lists": {"deep": nested(900)},
    "long text": {"x" * 10_000: "y" * 1_000_000},
    "many entries": {str(k): k for k in range(10_000)},
}
