"""From raw images to the fields of an ImageSet: classes, split, subset, scale."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.data.feature_ranges import ranges_without_outliers
from isingprop.data.formats.raw_images import RawData, RawImages, listed
from isingprop.data.subsets import class_balanced, stratified_split
from isingprop.util.checks import whole_number
from isingprop.util.input_format import WHITE, InputFormat, Scaling

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_MAX_SHARE_OF_CLASSES = 2  # images per class, at least, on average: fewer are no classes

Labels = NDArray[np.int64]


def raw_arrays(
    x_train: ArrayLike, y_train: ArrayLike, x_test: ArrayLike | None, y_test: ArrayLike | None
) -> RawData:
    """Returns arrays of training and, if there are any, test images with their labels."""
    if (x_test is None) != (y_test is None):
        alone = "y_test" if x_test is None else "x_test"
        raise ValueError(f"x_test and y_test must be given together, got {alone} alone")
    train = RawImages("x_train", np.asarray(x_train), np.asarray(y_train))
    if x_test is None:
        return RawData(train)
    return RawData(train, RawImages("x_test", np.asarray(x_test), np.asarray(y_test)))


def prepared(
    raw: RawData, name: str, num_train: int | None = None, num_test: int | None = None
) -> dict[str, Any]:
    """Returns the fields of an ImageSet.

    The classes are the different labels, in the order of their numbers, or by alphabet if one of
    them is no number. Without test images a random fifth of each class is split off. The
    scale follows from all training images: unsigned bytes, and whole numbers that range from 0 to
    255, are divided by 255; values in [0, 1] stay as they are; others are scaled in each pixel by
    `ranges_without_outliers`. If the mean is then above 1/2, dark and bright are exchanged.

    Args:
        raw: what a file holds.
        name: of the data set.
        num_train: the number of training images to keep, chosen by `class_balanced`; None is all.
        num_test: the number of test images to keep, chosen likewise.

    Raises:
        ValueError: with source, row and reason, for images or labels that cannot be used.
    """
    for argument, count in (("num_train", num_train), ("num_test", num_test)):
        if count is not None:
            whole_number(argument, count, least=1)

    texts = [_label_texts(part) for part in (raw.train, raw.test) if part is not None]
    names = _class_names(raw.train, texts[0])
    labels = [_numbered(part, own, names) for part, own in zip(_parts(raw), texts, strict=True)]
    for part in _parts(raw):
        part.check_values()
    _check_shapes(raw)

    checksum = _checksum(raw, labels, names)
    notes = list(raw.notes)
    train, test, train_labels, test_labels = _split(raw, labels, len(names), notes)
    scaling = chosen_scaling(train)
    known = InputFormat(names, raw.train.images.shape[1:], scaling, raw.train.column_names)
    notes[:0] = _descriptions(name, train_labels, test_labels, known)

    train, train_labels = _kept("num_train", train, train_labels, num_train, len(names))
    test, test_labels = _kept("num_test", test, test_labels, num_test, len(names))
    return {
        "name": name,
        "train_images": scaled(train, scaling),
        "train_labels": train_labels,
        "test_images": scaled(test, scaling),
        "test_labels": test_labels,
        "num_classes": len(names),
        "input_format": known,
        "checksum": checksum,
        "notes": tuple(notes),
    }


def chosen_scaling(raw: RawImages) -> Scaling:
    """Returns the scale that follows from the values of training images; see `prepared`."""
    values = raw.images
    lowest, highest = float(values.min()), float(values.max())
    is_bytes = raw.has_type and values.dtype == np.uint8
    has_white = (lowest, highest) == (0, WHITE) and _is_whole(values)
    limit = WHITE if (is_bytes and highest > 1) or has_white else 1
    if lowest >= 0 and highest <= limit:
        return Scaling.of_all(limit).darkened(values)
    rows = values.reshape(len(values), -1).astype(np.float64)
    return Scaling(*ranges_without_outliers(rows)).darkened(rows)


def scaled(raw: RawImages, scaling: Scaling) -> NDArray[np.float32]:
    """Returns (n, pixels) in [0, 1]; values outside a scale of all pixels are refused."""
    if scaling.limit is not None:
        raw.check_range(0.0, scaling.limit)
    return scaling.pixels(raw.images)


def scaled_for(
    raw: RawImages, known: InputFormat, num_inputs: int
) -> tuple[NDArray[np.float32], Scaling]:
    """Returns images of any file as the inputs of a network, (n, num_inputs) in [0, 1].

    With them comes the scale that was used.

    Bytes, and values in [0, 1], mean the same pixels, so that a network that was trained on one of
    them takes the other. Without a known scale nothing else is taken.

    Raises:
        ValueError: for images of another shape, or values out of the scale.
    """
    raw.check_values()
    _check_shape_for(raw, known, num_inputs)
    scaling = known.scaling or Scaling.of_all(1)
    highest, are_bytes = raw.images.max(), raw.has_type and raw.images.dtype == np.uint8

    limit = scaling.limit
    if limit == 1 and are_bytes and highest > 1:
        limit = WHITE
    elif limit == WHITE and raw.images.dtype.kind in "fb" and highest <= 1:
        limit = 1
    if limit is not None:
        alike = Scaling.of_all(limit)
        scaling = alike.exchanged() if scaling.is_exchanged else alike

    return scaled(raw, scaling), scaling


def _parts(raw: RawData) -> list[RawImages]:
    return [raw.train] if raw.test is None else [raw.train, raw.test]


def _label_texts(raw: RawImages) -> NDArray[np.str_]:
    """Returns labels as text, (n,), after checks that there is one for each image."""
    if raw.labels is None:
        raise ValueError(f"{raw.source} must have labels, got none")
    labels, count = np.asarray(raw.labels), len(np.atleast_1d(raw.images))
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.shape != (count,):
        raise ValueError(
            f"{raw.source} must have a label for each of {count} images, got labels of shape "
            f"{labels.shape}"
        )

    if labels.dtype.kind == "f":
        _refuse(raw, labels, ~(labels == np.rint(labels)))  # NaN, too
        labels = labels.astype(np.int64)
    elif labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    elif labels.dtype.kind == "O":
        good = [isinstance(each, str | int | np.integer) for each in labels]
        _refuse(raw, labels, ~np.array(good))
    elif labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    elif labels.dtype.kind not in "iuU":
        raise ValueError(f"{raw.source} must have numbers or text as labels, got {labels.dtype}")

    texts = labels.astype(str)
    _refuse(raw, texts, texts == "")
    return texts


def _refuse(raw: RawImages, labels: NDArray[Any], wrong: NDArray[np.bool_]) -> None:
    if wrong.any():
        k = int(wrong.argmax())
        got = str(labels[k]) or "nothing"
        raise ValueError(f"{raw.row(k)}: label must be a whole number or text, got {got:.40}")


def _class_names(raw: RawImages, texts: NDArray[np.str_]) -> tuple[str, ...]:
    """Returns the different labels of training images, in order."""
    found = [str(name) for name in np.unique(texts)]
    if all(_NUMBER.fullmatch(name) for name in found):
        found.sort(key=float)

    if len(found) < 2:
        raise ValueError(f"{raw.source} must have labels of 2 classes or more, got {listed(found)}")
    if len(found) > max(2, len(texts) // _MAX_SHARE_OF_CLASSES):
        raise ValueError(
            f"{raw.source} must have labels of fewer classes, got {len(found)} in {len(texts)} "
            f"images: {listed(found)}"
        )
    return tuple(found)


def _numbered(raw: RawImages, texts: NDArray[np.str_], names: Sequence[str]) -> Labels:
    """Returns the number of the class of each image."""
    place = {name: k for k, name in enumerate(names)}
    found, inverse = np.unique(texts, return_inverse=True)
    numbers = np.array([place.get(str(name), -1) for name in found], dtype=np.int64)[inverse]
    if (numbers < 0).any():
        k = int((numbers < 0).argmax())
        raise ValueError(
            f"{raw.row(k)}: label must be one of the training images, {listed(names)}, "
            f"got {str(texts[k])!r}"
        )
    return numbers


def _check_shapes(raw: RawData) -> None:
    if raw.test is not None and raw.test.images.shape[1:] != raw.train.images.shape[1:]:
        raise ValueError(
            f"{raw.test.source} must have images of shape {raw.train.images.shape[1:]} as "
            f"{raw.train.source}, got {raw.test.images.shape[1:]}"
        )


def _check_shape_for(raw: RawImages, known: InputFormat, num_inputs: int) -> None:
    """Checks that images have the shape of a network's, or are rows of as many pixels."""
    shape, wanted = raw.images.shape[1:], known.image_shape
    if int(np.prod(shape)) != num_inputs:
        raise ValueError(
            f"{raw.source} must have images of {num_inputs} pixels, as the network has inputs, "
            f"got shape {shape}"
        )
    if wanted is not None and len(shape) > 1 and len(wanted) > 1 and shape != wanted:
        raise ValueError(
            f"{raw.source} must have images of shape {wanted}, as those of the network, got {shape}"
        )


