"""The learning rule of deep networks, learning rates and refusals."""

from itertools import pairwise

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.learning_cases import RATE, STEP, copies, phases, weighted
from isingprop import LayeredNetwork, LearningRates, gradient
from isingprop.network.bipartite import PARAMETERS
from isingprop.training.learning_rule import (
    layered_gradient,
    update_in_place,
)

# Input weights, couplings, hidden biases, outputs' bias: binary fractions, so that sums are exact,
# each another.
DEEP_RATES = np.float32([0.5, 0.25, 0.125, 2.0])

DEEP_SIZES = [(3, 2), (3, 4, 2), (4, 3, 5, 2)]


def deep_network(sizes, num_inputs=4):
    random = np.random.default_rng([*sizes])
    shapes = (sizes[0], num_inputs), [*pairwise(sizes)], [(size,) for size in sizes]
    drawn = [oracle.on_grid(random.normal(size=shapes[0]))]
    drawn += [
        [oracle.on_grid(random.normal(size=shape)) for shape in group] for group in shapes[1:]
    ]
    return LayeredNetwork(*drawn, num_classes=2)


def rate_of(name, sizes):
    kinds = {"input_weights": 0, f"bias_{len(sizes)}": 3}
    return float(DEEP_RATES[kinds.get(name, 1 if name.startswith("couplings") else 2)])


@pytest.mark.parametrize("num_reads", [(4, 4), (4, 1), (1, 1)])
@pytest.mark.parametrize(
    ("sizes", "layer"), [(sizes, k) for sizes in DEEP_SIZES for k in (None, *range(1, len(sizes)))]
)
def test_layers_move_along_the_finite_difference_of_the_energy_difference(
    kernel, sizes, layer, num_reads
):
    """Of mean E[free] - mean E[nudged] of whole states; those of two layers by themselves, the
    others untouched.
    """
    network, images = deep_network(sizes), oracle.on_grid(np.random.default_rng(0).random((2, 4)))
    free, nudged = phases(2, *num_reads, sum(sizes))

    def difference():
        return (
            network.energies(images, free.spins).mean()
            - network.energies(images, nudged.spins).mean()
        )

    slopes = {}
    for name, array in network.parameters().items():
        slopes[name] = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            array[index] += STEP
            above = difference()
            array[index] -= 2 * STEP
            slopes[name][index] = (above - difference()) / (2 * STEP)
            array[index] += STEP
    where = slice(None) if layer is None else network.active(layer)
    states = [np.ascontiguousarray(each.spins[..., where]) for each in (free, nudged)]
    before, energy = (
        copies(network),
        [network.energies(images, each.spins).mean() for each in (free, nudged)],
    )
    update_in_place(network, images, *states, DEEP_RATES, layer=layer)
    moved = set(network.parameters())
    if layer is not None:
        moved = {f"couplings_{layer}", f"bias_{layer}", f"bias_{layer + 1}"} | (
            {"input_weights"} if layer == 1 else set()
        )
    for name, array in network.parameters().items():
        if name in moved:
            np.testing.assert_array_equal(
                array - before[name], rate_of(name, sizes) * slopes[name], err_msg=name
            )
            assert slopes[name].any(), name
        else:
            assert tolerances.same_bits(array, before[name]), name
    now = [network.energies(images, each.spins).mean() for each in (free, nudged)]
    assert now[0] - energy[0] > now[1] - energy[1], "free states go up against nudged ones"
    if layer is None:
        bits = copies(network)
        by_name = layered_gradient(network, images, free, nudged)
        assert list(by_name) == list(slopes)
        for name, slope in by_name.items():
            np.testing.assert_array_equal(slope, slopes[name], err_msg=name)
            assert tolerances.same_bits(network.parameters()[name], bits[name]), "left alone"


