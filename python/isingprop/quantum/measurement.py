"""Measurements of the final state of an anneal: samples of single problems, collected in States."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem
from isingprop.states import States, basis
from isingprop.util.checks import Doubles

# The purposes of a seed, each of which has its own random numbers.
PLAIN, AMPLIFIED = range(2)


class Measurement(NamedTuple):
    """The measured states of one problem."""

    numbers: NDArray[np.int64] | None  #: (R,), numbers of states; None for all 2^N of them
    weights: Doubles | None  #: (R,); None for equal weights
    applications: int | None  #: how often U and U† were applied; None where nothing was sampled
    marked_probability: float  #: |A|^2 in psi = U |+...+>


@dataclass(frozen=True, eq=False)
class FinalState:
    """The final state psi = U |+...+> of the anneal of one problem."""

    probabilities: Doubles  #: (2^N,), of all states
    marked: NDArray[np.bool_] | None  #: (2^N,), which states are marked
    stream: int  #: the number of the problem's random stream

    @cached_property
    def marked_probability(self) -> float:
        """The probability |A|^2 of the marked states."""
        if self.marked is None:
            return 0.0
        return min(float(self.probabilities[self.marked].sum()), 1.0)

    def random(self, seed: int, purpose: int, num_reads: int) -> Doubles:
        """Returns two random numbers in [0, 1) for each read, (R, 2)."""
        # PCG64 takes words of 32 bits.
        words = [
            number >> shift & 0xFFFFFFFF for number in (seed, self.stream) for shift in (0, 32)
        ]
        return np.random.Generator(np.random.PCG64([*words, purpose])).random((num_reads, 2))

    def measured(self, seed: int, num_reads: int) -> Measurement:
        """Returns num_reads measurements of psi."""
        random = self.random(seed, PLAIN, num_reads)[:, 0]
        numbers = sample_numbers(self.probabilities, random)
        return Measurement(numbers, None, num_reads, self.marked_probability)

    def all_states(self) -> Measurement:
        """Returns all states, each weighted by its probability."""
        return Measurement(None, self.probabilities, None, self.marked_probability)


def sample_numbers(probabilities: Doubles, random: Doubles) -> NDArray[np.int64]:
    """Samples numbers of states by inversion of the cumulative distribution.

    Args:
        probabilities: (2^N,), >= 0; they need not sum to 1.
        random: (R,), in [0, 1).

    Returns:
        (R,), in 0 ... 2^N - 1.
    """
    cumulative = probabilities.cumsum()
    last = np.searchsorted(cumulative, cumulative[-1])  # the last state with a probability > 0
    numbers: NDArray[np.int64] = np.minimum(
        np.searchsorted(cumulative, random * cumulative[-1], side="right"), last
    )
    return numbers


def states_of(problem: IsingProblem, measurements: Sequence[Measurement]) -> States:
    """Returns the measurements of all problems, one for each, as States with exact energies.

    `info` holds `applications` (B,), unless all states were returned instead of samples, and
    `marked_probability` (B,) where the problem has marked states.
    """
    info: dict[str, Any] = {}
    applications = None

    if measurements[0].numbers is None:
        spins = np.repeat(basis(problem.num_spins)[None], len(problem), axis=0)
    else:
        numbers = np.stack([each.numbers for each in measurements if each.numbers is not None])
        spins = (2 * (numbers[..., None] >> np.arange(problem.num_spins) & 1) - 1).astype(np.int8)
        applications = np.array([each.applications for each in measurements])
        info["applications"] = applications

    if problem.marked is not None:
        info["marked_probability"] = np.array([each.marked_probability for each in measurements])

    weights = None
    if any(each.weights is not None for each in measurements):
        equal = np.full(spins.shape[1], 1 / spins.shape[1])
        weights = np.stack(
            [equal if each.weights is None else each.weights for each in measurements]
        )

    states = States.trusted(spins, problem.energies(spins), info, weights)
    return states.changed(applications=applications)
