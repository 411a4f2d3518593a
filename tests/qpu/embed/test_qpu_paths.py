"""Crossing paths: the fewest nodes by networkx, chains valid by minorminer, more copies on real
chips than straight lines give, and a search that loses nothing when it is ended.
"""

import itertools

import networkx
import numpy as np
import pytest
from minorminer.utils.diagnostic import is_valid_embedding

from helpers.dwave.chips import defective
from isingprop.qpu.chip.chip_file import ChipDescription
from isingprop.qpu.chip.fabric import HORIZONTAL, VERTICAL
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed import embedding_cache
from isingprop.qpu.embed import find_copies as search_module
from isingprop.qpu.embed.contacts import Contacts
from isingprop.qpu.embed.crossing_paths import CrossingPaths
from isingprop.qpu.embed.disjoint_paths import disjoint_paths
from isingprop.qpu.embed.embedding import Embedding
from isingprop.qpu.embed.embedding_cache import copies_of, stored_copies
from isingprop.qpu.embed.find_copies import find_copies, search
from isingprop.qpu.embed.line_packing import line_packing
from isingprop.qpu.embed.lines import Lines, Rectangle


def fewest_by_networkx(edges, cost, first, last, number):
    """The min total cost of disjoint paths, as a flow through two halves of each node."""
    flow = networkx.DiGraph()
    flow.add_node("begin", demand=-number)
    flow.add_node("end", demand=number)
    for node, weight in enumerate(cost.tolist()):
        flow.add_edge((node, "in"), (node, "out"), capacity=1, weight=weight)
        if first[node]:
            flow.add_edge("begin", (node, "in"), capacity=1, weight=0)
        if last[node]:
            flow.add_edge((node, "out"), "end", capacity=1, weight=0)
    for u, v in edges.tolist():
        flow.add_edge((u, "out"), (v, "in"), capacity=1, weight=0)
    try:
        return networkx.min_cost_flow_cost(flow)
    except networkx.NetworkXUnfeasible:
        return None


@pytest.mark.parametrize("seed", range(12))
def test_disjoint_paths_cost_as_little_as_a_flow(seed):
    random = np.random.default_rng(seed)
    pairs = random.integers(14, size=(30, 2))
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    edges = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    cost, number = random.integers(1, 9, size=14), int(random.integers(1, 5))
    first, last = random.random((2, 14)) < 0.4

    paths = disjoint_paths(edges, cost.astype(float), first, last, number)
    fewest = fewest_by_networkx(edges, cost, first, last, number)
    assert (paths is None) == (fewest is None)
    if paths is not None:
        nodes = np.concatenate(paths)
        assert len(paths) == number
        assert len(np.unique(nodes)) == len(nodes)
        assert cost[nodes].sum() == fewest
        known = set(map(tuple, edges.tolist()))
        for path in paths:
            assert first[path[0]]
            assert last[path[-1]]
            assert set(itertools.pairwise(path.tolist())) <= known


def test_some_of_these_graphs_have_no_such_paths():
    edges, all_nodes = np.array([[0, 1], [2, 1]]), np.ones(3, dtype=bool)
    last = np.array([False, True, False])
    assert disjoint_paths(edges, np.ones(3), ~last, last, 1) is not None
    assert disjoint_paths(edges, np.ones(3), ~last, last, 2) is None
    assert disjoint_paths(edges, np.ones(3), ~last, np.array([True, True, False]), 2) is not None
    assert len(disjoint_paths(edges, np.ones(3), all_nodes, all_nodes, 3)) == 3


def assert_valid(copy, graph, num_hidden, num_output):
    network = networkx.complete_bipartite_graph(num_hidden, num_output)
    chains = dict(enumerate(copy.hidden + copy.output))
    assert is_valid_embedding(chains, network, graph.to_networkx())


@pytest.mark.slow
def test_paths_pass_broken_qubits_that_end_straight_lines():
    ended = 0
    for seed, direction in itertools.product(range(6), (VERTICAL, HORIZONTAL)):
        graph = defective("zephyr", 4, 26, 20, seed)
        where = Rectangle(direction, (1, 8), (1, 5))
        chains = CrossingPaths(graph).biclique(where, 44, 26)
        assert chains is not None
        assert_valid(Embedding(*chains), graph, 44, 26)
        ended += Lines(graph).biclique(where, 44, 26) is None
    assert ended == 6


def test_a_path_goes_round_a_broken_qubit():
    graph = WorkingGraph.perfect("zephyr", 3)
    where = Rectangle(VERTICAL, (1, 6), (1, 3))
    straight = CrossingPaths(graph).biclique(where, 30, 14)
    broken = straight[1][0][1]
    hidden, output = CrossingPaths(graph.without([broken])).biclique(where, 30, 14)
    assert broken not in itertools.chain(*hidden, *output)
    assert_valid(Embedding(hidden, output), graph.without([broken]), 30, 14)


def contacts(graph, copy, free):
    """Contacts of a copy whose chains are numbered like the graph's qubits."""
    sides = [[np.searchsorted(graph.qubits, chain) for chain in side] for side in copy]
    mask = np.append(np.isin(graph.qubits, free), False)
    return Contacts(graph.neighbours(), mask, *sides)


