"""What can be made to happen at a point of a call to the fake Solver API: sapi.at(point,
action).
"""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# What an action can be hung on:
POINTS = (
    "solvers",  # GET solvers/remote/...
    "submit",  # POST problems/, before anything is accepted
    "accepted",  # POST problems/, everything accepted and paid, before the reply
    "poll",  # GET problems/?id=..., while the problems may be pending
    "list",  # GET problems/?label=...
    "answer",  # GET problems/<id>/, with the answer ready to be sent
)


class DropError(Exception):
    """Closes the connection without a word more."""


class ReplyError(Exception):
    """Replies with this HTTP status in place of what was to be sent."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


@dataclass
class Exchange:
    """One request and what is about to be replied; an action may change both."""

    point: str
    problems: list[dict[str, Any]] = field(
        default_factory=list
    )  # as they were submitted; none at other points
    reply: Any = None  # before it is turned into JSON
    halfway: Callable[[], None] | None = None  # called when half of the reply is sent


Action = Callable[[Exchange], None]


def drop(exchange: Exchange) -> None:
    """The connection is lost.

    At "submit" nothing was accepted, at "accepted" everything, at "answer" it is ready.
    """
    raise DropError


def midway(action: Action) -> Action:
    """Another action, done when half of the reply is sent."""

    def when_half_is_sent(exchange: Exchange) -> None:
        exchange.halfway = lambda: action(exchange)

    return when_half_is_sent


cut = midway(drop)  # the connection is lost when half of the reply is sent


def kill(child: subprocess.Popen) -> Action:
    """The client dies by kill -9 and gets no reply.

    At "submit" nothing was accepted, at "accepted" everything.
    """

    def action(exchange: Exchange) -> None:
        child.kill()
        child.wait()
        raise DropError

    return action


def delay(seconds: float) -> Action:
    """The reply comes late: too late for a client with a shorter request_timeout."""
    return lambda exchange: time.sleep(seconds)


def http_error(status: int, error: str = "made to fail") -> Action:
    """An HTTP status in place of the reply."""

    def action(exchange: Exchange) -> None:
        raise ReplyError(status, error)

    return action


def reject(message: str) -> Action:
    """At "submit": each problem fails with this message and is not paid. "Solver is offline" is
    what D-Wave says.
    """

    def action(exchange: Exchange) -> None:
        for problem in exchange.problems:
            problem["error_message"] = message

    return action


def submission_error(code: int, message: str) -> Action:
    """At "submit": each problem is refused as a whole, before it has an id."""

    def action(exchange: Exchange) -> None:
        for problem in exchange.problems:
            problem["error"] = {"error_code": code, "error_msg": message}

    return action


def lose_reads(count: int) -> Action:
    """At "answer": the last reads are missing, in an answer that is complete otherwise."""

    def action(exchange: Exchange) -> None:
        answer = exchange.reply["answer"]
        energies, solutions = (base64.b64decode(answer[name]) for name in ("energies", "solutions"))
        num_reads = len(energies) // 8
        kept = num_reads - count
        answer["energies"] = base64_text(energies[: kept * 8])
        answer["solutions"] = base64_text(solutions[: kept * (len(solutions) // num_reads)])

    return action


def cut_payload(exchange: Exchange) -> None:
    """At "answer": good JSON, but the solutions in it end too early."""
    answer = exchange.reply["answer"]
    answer["solutions"] = base64_text(base64.b64decode(answer["solutions"])[:-1])


def not_json(exchange: Exchange) -> None:
    """Half a JSON document, in a reply that is whole for HTTP."""
    text = json.dumps(exchange.reply)
    exchange.reply = text[: len(text) // 2].encode()


def base64_text(content: bytes) -> str:
    return base64.b64encode(content).decode()
