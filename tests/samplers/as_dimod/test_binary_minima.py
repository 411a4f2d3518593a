"""Models of 0 and 1: no single flip lowers the energy of the biases as given."""

import math

import dimod
import numpy as np
import pytest

from helpers.samplers.dimod_models import BOTH
from isingprop.samplers.as_dimod.binary_minima import settled


def model(seed, spread):
    """Up to 6 + 6 variables, biases over `spread` decades, or on a coarse grid: sums cancel."""
    random = np.random.default_rng(seed)
    left, right = random.integers(1, 7, 2)
    linear = _numbers(random, spread, left + right)
    quadratic = _numbers(random, spread, left * right).reshape(left, right)
    pairs = {(i, left + a): quadratic[i, a] for i in range(left) for a in range(right)}
    return dimod.BinaryQuadraticModel(dict(enumerate(linear)), pairs, 0.0, "BINARY")


def _numbers(random, spread, count):
    if random.random() < 0.5:
        return random.choice([-1.0, 1.0, 2.0], count) * 10.0 ** (
            random.integers(-1, 2, count) * np.round(spread / 2)
        )
    return random.choice([-1.0, 1.0], count) * 10.0 ** random.uniform(
        -spread / 2, spread / 2, count
    )


def check(bqm, samples):
    """By math.fsum, whose sign is that of the exact sum."""
    for sample in samples.samples(sorted_by=None):
        for v in bqm.variables:
            terms = [bqm.linear[v], *(bias * sample[u] for u, bias in bqm.iter_neighborhood(v))]
            assert (1 - 2 * sample[v]) * math.fsum(terms) >= 0, v


@BOTH
@pytest.mark.parametrize("spread", [2, 20, 40])
def test_reads_are_minima_of_the_model_as_given(sampler, spread):
    for seed in range(25):
        bqm = model(seed, spread)
        check(bqm, sampler.sample(bqm, num_reads=3, num_sweeps=3, seed=seed))


def test_a_bias_that_the_spins_do_not_see_decides():
    """x_a costs 1e-20, which is lost beside the field of 1 / 4 that a coupling gives a spin."""
    bqm = dimod.BinaryQuadraticModel({"a": 1e-20, "b": 1.0}, {"ab": 1.0}, 0.0, "BINARY")
    spins = bqm.change_vartype("SPIN", inplace=False)
    assert spins.linear["a"] == 0.25
    start = np.array([[1, 0], [0, 0]], np.int8)
    np.testing.assert_array_equal(settled(bqm, start), np.zeros((2, 2)))
    assert (start == [[1, 0], [0, 0]]).all()


def test_flips_lead_to_others():
    """Each x costs as much as its neighbour saves, but the first: all fall, one after another."""
    chain = {(k, k + 1): -1.0 for k in range(5)}
    bqm = dimod.BinaryQuadraticModel({0: 1e-20}, chain, 0.0, "BINARY")
    bqm.update(dimod.BinaryQuadraticModel(dict.fromkeys(range(1, 6), 1.0), {}, 0.0, "BINARY"))
    ones = np.ones((1, 6), np.int8)
    done = settled(bqm, ones)
    check(bqm, dimod.SampleSet.from_samples_bqm((done, list(bqm.variables)), bqm))
