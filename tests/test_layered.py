"""The room of deep networks: all layers as one problem, two layers and the others frozen, orders, refusals."""

from itertools import pairwise

import numpy as np
import pytest

import oracle
import tolerances
from isingprop import Annealing, BipartiteNetwork, LayeredNetwork, States, layered_gradient
from isingprop.util.files import load_tensors, save_tensors

NUM_INPUTS = 3
# Two, three and four layers of spins, at most 16 spins; the last layer has two classes.
SIZES = [(5, 4), (3, 4, 2), (5, 1, 4), (4, 3, 5, 2), (1, 2, 3, 4), (4, 4, 4, 4)]
STAGES = [(sizes, layer) for sizes in SIZES for layer in range(1, len(sizes))]


def deep_network(sizes, num_inputs=NUM_INPUTS, *, num_classes=2, grid=True, seed=0):
    """All parameters normally distributed; on the grid, sums in single precision are exact."""
    random = np.random.default_rng([seed, *sizes])
    arrays = (
        random.normal(size=(sizes[0], num_inputs)),
        [random.normal(size=shape) for shape in pairwise(sizes)],
        [random.normal(size=size) for size in sizes],
    )
    network = LayeredNetwork(*arrays, num_classes=num_classes)
    for name, array in network.parameters().items():
        array[...] = oracle.on_grid(array) if grid else array
        assert array.any(), name
    return network


def some_images(num_images=2, num_inputs=NUM_INPUTS):
    return oracle.on_grid(np.random.default_rng(1).random((num_images, num_inputs)))


def exact_energies(network, images, spins):
    """Eq. (14) with each bias once, spin by spin from the formula: (B, R, N), or (R, N) for all images, to (B, R)."""
    weights, images = network.input_weights.astype(float), images.astype(float)
    bounds = np.cumsum([0, *(len(bias) for bias in network.biases)])
    layers = [spins[..., start:stop].astype(float) for start, stop in pairwise(bounds)]
    total = np.einsum(
        "bri,ia,ba->br",
        np.broadcast_to(layers[0], (len(images), *layers[0].shape[-2:])),
        weights,
        images,
    )
    for layer, bias in zip(layers, network.biases, strict=True):
        total = total + layer @ bias.astype(float)
    for (lower, upper), couplings in zip(pairwise(layers), network.couplings, strict=True):
        total = total + ((lower @ couplings.astype(float)) * upper).sum(axis=-1)
    return total


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
        # Standard deviations of n uniform numbers' mean and mean square: b / sqrt(3 n), 2 b^2 / sqrt(45 n).
        assert abs(array.mean()) < tolerances.SIGMAS * bound / np.sqrt(3 * array.size)
        sigma = 2 * bound**2 / np.sqrt(45 * array.size)
        assert abs(np.square(array).mean() - bound**2 / 3) < tolerances.SIGMAS * sigma
    assert not any(bias.any() for bias in network.biases)
    same, other = (
        LayeredNetwork.random(num_inputs=400, hidden=sizes[:-1], seed=seed) for seed in (3, 4)
    )
    assert same_parameters(network, same)
    assert not tolerances.same_bits(network.couplings[2], other.couplings[2])


