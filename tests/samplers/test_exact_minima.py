"""Reads that end in a descent: no single flip lowers the energy as given, at any scale."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isingprop import Annealing, Cyclic, IsingProblem, Tempering

SAMPLERS = [
    Annealing(3),
    Tempering(3, num_betas=3),
    Annealing(3, beta_range=(0.1, 10.0), descend=True),
    Cyclic(3),
]


def problem_of(seed, spread, centre=0.0):
    """Up to 8 + 8 spins; numbers over `spread` decades, some 0, some on a coarse grid, so that
    local fields cancel.
    """
    random = np.random.default_rng(seed)
    num_hidden, num_output, rows = (
        random.integers(1, 9),
        random.integers(1, 9),
        random.integers(1, 3),
    )

    def numbers(*shape):
        array = random.choice([-1.0, 1.0], shape) * 10.0 ** (
            centre + random.uniform(-spread / 2, spread / 2, shape)
        )
        if random.random() < 0.3:
            array *= random.random(shape) < 0.5
        if random.random() < 0.3:
            decades = centre + random.integers(-1, 2, shape) * np.round(spread / 3)
            array = random.choice([-1.0, 1.0, 2.0, 0.5], shape) * 10.0**decades
        return array

    return IsingProblem(
        numbers(num_hidden, num_output), numbers(rows, num_hidden), numbers(rows, num_output)
    )


def check(problem, states):
    """In exact arithmetic: math.fsum rounds once, so that its sign is that of the sum."""
    couplings = problem.couplings.astype(float)
    for b in range(len(problem)):
        hidden, output = (
            problem.hidden_fields[b].astype(float),
            problem.output_fields[b].astype(float),
        )
        for spins, energy in zip(states.spins[b].astype(float), states.energies[b], strict=True):
            s, t = np.split(spins, [len(hidden)])
            for i in range(len(s)):
                assert s[i] * math.fsum([hidden[i], *(couplings[i] * t)]) <= 0, f"hidden spin {i}"
            for a in range(len(t)):
                assert t[a] * math.fsum([output[a], *(couplings[:, a] * s)]) <= 0, f"output {a}"
            terms = [*(hidden * s), *(output * t), *(couplings * np.outer(s, t)).ravel()]
            assert abs(energy - math.fsum(terms)) <= 1e-12 * math.fsum(map(abs, terms))


@given(st.integers(0, 2**32), st.sampled_from([2, 12, 40]), st.floats(-200, 200))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_problem_ends_in_a_minimum_of_the_energy_as_given(seed, spread, centre):
    problem = problem_of(seed, spread, centre)
    check(problem, SAMPLERS[seed % len(SAMPLERS)].sample(problem, 3, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("spread", [2, 12, 40, 600])
def test_three_thousand_problems_end_in_minima(spread):
    for seed in range(3000):
        problem = problem_of(seed, spread)
        check(problem, SAMPLERS[seed % len(SAMPLERS)].sample(problem, 3, seed=seed))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_field_below_the_rounding_of_the_couplings_decides(dtype):
    """Three couplings of 1e6 cancel but for a field of 1e-3: 2^-30 of their sum, which the grid of
    the annealer cannot hold. In 200 problems with either sign, the spin follows it.
    """
    fields = np.where(np.arange(200) % 2, 1e-3, -1e-3)[:, None].astype(dtype)
    couplings = np.array([[1e6, 2e6, -3e6, 0.3]], dtype)
    outputs = np.array(
        [[-1e9, -1e9, -1e9, 1e-9]], dtype
    )  # all up but the last: the sum is 0 + 0.3 t
    problem = IsingProblem(couplings, fields, outputs)
    states = Annealing(20).sample(problem, 5, seed=0)
    hidden, last = states.spins[:, :, 0], states.spins[:, :, 4]
    local = fields + dtype(0.3) * last
    assert (states.spins[:, :, 1:4] == 1).all()
    assert (hidden * local <= 0).all()
    assert (hidden * last == -1).all()
