"""The room of the learning rule: against a finite difference, a slow twin, and itself on every kernel."""

from itertools import pairwise

import numpy as np
import pytest

import oracle
import tolerances
from isingprop import LayeredNetwork, LearningRates, States, gradient
from isingprop.network.bipartite import PARAMETERS
from isingprop.training.learning_rule import (
    apply,
    layered_gradient,
    update_in_place,
    update_layers_in_place,
)

STEP = 2.0**-3  # of the finite difference; energies are linear in the parameters, so any will do
RATE = 0.125


def phases(num_images, num_free, num_nudged, num_spins, *, seed=0):
    """Free and nudged states, unrelated to each other."""
    return tuple(
        States(
            oracle.random_spins(num_images, reads, num_spins, seed=seed + k),
            np.zeros((num_images, reads)),
        )
        for k, reads in enumerate((num_free, num_nudged))
    )


def copies(network):
    return {name: array.copy() for name, array in network.parameters().items()}


@pytest.mark.parametrize("name", PARAMETERS)
def test_gradient_is_a_finite_difference_of_the_energy_difference(name):
    """Of mean E[free] - mean E[nudged], through pixels, fields and energies; exact on binary fractions."""
    network = oracle.random_network(4, 3, 2, 2)
    for array in network.parameters().values():
        array[...] = oracle.on_grid(array)
    images = oracle.on_grid(np.random.default_rng(0).random((2, 4)))
    free, nudged = phases(2, 4, 2, 7)

    def difference():
        problem = network.problem(images)
        return problem.energies(free.spins).mean() - problem.energies(nudged.spins).mean()

    slopes = getattr(gradient(images, free, nudged, num_hidden=3), name)
    array, before = network.parameters()[name], difference()
    assert slopes.shape == array.shape
    assert slopes.any()
    for index in np.ndindex(array.shape):
        array[index] += STEP
        assert (difference() - before) / STEP == slopes[index], index
        array[index] -= STEP


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 20, 1), (5, 3, 2), (2, 1, 7)])
def test_gradient_is_the_slow_twins(kernel, sizes):
    num_images, num_free, num_nudged = sizes
    images = oracle.random_images(num_images, 9)
    free, nudged = phases(num_images, num_free, num_nudged, 17 + 6)
    step = gradient(images, free, nudged, num_hidden=17)
    for name, change in oracle.slow_gradient(images, free.spins, nudged.spins, 17).items():
        np.testing.assert_allclose(
            getattr(step, name), change, rtol=0, atol=tolerances.FLOAT32, err_msg=name
        )


def test_one_step_raises_the_free_state_and_lowers_the_nudged():
    network, images = oracle.random_network(), oracle.random_images(1)
    for seed in range(10):
        free, nudged = phases(1, 1, 1, 5 + 6, seed=10 * seed)
        step = gradient(images, free, nudged, num_hidden=5)
        trained = apply(network, step, LearningRates.of(RATE))
        before, after = network.problem(images), trained.problem(images)
        assert after.energies(free.spins) > before.energies(free.spins)
        assert after.energies(nudged.spins) < before.energies(nudged.spins)


def weighted(states, weights):
    return States(states.spins, states.energies, weights=weights)


@pytest.mark.parametrize("num_nudged", [1, 3])
@pytest.mark.parametrize("name", PARAMETERS)
def test_gradient_with_weights_is_a_finite_difference_of_weighted_energies(
    kernel, name, num_nudged
):
    """Of sum_r w_r (E[free r] - mean E[nudged]), on each side of the parameter; weights need not sum to 1."""
    network = oracle.random_network(4, 3, 2, 2)
    images = np.random.default_rng(0).random((2, 4)).astype(np.float32)
    free, nudged = phases(2, 5, num_nudged, 7)
    weights = np.array([[0.1, 0.0, 0.3, 0.4, 0.2], [0.05, 0.1, 0.0, 0.01, 0.2]])

    def difference():
        problem = network.problem(images)
        away = problem.energies(free.spins) - problem.energies(nudged.spins).mean(
            axis=1, keepdims=True
        )
        return (weights * away).sum() / 2

    slopes = getattr(gradient(images, weighted(free, weights), nudged, num_hidden=3), name)
    array = network.parameters()[name]
    assert slopes.any()
    for index in np.ndindex(array.shape):
        before = array[index]
        array[index] = before + STEP
        above, high = difference(), array[index]
        array[index] = before - STEP
        expected = (above - difference()) / (float(high) - float(array[index]))
        assert slopes[index] == pytest.approx(expected, rel=0, abs=10 * tolerances.FLOAT32)
        array[index] = before


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 20, 1), (2, 7, 7)])
def test_weights_that_are_all_the_same_change_nothing_but_roundings(kernel, sizes):
    images, (free, nudged) = oracle.random_images(sizes[0], 9), phases(*sizes, 17 + 6)
    plain = gradient(images, free, nudged, num_hidden=17)
    for total in (1.0, 0.25):
        even = weighted(free, np.full(sizes[:2], total / sizes[1]))
        step = gradient(images, even, nudged, num_hidden=17)
        for name in PARAMETERS:
            expected = total * getattr(plain, name)
            np.testing.assert_allclose(
                getattr(step, name), expected, rtol=0, atol=tolerances.FLOAT32, err_msg=name
            )


