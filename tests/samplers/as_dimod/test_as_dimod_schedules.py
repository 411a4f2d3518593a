"""The drop-in samplers for dimod: start states, schedules, ladders and info."""

import json

import dimod
import dimod.testing
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler

from helpers.samplers.dimod_models import BOTH, PAIR, glass, lattice, reads
from isingprop.dimod import AnnealingSampler, TemperingSampler
from isingprop.samplers.tempering import rung_number

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
    """Pairs that start aligned, half of them, stay so: were the starts the same, 3/4 of the spins
    would be too.
    """
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
    assert custom.info["beta_range"] == [betas[0], betas[-1]]
    assert annealed(**options).info["beta_range"] == list(options["beta_range"])


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
    """f^2 = (16 * 64 + 8 * 64 + 2 * 256) / 32 = 64, q^2 = 16. On "a", "b" and "c" nothing acts, "d"
    is pinned, and the model is no dense network.
    """
    pairs = {(i, 100 + a): (-1) ** (i * a + i) for i in range(16) for a in range(16)}
    linear = dict.fromkeys(range(16), 8.0) | {100 + a: 8.0 * (a % 2) for a in range(16)}
    bqm = dimod.BinaryQuadraticModel(linear, pairs, 0.0, "SPIN")
    more = bqm.copy()
    more.add_linear_from(dict.fromkeys("abc", 0.0) | {"d": 800.0})
    for model in (bqm, more):
        model.change_vartype(vartype)

    samples = sampler.sample(bqm, num_sweeps=2, num_reads=9, seed=0)
    assert samples.info["beta_range"] == pytest.approx([hot / 8, 8.8 / 8], rel=1e-15)
    given = sampler.sample(bqm, num_sweeps=2, num_reads=9, seed=0, beta_range=(hot / 8, 8.8 / 8))
    assert reads(given) == reads(samples)

    # log beta grows from 0.88 / f to 8.8 / q, and is as far at the hot end of a ladder.
    first = 0.88 / 8 * 20 ** np.log10(hot / 0.88)
    samples = sampler.sample(more, num_sweeps=2, seed=0)
    assert samples.info["beta_range"] == pytest.approx([first, 8.8 / 4], rel=1e-6)


def test_the_range_of_a_model_without_biases_is_that_of_a_scale_of_1():
    bqm = dimod.BinaryQuadraticModel({"a": 0.0, "b": 0.0}, {}, 0.0, "SPIN")
    for model in (bqm, dimod.BinaryQuadraticModel("SPIN")):
        assert AnnealingSampler().sample(model, seed=0).info["beta_range"] == pytest.approx(
            [0.88, 8.8], rel=1e-12
        )


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
    assert (info["beta_range"], tuple(theirs["beta_range"])) == ([0.5, 2.0], (0.5, 2.0))
    assert info["beta_schedule_type"] == theirs["beta_schedule_type"]
    assert info["seed"] == 3
    assert info["timing"].keys() == theirs["timing"].keys()
    assert all(isinstance(time, int) and time > 0 for time in info["timing"].values())


EVERY = [
    {},
    {"num_sweeps": 1},
    {"beta_range": (0.5, 2.0)},
    {"beta_range": np.array([0.5, 2.0]), "beta_schedule_type": "linear"},
    {"beta_schedule_type": "custom", "beta_schedule": np.array([0.5, 1.0, 2.0])},
    {"initial_states": {"a": 1, "b": 1}, "initial_states_generator": "tile"},
    {"interrupt_function": lambda: True},
]
LADDERS = [{"num_betas": 1}, {"num_betas": np.int64(3)}, {"num_sweeps": 32, "adaptive": True}]


@pytest.mark.parametrize(
    ("sampler", "options"),
    [(AnnealingSampler(), options) for options in EVERY]
    + [(TemperingSampler(), options) for options in EVERY + LADDERS],
)
def test_info_is_the_same_after_dimods_own_way_through_json(sampler, options):
    """One sweep of tempering tries swaps at every other gap only."""
    samples = sampler.sample(PAIR, num_reads=2, seed=np.uint64(2**64 - 1), **options)
    text = json.dumps(samples.to_serializable(), allow_nan=False)
    assert dimod.SampleSet.from_serializable(json.loads(text)).info == samples.info


@BOTH
def test_times_are_those_before_during_and_after_sampling(sampler, monkeypatch):
    monkeypatch.setattr(
        "isingprop.samplers.as_dimod.sampler_call.perf_counter_ns", iter([0, 1, 3, 7]).__next__
    )
    timing = sampler.sample(PAIR, num_sweeps=1).info["timing"]
    assert timing == {"preprocessing_ns": 1, "sampling_ns": 2, "postprocessing_ns": 4}
