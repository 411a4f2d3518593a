"""What FromDimod promises of a dimod sampler: start states and seeds, as a small problem shows."""

import threading
from itertools import count

import dimod
import numpy as np
import pytest
from dwave.graphs import chimera_graph
from dwave.preprocessing.composites import (
    ClipComposite,
    FixVariablesComposite,
    ScaleComposite,
    SpinReversalTransformComposite,
)
from dwave.samplers import (
    PathIntegralAnnealingSampler,
    RandomSampler,
    RotorModelAnnealingSampler,
    SimulatedAnnealingSampler,
    SteepestDescentSampler,
    TabuSampler,
)
from dwave.system import EmbeddingComposite, LazyFixedEmbeddingComposite

from helpers import oracle
from helpers.samplers.dimod_cases import Recorder, sampleset
from isingprop import Annealing, LayeredNetwork, Trainer
from isingprop.dimod import AnnealingSampler, TemperingSampler
from isingprop.samplers.from_dimod import FromDimod

PROBLEM = oracle.random_problem(3, 2, num_problems=2)
STARTS = oracle.random_spins(2, 3, 5)

HOT = {"beta_range": (0.01, 0.02), "num_sweeps": 7}
CUSTOM = {"beta_schedule_type": "custom", "beta_schedule": [0.1, 0.2], "num_sweeps_per_beta": 2}


def structured():
    chip = chimera_graph(12)
    return dimod.StructureComposite(SimulatedAnnealingSampler(), list(chip), list(chip.edges))


def reversing(**options):
    return SpinReversalTransformComposite(SimulatedAnnealingSampler(), **options)


def roof_dual():
    return FixVariablesComposite(SimulatedAnnealingSampler(), algorithm="roof_duality")


@pytest.mark.parametrize(
    ("sampler", "parameters"),
    [
        (SimulatedAnnealingSampler(), {}),
        (SimulatedAnnealingSampler(), HOT),
        (SimulatedAnnealingSampler(), CUSTOM),
        (SimulatedAnnealingSampler(), {"proposal_acceptance_criteria": "Metropolis"}),
        (SteepestDescentSampler(), {}),
        (TabuSampler(), {"timeout": None, "num_restarts": 0, "lower_bound_z": 300}),
        (PathIntegralAnnealingSampler(), {"num_sweeps": 50}),
        (RotorModelAnnealingSampler(), {"num_sweeps": 50}),
        (AnnealingSampler(), {"num_sweeps": 50}),
        (TemperingSampler(), {"num_sweeps": 50}),
        (dimod.TrackingComposite(SimulatedAnnealingSampler()), {}),
        (dimod.TruncateComposite(SimulatedAnnealingSampler(), 3), {}),
        (ClipComposite(SimulatedAnnealingSampler()), {"lower_bound": -9}),
        (ScaleComposite(SimulatedAnnealingSampler()), {"scalar": 0.5}),
    ],
)
def test_seeds_and_start_states_are_promised_where_they_were_seen(sampler, parameters):
    """However hot the schedule of the user is."""
    wrapped = FromDimod(sampler, **parameters)
    assert (wrapped.repeats, wrapped.takes_initial) == (True, True)


class Liar(dimod.Sampler):
    """Lists a seed and start states, and does with them what it likes."""

    properties = {}  # noqa: RUF012
    parameters = {"num_reads": [], "seed": [], "initial_states": []}  # noqa: RUF012

    def __init__(self, kind):
        self.kind, self.calls, self.random = kind, 0, np.random.default_rng(0)

    def sample(self, bqm, *, num_reads=1, seed=None, initial_states=None):
        self.calls += 1
        shape = num_reads, len(bqm)
        if initial_states is not None and self.kind == "raises":
            raise RuntimeError("no such thing")
        if self.kind == "own numbers":
            return sampleset(self.random.choice([-1, 1], shape))
        if self.kind == "global numbers":
            return sampleset(np.random.choice([-1, 1], shape))  # noqa: NPY002
        return sampleset(np.random.default_rng(seed).choice([-1, 1], shape))


NO_CHANGE = "which did not start from those of a small problem"
CANNOT = "which cannot start from them, or not in a small problem: "


@pytest.mark.parametrize(
    ("sampler", "repeats", "refusal"),
    [
        (reversing(), False, NO_CHANGE),
        (reversing(seed=1), False, NO_CHANGE),
        (roof_dual(), True, f"{CANNOT}ValueError(\"mismatch between variables in 'initial_states'"),
        (RandomSampler(), True, "which takes no initial_states"),
        (dimod.ExactSolver(), False, "which takes no initial_states"),
        (Liar("own numbers"), False, NO_CHANGE),
        (Liar("global numbers"), False, NO_CHANGE),
        (Liar("ignores"), True, NO_CHANGE),
        (Liar("raises"), True, f"{CANNOT}RuntimeError('no such thing')"),
        pytest.param(
            EmbeddingComposite(structured()),
            False,
            f"{CANNOT}ValueError(\"mismatch between variables in 'initial_states' and 'bqm'\")",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            EmbeddingComposite(structured(), embedding_parameters={"random_seed": 1}),
            True,
            CANNOT,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            LazyFixedEmbeddingComposite(structured()), False, CANNOT, marks=pytest.mark.slow
        ),
    ],
)
def test_what_is_not_kept_is_refused_or_not_promised(assert_refused, sampler, repeats, refusal):
    wrapped, name = FromDimod(sampler), type(sampler).__name__
    assert (wrapped.repeats, wrapped.takes_initial) == (repeats, False)
    assert_refused(
        lambda: wrapped.sample(PROBLEM, 3, initial=STARTS),
        f"ValueError: initial must be None for {name}, {refusal}",
    )


