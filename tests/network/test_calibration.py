"""Probabilities of classes, the beta that they need, and how well they are calibrated."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from helpers import oracle, tolerances
from isingprop import BipartiteNetwork
from isingprop.network.calibration import calibration_error, class_probabilities, likeliest_beta
from isingprop.util.checked_files import save_tensors


def random_energies(num_images, num_classes, *, pull=1.0, seed=0):
    """Energies of order 10, lower by `pull` for the label on average."""
    random = np.random.default_rng([seed, num_images, num_classes])
    energies = random.normal(-10, 1, (num_images, num_classes))
    labels = random.integers(num_classes, size=num_images)
    energies[np.arange(num_images), labels] -= pull
    return energies, labels


def log_likelihood(energies, labels, beta, prior=0.0):
    logs = -beta * energies - logsumexp(-beta * energies, axis=1, keepdims=True)
    return logs[np.arange(len(labels)), labels].sum() + prior * logs.mean()


@pytest.mark.parametrize("beta", [1e-12, 0.3, 20.0])
def test_probabilities_are_boltzmanns(beta):
    energies, _ = random_energies(50, 7)
    found = class_probabilities(energies, beta)
    np.testing.assert_allclose(found, softmax(-beta * energies, axis=1), rtol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=tolerances.PROBABILITY)


def test_certain_probabilities_are_no_overflow():
    energies = np.array([[1e30, 0.0, 1.0], [-5e5, -5e5, 3.0]])
    np.testing.assert_array_equal(class_probabilities(energies, 1e300), [[0, 1, 0], [0.5, 0.5, 0]])


def test_predict_proba_of_a_network_is_most_for_the_predicted_class():
    network, images = oracle.random_network(num_classes=10), oracle.random_images(50)
    found = network.predict_proba(images, 0.25)
    energies = network.class_energies(images)
    assert tolerances.same_bits(found, class_probabilities(energies, 0.25))
    np.testing.assert_array_equal(found.argmax(axis=1), network.predict(images))
    network.beta = 0.25
    assert tolerances.same_bits(network.predict_proba(images), found)


@pytest.mark.parametrize("prior", [0.0, 1.0])
@pytest.mark.parametrize("pull", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("num_classes", [2, 10, 100])
def test_beta_has_the_largest_likelihood(num_classes, pull, prior):
    energies, labels = random_energies(200, num_classes, pull=pull)
    found = likeliest_beta(energies, labels, prior=prior)
    search = minimize_scalar(
        lambda beta: -log_likelihood(energies, labels, beta, prior),
        bounds=(0, 20),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert search.success
    assert found == pytest.approx(search.x, rel=1e-5)
    best = log_likelihood(energies, labels, found, prior)
    for other in (0.999 * found, 1.001 * found):
        assert log_likelihood(energies, labels, other, prior) < best


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_beta_goes_with_the_unit_of_the_energies(unit):
    energies, labels = random_energies(200, 5)
    found = likeliest_beta(energies * unit, labels) * unit
    assert found == pytest.approx(likeliest_beta(energies, labels), rel=1e-9)


def test_beta_of_labels_that_are_all_right_is_large_and_finite():
    energies, labels = random_energies(20, 4, pull=30.0)
    beta = likeliest_beta(energies, labels)
    assert beta == pytest.approx(1e6 / np.ptp(energies, axis=1).mean())
    probabilities = class_probabilities(energies, beta)
    np.testing.assert_array_equal(probabilities, np.eye(4)[labels])
    with_prior = likeliest_beta(energies, labels, prior=1.0)
    own = class_probabilities(energies, with_prior)[np.arange(20), labels]
    assert 0.9 < own.mean() < 0.99  # 20 labels of 21, and a share of the other


def test_a_tie_for_the_lowest_energy_bounds_no_beta():
    energies = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    assert likeliest_beta(energies, np.array([1, 0])) == 1e6


def test_the_beta_that_labels_were_drawn_at_is_found():
    """The variance of the estimate is 1 / sum_b Var(E), the Fisher information."""
    network, images = oracle.random_network(), oracle.random_images(4000)
    energies, beta = network.class_energies(images), 0.2
    exact = class_probabilities(energies, beta)
    uniform = np.random.default_rng(0).random((4000, 1))
    labels = (exact.cumsum(axis=1) < uniform).sum(axis=1)
    found = network.fit_beta(images, labels)
    assert found == network.beta
    mean = (exact * energies).sum(axis=1)
    information = ((exact * energies**2).sum(axis=1) - mean**2).sum()
    assert abs(found - beta) * np.sqrt(information) < tolerances.SIGMAS
    assert calibration_error(network.predict_proba(images), labels) < 0.04
    assert calibration_error(network.predict_proba(images, 5 * beta), labels) > 0.1


def test_labels_worse_than_chance_leave_the_beta_as_it_was():
    network, images = oracle.random_network(), oracle.random_images(20)
    network.beta = 0.5
    worst = network.class_energies(images).argmax(axis=1)
    with pytest.raises(ValueError, match=r"labels must be likelier than chance .* got energies of"):
        network.fit_beta(images, worst)
    assert network.beta == 0.5
    equal = np.full((3, 4), -2.0)
    with pytest.raises(ValueError, match="are 0 above the mean over classes"):
        likeliest_beta(equal, np.array([0, 1, 2]))


def test_beta_is_saved_and_loaded_with_its_bits(tmp_path):
    network, path = oracle.random_network(), tmp_path / "model.safetensors"
    for beta in (0.1 + 0.2, 1e300, 5e-324, np.float32(0.3), 2):
        network.beta = beta
        network.save(path)
        loaded = BipartiteNetwork.load(path).beta
        assert type(loaded) is float
        assert loaded.hex() == float(beta).hex()


def test_a_file_without_a_beta_loads(tmp_path):
    path = tmp_path / "model.safetensors"
    oracle.random_network().save(path)
    with safe_open(path, "numpy") as file:
        assert "beta" not in json.loads(file.metadata()["isingprop"])
    assert BipartiteNetwork.load(path).beta is None


@pytest.mark.parametrize("text", ["", "one", "nan", "inf", "0.0", "-1", "1e999", None, [], {}])
def test_a_file_with_a_spoilt_beta_is_refused(tmp_path, text):
    network, path = oracle.random_network(), tmp_path / "model.safetensors"
    save_tensors(path, "network", network.parameters(), {"num_classes": "3", "beta": text})
    words = r"beta in .*model\.safetensors must be (a finite number|text)"
    with pytest.raises(ValueError, match=words):
        BipartiteNetwork.load(path)


def test_calibration_error_by_hand():
    """Bins of 1/15: confidences 0.6 and 0.65 share the tenth, 1 is in the last one."""
    probabilities = np.array([[0.6, 0.4], [0.35, 0.65], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    labels = np.array([0, 0, 0, 0, 1])
    expected = (abs(1 - 1.25) + abs(1 - 2.0) + abs(0 - 0.5)) / 5
    assert calibration_error(probabilities, labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("num_classes", [2, 10])
def test_calibration_error_is_that_of_a_direct_computation(num_classes):
    energies, labels = random_energies(500, num_classes)
    probabilities = class_probabilities(energies, 2.0)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = 0.0
    for k in range(15):
        inside = (confidence >= k / 15) & (confidence < (k + 1) / 15)
        if inside.any():
            gap = abs(correct[inside].mean() - confidence[inside].mean())
            expected += inside.mean() * gap
    assert calibration_error(probabilities, labels) == pytest.approx(expected, rel=1e-10)
    assert expected > 0.01


IMAGES, LABELS = oracle.random_images(4), np.array([0, 1, 2, 0])


def proba(images=IMAGES, beta=None):
    return oracle.random_network().predict_proba(images, beta)


def save(beta, path):
    network = oracle.random_network()
    network.beta = beta
    network.save(path)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (
            proba,
            "ValueError: beta must be a number, or fitted before with fit_beta(), got None",
        ),
        (
            lambda: proba(beta=0.0),
            "ValueError: beta must be finite and above 0, got 0.0",
        ),
        (lambda: proba(beta=-1), "ValueError: beta must be finite and above 0, got -1.0"),
        (lambda: proba(beta=np.nan), "ValueError: beta must be finite and above 0, got nan"),
        (lambda: proba(beta=np.inf), "ValueError: beta must be finite and above 0, got inf"),
        (lambda: proba(beta="1"), "TypeError: beta must be a number, got '1'"),
        (lambda: proba(beta=True), "TypeError: beta must be a number, got True"),
        (
            lambda: proba(np.ones((2, 6)), beta=0.0),
            "ValueError: images must have shape (n, 7), got (2, 6)",
        ),
        (
            lambda: oracle.random_network().fit_beta(IMAGES, LABELS[:3]),
            "ValueError: labels must have shape (4,), got (3,)",
        ),
        (
            lambda: oracle.random_network().fit_beta(3 * IMAGES - 1, LABELS + 1),
            "ValueError: labels must be in 0 ... 2, got 3 at index 2",
        ),
        (
            lambda: oracle.random_network().fit_beta(IMAGES[:, :6], LABELS + 1),
            "ValueError: images must have shape (n, 7), got (4, 6)",
        ),
        (
            lambda: save(np.nan, "nowhere/model"),
            "ValueError: beta must be finite and above 0, got nan",
        ),
    ],
)
def test_refusals_of_probabilities(assert_refused, call, refusal):
    assert_refused(call, refusal)
