"""Part (a) of the study of coherent training: how often U must be applied until a wrong state is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, interval_of
from isingprop.data.load import ImageSet
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.paper.coherent_training.coherent_jobs import (
    Sizes,
    marked_problem,
    networks,
    wrong_probability,
)
from isingprop.paper.common.jobs import Arrays
from isingprop.problem import IsingProblem
from isingprop.quantum.amplification import applications, best_iterations, grover_success
from isingprop.quantum.amplified_anneal import amplify
from isingprop.samplers import Amplified, Coherent

LEAST_AMPLITUDE, MOST_AMPLITUDE = 5e-3, 0.7
MOST_FITTED = 0.3  # from there on the laws of small |A| do not hold
LEAST_INSTANCES = 5  # that an exponent is fitted to
WAYS = {
    "repetition": "repetition",
    "grover": "Grover, A known",
    "fixed_point": "fixed point, A unknown",
}
EXPECTED = {"repetition": -2, "grover": -1, "fixed_point": -1}


class Instance(NamedTuple):
    """One image of one network, and its anneal."""

    amplitude: float
    epoch: int
    total_time: float
    problem: IsingProblem


@dataclass(frozen=True)
class Search:
    """Counts the applications of U and U† until a wrong state is seen, for images of a network in training.

    Its result has, for each of some instances with |A| from 0.005 to 0.7: amplitude, epoch, total_time; repetition,
    grover and fixed_point, each a mean over the repetitions; success, sin^2((2k + 1) arcsin |A|) for the best k, and
    amplified, what `amplify` makes of U and U† step by step.
    """

    sizes: Sizes
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains, chooses, and counts."""
        all_instances = list(self._instances(images))
        chosen = evenly_spread(
            np.array([each.amplitude for each in all_instances]), self.sizes.num_instances
        )
        random = np.random.default_rng(self.seed)
        rows = [self._counts(all_instances[k], random) for k in chosen]
        names = ("amplitude", "epoch", "total_time", *WAYS, "success", "amplified")
        return dict(zip(names, np.array(rows).reshape(len(rows), len(names)).T, strict=True))

    def _instances(self, images: ImageSet) -> Iterator[Instance]:
        for epoch, network in networks(images, self.sizes, self.sizes.search_epochs, self.seed):
            kept = BipartiteNetwork(**network.parameters(), num_classes=network.num_classes)
            problem = marked_problem(kept, images)
            for total_time in self.sizes.search_times:
                amplitudes = np.sqrt(wrong_probability(problem, Coherent(total_time)))
                for k, amplitude in enumerate(amplitudes.tolist()):
                    yield Instance(amplitude, epoch, total_time, problem[k : k + 1])

    def _counts(self, instance: Instance, random: np.random.Generator) -> tuple[float, ...]:
        amplitude, _, total_time, problem = instance
        num_iterations = best_iterations(amplitude)
        success = grover_success(amplitude, num_iterations)
        shots = random.geometric(amplitude**2, self.sizes.repetitions)
        tries = random.geometric(success, self.sizes.repetitions)
        unknowing = Amplified(total_time, method="fixed-point")
        states = unknowing.sample(problem, num_reads=self.sizes.repetitions, seed=self.seed)
        fixed_point = states.info["applications"][0] / self.sizes.repetitions
        counts = (
            float(shots.mean()),
            applications(num_iterations) * float(tries.mean()),
            float(fixed_point),
        )
        return *instance[:3], *counts, success, self._amplified(problem, unknowing, num_iterations)

    def _amplified(self, problem: IsingProblem, sampler: Coherent, num_iterations: int) -> float:
        """The success probability of Grover's iterations, run literally on the problem as the sampler scales it."""
        (scaled,) = sampler.scaled(problem)
        steps = {"total_time": sampler.total_time, "num_steps": sampler.settings()["num_steps"]}
        return amplify(
            scaled, **steps, num_iterations=num_iterations, num_threads=1
        ).success_probability


def evenly_spread(amplitudes: NDArray[np.float64], number: int) -> list[int]:
    """Which of them are nearest to values spread evenly in log |A|; none is taken twice.

    Of those in the range, or of all where none is in it.
    """
    inside = np.flatnonzero(
        (amplitudes >= LEAST_AMPLITUDE) & (amplitudes <= MOST_AMPLITUDE)
    ).tolist()
    left = inside or list(range(len(amplitudes)))
    if len(left) <= number:
        return left
    logs = np.log(amplitudes)
    chosen = []
    for wanted in np.linspace(logs[left].min(), logs[left].max(), number):
        nearest = min(left, key=lambda k: abs(logs[k] - wanted))
        left.remove(nearest)
        chosen.append(nearest)
    return chosen


@dataclass(frozen=True, eq=False)
class Searches:
    """What came of the searches of all seeds."""

    seeds: list[Arrays]

    def few(self) -> list[int]:
        """How many instances there are to fit, for each seed with too few of them."""
        counts = [int(fitted(own).sum()) for own in self.seeds]
        return [count for count in counts if count < LEAST_INSTANCES]

    def exponent(self, way: str) -> Interval:
        """Of the count against |A|, by least squares of logarithms, over the seeds that have enough to fit."""
        slopes = []
        for own in self.seeds:
            rows = fitted(own)
            if rows.sum() >= LEAST_INSTANCES:
                slopes.append(
                    np.polyfit(np.log(own["amplitude"][rows]), np.log(own[way][rows]), 1)[0]
                )
        return interval_of(slopes or [np.nan])

    def all(self, name: str) -> NDArray[np.float64]:
        """Of all seeds together."""
        return np.concatenate([own[name] for own in self.seeds])

    def largest_difference(self) -> float:
        """Between the success probability of `amplify` and the closed form."""
        return float(np.abs(self.all("amplified") - self.all("success")).max())

    def prefactor(self, way: str, power: float) -> float:
        """c of count = c |A|^power: the line with this slope through what is fitted, of which there is some."""
        rows = self.all("amplitude") < MOST_FITTED
        logs = np.log(self.all(way)[rows]) - power * np.log(self.all("amplitude")[rows])
        return float(np.exp(logs.mean()))


def fitted(own: Arrays) -> NDArray[np.bool_]:
    """Which instances exponents are fitted to."""
    small: NDArray[np.bool_] = own["amplitude"] < MOST_FITTED
    return small
