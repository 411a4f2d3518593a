"""The room of dimod outward: colouring, the drop-in samplers, their starts, seeds, schedules, info and refusals."""

import json
import re
import unittest
from itertools import count, pairwise

import dimod
import dimod.testing
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from isingprop.dimod import AnnealingSampler, TemperingSampler
from isingprop.samplers.tempering import rung_number
from isingprop.samplers.two_colouring import two_colouring

BOTH = pytest.mark.parametrize(
    "sampler", [AnnealingSampler(), TemperingSampler()], ids=["annealing", "tempering"]
)
INF = float("inf")


@dimod.testing.load_sampler_bqm_tests(AnnealingSampler)
class TestAnnealingSampler(unittest.TestCase):
    """dimod's own tests."""


@dimod.testing.load_sampler_bqm_tests(TemperingSampler)
class TestTemperingSampler(unittest.TestCase):
    """dimod's own tests."""


def random_edges(random, num_variables, density):
    """Edges (2, E) between the even and the odd variables, which then have new numbers in no order."""
    pairs = np.argwhere(random.random((num_variables, num_variables)) < density)
    ends = pairs[pairs.sum(axis=1) % 2 == 1].T
    ends = np.unique(np.sort(ends, axis=0), axis=1)
    return random.permutation(num_variables)[ends]


def random_bqm(
    seed,
    num_variables=10,
    density=0.3,
    vartype="SPIN",
    kind=dimod.BinaryQuadraticModel,
    digits=None,
):
    """Normally distributed biases, labels of many types, an offset."""
    random = np.random.default_rng([seed, num_variables])
    labels = [
        [k, f"x{k}", (k, "y"), k + 0.5][k % 4] for k in random.permutation(num_variables).tolist()
    ]
    u, v = random_edges(random, num_variables, density)
    biases = (
        random.normal(size=num_variables + len(u) + 1)
        .round(digits if digits is not None else 15)
        .tolist()
    )
    linear = dict(zip(labels, biases, strict=False))
    quadratic = {
        (labels[a], labels[b]): bias
        for a, b, bias in zip(u, v, biases[num_variables:-1], strict=True)
    }
    return kind(linear, quadratic, biases[-1], vartype)


def glass(num_variables=80, vartype="SPIN"):
    """With many local minima, and variables that are not in the order of their labels."""
    bqm = random_bqm(0, num_variables, 0.3, vartype)
    return bqm.relabel_variables({v: str(v) for v in bqm.variables}, inplace=False)


def lattice(*sizes, seed=0):
    """+1 and -1 at random between neighbours, variables numbered at random."""
    random = np.random.default_rng(seed)
    sites = random.permutation(np.prod(sizes)).reshape(sizes)
    pairs = [
        np.stack([np.delete(sites, -1, axis).ravel(), np.delete(sites, 0, axis).ravel()])
        for axis in range(len(sizes))
    ]
    ends = np.concatenate(pairs, axis=1)
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(sites.size), (*ends, random.choice([-1.0, 1.0], ends.shape[1])), 0.0, "SPIN"
    )


def reads(samples):
    return samples.record.sample.tolist()


# Colouring


@given(st.integers(0, 2**32), st.integers(0, 40), st.floats(0, 0.3))
@settings(derandomize=True, database=None, deadline=None, max_examples=200)
def test_two_colourable_graphs_are_divided(seed, num_variables, density):
    ends = random_edges(np.random.default_rng(seed), num_variables, density)
    first, second = two_colouring(range(num_variables), ends)
    assert sorted([*first, *second]) == list(range(num_variables))
    layer = np.zeros(num_variables, int)
    layer[second] = 1
    assert (layer[ends[0]] != layer[ends[1]]).all()
    assert len(second) > 0 or num_variables < 2
    graph = coo_array((np.ones(ends.shape[1]), ends), shape=(num_variables, num_variables))
    number, component = connected_components(graph) if num_variables else (0, np.zeros(0, int))
    balance = np.bincount(component, weights=1 - 2 * layer)
    if number < num_variables:  # isolated variables only are a case of their own
        assert (balance >= 0).all(), "the smaller class of a component goes to the second layer"


