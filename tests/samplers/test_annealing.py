"""Tests of the annealer: distribution, descents, starts, default schedule, refusals."""

import numpy as np
import pytest

from helpers import oracle, tolerances
from isingprop import Annealing, Cyclic, IsingProblem, Tempering

NUM_READS = 30_000  # enough for the wrong samplers below to be found out

FEW_SWEEPS, MANY_SWEEPS = 64, 256  # from a fixed start to equilibrium on problems this small

WIDTHS = [1, 15, 16, 17, 64, 65, 129]


def signs_only(num_hidden, num_output):
    """Couplings -1 and +1 and no fields: degenerate states, and local fields that are exactly 0."""
    couplings = oracle.random_spins(num_hidden, num_output, seed=3).astype(np.float32)
    return IsingProblem(couplings, np.zeros((1, num_hidden), "f4"), np.zeros((1, num_output), "f4"))


# Problem, beta, sweeps: many where spins have no field and turn over in all but 1 of 64 sweeps,
# back and forth.
SMALL = {
    "1x1": (oracle.random_problem(1, 1), 0.7, FEW_SWEEPS),
    "infinite temperature": (oracle.random_problem(2, 4), 0.0, MANY_SWEEPS),
    "hot": (oracle.random_problem(5, 2, num_problems=2), 0.2, FEW_SWEEPS),
    "moderate": (oracle.random_problem(4, 4, num_problems=2), 1.0, FEW_SWEEPS),
    "double precision": (oracle.random_problem(3, 5, dtype=np.float64), 0.8, FEW_SWEEPS),
    "shared fields": (
        oracle.random_problem(3, 2, num_problems=2, shared_output_fields=True),
        0.9,
        FEW_SWEEPS,
    ),
    "no fields": (oracle.random_problem(3, 4, field=0.0), 0.9, FEW_SWEEPS),
    "signs only": (signs_only(4, 4), 0.4, MANY_SWEEPS),
    "signs only, infinite temperature": (signs_only(4, 4), 0.0, MANY_SWEEPS),
    "no couplings": (
        IsingProblem(np.zeros((3, 3)), [[0.3, 0, -0.2]], [[0, 1.0, 0]]),
        1.0,
        MANY_SWEEPS,
    ),
}


def at_constant_beta(problem, beta, num_sweeps=FEW_SWEEPS, num_reads=NUM_READS, seed=0):
    """States some sweeps after all spins were up."""
    sampler = Annealing(num_sweeps, (beta, beta), descend=False)
    start = np.ones((1, 1, problem.num_spins), np.int8)
    return sampler.sample(problem, num_reads, seed, start).spins


@pytest.mark.slow
@pytest.mark.parametrize("case", SMALL)
def test_samples_are_boltzmann_distributed(kernel, case):
    problem, beta, num_sweeps = SMALL[case]
    numbers = oracle.state_numbers(at_constant_beta(problem, beta, num_sweeps))
    for each, probabilities in zip(numbers, oracle.boltzmann(problem, beta), strict=True):
        assert not tolerances.is_rejected(each, probabilities)


@pytest.mark.slow
def test_free_spins_point_up_as_often_as_they_should(kernel):
    """P(+1) = 1 / (1 + exp(2 beta h)) from a million spins each: an error of 1 % in beta would
    show.
    """
    fields = np.float32([-1.5, -0.2, 0.05, 0.5, 1.0, 3.0])
    problem = IsingProblem(np.zeros((16, 16), "f4"), *2 * [np.repeat(fields[:, None], 16, axis=1)])
    sampler = Annealing(48, (1.0, 1.0), descend=False)  # 48 sweeps leave 0.2 % of the start's error
    up = (sampler.sample(problem, NUM_READS, seed=0).spins > 0).mean(axis=(1, 2))
    exact = 1 / (1 + np.exp(2 * fields.astype(float)))
    sigma = np.sqrt(exact * (1 - exact) / (32 * NUM_READS))
    assert (np.abs(up - exact) < tolerances.SIGMAS * sigma).all()


