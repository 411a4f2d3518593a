"""Loader of labelled images: digits (part of scikit-learn), MNIST and Fashion-MNIST.

MNIST and Fashion-MNIST come from a folder of IDX files or from a cached download.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.data.download import FILES, download
from isingprop.data.idx import read_idx
from isingprop.data.idx_paths import data_folder, paths_in
from isingprop.data.subsets import class_balanced
from isingprop.data.thumbnails import thumbnails
from isingprop.util.checks import check_pixels, check_shape, image_array, label_array, whole_number
from isingprop.util.input_format import InputFormat, Scaling

NUM_CLASSES = 10  # of each data set
DataName = Literal["digits", "mnist", "fashion-mnist"]
NAMES: tuple[str, ...] = get_args(DataName)

Images = NDArray[np.float32]
Labels = NDArray[np.int64]
Raw = tuple[NDArray[Any], NDArray[Any]]  # images, in which 0 is black, and labels
_IDX_WHITE, _DIGITS_WHITE = 255, 16  # the max pixel values of the sources
_DIGITS_SHAPE = (8, 8)
_NUM_DIGITS_TEST = 360  # a fifth of the 1,797 digits


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class ImageSet:
    """Training and test images with their labels, which are checked on construction.

    Pixels become C-contiguous float32, without a copy where they already are, and labels int64.

    Args:
        name: the name of the data set in messages and run folders.
        train_images: (n, pixels), floating-point, in [0, 1].
        train_labels: (n,), integers in 0 ... num_classes - 1.
        test_images: (m, pixels), like train_images.
        test_labels: (m,), like train_labels.
        num_classes: at least 1.
        input_format: names of the classes, shape of an image and scale of its values, as far as
            they are known.
        notes: lines about images of the user's own: how many, their scale, their split.
        checksum: SHA-256 of all of them, before some were chosen; None for other images.

    Raises:
        ValueError: for a wrong shape, no images, a pixel or a label out of range (NaN included).
        TypeError: for pixels that are not floating-point, labels that are not integers.

    Example:
        >>> pixels, labels = np.array([[0, 255], [255, 0]], dtype=np.uint8), [0, 1]
        >>> ImageSet("two", pixels / 255, labels, pixels / 255, labels, num_classes=2).train_images
        array([[0., 1.],
               [1., 0.]], dtype=float32)
    """

    name: str
    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    num_classes: int
    input_format: InputFormat = field(default_factory=InputFormat)
    notes: tuple[str, ...] = ()
    checksum: str | None = None

    def __post_init__(self) -> None:
        """Checks that images, labels and classes fit together."""
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a string, got {self.name!r}")
        num_classes = whole_number("num_classes", self.num_classes, least=1)

        num_inputs = None  # of the training images, which the test images must share
        for part in ("train", "test"):
            images = image_array(
                f"{part}_images", getattr(self, f"{part}_images"), num_inputs=num_inputs
            )
            check_pixels(f"{part}_images", images)

            given = getattr(self, f"{part}_labels")
            labels = label_array(
                f"{part}_labels", given, count=len(images), num_classes=num_classes
            )
            object.__setattr__(self, f"{part}_images", images)
            object.__setattr__(self, f"{part}_labels", labels)
            num_inputs = images.shape[1]

        object.__setattr__(self, "num_classes", num_classes)
        self.input_format.check_fits(self.train_images.shape[1], num_classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for each class, which is its number where it has no other."""
        return self.input_format.names(self.num_classes)

    @classmethod
    def from_arrays(
        cls,
        x_train: ArrayLike,
        y_train: ArrayLike,
        x_test: ArrayLike | None = None,
        y_test: ArrayLike | None = None,
        *,
        name: str = "own",
        num_train: int | None = None,
        num_test: int | None = None,
    ) -> ImageSet:
        """Returns the user's own images, scaled to [0, 1], with their labels numbered.

        Args:
            x_train: (n, ...) numbers; images may have any shape. Unsigned bytes are divided by 255,
                values in [0, 1] are left, others scaled in each pixel by their range in training.
            y_train: (n,) labels, text or whole numbers.
            x_test: like x_train; None splits a random fifth of each class off the training images.
            y_test: labels that are also in y_train.
            name: of the data set in messages.
            num_train: the number of training images to keep, chosen by `class_balanced`.
            num_test: the number of test images to keep, chosen likewise.

        Raises:
            ValueError: with the row, for values or labels that cannot be used.

        Example:
            >>> pixels = np.arange(40, dtype=np.uint8).reshape(10, 2, 2)
            >>> images = ImageSet.from_arrays(pixels, ["cat", "dog"] * 5)
            >>> images.train_images.shape, images.class_names, str(images.input_format.scaling)
            ((8, 4), ('cat', 'dog'), 'values / 255')
        """
        from isingprop.data.preparation import prepared, raw_arrays

        raw = raw_arrays(x_train, y_train, x_test, y_test)
        return cls(**prepared(raw, name, num_train, num_test))

    @classmethod
    def from_file(
        cls,
        source: str | os.PathLike[str],
        *,
        label: str | None = None,
        num_train: int | None = None,
        num_test: int | None = None,
    ) -> ImageSet:
        """Reads the user's own images, as `isingprop train --data` does; see `from_arrays`.

        Args:
            source: .npz (x_train, y_train, x_test, y_test, or X and y), .csv, .tsv or .parquet, a
                folder of IDX files, or one of PNG or JPEG files with a folder for each class, in
                train/ and test/ or not; or openml:NAME.
            label: the column of labels in a table: its name, or its number from 0. None takes the
                one that is called label, class or target.
            num_train: the number of training images to keep, chosen by `class_balanced`.
            num_test: the number of test images to keep, chosen likewise.

        Raises:
            ValueError: with file, row and reason for what cannot be used.
            OSError: for what is not there or cannot be read.
            ImportError: without Pillow or pyarrow, where a file needs one of them.
        """
        from isingprop.data.formats.own_source import name_of, read_labelled
        from isingprop.data.preparation import prepared

        text = os.fspath(source)
        raw = read_labelled(text, label)
        return cls(**prepared(raw, name_of(text), num_train, num_test))

    def __repr__(self) -> str:
        """Returns the name and the numbers of images, pixels and classes, in one line."""
        counts = f"{len(self.train_images)} training + {len(self.test_images)} test images"
        num_pixels = self.train_images.shape[1]
        return (
            f"ImageSet({self.name!r}, {counts} of {num_pixels} pixels, {self.num_classes} classes)"
        )

    def _repr_html_(self) -> str:
        """Returns the same for a notebook, with an image of each class where they are square."""
        images = self.input_format.as_given(self.train_images)
        return thumbnails(repr(self), images, self.train_labels, self.class_names)