@given(st.integers(0, 2**32), st.integers(3, 12), st.floats(0, 1))
@settings(derandomize=True, database=None, deadline=None, max_examples=200)
def test_other_graphs_are_refused_with_an_odd_cycle_of_theirs(seed, num_variables, density):
    random = np.random.default_rng(seed)
    edges = {(u, v) for u in range(num_variables) for v in range(u) if random.random() < density}
    length = 2 * random.integers(1, (num_variables + 1) // 2) + 1
    odd = random.permutation(num_variables)[:length].tolist()
    edges |= {(max(pair), min(pair)) for pair in zip(odd, odd[1:] + odd[:1], strict=True)}
    with pytest.raises(
        ValueError, match="bqm must be two-colourable, got an odd cycle: "
    ) as caught:
        two_colouring(range(num_variables), np.array(sorted(edges)).T)
    [cycle] = re.findall(
        r"cycle: ([-\d ]*); dwave.samplers.SimulatedAnnealingSampler takes any", str(caught.value)
    )
    shown = [int(name) for name in cycle.split(" - ")]
    assert shown[0] == shown[-1]
    assert len(shown) % 2 == 0
    assert len(set(shown)) == len(shown) - 1
    assert all((max(pair), min(pair)) in edges for pair in pairwise(shown))


@pytest.mark.parametrize(
    ("length", "cycle"),
    [
        (3, "'x0' - 'x1' - 'x2' - 'x0'"),
        (11, " - ".join(f"'x{k % 11}'" for k in range(12))),
        (
            13,
            "'x0' - 'x1' - 'x2' - 'x3' - 'x4' - 'x5' - ... - 'x8' - 'x9' - 'x10' - 'x11' - 'x12' - 'x0'",
        ),
        (
            9999,
            "'x0' - 'x1' - 'x2' - 'x3' - 'x4' - 'x5' - ... - 'x9994' - 'x9995' - 'x9996' - 'x9997' - 'x9998' - 'x0'",
        ),
    ],
)
def test_a_long_cycle_is_shown_by_its_ends(length, cycle):
    ring = dimod.BinaryQuadraticModel.from_ising(
        {}, {(f"x{k}", f"x{(k + 1) % length}"): 1 for k in range(length)}
    )
    with pytest.raises(ValueError, match="two-colourable") as caught:
        AnnealingSampler().sample(ring)
    assert f"got an odd cycle: {cycle}; dwave" in str(caught.value)


@BOTH
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_an_interaction_of_bias_zero_is_no_edge(sampler, vartype):
    bqm = dimod.BinaryQuadraticModel({"a": 1.0}, {"ab": -2.0, "bc": 1.0, "ca": 0.0}, 0.0, vartype)
    assert (
        sampler.sample(bqm, num_reads=5, seed=0).first.energy
        == dimod.ExactSolver().sample(bqm).first.energy
    )


@pytest.mark.parametrize(("sizes", "span"), [((60, 60), 30), ((12, 12, 12), 60)])
def test_neighbours_are_close_in_their_layers(sizes, span):
    """Cuthill & McKee's levels are the diagonals from a corner; those from elsewhere are longer."""
    vectors = lattice(*sizes).to_numpy_vectors(sort_labels=False)
    ends = np.array(vectors.quadratic[:2])
    places = np.empty(vectors.linear_biases.size, int)
    for layer in two_colouring(range(len(places)), ends):
        places[layer] = np.arange(len(layer))
    assert np.abs(places[ends[0]] - places[ends[1]]).max() == span


# Samples


@BOTH
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize("kind", [dimod.Float32BQM, dimod.Float64BQM, dimod.DictBQM])
def test_ground_states_are_those_of_the_exact_solver(sampler, vartype, kind):
    for seed in range(20):
        bqm = random_bqm(seed, 2 + seed % 10, vartype=vartype, kind=kind)
        found = sampler.sample(bqm, num_reads=20, num_sweeps=100, seed=seed)
        exact = dimod.ExactSolver().sample(bqm)
        assert found.first.energy == pytest.approx(
            exact.first.energy, rel=1e-6 if kind is dimod.Float32BQM else 1e-12
        )


@BOTH
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_samples_are_the_models_own(sampler, vartype):
    bqm = glass(80, vartype)
    samples = sampler.sample(bqm, num_reads=7, num_sweeps=1, seed=0)
    assert samples.vartype is bqm.vartype
    assert list(samples.variables) == list(bqm.variables) != sorted(bqm.variables)
    assert samples.record.sample.shape == (7, 80)
    assert samples.record.energy.tolist() == bqm.energies(samples).tolist()
    assert samples.record.num_occurrences.tolist() == [1] * 7
    assert len({tuple(read) for read in reads(samples)}) > 1


@BOTH
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_no_flip_lowers_the_energy(sampler, vartype):
    """Biases of few binary digits, which the kernel does not round."""
    bqm = random_bqm(0, 60, 0.1, vartype)
    bqm = dimod.BinaryQuadraticModel(
        {v: round(4 * bias) / 4 for v, bias in bqm.linear.items()},
        {pair: round(4 * bias) / 4 for pair, bias in bqm.quadratic.items()},
        bqm.offset,
        vartype,
    )
    samples = sampler.sample(bqm, num_reads=10, num_sweeps=1, seed=0)
    flipped = np.repeat(samples.record.sample[:, None], 60, axis=1)
    each = np.arange(60)
    flipped[:, each, each] = sum(bqm.vartype.value) - flipped[:, each, each]
    energies = bqm.energies((flipped.reshape(-1, 60), samples.variables)).reshape(10, 60)
    assert (energies >= samples.record.energy[:, None]).all()


@BOTH
@pytest.mark.parametrize("linear", [{}, {"a": -1.0}, {"a": 2.0, "b": -3.0, "c": 1.0}], ids=len)
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_models_without_interactions(sampler, linear, vartype):
    samples = sampler.sample(
        dimod.BinaryQuadraticModel(linear, {}, 1.5, vartype), num_reads=3, seed=0
    )
    up, down = max(samples.vartype.value), min(samples.vartype.value)
    best = [down if bias > 0 else up for bias in linear.values()]
    assert reads(samples) == [best] * 3
    assert samples.record.energy.tolist() == [1.5 + np.dot(list(linear.values()), best)] * 3


@BOTH
def test_spins_on_which_nothing_acts_point_either_way(sampler):
    samples = sampler.sample(
        dimod.BinaryQuadraticModel({"a": 0.0, "b": 0.0}, {}, 0.0, "SPIN"), num_reads=60, seed=0
    )
    assert len(samples.aggregate()) == 4  # misses one of the four once in 8 million


@BOTH
@pytest.mark.parametrize("exponent", [-900, -101, 100, 900])
def test_the_scale_of_the_biases_does_not_matter(sampler, exponent):
    """They are far outside of single precision."""
    bqm = glass()
    scaled = bqm.copy()
    scaled.scale(2.0**exponent)
    here, there = (
        sampler.sample(each, num_reads=3, num_sweeps=9, seed=0) for each in (bqm, scaled)
    )
    assert reads(here) == reads(there)
    assert there.info["beta_range"] == tuple(np.ldexp(here.info["beta_range"], -exponent))


@BOTH
def test_ten_thousand_spins(sampler):
    """The ground state of such a lattice has an energy of about -1.4 per spin, the nearest minima -1.1."""
    samples = sampler.sample(lattice(100, 100), num_sweeps=100, seed=0)
    assert samples.first.energy < -1.33e4


# Seeds and reads


@BOTH
def test_the_same_seed_gives_the_same_samples(sampler):
    starts = dict.fromkeys(glass(200).variables, 1)
    for options in ({"num_reads": 4, "num_sweeps": 2}, {"initial_states": starts, "num_sweeps": 2}):
        first, again, other = (
            sampler.sample(glass(200), seed=seed, **options) for seed in (7, 7, 2**64 - 1)
        )
        assert reads(first) == reads(again)
        assert reads(first) != reads(other)
        assert (first.info["seed"], other.info["seed"]) == (7, 2**64 - 1)


@BOTH
def test_a_drawn_seed_is_told(sampler):
    drawn, other = (sampler.sample(glass(200), num_reads=4, num_sweeps=2) for _ in range(2))
    again = sampler.sample(glass(200), num_reads=4, num_sweeps=2, seed=drawn.info["seed"])
    assert reads(drawn) == reads(again)
    assert drawn.info["seed"] != other.info["seed"]


@BOTH
def test_a_read_does_not_depend_on_how_many_there_are(sampler, monkeypatch):
    bqm, options = glass(200), {"num_sweeps": 2, "seed": 0}
    many = reads(sampler.sample(bqm, num_reads=9, **options))
    assert len({tuple(read) for read in many}) == 9, "reads worth telling apart"
    assert reads(sampler.sample(bqm, num_reads=4, **options)) == many[:4]
    monkeypatch.setattr("isingprop.dimod._CALL_BYTES", 2 * 200 * 8)  # the fields of two reads
    assert reads(sampler.sample(bqm, num_reads=9, **options)) == many


@BOTH
def test_the_class_of_the_model_does_not_matter(sampler):
    bqm = random_bqm(0, 40, digits=1, kind=dimod.Float64BQM)
    bqm.scale(10 / 16)  # tenths become sixteenths, which float32 holds
    models = [
        bqm,
        dimod.Float32BQM(bqm),
        dimod.DictBQM(bqm),
        bqm.change_vartype("BINARY", inplace=False).spin,
    ]
    first, *others = (
        reads(sampler.sample(each, num_reads=3, num_sweeps=2, seed=0)) for each in models
    )
    assert others == [first] * 3


@BOTH
@pytest.mark.parametrize("stop", [1, 3, 5, 9])
def test_an_interrupt_returns_the_reads_so_far(sampler, stop):
    """As in dwave-samplers, the function is asked after each read."""
    options = {"num_reads": 5, "num_sweeps": 9, "seed": 0}
    calls = count(1)
    some = sampler.sample(glass(), interrupt_function=lambda: next(calls) == stop, **options)
    assert reads(some) == reads(sampler.sample(glass(), **options))[:stop]
    assert next(calls) == min(stop, 5) + 1


@BOTH
def test_an_error_in_the_interrupt_function_is_not_swallowed(sampler):
    with pytest.raises(ZeroDivisionError):
        sampler.sample(glass(), num_sweeps=1, interrupt_function=lambda: 1 / 0)


@pytest.mark.parametrize("name", ["AnnealingSampler", "TemperingSampler"])
def test_ctrl_c_is_a_keyboard_interrupt(python, name):
    result = python(f"""
import dimod, os, signal, threading
from isingprop.dimod import {name}
bqm = dimod.BinaryQuadraticModel.from_ising({{}}, {{(i, -1 - j): 1.0 for i in range(50) for j in range(50)}})
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {name}().sample(bqm, num_sweeps=10_000_000, num_reads=100, seed=0)
except KeyboardInterrupt:
    print("interrupted")
""")
    assert result.stdout == "interrupted\n", result.stderr


# Start states


def frozen(sampler, bqm, *, seed=1, **options):
    """At these temperatures nothing climbs: a chain that starts in a minimum stays there."""
    cold = {"num_betas": 2} if isinstance(sampler, TemperingSampler) else {}
    return sampler.sample(bqm, num_sweeps=5, beta_range=(1e9, 2e9), seed=seed, **options, **cold)


@BOTH
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize("given", ["SPIN", "BINARY"])
def test_chains_start_in_the_states_given(sampler, vartype, given):
    bqm = glass(200, vartype)
    minima = sampler.sample(bqm, num_reads=4, num_sweeps=2, seed=0)
    start = minima.change_vartype(given, inplace=False)
    assert len({tuple(read) for read in reads(minima)}) == 4, "minima worth telling apart"
    backwards = start.record.sample[:, ::-1], list(start.variables)[::-1]
    for states in (start, backwards, list(start.samples(sorted_by=None))):
        assert reads(frozen(sampler, bqm, initial_states=states)) == reads(minima)
    assert reads(frozen(sampler, bqm, initial_states=start, num_reads=2)) == reads(minima)[:2]
    tiled = frozen(sampler, bqm, initial_states=start, num_reads=6, initial_states_generator="tile")
    assert reads(tiled) == reads(minima) + reads(minima)[:2]
    drawn = frozen(
        sampler, bqm, initial_states=start, num_reads=6, initial_states_generator="random"
    )
    assert reads(drawn)[:4] == reads(minima)
    assert all(read not in reads(minima) for read in reads(drawn)[4:])
    with pytest.raises(ValueError, match="insufficient number of initial states"):
        frozen(sampler, bqm, initial_states=start, num_reads=6, initial_states_generator="none")


def test_random_starts_depend_on_the_seed():
    """Pairs that start aligned, half of them, stay so: were the starts the same, 3/4 of the spins would be too."""
    bqm = dimod.BinaryQuadraticModel.from_ising({}, {(k, -k): -1.0 for k in range(1, 1001)})
    first, second = (frozen(AnnealingSampler(), bqm, seed=seed).record.sample[0] for seed in (0, 1))
    assert abs((first == second).mean() - 0.5) < 0.08  # 5 sigma of 1,000 pairs; the seeds are fixed


@BOTH
def test_a_start_that_is_no_minimum_is_left_downhill(sampler):
    bqm = dimod.BinaryQuadraticModel({"a": 1.0, "b": -1.0}, {"ab": 0.5}, 0.0, "SPIN")
    assert frozen(sampler, bqm, initial_states={"a": 1, "b": -1}).first.sample == {"a": -1, "b": 1}


# Schedules and info


def annealed(**options):
    """Ten sweeps would hide the schedule from a smaller glass."""
    return AnnealingSampler().sample(glass(200), num_reads=4, seed=0, **options)


@pytest.mark.parametrize(
    ("options", "betas"),
    [
        ({"beta_range": (0.25, 4), "num_sweeps": 5}, [0.25, 0.5, 1, 2, 4]),
        ({"beta_range": (4, 0.25), "num_sweeps": 5}, [4, 2, 1, 0.5, 0.25]),
        (
            {"beta_range": [0, 1], "beta_schedule_type": "linear", "num_sweeps": 5},
            [0, 0.25, 0.5, 0.75, 1],
        ),
        ({"beta_range": (0.25, 0.5), "num_sweeps": 1}, [0.5]),
        ({"beta_range": (0.25, 0.5), "beta_schedule_type": "linear", "num_sweeps": 1}, [0.5]),
        ({"beta_range": (0.5, 0.5)}, [0.5] * 1000),
    ],
)
def test_each_type_of_schedule_is_the_custom_one_of_the_same_numbers(options, betas):
    custom = annealed(beta_schedule_type="custom", beta_schedule=betas)
    assert reads(annealed(**options)) == reads(custom)
    other = annealed(beta_schedule_type="custom", beta_schedule=[beta / 2 for beta in betas])
    assert reads(other) != reads(custom)
    assert custom.info["beta_range"] == (betas[0], betas[-1])
    assert annealed(**options).info["beta_range"] == tuple(options["beta_range"])


def test_a_custom_schedule_may_be_told_its_length_and_ends():
    betas = np.array([3, 1, 2])
    short = annealed(beta_schedule_type="custom", beta_schedule=betas)
    assert reads(
        annealed(beta_schedule_type="custom", beta_schedule=betas, num_sweeps=3, beta_range=[3, 2])
    ) == reads(short)


def test_without_a_number_there_are_a_thousand_sweeps():
    assert reads(annealed()) == reads(annealed(num_sweeps=1000)) != reads(annealed(num_sweeps=999))


@pytest.mark.parametrize(
    ("sampler", "hot"), [(AnnealingSampler(), 0.88), (TemperingSampler(), 1.25)]
)
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_the_default_range_is_that_of_the_spins_on_which_anything_acts(sampler, hot, vartype):
    """f^2 = (16 * 64 + 8 * 64 + 2 * 256 + 64) / 33 = 64: "a", "b" and "c" do not count, "d" does."""
    pairs = {(i, 100 + a): (-1) ** (i * a + i) for i in range(16) for a in range(16)}
    linear = (
        dict.fromkeys(range(16), 8.0)
        | {100 + a: 8.0 * (a % 2) for a in range(16)}
        | dict.fromkeys("abc", 0.0)
    )
    bqm = dimod.BinaryQuadraticModel(linear | {"d": 8.0}, pairs, 0.0, "SPIN").change_vartype(
        vartype
    )
    samples = sampler.sample(bqm, num_sweeps=2, num_reads=9, seed=0)
    assert samples.info["beta_range"] == pytest.approx((hot / 8, 8.8 / 8), rel=1e-15)
    given = sampler.sample(bqm, num_sweeps=2, num_reads=9, seed=0, beta_range=(hot / 8, 8.8 / 8))
    assert reads(given) == reads(samples)


def tempered(**options):
    return TemperingSampler().sample(glass(200), num_reads=2, num_sweeps=9, seed=0, **options)


@pytest.mark.parametrize(
    ("options", "ladder"),
    [
        ({"beta_range": (0.25, 4), "num_betas": 5}, [0.25, 0.5, 1, 2, 4]),
        (
            {"beta_range": (0.25, 1), "num_betas": 4, "beta_schedule_type": "linear"},
            [0.25, 0.5, 0.75, 1],
        ),
        ({"beta_range": (0.25, 1), "num_betas": 1}, [1]),
    ],
)
def test_the_schedule_of_tempering_is_its_ladder(options, ladder):
    custom = tempered(beta_schedule_type="custom", beta_schedule=ladder)
    assert reads(tempered(**options)) == reads(custom)
    assert custom.info["betas"] == tempered(**options).info["betas"] == [ladder] * 2
    assert reads(
        tempered(beta_schedule_type="custom", beta_schedule=np.divide(ladder, 2))
    ) != reads(custom)


def test_tempering_tells_of_its_ladders():
    info = tempered().info
    assert np.shape(info["betas"]) == (2, 12)
    assert np.shape(info["swap_acceptance"]) == (2, 11)
    assert np.shape(info["round_trips"]) == (2,)
    assert np.allclose(
        [[ladder[0], ladder[-1]] for ladder in info["betas"]], [info["beta_range"]] * 2, rtol=1e-7
    )
    assert info["betas"][0] == info["betas"][1]
    many = TemperingSampler().sample(lattice(40, 40), num_sweeps=1).info["betas"][0]
    assert len(many) == rung_number(1600) > 12
    assert np.isin(np.multiply(info["swap_acceptance"], [5, 4] * 5 + [5]).round(9), range(6)).all()


def test_an_adaptive_ladder_moves():
    fixed, moved = (
        TemperingSampler().sample(glass(), num_reads=2, num_sweeps=200, seed=0, adaptive=adaptive)
        for adaptive in (False, True)
    )
    assert fixed.info["betas"][0] == fixed.info["betas"][1]
    assert moved.info["betas"][0] != moved.info["betas"][1]


@BOTH
def test_info_is_plain_and_has_the_names_of_dwave_samplers(sampler):
    options = {"num_reads": 2, "num_sweeps": 9, "seed": 3, "beta_range": (0.5, 2.0)}
    info = sampler.sample(glass(), **options).info
    theirs = SimulatedAnnealingSampler().sample(glass(), **options).info
    assert json.loads(json.dumps(info)) == info | {"beta_range": [0.5, 2.0]}
    assert {name: info[name] for name in ("beta_range", "beta_schedule_type")} == {
        name: theirs[name] for name in ("beta_range", "beta_schedule_type")
    }
    assert info["seed"] == 3
    assert info["timing"].keys() == theirs["timing"].keys()
    assert all(isinstance(time, int) and time > 0 for time in info["timing"].values())


@BOTH
def test_times_are_those_before_during_and_after_sampling(sampler, monkeypatch):
    monkeypatch.setattr("isingprop.dimod.perf_counter_ns", iter([0, 1, 3, 7]).__next__)
    timing = sampler.sample(PAIR, num_sweeps=1).info["timing"]
    assert timing == {"preprocessing_ns": 1, "sampling_ns": 2, "postprocessing_ns": 4}


# In the place of dwave-samplers


@BOTH
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_reads": 3},
        {"num_reads": 3, "num_sweeps": 20, "beta_range": [0.1, 4.2], "seed": 2**31 - 1},
        {
            "num_reads": 3,
            "beta_range": (0.1, 4.2),
            "beta_schedule_type": "linear",
            "interrupt_function": lambda: True,
        },
        {"initial_states": [{"a": 1, "b": -1, "c": 1}] * 2, "initial_states_generator": "none"},
        {
            "initial_states": ([[0, 1, 0], [1, 0, 1]], "cab"),
            "num_reads": 5,
            "initial_states_generator": "tile",
        },
        {"beta_schedule": np.linspace(0.1, 2, 12), "beta_schedule_type": "custom", "num_reads": 2},
    ],
)
def test_the_same_call_gives_samples_of_the_same_form(sampler, options):
    bqm = dimod.BinaryQuadraticModel({"a": 0.5}, {"ab": -1.0, "bc": 1.0}, 0.25, "SPIN")
    ours, theirs = (each.sample(bqm, **options) for each in (sampler, SimulatedAnnealingSampler()))
    assert ours.record.dtype == theirs.record.dtype
    assert (len(ours), ours.vartype, ours.variables) == (
        len(theirs),
        theirs.vartype,
        theirs.variables,
    )
    assert theirs.info.keys() <= ours.info.keys()


