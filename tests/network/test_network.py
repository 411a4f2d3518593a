"""Tests of networks: local fields, nudges, the reference states of Eq. (7), refusals."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import BipartiteNetwork
from isingprop.network.bipartite import PARAMETERS

WIDTHS = [1, 15, 16, 17, 64, 65, 129]


def test_random_draws_the_papers_initial_parameters():
    network = BipartiteNetwork.random(num_inputs=400, num_hidden=100, num_classes=10, seed=3)
    for name, bound in (("input_weights", 1 / np.sqrt(400)), ("couplings", 1 / np.sqrt(100))):
        array = getattr(network, name)
        assert 0.99 * bound < np.abs(array).max() <= bound
        # Standard deviations of n uniform numbers' mean and mean square: b / sqrt(3 n), 2 b^2 /
        # sqrt(45 n).
        assert abs(array.mean()) < tolerances.SIGMAS * bound / np.sqrt(3 * array.size)
        mean_square, sigma = bound**2 / 3, 2 * bound**2 / np.sqrt(45 * array.size)
        assert abs(np.square(array).mean() - mean_square) < tolerances.SIGMAS * sigma
    assert not network.hidden_bias.any()
    assert not network.output_bias.any()
    same, other = (
        BipartiteNetwork.random(num_inputs=400, num_hidden=100, num_classes=10, seed=seed)
        for seed in (3, 4)
    )
    assert tolerances.same_bits(network.input_weights, same.input_weights)
    assert not tolerances.same_bits(network.input_weights, other.input_weights)
    assert repr(network) == "BipartiteNetwork(400 inputs, 100 hidden, 40 output spins, 10 classes)"


def test_gains_scale_what_is_drawn():
    """Powers of 2 do so without rounding."""
    sizes = {"num_inputs": 9, "num_hidden": 7, "num_classes": 3, "seed": 5}
    plain = BipartiteNetwork.random(**sizes)
    scaled = BipartiteNetwork.random(**sizes, input_gain=0.5, coupling_gain=4)
    assert tolerances.same_bits(scaled.input_weights, plain.input_weights * np.float32(0.5))
    assert tolerances.same_bits(scaled.couplings, plain.couplings * np.float32(4))
    assert not scaled.hidden_bias.any()
    assert not scaled.output_bias.any()
    ones = BipartiteNetwork.random(**sizes, input_gain=1.0, coupling_gain=1.0)
    assert all(
        tolerances.same_bits(array, getattr(plain, name))
        for name, array in ones.parameters().items()
    )
    odd = BipartiteNetwork.random(**sizes, input_gain=0.3)
    np.testing.assert_allclose(
        odd.input_weights, 0.3 * plain.input_weights, rtol=tolerances.FLOAT32
    )
    assert tolerances.same_bits(odd.couplings, plain.couplings)


def test_parameters_are_copies_in_single_precision():
    weights = np.ones((2, 3))
    network = BipartiteNetwork(weights, np.ones((2, 4)), np.ones(2), np.ones(4), num_classes=2)
    weights[:] = 7
    assert (network.input_weights == 1).all()
    assert (network.num_inputs, network.num_hidden, network.num_output, network.num_classes) == (
        3,
        2,
        4,
        2,
    )
    for name, array in network.parameters().items():
        assert array is getattr(network, name)
        assert array.dtype == np.float32
    assert tuple(network.parameters()) == PARAMETERS


@pytest.mark.parametrize("num_hidden", WIDTHS)
@pytest.mark.parametrize("num_inputs", [1, 64, 785])
def test_local_fields(on_every_kernel, num_inputs, num_hidden):
    network = oracle.random_network(num_inputs, num_hidden)
    images = oracle.random_images(6, num_inputs)
    images[0], images[1] = 0, 1
    exact = (
        network.hidden_bias + images.astype(np.float64) @ network.input_weights.astype(np.float64).T
    )
    scale = (
        np.abs(network.hidden_bias) + images.astype(np.float64) @ np.abs(network.input_weights).T
    )
    whole = on_every_kernel(lambda: network.problem(images).hidden_fields)
    each = on_every_kernel(
        lambda: np.concatenate([network.problem(images[k : k + 1]).hidden_fields for k in range(6)])
    )
    assert (np.abs(whole[0] - exact) <= tolerances.FLOAT32 * num_inputs**0.5 * scale).all()
    assert tolerances.same_bits(*whole, *each)
    assert tolerances.same_bits(whole[0][0], network.hidden_bias)


def test_problem_is_the_energy_of_the_network():
    network = oracle.random_network()
    for name, array in network.parameters().items():
        array[...] = oracle.on_grid(array)
        assert array.any(), name
    images = oracle.on_grid(np.random.default_rng(0).random((4, 7)))
    images[:, ::3] = 0
    spins = oracle.random_spins(4, 6, 5 + 6)
    s, t = spins[..., :5].astype(float), spins[..., 5:].astype(float)
    W, J, b, c = (array.astype(float) for array in network.parameters().values())
    energies = (
        np.einsum("bri,ia,ba->br", s, W, images)
        + s @ b
        + t @ c
        + np.einsum("bri,ia,bra->br", s, J, t)
    )
    np.testing.assert_array_equal(network.problem(images).energies(spins), energies)
    labels = np.array([2, 0, 1, 1])
    pull = np.einsum("ba,bra->br", network.readout.targets(labels), t)
    nudged = network.problem(images, labels, nudge=0.75)
    np.testing.assert_array_equal(nudged.energies(spins), energies - 0.75 * pull)
    np.testing.assert_array_equal(
        network.problem(images, labels, nudge=0.0).energies(spins), energies
    )


def test_problem_passes_streams_on():
    network, images = oracle.random_network(), oracle.random_images(3, 7)
    assert network.problem(images).streams.tolist() == [0, 1, 2]
    assert network.problem(images, streams=[9, 4, 4]).streams.tolist() == [9, 4, 4]
    assert network.problem(images, [0, 1, 2], 1.0, streams=[9, 4, 4]).streams.tolist() == [9, 4, 4]


def test_reference_states_are_the_lowest_with_given_outputs():
    network = oracle.random_network(num_hidden=9)
    problem = network.problem(oracle.random_images(5, 7))
    classes = np.array([[0, 1, 2]] * 4 + [[2, 2, 0]])
    states = network.reference_states(problem.hidden_fields, classes)
    assert states.dtype == np.int8
    np.testing.assert_array_equal(states[..., 9:], network.readout.targets(classes))
    hidden = oracle.all_states(9)
    for b, row in enumerate(classes):
        for k, label in enumerate(row):
            outputs = np.repeat(network.readout.targets([label]), len(hidden), axis=0)
            energies = oracle.energies(
                problem[b : b + 1], np.concatenate([hidden, outputs], axis=1)[None]
            )[0]
            np.testing.assert_array_equal(states[b, k, :9], hidden[energies.argmin()])


@pytest.mark.parametrize("num_hidden", WIDTHS)
@pytest.mark.parametrize("num_output", [2, 16, 34, 130])
def test_reference_states_are_eq_7_on_every_kernel(on_every_kernel, num_hidden, num_output):
    """On a grid of binary fractions, with many ties: a hidden spin without a field is up."""
    network = oracle.random_network(3, num_hidden, num_classes=2, redundancy=num_output // 2)
    network.couplings[...] = np.sign(network.couplings)
    fields = np.random.default_rng(0).integers(-2, 3, (4, num_hidden)).astype(np.float32)
    states = on_every_kernel(lambda: network.reference_states(fields, [[0, 1]] * 4))
    total = fields[:, None] + network.readout.targets([0, 1]).astype(
        float
    ) @ network.couplings.T.astype(float)
    np.testing.assert_array_equal(states[0][..., :num_hidden], np.where(total > 0, -1, 1))
    assert tolerances.same_bits(*states)
    assert num_hidden < 15 or (total == 0).any()


def test_save_and_load(tmp_path):
    network = oracle.random_network()
    network.save(tmp_path / "model.safetensors")
    loaded = BipartiteNetwork.load(tmp_path / "model.safetensors")
    for name, array in network.parameters().items():
        assert tolerances.same_bits(array, getattr(loaded, name)), name
    assert loaded.readout == network.readout
    images = oracle.random_images(2, 7)
    assert tolerances.same_bits(
        network.problem(images).hidden_fields, loaded.problem(images).hidden_fields
    )


def new(W=(2, 3), J=(2, 4), b=(2,), c=(4,), num_classes=2, value=1.0):
    return BipartiteNetwork(
        np.full(W, value), np.ones(J), np.ones(b), np.ones(c), num_classes=num_classes
    )


def random_network(**sizes):
    return BipartiteNetwork.random(**{"num_inputs": 1, "num_hidden": 1, "num_classes": 2, **sizes})


def problem(*arguments, **options):
    return oracle.random_network().problem(*arguments, **options)


IMAGE = np.full((1, 7), 0.5)

BAD = np.full((3, 7), 0.5)

BAD[2, 4] = 1.25


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: new(W=(2,)), "ValueError: input_weights must have shape (n, n), got (2,)"),
        (lambda: new(J=(3, 4)), "ValueError: couplings must have shape (2, n), got (3, 4)"),
        (lambda: new(b=(3,)), "ValueError: hidden_bias must have shape (2,), got (3,)"),
        (lambda: new(c=(5,)), "ValueError: output_bias must have shape (4,), got (5,)"),
        (
            lambda: new(num_classes=3),
            "ValueError: couplings must have a multiple of num_classes = 3",
        ),
        (lambda: new(num_classes=1), "ValueError: num_classes must be at least 2, got 1"),
        (
            lambda: new(value=np.nan),
            "ValueError: input_weights must be finite, got nan at index (0, 0)",
        ),
        (lambda: new(value="x"), "TypeError: input_weights must be an array of real numbers, "),
        # Finite as float64, but not as the float32 that is kept.
        (lambda: new(value=1e39), "ValueError: input_weights must be finite"),
        (lambda: random_network(num_inputs=0), "ValueError: num_inputs must be at least 1, got 0"),
        (
            lambda: random_network(num_hidden=1.0),
            "TypeError: num_hidden must be an integer, got 1.0",
        ),
        (
            lambda: random_network(input_gain=0),
            "ValueError: input_gain must be finite and above 0, got 0.0",
        ),
        (
            lambda: random_network(coupling_gain=-2),
            "ValueError: coupling_gain must be finite and above 0, got -2.0",
        ),
        (
            lambda: random_network(coupling_gain=np.nan),
            "ValueError: coupling_gain must be finite and above 0, got nan",
        ),
        (
            lambda: random_network(input_gain=True),
            "TypeError: input_gain must be a number, got True",
        ),
        (
            lambda: random_network(num_classes=1, input_gain=0),
            "ValueError: num_classes must be at least 2, got 1",
        ),
        (
            lambda: random_network(input_gain=0, coupling_gain=0),
            "ValueError: input_gain must be finite and above 0",
        ),
        (
            lambda: random_network(coupling_gain=0, seed=-1),
            "ValueError: coupling_gain must be finite and above 0",
        ),
        (lambda: random_network(seed=-1), "ValueError: seed must be at least 0, got -1"),
        (lambda: problem(np.ones((2, 6))), "ValueError: images must have shape (n, 7), got (2, 6)"),
        (lambda: problem(np.ones((0, 7))), "ValueError: images must have shape (n, 7), got (0, 7)"),
        (
            lambda: problem(np.ones((1, 7), int)),
            "TypeError: images must be floating-point pixels",
        ),
        (
            lambda: problem(3 * IMAGE),
            "ValueError: images must be in [0, 1], got 1.500000 at index (0, 0)",
        ),
        (
            lambda: problem(BAD),
            "ValueError: images must be in [0, 1], got 1.250000 at index (2, 4)",
        ),
        (lambda: problem(-IMAGE), "ValueError: images must be in [0, 1], got -0.5"),
        (lambda: problem(np.nan * IMAGE), "ValueError: images must be in [0, 1], got nan"),
        (lambda: problem(IMAGE, labels=[0]), "ValueError: labels and nudge must be given together"),
        (
            lambda: problem(IMAGE, nudge=1.0),
            "ValueError: labels and nudge must be given together, got",
        ),
        (
            lambda: problem(IMAGE, [3], 1.0),
            "ValueError: labels must be in 0 ... 2, got 3 at index 0",
        ),
        (lambda: problem(IMAGE, [0, 1], 1.0), "ValueError: labels must have shape (1,), got (2,)"),
        (
            lambda: problem(IMAGE, [0], -1.0),
            "ValueError: nudge must be finite and at least 0, got -1.0",
        ),
        (lambda: problem(IMAGE, [0], "1"), "TypeError: nudge must be a number, got '1'"),
        (lambda: problem(IMAGE, [0], 1e39), "ValueError: nudge must be finite"),  # as a float32
        (
            lambda: problem(IMAGE, streams=[0, 1]),
            "ValueError: streams must have shape (1,), got (2,)",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
