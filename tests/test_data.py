"""The room of images: what is read, what is refused and in which words, and downloads that are cut off."""

import doctest
import gzip
import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest
import requests
from isingprop import data
from isingprop.data import FILES, ImageSet, class_balanced, load_data, read_idx

BESIDE = Path(__file__).parents[2] / "shared" / "data"
REAL = Path(os.environ.get("ISINGPROP_DATA") or BESIDE)  # read before the fixture below hides it
NUM_TRAIN, NUM_TEST, SIDE = 60, 30, 8  # of the small data set made here
TRAIN_IMAGES_GZ = "train-images-idx3-ubyte.gz"


@pytest.fixture(autouse=True)
def _own_cache_no_network(tmp_path, monkeypatch):
    """An own cache folder, no data folder in the environment, no proxy, and URLs that lead nowhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ISINGPROP_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in data.URLS:
        monkeypatch.setitem(data.URLS, name, f"http://127.0.0.1:{_free_port()}/{name}/")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def refusal(message):
    """A pattern for the whole message, word for word."""
    return f"^{re.escape(message)}$"


def idx(array):
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def small_arrays(seed=0):
    """Noise images, which do not compress, with labels 0 … 9 in turn: keyed by FILES."""
    rng = np.random.default_rng(seed)
    arrays = []
    for count in (NUM_TRAIN, NUM_TEST):
        arrays += [rng.integers(0, 256, (count, SIDE, SIDE), np.uint8), np.arange(count, dtype=np.uint8) % 10]
    return dict(zip(FILES, arrays, strict=True))


def write_folder(folder, arrays=None, spelling="{}.gz"):
    folder.mkdir(parents=True, exist_ok=True)
    for file, array in (arrays or small_arrays()).items():
        name = spelling.format(file)
        (folder / name).write_bytes(gzip.compress(idx(array)) if name.endswith(".gz") else idx(array))
    return folder


# ImageSet


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
    images = image_set(train_images=columns, num_classes=np.int16(3))
    assert images.train_images.dtype == images.test_images.dtype == np.float32
    assert images.train_images.flags.c_contiguous
    np.testing.assert_array_equal(images.train_images, columns.astype(np.float32))
    assert images.train_labels.dtype == images.test_labels.dtype == np.int64
    np.testing.assert_array_equal(images.test_labels, [2, 0])
    assert type(images.num_classes) is int


def test_image_set_does_not_copy_what_fits():
    pixels, labels = np.zeros((3, 2), dtype=np.float32), np.zeros(3, dtype=np.int64)
    images = image_set(train_images=pixels, train_labels=labels)
    assert np.shares_memory(images.train_images, pixels)
    assert np.shares_memory(images.train_labels, labels)


def test_image_set_is_frozen_and_compares_by_identity():
    images = image_set()
    with pytest.raises(AttributeError):
        images.name = "other"
    assert images == images
    assert images != image_set()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": np.zeros(3)}, "train_images must have shape (n, pixels), got (3,)"),
        ({"train_images": np.zeros((3, 1, 2))}, "train_images must have shape (n, pixels), got (3, 1, 2)"),
        ({"test_images": np.zeros((2, 5))}, "test_images must have shape (n, 2), got (2, 5)"),
        (
            {"train_images": np.zeros((0, 2))},
            "train_images must have at least one image and one pixel, got shape (0, 2)",
        ),
        (
            {"train_images": np.zeros((3, 0))},
            "train_images must have at least one image and one pixel, got shape (3, 0)",
        ),
        (
            {"test_images": np.zeros((0, 2))},
            "test_images must have at least one image and one pixel, got shape (0, 2)",
        ),
        ({"train_images": np.array([[0, np.nan]] * 3)}, "train_images must be finite, got nan"),
        ({"test_images": np.array([[0, np.inf]] * 2)}, "test_images must be finite, got inf"),
        ({"test_images": np.array([[0, -np.inf]] * 2)}, "test_images must be finite, got -inf"),
        ({"train_images": np.full((3, 2), 1.5)}, "train_images must be in [0, 1], got 1.5"),
        ({"test_images": np.full((2, 2), -0.5)}, "test_images must be in [0, 1], got -0.5"),
        ({"train_labels": np.array([0, 1])}, "train_labels must have shape (3,), got (2,)"),
        ({"train_labels": np.zeros((3, 1), int)}, "train_labels must have shape (3,), got (3, 1)"),
        ({"test_labels": np.zeros(0, int)}, "test_labels must have shape (2,), got (0,)"),
        ({"train_labels": np.array([0, 1, 3])}, "train_labels must be from 0 to 2, got 3"),
        ({"test_labels": np.array([0, -1])}, "test_labels must be from 0 to 2, got -1"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
    ],
)
def test_image_set_refuses_values(changes, message):
    with pytest.raises(ValueError, match=refusal(message)):
        image_set(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 3}, "name must be a string, got 3"),
        ({"train_images": [[0.0, 1.0]] * 3}, "train_images must be a NumPy array, got list"),
        (
            {"train_images": np.zeros((3, 2), np.uint8)},
            "train_images must be floating (divide bytes by 255), got dtype uint8",
        ),
        (
            {"test_images": np.zeros((2, 2), bool)},
            "test_images must be floating (divide bytes by 255), got dtype bool",
        ),
        ({"train_labels": [0, 1, 2]}, "train_labels must be a NumPy array, got list"),
        ({"train_labels": np.zeros(3)}, "train_labels must be integers, got dtype float64"),
        ({"test_labels": np.zeros(2, bool)}, "test_labels must be integers, got dtype bool"),
        ({"num_classes": 3.0}, "num_classes must be an integer, got 3.0"),
        ({"num_classes": True}, "num_classes must be an integer, got True"),
    ],
)
def test_image_set_refuses_types(changes, message):
    with pytest.raises(TypeError, match=refusal(message)):
        image_set(**changes)


# class_balanced


def walk(labels, num_images, num_classes):
    """The rule, one image after another."""
    quotas = [num_images // num_classes + (c < num_images % num_classes) for c in range(num_classes)]
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


def test_class_balanced_by_hand():
    labels = np.array([2, 0, 0, 1, 2, 2, 0, 1, 1])
    np.testing.assert_array_equal(class_balanced(labels, 3, 3), [0, 1, 3])
    np.testing.assert_array_equal(
        class_balanced(labels, 5, 3), [0, 1, 2, 3, 7]
    )  # classes 0 and 1 have one more


def test_class_balanced_fills_a_short_class_with_the_earliest_left():
    labels = np.array([0, 0, 0, 0, 1, 0, 2, 2])
    np.testing.assert_array_equal(
        class_balanced(labels, 6, 3), [0, 1, 2, 4, 6, 7]
    )  # image 2 fills for class 1


@pytest.mark.parametrize(
    ("labels", "num_images", "num_classes", "error", "message"),
    [
        (np.zeros(5, int), 6, 10, ValueError, "num_images must be from 1 to 5, the images there are, got 6"),
        (np.zeros(5, int), 0, 10, ValueError, "num_images must be from 1 to 5, the images there are, got 0"),
        (np.zeros(5, int), 1, 0, ValueError, "num_classes must be at least 1, got 0"),
        (np.zeros((5, 1), int), 1, 10, ValueError, "labels must have shape (n,), got (5, 1)"),
        (np.zeros(0, int), 1, 10, ValueError, "labels must have shape (n,), got (0,)"),
        (np.array([3]), 1, 3, ValueError, "labels must be from 0 to 2, got 3"),
        (np.zeros(5), 1, 10, TypeError, "labels must be integers, got dtype float64"),
        (np.zeros(5, int), 2.0, 10, TypeError, "num_images must be an integer, got 2.0"),
    ],
)
def test_class_balanced_refuses(labels, num_images, num_classes, error, message):
    with pytest.raises(error, match=refusal(message)):
        class_balanced(labels, num_images, num_classes)


# read_idx


@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 3, 2), (1,) * 32])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_read_idx_by_content_not_by_name(tmp_path, shape, pack):
    array = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    for name in ("file", "file.gz"):
        (tmp_path / name).write_bytes(pack(idx(array)))
        read = read_idx(tmp_path / name)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, array, strict=True)


def test_read_idx_is_writeable(tmp_path):
    (tmp_path / "file").write_bytes(idx(np.arange(3)))
    read = read_idx(str(tmp_path / "file"))
    read[0] = 9
    np.testing.assert_array_equal(read, [9, 1, 2])


def lying_header(*sizes):
    return bytes([0, 0, 8, len(sizes)]) + np.array(sizes, ">u4").tobytes()


MAGIC = "must start with 00 00 08 and 01 to 20 (its dimensions), got "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", MAGIC + "nothing"),
        (b"\0\0\x08", MAGIC + "00 00 08"),
        (b"<html></html>", MAGIC + "3c 68 74 6d"),
        (b"\0\0\x0d\x01" + b"\0\0\0\1" + b"\0\0\0\0", MAGIC + "00 00 0d 01"),
        (b"\0\1\x08\x01" + b"\0\0\0\1" + b"\7", MAGIC + "00 01 08 01"),
        (b"\0\0\x08\0", MAGIC + "00 00 08 00"),
        (lying_header(*[1] * 33) + b"\7", MAGIC + "00 00 08 21"),
        (lying_header(7, 28, 28)[:10], "must hold a header of 16 bytes, got 10"),
        (
            lying_header(60_000, 28, 28) + bytes(1000),
            "must hold 47040000 bytes of data, shape (60000, 28, 28), got 1000",
        ),
        (lying_header(5) + bytes(4), "must hold 5 bytes of data, shape (5,), got 4"),
        (lying_header(5) + bytes(6), "must hold 5 bytes of data, shape (5,), got 6"),
        (lying_header(0, 28, 28), "must hold some bytes of data, shape (0, 28, 28), got 0"),
        (
            lying_header(*[2**32 - 1] * 3) + b"\0",
            f"must hold {(2**32 - 1) ** 3} bytes of data, shape {(2**32 - 1,) * 3}, got 1",
        ),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_read_idx_refuses(tmp_path, content, message, pack):
    path = tmp_path / "file"
    path.write_bytes(pack(content))
    with pytest.raises(ValueError, match=refusal(f"{path} {message}")):
        read_idx(path)


def spoiled(packed, at):
    return packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]


WHOLE = gzip.compress(idx(np.arange(200)), mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(WHOLE[: len(WHOLE) // 2], id="cut off"),
        pytest.param(WHOLE[:2], id="only its magic"),
        pytest.param(spoiled(WHOLE, 10), id="deflate data that are none"),
        pytest.param(spoiled(WHOLE, len(WHOLE) - 8), id="wrong checksum"),
        pytest.param(spoiled(WHOLE, 2), id="unknown method"),
        pytest.param(WHOLE + b"more", id="trailing bytes"),
    ],
)
def test_read_idx_refuses_gzip_that_does_not_unpack(tmp_path, content):
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    start = re.escape(f"{path} must unpack with gzip, got {len(content)} bytes that do not: ")
    with pytest.raises(ValueError, match=f"^{start}[^\n]+$"):
        read_idx(path)


def test_read_idx_of_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        read_idx(tmp_path / "nothing-here")


# load_data


def test_digits():
    images = load_data("digits")
    assert images.name == "digits"
    assert images.num_classes == 10
    assert images.train_images.shape == (1437, 64)
    assert images.test_images.shape == (360, 64)
    assert images.train_images.max() == images.test_images.max() == 1
    assert images.train_images.min() == 0
    np.testing.assert_array_equal(images.train_images * 16 % 1, 0)
    assert set(np.bincount(images.test_labels)) <= {
        35,
        36,
        37,
    }  # stratified: 360 / 10 each, as 174 … 183 there are


def test_digits_are_all_there_with_their_labels():
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = load_data("digits")
    ours = np.concatenate([images.train_images, images.test_images])
    ours = np.column_stack([ours * 16, np.concatenate([images.train_labels, images.test_labels])])
    theirs = np.column_stack([pixels, labels])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_digits_are_the_same_every_time_and_ignore_the_environment(monkeypatch):
    first = load_data("digits")
    monkeypatch.setenv("ISINGPROP_DATA", "/nowhere")
    np.testing.assert_array_equal(load_data("digits").test_images, first.test_images)


def test_counts_choose_a_class_balanced_subset():
    whole, part = load_data("digits"), load_data("digits", num_train=100, num_test=np.int64(20))
    kept = class_balanced(whole.train_labels, 100, 10)
    np.testing.assert_array_equal(part.train_images, whole.train_images[kept])
    np.testing.assert_array_equal(part.train_labels, whole.train_labels[kept])
    np.testing.assert_array_equal(np.bincount(part.test_labels), [2] * 10)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": 5}, TypeError, "name must be a string, got 5"),
        ({"name": "cifar"}, ValueError, "name must be one of digits, mnist, fashion-mnist, got 'cifar'"),
        ({"name": "mnist", "data_dir": 5}, TypeError, "data_dir must be a path, got 5"),
        (
            {"name": "digits", "data_dir": Path("/x")},
            ValueError,
            "data_dir must be None for digits (part of scikit-learn), got '/x'",
        ),
        ({"name": "digits", "num_train": True}, TypeError, "num_train must be an integer, got True"),
        ({"name": "digits", "num_test": 10.0}, TypeError, "num_test must be an integer, got 10.0"),
        ({"name": "mnist", "num_train": 0}, ValueError, "num_train must be at least 1, got 0"),
        ({"name": "mnist", "num_test": -1}, ValueError, "num_test must be at least 1, got -1"),
        (
            {"name": "digits", "num_train": 1438},
            ValueError,
            "num_train must be from 1 to 1437, the images there are, got 1438",
        ),
        (
            {"name": "digits", "num_test": 361},
            ValueError,
            "num_test must be from 1 to 360, the images there are, got 361",
        ),
    ],
)
def test_load_data_refuses(arguments, error, message):
    with pytest.raises(error, match=refusal(message)):
        load_data(**arguments)


@pytest.mark.parametrize(
    "spelling",
    ["{}.gz", "{}", "{0[0]}.idx{0[1]}", "{0[0]}.idx{0[1]}.gz"],
    ids=["gz", "plain", "dot", "dot gz"],
)
@pytest.mark.parametrize("below", ["", "mnist"], ids=["directly", "in a subfolder"])
def test_a_folder_of_idx_files(tmp_path, below, spelling):
    arrays = small_arrays()
    named = {tuple(f.split("-idx")) if "[" in spelling else f: array for f, array in arrays.items()}
    write_folder(tmp_path / "D" / below, named, spelling)
    images = load_data("mnist", data_dir=tmp_path / "D")
    expected = arrays[FILES[0]].reshape(NUM_TRAIN, SIDE * SIDE).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(images.train_images, expected, strict=True)
    np.testing.assert_array_equal(images.train_labels, arrays[FILES[1]])
    assert images.test_images.shape == (NUM_TEST, SIDE * SIDE)
    np.testing.assert_array_equal(images.test_labels, arrays[FILES[3]])
    assert images.test_labels.dtype == np.int64


def test_the_subfolder_goes_before_the_folder(tmp_path):
    write_folder(tmp_path, small_arrays(seed=1))
    write_folder(tmp_path / "mnist", small_arrays(seed=2))
    first = small_arrays(seed=2)[FILES[0]][0].ravel() / np.float32(255)
    np.testing.assert_array_equal(load_data("mnist", data_dir=str(tmp_path)).train_images[0], first)


def test_files_of_two_folders_are_never_mixed(tmp_path):
    write_folder(tmp_path)
    write_folder(tmp_path / "fashion-mnist")
    (tmp_path / "fashion-mnist" / TRAIN_IMAGES_GZ).unlink()
    with pytest.raises(FileNotFoundError, match="data_dir must hold train-images-idx3-ubyte"):
        load_data("fashion-mnist", data_dir=tmp_path)


def test_a_folder_named_like_a_file_is_passed_over(tmp_path):
    write_folder(tmp_path, spelling="{}")
    (tmp_path / TRAIN_IMAGES_GZ).mkdir()
    assert load_data("mnist", data_dir=tmp_path).train_images.shape == (NUM_TRAIN, SIDE * SIDE)


def test_the_environment_names_a_folder_and_data_dir_goes_before_it(tmp_path, monkeypatch):
    write_folder(tmp_path / "env", small_arrays(seed=1))
    write_folder(tmp_path / "arg", small_arrays(seed=2))
    monkeypatch.setenv("ISINGPROP_DATA", str(tmp_path / "env"))
    of_env = load_data("fashion-mnist").train_images
    of_arg = load_data("fashion-mnist", data_dir=tmp_path / "arg").train_images
    np.testing.assert_array_equal(of_env[0], small_arrays(seed=1)[FILES[0]][0].ravel() / np.float32(255))
    np.testing.assert_array_equal(of_arg[0], small_arrays(seed=2)[FILES[0]][0].ravel() / np.float32(255))


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(write_folder(tmp_path / "home")))
    assert load_data("mnist", data_dir="~", num_train=10).train_images.shape == (10, SIDE * SIDE)


@pytest.mark.parametrize("source", ["data_dir", "ISINGPROP_DATA"])
def test_a_missing_folder(tmp_path, monkeypatch, source):
    folder = tmp_path / "none"
    monkeypatch.setenv("ISINGPROP_DATA", str(folder))
    message = (
        f"{source} must be a folder, got '{folder}': make it, "
        "or unset data_dir and ISINGPROP_DATA to download it"
    )
    with pytest.raises(FileNotFoundError, match=refusal(message)):
        load_data("mnist", data_dir=folder if source == "data_dir" else None)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file(tmp_path, file):
    write_folder(tmp_path)
    (tmp_path / f"{file}.gz").unlink()
    message = (
        f"data_dir must hold {file}[.gz], got none in '{tmp_path}': put it there, "
        "or unset data_dir and ISINGPROP_DATA to download it"
    )
    with pytest.raises(FileNotFoundError, match=refusal(message)):
        load_data("mnist", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        (FILES[0], np.zeros((NUM_TRAIN, 64)), "must have 3 dimensions, got 2"),
        (FILES[1], np.zeros((NUM_TRAIN, 1)), "must have 1 dimensions, got 2"),
        (
            FILES[1],
            np.zeros(NUM_TRAIN + 1),
            f"must hold {NUM_TRAIN} labels, one per image, got {NUM_TRAIN + 1}",
        ),
        (FILES[3], np.zeros(NUM_TEST - 1), f"must hold {NUM_TEST} labels, one per image, got {NUM_TEST - 1}"),
        (FILES[3], np.full(NUM_TEST, 12), "must hold labels from 0 to 9, got 12"),
    ],
)
def test_files_that_do_not_fit_together(tmp_path, file, array, message):
    write_folder(tmp_path, small_arrays() | {file: array})
    with pytest.raises(ValueError, match=refusal(f"{tmp_path / file}.gz {message}")):
        load_data("mnist", data_dir=tmp_path)


def test_test_images_of_another_size(tmp_path):
    write_folder(tmp_path, small_arrays() | {FILES[2]: np.zeros((NUM_TEST, 5, 5))})
    with pytest.raises(ValueError, match=refusal("test_images must have shape (n, 64), got (30, 25)")):
        load_data("mnist", data_dir=tmp_path)


def test_a_count_beyond_the_folder(tmp_path):
    message = f"num_test must be from 1 to {NUM_TEST}, the images there are, got {NUM_TEST + 1}"
    with pytest.raises(ValueError, match=refusal(message)):
        load_data("mnist", data_dir=write_folder(tmp_path), num_test=NUM_TEST + 1)


# real images


@pytest.fixture
def real():
    if not (REAL / "mnist" / TRAIN_IMAGES_GZ).is_file():
        pytest.skip(f"no MNIST files in {REAL}: name a folder of them with ISINGPROP_DATA")
    return REAL


def test_real_mnist_subset_is_the_papers(real):
    whole, part = (
        load_data("mnist", data_dir=real),
        load_data("mnist", data_dir=real, num_train=1000, num_test=100),
    )
    assert whole.train_images.shape[1] == 784
    np.testing.assert_array_equal(whole.train_labels[:10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])  # as published
    np.testing.assert_array_equal(whole.test_labels[:10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    for some, some_labels, all_, all_labels, quota in (
        (part.train_images, part.train_labels, whole.train_images, whole.train_labels, 100),
        (part.test_images, part.test_labels, whole.test_images, whole.test_labels, 10),
    ):
        for digit in range(10):
            np.testing.assert_array_equal(some[some_labels == digit], all_[all_labels == digit][:quota])


def test_real_mnist_pixels(real):
    images = load_data("mnist", data_dir=real)
    assert images.train_images.max() == 1
    # The mean and standard deviation of all 60,000 published training images; 10,000 of them lie within 1 %.
    assert images.train_images.mean() == pytest.approx(0.1307, rel=0.01)
    assert images.train_images.std() == pytest.approx(0.3081, rel=0.01)


def test_real_fashion_without_its_training_files(real):
    if (real / "fashion-mnist" / TRAIN_IMAGES_GZ).is_file():
        assert load_data("fashion-mnist", data_dir=real).train_images.shape[1] == 784
    elif (real / "fashion-mnist").is_dir():
        with pytest.raises(FileNotFoundError, match=r"data_dir must hold train-images-idx3-ubyte\[\.gz\]"):
            load_data("fashion-mnist", data_dir=real)
        images = read_idx(real / "fashion-mnist" / "t10k-images-idx3-ubyte.gz")
        assert images.shape[1:] == (28, 28)
    else:
        pytest.skip(f"no Fashion-MNIST files in {real}")


# downloads


@dataclass
class Server:
    """What a test server hands out, how it misbehaves, and what it was asked for."""

    files: dict[str, bytes]
    ranges: bool = True
    cut_after: dict[str, int] = field(default_factory=dict)  # file: bytes of its next answer before the cut
    stall_after: dict[str, int] = field(default_factory=dict)  # the same, but silent instead of cut
    delay_s: float = 0
    served: list[tuple[str, str | None, int, int]] = field(
        default_factory=list
    )  # file, Range, status, body bytes
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def asked(self, file: str) -> list[tuple[str | None, int, int]]:
        return [entry[1:] for entry in self.served if entry[0] == file]


class Handler(BaseHTTPRequestHandler):
    server: "RunningServer"

    def do_GET(self):
        plan, file, wanted = self.server.plan, self.path.rpartition("/")[2], self.headers["Range"]
        time.sleep(plan.delay_s)
        whole = plan.files.get(file)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and plan.ranges else 0
        if whole is None:
            self.answer(file, wanted, 404, b"no such file")
        elif start >= len(whole):
            self.answer(file, wanted, 416, b"")
        else:
            self.answer(file, wanted, 206 if start else 200, whole[start:])

    def answer(self, file, wanted, status, body):
        plan = self.server.plan
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if (
            "gzip" in self.headers["Accept-Encoding"]
        ):  # as some servers label .gz files: requests would unpack them
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        silent = plan.stall_after.pop(file, None)
        sent = body[: plan.cut_after.pop(file, silent)]
        plan.served.append((file, wanted, status, len(sent)))
        self.wfile.write(sent)  # HTTP/1.0: the connection closes after this
        self.wfile.flush()
        if silent is not None:
            plan.over.wait(10)  # s: a client that never gives up fails its test, and does not hang it

    def log_message(self, *_):
        """Keeps stderr for pooch."""


class RunningServer(ThreadingHTTPServer):
    plan: Server


@contextmanager
def running(plan: Server) -> Iterator[Server]:
    with RunningServer(("127.0.0.1", 0), Handler) as server:
        server.plan = plan
        plan.url = f"http://127.0.0.1:{server.server_port}/mnist/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield plan
        finally:
            plan.over.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def server(monkeypatch):
    """The small data set on a local server, which load_data takes for MNIST's."""
    files = {f"{file}.gz": gzip.compress(idx(array), mtime=0) for file, array in small_arrays().items()}
    with running(Server(files)) as plan:
        monkeypatch.setitem(data.URLS, "mnist", plan.url)
        sums = tuple(hashlib.md5(content).hexdigest() for content in files.values())
        monkeypatch.setitem(data.MD5_SUMS, "mnist", sums)
        monkeypatch.setattr(data, "CHUNK_BYTES", 256)
        yield plan


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "isingprop" / "mnist"


