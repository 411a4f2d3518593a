"""Training: its bookkeeping against a slow twin, resuming, being interrupted."""

from dataclasses import asdict
from itertools import chain

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.training.known_states import (
    ENERGIES,
    LABELS,
    LOWEST_CLASSES,
    OUTPUTS,
    WRONG_LOWEST,
    WRONG_READS,
    Stub,
)
from helpers.training.training_runs import (
    DATA,
    NUM_TRAIN,
    RATE,
    RATES,
    Noted,
    bits,
    make,
    without_seconds,
)
from isingprop import Annealing, ImageSet, LearningRates, States
from isingprop.network.bipartite import PARAMETERS

VARIANTS = {
    "dragon": {"num_states": 4},
    "equilibrium propagation": {"num_states": 1},
    "finite nudge": {"num_states": 3, "nudge": 0.75},
    "batches": {"num_states": 2, "batch_size": 5},
    "batches, finite nudge": {"num_states": 2, "batch_size": 7, "nudge": 2.0},
    "separate rates": {"num_states": 2, "learning_rate": RATES},
}

RESUMED = {
    **VARIANTS,
    "correct ones skipped": {"num_states": 1, "nudge": 2.0, "skip_correct": True},
    "correct ones skipped in batches": {
        "num_states": 2,
        "batch_size": 3,
        "nudge": 2.0,
        "skip_correct": True,
    },
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_epoch_is_the_slow_twins(variant):
    options, sampler = VARIANTS[variant], Noted()
    trainer = make(sampler, **options)
    twin = {name: array.astype(np.float64) for name, array in trainer.network.parameters().items()}
    rates, nudge = (
        asdict(LearningRates.of(options.get("learning_rate", RATE))),
        options.get("nudge"),
    )
    record = trainer.train_epoch(DATA.train_images, DATA.train_labels)
    order, slack = [], 10 * tolerances.FLOAT32  # of fields and parameters, which stay below 10
    calls = iter(sampler.calls)
    for rows, hidden_fields, output_fields, _, free in calls:
        order.append(rows.tolist())
        pixels, targets = (
            DATA.train_images[rows],
            trainer.network.readout.targets(DATA.train_labels[rows]),
        )
        fields = twin["hidden_bias"] + pixels @ twin["input_weights"].T
        np.testing.assert_allclose(hidden_fields, fields, rtol=0, atol=slack)
        np.testing.assert_allclose(output_fields, twin["output_bias"][None], rtol=0, atol=slack)
        if nudge is None:
            hidden = np.where(fields + targets @ twin["couplings"].T > 0, -1, 1)
            nudged = np.concatenate([hidden, targets], axis=1)[:, None]
        else:
            same_rows, same_fields, pulled, _, nudged = next(calls)
            assert same_rows.tolist() == rows.tolist()
            np.testing.assert_array_equal(same_fields, hidden_fields)
            np.testing.assert_allclose(pulled, output_fields - nudge * targets, rtol=0, atol=slack)
            assert nudged.shape[1] == 1
        assert free.shape[1] == options["num_states"]
        for name, change in oracle.slow_gradient(pixels, free, nudged, 5).items():
            twin[name] += rates[name] * change
    for name, array in trainer.network.parameters().items():
        np.testing.assert_allclose(array, twin[name], rtol=0, atol=slack)
        change = np.linalg.norm(twin[name] - getattr(oracle.random_network(), name))
        assert abs(getattr(record, f"update_norm_{name}") - change) < slack * array.size**0.5
    batch_size = options.get("batch_size", 1)
    assert [len(rows) for rows in order[:-1]] == [batch_size] * (len(order) - 1)
    assert sorted(chain(*order)) == list(range(NUM_TRAIN)) != list(chain(*order))


def test_every_purpose_and_epoch_has_a_seed_and_an_order_of_its_own():
    sampler = Noted()
    make(sampler, nudge=1.0, seed=0).fit(DATA, 2)
    per_epoch = 2 * NUM_TRAIN + 1  # free and nudged for each image, then the test
    epochs = sampler.calls[:per_epoch], sampler.calls[per_epoch:]
    phases = [epoch[first:-1:2] for epoch in epochs for first in (0, 1)]
    seeds = [{call[3] for call in phase} for phase in phases]
    tests = {epoch[-1][3] for epoch in epochs}
    assert [len(each) for each in seeds] == [1, 1, 1, 1]
    assert len(tests) == 1
    assert len(tests.union(*seeds)) == 1 + 4
    assert len({tuple(int(call[0][0]) for call in phase) for phase in phases}) == 2


def test_errors_and_accuracy_are_those_of_the_known_states():
    network = oracle.random_network(3, 2, num_classes=2, redundancy=2)
    images = np.zeros((4, 3))
    data = ImageSet("four", images, LABELS, images, LABELS, num_classes=2)
    trainer = make(Stub(OUTPUTS, ENERGIES), network, learning_rate=0.0, num_test_reads=2)
    (record,) = trainer.fit(data, 1)
    errors = record.train_error_reads, record.train_error_lowest
    assert (record.epoch, *errors) == (1, WRONG_READS, WRONG_LOWEST)
    assert record.test_accuracy == np.mean(np.array(LOWEST_CLASSES) == LABELS)
    assert trainer.evaluate(images, LABELS).accuracy == record.test_accuracy
    assert trainer.evaluate(images, LABELS).unclassified == LOWEST_CLASSES.count(-1) / 4
    assert all(getattr(record, f"update_norm_{name}") == 0 for name in PARAMETERS)


def test_it_learns_and_keeps_the_time(capsys):
    history = make(Annealing(30), num_states=10).fit(DATA, 10)
    assert [record.epoch for record in history] == list(range(1, 11))
    assert history[-1].train_error_reads < history[0].train_error_reads / 2
    for record in history:
        assert min(record.seconds_sampling, record.seconds_updating, record.seconds_testing) > 0
        assert (
            abs(record.seconds - record.seconds_sampling - record.seconds_updating)
            < tolerances.ENERGY
        )
    assert capsys.readouterr() == ("", ""), "progress is shown where it is asked for"


class Known:
    """States that depend on nothing but the number of the image and the phase, which is free if it
    has 3 reads.

    The free outputs of an image are n[y]; or, by its number modulo 4: 1 other than n[y] in one spin
    of one read, 2 in all. The nudged state is `nudged`, or the free state of a correct image where
    `at_rest`.
    """

    num_reads = 3

    def __init__(self, network, labels, at_rest):
        targets, random = network.readout.targets(labels), np.random.default_rng(5)
        hidden = np.where(random.random((2, len(labels), 1, network.num_hidden)) < 0.5, -1, 1)
        outputs = np.repeat(targets[:, None], self.num_reads, axis=1)
        outputs[1::4, 1, 0] *= -1
        outputs[2::4] *= -1
        self.free = np.concatenate([np.repeat(hidden[0], self.num_reads, axis=1), outputs], axis=2)
        self.correct = (outputs == targets[:, None]).all(axis=(1, 2))
        self.nudged = np.concatenate([hidden[1], -targets[:, None]], axis=2)
        if at_rest:
            self.nudged[self.correct] = self.free[self.correct][:, :1]
        self.asked = []

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        rows = problem.streams.astype(int)
        self.asked += [(row, num_reads) for row in rows]
        spins = (self.free if num_reads == self.num_reads else self.nudged)[rows].astype(np.int8)
        return States(spins, problem.energies(spins))


@pytest.mark.parametrize("batch_size", [1, 4, NUM_TRAIN])
def test_a_correct_image_changes_nothing_and_the_others_change_all_that_they_would_have(batch_size):
    """As in a network that is not told to skip, but gets the free states of correct images as
    nudged ones.

    To the last bit, but in batches, where the nudged reads are repeated and sums are rounded
    otherwise.
    """
    runs = {}
    for skip, at_rest in ((True, False), (False, True), (False, False)):
        network = oracle.random_network()
        sampler = Known(network, DATA.train_labels, at_rest)
        trainer = make(
            sampler, network, num_states=3, nudge=1.0, skip_correct=skip, batch_size=batch_size
        )
        trainer.train_epoch(DATA.train_images, DATA.train_labels)
        runs[skip, at_rest] = trainer
    assert 0 < sampler.correct.sum() < NUM_TRAIN
    assert batch_size > 1 or bits(runs[True, False]) == bits(runs[False, True])
    for name, array in runs[True, False].network.parameters().items():
        same, other = (getattr(runs[False, at_rest].network, name) for at_rest in (True, False))
        np.testing.assert_allclose(array, same, rtol=0, atol=10 * tolerances.FLOAT32)
        assert np.abs(array - other).max() > RATE / NUM_TRAIN


def test_nothing_is_sampled_to_nudge_a_correct_image():
    network = oracle.random_network()
    sampler = Known(network, DATA.train_labels, at_rest=False)
    trainer = make(sampler, network, num_states=3, nudge=1.0, skip_correct=True)
    trainer.train_epoch(DATA.train_images, DATA.train_labels)
    free = [(row, 3) for row in range(NUM_TRAIN)]
    nudged = [(row, 1) for row in np.flatnonzero(~sampler.correct)]
    assert sorted(sampler.asked) == sorted(free + nudged)


@pytest.mark.parametrize("batch_size", [1, 4, NUM_TRAIN])
def test_images_that_are_all_correct_leave_the_bits_of_the_network(batch_size):
    network = oracle.random_network()
    sampler, before = Known(network, DATA.train_labels, at_rest=False), bits(make(network=network))
    sampler.free[:, :, network.num_hidden :] = network.readout.targets(DATA.train_labels)[:, None]
    trainer = make(
        sampler, network, num_states=3, nudge=1.0, skip_correct=True, batch_size=batch_size
    )
    record = trainer.train_epoch(DATA.train_images, DATA.train_labels)
    assert bits(trainer) == before
    assert (record.train_error_reads, record.update_norm_couplings) == (0, 0)
    assert sorted(sampler.asked) == [(row, 3) for row in range(NUM_TRAIN)]


@pytest.mark.parametrize("num_states", [1, 3])
def test_with_a_sampler_the_correct_images_are_found_anew_in_every_epoch(num_states):
    sampler = Noted()
    trainer = make(sampler, num_states=num_states, nudge=2.0, skip_correct=True)
    for _ in range(4):
        trainer.train_epoch(DATA.train_images, DATA.train_labels)
    calls, skipped = iter(sampler.calls), 0
    for rows, _, _, seed, free in calls:
        correct = (
            free[:, :, 5:] == trainer.network.readout.targets(DATA.train_labels[rows])[:, None]
        ).all()
        skipped += int(correct)
        if not correct:
            nudged_rows, _, _, nudged_seed, nudged = next(calls)
            assert (nudged_rows.tolist(), nudged.shape[1]) == (rows.tolist(), 1)
            assert nudged_seed != seed
    assert 0 < skipped < 4 * NUM_TRAIN
    assert len(sampler.calls) == 2 * 4 * NUM_TRAIN - skipped


@pytest.mark.parametrize("variant", RESUMED)
def test_a_resumed_run_has_the_bits_of_one_never_stopped(tmp_path, variant):
    options, path = RESUMED[variant], tmp_path / "checkpoint"
    whole, first = make(**options), make(**options)
    second = make(Annealing(5, num_threads=2), oracle.random_network(seed=9), **options)
    whole.fit(DATA, 3)
    for record in first.train(DATA, 2):
        assert record is first.history[-1]
        first.save_checkpoint(path)
    second.restore(path)
    assert (bits(second), second.history) == (bits(first), first.history)
    second.fit(DATA, 1)
    assert bits(second) == bits(whole)
    assert without_seconds(second.history) == without_seconds(whole.history)
    first.fit(DATA, 1)
    assert bits(first) == bits(whole)


def test_same_bits_on_every_kernel_and_number_of_threads(on_every_kernel):
    def trained():
        runs = [make(Annealing(5, num_threads=n), nudge=1.0, batch_size=3) for n in (1, 2, 3, 7)]
        return [(without_seconds(run.fit(DATA, 2)), bits(run)) for run in runs]

    results = list(chain(*on_every_kernel(trained)))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("moment", [10, NUM_TRAIN], ids=["in its middle", "in its test"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no states")], ids=repr)
def test_an_epoch_that_breaks_off_is_undone(error, moment):
    sampler = Noted(NUM_TRAIN + 1 + moment, error)  # in the second epoch
    trainer, one, two = make(sampler), make(), make()
    with pytest.raises(type(error)) as caught:
        trainer.fit(DATA, 2)
    assert caught.value is error
    assert error.__notes__[-1].startswith(
        "isingprop: epoch 2 was undone, the network is as epoch 1 left it; to resume"
    )
    assert len(trainer.history) == 1
    one.fit(DATA, 1)
    assert bits(trainer) == bits(one)
    sampler.fail_at = None
    trainer.fit(DATA, 1)
    two.fit(DATA, 2)
    assert bits(trainer) == bits(two)
    assert without_seconds(trainer.history) == without_seconds(two.history)


def test_a_bad_pixel_leaves_no_trace(assert_refused):
    images, trainer = DATA.train_images.copy(), make()
    images[-1, 2] = 1.5
    before = bits(trainer)
    refusal = f"ValueError: train_images must be in [0, 1], got 1.5 at index ({len(images) - 1}, 2)"
    assert_refused(lambda: trainer.train_epoch(images, DATA.train_labels), refusal)
    assert (bits(trainer), trainer.history) == (before, [])
