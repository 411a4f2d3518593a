"""Which models are dense networks of two layers."""

import numpy as np
import pytest

from helpers.samplers.dimod_models import frustrated, glass, lattice, network
from isingprop.samplers.as_dimod.spin_model import spin_model_of
from isingprop.samplers.as_dimod.two_colouring import layers_of


def bipartite(sizes, *, seed=0, share=1.0):
    """Some pairs of two layers whose variables are numbered at random."""
    random = np.random.default_rng(seed)
    names = random.permutation(sum(sizes))
    i, a = np.indices(sizes).reshape(2, -1)
    ends = np.stack([names[i], names[sizes[0] + a]], axis=1)
    ends = random.permuted(ends, axis=1)[random.permutation(len(ends))]
    return ends[: round(share * len(ends))], names


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (5, 1), (4, 4), (7, 3), (40, 120)])
@pytest.mark.parametrize("share", [1.0, 0.8])
def test_a_dense_network_has_two_layers(sizes, share):
    if share < 1 and min(sizes) < 7:
        pytest.skip("where few couplings are left, a variable may have none")
    ends, _ = bipartite(sizes, share=share)
    random = np.random.default_rng(1)
    couplings, fields = random.normal(size=len(ends)), random.normal(size=sum(sizes))
    layers = layers_of(ends, couplings, fields)
    assert layers.couplings.shape == (max(sizes), min(sizes))
    np.testing.assert_array_equal(np.sort(layers.slots), np.arange(sum(sizes)))
    np.testing.assert_array_equal(layers.fields[layers.slots], fields)

    # The order within a layer is that of the variables, and the layers are the classes.
    hidden = np.sort(layers.slots[ends], axis=1)
    np.testing.assert_array_equal(
        layers.couplings[hidden[:, 0], hidden[:, 1] - max(sizes)], couplings
    )
    assert np.count_nonzero(layers.couplings) == len(ends)
    for members in (layers.slots < max(sizes), layers.slots >= max(sizes)):
        assert (np.diff(layers.slots[members]) == 1).all()


def test_of_classes_of_one_size_that_of_the_first_variable_is_hidden():
    ends, _ = bipartite((6, 6), seed=3)
    assert layers_of(ends, np.ones(36), np.zeros(12)).slots[0] == 0


def network_with_one_more(bias):
    """A network and an interaction within a layer, whose variables all have the same degree."""
    model = network()
    u, v, *_ = (u for u in model.variables if model.degree(u) == model.degree("0"))
    model.add_quadratic(u, v, bias)
    return model


@pytest.mark.parametrize("model", [lattice(8, 8), glass(), frustrated(), network_with_one_more(1)])
def test_other_models_have_no_layers(model):
    assert spin_model_of(model).layers is None


def test_an_interaction_of_bias_zero_is_no_coupling():
    assert spin_model_of(network_with_one_more(0)).layers is not None


def test_a_network_loses_its_layers_with_half_of_its_couplings():
    ends, _ = bipartite((30, 20))
    couplings, fields = np.ones(len(ends)), np.zeros(50)
    assert layers_of(ends[:300], couplings[:300], fields) is not None
    assert layers_of(ends[:299], couplings[:299], fields) is None


def test_a_network_beside_a_variable_has_no_layers():
    ends, _ = bipartite((5, 4))
    assert layers_of(ends, np.ones(20), np.zeros(9)) is not None
    assert layers_of(ends, np.ones(20), np.zeros(10)) is None
