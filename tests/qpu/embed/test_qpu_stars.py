"""Stars: valid by networkx, as large as claimed, near the best there is; and what a chip makes of
one.
"""

from itertools import combinations

import dimod
import networkx
import numpy as np
import pytest

import isingprop as ip
from helpers import oracle
from helpers.dwave.chips import defective
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.lines import Lines
from isingprop.qpu.embed.stars import Stars, diameter

# Two hubs, 0 and 4, with 4 private neighbours each, joined by the path 0 - 10 - 14 - 4; twigs on
# one neighbour of each.
HUBS = {0: (1, 2, 3, 5, 10), 4: (6, 7, 8, 9, 14), 10: (14,), 1: (11, 12), 6: (15, 16)}


def chip(couplings):
    """A chip whose qubits are coupled as said, {qubit: others}; no topology has such a one."""
    pairs = np.array([(u, v) for u, others in couplings.items() for v in others])
    return WorkingGraph("zephyr", (1, 4), np.unique(pairs), np.sort(pairs, axis=1), "made-up")


def most_leaves(graph):
    """Of all stars, by enumeration of all centres."""
    network = networkx.Graph(graph.couplers.tolist())
    most = 0
    for size in range(1, len(network)):
        for centre in combinations(network, size):
            if networkx.is_connected(network.subgraph(centre)):
                most = max(most, len(set().union(*map(network.neighbors, centre)) - set(centre)))
    return most


def ground_energies(problem):
    """Of stars: for both values of the centre, each leaf does what is best for itself."""
    centre, leaves = sorted(
        (problem.hidden_fields, problem.output_fields), key=lambda fields: fields.shape[1]
    )
    pulls = [leaves + value * problem.couplings.ravel() for value in (-1, 1)]
    return np.minimum(
        *(
            value * centre[:, 0] - np.abs(pull).sum(1)
            for value, pull in zip((-1, 1), pulls, strict=True)
        )
    )


def assert_star(star, graph):
    network = (
        graph.to_networkx()
        if graph.graph_id != "made-up"
        else networkx.Graph(graph.couplers.tolist())
    )
    centre, leaves = set(star.centre), set(star.leaves)
    assert (len(centre), len(leaves)) == (len(star.centre), len(star.leaves))
    assert not centre & leaves
    assert networkx.is_connected(network.subgraph(centre))
    assert all(centre & set(network[leaf]) for leaf in leaves)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("topology", "size", "num_leaves", "longest"),
    [
        ("pegasus", 16, 548, 43),  # the paper's network
        ("pegasus", 16, 654, 51),  # the paper's largest
        ("pegasus", 16, 5000, 455),
        ("zephyr", 15, 548, 33),
        ("zephyr", 15, 834, 50),  # the paper's largest
        ("zephyr", 15, 6500, 445),
    ],
)
def test_the_papers_stars_and_larger_ones(topology, size, num_leaves, longest):
    """A qubit has 15 or 20 couplers, two of which hold the centre together: it cannot be much
    shorter.
    """
    graph = WorkingGraph.perfect(topology, size)
    star = Stars(graph).find(num_leaves)
    assert_star(star, graph)
    assert len(star.leaves) == num_leaves
    at_least = (num_leaves - 2) / (13 if topology == "pegasus" else 18)
    assert at_least <= len(star.centre) <= longest


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["pegasus", "zephyr"])
def test_chips_with_missing_qubits_and_couplers(topology):
    graph = defective(topology, 4, 20, 100)
    largest = Stars(graph).largest()
    assert_star(largest, graph)
    assert len(largest.leaves) > 0.75 * len(graph.qubits)
    assert Stars(graph).find(len(largest.leaves) + 1) is None
    for num_leaves in (1, 20, 50, 100, len(largest.leaves)):
        star = Stars(graph).find(num_leaves)
        assert_star(star, graph)
        assert len(star.leaves) == num_leaves
        assert len(star.centre) <= len(largest.centre)