def same_parameters(first, second):
    ours, theirs = first.parameters(), second.parameters()
    return list(ours) == list(theirs) and all(
        tolerances.same_bits(ours[name], theirs[name]) for name in ours
    )


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
        [9, 5, 0, 7, 1, 2**62],
    )
    assert tolerances.same_bits(deep.hidden_fields(images), shallow.hidden_fields(images))
    start = oracle.random_spins(6, 2, 17 + deep.num_output)
    for arguments in ((), (labels, 0.7)):
        ours, theirs = (
            each.problem(images, *arguments, streams=streams) for each in (deep, shallow)
        )
        problems = [ours, theirs]
        if not arguments:
            problems.append(deep.stage(1, deep.hidden_fields(images), start, streams))
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
    """All states of the two active layers, with the others frozen at three states of their own for each image."""
    network, images, chains = deep_network(sizes), some_images(), 3
    frozen = oracle.random_spins(2, chains, sum(sizes), seed=layer)
    where = network.active(layer)
    problem = network.stage(layer, network.hidden_fields(images), frozen, [4, 6])
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
    again = network.stage(layer, network.hidden_fields(images), anything, [4, 6])
    assert tolerances.same_bits(problem.hidden_fields, again.hidden_fields)
    assert tolerances.same_bits(problem.output_fields, again.output_fields)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_sampled_stage_fits_back_into_the_state(layer):
    network, images = deep_network((9, 8, 7, 6)), some_images()
    before = oracle.random_spins(2, 4, 30)
    problem = network.stage(layer, network.hidden_fields(images), before, [0, 1])
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
    streams = np.arange(100, 107)

    def fields(rows, chains):
        part = np.ascontiguousarray(spins[rows, chains])
        problem = network.stage(layer, network.hidden_fields(images[rows]), part, streams[rows])
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
        streams = network.stage(layer, fields, spins, np.arange(40)).streams.reshape(40, 50)
        assert streams.dtype == np.uint64
        assert streams[:, 0].tolist() == list(range(40))
        assert len(np.unique(streams)) == streams.size
    last = network.stage(1, fields, spins, np.arange(2**32 - 40, 2**32)).streams
    assert len(np.unique(last)) == last.size


def test_parameters_are_copies_in_single_precision():
    weights, couplings = np.ones((2, 3)), [np.ones((2, 4)), np.ones((4, 6))]
    network = LayeredNetwork(weights, couplings, [np.ones(n) for n in (2, 4, 6)], num_classes=3)
    weights[:] = couplings[1][:] = 7
    names = ["input_weights", "couplings_1", "couplings_2", "bias_1", "bias_2", "bias_3"]
    parameters = network.parameters()
    assert list(parameters) == names
    owned = [network.input_weights, *network.couplings, *network.biases]
    assert all(array is own for array, own in zip(parameters.values(), owned, strict=True))
    assert all(array.dtype == np.float32 and (array == 1).all() for array in owned)
    one_input = deep_network((3, 4, 2), 1)  # whose weights are in both orders at once
    copy = LayeredNetwork(
        one_input.input_weights, one_input.couplings, one_input.biases, num_classes=2
    )
    both = zip(copy.parameters().values(), one_input.parameters().values(), strict=True)
    assert not any(np.shares_memory(ours, theirs) for ours, theirs in both)
    assert (network.num_inputs, network.num_hidden, network.num_output, network.num_classes) == (
        3,
        6,
        6,
        3,
    )
    assert network.readout.redundancy == 2
    assert repr(network) == "LayeredNetwork(3 inputs, 2 + 4 hidden, 6 output spins, 3 classes)"


