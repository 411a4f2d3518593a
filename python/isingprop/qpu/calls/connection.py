"""Calls to a chip over a network that may fail: nothing is paid for twice, and nothing that was paid for is lost.

A call is on disk before it is sent, its id as soon as it is known, and its answer before it is used. What may have been
charged is looked for at D-Wave, by its id or else by its label, before anything is sent again.
"""

from __future__ import annotations

import logging
import os
import struct
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.calls.record import Call, Record
from isingprop.util.checks import Spins, spin_array

logger = logging.getLogger("isingprop")

# As many calls wait for the chip at a time: enough to hide the network, few enough for a shared queue.
_IN_FLIGHT = 8
# A request that was under way when the connection broke may still arrive; in seconds.
_SETTLING = 10.0
_NOT_FOUND = 404
_TRY_AGAIN = (
    408,
    429,
)  # request timeout, too many requests: of all of 4xx, those that do not speak of the problem
_NOT_CHARGED = ("FAILED", "CANCELLED")
_LONGEST_TEXT = 300


class QPUBudgetError(RuntimeError):
    """The next call could cost more than is left of the QPU budget; it was not sent."""


class ConnectionLost(ConnectionError):  # noqa: N818 (it is caught here, and what users see is a ConnectionError)
    """The answer did not come; it may be waiting at D-Wave."""


class SolverGone(ConnectionError):  # noqa: N818
    """The solver is offline, or is no more; nothing was charged."""


class _AnswerGone(ConnectionLost):
    """D-Wave has no problem of this id."""


class Programmed(NamedTuple):
    """A call, ready to be sent."""

    call: Call
    h: dict[int, float]
    j: dict[tuple[int, int], float]


class _Sent(NamedTuple):
    """A call under way, with a future of dwave-cloud-client or a dimod.SampleSet."""

    call: Call
    future: Any


def open_device(solver: object) -> Any:
    """A DWaveSampler for the name or the features of a solver; None takes the account's default.

    Raises:
        ConnectionError: without an account, a network, or such a solver, in one line that says what to do.
    """
    from dwave.cloud.exceptions import ConfigFileError, SolverAuthenticationError, SolverError
    from dwave.system import DWaveSampler
    from requests.exceptions import RequestException

    choice = {} if solver is None else {"solver": solver}
    try:
        return DWaveSampler(**choice)
    except SolverAuthenticationError:
        raise ConnectionError(
            "D-Wave must know the token, got its refusal; to set up another: dwave setup"
        ) from None
    except (SolverError, RequestException) as error:
        text = _text(error)
        raise ConnectionError(
            f"a D-Wave solver must be reachable, got: {text}; to list them: dwave solvers"
        ) from None
    except (
        ValueError,
        ConfigFileError,
    ) as error:  # "API token not defined", or a profile that does not exist
        raise ConnectionError(
            f"a D-Wave account must be set up, got none ({_text(error)}); to set one up: dwave setup"
        ) from None


