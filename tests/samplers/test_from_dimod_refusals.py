"""Samplers of dimod: refusals of samplers, answers and arguments."""

import dimod
import numpy as np
import pytest
from dwave.samplers import (
    PathIntegralAnnealingSampler,
    SimulatedAnnealingSampler,
)

from helpers import oracle
from helpers.samplers.dimod_cases import (
    Recorder,
    TakesAnything,
    TakesBySignature,
    TakesInSampleIsing,
    sampleset,
)
from isingprop import IsingProblem
from isingprop.samplers.from_dimod import FromDimod


@pytest.mark.slow
def test_importing_it_does_not_import_dimod(python):
    done = python("import isingprop.samplers.from_dimod, sys; sys.exit('dimod' in sys.modules)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("sampler", "parameters", "refusal"),
    [
        (
            SimulatedAnnealingSampler,
            {},
            "sampler must be an instance, got the class SimulatedAnnealingSampler",
        ),
        (3, {}, "sampler must have a method sample(), got int"),
        (None, {}, "sampler must have a method sample(), got NoneType"),
        (
            SimulatedAnnealingSampler(),
            {"num_sweep": 3, "tenure": 1},
            "parameters of SimulatedAnnealingSampler must be of ",
        ),
        (
            PathIntegralAnnealingSampler(),
            {"gamma": 1},
            "parameters of PathIntegralAnnealingSampler must be of [",
        ),
        (
            TakesAnything.TakesNothing(),
            {"num_sweeps": 3},
            "parameters of TakesNothing must be of [], got 'num_sweeps'",
        ),
        (
            dimod.ExactSolver(),
            {"num_sweeps": 3},
            "parameters of ExactSolver must be of [], got 'num_sweeps'",
        ),
        (
            TakesBySignature(),
            {"bqm": 3},
            "parameters of TakesBySignature must be of ['beta', 'num_reads', 'seed', 'sweeps']",
        ),
        (
            TakesInSampleIsing(),
            {"J": 3},
            "parameters of TakesInSampleIsing must be of ['num_reads'], got 'J'",
        ),
        (
            Recorder("time_limit", "label"),
            {"num_reads": 3},
            "parameters of Recorder must be of ['label', 'time_limit'], got",
        ),
    ],
)
def test_refusals_of_samplers_and_parameters(assert_refused, sampler, parameters, refusal):
    assert_refused(lambda: FromDimod(sampler, **parameters), f"TypeError: {refusal}")


def test_parameters_named_by_signatures_alone_are_taken():
    FromDimod(PathIntegralAnnealingSampler(), Gamma=2.0, qubits_per_chain=2)
    assert FromDimod(TakesBySignature(), beta=1.0).takes == {"beta", "num_reads", "seed", "sweeps"}
    assert FromDimod(TakesAnything(), whatever=3).takes == set()
    openjij = pytest.importorskip("openjij")
    FromDimod(openjij.SASampler(), num_sweeps=3, updater="single spin flip")
    with pytest.raises(TypeError, match="got 'initial_states'"):
        FromDimod(openjij.SASampler(), initial_states=[])


PROBLEM = oracle.random_problem(3, 2, num_problems=2)

GOOD = np.ones((2, 5), np.int8)


