"""The numbers and images of a report, against those of the run itself."""

import base64
import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix

import isingprop as ip
from isingprop.cli.report.report_page import page_of
from isingprop.cli.report.report_payload import MAX_EPOCHS, payload_of
from isingprop.cli.report.snapshots import snapshot_path, snapshot_paths
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.run_settings import RunSettings
from isingprop.util.input_format import InputFormat

KINDS = ["class-states", "anneal", "deep"]
IMAGES = ip.load_data("digits", num_train=40, num_test=60)

pytestmark = pytest.mark.slow


def tiles(sheet):
    """The images of a sheet, decoded: (n, rows, columns) or (n, rows, columns, 3) bytes."""
    content = base64.b64decode(sheet["uri"].removeprefix("data:image/png;base64,"))
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    width, height = sheet["width"], sheet["height"]
    corners = [divmod(k, sheet["columns"]) for k in range(sheet["count"])]
    return np.stack(
        [pixels[y * height :, x * width :][:height, :width] for y, x in corners],
    )


def network_of(run, path=None):
    return run.settings.load_network(path or run.model)


def predicted(run):
    network = network_of(run)
    if run.settings.hidden == (12,):
        return network.predict(IMAGES.test_images)
    from isingprop.training.minibatches import TEST
    from isingprop.util.checks import seed_for

    sampler = ip.Annealing(num_sweeps=run.settings.num_sweeps)
    return ip.predict(network, sampler, IMAGES.test_images, seed=seed_for(0, TEST, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_confusion_is_that_of_scikit_learn(report_of, kind):
    run, found = report_of(kind)
    classes = predicted(run)
    counts = np.array(found["confusion"]["confusion"])
    expected = confusion_matrix(IMAGES.test_labels, classes, labels=[*range(10), -1])
    np.testing.assert_array_equal(counts, expected[:10])
    right = (classes == IMAGES.test_labels).mean()
    assert f"finds the class of {right:.1%} ± " in found["accuracy"]
    assert found["confusion"]["wrongText"].startswith(f"{(1 - right) * 60:.0f} test images are")


@pytest.mark.parametrize("kind", KINDS)
def test_curves_are_the_history(report_of, kind):
    run, found = report_of(kind)
    with (run.path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert found["curves"]["epoch"] == [1, 2]
    for name in ("train_error_reads", "train_error_lowest", "test_accuracy"):
        assert found["curves"][name] == [float(row[name]) for row in rows]
    assert found["curves"]["wrong_cycles"] == [None, None]


@pytest.mark.parametrize("kind", KINDS)
def test_images_decode_to_the_pixels(report_of, kind):
    run, found = report_of(kind)
    images = found["images"]
    expected = np.rint(255 * IMAGES.test_images[images["numbers"]])
    np.testing.assert_array_equal(tiles(images["sheet"]).reshape(-1, 64), expected)
    assert images["labels"] == IMAGES.test_labels[images["numbers"]].tolist()
    assert images["predicted"] == predicted(run)[images["numbers"]].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_cells_hold_images_that_are_confused_so(report_of, kind):
    _, found = report_of(kind)
    images, counts = found["images"], np.array(found["confusion"]["confusion"])
    held = np.zeros_like(counts)
    for label, of, cell in images["cells"]:
        assert {images["labels"][tile] for tile in cell} == {label}
        assert {images["predicted"][tile] for tile in cell} == {of}
        assert len(set(cell)) == len(cell)
        held[label, of] = len(cell)
    np.testing.assert_array_equal(held, np.minimum(counts, images["mostPerCell"]))
    wrong = found["confusion"]["wrong"]
    assert all(images["labels"][tile] != images["predicted"][tile] for tile in wrong)
    assert len(wrong) == len(set(wrong)) == held.sum() - np.trace(held)


def test_the_worst_errors_come_first(report_of):
    run, found = report_of("anneal")
    numbers = [found["images"]["numbers"][tile] for tile in found["confusion"]["wrong"]]
    energies = network_of(run).class_energies(IMAGES.test_images)
    above = energies[np.arange(60), IMAGES.test_labels] - energies.min(axis=1)
    assert len(numbers) > 5
    assert (np.diff(above[numbers]) <= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_decode_to_the_colours(report_of, kind):
    run, found = report_of(kind)
    weights = network_of(run).input_weights.astype(np.float64)
    colours = tiles(found["hidden"]["sheet"]).reshape(*weights.shape, 3).astype(float)
    ends = [np.array(list(bytes.fromhex(each[1:]))) for each in found["hidden"]["colours"]]
    for sign, end in zip((-1, 1), ends, strict=True):
        share = np.maximum(sign * weights, 0)[..., None] / np.abs(weights).max()
        where = sign * weights >= 0
        np.testing.assert_allclose(
            colours[where], (255 + share * (end - 255))[where], rtol=0, atol=0.5
        )
    assert found["hidden"]["largest"] == pytest.approx(np.abs(weights).max(), rel=1e-3)
    assert len(found["hidden"]["bias"]) == len(weights)


def states_by_hand(run, path, images):
    """States of one epoch, by the public interface: (B, S, N), and how many of each image count."""
    network = network_of(run, path)
    sampler = ip.Annealing(num_sweeps=run.settings.num_sweeps)
    if len(run.settings.hidden) > 1:
        from isingprop.training.layer_sweeps import sample_states

        return sample_states(network, sampler, images, 5, seed=0), 5
    problem = network.problem(images)
    reads = sampler.sample(problem, 5, seed=0)
    if run.settings.sampler != "class-states":
        return reads, 5
    lowest = network.reference_states(problem.hidden_fields, network.predict(images)[:, None])
    energies = problem.energies(lowest)
    return ip.States(
        np.concatenate([lowest, reads.spins], axis=1),
        np.concatenate([energies, reads.energies], axis=1),
        {},
    ), 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_landscape_is_that_of_the_kept_models(report_of, kind):
    run, found = report_of(kind)
    land = found["landscape"]
    files = snapshot_paths(run.path) or {2: run.model}
    assert land["epochs"] == list(files) == ([2] if kind == "deep" else [0, 1, 2])
    assert land["images"] == list(range(60))
    labels, pixels = IMAGES.test_labels, IMAGES.test_images
    shape = len(files), 60, land["perImage"]
    places = {}

    for epoch, path in enumerate(files.values()):
        states, counted = states_by_hand(run, path, pixels)
        outputs = states.spins[..., -40:]
        assert land["counted"] == counted
        codes = np.array(land["outputs"]).reshape(shape)[epoch]
        for code, own in zip(codes.ravel(), outputs.reshape(-1, 40), strict=True):
            assert f"{int(code, 16):040b}" == "".join("1" if spin > 0 else "0" for spin in own)

        classes = network_of(run).readout.predict(outputs)
        np.testing.assert_array_equal(np.reshape(land["classes"], shape)[epoch], classes)
        np.testing.assert_allclose(
            np.reshape(land["energies"], shape)[epoch], states.energies, rtol=0, atol=6e-4
        )
        right = (classes[:, :counted] == labels[:, None]).mean()
        assert land["right"][epoch] == pytest.approx(right, abs=1e-4)

        own = states.spins[:, :counted].astype(int)
        distances = (own.shape[2] - np.einsum("ark,bsk->abrs", own, own)) / 2
        assert_distances(land, epoch, distances, labels)
        points = np.stack([np.reshape(land[name], shape)[epoch] for name in "xy"], axis=-1)
        flat = states.spins.reshape(-1, states.spins.shape[2])
        for state, point in zip(flat, points.reshape(-1, 2), strict=True):
            assert places.setdefault(state.tobytes(), tuple(point)) == tuple(point), "one map"
    assert 0 < land["stress"] < 0.5


def assert_distances(land, epoch, distances, labels):
    """Distances (B, B, R, R) of all pairs of states, averaged by hand."""
    images, reads = len(labels), distances.shape[2]
    same_class = labels[:, None] == labels
    others = ~np.eye(images, dtype=bool)
    own, same, other = land["pairs"][epoch]
    if reads == 1:
        assert own is None
    else:
        total = distances[np.arange(images), np.arange(images)].sum()
        assert own == pytest.approx(total / (images * reads * (reads - 1)), abs=0.006)
    assert same == pytest.approx(distances[same_class & others].mean(), abs=0.006)
    assert other == pytest.approx(distances[~same_class].mean(), abs=0.006)

    for a in range(10):
        for b in range(10):
            pair = others & (labels[:, None] == a) & (labels == b)
            expected = distances[pair].mean()
            assert land["classDistances"][epoch][a][b] == pytest.approx(expected, abs=0.006)


def test_at_most_so_many_epochs_are_on_the_slider(run_of, tmp_path):
    folder = tmp_path / "long"
    copied = RunFolder(folder, RunFolder.open(run_of("anneal")).settings)
    (folder / "snapshots").mkdir(parents=True)
    for name in ("checkpoint.safetensors", "model.safetensors"):
        (folder / name).write_bytes((run_of("anneal") / name).read_bytes())
    copied.write_settings()
    for epoch in range(3, 44):
        content = snapshot_path(run_of("anneal"), epoch % 3).read_bytes()
        snapshot_path(folder, epoch).write_bytes(content)
    land = payload_of(RunFolder.open(folder))["landscape"]
    assert len(land["epochs"]) == MAX_EPOCHS
    assert [land["epochs"][0], land["epochs"][-1]] == [3, 43]
    assert "16 of the 41 models that the run has kept, from after epoch 3 on" in land["snapshots"]


@pytest.fixture
def other_images(run_of, monkeypatch):
    """other_images(network, images, labels): a payload as if a run had trained this network."""

    def other_images(network, images, labels):
        monkeypatch.setattr(RunSettings, "load_network", lambda *_: network)
        monkeypatch.setattr(RunSettings, "load_test_images", lambda _: (images, labels))
        return payload_of(RunFolder.open(run_of("anneal")))

    return other_images


def test_what_the_model_knows_of_its_images_is_shown(other_images):
    """Names of classes, and the shape of images, which are RGB here."""
    network = ip.BipartiteNetwork.random(num_inputs=63, num_hidden=12, num_classes=10)
    names = tuple(f"class <{k}>" for k in range(10))
    network.input_format = InputFormat(names, (7, 3, 3))
    pixels = IMAGES.test_images[:, :63]
    found = other_images(network, pixels, IMAGES.test_labels)
    assert found["classes"] == list(names)
    images = found["images"]
    expected = np.rint(255 * pixels[images["numbers"]]).reshape(-1, 7, 3, 3)
    np.testing.assert_array_equal(tiles(images["sheet"]), expected, "row by row, RGB")
    assert tiles(found["hidden"]["sheet"]).shape == (12, 7, 3, 3)
    assert "7 x 3 pixels, averaged over three colours" in found["hidden"]["text"]


def test_the_largest_noise_stays_small(other_images):
    """It has 47 classes, all confused, and images of 64 x 64 x 3 pixels, which do not compress."""
    random = np.random.default_rng(0)
    num_inputs = 64 * 64 * 3
    network = ip.BipartiteNetwork.random(num_inputs=num_inputs, num_hidden=300, num_classes=47)
    network.image_shape = 64, 64, 3
    pixels = random.random((1500, num_inputs), dtype=np.float32)
    found = other_images(network, pixels, random.integers(0, 47, 1500))
    assert len(page_of(found)) < 8_000_000
    assert found["images"]["mostPerCell"] >= 5
    assert found["images"]["sheet"]["width"] >= 16
    assert f"{len(found['hidden']['bias'])} of 300 hidden spins" in found["hidden"]["text"]


def test_texts_say_what_was_done(report_of):
    for kind, words in {
        "class-states": "its lowest class state, and small crosses are 5 states found by simulated",
        "anneal": "Each of 60 test images has 5 states found by simulated annealing on the CPU",
        "deep": "sweeps, two layers at a time)",
    }.items():
        assert words in report_of(kind)[1]["landscape"]["text"]
    _, found = report_of("deep")
    assert "has kept no model of single epochs" in found["landscape"]["snapshots"]
    assert "by the lowest of 10 states" in found["accuracy"]
    assert "data_dir" not in found["settings"]


def test_the_folder_of_the_data_is_not_told(monkeypatch, run_of):
    run = RunFolder.open(run_of("anneal"))
    images = run.settings.load_test_images()
    monkeypatch.setattr(RunSettings, "load_test_images", lambda _: images)
    run.settings = replace(run.settings, data="/home/ann/secret/digits.npz")
    found = payload_of(run)
    assert found["settings"]["data"] == "digits"
    assert "secret" not in json.dumps(found)
