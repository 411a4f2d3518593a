"""`isingprop predict`: from images of any kind to a table of classes."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

import isingprop as ip
from helpers import DATA
from helpers.cli import cli_runs
from helpers.idx_files import TRAIN_IMAGES_GZ
from helpers.own_files import bars, pixel_names, write_csv, write_idx, write_pictures
from isingprop.data.load import load_test_images

NEW, NEW_LABELS = bars(10, seed=5)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def model(train, table, tmp_path):
    train("bars.csv")
    return ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")


def test_a_row_for_each_image(isingprop, model, tmp_path):
    np.savez(tmp_path / "new.npz", X=NEW)
    done = isingprop("predict", "run", "new.npz")
    assert done.code == 0, done.err
    assert done.err == f"isingprop: {model}, 10 images from new.npz, values / 255\n"
    assert done.out.splitlines()[0] == "image,class,p_flat,p_upright"

    pixels = NEW.reshape(10, 144).astype(np.float32) / np.float32(255)
    expected = model.predict_proba(pixels)
    found = rows(done.out)
    assert [row["image"] for row in found] == [str(k) for k in range(10)]
    assert [row["class"] for row in found] == [model.class_names[k] for k in model.predict(pixels)]
    probabilities = [[float(row["p_flat"]), float(row["p_upright"])] for row in found]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-8)

    told = json.loads(isingprop("predict", "run/model.safetensors", "new.npz", "--json").out)
    assert told["beta"] == model.beta
    first = told["predictions"][0]
    assert first["image"] == 0
    assert list(first["probabilities"].values()) == list(expected[0])


def write_new(kind, folder):
    """The new images as a file or folder of some kind, and its name."""
    path = folder / f"new.{kind}"
    flat = NEW.reshape(10, 144)
    if kind == "npz":
        np.savez(path, images=NEW, labels=NEW_LABELS)
    elif kind == "npy":
        np.save(path, NEW / 255)
    elif kind == "csv":
        names = pixel_names(144)
        write_csv(path, flat[:, 1:], flat[:, 0], names=names[1:])
    elif kind == "labelled.csv":
        write_csv(path, flat, NEW_LABELS, names=pixel_names(144))
    elif kind == "idx":
        return write_idx(folder / "t10k-images-idx3-ubyte.gz", NEW).name
    elif kind == "pictures":
        write_pictures(path, NEW, [f"{k}" for k in range(10)])
    elif kind == "flat pictures":
        path.mkdir()
        for k, image in enumerate(NEW):
            Image.fromarray(image).convert("RGBA").save(path / f"{k}.png")
    return path.name


@pytest.mark.parametrize(
    "kind", ["npz", "npy", "csv", "labelled.csv", "idx", "pictures", "flat pictures"]
)
def test_all_kinds_of_files_hold_the_same_images(isingprop, model, tmp_path, kind):
    pixels = NEW.reshape(10, 144).astype(np.float32) / np.float32(255)
    done = isingprop("predict", "run", write_new(kind, tmp_path))
    assert done.code == 0, done.err
    found = rows(done.out)
    values = [float(row["p_flat"]) for row in found]
    np.testing.assert_allclose(values, model.predict_proba(pixels)[:, 0], rtol=1e-6)
    if "pictures" in kind:
        names = [f"{k}/{k:04}.png" if kind == "pictures" else f"{k}.png" for k in range(10)]
        assert [row["image"] for row in found] == names


def test_a_file_of_json_needs_the_option_json(isingprop, tmp_path):
    done = isingprop("predict", "run", "new.npz", "--out", "x.JSON")
    error = "Error: --out must be a file for CSV, got x.JSON: add --json for JSON\n"
    assert (done.code, done.out, done.err) == (1, "", error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_scale_of_the_training_images_is_applied(isingprop, train, tmp_path):
    values = np.random.default_rng(0).normal([100, -5], [30, 1], (50, 2))
    labels = (values[:, 0] > 100).astype(int)
    write_csv(tmp_path / "a.csv", values, labels, names=["label", "x", "y"])
    train("a.csv")
    model = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    new = np.array([[90.0, -5.5], [1e6, -4.0]])
    write_csv(tmp_path / "b.csv", new[:, :1], new[:, 1], names=["y", "x"])
    done = isingprop("predict", "run", "b.csv")
    assert done.err.endswith(", 2 images from b.csv, each column by its range in the training "
                             "images, values outside clipped\n")  # fmt: skip
    scale = model.input_format.scaling
    pixels = np.clip((new - scale.lowest) / (scale.highest - scale.lowest), 0, 1)
    expected = model.predict_proba(pixels)
    found = [[float(row["p_0"]), float(row["p_1"])] for row in rows(done.out)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_without_a_beta_there_are_energies(isingprop, model, tmp_path):
    model.beta = None
    model.save(tmp_path / "run" / "model.safetensors")
    np.savez(tmp_path / "new.npz", X=NEW)
    done = isingprop("predict", "run", "new.npz")
    energies = model.class_energies(NEW.reshape(10, 144) / 255)
    found = [[float(row["energy_flat"]), float(row["energy_upright"])] for row in rows(done.out)]
    np.testing.assert_allclose(found, energies, rtol=1e-6)


@pytest.mark.slow
def test_a_deep_network_says_the_class_of_its_lowest_read(isingprop, train, table, tmp_path):
    train("bars.csv", "--hidden", "8,6", "--num-states", "2", "--num-sweeps", "5")
    np.savez(tmp_path / "new.npz", X=NEW)
    done = isingprop("predict", "run", "new.npz")
    assert done.code == 0, done.err
    network = ip.LayeredNetwork.load(tmp_path / "run" / "model.safetensors")
    classes = ip.predict(network, ip.Annealing(), (NEW.reshape(10, 144) / 255).astype(np.float32))
    wanted = ["" if k < 0 else network.class_names[k] for k in classes]
    assert [row["class"] for row in rows(done.out)] == wanted
    assert isingprop("predict", "run/model.safetensors", "new.npz").out == done.out


@pytest.mark.slow
def test_a_run_on_digits_takes_bytes_and_values_to_1(isingprop, tmp_path):
    done = isingprop(
        "train", "--num-train", "100", "--hidden", "8", "--epochs", "1", "--out", "run"
    )
    assert done.code == 0, done.err
    pixels = ip.load_data("digits").test_images[:5]
    np.save(tmp_path / "a.npy", pixels)
    first = isingprop("predict", "run", "a.npy").out
    assert first.splitlines()[0] == "image,class," + ",".join(f"p_{k}" for k in range(10))
    for k, image in enumerate(pixels):
        picture = np.rint(image.reshape(8, 8) * 255).astype(np.uint8)
        (tmp_path / "b").mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "b" / f"{k}.png")
    second = isingprop("predict", "run", "b").out
    assert [row["class"] for row in rows(second)] == [row["class"] for row in rows(first)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "npz", "pictures"])
def test_from_a_strangers_files_to_a_file_of_predictions(tmp_path, kind):
    """Three commands, as typed; what they say of the test holds for new images."""
    images, labels = bars(100)
    for name, some, own in (("old", images, labels), ("new", NEW, NEW_LABELS)):
        if kind == "csv":
            write_csv(tmp_path / f"{name}.csv", some, own, names=pixel_names(144))
        elif kind == "npz":
            np.savez(tmp_path / f"{name}.npz", X=some, y=own)
        else:
            write_pictures(tmp_path / f"{name}.pictures", some, own)
    commands = (
        ("train", "--data", f"old.{kind}", "--out", "run"),
        ("evaluate", "run"),
        ("predict", "run", f"new.{kind}", "--out", "classes.csv"),
    )
    for command in commands:
        done = cli_runs.isingprop(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    found = [int(row["class"]) for row in rows((tmp_path / "classes.csv").read_text())]
    wanted = np.sort(NEW_LABELS) if kind == "pictures" else NEW_LABELS
    assert (found == wanted).mean() >= 0.9


@pytest.mark.slow
def test_real_images(isingprop, tmp_path):
    if not (DATA / "mnist" / TRAIN_IMAGES_GZ).is_file():
        pytest.skip(f"no MNIST files in {DATA}: name a folder of them with ISINGPROP_DATA")
    options = "--num-train", "200", "--num-test", "50", "--epochs", "2", "--hidden", "20"
    assert isingprop("train", "--data", DATA / "mnist", *options, "--out", "run").code == 0
    done = isingprop("predict", "run", DATA / "mnist" / "t10k-images-idx3-ubyte.gz")
    assert done.code == 0, done.err
    model = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    images, _ = load_test_images("mnist", data_dir=DATA)
    classes = model.predict(images)
    assert [row["class"] for row in rows(done.out)] == [str(k) for k in classes]


def test_a_file_is_written_whole(isingprop, model, tmp_path):
    np.savez(tmp_path / "new.npz", X=NEW)
    done = isingprop("predict", "run", "new.npz", "--out", "new.csv")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "new.csv").read_text() == isingprop("predict", "run", "new.npz").out


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"X": NEW[:, 1:]},
            "new.npz: X must have images of 144 pixels, as the network has inputs, "
            "got shape (11, 12)",
        ),
        ({"X": NEW.astype(str)}, "new.npz: X must hold numbers, got type <U3"),
        ({"X": NEW * 2.0}, "new.npz: X, row 0: pixel 0, 1 must be in [0, 255], got 510.0"),
        ({"a": NEW, "b": NEW}, "new.npz must hold X or x_test, got a, b"),
    ],
)
def test_images_that_do_not_fit(isingprop, model, tmp_path, arrays, message):
    np.savez(tmp_path / "new.npz", **arrays)
    done = isingprop("predict", "run", "new.npz", "--out", "out.csv")
    assert done == (1, "", f"Error: {message}\n")
    assert not (tmp_path / "out.csv").exists()


def test_images_of_another_shape(isingprop, train, tmp_path):
    images, labels = bars(60)
    np.savez(tmp_path / "a.npz", X=images, y=labels)
    train("a.npz")
    np.savez(tmp_path / "new.npz", X=NEW.reshape(10, 16, 9))
    done = isingprop("predict", "run", "new.npz")
    message = "new.npz: X must have images of shape (12, 12), as those of the network, got (16, 9)"
    assert done == (1, "", f"Error: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "none.npz"), "no file or folder at none.npz"),
        (("none", "bars.csv"), "no network file at none"),
        (
            ("bars.csv", "bars.csv"),
            "bars.csv must be a safetensors file, got one that does not read",
        ),
        (
            ("run", "bars.csv", "--out", "none/a.csv"),
            "--out must be a file in a folder that is there, got none/a.csv",
        ),
    ],
)
def test_what_is_not_there_is_one_line(isingprop, model, arguments, message):
    done = isingprop("predict", *arguments)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"Error: {message}")
