"""Recipes: settings of training that go together.

The tuned ones were chosen on held-out training images of MNIST, 1,000 and 10,000 of them.
"""

from __future__ import annotations

from typing import Any, Literal

from isingprop.network.base_network import Floats32
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.protocol import Sampler
from isingprop.training.learning_rule import LearningRates
from isingprop.training.optimizer import ADAM

RecipeName = Literal["class-states", "sampled", "paper"]

CLASS_STATES: RecipeName = "class-states"

# Of Trainer by name, but for num_sweeps, which is the sampler's, and coupling_gain, the network's.
_PAPER: dict[str, Any] = {
    "num_states": 20,
    "num_sweeps": 30,
    "learning_rate": 0.001,
    "batch_size": 1,
    "optimizer": "sgd",
    "schedule": "constant",
    "margin": None,
    "average_from": None,
    "coupling_gain": 1.0,
}
_SAMPLED = _PAPER | {
    "num_states": 3,
    "num_sweeps": 20,
    "batch_size": 10,
    "optimizer": "adam",
    "schedule": "linear",
    "margin": 2.0,
    "coupling_gain": 0.3,
}
_RECIPES: dict[RecipeName, dict[str, Any]] = {
    CLASS_STATES: _SAMPLED | {"num_states": 1, "margin": 5.0},
    "sampled": _SAMPLED,
    "paper": _PAPER,
}


def recipe(name: RecipeName) -> dict[str, Any]:
    """Returns a copy of the settings of a recipe, by the names of their options."""
    return dict(_RECIPES[name])


def recipe_for(sampler: Sampler | None) -> RecipeName:
    """Returns the name of the tuned recipe for a sampler; None stands for class states."""
    return CLASS_STATES if sampler is None or isinstance(sampler, ClassStates) else "sampled"


def rates_of(settings: dict[str, Any], images: Floats32, *, deep: bool = False) -> LearningRates:
    """Returns the learning rates that settings mean for images.

    The steps of Adam have the size of the rate, however bright the images are.
    """
    if settings["optimizer"] == ADAM:
        return LearningRates.of(settings["learning_rate"], deep=deep)
    return LearningRates.for_images(settings["learning_rate"], images, deep=deep)
