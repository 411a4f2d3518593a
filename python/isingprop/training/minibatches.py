"""The images of a training: their checks, and an epoch of them in random order."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.data.load import ImageSet
from isingprop.network.base_network import Floats32, Network
from isingprop.training.phases import Batch
from isingprop.util.checks import Spins, check_pixels, image_array, label_array, seed_for

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
    """

    network: Network
    images: Floats32
    labels: NDArray[np.int64]
    batch_size: int
    num_references: int | None
    seed: int
    epoch: int

    def __iter__(self) -> Iterator[tuple[Floats32, Batch]]:
        """Yields the pixels of each minibatch, and what sampling needs of it."""
        readout, epoch = self.network.readout, self.epoch
        outputs = readout.targets(self.labels)[:, None, :]
        order = random_order(self.seed, epoch, len(self.images))
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


def checked_parts(
    network: Network, images: ImageSet
) -> tuple[tuple[Floats32, NDArray[np.int64]], tuple[Floats32, NDArray[np.int64]]]:
    """Returns training and test images with labels, checked; the network keeps their format."""
    train = checked_images(network, "train", images.train_images, images.train_labels)
    test = checked_images(network, "test", images.test_images, images.test_labels)
    if images.num_classes == network.num_classes:
        network.input_format = images.input_format
    return train, test


def same_checksum(before: int | None, images: Floats32, labels: NDArray[np.int64]) -> int:
    """Returns the checksum of the training images, which must be those that the run began with.

    The order of the images is a part of the run's random numbers.
    """
    checksum = zlib.crc32(labels.tobytes(), zlib.crc32(images.data))
    if before not in (None, checksum):
        raise ValueError(
            f"train_images must be those that the run began with (checksum {before}), "
            f"got others (checksum {checksum})"
        )
    return checksum


def random_order(seed: int, epoch: int, num_images: int) -> NDArray[np.int64]:
    """Returns the images' numbers in the random order of an epoch."""
    generator = np.random.PCG64(seed_for(seed, ORDER, epoch))
    return np.random.Generator(generator).random(num_images).argsort(kind="stable")


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