def broken(value, index):
    array = GOOD.copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (None, "TypeError: answers from Recorder must be of type dimod.SampleSet, got NoneType"),
        (GOOD, "TypeError: answers from Recorder must be of type dimod.SampleSet, got ndarray"),
        (
            sampleset(GOOD[:, :4]),
            "ValueError: spins from Recorder must have shape (n, 5), got (2, 4)",
        ),
        (
            sampleset(np.ones((3, 6))),
            "ValueError: spins from Recorder must have shape (n, 5), got (3, 6)",
        ),
        (sampleset(GOOD[:0]), "ValueError: spins from Recorder must have shape (n, 5), got (0, 5)"),
        (
            sampleset(broken(0, (0, 3))),
            "ValueError: spins from Recorder must be -1 or +1, got 0 at index (0, 3)",
        ),
        (
            sampleset(broken(2, (1, 4))),
            "ValueError: spins from Recorder must be -1 or +1, got 2 at index (1, 4)",
        ),
        (sampleset(GOOD, "abcde"), "ValueError: variables from Recorder must be 0 ... 4, got 'a'"),
        (
            sampleset(GOOD, [0, 1, 2, 3, 5]),
            "ValueError: variables from Recorder must be 0 ... 4, got 5",
        ),
        (
            sampleset(GOOD, energy=[0, np.nan]),
            "ValueError: energies from Recorder must be finite, got nan at index (1,)",
        ),
        (
            sampleset(GOOD, energy=-np.inf),
            "ValueError: energies from Recorder must be finite, got -inf at index (0,)",
        ),
        (
            sampleset(GOOD, num_occurrences=[1, 0]),
            "ValueError: num_occurrences from Recorder must be at least 1, got 0 at index 1",
        ),
        (
            sampleset(GOOD, num_occurrences=[1.0, 2.0]),
            "TypeError: num_occurrences from Recorder must be an array of integers, got dtype "
            "float64",
        ),
    ],
)
def test_refusals_of_answers(assert_refused, answer, refusal):
    good_then_bad = Recorder(answers=lambda _bqm, call: answer if call else sampleset(GOOD))
    assert_refused(lambda: FromDimod(good_then_bad).sample(PROBLEM, num_reads=2), refusal)
    assert len(good_then_bad.given) == 2


NAN, ONE = np.full((1, 1), np.nan), np.ones((1, 1))

STREAM = np.zeros(1, np.uint64)

STARTS = oracle.random_spins(2, 3, 5)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"problem": 3}, "TypeError: problem must be an IsingProblem, got int"),
        ({"num_reads": 0}, "ValueError: num_reads must be at least 1, got 0"),
        ({"num_reads": 1.0}, "TypeError: num_reads must be an integer, got 1.0"),
        ({"seed": -1}, "ValueError: seed must be at least 0, got -1"),
        ({"seed": "1"}, "TypeError: seed must be an integer, got '1'"),
        (
            {"initial": STARTS.astype(float)},
            "TypeError: initial must be int8 spins, got dtype float64",
        ),
        ({"initial": STARTS[0]}, "ValueError: initial must have shape (2, 3, 5), got (3, 5)"),
        (
            {"initial": STARTS[:, :2]},
            "ValueError: initial must have shape (2, 3, 5), got (2, 2, 5)",
        ),
        (
            {"initial": STARTS[:1, :1, :4]},
            "ValueError: initial must have shape (1, 1, 5), got (1, 1, 4)",
        ),
        (
            {"initial": STARTS[:, :, :1]},
            "ValueError: initial must have shape (2, 3, 5), got (2, 3, 1)",
        ),
        ({"initial": 0 * STARTS}, "ValueError: initial must be -1 or +1, got 0 at index (0, 0, 0)"),
        (
            {"problem": IsingProblem.trusted(ONE, NAN, ONE, STREAM)},
            "ValueError: hidden_fields must be finite, got nan at index (0, 0)",
        ),
        (
            {"problem": IsingProblem.trusted(ONE, ONE, NAN, STREAM)},
            "ValueError: output_fields must be finite, got nan at index (0, 0)",
        ),
        (
            {"problem": IsingProblem.trusted(NAN, ONE, ONE, STREAM)},
            "ValueError: couplings must be finite, got nan at index (0, 0)",
        ),
    ],
)
def test_refusals_of_arguments_come_before_any_call(assert_refused, arguments, refusal):
    recorder = Recorder("num_reads", "seed", "initial_states")
    given = {"problem": PROBLEM, "num_reads": 3} | arguments
    assert_refused(lambda: FromDimod(recorder).sample(**given), refusal)
    assert recorder.given == []


def test_refusals_of_start_states_that_cannot_be_passed(assert_refused):
    for sampler, refusal in (
        (
            FromDimod(Recorder("initial_state")),
            "initial must be None for Recorder, which takes no initial_states",
        ),
        (
            FromDimod(Recorder("initial_states"), initial_states=3),
            "initial must be None for FromDimod(Recorder, initial_states=3), which has its "
            "initial_states",
        ),
    ):
        assert_refused(lambda: sampler.sample(PROBLEM, 3, initial=STARTS), f"ValueError: {refusal}")  # noqa: B023
