"""The learning rule of bipartite networks: against a finite difference, a slow twin and itself on
every kernel.
"""

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.learning_cases import RATE, STEP, apply, copies, phases, weighted
from isingprop import LearningRates, gradient
from isingprop.network.bipartite import PARAMETERS
from isingprop.training.learning_rule import update_in_place


@pytest.mark.parametrize("name", PARAMETERS)
def test_gradient_is_a_finite_difference_of_the_energy_difference(name):
    """Of mean E[free] - mean E[nudged], through pixels, fields and energies; exact on binary
    fractions.
    """
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


@pytest.mark.parametrize("num_nudged", [1, 3])
@pytest.mark.parametrize("name", PARAMETERS)
def test_gradient_with_weights_is_a_finite_difference_of_weighted_energies(
    kernel, name, num_nudged
):
    """Of sum_r w_r (E[free r] - mean E[nudged]), on each side of the parameter; weights need not
    sum to 1.
    """
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
