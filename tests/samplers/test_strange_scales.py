"""Problems that no default was tuned on: pinned spins, heavy tails, parts of different scale."""

import dimod
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler, SteepestDescentSampler

from helpers import oracle
from helpers.samplers.dimod_models import BOTH, two_layers
from isingprop import Annealing, Cyclic, IsingProblem, Tempering, kernels
from isingprop.dimod import AnnealingSampler

SIZE = 30
ANNEALER = AnnealingSampler()


def torus(couplings, fields=None, size=SIZE):
    """A square lattice with periodic ends; couplings (2, size, size) are to the right and down."""
    sites = np.arange(size * size).reshape(size, size)
    ends = np.stack([np.roll(sites, -1, axis) for axis in (1, 0)])
    quadratic = (np.stack([sites, sites]).ravel(), ends.ravel(), couplings.ravel())
    linear = np.zeros(size * size) if fields is None else fields
    return dimod.BinaryQuadraticModel.from_numpy_vectors(linear, quadratic, 0.0, "SPIN")


def signs(*shape, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], shape)


def mean_energy(sampler, bqm, **options):
    """The mean over 20 reads, and its standard error."""
    energies = sampler.sample(bqm, num_reads=20, seed=1, **options).record.energy
    return energies.mean(), energies.std() / np.sqrt(len(energies))


def by_scale(seed=0):
    """Families of which each has another spread of local scales."""
    random = np.random.default_rng(seed)
    shape = (2, SIZE, SIZE)
    strong = np.zeros(SIZE**2)
    strong[[17, 400, 808]] = [1000.0, -50.0, 1e6]
    return {
        "one": torus(random.choice([-1.0, 1.0], shape)),
        "Gaussian": torus(random.normal(size=shape)),
        "pinned": torus(random.choice([-1.0, 1.0], shape), strong),
        "Cauchy": torus(random.standard_cauchy(shape)),
        "Cauchy fields": torus(random.normal(size=shape), random.standard_cauchy(SIZE**2)),
        "lognormal": torus(random.choice([-1.0, 1.0], shape) * random.lognormal(0, 2, shape)),
        "cells": cells(random),
        "patterns": patterns(random, 64, count=3, strength=3.0),
        "strong fields": patterns(random, 48, count=48, strength=60.0),
        "one strong bond": one_strong_bond(random),
        "complete Cauchy": complete(random.standard_cauchy((60, 40)), np.zeros(100)),
        "independent set": independent_set(random, penalty=50.0),
    }


def complete(couplings, fields):
    """All hidden spins couple to all outputs."""
    num_hidden = len(couplings)
    i, a = np.indices(couplings.shape).reshape(2, -1)
    quadratic = (i, num_hidden + a, couplings.ravel())
    return dimod.BinaryQuadraticModel.from_numpy_vectors(fields, quadratic, 0.0, "SPIN")


def one_strong_bond(random):
    couplings = random.normal(size=(60, 40))
    couplings[7, 3] = 1000.0
    return complete(couplings, np.zeros(100))


def independent_set(random, penalty, half=100):
    """A bipartite graph whose vertices have weights near 1, in spins: +1 is in the set."""
    pairs = random.integers(0, half, (4 * half, 2)) + np.array([0, half])
    edges = np.unique(pairs, axis=0).T
    degrees = np.bincount(edges.ravel(), minlength=2 * half)
    fields = penalty / 4 * degrees - random.uniform(0.25, 0.75, 2 * half)
    quadratic = (*edges, np.full(edges.shape[1], penalty / 4))
    return dimod.BinaryQuadraticModel.from_numpy_vectors(fields, quadratic, 0.0, "SPIN")


def patterns(random, size, *, count, strength):
    """Couplings that hold `count` patterns of signs, and normally distributed fields."""
    hidden, output = random.choice([-1.0, 1.0], (2, count, size))
    return complete(-hidden.T @ output, strength * random.normal(size=2 * size))


def cells(random, size=9):
    """A square lattice of ferromagnetic cells of 4 + 4 spins, joined by four bonds of one sign."""
    model = dimod.BinaryQuadraticModel("SPIN")
    names = [
        (x, y, side, k)
        for x in range(size)
        for y in range(size)
        for side in (0, 1)
        for k in range(4)
    ]
    for x, y, side, k in names:
        model.add_linear((x, y, side, k), -1.0 if x % 2 else 0.44)
        if side == 0:
            model.add_quadratic_from(((x, y, 0, k), (x, y, 1, m), -1.0) for m in range(4))
    for x in range(size):
        for y in range(size):
            for side, (dx, dy) in enumerate([(1, 0), (0, 1)]):
                if x + dx < size and y + dy < size:
                    sign = random.choice([-1.0, 1.0])
                    pairs = (((x, y, side, k), (x + dx, y + dy, 1 - side, k)) for k in range(4))
                    model.add_quadratic_from((u, v, sign) for u, v in pairs)
    return model


@pytest.mark.parametrize("family", list(by_scale()))
def test_no_family_ends_above_the_defaults_of_dwave_samplers_or_above_descent(family):
    """The differences are 0.1 to 3 % of the energy, and a standard error is 0.1 % or less. When the
    range of beta followed the rms field of all spins, those with pins and Cauchy's were above
    descent, and the patterns above dwave-samplers. When it followed means over neighbours only, the
    strong bond and the independent set were above both.
    """
    bqm = by_scale()[family]
    ours, error = mean_energy(ANNEALER, bqm, num_sweeps=200)
    assert ours < mean_energy(SimulatedAnnealingSampler(), bqm, num_sweeps=200)[0] + error
    assert ours < mean_energy(SteepestDescentSampler(), bqm)[0]


