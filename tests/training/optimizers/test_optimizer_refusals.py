"""Wrong arguments of optimizers, averages, schedules and class states, before any work."""

import pytest

from helpers import oracle
from helpers.training.deep_runs import deep, make_deep
from helpers.training.training_runs import DATA, bits, make
from isingprop import ClassStates, Readout

READOUT = oracle.random_network().readout  # 3 classes with 2 outputs each
OTHER = ClassStates(Readout(2, 3))


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"optimizer": "rmsprop"}, "ValueError: optimizer must be one of sgd, adam, got 'rmsprop'"),
        ({"optimizer": None}, "ValueError: optimizer must be one of sgd, adam, got None"),
        (
            {"schedule": "step"},
            "ValueError: schedule must be one of constant, linear, cosine, or a function, got 'st",
        ),
        (
            {"schedule": ["linear"]},
            "ValueError: schedule must be one of constant, linear, cosine, or a function, got ['l",
        ),
        (
            {"schedule": 0.5},
            "ValueError: schedule must be one of constant, linear, cosine, or a function, got 0.5",
        ),
        ({"average_from": 0}, "ValueError: average_from must be at least 1, got 0"),
        ({"average_from": -1}, "ValueError: average_from must be at least 1, got -1"),
        ({"average_from": 1.5}, "TypeError: average_from must be an integer, got 1.5"),
        ({"average_from": "1"}, "TypeError: average_from must be an integer, got '1'"),
        (
            {"sampler": ClassStates(READOUT), "num_states": 4},
            "ValueError: num_states must be at most 3, one for each class, got 4",
        ),
        (
            {"sampler": ClassStates(READOUT), "num_states": None},
            "ValueError: num_states must be a number for ClassStates(",
        ),
        (
            {"sampler": OTHER},
            "ValueError: sampler.readout must be Readout(num_classes=3, redundancy=2) as in the "
            "network, got Readout(num_classes=2, redundancy=3)",
        ),
        (
            {"test_sampler": OTHER},
            "ValueError: test_sampler.readout must be Readout(num_classes=3, redundancy=2) as in",
        ),
    ],
)
def test_refusals(assert_refused, options, refusal):
    assert_refused(lambda: make(**options), refusal)


@pytest.mark.parametrize("role", ["sampler", "test_sampler"])
def test_class_states_are_for_one_hidden_layer(assert_refused, role):
    sampler = ClassStates(deep().readout)
    refusal = (
        f"ValueError: {role} must not be ClassStates for LayeredNetwork(7 inputs, 5 + 4 hidden, "
        "6 output spins, 3 classes): one hidden layer only"
    )
    assert_refused(lambda: make_deep(**{role: sampler}), refusal)


def fit(trainer, **_):
    trainer.fit(DATA, 2)


def train_epoch(trainer, num_epochs=None):
    trainer.train_epoch(DATA.train_images, DATA.train_labels, num_epochs)


@pytest.mark.parametrize(
    ("call", "options", "arguments", "refusal"),
    [
        (
            fit,
            {"average_from": 3},
            {},
            "ValueError: average_from must be at most 2, the last epoch, got 3",
        ),
        (
            train_epoch,
            {"average_from": 3},
            {"num_epochs": 2},
            "ValueError: average_from must be at most 2, the last epoch, got 3",
        ),
        (
            train_epoch,
            {"schedule": "linear"},
            {},
            "ValueError: num_epochs must be a number unless schedule is constant, got None",
        ),
        (
            train_epoch,
            {"schedule": lambda done: 1.0},
            {},
            "ValueError: num_epochs must be a number unless schedule is constant, got None",
        ),
        (train_epoch, {}, {"num_epochs": 0}, "ValueError: num_epochs must be at least 1, got 0"),
        (
            train_epoch,
            {"schedule": "linear"},
            {"num_epochs": 2.0},
            "TypeError: num_epochs must be an integer, got 2.0",
        ),
    ],
)
def test_refusals_of_calls_leave_no_trace(
    assert_refused, counting_sampler, call, options, arguments, refusal
):
    trainer = make(counting_sampler, **options)
    before = bits(trainer)
    assert_refused(lambda: call(trainer, **arguments), refusal)
    assert (bits(trainer), trainer.history, counting_sampler.calls) == (before, [], 0)


def test_num_epochs_counts_the_epochs_that_are_done(assert_refused):
    trainer = make(schedule="linear")
    trainer.train_epoch(DATA.train_images, DATA.train_labels, num_epochs=1)
    assert_refused(
        lambda: trainer.train_epoch(DATA.train_images, DATA.train_labels, num_epochs=1),
        "ValueError: num_epochs must be at least 2, got 1",
    )
