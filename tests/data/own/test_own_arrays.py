"""The user's own arrays, in memory and in NumPy's files: classes, split, scale, refusals."""

import re
import tracemalloc
import warnings

import numpy as np
import pytest

import isingprop as ip
from helpers.idx_files import refusal
from helpers.own_files import bars
from isingprop.data.feature_ranges import ranges_without_outliers
from isingprop.data.formats.own_source import read_unlabelled
from isingprop.util.input_format import InputFormat

IMAGES, LABELS = bars(20)


def own(x=IMAGES, y=LABELS, **arguments):
    return ip.ImageSet.from_arrays(x, y, **arguments)


def test_bytes_of_any_shape_are_divided_by_255():
    for shape in ((20, 144), (20, 12, 12), (20, 4, 12, 3)):
        images = own(IMAGES.reshape(shape), x_test=IMAGES.reshape(shape), y_test=LABELS)
        expected = IMAGES.reshape(20, 144).astype(np.float32) / np.float32(255)
        np.testing.assert_array_equal(images.train_images, expected, strict=True)
        np.testing.assert_array_equal(images.test_images, expected, strict=True)
        assert images.input_format.image_shape == shape[1:]
        assert "scale: values / 255" in images.notes


@pytest.mark.parametrize("white", [255 - IMAGES, 1 - IMAGES / 255], ids=["bytes", "unit"])
def test_a_white_background_becomes_dark(white):
    """Images keep their look, and a network takes them as bytes or in [0, 1], like dark ones."""
    images = own(white, x_test=white, y_test=LABELS)
    dark = IMAGES.reshape(20, 144) / 255
    np.testing.assert_allclose(images.train_images, dark, atol=1e-6)
    np.testing.assert_allclose(images.test_images, dark, atol=1e-6)
    assert any(
        note.endswith("; 0 and 1 exchanged, as the mean is above 1/2") for note in images.notes
    )
    looks = images.input_format.as_given(images.train_images)
    np.testing.assert_allclose(looks, 1 - dark, atol=1e-6)

    network = ip.BipartiteNetwork.random(num_inputs=144, num_hidden=4, num_classes=2, seed=0)
    network.input_format = images.input_format
    for given in (255 - IMAGES, 1 - IMAGES / 255):
        np.testing.assert_allclose(ip.load_images(given, network), dark, atol=1e-6)


def test_columns_that_are_high_in_the_mean_are_exchanged():
    values = np.array([[5.0, 1.0], [7, 3], [7, 3], [7, 3]] * 5)
    test, labels = np.array([[5.0, 1.0], [6, 2]]), [0, 1] * 10
    high, low = (own(sign * values, labels, x_test=sign * test, y_test=[0, 1]) for sign in (1, -1))
    for images in (high, low):
        np.testing.assert_array_equal(images.test_images, [[1, 1], [0.5, 0.5]])
    assert high.input_format.scaling.is_exchanged
    assert not low.input_format.scaling.is_exchanged


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int16, np.uint16])
def test_whole_numbers_from_0_to_255_are_bytes_of_any_type(dtype):
    np.testing.assert_array_equal(own(IMAGES.astype(dtype)).train_images, own().train_images)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool, np.uint8, np.int64])
def test_values_from_0_to_1_stay_as_they_are(dtype):
    values = (IMAGES / 255 if np.dtype(dtype).kind == "f" else IMAGES > 100).astype(dtype)
    images = own(values, x_test=values, y_test=LABELS)
    np.testing.assert_array_equal(images.train_images, values.reshape(20, -1).astype(np.float32))
    assert "scale: values as they are" in images.notes


