"""The training methods that the control experiment compares, and their grids of learning rates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from isingprop.paper.common.methods import (
    BACKPROP_RELU,
    BATCH_SIZE,
    CLOSED_FORM,
    CYCLIC,
    DRAGON,
    EQUILIBRIUM,
    MARGIN,
    IsingMethod,
    Method,
)
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.control.control_backpropagation import ScoreMethod
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.cyclic import Cyclic

NUM_ADAM_SWEEPS = 20
NUM_ADAM_STATES = 3
# Steps of half a decade for the paper's rule; steps of 2 or 2.5 for Adam, which is tuned finer.
_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
_ADAM_RATES = (2e-4, 5e-4, 1e-3, 2e-3, 5e-3)
_QUICK_RATES = (3e-3, 1e-2)
_QUICK_ADAM_RATES = (2e-3, 5e-3)

BEST_CLOSED = "class-states-margin"
# Methods that differ in nothing but where their free states come from: sampled, or class states.
SAMPLED_PAIRS = (
    ("dragon-adam", "class-states"),
    ("dragon-margin", BEST_CLOSED),
    ("cyclic-margin", BEST_CLOSED),
    ("equilibrium-margin", BEST_CLOSED),
)
PAPERS = ("dragon", "cyclic", "equilibrium", "backprop-squared")


@dataclass(frozen=True)
class Size:
    """A number of training images, and how long all methods train on them."""

    num_train: int
    epochs: int  #: of trials and runs: short trials favour rates that are too large
    num_folds: int  #: trials of each rate, each with other images held out


def sizes(setup: Setup) -> tuple[Size, ...]:
    """Returns the two sizes; a quick run has the smaller one of few images only.

    Ten epochs of 10,000 images are more than three times as many updates as 30 of 1,000; more of
    them would cost a sampled method minutes per run.
    """
    if setup.quick:
        return (Size(setup.num_train, epochs=4, num_folds=1),)
    small, large = setup.train_sizes
    return (
        Size(small, epochs=30, num_folds=2),
        Size(large, epochs=10, num_folds=1),
    )


def methods_for(epochs: int) -> dict[str, Method]:
    """Returns the methods by name, in the order of tables.

    Methods with Adam average their parameters over the second half of all epochs.
    """
    average_from = epochs // 2 + 1
    margin = replace(CLOSED_FORM, average_from=average_from)
    title = f"margin {MARGIN:g}, Adam"

    def sampled(name: str, like: IsingMethod, num_states: int) -> IsingMethod:
        """Returns a sampled method with all settings of the closed form."""
        sampler = (Cyclic if like is CYCLIC else Annealing)(NUM_ADAM_SWEEPS)
        return replace(
            margin,
            title=f"{name}, m = {num_states}, {title}",
            sampler=sampler,
            num_states=num_states,
            references=like.references,
        )

    dragon = sampled("dragon", DRAGON, NUM_ADAM_STATES)
    scores = BATCH_SIZE, average_from
    return {
        "dragon": DRAGON,
        "cyclic": CYCLIC,
        "equilibrium": EQUILIBRIUM,
        "dragon-adam": replace(dragon, title=f"dragon, m = {NUM_ADAM_STATES}, Adam", margin=0.0),
        "dragon-margin": dragon,
        "cyclic-margin": sampled("cyclic", CYCLIC, CYCLIC.num_states),
        "equilibrium-margin": sampled("equilibrium", EQUILIBRIUM, 1),
        "class-states": replace(margin, title="class states, Adam", margin=0.0),
        BEST_CLOSED: replace(margin, title=f"class states, {title}"),
        "backprop-squared": replace(BACKPROP_RELU, title="backpropagation, squared error"),
        "backprop-hinge": ScoreMethod("backpropagation, hinge, Adam", "hinge", *scores),
        "backprop-entropy": ScoreMethod(
            "backpropagation, cross-entropy, Adam", "cross-entropy", *scores
        ),
    }


def rates_for(setup: Setup) -> dict[str, tuple[float, ...]]:
    """Returns the grid of learning rates of each method."""
    plain, adam = (_QUICK_RATES, _QUICK_ADAM_RATES) if setup.quick else (_RATES, _ADAM_RATES)
    return {name: plain if name in PAPERS else adam for name in methods_for(1)}