@pytest.mark.parametrize("make", [reversing, roof_dual], ids=["reversing", "roof dual"])
def test_training_from_start_states_is_refused_before_work(assert_refused, make):
    network = LayeredNetwork.random(num_inputs=4, hidden=(3, 3), num_classes=2, seed=0)
    warm = FromDimod(make())
    refusal = f"ValueError: warm_sampler must take start states, got {warm!r}"
    assert_refused(lambda: Trainer(network, Annealing(2), warm_sampler=warm), refusal)


def test_asking_leaves_the_sampler_as_it_was():
    tracked, own = dimod.TrackingComposite(SimulatedAnnealingSampler()), Liar("own numbers")
    state = own.random.bit_generator.state
    for sampler in (tracked, own):
        wrapped = FromDimod(sampler)
        assert isinstance(wrapped.repeats and wrapped.takes_initial, bool)
    assert (tracked.inputs, own.calls, own.random.bit_generator.state) == ([], 0, state)


@pytest.mark.slow
def test_asking_fixes_no_embedding():
    sampler = LazyFixedEmbeddingComposite(structured())
    assert not FromDimod(sampler).repeats
    assert sampler.embedding is None
    assert FromDimod(sampler).sample(PROBLEM, 3, seed=0).num_reads == 3


def test_it_is_asked_once(monkeypatch):
    calls = count()
    original = SteepestDescentSampler.sample
    monkeypatch.setattr(
        SteepestDescentSampler,
        "sample",
        lambda *args, **given: next(calls) * 0 or original(*args, **given),
    )
    wrapped = FromDimod(SteepestDescentSampler())
    assert all(wrapped.takes_initial for _ in range(3))
    assert next(calls) == 1
    assert all(wrapped.repeats for _ in range(3))
    assert next(calls) == 1 + 1 + 3


class Paid(Liar):
    """A sampler of a service, such as DWaveSampler and LeapHybridSampler."""

    parameters = Liar.parameters | {"proposal_acceptance_criteria": []}

    def __init__(self, attribute):
        super().__init__("ignores")
        setattr(self, attribute, object())

    def sample(self, bqm, *, proposal_acceptance_criteria="Metropolis", **given):
        return super().sample(bqm, **given)


@pytest.mark.parametrize("attribute", ["client", "solver"])
@pytest.mark.parametrize(
    "around",
    [
        lambda sampler: sampler,
        dimod.TrackingComposite,
        lambda sampler: dimod.TruncateComposite(SpinReversalTransformComposite(sampler), 3),
    ],
    ids=["alone", "held", "held twice"],
)
def test_what_may_cost_money_is_never_tried(assert_refused, attribute, around):
    paid = Paid(attribute)
    wrapped = FromDimod(around(paid))
    assert (wrapped.repeats, wrapped.takes_initial) == (False, False)
    assert_refused(
        lambda: wrapped.sample(PROBLEM, 3, initial=STARTS),
        f"ValueError: initial must be None for {type(around(paid)).__name__}, whose calls may cost "
        "money: it was not tried whether it starts from them",
    )
    assert wrapped.settings()["parameters"] == {"proposal_acceptance_criteria": "Gibbs"}
    assert paid.calls == 0
    wrapped.sample(PROBLEM[:1], 3)
    assert paid.calls == 1, "the user's own problem only"


def test_samplers_that_hold_each_other_are_looked_through_once():
    first, second = Liar("ignores"), Liar("ignores")
    first.children, second.children = [second], [first]
    assert FromDimod(first).repeats
    second.client = object()
    assert not FromDimod(first).repeats


def test_a_sampler_of_which_there_is_no_copy_is_promised_nothing(assert_refused):
    recorder = Recorder("seed", "initial_states")
    recorder.lock = threading.Lock()
    wrapped = FromDimod(recorder)
    assert not wrapped.repeats
    refusal = f"ValueError: initial must be None for Recorder, {CANNOT}TypeError("
    assert_refused(lambda: wrapped.sample(PROBLEM, 3, initial=STARTS), refusal)
    assert wrapped.sample(PROBLEM, 3).num_reads == 3


def test_ctrl_c_passes_through_the_question():
    def interrupted(_bqm, _call):
        raise KeyboardInterrupt

    for ask in ("repeats", "takes_initial"):
        recorder = Recorder("seed", "initial_states", answers=interrupted)
        with pytest.raises(KeyboardInterrupt):
            getattr(FromDimod(recorder), ask)
