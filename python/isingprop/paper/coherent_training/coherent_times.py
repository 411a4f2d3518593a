"""Part (c) of the study of coherent training: annealing time against success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.paper.coherent_training.coherent_jobs import Sizes, marked_problem, networks
from isingprop.paper.common.jobs import Arrays
from isingprop.problem import IsingProblem, largest_local_fields
from isingprop.samplers import Coherent

SCALES = (True, False)  # `rescale` of Coherent


@dataclass(frozen=True)
class AnnealingTimes:
    """Anneals the problems of a network in training with several total times, rescaled or not.

    Its result has, as means over the training images, ground and right of shape (epochs, 2, times), the probabilities
    of the ground state and of all states of the right class, rescaled and not; wrong_ground (epochs,), the fraction of
    images whose ground state is of a wrong class; and for each epoch up to the last of them, 0 included, field, the
    largest local field.
    """

    sizes: Sizes
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains, and anneals."""
        sizes = self.sizes
        every_epoch = tuple(range(max(sizes.time_epochs) + 1))
        ground, right, wrong_ground, field = [], [], [], []
        for epoch, network in networks(images, sizes, every_epoch, self.seed):
            problem = marked_problem(network, images)
            field.append(largest_local_fields(problem).mean())
            if epoch in sizes.time_epochs:
                found = np.array(
                    [[_success(problem, time, scale) for time in sizes.times] for scale in SCALES]
                )
                ground.append(found[..., 0])
                right.append(found[..., 1])
                wrong_ground.append(found[0, 0, 2])
        arrays = {"ground": ground, "right": right, "wrong_ground": wrong_ground, "field": field}
        return {name: np.array(values) for name, values in arrays.items()}


def _success(problem: IsingProblem, total_time: float, rescale: bool) -> tuple[float, float, float]:
    """Probabilities of the ground state and of the right class, and how often the ground state is wrong."""
    states = Coherent(total_time, rescale=rescale).weighted_states(problem)
    assert states.weights is not None
    assert problem.marked is not None
    rows, lowest = np.arange(len(problem)), states.energies.argmin(axis=1)
    ground = float(states.weights[rows, lowest].mean())
    right = 1 - float(states.info["marked_probability"].mean())
    outputs = lowest >> problem.num_hidden  # states are in the order of their numbers
    return ground, right, float(problem.marked[rows, outputs].mean())


@dataclass(frozen=True, eq=False)
class Times:
    """What came of them over the seeds."""

    epochs: tuple[int, ...]
    total_times: tuple[float, ...]
    ground: NDArray[np.float64]  #: (seeds, epochs, 2, times)
    right: NDArray[np.float64]  #: (seeds, epochs, 2, times)
    wrong_ground: NDArray[np.float64]  #: (seeds, epochs)
    field: NDArray[np.float64]  #: (seeds, largest epoch + 1)

    @classmethod
    def of(cls, sizes: Sizes, results: Sequence[Arrays]) -> Times:
        """Of the results of all seeds."""
        names = ("ground", "right", "wrong_ground", "field")
        return cls(
            sizes.time_epochs,
            sizes.times,
            *(np.stack([own[name] for own in results]) for name in names),
        )

    def column(self, total_time: float) -> int:
        """Of a total time."""
        return self.total_times.index(total_time)
