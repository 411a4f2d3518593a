"""Parallel tempering: its ladder, the lowest states, refusals."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import IsingProblem, Tempering
from isingprop.samplers.arguments import geometric
from isingprop.samplers.tempering import rung_number, temper

RULE = 1.25, 8.8  # of the default ladder, in 1 / (rms local field)


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_default_ladder_follows_the_documented_rule(adaptive):
    """f^2 = (16 * 64 + 8 * 64 + 2 * 256) / 32 = 64; half of f gives twice the betas."""
    couplings = oracle.random_spins(16, 16).astype(np.float32)
    output_fields = np.tile(np.float32([8, 0]), 8)[None]
    problem = IsingProblem(couplings, np.full((1, 16), 8, np.float32), output_fields)
    ends = RULE[0] / 8, RULE[1] / 8
    rule, hand = (
        Tempering(40, beta_range, num_betas=4, adaptive=adaptive).sample(
            problem, num_reads=10, seed=0
        )
        for beta_range in (None, ends)
    )
    assert tolerances.same_bits(rule.spins, hand.spins)
    assert tolerances.same_bits(rule.info["betas"], hand.info["betas"])
    assert (rule.info["beta_range"], rule.info["beta_unit"]) == (RULE, "1/local field")
    np.testing.assert_array_equal(rule.info["betas"][0][:, [0, -1]], np.tile(ends, (10, 1)))
    inner = ends[0] * (ends[1] / ends[0]) ** (np.array([1, 2]) / 3)
    assert (
        np.allclose(rule.info["betas"][0][:, 1:3], inner, rtol=tolerances.FLOAT32, atol=0)
        != adaptive
    )
    halved = IsingProblem(couplings / 2, problem.hidden_fields / 2, output_fields / 2)
    again = Tempering(40, num_betas=4, adaptive=adaptive).sample(halved, num_reads=10, seed=0)
    np.testing.assert_array_equal(again.info["betas"], 2 * rule.info["betas"])


def test_each_problem_has_a_ladder_on_its_own_scale():
    problem = oracle.random_problem(20, 10, num_problems=2)
    couplings = problem.couplings.astype(np.float64)
    own = (
        problem.hidden_fields.astype(np.float64) ** 2,
        problem.output_fields.astype(np.float64) ** 2,
    )
    f = np.sqrt((own[0].sum(axis=1) + own[1].sum(axis=1) + 2 * (couplings**2).sum()) / 30)
    betas = Tempering(2).sample(problem, num_reads=3, seed=0).info["betas"]
    expected = np.broadcast_to(geometric(*RULE, 12), betas.shape) / f[:, None, None]
    np.testing.assert_allclose(betas, expected, rtol=tolerances.FLOAT32)


@pytest.mark.parametrize(
    ("num_spins", "rungs"), [(2, 12), (256, 12), (400, 15), (10_000, 75), (10**8, 1000)]
)
def test_ladders_have_rungs_in_proportion_to_the_root_of_the_number_of_spins(num_spins, rungs):
    assert rung_number(num_spins) == rungs
    if num_spins <= 400:
        problem = oracle.random_problem(num_spins - 1, 1)
        assert Tempering(1).sample(problem, seed=0).info["betas"].shape == (1, 1, rungs)


def spread(problem, **options):
    """Between the gaps of most and of least acceptance, means over reads."""
    info = (
        Tempering(1000, (0.25, 2.5), num_betas=12, **options)
        .sample(problem, num_reads=20, seed=0)
        .info
    )
    return np.ptp(info["swap_acceptance"].mean(axis=1), axis=1)


@pytest.mark.slow
def test_an_adaptive_ladder_evens_out_acceptance():
    problem = oracle.random_problem(40, 40, num_problems=3)
    assert (spread(problem, adaptive=True) < tolerances.EVENED_OUT * spread(problem)).all()


def test_each_read_adapts_a_ladder_of_its_own_between_the_ends():
    problem = oracle.random_problem(40, 40)
    betas = (
        Tempering(100, (0.05, 1.0), num_betas=6, adaptive=True)
        .sample(problem, num_reads=5, seed=0)
        .info["betas"]
    )
    assert len(np.unique(betas[0], axis=0)) == 5
    np.testing.assert_array_equal(betas[0][:, [0, -1]], np.tile([0.05, 1.0], (5, 1)))
    assert (np.diff(betas) > 0).all()


def test_every_rung_that_info_tells_of_may_be_the_target():
    problem = oracle.random_problem(5, 4)
    ladder = Tempering(5, (0.3, 1.6), num_betas=4).sample(problem, seed=0).info["betas"]
    for beta in ladder.ravel():
        again = Tempering(5, (0.3, 1.6), num_betas=4, target_beta=beta).sample(problem, seed=0)
        np.testing.assert_array_equal(again.info["betas"], ladder)


def test_the_ladder_stays_in_the_second_half():
    """Rungs move after 16 sweeps and after 32 more where these are in the first half: of 32, and of
    96 sweeps.
    """
    problem = oracle.random_problem(40, 40)
    ladders = [
        Tempering(num_sweeps, num_betas=6, adaptive=True)
        .sample(problem, num_reads=5, seed=0)
        .info["betas"]
        for num_sweeps in (32, 95, 96)
    ]
    moved, still, again = ladders
    assert not (moved == Tempering(32, num_betas=6).sample(problem, 5, seed=0).info["betas"]).all()
    np.testing.assert_array_equal(still, moved)
    assert not (again == moved).all()


def test_rungs_never_leave_the_order_in_which_they_rise():
    """Single precision, to which inner rungs are rounded, does not tell these ends apart."""
    ends = 1.00000001, 1.00000002
    ladder = (
        Tempering(2, ends, num_betas=4).sample(oracle.random_problem(2, 2), seed=0).info["betas"]
    )
    np.testing.assert_array_equal(ladder[0, 0], [ends[0], ends[0], ends[0], ends[1]])


@pytest.mark.parametrize(
    ("target", "rung"),
    [(0.5, 0), (0.9, 1), (1.0, 1), (1.4, 1), (1.6, 2), (2.9, 2), (3.1, 3), (4.0, 3)],
)
@pytest.mark.parametrize("adaptive", [False, True])
def test_the_rung_nearest_to_the_target_is_put_there_and_stays(target, rung, adaptive):
    problem = oracle.random_problem(20, 10, field=1.0)
    sampler = Tempering(40, (0.5, 4.0), num_betas=4, adaptive=adaptive, target_beta=target)
    betas = sampler.sample(problem, num_reads=3, seed=0).info["betas"][0]
    expected = np.array([0.5, 1.0, 2.0, 4.0])
    expected[rung] = target
    fixed = [0, rung, 3] if adaptive else range(4)
    np.testing.assert_array_equal(betas[:, fixed], np.tile(expected[fixed], (3, 1)))


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("size", [(20, 10), (120, 40)])
def test_the_lowest_state_is_no_higher_than_any_that_was_there(size, adaptive):
    """The same run, once with the last state of its cold end as the answer."""
    problem = oracle.random_problem(*size, num_problems=3)
    options = {"num_sweeps": 60, "beta_range": (0.0625, 0.5), "adaptive": adaptive}
    cold = Tempering(**options, target_beta=0.5).sample(problem, num_reads=10, seed=3)
    lowest = Tempering(**options).sample(problem, num_reads=10, seed=3)
    assert tolerances.same_bits(cold.info["betas"], lowest.info["betas"])
    assert tolerances.same_bits(cold.info["round_trips"], lowest.info["round_trips"])
    rounding = oracle.slack(problem).sum(
        axis=2
    )  # of energies that are as good as equal on the grid
    assert (lowest.energies <= cold.energies + rounding).all()
    assert (lowest.energies < cold.energies - rounding).any()
    assert (
        lowest.spins * oracle.local_fields(problem, lowest.spins) <= oracle.slack(problem)
    ).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (8, 2), (8, 8)])
def test_small_ground_states_are_found_and_not_undercut(size):
    problem = oracle.random_problem(*size, num_problems=4)
    energies = Tempering(num_sweeps=30).sample(problem, num_reads=10, seed=0).energies
    ground, slack = (
        oracle.ground_energies(problem),
        tolerances.ENERGY * oracle.sum_of_sizes(problem),
    )
    assert (np.abs(energies.min(axis=1, keepdims=True) - ground) <= slack).all()
    assert (energies >= ground - slack).all()


@pytest.mark.parametrize("target", [None, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_returned_energies_are_those_of_the_problem_bit_for_bit(dtype, target):
    problem = oracle.random_problem(33, 17, num_problems=3, dtype=dtype)
    states = Tempering(5, (0.1, 1.0), target_beta=target).sample(problem, num_reads=4, seed=1)
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))


@pytest.mark.parametrize("shape", [(3, 4), (1, 1)])
def test_cold_replicas_stay_in_the_minimum_that_all_of_them_start_in(kernel, shape):
    problem = oracle.random_problem(40, 30, num_problems=3)
    if shape[0] == 1:
        problem = IsingProblem(
            problem.couplings,
            *(a[[0, 0, 0]] for a in (problem.hidden_fields, problem.output_fields)),
        )
    start = (
        Tempering(num_sweeps=1).sample(problem, num_reads=4, seed=0).spins[: shape[0], : shape[1]]
    )
    for target in (1e8, 1e9, None):
        cold = Tempering(10, (1e8, 1e9), num_betas=4, target_beta=target)
        states = cold.sample(problem, num_reads=4, seed=1, initial=start)
        np.testing.assert_array_equal(states.spins, np.broadcast_to(start, (3, 4, 70)))


def test_temper_takes_any_ladder():
    problem = oracle.random_problem(17, 20, num_problems=2)
    betas = geometric(0.1, 3.0, 6)
    sampler = Tempering(40, (0.1, 3.0), num_betas=6, adaptive=True, target_beta=float(betas[2]))
    states = temper(problem, betas, num_sweeps=40, adaptive=True, target=2, num_reads=3, seed=5)
    assert tolerances.same_bits(states.spins, sampler.sample(problem, num_reads=3, seed=5).spins)
    uneven = temper(problem, np.array([0.1, 0.11, 3.0]), num_sweeps=20, num_reads=3, seed=5)
    np.testing.assert_array_equal(uneven.info["betas"][0, 0], [0.1, 0.11, 3.0])


GOOD = oracle.random_problem(2, 1, num_problems=3)

UP = np.ones((1, 1, 3), np.int8)


def sample(*arguments, **options):
    return Tempering(2).sample(GOOD, *arguments, **options)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: Tempering(0), "ValueError: num_sweeps must be at least 1, got 0"),
        (
            lambda: Tempering(10**7 + 1),
            "ValueError: num_sweeps must be at most 10000000, got 10000001",
        ),
        (lambda: Tempering(1.5), "TypeError: num_sweeps must be an integer, got 1.5"),
        (
            lambda: Tempering(1, 3),
            "ValueError: beta_range must be two numbers (first, last), got 3",
        ),
        (
            lambda: Tempering(1, (-1, 1)),
            "ValueError: beta_range[0] must be finite and at least 0, got -1.0",
        ),
        (
            lambda: Tempering(1, (0, 1)),
            "ValueError: beta_range must be positive for a geometric schedule, got (0.0, 1.0)",
        ),
        (
            lambda: Tempering(1, (2, 1)),
            "ValueError: beta_range must rise from the hot to the cold end, got (2.0, 1.0)",
        ),
        (lambda: Tempering(num_threads=0), "ValueError: num_threads must be at least 1, got 0"),
        (
            lambda: Tempering(num_threads=9999),
            "ValueError: num_threads must be at most 1024, got 9999",
        ),
        (
            lambda: Tempering(1, None, 1, 12),
            "TypeError: Tempering.__init__() takes from 1 to 4 positional arguments",
        ),
        (lambda: Tempering(num_betas=0), "ValueError: num_betas must be at least 1, got 0"),
        (lambda: Tempering(num_betas=1001), "ValueError: num_betas must be at most 1000, got 1001"),
        (lambda: Tempering(num_betas=2.0), "TypeError: num_betas must be an integer, got 2.0"),
        (
            lambda: Tempering(31, adaptive=True),
            "ValueError: num_sweeps must be at least 32 with adaptive, got 31",
        ),
        (lambda: Tempering(adaptive=1), "TypeError: adaptive must be True or False, got 1"),
        (
            lambda: Tempering(target_beta=1),
            "ValueError: beta_range must be given with target_beta, got None and 1",
        ),
        (
            lambda: Tempering(1, (1, 2), target_beta=0.9),
            "ValueError: target_beta must be in beta_range = (1.0, 2.0), got 0.9",
        ),
        (
            lambda: Tempering(1, (1, 2), target_beta=2.1),
            "ValueError: target_beta must be in beta_range = (1.0, 2.0), got",
        ),
        (
            lambda: Tempering(1, (1, 2), target_beta=np.nan),
            "ValueError: target_beta must be finite and at least 0, got nan",
        ),
        (
            lambda: Tempering(1, (1, 2), target_beta="1"),
            "TypeError: target_beta must be a number, got '1'",
        ),
        (lambda: Tempering().sample("J"), "TypeError: problem must be an IsingProblem, got str"),
        (lambda: sample(0), "ValueError: num_reads must be at least 1, got 0"),
        (lambda: sample(2.0), "TypeError: num_reads must be an integer, got 2.0"),
        (lambda: sample(seed=-1), "ValueError: seed must be at least 0, got -1"),
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
    problem.couplings[0, 0] = np.nan
    with pytest.raises(ValueError, match="couplings must be finite"):
        Tempering().sample(problem, seed=0)
