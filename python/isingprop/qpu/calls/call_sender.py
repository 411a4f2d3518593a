"""Sends calls to a chip over a network that may fail.

Nothing is paid for twice, and nothing that was paid for is lost: a call is on disk before it is
sent, its id as soon as it is known, and its answer before it is used. A call that may have been
charged is looked for at D-Wave, by its id or else by its label, before anything is sent again.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from isingprop.qpu.calls.answer_checks import (
    num_wrong_energies,
    plain_timing,
    problem_id_of,
    reads_of,
)
from isingprop.qpu.calls.call_data import Call, PreparedCall
from isingprop.qpu.calls.call_files import call_path
from isingprop.qpu.calls.connection import (
    NOT_CHARGED,
    NOTHING_BILLED,
    AnswerGone,
    AnswerMalformed,
    ConnectionLost,
    Failure,
    ProblemFailed,
    QPUBudgetError,
    SolverGone,
    failure_of,
    host,
    is_stand_in,
)
from isingprop.qpu.calls.record import Record

logger = logging.getLogger("isingprop")

# Calls that wait for the chip at a time: enough to hide the network's delay, few enough for a queue
# that is shared with others.
_MAX_IN_FLIGHT = 8
# Seconds within which a request may still arrive that was under way when the connection broke.
_SETTLING = 10.0
# Seconds after which no id will come: the client's own attempts to send a problem end before.
_ID_SECONDS = 900.0
# How often a problem is sent anew that D-Wave did not solve, and an answer is fetched at most.
_MAX_RESENT = 3
_MAX_FETCHES = 3


class _SentCall(NamedTuple):
    """A call under way."""

    call: Call
    future: Any  #: a future of dwave-cloud-client, or a dimod.SampleSet of a stand-in


@dataclass
class CallsUnderWay:
    """What a process knows of calls that are not answered yet, also of those before a Ctrl-C."""

    futures: dict[str, Any] = field(default_factory=dict)  #: futures of the client by label
    problems: dict[str, PreparedCall] = field(default_factory=dict)  #: what was sent, by label
    malformed: Counter[str] = field(default_factory=Counter)  #: malformed answers by label
    #: Problems that D-Wave did not solve, by request and first read.
    failed: Counter[tuple[str, int]] = field(default_factory=Counter)

    def end(self, call: Call) -> None:
        """Forgets a call that is answered or dropped."""
        self.futures.pop(call.label, None)
        self.problems.pop(call.label, None)
        self.malformed.pop(call.label, None)


class CallSender:
    """Sends calls to a device and writes their answers into a record.

    Args:
        device: a DWaveSampler, a MockDWaveSampler or an EmulatedQPU.
        record: where calls and answers are written.
        budget: max seconds of QPU access time that all answers in the record may cost, or None.
        under_way: calls of this process that are not answered; they are added and removed here.
    """

    def __init__(
        self, device: Any, record: Record, budget: float | None, under_way: CallsUnderWay
    ) -> None:
        """Makes a sender; nothing is sent."""
        self._device = device
        self._record = record
        self._budget = budget
        self._under_way = under_way

    def run(self, calls: Iterable[PreparedCall]) -> None:
        """Sends all calls, a few at a time, and writes their answers.

        Raises:
            QPUBudgetError: before a call that could cost more than is left; those before it are
                answered.
            ConnectionLost: where an answer did not come; its call is pending in the record.
            SolverGone: where the solver cannot be used.
            ProblemFailed: where D-Wave did not solve a problem, which may be sent anew.
            AnswerMalformed: where an answer may be fetched again; its call is pending.
            RuntimeError: where D-Wave refuses a problem, in its words, or where these attempts are
                used up.
        """
        # A stand-in returns the answer at once.
        max_in_flight = 1 if is_stand_in(self._device) else _MAX_IN_FLIGHT
        in_flight: deque[_SentCall] = deque()
        for prepared in calls:
            # The calls under way may turn out cheaper than they were estimated.
            while in_flight and self._exceeds_budget(prepared.call):
                self._collect(in_flight.popleft())
            if self._exceeds_budget(prepared.call):
                spent, cost = self._record.index.seconds, prepared.call.notes["estimated_seconds"]
                note = f" ({NOTHING_BILLED})" if is_stand_in(self._device) else ""
                raise QPUBudgetError(
                    f"QPU budget must leave {cost:.3f} s for the next call, "
                    f"got {self._budget:g} s with {spent:.3f} s spent{note}"
                )

            in_flight.append(self._send(prepared))
            if len(in_flight) == max_in_flight:
                self._collect(in_flight.popleft())

        while in_flight:
            self._collect(in_flight.popleft())

    def recover(self, calls: Iterable[Call]) -> None:
        """Gets the answers of pending calls; drops calls that D-Wave does not know or charge.

        Raises:
            ConnectionLost: where D-Wave cannot be reached, or has not answered.
            SolverGone: where the solver cannot be used.
            AnswerMalformed: where an answer may be fetched again; all others are recovered.
            RuntimeError: for a problem or an answer whose attempts are used up, or a call that was
                sent to another host than the device's; all others are recovered.
        """
        errors: list[RuntimeError] = []
        for call in calls:
            try:
                self._recover(call)
            except (ProblemFailed, SolverGone):
                # A call that is no longer pending was not charged, and is sent anew.
                if call.label in self._record.index.pending:
                    raise
            except RuntimeError as error:
                errors.append(error)

        if errors:
            raise min(errors, key=lambda error: isinstance(error, AnswerMalformed))

    def _recover(self, call: Call) -> None:
        """Gets the answer of a pending call, or drops the call."""
        if (future := self._under_way.futures.get(call.label)) is not None:
            try:
                self._collect(self._identified(call, future))
                return
            except Exception as error:  # of most kinds: the answer is then looked for at D-Wave
                if isinstance(error, RuntimeError) or call.label not in self._record.index.pending:
                    raise
                call = self._record.index.pending[call.label]  # with its id, where that is known

        client = getattr(self._device, "client", None)
        if call.notes["host"] != host(self._device):
            raise RuntimeError(
                f"device must be at {call.notes['host']}, where {call.label} in "
                f"{self._record.folder} was sent, got {host(self._device)}"
            )
        if client is not None and call.problem_id is None:
            found = self._look_up(client, call)
            call = self._record.identify(call, found) if found else call
        if client is None or call.problem_id is None:
            # D-Wave has not got the call; a stand-in keeps no answers, and they cost nothing.
            self._drop(call)
            return
        self._retrieve(client, call)

    def _retrieve(self, client: Any, call: Call) -> None:
        """Gets the answer that D-Wave keeps under the id of a call."""
        future = client.retrieve_answer(call.problem_id)
        # Any solver can decode the answer, and the one that gave it may no longer exist.
        future.solver = self._device.solver

        try:
            self._collect(_SentCall(call, future))
        except AnswerGone:
            if self._look_up(client, call) is not None:
                raise
            logger.warning(
                "D-Wave knows no problem %s (is it another account's?); it is sent anew",
                call.problem_id,
            )
            self._drop(call)

    def _look_up(self, client: Any, call: Call) -> str | None:
        """Returns the id of the problem with a call's label, where D-Wave charges for one."""
        from dwave.cloud.api import Problems

        try:
            with Problems.from_config(client.config) as problems:
                for pause in (0.0, _SETTLING):
                    time.sleep(pause)
                    for found in problems.list_problems(label=call.label):
                        if found.label == call.label and found.status.value not in NOT_CHARGED:
                            return str(found.id)
        except Exception as error:
            raise self._raised(
                failure_of(error, call, self._device, searching=True), call
            ) from None
        return None

    def _exceeds_budget(self, call: Call) -> bool:
        """Returns whether a further call and the pending ones could exceed the budget."""
        if self._budget is None:
            return False
        index = self._record.index
        waiting = [*index.pending.values(), call]
        expected: float = index.seconds + sum(each.notes["estimated_seconds"] for each in waiting)
        return expected > self._budget

    def _send(self, prepared: PreparedCall) -> _SentCall:
        """Writes a call and sends it."""
        call, device = prepared.call, self._device
        self._record.begin(call)
        self._under_way.problems[call.label] = prepared
        try:
            # DWaveSampler's own method makes a model first, which takes twice as long as the
            # solver's.
            submit = getattr(device, "solver", device).sample_ising
            future = submit(prepared.h, prepared.j, label=call.label, **call.solver_parameters())
        except (KeyError, TypeError, ValueError):  # wrong arguments: nothing was sent
            self._drop(call)
            raise
        except Exception as error:
            raise self._raised(failure_of(error, call, device), call) from None

        self._under_way.futures[call.label] = future
        return self._identified(call, future)

    def _identified(self, call: Call, future: Any) -> _SentCall:
        """Waits for the id under which D-Wave keeps the answer, and writes it."""
        if is_stand_in(self._device) or call.problem_id is not None:
            return _SentCall(call, future)

        try:
            told = future.wait_id(timeout=_ID_SECONDS)
        except TimeoutError:
            told = ""
        if told is None:  # the problem was not accepted, or the connection is lost
            return _SentCall(call, future)
        if (problem_id := problem_id_of(told)) is None:
            # The client waits for ever for the answer to a problem with another id than a text.
            self._under_way.futures.pop(call.label)
            raise ConnectionLost(f"the id of problem {call.label} must be a text, got {told!r:.99}")
        return _SentCall(self._record.identify(call, problem_id), future)

    def _collect(self, sent: _SentCall) -> None:
        """Waits for an answer and writes it."""
        call, future = sent
        try:
            sampleset = getattr(future, "sampleset", future)
            sampleset.resolve()
            reads = reads_of(sampleset, call)
        except Exception as error:
            self._under_way.futures.pop(call.label, None)
            status = getattr(future, "remote_status", None)
            failure = failure_of(error, call, self._device, status=status)
            raise self._raised(failure, call) from None

        if (prepared := self._under_way.problems.get(call.label)) is not None:
            call = replace(call, energies_wrong=num_wrong_energies(prepared, reads))
        self._record.finish(call, reads.samples, plain_timing(sampleset.info.get("timing")))
        self._under_way.end(call)
        for key in _keys(call):
            self._under_way.failed.pop(key, None)

    def _drop(self, call: Call) -> None:
        """Removes a call that was not charged."""
        self._record.drop(call)
        self._under_way.end(call)

    def _raised(self, failure: Failure, call: Call) -> Exception:
        """Returns the exception to raise for a call, which is dropped if no answer will come."""
        error = failure.error
        if failure.is_void:
            self._drop(call)

        if isinstance(error, ProblemFailed):
            return self._after_failure(error, call)
        if isinstance(error, AnswerMalformed):
            return self._after_malformed(error, call)
        return error

    def _after_failure(self, error: ProblemFailed, call: Call) -> Exception:
        """Counts a problem that D-Wave did not solve; returns what to raise for it."""
        failed, keys = self._under_way.failed, _keys(call)
        failed.update(keys)
        if max(failed[key] for key in keys) <= _MAX_RESENT:
            return error

        for key in keys:
            del failed[key]
        return RuntimeError(
            f"{call.notes['solver']} did not solve problem {call.label}, sent {_MAX_RESENT + 1} "
            f"times: {error}; nothing was charged for it and {self._record.folder} has all answers "
            "so far: go on later, or with another solver"
        )

    def _after_malformed(self, error: AnswerMalformed, call: Call) -> Exception:
        """Counts a malformed answer; returns what to raise for it."""
        under_way = self._under_way
        under_way.malformed[call.label] += 1
        is_kept = call.problem_id is not None  # by D-Wave; a stand-in keeps no answers
        if is_kept and under_way.malformed[call.label] < _MAX_FETCHES:
            return error

        del under_way.malformed[call.label]
        path = call_path(self._record.folder, call.label)
        if not is_kept:
            return RuntimeError(f"the answer to {path} must fit its call, got {error}")
        return RuntimeError(
            f"D-Wave's answer to problem {call.problem_id} of {path} must fit its call, got "
            f"{error}, {_MAX_FETCHES} times; going on later fetches it again, and to give it up "
            "for lost, delete that file"
        )


def _keys(call: Call) -> list[tuple[str, int]]:
    """Returns what names the problems of a call when they are sent anew."""
    return [(tile.request, tile.first_read) for tile in call.tiles]
