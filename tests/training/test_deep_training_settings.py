"""Training of deep networks: checkpoints, limits, refusals, and that digits are learned."""

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle
from helpers.training.deep_networks import deep_network
from helpers.training.deep_runs import deep, make_deep
from helpers.training.phase_cases import Spy
from helpers.training.training_runs import (
    DATA,
    NUM_TEST,
    NUM_TRAIN,
    RATES,
    Noted,
    bits,
    make,
    three_classes,
    without_seconds,
)
from isingprop import Annealing, LayeredNetwork, LearningRates, Trainer
from isingprop.analysis.landscape import embed
from isingprop.paper.zhang2025.moments import states_of
from isingprop.util.checked_files import load_tensors


@pytest.fixture
def checkpoint(tmp_path):
    trainer = make_deep()
    trainer.fit(DATA, 1)
    trainer.save_checkpoint(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"margin": 0.5}, "margin must be 0.08 as in the checkpoint {path}, got 0.5"),
        ({"active_layers": None}, "active_layers must be 2 as in the checkpoint {path}, got None"),
        (
            {"nudged_start": "random"},
            "nudged_start must be free as in the checkpoint {path}, got random",
        ),
        ({"warm_sampler": Annealing(7)}, "warm_sampler must be "),
        ({"sampler": Annealing(6)}, "sampler must be "),
        ({"learning_rate": LearningRates(1, 1, 1, 1)}, "learning_rates must be "),
        (
            {"network": deep((5,))},
            "network must be LayeredNetwork(7 inputs, 5 + 4 hidden, 6 output spins, 3 classes)",
        ),
        (
            {"network": deep((5, 4, 4))},
            "network must be LayeredNetwork(7 inputs, 5 + 4 hidden, 6 output spins, 3 cl",
        ),
        (
            {"network": deep((4, 5))},
            "network must be LayeredNetwork(7 inputs, 5 + 4 hidden, 6 output spins, 3 cl",
        ),
        (
            {"network": oracle.random_network()},
            "network must be LayeredNetwork(7 inputs, 5 + 4 hidden, 6 outpu",
        ),
    ],
)
def test_other_settings_are_refused(assert_refused, checkpoint, options, refusal):
    trainer = make_deep(**options)
    before = bits(trainer)
    assert_refused(
        lambda: trainer.restore(checkpoint), "ValueError: " + refusal.format(path=checkpoint)
    )
    assert (bits(trainer), trainer.history) == (before, [])


def test_a_checkpoint_of_one_hidden_layer_says_nothing_of_deep_settings_but_its_margin(
    tmp_path, assert_refused
):
    """Those from before there were any have none."""
    path = tmp_path / "checkpoint"
    plain = make()
    plain.save_checkpoint(path)
    settings = load_tensors(path, "checkpoint", ())[1]["settings"]
    assert not any(name in settings for name in ("active_layers", "nudged_start", "warm_sampler"))
    make(active_layers=None, nudged_start="random", warm_sampler=Annealing(3)).restore(path)
    refusal = f"ValueError: margin must be None as in the checkpoint {path}, got 0.5"
    assert_refused(lambda: make(margin=0.5).restore(path), refusal)


@pytest.mark.parametrize("call", [0, 1, 2, 3])
def test_an_epoch_that_breaks_off_in_a_backward_pass_is_undone(call):
    """The warm sampler fails in the second epoch, after the layers above have been updated
    already.
    """
    error = ValueError("no states")
    per_epoch = 2 * NUM_TRAIN  # free and nudged, layers (1, 2)
    warm = Noted(per_epoch + 20 + call, error)
    trainer, one, two = (make_deep(warm_sampler=each) for each in (warm, Noted(), Noted()))
    with pytest.raises(ValueError, match="no states") as caught:
        trainer.fit(DATA, 2)
    assert caught.value.__notes__[-1].startswith(
        "isingprop: epoch 2 was undone, the network is as epoch 1 left it"
    )
    one.fit(DATA, 1)
    assert bits(trainer) == bits(one)
    assert without_seconds(trainer.history) == without_seconds(one.history)
    warm.fail_at = None
    trainer.fit(DATA, 1)
    two.fit(DATA, 2)
    assert bits(trainer) == bits(two)
    assert len(warm.calls) == 2 * per_epoch + 20 + call


