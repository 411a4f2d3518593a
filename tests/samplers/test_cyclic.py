"""Tests of cyclic annealing: what is kept of a reference and what is lost, cycles, refusals."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import Annealing, BipartiteNetwork, Cyclic, IsingProblem

SIZES = [(1, 1), (17, 33), (120, 40)]


def cycles(sampler, problem, num_reads=5, seed=7, initial=None):
    """The lowest states, and where each cycle ended: (B, R, num_cycles, N)."""
    states = sampler.sample(problem, num_reads, seed, initial)
    return states, states.info["cycle_spins"]


def minima(problem, num_reads=5, seed=1):
    return Annealing(num_sweeps=2).sample(problem, num_reads, seed).spins


def ends_energies(problem, ends):
    """(B, R, num_cycles)."""
    flat = ends.reshape(len(problem), -1, problem.num_spins)
    return problem.energies(flat).reshape(ends.shape[:3])


@pytest.mark.parametrize("beta_range", [(0.01, 1e6), (1e6, 1e6)])
def test_a_large_bias_keeps_a_minimum(kernel, beta_range):
    problem = oracle.random_problem(40, 30, num_problems=3)
    start = minima(problem)
    states, ends = cycles(Cyclic(20, beta_range, num_cycles=3, bias=1e6), problem, initial=start)
    np.testing.assert_array_equal(ends, np.broadcast_to(start[:, :, None], ends.shape))
    np.testing.assert_array_equal(states.spins, start)


@pytest.mark.parametrize(
    ("num_sweeps", "bias", "kept"), [(1, 0.0, False), (1, 1e6, True), (5, 1e6, False)]
)
def test_the_bias_is_gone_in_the_last_of_several_sweeps_and_whole_in_a_single_one(
    num_sweeps, bias, kept
):
    """So hot that one sweep without it loses the reference."""
    problem = oracle.random_problem(40, 30, num_problems=3)
    start = minima(problem)
    _, ends = cycles(Cyclic(num_sweeps, (0.01, 0.01), bias=bias), problem, initial=start)
    assert (ends[:, :, 0] == start).all() == kept


def test_the_descent_knows_no_bias():
    """Spins without couplings, held against their fields in the only sweep, turn over all
    the same.
    """
    problem = IsingProblem(np.zeros((20, 10)), np.ones((1, 20)), np.ones((1, 10)))
    _, ends = cycles(Cyclic(1, (1e6, 1e6), bias=2.0), problem, initial=np.ones((1, 1, 30), np.int8))
    assert (ends == -1).all()


def wrong_references(num_images=100):
    """Nudged states of the wrong classes of random images, on an untrained network: (problem, (B,
    9, N), classes).
    """
    network = BipartiteNetwork.random(num_inputs=196, num_hidden=120, num_classes=10)
    problem = network.problem(np.random.default_rng(0).random((num_images, 196)).astype(np.float32))
    labels, first = np.arange(num_images) % 10, np.zeros(num_images, np.int64)
    classes = network.readout.wrong_classes(labels, 9, first)
    return network, problem, network.reference_states(problem.hidden_fields, classes), classes


def test_the_more_bias_the_more_of_the_reference_is_kept():
    network, problem, references, classes = wrong_references()
    kept, overlaps = {}, {}
    for bias in (0.0, 0.2, 0.6, 5.0):
        _, ends = cycles(Cyclic(30, bias=bias), problem, 9, initial=references)
        kept[bias] = (
            network.readout.predict(ends[:, :, 0, network.num_hidden :]) == classes
        ).mean()
        overlaps[bias] = (ends[:, :, 0] * references.astype(np.float64)).mean()
    assert kept[0.0] < tolerances.LOST, "one class of ten is the reference's by chance"
    assert kept[0.6] > tolerances.KEPT
    assert list(overlaps.values()) == sorted(overlaps.values())
    assert overlaps[0.6] > overlaps[0.0] + tolerances.KEPT / 2
    _, by_default = cycles(Cyclic(), problem, 9, initial=references)
    _, by_hand = cycles(Cyclic(30, bias=0.4), problem, 9, initial=references)
    assert tolerances.same_bits(by_default, by_hand)


def test_the_bias_is_in_units_of_j():
    problem = oracle.random_problem(33, 17)
    start = oracle.random_spins(1, 5, 50)
    four = IsingProblem(
        *(4 * array for array in (problem.couplings, problem.hidden_fields, problem.output_fields))
    )
    for beta_range, quarter in ((None, None), ((0.2, 2.0), (0.05, 0.5))):
        _, ends = cycles(Cyclic(10, beta_range, bias=0.75), problem, initial=start)
        _, scaled = cycles(Cyclic(10, quarter, bias=3.0), four, initial=start)
        _, weaker = cycles(Cyclic(10, quarter, bias=0.75), four, initial=start)
        assert tolerances.same_bits(ends, scaled)
        assert not tolerances.same_bits(ends, weaker)


@pytest.mark.parametrize("beta_range", [None, (0.1, 2.0)])
def test_without_references_those_of_annealing_over_the_same_range_are_taken(beta_range):
    problem = oracle.random_problem(33, 17, num_problems=3)
    sampler = Cyclic(15, beta_range, num_cycles=2)
    annealed = Annealing(15, beta_range).sample(problem, num_reads=5, seed=7)
    by_itself, ends = cycles(sampler, problem)
    by_hand, same = cycles(sampler, problem, initial=annealed.spins)
    assert tolerances.same_bits(by_itself.spins, by_hand.spins)
    assert tolerances.same_bits(ends, same)
    assert (by_itself.energies <= annealed.energies).all()


def test_cycles_are_independent_of_an_annealing_with_the_same_seed():
    """Without bias a cycle comes back to its reference by chance, as often whosever seed that was
    annealed with.
    """
    problem, num_reads = oracle.random_problem(20, 20, num_problems=20), 200
    sampler, annealing = Cyclic(100, bias=0.0), Annealing(num_sweeps=100)
    back = []
    for seed in (5, 6):
        references = annealing.sample(problem, num_reads, seed=seed).spins
        _, ends = cycles(sampler, problem, num_reads, seed=5, initial=references)
        back.append((ends[:, :, 0] == references).all(axis=2).mean())
    count, p = 20 * num_reads, np.mean(back)
    assert abs(back[0] - back[1]) < tolerances.SIGMAS * np.sqrt(2 * p * (1 - p) / count)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_the_lowest_state_of_all_cycles_and_the_reference_comes_out_with_its_energy(size, dtype):
    problem = oracle.random_problem(*size, num_problems=3, dtype=dtype)
    start = oracle.random_spins(3, 5, problem.num_spins)
    for references in (start, Annealing(num_sweeps=300).sample(problem, num_reads=5, seed=0).spins):
        states, ends = cycles(Cyclic(10, num_cycles=3, bias=0.1), problem, initial=references)
        lowest = np.minimum(problem.energies(references), ends_energies(problem, ends).min(axis=2))
        assert tolerances.same_bits(states.energies, lowest)
        assert tolerances.same_bits(states.energies, problem.energies(states.spins))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_no_flip_lowers_the_energy_where_a_cycle_ended(kernel, size, dtype):
    problem = oracle.random_problem(*size, num_problems=2, dtype=dtype)
    _, ends = cycles(Cyclic(2, num_cycles=2, bias=3.0), problem)
    flat = ends.reshape(2, -1, problem.num_spins)
    assert (flat * oracle.local_fields(problem, flat) <= oracle.slack(problem)).all()


def test_each_cycle_begins_from_the_lowest_state_so_far():
    """With a bias that holds, a cycle ends where it began: in a lower state once it was found, for
    ever.
    """
    problem = oracle.random_problem(40, 30, num_problems=3)
    high = oracle.random_spins(3, 5, 70)
    states, ends = cycles(Cyclic(20, (0.01, 1e6), num_cycles=4, bias=1e6), problem, initial=high)
    assert (
        ends_energies(problem, ends)[:, :, 0] < problem.energies(high)
    ).all()  # held, and then descended
    np.testing.assert_array_equal(
        ends[:, :, 1:], np.broadcast_to(ends[:, :, :1], ends[:, :, 1:].shape)
    )
    np.testing.assert_array_equal(states.spins, ends[:, :, 0])


def test_more_cycles_begin_with_the_same_ones_and_never_end_higher():
    problem = oracle.random_problem(120, 40, num_problems=3)
    few, few_ends = cycles(Cyclic(10, num_cycles=2), problem)
    many, many_ends = cycles(Cyclic(10, num_cycles=12), problem)
    assert tolerances.same_bits(few_ends, np.ascontiguousarray(many_ends[:, :, :2]))
    assert (many.energies <= few.energies).all()
    assert (many.energies < few.energies).any()


def test_info_says_what_was_done():
    problem = oracle.random_problem(20, 10, num_problems=3)
    info = Cyclic(10, (0.1, 2.0), num_cycles=4).sample(problem, num_reads=2, seed=11).info
    assert (info["seed"], info["beta_range"], info["beta_unit"]) == (11, (0.1, 2.0), "1/J")
    assert (info["cycle_spins"].shape, info["cycle_spins"].dtype) == ((3, 2, 4, 30), np.int8)
    info = Cyclic(10).sample(problem).info
    assert (info["beta_range"], info["beta_unit"]) == ((0.88, 8.8), "1/local field")
    again = Cyclic(10).sample(problem, seed=info["seed"])
    assert tolerances.same_bits(info["cycle_spins"], again.info["cycle_spins"])


@pytest.mark.parametrize("size", [(1, 1), (3, 9), (8, 8)])
def test_small_ground_states_are_found_and_not_undercut(size):
    problem = oracle.random_problem(*size, num_problems=4)
    energies = Cyclic(num_cycles=5).sample(problem, num_reads=10, seed=0).energies
    ground, slack = (
        oracle.ground_energies(problem),
        tolerances.ENERGY * oracle.sum_of_sizes(problem),
    )
    assert (np.abs(energies.min(axis=1, keepdims=True) - ground) <= slack).all()
    assert (energies >= ground - slack).all()


GOOD = oracle.random_problem(2, 1, num_problems=3)

UP = np.ones((1, 1, 3), np.int8)


def sample(*arguments, **options):
    return Cyclic(2).sample(GOOD, *arguments, **options)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: Cyclic(0), "ValueError: num_sweeps must be at least 1, got 0"),
        (lambda: Cyclic(True), "TypeError: num_sweeps must be an integer, got True"),
        (lambda: Cyclic(1, 3), "ValueError: beta_range must be two numbers (first, last), got 3"),
        (
            lambda: Cyclic(1, (1, np.inf)),
            "ValueError: beta_range[1] must be finite and at least 0, got inf",
        ),
        (
            lambda: Cyclic(1, (0, 1)),
            "ValueError: beta_range must be positive for a geometric schedule, got (0.0, 1.0)",
        ),
        (lambda: Cyclic(num_threads=0), "ValueError: num_threads must be at least 1, got 0"),
        (
            lambda: Cyclic(1, None, 1, 5),
            "TypeError: Cyclic.__init__() takes from 1 to 4 positional arguments",
        ),
        (lambda: Cyclic(num_cycles=0), "ValueError: num_cycles must be at least 1, got 0"),
        (
            lambda: Cyclic(num_cycles=10_001),
            "ValueError: num_cycles must be at most 10000, got 10001",
        ),
        (lambda: Cyclic(num_cycles=2.0), "TypeError: num_cycles must be an integer, got 2.0"),
        (lambda: Cyclic(bias=-0.1), "ValueError: bias must be finite and at least 0, got -0.1"),
        (lambda: Cyclic(bias=np.nan), "ValueError: bias must be finite and at least 0, got nan"),
        (lambda: Cyclic(bias="0.6"), "TypeError: bias must be a number, got '0.6'"),
        (lambda: Cyclic(bias=None), "TypeError: bias must be a number, got None"),
        (lambda: Cyclic().sample("J"), "TypeError: problem must be an IsingProblem, got str"),
        (lambda: sample(0), "ValueError: num_reads must be at least 1, got 0"),
        (lambda: sample(2.0), "TypeError: num_reads must be an integer, got 2.0"),
        (lambda: sample(seed=0.5), "TypeError: seed must be an integer, got 0.5"),
        (
            lambda: sample(initial=UP * 1.0),
            "TypeError: initial must be int8 spins, got dtype float64",
        ),
        (
            lambda: sample(initial=UP[0]),
            "ValueError: initial must have shape (3, 1, 3), got (1, 3)",
        ),
        (
            lambda: sample(4, initial=UP[..., :2]),
            "ValueError: initial must have shape (1, 1, 3), got (1, 1, 2)",
        ),
        (
            lambda: sample(initial=0 * UP),
            "ValueError: initial must be -1 or +1, got 0 at flat index 0",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


def test_arrays_that_went_bad_after_the_problem_was_made_are_refused():
    problem = oracle.random_problem(3, 2)
    problem.hidden_fields[0, 0] = np.inf
    for initial in (None, np.ones((1, 1, 5), np.int8)):
        with pytest.raises(ValueError, match="fields must be finite"):
            Cyclic().sample(problem, seed=0, initial=initial)