def test_random_starts_are_uniform(kernel):
    """One sweep without any field turns over most spins, whatever they are: uniform only if the
    starts were.
    """
    nothing = IsingProblem(np.zeros((4, 4)), np.zeros((1, 4)), np.zeros((1, 4)))
    start = np.ones((1, 1, 8), np.int8)
    for initial in (None, start):
        spins = Annealing(1, (1.0, 1.0), descend=False).sample(nothing, NUM_READS, 0, initial).spins
        numbers, uniform = oracle.state_numbers(spins), np.full(2**8, 2.0**-8)
        assert tolerances.is_rejected(numbers, uniform) == (initial is not None)


@pytest.mark.slow
@pytest.mark.parametrize(("many", "few"), [(17, 6), (40, 5), (65, 4), (129, 3)])
def test_layers_of_many_blocks_are_boltzmann_distributed(kernel, many, few):
    """One layer of several blocks, summed out exactly: first the hidden, then the output layer."""
    problem, beta = oracle.random_problem(many, few, field=1.0), 1.5 / np.sqrt(many)
    swapped = IsingProblem(problem.couplings.T, problem.output_fields, problem.hidden_fields)
    exact = oracle.output_boltzmann(problem, beta)[0]
    for each, few_spins in ((problem, slice(many, None)), (swapped, slice(few))):
        numbers = oracle.state_numbers(
            at_constant_beta(each, beta, num_reads=NUM_READS // 3)[..., few_spins]
        )
        assert not tolerances.is_rejected(numbers, exact)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "factor", "flaw", "wrong"),
    [
        ("moderate", 1.0, {}, False),  # the control: without a flaw it passes
        ("moderate", 1.1, {}, True),
        ("moderate", 1.0, {"forgets_output_fields": True}, True),
        ("moderate", 1.0, {"stale": True}, True),
        ("signs only, infinite temperature", 1.0, {}, False),
        (
            "signs only, infinite temperature",
            1.0,
            {"move": 1.0},
            True,
        ),  # all spins turn over for ever
    ],
)
def test_wrong_samplers_are_rejected(case, factor, flaw, wrong):
    problem, beta, num_sweeps = SMALL[case]
    numbers = oracle.slow_sampler(problem[:1], factor * beta, NUM_READS, num_sweeps, **flaw)
    assert tolerances.is_rejected(numbers, oracle.boltzmann(problem, beta)[0]) == wrong


def test_a_wrong_beta_is_rejected():
    problem, beta, num_sweeps = SMALL["moderate"]
    numbers = oracle.state_numbers(at_constant_beta(problem, 1.1 * beta, num_sweeps))
    assert tolerances.is_rejected(numbers[0], oracle.boltzmann(problem, beta)[0])


@pytest.mark.slow
def test_reads_problems_streams_and_seeds_are_independent():
    beta, count = 0.5, 20_000
    one = oracle.random_problem(2, 1)
    many = IsingProblem(
        one.couplings, np.repeat(one.hidden_fields, count, axis=0), one.output_fields
    )
    both = np.outer(*2 * [oracle.boltzmann(one, beta)[0]]).ravel()
    reads = oracle.state_numbers(at_constant_beta(one, beta, num_reads=count))[0]
    problems, next_seed = (
        oracle.state_numbers(at_constant_beta(many, beta, num_reads=1, seed=seed))[:, 0]
        for seed in (0, 1)
    )
    pairs = {
        "neighbouring reads": (reads[::2], reads[1::2]),
        "neighbouring streams": (problems[::2], problems[1::2]),
        "neighbouring seeds": (problems, next_seed),
        "next seed, next stream": (problems[1:], next_seed[:-1]),
        "read r and stream r": (reads[1:], problems[1:]),
    }
    for name, (first, second) in pairs.items():
        assert not tolerances.is_rejected(first * 8 + second, both), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (3, 17), (16, 16), (120, 40), (257, 190)])
def test_after_the_descent_no_flip_lowers_the_energy(kernel, size, dtype):
    problem = oracle.random_problem(*size, num_problems=2, dtype=dtype)
    spins = Annealing(num_sweeps=2).sample(problem, num_reads=5, seed=0).spins
    sizes = np.abs(problem.couplings)
    largest = max(sizes.sum(axis=0).max(), sizes.sum(axis=1).max())
    fields = np.abs(np.concatenate([problem.hidden_fields, problem.output_fields], axis=1))[:, None]
    slack = tolerances.COUPLING_GRID * largest * max(size) + tolerances.FIELD_ROUNDING * fields
    assert (spins * oracle.local_fields(problem, spins) <= slack).all()


