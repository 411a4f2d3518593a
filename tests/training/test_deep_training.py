"""Training of deep networks: to the bits of the shallow one where there is one hidden layer, and of
a slow twin.
"""

from collections import Counter

import numpy as np
import pytest

import isingprop as ip
from helpers import oracle, tolerances
from helpers.training.deep_networks import slow_changes
from helpers.training.deep_runs import HIDDEN, deep, make_deep
from helpers.training.phase_cases import Spy
from helpers.training.training_runs import (
    DATA,
    NUM_TEST,
    NUM_TRAIN,
    RATES,
    bits,
    make,
    without_seconds,
)
from isingprop import Annealing, Cyclic, LayeredNetwork
from isingprop.training import error_count, minibatches, optimizer
from isingprop.util.checks import seed_for

RATE = 0.05

VARIANTS = {
    "defaults": {},
    "finite nudge": {"nudge": 0.75},
    "correct ones skipped": {"nudge": 2.0, "skip_correct": True, "num_states": 1},
    "references": {"references": "wrong-classes", "sampler": Cyclic(5)},
    "margin": {"margin": 0.3},
    "margin and nudge in batches": {"margin": 0.3, "nudge": 1.5, "batch_size": 3},
    "margin and references": {"margin": 0.3, "references": "wrong-classes"},
    "batches": {"batch_size": 3},
    "all layers": {"active_layers": None},
    "one state": {"num_states": 1},
    "separate rates": {"learning_rate": RATES},
    "beta": {"beta_effective": True, "sampler": Annealing(5, descend=False)},
    "drawn apart": {"nudged_start": "random", "warm_sampler": Annealing(2), "max_spins": 11},
}

DEEP = {
    "two layers": {},
    "all layers": {"active_layers": None},
    "one state": {"num_states": 1, "batch_size": 3},
    "no margin": {"margin": 0.0, "batch_size": 5, "beta_effective": True},
    "drawn apart": {"nudged_start": "random"},
    "all layers, drawn apart": {"nudged_start": "random", "active_layers": None},
    "separate rates": {"learning_rate": RATES, "margin": 2.0},
    "a warm sampler": {"warm_sampler": Annealing(3, (4.0, 8.0))},
}


def one_hidden_layer(seed=0):
    """oracle.random_network as a deep one."""
    twin = oracle.random_network(seed=seed)
    biases = twin.hidden_bias, twin.output_bias
    return LayeredNetwork(twin.input_weights, [twin.couplings], biases, num_classes=3)


