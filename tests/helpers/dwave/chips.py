"""Chips with broken parts."""

import numpy as np

from isingprop.qpu.chip.working_graph import WorkingGraph


def defective(topology, size, num_qubits, num_couplers, seed=0):
    random = np.random.default_rng(seed)
    graph = WorkingGraph.perfect(topology, size)
    graph = graph.without(random.choice(graph.qubits, num_qubits, replace=False))
    return graph.without([], random.choice(graph.couplers, num_couplers, replace=False))