def assert_small_set(images):
    expected = small_arrays()
    np.testing.assert_array_equal(images.train_images * 255, expected[FILES[0]].reshape(NUM_TRAIN, -1))
    np.testing.assert_array_equal(images.test_labels, expected[FILES[3]])


def failure(server, reason):
    """The pattern of the one line that a failed download of the training images gives."""
    start = re.escape(f"cannot download {server.url}{TRAIN_IMAGES_GZ}: ")
    advice = "call again to go on, or get it by hand and name its folder with data_dir or ISINGPROP_DATA"
    return f"^{start}{reason}; {re.escape(advice)}$"


def test_a_download_is_made_once_and_then_quiet(server, cache, caplog, capfd, monkeypatch):
    monkeypatch.setattr(pooch.get_logger(), "handlers", [caplog.handler])  # its own writes to stderr
    assert_small_set(load_data("mnist"))
    assert len(caplog.records) == len(FILES)  # one line for each
    caplog.clear()
    assert_small_set(load_data("mnist"))
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert [(file, wanted, status) for file, wanted, status, _ in server.served] == [
        (f"{file}.gz", None, 200) for file in FILES
    ]
    assert sorted(path.name for path in cache.iterdir()) == sorted([".lock", *server.files])


def test_an_empty_environment_variable_is_unset(server, monkeypatch):
    monkeypatch.setenv("ISINGPROP_DATA", "")
    assert_small_set(load_data("mnist"))