class Courier:
    """Sends calls to a device and puts their answers into a record.

    Args:
        device: a DWaveSampler, a MockDWaveSampler or an EmulatedQPU.
        record: where calls and answers are written.
        budget: seconds of QPU access time that the answers in the record may cost in all, or None.
        flying: futures of this process by label, also of calls that Ctrl-C left waiting.
    """

    def __init__(
        self, device: Any, record: Record, budget: float | None, flying: dict[str, Any]
    ) -> None:
        """See the class."""
        self._device = device
        self._record = record
        self._budget = budget
        self._flying = flying

    def run(self, calls: Iterable[Programmed]) -> None:
        """Sends all calls, a few at a time, and writes their answers.

        Raises:
            QPUBudgetError: before a call that could cost more than is left; those before it are answered.
            ConnectionLost: where an answer did not come; its call is pending in the record.
            SolverGone: where the solver cannot be used.
            RuntimeError: where D-Wave refuses a problem, in its words.
        """
        most = (
            _IN_FLIGHT if hasattr(self._device, "client") else 1
        )  # an emulation has answered when it returns
        flying: deque[_Sent] = deque()
        for programmed in calls:
            while flying and self._too_expensive(
                programmed.call
            ):  # until it is known what those under way have cost
                self._collect(flying.popleft())
            if self._too_expensive(programmed.call):
                spent, cost = self._record.index.seconds, programmed.call.notes["estimated_seconds"]
                raise QPUBudgetError(
                    f"QPU budget must leave {cost:.3f} s for the next call, "
                    f"got {self._budget:g} s with {spent:.3f} s spent"
                )
            flying.append(self._send(programmed))
            if len(flying) == most:
                self._collect(flying.popleft())
        while flying:
            self._collect(flying.popleft())

    def recover(self, call: Call) -> None:
        """Gets the answer of a pending call; forgets one that D-Wave does not know, or did not charge.

        Raises:
            ConnectionLost: where D-Wave cannot be asked, or has not answered.
        """
        if (future := self._flying.get(call.label)) is not None:
            good = _resolves(future)
            del self._flying[call.label]
            if good:
                self._collect(self._identified(call, future))
                return
        client = getattr(self._device, "client", None)
        if call.notes["host"] != host(self._device):
            raise RuntimeError(
                f"device must be at {call.notes['host']}, where {call.label} in {self._record.folder} was sent, "
                f"got {host(self._device)}"
            )
        if (
            client is not None
            and call.problem_id is None
            and (found := self._look_up(client, call))
        ):
            call = self._record.identify(call, found)
        if (
            client is None or call.problem_id is None
        ):  # an emulation remembers nothing, and costs nothing
            self._record.drop(call)
            return
        future = client.retrieve_answer(call.problem_id)
        future.solver = (
            self._device.solver
        )  # it decodes any answer, and its own solver may be no more
        try:
            self._collect(_Sent(call, future))
        except SolverGone:
            if call.label in self._record.index.pending:
                raise  # or else it was not charged, and the others that wait are asked for first
        except _AnswerGone:
            if self._look_up(client, call) is not None:
                raise
            logger.warning(
                "D-Wave knows no problem %s (is it another account's?); it is sent anew",
                call.problem_id,
            )
            self._record.drop(call)

    def _look_up(self, client: Any, call: Call) -> str | None:
        """The id of the problem with the call's label, where D-Wave has one that is charged for."""
        from dwave.cloud.api import Problems

        try:
            with Problems.from_config(client.config) as problems:
                for pause in (0.0, _SETTLING):
                    time.sleep(pause)
                    for found in problems.list_problems(label=call.label):
                        if found.label == call.label and found.status.value not in _NOT_CHARGED:
                            return str(found.id)
        except Exception as error:
            raise self._meaning(error, call, sought=True) from None
        return None

    def _too_expensive(self, call: Call) -> bool:
        if self._budget is None:
            return False
        index = self._record.index
        waiting = [*index.pending.values(), call]
        expected: float = index.seconds + sum(each.notes["estimated_seconds"] for each in waiting)
        return expected > self._budget

    def _send(self, programmed: Programmed) -> _Sent:
        call, device = programmed.call, self._device
        self._record.begin(call)
        try:
            # The solver's own method where there is one: DWaveSampler's goes by a model, which takes twice as long.
            submit = getattr(device, "solver", device).sample_ising
            future = submit(
                programmed.h, programmed.j, label=call.label, **call.solver_parameters()
            )
        except (KeyError, TypeError, ValueError):  # of arguments, before anything was sent
            self._record.drop(call)
            raise
        except Exception as error:
            raise self._meaning(error, call) from None
        self._flying[call.label] = future
        return self._identified(call, future)

    def _identified(self, call: Call, future: Any) -> _Sent:
        """Waits for the id under which D-Wave keeps the answer, and writes it."""
        if (
            hasattr(self._device, "client")
            and call.problem_id is None
            and (problem_id := future.wait_id()) is not None
        ):
            call = self._record.identify(call, problem_id)
        return _Sent(call, future)

    def _collect(self, sent: _Sent) -> None:
        """Waits for an answer and writes it."""
        call = sent.call
        try:
            sampleset = getattr(sent.future, "sampleset", sent.future)
            sampleset.resolve()
            samples = _samples(sampleset, call)
        except Exception as error:
            self._flying.pop(call.label, None)
            raise self._meaning(error, call) from None
        self._record.finish(call, samples, sampleset.info.get("timing", {}))
        self._flying.pop(call.label, None)

    def _meaning(self, error: Exception, call: Call, *, sought: bool = False) -> Exception:
        """What an exception of Ocean says of a call, which is dropped where it failed or was not taken.

        Only a call without an id can have been refused as a whole: its id would have come with its being taken. One
        that is sought was sent before: what refuses the search says nothing of the call.
        """
        from dwave.cloud import exceptions as cloud
        from dwave.cloud.api.exceptions import ResourceAuthenticationError
        from dwave.system.exceptions import FailoverCondition, RetryCondition
        from requests.exceptions import RequestException

        text = _text(error, self._device)
        code = getattr(error, "error_code", None)
        taken = call.problem_id is not None
        if isinstance(error, ResourceAuthenticationError):
            return PermissionError(
                f"D-Wave must know the token, got its refusal ({text}); set up another: dwave setup"
            )
        if isinstance(error, cloud.SolverOfflineError | FailoverCondition):
            self._record.drop(call)
            return SolverGone(text)
        if isinstance(error, cloud.SolverNotFoundError) or code == _NOT_FOUND:
            return _AnswerGone(text) if taken and code == _NOT_FOUND else SolverGone(text)
        refused = (
            not (taken or sought)
            and isinstance(code, int)
            and 400 <= code < 500
            and code not in _TRY_AGAIN
        )
        if refused or isinstance(error, cloud.SolverFailureError | cloud.CanceledFutureError):
            self._record.drop(call)
            return RuntimeError(f"{call.notes['solver']} did not take problem {call.label}: {text}")
        # The last ones are what decoders of a cut answer raise.
        lost = (
            RequestException,
            cloud.PollingTimeout,
            RetryCondition,
            OSError,
            LookupError,
            ValueError,
            struct.error,
        )
        return (
            ConnectionLost(f"{type(error).__name__}: {text}") if isinstance(error, lost) else error
        )


