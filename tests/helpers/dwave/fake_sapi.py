"""A local server that speaks enough of D-Wave's Solver API for the real dwave-cloud-client and
DWaveSampler.

    with FakeSapi() as sapi, DWaveSampler(**sapi.config) as sampler: ...
    subprocess.run([...], env={**os.environ, **sapi.environment})

Emulated chips answer. What was accepted, and so is paid, is in `sapi.paid`, in order. Faults, and
anything else that shall happen at a point of a call, are switched on with `sapi.at(point, action)`:
see sapi_faults.
"""

import base64
import datetime
import json
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from dwave.cloud.testing.mocks import structured_solver_data

from helpers.dwave.sapi_faults import POINTS, Action, DropError, Exchange, ReplyError, base64_text
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

TOKEN = "SECRET-TOKEN-0123456789abcdef"
_PREFIX = "/sapi/v2/"
_VERSION = "3.0.0"  # of the formats that dwave-cloud-client 0.14 asks for


class FakeSapi:
    """The server, running in a thread from its making to close().

    Args:
        chips: EmulatedQPU by solver name; a Z2 if None. The order is that of DWaveSampler: most
            qubits first.
        token: the only one that is let in.
        pending: seconds that an accepted problem stays pending.
    """

    def __init__(
        self,
        chips: dict[str, EmulatedQPU] | None = None,
        *,
        token: str = TOKEN,
        pending: float = 0.0,
    ) -> None:
        self.chips = chips or {"Advantage_fake1": EmulatedQPU("zephyr", 2)}
        self.token = token
        self.pending = pending
        self.offline: set[str] = (
            set()
        )  # names of solvers that are listed as offline and reject what they are sent
        self.paid: list[
            dict[str, Any]
        ] = []  # id, label, solver, body, qpu_access_time (us) of what was accepted
        self.requests: list[str] = []  # the point of each request that was let in
        self.problems: dict[str, dict[str, Any]] = {}
        self._actions: list[list[Any]] = []  # point, action, requests to let through first, times
        self._errors: list[BaseException] = []
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.handle_error = self._note_error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> "FakeSapi":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._errors:
            raise self._errors[0]

    def _note_error(self, *_: object) -> None:
        """Keeps what went wrong in a handler's thread for close(); that clients hang up, or are
        killed, is meant.
        """
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self._errors.append(error)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{_PREFIX}"

    @property
    def config(self) -> dict[str, Any]:
        """Arguments for DWaveSampler in this process.

        Without a cache on disk: ports and tokens come again.
        """
        return {"endpoint": self.endpoint, "token": self.token, "cache_enabled": False}

    @property
    def environment(self) -> dict[str, str]:
        """The same for child processes."""
        return {
            "DWAVE_API_ENDPOINT": self.endpoint,
            "DWAVE_API_TOKEN": self.token,
            "DWAVE_CACHE_ENABLED": "false",
        }

    def at(self, point: str, action: Action, *, skip: int = 0, times: int | None = 1) -> None:
        """Does something the next `times` (None: all) times that a request is at this point, after
        `skip` others.
        """
        if point not in POINTS:
            raise ValueError(f"point must be one of {POINTS}, got {point!r}")
        with self._lock:
            self._actions.append([point, action, skip, times])

    def reach(self, exchange: Exchange) -> None:
        """Does what was asked for at this point."""
        due = []
        with self._lock:
            for entry in self._actions:
                point, action, skip, times = entry
                if point == exchange.point and skip > 0:
                    entry[2] -= 1
                elif point == exchange.point and times != 0:
                    entry[3] = None if times is None else times - 1
                    due.append(action)
        for action in due:
            action(exchange)

    def solver_data(self, name: str) -> dict[str, Any]:
        chip = self.chips[name]
        status = "OFFLINE" if name in self.offline else "ONLINE"
        return structured_solver_data(
            name=name,
            graph_id=chip.properties["chip_id"],
            status=status,
            avg_load=0.1,
            description="A fake solver",
            properties=dict(chip.properties),
            qubits=chip.nodelist,
            couplers=chip.edgelist,
            num_qubits=chip.properties["num_qubits"],  # broken ones, too
        )

    def accept(self, job: dict[str, Any]) -> dict[str, Any]:
        """Anneals a submitted problem and enters it among the paid ones; or says why not."""
        if "error" in job:
            return job["error"]
        name = job["solver"]["name"]
        message = job.pop("error_message", "Solver is offline" if name in self.offline else None)
        problem = {
            "id": str(uuid.uuid4()),
            "type": job["type"],
            "solver": job["solver"],
            "label": job.get("label"),
            "submitted_on": _timestamp(time.time()),
        }
        with self._lock:
            if message is None:
                try:
                    problem["answer"] = _answer(self.chips[name], job)
                except ValueError as error:
                    message = str(error)
            now = time.time()
            problem |= {"ready": now + self.pending, "solved_on": _timestamp(now + self.pending)}
            self.problems[problem["id"]] = problem
            if message is None:
                cost = problem["answer"]["timing"]["qpu_access_time"]
                known = {key: problem[key] for key in ("id", "label", "solver")}
                self.paid.append({**known, "body": job, "qpu_access_time": cost})
            else:
                problem["error_message"] = message
        return self.status(problem, now)

    def status(
        self, problem: dict[str, Any], now: float | None = None, *, answer: bool = False
    ) -> dict[str, Any]:
        """A problem as the API tells of it."""
        done = (time.time() if now is None else now) >= problem["ready"]
        failed = "error_message" in problem
        hidden = {"ready"} if done and not failed and answer else {"ready", "answer"}
        if not done and not failed:
            hidden.add("solved_on")
        told = {key: value for key, value in problem.items() if key not in hidden}
        return told | {"status": "FAILED" if failed else "COMPLETED" if done else "PENDING"}

    def wait(self, ids: list[str], seconds: float) -> list[dict[str, Any]]:
        """Long polling: waits until one of the problems is done."""
        known = [self.problems[id_] for id_ in ids if id_ in self.problems]
        soonest = min((problem["ready"] for problem in known), default=0.0)
        time.sleep(min(max(soonest - time.time(), 0.0), seconds))
        return [self.status(problem) for problem in known]


