"""Samples low-energy states of a network at several moments of its training, for Figs. 2 and 3.

A `Course` is one training run with its moments. The jobs `Statistics` and `Map` sample states at
these moments: `Statistics` measures them, `Map` embeds them in the plane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import (
    embed,
    mean_distances,
    neighbour_agreement,
    overlap_counts,
    silhouettes,
)
from isingprop.analysis.scaling import Interval
from isingprop.data.load import ImageSet
from isingprop.data.subsets import class_balanced
from isingprop.network.base_network import Network
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.methods import DRAGON
from isingprop.readout import UNCLASSIFIED
from isingprop.training.evaluation import predict
from isingprop.training.layer_sweeps import sample_states
from isingprop.training.learning_rule import LearningRates
from isingprop.training.trainer import Trainer
from isingprop.util.checks import Spins

Array: TypeAlias = NDArray[Any]
Classes: TypeAlias = NDArray[np.int64]

# Keys of the random streams of a Course, apart from those of its trainer: the order of images in
# the first epoch, and the trainer of each part of it.
_ORDER, _PART = 0, 1


@dataclass(frozen=True)
class Course:
    """One run of dragon training, m = 20, and the moments at which its states are sampled.

    Args:
        seed: seed of the network and of all random numbers.
        learning_rate: learning rate of all parameters.
        moments: times in epochs, ascending; fractions up to 1, whole numbers above.
    """

    seed: int
    learning_rate: float
    moments: tuple[float, ...]

    def networks(self, images: ImageSet) -> Iterator[Network]:
        """Trains a network and yields it at each moment.

        The same object is yielded each time and trained further in between, so callers must use it
        before they ask for the next one. The first epoch is a random order of all images, split
        into parts at the moments, so each image is used once. The network at a moment does not
        depend on later moments.
        """
        whole = DRAGON.trainer(images, self.learning_rate, self.seed)
        random = np.random.Generator(np.random.PCG64(self._derived(_ORDER)))
        order = random.permutation(len(images.train_labels))

        # `shown` images of the first epoch are done; `epoch` is the last one that has begun.
        shown, epoch = 0, 1
        for moment in self.moments:
            last = round(min(moment, 1) * len(order))
            if last > shown:
                rows, shown = order[shown:last], last
                part = self._trainer(whole.network, self._derived(_PART, shown))
                part.train_epoch(images.train_images[rows], images.train_labels[rows])

            for _ in range(epoch, int(moment)):
                whole.train_epoch(images.train_images, images.train_labels)
            epoch = max(epoch, int(moment))
            yield whole.network

    def _trainer(self, network: Network, seed: int) -> Trainer:
        """Returns a trainer for a part of the first epoch, with a random stream of its own."""
        rates, states = LearningRates.of(self.learning_rate), DRAGON.num_states
        return Trainer(network, DRAGON.sampler, num_states=states, learning_rate=rates, seed=seed)

    def _derived(self, *purpose: int) -> int:
        """Returns the seed of the random stream for a purpose."""
        return int(np.random.SeedSequence([self.seed, *purpose]).generate_state(1, np.uint64)[0])


@dataclass(frozen=True)
class Sampling:
    """The test images to sample states for, and the number of reads of each.

    The images are the first num_images / num_classes of each class.
    """

    num_images: int
    num_reads: int

    def rows(self, images: ImageSet) -> NDArray[np.int64]:
        """Returns the row numbers of the test images."""
        count = min(self.num_images, len(images.test_labels))
        return class_balanced(images.test_labels, count, images.num_classes)


@dataclass(frozen=True)
class Statistics:
    """A job that measures the states at every moment of a course.

    Its result has one row for each moment; B images with R reads each give B * R states.

    - accuracy, accuracy_images: on all test images and on the B images, by the lowest of 10 reads;
    - reads_right, unclassified: fractions of the states;
    - distinct: the number of states that differ from each other;
    - counts, distances: pairs of states by the number of spins in which they differ, and the mean
      of that number, for each kind of pair in `landscape.PAIRS`;
    - silhouette: means for each output class and, last, over all classified states;
    - neighbours: how often the nearest state of another image has the same output class.
    """

    course: Course
    sampling: Sampling

    def run(self, images: ImageSet) -> Arrays:
        """Trains a network and measures its states at each moment."""
        rows = self.sampling.rows(images)
        found = [self._measure(network, images, rows) for network in self.course.networks(images)]
        return {name: np.stack([np.asarray(each[name]) for each in found]) for name in found[0]}

    def _measure(self, network: Network, images: ImageSet, rows: NDArray[np.int64]) -> Arrays:
        seed, num_reads = self.course.seed, self.sampling.num_reads
        predicted = predict(network, DRAGON.sampler, images.test_images, seed=seed)
        right = predicted == images.test_labels

        spins, classes = states_of(network, images.test_images[rows], num_reads, seed)
        flat = spins.reshape(-1, spins.shape[2])
        labels, known = images.test_labels[rows], classes != UNCLASSIFIED
        counts = overlap_counts(spins, labels)
        apart = class_means(silhouettes, spins[known], classes[known], network.num_classes)
        agreement = neighbour_agreement(spins, classes)[known]

        found = {
            "accuracy": right.mean(),
            "accuracy_images": right[rows].mean(),
            "reads_right": (classes == labels[:, None]).mean(),
            "unclassified": 1 - known.mean(),
            "distinct": len(np.unique(flat, axis=0)),
            "distances": mean_distances(counts),
            "counts": counts,
            "silhouette": apart,
            "neighbours": agreement.mean() if known.any() else np.nan,
        }
        return {name: np.asarray(value) for name, value in found.items()}


@dataclass(frozen=True)
class Map:
    """A job that embeds the states at the last moment of a course in the plane.

    Its result has points (B, R, 2) and classes (B, R), the images' row numbers and labels (B,), and
    three measures of the map: stress, distinct (number of distinct states), and the silhouettes of
    its output classes by distances in the plane.
    """

    course: Course
    sampling: Sampling
    num_landmarks: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains a network up to the last moment and embeds its states."""
        rows = self.sampling.rows(images)
        for network in self.course.networks(images):
            last = network

        spins, classes = states_of(
            last, images.test_images[rows], self.sampling.num_reads, self.course.seed
        )
        landscape = embed(
            spins.reshape(-1, spins.shape[2]),
            num_landmarks=self.num_landmarks,
            seed=self.course.seed,
        )

        known = classes.ravel() != UNCLASSIFIED
        flat = landscape.points[known], classes.ravel()[known]

        return {
            "points": landscape.points.reshape(*classes.shape, 2),
            "classes": classes,
            "images": rows,
            "labels": images.test_labels[rows],
            "stress": np.asarray(landscape.stress),
            "distinct": np.asarray(landscape.num_distinct),
            "silhouette": class_means(_plane_silhouettes, *flat, last.num_classes),
        }


