"""Small data and models for the trainer of energy-based models."""

import numpy as np

from helpers import energy_oracle, tolerances
from isingprop.energy_model.mlp import PARAMETERS


def start(num_inputs=4, num_hidden=6, num_outputs=2, *, seed=0):
    return energy_oracle.random_energy_model(
        num_inputs, num_hidden, num_outputs, seed=seed, scale=0.1
    )


def data(count=12, num_inputs=4, num_outputs=2, *, seed=0):
    """Each output says which of two inputs is larger: a line divides its two classes."""
    x = np.random.default_rng([seed, count]).random((count, num_inputs))
    return x, np.stack([x[:, m] > x[:, m + 1] for m in range(num_outputs)], axis=1).astype(np.int8)


def last(trainer, x, y, count):
    return list(trainer.steps(x, y, count))[-1]


def arrays(model):
    return [getattr(model, name) for name in PARAMETERS]


def same(*models):
    return all(tolerances.same_bits(*each) for each in zip(*map(arrays, models), strict=True))