def test_after_the_descent_no_flip_lowers_the_energy_of_whole_numbers_at_all(kernel):
    """Whole numbers are exact on the annealer's grid; many local fields are 0."""
    random = np.random.default_rng(0)
    arrays = (
        random.integers(-2, 3, shape).astype(np.float32) for shape in ((65, 33), (3, 65), (3, 33))
    )
    problem = IsingProblem(*arrays)
    spins = Annealing(num_sweeps=1).sample(problem, num_reads=20, seed=0).spins
    assert (spins * oracle.local_fields(problem, spins) <= 0).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (8, 2), (3, 9), (8, 8)])
def test_small_ground_states_are_found_and_not_undercut(size):
    problem = oracle.random_problem(*size, num_problems=4)
    energies = Annealing(num_sweeps=50).sample(problem, num_reads=50, seed=0).energies
    ground, slack = (
        oracle.ground_energies(problem),
        tolerances.ENERGY * oracle.sum_of_sizes(problem),
    )
    assert (np.abs(energies.min(axis=1, keepdims=True) - ground) <= slack).all()
    assert (energies >= ground - slack).all()


def test_certified_ground_states(shared_data):
    path = shared_data / "ground-states-k120x40.npz"
    if not path.is_file():
        pytest.skip(f"no file {path}")
    with np.load(path) as file:
        fields = file["hidden_fields"][:, None], file["output_fields"][:, None]
        problems = [
            IsingProblem(*arrays) for arrays in zip(file["couplings"], *fields, strict=True)
        ]
        certified = file["ground_energy"]
    sampler = Annealing(num_sweeps=1000)
    found = [sampler.sample(problem, num_reads=20, seed=0).energies.min() for problem in problems]
    assert (found >= certified - tolerances.GROUND_UNDERCUT).all()
    assert (found <= certified + tolerances.GROUND_STATE).sum() >= tolerances.GROUND_STATES_FOUND


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (130, 65)])
def test_returned_energies_are_those_of_the_problem_bit_for_bit(size, dtype):
    problem = oracle.random_problem(*size, num_problems=3, dtype=dtype)
    states = Annealing(num_sweeps=3).sample(problem, num_reads=4, seed=1)
    assert tolerances.same_bits(states.energies, problem.energies(states.spins))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(90, 200), (200, 90), (129, 33)])
def test_energies_of_sparse_problems_are_those_of_the_problem_bit_for_bit(kernel, size, dtype):
    """A band, some rows without couplings, and a block far from it: the sampler looks at what is
    not zero only.
    """
    rows, columns = np.indices(size)
    near = (abs(rows * size[1] // size[0] - columns) < 3) & (rows % 7 > 0)
    near[-5:, :2] = True
    dense = oracle.random_problem(*size, num_problems=2, dtype=dtype)
    problem = IsingProblem(
        dense.couplings * near.astype(dtype), dense.hidden_fields, dense.output_fields
    )
    for sampler in (Annealing(num_sweeps=3), Tempering(3, num_betas=3), Cyclic(3, num_cycles=2)):
        states = sampler.sample(problem, num_reads=5, seed=1)
        assert tolerances.same_bits(states.energies, problem.energies(states.spins))


@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (3, 1), (1, 1)])
def test_a_cold_chain_stays_in_the_minimum_it_starts_in(kernel, shape):
    """Given for each problem and read, or once for all problems (which must then be alike), or all
    reads.
    """
    problem = oracle.random_problem(40, 30, num_problems=3)
    if shape[0] == 1:
        fields = problem.hidden_fields[[0, 0, 0]], problem.output_fields[[0, 0, 0]]
        problem = IsingProblem(problem.couplings, *fields)
    minima = Annealing(num_sweeps=1).sample(problem, num_reads=4, seed=0).spins
    start = minima[: shape[0], : shape[1]]
    assert len(np.unique(start.reshape(-1, 70), axis=0)) == shape[0] * shape[1], (
        "minima worth telling apart"
    )
    cold = Annealing(num_sweeps=10, beta_range=(1e9, 1e9), descend=False)
    states = cold.sample(problem, num_reads=4, seed=1, initial=start)
    np.testing.assert_array_equal(states.spins, np.broadcast_to(start, (3, 4, 70)))