@pytest.mark.parametrize("seed", range(10))
def test_small_stars_are_within_one_leaf_of_the_largest(seed):
    random = np.random.default_rng(seed)
    pairs = np.array(list(combinations(range(10), 2)))
    graph = WorkingGraph(
        "zephyr", (1, 4), np.arange(10), pairs[random.random(45) < 0.25], "made-up"
    )
    star = Stars(graph).largest()
    assert_star(star, graph)
    assert most_leaves(graph) - 1 <= len(star.leaves) <= most_leaves(graph)


def test_the_way_to_more_leaves_leads_through_qubits_that_add_none():
    star = Stars(chip(HUBS)).largest()
    assert set(star.centre) == {0, 1, 4, 6, 10, 14}
    assert set(star.leaves) == {2, 3, 5, 7, 8, 9, 11, 12, 15, 16}


def test_what_is_not_needed_is_no_part_of_the_centre():
    """The twigs come first, since they add leaves at once; with both hubs one can do
    without them.
    """
    star = Stars(chip(HUBS)).find(8)
    assert set(star.centre) == {0, 4, 10, 14}
    tail = Stars(chip({0: (1, 2, 3, 4), 4: (5,), 5: (6,)})).largest()
    assert (tail.centre, tail.leaves) == ((0,), (1, 2, 3, 4))


def test_a_chip_without_couplers_has_no_leaves():
    graph = WorkingGraph("zephyr", (1, 4), np.array([3, 4]), np.empty((0, 2), np.int64), "made-up")
    assert Stars(graph).largest() == ((3,), ())
    assert Stars(graph).find(1) is None


def test_what_is_taken_away_is_as_if_broken():
    graph = WorkingGraph.perfect("zephyr", 2)
    stars = Stars(graph)
    for _ in range(3):
        star = stars.find(30)
        assert star == Stars(graph).find(30)
        assert_star(star, graph)
        stars.remove(star.centre + star.leaves)
        graph = graph.without(star.centre + star.leaves)
    assert stars.largest() == Stars(graph).largest()
    stars.remove(tuple(graph.qubits.tolist()))
    assert stars.find(1) is None


def test_the_diameter_is_that_of_the_chain_alone():
    graph = chip({0: (1, 5), 1: (2,), 2: (3,), 3: (4,), 4: (5,), 5: (6,)})
    assert diameter(graph, (4, 3, 2, 1, 0)) == 4  # by way of 5 it would be 2
    assert diameter(graph, (0, 1, 2, 3, 4, 5)) == 3
    assert diameter(graph, (6,)) == 0


@pytest.mark.parametrize("hidden_are_leaves", [True, False])
def test_a_chip_samples_a_star_and_its_energy_is_the_logical_one_less_that_of_the_chain(
    tmp_path, hidden_are_leaves
):
    device = ip.EmulatedQPU("pegasus", 3)
    graph = WorkingGraph.of(device)
    num_hidden, num_output = (60, 1) if hidden_are_leaves else (1, 60)
    assert Lines(graph).max_beside(1) < 60
    problem = oracle.random_problem(num_hidden, num_output, num_problems=2, seed=3)
    qpu = ip.DWave(solver=device, scale=0.5, chain_strength=1.5, record=tmp_path)
    [copy] = qpu.copies(num_hidden, num_output)
    chain = set((copy.output if hidden_are_leaves else copy.hidden)[0])
    inside = int(np.isin(graph.couplers, list(chain)).all(axis=1).sum())
    assert inside >= len(chain) - 1 > 0
    call, h, j = qpu.first_request(problem, 5, seed=0)
    lowest = qpu.sample(problem, num_reads=20, seed=0).lowest().energies[:, 0]
    assert lowest == pytest.approx(ground_energies(problem), abs=1e-4)
    for spins in oracle.random_spins(1, 10, 61)[0]:
        physical = dimod.BinaryQuadraticModel.from_ising(h, j).energy(
            dict(
                zip(
                    call.qubits.tolist(),
                    np.repeat(spins, call.chain_lengths.ravel()).tolist(),
                    strict=True,
                )
            )
        )
        logical = problem.energies(np.broadcast_to(spins, (2, 1, 61)))[
            0, 0
        ]  # the one copy has the first problem
        assert physical + 0.5 * 1.5 * inside == pytest.approx(0.5 * logical, abs=1e-12)
