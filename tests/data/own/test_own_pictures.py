"""Folders of PNG and JPEG files: sizes, colours, depths, transparency, and what does not read."""

import sys

import numpy as np
import pytest
from PIL import Image

import isingprop as ip
from helpers.idx_files import refusal
from helpers.own_files import bars, write_pictures
from isingprop.data.formats.own_source import read_unlabelled
from isingprop.util.input_format import InputFormat

IMAGES, LABELS = bars(10)
NAMES = np.array(["upright bar", "Zwölf"])[LABELS]


def test_a_folder_for_each_class(tmp_path):
    write_pictures(tmp_path / "shapes", IMAGES, NAMES)
    (tmp_path / "shapes" / "upright bar" / "Thumbs.db").touch()
    # What macOS adds to its archives, and what programs of pictures keep.
    write_pictures(tmp_path / "shapes" / "__MACOSX", IMAGES[:2], NAMES[:2])
    write_pictures(tmp_path / "shapes" / ".cache", IMAGES[:2], NAMES[:2])
    write_pictures(tmp_path / "shapes" / "Zwölf", IMAGES[:2], [".thumbnails", "__MACOSX"])
    images = ip.ImageSet.from_file(tmp_path / "shapes")
    order = np.argsort(-LABELS, kind="stable")  # Zwölf is before upright bar
    expected = ip.ImageSet.from_arrays(IMAGES[order], NAMES[order])
    np.testing.assert_array_equal(images.train_images, expected.train_images, strict=True)
    assert images.class_names == ("Zwölf", "upright bar")
    assert images.name == "shapes"
    assert images.input_format.image_shape == (12, 12)


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Training", "val"), ("TRAIN", "Test")]
)
def test_folders_of_training_and_test_images(tmp_path, train, test):
    write_pictures(tmp_path / train, IMAGES, NAMES)
    write_pictures(tmp_path / test, IMAGES[:2], NAMES[:2])
    (tmp_path / test / "extra").mkdir()
    images = ip.ImageSet.from_file(tmp_path)
    assert len(images.train_images) == 10
    assert len(images.test_images) == 2
    assert not any(note.startswith("split") for note in images.notes)


def test_pictures_to_classify_are_not_those_of_hidden_folders(tmp_path):
    for name in ("a", ".b/c", "__MACOSX/d"):
        saved(tmp_path / f"{name}.png", GREY)
    read = read_unlabelled(str(tmp_path), InputFormat(), num_inputs=144)
    assert read.names == ["a.png"]


def coloured():
    return np.stack([IMAGES, IMAGES // 2, 255 - IMAGES], axis=-1)


def test_colours_have_three_values_each(tmp_path):
    write_pictures(tmp_path, coloured(), LABELS)
    images = ip.ImageSet.from_file(tmp_path)
    expected = ip.ImageSet.from_arrays(
        np.concatenate([coloured()[0::2], coloured()[1::2]]), np.sort(LABELS)
    )
    np.testing.assert_array_equal(images.train_images, expected.train_images)
    assert images.input_format.image_shape == (12, 12, 3)


def saved(path, image, like=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


GREY = Image.fromarray(IMAGES[0])
COLOUR = Image.fromarray(coloured()[0])
TRANSPARENT = GREY.convert("RGBA")
TRANSPARENT.putpixel((0, 0), (0, 0, 0, 0))
WITH_WHITE = IMAGES[0].copy()
WITH_WHITE[0, 0] = 255


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (GREY, IMAGES[0]),
        (GREY.convert("RGB"), IMAGES[0]),
        (GREY.convert("RGBA"), IMAGES[0]),
        (GREY.convert("LA"), IMAGES[0]),
        (TRANSPARENT, WITH_WHITE),
        (GREY.convert("P"), IMAGES[0]),
        (COLOUR.quantize(256), np.asarray(COLOUR.quantize(256).convert("RGB"))),
        (Image.fromarray(IMAGES[0].astype(np.uint16) * 257), IMAGES[0]),
        (GREY.point(lambda v: 255 * (v > 100), "1"), np.where(IMAGES[0] > 100, 255, 0)),
        (COLOUR, coloured()[0]),
    ],
    ids=["L", "RGB", "RGBA", "LA", "transparent", "grey P", "P", "16 bits", "1", "colour"],
)
def test_pictures_of_all_modes(tmp_path, image, expected):
    path = saved(tmp_path / "a.png", image)
    read = read_unlabelled(str(path), InputFormat(), num_inputs=144)
    np.testing.assert_array_equal(read.images, expected[None].astype(np.uint8), strict=True)
    assert read.names == ["a.png"]


def test_a_network_gets_the_channels_that_it_takes(tmp_path):
    saved(tmp_path / "a.png", GREY)
    saved(tmp_path / "b" / "b.png", COLOUR)
    for shape in ((12, 12), (12, 12, 3)):
        read = read_unlabelled(str(tmp_path), InputFormat(image_shape=shape), num_inputs=1)
        assert read.images.shape == (2, *shape)
        assert read.names == ["a.png", "b/b.png"]
    np.testing.assert_array_equal(read.images[0], np.stack([IMAGES[0]] * 3, axis=-1))


def test_a_jpeg_is_turned_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn to the right
    GREY.save(tmp_path / "a.jpg", quality=100, exif=exif)
    read = read_unlabelled(str(tmp_path / "a.jpg"), InputFormat(), num_inputs=144)
    turned = np.rot90(IMAGES[0], -1)
    assert np.abs(read.images[0].astype(int) - turned).mean() < 3


def test_a_picture_of_another_size(tmp_path):
    write_pictures(tmp_path, IMAGES, LABELS)
    path = saved(tmp_path / "1" / "x.png", GREY.resize((11, 12)))
    first = tmp_path / "0" / "0000.png"
    message = f"{path} must be 12 x 12 pixels (height x width) as {first}, got 12 x 11"
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(tmp_path)
    message = (
        f"{first} must be 6 x 6 pixels (height x width) as the images of the network, got 12 x 12"
    )
    with pytest.raises(ValueError, match=refusal(message)):
        read_unlabelled(str(tmp_path), InputFormat(image_shape=(6, 6)), num_inputs=36)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", None])
def test_a_file_that_does_not_read(tmp_path, content):
    write_pictures(tmp_path, IMAGES, LABELS)
    path = tmp_path / "1" / "x.png"
    whole = (tmp_path / "1" / "0001.png").read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ValueError, match=f"^{path} must be a PNG or JPEG image, got [^\n]+$"):
        ip.ImageSet.from_file(tmp_path)


def test_a_class_without_pictures(tmp_path):
    write_pictures(tmp_path, IMAGES, LABELS)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "a.bmp").touch()
    message = f"{tmp_path / '2'} must hold PNG or JPEG files, got a.bmp"
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(tmp_path)


def test_without_pillow_the_message_says_what_to_install(tmp_path, monkeypatch):
    write_pictures(tmp_path, IMAGES, LABELS)
    monkeypatch.setitem(sys.modules, "PIL", None)
    message = 'PNG and JPEG files need Pillow: pip install "isingprop[images]"'
    with pytest.raises(ImportError, match=refusal(message)):
        ip.ImageSet.from_file(tmp_path)
