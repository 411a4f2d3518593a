"""Epochs on class states by one kernel: the bits of the way of any other sampler."""

from itertools import product

import numpy as np
import pytest

from helpers import oracle
from helpers.training.deep_runs import deep
from helpers.training.optimizer_runs import AsSampler, run_bits, state_bits
from helpers.training.training_runs import DATA, NUM_TRAIN, RATES, make, without_seconds
from isingprop import ClassStates, kernels
from isingprop.training import epoch


def falling(done):
    return 0.5 + (1 - done) ** 2


SCHEDULES = ["constant", "linear", "cosine", falling]


def made(sampler=ClassStates, num_threads=1, network=oracle.random_network, **options):
    network = network()
    return make(sampler(network.readout, num_threads), network, num_states=1, **options)


def fitted(*arguments, epochs=2, progress=False, **options):
    trainer = made(*arguments, **options)
    trainer.fit(DATA, epochs, progress=progress)
    return run_bits(trainer)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_an_epoch_by_one_kernel_has_the_bits_of_one_state_by_state(
    monkeypatch, on_every_kernel, optimizer, schedule
):
    """... on every instruction set and number of threads, in one call of the kernel or several."""
    monkeypatch.setattr(epoch, "_PORTION_IMAGES", 10)
    for average_from, batch_size, margin in product((None, 2), (1, 7, 10, NUM_TRAIN), (0, 5)):
        options = {
            "optimizer": optimizer,
            "schedule": schedule,
            "average_from": average_from,
            "batch_size": batch_size,
            "margin": margin,
        }
        slow = fitted(AsSampler, **options)
        threads = (1, 3) if batch_size == NUM_TRAIN else (1,)
        runs = on_every_kernel(
            lambda o=options, t=threads: [fitted(ClassStates, n, **o) for n in t]
        )
        assert all(each == slow for run in runs for each in run), options


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_layered_network_with_one_hidden_layer_has_the_same_bits_either_way(
    monkeypatch, on_every_kernel, optimizer
):
    monkeypatch.setattr(epoch, "_PORTION_IMAGES", 10)
    options = {
        "network": lambda: deep((33,)),
        "optimizer": optimizer,
        "average_from": 1,
        "batch_size": 10,
        "margin": 1.0,
        "learning_rate": RATES,
    }
    runs = on_every_kernel(
        lambda: [fitted(AsSampler, **options), fitted(ClassStates, 2, **options)]
    )
    assert all(each == runs[0][0] for run in runs for each in run)


def test_epochs_with_a_progress_bar_and_without_have_the_same_bits(monkeypatch):
    """A bar takes several calls of the kernel, train_epoch takes one."""
    monkeypatch.setattr(epoch, "_PORTION_IMAGES", 10)
    calls, train_classes = [], kernels.train_classes

    def counted(*arguments):
        calls.append(len(arguments[7]))
        return train_classes(*arguments)

    monkeypatch.setattr(kernels, "train_classes", counted)
    options = {"optimizer": "adam", "schedule": "linear", "average_from": 1, "batch_size": 5}
    with_bar, without = made(**options), made(**options)
    with_bar.fit(DATA, 2, progress=True)
    assert calls == 2 * [10, 10, 3]
    for _ in range(2):
        without.train_epoch(DATA.train_images, DATA.train_labels, num_epochs=2)
    assert calls[6:] == 2 * [NUM_TRAIN]
    assert state_bits(with_bar) == state_bits(without)
    records = [without_seconds(trainer.history) for trainer in (with_bar, without)]
    for tested, untested in zip(*records, strict=True):
        assert np.isnan(untested.pop("test_accuracy"))
        assert tested.pop("test_accuracy") >= 0
        assert tested == untested


@pytest.mark.parametrize(
    "options",
    [{"num_states": 2}, {"nudge": 1.0}, {"beta_effective": True}, {"sampler": AsSampler}],
    ids=str,
)
def test_other_epochs_are_no_matter_of_the_kernel(monkeypatch, options):
    monkeypatch.delattr(kernels, "train_classes")
    options = {"sampler": ClassStates, "num_states": 1, **options}
    network = oracle.random_network()
    options["sampler"] = options["sampler"](network.readout)
    make(network=network, **options).train_epoch(DATA.train_images[:5], DATA.train_labels[:5])


def test_a_batch_may_be_larger_than_any_number_of_images():
    assert fitted(batch_size=2**70) == fitted(batch_size=NUM_TRAIN)


def lesson():
    """The arguments of kernels.train_classes for four images, in their order."""
    network, images = oracle.random_network(), oracle.random_images(4)
    return {
        "input_weights": network.input_weights.T,
        "couplings": network.couplings,
        "hidden_bias": network.hidden_bias,
        "output_bias": network.output_bias,
        "num_classes": 3,
        "images": images,
        "labels": np.array([0, 1, 2, 0]),
        "order": np.arange(4),
        "batch_size": 3,
        "push": 0.0,
        "rates": np.ones((2, 4), np.float32),
        "means": None,
        "squares": None,
        "num_steps": 0,
        "drift": None,
        "num_averaged": 0,
        "num_threads": 1,
    }


FLAT = np.zeros(76, np.float32)  # 7 * 5 + 5 * 6 + 5 + 6


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("num_classes", 4, "couplings must have a multiple of num_classes = 4 columns, got 6"),
        ("num_classes", 0, "num_classes must be"),
        ("hidden_bias", FLAT[:4], "hidden_bias must have shape (5,), got (4,)"),
        ("images", np.zeros((4, 6), np.float32), "images must have shape"),
        ("labels", np.array([0, 1, 2, 3]), "labels must be in 0 ... 2, got 3"),
        ("labels", np.array([0, 1, -1, 2]), "labels must be in 0 ... 2, got -1"),
        ("order", np.array([0, 4]), "order must name images, got 4"),
        ("order", np.array([-1]), "order must name images, got -1"),
        ("batch_size", 0, "batch_size must be"),
        ("rates", np.ones((1, 4), np.float32), "rates must have shape (2, 4), got (1, 4)"),
        ("means", FLAT, "means and squares must be given together"),
        ("drift", FLAT[1:], "drift must have shape (76,), got (75,)"),
        ("num_threads", 0, "num_threads must be"),
    ],
)
def test_the_kernel_touches_nothing_outside_its_arrays(assert_refused, name, value, refusal):
    assert kernels.train_classes(*lesson().values()) >= 0
    arguments = lesson() | {name: value}
    assert_refused(lambda: kernels.train_classes(*arguments.values()), f"ValueError: {refusal}")
