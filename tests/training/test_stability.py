"""Trainings whose steps are too large to learn from: what is told, when, and where it is not."""

import dataclasses

import numpy as np
import pytest

import isingprop as ip
from helpers.training.training_runs import DATA
from isingprop.training.evaluation import EpochRecord
from isingprop.training.stability import Chance, first_unstable, instability

DIGITS = ip.load_data("digits", num_train=300)
BLOWN_UP, AT_CHANCE = "times as large, with a training error of", "no class was told from another"


def trainer(rate, optimizer="sgd", batch_size=1, hidden=60, **options):
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=hidden, num_classes=10)
    rates = ip.LearningRates.of(0.0)
    if rate > 0:
        rates = ip.LearningRates.for_images(rate, DIGITS.train_images)
    return ip.Trainer(
        network,
        ip.ClassStates(network.readout),
        num_states=1,
        learning_rate=rate if optimizer == "adam" else rates,
        optimizer=optimizer,
        batch_size=batch_size,
        **options,
    )


def warnings_of(run, epochs):
    with pytest.warns(UserWarning, match="training is unstable in epoch") as caught:
        run.fit(DIGITS, epochs)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("rate", [0.5, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [1, 10])
def test_a_mad_rate_is_told_once_in_the_first_epoch(rate, optimizer, batch_size):
    run = trainer(rate, optimizer, batch_size)
    (message,) = warnings_of(run, 3)
    assert message.startswith("training is unstable in epoch 1: the parameters became ")
    assert BLOWN_UP in message
    assert message.endswith(f"; take a smaller learning_rate than {run.learning_rates}")
    assert run.history[0].unstable is True
    assert first_unstable(run.history) == 1


def test_three_epochs_at_chance_are_told():
    run = trainer(0.05)
    (message,) = warnings_of(run, 4)
    assert message.startswith(f"training is unstable in epoch 3: {AT_CHANCE} for 3 epochs, with ")
    assert "and one epoch has changed the parameters by 0." in message
    assert [record.unstable for record in run.history] == [False, False, True, True]


SANE = [
    *({"rate": rate, "optimizer": "sgd", "batch_size": 1} for rate in (1e-5, 1e-3, 3e-3)),
    *({"rate": rate, "optimizer": "sgd", "batch_size": 10} for rate in (1e-5, 1e-3, 0.01)),
    *({"rate": rate, "optimizer": "adam", "batch_size": 10} for rate in (1e-5, 1e-3, 0.01)),
    # States of the label never win by so much, so that the training error stays at 100 %.
    {"rate": 1e-3, "optimizer": "adam", "batch_size": 10, "margin": 1000.0},
    {"rate": 0.0},
]


@pytest.mark.parametrize("options", SANE, ids=str)
def test_trainings_that_learn_or_have_not_begun_to_are_stable(options):
    run = trainer(**options)
    run.fit(DIGITS, 4)
    assert [record.unstable for record in run.history] == [False] * 4
    for _ in range(4):
        run.train_epoch(DIGITS.train_images, DIGITS.train_labels)
    assert first_unstable(run.history) is None


def test_updates_that_rounding_loses_are_told():
    run = trainer(1e-3)
    for array in run.network.parameters().values():
        array *= 1e20
    (message,) = warnings_of(run, 3)
    words = "training is unstable in epoch 3: no update has changed a weight for 3 epochs, with"
    assert message.startswith(words)
    assert message.endswith(f"; take another learning_rate than {run.learning_rates}")


def test_a_resumed_run_has_the_same_column_and_warns_no_more(tmp_path):
    whole, first, second = (trainer(0.05) for _ in range(3))
    (message,) = warnings_of(whole, 5)
    first.fit(DIGITS, 2)
    first.save_checkpoint(tmp_path / "checkpoint")
    second.restore(tmp_path / "checkpoint")
    assert warnings_of(second, 1) == [message]
    second.save_checkpoint(tmp_path / "checkpoint")
    third = trainer(0.05)
    third.restore(tmp_path / "checkpoint")
    third.fit(DIGITS, 2)  # without a warning, which would be an error
    columns = [[record.unstable for record in run.history] for run in (whole, third)]
    assert columns == [[False, False, True, True, True]] * 2


def test_an_epoch_without_a_test_has_the_column_but_no_warning():
    run = trainer(10.0)
    assert run.train_epoch(DIGITS.train_images, DIGITS.train_labels).unstable is True
    run = trainer(0.05)
    for _ in range(3):
        record = run.train_epoch(DIGITS.train_images, DIGITS.train_labels)
    assert record.unstable is True


def test_older_records_have_none():
    defaults = {field.name: field.default for field in dataclasses.fields(EpochRecord)}
    assert defaults["unstable"] is None


def record(epoch, error, norm, accuracy):
    seconds = dict.fromkeys(
        ["seconds_sampling", "seconds_updating", "seconds_testing", "seconds"], 0.0
    )
    kinds = ("input_weights", "couplings", "hidden_bias", "output_bias")
    norms = {f"update_norm_{kind}": norm / 2 for kind in kinds}
    return EpochRecord(epoch, error, error, accuracy, **norms, **seconds)


class TestBounds:
    """By hand, with a network whose parameters have the norm 2."""

    TRAIN, TEST = Chance(0.3, 0.01), Chance(0.4, 0.01)

    def found(self, records, before=2.0, test=TEST, **options):
        run = trainer(1e-3, **options)
        for array in run.network.parameters().values():
            array[...] = 0.0
        run.network.couplings.flat[0] = 2.0
        parameters = {"couplings": np.array([before], np.float32)}
        return instability(run, records, parameters, self.TRAIN, test) or ""

    def test_growth(self):
        assert BLOWN_UP in self.found([record(1, 0.36, 0.0, 0.5)], before=0.199)
        assert "became inf times" in self.found([record(1, 0.36, 0.0, 0.5)], before=0.0)
        assert self.found([record(1, 0.36, 0.0, 0.5)], before=0.201) == ""
        assert self.found([record(1, 0.34, 0.0, 0.5)], before=0.199) == ""

    @pytest.mark.parametrize(
        ("errors", "accuracies", "norms", "is_told"),
        [
            ((0.67, 0.9, 1.0), (0.1, 0.43, 0.3), (0.51, 0.1, 0.1), True),
            ((0.67, 0.9, 1.0), (0.1, 0.43, 0.3), (0.49, 0.1, 0.1), False),
            ((0.66, 0.9, 1.0), (0.1, 0.43, 0.3), (0.51, 0.1, 0.1), False),
            ((0.67, 0.9, 1.0), (0.1, 0.44, 0.3), (0.51, 0.1, 0.1), False),
            ((0.1, 0.67, 0.9, 1.0), (0.9, 0.1, 0.1, 0.1), (0.51, 0.1, 0.1, 0.1), True),
            ((0.67, 0.9), (0.1, 0.1), (0.51, 0.1), False),
        ],
    )
    def test_three_epochs_at_chance(self, errors, accuracies, norms, is_told):
        rows = zip(errors, norms, accuracies, strict=True)
        records = [record(epoch, *row) for epoch, row in enumerate(rows, 1)]
        assert (AT_CHANCE in self.found(records)) == is_told

    def test_a_margin_alone_makes_states_wrong(self):
        untested = [record(epoch, 1.0, 1.0, float("nan")) for epoch in (1, 2, 3)]
        assert AT_CHANCE in self.found(untested, test=None)
        assert self.found(untested, test=None, margin=1.0) == ""

    def test_no_update(self):
        wrong = [record(epoch, 0.1, 0.0, 0.9) for epoch in (1, 2, 3)]
        assert self.found(wrong).startswith("no update has changed a weight for 3 epochs")
        assert self.found([*wrong[:2], record(3, 0.0, 0.0, 0.9)]) == ""
        assert self.found([*wrong[:2], record(3, 0.1, 1e-9, 0.9)]) == ""
        assert self.found(wrong, schedule=lambda done: 0.0) == ""


def test_chance_is_the_most_frequent_class():
    share, deviation = Chance.of(np.array([0, 2, 2, 2]))
    assert (share, deviation) == (0.75, pytest.approx(np.sqrt(0.75 * 0.25 / 4)))
    assert Chance(share, deviation).accuracy == 0.775  # a tenth of what it gets wrong
    assert Chance(0.5, 0.01).accuracy == 0.53  # three standard errors


@pytest.mark.parametrize("progress", [False, True])
def test_a_progress_line_takes_the_place_of_the_warning(capsys, progress):
    run = trainer(10.0)
    if progress:
        run.fit(DIGITS, 2, progress=True)
        lines = [line for line in capsys.readouterr().err.splitlines() if "unstable" in line]
        assert len(lines) == 1
        assert lines[0].startswith("isingprop: training is unstable in epoch 1: ")
    else:
        warnings_of(run, 2)
        assert capsys.readouterr().err == ""


def test_the_classifier_warns():
    X, y = DATA.train_images, DATA.train_labels
    model = ip.IsingClassifier(10, epochs=3, learning_rate=1e4, random_state=0)
    with pytest.warns(UserWarning, match=r"training is unstable in epoch 1: .* than 10000\.0") as w:
        model.fit(X, y)
    assert len(w) == 1
    assert model.history_[0].unstable
