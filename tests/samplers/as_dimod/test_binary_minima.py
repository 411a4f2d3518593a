"""Models of 0 and 1: no single flip lowers the energy of the biases as given."""

import math

import dimod
import numpy as np
import pytest

from helpers.samplers.dimod_models import BOTH
from isingprop.samplers.as_dimod.binary_minima import settled


def model(seed, spread):
    """Up to 12 variables, biases over `spread` decades, or on a coarse grid: sums cancel. Those of
    even seeds have two layers, the others no order.
    """
    random = np.random.default_rng(seed)
    left, right = random.integers(1, 7, 2)
    linear = _numbers(random, spread, left + right)
    pairs = [(i, left + a) for i in range(left) for a in range(right)]
    if seed % 2:
        pairs = [(i, j) for j in range(left + right) for i in range(j) if random.random() < 0.6]
    pairs = dict(zip(pairs, _numbers(random, spread, len(pairs)), strict=True))
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
    assert settled(bqm, start) == [0]
    np.testing.assert_array_equal(start, np.zeros((2, 2)))


def test_flips_lead_to_others():
    """Each x saves as much as it costs, but the first one: all fall, one after another."""
    chain = {(k, k + 1): -(2.0**-k) for k in range(5)}
    linear = {0: 1 + 2.0**-52} | {k: 2.0 ** (1 - k) + 2.0**-k for k in range(1, 6)}
    bqm = dimod.BinaryQuadraticModel(linear, chain, 0.0, "BINARY")
    ones = np.ones((2, 6), np.int8)
    ones[1] = 0
    assert settled(bqm, ones) == [0]
    assert not ones.any()


def test_sums_of_decimals_are_exact():
    """The doubles 0.1, 0.2 and -0.3 add up to 2.8e-17, which sums of doubles may lose."""
    random = np.random.default_rng(0)
    i, j = np.triu_indices(60, 1)
    ends = np.array([i, j])[:, random.random(len(i)) < 0.1]
    biases = random.choice([0.1, 0.2, -0.3], 60), random.choice([0.1, 0.2, -0.3], ends.shape[1])
    bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
        biases[0], (*ends, biases[1]), 0.0, "BINARY"
    )
    samples = random.integers(0, 2, (20, 60)).astype(np.int8)
    before = samples.copy()
    changed = settled(bqm, samples)
    check(bqm, dimod.SampleSet.from_samples_bqm(samples, bqm))
    assert ((samples != before).any(axis=1).nonzero()[0] == changed).all()