@pytest.mark.parametrize(
    "options",
    [
        {"num_reads": 0},
        {"num_reads": 1.5},
        {"num_sweeps": -1},
        {"seed": -1},
        {"seed": "1"},
        {"beta_range": (1, 2, 3)},
        {"beta_range": (-1, 2)},
        {"beta_range": (0, 2)},
        {"beta_schedule_type": "cubic"},
        {"beta_schedule_type": "custom"},
        {"beta_schedule": [1, 2]},
        {"beta_schedule": [1, -2], "beta_schedule_type": "custom"},
        {"beta_schedule": [1, 2], "beta_schedule_type": "custom", "num_sweeps": 3},
        {"beta_schedule": [1, 2], "beta_schedule_type": "custom", "beta_range": [1, 3]},
        {"initial_states": {"a": 1}},
        {"initial_states": {"a": 1, "b": 3}},
        {"initial_states_generator": "none"},
        {"initial_states_generator": "tile"},
        {"initial_states_generator": "some"},
        {"interrupt_function": 3},
    ],
)
def test_what_dwave_samplers_refuses_is_refused_with_an_error_of_the_same_type(options):
    bqm = dimod.BinaryQuadraticModel({"a": 0.5}, {"ab": -1.0}, 0.0, "SPIN")
    with pytest.raises((TypeError, ValueError)) as theirs:
        SimulatedAnnealingSampler().sample(bqm, **options)
    with pytest.raises(theirs.type):
        AnnealingSampler().sample(bqm, **options)


