"""Part (c) of the study of coherent training: success against annealing time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.paper.coherent_training.coherent_jobs import Sizes, marked_problem, networks
from isingprop.paper.common.jobs import Arrays
from isingprop.problem import IsingProblem, largest_local_fields
from isingprop.samplers.coherent_annealing import Coherent

SCALES = (True, False)  # the values of Coherent's `rescale` that are compared


@dataclass(frozen=True)
class AnnealingTimes:
    """Job that anneals the problems of a network in training with several total times.

    Each problem is annealed once divided by its largest local field (rescaled) and once as it is.

    The result holds means over the training images. `epochs` below is the number of epochs in
    `sizes.time_epochs`, and the axis of length 2 is that of `SCALES`:

    - ground, (epochs, 2, times): the probability of the ground state;
    - right, (epochs, 2, times): the probability of all states of the right class;
    - wrong_ground, (epochs,): the fraction of images whose ground state has a wrong class;
    - field, (last epoch + 1,): the largest local field after each epoch, 0 included.
    """

    sizes: Sizes
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains a network, and anneals its problems after each of the chosen epochs."""
        sizes = self.sizes
        every_epoch = tuple(range(max(sizes.time_epochs) + 1))
        ground, right, wrong_ground, field = [], [], [], []

        for epoch, network in networks(images, sizes, every_epoch, self.seed):
            problem = marked_problem(network, images)
            field.append(largest_local_fields(problem).mean())
            if epoch in sizes.time_epochs:
                success = np.array(
                    [[_success(problem, time, scale) for time in sizes.times] for scale in SCALES]
                )
                ground.append(success[..., 0])
                right.append(success[..., 1])
                wrong_ground.append(success[0, 0, 2])  # it does not depend on the anneal

        arrays = {"ground": ground, "right": right, "wrong_ground": wrong_ground, "field": field}
        return {name: np.array(values) for name, values in arrays.items()}


def _success(problem: IsingProblem, total_time: float, rescale: bool) -> tuple[float, float, float]:
    """Anneals all problems and returns three means over them.

    Returns:
        The probability of the ground state, the probability of the right class, and the fraction
        of problems whose ground state has a wrong class.
    """
    states = Coherent(total_time, rescale=rescale).weighted_states(problem)
    assert states.weights is not None
    assert problem.marked is not None
    rows, lowest = np.arange(len(problem)), states.energies.argmin(axis=1)

    ground = float(states.weights[rows, lowest].mean())
    right = 1 - float(states.info["marked_probability"].mean())
    # State number k has the hidden spins in its low bits and the output spins above them.
    outputs = lowest >> problem.num_hidden
    return ground, right, float(problem.marked[rows, outputs].mean())


@dataclass(frozen=True, eq=False)
class Times:
    """The results of `AnnealingTimes` over all seeds."""

    epochs: tuple[int, ...]
    total_times: tuple[float, ...]
    ground: NDArray[np.float64]  #: (seeds, epochs, 2, times)
    right: NDArray[np.float64]  #: (seeds, epochs, 2, times)
    wrong_ground: NDArray[np.float64]  #: (seeds, epochs)
    field: NDArray[np.float64]  #: (seeds, last epoch + 1)

    @classmethod
    def of(cls, sizes: Sizes, results: Sequence[Arrays]) -> Times:
        """Stacks the results of `AnnealingTimes`, one for each seed."""
        names = ("ground", "right", "wrong_ground", "field")
        arrays = (np.stack([result[name] for result in results]) for name in names)
        return cls(sizes.time_epochs, sizes.times, *arrays)

    def column(self, total_time: float) -> int:
        """Returns the index of a total time on the last axis."""
        return self.total_times.index(total_time)
