"""Parallel tempering: the distribution on every rung, swaps and round trips."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import IsingProblem, Tempering
from isingprop.samplers.arguments import geometric

NUM_READS = 6_000  # enough for the wrong samplers below to be found out

NUM_BETAS = 5

BETAS = geometric(0.25, 1.5, NUM_BETAS)

SWEEPS = {False: 48, True: 64}  # where the ladder adapts, it moves once, after 16


def on_rung(problem, rung, *, adaptive=False, num_reads=NUM_READS):
    """The last states there."""
    sampler = Tempering(
        SWEEPS[adaptive],
        (0.25, 1.5),
        num_betas=NUM_BETAS,
        adaptive=adaptive,
        target_beta=BETAS[rung],
    )
    return sampler.sample(problem, num_reads, seed=0).spins[0]


@pytest.mark.slow
@pytest.mark.parametrize(("adaptive", "dtype"), [(False, np.float32), (True, np.float64)])
@pytest.mark.parametrize("rung", range(NUM_BETAS))
def test_states_on_every_rung_are_boltzmann_distributed(rung, adaptive, dtype):
    problem = oracle.random_problem(5, 4, dtype=dtype)
    numbers = oracle.state_numbers(on_rung(problem, rung, adaptive=adaptive))
    assert not tolerances.is_rejected(numbers, oracle.boltzmann(problem, BETAS[rung])[0])


@pytest.mark.slow
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("rung", range(NUM_BETAS))
def test_states_of_a_lattice_are_boltzmann_distributed_on_every_rung(rung, adaptive):
    """Spins without couplings take part in the energies that swaps go by."""
    whole, lattice, spins = oracle.lattice_problem()
    states = on_rung(whole, rung, adaptive=adaptive)[:, spins]
    for each, part in ((lattice, states[:, 6:]), (transposed(lattice), states[:, :6])):
        assert not tolerances.is_rejected(
            oracle.state_numbers(part), oracle.output_boltzmann(each, BETAS[rung])[0]
        )


def transposed(problem):
    """The same problem with its layers swapped."""
    return IsingProblem(problem.couplings.T, problem.output_fields, problem.hidden_fields)


@pytest.mark.slow
@pytest.mark.parametrize(("gain", "wrong"), [(1.0, False), (-1.0, True), (0.0, True)])
@pytest.mark.parametrize("case", ["dense", "lattice"])
def test_wrong_samplers_are_rejected(case, gain, wrong):
    """... on most rungs; the control, without a flaw, passes on all."""
    problem = oracle.random_problem(5, 4) if case == "dense" else oracle.lattice_problem()[1]
    numbers = oracle.slow_tempering(problem, BETAS, NUM_READS // 2, SWEEPS[False], gain=gain)
    outputs = numbers >> problem.num_hidden  # bit k of a number is spin k
    rejected = [
        tolerances.is_rejected(each, oracle.output_boltzmann(problem, beta)[0])
        for each, beta in zip(outputs, BETAS, strict=True)
    ]
    assert sum(rejected) >= NUM_BETAS - 1 if wrong else not any(rejected)


def test_a_single_rung_is_a_chain_at_its_temperature():
    problem, beta = oracle.random_problem(5, 4), 0.7
    states = Tempering(48, (beta, beta), num_betas=1, target_beta=beta).sample(
        problem, NUM_READS, seed=0
    )
    assert not tolerances.is_rejected(
        oracle.state_numbers(states.spins), oracle.boltzmann(problem, beta)[0]
    )
    assert states.info["swap_acceptance"].shape == (1, NUM_READS, 0)
    assert not states.info["round_trips"].any()


@pytest.mark.slow
@pytest.mark.parametrize("field", [1e3, 1e8])
@pytest.mark.parametrize("rung", [0, 2, 4])
def test_a_coupling_beside_a_large_field_is_not_lost_in_energies(field, rung):
    """P(t = +1) = 1 / (1 + exp(-2 beta J)) where a field of 10^8 J holds s down."""
    problem = IsingProblem([[0.7]], [[field]], [[0.0]])
    up = np.count_nonzero(on_rung(problem, rung)[:, 1] == 1)
    p = 1 / (1 + np.exp(-2 * 0.7 * BETAS[rung]))
    assert abs(up - NUM_READS * p) < tolerances.SIGMAS * np.sqrt(NUM_READS * p * (1 - p))


def two_levels(first, last, **options):
    """Acceptance of a two-rung ladder over one spin of energy +-1, the first half of the sweeps not
    counted.
    """
    problem = IsingProblem([[0.0]], [[1.0]], [[0.0]])
    return Tempering(128, (first, last), num_betas=2, adaptive=True, **options).sample(
        problem, NUM_READS, seed=0
    )


@pytest.mark.slow
@pytest.mark.parametrize(("first", "last"), [(0.1, 0.3), (0.2, 1.5), (1.0, 1.0)])
def test_swap_acceptance_is_the_mean_of_the_rule_under_both_distributions(first, last):
    """63/64 <min(1, exp((beta_k - beta_l) (E_k - E_l)))>: all but E_k = 1 on the hot and E_l = -1
    on the cold rung.
    """
    high, low = 1 / (1 + np.exp(2 * first)), 1 / (1 + np.exp(-2 * last))
    exact = oracle.MOVE * (1 - high * low * (1 - np.exp(-2 * (last - first))))
    acceptance = two_levels(first, last).info["swap_acceptance"].ravel()
    assert abs(acceptance.mean() - exact) < tolerances.SIGMAS * acceptance.std() / np.sqrt(
        NUM_READS
    )


@pytest.mark.slow
def test_each_swap_of_two_replicas_ends_a_round_trip():
    """32 swaps are tried in the counted half; before the first of them nobody has been seen at the
    cold end.
    """
    info = two_levels(0.2, 1.5).info
    swaps = 32 * info["swap_acceptance"][..., 0]
    assert (swaps == np.round(swaps)).all()
    without_trip = swaps - info["round_trips"]
    assert set(np.unique(without_trip)) == {0, 1}
    assert (without_trip <= swaps).all()


def test_replicas_travel():
    problem = oracle.random_problem(20, 20, num_problems=2)
    short, long = (
        Tempering(num_sweeps).sample(problem, num_reads=20, seed=0).info["round_trips"]
        for num_sweeps in (100, 400)
    )
    assert short.shape == (2, 20)
    assert (long >= short).all()  # the long run begins as the short one
    assert (long > 0).all()


def test_info_says_what_was_done():
    problem = oracle.random_problem(20, 10, num_problems=3)
    info = Tempering(20, (0.1, 2.0), num_betas=5).sample(problem, num_reads=4, seed=11).info
    assert (info["seed"], info["beta_range"], info["beta_unit"]) == (11, (0.1, 2.0), "1/J")
    ladder = [0.1, *geometric(0.1, 2.0, 5)[1:-1], 2.0]
    np.testing.assert_array_equal(info["betas"], np.broadcast_to(ladder, (3, 4, 5)))
    assert info["swap_acceptance"].shape == (3, 4, 4)
    assert ((info["swap_acceptance"] >= 0) & (info["swap_acceptance"] <= 1)).all()
    assert info["round_trips"].dtype == np.int64
