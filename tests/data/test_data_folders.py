"""Folders of IDX files: which files are taken, what is refused, and that real ones hold what they
should.
"""

import re

import numpy as np
import pytest

from helpers import DATA
from helpers.idx_files import (
    FILES,
    NUM_TEST,
    NUM_TRAIN,
    SIDE,
    TRAIN_IMAGES_GZ,
    refusal,
    small_arrays,
    write_folder,
)
from isingprop.data import load as data
from isingprop.data.idx import read_idx
from isingprop.data.load import load_data, load_test_images


@pytest.fixture(autouse=True)
def _no_data_but_what_a_test_names(monkeypatch):
    def refuse(name, files):
        raise AssertionError(f"a test wants to download {files} of {name}")

    monkeypatch.delenv("ISINGPROP_DATA", raising=False)
    monkeypatch.setattr(data, "download", refuse)


def assert_small(images, seed=0):
    expected = small_arrays(seed)
    pixels = expected[FILES[0]].reshape(NUM_TRAIN, SIDE * SIDE).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(images.train_images, pixels, strict=True)
    np.testing.assert_array_equal(images.train_labels, expected[FILES[1]])
    assert images.test_images.shape == (NUM_TEST, SIDE * SIDE)
    np.testing.assert_array_equal(images.test_labels, expected[FILES[3]])
    assert images.test_labels.dtype == np.int64


@pytest.mark.parametrize("packed", [True, False], ids=["gzipped", "plain"])
@pytest.mark.parametrize("below", ["", "mnist"], ids=["directly", "in a subfolder"])
def test_a_folder_of_idx_files(tmp_path, below, packed):
    write_folder(tmp_path / "D" / below, packed=packed)
    assert_small(load_data("mnist", data_dir=str(tmp_path / "D")))


def test_the_folders_of_kaggle_are_named_like_their_files(tmp_path):
    folder = write_folder(tmp_path / "D", packed=False)
    for name in FILES:
        (folder / name).rename(tmp_path / "moved")
        (folder / name).mkdir()
        (tmp_path / "moved").rename(folder / name / name)
    assert_small(load_data("mnist", data_dir=folder))


@pytest.mark.parametrize("environment", [None, ""])
def test_without_a_folder_the_files_are_downloaded(tmp_path, monkeypatch, environment):
    folder = write_folder(tmp_path / "cache")
    monkeypatch.setattr(data, "download", lambda _, files: [folder / f"{f}.gz" for f in files])
    if environment is not None:
        monkeypatch.setenv("ISINGPROP_DATA", environment)
    assert_small(load_data("mnist"))


def test_the_subfolder_goes_before_the_folder(tmp_path):
    write_folder(tmp_path, small_arrays(seed=1))
    write_folder(tmp_path / "mnist", small_arrays(seed=2))
    assert_small(load_data("mnist", data_dir=tmp_path), seed=2)


def test_files_of_two_folders_are_never_mixed(tmp_path):
    write_folder(tmp_path)
    write_folder(tmp_path / "fashion-mnist")
    (tmp_path / "fashion-mnist" / TRAIN_IMAGES_GZ).unlink()
    with pytest.raises(FileNotFoundError, match="data_dir must hold train-images-idx3-ubyte"):
        load_data("fashion-mnist", data_dir=tmp_path)


def test_a_folder_named_like_a_file_is_passed_over(tmp_path):
    write_folder(tmp_path, packed=False)
    (tmp_path / TRAIN_IMAGES_GZ).mkdir()
    assert_small(load_data("mnist", data_dir=tmp_path))


def test_the_environment_names_a_folder_and_data_dir_goes_before_it(tmp_path, monkeypatch):
    write_folder(tmp_path / "env", small_arrays(seed=1))
    write_folder(tmp_path / "arg", small_arrays(seed=2))
    monkeypatch.setenv("ISINGPROP_DATA", str(tmp_path / "env"))
    assert_small(load_data("fashion-mnist"), seed=1)
    assert_small(load_data("fashion-mnist", data_dir=tmp_path / "arg"), seed=2)


@pytest.mark.parametrize("source", ["data_dir", "ISINGPROP_DATA"])
def test_a_missing_folder(tmp_path, monkeypatch, source):
    folder = tmp_path / "none"
    monkeypatch.setenv("ISINGPROP_DATA", str(folder))
    advice = "make it, or unset data_dir and ISINGPROP_DATA to download it"
    message = f"{source} must be a folder, got '{folder}': {advice}"
    with pytest.raises(FileNotFoundError, match=refusal(message)):
        load_data("mnist", data_dir=folder if source == "data_dir" else None)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file(tmp_path, file):
    (write_folder(tmp_path) / f"{file}.gz").unlink()
    advice = "put it there, or unset data_dir and ISINGPROP_DATA to download it"
    message = f"data_dir must hold {file}[.gz], got none in '{tmp_path}': {advice}"
    with pytest.raises(FileNotFoundError, match=refusal(message)):
        load_data("mnist", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("file", "shape", "message"),
    [
        (FILES[0], (NUM_TRAIN, 64), "must have shape (n, n, n), got (60, 64)"),
        (FILES[1], (NUM_TRAIN, 1), "must have shape (60,), got (60, 1)"),
        (FILES[1], NUM_TRAIN + 1, "must have shape (60,), got (61,)"),
        (FILES[3], NUM_TEST - 1, "must have shape (30,), got (29,)"),
        (FILES[3], NUM_TEST, "must be in 0 ... 9, got 12 at index 0"),
    ],
)
def test_files_that_do_not_fit_together(tmp_path, file, shape, message):
    write_folder(tmp_path, small_arrays() | {file: np.full(shape, 12)})
    with pytest.raises(ValueError, match=refusal(f"{tmp_path / file}.gz {message}")):
        load_data("mnist", data_dir=tmp_path)