def test_weights_in_place_are_gradient_and_apply(kernel):
    network, rates = oracle.random_network(9, 17), LearningRates(0.1, 0.02, 0.003, 0.4)
    images, (free, nudged) = oracle.random_images(4, 9), phases(4, 6, 1, 17 + 6)
    weights = np.random.default_rng(0).random((4, 6)) / 6
    weights[2] = 0
    applied = apply(
        network, gradient(images, weighted(free, weights), nudged, num_hidden=17), rates
    )
    unmoved = apply(network, gradient(images, free, nudged, num_hidden=17), rates)
    update_in_place(network, images, free.spins, nudged.spins, rates.array(), weights)
    for name, array in network.parameters().items():
        bound = tolerances.FLOAT32 * np.abs(array).max()
        np.testing.assert_allclose(array, getattr(applied, name), rtol=0, atol=bound)
        assert np.abs(array - getattr(unmoved, name)).max() > 100 * bound


def test_no_weight_at_all_changes_nothing(kernel):
    network, images = oracle.random_network(), oracle.random_images(4)
    free, nudged = (each.spins for each in phases(4, 3, 1, 11))
    before = copies(network)
    update_in_place(network, images, free, nudged, np.full(4, RATE, np.float32), np.zeros((4, 3)))
    for name, array in network.parameters().items():
        assert tolerances.same_bits(array, before[name]), name


@pytest.mark.parametrize("num_output", [1, 15, 17, 40])
@pytest.mark.parametrize("num_hidden", [1, 15, 16, 17, 65])
def test_same_bits_with_weights_on_every_kernel(on_every_kernel, num_hidden, num_output):
    images, (free, nudged) = oracle.random_images(3, 20), phases(3, 7, 2, num_hidden + num_output)
    states = weighted(free, np.random.default_rng(0).random((3, 7)) / 7)

    def slopes():
        step = gradient(images, states, nudged, num_hidden=num_hidden)
        return b"".join(getattr(step, name).tobytes() for name in PARAMETERS)

    assert len(set(on_every_kernel(slopes))) == 1


@pytest.mark.parametrize(("num_free", "num_nudged"), [(1, 1), (20, 1), (3, 3)])
def test_nothing_changes_where_free_and_nudged_states_are_the_same(kernel, num_free, num_nudged):
    network, images = oracle.random_network(), oracle.random_images(4)
    free, nudged = (
        np.repeat(oracle.random_spins(4, 1, 11), reads, axis=1) for reads in (num_free, num_nudged)
    )
    before = copies(network)
    update_in_place(network, images, free, nudged, np.full(4, RATE, np.float32))
    for name, array in network.parameters().items():
        assert tolerances.same_bits(array, before[name]), name


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 20, 1), (6, 3, 2)])
def test_in_place_is_gradient_and_apply(kernel, sizes):
    network, rates = oracle.random_network(9, 17), LearningRates(0.1, 0.02, 0.003, 0.4)
    images = oracle.random_images(sizes[0], 9)
    free, nudged = phases(*sizes, 17 + 6)
    before = copies(network)
    applied = apply(network, gradient(images, free, nudged, num_hidden=17), rates)
    for name, array in network.parameters().items():
        assert tolerances.same_bits(array, before[name]), "apply must leave its network alone"
    update_in_place(network, images, free.spins, nudged.spins, rates.array())
    for name, array in network.parameters().items():
        largest = np.abs(array).max()
        np.testing.assert_allclose(
            array, getattr(applied, name), rtol=0, atol=tolerances.FLOAT32 * largest
        )
        assert not tolerances.same_bits(array, before[name])


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_rate_moves_its_own_parameter_alone(name):
    network, images = oracle.random_network(), oracle.random_images(2)
    before = copies(network)
    free, nudged = phases(2, 3, 1, 5 + 6)
    rates = LearningRates.of({**dict.fromkeys(PARAMETERS, 0.0), name: RATE})
    update_in_place(network, images, free.spins, nudged.spins, rates.array())
    applied = apply(oracle.random_network(), gradient(images, free, nudged, num_hidden=5), rates)
    for other, array in network.parameters().items():
        assert tolerances.same_bits(array, before[other]) == (other != name)
        assert tolerances.same_bits(getattr(applied, other), before[other]) == (other != name)


@pytest.mark.parametrize("num_reads", [(1, 1), (20, 1), (7, 3)])
@pytest.mark.parametrize("num_output", [1, 15, 17, 40, 130])
@pytest.mark.parametrize("num_hidden", [1, 15, 16, 17, 65, 129])
def test_same_bits_on_every_kernel(on_every_kernel, num_hidden, num_output, num_reads):
    images = oracle.random_images(3, 20)
    free, nudged = phases(3, *num_reads, num_hidden + num_output)
    rates = np.float32([0.1, 0.02, 0.003, 0.4])

    def updated():
        network = oracle.random_network(
            20, num_hidden, 2, num_output
        )  # twice the outputs, of which half are taken
        network.couplings = np.ascontiguousarray(network.couplings[:, :num_output])
        network.output_bias = np.ascontiguousarray(network.output_bias[:num_output])
        update_in_place(network, images, free.spins, nudged.spins, rates)
        return b"".join(array.tobytes() for array in network.parameters().values())

    assert len(set(on_every_kernel(updated))) == 1


# Input weights, couplings, hidden biases, outputs' bias: binary fractions, so that sums are exact, each another.
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
    """Of mean E[free] - mean E[nudged] of whole states; those of two layers by themselves, the others untouched."""
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
    update_layers_in_place(network, layer, images, *states, DEEP_RATES)
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
            update_layers_in_place(network, layer, images, *states, np.full(4, RATE, np.float32))
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
        update_layers_in_place(network, layer, images, free, nudged, rates)
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
        update_layers_in_place(network, layer, images, *states, np.float32([0.1, 0.02, 0.003, 0.4]))
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
    """The mean of |x|^2 is 88 for MNIST; fewer or darker pixels get a higher rate, as 88 / mean |x|^2."""
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
