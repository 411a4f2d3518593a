"""Deep networks: parameters, files, refusals, and the gradient of the energy."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.deep_networks import (
    NUM_INPUTS,
    SIZES,
    deep_network,
    exact_energies,
    same_parameters,
    some_images,
)
from isingprop import BipartiteNetwork, LayeredNetwork, States, layered_gradient
from isingprop.util.checked_files import load_tensors, save_tensors


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
