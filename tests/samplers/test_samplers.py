"""What all samplers have in common: how their answers are checked, and that each of them trains a
network.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import dimod
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler
from sklearn.base import clone

import isingprop as ip
from helpers import oracle, tolerances
from helpers.training.training_runs import DATA, bits, make, without_seconds
from isingprop.samplers import protocol
from isingprop.samplers.protocol import sample_from
from isingprop.training.learning_rule import LearningRates

PROBLEM = oracle.random_problem(4, 3, num_problems=2)

NUM_READS = 3


class Stranger:
    """Returns what it is told to."""

    def __init__(self, answer):
        self.answer = answer

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        return self.answer


def states(spoil=None, shape=(2, NUM_READS, 7)):
    """Good states, with an array then spoilt in place, as only trusted ones can be."""
    spins = oracle.random_spins(*shape)
    good = ip.States.trusted(spins, np.zeros(shape[:2]), {"seed": 5})
    if spoil is not None:
        spoil(good)
    return good


def put(name, index, value):
    return lambda good: getattr(good, name).__setitem__(index, value)


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (
            states(shape=(2, NUM_READS, 6)),
            "ValueError: spins from Stranger must have shape (2, 3, 7), got (2, 3, 6)",
        ),
        (
            states(shape=(2, 2, 7)),
            "ValueError: spins from Stranger must have shape (2, 3, 7), got (2, 2, 7)",
        ),
        (
            states(shape=(1, 3, 7)),
            "ValueError: spins from Stranger must have shape (2, 3, 7), got (1, 3, 7)",
        ),
        (
            states(put("spins", (1, 2, 3), 0)),
            "ValueError: spins from Stranger must be -1 or +1, got 0 at",
        ),
        (
            states(put("energies", (1, 2), np.nan)),
            "ValueError: energies from Stranger must be finite, got nan",
        ),
        (
            states(put("energies", (0, 1), np.inf)),
            "ValueError: energies from Stranger must be finite, got inf",
        ),
        (
            SimpleNamespace(spins=states().spins, energies=np.zeros((2, NUM_READS))),
            "TypeError: Stranger.sample() must return States, got SimpleNamespace",
        ),
        (None, "TypeError: Stranger.sample() must return States, got NoneType"),
    ],
)
def test_bad_answers_are_refused_by_name(assert_refused, answer, refusal):
    assert_refused(lambda: sample_from(Stranger(answer), PROBLEM, NUM_READS, seed=0), refusal)


def test_good_answers_pass_as_they_are():
    answer = sample_from(Stranger(states()), PROBLEM, NUM_READS, seed=0)
    assert tolerances.same_bits(answer.spins, states().spins)
    assert answer.info == {"seed": 5}


class Tired(Stranger):
    """Anneals when asked for several reads, and gives its bad answer when asked for one."""

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        return (
            ip.Annealing(num_sweeps=5).sample(problem, num_reads, seed)
            if num_reads > 1
            else self.answer
        )


@pytest.mark.parametrize(
    "use",
    [
        lambda network: make(Stranger(states()), network).fit(DATA, epochs=1),
        lambda network: make(Tired(states()), network, nudge=1.0).fit(DATA, epochs=1),
        lambda network: ip.predict(network, Stranger(states()), DATA.test_images),
    ],
    ids=["training", "the nudged phase", "prediction"],
)
def test_every_use_of_a_sampler_checks_its_answers(use):
    """The answer has the wrong number of problems for all of them."""
    with pytest.raises(ValueError, match=r"spins from \w+ must have shape"):
        use(oracle.random_network())


@pytest.mark.parametrize(
    ("sampler", "refusal"),
    [
        (ip.Annealing, "TypeError: sampler must be an instance, got the class Annealing"),
        (
            dimod.ExactSolver(),
            "TypeError: sampler must be one of isingprop's, got the dimod sampler ExactSolver",
        ),
        ("anneal", "TypeError: sampler must have a method sample(), got str"),
    ],
)
def test_what_is_no_sampler_is_refused_before_any_work(assert_refused, sampler, refusal):
    assert_refused(lambda: make(sampler), refusal)


def test_an_info_that_is_no_dict_is_refused(assert_refused):
    answer = states()
    answer.__dict__["info"] = None
    refusal = "TypeError: info from Stranger must be a dict, got NoneType"
    assert_refused(lambda: sample_from(Stranger(answer), PROBLEM, NUM_READS, seed=0), refusal)


def test_a_strangers_settings_need_not_be_json(tmp_path):
    @dataclass
    class Arrays(Stranger):
        numbers: np.ndarray

        def sample(self, problem, num_reads=1, seed=None, initial=None):
            return ip.Annealing(num_sweeps=5).sample(problem, num_reads, seed)

    make(Arrays(np.arange(3))).save_checkpoint(tmp_path / "run")
    make(Arrays(np.arange(3))).restore(tmp_path / "run")
    with pytest.raises(ValueError, match="sampler must be"):
        make(Arrays(np.arange(4))).restore(tmp_path / "run")


def test_a_sampler_without_start_states_is_never_asked_for_any():
    class Simple:
        def sample(self, problem, num_reads=1, seed=None):
            return ip.Annealing(num_sweeps=5).sample(problem, num_reads, seed)

    make(Simple()).fit(DATA, epochs=1)


SAMPLERS = {
    "annealing": (ip.Annealing(num_sweeps=20), {}),
    "tempering": (ip.Tempering(num_sweeps=5, num_betas=6), {}),
    "cyclic, of itself": (ip.Cyclic(num_sweeps=20), {}),
    "cyclic, from the wrong classes": (ip.Cyclic(num_sweeps=20), {"references": "wrong-classes"}),
    "dwave-samplers": (
        ip.FromDimod(SimulatedAnnealingSampler(), num_sweeps=20, beta_range=(2.0, 20.0)),
        {},
    ),
    "there and back": (ip.FromDimod(ip.dimod.AnnealingSampler(), num_sweeps=20), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_trains_digits(name):
    """Nothing but the sampler differs. Accuracy still moves by some percent from epoch to epoch."""
    sampler, options = SAMPLERS[name]
    images = ip.load_data("digits", num_train=400, num_test=300)
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=60, num_classes=10, seed=0)
    rates = LearningRates.for_images(0.001, images.train_images)
    trainer = ip.Trainer(
        network, sampler, num_states=9, learning_rate=rates, num_test_reads=5, seed=0, **options
    )
    for _ in range(20):
        trainer.train_epoch(images.train_images, images.train_labels)
        if (
            trainer.evaluate(images.test_images, images.test_labels).accuracy
            >= tolerances.DIGITS_ACCURACY
        ):
            return
    pytest.fail("did not get there in twenty epochs")


@pytest.mark.parametrize("options", [{"num_states": 2}, {"num_states": 5, "batch_size": 4}])
def test_reads_start_from_the_states_of_the_wrong_classes_in_turn(options):
    """Three classes, so two wrong ones: of the reads of an image, every other one starts
    from each.
    """
    starts = []

    class Noted:
        def sample(self, problem, num_reads=1, seed=None, initial=None):
            if initial is not None:
                starts.append((problem.streams.astype(int), problem.hidden_fields.copy(), initial))
            return ip.Annealing(num_sweeps=5).sample(problem, num_reads, seed, initial)

    network = oracle.random_network()
    trainer = make(Noted(), network, references="wrong-classes", learning_rate=0.0, **options)
    trainer.fit(DATA, epochs=2)
    assert len(np.concatenate([images for images, _, _ in starts])) == 2 * len(DATA.train_images)
    firsts = []
    for images, fields, initial in starts:
        labels = DATA.train_labels[images]
        classes = network.readout.predict(initial[..., network.num_hidden :])
        assert (classes >= 0).all()
        assert (classes != labels[:, None]).all()
        np.testing.assert_array_equal(classes[:, 2:], classes[:, :-2])
        assert (classes[:, 1:] != classes[:, :-1]).all()
        assert tolerances.same_bits(initial, network.reference_states(fields, classes))
        firsts += zip(images.tolist(), classes[:, 0].tolist(), strict=True)
    assert len(set(firsts)) == 2 * len(DATA.train_images), (
        "in the next epoch, the other one is first"
    )


class Frozen:
    """Never leaves its references.

    Two cycles in each read where `twice`: the second ends in a mirror image.
    """

    def __init__(self, twice):
        self.twice = twice

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        if initial is None:
            return ip.Annealing().sample(problem, num_reads, seed)
        ends = np.stack([initial, -initial], axis=2) if self.twice else None
        return ip.States(initial, np.zeros(initial.shape[:2]), cycle_spins=ends)


@pytest.mark.parametrize("twice", [False, True])
def test_cycles_that_end_in_their_references_end_in_a_wrong_class(twice):
    """Of three classes, the mirror image of n[y] has two with the largest score: it is in none, so
    in no wrong one.
    """
    record = make(Frozen(twice), references="wrong-classes", num_states=4).fit(DATA, epochs=1)[-1]
    assert record.wrong_cycles == (0.5 if twice else 1.0)


def test_the_fraction_of_cycles_that_end_in_a_wrong_class():
    wrong, network = [], oracle.random_network()

    class Noted:
        def sample(self, problem, num_reads=1, seed=None, initial=None):
            found = ip.Cyclic(num_sweeps=10, num_cycles=3).sample(problem, num_reads, seed, initial)
            if initial is not None:
                right = DATA.train_labels[problem.streams.astype(int)][:, None, None]
                classes = network.readout.predict(
                    found.info["cycle_spins"][..., network.num_hidden :]
                )
                wrong.append((classes >= 0) & (classes != right))
            return found

    history = make(Noted(), network, references="wrong-classes", num_states=4).fit(DATA, epochs=20)
    assert [record.wrong_cycles for record in history] == pytest.approx(
        np.reshape(wrong, (20, -1)).mean(axis=1)
    )
    assert history[-1].wrong_cycles < history[0].wrong_cycles
    assert make().fit(DATA, epochs=1)[-1].wrong_cycles is None


def test_references_are_refused_by_name():
    with pytest.raises(
        ValueError, match="references must be None or 'wrong-classes', got 'nudged'"
    ):
        make(references="nudged")
    without = ip.FromDimod(dimod.ExactSolver())
    with pytest.raises(
        ValueError, match=r"references must be None for FromDimod\(ExactSolver\), which takes no"
    ):
        make(without, references="wrong-classes")


@pytest.mark.parametrize(
    "sampler", [ip.Tempering(num_sweeps=5, num_betas=3), ip.Cyclic(num_sweeps=5, num_cycles=2)]
)
def test_a_resumed_run_ends_with_the_bits_of_one_never_stopped(tmp_path, sampler):
    options = {"references": "wrong-classes"} if isinstance(sampler, ip.Cyclic) else {}
    whole, first, second = (make(sampler, **options) for _ in range(3))
    whole.fit(DATA, epochs=4)
    first.fit(DATA, epochs=2)
    first.save_checkpoint(tmp_path / "run")
    second.restore(tmp_path / "run")
    second.fit(DATA, epochs=2)
    assert bits(second) == bits(whole)
    same = [without_seconds(trainer.history) for trainer in (second, whole)]
    np.testing.assert_equal(*same)
    with pytest.raises(ValueError, match=r"(sampler|references) must be"):
        make(ip.Annealing(num_sweeps=5)).restore(tmp_path / "run")


def test_beta_effective_is_the_median_over_updates():
    betas = []

    class Warm:
        def sample(self, problem, num_reads=1, seed=None, initial=None):
            found = ip.Annealing(20, (0.5, 0.5), descend=False).sample(problem, num_reads, seed)
            betas.append(found.beta_effective(problem))
            return found

    assert make(Warm()).train_epoch(DATA.train_images, DATA.train_labels).beta_effective is None
    betas.clear()
    record = make(Warm(), num_states=8, beta_effective=True).train_epoch(
        DATA.train_images, DATA.train_labels
    )
    assert record.beta_effective == np.median(betas)
    assert (
        0.3 < record.beta_effective < 0.7
    )  # of 23 estimates from 8 x 11 spins each; they spread by 0.06
    with pytest.raises(TypeError, match="beta_effective must be True or False, got 1"):
        make(beta_effective=1)


def test_what_a_sampler_declares_is_taken_from_its_class_or_from_its_attributes():
    assert protocol.declared(ip.Annealing(num_threads=3)).num_threads == 3
    assert protocol.declared(ip.Annealing()).takes_initial
    assert not protocol.declared(ip.Coherent()).takes_initial
    assert protocol.declared(ip.Amplified()).takes_marks
    bare = protocol.declared(Frozen(True))
    assert bare.takes_initial
    assert (bare.takes_marks, bare.num_threads) == (False, 1)
    assert bare.settings() == {"name": "Frozen"}


def test_only_samplers_that_say_so_for_themselves_go_unchecked(assert_refused):
    class Wrong(ip.Annealing):
        def sample(self, problem, num_reads=1, seed=None, initial=None):
            states = super().sample(problem, num_reads, seed, initial)
            return states.changed(spins=0 * states.spins)

    problem = ip.IsingProblem([[1.0]], [[0.5]], [[0.0]])
    refusal = "ValueError: spins from Wrong must be -1 or +1, got 0 at index (0, 0, 0)"
    assert_refused(lambda: protocol.sample_from(Wrong(), problem, 1, 0), refusal)


@pytest.mark.parametrize(
    "sampler",
    [
        ip.Annealing(num_sweeps=7, beta_range=(1, 2), num_threads=2, descend=False),
        ip.Tempering(num_sweeps=7, num_betas=5),
        ip.Cyclic(num_sweeps=7, bias=0.1, num_cycles=3),
        ip.Coherent(total_time=3.0),
        ip.Amplified(total_time=3.0, exponent=1.0),
        ip.DWave("reverse", num_reads=3, solver=ip.EmulatedQPU("zephyr", size=1), record="answers"),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_parameters_make_an_equal_sampler_and_can_be_changed_in_place(sampler, assert_refused):
    twin = type(sampler)(**sampler.get_params())
    assert twin.get_params() == sampler.get_params()
    assert twin.settings() == sampler.settings()

    name = "num_sweeps" if hasattr(sampler, "num_sweeps") else "total_time"
    name = "annealing_time" if isinstance(sampler, ip.DWave) else name
    assert twin.set_params(**{name: 11}) is twin
    assert twin.get_params() == sampler.get_params() | {name: 11}
    assert twin.settings() != sampler.settings()

    before = twin.get_params()
    assert_refused(lambda: twin.set_params(**{name: -1}), f"ValueError: {name} must be ")
    assert_refused(lambda: twin.set_params(nonsense=1), "ValueError: parameters must be of [")
    assert twin.get_params() == before, "all or none"


def test_a_search_of_scikit_learn_reaches_the_samplers_parameters():
    model = ip.IsingClassifier(sampler=ip.Annealing(num_sweeps=5, beta_range=[1, 2]))
    twin = clone(model).set_params(sampler__num_sweeps=9)
    assert (model.sampler.num_sweeps, twin.sampler.num_sweeps) == (5, 9)
    assert twin.sampler.beta_range == (1.0, 2.0)
    assert model.set_params(sampler__num_sweeps=9).sampler.num_sweeps == 9
    assert model.get_params()["sampler__num_sweeps"] == 9
