"""Embeddings: how many copies of which size, valid by minorminer's own check, and their cache on
disk.
"""

import json
import os
from pathlib import Path

import networkx
import numpy as np
import pytest
from minorminer.utils.diagnostic import is_valid_embedding

from helpers.dwave.chips import defective
from isingprop.qpu.chip.fabric import Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed import embedding_cache
from isingprop.qpu.embed import find_copies as module
from isingprop.qpu.embed.embedding import Embedding
from isingprop.qpu.embed.embedding_cache import copies_of, stored_copies
from isingprop.qpu.embed.find_copies import find_copies
from isingprop.qpu.embed.lines import Lines


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An own cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "isingprop" / "embeddings"


@pytest.fixture
def no_search(monkeypatch):
    """Straight lines and crossing paths only."""
    monkeypatch.setattr(module, "_any_form", lambda *_: [])


@pytest.fixture(autouse=True)
def a_second_of_crossing_paths(monkeypatch):
    """The search for better copies ends early."""
    monkeypatch.setattr(module, "_MAX_WORK", 30_000)


def assert_valid(copies, graph, num_hidden, num_output):
    """By networkx and minorminer, which share no code with the package; and no qubit is in two
    copies.
    """
    network, target = networkx.complete_bipartite_graph(num_hidden, num_output), graph.to_networkx()
    for copy in copies:
        assert (len(copy.hidden), len(copy.output)) == (num_hidden, num_output)
        assert is_valid_embedding(dict(enumerate(copy.hidden + copy.output)), network, target)
    qubits = [qubit for copy in copies for qubit in copy.qubits]
    assert len(qubits) == len(set(qubits)) == sum(copy.num_qubits for copy in copies)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("topology", "hidden", "output", "copies", "qubits", "longest"),
    [
        ("pegasus", 120, 40, 4, 906, (4, 11)),
        ("zephyr", 120, 40, 5, 680, (3, 8)),
        ("zephyr", 40, 120, 5, 680, (8, 3)),
        ("zephyr", 121, 41, 4, 765, (4, 9)),
    ],
)
def test_the_papers_network_on_perfect_chips(topology, hidden, output, copies, qubits, longest):
    graph = WorkingGraph.perfect(topology)
    found = find_copies(graph, hidden, output)
    assert [copy.num_qubits for copy in found] == [qubits] * copies
    assert (found[0].max_chain_hidden, found[0].max_chain_output) == longest
    assert_valid(found, graph, hidden, output)


@pytest.mark.slow
@pytest.mark.usefixtures("no_search")
@pytest.mark.parametrize(
    ("graph", "hidden", "output", "copies", "most_qubits"),
    [
        (("zephyr", 12, 223, 95), 120, 40, 2, 870),  # as on Advantage2_system1
        (("zephyr", 12, 48, 40), 121, 41, 4, 790),
        (("zephyr", 6, 12, 10), 30, 10, 8, 70),
        (("pegasus", 8, 14, 10), 40, 20, 3, 190),
    ],
)
def test_chips_with_missing_qubits_and_couplers(graph, hidden, output, copies, most_qubits):
    graph = defective(*graph)
    found = find_copies(graph, hidden, output)
    assert len(found) >= copies
    sizes = [copy.num_qubits for copy in found]
    assert sizes == sorted(sizes)
    assert sizes[0] <= most_qubits
    assert sizes[-1] <= 1.5 * sizes[0]
    assert_valid(found, graph, hidden, output)


@pytest.mark.slow
@pytest.mark.usefixtures("no_search")
@pytest.mark.parametrize("seed", range(20))
def test_couplers_missing_almost_everywhere(seed):
    """Half of all rectangles lack a coupler; what is found is right all the same."""
    graph = defective("zephyr", 2, 8, 60, seed)
    found = find_copies(graph, 8, 6)
    assert len(found) >= 1
    assert_valid(found, graph, 8, 6)


@pytest.mark.usefixtures("no_search")
@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize(("hidden", "output"), [(40, 10), (10, 40)])
def test_both_orientations_are_tried(direction, hidden, output):
    graph = WorkingGraph.perfect("zephyr", 3)
    fabric = Fabric.of(graph)
    narrow = (fabric.place[:, 0] != direction) & ~np.isin(fabric.unit[fabric.place[:, 1]], [2, 3])
    graph = graph.without(graph.qubits[narrow])  # 56 lines in one direction, 16 in the other
    found = find_copies(graph, hidden, output)
    assert len(found) == 1
    assert_valid(found, graph, hidden, output)


@pytest.mark.slow
def test_a_network_of_two_spins_fills_the_chip():
    graph = WorkingGraph.perfect("zephyr", 1)
    found = find_copies(graph, 1, 1)
    assert_valid(found, graph, 1, 1)
    assert 22 <= len(found) <= 24


