#!/usr/bin/env bash
# dwave-cloud-client 0.14.8: one cause, "Solver is offline", in three exceptions.
#
# A user's guess before any run: a problem that D-Wave does not take because its solver is offline
# raises SolverOfflineError, however the server says so.
#
# Seen, with a local server that says it in three ways:
# - A problem with status FAILED and these words in its error_message raises SolverOfflineError.
# - An error with these words in the reply for one problem of a submission raises SolverFailureError.
# - HTTP 400 with these words for the submission raises SolverError.
# In the last two cases the future knows no status: only the text tells an offline solver from a
# problem that is wrong.
#
# Output:
#   status FAILED: SolverOfflineError, FAILED
#   error of one problem: SolverFailureError, None
#   HTTP 400: SolverError, None
#
# Exits with 0 as long as it is so.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dwave-cloud-client==0.14.8 numpy==2.4.6

cat >"$folder/run.py" <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dwave.cloud import Client

WORDS = "Solver is offline"
FAILED = {"id": "1", "type": "ising", "solver": "chip", "label": None, "status": "FAILED",
          "submitted_on": "2026-11-30T00:00:00Z", "solved_on": "2026-11-30T00:00:01Z"}
REFUSED = {"error_code": 400, "error_msg": WORDS}
REPLIES = {
    "status FAILED": (200, [{**FAILED, "error_message": WORDS}]),
    "error of one problem": (200, [REFUSED]),
    "HTTP 400": (400, REFUSED),
}
EXPECTED = ["SolverOfflineError, FAILED", "SolverFailureError, None", "SolverError, None"]
CHIP = {"id": "chip", "status": "ONLINE", "avg_load": 0.0, "description": "",
        "identity": {"name": "chip"},
        "properties": {"qubits": [0, 1], "couplers": [[0, 1]], "num_qubits": 2,
                       "h_range": [-1, 1], "j_range": [-1, 1], "num_reads_range": [1, 10],
                       "parameters": {"num_reads": ""}, "supported_problem_types": ["ising"],
                       "category": "qpu", "chip_id": "chip", "tags": [],
                       "topology": {"type": "pegasus", "shape": [2]}}}
now = None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        one = "/chip" in self.path
        kind = "solver-definition" if one else "solver-definition-list"
        self.reply(200, CHIP if one else [CHIP], f"vnd.dwave.sapi.{kind}")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        code, content = now
        self.reply(code, content, "vnd.dwave.sapi.problems" if code == 200 else None)

    def reply(self, code, content, kind):
        body = json.dumps(content).encode()
        self.send_response(code)
        media = f"application/{kind}+json; version=3.0.0" if kind else "application/json"
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.server_port}/"

seen = []
with Client(endpoint=endpoint, token="any", config_file=False) as client:
    solver = client.get_solver(name="chip")
    for name, now in REPLIES.items():
        future = solver.sample_ising({0: 1.0}, {}, num_reads=1)
        try:
            future.result()
            told = "no error"
        except Exception as error:
            told = type(error).__name__
        seen.append(f"{told}, {getattr(future, 'remote_status', None)}")
        print(f"{name}: {seen[-1]}")

if seen != EXPECTED:
    raise SystemExit(f"expected {EXPECTED}")
PYTHON
timeout 120 "$folder/venv/bin/python" "$folder/run.py"