def test_a_full_cache_needs_neither_network_nor_writing(server, cache):
    load_data("mnist")
    server.files.clear()
    (cache / ".lock").unlink()
    assert_small_set(load_data("mnist"))
    assert not (cache / ".lock").exists()


def test_a_lost_connection_is_resumed_where_it_stopped(server, cache):
    whole = server.files[TRAIN_IMAGES_GZ]
    lost = 8 * data.CHUNK_BYTES
    assert lost < len(whole)
    server.cut_after[TRAIN_IMAGES_GZ] = lost
    with pytest.raises(ConnectionError, match=failure(server, "[^\n]*")):
        load_data("mnist")
    assert (cache / f"{TRAIN_IMAGES_GZ}.part").read_bytes() == whole[:lost]
    assert_small_set(load_data("mnist"))
    assert server.asked(TRAIN_IMAGES_GZ) == [
        (None, 200, lost),
        (f"bytes={lost}-", 206, len(whole) - lost),  # no byte came twice
    ]
    assert not list(cache.glob("*.part"))


def test_a_connection_lost_twice_goes_on_twice(server):
    whole, step = server.files[TRAIN_IMAGES_GZ], 4 * data.CHUNK_BYTES
    for _ in range(2):
        server.cut_after[TRAIN_IMAGES_GZ] = step
        with pytest.raises(ConnectionError):
            load_data("mnist")
    assert_small_set(load_data("mnist"))
    assert [wanted for wanted, *_ in server.asked(TRAIN_IMAGES_GZ)] == [
        None,
        f"bytes={step}-",
        f"bytes={2 * step}-",
    ]
    assert sum(sent for *_, sent in server.asked(TRAIN_IMAGES_GZ)) == len(whole)


