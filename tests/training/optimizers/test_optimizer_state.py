"""The state of the optimizer: in checkpoints, in resumed runs, and after what breaks off."""

import json

import numpy as np
import pytest

from helpers import oracle
from helpers.training.deep_runs import deep, make_deep
from helpers.training.optimizer_runs import run_bits, state_bits
from helpers.training.training_runs import DATA, NUM_TRAIN, Noted, bits, make, without_seconds
from isingprop import ClassStates, kernels
from isingprop.network.bipartite import PARAMETERS
from isingprop.training import epoch
from isingprop.util.checked_files import load_tensors, save_tensors


def class_run(network=None, **options):
    network = network or oracle.random_network()
    return make(ClassStates(network.readout), network, num_states=1, **options)


VARIANTS = {
    "adam": {"optimizer": "adam"},
    "linear": {"schedule": "linear"},
    "averaged": {"average_from": 1},
    "averaged from the second epoch": {"average_from": 2},
    "averaged after the restart": {"average_from": 3},
    "margin": {"margin": 1.5},
    "all of them": {
        "optimizer": "adam",
        "schedule": "cosine",
        "average_from": 2,
        "margin": 1.5,
        "batch_size": 5,
    },
}
RUNS = {
    "sampled": (make, lambda: oracle.random_network(seed=9)),
    "class states": (class_run, lambda: oracle.random_network(seed=9)),
    "deep": (make_deep, lambda: deep(seed=9)),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.filterwarnings("ignore:training is unstable")  # Adam's steps are large for 23 images
def test_a_resumed_run_has_the_bits_of_one_never_stopped(tmp_path, kind, variant):
    (make_run, other_network), options = RUNS[kind], VARIANTS[variant]
    whole, first = make_run(**options), make_run(**options)
    second = make_run(network=other_network(), **options)
    whole.fit(DATA, 3)
    for record in first.train(DATA, 3):
        first.save_checkpoint(tmp_path / "checkpoint")
        if record.epoch == 2:
            break
    second.restore(tmp_path / "checkpoint")
    assert run_bits(second) == run_bits(first)
    second.fit(DATA, 1)
    assert run_bits(second) == run_bits(whole)
    first.fit(DATA, 1)
    assert run_bits(first) == run_bits(whole)


def saved(tmp_path, **options):
    trainer, path = make(**options), tmp_path / "checkpoint"
    trainer.fit(DATA, 1)
    trainer.save_checkpoint(path)
    return path


def rewritten(path, change):
    """Changes the arrays and the text of a checkpoint."""
    tensors, text = load_tensors(path, "checkpoint", ())
    change(tensors, text)
    save_tensors(path, "checkpoint", tensors, text)


def refused(assert_refused, trainer, path, refusal):
    """... and the trainer is as it was, its optimizer, too."""
    before = state_bits(trainer)
    assert_refused(lambda: trainer.restore(path), refusal.format(path=path))
    assert (state_bits(trainer), trainer.history) == (before, [])


@pytest.mark.parametrize(
    ("options", "others", "refusal"),
    [
        ({}, {"optimizer": "adam"}, "optimizer must be None as in the checkpoint {path}, got adam"),
        ({"optimizer": "adam"}, {}, "optimizer must be adam as in the checkpoint {path}, got None"),
        (
            {"schedule": "linear"},
            {"schedule": "cosine"},
            "schedule must be linear as in the checkpoint {path}, got cosine",
        ),
        (
            {"schedule": lambda done: 1.0},
            {},
            "schedule must be {function} as in the checkpoint {path}, got None",
        ),
        (
            {"average_from": 1},
            {"average_from": 2},
            "average_from must be 1 as in the checkpoint {path}, got 2",
        ),
        (
            {"average_from": 1},
            {},
            "average_from must be 1 as in the checkpoint {path}, got None",
        ),
        ({"margin": 1}, {"margin": 2}, "margin must be 1.0 as in the checkpoint {path}, got 2.0"),
    ],
)
def test_other_settings_are_refused(assert_refused, tmp_path, options, others, refusal):
    path = saved(tmp_path, **options)
    name = getattr(options.get("schedule"), "__qualname__", "")
    refused(
        assert_refused,
        make(**others),
        path,
        "ValueError: " + refusal.replace("{function}", name),
    )


def test_a_checkpoint_from_before_there_were_optimizers_is_one_of_plain_steps(tmp_path):
    path, whole = saved(tmp_path), make()
    whole.fit(DATA, 2)
    names = ("optimizer", "schedule", "average_from", "margin")

    def age(tensors, text):
        assert not any(name.startswith("optimizer") for name in tensors)
        assert "optimizer" not in text
        settings = json.loads(text["settings"])
        text["settings"] = json.dumps({k: v for k, v in settings.items() if k not in names})

    rewritten(path, age)
    trainer = make(network=oracle.random_network(seed=9))
    trainer.restore(path)
    trainer.fit(DATA, 1)
    assert (bits(trainer), without_seconds(trainer.history)) == (
        bits(whole),
        without_seconds(whole.history),
    )


def without(name):
    return lambda tensors, text: tensors.pop(name)


def put(name, value):
    return lambda tensors, text: tensors.update({name: value})


def counts(**values):
    return lambda tensors, text: text.update(
        optimizer=json.dumps(json.loads(text["optimizer"]) | values)
    )


SIZE = 76  # 7 * 5 + 5 * 6 + 5 + 6 parameters


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (
            without("optimizer.squares"),
            "state of the optimizer must be means, squares, drift, got drift, means",
        ),
        (
            put("optimizer.more", np.zeros(1, np.float32)),
            "state of the optimizer must be means, squares, drift, got drift, means, more, squares",
        ),
        (
            put("optimizer.drift", np.zeros(SIZE + 1, np.float32)),
            "drift of the optimizer must have shape (76,), got (77,)",
        ),
        (
            put("optimizer.drift", np.full(SIZE, np.nan, np.float32)),
            "drift of the optimizer must be finite, got nan",
        ),
        (counts(num_averaged=-1), "num_averaged must be at least 0, got -1"),
        (counts(num_steps={"couplings": 1}), "num_steps must be numbers of input_weights, coupl"),
        (
            counts(num_steps=dict.fromkeys(PARAMETERS, -1)),
            "num_steps['input_weights'] must be at least 0, got -1",
        ),
    ],
)
def test_a_damaged_state_is_refused(assert_refused, tmp_path, change, refusal):
    options = {"optimizer": "adam", "average_from": 1}
    path = saved(tmp_path, **options)
    rewritten(path, change)
    refused(assert_refused, make(**options), path, f"ValueError: {refusal}")