def states_of(
    network: Network, images: NDArray[np.float32], num_reads: int, seed: int
) -> tuple[Spins, NDArray[np.int64]]:
    """Samples low-energy states of H[x] in the same way as training does.

    Returns:
        The spins, (B, R, N), and the class of each state, (B, R).
    """
    spins = sample_states(network, DRAGON.sampler, images, num_reads, seed).spins
    return spins, network.readout.predict(spins[:, :, network.num_hidden :])


def class_means(
    measure: Callable[[Array, Classes], NDArray[np.float64]],
    values: Array,
    classes: Classes,
    num_classes: int,
) -> NDArray[np.float64]:
    """Returns the mean of a measure over the states of each class.

    Args:
        measure: returns one number, (n,), for each of n states and their classes.
        values: the states, with n rows.
        classes: (n,).
        num_classes: number of classes.

    Returns:
        (num_classes + 1,): the mean of each class, NaN if it has no state, and last that of all.
    """
    means = np.full(num_classes + 1, np.nan)
    if len(classes):
        each = measure(values, classes)
        for c in np.unique(classes):
            means[c] = each[classes == c].mean()
        means[-1] = each.mean()
    return means


def epoch_name(epoch: float) -> str:
    """Returns the name of a moment in titles and tables."""
    return "untrained" if epoch == 0 else f"epoch {epoch:g}"


def from_json(interval: dict[str, float | None]) -> Interval:
    """Returns the interval that `json_interval` was given."""
    nan = float("nan")
    return Interval(**{name: nan if value is None else value for name, value in interval.items()})


def _plane_silhouettes(
    points: NDArray[np.float64], classes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Works like `landscape.silhouettes`, but by distances in the plane, not between spins."""
    from sklearn.metrics import silhouette_samples

    if not 1 < len(np.unique(classes)) < len(classes):
        return np.full(len(classes), np.nan)
    return np.asarray(silhouette_samples(points, classes), dtype=np.float64)
