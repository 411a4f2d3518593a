"""Requests to the emulated QPU, and their answers."""

import dimod
import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

RAW = {"auto_scale": False, "answer_mode": "raw"}

STAY = [[0, 1], [20, 1]]

NUM_SPINS = 7  # of small_problem

Problem = tuple[dict[int, float], dict[tuple[int, int], float]]


def small_problem(qpu: EmulatedQPU) -> Problem:
    """Fields on some qubits of a Z1 and frustrated couplings: there are triangles among them."""
    nodes = [0, 1, 2, 3, 32, 34, 36]
    random = np.random.default_rng(1)
    edges = [edge for edge in qpu.edgelist if set(edge) <= set(nodes)]
    assert len(edges) == 14
    fields = dict(zip(nodes, random.uniform(-1, 1, NUM_SPINS).tolist(), strict=True))
    return fields, dict(zip(edges, random.uniform(-1, 1, len(edges)).tolist(), strict=True))


def spins_by_qubit(answer: dimod.SampleSet) -> NDArray[np.int8]:
    return answer.record.sample[:, np.argsort(answer.variables)]
