"""Same seed, same bits: on every kernel, number of threads, batch split and order."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import oracle, tolerances
from isingprop import Annealing, Cyclic, IsingProblem, Tempering, kernels

WIDTHS = [1, 15, 16, 17, 64, 65, 129]

# By the number of threads.
SAMPLERS = {
    "annealing": lambda num_threads: Annealing(10, None, num_threads),
    "tempering": lambda num_threads: Tempering(10, None, num_threads, num_betas=4),
    "adaptive tempering": lambda num_threads: Tempering(
        40, None, num_threads, num_betas=4, adaptive=True
    ),
    "a rung": lambda num_threads: Tempering(
        10, (0.1, 1.0), num_threads, num_betas=4, target_beta=0.3
    ),
    "cyclic": lambda num_threads: Cyclic(10, None, num_threads, num_cycles=3),
}


def run(problem, *, num_reads=5, num_threads=1, initial=None, beta_range=None, descend=True):
    sampler = Annealing(10, beta_range, num_threads, descend)
    return sampler.sample(problem, num_reads=num_reads, seed=7, initial=initial)


@pytest.mark.parametrize("num_output", WIDTHS)
@pytest.mark.parametrize("num_hidden", WIDTHS)
def test_same_bits_on_every_kernel(on_every_kernel, num_hidden, num_output):
    problem = oracle.random_problem(num_hidden, num_output, num_problems=2)
    start = oracle.random_spins(2, 5, problem.num_spins)
    for options in (
        {},
        {"descend": False},
        {"initial": start, "beta_range": (0.0, 0.0), "descend": False},
    ):
        states = on_every_kernel(lambda options=options: run(problem, **options))
        assert tolerances.same_bits(*(each.spins for each in states))
        assert tolerances.same_bits(*(each.energies for each in states))


@pytest.mark.slow
@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(st.data())
def test_same_bits_on_every_kernel_in_any_division(data):
    """Kernel, threads, slices and the number of reads drawn at random."""
    num_problems, num_reads = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    problem = oracle.random_problem(
        data.draw(st.integers(1, 80)),
        data.draw(st.integers(1, 80)),
        num_problems=num_problems,
        dtype=data.draw(st.sampled_from([np.float32, np.float64])),
        field=data.draw(st.sampled_from([0.0, 1.0, 100.0])),
    )
    num_threads, cut = data.draw(st.integers(1, 8)), data.draw(st.integers(0, num_problems))
    whole = run(problem, num_reads=num_reads)
    before = kernels.current_kernel()
    try:
        kernels.select_kernel(data.draw(st.sampled_from(kernels.available_kernels())))
        rows = [(a, b) for a, b in pairwise([0, cut, num_problems]) if a < b]
        parts = [run(problem[a:b], num_reads=num_reads, num_threads=num_threads) for a, b in rows]
    finally:
        kernels.select_kernel(before)
    assert tolerances.same_bits(whole.spins, np.concatenate([part.spins for part in parts]))
    assert tolerances.same_bits(whole.energies, np.concatenate([part.energies for part in parts]))


def arrays_of(states):
    """All that a sampler gives, with problems along the first axis."""
    return [
        states.spins,
        states.energies,
        *(each for each in states.info.values() if isinstance(each, np.ndarray)),
    ]


@pytest.mark.parametrize("name", SAMPLERS)
@settings(derandomize=True, database=None, deadline=None, max_examples=20)
@given(st.data())
def test_same_bits_from_every_sampler_in_any_division(name, data):
    """... and with couplings everywhere or near the diagonal only, in which case rows are held in
    spans.
    """
    num_problems, num_reads = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    sparse = data.draw(st.booleans())
    sizes = st.integers(150, 200) if sparse else st.integers(1, 80)
    problem = oracle.random_problem(
        data.draw(sizes),
        data.draw(sizes),
        num_problems=num_problems,
        dtype=data.draw(st.sampled_from([np.float32, np.float64])),
        band=2 if sparse else None,
    )
    make = SAMPLERS[name]
    num_threads, cut = data.draw(st.integers(1, 8)), data.draw(st.integers(0, num_problems))
    whole = arrays_of(make(1).sample(problem, num_reads, seed=7))
    before = kernels.current_kernel()
    try:
        kernels.select_kernel(data.draw(st.sampled_from(kernels.available_kernels())))
        rows = [(a, b) for a, b in pairwise([0, cut, num_problems]) if a < b]
        parts = [
            arrays_of(make(num_threads).sample(problem[a:b], num_reads, seed=7)) for a, b in rows
        ]
        more = arrays_of(make(num_threads).sample(problem, num_reads + 2, seed=7))
    finally:
        kernels.select_kernel(before)
    for each, longer, *pieces in zip(whole, more, *parts, strict=True):
        assert tolerances.same_bits(each, np.concatenate(pieces))
        by_read = longer.shape[1] == num_reads + 2  # the range of beta is not
        expected = longer[:, :num_reads] if by_read else longer
        assert tolerances.same_bits(each, np.ascontiguousarray(expected))


@pytest.mark.parametrize("num_threads", [2, 3, 7])
def test_same_bits_on_any_number_of_threads(kernel, num_threads):
    problem = oracle.random_problem(33, 17, num_problems=23)
    one, many = run(problem), run(problem, num_threads=num_threads)
    assert tolerances.same_bits(one.spins, many.spins)
    assert tolerances.same_bits(one.energies, many.energies)


def test_same_bits_in_any_order_and_for_fewer_reads():
    problem = oracle.random_problem(33, 17, num_problems=6)
    whole = run(problem, num_reads=20)
    assert tolerances.same_bits(
        np.ascontiguousarray(whole.spins[:, :5]), run(problem, num_reads=5).spins
    )
    order = [4, 0, 5, 2]
    fields = problem.hidden_fields[order], problem.output_fields[order]
    shuffled = IsingProblem(problem.couplings, *fields, streams=order)
    renumbered = IsingProblem(problem.couplings, *fields)
    assert tolerances.same_bits(whole.spins[order], run(shuffled, num_reads=20).spins)
    assert not tolerances.same_bits(whole.spins[order], run(renumbered, num_reads=20).spins)


def test_same_bits_in_double_precision():
    problem = oracle.random_problem(33, 17, num_problems=2)
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    single, double = (
        run(problem),
        run(IsingProblem(*(array.astype(np.float64) for array in arrays))),
    )
    assert tolerances.same_bits(single.spins, double.spins)
    assert tolerances.same_bits(single.energies, double.energies)


def test_streams_and_seeds_make_a_difference():
    problem = oracle.random_problem(20, 20, num_problems=2)
    twins = IsingProblem(problem.couplings, *2 * [np.zeros((2, 20), np.float32)])
    spins = run(twins, num_reads=2, beta_range=(0.1, 0.1), descend=False).spins.reshape(4, 40)
    assert len(np.unique(spins, axis=0)) == 4
    sampler = Annealing(num_sweeps=10)
    drawn = [sampler.sample(problem) for _ in range(2)]
    assert drawn[0].info["seed"] != drawn[1].info["seed"]
    assert not tolerances.same_bits(drawn[0].spins, drawn[1].spins)
    again = sampler.sample(problem, seed=drawn[0].info["seed"])
    assert tolerances.same_bits(drawn[0].spins, again.spins)


# Changed only together with a line in CHANGELOG.md: same seed, same bits is a promise within a
# minor version.
PINNED = {
    "annealing": (
        Annealing(num_sweeps=5, descend=False),
        "f76b4b721906187c51cc8be23ef4fd97983ad1de8484558e3db422de8c53ad8a",
    ),
    "tempering": (
        Tempering(5, (0.25, 1.0), num_betas=3, target_beta=0.5),
        "c611b929b98857653532a0ddb72df7ca098e9931c06a049c09ce3d1e9194dcad",
    ),
    "cyclic": (
        Cyclic(5, (0.25, 2.0), num_cycles=2, bias=0.5),
        "c243b8cd22dd4c31de852835bc925993c612f599197573dee544a97f40ff6531",
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_the_random_streams_have_not_moved(kernel, name):
    arrays = (
        np.arange(h * w).reshape(h, w) * 37 % 64 / 32 - 1 for h, w in ((18, 7), (3, 18), (3, 7))
    )
    problem = IsingProblem(*(array.astype(np.float32) for array in arrays))
    sampler, pinned = PINNED[name]
    spins = sampler.sample(problem, num_reads=4, seed=2024).spins
    assert hashlib.sha256(spins.tobytes()).hexdigest() == pinned
