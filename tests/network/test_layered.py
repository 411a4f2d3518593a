"""Deep networks: all layers as one problem, two layers and the others frozen, orders, streams."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.deep_networks import (
    SIZES,
    deep_network,
    exact_energies,
    same_parameters,
    some_images,
)
from isingprop import Annealing, BipartiteNetwork, LayeredNetwork

STAGES = [(sizes, layer) for sizes in SIZES for layer in range(1, len(sizes))]


def every_state(network, num_images=2):
    states = oracle.all_states(sum(network.sizes))
    return np.broadcast_to(states, (num_images, *states.shape))


def test_random_draws_each_layer_by_its_own_number_of_inputs():
    sizes = (100, 60, 80, 40)
    network = LayeredNetwork.random(num_inputs=400, hidden=sizes[:-1], seed=3)
    assert network.sizes == sizes
    arrays = network.input_weights, *network.couplings
    gains = 6, 1, 0.5, 0.25
    for array, gain, fan_in in zip(arrays, gains, (400, *sizes), strict=False):
        bound = gain / np.sqrt(fan_in)
        assert 0.99 * bound < np.abs(array).max() <= bound * (1 + tolerances.FLOAT32)
        # Standard deviations of n uniform numbers' mean and mean square: b / sqrt(3 n), 2 b^2 /
        # sqrt(45 n).
        assert abs(array.mean()) < tolerances.SIGMAS * bound / np.sqrt(3 * array.size)
        sigma = 2 * bound**2 / np.sqrt(45 * array.size)
        assert abs(np.square(array).mean() - bound**2 / 3) < tolerances.SIGMAS * sigma
    assert not any(bias.any() for bias in network.biases)
    same, other = (
        LayeredNetwork.random(num_inputs=400, hidden=sizes[:-1], seed=seed) for seed in (3, 4)
    )
    assert same_parameters(network, same)
    assert not tolerances.same_bits(network.couplings[2], other.couplings[2])


def test_gains_scale_what_is_drawn():
    """Powers of 2 do so without rounding."""
    sizes = {"num_inputs": 9, "hidden": (7, 5), "num_classes": 3, "seed": 5}
    plain = LayeredNetwork.random(**sizes, input_gain=1.0, coupling_gain=1.0)
    scaled = LayeredNetwork.random(**sizes, input_gain=0.5, coupling_gain=4)
    assert tolerances.same_bits(scaled.input_weights, plain.input_weights * np.float32(0.5))
    for ours, theirs in zip(scaled.couplings, plain.couplings, strict=True):
        assert tolerances.same_bits(ours, theirs * np.float32(4))
    named = LayeredNetwork.random(**sizes, input_gain=6, coupling_gain=(1, 0.5))
    assert same_parameters(named, LayeredNetwork.random(**sizes))


@pytest.mark.parametrize(
    "options", [{}, {"input_gain": 0.5, "coupling_gain": 0.3, "redundancy": 3, "seed": 8}]
)
def test_one_hidden_layer_is_the_shallow_network(options):
    """In its parameters, fields, problems, energies and sampled states, bit for bit."""
    deep = LayeredNetwork.random(num_inputs=30, hidden=(17,), num_classes=4, **options)
    shallow = BipartiteNetwork.random(num_inputs=30, num_hidden=17, num_classes=4, **options)
    random = np.random.default_rng(0)
    for deep_bias, bias in zip(
        deep.biases, (shallow.hidden_bias, shallow.output_bias), strict=True
    ):
        deep_bias[...] = bias[...] = random.normal(size=len(bias))
    assert tolerances.same_bits(deep.input_weights, shallow.input_weights)
    assert deep.input_weights.flags.f_contiguous
    assert tolerances.same_bits(deep.couplings[0], shallow.couplings)
    assert (deep.num_hidden, deep.num_output, deep.readout) == (
        17,
        shallow.num_output,
        shallow.readout,
    )
    images, labels, streams = (
        oracle.random_images(6, 30),
        [3, 0, 1, 2, 1, 0],
        np.array([9, 5, 0, 7, 1, 2**62], np.uint64),
    )
    assert tolerances.same_bits(deep.hidden_fields(images), shallow.hidden_fields(images))
    start = oracle.random_spins(6, 2, 17 + deep.num_output)
    for arguments in ((), (labels, 0.7)):
        ours, theirs = (
            each.problem(images, *arguments, streams=streams) for each in (deep, shallow)
        )
        problems = [ours, theirs]
        if not arguments:
            problems.append(deep.layer_problem(1, deep.hidden_fields(images), start, streams))
        for name in ("couplings", "hidden_fields", "output_fields", "streams"):
            assert tolerances.same_bits(*(getattr(problem, name) for problem in problems)), name
        states = [
            Annealing(num_sweeps=5).sample(problem, num_reads=3, seed=1) for problem in problems
        ]
        assert tolerances.same_bits(*(each.spins for each in states))
        assert tolerances.same_bits(*(each.energies for each in states))
    energies = shallow.problem(images).energies(states[0].spins)
    assert tolerances.same_bits(deep.energies(images, states[0].spins), energies)
    assert tolerances.same_bits(deep.from_problem(start), deep.to_problem(start), start)


@pytest.mark.parametrize("sizes", SIZES)
def test_energies_of_all_states(sizes):
    network, images = deep_network(sizes), some_images()
    states = every_state(network)
    energies = network.energies(images, states)
    assert energies.dtype == np.float64
    np.testing.assert_array_equal(energies, exact_energies(network, images, states))


def test_energies_are_summed_in_double_precision():
    """One term of 2^25 among terms of 1, which single precision would lose."""
    network = LayeredNetwork(
        [[0.0]], [[[1.0]], [[1.0, 1.0]]], [[2.0**25], [1.0], [1.0, 1.0]], num_classes=2
    )
    assert network.energies(np.zeros((1, 1)), [[[1, 1, 1, 1]]]).item() == 2.0**25 + 6


@pytest.mark.parametrize("sizes", SIZES)
def test_the_problem_of_all_layers_is_the_network(sizes):
    """Energies of all states, free and nudged, and so the ground states."""
    network, images, labels = deep_network(sizes), some_images(), np.array([1, 0])
    states = every_state(network)
    outputs = states[..., -sizes[-1] :].astype(float)
    pull = np.einsum("ba,bra->br", network.readout.targets(labels).astype(float), outputs)
    energies = exact_energies(network, images, states)
    for problem, exact in (
        (network.problem(images), energies),
        (network.problem(images, labels, nudge=0.75), energies - 0.75 * pull),
    ):
        assert (problem.num_hidden, problem.num_output) == (sum(sizes[::2]), sum(sizes[1::2]))
        np.testing.assert_array_equal(problem.energies(network.to_problem(states)), exact)
        theirs = oracle.all_states(problem.num_spins)
        lowest = theirs[oracle.energies(problem, theirs).argmin(axis=1)]
        assert ((exact == exact.min(axis=1, keepdims=True)).sum(axis=1) == 1).all()
        ground = states[0, exact.argmin(axis=1)]
        np.testing.assert_array_equal(network.from_problem(lowest), ground)
    assert network.problem(images, streams=[7, 3]).streams.tolist() == [7, 3]
    assert network.problem(images).streams.tolist() == [0, 1]


@pytest.mark.parametrize("sizes", SIZES)
def test_orders_of_spins_and_layers(sizes):
    network = deep_network(sizes)
    number = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    layers = network.split(number)
    assert [set(layer) for layer in layers] == [{k} for k in range(1, len(sizes) + 1)]
    assert [len(layer) for layer in layers] == list(sizes)
    assert network.to_problem(number).tolist() == sorted(number, key=lambda k: (k % 2 == 0, k))
    spins = oracle.random_spins(2, 3, sum(sizes))
    assert all(np.shares_memory(layer, spins) for layer in network.split(spins))
    assert tolerances.same_bits(np.concatenate(network.split(spins), axis=-1), spins)
    assert tolerances.same_bits(network.from_problem(network.to_problem(spins)), spins)
    places = np.arange(sum(sizes))
    assert network.to_problem(network.from_problem(places)).tolist() == places.tolist()
    assert [set(number[network.active(k)]) for k in range(1, len(sizes))] == [
        {k, k + 1} for k in range(1, len(sizes))
    ]


@pytest.mark.parametrize(("sizes", "layer"), STAGES)
def test_a_stage_is_the_network_but_for_a_constant(sizes, layer):
    """All states of the two active layers, with the others frozen at three states of their own for
    each image.
    """
    network, images, chains = deep_network(sizes), some_images(), 3
    frozen = oracle.random_spins(2, chains, sum(sizes), seed=layer)
    where = network.active(layer)
    problem = network.layer_problem(
        layer, network.hidden_fields(images), frozen, np.array([4, 6], np.uint64)
    )
    alone = len(sizes) == 2
    assert len(problem) == (2 if alone else 2 * chains)
    assert (problem.num_hidden, problem.num_output) == (sizes[layer - 1], sizes[layer])
    assert np.shares_memory(problem.couplings, network.couplings[layer - 1])
    active = oracle.all_states(problem.num_spins)
    whole = np.repeat(frozen[:, :, None], len(active), axis=2)
    whole[..., where] = active
    energies = exact_energies(network, images, whole.reshape(2, -1, sum(sizes))).reshape(
        2, chains, -1
    )
    shape = (2, 1, -1) if alone else (2, chains, -1)
    constant = energies - oracle.energies(problem, active).reshape(shape)
    np.testing.assert_array_equal(constant, np.broadcast_to(constant[..., :1], constant.shape))
    anything = frozen.copy()
    anything[..., where] *= -1
    again = network.layer_problem(
        layer, network.hidden_fields(images), anything, np.array([4, 6], np.uint64)
    )
    assert tolerances.same_bits(problem.hidden_fields, again.hidden_fields)
    assert tolerances.same_bits(problem.output_fields, again.output_fields)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_sampled_stage_fits_back_into_the_state(layer):
    network, images = deep_network((9, 8, 7, 6)), some_images()
    before = oracle.random_spins(2, 4, 30)
    problem = network.layer_problem(
        layer, network.hidden_fields(images), before, np.array([0, 1], np.uint64)
    )
    after, where = before.copy(), network.active(layer)
    states = Annealing(num_sweeps=20).sample(problem, num_reads=1, seed=0)
    after[..., where] = states.spins.reshape(2, 4, -1)
    gained = network.energies(images, after) - network.energies(images, before)
    started = problem.energies(before[..., where].reshape(8, 1, -1))
    np.testing.assert_array_equal(gained, (states.energies - started).reshape(2, 4))
    assert (gained <= 0).all()
    assert gained.any()


WIDTHS = [(1, 15, 16, 2), (17, 33, 64, 10), (120, 65, 129, 40)]


@pytest.mark.parametrize("sizes", WIDTHS)
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_stage_has_the_same_bits_in_any_batch_on_every_kernel(on_every_kernel, sizes, layer):
    network = deep_network(sizes, 30, grid=False)
    images, spins = oracle.random_images(7, 30), oracle.random_spins(7, 5, sum(sizes))
    streams = np.arange(100, 107, dtype=np.uint64)

    def fields(rows, chains):
        part = np.ascontiguousarray(spins[rows, chains])
        problem = network.layer_problem(
            layer, network.hidden_fields(images[rows]), part, streams[rows]
        )
        arrays = (
            problem.hidden_fields,
            np.broadcast_to(problem.output_fields, (len(problem), problem.num_output)),
        )
        joined = np.concatenate(arrays, axis=1).reshape(*part.shape[:2], -1)
        return joined, problem.streams.reshape(part.shape[:2])

    def whole_and_parts():
        every = slice(None)
        whole = fields(every, every)
        by_image = [fields(slice(k, k + 1), every) for k in range(7)]
        by_chain = [fields(every, slice(0, k + 1)) for k in range(5)]
        divided = [fields(slice(0, 3), every), fields(slice(3, 7), every)]
        return whole, by_image, by_chain, divided

    results = on_every_kernel(whole_and_parts)
    for of_kind in (0, 1):
        for whole, by_image, by_chain, divided in results:
            assert tolerances.same_bits(whole[of_kind], results[0][0][of_kind])
            for parts in (by_image, divided):
                assert tolerances.same_bits(
                    whole[of_kind], np.concatenate([part[of_kind] for part in parts])
                )
            for k, part in enumerate(by_chain):
                assert tolerances.same_bits(
                    np.ascontiguousarray(whole[of_kind][:, : k + 1]), part[of_kind]
                )
    exact = exact_stage_fields(network, layer, network.hidden_fields(images), spins)
    scale = (
        sum(np.abs(array).sum(axis=0).max() for array in network.couplings) + np.abs(exact).max()
    )
    np.testing.assert_allclose(results[0][0][0], exact, rtol=0, atol=tolerances.FLOAT32 * scale)


def exact_stage_fields(network, layer, fields, spins):
    """What acts on the two active layers, in double precision: (B, R, n)."""
    layers = [part.astype(float) for part in network.split(spins)]
    biases = [bias.astype(float) for bias in network.biases]
    couplings = [array.astype(float) for array in network.couplings]
    k = layer - 1
    below = (
        fields[:, None].astype(float) if k == 0 else biases[k] + layers[k - 1] @ couplings[k - 1]
    )
    above = biases[k + 1] + (layers[k + 2] @ couplings[k + 1].T if k + 2 < len(layers) else 0)
    widths = [(*spins.shape[:2], len(biases[j])) for j in (k, k + 1)]
    return np.concatenate(
        [np.broadcast_to(a, w) for a, w in zip((below, above), widths, strict=True)], axis=2
    )


def test_each_chain_of_a_stage_has_a_stream_of_its_own():
    network = deep_network((3, 4, 2))
    fields, spins = network.hidden_fields(some_images(40)), oracle.random_spins(40, 50, 9)
    for layer in (1, 2):
        streams = network.layer_problem(
            layer, fields, spins, np.arange(40, dtype=np.uint64)
        ).streams.reshape(40, 50)
        assert streams.dtype == np.uint64
        assert streams[:, 0].tolist() == list(range(40))
        assert len(np.unique(streams)) == streams.size
    last = network.layer_problem(
        1, fields, spins, np.arange(2**32 - 40, 2**32, dtype=np.uint64)
    ).streams
    assert len(np.unique(last)) == last.size
