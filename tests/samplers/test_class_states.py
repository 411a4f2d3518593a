"""ClassStates: the lowest state of each class, in order, against exact enumeration."""

import numpy as np
import pytest
from sklearn.base import clone

from helpers import oracle, tolerances
from helpers.training.training_runs import DATA, bits, make
from isingprop import Annealing, BipartiteNetwork, ClassStates, IsingProblem, Readout
from isingprop.samplers.protocol import check_has_temperature, declared

CODES = [(2, 1), (3, 2), (10, 4), (17, 3)]
READS = {"num_states": 3, "num_test_reads": 3}  # no more than classes


def class_problem(readout, num_hidden=8, **options):
    options = {"num_problems": 4, "seed": 2, **options}
    return oracle.random_problem(num_hidden, readout.num_output, **options)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("num_classes", "redundancy"), CODES)
def test_the_lowest_classes_come_first(kernel, num_classes, redundancy, dtype, shared):
    readout = Readout(num_classes, redundancy)
    problem = class_problem(readout, dtype=dtype, shared_output_fields=shared)
    codes = readout.targets(np.arange(num_classes))
    exact = oracle.class_energies(problem, codes)
    whole = ClassStates(readout).sample(problem, num_classes)

    np.testing.assert_array_equal(whole.info["classes"], exact.argsort(axis=1))
    np.testing.assert_array_equal(whole.spins[..., 8:], codes[whole.info["classes"]])
    for found in (np.sort(exact, axis=1), problem.energies(whole.spins)):
        np.testing.assert_allclose(whole.energies, found, rtol=tolerances.CLASS_ENERGY)

    for num_reads in range(1, num_classes):
        fewer = ClassStates(readout).sample(problem, num_reads)
        first = np.ascontiguousarray(whole.spins[:, :num_reads])
        assert tolerances.same_bits(fewer.spins, first)
        assert tolerances.same_bits(
            fewer.energies, np.ascontiguousarray(whole.energies[:, :num_reads])
        )


@pytest.mark.parametrize(("num_classes", "redundancy"), [(2, 1), (2, 3), (3, 2), (6, 1)])
def test_no_class_state_is_below_the_ground_state(num_classes, redundancy):
    readout = Readout(num_classes, redundancy)
    problem = class_problem(readout, num_problems=20)
    ground = oracle.ground_energies(problem)
    lowest = ClassStates(readout).sample(problem, 1).energies
    assert (lowest >= ground - tolerances.ENERGY * oracle.sum_of_sizes(problem)).all()
    assert (lowest > ground + 0.1).any(), "other outputs than class codes are lower here"


def test_the_ground_state_of_a_strong_nudge_is_a_class_state():
    network, labels = oracle.random_network(), np.array([0, 1, 2, 1])
    problem = network.problem(oracle.random_images(4), labels, nudge=100.0)
    states = ClassStates(network.readout).sample(problem)
    np.testing.assert_array_equal(states.info["classes"][:, 0], labels)
    np.testing.assert_allclose(states.energies, oracle.ground_energies(problem), rtol=1e-12)
    again = network.reference_states(problem.hidden_fields, labels[:, None])
    np.testing.assert_array_equal(states.spins, again)


def test_class_states_are_what_a_network_predicts_by():
    network, images = oracle.random_network(num_classes=10, num_hidden=30), oracle.random_images(50)
    states = ClassStates(network.readout).sample(network.problem(images), 10)
    np.testing.assert_array_equal(network.predict(images), states.info["classes"][:, 0])
    in_order = np.sort(network.class_energies(images), axis=1)
    assert tolerances.same_bits(states.energies, in_order)


def test_of_equal_energies_the_lower_class_comes_first():
    problem = IsingProblem(np.zeros((2, 4)), np.zeros((1, 2)), [[0.0, -1.0, 1.0, -1.0]])
    states = ClassStates(Readout(4, 1)).sample(problem, 4)
    assert states.info["classes"].tolist() == [[1, 3, 0, 2]]
    assert states.energies.tolist() == [[-1, -1, 1, 3]]
    assert (states.spins[..., :2] == 1).all(), "a hidden spin without a field is up"


