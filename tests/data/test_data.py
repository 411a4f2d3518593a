"""Labelled images: what an ImageSet refuses and in which words, the papers' subset, the digits."""

import doctest
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from helpers.idx_files import refusal
from isingprop.data import load as data
from isingprop.data.load import ImageSet, load_data
from isingprop.data.subsets import class_balanced


def image_set(**changes):
    parts = {
        "name": "small",
        "train_images": np.linspace(0, 1, 6).reshape(3, 2),
        "train_labels": np.array([0, 1, 2]),
        "test_images": np.zeros((2, 2), dtype=np.float32),
        "test_labels": np.array([2, 0], dtype=np.uint8),
        "num_classes": 3,
    }
    return ImageSet(**(parts | changes))


def test_image_set_converts_to_float32_and_int64():
    columns = np.asfortranarray(np.linspace(0, 1, 6).reshape(3, 2))
    images = image_set(
        train_images=columns, test_images=[[0, 0.5], [1, 0]], num_classes=np.int16(3)
    )
    assert images.train_images.dtype == images.test_images.dtype == np.float32
    assert images.train_images.flags.c_contiguous
    np.testing.assert_array_equal(images.train_images, columns.astype(np.float32))
    np.testing.assert_array_equal(images.test_images, [[0, 0.5], [1, 0]])
    assert images.train_labels.dtype == images.test_labels.dtype == np.int64
    np.testing.assert_array_equal(images.test_labels, [2, 0])
    assert type(images.num_classes) is int


def test_image_set_does_not_copy_pixels_that_fit():
    pixels = np.zeros((3, 2), dtype=np.float32)
    assert np.shares_memory(image_set(train_images=pixels).train_images, pixels)


def test_image_set_is_frozen_and_compares_by_identity():
    images = image_set()
    with pytest.raises(AttributeError):
        images.name = "other"
    assert images == images
    assert images != image_set()


FLOATS = "must be floating-point pixels in [0, 1], got dtype"

INTEGERS = "must be an array of integers, got dtype"


@pytest.mark.parametrize(
    ("part", "value", "error", "message"),
    [
        ("train_images", np.zeros(3), ValueError, "must have shape (n, n), got (3,)"),
        (
            "train_images",
            np.zeros((3, 8, 8)),
            ValueError,
            "must have a row of pixels for each image, got shape (3, 8, 8): "
            "train_images.reshape(3, -1) has them",
        ),
        ("train_images", np.zeros((0, 2)), ValueError, "must have shape (n, n), got (0, 2)"),
        ("train_images", np.zeros((3, 0)), ValueError, "must have shape (n, n), got (3, 0)"),
        ("test_images", np.zeros((2, 5)), ValueError, "must have shape (n, 2), got (2, 5)"),
        ("test_images", np.zeros((0, 2)), ValueError, "must have shape (n, 2), got (0, 2)"),
        (
            "train_images",
            [[0, 0.5], [0, np.nan]],
            ValueError,
            "must be in [0, 1], got nan at index (1, 1)",
        ),
        (
            "test_images",
            [[0, np.inf]] * 2,
            ValueError,
            "must be in [0, 1], got inf at index (0, 1)",
        ),
        (
            "test_images",
            [[0, -np.inf]] * 2,
            ValueError,
            "must be in [0, 1], got -inf at index (0, 1)",
        ),
        ("test_images", [[0, 1e300]] * 2, ValueError, "must be in [0, 1], got inf at index (0, 1)"),
        (
            "train_images",
            np.full((3, 2), 1.5),
            ValueError,
            "must be in [0, 1], got 1.5 at index (0, 0)",
        ),
        (
            "test_images",
            [[1, 0], [-0.5, 0]],
            ValueError,
            "must be in [0, 1], got -0.5 at index (1, 0)",
        ),
        ("train_labels", [0, 1], ValueError, "must have shape (3,), got (2,)"),
        ("train_labels", np.zeros((3, 1), int), ValueError, "must have shape (3,), got (3, 1)"),
        ("test_labels", np.zeros(0, int), ValueError, "must have shape (2,), got (0,)"),
        ("train_labels", [0, 1, 3], ValueError, "must be in 0 ... 2, got 3 at index 2"),
        ("test_labels", [0, -1], ValueError, "must be in 0 ... 2, got -1 at index 1"),
        ("num_classes", 0, ValueError, "must be at least 1, got 0"),
        ("name", 3, TypeError, "must be a string, got 3"),
        (
            "train_images",
            np.zeros((3, 2), np.uint8),
            TypeError,
            f"{FLOATS} uint8: divide by 255, train_images / 255",
        ),
        ("test_images", [[0, 1]] * 2, TypeError, f"{FLOATS} int64"),
        ("test_images", np.zeros((2, 2), bool), TypeError, f"{FLOATS} bool"),
        ("train_labels", np.zeros(3), TypeError, f"{INTEGERS} float64"),
        ("test_labels", np.zeros(2, bool), TypeError, f"{INTEGERS} bool"),
        ("num_classes", 3.0, TypeError, "must be an integer, got 3.0"),
        ("num_classes", True, TypeError, "must be an integer, got True"),
    ],
)
def test_image_set_refuses(part, value, error, message):
    with pytest.raises(error, match=refusal(f"{part} {message}")):
        image_set(**{part: value})


def walk(labels, num_images, num_classes):
    """The rule of class_balanced, one image after another."""
    quotas = [
        num_images // num_classes + (c < num_images % num_classes) for c in range(num_classes)
    ]
    kept = []
    for index, label in enumerate(labels):
        if quotas[label] > 0:
            quotas[label] -= 1
            kept.append(index)
    others = [index for index in range(len(labels)) if index not in kept]
    return sorted(kept + others[: num_images - len(kept)])


