"""The HTTP requests of D-Wave's client, and how a `LocalService` replies to them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from isingprop.qpu.local_service.service_faults import DropError, Exchange, ReplyError

if TYPE_CHECKING:
    from isingprop.qpu.local_service.service import LocalService

_FORMAT_VERSION = "3.0.0"  # of the replies, as dwave-cloud-client 0.14 asks for
_MAX_LISTED = 1000  # problems in a list, where the client names no number
_UNAUTHORIZED, _NOT_FOUND = 401, 404

# The kind of a reply, which is part of its media type, and the exchange that holds it.
Reply: TypeAlias = tuple[str, Exchange]


def handler_for(service: LocalService, prefix: str) -> type[BaseHTTPRequestHandler]:
    """Returns the class that handles each request to a service at paths with a prefix."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # which keeps connections open, as D-Wave does

        def do_GET(self) -> None:
            self._serve(lambda: _get(service, self.path.removeprefix(prefix)))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the client was killed while it sent
                self.close_connection = True
                return

            if self.headers.get("Content-Encoding") == "deflate":
                body = zlib.decompress(body)
            self._serve(lambda: _submit(service, json.loads(body)))

        def _serve(self, handle: Callable[[], Reply]) -> None:
            try:
                if self.headers.get("X-Auth-Token") != service.token:
                    raise ReplyError(_UNAUTHORIZED, "Invalid token")
                kind, exchange = handle()
                media_type = f"application/vnd.dwave.sapi.{kind}+json; version={_FORMAT_VERSION}"
                self._send(200, media_type, exchange)
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
            if exchange.halfway is not None:
                exchange.halfway()
            self.wfile.write(body[half:])

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    return Handler


def _get(service: LocalService, path: str) -> Reply:
    """Handles a GET request, whose path is relative to the endpoint."""
    url = urlsplit(path)
    parts = url.path.strip("/").split("/")
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}

    match parts:
        case ["solvers", "remote"]:
            every = [service.solver_data(name) for name in service.chips]
            return _reached(service, "solver-definition-list", "solvers", every)
        case ["solvers", "remote", name] if name in service.chips:
            return _reached(service, "solver-definition", "solvers", service.solver_data(name))
        case ["problems"] if "id" in query:
            return _poll(service, query["id"].split(","), float(query.get("timeout", 0)))
        case ["problems"]:
            return _list(service, query)
        case ["problems", id_] if id_ in service.problems:
            content = service.problems[id_].described(with_answer=True)
            # A copy, since an action may change it.
            return _reached(service, "problem", "answer", json.loads(json.dumps(content)))
    raise ReplyError(_NOT_FOUND, "Not found")


def _poll(service: LocalService, ids: list[str], seconds: float) -> Reply:
    kind, exchange = _reached(service, "problems", "poll", None)
    exchange.reply = service.wait(ids, seconds)
    return kind, exchange


def _list(service: LocalService, query: dict[str, str]) -> Reply:
    """Lists problems with a label and a status, the last one first."""
    wanted = {key: query[key] for key in ("label", "status") if key in query}
    every = [problem.described() for problem in reversed(list(service.problems.values()))]
    found = [each for each in every if all(each[key] == value for key, value in wanted.items())]
    length = int(query.get("max_results", _MAX_LISTED))
    return _reached(service, "problems", "list", found[:length])


def _submit(service: LocalService, body: Any) -> Reply:
    """Handles a POST request with one problem or a list of them."""
    jobs = body if isinstance(body, list) else [body]
    service.requests.append("submit")
    service.reach(Exchange("submit", jobs))

    accepted = [service.accept(job) for job in jobs]
    exchange = Exchange("accepted", jobs, accepted if isinstance(body, list) else accepted[0])
    service.reach(exchange)
    return "problems", exchange


def _reached(service: LocalService, kind: str, point: str, reply: Any) -> Reply:
    service.requests.append(point)
    exchange = Exchange(point, reply=reply)
    service.reach(exchange)
    return kind, exchange