def test_a_server_without_ranges_starts_over(server):
    whole = server.files[TRAIN_IMAGES_GZ]
    server.ranges = False
    server.cut_after[TRAIN_IMAGES_GZ] = 1024
    with pytest.raises(ConnectionError):
        load_data("mnist")
    assert_small_set(load_data("mnist"))
    assert server.asked(TRAIN_IMAGES_GZ) == [(None, 200, 1024), ("bytes=1024-", 200, len(whole))]


@pytest.mark.parametrize("surplus", [0, 100], ids=["whole", "too long"])
def test_a_part_with_nothing_left_to_ask_for_starts_over(server, cache, surplus):
    whole = server.files[TRAIN_IMAGES_GZ]
    cache.mkdir(parents=True)
    (cache / f"{TRAIN_IMAGES_GZ}.part").write_bytes(whole + bytes(surplus))
    assert_small_set(load_data("mnist"))
    assert server.asked(TRAIN_IMAGES_GZ) == [
        (f"bytes={len(whole) + surplus}-", 416, 0),
        (None, 200, len(whole)),
    ]


def test_an_empty_part_is_no_part(server, cache):
    cache.mkdir(parents=True)
    (cache / f"{TRAIN_IMAGES_GZ}.part").touch()
    assert_small_set(load_data("mnist"))
    assert server.asked(TRAIN_IMAGES_GZ) == [(None, 200, len(server.files[TRAIN_IMAGES_GZ]))]