@BOTH
def test_a_pinned_spin_changes_nothing_but_its_own_energy(sampler):
    """With the couplings of a ferromagnet in disguise the ground energy is known: it is reached, or
    missed by one domain wall, 2 % of the energy, with and without the pin.
    """
    hidden = signs(SIZE, SIZE)
    ends = np.stack([np.roll(hidden, -1, axis) for axis in (1, 0)])
    couplings, pin = -hidden * ends, np.zeros(SIZE**2)
    pin[17] = -1000.0 * hidden.ravel()[17]
    free, pinned = torus(couplings), torus(couplings, pin)
    options = {"num_reads": 5, "seed": 0, "num_sweeps": 300}
    ground = -2.0 * SIZE**2
    assert sampler.sample(free, **options).record.energy.min() == ground
    assert sampler.sample(pinned, **options).record.energy.min() == ground - 1000.0
    means = [sampler.sample(each, **options).record.energy.mean() for each in (free, pinned)]
    assert abs(means[1] + 1000.0 - means[0]) < 0.05 * -ground


@pytest.mark.parametrize(
    "sampler", [Annealing(30), Tempering(30, num_betas=6), Cyclic(30)], ids=["A", "T", "C"]
)
def test_a_hidden_bias_of_the_papers_network_costs_nothing(sampler):
    """It cost 2.0 of an energy of 52; a standard error is 0.1."""
    random = np.random.default_rng(0)
    couplings = random.normal(0, 0.0526, (120, 40))
    fields = random.normal(0, 0.19, (1, 120))
    outputs = np.zeros((1, 40))
    with_bias = fields.copy()
    with_bias[0, 3] = 50.0
    one_less = IsingProblem(
        np.delete(couplings, 3, 0), np.delete(fields, 3, 1), outputs - couplings[3]
    )
    biased = IsingProblem(couplings, with_bias, outputs)
    energies = [sampler.sample(each, 100, seed=0).energies for each in (one_less, biased)]
    assert abs(energies[0].mean() - (energies[1].mean() + 50.0)) < 0.5
    assert energies[1].min() + 50.0 == pytest.approx(energies[0].min(), abs=0.1)


@BOTH
@pytest.mark.parametrize("ratio", [1e-3, 2.0**-100, 1e-200])
def test_parts_that_share_no_coupling_have_their_own_scales(sampler, ratio):
    """The weaker glass ended at -0.891 per spin, where the other had -1.217."""
    size = 20
    glass = torus(signs(2, size, size), size=size)
    both = glass.copy()
    weak = torus(ratio * signs(2, size, size), size=size)
    weak.relabel_variables({k: k + size * size for k in range(size * size)})
    both.update(weak)

    samples = sampler.sample(both, num_reads=4, num_sweeps=200, seed=0)
    spins = samples.record.sample[:, np.argsort(samples.variables)]
    strong, feeble = (glass.energies((part, range(size * size))) for part in np.hsplit(spins, 2))
    assert abs(strong.mean() - feeble.mean()) < 0.03 * size**2  # 5 standard errors of annealing
    assert max(strong.max(), feeble.max()) < -1.25 * size**2


def test_the_share_of_sweeps_follows_the_scales_of_the_spins():
    """Two lattices of scales 1 and 1000, joined by one weak bond: the range covers both, and most
    sweeps are spent within the windows of either.
    """
    size, ratio = 10, 1e-3
    sites = size * size
    bqm = torus(signs(2, size, size), size=size)
    weak = torus(ratio * signs(2, size, size), size=size)
    weak.relabel_variables({k: k + sites for k in range(sites)})
    bqm.update(weak)
    bqm.add_quadratic(0, sites + 1, ratio)
    first, last = ANNEALER.sample(bqm, num_sweeps=1).info["beta_range"]
    assert first == pytest.approx(0.88 / 2, rel=0.2)
    assert 0.5 < last / (8.8 / (2 * ratio)) < 1.1

    whole = IsingProblem(*_arrays(bqm))
    betas = kernels.absolute_betas(
        whole.couplings, whole.hidden_fields, whole.output_fields, np.geomspace(0.88, 8.8, 1000)
    )[0]
    assert (np.diff(betas) > 0).all()
    strong, feeble = (((0.8 / f < betas) & (betas < 9 / f)).mean() for f in (2, 2 * ratio))
    assert strong + feeble > 0.95
    assert 0.1 < feeble < strong  # the weights are as 1 : 4


def _arrays(bqm):
    """The arrays of a model whose even and odd variables are not joined to their like."""
    problem, _ = two_layers(bqm)
    return problem.couplings, problem.hidden_fields, problem.output_fields


def test_no_coupling_is_too_weak_beside_a_strong_one():
    """From dimod's dict of couplings; -0.5 was 0 on a grid of 1e8, and c and d were at random."""
    bqm = dimod.BinaryQuadraticModel.from_ising({}, {("a", "b"): -1e8, ("c", "d"): -0.5})
    samples = ANNEALER.sample(bqm, num_reads=50, seed=0, num_sweeps=10)
    assert set(samples.record.energy) == {-1e8 - 0.5}


# At constant temperature, see test_constant_beta.py


@pytest.mark.parametrize("count", [1, 7])
def test_scales_do_not_depend_on_how_problems_are_batched(count):
    """One has a pinned spin, another a zero among its fields: each has its own scale."""
    problem = oracle.random_problem(9, 6, num_problems=7, dtype=np.float64)
    problem.hidden_fields[3, 2] = 1e6
    problem.couplings[0, 1:] = 0.0
    whole = Annealing(5).sample(problem, 4, seed=2).spins
    parts = [
        Annealing(5).sample(problem[k : k + count], 4, seed=2).spins for k in range(0, 7, count)
    ]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