def test_one_rate_is_four_times_as_high_for_input_weights_and_half_for_couplings_of_deep_networks():
    assert make_deep(learning_rate=0.01).learning_rates == LearningRates(0.04, 0.005, 0.01, 0.01)
    assert make(network=deep((5,)), learning_rate=0.01).learning_rates == LearningRates.of(0.01)
    assert make_deep(learning_rate=RATES).learning_rates == LearningRates(**RATES)
    assert [make_deep(network=deep(hidden)).margin for hidden in ((5,), (5, 4), (5, 4, 3))] == [
        0,
        0.08,
        0.04,
    ]


def test_no_sampler_sees_more_than_max_spins(assert_refused):
    """4 + 6 spins are the last two layers, 5 + 4 + 6 all of them."""
    for active_layers, largest in ((2, 10), (None, 15)):
        main, warm, test = Spy(Annealing(2)), Spy(Annealing(2)), Spy(Annealing(2))
        options = {"warm_sampler": warm, "test_sampler": test, "active_layers": active_layers}
        (record,) = make_deep(main, max_spins=largest, **options).fit(DATA, 1)
        calls = [*main.calls, *warm.calls, *test.calls]
        assert max(call.problem.num_spins for call in calls) == record.largest_problem == largest
        assert max(call.problem.num_spins for call in test.calls) == largest
        assert all(spy.calls for spy in (main, test))
        refusal = (
            f"ValueError: max_spins must be at least {largest} for LayeredNetwork(7 "
            "inputs, 5 + 4 hidden, 6 outp"
        )
        assert_refused(
            lambda m=main, n=largest, o=options: make_deep(m, max_spins=n - 1, **o), refusal
        )
        assert len([*main.calls, *warm.calls, *test.calls]) == len(calls), "refused before any work"
    refusal = (
        "ValueError: max_spins must be at least 15 for LayeredNetwork(7 inputs, 5 + 4 "
        "hidden, 6 output spins, 3 c"
    )
    make_deep(max_spins=10)
    assert_refused(lambda: make_deep(max_spins=10, active_layers=None), refusal)
    refusal = "ValueError: max_spins must be at least 11 for BipartiteNetwork("
    assert_refused(lambda: make(max_spins=10), refusal)


class Forward:
    """A sampler that says that it takes no start states, as DWave("forward") does."""

    takes_initial = False

    def sample(self, problem, num_reads=1, seed=None):
        return Annealing(2).sample(problem, num_reads, seed)

    def __repr__(self):
        return "Forward()"


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"active_layers": 3}, "ValueError: active_layers must be 2 or None, got 3"),
        ({"active_layers": 1}, "ValueError: active_layers must be 2 or None, got 1"),
        ({"active_layers": "2"}, "ValueError: active_layers must be 2 or None, got '2'"),
        ({"active_layers": True}, "ValueError: active_layers must be 2 or None, got True"),
        ({"margin": -0.1}, "ValueError: margin must be finite and at least 0, got -0.1"),
        ({"margin": np.nan}, "ValueError: margin must be finite and at least 0, got nan"),
        ({"margin": "0.1"}, "TypeError: margin must be a number, got '0.1'"),
        ({"nudged_start": "x"}, "ValueError: nudged_start must be 'free' or 'random', got 'x'"),
        ({"nudged_start": None}, "ValueError: nudged_start must be 'free' or 'random', got None"),
        (
            {"warm_sampler": Forward()},
            "ValueError: warm_sampler must take start states, got Forward()",
        ),
        (
            {"warm_sampler": ip.DWave("forward")},
            "ValueError: warm_sampler must take start states, got DWave(mode='f",
        ),
        (
            {"warm_sampler": Annealing},
            "TypeError: warm_sampler must be an instance, got the class Annealing",
        ),
        ({"warm_sampler": 3}, "TypeError: warm_sampler must have a method sample(), got int"),
        (
            {"skip_correct": True},
            "ValueError: skip_correct must be left out for LayeredNetwork(7 inputs, 5 + 4 hidden, ",
        ),
        (
            {"nudge": 1.0},
            "ValueError: nudge must be left out for LayeredNetwork(7 inputs, 5 + 4 hidden, 6 "
            "output ",
        ),
        (
            {"nudge": 1.0, "skip_correct": True},
            "ValueError: nudge must be left out for LayeredNetwork(7 i",
        ),
        (
            {"references": "wrong-classes"},
            "ValueError: references must be left out for LayeredNetwork(7 i",
        ),
        ({"max_spins": 0}, "ValueError: max_spins must be at least 1, got 0"),
        ({"max_spins": 10.0}, "TypeError: max_spins must be an integer, got 10.0"),
    ],
)
def test_refusals(assert_refused, options, refusal):
    assert_refused(lambda: make_deep(**options), refusal)