WRONG_SUM = r"MD5 hash of downloaded file \(train-images-idx3-ubyte.gz\) does not match [^\n]*"


def test_a_corrupt_part_is_refused_and_the_next_call_recovers(server, cache):
    cache.mkdir(parents=True)
    (cache / f"{TRAIN_IMAGES_GZ}.part").write_bytes(b"x" * 1000)
    with pytest.raises(OSError, match=failure(server, WRONG_SUM)) as caught:
        load_data("mnist")
    assert type(caught.value) is OSError
    assert [path.name for path in cache.iterdir()] == [".lock"]
    assert_small_set(load_data("mnist"))
    assert [status for _, status, _ in server.asked(TRAIN_IMAGES_GZ)] == [206, 200]


def test_a_corrupt_download_is_refused_and_the_next_call_recovers(server, cache):
    whole = server.files[TRAIN_IMAGES_GZ]
    server.files[TRAIN_IMAGES_GZ] = spoiled(whole, 500)
    with pytest.raises(OSError, match=failure(server, WRONG_SUM)):
        load_data("mnist")
    assert [path.name for path in cache.iterdir()] == [".lock"]
    server.files[TRAIN_IMAGES_GZ] = whole
    assert_small_set(load_data("mnist"))


def test_a_spoiled_file_in_the_cache_is_downloaded_again(server, cache):
    load_data("mnist")
    (cache / TRAIN_IMAGES_GZ).write_bytes(b"spoiled")
    assert_small_set(load_data("mnist"))
    assert [status for _, status, _ in server.asked(TRAIN_IMAGES_GZ)] == [200, 200]


