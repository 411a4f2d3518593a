"""Faults of a `LocalService`: actions that are done at a point of a call.

    service.at("accepted", drop)

An action gets the `Exchange` of the request, and may change or replace its reply.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from isingprop.qpu.local_service.qp_format import base64_text

#: Points of a call, at which an action can be done.
POINTS = (
    "solvers",  # GET solvers/remote/...
    "submit",  # POST problems/, before anything is accepted
    "accepted",  # POST problems/, when everything is accepted and paid, before the reply
    "poll",  # GET problems/?id=..., while the problems may be pending
    "list",  # GET problems/?label=...
    "answer",  # GET problems/<id>/, with the answer ready to be sent
)
_BYTES_PER_ENERGY = 8


class DropError(Exception):
    """The connection is closed without a reply."""


class ReplyError(Exception):
    """The reply is an HTTP error with this status and text."""

    def __init__(self, status: int, text: str) -> None:
        """Takes the HTTP status and the text."""
        super().__init__(text)
        self.status = status


@dataclass
class Exchange:
    """One request, and what is about to be replied to it."""

    point: str  #: one of POINTS
    #: Bodies of the problems that were submitted; empty at other points than submit and accepted.
    jobs: list[dict[str, Any]] = field(default_factory=list)
    reply: Any = None  #: content for JSON, or bytes
    halfway: Callable[[], None] | None = None  #: called when half of the reply is sent


Action: TypeAlias = Callable[[Exchange], None]


class Process(Protocol):
    """A process that can be killed, such as a subprocess.Popen."""

    def kill(self) -> None:
        """Sends SIGKILL."""

    def wait(self) -> int:
        """Waits for the end."""
        ...


def drop(exchange: Exchange) -> None:
    """Loses the connection.

    At "submit" nothing was accepted, at "accepted" everything, at "answer" it is ready.
    """
    raise DropError


def midway(action: Action) -> Action:
    """Returns an action that is done when half of the reply is sent."""

    def when_half_is_sent(exchange: Exchange) -> None:
        exchange.halfway = lambda: action(exchange)

    return when_half_is_sent


#: Loses the connection when half of the reply is sent.
cut: Action = midway(drop)


def kill(process: Process) -> Action:
    """Returns an action that kills the client by SIGKILL, which gets no reply.

    At "submit" nothing was accepted, at "accepted" everything.
    """

    def action(exchange: Exchange) -> None:
        process.kill()
        process.wait()
        raise DropError

    return action


def delay(seconds: float) -> Action:
    """Returns an action that delays the reply, too long for a client with less patience."""
    return lambda exchange: time.sleep(seconds)


def http_error(status: int, text: str = "made to fail") -> Action:
    """Returns an action that replies with an HTTP error."""

    def action(exchange: Exchange) -> None:
        raise ReplyError(status, text)

    return action


def reject(message: str) -> Action:
    """Returns an action for "submit" by which each problem fails and is not paid.

    D-Wave's message for a solver that cannot be used is "Solver is offline".
    """

    def action(exchange: Exchange) -> None:
        for job in exchange.jobs:
            job["error_message"] = message

    return action


def fail(message: str = "Internal error") -> Action:
    """Returns an action for "submit" by which each problem is accepted, fails and is not paid."""

    def action(exchange: Exchange) -> None:
        for job in exchange.jobs:
            job["end"] = "FAILED", message

    return action


def cancel(exchange: Exchange) -> None:
    """Cancels each problem after its submission at "submit"; it is not paid."""
    for job in exchange.jobs:
        job["end"] = "CANCELLED", None


def submission_error(code: int, message: str) -> Action:
    """Returns an action for "submit" by which each problem is refused before it has an id."""

    def action(exchange: Exchange) -> None:
        for job in exchange.jobs:
            job["error"] = {"error_code": code, "error_msg": message}

    return action


def change_answer(change: Callable[[dict[str, Any]], None]) -> Action:
    """Returns an action for "answer" that changes the answer in the reply, where there is one."""

    def action(exchange: Exchange) -> None:
        if "answer" in exchange.reply:
            change(exchange.reply["answer"])

    return action


def lose_reads(count: int) -> Action:
    """Returns an action for "answer" by which the last `count` reads are missing."""

    def change(answer: dict[str, Any]) -> None:
        energies, solutions = (base64.b64decode(answer[name]) for name in ("energies", "solutions"))

        num_reads = len(energies) // _BYTES_PER_ENERGY
        kept = num_reads - count
        answer["energies"] = base64_text(energies[: kept * _BYTES_PER_ENERGY])
        answer["solutions"] = base64_text(solutions[: kept * (len(solutions) // num_reads)])

    return change_answer(change)


@change_answer
def cut_payload(answer: dict[str, Any]) -> None:
    """Cuts off the last byte of the solutions at "answer", in JSON that is whole."""
    answer["solutions"] = base64_text(base64.b64decode(answer["solutions"])[:-1])


def not_json(exchange: Exchange) -> None:
    """Replies with half a JSON document, in a reply that is whole for HTTP."""
    text = json.dumps(exchange.reply)
    exchange.reply = text[: len(text) // 2].encode()
