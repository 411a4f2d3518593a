"""Samplers of dimod as samplers of this package: what they are given and what becomes of their
answers.
"""

import json

import dimod
import numpy as np
import pytest
from dwave.samplers import (
    PathIntegralAnnealingSampler,
    RandomSampler,
    SimulatedAnnealingSampler,
    SteepestDescentSampler,
    TabuSampler,
)

from helpers import oracle, tolerances
from helpers.samplers.dimod_cases import (
    Recorder,
    TakesAnything,
    TakesBySignature,
    TakesInSampleIsing,
    sampleset,
)
from isingprop import Annealing, BipartiteNetwork, IsingProblem, LearningRates, Trainer, load_data
from isingprop.samplers.from_dimod import FromDimod

# A tabu search that counts steps and has no clock.
COUNTED = {"timeout": None, "num_restarts": 0, "coefficient_z_first": 1, "lower_bound_z": 300}

SEEDED = {
    "annealing": (SimulatedAnnealingSampler, {"num_sweeps": 50}),
    "tabu": (TabuSampler, COUNTED),
    "descent": (SteepestDescentSampler, {}),
    "path integral": (PathIntegralAnnealingSampler, {"num_sweeps": 50}),
    "random": (RandomSampler, {}),
}

BITS = 31


def make(case):
    kind, parameters = SEEDED[case]
    return FromDimod(kind(), **parameters)