def load_data(
    name: str,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    num_train: int | None = None,
    num_test: int | None = None,
) -> ImageSet:
    """Loads a data set by name: ten classes, pixels in [0, 1].

    MNIST and Fashion-MNIST come from `data_dir`, else from the folder that the environment variable
    ISINGPROP_DATA names, else from a download, which is made once and checked; a download that was
    cut off is resumed at the next call. The folder, or its subfolder with the data set's name,
    holds the four IDX files, gzipped or not, with any number of images of any size. The test images
    of the digits are a fixed random fifth of them, with the same share of each class.

    Args:
        name: "digits" (1,437 + 360 images of 8 x 8 pixels), "mnist" or "fashion-mnist" (60,000 +
            10,000 images of 28 x 28).
        data_dir: folder of IDX files; not for "digits".
        num_train: the number of training images to keep, chosen by `class_balanced`; None keeps
            all. The papers use 1,000 of MNIST.
        num_test: the number of test images to keep, chosen likewise. The papers use 100.

    Returns:
        The images and labels, in published order (digits: in the order of their split).

    Raises:
        ValueError: for an unknown name, a count below 1 or above the number of images, a file that
            is not IDX.
        TypeError: for a count that is not an integer, a name or a folder of the wrong type.
        FileNotFoundError: where the folder or one of its four files is missing.
        ConnectionError: where the network failed during a download.
        OSError: where a download failed for another reason, or its sum is wrong.

    Example:
        >>> load_data("digits", num_train=100).train_images.shape
        (100, 64)

    References:
        LeCun et al. 1998, doi:10.1109/5.726791 (MNIST); Xiao et al. 2017, arXiv:1708.07747
        (Fashion-MNIST); Alpaydin & Kaynak 1998, UCI repository, optdigits (digits).
    """
    _check_request(name, data_dir, num_train, num_test)
    if name == "digits":
        (train, test), white = _digits(), _DIGITS_WHITE
        known = InputFormat(image_shape=_DIGITS_SHAPE)
    else:
        (train, test), white = _idx_sets(name, data_dir), _IDX_WHITE
        known = InputFormat(None, train[0].shape[1:], Scaling.of_all(_IDX_WHITE))

    train = _prepared("num_train", train, num_train, white)
    test = _prepared("num_test", test, num_test, white)
    return ImageSet(name, *train, *test, num_classes=NUM_CLASSES, input_format=known)