@BOTH
def test_the_api_of_dimod(sampler):
    dimod.testing.assert_sampler_api(sampler)
    assert sampler.properties == SimulatedAnnealingSampler().properties | {
        "beta_schedule_options": ("linear", "geometric", "custom")
    }
    unknown = {"num_sweeps_per_beta", "randomize_order", "proposal_acceptance_criteria"}
    parameters = SimulatedAnnealingSampler().parameters.items()
    expected = {name: properties for name, properties in parameters if name not in unknown}
    more = {"num_betas": [], "adaptive": []} if isinstance(sampler, TemperingSampler) else {}
    assert sampler.parameters == expected | more


@BOTH
def test_unknown_parameters_are_ignored_with_a_warning(sampler):
    with pytest.warns(dimod.exceptions.SamplerUnknownArgWarning, match="randomize_order"):
        samples = sampler.sample(glass(), num_sweeps=2, seed=0, randomize_order=True)
    assert reads(samples) == reads(sampler.sample(glass(), num_sweeps=2, seed=0))


# Refusals

PAIR = dimod.BinaryQuadraticModel({"a": 0.5}, {"ab": -1.0}, 0.0, "SPIN")
LADDER = {"beta_schedule_type": "custom", "beta_schedule": [1, 2]}


def pair(linear, quadratic, vartype="SPIN"):
    return dimod.BinaryQuadraticModel({"a": linear}, {"ab": quadratic}, 0.0, vartype)