BROKEN = {
    "adam": {"optimizer": "adam"},
    "averaged": {"average_from": 1},
    "averaged, adam": {"optimizer": "adam", "average_from": 2, "schedule": "linear"},
}


def goes_on_as_if_nothing_had_been(trainer, repair, make_run, options, error):
    """Trains two epochs, the second of which breaks off, and then once more."""
    whole, records = make_run(**options), trainer.train(DATA, 2)
    whole.fit(DATA, 2)
    next(records)
    at_first = state_bits(trainer)
    with pytest.raises(type(error)):
        next(records)
    assert state_bits(trainer) == at_first
    repair()
    trainer.fit(DATA, 1)
    assert run_bits(trainer) == run_bits(whole)


@pytest.mark.parametrize("variant", BROKEN)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no states")], ids=repr)
def test_an_epoch_that_breaks_off_leaves_no_trace_in_the_optimizer(error, variant):
    options, sampler = BROKEN[variant], Noted(NUM_TRAIN + 1 + 10, error)
    trainer = make(sampler, **options)

    def repair():
        sampler.fail_at = None

    goes_on_as_if_nothing_had_been(trainer, repair, make, options, error)


@pytest.mark.parametrize("variant", BROKEN)
def test_a_backward_sweep_that_breaks_off_leaves_no_trace_in_the_optimizer(variant):
    error = ValueError("no states")
    warm = Noted(2 * NUM_TRAIN + 21, error)
    trainer = make_deep(warm_sampler=warm, **BROKEN[variant])

    def repair():
        warm.fail_at = None

    def make_run(**options):
        return make_deep(warm_sampler=Noted(), **options)

    goes_on_as_if_nothing_had_been(trainer, repair, make_run, BROKEN[variant], error)


@pytest.mark.parametrize("variant", BROKEN)
def test_an_epoch_of_class_states_that_breaks_off_leaves_no_trace(monkeypatch, variant):
    """It breaks off after the second of three calls of the kernel in the second epoch."""
    monkeypatch.setattr(epoch, "_PORTION_IMAGES", 10)
    calls, train_classes = [], kernels.train_classes

    def breaking(*arguments):
        calls.append(train_classes(*arguments))
        if len(calls) == 2 * 3 + 3 + 2:  # of the whole run, and of the one that breaks off
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(kernels, "train_classes", breaking)
    options = BROKEN[variant]
    trainer = class_run(**options)
    goes_on_as_if_nothing_had_been(trainer, lambda: None, class_run, options, KeyboardInterrupt())
