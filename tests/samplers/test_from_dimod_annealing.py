"""What FromDimod sends to SimulatedAnnealingSampler of dwave-samplers, and what comes of it."""

import dimod
import numpy as np
import pytest
from dwave.samplers import RotorModelAnnealingSampler, SimulatedAnnealingSampler

from helpers import oracle, tolerances
from isingprop import IsingProblem
from isingprop.samplers.from_dimod import FromDimod

METROPOLIS = {"proposal_acceptance_criteria": "Metropolis"}

NUM_CHAINS = 3000

SMALL = oracle.random_problem(3, 2, field=1.0)
CHAINS = IsingProblem(
    SMALL.couplings,
    np.repeat(SMALL.hidden_fields, NUM_CHAINS, axis=0),
    SMALL.output_fields,
    streams=np.arange(NUM_CHAINS),
)


def after_gibbs_sweeps(problem, start, num_sweeps):
    """Probabilities (2^N,) of the states after sweeps over spins 0 ... N - 1 at beta = 1."""
    spins, probabilities = oracle.all_states(problem.num_spins), np.zeros(2**problem.num_spins)
    probabilities[oracle.state_numbers(start)] = 1.0
    energies = oracle.energies(problem, spins)[0]

    for spin in list(range(problem.num_spins)) * num_sweeps:
        flipped = spins.copy()
        flipped[:, spin] *= -1
        other = oracle.state_numbers(flipped)
        both = probabilities + probabilities[other]
        probabilities = both / (1 + np.exp(energies - energies[other]))
    return probabilities


def one_read_calls(num_sweeps, **options):
    """A sampler at beta = 1."""
    return FromDimod(
        SimulatedAnnealingSampler(), num_sweeps=num_sweeps, beta_range=(1, 1), **options
    )


@pytest.mark.slow
@pytest.mark.parametrize("num_sweeps", [1, 2, 3])
def test_one_read_calls_sample_what_is_right(num_sweeps):
    """From a given state, by exact enumeration; a right sampler is rejected once in a million.

    Without leading spins it is rejected after one sweep.
    """
    start = np.array([[[-1, 1, 1, -1, 1]]], dtype=np.int8)
    exact = after_gibbs_sweeps(SMALL, start[0], num_sweeps)
    sampler = one_read_calls(num_sweeps)
    states = sampler.sample(CHAINS, 1, seed=0, initial=start)
    assert not tolerances.is_rejected(oracle.state_numbers(states.spins), exact)

    if num_sweeps == 1 and sampler.settings().get("leading_spins"):
        sampler._leading_spins = False
        states = sampler.sample(CHAINS, 1, seed=0, initial=start)
        assert tolerances.is_rejected(oracle.state_numbers(states.spins), exact)


def test_the_first_spins_of_a_call_turn_no_more_often_than_others():
    """Each turns against its field with probability 1 / (1 + e)."""
    num_chains, right = 150, 1 / (1 + np.e)
    fields = np.full((num_chains, 3), 0.5)
    problem = IsingProblem(np.zeros((3, 1)), fields, fields[:, :1], streams=np.arange(num_chains))
    down = -np.ones((1, 1, 4), dtype=np.int8)
    states = one_read_calls(1).sample(problem, 1, seed=0, initial=down)
    sigma = np.sqrt(right * (1 - right) / num_chains)
    turned = (states.spins[:, 0] == 1).mean(axis=0)
    assert (abs(turned - right) < tolerances.SIGMAS * sigma).all()


@pytest.mark.parametrize("num_sweeps", [100, 1000])
def test_a_ring_loses_its_kinks(num_sweeps):
    """Of 200 reads 0.2 % miss the ground state after 100 sweeps, so 8 do once in 2e9 times."""
    ring = np.zeros((5, 5))
    ring[np.arange(5), np.arange(5)] = ring[np.arange(5), np.arange(5) - 1] = -1
    problem = IsingProblem(ring, np.zeros((1, 5)), np.zeros((1, 5)))
    found = {}
    for name, options in (("Gibbs", {}), ("Metropolis", METROPOLIS)):
        sampler = FromDimod(SimulatedAnnealingSampler(), num_sweeps=num_sweeps, **options)
        found[name] = int((sampler.sample(problem, 200, seed=0).energies == -10).sum())
    assert found["Gibbs"] > 192
    assert found["Metropolis"] < 100