@BOTH
@pytest.mark.parametrize(
    ("bqm", "options", "refusal"),
    [
        ({("a", "b"): 1}, {}, "TypeError: bqm must be a dimod.BinaryQuadraticModel, got dict"),
        (pair(INF, 1), {}, "ValueError: bqm must have finite biases, got inf for 'a'"),
        (pair(np.nan, 1, "BINARY"), {}, "ValueError: bqm must have finite biases, got nan for 'a'"),
        (
            pair(1, -INF, "BINARY"),
            {},
            "ValueError: bqm must have finite biases, got -inf for ('a', 'b')",
        ),
        (pair(1, np.nan), {}, "ValueError: bqm must have finite biases, got nan for ('a', 'b')"),
        (PAIR, {"num_reads": 0}, "ValueError: num_reads must be at least 1, got 0"),
        (PAIR, {"num_reads": True}, "TypeError: num_reads must be an integer, got True"),
        (
            PAIR,
            {"initial_states": {"a": 1, "c": 1}},
            "ValueError: mismatch between variables in 'initial_states'",
        ),
        (PAIR, {"seed": 2**64}, f"ValueError: seed must be at most {2**64 - 1}, got {2**64}"),
        (
            PAIR,
            {"interrupt_function": 3},
            "TypeError: interrupt_function must be callable or None, got 3",
        ),
        (PAIR, {"num_sweeps": 0}, "ValueError: num_sweeps must be at least 1, got 0"),
        (
            PAIR,
            {"beta_schedule_type": "cubic"},
            "ValueError: beta_schedule_type must be one of linear, geometric, cus",
        ),
        (
            PAIR,
            LADDER | {"beta_schedule": None},
            "ValueError: beta_schedule must be given with beta_schedule_type 'cu",
        ),
        (
            PAIR,
            {"beta_schedule": [1]},
            "ValueError: beta_schedule must be None with beta_schedule_type 'geometric'",
        ),
        (
            PAIR,
            LADDER | {"beta_schedule": []},
            "ValueError: beta_schedule must have shape (n,), got (0,)",
        ),
        (
            PAIR,
            LADDER | {"beta_schedule": [1, np.nan]},
            "ValueError: beta_schedule must be finite, got nan at index",
        ),
        (
            PAIR,
            LADDER | {"beta_schedule": [1, -2]},
            "ValueError: beta_schedule must be at least 0 and at most 2^100",
        ),
        (
            PAIR,
            LADDER | {"beta_range": (1, 3)},
            "ValueError: beta_range must be None or the ends of beta_schedule",
        ),
        (PAIR, {"beta_range": 3}, "ValueError: beta_range must have shape (2,), got ()"),
        (
            PAIR,
            {"beta_range": "ab"},
            "TypeError: beta_range must be an array of real numbers, got dtype <U2",
        ),
        (
            PAIR,
            {"beta_range": (0, 1)},
            "ValueError: beta_range must be above 0 for a geometric schedule, got (0, 1)",
        ),
        (
            PAIR,
            {"beta_range": (1, 1e50)},
            "ValueError: beta_range must be at least 0 and at most 2^100 / (largest b",
        ),
        (
            pair(1e300, 0),
            {"beta_range": (1, 1e50)},
            "ValueError: beta_range must be at least 0 and at most 2^100 /",
        ),
    ],
)
def test_refusals(assert_refused, sampler, bqm, options, refusal):
    assert_refused(lambda: sampler.sample(bqm, **options), refusal)


