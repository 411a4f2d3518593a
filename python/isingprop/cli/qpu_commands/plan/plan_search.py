"""The search for the best plan: every choice that a budget pays for, by its expected error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple, TypeAlias

# Images cost nothing, so that a pass over more of them is better than many over fewer.
_EPOCHS_OF_FEWER = 2


class Choice(NamedTuple):
    """What decides the price of a training run."""

    num_images: int
    epochs: int
    batch_size: int
    num_states: int
    annealing_time: float  #: us


class Expected(NamedTuple):
    """An expected test error, as a fraction, with its standard error."""

    error: float
    standard_error: float


@dataclass(frozen=True)
class Levels:
    """The values that a plan may choose from."""

    num_images: tuple[int, ...]
    epochs: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    num_states: tuple[int, ...]
    annealing_times: tuple[float, ...]  #: us

    def choices(self) -> Iterator[Choice]:
        """Yields all combinations, but several epochs only of all images, or two of fewer."""
        for choice in map(Choice._make, product(*vars(self).values())):
            if choice.epochs <= _EPOCHS_OF_FEWER or choice.num_images == max(self.num_images):
                yield choice


@dataclass(frozen=True)
class Priced:
    """A choice with its calls and its seconds of QPU access time."""

    choice: Choice
    calls: int
    seconds: float


@dataclass(frozen=True)
class Plan(Priced):
    """A priced choice with the test error that is expected of it."""

    expected: Expected


#: Calls and seconds of one epoch, from images, batch size, states and annealing time in us.
EpochPrice: TypeAlias = Callable[[int, int, int, float], tuple[int, float]]


def affordable(levels: Levels, epoch_price: EpochPrice, budget: float) -> list[Priced]:
    """Returns all choices that cost at most `budget` seconds."""
    price = lru_cache(maxsize=None)(epoch_price)
    found = []

    for choice in levels.choices():
        num_images, epochs, *rest = choice
        calls, seconds = price(num_images, *rest)
        if epochs * seconds <= budget:
            found.append(Priced(choice, epochs * calls, epochs * seconds))
    return found


def ranked(
    priced: Iterable[Priced],
    expected: Callable[[Choice], Expected],
    target: float | None = None,
) -> list[Plan]:
    """Returns plans, the best first.

    Args:
        priced: the choices.
        expected: gives the expected error of a choice.
        target: None ranks by the lowest expected error, and by cost where that is the same. An
            error ranks the plans that are expected to reach it by the lowest cost, and leaves out
            all others.
    """
    plans = [Plan(each.choice, each.calls, each.seconds, expected(each.choice)) for each in priced]
    if target is None:
        return sorted(plans, key=lambda plan: (plan.expected.error, plan.seconds))

    reached = [plan for plan in plans if plan.expected.error <= target]
    return sorted(reached, key=lambda plan: (plan.seconds, plan.expected.error))
