"""Learning rates follow the images wherever a network is trained, and stay as they were given."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

import isingprop as ip
from helpers.cli.cli_runs import isingprop
from helpers.training.deep_runs import deep
from helpers.training.training_runs import DATA, bits, make
from isingprop.training.checkpoints import Checkpoint
from isingprop.util.checked_files import load_tensors, save_tensors

SQUARE = np.square(DATA.train_images.astype(np.float64)).sum(axis=1).mean()


def following(learning_rate=0.05, network=None, **options):
    """A trainer that is given one number."""
    network = network or ip.BipartiteNetwork.random(num_inputs=7, num_hidden=5, num_classes=3)
    options = {"num_states": 2, "seed": 3, **options}
    return ip.Trainer(network, ip.Annealing(5), learning_rate=learning_rate, **options)


def blown_up(images):
    """Digits of 32 x 32 pixels in three equal colours."""
    square = images.reshape(-1, 8, 8).repeat(4, axis=1).repeat(4, axis=2)
    return np.repeat(square.reshape(len(images), -1), 3, axis=1)


ADAM = {"optimizer": "adam", "schedule": "linear", "batch_size": 10, "margin": 5.0}


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("white", [False, True])
def test_ordinary_images_of_3072_pixels_are_learned(white, options):
    """With one literal rate it was 27 %, and 10 % on a white background; 10 % with Adam."""
    digits = ip.load_data("digits")
    parts = [blown_up(each) for each in (digits.train_images, digits.test_images)]
    train, test = [1 - each for each in parts] if white else parts
    images = ip.ImageSet("big", train, digits.train_labels, test, digits.test_labels, 10)
    network = ip.BipartiteNetwork.random(num_inputs=3072, num_hidden=120, num_classes=10)
    history = ip.Trainer(network, ip.Annealing(20), num_states=5, **options).fit(images, 5)
    assert history[-1].test_accuracy > 0.8


@pytest.mark.parametrize("hidden", [(5,), (4, 3)])
def test_one_number_follows_the_images_of_the_first_epoch(hidden):
    network = deep(hidden)
    plain = ip.LearningRates.of(0.05, deep=len(hidden) > 1)
    trainer = following(network=network)
    assert trainer.learning_rates == plain
    trainer.train_epoch(DATA.train_images, DATA.train_labels)
    expected = replace(plain, input_weights=float(np.float32(plain.input_weights * 88 / SQUARE)))
    assert asdict(trainer.learning_rates) == pytest.approx(asdict(expected), rel=1e-6)


def test_the_numbers_are_those_of_the_rates_that_it_stands_for():
    rates = ip.LearningRates.for_images(0.05, DATA.train_images)
    one, two = following(), following(rates)
    assert one.fit(DATA, 2)[-1].train_error_reads == two.fit(DATA, 2)[-1].train_error_reads
    assert bits(one) == bits(two)


def test_rates_by_name_are_literal():
    named = dict.fromkeys(("input_weights", "couplings", "hidden_bias", "output_bias"), 0.05)
    for options in ({}, {"optimizer": "adam"}):
        trainer = following(named, **options)
        trainer.fit(DATA, 1)
        assert trainer.learning_rates == ip.LearningRates.of(0.05)


@pytest.mark.parametrize("size", [22, 44, 440])
@pytest.mark.parametrize("hidden", [(5,), (4, 3)])
def test_steps_of_adam_are_smaller_for_many_pixels(size, hidden):
    images, labels = np.full((2, 4 * size), 0.5, np.float32), np.array([0, 1])
    images[1] /= 2  # the mean sum is 3/8 of the pixels
    network = ip.BipartiteNetwork.random(num_inputs=4 * size, num_hidden=5, num_classes=3)
    if len(hidden) > 1:
        network = ip.LayeredNetwork.random(num_inputs=4 * size, hidden=hidden, num_classes=3)
    trainer = following(0.001, network, optimizer="adam")
    trainer.train_epoch(images, labels)
    plain = ip.LearningRates.of(0.001, deep=len(hidden) > 1)
    expected = plain.input_weights * min(1.0, 110 / (1.5 * size))
    assert trainer.learning_rates.input_weights == pytest.approx(expected, rel=1e-6)
    assert replace(trainer.learning_rates, input_weights=plain.input_weights) == plain


def test_images_of_another_epoch_that_was_undone_do_not_decide(monkeypatch):
    trainer = following()
    trainer._decide_rates(DATA.train_images / 2)  # as before a Ctrl-C
    trainer.fit(DATA, 1)
    assert trainer.learning_rates == ip.LearningRates.for_images(0.05, DATA.train_images)


@pytest.mark.slow
def test_shell_and_trainer_give_the_same_numbers(tmp_path):
    options = ("--recipe", "paper", "--num-states", "2", "--hidden", "20", "--num-train", "100")
    done = isingprop("train", *options, "--epochs", "2", "--out", "run", "--json", cwd=tmp_path)
    images = ip.load_data("digits", num_train=100)
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=20, num_classes=10, seed=0)
    trainer = ip.Trainer(network, ip.Annealing(num_sweeps=30), num_states=2, learning_rate=0.001)
    history = trainer.fit(images, 2)
    assert json.loads(done.stdout)["train_error_reads"] == history[-1].train_error_reads
    saved = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    assert saved.input_weights.tobytes() == network.input_weights.tobytes()


def test_estimator_and_trainer_give_the_same_numbers():
    images = ip.load_data("digits", num_train=100)
    X, y = images.train_images, images.train_labels
    model = ip.IsingClassifier(20, epochs=2, random_state=0).fit(X, y)
    sizes = {"num_inputs": 64, "num_hidden": 20, "num_classes": 10, "coupling_gain": 0.3}
    network = ip.BipartiteNetwork.random(**sizes, seed=model._seed)
    settings = {"optimizer": "adam", "schedule": "linear", "batch_size": 10, "margin": 5.0}
    sampler = ip.ClassStates(network.readout)
    trainer = ip.Trainer(network, sampler, num_states=1, seed=model._seed, **settings)
    for _ in range(2):
        trainer.train_epoch(model._pixels(X.astype(float)), y, 2)
    assert model.network_.input_weights.tobytes() == network.input_weights.tobytes()
    assert model.network_.couplings.tobytes() == network.couplings.tobytes()


# Checkpoints


def test_a_resumed_run_has_the_bits_of_one_that_was_never_stopped(tmp_path):
    whole, first, second = following(), following(), following()
    whole.fit(DATA, 2)
    first.fit(DATA, 1)
    first.save_checkpoint(tmp_path / "checkpoint")
    second.restore(tmp_path / "checkpoint")
    second.fit(DATA, 1)
    assert bits(second) == bits(whole)
    assert second.learning_rates == whole.learning_rates


@pytest.mark.parametrize("rates", [ip.LearningRates.of(0.05), ip.LearningRates(0.3, *3 * [0.05])])
def test_a_checkpoint_keeps_its_rate_of_input_weights(tmp_path, rates):
    """One of before has the literal rate of a number, or that of the shell for the images."""
    before, whole, trainer = following(rates), following(rates), following()
    before.fit(DATA, 1)
    before.save_checkpoint(tmp_path / "checkpoint")
    trainer.restore(tmp_path / "checkpoint")
    assert trainer.learning_rates == rates
    trainer.fit(DATA, 1)
    whole.fit(DATA, 2)
    assert bits(trainer) == bits(whole)


@pytest.mark.parametrize(
    ("saved", "mine"),
    [
        (ip.LearningRates(0.05, 0.05, 0.04, 0.05), 0.05),
        (ip.LearningRates(0.1, 0.05, 0.05, 0.05), ip.LearningRates.of(0.05)),
    ],
)
def test_a_checkpoint_with_other_rates_is_refused(assert_refused, tmp_path, saved, mine):
    before = following(saved)
    before.fit(DATA, 1)
    before.save_checkpoint(tmp_path / "checkpoint")
    refusal = f"ValueError: learning_rates must be {asdict(saved)} as in the checkpoint "
    assert_refused(lambda: following(mine).restore(tmp_path / "checkpoint"), refusal)


def test_a_checkpoint_without_rates_is_refused(assert_refused, tmp_path):
    trainer, path = following(), tmp_path / "checkpoint"
    trainer.save_checkpoint(path)
    tensors, metadata = load_tensors(path, "checkpoint", ())
    settings = json.loads(metadata["settings"]) | {"learning_rates": None}
    save_tensors(path, "checkpoint", tensors, metadata | {"settings": json.dumps(settings)})
    assert Checkpoint.load(path).settings["learning_rates"] is None
    refusal = "ValueError: learning_rates must be None as in the checkpoint "
    assert_refused(lambda: trainer.restore(path), refusal)


# Attributes

FIXED = {
    "learning_rate": 0.1,
    "learning_rates": ip.LearningRates.of(0.1),
    "num_states": 3,
    "sampler": ip.Annealing(3),
    "optimizer": "adam",
    "average_from": 1,
    "network": deep((5,)),
    "seed": 1,
}


@pytest.mark.parametrize("name", FIXED)
def test_arguments_of_a_trainer_cannot_be_changed(name):
    trainer = make()
    before = getattr(trainer, name, None)
    with pytest.raises(AttributeError, match=f"^{name} must stay as it was given to Trainer"):
        setattr(trainer, name, FIXED[name])
    assert getattr(trainer, name, None) is before


def test_other_attributes_are_the_users_own():
    trainer = make()
    trainer.note = "mine"
    assert trainer.note == "mine"
