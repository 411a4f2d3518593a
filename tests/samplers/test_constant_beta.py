"""Samples at a constant temperature, against enumeration, through every door."""

from dataclasses import replace
from fractions import Fraction

import dimod
import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.samplers.dimod_models import network, two_layers
from isingprop import Annealing, IsingProblem, Tempering, kernels
from isingprop.dimod import AnnealingSampler, TemperingSampler

READS, SWEEPS = 20_000, 30


def lattice(linear, factor=1.0):
    """A 3 x 2 lattice of normal couplings, and a pair of variables beside it."""
    random = np.random.default_rng(5)
    pairs = [
        ((i, j), (i + di, j + dj))
        for i in range(3)
        for j in range(2)
        for di, dj in ((1, 0), (0, 1))
    ]
    inside = [(u, v) for u, v in pairs if v[0] < 3 and v[1] < 2]
    quadratic = dict(zip(inside, random.normal(size=len(inside)), strict=True))
    return dimod.BinaryQuadraticModel(linear, quadratic | {("c", "d"): 0.4 * factor}, 0.0, "SPIN")


def weak_pair(factor):
    """A weak pair beside two strong variables, which freeze in their only minimum."""
    linear = {"a": 2.0, "d": 0.3 * factor}
    quadratic = {("a", "b"): -1.0, ("c", "d"): 0.4 * factor}
    return dimod.BinaryQuadraticModel(linear, quadratic, 0.0, "SPIN")


# Local fields from 2000 to 1e-4 in one part, of which the strong ones freeze.
GRADED = dimod.BinaryQuadraticModel(
    {"a": 2000.0, "d": 0.2, "e": 1e-4},
    {"ab": -1000.0, "bc": 0.5, "cd": 0.1, "de": 1e-4, "ad": 1e-4},
    0.0,
    "SPIN",
)


def complete(count, vartype="SPIN"):
    """Couplings between all variables, and one variable beside them."""
    random = np.random.default_rng(6)
    pairs = [(u, v) for v in range(count) for u in range(v)]
    quadratic = dict(zip(pairs, random.normal(size=len(pairs)), strict=True))
    linear = dict(zip(range(count + 1), random.normal(size=count + 1), strict=True))
    return dimod.BinaryQuadraticModel(linear, quadratic, 0.0, vartype)


# Each model with the temperature at which it is sampled.
MODELS = {
    "plain": (lattice({(0, 0): 0.3, "c": 0.2}), 1.0),
    "pinned": (lattice({(0, 0): -3.0, (2, 1): 40.0, "c": 1.5}), 1.0),
    "a weak part": (lattice({}, 1e-5), 1.0),
    "a weak part alone moves": (weak_pair(1e-5), 1e5),
    "a part 1e60 times weaker": (weak_pair(1e-60), 2e60),
    "graded rows": (GRADED, 1.5),
    "a dense network": (network(7), 0.8),
    "odd cycles": (complete(5), 0.3),
    "odd cycles of bits": (complete(5, "BINARY"), 0.7),
    "binary": (lattice({(0, 0): 0.3, "c": 0.2}).change_vartype("BINARY", inplace=False), 0.7),
}
FAST = "pinned", "odd cycles"
ODD = "odd cycles", "odd cycles of bits"
BY_MODEL = pytest.mark.parametrize("name", list(MODELS))


def probabilities(bqm, beta):
    """exp(-beta E) / Z of all states, in the order of state numbers over the variables.

    Energies are fractions: sums in double precision would lose the weak parts.
    """
    states = oracle.all_states(bqm.num_variables)
    values = states if bqm.vartype is dimod.SPIN else (states + 1) // 2
    place = {v: k for k, v in enumerate(bqm.variables)}
    linear = [(place[v], Fraction(bias)) for v, bias in bqm.linear.items()]
    quadratic = [(place[u], place[v], Fraction(bias)) for (u, v), bias in bqm.quadratic.items()]

    energies = [
        sum(bias * x[k] for k, bias in linear) + sum(bias * x[k] * x[j] for k, j, bias in quadratic)
        for x in values.tolist()
    ]
    exponents = [-float(Fraction(beta) * (energy - min(energies))) for energy in energies]
    return oracle.normalised(np.array([exponents]))[0]


