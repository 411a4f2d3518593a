"""The settings that `isingprop train` takes for options that are not given."""

from __future__ import annotations

from typing import Any

from isingprop.estimator.recipes import CLASS_STATES, recipe

# Chips and annealing cycles have the paper's settings: nothing else was tried on them.
_TUNED = ("anneal", "temper")


def recipe_settings(name: str, sampler: str | None, *, deep: bool) -> dict[str, Any]:
    """Returns the settings of `--recipe NAME`, with the name of the sampler.

    Args:
        name: "tuned" or "paper".
        sampler: the one that was asked for, or None.
        deep: whether there is more than one hidden layer, where nothing but the paper's settings,
            and what LayeredNetwork adds to them, was tried.
    """
    if name == "paper" or deep:
        return {"sampler": sampler or "anneal", **recipe("paper")}
    if sampler in (None, CLASS_STATES):
        return {"sampler": CLASS_STATES, **recipe(CLASS_STATES)}
    return {"sampler": sampler, **recipe("sampled" if sampler in _TUNED else "paper")}
