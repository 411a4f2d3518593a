"""The images of a training: their checks, and an epoch of them in random order."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.training.phases import Batch
from isingprop.util.checks import (
    Doubles,
    Spins,
    check_pixels,
    float_array,
    image_array,
    label_array,
    seed_for,
)

# A seed is used for several purposes; each has a number, so that no two share a random stream.
ORDER, FREE_STATES, NUDGED_STATES, TEST = range(4)

_PORTION_IMAGES = 32  # few enough for NumPy to reuse the memory of the portion before


@dataclass(frozen=True, eq=False)
class Minibatches:
    """The minibatches of one epoch.

    Args:
        network: computes the fields of layer 1, as it is when a minibatch is asked for.
        images: (n, I).
        labels: (n,).
        batch_size: images per minibatch.
        num_references: how many wrong classes of each image states start from, or None.
        seed: of the whole run.
        epoch: 1 for the first; it decides the order of images and the seeds.
        weights: (n,), see `random_order`.
    """

    network: Network
    images: Floats32
    labels: NDArray[np.int64]
    batch_size: int
    num_references: int | None
    seed: int
    epoch: int
    weights: Doubles | None = None

    def __iter__(self) -> Iterator[tuple[Floats32, Batch]]:
        """Yields the pixels of each minibatch, and what sampling needs of it."""
        readout, epoch = self.network.readout, self.epoch
        outputs = readout.targets(self.labels)[:, None, :]
        order = random_order(self.seed, epoch, len(self.images), self.weights)
        seeds = seed_for(self.seed, FREE_STATES, epoch), seed_for(self.seed, NUDGED_STATES, epoch)

        for rows, slices in _portions(order, self.batch_size):
            portion, portion_outputs = self.images[rows], outputs[rows]
            portion_labels, streams = self.labels[rows], rows.astype(np.uint64)
            wrong_outputs = self._wrong_outputs(portion_labels, rows + epoch)

            for batch in slices:
                pixels = portion[batch]
                yield (
                    pixels,
                    Batch(
                        self.network.hidden_fields(pixels),
                        streams[batch],
                        portion_labels[batch],
                        portion_outputs[batch],
                        None if wrong_outputs is None else wrong_outputs[batch],
                        *seeds,
                    ),
                )

    def _wrong_outputs(self, labels: NDArray[np.int64], turn: NDArray[np.int64]) -> Spins | None:
        """Returns the outputs of the states to start from, (B, m, O), where there are to be any."""
        if self.num_references is None:
            return None
        readout = self.network.readout
        return readout.targets(readout.wrong_classes(labels, self.num_references, turn))


def checked_images(
    network: Network, part: str, images: ArrayLike, labels: ArrayLike
) -> tuple[Floats32, NDArray[np.int64]]:
    """Returns the images and labels of one part of an ImageSet, checked to fit the network."""
    pixels = image_array(f"{part}_images", images, num_inputs=network.num_inputs)
    check_pixels(f"{part}_images", pixels)

    count, num_classes = len(pixels), network.num_classes
    return pixels, label_array(f"{part}_labels", labels, count=count, num_classes=num_classes)


def checked_weights(name: str, weights: ArrayLike | None, count: int) -> Doubles | None:
    """Returns the weights of images as double precision, or None for equal ones."""
    if weights is None:
        return None
    checked = float_array(name, weights, shape=(count,)).astype(np.float64)
    if checked.min() < 0 or checked.max() == 0:
        found = f"{checked.min():g} ... {checked.max():g}"
        raise ValueError(f"{name} must be at least 0 and not all zero, got {found}")
    return checked


def same_checksum(
    before: int | None, images: Floats32, labels: NDArray[np.int64], part: str = "train"
) -> int:
    """Returns the checksum of one part of an ImageSet, which must be that of the run so far.

    The order of the images is a part of the run's random numbers.
    """
    checksum = zlib.crc32(labels.tobytes(), zlib.crc32(images.data))
    if before not in (None, checksum):
        raise ValueError(
            f"{part}_images must be those that the run began with (checksum {before}), "
            f"got others (checksum {checksum})"
        )
    return checksum


def random_order(
    seed: int, epoch: int, num_images: int, weights: Doubles | None = None
) -> NDArray[np.int64]:
    """Returns n numbers of images in the random order of an epoch.

    Each of the n images comes once, or as often as `weighted_rows` says.
    """
    generator = np.random.Generator(np.random.PCG64(seed_for(seed, ORDER, epoch)))
    order = generator.random(num_images).argsort(kind="stable")
    return order if weights is None else weighted_rows(weights, generator.random())[order]


def weighted_rows(weights: Doubles, offset: float) -> NDArray[np.int64]:
    """Returns n numbers of images, ascending, in which image k comes n w_k / (sum w) times.

    The number of times is rounded down or up. With an offset that is uniform in [0, 1) it is exact
    in expectation.

    Args:
        weights: w, (n,), >= 0 and not all 0. Equal ones give each image once.
        offset: in [0, 1).

    References:
        Madow 1949, doi:10.1214/aoms/1177730036 (systematic sampling).

    Example:
        >>> weighted_rows(np.array([1.0, 3.0, 0.0, 0.0]), 0.5)
        array([0, 1, 1, 1])
    """
    count = len(weights)
    if (weights == weights[0]).all():
        return np.arange(count)
    ends = np.cumsum(weights / weights.max())  # of tiny or huge weights, too
    ends *= count / ends[-1]
    times = np.diff(np.floor(np.minimum(ends, count) + offset), prepend=0.0)
    return np.repeat(np.arange(count), times.astype(np.int64))


def _portions(
    order: NDArray[np.int64], size: int
) -> Iterator[tuple[NDArray[np.int64], list[slice]]]:
    """Yields the images in order, whole minibatches at a time, and where in them each minibatch is.

    A view of such a portion costs a tenth of picking the rows of each minibatch.
    """
    length = size * max(1, _PORTION_IMAGES // size)
    for first in range(0, len(order), length):
        rows = order[first : first + length]
        yield rows, [slice(k, k + size) for k in range(0, len(rows), size)]