def test_other_numbers_are_scaled_by_their_range_in_training_and_clipped():
    values = np.random.default_rng(1).normal(3, [1, 100, 0], (30, 3))
    test = np.array([[1e9, -1e9, 3], [3, 3, 4], values[0]])
    images = own(values, np.arange(30) % 3, x_test=test, y_test=[0, 1, 2])
    lowest, highest = ranges_without_outliers(values)
    spread = np.where(highest > lowest, highest - lowest, 1)
    expected = np.clip((test - lowest) / spread, 0, 1).astype(np.float32)
    np.testing.assert_array_equal(images.test_images, expected)
    np.testing.assert_array_equal(images.test_images[0], [1, 0, 0])
    assert images.train_images.min() == 0
    assert images.train_images.max() == 1
    assert images.input_format.scaling.limit is None


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.array(["dog", "cat"] * 10), ("cat", "dog")),
        (["10", "9"] * 10, ("9", "10")),
        (["10.0", "9.0"] * 10, ("9.0", "10.0")),
        (np.array([26, 1] * 10, np.uint8), ("1", "26")),
        ([-1, 1] * 10, ("-1", "1")),
        ([1.0, 2.0] * 10, ("1", "2")),
        (np.array([True, False] * 10), ("0", "1")),
        (np.array([b"b", b"a"] * 10), ("a", "b")),
        (np.array(["b", "a"] * 10, dtype=object), ("a", "b")),
        (np.array([[5], [7]] * 10), ("5", "7")),
    ],
)
def test_labels_of_any_kind_are_numbered_and_named(labels, names):
    images = own(y=labels, x_test=IMAGES, y_test=labels)
    assert images.class_names == images.input_format.class_names == names
    texts = [
        str(int(each)) if not isinstance(each, str | bytes) else each for each in np.ravel(labels)
    ]
    texts = [each.decode() if isinstance(each, bytes) else each for each in texts]
    np.testing.assert_array_equal(images.train_labels, [names.index(each) for each in texts])


def test_a_fifth_of_each_class_is_split_off_and_always_the_same():
    labels = np.repeat([0, 1, 2], [50, 10, 2])
    values = np.arange(62.0)[:, None] / 124
    first, again = (own(values, labels) for _ in range(2))
    np.testing.assert_array_equal(np.bincount(first.test_labels), [10, 2])
    np.testing.assert_array_equal(np.bincount(first.train_labels), [40, 8, 2])
    np.testing.assert_array_equal(first.test_images, again.test_images)
    both = np.concatenate([first.train_images, first.test_images])
    np.testing.assert_array_equal(np.sort(both[:, 0]), values[:, 0].astype(np.float32))
    assert first.num_classes == 3, "a class may be missing in the test"
    (split,) = [note for note in first.notes if note.startswith("split")]
    assert split.endswith("12 of 62 images, are the test images")
    assert "2 (2) to 40 (0) for training" in first.notes[0]


def test_counts_choose_balanced_images_of_the_same_data():
    whole, part = own(), own(num_train=6, num_test=2)
    kept = ip.class_balanced(whole.train_labels, 6, 2)
    np.testing.assert_array_equal(part.train_images, whole.train_images[kept])
    assert len(part.test_images) == 2
    assert part.checksum == whole.checksum
    assert own(IMAGES[::-1]).checksum != whole.checksum
    assert own(y=LABELS[::-1]).checksum != whole.checksum