def numbers(bqm, samples):
    columns = [samples.variables.index(v) for v in bqm.variables]
    return oracle.state_numbers(np.where(samples.record.sample[:, columns] > 0, 1, -1))


def of_drop_in(sampler, bqm, **options):
    return numbers(bqm, sampler.sample(bqm, num_reads=READS, num_sweeps=SWEEPS, seed=1, **options))


@BY_MODEL
def test_the_annealing_drop_in_at_a_constant_beta(name):
    bqm, beta = MODELS[name]
    exact = probabilities(bqm, beta)
    assert not tolerances.is_rejected(
        of_drop_in(AnnealingSampler(), bqm, beta_range=(beta, beta)), exact
    )
    descended = of_drop_in(AnnealingSampler(), bqm, beta_range=(beta, beta), descend=True)
    assert tolerances.is_rejected(descended, exact), "a descent at the end is told apart"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in FAST else pytest.mark.slow)
        for name in MODELS
        if name != "a part 1e60 times weaker"
    ],
)
def test_the_tempering_drop_in_at_its_target(name):
    bqm, beta = MODELS[name]
    exact = probabilities(bqm, beta)
    options = {"beta_range": (0.3 * beta, beta), "num_betas": 3}
    assert not tolerances.is_rejected(
        of_drop_in(TemperingSampler(), bqm, target_beta=beta, **options), exact
    )
    assert tolerances.is_rejected(of_drop_in(TemperingSampler(), bqm, **options), exact), (
        "lowest states are told apart"
    )


def test_tempering_at_a_constant_beta_is_sampling_at_it():
    bqm, beta = MODELS["plain"]
    exact = probabilities(bqm, beta)
    constant = of_drop_in(TemperingSampler(), bqm, beta_range=(beta, beta))
    ladder = of_drop_in(TemperingSampler(), bqm, beta_schedule_type="custom", beta_schedule=[beta])
    assert not tolerances.is_rejected(constant, exact)
    assert not tolerances.is_rejected(ladder, exact)


def test_tempering_refuses_a_target_at_which_swaps_would_not_see_the_weak_parts():
    """At 1e60 times their energy; lowest states are found, since parts have their own scales."""
    bqm, beta = MODELS["a part 1e60 times weaker"]
    with pytest.raises(ValueError, match="target_beta needs local fields within a factor of 1e12"):
        TemperingSampler().sample(bqm, beta_range=(beta / 2, beta), target_beta=beta)
    lowest = TemperingSampler().sample(bqm, num_reads=5, seed=0).samples()
    assert all((s["a"], s["b"], s["c"], s["d"]) == (-1, -1, 1, -1) for s in lowest)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ODD])
@pytest.mark.parametrize("kind", ["annealing", "tempering"])
def test_the_samplers_of_isingprop_at_a_constant_beta(name, kind):
    bqm, beta = MODELS[name]
    problem, places = two_layers(bqm)
    sampler = Annealing(SWEEPS, (beta, beta))
    if kind == "tempering":
        sampler = Tempering(SWEEPS, (beta, beta), num_betas=1)
    spins = sampler.sample(problem, READS, seed=3).spins[0][:, places]
    assert not tolerances.is_rejected(oracle.state_numbers(spins), probabilities(bqm, beta))


def test_the_path_of_the_plugin_for_boltzmann_machines():
    """dwave-pytorch-plugin 0.4.0 calls sample_ising(h, J, **sample_kwargs)."""
    bqm, beta = MODELS["pinned"]
    h, J, _ = bqm.to_ising()
    params = {"num_reads": READS, "num_sweeps": SWEEPS, "seed": 4, "beta_range": [beta, beta]}
    samples = AnnealingSampler().sample_ising(h, J, **params)
    exact = probabilities(bqm, beta)
    assert not tolerances.is_rejected(numbers(bqm, samples), exact)

    onwards = params | {"initial_states": samples, "num_sweeps": 1, "seed": 5}
    later = AnnealingSampler().sample_ising(h, J, **onwards)
    assert not tolerances.is_rejected(numbers(bqm, later), exact)