def test_what_is_no_network_is_refused(assert_refused):
    refusal = "TypeError: network must be a BipartiteNetwork or a LayeredNetwork, got str"
    assert_refused(lambda: Trainer("W"), refusal)


def test_a_sampler_without_start_states_trains_forward_and_warms_with_annealing():
    trainer = make_deep(Forward())
    trainer.fit(DATA, 1)
    assert bits(trainer) != bits(make_deep())


def test_other_images_after_a_restart_are_refused(assert_refused, checkpoint):
    trainer = make_deep()
    trainer.restore(checkpoint)
    refusal = "ValueError: train_images must be those that the run began with (checksum "
    assert_refused(lambda: trainer.fit(three_classes(seed=1), 1), refusal)


def test_states_of_a_deep_network_go_into_a_landscape():
    network = deep_network((6, 5, 4), 7)
    spins, classes = states_of(network, DATA.test_images.astype(np.float32), 5, seed=0)
    assert (spins.shape, classes.shape) == ((NUM_TEST, 5, 15), (NUM_TEST, 5))
    assert (classes == network.readout.predict(spins[..., 11:])).all()
    landscape = embed(spins.reshape(-1, 15))
    assert landscape.points.shape == (5 * NUM_TEST, 2)
    assert landscape.num_distinct == len(np.unique(spins.reshape(-1, 15), axis=0)) > 1
    assert np.isfinite(landscape.points).all()


@pytest.mark.slow
@pytest.mark.parametrize("active_layers", [2, None])
def test_digits_are_learned_two_layers_at_a_time_and_all_at_once(active_layers):
    """After six epochs 0.89 to 0.94 in three seeds, either way."""
    images = ip.load_data("digits", num_train=700, num_test=300)
    network = LayeredNetwork.random(num_inputs=64, hidden=(120, 120), num_classes=10, seed=0)
    rates = LearningRates.for_images(0.0005, images.train_images, deep=True)
    options = {
        "num_states": 5,
        "learning_rate": rates,
        "num_test_reads": 5,
        "seed": 0,
        "active_layers": active_layers,
    }
    trainer = Trainer(network, Annealing(10), max_spins=240 if active_layers else 280, **options)
    for record in trainer.train(images, 7):
        assert record.largest_problem == trainer.max_spins
        if record.test_accuracy >= 0.85:
            return
    pytest.fail("did not get there in seven epochs")


@pytest.mark.slow
def test_mnist_is_learned_by_two_hidden_layers_with_no_problem_of_more_than_240_spins(shared_data):
    """The issue's demand: 82 % within 25 epochs of 784-120-120-40."""
    images = ip.load_data("mnist", data_dir=shared_data, num_train=1000, num_test=1000)
    network = LayeredNetwork.random(num_inputs=784, hidden=(120, 120), num_classes=10, seed=0)
    trainer = Trainer(
        network, Annealing(20), num_states=9, learning_rate=0.001, max_spins=240, seed=0
    )
    for record in trainer.train(images, 25):
        assert record.largest_problem == 240
        if record.test_accuracy >= 0.82:
            return
    pytest.fail("did not get there in 25 epochs")
