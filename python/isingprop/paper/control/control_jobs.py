"""The job of the control experiment: trains a network and looks at its low states."""

from __future__ import annotations

from dataclasses import dataclass
from time import thread_time

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.data.subsets import class_balanced
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.paper.common.backpropagation import Perceptron
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.methods import (
    NUM_SWEEPS,
    BackpropLearner,
    IsingLearner,
    Learner,
    Method,
)
from isingprop.paper.control.control_backpropagation import ScoreLearner, ScorePerceptron
from isingprop.readout import UNCLASSIFIED
from isingprop.samplers.annealing import Annealing
from isingprop.training.evaluation import predict
from isingprop.training.layer_sweeps import sample_states

PROBE = Annealing(NUM_SWEEPS)  # looks for low states in the same way whatever the method
NUM_PROBED = 100  # training images, the first of each class
NUM_PROBE_READS = 20
NUM_TEST_READS = 10
# Energies of states and of class states are summed in different order; what is nearer is equal.
_ENERGY_TOLERANCE = 1e-3

CURVES = ("error_reads", "error_lowest", "seconds", "train_error", "test_accuracy")
LOW_STATES = (
    "codes",
    "codes_lowest",
    "above",
    "below",
    "lowest_above",
    "lowest_below",
    "other_class",
)


@dataclass(frozen=True)
class ControlTraining:
    """A job that trains one network and looks at it after each epoch.

    Its result has one value for each epoch of

    - error_reads, error_lowest: the errors of the states that the epoch learned from, see
      `Training`; with a margin these states are pushed away from the label;
    - seconds: the time of one core, without the tests;
    - train_error, test_accuracy: of all training and test images, by the class of lowest energy in
      closed form, or the largest score of backpropagation.

    Of an Ising network it also has, for each epoch, what `low_states` returns; and after the last
    epoch test_accuracy_sampled, by the lowest of 10 annealed reads of each test image.
    """

    method: Method
    learning_rate: float
    epochs: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Creates a network, trains it and looks at it after each epoch."""
        learner = self.method.start(images, self.learning_rate, self.seed)
        curves, found = [], []
        for _ in range(self.epochs):
            start = thread_time()
            errors = learner.train_epoch(self.epochs)
            seconds = thread_time() - start

            model = _model(learner)
            right = model.predict(images.train_images) == images.train_labels
            tested = model.predict(images.test_images) == images.test_labels
            curves.append((*errors, seconds, 1 - right.mean(), tested.mean()))
            if isinstance(learner, IsingLearner):
                found.append(low_states(_trained(learner), images, self.seed))

        arrays = dict(zip(CURVES, np.array(curves).T, strict=True))
        if isinstance(model, BipartiteNetwork):
            arrays |= dict(zip(LOW_STATES, np.array(found).T, strict=True))
            classes = predict(
                model, PROBE, images.test_images, num_reads=NUM_TEST_READS, seed=self.seed
            )
            arrays["test_accuracy_sampled"] = np.array((classes == images.test_labels).mean())
        return arrays


def low_states(network: BipartiteNetwork, images: ImageSet, seed: int) -> tuple[float, ...]:
    """Samples low states of H[x] and compares them with class states, `ClassStates`.

    The unit of energies is the mean distance between the two lowest class states of an image.

    Returns:
        In the order of LOW_STATES:

        - codes, codes_lowest: the fraction of all states, and of the lowest state of each image,
          whose outputs are the code of a class;
        - above, below: by how much a state is above the class state of its own class, mean; and
          the fraction of states that are below it. States without a class do not count;
        - lowest_above, lowest_below: by how much the lowest state of an image is above its lowest
          class state, mean; and the fraction of images where it is below;
        - other_class: the fraction of images whose lowest state has not the class of the lowest
          class state.
    """
    count = min(NUM_PROBED, len(images.train_labels))
    rows = class_balanced(images.train_labels, count, images.num_classes)
    pixels, readout = images.train_images[rows], network.readout
    states = sample_states(network, PROBE, pixels, NUM_PROBE_READS, seed)
    outputs = states.spins[:, :, network.num_hidden :]

    classes = readout.predict(outputs)
    known = classes != UNCLASSIFIED
    of_class = np.where(known, classes, 0)
    codes = known & (outputs == readout.targets(of_class)).all(axis=2)

    class_energies = network.class_energies(pixels)
    two = np.sort(class_energies, axis=1)[:, :2]
    unit = float((two[:, 1] - two[:, 0]).mean())
    own = np.take_along_axis(class_energies, of_class, axis=1)
    above = (states.energies - own)[known]

    images_rows, lowest = np.arange(count), states.energies.argmin(axis=1)
    lowest_above = states.energies[images_rows, lowest] - two[:, 0]
    other = classes[images_rows, lowest] != class_energies.argmin(axis=1)
    return (
        float(codes.mean()),
        float(codes[images_rows, lowest].mean()),
        float(above.mean()) / unit if known.any() else np.nan,
        float((above < -_ENERGY_TOLERANCE).mean()) if known.any() else np.nan,
        float(lowest_above.mean()) / unit,
        float((lowest_above < -_ENERGY_TOLERANCE).mean()),
        float(other.mean()),
    )


def _trained(learner: IsingLearner) -> BipartiteNetwork:
    """Returns the network as the next update will find it, not its average."""
    network = learner.trainer.network
    assert isinstance(network, BipartiteNetwork)
    return network


def _model(learner: Learner) -> BipartiteNetwork | Perceptron | ScorePerceptron:
    """Returns the network that answers: averaged where parameters are averaged."""
    if isinstance(learner, IsingLearner):
        model = learner.trainer.model
        assert isinstance(model, BipartiteNetwork)
        return model
    assert isinstance(learner, BackpropLearner | ScoreLearner)
    return learner.network


def stacked(results: list[Arrays]) -> dict[str, NDArray[np.float64]]:
    """Returns the arrays of several seeds as (seeds, epochs), or (seeds,) of single numbers."""
    return {name: np.stack([result[name] for result in results]) for name in results[0]}
