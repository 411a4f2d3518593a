"""Trainers of deep networks on the small task."""

from helpers.training.training_runs import make
from isingprop import Annealing, LayeredNetwork

HIDDEN = (5, 4)


def deep(hidden=HIDDEN, seed=0):
    return LayeredNetwork.random(
        num_inputs=7, hidden=hidden, num_classes=3, redundancy=2, seed=seed
    )


def make_deep(sampler=Annealing(5), network=None, **options):  # noqa: B008 (frozen)
    return make(sampler, network or deep(), **options)
