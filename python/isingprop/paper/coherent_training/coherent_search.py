"""Part (a) of the study of coherent training: applications of U until a wrong state is seen."""

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
from isingprop.samplers.amplified import Amplified
from isingprop.samplers.coherent_annealing import Coherent

MIN_AMPLITUDE, MAX_AMPLITUDE = 5e-3, 0.7  # of the instances that are searched
FITTED_BELOW = 0.3  # exponents are fitted to smaller |A|: the power laws hold only there
MIN_INSTANCES = 5  # an exponent is fitted to no fewer

#: The titles of the strategies for finding a wrong state; the names are columns of the CSV file.
STRATEGIES = {
    "repetition": "repetition",
    "grover": "Grover, A known",
    "fixed_point": "fixed point, A unknown",
}
#: The exponent of |A| that the number of applications should follow.
EXPECTED_EXPONENTS = {"repetition": -2, "grover": -1, "fixed_point": -1}


class Instance(NamedTuple):
    """The problem of one image and one network, with the anneal that it is searched with."""

    amplitude: float
    epoch: int
    total_time: float
    problem: IsingProblem


@dataclass(frozen=True)
class Search:
    """Job that counts the applications of U and U† until a wrong state is seen.

    The instances are images of a network in training, with |A| from MIN_AMPLITUDE to MAX_AMPLITUDE.

    The result holds one number for each instance in each of these arrays:

    - amplitude, epoch, total_time: |A|, the epoch of the network and the time of the anneal;
    - repetition, grover, fixed_point: the number of applications, a mean over the repetitions;
    - success: sin^2((2k + 1) arcsin |A|), the success probability of the best number k of Grover
      iterations in closed form;
    - amplified: the same probability as `amplify` finds it, applying U and U† step by step.
    """

    sizes: Sizes
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains a network, chooses instances, and counts the applications for each."""
        instances = list(self._instances(images))
        amplitudes = np.array([instance.amplitude for instance in instances])
        chosen = evenly_spread(amplitudes, self.sizes.num_instances)

        random = np.random.default_rng(self.seed)
        rows = [self._counts(instances[k], random) for k in chosen]

        names = ("amplitude", "epoch", "total_time", *STRATEGIES, "success", "amplified")
        return dict(zip(names, np.array(rows).reshape(len(rows), len(names)).T, strict=True))

    def _instances(self, images: ImageSet) -> Iterator[Instance]:
        """Yields every image with every annealing time after each of the chosen epochs."""
        for epoch, network in networks(images, self.sizes, self.sizes.search_epochs, self.seed):
            # Training goes on with the same arrays, so the problem gets a copy of them.
            kept = BipartiteNetwork(**network.parameters(), num_classes=network.num_classes)
            problem = marked_problem(kept, images)
            for total_time in self.sizes.search_times:
                amplitudes = np.sqrt(wrong_probability(problem, Coherent(total_time)))
                for k, amplitude in enumerate(amplitudes.tolist()):
                    yield Instance(amplitude, epoch, total_time, problem[k : k + 1])

    def _counts(self, instance: Instance, random: np.random.Generator) -> tuple[float, ...]:
        """Returns a row of the result for one instance."""
        amplitude, _, total_time, problem = instance
        num_iterations = best_iterations(amplitude)
        success = grover_success(amplitude, num_iterations)

        # Both strategies repeat independent tries, so the number of tries is geometric.
        shots = random.geometric(amplitude**2, self.sizes.repetitions)
        tries = random.geometric(success, self.sizes.repetitions)
        sampler = Amplified(total_time, method="fixed-point")
        states = sampler.sample(problem, num_reads=self.sizes.repetitions, seed=self.seed)
        fixed_point = states.info["applications"][0] / self.sizes.repetitions

        counts = (
            float(shots.mean()),
            applications(num_iterations) * float(tries.mean()),
            float(fixed_point),
        )
        return *instance[:3], *counts, success, self._amplified(problem, sampler, num_iterations)

    def _amplified(self, problem: IsingProblem, sampler: Coherent, num_iterations: int) -> float:
        """Simulates Grover's iterations step by step and returns their success probability.

        The problem is scaled and annealed as the sampler does it.
        """
        (scaled,) = sampler.scaled(problem)
        steps = {"total_time": sampler.total_time, "num_steps": sampler.settings()["num_steps"]}
        return amplify(
            scaled, **steps, num_iterations=num_iterations, num_threads=1
        ).success_probability


def evenly_spread(amplitudes: NDArray[np.float64], number: int) -> list[int]:
    """Chooses distinct instances whose log |A| are nearest to evenly spaced values.

    Args:
        amplitudes: |A| of all instances. Those outside MIN_AMPLITUDE to MAX_AMPLITUDE are ignored
            unless all are outside.
        number: how many to choose; all candidates are chosen if there are no more.

    Returns:
        Indices into `amplitudes`, in order of the values that they are nearest to.
    """
    inside = np.flatnonzero((amplitudes >= MIN_AMPLITUDE) & (amplitudes <= MAX_AMPLITUDE)).tolist()
    candidates = inside or list(range(len(amplitudes)))
    if len(candidates) <= number:
        return candidates

    logs = np.log(amplitudes)
    chosen = []
    for wanted in np.linspace(logs[candidates].min(), logs[candidates].max(), number):
        nearest = min(candidates, key=lambda k: abs(logs[k] - wanted))
        candidates.remove(nearest)
        chosen.append(nearest)
    return chosen


@dataclass(frozen=True, eq=False)
class Searches:
    """The results of `Search` over all seeds, in `seeds`."""

    seeds: list[Arrays]

    def num_seeds_left_out(self) -> int:
        """Counts the seeds with too few instances to fit an exponent to."""
        return sum(int(is_fitted(result).sum()) < MIN_INSTANCES for result in self.seeds)

    def exponent(self, strategy: str) -> Interval:
        """Fits the exponent of the count against |A| by least squares of logarithms.

        Returns:
            The mean over the seeds that have enough instances, with its confidence interval; NaN
            if there is no such seed.
        """
        slopes = []
        for result in self.seeds:
            rows = is_fitted(result)
            if rows.sum() >= MIN_INSTANCES:
                logs = np.log(result["amplitude"][rows]), np.log(result[strategy][rows])
                slopes.append(np.polyfit(*logs, 1)[0])
        return interval_of(slopes or [np.nan])

    def pooled(self, name: str) -> NDArray[np.float64]:
        """Returns one array of the results, all seeds joined."""
        return np.concatenate([result[name] for result in self.seeds])

    def largest_difference(self) -> float:
        """Returns the largest difference of `amplify`'s success probability to the closed form."""
        return float(np.abs(self.pooled("amplified") - self.pooled("success")).max())

    def prefactor(self, strategy: str, power: float) -> float:
        """Fits c of count = c |A|^power to the instances that exponents are fitted to.

        At least one instance must have |A| below FITTED_BELOW.
        """
        amplitudes = self.pooled("amplitude")
        rows = amplitudes < FITTED_BELOW
        logs = np.log(self.pooled(strategy)[rows]) - power * np.log(amplitudes[rows])
        return float(np.exp(logs.mean()))


def is_fitted(result: Arrays) -> NDArray[np.bool_]:
    """Returns a mask of the instances that exponents are fitted to."""
    small: NDArray[np.bool_] = result["amplitude"] < FITTED_BELOW
    return small