NAN = IMAGES.astype(float)
NAN[7, 2, 3] = np.nan
LATER = IMAGES / 255
LATER[19, 0, 0] = 1.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": NAN}, "x_train, row 7: pixel 2, 3 must be finite, got nan"),
        ({"x": IMAGES.astype(str)}, "x_train must hold numbers, got type <U3"),
        (
            {"x": IMAGES[:, 0, 0]},
            "x_train must hold images, a row or an array of pixels for each, got shape (20,)",
        ),
        (
            {"y": LABELS[:19]},
            "x_train must have a label for each of 20 images, got labels of shape (19,)",
        ),
        (
            {"y": np.eye(2)[LABELS]},
            "x_train must have a label for each of 20 images, got labels of shape (20, 2)",
        ),
        ({"y": LABELS + 0.5}, "x_train, row 0: label must be a whole number or text, got 0.5"),
        (
            {"y": [*["a"] * 19, ""]},
            "x_train, row 19: label must be a whole number or text, got nothing",
        ),
        (
            {"y": np.array([1, None] * 10)},
            "x_train, row 1: label must be a whole number or text, got None",
        ),
        ({"y": LABELS * 0}, "x_train must have labels of 2 classes or more, got 0"),
        (
            {"y": np.arange(20)},
            "x_train must have labels of fewer classes, got 20 in 20 images: "
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 10 more",
        ),
        (
            {"y_test": LABELS},
            "x_test and y_test must be given together, got y_test alone",
        ),
        (
            {"x_test": IMAGES[:2], "y_test": ["0", "x"]},
            "x_test, row 1: label must be one of the training images, 0, 1, got 'x'",
        ),
        (
            {"x_test": IMAGES[:, 1:], "y_test": LABELS},
            "x_test must have images of shape (12, 12) as x_train, got (11, 12)",
        ),
        (
            {"x": IMAGES / 255, "x_test": LATER, "y_test": LABELS},
            "x_test, row 19: pixel 0, 0 must be in [0, 1], got 1.5",
        ),
        ({"num_train": 0}, "num_train must be at least 1, got 0"),
        ({"num_train": 17}, "num_train must be at most 16, got 17"),
        (
            {"x": IMAGES[:4], "y": LABELS[:4]},
            "x_train must have test images, or a class of 3 images or more to split them from, "
            "got 4 images",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_row(arguments, message):
    with pytest.raises(ValueError, match=refusal(message)):
        own(**arguments)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_npz_files_by_the_names_of_their_arrays(tmp_path, names):
    arrays = (IMAGES, LABELS[:, None], IMAGES[:4], LABELS[:4])
    np.savez(tmp_path / "my bars.npz", **dict(zip(names, arrays, strict=True)))
    images = ip.ImageSet.from_file(tmp_path / "my bars.npz")
    expected = own(x_test=IMAGES[:4], y_test=LABELS[:4])
    np.testing.assert_array_equal(images.train_images, expected.train_images)
    np.testing.assert_array_equal(images.test_labels, LABELS[:4])
    assert images.name == "my bars"
    assert images.checksum == expected.checksum


@pytest.mark.parametrize("names", [("X", "y"), ("images", "labels"), ("data", "target")])
def test_npz_files_without_test_images(tmp_path, names):
    np.savez_compressed(tmp_path / "a.npz", **dict(zip(names, (IMAGES, LABELS), strict=True)))
    images = ip.ImageSet.from_file(str(tmp_path / "a.npz"))
    assert not any("left out" in note for note in images.notes)
    np.testing.assert_array_equal(images.test_images, own().test_images)


def test_arrays_that_are_not_used_are_said(tmp_path):
    """MedMNIST's files have validation images, too, and labels of shape (n, 1)."""
    arrays = dict.fromkeys(["train_images", "val_images", "test_images"], IMAGES)
    arrays |= dict.fromkeys(["train_labels", "val_labels", "test_labels"], LABELS[:, None])
    np.savez(tmp_path / "a.npz", **arrays)
    notes = ip.ImageSet.from_file(tmp_path / "a.npz").notes
    assert notes[-1] == f"{tmp_path / 'a.npz'}: val_images, val_labels left out"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"a": IMAGES, "b": LABELS},
            "{} must hold x_train, y_train, x_test and y_test, or X and y, got a, b",
        ),
        ({"X": IMAGES}, "{} must hold y, got X"),
        (
            {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES},
            "{} must hold y_test, got x_train, y_train, x_test",
        ),
        (
            {"X": IMAGES, "y": np.array(["a", "b"] * 10, object)},
            "{}: y must hold numbers, or text of type str, got Python objects: save "
            "np.array(labels, dtype=str)",
        ),
        ({"X": NAN, "y": LABELS}, "{}: X, row 7: pixel 2, 3 must be finite, got nan"),
    ],
)
def test_npz_files_that_cannot_be_used(tmp_path, arrays, message):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=refusal(message.format(path))):
        ip.ImageSet.from_file(path)


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_a_text_is_no_file_of_numpy(tmp_path, name):
    """NumPy takes it for Python objects."""
    (tmp_path / name).write_text("label,pixel\n1,2\n")
    message = f"{tmp_path / name} must be a file of NumPy, .npz or .npy, got another kind of file"
    with pytest.raises(ValueError, match=refusal(message)):
        read_unlabelled(str(tmp_path / name), InputFormat(), num_inputs=1)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\3\4 cut off"])
def test_a_file_that_is_no_npz(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    start = re.escape(f"{tmp_path / 'a.npz'} must ")
    with pytest.raises(ValueError, match=f"^{start}[^\n]+$"):
        ip.ImageSet.from_file(tmp_path / "a.npz")


def test_outliers_are_said():
    values = np.random.default_rng(0).random((50, 3)) * 9
    values[3, 1] = 1e6
    with pytest.warns(UserWarning, match=r"such as 1e\+06 in sample 3, feature 1"):
        own(values, np.arange(50) % 2, x_test=values, y_test=np.arange(50) % 2)


def test_bytes_need_less_than_two_copies_of_their_pixels_in_single_precision():
    images = np.zeros((6000, 28, 28), np.uint8)
    images[:, 0, 0] = 255
    tracemalloc.start()
    try:
        made = own(images, np.arange(6000) % 10)
        assert tracemalloc.get_traced_memory()[1] < 2 * 4 * images.size
    finally:
        tracemalloc.stop()
    assert made.train_images.shape == (4800, 784)


def test_nothing_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own()