@pytest.mark.parametrize("sizes", SIZES)
def test_save_and_load(tmp_path, sizes):
    network, path = deep_network(sizes, grid=False), tmp_path / "model.safetensors"
    network.save(path)
    loaded = LayeredNetwork.load(path)
    assert same_parameters(network, loaded)
    assert loaded.readout == network.readout
    assert loaded.input_weights.flags.f_contiguous
    loaded.save(tmp_path / "again.safetensors")
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_load_refuses_other_files(tmp_path, assert_refused):
    path = tmp_path / "model.safetensors"
    assert_refused(
        lambda: LayeredNetwork.load(path), "FileNotFoundError: no layered-network file at "
    )
    oracle.random_network().save(path)
    assert_refused(
        lambda: LayeredNetwork.load(path),
        f"ValueError: {path} must be an isingprop-layered-network file, got 'isingprop-network'",
    )
    network = deep_network((4, 3, 5, 2))
    network.save(path)
    assert_refused(
        lambda: BipartiteNetwork.load(path),
        f"ValueError: {path} must be an isingprop-network file, got 'isingprop-layered-network'",
    )
    tensors, metadata = load_tensors(path, "layered-network", ())

    def saved(without=(), **changed):
        kept = {
            name: array for name, array in {**tensors, **changed}.items() if name not in without
        }
        save_tensors(path, "layered-network", kept, {"num_classes": metadata["num_classes"]})
        return path

    assert_refused(
        lambda: LayeredNetwork.load(saved(["bias_2"])),
        f"ValueError: {path} must hold input_weights, ",
    )
    for without in (["couplings_2"], ["couplings_3"], ["bias_3"], ["couplings_2", "bias_3"]):
        assert_refused(
            lambda without=without: LayeredNetwork.load(saved(without)),
            f"ValueError: {path} must hold input_weights, couplings_1, couplings_2",
        )
    assert_refused(
        lambda: LayeredNetwork.load(saved(other=np.ones(1))),
        f"ValueError: {path} must hold input_weights",
    )
    assert_refused(
        lambda: LayeredNetwork.load(saved(couplings_2=np.ones((2, 5), np.float32))),
        "ValueError: couplings[1] must have shape (3, 5), got (2, 5)",
    )
    save_tensors(path, "layered-network", tensors, {})
    assert_refused(
        lambda: LayeredNetwork.load(path), f"ValueError: {path} must say its num_classes, got ''"
    )


def new(W=(120, 3), J=((120, 120), (120, 40)), b=(120, 120, 40), num_classes=10, **values):
    arrays = [
        np.full(W, values.get("W_value", 1.0)),
        [np.ones(shape) for shape in J],
        [np.ones(n) for n in b],
    ]
    if "second" in values:
        arrays[1][1][3, 4] = values["second"]
    if "last" in values:
        arrays[2][2][7] = values["last"]
    return LayeredNetwork(*arrays, num_classes=num_classes)


def drawn(**sizes):
    return LayeredNetwork.random(**{"num_inputs": 1, "hidden": (2, 3), "num_classes": 2, **sizes})


def stage(layer=2, fields=(2, 3), spins=(2, 5, 9), streams=(0, 1), value=1):
    return deep_network((3, 4, 2)).stage(
        layer, np.ones(fields, np.float32), np.full(spins, value), streams
    )


