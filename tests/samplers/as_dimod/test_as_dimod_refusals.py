"""The drop-in samplers for dimod beside those of dwave-samplers: form of samples, refusals."""

import dimod
import dimod.testing
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler

from helpers.samplers.dimod_models import BOTH, PAIR, glass, reads
from isingprop.dimod import AnnealingSampler, TemperingSampler

INF = float("inf")


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
@pytest.mark.parametrize("ends", ["bc", "ca"], ids=["chain", "triangle"])
def test_the_same_call_gives_samples_of_the_same_form(sampler, options, ends):
    couplings = {"ab": -1.0, "bc": 1.0, ends: 1.0}
    bqm = dimod.BinaryQuadraticModel({"a": 0.5}, couplings, 0.25, "SPIN")
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
        {"beta_schedule": ["a", 1], "beta_schedule_type": "custom"},
        {"num_sweeps": 10, "num_sweeps_per_beta": 3},
        {"num_sweeps_per_beta": 0},
        {"num_sweeps_per_beta": 1.5},
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
    unknown = {"randomize_order", "proposal_acceptance_criteria"}
    if isinstance(sampler, TemperingSampler):
        unknown.add("num_sweeps_per_beta")
    parameters = SimulatedAnnealingSampler().parameters.items()
    expected = {name: properties for name, properties in parameters if name not in unknown}
    more = {"descend": []}
    if isinstance(sampler, TemperingSampler):
        more = {"num_betas": [], "adaptive": [], "target_beta": []}
    assert sampler.parameters == expected | more


@BOTH
def test_unknown_parameters_are_ignored_with_a_warning(sampler):
    with pytest.warns(dimod.exceptions.SamplerUnknownArgWarning, match="randomize_order"):
        samples = sampler.sample(glass(), num_sweeps=2, seed=0, randomize_order=True)
    assert reads(samples) == reads(sampler.sample(glass(), num_sweeps=2, seed=0))


LADDER = {"beta_schedule_type": "custom", "beta_schedule": [1, 2]}


def pair(linear, quadratic, vartype="SPIN", offset=0.0):
    return dimod.BinaryQuadraticModel({"a": linear}, {"ab": quadratic}, offset, vartype)


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
        *(
            (
                pair(1, 1, vartype, value),
                {},
                f"ValueError: offset of bqm must be finite, got {value}",
            )
            for vartype in ("SPIN", "BINARY")
            for value in (np.nan, INF, -INF)
        ),
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
            "ValueError: beta_schedule must be at least 0, got -2.0",
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
            {"beta_range": (1, np.inf)},
            "ValueError: beta_range must be finite, got inf at inde",
        ),
        (
            pair(0, 2e300),
            {},
            "ValueError: couplings must be finite, with sums of |J| of up to 1e300",
        ),
        (pair(2e300, 1), {}, "ValueError: fields must be finite and at most 1e300"),
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
        (TemperingSampler(), {"num_sweeps": 0}, "ValueError: num_sweeps must be at least 1, got 0"),
        (
            TemperingSampler(),
            LADDER | {"beta_schedule": [1.0, np.inf]},
            "ValueError: beta_schedule must be finite, got inf at index (1,)",
        ),
        (
            AnnealingSampler(),
            {"num_sweeps": -1},
            "ValueError: num_sweeps must be at least 0, got -1",
        ),
        (
            AnnealingSampler(),
            {"num_sweeps_per_beta": 0},
            "ValueError: num_sweeps_per_beta must be at least 1, got 0",
        ),
        (
            AnnealingSampler(),
            {"num_sweeps": 10, "num_sweeps_per_beta": 3},
            "ValueError: num_sweeps must be a multiple of num_sweeps_per_beta = 3, got 10",
        ),
        (
            AnnealingSampler(),
            LADDER | {"num_sweeps": 10, "num_sweeps_per_beta": 3},
            "ValueError: num_sweeps must be None or 6, as many as beta_schedule has times "
            "num_sweeps_per_beta = 3, got 10",
        ),
        (
            AnnealingSampler(),
            LADDER | {"beta_schedule": [1.0, -np.inf]},
            "ValueError: beta_schedule must be finite, got -inf at index (1,)",
        ),
        (TemperingSampler(), {"num_betas": 0}, "ValueError: num_betas must be at least 1, got 0"),
        (TemperingSampler(), {"adaptive": 1}, "TypeError: adaptive must be True or False, got 1"),
        (
            TemperingSampler(),
            {"beta_range": (2, 1)},
            "ValueError: beta_range must rise from above 0, got (2, 1)",
        ),
        (AnnealingSampler(), {"descend": 1}, "TypeError: descend must be True or False, got 1"),
        (
            TemperingSampler(),
            {"target_beta": 1.0},
            "ValueError: beta_range must be given with target_beta, got None and 1.0",
        ),
        (
            TemperingSampler(),
            {"target_beta": 3.0, "beta_range": (1, 2)},
            "ValueError: target_beta must be in beta_range = (1.0, 2.0), got 3.0",
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
