"""Checkpoints of a training that are refused, and other refusals."""

import json

import numpy as np
import pytest

from helpers import oracle
from helpers.training.known_states import (
    LABELS,
    Stub,
)
from helpers.training.training_runs import DATA, bits, make, three_classes
from isingprop import Annealing, Trainer
from isingprop.network.bipartite import PARAMETERS
from isingprop.util.checked_files import load_tensors, save_tensors


@pytest.fixture
def checkpoint(tmp_path):
    trainer = make()
    trainer.fit(DATA, 1)
    trainer.save_checkpoint(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"num_states": 5}, "num_states must be 2 as in the checkpoint {path}, got 5"),
        ({"batch_size": 5}, "batch_size must be 1 as in the checkpoint {path}, got 5"),
        ({"nudge": 0.5}, "nudge must be None as in the checkpoint {path}, got 0.5"),
        ({"num_test_reads": 5}, "num_test_reads must be 10 as in the checkpoint {path}, got 5"),
        ({"seed": 5}, "seed must be 3 as in the checkpoint {path}, got 5"),
        ({"learning_rate": 0.5}, "learning_rates must be "),
        ({"sampler": Annealing(6)}, "sampler must be "),
        ({"sampler": Stub([], [])}, "sampler must be "),
        ({"network": oracle.random_network(8)}, "network must be BipartiteNetwork(7 inputs, "),
        (
            {"network": oracle.random_network(redundancy=4)},
            "network must be BipartiteNetwork(7 inputs, ",
        ),
    ],
)
def test_other_settings_are_refused(assert_refused, checkpoint, options, refusal):
    trainer = make(**options)
    before = bits(trainer)
    assert_refused(
        lambda: trainer.restore(checkpoint), "ValueError: " + refusal.format(path=checkpoint)
    )
    assert (bits(trainer), trainer.history) == (before, [])


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        (
            "output_bias",
            np.zeros(7, np.float32),
            "output_bias in {path} must have shape (6,), got (7,)",
        ),
        (
            "output_bias",
            np.full(6, np.nan, np.float32),
            "output_bias in {path} must be finite, got nan",
        ),
        (
            "couplings",
            None,
            "{path} must hold input_weights, couplings, hidden_bias, output_bias, got no",
        ),
        (
            "format",
            "isingprop-network",
            "{path} must be an isingprop-checkpoint file, got 'isingprop-net",
        ),
        (
            "format_version",
            "3",
            "{path} must have format version 2, got '3': it was written by another",
        ),
        ("settings", None, "{path} must"),
        ("settings", "{", "{path} must"),
        ("history", None, "{path} must"),
        ("history", "[", "{path} must"),
        ("history", '[{"epoch": 1}]', "{path} must"),
    ],
)
def test_damaged_checkpoints_are_refused(assert_refused, checkpoint, name, value, refusal):
    """One part of a good checkpoint replaced, or taken out where the value is None."""
    tensors, text = load_tensors(checkpoint, "checkpoint", PARAMETERS)
    part = tensors if name in PARAMETERS else text
    part[name] = value
    if value is None:
        del part[name]
    save_tensors(checkpoint, "checkpoint", tensors, text)
    trainer = make(network=oracle.random_network(seed=9))
    before = bits(trainer)
    assert_refused(
        lambda: trainer.restore(checkpoint), "ValueError: " + refusal.format(path=checkpoint)
    )
    assert (bits(trainer), trainer.history) == (before, [])


def test_a_checkpoint_from_before_there_was_skip_correct_is_one_without(assert_refused, checkpoint):
    tensors, text = load_tensors(checkpoint, "checkpoint", PARAMETERS)
    settings = json.loads(text["settings"])
    settings.pop("skip_correct", None)
    text["settings"] = json.dumps(settings)
    save_tensors(checkpoint, "checkpoint", tensors, text)
    trainer = make()
    trainer.restore(checkpoint)
    assert len(trainer.history) == 1
    nudged = make(nudge=1.0)
    nudged.fit(DATA, 1)
    nudged.save_checkpoint(checkpoint)
    refusal = f"ValueError: skip_correct must be None as in the checkpoint {checkpoint}, got True"
    assert_refused(lambda: make(nudge=1.0, skip_correct=True).restore(checkpoint), refusal)