def test_a_missing_page_is_told_and_keeps_the_part(server, cache):
    whole = server.files.pop(TRAIN_IMAGES_GZ)
    cache.mkdir(parents=True)
    (cache / f"{TRAIN_IMAGES_GZ}.part").write_bytes(whole[:1000])
    with pytest.raises(OSError, match=failure(server, "404 Client Error[^\n]*")) as caught:
        load_data("mnist")
    assert type(caught.value) is OSError
    assert (cache / f"{TRAIN_IMAGES_GZ}.part").read_bytes() == whole[:1000]


def test_no_server_at_all():
    with pytest.raises(
        ConnectionError, match=r"^cannot download http://127[^\n]*Connection refused[^\n]*by hand"
    ):
        load_data("fashion-mnist")


def test_a_silent_server_times_out_and_is_resumed(server, monkeypatch):
    monkeypatch.setattr(data, "TIMEOUT_S", 0.2)
    server.stall_after[TRAIN_IMAGES_GZ] = 1024
    with pytest.raises(ConnectionError, match=failure(server, "[^\n]*timed out[^\n]*")):
        load_data("mnist")
    assert_small_set(load_data("mnist"))
    assert [wanted for wanted, *_ in server.asked(TRAIN_IMAGES_GZ)] == [None, "bytes=1024-"]


