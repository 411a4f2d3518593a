"""The user's own images as a network takes them, from arrays and files."""

import numpy as np
import pytest

import isingprop as ip
from helpers.own_files import bars

VALUES = np.random.default_rng(0).normal(3, [1, 100, 5, 2], (30, 4))
LABELS = np.repeat(["ash", "oak", "elm"], 10)


def trained_on(images):
    network = ip.BipartiteNetwork.random(
        num_inputs=images.train_images.shape[1], num_hidden=5, num_classes=images.num_classes
    )
    ip.Trainer(network, ip.Annealing(num_sweeps=5), num_states=1).fit(images, epochs=1)
    return network


def test_arrays_and_files_are_scaled_as_in_training(tmp_path):
    images = ip.ImageSet.from_arrays(VALUES, LABELS, VALUES, LABELS)
    network = trained_on(images)
    np.save(tmp_path / "new.npy", VALUES)
    network.save(tmp_path / "model.safetensors")
    loaded = ip.BipartiteNetwork.load(tmp_path / "model.safetensors")
    for source in (VALUES, VALUES.tolist(), tmp_path / "new.npy", str(tmp_path / "new.npy")):
        for each in (network, loaded):
            pixels = ip.load_images(source, each)
            np.testing.assert_array_equal(pixels, images.test_images, strict=True)


def test_columns_of_a_table_are_taken_by_name(tmp_path):
    def write(path, header, rows):
        path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]))

    names = ["a", "b", "c", "d"]
    rows = np.column_stack([VALUES.astype(str), LABELS])
    write(tmp_path / "leaves.csv", [*names, "label"], rows)
    write(tmp_path / "new.csv", ["label", *names[::-1]], rows[:, ::-1])
    network = trained_on(ip.ImageSet.from_file(tmp_path / "leaves.csv"))
    found = ip.load_images(tmp_path / "new.csv", network)
    np.testing.assert_array_equal(found, ip.load_images(VALUES, network))


def test_bytes_stay_bytes():
    images, labels = bars(20)
    network = trained_on(ip.ImageSet.from_arrays(images, labels))
    expected = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(ip.load_images(images, network), expected)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((2, 5)), "ValueError: images must"),
        (np.zeros(4), "ValueError: images must hold images"),
        ([[0, 1, np.nan, 2]], "ValueError: images, row 0: "),
        ([["a", "b", "c", "d"]], "ValueError: images must hold numbers"),
        ("nowhere.csv", "FileNotFoundError: no file or folder at nowhere.csv"),
    ],
    ids=["shape", "one row", "NaN", "text", "no file"],
)
def test_what_cannot_be_used_is_refused(source, message, assert_refused):
    network = trained_on(ip.ImageSet.from_arrays(VALUES, LABELS))
    assert_refused(lambda: ip.load_images(source, network), message)


def test_a_network_that_knows_no_scale_takes_pixels_only(assert_refused):
    network = ip.BipartiteNetwork.random(num_inputs=4, num_hidden=5, num_classes=3)
    np.testing.assert_array_equal(ip.load_images([[0, 1, 0.5, 0]], network), [[0, 1, 0.5, 0]])
    assert_refused(lambda: ip.load_images(VALUES, network), "ValueError: images, row 0: ")
