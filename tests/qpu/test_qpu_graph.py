"""Working graphs: made from sizes, devices and lists of what is broken; and where their
qubits lie.
"""

from types import SimpleNamespace

import dwave.graphs
import numpy as np
import pytest
from dwave.system.testing import MockDWaveSampler

from isingprop.qpu.chip.fabric import Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph

SMALL = [("pegasus", 2), ("pegasus", 5), ("zephyr", 1), ("zephyr", 4)]


def edges(graph):
    return {frozenset(edge) for edge in graph.edges}


@pytest.mark.slow
@pytest.mark.parametrize(("topology", "size"), [("pegasus", 16), ("zephyr", 12)])
def test_the_default_size_is_that_of_the_largest_chip(topology, size):
    graph = WorkingGraph.perfect(topology)
    assert graph.shape[0] == size
    assert (len(graph.qubits), len(graph.couplers)) == {16: (5640, 40484), 12: (4800, 45864)}[size]


@pytest.mark.parametrize(("topology", "size"), SMALL)
def test_the_graph_is_that_of_dwave_in_order(topology, size):
    graph = WorkingGraph.perfect(topology, size)
    wanted = getattr(dwave.graphs, f"{topology}_graph")(size)
    assert graph.qubits.tolist() == sorted(wanted)
    assert graph.couplers.tolist() == sorted(sorted(edge) for edge in wanted.edges)
    assert graph.qubits.dtype == graph.couplers.dtype == np.int64
    again = graph.to_networkx()
    assert set(again) == set(wanted)
    assert edges(again) == edges(wanted)
    assert again.graph == wanted.graph


@pytest.mark.parametrize(("topology", "size"), SMALL)
def test_a_device_without_a_solver_has_the_same_name_as_its_graph(topology, size):
    perfect = WorkingGraph.perfect(topology, size)
    broken, (u, v) = int(perfect.qubits[3]), perfect.couplers[-1].tolist()
    shape = list(perfect.shape)
    mock = MockDWaveSampler(
        topology_type=topology, topology_shape=shape, broken_nodes=[broken], broken_edges=[(u, v)]
    )
    graph, same = WorkingGraph.of(mock), perfect.without([broken], [[v, u]])
    assert (graph.graph_id, graph.digest) == (same.graph_id, same.digest)
    assert graph.couplers.tolist() == same.couplers.tolist()
    assert graph.graph_id.startswith(f"{topology}-{size}-")


def test_a_solver_says_what_its_graph_is_called():
    mock = MockDWaveSampler(topology_type="zephyr", topology_shape=[2, 4])
    names = ("properties", "nodelist", "edgelist")
    device = SimpleNamespace(
        solver=SimpleNamespace(graph_id="01abc"), **{name: getattr(mock, name) for name in names}
    )
    assert WorkingGraph.of(device).graph_id == "01abc"
    device.solver.graph_id = None
    assert WorkingGraph.of(device).graph_id == WorkingGraph.perfect("zephyr", 2).graph_id


def test_a_chimera_chip_is_refused(assert_refused):
    mock = MockDWaveSampler(topology_type="chimera", topology_shape=[2, 2, 4])
    assert_refused(
        lambda: WorkingGraph.of(mock),
        "ValueError: topology of the device must be pegasus or zephyr, got 'chimera'",
    )


def test_a_broken_qubit_takes_its_couplers_with_it():
    graph = WorkingGraph.perfect("pegasus", 3)
    qubit = int(graph.qubits[50])
    left = graph.without([qubit])
    assert left.qubits.tolist() == [q for q in graph.qubits if q != qubit]
    assert left.couplers.tolist() == [pair for pair in graph.couplers.tolist() if qubit not in pair]
    assert len(left.couplers) < len(graph.couplers) - 5


def test_a_broken_coupler_leaves_its_qubits_whichever_way_it_is_written():
    graph = WorkingGraph.perfect("zephyr", 2)
    u, v = graph.couplers[7].tolist()
    for pair in ([u, v], [v, u]):
        left = graph.without([], [pair])
        assert left.qubits.tolist() == graph.qubits.tolist()
        assert left.couplers.tolist() == np.delete(graph.couplers, 7, axis=0).tolist()


