"""A small task, a trainer for it, and what is compared of two trainings."""

from dataclasses import asdict

import numpy as np

from helpers import oracle
from isingprop import Annealing, ImageSet, LearningRates, Trainer

SAMPLER = Annealing(num_sweeps=5)

RATE = 0.05

RATES = {"input_weights": 0.1, "couplings": 0.02, "hidden_bias": 0.03, "output_bias": 0.0}

NUM_TRAIN, NUM_TEST = 23, 11


def three_classes(seed=0):
    """Noisy images whose class shows in the pixels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, NUM_TRAIN + NUM_TEST)
    pixels = 0.5 * random.random((len(labels), 7)) + 0.5 * (np.arange(7) % 3 == labels[:, None])
    parts = zip(np.split(pixels, [NUM_TRAIN]), np.split(labels, [NUM_TRAIN]), strict=True)
    return ImageSet("three", *(array for part in parts for array in part), num_classes=3)


DATA = three_classes()


class Noted:
    """An annealer that notes the problems it gets, and raises `error` at call number `fail_at`."""

    def __init__(self, fail_at=None, error=None):
        self.calls, self.fail_at, self.error = [], fail_at, error

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        if len(self.calls) == self.fail_at:
            raise self.error
        states = SAMPLER.sample(problem, num_reads, seed, initial)
        fields = (
            problem.hidden_fields.copy(),
            problem.output_fields.copy(),
        )  # training changes views
        self.calls.append((problem.streams.astype(int), *fields, seed, states.spins))
        return states


def make(sampler=SAMPLER, network=None, **options):
    """A trainer whose rates are literal, as hand-made updates have them."""
    network = network or oracle.random_network()
    options = {"learning_rate": RATE, "num_states": 2, "seed": 3, **options}
    deep = network.num_hidden_layers > 1
    options["learning_rate"] = LearningRates.of(options["learning_rate"], deep=deep)
    return Trainer(network, sampler, **options)


def bits(trainer):
    return {name: array.tobytes() for name, array in trainer.network.parameters().items()}


def without_seconds(history):
    records = [asdict(record).items() for record in history]
    return [
        {name: value for name, value in items if not name.startswith("seconds")}
        for items in records
    ]
