"""The drop-in samplers for dimod on graphs of every kind."""

import unittest

import dimod
import dimod.testing
import numpy as np
import pytest
from dwave.graphs import pegasus_graph, zephyr_graph
from dwave.samplers import SimulatedAnnealingSampler

from helpers.samplers.dimod_models import BOTH, EACH_KIND, frustrated, glass, reads
from isingprop.dimod import AnnealingSampler, TemperingSampler


@dimod.testing.load_sampler_bqm_tests(AnnealingSampler)
class TestAnnealingSampler(unittest.TestCase):
    """dimod's own tests."""


@dimod.testing.load_sampler_bqm_tests(TemperingSampler)
class TestTemperingSampler(unittest.TestCase):
    """dimod's own tests."""


def on_graph(edges, vartype="SPIN", seed=0):
    """Biases in eighths, whose sums are exact, on a graph of any labels."""
    random = np.random.default_rng(seed)
    edges = list(edges)
    variables = sorted({v for edge in edges for v in edge})
    linear, quadratic = (random.integers(-16, 17, len(each)) / 8 for each in (variables, edges))
    return dimod.BinaryQuadraticModel(
        dict(zip(variables, linear.tolist(), strict=True)),
        dict(zip(edges, quadratic.tolist(), strict=True)),
        0.5,
        vartype,
    )


def pairs(count, density=1.0):
    random = np.random.default_rng(1)
    return [(i, j) for j in range(count) for i in range(j) if random.random() < density]


GRAPHS = {
    "pair": pairs(2),
    "triangle": pairs(3),
    "odd ring": [(k, (k + 1) % 9) for k in range(9)],
    "star": [(0, k) for k in range(1, 40)],
    "star and a triangle": [(0, k) for k in range(1, 40)] + [(1, 2)],
    "two triangles": [*pairs(3), (3, 4), (4, 5), (3, 5)],
    "complete": pairs(30),
    "random": pairs(200, 0.06),
    "Zephyr": zephyr_graph(1).edges,
    "Pegasus": pegasus_graph(2).edges,
}
BY_GRAPH = pytest.mark.parametrize("graph", list(GRAPHS))


@BOTH
@BY_GRAPH
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_samples_are_minima_with_their_energies(sampler, graph, vartype):
    bqm = on_graph(GRAPHS[graph], vartype)
    samples = sampler.sample(bqm, num_reads=5, num_sweeps=3, seed=0)
    assert list(samples.variables) == list(bqm.variables)
    assert samples.record.energy.tolist() == bqm.energies(samples).tolist()
    for sample in samples.samples(sorted_by=None):
        for v in bqm.variables:
            field = bqm.linear[v] + sum(bias * sample[u] for u, bias in bqm.iter_neighborhood(v))
            gain = -2 * sample[v] * field if vartype == "SPIN" else (1 - 2 * sample[v]) * field
            assert gain >= 0


@BOTH
@pytest.mark.parametrize("graph", ["triangle", "odd ring", "two triangles"])
def test_ground_states_of_small_graphs_are_found(sampler, graph):
    for seed in range(5):
        bqm = on_graph(GRAPHS[graph], seed=seed)
        lowest = dimod.ExactSolver().sample(bqm).first.energy
        assert sampler.sample(bqm, num_reads=20, num_sweeps=50, seed=0).first.energy == lowest


def test_a_spin_glass_is_annealed_no_worse_than_by_dwave_samplers():
    """The means of 40 reads at the defaults of both, with five standard errors to spare."""
    random = np.random.default_rng(0)
    edges = list(zephyr_graph(3).edges)
    bqm = dimod.BinaryQuadraticModel.from_ising(
        {}, dict(zip(edges, random.choice([-1.0, 1.0], len(edges)).tolist(), strict=True))
    )
    ours, theirs = (
        sampler.sample(bqm, num_reads=40, num_sweeps=100, seed=0).record.energy
        for sampler in (AnnealingSampler(), SimulatedAnnealingSampler())
    )
    assert ours.mean() < theirs.mean() + 5 * np.hypot(ours.std(), theirs.std()) / np.sqrt(40)


# The same bits


@BOTH
@pytest.mark.parametrize("make", [glass, frustrated])
def test_bits_are_the_same_on_every_instruction_set(sampler, make, on_every_kernel):
    results = on_every_kernel(
        lambda: sampler.sample(make(150), num_reads=7, num_sweeps=20, seed=3).record
    )
    assert len({(each.sample.tobytes(), each.energy.tobytes()) for each in results}) == 1


@BOTH
@EACH_KIND
def test_reads_continue_from_given_states_as_alone(sampler, make):
    """A read depends on its start state and its number, not on how its neighbours begin."""
    bqm, options = make(100), {"num_sweeps": 3, "seed": 0}
    starts = sampler.sample(bqm, num_reads=6, **options)
    whole = reads(sampler.sample(bqm, initial_states=starts, **options))
    parts = reads(sampler.sample(bqm, initial_states=starts, num_reads=2, **options))
    stopped = sampler.sample(
        bqm, initial_states=starts, interrupt_function=lambda: False, **options
    )
    assert parts == whole[:2]
    assert reads(stopped) == whole


# Sweeps and temperatures


def annealed(**options):
    options = {"num_reads": 4, "seed": 0, "descend": False} | options
    return AnnealingSampler().sample(frustrated(150), **options)


