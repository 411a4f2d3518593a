"""Shapes, averages and sheets of the images of a report."""

import io

import numpy as np
import pytest
from PIL import Image

from isingprop.cli.report.image_sheets import Sheet, framed, grey_levels, image_shape, two_colours


@pytest.mark.parametrize(
    ("pixels", "known", "shape"),
    [
        (64, None, (8, 8, 1)),
        (784, None, (28, 28, 1)),
        (30, None, (5, 6, 1)),
        (13, None, (3, 5, 1)),  # two empty places
        (1, None, (1, 1, 1)),
        (4, None, (2, 2, 1)),
        (3072, (32, 32, 3), (32, 32, 3)),
        (3072, (32, 96), (32, 96, 1)),
        (64, (8, 8, 1), (8, 8, 1)),
        (64, (4, 4, 4), (8, 8, 1)),  # neither grey nor RGB
        (64, (64,), (8, 8, 1)),
        (64, (9, 9), (8, 8, 1)),
    ],
)
def test_shapes(pixels, known, shape):
    assert image_shape(pixels, known) == shape


def test_empty_places_have_their_value():
    found = framed(np.arange(13.0)[None] / 13, (3, 5, 1), 0.5)
    assert found.shape == (1, 3, 5, 1)
    assert found.ravel()[:13] == pytest.approx(np.arange(13) / 13)
    assert found.ravel()[13:].tolist() == [0.5, 0.5]


def test_large_images_are_averaged():
    pixels = np.random.default_rng(0).random((2, 130 * 70 * 3))
    found = framed(pixels, (130, 70, 3), 0.0)
    assert found.shape == (2, 44, 24, 3)  # squares of 3 x 3 pixels; those at the edges have 1
    whole = pixels.reshape(2, 130, 70, 3)
    np.testing.assert_allclose(found[:, 0, 0], whole[:, :3, :3].mean(axis=(1, 2)))
    np.testing.assert_allclose(found[:, -1, 5], whole[:, 129:, 15:18].mean(axis=(1, 2)))
    np.testing.assert_allclose(found[:, -1, -1], whole[:, 129, 69])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_has_the_images_in_rows(channels):
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 5, channels)).astype(np.uint8)
    sheet = Sheet.of(images)
    pixels = np.asarray(Image.open(io.BytesIO(sheet.png))).reshape(12, 15, channels)
    assert (sheet.count, sheet.columns, sheet.width, sheet.height) == (7, 3, 5, 4)
    for k, image in enumerate(images):
        y, x = 4 * (k // 3), 5 * (k % 3)
        np.testing.assert_array_equal(pixels[y : y + 4, x : x + 5], image)
    assert Sheet.of(images) == sheet


def test_colours():
    values = np.array([-2.0, -1.0, 0.0, 2.0]).reshape(1, 2, 2, 1)
    found = two_colours(values, 2.0, ("#0072B2", "#D55E00")).reshape(4, 3)
    assert found.tolist() == [[0, 114, 178], [128, 184, 216], [255] * 3, [213, 94, 0]]
    assert two_colours(0 * values, 0.0, ("#0072B2", "#D55E00")).min() == 255
    assert grey_levels(np.array([0.0, 0.5, 1.0])).tolist() == [0, 128, 255]
