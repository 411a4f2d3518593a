"""A D-Wave solver without a network: the real DWaveSampler over a client that keeps each
request.
"""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from dwave.cloud.solver import StructuredSolver
from dwave.cloud.testing import mocks
from dwave.system import DWaveSampler

PARAMETERS = (
    "num_reads annealing_time anneal_schedule h_gain_schedule initial_state reinitialize_state "
    "auto_scale answer_mode fast_anneal "
    "label flux_biases flux_drift_compensation"
)
PROPERTIES: dict[str, Any] = {
    "h_range": [-4.0, 4.0],
    "j_range": [-1.0, 1.0],
    "extended_j_range": [-2.0, 1.0],
    "per_qubit_coupling_range": [-18.0, 15.0],
    "num_reads_range": [1, 10000],
    "annealing_time_range": [0.5, 2000.0],
    "fast_anneal_time_range": [0.005, 2000.0],
    "problem_run_duration_range": [0.0, 1e6],
    "max_anneal_schedule_points": 12,
    "max_h_gain_schedule_points": 20,
    "h_gain_schedule_range": [-4.0, 4.0],
    "problem_timing_data": mocks.qpu_problem_timing_data(),
}


class Captured(Exception):  # noqa: N818 (no error: what a test waits for)
    """A request came through; there is no answer."""


class KeepingClient:
    """A cloud client that keeps the body of each request and answers none."""

    def __init__(self, solver_data: dict[str, Any]) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.solver = StructuredSolver(client=self, data=solver_data)
        self.config = type("Config", (), {"solver": {}, "token": "SECRET"})()

    def get_solvers(self, **_: Any) -> list[StructuredSolver]:
        return [self.solver]

    def _submit(self, body: Any, future: Any) -> None:
        self.bodies.append(json.loads(body.result()))
        raise Captured

    def close(self) -> None:
        pass


def keeping_sampler(topology: str, size: int, **properties: Any) -> DWaveSampler:
    """A DWaveSampler of a perfect chip; its client has the requests."""
    make = mocks.qpu_pegasus_solver_data if topology == "pegasus" else mocks.qpu_zephyr_solver_data
    data = make(size, **{**PROPERTIES, **properties})
    data["properties"]["parameters"] = dict.fromkeys(PARAMETERS.split(), "")
    client = KeepingClient(data)
    with patch("dwave.system.samplers.dwave_sampler.Client.from_config", return_value=client):
        return DWaveSampler()
