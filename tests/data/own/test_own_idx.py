"""Folders of IDX files under all the names that they are published by, and of all their types."""

import numpy as np
import pytest

import isingprop as ip
from helpers import DATA
from helpers.idx_files import TRAIN_IMAGES_GZ, refusal
from helpers.own_files import bars, idx_bytes, write_idx
from isingprop.data.formats.own_source import read_unlabelled
from isingprop.data.idx import read_idx
from isingprop.util.input_format import InputFormat

IMAGES, LABELS = bars(30, side=6)
TEST_IMAGES, TEST_LABELS = bars(8, seed=1, side=6)
MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("test-images-idx3-ubyte", "test-labels-idx1-ubyte")
MNIST_TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write_set(folder, names, labels=LABELS, test_labels=TEST_LABELS, images=IMAGES):
    arrays = (images, labels, TEST_IMAGES, test_labels)
    for name, array in zip(names, arrays, strict=False):
        small = array.astype(np.uint8) if array.dtype == np.int64 else array
        write_idx(folder / name, small)
    return folder


def assert_bars(images):
    expected = ip.ImageSet.from_arrays(IMAGES, LABELS, TEST_IMAGES, TEST_LABELS)
    for part in ("train", "test"):
        for what in ("images", "labels"):
            found, wanted = (getattr(each, f"{part}_{what}") for each in (images, expected))
            np.testing.assert_array_equal(found, wanted, strict=True)
    assert images.input_format.image_shape == (6, 6)


@pytest.mark.parametrize(
    "names",
    [
        (*MNIST, *MNIST_TEST),
        tuple(f"{name}.gz" for name in (*MNIST, *MNIST_TEST)),  # KMNIST and Fashion-MNIST, too
        tuple(name.replace("-idx", ".idx") for name in (*MNIST, *MNIST_TEST)),  # Kaggle, macOS
        tuple(f"emnist-letters-{name}.gz" for name in (*MNIST, *TEST)),
        tuple(f"qmnist-{name}.gz" for name in (*MNIST, *TEST)),
    ],
)  # fmt: skip
def test_files_by_all_their_names(tmp_path, names):
    assert_bars(ip.ImageSet.from_file(write_set(tmp_path / "D", names)))


@pytest.mark.parametrize("named", ["data", "data/MNIST", "data/MNIST/raw"])
def test_the_folders_of_torchvision(tmp_path, named):
    """It keeps each file twice, gzipped and not."""
    raw = write_set(tmp_path / "data" / "MNIST" / "raw", (*MNIST, *MNIST_TEST))
    write_set(raw, [f"{name}.gz" for name in (*MNIST, *MNIST_TEST)])
    assert_bars(ip.ImageSet.from_file(tmp_path / named))


def test_the_folders_of_kaggle_are_named_like_their_files(tmp_path):
    """Its archive of MNIST has them beside files of other names, or alone."""
    names = (*MNIST, *MNIST_TEST)
    write_set(tmp_path / "D", [f"{name}/{name}" for name in names])
    assert_bars(ip.ImageSet.from_file(tmp_path / "D"))
    assert_bars(ip.ImageSet.from_file(tmp_path / "D" / MNIST[0] / MNIST[0]))
    write_set(tmp_path / "D", [name.replace("-idx", ".idx") for name in names])
    assert_bars(ip.ImageSet.from_file(tmp_path / "D"))


@pytest.mark.parametrize("below", ["", "MNIST/raw"])
def test_what_macos_adds_to_an_archive_is_no_data_set(tmp_path, below):
    names = (*MNIST, *MNIST_TEST)
    home = write_set(tmp_path / ".hidden" / "D", [f"{below}/{name}".lstrip("/") for name in names])
    for folder in (home / below, home / "__MACOSX" / "raw"):
        write_idx(folder / f"._{MNIST[0]}", IMAGES[:1])
    write_set(home / "__MACOSX" / "raw", names)
    assert_bars(ip.ImageSet.from_file(home))


def test_the_labels_of_emnist_letters_are_1_to_26(tmp_path):
    labels = np.arange(78, dtype=np.uint8) % 26 + 1
    images = np.zeros((78, 5, 5), np.uint8)
    images[:, 0, 0] = labels
    write_idx(tmp_path / "emnist-letters-train-images-idx3-ubyte.gz", images)
    write_idx(tmp_path / "emnist-letters-train-labels-idx1-ubyte.gz", labels)
    letters = ip.ImageSet.from_file(tmp_path)
    assert letters.class_names == tuple(map(str, range(1, 27)))
    np.testing.assert_array_equal(letters.train_labels, letters.train_images[:, 0] * 255 - 1)
    assert len(letters.test_labels) == 26, "a fifth of three images, rounded"