def test_what_is_no_checkpoint_is_refused(assert_refused, tmp_path):
    path = tmp_path / "file"
    assert_refused(lambda: make().restore(path), f"FileNotFoundError: no checkpoint file at {path}")
    path.write_bytes(b"garbage")
    assert_refused(
        lambda: make().restore(path), f"ValueError: {path} must be a safetensors file, got one"
    )
    oracle.random_network().save(path)
    assert_refused(
        lambda: make().restore(path), f"ValueError: {path} must be an isingprop-checkpoint file"
    )


def test_other_images_after_a_restart_are_refused(assert_refused, checkpoint):
    trainer = make()
    trainer.restore(checkpoint)
    refusal = "ValueError: train_images must be those that the run began with (checksum "
    assert_refused(lambda: trainer.fit(three_classes(seed=1), 1), refusal)
    assert len(trainer.fit(DATA, 1)) == 2


PIXELS = np.full((4, 7), 0.5)


def epoch(pixels, labels):
    return make().train_epoch(pixels, labels)


def evaluate(pixels, labels):
    return make().evaluate(pixels, labels)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (
            lambda: Trainer("W"),
            "TypeError: network must be a BipartiteNetwork or a LayeredNetwork, got str",
        ),
        (lambda: make(sampler=3), "TypeError: sampler must have a method sample(), got int"),
        (lambda: make(num_states=0), "ValueError: num_states must be at least 1, got 0"),
        (lambda: make(num_states=2.0), "TypeError: num_states must be an integer, got 2.0"),
        (
            lambda: make(learning_rate=-1),
            "ValueError: learning_rate must be finite and at least 0, got -1.0",
        ),
        (lambda: make(batch_size=0), "ValueError: batch_size must be at least 1, got 0"),
        (lambda: make(nudge=0), "ValueError: nudge must be finite and above 0, got 0.0"),
        (lambda: make(nudge=True), "TypeError: nudge must be a number, got True"),
        (
            lambda: make(nudge=1e39).fit(DATA, 1),
            "ValueError: nudge must be finite",
        ),  # not as a float32
        (
            lambda: make(skip_correct=True),
            "ValueError: nudge must be a number where skip_correct is True, got None",
        ),
        (lambda: make(skip_correct=1), "TypeError: skip_correct must be True or False, got 1"),
        (
            lambda: make(nudge=1.0, skip_correct="no"),
            "TypeError: skip_correct must be True or False, got 'no'",
        ),
        (
            lambda: make(nudge=1.0, skip_correct=None),
            "TypeError: skip_correct must be True or False, got None",
        ),
        (
            lambda: make(nudge=-1, skip_correct=2),
            "ValueError: nudge must be finite and above 0, got -1.0",
        ),
        (
            lambda: make(skip_correct=2, references=3),
            "TypeError: skip_correct must be True or False, got 2",
        ),
        (lambda: make(num_test_reads=0), "ValueError: num_test_reads must be at least 1, got 0"),
        (lambda: make(seed=-1), "ValueError: seed must be at least 0, got -1"),
        (lambda: make().fit(DATA, 0), "ValueError: epochs must be at least 1, got 0"),
        (
            lambda: epoch(PIXELS[:0], []),
            "ValueError: train_images must have shape (n, 7), got (0, 7)",
        ),
        (
            lambda: epoch(PIXELS[:, 1:], LABELS),
            "ValueError: train_images must have shape (n, 7), got",
        ),
        (
            lambda: epoch(PIXELS, LABELS[1:]),
            "ValueError: train_labels must have shape (4,), got (3,)",
        ),
        (
            lambda: epoch(PIXELS, LABELS + 2),
            "ValueError: train_labels must be in 0 ... 2, got 3 at",
        ),
        (
            lambda: epoch(PIXELS, LABELS * 1.0),
            "TypeError: train_labels must be an array of integers",
        ),
        (
            lambda: evaluate(PIXELS, LABELS - 1),
            "ValueError: test_labels must be in 0 ... 2, got -1 at",
        ),
        (
            lambda: evaluate(PIXELS * 3, LABELS),
            "ValueError: test_images must be in [0, 1], got 1.5",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
