"""The room of the learning rule: against a finite difference, a slow twin, and itself on every kernel."""

import numpy as np
import pytest

import oracle
import tolerances
from isingprop import LearningRates, States, gradient
from isingprop.learning import apply, update_in_place
from isingprop.network import PARAMETERS

STEP = 2.0**-3  # of the finite difference; energies are linear in the parameters, so any will do
RATE = 0.125


def phases(num_images, num_free, num_nudged, num_spins, *, seed=0):
    """Free and nudged states, unrelated to each other."""
    return tuple(
        States(oracle.random_spins(num_images, reads, num_spins, seed=seed + k), np.zeros((num_images, reads)))
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
        np.testing.assert_allclose(getattr(step, name), change, rtol=0, atol=tolerances.FLOAT32, err_msg=name)


def test_one_step_raises_the_free_state_and_lowers_the_nudged():
    network, images = oracle.random_network(), oracle.random_images(1)
    for seed in range(10):
        free, nudged = phases(1, 1, 1, 5 + 6, seed=10 * seed)
        step = gradient(images, free, nudged, num_hidden=5)
        trained = apply(network, step, LearningRates.of(RATE))
        before, after = network.problem(images), trained.problem(images)
        assert after.energies(free.spins) > before.energies(free.spins)
        assert after.energies(nudged.spins) < before.energies(nudged.spins)


@pytest.mark.parametrize(("num_free", "num_nudged"), [(1, 1), (20, 1), (3, 3)])
def test_nothing_changes_where_free_and_nudged_states_are_the_same(kernel, num_free, num_nudged):
    network, images = oracle.random_network(), oracle.random_images(4)
    free, nudged = (np.repeat(oracle.random_spins(4, 1, 11), reads, axis=1) for reads in (num_free, num_nudged))
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
        np.testing.assert_allclose(array, getattr(applied, name), rtol=0, atol=tolerances.FLOAT32 * largest)
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
        network = oracle.random_network(20, num_hidden, 2, num_output)  # twice the outputs, of which half are taken
        network.couplings = np.ascontiguousarray(network.couplings[:, :num_output])
        network.output_bias = np.ascontiguousarray(network.output_bias[:num_output])
        update_in_place(network, images, free.spins, nudged.spins, rates)
        return b"".join(array.tobytes() for array in network.parameters().values())

    assert len(set(on_every_kernel(updated))) == 1


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


FREE, NUDGED = phases(1, 2, 1, 4)
TWO, WIDE = phases(2, 1, 1, 4)[1], phases(1, 1, 1, 5)[1]
IMAGE = np.full((1, 3), 0.5)
rates = LearningRates.of


def slope(images=IMAGE, free=FREE, nudged=NUDGED, num_hidden=2):
    return gradient(images, free, nudged, num_hidden=num_hidden)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: rates(-1.0), "ValueError: learning_rate must be finite and at least 0, got -1.0"),
        (lambda: rates(np.nan), "ValueError: learning_rate must be finite and at least 0, got nan"),
        (lambda: rates("1"), "TypeError: learning_rate must be a number, got '1'"),
        (lambda: rates(10**400), "ValueError: learning_rate must be finite"),
        (lambda: rates(1e39).array(), "ValueError: learning_rate"),  # finite, but not as a float32
        (lambda: rates({"couplings": 1.0}), "ValueError: learning_rate must have the keys input_weights, "),
        (lambda: LearningRates(1, 1, 1, -1), "ValueError: learning_rate['output_bias'] must be finite and"),
        (lambda: slope(IMAGE[0]), "ValueError: images must have shape (n, n), got (3,)"),
        (lambda: slope(IMAGE[:0]), "ValueError: images must have shape (n, n), got (0, 3)"),
        (lambda: slope(np.ones((1, 3), int)), "TypeError: images must be floating-point pixels"),
        (lambda: slope(3 * IMAGE), "ValueError: images must be in [0, 1], got 1.5"),
        (lambda: slope(np.nan * IMAGE), "ValueError: images must be in [0, 1], got nan"),
        (lambda: slope(np.ones((2, 3))), "ValueError: free_spins must have shape (2, n, 4), got (1, 2, 4)"),
        (lambda: slope(nudged=TWO), "ValueError: nudged_spins must have shape (1, n, 4), got (2, 1, 4)"),
        (lambda: slope(nudged=WIDE), "ValueError: nudged_spins must have shape (1, n, 4), got (1, 1, 5)"),
        (lambda: slope(num_hidden=0), "ValueError: num_hidden must be at least 1, got 0"),
        (lambda: slope(num_hidden=4), "ValueError: num_hidden must be at most 3, got 4"),
        (lambda: slope(num_hidden=2.0), "TypeError: num_hidden must be an integer, got 2.0"),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