SMALL = deep_network((3, 4, 2))
IMAGE = np.full((1, NUM_INPUTS), 0.5)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: new(W=(2,)), "ValueError: input_weights must have shape (n, n), got (2,)"),
        (lambda: new(W=(0, 3)), "ValueError: input_weights must have shape (n, n), got (0, 3)"),
        (
            lambda: new(J=((120, 120), (100, 40))),
            "ValueError: couplings[1] must have shape (120, 40), got (100, 40)",
        ),
        (
            lambda: new(J=((40, 120), (120, 40))),
            "ValueError: couplings[0] must have shape (120, 120), got (40, 120)",
        ),
        (
            lambda: new(J=((120, 0), (0, 40))),
            "ValueError: couplings[0] must have shape (n, n), got (120, 0)",
        ),
        (
            lambda: new(J=((120, 120), 120)),
            "ValueError: couplings[1] must have shape (n, n), got (120,)",
        ),
        (lambda: new(J=()), "ValueError: couplings must hold at least one array, got none"),
        (
            lambda: LayeredNetwork([[1.0]], 3, [[1.0]], num_classes=2),
            "TypeError: couplings must be a sequence of arr",
        ),
        (
            lambda: LayeredNetwork([[1.0]], [[[1.0, 1.0]]], None, num_classes=2),
            "TypeError: biases must be a sequence of arrays, got None",
        ),
        (
            lambda: new(b=(120, 120)),
            "ValueError: biases must hold an array for each of 3 layers, got 2",
        ),
        (lambda: new(b=(120, 40, 120)), "ValueError: biases[1] must have shape (120,), got (40,)"),
        (lambda: new(b=(120, 120, 4)), "ValueError: biases[2] must have shape (40,), got (4,)"),
        (
            lambda: new(W_value=np.nan),
            "ValueError: input_weights must be finite, got nan at index (0, 0)",
        ),
        (lambda: new(W_value="x"), "TypeError: input_weights must be an array of real numbers, "),
        (
            lambda: new(second=np.nan),
            "ValueError: couplings[1] must be finite, got nan at index (3, 4)",
        ),
        # Finite as float64, but not as the float32 that is kept.
        (lambda: new(second=1e39), "ValueError: couplings[1] must be finite"),
        (lambda: new(last=np.inf), "ValueError: biases[2] must be finite, got inf at index (7,)"),
        (
            lambda: new(num_classes=7),
            "ValueError: couplings[1] must have a multiple of num_classes = 7 columns, got 40",
        ),
        (lambda: new(num_classes=1), "ValueError: num_classes must be at least 2, got 1"),
        (lambda: new(num_classes=10.0), "TypeError: num_classes must be an integer, got 10.0"),
        (lambda: drawn(num_inputs=0), "ValueError: num_inputs must be at least 1, got 0"),
        (lambda: drawn(num_inputs=1.0), "TypeError: num_inputs must be an integer, got 1.0"),
        (lambda: drawn(hidden=(120, 0)), "ValueError: hidden[1] must be at least 1, got 0"),
        (lambda: drawn(hidden=(120, 3.0)), "TypeError: hidden[1] must be an integer, got 3.0"),
        (lambda: drawn(hidden=(True, 3)), "TypeError: hidden[0] must be an integer, got True"),
        (lambda: drawn(hidden="12"), "TypeError: hidden[0] must be an integer, got '1'"),
        (lambda: drawn(hidden=120), "TypeError: hidden must be a sequence of integers, got 120"),
        (lambda: drawn(hidden=()), "ValueError: hidden must name at least one layer, got none"),
        (
            lambda: drawn(hidden=(), num_classes=1),
            "ValueError: hidden must name at least one layer, got none",
        ),
        (
            lambda: drawn(num_classes=1, redundancy=0),
            "ValueError: num_classes must be at least 2, got 1",
        ),
        (lambda: drawn(redundancy=0), "ValueError: redundancy must be at least 1, got 0"),
        (lambda: drawn(input_gain=0), "ValueError: input_gain must be finite and above 0, got 0.0"),
        (
            lambda: drawn(coupling_gain=np.nan),
            "ValueError: coupling_gain must be finite and above 0, got nan",
        ),
        (lambda: drawn(coupling_gain="1"), "TypeError: coupling_gain must be a number, got '1'"),
        (
            lambda: drawn(coupling_gain=[1, 0]),
            "ValueError: coupling_gain[1] must be finite and above 0, got 0.0",
        ),
        (
            lambda: drawn(coupling_gain=[1.0]),
            "ValueError: coupling_gain must be one number or one for each of 2 couplings, got 1",
        ),
        (
            lambda: SMALL.shallow(),
            "ValueError: hidden must name one layer for a BipartiteNetwork, got 2",
        ),
        (lambda: drawn(seed=-1), "ValueError: seed must be at least 0, got -1"),
        (
            lambda: SMALL.problem(np.ones((2, 6))),
            "ValueError: images must have shape (n, 3), got (2, 6)",
        ),
        (
            lambda: SMALL.problem(np.ones((2, 3), int)),
            "TypeError: images must be floating-point pixels",
        ),
        (
            lambda: SMALL.problem(3 * IMAGE),
            "ValueError: images must be in [0, 1], got 1.500000 at index (0, 0)",
        ),
        (
            lambda: SMALL.problem(IMAGE, labels=[0]),
            "ValueError: labels and nudge must be given together, got nudge =",
        ),
        (
            lambda: SMALL.problem(IMAGE, nudge=1.0),
            "ValueError: labels and nudge must be given together, got nudge =",
        ),
        (
            lambda: SMALL.problem(IMAGE, [2], 1.0),
            "ValueError: labels must be in 0 ... 1, got 2 at index 0",
        ),
        (
            lambda: SMALL.problem(IMAGE, [0], -1.0),
            "ValueError: nudge must be finite and at least 0, got -1.0",
        ),
        (
            lambda: SMALL.problem(IMAGE, streams=[0, 1]),
            "ValueError: streams must have shape (1,), got (2,)",
        ),
        (
            lambda: SMALL.energies(IMAGE, np.ones((1, 2, 8))),
            "ValueError: spins must have shape (1, 2, 9), got (1, 2, 8)",
        ),
        (
            lambda: SMALL.energies(IMAGE, np.ones((2, 2, 9))),
            "ValueError: spins must have shape (1, n, 9), got (2, 2, 9)",
        ),
        (
            lambda: SMALL.energies(IMAGE, np.zeros((1, 1, 9))),
            "ValueError: spins must be -1 or +1, got 0.0 at index",
        ),
        (lambda: SMALL.split(np.ones(8)), "ValueError: spins must have shape (9,), got (8,)"),
        (lambda: SMALL.split(1), "ValueError: spins must have shape (9,), got ()"),
        (
            lambda: SMALL.to_problem(np.ones((2, 10))),
            "ValueError: spins must have shape (2, 9), got (2, 10)",
        ),
        (
            lambda: SMALL.from_problem(np.ones((2, 10))),
            "ValueError: spins must have shape (2, 9), got (2, 10)",
        ),
        (lambda: SMALL.active(3), "ValueError: layer must be at most 2, got 3"),
        (lambda: SMALL.active(0), "ValueError: layer must be at least 1, got 0"),
        (lambda: stage(layer=0), "ValueError: layer must be at least 1, got 0"),
        (lambda: stage(layer=3), "ValueError: layer must be at most 2, got 3"),
        (lambda: stage(layer=1.0), "TypeError: layer must be an integer, got 1.0"),
        (lambda: stage(fields=(2, 4)), "ValueError: fields must have shape (n, 3), got (2, 4)"),
        (
            lambda: stage(spins=(1, 5, 9)),
            "ValueError: spins must have shape (2, n, 9), got (1, 5, 9)",
        ),
        (lambda: stage(spins=(2, 9)), "ValueError: spins must have shape (2, n, 9), got (2, 9)"),
        (
            lambda: stage(spins=(2, 5, 6)),
            "ValueError: spins must have shape (2, n, 9), got (2, 5, 6)",
        ),
        (lambda: stage(value=0), "ValueError: spins must be -1 or +1, got 0 at index (0, 0, 0)"),
        (lambda: stage(streams=[0]), "ValueError: streams must have shape (2,), got (1,)"),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_gradient_is_that_of_the_energy(sizes):
    """The energy is linear in each parameter, so a central difference is exact but for rounding."""
    network, images = deep_network(sizes), some_images()
    free, nudged = (oracle.random_spins(2, reads, sum(sizes), seed=reads) for reads in (3, 2))
    states = [States(spins, np.zeros(spins.shape[:2])) for spins in (free, nudged)]
    found = layered_gradient(network, images, *states)
    assert list(found) == list(network.parameters())

    def difference():
        return sum(
            sign * exact_energies(network, images, spins).mean()
            for sign, spins in ((1, free), (-1, nudged))
        )

    for name, array in network.parameters().items():
        assert found[name].any(), name
        for index in np.ndindex(array.shape):
            value, sides = array[index], []
            for step in (-0.5, 0.5):
                array[index] = value + np.float32(step)
                sides.append(difference())
            array[index] = value
            assert abs(found[name][index] - (sides[1] - sides[0])) < tolerances.FLOAT32, (
                name,
                index,
            )
    for wrong in (
        [states[0], States(free[:1], np.zeros((1, 3)))],
        [States(free[..., 1:], np.zeros((2, 3))), states[1]],
    ):
        with pytest.raises(ValueError, match=r"spins must have shape \(2, n, "):
            layered_gradient(network, images, *wrong)