@pytest.mark.parametrize(
    ("beta_range", "falls"), [((0.1, 10.0), True), ((0.1, 0.4), False), ((1.0, 1.0), False)]
)
def test_reads_descend_where_the_schedule_ends_cold(beta_range, falls):
    """The local field is sqrt(4.8): cold begins at a beta of 1.8."""
    couplings = np.random.default_rng(0).choice([-1.0, 1.0], (6, 4))
    problem = IsingProblem(couplings, np.zeros((1, 6)), np.zeros((1, 4)))
    default = Annealing(5, beta_range).sample(problem, 200, seed=0).spins
    forced = Annealing(5, beta_range, descend=falls).sample(problem, 200, seed=0).spins
    other = Annealing(5, beta_range, descend=not falls).sample(problem, 200, seed=0).spins
    np.testing.assert_array_equal(default, forced)
    assert (default != other).any()


def drop_in_reads(bqm, last):
    """Reads of a schedule that ends at `last`, by default, with a descent and without one."""
    options = {"num_reads": 300, "num_sweeps": 3, "seed": 0, "beta_range": (0.01, last)}
    return [
        AnnealingSampler().sample(bqm, descend=descend, **options).record.sample
        for descend in (None, True, False)
    ]


@pytest.mark.parametrize("share", [0.999, 1.001])
def test_cold_is_the_same_for_the_drop_in_on_a_network(share):
    bqm = network(24)
    problem, _ = two_layers(bqm)
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    last = share * kernels.absolute_betas(*arrays, np.array([kernels.COLD_BETA]))[0, 0]
    default, descended, other = drop_in_reads(bqm, last)
    assert (descended != other).any()
    assert (default == (descended if share > 1 else other)).all()

    ours = Annealing(3, (0.01, last))
    spins = [
        sampler.sample(problem, 300, seed=0).spins
        for sampler in (ours, replace(ours, descend=share > 1), replace(ours, descend=share < 1))
    ]
    assert (spins[0] == spins[1]).all()
    assert (spins[0] != spins[2]).any()


@pytest.mark.parametrize("share", [0.999, 1.001])
def test_cold_on_a_graph_is_4_over_the_mean_square_of_local_fields(share):
    """Four couplings of 1 and fields of 1 and 3, and a spin on which nothing acts."""
    sites = [(i, j) for i in range(5) for j in range(4)]
    pairs = [(u, ((u[0] + 1) % 5, u[1])) for u in sites] + [
        (u, (u[0], (u[1] + 1) % 4)) for u in sites
    ]
    linear = {u: 1.0 + 2.0 * (u[1] % 2) for u in sites} | {"alone": 0.0}
    bqm = dimod.BinaryQuadraticModel(linear, dict.fromkeys(pairs, 1.0), 0.0, "SPIN")
    default, descended, other = drop_in_reads(bqm, share * kernels.COLD_BETA / np.sqrt(4 + 5))
    assert (descended != other).any()
    assert (default == (descended if share > 1 else other)).all()


def test_a_range_may_span_all_numbers():
    problem = IsingProblem(np.ones((3, 2)), np.ones((1, 3)), np.ones((1, 2)))
    states = Annealing(9, (1e-300, 1e300)).sample(problem, 5, seed=0)
    assert np.isin(states.energies, [-7, -5]).all()  # one layer up, the other down


def test_settings_tell_whether_reads_descend():
    said = [
        Annealing(5, beta_range, descend=descend).settings()["descend"]
        for beta_range, descend in (
            (None, None),
            ((1, 1), None),
            ((1, 2), None),
            (None, False),
            ((1, 1), True),
        )
    ]
    assert said == [True, False, None, False, True]
