"""One network at several moments of its training, and the jobs that look at its low-energy states there."""

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
from isingprop.data.load import ImageSet, class_balanced
from isingprop.network.base_network import Network
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.methods import DRAGON
from isingprop.paper.common.text import finite
from isingprop.readout import UNCLASSIFIED
from isingprop.training.evaluation import predict
from isingprop.training.layer_sweeps import sample_states
from isingprop.training.trainer import Trainer
from isingprop.util.checks import Spins

Array: TypeAlias = NDArray[Any]
Classes: TypeAlias = NDArray[np.int64]

_ORDER, _PART = 0, 1  # what a seed is used for, beside the trainer's own uses


@dataclass(frozen=True)
class Course:
    """Dragon training, m = 20, and the moments at which to look.

    Args:
        seed: of the network and of all random numbers.
        learning_rate: of all parameters.
        moments: in epochs, ascending; fractions are of the first epoch, above 1 they are whole.
    """

    seed: int
    learning_rate: float
    moments: tuple[float, ...]

    def networks(self, images: ImageSet) -> Iterator[Network]:
        """The network at each moment: one and the same, so it is to be used before the next is asked for.

        The first epoch goes through the images in a random order, cut into parts at the moments; so it, too, meets
        each image once. The numbers of a moment do not depend on which later ones there are.
        """
        whole = DRAGON.trainer(images, self.learning_rate, self.seed)
        order = np.random.Generator(np.random.PCG64(self._derived(_ORDER))).permutation(
            len(images.train_labels)
        )
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
        rates, states = self.learning_rate, DRAGON.num_states
        return Trainer(network, DRAGON.sampler, num_states=states, learning_rate=rates, seed=seed)

    def _derived(self, *purpose: int) -> int:
        return int(np.random.SeedSequence([self.seed, *purpose]).generate_state(1, np.uint64)[0])


@dataclass(frozen=True)
class Sampling:
    """Which test images to draw how many states for: the first num_images // classes of each class."""

    num_images: int
    num_reads: int

    def rows(self, images: ImageSet) -> NDArray[np.int64]:
        """The numbers of the test images."""
        count = min(self.num_images, len(images.test_labels))
        return class_balanced(images.test_labels, count, images.num_classes)


@dataclass(frozen=True)
class Statistics:
    """At every moment: accuracy, distances, overlaps and how the classes of states stand apart."""

    course: Course
    sampling: Sampling

    def run(self, images: ImageSet) -> Arrays:
        """Arrays with one row for each moment."""
        rows = self.sampling.rows(images)
        found = [self._at(network, images, rows) for network in self.course.networks(images)]
        return {name: np.stack([np.asarray(each[name]) for each in found]) for name in found[0]}

    def _at(self, network: Network, images: ImageSet, rows: NDArray[np.int64]) -> Arrays:
        right = (
            predict(network, DRAGON.sampler, images.test_images, seed=self.course.seed)
            == images.test_labels
        )
        spins, classes = states_of(
            network, images.test_images[rows], self.sampling.num_reads, self.course.seed
        )
        labels, known = images.test_labels[rows], classes != UNCLASSIFIED
        counts = overlap_counts(spins, labels)
        apart = class_means(silhouettes, spins[known], classes[known], network.num_classes)
        agreement = neighbour_agreement(spins, classes)[known]
        found = {
            "accuracy": right.mean(),
            "accuracy_images": right[rows].mean(),
            "reads_right": (classes == labels[:, None]).mean(),
            "unclassified": 1 - known.mean(),
            "distinct": len(
                np.unique(spins.reshape(-1, network.num_hidden + network.num_output), axis=0)
            ),
            "distances": mean_distances(counts),
            "counts": counts,
            "silhouette": apart,
            "neighbours": agreement.mean() if known.any() else np.nan,
        }
        return {name: np.asarray(value) for name, value in found.items()}


@dataclass(frozen=True)
class Map:
    """The states at the last moment of a course as points of the plane."""

    course: Course
    sampling: Sampling
    num_landmarks: int

    def run(self, images: ImageSet) -> Arrays:
        """Points (B, R, 2), classes (B, R), and what is to be said of them."""
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
    """Low-energy states of H[x], as training samples them, and their classes: (B, R, N) and (B, R)."""
    spins = sample_states(network, DRAGON.sampler, images, num_reads, seed).spins
    return spins, network.readout.predict(spins[:, :, network.num_hidden :])


def class_means(
    measure: Callable[[Array, Classes], NDArray[np.float64]],
    values: Array,
    classes: Classes,
    num_classes: int,
) -> NDArray[np.float64]:
    """The mean of a measure over the states of each class and, last, over all: (num_classes + 1,), NaN for none."""
    means = np.full(num_classes + 1, np.nan)
    if len(classes):
        each = measure(values, classes)
        for c in np.unique(classes):
            means[c] = each[classes == c].mean()
        means[-1] = each.mean()
    return means


def json_interval(interval: Interval) -> dict[str, float | None]:
    """For JSON."""
    return {name: finite(value) for name, value in interval._asdict().items()}


def epoch_name(epoch: float) -> str:
    """As titles and tables have it."""
    return "untrained" if epoch == 0 else f"epoch {epoch:g}"


def from_json(interval: dict[str, float | None]) -> Interval:
    """The interval again."""
    return Interval(
        **{name: float("nan") if value is None else value for name, value in interval.items()}
    )


def _plane_silhouettes(
    points: NDArray[np.float64], classes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """As landscape.silhouettes, by distances in the plane."""
    from sklearn.metrics import silhouette_samples

    if not 1 < len(np.unique(classes)) < len(classes):
        return np.full(len(classes), np.nan)
    return np.asarray(silhouette_samples(points, classes), dtype=np.float64)