@pytest.mark.slow
def test_the_same_graph_has_the_same_copies():
    graph = defective("zephyr", 4, 10, 10)
    assert find_copies(graph, 20, 10) == find_copies(defective("zephyr", 4, 10, 10), 20, 10)


@pytest.mark.usefixtures("no_search")
@pytest.mark.parametrize(("hidden", "output"), [(60, 1), (1, 60)])
@pytest.mark.parametrize(
    "graph", [("pegasus", 4, 0, 0), ("zephyr", 3, 0, 0), ("pegasus", 4, 10, 20)]
)
def test_stars_help_where_one_spin_is_beside_more_than_a_straight_line_has(graph, hidden, output):
    graph = defective(*graph)
    assert Lines(graph).max_beside(1) < 60
    found = find_copies(graph, hidden, output)
    assert len(found) >= 2
    assert_valid(found, graph, hidden, output)
    assert {copy.max_chain_hidden if output == 1 else copy.max_chain_output for copy in found} == {
        1
    }
    centres = [copy.max_chain_output if output == 1 else copy.max_chain_hidden for copy in found]
    assert centres == sorted(centres)
    assert centres[-1] <= 1.5 * centres[0]


@pytest.mark.slow
def test_a_star_that_a_straight_line_has_stays_one():
    graph = WorkingGraph.perfect("pegasus", 4)
    assert Lines(graph).max_beside(1) >= 20
    assert len(find_copies(graph, 12, 1)) == 14  # stars leave room for 11
    found = find_copies(graph, 20, 1)
    for copy in found:
        place = Fabric.of(graph).place[np.searchsorted(graph.qubits, copy.output[0])]
        assert len(np.unique(place[:, :2], axis=0)) == 1  # one line


@pytest.mark.parametrize(("hidden", "output"), [(114, 1), (1, 114)])
def test_a_star_that_does_not_fit_is_told_the_largest_found(hidden, output):
    graph = WorkingGraph.perfect("pegasus", 3)
    wanted = f"got {hidden} and {output}; beside 1 spin at most 113 were found to fit$"
    with pytest.raises(ValueError, match=wanted):
        find_copies(graph, hidden, output)


def test_minorminer_helps_where_straight_lines_are_too_few():
    graph = WorkingGraph.perfect("zephyr", 2)
    assert Lines(graph).max_beside(2) == 32
    found = find_copies(graph, 100, 2)
    assert len(found) == 1
    assert_valid(found, graph, 100, 2)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ((49, 1), "ValueError: num_hidden must be at most 48, got 49"),
        ((1, 49), "ValueError: num_output must be at most 48, got 49"),
        ((0, 1), "ValueError: num_hidden must be at least 1, got 0"),
        ((1, 2.0), "TypeError: num_output must be an integer, got 2.0"),
        ((40, 9), "ValueError: num_hidden and num_output must fit on zephyr-1-"),
    ],
)
def test_networks_that_do_not_fit(arguments, refusal, assert_refused):
    assert_refused(lambda: find_copies(WorkingGraph.perfect("zephyr", 1), *arguments), refusal)


def test_a_network_that_does_not_fit_is_told_what_does(monkeypatch):
    monkeypatch.setattr(module, "_SEARCH_SECONDS", 0.1)
    graph = WorkingGraph.perfect("zephyr", 2)
    with pytest.raises(
        ValueError,
        match=r"got 40 and 32; beside 32 spins there is room for at most 12, beside 40 for at "
        r"most 0$",
    ):
        find_copies(graph, 40, 32)


@pytest.fixture(scope="module")
def small():
    """A graph, and what was found on it for 20 + 10 spins."""
    graph = WorkingGraph.perfect("zephyr", 3)
    return graph, find_copies(graph, 20, 10)


def test_an_embedding_knows_its_qubits():
    copy = Embedding(hidden=((3,), (4, 5)), output=((7, 8, 9), (1,)))
    assert copy.qubits == (3, 4, 5, 7, 8, 9, 1)
    assert (copy.num_qubits, copy.max_chain_hidden, copy.max_chain_output) == (7, 2, 3)


def spoil_overlap(copy):
    return Embedding((copy.hidden[0] + copy.hidden[1], *copy.hidden[1:]), copy.output)


def spoil_empty(copy):
    return Embedding(((), *copy.hidden[1:]), copy.output)


def spoil_disconnected(copy):
    longest = max(copy.output, key=len)
    rest = [chain for chain in copy.output if chain != longest]
    return Embedding(copy.hidden, (longest[:1] + longest[2:], *rest))


def spoil_uncoupled(copy):
    return Embedding(copy.hidden, tuple(chain[:1] for chain in copy.output))


def spoil_unknown(copy):
    return Embedding(((10**6,), *copy.hidden[1:]), copy.output)