def anonymous(trainer):
    """The bits of all parameters, in order, without their names."""
    return list(bits(trainer).values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_hidden_layer_trains_to_the_bits_of_the_shallow_network(tmp_path, variant):
    options, path = {"num_test_reads": 3, **VARIANTS[variant]}, tmp_path / "checkpoint"
    shallow, layered, again = (
        make(network=network, **options) for network in [None, *map(one_hidden_layer, (0, 9))]
    )
    for record in layered.train(DATA, 2):
        if record.epoch == 1:
            layered.save_checkpoint(path)
    again.restore(path)
    again.fit(DATA, 1)
    shallow.fit(DATA, 2)
    assert anonymous(shallow) == anonymous(layered) == anonymous(again)
    histories = [without_seconds(trainer.history) for trainer in (shallow, layered, again)]
    assert histories[0] == histories[1] == histories[2]
    assert (histories[0][-1]["largest_problem"], shallow.problem_shapes) == (
        11,
        layered.problem_shapes,
    )
    assert anonymous(make(network=one_hidden_layer(), **options)) != anonymous(layered), (
        "it has learned"
    )
    assert layered.learning_rates == shallow.learning_rates
    for active_layers in (2, None):
        states = [
            ip.sample_states(
                each.network, Annealing(3), DATA.test_images, 4, seed=8, active_layers=active_layers
            )
            for each in (shallow, layered)
        ]
        assert tolerances.same_bits(*(each.spins for each in states))
        assert tolerances.same_bits(*(each.energies for each in states))
        classes = [
            ip.predict(
                each.network,
                Annealing(3),
                DATA.test_images,
                num_reads=4,
                active_layers=active_layers,
            )
            for each in (shallow, layered)
        ]
        assert tolerances.same_bits(*classes)


class Updates:
    """Notes each update, with the parameters before and after it."""

    def __init__(self, monkeypatch):
        self.noted = []
        true = optimizer.update_in_place

        def update(network, images, free, nudged, rates, weights, layer):
            before = {name: array.copy() for name, array in network.parameters().items()}
            true(network, images, free, nudged, rates, weights, layer)
            after = {name: array.copy() for name, array in network.parameters().items()}
            self.noted.append((layer, images.copy(), free.copy(), nudged.copy(), before, after))

        monkeypatch.setattr(optimizer, "update_in_place", update)


def rate_of(name, rates, top):
    if name == "input_weights":
        return rates.input_weights
    if name.startswith("couplings"):
        return rates.couplings
    return rates.output_bias if name == f"bias_{top + 1}" else rates.hidden_bias


@pytest.mark.parametrize("variant", DEEP)
@pytest.mark.parametrize("hidden", [HIDDEN, (5, 3, 4)])
def test_an_epoch_of_a_deep_network_is_the_slow_twins(monkeypatch, hidden, variant):
    """Every image once in whole minibatches; from the top down; and no parameter moves but those of
    the stage.
    """
    updates, network = Updates(monkeypatch), deep(hidden)
    options = DEEP[variant]
    trainer = make_deep(network=network, **options)
    start = {name: array.copy() for name, array in network.parameters().items()}
    record = trainer.train_epoch(DATA.train_images, DATA.train_labels)
    top, slack = len(hidden), 10 * tolerances.FLOAT32
    stages = [None] if options.get("active_layers", 2) is None else list(range(top, 0, -1))
    assert [layer for layer, *_ in updates.noted] == stages * (len(updates.noted) // len(stages))
    seen = []
    for layer, pixels, free, nudged, before, after in updates.noted:
        changes = slow_changes(layer, network.sizes, pixels, free, nudged)
        for name, array in after.items():
            if name not in changes:
                assert tolerances.same_bits(array, before[name]), name
            else:
                change = rate_of(name, trainer.learning_rates, top) * changes[name]
                np.testing.assert_allclose(array - before[name], change, rtol=0, atol=slack)
        rows = [
            np.flatnonzero((DATA.train_images.astype(np.float32) == image).all(axis=1)).item()
            for image in pixels
        ]
        seen += rows if layer == stages[-1] else []
        if layer in (None, top):
            targets = network.readout.targets(DATA.train_labels[rows])[:, None]
            assert (nudged[..., -network.num_output :] == targets).all()
        assert free.shape[:2] == nudged.shape[:2] == (len(pixels), trainer.num_states)
    assert sorted(seen) == list(range(NUM_TRAIN))
    norms = Counter()
    for name, array in network.parameters().items():
        kind = {"c": "couplings", "i": "input_weights"}.get(name[0], "hidden_bias")
        norms["output_bias" if name == f"bias_{top + 1}" else kind] += float(
            ((array - start[name]) ** 2).sum()
        )
    for kind, square in norms.items():
        assert getattr(record, f"update_norm_{kind}") == pytest.approx(square**0.5, rel=1e-4)
    assert record.largest_problem == max(map(sum, trainer.problem_shapes))


@pytest.mark.parametrize("nudged_start", ["free", "random"])
def test_nudged_states_that_are_drawn_apart_need_no_warm_sampler(nudged_start):
    """For each image two stages of free states, as many of nudged ones that are drawn apart, and
    two backward.
    """
    main, warm = Spy(Annealing(2)), Spy(Annealing(2))
    make_deep(main, warm_sampler=warm, nudged_start=nudged_start).train_epoch(
        DATA.train_images, DATA.train_labels
    )
    calls = {"free": (2, 2), "random": (2 + 2 + 2, 0)}[nudged_start]
    assert (len(main.calls), len(warm.calls)) == (NUM_TRAIN * calls[0], NUM_TRAIN * calls[1])


def test_an_update_raises_the_energy_of_free_states_and_lowers_that_of_nudged_ones(monkeypatch):
    updates, network = Updates(monkeypatch), deep((5, 3, 4))
    trainer = make_deep(network=network, active_layers=None, margin=24.0)
    trainer.train_epoch(DATA.train_images, DATA.train_labels)
    pair = [
        LayeredNetwork.random(num_inputs=7, hidden=(5, 3, 4), num_classes=3, redundancy=2)
        for _ in range(2)
    ]
    moved = 0
    for _, pixels, free, nudged, *both in updates.noted:
        for each, parameters in zip(pair, both, strict=True):
            for name, array in each.parameters().items():
                array[...] = parameters[name]
        gains = [
            (pair[1].energies(pixels, spins) - pair[0].energies(pixels, spins)).mean()
            for spins in (free, nudged)
        ]
        assert gains[0] >= gains[1]
        moved += gains[0] > gains[1]
    assert moved == NUM_TRAIN, "of so large a margin no image is right"


def test_errors_are_of_the_free_states_and_predictions_of_the_lowest(monkeypatch):
    """Recounted from the whole states; the test goes without the margin."""
    kept = []
    true = error_count.ErrorCount.add

    def add(self, states, labels):
        kept.append((states, labels))
        return true(self, states, labels)

    monkeypatch.setattr(error_count.ErrorCount, "add", add)
    network, spy = deep(), Spy(Annealing(5))
    trainer = make_deep(spy, network, margin=400.0, batch_size=4, learning_rate=0.0)
    (record,) = trainer.fit(DATA, 1)
    spins, labels = (
        np.concatenate([states.spins for states, _ in kept]),
        np.concatenate([each for _, each in kept]),
    )
    wrong = network.readout.predict(spins[..., network.num_hidden :]) != labels[:, None]
    assert record.train_error_reads == pytest.approx(wrong.mean())
    assert record.train_error_reads == 1, "of so large a margin"
    plain = make_deep(network=network, margin=0.0, num_test_reads=10).evaluate(
        DATA.test_images, DATA.test_labels
    )
    assert record.test_accuracy == plain.accuracy
    lowest = ip.predict(
        network, Annealing(5), DATA.test_images, num_reads=10, seed=spy_seed(trainer)
    )
    assert record.test_accuracy == (lowest == DATA.test_labels).mean()
    assert len(lowest) == NUM_TEST


def spy_seed(trainer):
    return seed_for(trainer.seed, minibatches.TEST, 0)


@pytest.mark.parametrize("variant", DEEP)
def test_a_resumed_deep_run_has_the_bits_of_one_never_stopped(tmp_path, variant):
    options, path = DEEP[variant], tmp_path / "checkpoint"
    whole, first = make_deep(**options), make_deep(**options)
    second = make_deep(Annealing(5, num_threads=2), deep(seed=9), **options)
    whole.fit(DATA, 3)
    first.fit(DATA, 2)
    first.save_checkpoint(path)
    second.restore(path)
    assert (bits(second), second.history) == (bits(first), first.history)
    second.fit(DATA, 1)
    assert bits(second) == bits(whole)
    assert without_seconds(second.history) == without_seconds(whole.history)
    assert bits(whole) != bits(make_deep(**options))
    path = tmp_path / "model"
    whole.network.save(path)
    loaded = LayeredNetwork.load(path)
    accuracy = (
        make_deep(network=loaded, **options).evaluate(DATA.test_images, DATA.test_labels).accuracy
    )
    assert accuracy == whole.history[-1].test_accuracy


@pytest.mark.parametrize("active_layers", [2, None])
def test_same_bits_on_every_kernel_and_number_of_threads(on_every_kernel, active_layers):
    def trained():
        runs = [
            make_deep(
                Annealing(5, num_threads=n),
                deep((17, 16)),
                batch_size=3,
                active_layers=active_layers,
            )
            for n in (1, 2, 7)
        ]
        return [(without_seconds(run.fit(DATA, 2)), bits(run)) for run in runs]

    results = [each for results in on_every_kernel(trained) for each in results]
    assert all(result == results[0] for result in results)