def test_nothing_broken_is_the_same_graph():
    graph = WorkingGraph.perfect("zephyr", 1)
    assert graph.without([]).graph_id == graph.graph_id
    assert graph.without(np.array([], dtype=np.int64), np.empty((0, 2))).graph_id == graph.graph_id


@pytest.mark.slow
def test_every_difference_has_a_name_of_its_own():
    graph = WorkingGraph.perfect("zephyr", 1)
    graphs = [graph, WorkingGraph.perfect("zephyr", 2), WorkingGraph.perfect("pegasus", 2)]
    graphs += [graph.without([q]) for q in graph.qubits]
    graphs += [graph.without([], [pair]) for pair in graph.couplers]
    assert (
        len({graph.graph_id for graph in graphs})
        == len({graph.digest for graph in graphs})
        == 3 + 48 + 280
    )


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (([48],), "ValueError: qubits must be working qubits of zephyr-1-"),
        (([-1],), "ValueError: qubits must be working qubits of zephyr-1-"),
        (([0.0],), "TypeError: qubits must be whole numbers, got dtype float64"),
        ((["0"],), "TypeError: qubits must be whole numbers, got dtype <U1"),
        (([[0, 1]],), "ValueError: qubits must have shape (n,), got (1, 2)"),
        ((3,), "ValueError: qubits must have shape (n,), got ()"),
        (([], [[0, 2]]), "ValueError: couplers must be working couplers of zephyr-1-"),
        (([], [[0, 2**31 + 24]]), "ValueError: couplers must be working couplers of zephyr-1-"),
        (([], [0, 24]), "ValueError: couplers must have shape (n, 2), got (2,)"),
    ],
)
def test_what_is_not_there_cannot_break(arguments, refusal, assert_refused):
    graph = WorkingGraph.perfect("zephyr", 1)
    assert [0, 24] in graph.couplers.tolist()
    assert_refused(lambda: graph.without(*arguments), refusal)


def test_the_message_says_which_qubit_or_coupler():
    graph = WorkingGraph.perfect("zephyr", 1).without([5])
    with pytest.raises(
        ValueError, match=f"^qubits must be working qubits of {graph.graph_id}, got 5$"
    ):
        graph.without([4, 5])
    with pytest.raises(
        ValueError, match=f"^couplers must be working couplers of {graph.graph_id}, got \\[4, 2\\]$"
    ):
        graph.without([], [[0, 24], [4, 2]])


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("chimera",), "ValueError: topology must be pegasus or zephyr, got 'chimera'"),
        (("pegasus", 1), "ValueError: size must be at least 2, got 1"),
        (("zephyr", 0), "ValueError: size must be at least 1, got 0"),
        (("zephyr", 41), "ValueError: size must be at most 40, got 41"),
        (("zephyr", 2.0), "TypeError: size must be an integer, got 2.0"),
    ],
)
def test_graphs_that_are_not_made(arguments, refusal, assert_refused):
    assert_refused(lambda: WorkingGraph.perfect(*arguments), refusal)


@pytest.mark.parametrize(("topology", "size"), SMALL)
def test_qubits_that_cross_are_coupled_and_qubits_in_a_line_touch(topology, size):
    graph = WorkingGraph.perfect(topology, size)
    bars, upright = Fabric.of(graph).bars(), Fabric.of(graph).place[:, 0] == 0
    (x, low), (left, y) = (bars[upright, 0].T, bars[~upright, 0].T)
    high, right = bars[upright, 1, 1], bars[~upright, 1, 0]
    crosses = (left < x[:, None]) & (x[:, None] < right) & (low[:, None] < y) & (y < high[:, None])
    vertical, horizontal = graph.qubits[upright], graph.qubits[~upright]
    crossings = {(int(vertical[i]), int(horizontal[k])) for i, k in np.argwhere(crosses)}
    ends = np.searchsorted(graph.qubits, graph.couplers)
    internal = upright[ends[:, 0]] != upright[ends[:, 1]]
    assert crossings == set(map(tuple, graph.couplers[internal].tolist()))
    line = Fabric.of(graph).place[ends, 1]
    external = ~internal & (line[:, 0] == line[:, 1])
    assert (bars[ends[external, 0], 1] == bars[ends[external, 1], 0]).all()
    lengths = np.abs(bars[:, 1] - bars[:, 0]).sum(axis=1)
    assert (lengths == {"pegasus": 12, "zephyr": 16}[topology]).all()
