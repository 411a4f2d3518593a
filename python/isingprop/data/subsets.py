"""Choices of images: the papers' subset, and a split into training and test images."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.util.checks import label_array, whole_number

_SPLIT_SEED = 0  # the split never changes, whatever the seed of a training
_TEST_SHARE = 5  # one image of as many is a test image


def class_balanced(labels: ArrayLike, num_images: int, num_classes: int) -> NDArray[np.int64]:
    """Chooses the papers' subset: the first images of each class, in published order.

    The labels are read in order, and an image is kept while its class has fewer than its quota,
    which is num_images // num_classes, plus one for the first num_images % num_classes classes.
    Where a class has too few images, the earliest images not yet kept fill up the number. So 1,000
    of the MNIST training set are the first 100 of each class, and 100 of its test set are the first
    10 of each class: the published subset MNIST/100.

    Args:
        labels: (n,) integers in 0 ... num_classes - 1.
        num_images: the number of images to keep, 1 ... n.
        num_classes: at least 1.

    Returns:
        (num_images,) indices, ascending.

    Raises:
        ValueError: for a label or a count out of range, or labels of another shape.
        TypeError: for labels or a count that are not integers.

    Example:
        >>> class_balanced([0, 0, 0, 1, 1, 0], num_images=4, num_classes=2)
        array([0, 1, 3, 4])

    References:
        Laydevant, Marković & Grollier 2024, doi:10.1038/s41467-024-46879-4 (MNIST/100).
    """
    num_classes = whole_number("num_classes", num_classes, least=1)
    checked = label_array("labels", labels, count=np.size(labels), num_classes=num_classes)
    num_images = whole_number("num_images", num_images, least=1, most=len(checked))

    quota, larger = divmod(num_images, num_classes)
    kept = np.concatenate(
        [np.flatnonzero(checked == c)[: quota + (c < larger)] for c in range(num_classes)]
    )
    others = np.setdiff1d(np.arange(len(checked)), kept)
    return np.sort(np.concatenate([kept, others[: num_images - len(kept)]]))


def stratified_split(
    labels: NDArray[np.int64], num_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns which images are for training and which for the test: a random fifth of each class.

    The fifth is rounded to a whole number. The choice depends on the labels only.

    Args:
        labels: (n,) in 0 ... num_classes - 1.
        num_classes: at least 1.

    Returns:
        Indices of the training and of the test images, ascending.

    Example:
        >>> train, test = stratified_split(np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), 2)
        >>> len(train), len(test)
        (8, 2)
    """
    random = np.random.Generator(np.random.PCG64(_SPLIT_SEED))
    chosen = []
    for number in range(num_classes):
        own = np.flatnonzero(labels == number)
        # NumPy promises the same numbers in all its versions, but not the same permutations.
        order = random.random(len(own)).argsort(kind="stable")
        chosen.append(own[order[: (len(own) + _TEST_SHARE // 2) // _TEST_SHARE]])

    test = np.sort(np.concatenate(chosen))
    return np.setdiff1d(np.arange(len(labels)), test), test