def _handler(sapi: FakeSapi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve(lambda: _get(sapi, self.path))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the client was killed while it sent
                self.close_connection = True
                return
            if self.headers.get("Content-Encoding") == "deflate":
                body = zlib.decompress(body)
            self._serve(lambda: _post(sapi, json.loads(body)))

        def _serve(self, handle: Callable[[], tuple[str, Exchange]]) -> None:
            try:
                if self.headers.get("X-Auth-Token") != sapi.token:
                    raise ReplyError(401, "Invalid token")
                kind, exchange = handle()
                self._send(
                    200, f"application/vnd.dwave.sapi.{kind}+json; version={_VERSION}", exchange
                )
            except ReplyError as reply:
                error = {"error_code": reply.status, "error_msg": str(reply)}
                self._send(reply.status, "application/json", Exchange("", reply=error))
            except DropError:
                self.close_connection = True

        def _send(self, status: int, media_type: str, exchange: Exchange) -> None:
            reply = exchange.reply
            body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.wfile.flush()
            if exchange.halfway:
                exchange.halfway()
            self.wfile.write(body[half:])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _get(sapi: FakeSapi, path: str) -> tuple[str, Exchange]:
    url = urlsplit(path)
    parts = url.path.removeprefix(_PREFIX).strip("/").split("/")
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    if parts == ["solvers", "remote"]:
        return _reached(
            sapi,
            "solver-definition-list",
            "solvers",
            [sapi.solver_data(name) for name in sapi.chips],
        )
    if parts[:2] == ["solvers", "remote"] and parts[2] in sapi.chips:
        return _reached(sapi, "solver-definition", "solvers", sapi.solver_data(parts[2]))
    if parts == ["problems"] and "id" in query:
        exchange = Exchange("poll")
        sapi.requests.append("poll")
        sapi.reach(exchange)
        exchange.reply = sapi.wait(query["id"].split(","), float(query.get("timeout", 0)))
        return "problems", exchange
    if parts == ["problems"]:
        wanted = {key: query[key] for key in ("label", "status") if key in query}
        told = [sapi.status(problem) for problem in reversed(sapi.problems.values())]
        found = [each for each in told if all(each[key] == value for key, value in wanted.items())]
        return _reached(sapi, "problems", "list", found[: int(query.get("max_results", 1000))])
    if parts[0] == "problems" and len(parts) == 2 and parts[1] in sapi.problems:
        problem = sapi.problems[parts[1]]
        told = json.loads(json.dumps(sapi.status(problem, answer=True)))  # an action may change it
        return _reached(sapi, "problem", "answer", told)
    raise ReplyError(404, "Not found")


def _reached(sapi: FakeSapi, kind: str, point: str, reply: Any) -> tuple[str, Exchange]:
    sapi.requests.append(point)
    exchange = Exchange(point, reply=reply)
    sapi.reach(exchange)
    return kind, exchange


def _post(sapi: FakeSapi, body: Any) -> tuple[str, Exchange]:
    jobs = body if isinstance(body, list) else [body]
    sapi.requests.append("submit")
    sapi.reach(Exchange("submit", jobs))
    told = [sapi.accept(job) for job in jobs]
    exchange = Exchange("accepted", jobs, told if isinstance(body, list) else told[0])
    sapi.reach(exchange)
    return "problems", exchange


def _answer(chip: EmulatedQPU, job: dict[str, Any]) -> dict[str, Any]:
    """The answer to a job, in the encoding called qp."""
    if job["type"] != "ising":
        raise ValueError(f"type must be ising, got {job['type']}")
    fields = np.frombuffer(base64.b64decode(job["data"]["lin"]), "<f8")
    active = {
        qubit: h for qubit, h in zip(chip.nodelist, fields.tolist(), strict=True) if not np.isnan(h)
    }
    coupled = [(u, v) for u, v in chip.edgelist if u in active and v in active]
    values = np.frombuffer(base64.b64decode(job["data"]["quad"]), "<f8").tolist()
    couplings = dict(zip(coupled, values, strict=True))
    params = dict(job["params"])
    if "initial_state" in params:  # one for each qubit of the chip, 3 where it is not used
        params["initial_state"] = dict(enumerate(params["initial_state"]))
    reads = chip.sample_ising(active, couplings, **params)  # in the order of qubits
    bits = np.packbits(reads.record.sample > 0, axis=1)
    answer = {
        "format": "qp",
        "active_variables": base64_text(np.array(sorted(active), "<i4").tobytes()),
        "energies": base64_text(reads.record.energy.astype("<f8").tobytes()),
        "solutions": base64_text(bits.tobytes()),
        "num_variables": chip.properties["num_qubits"],
        "timing": reads.info["timing"],
    }
    if params.get("answer_mode", "histogram") == "histogram":
        answer["num_occurrences"] = base64_text(
            reads.record.num_occurrences.astype("<i4").tobytes()
        )
    return answer


def _timestamp(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
