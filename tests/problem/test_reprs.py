"""What a notebook shows of an object: one line of text, and thumbnails of images."""

import base64
import io
import re

import matplotlib.image
import numpy as np
import pytest
from sklearn.datasets import load_digits

import isingprop as ip
from isingprop.analysis.landscape import embed
from isingprop.data.thumbnails import png, square_shape

DIGITS = ip.load_data("digits", num_train=100, num_test=50)
NETWORK = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=20, num_classes=10)
PROBLEM = NETWORK.problem(DIGITS.train_images[:3])
STATES = ip.Annealing(2).sample(PROBLEM, 4, seed=0)
SMALL = ip.IsingProblem(np.zeros((2, 2)), [[0.5, 0.1]], [[0.2, 0.3]])


def trained():
    trainer = ip.Trainer(NETWORK, ip.ClassStates(NETWORK.readout), num_states=1)
    trainer.train_epoch(DIGITS.train_images, DIGITS.train_labels)
    return trainer


def one_gradient():
    nudged = ip.Annealing(2).sample(PROBLEM, 1)
    return ip.gradient(DIGITS.train_images[:3], STATES, nudged, num_hidden=20)


def amplification():
    marked = np.arange(16) == 3
    return ip.coherent.amplify(SMALL, total_time=5.0, num_steps=10, marked=marked)


# What the text begins with.
SHOWN = {
    "States(3 x 4 reads of 60 spins, energies -": lambda: STATES,
    "ImageSet('digits', 100 training + 50 test images of 64 pixels, 10 classes)": lambda: DIGITS,
    "Trainer(BipartiteNetwork(64 inputs, 20 hidden, 40 output spins, 10 classes), ClassStates(": (
        trained
    ),
    "IsingProblem(3 x 20 hidden + 40 output spins)": lambda: PROBLEM,
    "BipartiteNetwork(64 inputs, 20 hidden, 40 output spins, 10 classes)": lambda: NETWORK,
    "Gradient(input_weights=(20, 64) float32, couplings=(20, 40) float32, ": one_gradient,
    "Landscape(points=(12, 2) float64, stress=": lambda: embed(STATES.spins.reshape(12, 60)),
    "Amplification(state=(16,) complex128, amplitude=": amplification,
    "MLP(4 inputs, 3 hidden, 2 outputs)": lambda: ip.MLP(np.ones((3, 4)), np.ones((2, 3))),
    "EmulatedQPU(emulated-": lambda: ip.EmulatedQPU("zephyr", 1),
    "Readout(num_classes=10, redundancy=4)": lambda: NETWORK.readout,
    "LearningRates(input_weights=0.1, ": lambda: ip.LearningRates.of(0.1),
}


@pytest.mark.parametrize("beginning", SHOWN)
def test_a_repr_is_one_short_line(beginning):
    shown = repr(SHOWN[beginning]())
    assert shown.startswith(beginning)
    assert len(shown) < 200
    assert "\n" not in shown


def test_a_trainer_counts_its_epochs():
    assert repr(trained()).endswith(", 1 epoch so far)")


def test_no_states_have_no_energies():
    nothing = STATES.changed(spins=STATES.spins[:0], energies=STATES.energies[:0])
    assert repr(nothing) == "States(0 x 4 reads of 60 spins, no energies)"


# Thumbnails


def pictures(html):
    """The pictures of a piece of HTML, as matplotlib reads them: in [0, 1]."""
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [matplotlib.image.imread(io.BytesIO(base64.b64decode(each))) for each in found]


def test_an_image_set_shows_an_image_of_each_class():
    html = DIGITS._repr_html_()
    assert html.startswith("<div>ImageSet(&#x27;digits&#x27;, 100 training")
    assert re.findall(r"<figcaption>(\d)</figcaption>", html) == [str(k) for k in range(10)]
    assert len(html) < 5_000
    for label, picture in enumerate(pictures(html)):
        row = np.flatnonzero(DIGITS.train_labels == label)[0]
        expected = DIGITS.train_images[row].reshape(8, 8)
        np.testing.assert_allclose(picture, expected, atol=1 / 255)


def test_images_have_the_names_of_their_classes():
    images = np.tile(np.arange(4) / 4, (8, 1))
    own = ip.ImageSet.from_arrays(images, 4 * ["cat", "<b>"])
    shown = re.findall(r"<figcaption>(.+?)</figcaption>", own._repr_html_())
    assert sorted(shown) == ["&lt;b&gt;", "cat"]


def test_colours_are_kept_and_large_images_thinned_out():
    random = np.random.default_rng(0)
    colours = random.random((5, 5, 3))
    read = matplotlib.image.imread(io.BytesIO(png(colours)))
    np.testing.assert_allclose(read, colours, atol=1 / 255)
    large = random.random((130, 130, 1))
    read = matplotlib.image.imread(io.BytesIO(png(large)))
    np.testing.assert_allclose(read, large[::3, ::3, 0], atol=1 / 255)


@pytest.mark.parametrize(
    ("num_pixels", "shape"),
    [(64, (8, 8, 1)), (3072, (32, 32, 3)), (784, (28, 28, 1)), (13, None), (1, None), (3, None)],
)
def test_only_square_images_are_shown(num_pixels, shape):
    assert square_shape(num_pixels) == shape


def test_features_that_are_no_image_are_counted_only():
    X, y = load_digits(return_X_y=True)
    X = X[:20, :13] / 16
    table = ip.ImageSet("<b>", X, y[:20], X, y[:20], num_classes=10)
    html = table._repr_html_()
    assert html == "<div>ImageSet(&#x27;&lt;b&gt;&#x27;, 20 training + 20 test images of 13 " + (
        "pixels, 10 classes)</div>"
    )
