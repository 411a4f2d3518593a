"""Division of a graph into two layers."""

import re
import unittest
from itertools import pairwise

import dimod
import dimod.testing
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from helpers.samplers.dimod_models import BOTH, lattice, random_edges
from isingprop.dimod import AnnealingSampler, TemperingSampler
from isingprop.samplers.as_dimod import two_colouring as two_colouring_module
from isingprop.samplers.as_dimod.two_colouring import two_colouring


@dimod.testing.load_sampler_bqm_tests(AnnealingSampler)
class TestAnnealingSampler(unittest.TestCase):
    """dimod's own tests."""


@dimod.testing.load_sampler_bqm_tests(TemperingSampler)
class TestTemperingSampler(unittest.TestCase):
    """dimod's own tests."""


# Colouring


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (4, 4), (7, 3)])
def test_complete_graphs_are_divided_as_the_search_would(sizes, monkeypatch):
    """The search is asked for the same graph, too; and with one edge less, or one within a class,
    there is no short cut.
    """
    names = np.random.default_rng(1).permutation(sum(sizes))
    i, a = np.indices(sizes).reshape(2, -1)
    ends = np.sort([names[i], names[sizes[0] + a]], axis=0)[:, ::-1]
    direct = two_colouring_module._complete_classes(sum(sizes), ends)
    assert direct is not None
    assert two_colouring_module._complete_classes(sum(sizes), ends[:, 1:]) is None
    if sizes[0] > 2:
        inside = np.sort(names[:2])[:, None]
        more = np.concatenate([ends[:, 1:], inside], axis=1)
        assert two_colouring_module._complete_classes(sum(sizes), more) is None

    monkeypatch.setattr(two_colouring_module, "_complete_classes", lambda *_: None)
    for ours, searched in zip(direct, two_colouring(range(sum(sizes)), ends), strict=True):
        np.testing.assert_array_equal(ours, searched)


@pytest.mark.slow
@given(st.integers(0, 2**32), st.integers(0, 40), st.floats(0, 0.3))
@settings(derandomize=True, database=None, deadline=None, max_examples=200)
def test_two_colourable_graphs_are_divided(seed, num_variables, density):
    ends = random_edges(np.random.default_rng(seed), num_variables, density)
    first, second = two_colouring(range(num_variables), ends)
    assert sorted([*first, *second]) == list(range(num_variables))
    layer = np.zeros(num_variables, int)
    layer[second] = 1
    assert (layer[ends[0]] != layer[ends[1]]).all()
    assert len(second) > 0 or num_variables < 2
    graph = coo_array((np.ones(ends.shape[1]), ends), shape=(num_variables, num_variables))
    number, component = connected_components(graph) if num_variables else (0, np.zeros(0, int))
    balance = np.bincount(component, weights=1 - 2 * layer)
    if number < num_variables:  # isolated variables only are a case of their own
        assert (balance >= 0).all(), "the smaller class of a component goes to the second layer"


@pytest.mark.slow
@given(st.integers(0, 2**32), st.integers(3, 12), st.floats(0, 1))
@settings(derandomize=True, database=None, deadline=None, max_examples=200)
def test_other_graphs_are_refused_with_an_odd_cycle_of_theirs(seed, num_variables, density):
    random = np.random.default_rng(seed)
    edges = {(u, v) for u in range(num_variables) for v in range(u) if random.random() < density}
    length = 2 * random.integers(1, (num_variables + 1) // 2) + 1
    odd = random.permutation(num_variables)[:length].tolist()
    edges |= {(max(pair), min(pair)) for pair in zip(odd, odd[1:] + odd[:1], strict=True)}
    with pytest.raises(
        ValueError, match="bqm must be two-colourable, got an odd cycle: "
    ) as caught:
        two_colouring(range(num_variables), np.array(sorted(edges)).T)
    [cycle] = re.findall(
        r"cycle: ([-\d ]*); dwave.samplers.SimulatedAnnealingSampler takes any", str(caught.value)
    )
    shown = [int(name) for name in cycle.split(" - ")]
    assert shown[0] == shown[-1]
    assert len(shown) % 2 == 0
    assert len(set(shown)) == len(shown) - 1
    assert all((max(pair), min(pair)) in edges for pair in pairwise(shown))


@pytest.mark.parametrize(
    ("length", "cycle"),
    [
        (3, "'x0' - 'x1' - 'x2' - 'x0'"),
        (11, " - ".join(f"'x{k % 11}'" for k in range(12))),
        (
            13,
            "'x0' - 'x1' - 'x2' - 'x3' - 'x4' - 'x5' - ... - 'x8' - 'x9' - 'x10' - 'x11' - 'x12' "
            "- 'x0'",
        ),
        (
            9999,
            "'x0' - 'x1' - 'x2' - 'x3' - 'x4' - 'x5' - ... - 'x9994' - 'x9995' - 'x9996' - "
            "'x9997' - 'x9998' - 'x0'",
        ),
    ],
)
def test_a_long_cycle_is_shown_by_its_ends(length, cycle):
    ring = dimod.BinaryQuadraticModel.from_ising(
        {}, {(f"x{k}", f"x{(k + 1) % length}"): 1 for k in range(length)}
    )
    with pytest.raises(ValueError, match="two-colourable") as caught:
        AnnealingSampler().sample(ring)
    assert f"got an odd cycle: {cycle}; dwave" in str(caught.value)


@BOTH
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_an_interaction_of_bias_zero_is_no_edge(sampler, vartype):
    bqm = dimod.BinaryQuadraticModel({"a": 1.0}, {"ab": -2.0, "bc": 1.0, "ca": 0.0}, 0.0, vartype)
    assert (
        sampler.sample(bqm, num_reads=5, seed=0).first.energy
        == dimod.ExactSolver().sample(bqm).first.energy
    )


@pytest.mark.parametrize(("sizes", "span"), [((60, 60), 30), ((12, 12, 12), 60)])
def test_neighbours_are_close_in_their_layers(sizes, span):
    """Cuthill & McKee's levels are the diagonals from a corner; those from elsewhere are longer."""
    vectors = lattice(*sizes).to_numpy_vectors(sort_labels=False)
    ends = np.array(vectors.quadratic[:2])
    places = np.empty(vectors.linear_biases.size, int)
    for layer in two_colouring(range(len(places)), ends):
        places[layer] = np.arange(len(layer))
    assert np.abs(places[ends[0]] - places[ends[1]]).max() == span
