"""A local server that speaks as much of D-Wave's Solver API as `DWave` and DWaveSampler use."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.local_service.qp_format import answer_of
from isingprop.qpu.local_service.service_faults import POINTS, Action, Exchange
from isingprop.qpu.local_service.service_requests import handler_for

if TYPE_CHECKING:
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

_HOST = "127.0.0.1"
_PREFIX = "/sapi/v2/"
_TOKEN_BYTES = 16
_STOP_SECONDS = 0.02  # between two looks of the server's thread at whether it shall stop
_OFFLINE = "Solver is offline"  # in D-Wave's words


@dataclass
class SubmittedProblem:
    """A problem that was submitted and got an id."""

    id: str
    job: dict[str, Any]  #: body of the submission
    submitted: float  #: time in seconds since the epoch, as are the next
    ready: float  #: from when on it is no longer pending
    answer: dict[str, Any] | None = None  #: encoded answer; None where it failed
    end: str = "COMPLETED"  #: its status when it is ready
    error: str | None = None  #: why it failed, or None

    @property
    def label(self) -> str | None:
        """The label that its sender gave it."""
        label: str | None = self.job.get("label")
        return label

    @property
    def solver(self) -> str:
        """The name of its solver."""
        return str(self.job["solver"]["name"])

    @property
    def qpu_access_time(self) -> float:
        """The QPU access time that is charged for it, in microseconds."""
        return 0.0 if self.answer is None else float(self.answer["timing"]["qpu_access_time"])

    def described(self, *, with_answer: bool = False) -> dict[str, Any]:
        """Returns what the API says about it now, with the answer where it is ready."""
        is_done = time.time() >= self.ready
        content = {
            "id": self.id,
            "type": self.job["type"],
            "solver": self.job["solver"],
            "label": self.label,
            "submitted_on": _timestamp(self.submitted),
            "status": self.end if is_done else "PENDING",
        }

        if is_done:
            content["solved_on"] = _timestamp(self.ready)
        if is_done and self.error is not None:
            content["error_message"] = self.error
        if is_done and with_answer and self.answer is not None:
            content["answer"] = self.answer
        return content


class LocalService:
    """A server of D-Wave's Solver API on this machine, whose solvers are emulated chips.

    It serves the clients of D-Wave from its creation until `close`, at a free port of 127.0.0.1,
    and lets in those with its token, which is made up. It lists each chip with the chip's own
    properties and working graph.

    Args:
        chips: chips by the names of their solvers.
        pending: seconds for which an accepted problem is pending.

    Example:
        >>> from dwave.system import DWaveSampler
        >>> from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
        >>> with LocalService({"small": EmulatedQPU("zephyr", 1)}) as service:
        ...     with DWaveSampler(**service.config) as sampler:
        ...         u, v = sampler.edgelist[0]
        ...         answer = sampler.sample_ising({u: -1}, {(u, v): -1}, auto_scale=False)
        ...         [int(spin) for spin in answer.first.sample.values()], len(service.paid)
        ([1, 1], 1)
    """

    def __init__(self, chips: Mapping[str, EmulatedQPU], *, pending: float = 0.0) -> None:
        """Starts the server in a thread of its own."""
        self.chips = dict(chips)
        self.pending = pending
        self.token = secrets.token_hex(_TOKEN_BYTES)
        #: Names of solvers that are listed as offline and reject what they are sent.
        self.offline: set[str] = set()
        self.problems: dict[str, SubmittedProblem] = {}  #: all that got an id, by id
        self.paid: list[SubmittedProblem] = []  #: those that were accepted and so are paid
        self.requests: list[str] = []  #: the point of each request that was let in

        self._actions: list[_PlannedAction] = []
        self._errors: list[BaseException] = []
        self._lock = threading.RLock()
        self._listen(port=0)

    def __enter__(self) -> Self:
        """Returns the service."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the service."""
        self.close()

    def close(self) -> None:
        """Stops the server, and raises the first error of its own, if there was one."""
        self._stop()
        if self._errors:
            raise self._errors[0]

    @property
    def endpoint(self) -> str:
        """The URL of the API."""
        return f"http://{_HOST}:{self._server.server_port}{_PREFIX}"

    @property
    def config(self) -> dict[str, Any]:
        """Arguments for a DWaveSampler in this process.

        The client keeps no lists of solvers on disk, since ports are used again, and it reads no
        settings of a D-Wave account.
        """
        return {
            "endpoint": self.endpoint,
            "token": self.token,
            "cache_enabled": False,
            "config_file": os.devnull,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The variables to set for a child process whose D-Wave client uses this service.

        The child knows nothing of a D-Wave account, and sends nothing through a proxy.
        """
        account = dict.fromkeys((name for name in os.environ if name.startswith("DWAVE_")), "")
        direct = dict.fromkeys(("no_proxy", "NO_PROXY"), _HOST)
        return {
            **account,
            **direct,
            "DWAVE_API_ENDPOINT": self.endpoint,
            "DWAVE_API_TOKEN": self.token,
            "DWAVE_CACHE_ENABLED": "false",
            "DWAVE_CONFIG_FILE": os.devnull,
        }

    def at(self, point: str, action: Action, *, skip: int = 0, times: int | None = 1) -> None:
        """Plans an action for requests at a point of a call.

        Args:
            point: one of POINTS.
            action: what is done.
            skip: number of requests at this point to let through first.
            times: number of requests for which it is done; None: all.

        Raises:
            ValueError: for another point.
        """
        if point not in POINTS:
            raise ValueError(f"point must be one of {', '.join(POINTS)}, got {point!r}")
        with self._lock:
            self._actions.append(_PlannedAction(point, action, skip, times))

    def reach(self, exchange: Exchange) -> None:
        """Does what is planned for the point of a request."""
        with self._lock:
            due = [planned.action for planned in self._actions if planned.is_due(exchange.point)]
        for action in due:
            action(exchange)

    def solver_data(self, name: str) -> dict[str, Any]:
        """Returns the definition of a solver, as the API lists it."""
        from dwave.cloud.testing.mocks import structured_solver_data

        chip = self.chips[name]
        data: dict[str, Any] = structured_solver_data(
            name=name,
            graph_id=WorkingGraph.of(chip).graph_id,
            status="OFFLINE" if name in self.offline else "ONLINE",
            avg_load=0.1,
            description="An emulated chip",
            properties=dict(chip.properties),
            qubits=chip.nodelist,
            couplers=chip.edgelist,
            num_qubits=chip.properties["num_qubits"],  # with those that do not work
        )
        return data

    def accept(self, job: dict[str, Any]) -> dict[str, Any]:
        """Anneals a submitted problem, enters it among the paid ones, and returns its status.

        Where the solver is offline or refuses it, it has failed at once; by a fault it fails or is
        cancelled later. It is not paid then.
        """
        if "error" in job:  # by a fault: refused before it has an id
            error: dict[str, Any] = job["error"]
            return error

        name = job["solver"]["name"]
        refusal = job.pop("error_message", _OFFLINE if name in self.offline else None)
        end, message = job.pop("end", ("COMPLETED", None))  # by a fault
        begin = time.time()
        with self._lock:
            problem = SubmittedProblem(str(uuid.uuid4()), job, begin, begin, None, end, message)
            if refusal is None and end == "COMPLETED":
                try:
                    problem.answer = answer_of(self.chips[name], job)
                except ValueError as error:
                    refusal = str(error)

            if refusal is None:
                problem.ready = time.time() + self.pending
            else:
                problem.end, problem.error = "FAILED", refusal
            self.problems[problem.id] = problem
            if problem.answer is not None:
                self.paid.append(problem)
        return problem.described()

    def wait(self, ids: list[str], seconds: float) -> list[dict[str, Any]]:
        """Waits until one of some problems is done, at most for some seconds, as a long poll does.

        Returns:
            The status of each problem.
        """
        known = [self.problems[id_] for id_ in ids if id_ in self.problems]
        soonest = min((problem.ready for problem in known), default=0.0)
        time.sleep(min(max(soonest - time.time(), 0.0), seconds))
        return [problem.described() for problem in known]

    def _listen(self, port: int) -> None:
        """Starts the server at a port; 0 takes one that is free."""
        self._server = _Server((_HOST, port), handler_for(self, _PREFIX))
        self._server.errors = self._errors
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_STOP_SECONDS,), daemon=True
        )
        self._thread.start()

    def _stop(self) -> None:
        """Stops the server; connections that are open are served no longer than their request."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class _PlannedAction:
    """An action for some of the requests at a point."""

    point: str
    action: Action
    skip: int  #: requests to let through first
    times: int | None  #: requests for which it is done; None: all

    def is_due(self, point: str) -> bool:
        """Returns whether it is due for a request at a point, which is counted."""
        if point != self.point or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False

        self.times = None if self.times is None else self.times - 1
        return True


class _Server(ThreadingHTTPServer):
    """The HTTP server, which keeps what goes wrong in its threads."""

    errors: list[BaseException]

    def handle_error(self, *_: object) -> None:
        """Keeps an error; that a client hangs up, or is killed, is none."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.errors.append(error)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
