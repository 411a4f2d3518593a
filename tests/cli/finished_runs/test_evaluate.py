"""`isingprop evaluate`: the test by class energies beside the one by sampled reads."""

import json

import numpy as np
import pytest

import isingprop as ip
from isingprop.network.calibration import calibration_error

FEW = ("--num-train", "60", "--num-test", "40")
SMALL = (*FEW, "--recipe", "paper", "--num-states", "3", "--num-sweeps", "10")
ENERGY_KEYS = {"test_accuracy_energies", "beta", "calibration_error"}


@pytest.fixture
def model(isingprop, tmp_path):
    """The model of a run of one epoch, and its test images."""
    options = "--hidden", "20", "--epochs", "1", "--out", "run"
    assert isingprop("train", *SMALL, *options).code == 0
    return tmp_path / "run" / "model.safetensors", ip.load_data("digits", num_train=60, num_test=40)


def test_both_accuracies_are_told(isingprop, model):
    path, images = model
    network = ip.BipartiteNetwork.load(path)
    network.beta = None
    network.save(path)
    told = json.loads(isingprop("evaluate", "run", "--json").out)
    reads = ip.predict(network, ip.Annealing(10), images.test_images)
    assert told["test_accuracy"] != told["test_accuracy_energies"]
    assert told["test_unclassified"] == (reads == -1).mean()
    exact = network.predict(images.test_images) == images.test_labels
    assert told["test_accuracy_energies"] == exact.mean()
    assert told["beta"] is told["calibration_error"] is None
    first, second, third, *_ = isingprop("evaluate", "run").out.splitlines()
    error = np.sqrt(exact.mean() * (1 - exact.mean()) / 40)
    assert first == f"class energies  {exact.mean():.1%} ± {error:.1%} (40 images) right"
    assert second.startswith(f"lowest reads    {told['test_accuracy']:.1%} ± ")
    assert second.endswith(f" (40 images) right, {told['test_unclassified']:.1%} unclassified")
    assert third.startswith("calibration     unknown: the model has no beta")


def test_the_calibration_error_is_that_of_the_models_own_beta(isingprop, model):
    """It does not come from the test images, at whose best beta the error differs."""
    path, images = model
    network = ip.BipartiteNetwork.load(path)
    network.fit_beta(images.train_images, images.train_labels)
    network.save(path)
    told = json.loads(isingprop("evaluate", "run", "--json").out)
    probabilities = network.predict_proba(images.test_images)
    assert told["beta"] == network.beta
    assert told["calibration_error"] == calibration_error(probabilities, images.test_labels)
    assert isingprop("evaluate", "run").out.splitlines()[2] == (
        f"calibration     expected error {told['calibration_error']:.1%} at the model's beta, "
        f"{network.beta:.4g}"
    )
    assert ip.BipartiteNetwork.load(path).beta == network.beta
    network.fit_beta(images.test_images, images.test_labels)
    best = calibration_error(network.predict_proba(images.test_images), images.test_labels)
    assert told["calibration_error"] != best


def test_a_run_on_class_states_has_a_beta_from_images_that_its_network_has_not_seen(
    isingprop, tmp_path
):
    options = "--hidden", "20", "--epochs", "4", "--seed", "3", "--out", "run"
    assert isingprop("train", *FEW, *options).code == 0
    model = ip.BipartiteNetwork.load(tmp_path / "run" / "model.safetensors")
    images = ip.load_data("digits", num_train=60, num_test=40)
    told = json.loads(isingprop("evaluate", "run", "--json").out)
    exact = model.predict(images.test_images) == images.test_labels
    assert told["test_accuracy"] == told["test_accuracy_energies"] == exact.mean()
    assert told["test_standard_error"] == np.sqrt(exact.mean() * (1 - exact.mean()) / 40)
    assert (told["test_unclassified"], told["num_test"]) == (0, 40)
    assert told["test_accuracy_reads"] != told["test_accuracy"]
    first, second, *_ = isingprop("evaluate", "run").out.splitlines()
    assert first.startswith(f"class energies  {exact.mean():.1%} ± ")
    assert second.startswith("calibration     "), "it does not answer by reads"
    assert told["beta"] == model.beta > 0
    seen = model.fit_beta(images.train_images, images.train_labels)
    assert told["beta"] < seen, "it would be too sure of itself"


def test_a_damaged_model_is_one_line(isingprop, model):
    path, _ = model
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    done = isingprop("evaluate", "run")
    assert (done.code, done.out) == (1, "")
    (error,) = done.err.splitlines()
    assert error.startswith("Error: ")
    assert error.endswith(
        "must hold what was written there, got a content that does not fit its checksum"
    )


def test_deep_networks_have_the_sampled_test_only(isingprop, tmp_path):
    options = "--hidden", "12,8", "--epochs", "1", "--out", "run"
    assert isingprop("train", *SMALL, *options).code == 0
    told = json.loads(isingprop("evaluate", "run", "--json").out)
    assert not ENERGY_KEYS & told.keys()
    first, second, *_ = isingprop("evaluate", "run").out.splitlines()
    assert first.startswith("lowest reads    ")
    assert second.startswith("label           predicted")
    assert np.isfinite(told["test_accuracy"])