def _split(
    raw: RawData, labels: list[Labels], num_classes: int, notes: list[str]
) -> tuple[RawImages, RawImages, Labels, Labels]:
    """Returns training and test images with their labels; notes if they had to be split."""
    if raw.test is not None:
        return raw.train, raw.test, labels[0], labels[1]

    train, test = stratified_split(labels[0], num_classes)
    if not len(test):
        raise ValueError(
            f"{raw.train.source} must have test images, or a class of 3 images or more to split "
            f"them from, got {len(labels[0])} images"
        )
    notes.append(
        f"split: no test images in {raw.train.source}, so a fixed random fifth of each class, "
        f"{len(test)} of {len(labels[0])} images, are the test images"
    )
    return _chosen(raw.train, train), _chosen(raw.train, test), labels[0][train], labels[0][test]


def _kept(
    argument: str, raw: RawImages, labels: Labels, count: int | None, num_classes: int
) -> tuple[RawImages, Labels]:
    """Returns the images that a count keeps, with their labels."""
    if count is None:
        return raw, labels
    whole_number(argument, count, least=1, most=len(labels))
    kept = class_balanced(labels, count, num_classes)
    return _chosen(raw, kept), labels[kept]


def _chosen(raw: RawImages, which: Labels) -> RawImages:
    """Returns some of the images; messages go on to call them as the file does."""
    rows = [f"row {k}" for k in which] if raw.rows is None else [raw.rows[k] for k in which]
    return replace(raw, images=raw.images[which], labels=None, rows=rows)


