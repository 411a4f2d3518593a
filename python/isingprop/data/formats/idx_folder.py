"""Finder of IDX files of any data set: MNIST and those that are published like it."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.data.formats.raw_images import RawData, RawImages, contents, is_hidden, listed
from isingprop.data.idx import read_idx

# Such as train-images-idx3-ubyte (MNIST, KMNIST), t10k-labels.idx1-ubyte (Kaggle),
# emnist-letters-test-images-idx3-ubyte.gz and qmnist-train-labels-idx2-int.gz.
_NAME = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<part>train|t10k|test)[-_.](?P<what>images|labels)[-_.]idx\d[-_.]\w+"
    r"(?:\.gz)?",
    re.IGNORECASE,
)
_BELOW = ("", "raw", "*/raw")  # torchvision's folders
_QMNIST_FIELDS = 8  # of a label; the first one is the class

Files = dict[tuple[str, str], Path]  # by part, train or test, and images or labels


def find_idx_folder(folder: Path) -> Path | None:
    """Returns the folder of IDX files: this one, or torchvision's `raw` in it; None without any."""
    for pattern in _BELOW:
        found = [folder] if not pattern else sorted(folder.glob(pattern))
        found = [
            each
            for each in found
            if not any(map(is_hidden, each.relative_to(folder).parts))
            and each.is_dir()
            and _sets(each)
        ]

        if len(found) > 1:
            raise ValueError(f"{folder} must hold one data set, got {listed(found)}: name one")
        if found:
            return found[0]
    return None


def is_idx_name(path: Path) -> bool:
    """Returns whether a file is called as the IDX files of data sets are."""
    return _NAME.fullmatch(path.name) is not None


def read_idx_folder(folder: Path) -> RawData:
    """Reads the data set in a folder of IDX files, gzipped or not, of any type of numbers.

    Raises:
        ValueError: for several data sets, no training images, images without labels, or a file that
            is not IDX.
    """
    return _read(folder, _only_set(folder))


def read_idx_set(images: Path) -> RawData:
    """Reads the data set to which a file of images belongs, by the names beside it."""
    match = _NAME.fullmatch(images.name)
    if match is None or match["what"].lower() != "images":
        raise ValueError(
            f"{images} must be named as in train-images-idx3-ubyte, for its labels to be found; "
            f"in its folder: {contents(images.parent)}"
        )
    folder = images.parent.parent if images.parent.name == images.name else images.parent
    return _read(folder, _sets(folder)[match["set"].lower()])


def read_unlabelled_idx_folder(folder: Path) -> RawImages:
    """Reads the images in a folder of IDX files: those of the test, or else of the training."""
    files = _only_set(folder)
    for part in ("test", "train"):
        if (part, "images") in files:
            return read_idx_images(files[part, "images"])
    raise ValueError(f"{folder} must hold a file of images, got {contents(folder)}")


def read_idx_images(path: Path) -> RawImages:
    """Reads a single file of images."""
    return RawImages(str(path), read_idx(path, any_type=True), None)


def _sets(folder: Path) -> dict[str, Files]:
    """Returns the files of each data set in a folder, by the start of their names."""
    sets: dict[str, Files] = defaultdict(dict)
    for path in sorted(folder.iterdir(), reverse=True):  # the gzipped of two comes first, and stays
        match = _NAME.fullmatch(path.name)
        file = path / path.name if path.is_dir() else path  # Kaggle's archives have such folders
        if match is not None and file.is_file() and not is_hidden(path.name):
            part = "train" if match["part"].lower() == "train" else "test"
            sets[match["set"].lower()].setdefault((part, match["what"].lower()), file)
    return dict(sets)


def _only_set(folder: Path) -> Files:
    """Returns the files of the one data set in a folder."""
    sets = _sets(folder)
    if len(sets) != 1:
        raise ValueError(
            f"{folder} must hold one data set, got {listed(sets)}: name the file of images of one"
        )
    return next(iter(sets.values()))


def _read(folder: Path, files: Files) -> RawData:
    """Returns the images and labels of a data set."""
    parts: dict[str, RawImages] = {}
    for part in ("train", "test"):
        if (part, "images") not in files and part == "test":
            continue
        for what in ("images", "labels"):
            if (part, what) not in files:
                raise ValueError(
                    f"{folder} must hold a file of {part} {what}, got {contents(folder)}"
                )

        images = read_idx(files[part, "images"], any_type=True)
        labels = _classes(read_idx(files[part, "labels"], any_type=True))
        parts[part] = RawImages(str(files[part, "images"]), images, labels)

    return RawData(parts["train"], parts.get("test"))


def _classes(labels: NDArray[Any]) -> NDArray[Any]:
    """Returns the classes in an array of labels, of which QMNIST's have further fields."""
    is_qmnist = labels.shape[1:] == (_QMNIST_FIELDS,) and np.issubdtype(labels.dtype, np.integer)
    return labels[:, 0] if is_qmnist else labels