def seed_of(seed, stream, call=0):
    """The definition, spelled out."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(call + 1)[-1]) >> 32 - BITS


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shared", [False, True])
def test_the_sampler_gets_the_model_of_each_problem_exactly(dtype, shared):
    problem = oracle.random_problem(4, 3, num_problems=5, dtype=dtype, shared_output_fields=shared)
    recorder = Recorder("num_reads")
    FromDimod(recorder).sample(problem, num_reads=2)
    assert recorder.models == [problem.to_bqm(b) for b in range(5)]
    assert all(model.vartype is dimod.SPIN for model in recorder.models)


def test_a_sampler_that_changes_its_model_changes_no_other_problem():
    def spoil(bqm, _call):
        bqm.scale(3.0)
        return sampleset(np.ones((1, 5)))

    problem = oracle.random_problem(3, 2, num_problems=3)
    recorder = Recorder(answers=spoil)
    FromDimod(recorder).sample(problem)
    for b, model in enumerate(recorder.models):
        model.scale(1 / 3)
        assert np.allclose(
            model.to_numpy_vectors().linear_biases,
            problem.to_bqm(b).to_numpy_vectors().linear_biases,
        )


def test_the_exact_solver_gives_the_lowest_states_in_order():
    problem = oracle.random_problem(4, 3, num_problems=3)
    states = FromDimod(dimod.ExactSolver()).sample(problem, num_reads=10)
    exact = oracle.energies(problem, oracle.all_states(7))
    order = exact.argsort(axis=1)[:, :10]
    np.testing.assert_array_equal(states.spins, oracle.all_states(7)[order])
    slack = tolerances.ENERGY * oracle.sum_of_sizes(problem)
    assert (np.abs(states.energies - np.take_along_axis(exact, order, axis=1)) <= slack).all()


@pytest.mark.parametrize("case", [case for case in SEEDED if case != "random"])
def test_samplers_find_ground_states(case):
    problem = oracle.random_problem(5, 4, num_problems=3)
    states = make(case).sample(problem, num_reads=20, seed=0)
    assert (states.spins.shape, states.spins.dtype, states.energies.dtype) == (
        (3, 20, 9),
        np.int8,
        np.float64,
    )
    slack = tolerances.ENERGY * oracle.sum_of_sizes(problem)
    assert (np.abs(states.energies - oracle.energies(problem, states.spins)) <= slack).all()
    assert (np.abs(states.lowest().energies - oracle.ground_energies(problem)) <= slack).all()


@pytest.mark.parametrize("case", SEEDED)
def test_the_same_seed_gives_the_same_states_however_problems_are_batched(case):
    problem, sampler = oracle.random_problem(6, 3, num_problems=3), make(case)
    whole, again, other = (
        sampler.sample(problem, num_reads=8, seed=seed).spins for seed in (5, 5, 6)
    )
    parts = [sampler.sample(part, num_reads=8, seed=5).spins for part in (problem[:1], problem[1:])]
    assert tolerances.same_bits(whole, again, np.concatenate(parts))
    if case not in ("tabu", "annealing"):  # those two find the ground state in every read
        assert not np.array_equal(whole, other)


def test_openjij_samples_with_other_numbers_for_each_read():
    """It lists no seed, and with one all its reads would be the same: by chance, 20 of 9 free spins
    are in 2^-171.
    """
    openjij = pytest.importorskip("openjij")
    problem = IsingProblem(np.zeros((5, 4)), np.zeros((2, 5)), np.zeros((1, 4)))
    states = FromDimod(openjij.SASampler(), num_sweeps=2, beta_min=0.01, beta_max=0.02).sample(
        problem, 20, seed=0
    )
    assert all(len(np.unique(reads, axis=0)) > 1 for reads in states.spins)
    small = oracle.random_problem(
        5, 4, num_problems=3
    )  # one read in three misses the ground state: 20 in 1e-9
    found = (
        FromDimod(openjij.SASampler(), num_sweeps=50).sample(small, num_reads=20).lowest().energies
    )
    assert (
        np.abs(found - oracle.ground_energies(small))
        <= tolerances.ENERGY * oracle.sum_of_sizes(small)
    ).all()


def test_each_problem_and_call_has_its_own_seed():
    problem = oracle.random_problem(2, 2, num_problems=3)
    problem = IsingProblem(
        problem.couplings, problem.hidden_fields, problem.output_fields, streams=[7, 0, 2**40]
    )
    recorder = Recorder("seed", rows=2)
    FromDimod(recorder).sample(problem, num_reads=5, seed=2**63)
    seeds = [given["seed"] for given in recorder.given]
    assert seeds == [seed_of(2**63, stream, call) for stream in (7, 0, 2**40) for call in range(3)]
    assert all(type(seed) is int and seed < 2**BITS for seed in seeds)
    assert len(set(seeds)) == 9


def test_what_is_named_is_passed_but_a_seed_only_where_it_is_listed():
    problem = oracle.random_problem(2, 2)
    named, ising, anything = TakesBySignature(), TakesInSampleIsing(), TakesAnything()
    FromDimod(named, sweeps=9).sample(problem, num_reads=4, seed=1)
    assert named.given == {"num_reads": 4, "seed": None, "sweeps": 9}
    assert len(FromDimod(ising).sample(problem, num_reads=4).info["calls"]) == 1
    assert len(FromDimod(anything, label="mine").sample(problem, num_reads=4).info["calls"]) == 4
    assert anything.given == {"label": "mine"}


def test_what_the_user_gives_comes_first_and_is_passed_as_it_is():
    beta_range = object()
    recorder = Recorder(
        "num_reads",
        "seed",
        "beta_range",
        answers=lambda bqm, _call: sampleset(np.ones((3, len(bqm)))),
    )
    sampler = FromDimod(recorder, num_reads=3, seed=11, beta_range=beta_range)
    states = sampler.sample(oracle.random_problem(2, 1), num_reads=5, seed=0)
    assert recorder.given == [{"num_reads": 3, "seed": 11, "beta_range": beta_range}] * 2
    assert states.num_reads == 5


def test_a_sampler_that_gives_fewer_reads_is_asked_again_for_the_rest():
    def two_at_most(bqm, call):
        return sampleset(
            np.full((min(2, recorder.given[call]["num_reads"]), len(bqm)), (-1) ** call)
        )

    recorder = Recorder("num_reads", answers=two_at_most)
    states = FromDimod(recorder).sample(oracle.random_problem(2, 1), num_reads=5)
    assert [given["num_reads"] for given in recorder.given] == [5, 3, 1]
    assert states.spins[0, :, 0].tolist() == [1, 1, -1, -1, 1]


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_of_more_reads_than_asked_the_lowest_are_kept_by_their_true_energies(rows):
    """As LeapHybridSampler, which takes no num_reads and gives one read a call.

    The energies it says are not used.
    """
    problem, random = oracle.random_problem(5, 4), oracle.random_spins(100, 9, seed=2)

    def answers(_bqm, call):
        return sampleset(random[rows * call :][:rows], energy=np.arange(rows))

    states = FromDimod(Recorder("time_limit", answers=answers)).sample(problem, num_reads=5)
    taken = random[: -(-5 // rows) * rows]
    expected = taken if rows == 1 else taken[oracle.energies(problem, taken)[0].argsort()[:5]]
    np.testing.assert_array_equal(states.spins[0], expected)
    assert len(states.info["calls"]) == -(-5 // rows)


def test_a_read_of_many_occurrences_counts_that_often():
    down, up = -np.ones(3), np.ones(3)
    problem = IsingProblem(np.zeros((2, 1)), [[1.0, 1.0]], [[1.0]])  # down is lowest
    for counts, num_reads, expected in (
        ([2, 3], 5, [1, 1, -1, -1, -1]),  # just enough: in the order of the answer
        ([2, 3], 4, [-1, -1, -1, 1]),  # too many: the lowest
        ([10**12, 2], 4, [-1, -1, 1, 1]),  # never so many in memory
        ([1, 1], 4, [1, -1, 1, -1]),
    ):
        recorder = Recorder(
            answers=lambda _b, _c, counts=counts: sampleset([up, down], num_occurrences=counts)
        )
        states = FromDimod(recorder).sample(problem, num_reads=num_reads)
        assert states.spins[0, :, 0].tolist() == expected
        assert states.energies[0].tolist() == [3.0 * spin for spin in expected]


def test_columns_are_put_in_order():
    spins = oracle.random_spins(6, 5)
    shuffled = [3, 0, 4, 2, 1]
    recorder = Recorder(answers=lambda _b, _c: sampleset(spins[:, shuffled], shuffled))
    states = FromDimod(recorder).sample(oracle.random_problem(3, 2), num_reads=6)
    np.testing.assert_array_equal(states.spins[0], spins)


@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (3, 1), (1, 1)])
def test_start_states_are_passed_on(shape):
    initial = oracle.random_spins(*shape, 5)
    recorder = Recorder("initial_states", "num_reads")
    FromDimod(recorder).sample(
        oracle.random_problem(3, 2, num_problems=3), num_reads=4, initial=initial
    )
    arrays, labels = zip(*(given["initial_states"] for given in recorder.given), strict=True)
    np.testing.assert_array_equal(np.stack(arrays), np.broadcast_to(initial, (3, 4, 5)))
    assert labels == ([0, 1, 2, 3, 4],) * 3
    assert {array.dtype for array in arrays} == {np.dtype(np.int8)}
    assert all(given.keys() == {"num_reads", "initial_states"} for given in recorder.given)


def test_a_sampler_asked_again_starts_from_the_rest_and_may_write_into_it():
    class One(Recorder):
        def sample(self, bqm, **given):
            starts, _ = given["initial_states"]
            read = starts[:1].copy()
            starts[:] = 0
            return sampleset(read)

    initial = oracle.random_spins(2, 3, 5)
    before = initial.copy()
    states = FromDimod(One("initial_states")).sample(
        oracle.random_problem(3, 2, num_problems=2), num_reads=3, initial=initial
    )
    np.testing.assert_array_equal(states.spins, before)
    np.testing.assert_array_equal(initial, before)


@pytest.mark.parametrize("case", ["descent", "annealing", "tabu", "path integral"])
def test_real_samplers_start_from_start_states(case):
    """From a local minimum, a descent goes nowhere, nor do one cold sweep and one search of no
    step.
    """
    problem = oracle.random_problem(9, 6, num_problems=2)
    initial = Annealing(num_sweeps=1).sample(problem, num_reads=4, seed=0).spins
    cold = {"num_sweeps": 1, "beta_range": (1e6, 1e6)}
    parameters = {
        "descent": {},
        "tabu": COUNTED | {"lower_bound_z": 0, "coefficient_z_first": 0},
    }.get(case, cold)
    states = FromDimod(SEEDED[case][0](), **parameters).sample(
        problem, num_reads=4, seed=0, initial=initial
    )
    np.testing.assert_array_equal(states.spins, initial)


def test_info_has_the_seed_the_class_and_what_each_answer_said():
    problem = oracle.random_problem(2, 2, num_problems=2)
    states = FromDimod(Recorder(rows=2)).sample(problem, num_reads=3, seed=4)
    assert states.info == {
        "seed": 4,
        "sampler": "Recorder",
        "calls": [{"call": call} for call in range(4)],
    }


def test_no_seed_draws_one_that_repeats_the_states():
    problem, sampler = oracle.random_problem(6, 3), make("random")
    first, second = (sampler.sample(problem, num_reads=10) for _ in range(2))
    assert first.info["seed"] != second.info["seed"]
    assert tolerances.same_bits(
        first.spins, sampler.sample(problem, 10, seed=first.info["seed"]).spins
    )


def test_settings_and_repr_tell_samplers_apart():
    schedule = np.linspace(0.1, 3, 2000)  # whose repr is cut short
    given = {
        "num_sweeps": np.int64(7),
        "beta_range": (0.1, 2.0),
        "beta_schedule": schedule,
        "seed": float("nan"),
    }
    given |= {"interrupt_function": len, "initial_states": {(0, 1): 2}}
    settings = FromDimod(SimulatedAnnealingSampler(), **given).settings()
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings
    assert settings == {
        "name": "FromDimod",
        "sampler": "dwave.samplers.sa.sampler.SimulatedAnnealingSampler",
        "parameters": {
            "num_sweeps": 7,
            "beta_range": [0.1, 2.0],
            "beta_schedule": schedule.tolist(),
            "seed": "nan",
            "interrupt_function": "builtins.len",
            "initial_states": "{(0, 1): 2}",
            "proposal_acceptance_criteria": "Gibbs",
        },
    }
    nested = FromDimod(TakesAnything.TakesNothing()).settings()
    assert nested == {
        "name": "FromDimod",
        "sampler": f"{TakesAnything.__module__}.TakesAnything.TakesNothing",
        "parameters": {},
    }
    assert repr(FromDimod(Recorder("a", "b"), a=100, b="x")) == "FromDimod(Recorder, a=100, b='x')"
    assert repr(FromDimod(Recorder())) == "FromDimod(Recorder)"


@pytest.mark.slow
def test_a_network_is_trained():
    """By chance, 9 of 10 images are classified wrong."""
    images = load_data("digits", num_train=300, num_test=10)
    network = BipartiteNetwork.random(num_inputs=64, num_hidden=60, num_classes=10)
    rates = LearningRates.for_images(0.001, images.train_images)
    history = Trainer(network, make("descent"), num_states=20, learning_rate=rates).fit(
        images, epochs=2
    )
    assert history[-1].train_error_lowest < 0.4


def test_an_interrupt_passes_through():
    def interrupted(_bqm, _call):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FromDimod(Recorder(answers=interrupted)).sample(oracle.random_problem(2, 1))