def test_a_missing_coupler_takes_another_way():
    graph = WorkingGraph.perfect("zephyr", 3)
    copy = CrossingPaths(graph).biclique(Rectangle(VERTICAL, (1, 4), (1, 3)), 20, 12)
    used = np.array(Embedding(*copy).qubits)
    first, last = set(copy[0][0]), set(copy[1][0])
    [coupler] = [
        pair
        for pair in graph.couplers.tolist()
        if len(first & set(pair)) == 1 and len(last & set(pair)) == 1
    ]
    graph = graph.without([], [coupler])
    assert not Embedding(*copy).fits(graph)

    helpless = contacts(graph, copy, used)
    assert helpless.missing().tolist() == [[0, 20]]
    assert not helpless.complete()

    helped = contacts(graph, copy, graph.qubits)
    assert helped.complete()
    assert len(helped.missing()) == 0
    chains = tuple(tuple(graph.qubits[chain].tolist()) for chain in helped.chains)
    longer = Embedding(chains[:20], chains[20:])
    assert longer.fits(graph)
    assert 0 < longer.num_qubits - len(used) <= 4


def test_what_is_pruned_was_needless_and_what_is_left_is_not():
    graph = WorkingGraph.perfect("zephyr", 2)
    hidden, output = CrossingPaths(graph).biclique(Rectangle(VERTICAL, (1, 3), (1, 4)), 12, 10)
    spare = np.setdiff1d(graph.qubits, Embedding(hidden, output).qubits)
    ends = graph.couplers[np.isin(graph.couplers, hidden[0]).sum(axis=1) == 1]
    beside = next(qubit for qubit in spare.tolist() if (ends == qubit).any())
    padded = contacts(graph, ((*hidden[:0], (*hidden[0], beside), *hidden[1:]), output), spare)
    padded.prune()

    chains = tuple(tuple(graph.qubits[chain].tolist()) for chain in padded.chains)
    left = Embedding(chains[:12], chains[12:])
    assert beside not in left.qubits
    assert left.fits(graph)
    for side, other in ((left.hidden, left.output), (left.output, left.hidden)):
        for k, chain in enumerate(side):
            for qubit in chain:
                shorter = tuple(each for each in chain if each != qubit)
                less = (*side[:k], shorter, *side[k + 1 :])
                pair = (less, other) if side is left.hidden else (other, less)
                assert not shorter or not Embedding(*pair).fits(graph)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chip", "hidden", "output", "work", "by_lines", "copies", "longest"),
    [
        ("advantage2_system1", 120, 40, 160_000, 0, 3, 13),
        ("advantage_system4.1", 120, 40, 40_000, 4, 4, 11),
        ("advantage2_system1", 60, 20, 240_000, 10, 12, 10),
    ],
)
def test_real_chips_hold_more_copies(
    chip, hidden, output, work, by_lines, copies, longest, monkeypatch
):
    """By a fraction of the work of a whole search."""
    monkeypatch.setattr(search_module, "_MAX_WORK", work)
    graph = ChipDescription.of(chip).graph
    assert len(line_packing(graph, hidden, output)) == by_lines
    found = find_copies(graph, hidden, output)
    assert len(found) >= copies
    assert max(copy.max_chain for copy in found) <= longest
    assert all(copy.fits(graph) for copy in found)
    qubits = [qubit for copy in found for qubit in copy.qubits]
    assert len(set(qubits)) == len(qubits)
    assert_valid(found[-1], graph, hidden, output)


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """A chip for a short search, with an own cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(search_module, "_MAX_WORK", 20_000)
    return defective("zephyr", 3, 10, 8)


def test_a_search_that_was_ended_goes_on_to_the_same_copies(damaged):
    whole = list(search(damaged, 20, 10))
    assert len(whole) > 3
    assert whole[-1].is_final
    assert not whole[-2].is_final
    ranks = [(-len(found.copies), max(copy.max_chain for copy in found.copies)) for found in whole]
    assert ranks == sorted(ranks, reverse=True)
    for stop in (1, 2, len(whole) - 1):
        *_, resumed = search(damaged, 20, 10, known=whole[stop - 1])
        assert resumed.copies == whole[-1].copies
        assert resumed.tried >= whole[-1].tried


def test_what_a_search_found_before_ctrl_c_is_kept(damaged, monkeypatch):
    real = search_module.PathPacking.improve
    packings = itertools.count()

    def improve(packing):
        if next(packings) == 2:
            raise KeyboardInterrupt
        real(packing)

    monkeypatch.setattr(search_module.PathPacking, "improve", improve)
    with pytest.raises(KeyboardInterrupt):
        copies_of(damaged, 20, 10)
    assert stored_copies(damaged, 20, 10) is None  # it is not final
    assert embedding_cache._stored(damaged, 20, 10).tried == 2

    monkeypatch.setattr(search_module.PathPacking, "improve", real)
    assert copies_of(damaged, 20, 10) == find_copies(damaged, 20, 10)
    assert stored_copies(damaged, 20, 10) == find_copies(damaged, 20, 10)


def test_seconds_go_on_beyond_what_is_stored(damaged):
    copies_of(damaged, 20, 10)
    before = embedding_cache._stored(damaged, 20, 10)
    copies = copies_of(damaged, 20, 10, seconds=0.2)
    after = embedding_cache._stored(damaged, 20, 10)
    assert after.tried > before.tried
    assert after.copies == copies
    assert len(copies) >= len(before.copies)
    assert copies_of(damaged, 20, 10) == copies


def test_no_seconds_are_no_packing_with_paths(damaged):
    *_, found = search(damaged, 20, 10, seconds=0.0)
    assert found.tried == 0
    assert found.copies == sorted(line_packing(damaged, 20, 10), key=lambda copy: copy.num_qubits)


def test_a_chip_without_defects_has_straight_lines_only():
    [found] = search(WorkingGraph.perfect("zephyr", 3), 30, 10)
    assert found.is_final
    assert found.tried == 0
