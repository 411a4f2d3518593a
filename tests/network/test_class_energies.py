"""Class energies in closed form, against enumeration of the hidden spins; predictions from them."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import BipartiteNetwork, kernels
from isingprop.network import bipartite

CODES = [(2, 1), (2, 5), (3, 2), (7, 3), (10, 4), (17, 1), (130, 2)]


def code(num_classes, redundancy):
    """n[k] of all classes, (K, O)."""
    own = np.repeat(np.eye(num_classes), redundancy, axis=1)
    return (2 * own - 1).astype(np.int8)


def random_classes(num_hidden, num_classes, redundancy, **options):
    options = {"num_problems": 3, "seed": num_classes, **options}
    return oracle.random_problem(num_hidden, num_classes * redundancy, **options)


def energies_of(problem, num_classes):
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    return kernels.class_energies(*arrays, num_classes)


def in_numpy(problem, outputs, turned=()):
    """The closed form, with the wrong sign of M for the classes in `turned`."""
    outputs = outputs.astype(np.float64)
    matrix = problem.couplings.astype(np.float64) @ outputs.T
    matrix[:, list(turned)] *= -1
    fields = problem.hidden_fields.astype(np.float64)[:, :, None] + matrix
    return problem.output_fields.astype(np.float64) @ outputs.T - np.abs(fields).sum(axis=1)


def agree(found, exact):
    return np.allclose(found, exact, rtol=tolerances.CLASS_ENERGY, atol=0)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("num_hidden", [1, 7, 10])
@pytest.mark.parametrize(("num_classes", "redundancy"), CODES)
def test_class_energies_are_those_of_enumeration(
    kernel, num_classes, redundancy, num_hidden, dtype, shared
):
    options = {"dtype": dtype, "shared_output_fields": shared}
    problem = random_classes(num_hidden, num_classes, redundancy, **options)
    exact = oracle.class_energies(problem, code(num_classes, redundancy))
    assert agree(energies_of(problem, num_classes), exact)


@pytest.mark.parametrize("redundancy", range(1, 6))
@pytest.mark.parametrize(("num_hidden", "num_classes"), [(12, 10), (5, 1000)])
def test_class_energies_of_many_hidden_spins_and_classes(num_hidden, num_classes, redundancy):
    problem = random_classes(num_hidden, num_classes, redundancy)
    exact = oracle.class_energies(problem, code(num_classes, redundancy))
    assert agree(energies_of(problem, num_classes), exact)


@pytest.mark.parametrize("turned", [0, 3, 9])
def test_enumeration_rejects_a_class_whose_couplings_have_the_wrong_sign(turned):
    problem, outputs = random_classes(10, 10, 4), code(10, 4)
    exact = oracle.class_energies(problem, outputs)
    assert agree(in_numpy(problem, outputs), exact)
    assert not agree(in_numpy(problem, outputs, [turned]), exact)


def test_enumeration_with_fixed_outputs_is_enumeration_of_whole_states():
    problem, outputs = random_classes(6, 3, 2), code(3, 2)
    states = oracle.all_states(12)
    of_class = [(states[:, 6:] == each).all(axis=1) for each in outputs]
    minima = [oracle.energies(problem, states[rows]).min(axis=1) for rows in of_class]
    assert agree(oracle.class_energies(problem, outputs), np.transpose(minima))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("num_classes", "redundancy"), [*CODES, (1000, 5)])
@pytest.mark.parametrize("num_hidden", [1, 33, 120])
def test_same_bits_on_every_kernel_and_in_parts(
    on_every_kernel, num_hidden, num_classes, redundancy, dtype
):
    problem = random_classes(num_hidden, num_classes, redundancy, dtype=dtype)
    whole = on_every_kernel(lambda: energies_of(problem, num_classes))
    parts = [energies_of(problem[b : b + 1], num_classes) for b in range(3)]
    assert tolerances.same_bits(*whole, np.concatenate(parts))


def test_a_network_gives_the_class_energies_of_its_problem(monkeypatch):
    """... with all its biases, and however images are portioned."""
    network, images = oracle.random_network(num_hidden=9), oracle.random_images(5)
    exact = oracle.class_energies(network.problem(images), code(3, 2))
    whole = network.class_energies(images)
    assert agree(whole, exact)
    assert agree(whole, in_numpy(network.problem(images), code(3, 2)))
    monkeypatch.setattr(bipartite, "_PORTION_IMAGES", 2)
    assert tolerances.same_bits(whole, network.class_energies(images))


def test_reference_states_have_the_class_energies():
    network, images = oracle.random_network(num_hidden=40), oracle.random_images(5)
    problem = network.problem(images)
    states = network.reference_states(problem.hidden_fields, [[0, 1, 2]] * 5)
    assert agree(network.class_energies(images), oracle.energies(problem, states))


def test_predict_is_the_class_of_the_lowest_energy():
    network, images = oracle.random_network(num_hidden=10, num_classes=10), oracle.random_images(50)
    network.output_bias[...] = 0  # what is the same for all images
    network.hidden_bias[...] = 0
    network.couplings[...] /= 8
    classes = network.predict(images)
    assert classes.dtype == np.int64
    exact = oracle.class_energies(network.problem(images), code(10, 2))
    np.testing.assert_array_equal(classes, exact.argmin(axis=1))
    assert len(np.unique(classes)) > 3


def test_of_equal_energies_the_lowest_class_is_predicted():
    zeros = np.zeros((2, 3)), np.zeros((2, 4)), np.zeros(2)
    image = np.zeros((1, 3))
    assert BipartiteNetwork(*zeros, np.zeros(4), num_classes=4).predict(image).tolist() == [0]
    biased = BipartiteNetwork(*zeros, [0, -1, 1, -1], num_classes=4)
    np.testing.assert_array_equal(biased.class_energies(image), [[1, -1, 3, -1]])
    assert biased.predict(image).tolist() == [1]


def test_one_strong_pull_puts_its_class_first():
    network, images = oracle.random_network(), oracle.random_images(6)
    labels = np.array([0, 1, 2, 2, 1, 0])
    nudged = network.problem(images, labels, nudge=100.0)
    np.testing.assert_array_equal(energies_of(nudged, 3).argmin(axis=1), labels)


ARRAYS = (np.ones((2, 6)), np.ones((4, 2)), np.ones((4, 6)))


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (
            lambda: kernels.class_energies(*ARRAYS, 4),
            "ValueError: couplings must have a multiple of num_classes = 4 columns, got 6",
        ),
        (lambda: kernels.class_energies(*ARRAYS, 0), "ValueError: num_classes must be at least 1"),
        (
            lambda: kernels.class_energies(*ARRAYS[:2], np.ones((3, 6)), 3),
            "ValueError: output_fields must have shape (4, 6), got (3, 6)",
        ),
        (
            lambda: oracle.random_network().class_energies(np.ones((2, 6))),
            "ValueError: images must have shape (n, 7), got (2, 6)",
        ),
        (
            lambda: oracle.random_network().predict(np.full((2, 7), 1.5)),
            "ValueError: images must be in [0, 1], got 1.5",
        ),
    ],
)
def test_refusals_of_class_energies(assert_refused, call, refusal):
    assert_refused(call, refusal)