def test_a_field_that_single_precision_would_lose_turns_its_spin():
    """f + M of class 1 is 1 - (1 - 2^-30)."""
    arrays = [[1.0, 2.0**-30]], [[1.0]], [[0.0, 0.0]]
    problem = IsingProblem(*(np.array(each, np.float32) for each in arrays))
    states = ClassStates(Readout(2, 1)).sample(problem, 2)
    assert states.energies.tolist() == [[-2 + 2.0**-30, -(2.0**-30)]]
    assert states.spins[:, :, 0].tolist() == [[-1, -1]]
    np.testing.assert_array_equal(problem.energies(states.spins), states.energies)


def test_same_bits_for_any_seed_on_every_kernel_and_in_parts(on_every_kernel):
    readout = Readout(10, 4)
    problem, sampler = class_problem(readout, num_hidden=33), ClassStates(readout)
    whole = [
        *on_every_kernel(lambda: sampler.sample(problem, 7)),
        *(sampler.sample(problem, 7, seed=seed) for seed in (0, 1, 2**64 - 1)),
        ClassStates(readout, num_threads=4).sample(problem, 7),
    ]
    parts = [sampler.sample(problem[b : b + 1], 7) for b in range(4)]
    for name in ("spins", "energies"):
        arrays = [getattr(each, name) for each in whole]
        pieces = np.concatenate([getattr(each, name) for each in parts])
        assert tolerances.same_bits(*arrays, pieces)
    assert [each.info["seed"] for each in whole[-4:-1]] == [0, 1, 2**64 - 1]


def test_what_it_declares():
    sampler = ClassStates(Readout(3, 2), num_threads=2)
    assert not sampler.takes_initial
    assert sampler.ends_in_descent
    assert sampler.settings() == {"name": "ClassStates", "readout": Readout(3, 2)}
    assert clone(sampler) == sampler
    assert declared(sampler) is sampler
    with pytest.raises(ValueError, match="sampler must sample at a temperature"):
        check_has_temperature(sampler)
    with pytest.raises(TypeError, match="readout must be a Readout, got int"):
        clone(sampler).set_params(readout=3)


def make_trainer(sampler=None, num_threads=1):
    network = BipartiteNetwork.random(num_inputs=7, num_hidden=30, num_classes=3, redundancy=2)
    sampler = sampler or ClassStates(network.readout, num_threads)
    return make(sampler, network, **READS)


def test_a_network_learns_from_class_states(tmp_path):
    """... and a checkpoint of it goes on with the same bits, and with no other code."""
    whole, parts = (make_trainer() for _ in range(2))
    whole.fit(DATA, epochs=6)
    assert whole.history[-1].test_accuracy > 0.8
    parts.fit(DATA, epochs=3)
    parts.save_checkpoint(tmp_path / "run")
    resumed = make_trainer(num_threads=2)
    resumed.restore(tmp_path / "run")
    resumed.fit(DATA, epochs=3)
    assert bits(resumed) == bits(whole)
    other = make_trainer(sampler=Annealing())
    with pytest.raises(ValueError, match="sampler must be"):
        other.restore(tmp_path / "run")


SAMPLER = ClassStates(Readout(3, 2))
PROBLEM = class_problem(Readout(3, 2))


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: ClassStates(6), "TypeError: readout must be a Readout, got int"),
        (lambda: ClassStates(None, 0), "TypeError: readout must be a Readout, got NoneType"),
        (
            lambda: ClassStates(Readout(3, 2), 0),
            "ValueError: num_threads must be at least 1, got 0",
        ),
        (
            lambda: SAMPLER.sample(PROBLEM.couplings, 4),
            "TypeError: problem must be an IsingProblem, got ndarray",
        ),
        (
            lambda: ClassStates(Readout(3, 1)).sample(PROBLEM, 4),
            "ValueError: problem must have 3 output spins for Readout(num_classes=3, redundancy=1)"
            ", got 6",
        ),
        (
            lambda: SAMPLER.sample(PROBLEM, 4),
            "ValueError: num_reads must be at most 3, one for each class, got 4",
        ),
        (lambda: SAMPLER.sample(PROBLEM, 0), "ValueError: num_reads must be at least 1, got 0"),
        (
            lambda: SAMPLER.sample(PROBLEM, 2, seed=-1, initial=oracle.random_spins(4, 2, 14)),
            "ValueError: seed must be at least 0, got -1",
        ),
        (
            lambda: SAMPLER.sample(PROBLEM, 2, initial=oracle.random_spins(4, 2, 14)),
            "ValueError: initial must be None for ClassStates, which starts from nothing",
        ),
    ],
)
def test_refusals_of_class_states(assert_refused, call, refusal):
    assert_refused(call, refusal)