class Spied(dimod.TrackingComposite):
    """Its settings name a class of the tests."""


def test_what_is_sent():
    """Six more spins in front of Gibbs sweeps in order; otherwise what was asked for."""
    problem, starts = oracle.random_problem(3, 2), oracle.random_spins(1, 2, 5)
    for options, rule, leading in (
        ({}, "Gibbs", True),
        ({"proposal_acceptance_criteria": "Gibbs"}, "Gibbs", True),
        (METROPOLIS, "Metropolis", False),
        ({"randomize_order": True}, "Gibbs", False),
    ):
        spied = Spied(SimulatedAnnealingSampler())
        sampler = FromDimod(spied, num_sweeps=2, **options)
        states = sampler.sample(problem, 2, seed=0, initial=starts)
        (given,) = spied.inputs
        assert given["proposal_acceptance_criteria"] == rule
        added = list(range(-6, 0)) if leading else []
        assert {label: given["bqm"].linear[label] for label in added} == dict.fromkeys(added, 0.0)
        assert set(given["bqm"].variables) == {*added, *range(5)}
        rows, labels = given["initial_states"]
        np.testing.assert_array_equal(rows[:, -5:], starts[0])
        assert labels == [*added, *range(5)]
        assert states.spins.shape == (1, 2, 5)
        assert sampler.settings().get("leading_spins", False) is leading
        assert sampler.settings()["parameters"]["proposal_acceptance_criteria"] == rule


def test_what_is_asked_for_is_sampled_as_by_the_sampler_itself():
    problem = oracle.random_problem(6, 4)
    seed = int(np.random.SeedSequence([5, 0]).generate_state(1)[0]) >> 1
    for options in (METROPOLIS, {"randomize_order": True} | METROPOLIS):
        plain = SimulatedAnnealingSampler().sample(
            problem.to_bqm(), num_reads=7, num_sweeps=3, seed=seed, **options
        )
        states = FromDimod(SimulatedAnnealingSampler(), num_sweeps=3, **options).sample(
            problem, 7, seed=5
        )
        np.testing.assert_array_equal(states.spins[0], plain.record.sample)


def test_another_rule_of_the_same_name_is_left_alone():
    states = FromDimod(RotorModelAnnealingSampler(), num_sweeps=5)
    assert states.settings()["parameters"] == {"num_sweeps": 5}
    assert states.sample(oracle.random_problem(3, 2), 4, seed=0).num_reads == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda rows: (rows, range(5)),
        lambda rows: (rows[:, ::-1].copy(), range(5)[::-1]),
        lambda rows: [dict(enumerate(row)) for row in rows.tolist()],
        lambda rows: dimod.SampleSet.from_samples((rows, range(5)), energy=0, vartype="SPIN"),
        lambda rows: dimod.SampleSet.from_samples(
            ((rows + 1) // 2, range(5)), energy=0, vartype="BINARY"
        ),
    ],
    ids=["array", "backwards", "dicts", "spins", "binary"],
)
def test_start_states_of_the_user_come_in_any_form_of_dimod(make):
    """So cold, no state changes."""
    problem = oracle.random_problem(3, 2)
    lowest = oracle.all_states(5)[oracle.energies(problem, oracle.all_states(5))[0].argmin()]
    rows = np.stack([lowest, lowest])
    cold = {"num_sweeps": 1, "beta_range": (1e6, 1e6)}
    sampler = FromDimod(SimulatedAnnealingSampler(), initial_states=make(rows), **cold)
    np.testing.assert_array_equal(sampler.sample(problem, 2, seed=0).spins[0], rows)
