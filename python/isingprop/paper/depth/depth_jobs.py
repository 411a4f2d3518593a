"""The networks that the study of depth compares, the job that trains one, and its results."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from time import thread_time

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.data.load import ImageSet
from isingprop.data.subsets import class_balanced
from isingprop.network.layered import DEEP_INPUT_GAIN, LayeredNetwork
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.methods import NUM_HIDDEN, IsingLearner, Learner
from isingprop.paper.common.study_setup import Setup
from isingprop.samplers.annealing import Annealing
from isingprop.training.learning_rule import LearningRates
from isingprop.training.trainer import Trainer
from isingprop.training.trainer_options import deep_margin

NUM_SWEEPS = 20
NUM_STATES = 9
# Means over the last epochs are compared, because a deep network's accuracy varies between epochs.
NUM_LATE = 5
_QUICK_HIDDEN = 32
# The test after each epoch is of few images: it takes a deep network as long as the epoch does.
_MAX_TEST_IMAGES = 2000


@dataclass(frozen=True)
class LayeredMethod:
    """Dragon training of a network with any number of hidden layers."""

    title: str
    hidden: tuple[int, ...]
    sampler: Annealing
    num_states: int
    active_layers: int | None = 2
    margin: float | None = None
    #: whether input weights and learning rates have the scales for deep networks, not the paper's
    deep_scales: bool = True

    def trainer(self, images: ImageSet, learning_rate: float, seed: int) -> Trainer:
        """Creates a network from the seed and returns its Trainer."""
        network = LayeredNetwork.random(
            num_inputs=images.train_images.shape[1],
            hidden=self.hidden,
            num_classes=images.num_classes,
            input_gain=DEEP_INPUT_GAIN if self.deep_scales else 1.0,
            seed=seed,
        )

        return Trainer(
            network,
            self.sampler,
            num_states=self.num_states,
            learning_rate=LearningRates.of(learning_rate, deep=self.deep_scales),
            active_layers=self.active_layers,
            margin=self.margin,
            seed=seed,
        )

    def start(self, images: ImageSet, learning_rate: float, seed: int) -> Learner:
        """Creates a network from the seed and returns its Learner."""
        return IsingLearner(self.trainer(images, learning_rate, seed), images)


def variants(setup: Setup) -> dict[str, LayeredMethod]:
    """Returns the networks to compare, by name; the first one is the paper's."""
    width = _QUICK_HIDDEN if setup.quick else NUM_HIDDEN
    sampler = Annealing(NUM_SWEEPS)

    title = f"1 × {width}"
    one = LayeredMethod(title, (width,), sampler, NUM_STATES, margin=0.0, deep_scales=False)
    margin = deep_margin(width, width)  # the default of a network with two hidden layers
    methods = {
        f"1x{width}": one,
        f"1x{width}-margin": replace(one, title=f"{title} (margin {margin:g})", margin=margin),
        f"1x{width}-deep": replace(
            one, title=f"{title} (deep settings)", margin=margin, deep_scales=True
        ),
        f"1x{2 * width}": replace(one, title=f"1 × {2 * width}", hidden=(2 * width,)),
    }

    schedules = (("two", "two layers at a time", 2), ("all", "all at once", None))
    for depth in (2, 3):
        for name, description, active_layers in schedules:
            title, hidden = f"{depth} × {width} ({description})", depth * (width,)
            methods[f"{depth}x{width}-{name}"] = LayeredMethod(
                title, hidden, sampler, NUM_STATES, active_layers
            )

    return methods


def num_tested(images: ImageSet) -> int:
    """Returns the number of test images in each test."""
    return min(_MAX_TEST_IMAGES, len(images.test_labels))


@dataclass(frozen=True)
class LayeredTraining:
    """A job that trains one network and tests it after each epoch.

    Its result has one value for each epoch of

    - error_reads: the fraction of reads of all images that are misclassified, each sampled before
      its image's own update;
    - error_lowest: the same fraction, but only of the lowest read of each image;
    - seconds: the time of one core, without the test;
    - test_accuracy: the accuracy on the first test images of each class, by the lowest of 10 reads.

    It also has margin, the margin of the label, and largest_problem, the number of spins of the
    largest problem that the sampler got.
    """

    method: LayeredMethod
    learning_rate: float
    epochs: int
    seed: int

    def run(self, images: ImageSet) -> Arrays:
        """Creates a network, trains it and tests it after each epoch."""
        trainer = self.method.trainer(images, self.learning_rate, self.seed)
        some = class_balanced(images.test_labels, num_tested(images), images.num_classes)
        test_images, test_labels = images.test_images[some], images.test_labels[some]

        rows, largest = [], []
        for _ in range(self.epochs):
            start = thread_time()
            record = trainer.train_epoch(images.train_images, images.train_labels)
            seconds = thread_time() - start
            accuracy = trainer.evaluate(test_images, test_labels).accuracy
            rows.append((record.train_error_reads, record.train_error_lowest, seconds, accuracy))
            largest.append(record.largest_problem or 0)

        names = ("error_reads", "error_lowest", "seconds", "test_accuracy")
        arrays = dict(zip(names, np.array(rows).T, strict=True))
        return arrays | {
            "margin": np.array(trainer.margin),
            "largest_problem": np.array(max(largest)),
        }


@dataclass(frozen=True, eq=False)
class Outcome:
    """The results of one network over its seeds; arrays are (seeds, epochs) unless noted."""

    method: LayeredMethod
    learning_rate: float
    error_reads: NDArray[np.float64]
    error_lowest: NDArray[np.float64]
    seconds: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    margin: NDArray[np.float64]  #: (seeds,), all equal
    largest_problem: NDArray[np.int64]  #: (seeds,)

    @property
    def depth(self) -> int:
        """Returns the number of hidden layers."""
        return len(self.method.hidden)

    @property
    def last(self) -> NDArray[np.float64]:
        """Returns the test accuracy after the last epoch, (seeds,)."""
        return self.test_accuracy[:, -1]

    @property
    def late(self) -> NDArray[np.float64]:
        """Returns the mean test accuracy of the last NUM_LATE epochs, (seeds,)."""
        late: NDArray[np.float64] = self.test_accuracy[:, -NUM_LATE:].mean(axis=1)
        return late

    @property
    def seconds_per_epoch(self) -> float:
        """Returns the median time of an epoch, over epochs and seeds."""
        return float(np.median(self.seconds))

    def ahead_of(self, other: Outcome) -> Interval:
        """Returns by how much the mean accuracy of the last epochs is ahead, seed by seed."""
        return mean_interval(self.late - other.late)

    def rise(self) -> Interval:
        """Returns the mean accuracy of the last epochs minus that of as many epochs before.

        Differences are taken seed by seed; they are NaN if there are too few epochs.
        """
        if self.test_accuracy.shape[1] < 2 * NUM_LATE:
            return Interval(math.nan, math.nan, math.nan)
        before = self.test_accuracy[:, -2 * NUM_LATE : -NUM_LATE].mean(axis=1)
        return mean_interval(self.late - before)