def _resolves(future: Any) -> bool:
    """Waits for an answer; whether it came."""
    try:
        getattr(future, "sampleset", future).resolve()
    except Exception:  # what it was is asked of D-Wave
        return False
    return True


def device_name(device: Any) -> str:
    """The solver's, or that of a stand-in."""
    name = getattr(getattr(device, "solver", None), "name", None)
    return str(name or device.properties.get("chip_id", type(device).__name__))


def host(device: Any) -> str | None:
    """The region's server that keeps the answers; None for a stand-in."""
    return urlsplit(
        str(getattr(getattr(getattr(device, "client", None), "config", None), "endpoint", ""))
    ).hostname


def _samples(sampleset: Any, call: Call) -> Spins:
    """(R, Q) qubits in the call's order."""
    order: NDArray[np.int64] = np.argsort(np.argsort(call.qubits))
    variables = np.array(sampleset.variables, dtype=np.int64)
    if not np.array_equal(np.sort(variables), np.sort(call.qubits)):
        raise ValueError(
            f"an answer must have the {len(call.qubits)} qubits of its call, got {len(variables)} others"
        )
    rows = np.repeat(sampleset.record.sample, sampleset.record.num_occurrences, axis=0)
    shape = call.parameters["num_reads"], len(call.qubits)
    return spin_array("samples", rows, shape=shape)[:, np.argsort(variables)[order]]


def _text(error: Exception, device: Any = None) -> str:
    """The message of an exception in one line, without the token, should a server or a library repeat it."""
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in _tokens(device):
        text = text.replace(secret, "(token)")
    return text[:_LONGEST_TEXT]


def _tokens(device: Any) -> list[str]:
    from dwave.cloud.config import load_config

    config = getattr(getattr(device, "client", None), "config", None)
    found = [os.environ.get("DWAVE_API_TOKEN"), getattr(config, "token", None)]
    try:
        found.append(load_config().get("token"))
    except Exception:  # whatever is wrong with the file is told of elsewhere
        found.append(None)
    return [token for token in found if token]