def _is_whole(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "iu" or all(bool((row == np.rint(row)).all()) for row in values)


def _checksum(raw: RawData, labels: list[Labels], names: Sequence[str]) -> str:
    """Returns the SHA-256 of all images and labels, whatever file holds them."""
    total = hashlib.sha256(repr(names).encode())
    for part, own in zip(_parts(raw), labels, strict=True):
        images = np.ascontiguousarray(part.images)
        total.update(repr((images.shape, images.dtype.str)).encode())
        total.update(images.reshape(-1).view(np.uint8).data)
        total.update(own.tobytes())
    return total.hexdigest()


def _descriptions(name: str, train: Labels, test: Labels, known: InputFormat) -> list[str]:
    """Returns lines about the images, their classes and their scale."""
    names, shape = known.class_names or (), known.image_shape or ()
    counts = np.bincount(train, minlength=len(names))
    most, fewest = int(counts.argmax()), int(counts.argmin())
    uneven = f", {counts[fewest]} ({names[fewest]}) to {counts[most]} ({names[most]}) for training"
    size = " x ".join(map(str, shape)) + (" pixels" if len(shape) > 1 else " values")
    return [
        f"{name}: {len(train)} training and {len(test)} test images of {size}; {len(names)} "
        f"classes: {listed(names)}{uneven if counts[most] > counts[fewest] else ''}",
        f"scale: {known.scaling}",
    ]
