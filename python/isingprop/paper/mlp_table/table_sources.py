"""The data sets and pairs of classes that the MLP paper's tables are made from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isingprop.data.idx_paths import data_folder
from isingprop.data.load import ImageSet, load_data, load_test_images
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.mlp_table.table_jobs import NUM_IMAGES
from isingprop.paper.mlp_table.table_published import Pair, pairs_of

FASHION = "fashion-mnist"

_QUICK_PAIRS = 3


@dataclass(frozen=True)
class Source:
    """A data set whose images the trials are made from.

    Args:
        images: training and test images.
        halved: whether there were no training files, so that one half of the test images serves for
            training and the other for tests.
    """

    images: ImageSet
    halved: bool = False


def load_sources(setup: Setup) -> dict[str, Source]:
    """Loads the data sets by name: that of the setup and, beside MNIST, the paper's Fashion-MNIST.

    Fashion-MNIST is left out if it is not available.

    Raises:
        ValueError: if a class has too few images.
        OSError: if the images of `setup.data` are missing.
    """
    is_fashion = setup.data == FASHION
    source = _fashion(setup.data_dir) if is_fashion else Source(setup.load_all())
    sources = {setup.data: source}

    if setup.is_papers:
        found = data_folder(setup.data_dir)
        # A folder of its own is needed, because files in the data folder itself are MNIST's.
        folder = None if found is None else found[1] / FASHION
        with suppress(OSError):
            sources[FASHION] = _fashion(folder)

    for pair in pairs_in(setup, sources):
        _check(sources[pair.data].images, pair)
    return sources


def pairs_in(setup: Setup, sources: Mapping[str, Source]) -> list[Pair]:
    """Returns the paper's pairs of these data sets; a quick run has only the first few."""
    pairs = [pair for name in sources for pair in pairs_of(name)]
    return pairs[:_QUICK_PAIRS] if setup.quick else pairs


def num_tested(source: Source, pair: Pair) -> int:
    """Returns the number of test images of a pair, which are equally many of each class."""
    return 2 * min(int((source.images.test_labels == label).sum()) for label in pair.classes)


def is_without_fashion(setup: Setup, sources: Mapping[str, Source]) -> bool:
    """Returns whether the paper's Fashion-MNIST is wanted, but missing."""
    return setup.is_papers and FASHION not in sources


def _fashion(data_dir: str | Path | None) -> Source:
    """Loads Fashion-MNIST; without its training files each class of test images is halved."""
    try:
        return Source(load_data(FASHION, data_dir=data_dir))
    except FileNotFoundError as error:
        try:
            images, labels = load_test_images(FASHION, data_dir=data_dir)
        except FileNotFoundError:
            raise error from None

    for_training = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        for_training[rows[: len(rows) // 2]] = True
    for_tests = ~for_training

    halves = images[for_training], labels[for_training], images[for_tests], labels[for_tests]
    return Source(ImageSet(FASHION, *halves, num_classes=int(labels.max()) + 1), halved=True)


def _check(images: ImageSet, pair: Pair) -> None:
    """Checks that both classes have enough training images for a trial, and a test image."""
    for part, labels, minimum in (
        ("train", images.train_labels, NUM_IMAGES // 2),
        ("test", images.test_labels, 1),
    ):
        for label in pair.classes:
            if (count := int((labels == label).sum())) < minimum:
                raise ValueError(
                    f"{part}_labels must have class {label} at least {minimum} times, got {count}"
                )