def test_a_short_answer_that_requests_does_not_notice(server, cache, monkeypatch):
    """urllib3 1 ends such an answer as if it were whole; here the answer is cut below requests' eyes."""
    whole = server.files[TRAIN_IMAGES_GZ]
    with monkeypatch.context() as patch:
        patch.setattr(requests.Response, "iter_content", lambda *_: iter([whole[:700]]))
        with pytest.raises(
            ConnectionError, match=failure(server, f"lost the connection after 700 of {len(whole)} bytes")
        ):
            load_data("mnist")
    assert_small_set(load_data("mnist"))
    assert server.asked(TRAIN_IMAGES_GZ)[1] == ("bytes=700-", 206, len(whole) - 700)


def test_a_cache_that_cannot_be_made(server, tmp_path):
    (tmp_path / "cache").write_text("a file where the cache folder should be")
    with pytest.raises(OSError, match=failure(server, "[^\n]*Not a directory[^\n]*")) as caught:
        load_data("mnist")
    assert type(caught.value) is OSError


def test_two_at_a_time_download_once(server):
    server.delay_s = 0.05  # long enough for the second to find the first at work
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(load_data("mnist"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 2
    assert sorted(file for file, *_ in server.served) == sorted(server.files)


def test_file_systems_without_locks_still_download(server, monkeypatch):
    def no_locks(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(data.fcntl, "flock", no_locks)
    assert_small_set(load_data("mnist"))


def test_the_published_sums_and_addresses():
    """Against the wrong column or a lost digit: every sum differs, and every file has one."""
    sums = [md5 for name in data.MD5_SUMS for md5 in data.MD5_SUMS[name]]
    assert len(set(sums)) == 2 * len(FILES)
    assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in sums)
    assert list(data.URLS) == list(data.MD5_SUMS) == ["mnist", "fashion-mnist"]


def test_the_cache_is_where_pooch_keeps_caches(cache):
    assert Path(pooch.os_cache("isingprop")) == cache.parent  # so no test above touched the user's


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(data).failed == 0
    assert doctest.testmod(data).attempted >= 6