@pytest.mark.parametrize("num_images", [1, 7, 10, 23, 60, 119, 120])
def test_class_balanced_follows_the_rule(num_images):
    labels = np.random.default_rng(1).choice(10, 120, p=[0.28] + 9 * [0.08])
    kept = class_balanced(labels, num_images, 10)
    assert kept.dtype == np.int64
    np.testing.assert_array_equal(kept, walk(labels, num_images, 10))


@pytest.mark.parametrize(
    ("labels", "num_images", "expected"),
    [
        ([2, 0, 0, 1, 2, 2, 0, 1, 1], 3, [0, 1, 3]),
        ([2, 0, 0, 1, 2, 2, 0, 1, 1], 5, [0, 1, 2, 3, 7]),  # classes 0 and 1 have one more
        ([0, 0, 0, 0, 1, 0, 2, 2], 6, [0, 1, 2, 4, 6, 7]),  # image 2 fills up for class 1
    ],
)
def test_class_balanced_by_hand(labels, num_images, expected):
    np.testing.assert_array_equal(class_balanced(labels, num_images, 3), expected)


@pytest.mark.parametrize(
    ("labels", "num_images", "num_classes", "error", "message"),
    [
        (np.zeros(5, int), 6, 10, ValueError, "num_images must be at most 5, got 6"),
        (np.zeros(5, int), 0, 10, ValueError, "num_images must be at least 1, got 0"),
        (np.zeros(0, int), 1, 10, ValueError, "num_images must be at most 0, got 1"),
        (np.zeros(5, int), 1, 0, ValueError, "num_classes must be at least 1, got 0"),
        (np.zeros((5, 1), int), 1, 10, ValueError, "labels must have shape (5,), got (5, 1)"),
        ([3], 1, 3, ValueError, "labels must be in 0 ... 2, got 3 at index 0"),
        (np.zeros(5), 1, 10, TypeError, f"labels {INTEGERS} float64"),
        (np.zeros(5, int), 2.0, 10, TypeError, "num_images must be an integer, got 2.0"),
    ],
)
def test_class_balanced_refuses(labels, num_images, num_classes, error, message):
    with pytest.raises(error, match=refusal(message)):
        class_balanced(labels, num_images, num_classes)


def test_digits(monkeypatch):
    monkeypatch.setenv("ISINGPROP_DATA", "/nowhere")  # not for digits
    images = load_data("digits")
    assert (images.name, images.num_classes) == ("digits", 10)
    assert images.train_images.shape == (1437, 64)
    assert images.test_images.shape == (360, 64)
    assert images.train_images.max() == images.test_images.max() == 1
    assert images.train_images.min() == 0
    np.testing.assert_array_equal(images.train_images * 16 % 1, 0)
    assert set(np.bincount(images.test_labels)) <= {
        35,
        36,
        37,
    }  # a fifth of the 174 to 183 there are
    np.testing.assert_array_equal(load_data("digits").test_images, images.test_images)


def test_digits_are_all_there_with_their_labels():
    pixels, labels = load_digits(return_X_y=True)
    images = load_data("digits")
    ours = np.concatenate([images.train_images, images.test_images])
    ours = np.column_stack([ours * 16, np.concatenate([images.train_labels, images.test_labels])])
    theirs = np.column_stack([pixels, labels])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_counts_choose_a_class_balanced_subset():
    whole, part = load_data("digits"), load_data("digits", num_train=100, num_test=np.int64(20))
    kept = class_balanced(whole.train_labels, 100, 10)
    np.testing.assert_array_equal(part.train_images, whole.train_images[kept])
    np.testing.assert_array_equal(part.train_labels, whole.train_labels[kept])
    np.testing.assert_array_equal(np.bincount(part.test_labels), [2] * 10)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        (5, {}, TypeError, "name must be a string, got 5"),
        ("cifar", {}, ValueError, "name must be one of digits, mnist, fashion-mnist, got 'cifar'"),
        ("mnist", {"data_dir": 5}, TypeError, "data_dir must be a path, got 5"),
        (
            "digits",
            {"data_dir": Path("/x")},
            ValueError,
            "data_dir must be None for digits (part of scikit-learn), got '/x'",
        ),
        ("digits", {"num_train": True}, TypeError, "num_train must be an integer, got True"),
        ("digits", {"num_test": 10.0}, TypeError, "num_test must be an integer, got 10.0"),
        (
            "mnist",
            {"data_dir": "/none", "num_train": 0},
            ValueError,
            "num_train must be at least 1, got 0",
        ),
        (
            "mnist",
            {"data_dir": "/none", "num_test": -1},
            ValueError,
            "num_test must be at least 1, got -1",
        ),
        ("digits", {"num_train": 1438}, ValueError, "num_train must be at most 1437, got 1438"),
        ("digits", {"num_test": 361}, ValueError, "num_test must be at most 360, got 361"),
    ],
)
def test_load_data_refuses(name, arguments, error, message):
    with pytest.raises(error, match=refusal(message)):
        load_data(name, **arguments)


@pytest.mark.slow
def test_importing_the_package_imports_nothing_that_only_loading_needs(python):
    code = "import isingprop, sys; print({'pooch', 'requests', 'sklearn'} & set(sys.modules))"
    assert python(code).stdout == "set()\n"


def test_the_examples_in_the_docstrings():
    failed, attempted = doctest.testmod(data)
    assert (failed, attempted) == (0, 8)
