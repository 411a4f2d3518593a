"""Recipes: settings of training that go together.

The tuned ones were chosen on held-out training images of MNIST, 1,000 and 10,000 of them.
"""

from __future__ import annotations

from typing import Any, Literal

from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.protocol import Sampler

RecipeName = Literal["class-states", "sampled", "paper"]

CLASS_STATES: RecipeName = "class-states"
BATCH_SIZE = 10  # of the tuned recipes

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
    "batch_size": BATCH_SIZE,
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