def test_test_images_of_another_size(tmp_path):
    write_folder(tmp_path, small_arrays() | {FILES[2]: np.zeros((NUM_TEST, 5, 5))})
    with pytest.raises(
        ValueError, match=refusal("test_images must have shape (n, 64), got (30, 25)")
    ):
        load_data("mnist", data_dir=tmp_path)


def test_a_count_beyond_the_folder(tmp_path):
    with pytest.raises(ValueError, match=refusal("num_test must be at most 30, got 31")):
        load_data("mnist", data_dir=write_folder(tmp_path), num_test=NUM_TEST + 1)


@pytest.fixture
def real():
    if not (DATA / "mnist" / TRAIN_IMAGES_GZ).is_file():
        pytest.skip(f"no MNIST files in {DATA}: name a folder of them with ISINGPROP_DATA")
    return DATA


def test_real_mnist(real):
    images = load_data("mnist", data_dir=real)
    assert images.train_images.shape[1] == 784
    np.testing.assert_array_equal(
        images.train_labels[:10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    )  # as published
    np.testing.assert_array_equal(images.test_labels[:10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    assert images.train_images.max() == 1
    # The mean and standard deviation of all 60,000 published training images; 10,000 of them lie
    # within 1 %.
    assert images.train_images.mean() == pytest.approx(0.1307, rel=0.01)
    assert images.train_images.std() == pytest.approx(0.3081, rel=0.01)


def test_the_subset_of_real_mnist_is_the_papers(real):
    whole = load_data("mnist", data_dir=real)
    subset = load_data("mnist", data_dir=real, num_train=1000, num_test=100)
    for part, quota in (("train", 100), ("test", 10)):
        some, all_ = getattr(subset, f"{part}_images"), getattr(whole, f"{part}_images")
        some_labels, all_labels = (
            getattr(subset, f"{part}_labels"),
            getattr(whole, f"{part}_labels"),
        )
        for digit in range(10):
            np.testing.assert_array_equal(
                some[some_labels == digit], all_[all_labels == digit][:quota]
            )


def test_real_fashion_without_its_training_files(real):
    if (real / "fashion-mnist" / TRAIN_IMAGES_GZ).is_file():
        assert load_data("fashion-mnist", data_dir=real).train_images.shape[1] == 784
    elif (real / "fashion-mnist").is_dir():
        with pytest.raises(
            FileNotFoundError, match=r"data_dir must hold train-images-idx3-ubyte\[\.gz\]"
        ):
            load_data("fashion-mnist", data_dir=real)
        images = read_idx(real / "fashion-mnist" / "t10k-images-idx3-ubyte.gz")
        assert images.shape[1:] == (28, 28)
    else:
        pytest.skip(f"no Fashion-MNIST files in {real}")


@pytest.mark.parametrize("below", ["", "fashion-mnist"], ids=["directly", "in a subfolder"])
@pytest.mark.parametrize("source", ["data_dir", "ISINGPROP_DATA"])
def test_test_images_alone_need_no_training_files(tmp_path, monkeypatch, below, source):
    write_folder(tmp_path / below, dict(list(small_arrays().items())[2:]))
    if source == "ISINGPROP_DATA":
        monkeypatch.setenv(source, str(tmp_path))
    images, labels = load_test_images(
        "fashion-mnist", data_dir=tmp_path if source == "data_dir" else None
    )
    expected = small_arrays()
    pixels = expected[FILES[2]].reshape(NUM_TEST, SIDE * SIDE).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(images, pixels, strict=True)
    np.testing.assert_array_equal(labels, expected[FILES[3]].astype(np.int64), strict=True)


def test_test_images_are_those_of_the_whole(tmp_path, monkeypatch):
    """Of a folder, of a download, and of the digits."""
    folder = write_folder(tmp_path)
    monkeypatch.setattr(data, "download", lambda _, files: [folder / f"{f}.gz" for f in files])
    for name, data_dir in (("mnist", folder), ("mnist", None), ("digits", None)):
        for num_test in (None, 13):
            whole = load_data(name, data_dir=data_dir, num_test=num_test)
            images, labels = load_test_images(name, data_dir=data_dir, num_test=num_test)
            np.testing.assert_array_equal(images, whole.test_images, strict=True)
            np.testing.assert_array_equal(labels, whole.test_labels, strict=True)


def test_test_images_alone_download_no_training_files(tmp_path, monkeypatch):
    folder, asked = write_folder(tmp_path), []

    def download(name, files):
        asked.append((name, files))
        return [folder / f"{file}.gz" for file in files]

    monkeypatch.setattr(data, "download", download)
    load_test_images("mnist", num_test=5)
    assert asked == [("mnist", FILES[2:])]


def test_test_images_that_are_missing_are_refused(tmp_path):
    (write_folder(tmp_path) / f"{FILES[3]}.gz").unlink()
    message = (
        f"data_dir must hold {FILES[3]}[.gz], got none in '{tmp_path}': put it there, or "
        "unset data_dir and"
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}"):
        load_test_images("mnist", data_dir=tmp_path)
    with pytest.raises(
        ValueError, match=r"^name must be one of digits, mnist, fashion-mnist, got 'letters'$"
    ):
        load_test_images("letters", data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"^data_dir must be None for digits"):
        load_test_images("digits", data_dir=tmp_path)
