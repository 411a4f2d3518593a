"""The drop-in samplers for dimod: ground states, seeds, interrupts."""

from itertools import count

import dimod
import dimod.testing
import numpy as np
import pytest

from helpers.samplers.dimod_models import BOTH, EACH_KIND, glass, lattice, random_bqm, reads

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
@EACH_KIND
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_samples_are_the_models_own(sampler, make, vartype):
    bqm = make(80, vartype)
    samples = sampler.sample(bqm, num_reads=7, num_sweeps=1, seed=0)
    assert samples.vartype is bqm.vartype
    assert list(samples.variables) == list(bqm.variables) != sorted(bqm.variables)
    assert samples.record.sample.shape == (7, 80)
    np.testing.assert_allclose(samples.record.energy, bqm.energies(samples), rtol=1e-13)
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
    assert (energies >= samples.record.energy[:, None] - 1e-12).all()


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
    assert there.info["beta_range"] == np.ldexp(here.info["beta_range"], -exponent).tolist()


@pytest.mark.slow
@BOTH
def test_ten_thousand_spins(sampler):
    """The ground state of such a lattice has an energy of about -1.4 per spin, the nearest minima
    -1.1.
    """
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
@EACH_KIND
def test_a_read_does_not_depend_on_how_many_there_are(sampler, make, monkeypatch):
    bqm, options = make(200), {"num_sweeps": 2, "seed": 0}
    many = reads(sampler.sample(bqm, num_reads=9, **options))
    assert len({tuple(read) for read in many}) == 9, "reads worth telling apart"
    assert reads(sampler.sample(bqm, num_reads=4, **options)) == many[:4]
    monkeypatch.setattr(
        "isingprop.samplers.as_dimod.sampler_call._CALL_BYTES", 2 * 200 * 8
    )  # the fields of two reads of a dense model
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
@EACH_KIND
@pytest.mark.parametrize("stop", [1, 3, 5, 9])
def test_an_interrupt_returns_the_reads_so_far(sampler, make, stop):
    """As in dwave-samplers, the function is asked after each read."""
    options = {"num_reads": 5, "num_sweeps": 9, "seed": 0}
    calls = count(1)
    some = sampler.sample(make(), interrupt_function=lambda: next(calls) == stop, **options)
    whole = sampler.sample(make(), **options)
    assert reads(some) == reads(whole)[:stop]
    assert some.record.energy.tolist() == whole.record.energy[:stop].tolist()
    assert some.info["beta_range"] == whole.info["beta_range"]
    assert next(calls) == min(stop, 5) + 1


@BOTH
def test_an_error_in_the_interrupt_function_is_not_swallowed(sampler):
    with pytest.raises(ZeroDivisionError):
        sampler.sample(glass(), num_sweeps=1, interrupt_function=lambda: 1 / 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["AnnealingSampler", "TemperingSampler"])
@pytest.mark.parametrize("shift", [50, 0], ids=["network", "graph"])
def test_ctrl_c_is_a_keyboard_interrupt(python, name, shift):
    result = python(f"""
import dimod, os, signal, threading
from isingprop.dimod import {name}
couplings = {{(i, j + {shift}): 1.0 for i in range(50) for j in range(50) if i != j or {shift}}}
bqm = dimod.BinaryQuadraticModel.from_ising({{}}, couplings)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {name}().sample(bqm, num_sweeps=10_000_000, num_reads=100, seed=0)
except KeyboardInterrupt:
    print("interrupted")
""")
    assert result.stdout == "interrupted\n", result.stderr