@pytest.mark.parametrize("sizes", DEEP_SIZES)
def test_one_step_of_two_layers_raises_the_free_state_and_lowers_the_nudged(sizes):
    """Of one image, and with one rate, as the gradient has it."""
    for seed in range(5):
        network, images = deep_network(sizes), oracle.random_images(1, 4)
        free, nudged = (each.spins for each in phases(1, 1, 1, sum(sizes), seed=10 * seed))
        for layer in range(len(sizes) - 1, 0, -1):
            before = network.energies(images, free), network.energies(images, nudged)
            states = [
                np.ascontiguousarray(each[..., network.active(layer)]) for each in (free, nudged)
            ]
            update_in_place(network, images, *states, np.full(4, RATE, np.float32), layer=layer)
            same = (states[0] == states[1]).all()
            assert (network.energies(images, free) > before[0]) | same
            assert (network.energies(images, nudged) < before[1]) | same


def test_one_hidden_layer_moves_to_the_bits_of_the_shallow_network(kernel):
    shallow, images = oracle.random_network(9, 17), oracle.random_images(3, 9)
    biases = shallow.hidden_bias, shallow.output_bias
    layered = [
        LayeredNetwork(shallow.input_weights, [shallow.couplings], biases, num_classes=3)
        for _ in range(2)
    ]
    free, nudged = (each.spins for each in phases(3, 5, 2, 17 + 6))
    rates = np.float32([0.1, 0.02, 0.003, 0.4])
    update_in_place(shallow, images, free, nudged, rates)
    for network, layer in zip(layered, (1, None), strict=True):
        update_in_place(network, images, free, nudged, rates, layer=layer)
        pairs = zip(shallow.parameters().values(), network.parameters().values(), strict=True)
        assert all(tolerances.same_bits(*pair) for pair in pairs)


@pytest.mark.parametrize("layer", [None, 1, 2, 3])
def test_layers_have_the_same_bits_on_every_kernel(on_every_kernel, layer):
    sizes, images = (17, 33, 65, 10), oracle.random_images(3, 20)
    free, nudged = (each.spins for each in phases(3, 5, 5, sum(sizes)))

    def updated():
        network = LayeredNetwork.random(
            num_inputs=20, hidden=sizes[:-1], num_classes=5, redundancy=2
        )
        where = slice(None) if layer is None else network.active(layer)
        states = [np.ascontiguousarray(each[..., where]) for each in (free, nudged)]
        update_in_place(network, images, *states, np.float32([0.1, 0.02, 0.003, 0.4]), layer=layer)
        return b"".join(array.tobytes() for array in network.parameters().values())

    assert len(set(on_every_kernel(updated))) == 1


def test_rates_of_deep_networks_are_four_times_as_high_for_input_weights_and_half_for_couplings():
    assert LearningRates.of(0.5, deep=True) == LearningRates(2.0, 0.25, 0.5, 0.5)
    assert (
        LearningRates.of(0.5, deep=False)
        == LearningRates.of(0.5)
        == LearningRates(0.5, 0.5, 0.5, 0.5)
    )
    named = dict(zip(PARAMETERS, (1, 2, 3, 4), strict=True))
    assert LearningRates.of(named, deep=True) == LearningRates.of(
        LearningRates(1, 2, 3, 4), deep=True
    )
    assert LearningRates.of(named, deep=True) == LearningRates(1, 2, 3, 4)
    images = np.full((1, 44), 1, np.float32)
    assert LearningRates.for_images(0.5, images, deep=True) == LearningRates(4.0, 0.25, 0.5, 0.5)
    assert LearningRates.for_images(0.5, 0 * images, deep=True) == LearningRates.of(0.5, deep=True)


def test_rates_for_images_are_one_rate_on_mnist_and_balanced_elsewhere():
    """The mean of |x|^2 is 88 for MNIST; fewer or darker pixels get a higher rate, as 88 / mean
    |x|^2.
    """
    images = np.zeros((2, 100), np.float32)
    images[0, :44], images[1, :] = 1, 0.5
    assert np.square(images).sum(axis=1).tolist() == [44, 25]
    rates = LearningRates.for_images(0.5, images)
    assert rates == LearningRates(float(np.float32(0.5 * 88 / 34.5)), 0.5, 0.5, 0.5)
    assert LearningRates.for_images(0.5, np.zeros((1, 3), np.float32)) == LearningRates.of(0.5)