def load_test_images(
    name: str,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    num_test: int | None = None,
) -> tuple[Images, Labels]:
    """Loads the test images alone; the training files are neither needed nor downloaded.

    Args:
        name: the data set, see `load_data`, whose errors may be raised here, too.
        data_dir: folder of IDX files, see `load_data`.
        num_test: the number of images to keep, see `load_data`; None keeps all.

    Returns:
        (m, pixels) images in [0, 1] and their (m,) labels, in published order.

    Example:
        >>> images, labels = load_test_images("digits")
        >>> images.shape, labels.shape
        ((360, 64), (360,))
    """
    _check_request(name, data_dir, None, num_test)
    if name == "digits":
        return _prepared("num_test", _digits()[1], num_test, _DIGITS_WHITE)
    raw = _read_pair(*_idx_paths(name, data_dir, FILES[2:]))
    return _prepared("num_test", raw, num_test, _IDX_WHITE)


def _check_request(name: object, data_dir: object, num_train: object, num_test: object) -> None:
    """Checks all arguments of `load_data`, in order, before any work."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {name!r}")
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")

    if not isinstance(data_dir, (str, os.PathLike, type(None))):
        raise TypeError(f"data_dir must be a path, got {data_dir!r}")
    if name == "digits" and data_dir is not None:
        raise ValueError(
            f"data_dir must be None for digits (part of scikit-learn), got {str(data_dir)!r}"
        )

    for argument, count in (("num_train", num_train), ("num_test", num_test)):
        if count is not None:
            whole_number(argument, count, least=1)


def _digits() -> tuple[Raw, Raw]:
    """Returns the training and the test part of the digits; the split never changes."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    split = train_test_split(
        images, labels, test_size=_NUM_DIGITS_TEST, stratify=labels, random_state=0
    )
    return (split[0], split[2]), (split[1], split[3])


def _idx_sets(name: str, data_dir: str | os.PathLike[str] | None) -> tuple[Raw, Raw]:
    """Returns the training and the test part of a data set of IDX files."""
    paths = _idx_paths(name, data_dir, FILES)
    return _read_pair(*paths[:2]), _read_pair(*paths[2:])


def _idx_paths(
    name: str, data_dir: str | os.PathLike[str] | None, files: tuple[str, ...]
) -> list[Path]:
    """Returns the paths of some of the FILES, in the named folder or downloaded."""
    found = data_folder(data_dir)
    return download(name, files) if found is None else paths_in(*found, name, files)


def _read_pair(images_path: Path, labels_path: Path) -> Raw:
    """Returns the images and labels of two IDX files, which must fit together."""
    images, labels = read_idx(images_path), read_idx(labels_path)
    check_shape(str(images_path), images, (None, None, None))
    return images, label_array(str(labels_path), labels, count=len(images), num_classes=NUM_CLASSES)


def _prepared(argument: str, raw: Raw, count: int | None, white: int) -> Raw:
    """Returns float32 images in [0, 1], (n, pixels), and labels; `count` of them, None for all."""
    images, labels = raw
    if count is not None:
        whole_number(argument, count, least=1, most=len(labels))
        kept = class_balanced(labels, count, NUM_CLASSES)
        images, labels = images[kept], labels[kept]

    pixels = images.reshape(len(labels), -1).astype(np.float32)
    pixels /= np.float32(white)  # in place, because the pixels of MNIST take 188 MB
    return pixels, labels