@pytest.mark.parametrize(
    "spoil", [spoil_overlap, spoil_empty, spoil_disconnected, spoil_uncoupled, spoil_unknown]
)
def test_what_is_wrong_with_an_embedding_is_seen(small, spoil):
    graph, [copy, *_] = small
    assert copy.fits(graph)
    assert not spoil(copy).fits(graph)


@pytest.mark.slow
def test_an_embedding_does_not_fit_a_graph_without_one_of_its_qubits_or_couplers():
    graph = WorkingGraph.perfect("zephyr", 2)
    [copy, *_] = find_copies(graph, 18, 4)
    owner = {qubit: k for k, chain in enumerate(copy.hidden + copy.output) for qubit in chain}
    assert not any(copy.fits(graph.without([qubit])) for qubit in owner)
    inside = across = 0
    for u, v in graph.couplers.tolist():
        mine = u in owner and v in owner
        joins = mine and owner[u] == owner[v]
        couples = mine and (owner[u] < 18) != (owner[v] < 18)
        assert copy.fits(graph.without([], [[u, v]])) != (joins or couples)
        inside, across = inside + joins, across + couples
    assert across == 18 * 4
    assert inside == copy.num_qubits - 18 - 4 > 0


def forbid_searching(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("searched again")

    monkeypatch.setattr(embedding_cache, "search", fail)


@pytest.mark.slow
def test_the_second_time_copies_come_from_the_cache(cache, small, monkeypatch):
    graph, found = small
    assert stored_copies(graph, 20, 10) is None
    assert copies_of(graph, 20, 10) == found
    forbid_searching(monkeypatch)
    assert copies_of(graph, 20, 10) == stored_copies(graph, 20, 10) == found
    assert [path.suffix for path in cache.iterdir()] == [".json"]


@pytest.mark.slow
def test_the_key_is_all_that_the_copies_follow_from(cache, small, monkeypatch):
    graph, _ = small
    copies = copies_of(graph, 20, 10)
    assert stored_copies(graph, 10, 20) is None
    assert stored_copies(graph.without([0]), 20, 10) is None
    renamed = WorkingGraph(
        graph.topology, graph.shape, graph.qubits, graph.couplers, "another name"
    )
    assert stored_copies(renamed, 20, 10) == copies
    broken = graph.without([0])
    same_name = WorkingGraph(
        broken.topology, broken.shape, broken.qubits, broken.couplers, graph.graph_id
    )
    assert stored_copies(same_name, 20, 10) is None
    monkeypatch.setattr(embedding_cache, "ALGORITHM", 0)
    assert stored_copies(graph, 20, 10) is None


def change(path, function):
    content = json.loads(path.read_bytes())
    path.write_text(json.dumps(function(content)))


def with_first_qubit(qubit):
    def replace(content):
        content["copies"][0]["hidden"][0][0] = qubit
        return content

    return replace


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        lambda path: path.write_bytes(b"\xff" * 100),
        lambda path: path.write_text("[" * 100_000),
        lambda path: change(path, lambda _: []),
        lambda path: change(path, lambda content: {**content, "copies": []}),
        lambda path: change(
            path, lambda content: {**content, "copies": content["copies"] + content["copies"][:1]}
        ),
        lambda path: change(
            path, lambda content: {**content, "copies": [{"hidden": [[0]], "output": [[1]]}]}
        ),
        lambda path: change(path, with_first_qubit(10**6)),
        lambda path: change(path, with_first_qubit(2**80)),
        lambda path: change(path, with_first_qubit(0.5)),
        lambda path: change(path, lambda content: {**content, "key": [0, "another graph", 20, 10]}),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_damaged_file_is_ignored_and_written_again(cache, small, damage):
    graph, found = small
    copies_of(graph, 20, 10)
    [path] = cache.iterdir()
    whole = path.read_bytes()
    damage(path)
    assert stored_copies(graph, 20, 10) is None
    assert copies_of(graph, 20, 10) == found
    if path.is_file():  # a folder in its place stays
        assert path.read_bytes() == whole


@pytest.mark.parametrize("obstacle", ["file", "read-only"])
def test_a_cache_that_cannot_be_written_does_not_stop_the_work(cache, small, obstacle):
    if obstacle == "file":
        cache.parent.mkdir()
        cache.write_text("a file where the folder should be")
    elif os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    else:
        cache.mkdir(parents=True)
        cache.chmod(0o500)
    graph, found = small
    assert copies_of(graph, 20, 10) == found
    assert stored_copies(graph, 20, 10) is None


@pytest.mark.slow
def test_importing_isingprop_loads_nothing_for_chips(python):
    names = "('dimod', 'dwave', 'networkx', 'minorminer', 'matplotlib', 'scipy')"
    result = python(
        f"import isingprop, sys; print([name for name in {names} if name in sys.modules])"
    )
    assert result.stdout == "[]\n", result.stderr


def test_the_cache_is_the_users(cache):
    assert Path(os.environ["XDG_CACHE_HOME"]) / "isingprop" / "embeddings" == cache