def run(problem, *, num_reads=5, num_threads=1, initial=None, beta_range=None, descend=True):
    sampler = Annealing(10, beta_range, num_threads, descend)
    return sampler.sample(problem, num_reads=num_reads, seed=7, initial=initial)


def test_the_default_range_follows_the_documented_rule():
    """f^2 = (16 * 64 + 8 * 64 + 2 * 256) / 32 = 64: it gives (0.88, 8.8) / 8, and 8 divides
    exactly.
    """
    couplings = oracle.random_spins(16, 16).astype(np.float32)
    output_fields = np.tile(np.float32([8, 0]), 8)[None]
    problem = IsingProblem(couplings, np.full((1, 16), 8, np.float32), output_fields)
    by_rule = Annealing(num_sweeps=9, descend=False).sample(problem, num_reads=50, seed=0)
    by_hand = Annealing(9, (0.88 / 8, 8.8 / 8), descend=False).sample(problem, num_reads=50, seed=0)
    assert tolerances.same_bits(by_rule.spins, by_hand.spins)
    assert (by_rule.info["beta_range"], by_rule.info["beta_unit"]) == ((0.88, 8.8), "1/local field")
    warmer = Annealing(9, (0.88 / 9, 8.8 / 9), descend=False).sample(problem, num_reads=50, seed=0)
    assert not tolerances.same_bits(by_rule.spins, warmer.spins)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("exponent", [-90, -20, -1, 1, 20, 80])
def test_the_default_range_scales_with_the_problem(exponent, dtype):
    problem = oracle.random_problem(33, 17, num_problems=2, dtype=dtype)
    scale = dtype(2.0**exponent)
    fields = problem.hidden_fields * scale, problem.output_fields * scale
    scaled = IsingProblem(problem.couplings * scale, *fields)
    assert tolerances.same_bits(run(problem, descend=False).spins, run(scaled, descend=False).spins)


def test_numbers_too_small_for_single_precision_are_not_taken_for_zero():
    """In double precision they are ordinary numbers, and energies() tells them apart."""
    problem = oracle.random_problem(8, 8, dtype=np.float64)
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    tiny = IsingProblem(*(array * 2.0**-600 for array in arrays))
    assert tolerances.same_bits(run(problem).spins, run(tiny).spins)


@pytest.mark.parametrize("exponent", [-60, -90, -99])
def test_a_small_problem_beside_a_large_one_has_the_states_that_it_has_alone(exponent):
    random = np.random.default_rng(0)
    fields = random.standard_normal((2, 20)) * [[1.0], [2.0**exponent]]
    problem = IsingProblem(np.zeros((20, 3)), fields, np.zeros((1, 3)))
    both, alone = (run(part, descend=False).spins[-1] for part in (problem, problem[1:]))
    assert tolerances.same_bits(both, alone)


@pytest.mark.slow
@pytest.mark.parametrize("beta", [1e10, 1e30, 1e37])
def test_a_small_field_beside_a_large_one_keeps_its_temperature(beta):
    """P(t = +1) = 1 / (1 + exp(2 beta g)) for the output spin, whatever the hidden one's field."""
    problem, num_reads = IsingProblem([[0.0]], [[1.0]], [[1.0 / beta]]), 100_000
    states = Annealing(50, (beta, beta), descend=False).sample(problem, num_reads=num_reads, seed=0)
    p = 1.0 / (1.0 + np.exp(2.0))
    z = (np.count_nonzero(states.spins[0, :, 1] == 1) - num_reads * p) / np.sqrt(
        num_reads * p * (1 - p)
    )
    assert abs(z) < 4  # a false alarm once in 16,000
    assert (states.spins[0, :, 0] == -1).all()
