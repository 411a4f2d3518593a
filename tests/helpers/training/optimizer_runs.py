"""Class states by the slow path of any sampler, what a run leaves behind, and notes of updates."""

from collections import namedtuple

from helpers.training.training_runs import bits, without_seconds
from isingprop import ClassStates
from isingprop.training.optimizer import Optimizer
from isingprop.training.phases import Step

Noted = namedtuple("Noted", "pixels step rates averaged before after")


class AsSampler(ClassStates, returns_checked_states=True):
    """Class states that a trainer asks for like the states of any other sampler."""


def copies(network):
    return {name: array.copy() for name, array in network.parameters().items()}


def state_bits(trainer):
    """All that later epochs start from, and the model."""
    optimizer = trainer._optimizer
    arrays = {name: array.tobytes() for name, array in optimizer.state.items()}
    model = {name: array.tobytes() for name, array in trainer.model.parameters().items()}
    return bits(trainer), arrays, optimizer.counts(), model


def run_bits(trainer):
    return *state_bits(trainer), without_seconds(trainer.history)


class Updates:
    """Notes every update, and the parameters after every minibatch."""

    def __init__(self, monkeypatch):
        self.noted, self.minibatches, update, count = (
            [],
            [],
            Optimizer.update,
            Optimizer.count_update,
        )

        def noted_update(optimizer, pixels, step, rates, *, averaged):
            before = copies(optimizer.network)
            update(optimizer, pixels, step, rates, averaged=averaged)
            kept = Step(step.layer, step.free.copy(), step.nudged.copy())
            after = copies(optimizer.network)
            self.noted.append(Noted(pixels.copy(), kept, rates.copy(), averaged, before, after))

        def noted_count(optimizer, number=1):
            count(optimizer, number)
            self.minibatches.append((number, copies(optimizer.network)))

        monkeypatch.setattr(Optimizer, "update", noted_update)
        monkeypatch.setattr(Optimizer, "count_update", noted_count)
