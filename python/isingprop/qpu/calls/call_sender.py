"""Sends calls to a chip over a network that may fail.

Nothing is paid for twice, and nothing that was paid for is lost: a call is on disk before it is
sent, its id as soon as it is known, and its answer before it is used. A call that may have been
charged is looked for at D-Wave, by its id or else by its label, before anything is sent again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.calls.call_data import Call, PreparedCall, plain_timing
from isingprop.qpu.calls.connection import (
    AnswerGone,
    QPUBudgetError,
    SolverGone,
    failure_of,
    host,
)
from isingprop.qpu.calls.record import Record
from isingprop.util.checks import Spins, spin_array

logger = logging.getLogger("isingprop")

# Calls that wait for the chip at a time: enough to hide the network's delay, few enough for a queue
# that is shared with others.
_MAX_IN_FLIGHT = 8
# Seconds within which a request may still arrive that was under way when the connection broke.
_SETTLING = 10.0
_NOT_CHARGED = ("FAILED", "CANCELLED")  # status of problems at D-Wave


class _SentCall(NamedTuple):
    """A call under way."""

    call: Call
    future: Any  #: a future of dwave-cloud-client, or a dimod.SampleSet of a stand-in


class CallSender:
    """Sends calls to a device and writes their answers into a record.

    Args:
        device: a DWaveSampler, a MockDWaveSampler or an EmulatedQPU.
        record: where calls and answers are written.
        budget: max seconds of QPU access time that all answers in the record may cost, or None.
        futures: futures of this process by label, also of calls that Ctrl-C left waiting; they are
            added and removed here.
    """

    def __init__(
        self, device: Any, record: Record, budget: float | None, futures: dict[str, Any]
    ) -> None:
        """Makes a sender; nothing is sent."""
        self._device = device
        self._record = record
        self._budget = budget
        self._futures = futures

    def run(self, calls: Iterable[PreparedCall]) -> None:
        """Sends all calls, a few at a time, and writes their answers.

        Raises:
            QPUBudgetError: before a call that could cost more than is left; those before it are
                answered.
            ConnectionLost: where an answer did not come; its call is pending in the record.
            SolverGone: where the solver cannot be used.
            RuntimeError: where D-Wave refuses a problem, in its words.
        """
        # A stand-in returns the answer at once.
        max_in_flight = _MAX_IN_FLIGHT if hasattr(self._device, "client") else 1
        in_flight: deque[_SentCall] = deque()
        for prepared in calls:
            # The calls under way may turn out cheaper than they were estimated.
            while in_flight and self._exceeds_budget(prepared.call):
                self._collect(in_flight.popleft())
            if self._exceeds_budget(prepared.call):
                spent, cost = self._record.index.seconds, prepared.call.notes["estimated_seconds"]
                raise QPUBudgetError(
                    f"QPU budget must leave {cost:.3f} s for the next call, "
                    f"got {self._budget:g} s with {spent:.3f} s spent"
                )

            in_flight.append(self._send(prepared))
            if len(in_flight) == max_in_flight:
                self._collect(in_flight.popleft())

        while in_flight:
            self._collect(in_flight.popleft())

    def recover(self, call: Call) -> None:
        """Gets the answer of a pending call; drops a call that D-Wave does not know or charge.

        Raises:
            ConnectionLost: where D-Wave cannot be reached, or has not answered.
            SolverGone: where the solver cannot be used.
            RuntimeError: for a call that was sent to another host than the device's.
        """
        if (future := self._futures.get(call.label)) is not None:
            has_answer = _resolves(future)
            del self._futures[call.label]
            if has_answer:
                self._collect(self._identified(call, future))
                return

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
            self._record.drop(call)
            return
        self._retrieve(client, call)

    def _retrieve(self, client: Any, call: Call) -> None:
        """Gets the answer that D-Wave keeps under the id of a call."""
        future = client.retrieve_answer(call.problem_id)
        # Any solver can decode the answer, and the one that gave it may no longer exist.
        future.solver = self._device.solver

        try:
            self._collect(_SentCall(call, future))
        except SolverGone:
            # A call that is no longer pending was not charged, and other calls are recovered first.
            if call.label in self._record.index.pending:
                raise
        except AnswerGone:
            if self._look_up(client, call) is not None:
                raise
            logger.warning(
                "D-Wave knows no problem %s (is it another account's?); it is sent anew",
                call.problem_id,
            )
            self._record.drop(call)

    def _look_up(self, client: Any, call: Call) -> str | None:
        """Returns the id of the problem with a call's label, where D-Wave charges for one."""
        from dwave.cloud.api import Problems

        try:
            with Problems.from_config(client.config) as problems:
                for pause in (0.0, _SETTLING):
                    time.sleep(pause)
                    for found in problems.list_problems(label=call.label):
                        if found.label == call.label and found.status.value not in _NOT_CHARGED:
                            return str(found.id)
        except Exception as error:
            raise self._failed(error, call, searching=True) from None
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
        try:
            # DWaveSampler's own method makes a model first, which takes twice as long as the
            # solver's.
            submit = getattr(device, "solver", device).sample_ising
            future = submit(prepared.h, prepared.j, label=call.label, **call.solver_parameters())
        except (KeyError, TypeError, ValueError):  # wrong arguments: nothing was sent
            self._record.drop(call)
            raise
        except Exception as error:
            raise self._failed(error, call) from None

        self._futures[call.label] = future
        return self._identified(call, future)

    def _identified(self, call: Call, future: Any) -> _SentCall:
        """Waits for the id under which D-Wave keeps the answer, and writes it."""
        if hasattr(self._device, "client") and call.problem_id is None:
            problem_id = future.wait_id()
            call = call if problem_id is None else self._record.identify(call, problem_id)
        return _SentCall(call, future)

    def _collect(self, sent: _SentCall) -> None:
        """Waits for an answer and writes it."""
        call = sent.call
        try:
            sampleset = getattr(sent.future, "sampleset", sent.future)
            sampleset.resolve()
            samples = _samples(sampleset, call)
        except Exception as error:
            self._futures.pop(call.label, None)
            raise self._failed(error, call) from None

        self._record.finish(call, samples, plain_timing(sampleset.info.get("timing")))
        self._futures.pop(call.label, None)

    def _failed(self, error: Exception, call: Call, *, searching: bool = False) -> Exception:
        """Returns the exception to raise for a call, which is dropped if no answer will come."""
        failure = failure_of(error, call, self._device, searching=searching)
        if failure.is_void:
            self._record.drop(call)
        return failure.error


def _resolves(future: Any) -> bool:
    """Waits for an answer, and returns whether it came."""
    try:
        getattr(future, "sampleset", future).resolve()
    except Exception:  # of any kind: the answer is then looked for at D-Wave
        return False
    return True


def _samples(sampleset: Any, call: Call) -> Spins:
    """Returns the reads of an answer, (R, Q), with the qubits in the call's order."""
    order: NDArray[np.int64] = np.argsort(np.argsort(call.qubits))
    variables = np.array(sampleset.variables, dtype=np.int64)
    if not np.array_equal(np.sort(variables), np.sort(call.qubits)):
        raise ValueError(
            f"an answer must have the {len(call.qubits)} qubits of its call, "
            f"got {len(variables)} others"
        )

    rows = np.repeat(sampleset.record.sample, sampleset.record.num_occurrences, axis=0)
    shape = call.parameters["num_reads"], len(call.qubits)
    return spin_array("samples", rows, shape=shape)[:, np.argsort(variables)[order]]
