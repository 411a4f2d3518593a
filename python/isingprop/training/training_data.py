"""Checks of the images that a trainer is given."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.util.checks import check_pixels, image_array, label_array


def checked_images(
    network: Network, part: str, images: ArrayLike, labels: ArrayLike
) -> tuple[Floats32, NDArray[np.int64]]:
    """Returns the images and labels of one part of an ImageSet, checked to fit the network."""
    pixels = image_array(f"{part}_images", images, num_inputs=network.num_inputs)
    check_pixels(f"{part}_images", pixels)

    count, num_classes = len(pixels), network.num_classes
    return pixels, label_array(f"{part}_labels", labels, count=count, num_classes=num_classes)


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
