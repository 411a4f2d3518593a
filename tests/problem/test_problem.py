"""Tests of problems: energies, slices and streams, refusals; and the start of the package
itself.
"""

import re
from itertools import pairwise

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import IsingProblem, kernels

SIZES = [(1, 1), (3, 17), (16, 16), (17, 33), (120, 40), (130, 65)]

ONE, TALL = np.ones((1, 1)), np.ones((3, 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_energies_are_the_oracles(kernel, size, shared, dtype):
    problem = oracle.random_problem(*size, num_problems=3, dtype=dtype, shared_output_fields=shared)
    spins = oracle.random_spins(3, 5, problem.num_spins)
    energies = problem.energies(spins)
    assert energies.dtype == np.float64
    error = np.abs(energies - oracle.energies(problem, spins))
    assert (error <= tolerances.ENERGY * oracle.sum_of_sizes(problem)).all()


def test_energies_of_all_states_by_hand():
    problem = IsingProblem(
        couplings=[[2.0], [-3.0]], hidden_fields=[[0.5, 0.25]], output_fields=[[4.0]]
    )
    energies = problem.energies(oracle.all_states(3)[None])[0]
    for (s0, s1, t), energy in zip(oracle.all_states(3).tolist(), energies.tolist(), strict=True):
        assert energy == 0.5 * s0 + 0.25 * s1 + 4.0 * t + 2.0 * s0 * t - 3.0 * s1 * t


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [*SIZES, (15, 129), (129, 15), (64, 1), (1, 65)])
def test_energies_have_the_same_bits_on_every_kernel_and_in_parts(on_every_kernel, size, dtype):
    problem = oracle.random_problem(*size, num_problems=4, dtype=dtype)
    spins = oracle.random_spins(4, 9, problem.num_spins)
    energies = on_every_kernel(lambda: problem.energies(spins))
    rows = np.concatenate([problem[a:b].energies(spins[a:b]) for a, b in pairwise([0, 1, 4])])
    reads = np.concatenate(
        [problem.energies(spins[:, a:b]) for a, b in pairwise([0, 1, 3, 9])], axis=1
    )
    assert tolerances.same_bits(*energies, rows, reads)


def test_spins_of_any_number_type():
    problem = oracle.random_problem(2, 2)
    spins = oracle.random_spins(1, 3, 4)
    for dtype in (np.int64, np.float32, np.float64):
        assert tolerances.same_bits(problem.energies(spins), problem.energies(spins.astype(dtype)))
    assert tolerances.same_bits(problem.energies(spins), problem.energies(np.asfortranarray(spins)))


def test_to_bqm_has_the_same_energies():
    problem = oracle.random_problem(3, 2, num_problems=2, dtype=np.float64)
    states = oracle.all_states(5)
    for index in (0, 1, -1):
        energies = problem.to_bqm(index).energies((states, range(5)))
        error = np.abs(energies - oracle.energies(problem, states)[index])
        assert (error <= tolerances.ENERGY * oracle.sum_of_sizes(problem)[index]).all()
    with pytest.raises(IndexError, match=re.escape("index must be in 0 ... 1, got 2")):
        problem.to_bqm(2)


def test_precision_is_kept_and_the_wider_wins():
    single, double = ONE.astype(np.float32), ONE
    for arrays in ([double, single, single], [single, double, single], [single, single, double]):
        p = IsingProblem(*arrays)
        assert p.couplings.dtype == p.hidden_fields.dtype == p.output_fields.dtype == np.float64
    assert IsingProblem(single, single, single).couplings.dtype == np.float32
    assert IsingProblem([[1]], [[1]], [[1]]).couplings.dtype == np.float64


def test_slices_keep_their_rows_and_streams():
    problem = oracle.random_problem(3, 2, num_problems=5)
    part = problem[1:4]
    assert (len(problem), len(part), problem.num_spins) == (5, 3, 5)
    np.testing.assert_array_equal(part.hidden_fields, problem.hidden_fields[1:4])
    np.testing.assert_array_equal(part.output_fields, problem.output_fields[1:4])
    assert part.streams.tolist() == [1, 2, 3]
    assert part[::2].streams.tolist() == [1, 3]
    shared = oracle.random_problem(3, 2, num_problems=5, shared_output_fields=True)
    assert shared[1:4].output_fields.shape == (1, 2)
    largest = 2**64 - 1
    assert IsingProblem(ONE, ONE, ONE, streams=[largest]).streams.tolist() == [largest]


@pytest.mark.parametrize(
    ("arrays", "refusal"),
    [
        ((np.ones(4), ONE, ONE), "ValueError: couplings must have shape (n, n), got (4,)"),
        ((np.ones((0, 4)), ONE, ONE), "ValueError: couplings must have shape (n, n), got (0, 4)"),
        (
            (np.ones((64, 4)), ONE, ONE),
            "ValueError: hidden_fields must have shape (n, 64), got (1, 1)",
        ),
        (
            (ONE, np.ones((0, 1)), ONE),
            "ValueError: hidden_fields must have shape (n, 1), got (0, 1)",
        ),
        ((ONE, TALL, np.ones(1)), "ValueError: output_fields must have shape (3, 1), got (1,)"),
        ((ONE, TALL, TALL[:2]), "ValueError: output_fields must have shape (3, 1), got (2, 1)"),
        ((ONE, ONE, TALL.T), "ValueError: output_fields must have shape (1, 1), got (1, 3)"),
        (([[np.nan]], ONE, ONE), "ValueError: couplings must be finite, got nan at index (0, 0)"),
        (
            (ONE, [[0.0], [np.inf]], ONE),
            "ValueError: hidden_fields must be finite, got inf at index (1, 0)",
        ),
        (
            (ONE, ONE, [[-np.inf]]),
            "ValueError: output_fields must be finite, got -inf at index (0, 0)",
        ),
        (
            ([[1j]], ONE, ONE),
            "TypeError: couplings must be an array of real numbers, got dtype complex128",
        ),
        (
            (ONE, [[True]], ONE),
            "TypeError: hidden_fields must be an array of real numbers, got dtype bool",
        ),
        (
            (ONE, ONE, [["1"]]),
            "TypeError: output_fields must be an array of real numbers, got dtype <U1",
        ),
        (
            ([[np.nan]], np.ones(5), [["1"]]),
            "ValueError: couplings must be finite",
        ),  # the first wrong one
    ],
)
def test_refusals(assert_refused, arrays, refusal):
    assert_refused(lambda: IsingProblem(*arrays), refusal)


@pytest.mark.parametrize(
    ("streams", "refusal"),
    [
        ([0, 1], "ValueError: streams must have shape (1,), got (2,)"),
        ([-1], "ValueError: streams must not be negative, got -1"),
        ([0.0], "TypeError: streams must be an array of integers, got dtype float64"),
    ],
)
def test_refusals_of_streams(assert_refused, streams, refusal):
    assert_refused(lambda: IsingProblem(ONE, ONE, ONE, streams=streams), refusal)


def test_slices_keep_their_marks():
    rows = np.eye(3, 4, dtype=bool)
    problem = IsingProblem(np.ones((1, 2)), TALL, np.ones((1, 2)), marked=rows)
    np.testing.assert_array_equal(problem[1:].marked, rows[1:])
    np.testing.assert_array_equal(problem[::2][1:].marked, rows[2:])
    shared = IsingProblem(np.ones((1, 2)), TALL, np.ones((1, 2)), marked=rows[:1])
    np.testing.assert_array_equal(shared[1:].marked, rows[:1])
    assert IsingProblem(ONE, TALL, ONE)[1:].marked is None


@pytest.mark.parametrize(
    ("marked", "refusal"),
    [
        (np.ones((1, 2)), "TypeError: marked must be an array of booleans, got dtype float64"),
        ([[1, 0]], "TypeError: marked must be an array of booleans, got dtype int64"),
        ([True, False], "ValueError: marked must have shape (3, 2), got (2,)"),
        (np.ones((1, 4), bool), "ValueError: marked must have shape (1, 2), got (1, 4)"),
        (np.ones((2, 2), bool), "ValueError: marked must have shape (3, 2), got (2, 2)"),
    ],
)
def test_refusals_of_marks(assert_refused, marked, refusal):
    assert_refused(lambda: IsingProblem(ONE, TALL, ONE, marked=marked), refusal)


@pytest.mark.parametrize(
    ("spins", "refusal"),
    [
        (np.ones((2, 4, 3)), "ValueError: spins must have shape (1, n, 3), got (2, 4, 3)"),
        (np.ones((1, 4, 2)), "ValueError: spins must have shape (1, n, 3), got (1, 4, 2)"),
        (np.ones((1, 0, 3)), "ValueError: spins must have shape (1, n, 3), got (1, 0, 3)"),
        (
            np.zeros((1, 1, 3), np.int8),
            "ValueError: spins must be -1 or +1, got 0 at index (0, 0, 0)",
        ),
        (
            np.ones((1, 1, 3), complex),
            "TypeError: spins must be an array of spins, got dtype complex128",
        ),
    ],
)
def test_refusals_of_spins(assert_refused, spins, refusal):
    assert_refused(lambda: oracle.random_problem(2, 1).energies(spins), refusal)


def test_refusals_of_indices(assert_refused):
    problem = oracle.random_problem(2, 1, num_problems=2)
    assert_refused(lambda: problem[0], "TypeError: an IsingProblem is indexed by slices, got 0")
    message = "a slice of an IsingProblem must hold a problem, got slice(2, None, None) of 2"
    assert_refused(lambda: problem[2:], f"ValueError: {message}")


@pytest.mark.slow
def test_import_leaves_the_slow_packages_alone(python):
    slow = ["sklearn", "scipy", "matplotlib", "dimod", "dwave", "tqdm", "typer", "pooch"]
    found = python(
        f"import sys, isingprop; print([name for name in {slow} if name in sys.modules])"
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "[]\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", *kernels.available_kernels()])
def test_the_environment_chooses_the_kernel(python, name):
    """An empty name leaves the choice to the processor: the widest."""
    result = python(
        "from isingprop import kernels; print(kernels.current_kernel())", ISINGPROP_KERNEL=name
    )
    assert result.stdout.strip() == (name or kernels.available_kernels()[-1]), result.stderr


def test_a_kernel_that_is_not_there_is_refused(python):
    names = ", ".join(kernels.available_kernels())
    message = f"ISINGPROP_KERNEL must be one of {names} on this processor, got sse9"
    result = python("import isingprop", ISINGPROP_KERNEL="sse9")
    assert result.returncode != 0
    assert message in result.stderr
    before = kernels.current_kernel()
    with pytest.raises(ValueError, match=re.escape(f"{names} on this processor, got sse9")):
        kernels.select_kernel("sse9")
    assert kernels.current_kernel() == before
