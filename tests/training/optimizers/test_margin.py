"""The margin with one hidden layer: an energy by which the label must win."""

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle, tolerances
from helpers.training.optimizer_runs import AsSampler, Updates
from helpers.training.phase_cases import Spy
from helpers.training.training_runs import DATA, NUM_TRAIN, make
from isingprop import Annealing, ClassStates

NUM_HIDDEN = 5


@pytest.mark.parametrize("redundancy", [1, 2, 4])
def test_the_code_of_the_label_is_lifted_by_the_margin_over_every_other(redundancy):
    """Exactly, for a margin and biases on the grid, whatever the hidden spins."""
    margin, spy = 1.5, Spy(Annealing(2))
    network = oracle.random_network(redundancy=redundancy)
    network.output_bias[...] = oracle.on_grid(network.output_bias)
    trainer = make(spy, network, margin=margin, batch_size=NUM_TRAIN, learning_rate=0.0)
    trainer.train_epoch(DATA.train_images, DATA.train_labels)
    (call,) = spy.calls
    rows, codes = call.problem.streams.astype(int), network.readout.targets(np.arange(3))
    hidden = oracle.random_spins(3, NUM_HIDDEN)
    states = np.concatenate([hidden, codes], axis=1)
    plain = network.problem(DATA.train_images[rows])
    lifts = oracle.energies(call.problem, states) - oracle.energies(plain, states)
    labels = DATA.train_labels[rows]
    own = np.take_along_axis(lifts, labels[:, None], axis=1)
    others = np.arange(3) != labels[:, None]
    np.testing.assert_allclose((own - lifts)[others], margin, rtol=0, atol=tolerances.ENERGY)
    pushes = call.problem.output_fields - plain.output_fields
    assert (pushes == margin / (2 * redundancy) * (codes[labels] > 0)).all()


def test_updates_stop_where_the_label_wins_by_the_margin(monkeypatch):
    """An image changes nothing from when E_label + margin <= E of every other class."""
    updates, margin = Updates(monkeypatch), 2.0
    network = oracle.random_network(num_hidden=12)
    trainer = make(AsSampler(network.readout), network, num_states=1, margin=margin)
    twin = oracle.random_network(num_hidden=12)
    seen = []
    for _ in range(200):
        updates.noted.clear()
        record = trainer.train_epoch(DATA.train_images, DATA.train_labels)
        for noted in updates.noted:
            (row,) = np.flatnonzero(
                (DATA.train_images.astype(np.float32) == noted.pixels).all(axis=1)
            )
            for name, array in twin.parameters().items():
                array[...] = noted.before[name]
            label, (energies,) = DATA.train_labels[row], twin.class_energies(noted.pixels)
            energies[label] += margin
            wins = bool(energies.argmin() == label)
            assert wins == all((noted.before[k] == noted.after[k]).all() for k in noted.before)
            seen.append(wins)
        if record.train_error_lowest == 0:
            break
    assert seen[-NUM_TRAIN:] == NUM_TRAIN * [True]
    assert not all(seen)
    assert record.update_norm_couplings == 0
    energies = network.class_energies(DATA.train_images)
    own = np.take_along_axis(energies, DATA.train_labels[:, None], axis=1)
    lead = (energies - own)[np.arange(3) != DATA.train_labels[:, None]]
    assert lead.min() >= margin - 100 * tolerances.FLOAT32
    without = make(ClassStates(network.readout), network, num_states=1)
    without.train_epoch(DATA.train_images, DATA.train_labels)
    assert without.history[0].train_error_lowest == 0


def test_records_count_states_with_the_margin_and_tests_are_without_it():
    """Labels of all images are the lowest classes, but none of them by so large a margin."""
    network = oracle.random_network()
    for margin, errors in ((0.0, 0.0), (1e4, 1.0)):
        trainer = make(
            ClassStates(network.readout),
            network,
            num_states=1,
            margin=margin,
            learning_rate=0.0,
        )
        labels = network.predict(DATA.train_images)
        record = trainer.train_epoch(DATA.train_images, labels)
        assert record.train_error_lowest == record.train_error_reads == errors
        assert trainer.evaluate(DATA.train_images, labels).accuracy == 1


@pytest.mark.slow
@pytest.mark.parametrize("margin", [1, 5])
@pytest.mark.parametrize("kind", ["class states", "annealing"])
def test_digits_are_learned_with_a_margin(kind, margin):
    images = ip.load_data("digits", num_train=1000, num_test=360)
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=120, num_classes=10, seed=0)
    rates = ip.LearningRates.for_images(0.001, images.train_images)
    sampler, num_states = (
        (ClassStates(network.readout), 1) if kind == "class states" else (Annealing(20), 3)
    )
    trainer = ip.Trainer(
        network,
        sampler,
        num_states=num_states,
        learning_rate=rates,
        margin=margin,
        average_from=2,
        test_sampler=ClassStates(network.readout),
    )
    trainer.fit(images, 5)
    assert trainer.history[-1].test_accuracy > tolerances.DIGITS_ACCURACY