def test_learning_rates():
    assert LearningRates.of(0.25) == LearningRates(0.25, 0.25, 0.25, 0.25)
    rates = LearningRates(1, 2, 3, 4)
    assert LearningRates.of(rates) is rates
    assert rates.array().tolist() == [1, 2, 3, 4]
    assert rates.array().dtype == np.float32


def deep_slope(images=None, spins=9, reads=(2, 1), count=1, weights=None):
    images = np.full((1, 4), 0.5) if images is None else images
    free, nudged = phases(count, *reads, spins)
    return layered_gradient(deep_network((3, 4, 2)), images, weighted(free, weights), nudged)


FREE, NUDGED = phases(1, 2, 1, 4)

TWO, WIDE = phases(2, 1, 1, 4)[1], phases(1, 1, 1, 5)[1]

IMAGE = np.full((1, 3), 0.5)

rates = LearningRates.of


def slope(images=IMAGE, free=FREE, nudged=NUDGED, num_hidden=2):
    return gradient(images, free, nudged, num_hidden=num_hidden)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (
            lambda: slope(nudged=weighted(NUDGED, [[1.0]])),
            "ValueError: nudged.weights must be None, got 1 x 1 weights",
        ),
        (
            lambda: deep_slope(weights=[[0.5, 0.5]]),
            "ValueError: free.weights must be None, got 1 x 2 weights",
        ),
        (lambda: rates(-1.0), "ValueError: learning_rate must be finite and at least 0, got -1.0"),
        (lambda: rates(np.nan), "ValueError: learning_rate must be finite and at least 0, got nan"),
        (lambda: rates("1"), "TypeError: learning_rate must be a number, got '1'"),
        (lambda: rates(10**400), "ValueError: learning_rate must be finite"),
        (
            lambda: rates(-1.0, deep=True),
            "ValueError: learning_rate must be finite and at least 0, got -1.0",
        ),
        (
            lambda: rates(1e38, deep=True),
            "ValueError: learning_rate",
        ),  # four times it is not finite as a float32
        (lambda: rates(1e39).array(), "ValueError: learning_rate"),  # finite, but not as a float32
        (
            lambda: rates({"couplings": 1.0}),
            "ValueError: learning_rate must have the keys input_weights, ",
        ),
        (
            lambda: LearningRates(1, 1, 1, -1),
            "ValueError: learning_rate['output_bias'] must be finite and",
        ),
        (lambda: slope(IMAGE[0]), "ValueError: images must have shape (n, n), got (3,)"),
        (lambda: slope(IMAGE[:0]), "ValueError: images must have shape (n, n), got (0, 3)"),
        (lambda: slope(np.ones((1, 3), int)), "TypeError: images must be floating-point pixels"),
        (lambda: slope(3 * IMAGE), "ValueError: images must be in [0, 1], got 1.5"),
        (lambda: slope(np.nan * IMAGE), "ValueError: images must be in [0, 1], got nan"),
        (
            lambda: slope(np.ones((2, 3))),
            "ValueError: free_spins must have shape (2, n, 4), got (1, 2, 4)",
        ),
        (
            lambda: slope(nudged=TWO),
            "ValueError: nudged_spins must have shape (1, n, 4), got (2, 1, 4)",
        ),
        (
            lambda: slope(nudged=WIDE),
            "ValueError: nudged_spins must have shape (1, n, 4), got (1, 1, 5)",
        ),
        (lambda: slope(num_hidden=0), "ValueError: num_hidden must be at least 1, got 0"),
        (lambda: slope(num_hidden=4), "ValueError: num_hidden must be at most 3, got 4"),
        (
            lambda: deep_slope(np.ones((1, 3))),
            "ValueError: images must have shape (n, 4), got (1, 3)",
        ),
        (lambda: deep_slope(np.full((1, 4), 1.5)), "ValueError: images must be in [0, 1], got 1.5"),
        (
            lambda: deep_slope(spins=8),
            "ValueError: free.spins must have shape (1, n, 9), got (1, 2, 8)",
        ),
        (
            lambda: deep_slope(count=2),
            "ValueError: free.spins must have shape (1, n, 9), got (2, 2, 9)",
        ),
        (lambda: slope(num_hidden=2.0), "TypeError: num_hidden must be an integer, got 2.0"),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