@EACH_KIND
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_without_a_sweep_start_states_are_returned(make, vartype):
    bqm = make(60, vartype)
    options = {"num_reads": 5, "num_sweeps": 0}
    starts = AnnealingSampler().sample(bqm, seed=4, **options)
    assert starts.info["beta_range"] == [None, None]
    assert len({tuple(read) for read in reads(starts)}) == 5
    mean = np.abs(starts.record.sample > 0).mean()
    assert abs(mean - 0.5) < 5 * 0.5 / np.sqrt(300)
    np.testing.assert_allclose(starts.record.energy, bqm.energies(starts), rtol=1e-12)

    again = AnnealingSampler().sample(bqm, initial_states=starts, num_sweeps=0)
    assert reads(again) == reads(starts)
    given = AnnealingSampler().sample(bqm, num_sweeps=0, beta_range=(0.5, 2.0))
    assert given.info["beta_range"] == [0.5, 2.0]


@EACH_KIND
def test_without_a_sweep_a_descent_is_that_of_states(make):
    """As with dwave.samplers.SteepestDescentSampler, but by other ways to the same kind of end."""
    bqm = make(60)
    options = {"num_sweeps": 0, "descend": True}
    found = AnnealingSampler().sample(bqm, num_reads=20, seed=0, **options)
    again = AnnealingSampler().sample(bqm, initial_states=found, **options)
    assert reads(again) == reads(found)
    start = AnnealingSampler().sample(bqm, num_reads=20, seed=0, num_sweeps=0)
    assert (found.record.energy < start.record.energy).all()


@pytest.mark.parametrize(
    ("options", "betas"),
    [
        ({"beta_range": (0.5, 2.0), "num_sweeps": 6}, [0.5, 0.5, 1, 1, 2, 2]),
        (
            {"beta_range": (0, 2), "num_sweeps": 6, "beta_schedule_type": "linear"},
            [0, 0, 1, 1, 2, 2],
        ),
        ({"beta_schedule": [1, 3], "beta_schedule_type": "custom"}, [1, 1, 3, 3]),
        ({"beta_range": (0.5, 2.0), "num_sweeps": 2}, [2, 2]),
    ],
)
def test_each_beta_may_have_several_sweeps(options, betas):
    single = annealed(beta_schedule=betas, beta_schedule_type="custom")
    assert reads(annealed(num_sweeps_per_beta=2, **options)) == reads(single)
    assert reads(annealed(num_sweeps=4, beta_range=(0.5, 2.0))) != reads(single)


@EACH_KIND
def test_at_an_infinite_beta_no_spin_climbs(make):
    """Sweeps at zero temperature, from a start of no order, end in a minimum."""
    bqm, options = make(60), {"beta_schedule_type": "custom", "seed": 0, "num_reads": 10}
    cold = AnnealingSampler().sample(bqm, beta_schedule=[np.inf] * 60, descend=False, **options)
    later = AnnealingSampler().sample(bqm, initial_states=cold, beta_schedule=[np.inf], **options)
    assert reads(later) == reads(cold)
    assert later.info["beta_range"] == [None, None]
    mixed = AnnealingSampler().sample(bqm, beta_schedule=[0.5, np.inf], **options)
    assert mixed.info["beta_range"] == [0.5, None]


# Small and large models


@BOTH
@pytest.mark.filterwarnings("ignore:All bqm biases are zero")
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize("options", [{}, {"num_reads": 3}, {"beta_range": (0.1, 1.0)}])
def test_an_empty_model_is_sampled_as_by_dwave_samplers(sampler, vartype, options):
    bqm = dimod.BinaryQuadraticModel({}, {}, 1.5, vartype)
    theirs = SimulatedAnnealingSampler().sample(bqm, **options)
    ours = sampler.sample(bqm, **options)
    assert ours.record.dtype == theirs.record.dtype
    assert ours.record.sample.shape == theirs.record.sample.shape
    assert ours.record.energy.tolist() == theirs.record.energy.tolist()
    assert ours.vartype is theirs.vartype


@BOTH
@pytest.mark.parametrize("bias", [-2.0, 0.0, 3.0])
def test_a_single_variable(sampler, bias):
    samples = sampler.sample(
        dimod.BinaryQuadraticModel({"a": bias}, {}, 0.25, "SPIN"), num_reads=40, seed=0
    )
    assert set(samples.record.energy) == {0.25 - abs(bias)}
    assert len(samples.aggregate()) == (2 if bias == 0 else 1)  # misses one once in 10^12


@pytest.mark.slow
@pytest.mark.parametrize("name", ["AnnealingSampler", "TemperingSampler"])
def test_a_large_sparse_model_takes_no_dense_arrays(name, python):
    """20,000 variables would have 3.2 GB of pairs; the process may have 1 GB more."""
    result = python(f"""
import resource
import dimod, numpy as np
from isingprop.dimod import {name}
random = np.random.default_rng(0)
first = random.integers(0, 20_000, 60_000)
second = (first + random.integers(1, 20_000, 60_000)) % 20_000
vectors = random.normal(size=20_000), (first, second, random.normal(size=60_000)), 0.0, "SPIN"
bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(*vectors)
{name}().sample(bqm, num_sweeps=1)
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 10**9, now + 10**9))
samples = {name}().sample(bqm, num_sweeps=2, num_reads=2, seed=0)
print(np.allclose(samples.record.energy, bqm.energies(samples)))
""")
    assert result.stdout == "True\n", result.stderr