def test_the_labels_of_qmnist_have_eight_fields(tmp_path):
    fields = np.arange(240, dtype=np.int32).reshape(30, 8)
    fields[:, 0] = LABELS
    write_idx(tmp_path / "qmnist-train-images-idx3-ubyte.gz", IMAGES)
    write_idx(tmp_path / "qmnist-train-labels-idx2-int.gz", fields)
    images = ip.ImageSet.from_file(tmp_path)
    expected = ip.ImageSet.from_arrays(IMAGES, LABELS)
    np.testing.assert_array_equal(images.train_labels, expected.train_labels)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_all_types_of_numbers(tmp_path, dtype):
    values = np.arange(-6, 18).reshape(2, 3, 4).astype(dtype)
    read = read_idx(write_idx(tmp_path / "file", values), any_type=True)
    np.testing.assert_array_equal(read, values, strict=True)
    assert read.dtype.isnative


def test_images_of_floats(tmp_path):
    floats = (IMAGES / 255).astype(np.float32)
    write_idx(tmp_path / "train-images-idx3-float", floats)
    write_idx(tmp_path / "train-labels-idx1-int", LABELS.astype(np.int32))
    images = ip.ImageSet.from_file(tmp_path)
    expected = ip.ImageSet.from_arrays(floats, LABELS)
    np.testing.assert_array_equal(images.train_images, expected.train_images)


def test_a_type_that_there_is_not_is_named(tmp_path):
    folder = write_set(tmp_path, MNIST)
    content = idx_bytes(IMAGES)
    (folder / MNIST[0]).write_bytes(content[:2] + b"\7" + content[3:])
    message = (
        f"{folder / MNIST[0]} must start with 00 00 08, 09 or 0b to 0e (its type) and 01 to 20 "
        "(its dimensions), got 00 00 07 03"
    )
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(folder)


def test_one_of_several_sets_is_named_by_its_images(tmp_path):
    write_set(
        tmp_path,
        [f"emnist-digits-{name}".replace("t10k", "test") for name in (*MNIST, *MNIST_TEST)],
    )
    write_set(tmp_path, [f"emnist-letters-{name}" for name in MNIST], labels=1 - LABELS)
    message = (
        f"{tmp_path} must hold one data set, got emnist-letters, emnist-digits: name the file of "
        "images of one"
    )
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(tmp_path)
    assert_bars(ip.ImageSet.from_file(tmp_path / "emnist-digits-train-images-idx3-ubyte"))


def test_a_folder_to_classify_needs_no_labels_and_no_training_images(tmp_path):
    def read():
        return read_unlabelled(str(tmp_path), InputFormat(), num_inputs=36).images

    write_idx(tmp_path / MNIST[0], IMAGES)
    np.testing.assert_array_equal(read(), IMAGES)
    write_idx(tmp_path / MNIST_TEST[0], TEST_IMAGES)
    np.testing.assert_array_equal(read(), TEST_IMAGES)


def test_a_missing_file_is_named_with_what_is_there(tmp_path):
    write_set(tmp_path, (*MNIST, MNIST_TEST[0]))
    (tmp_path / MNIST[1]).rename(tmp_path / "answers.idx")
    message = (
        f"{tmp_path} must hold a file of train labels, got answers.idx, {MNIST_TEST[0]}, {MNIST[0]}"
    )
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(tmp_path)


def test_a_folder_of_other_things_is_named_with_what_is_there(tmp_path):
    for name in ("b.txt", ".hidden", "a.zip"):
        (tmp_path / name).touch()
    (tmp_path / "c").mkdir()
    message = (
        f"{tmp_path} must hold IDX files, such as train-images-idx3-ubyte, or a folder of PNG or "
        "JPEG files for each class, got a.zip, b.txt, c/"
    )
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(tmp_path)
    with pytest.raises(ValueError, match=r"b\.txt must be \.npz, \.csv, "):
        ip.ImageSet.from_file(tmp_path / "b.txt")
    with pytest.raises(FileNotFoundError, match=refusal("no file or folder at nowhere")):
        ip.ImageSet.from_file("nowhere")


@pytest.mark.slow
def test_real_mnist_is_that_of_its_name():
    if not (DATA / "mnist" / TRAIN_IMAGES_GZ).is_file():
        pytest.skip(f"no MNIST files in {DATA}: name a folder of them with ISINGPROP_DATA")
    own = ip.ImageSet.from_file(DATA / "mnist", num_train=1000, num_test=100)
    named = ip.load_data("mnist", data_dir=DATA, num_train=1000, num_test=100)
    np.testing.assert_array_equal(own.train_images, named.train_images, strict=True)
    np.testing.assert_array_equal(own.train_labels, named.train_labels, strict=True)
    np.testing.assert_array_equal(own.test_images, named.test_images, strict=True)
    assert own.class_names == named.class_names