@pytest.mark.parametrize(
    ("sampler", "options", "refusal"),
    [
        (
            AnnealingSampler(),
            LADDER | {"num_sweeps": 3},
            "ValueError: num_sweeps must be None or 2, as many as beta_",
        ),
        (
            TemperingSampler(),
            LADDER | {"num_betas": 3},
            "ValueError: num_betas must be None or 2, as many as beta_",
        ),
        (TemperingSampler(), {"num_betas": 0}, "ValueError: num_betas must be at least 1, got 0"),
        (TemperingSampler(), {"adaptive": 1}, "TypeError: adaptive must be True or False, got 1"),
        (
            TemperingSampler(),
            {"beta_range": (2, 1)},
            "ValueError: beta_range must rise from above 0, got (2, 1)",
        ),
        (
            TemperingSampler(),
            {"beta_range": (1, 1)},
            "ValueError: beta_range must rise from above 0, got (1, 1)",
        ),
        (
            TemperingSampler(),
            LADDER | {"beta_schedule": [0, 1]},
            "ValueError: beta_schedule must rise from above 0, got [0, 1]",
        ),
        (
            TemperingSampler(),
            LADDER | {"beta_schedule": [1, 3, 2]},
            "ValueError: beta_schedule must rise from above 0, got [1, 3, 2]",
        ),
    ],
)
def test_refusals_of_one_of_them(assert_refused, sampler, options, refusal):
    assert_refused(lambda: sampler.sample(PAIR, **options), refusal)
