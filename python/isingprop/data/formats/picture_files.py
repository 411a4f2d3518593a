"""Reader of PNG and JPEG files with Pillow: single ones, and folders with one for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.data.formats.raw_images import RawData, RawImages, contents, is_hidden

SUFFIXES = (".png", ".jpg", ".jpeg")
_TRAIN, _VALIDATION, _TEST = ("train", "training"), ("val", "valid", "validation"), ("test",)
_SIXTEEN_TO_EIGHT = 257  # 65535 / 255
_WHITE = (255, 255, 255, 255)
_COLOURS = 3


def read_class_folders(folder: Path) -> RawData:
    """Reads a folder per class, whose name is the label, or such folders in `train` and `test`.

    Without `test`, the images of `val` are for the test. All images must have the same size; they
    are grey, (n, h, w) uint8, if all channels of all of them are equal, or else (n, h, w, 3).

    Raises:
        ValueError: for a file that does not read, one of another size, or a class without images.
        ImportError: without Pillow, which `pip install "isingprop[images]"` brings.
    """
    below = {path.name.lower(): path for path in _folders(folder)}
    train = next((below[name] for name in _TRAIN if name in below), None)
    if train is None:
        return RawData(_read_classes(folder))

    found = [below[name] for name in (*_TEST, *_VALIDATION) if name in below]
    given = _read_classes(train)
    if not found:
        return RawData(given)
    shape = given.images.shape[1:]
    left = tuple(f"{path} is left out" for path in found[1:])
    return RawData(given, _read_classes(found[0], shape), left)


def read_pictures(path: Path, shape: tuple[int, ...] | None) -> RawImages:
    """Reads a file, or all files of a folder and the folders in it.

    Args:
        path: the file or folder.
        shape: (h, w) or (h, w, 3) of images that the network takes; None for any.
    """
    files = _pictures(path) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"{path} must hold PNG or JPEG files, got {contents(path)}")
    names = [str(file.relative_to(path)) if path.is_dir() else file.name for file in files]
    return RawImages(str(path), _arrays(files, shape), None, rows=names, names=names)


def has_class_folders(folder: Path) -> bool:
    """Returns whether there are pictures in folders of a folder."""
    return any(next(iter(_pictures(each)), None) is not None for each in _folders(folder))


def _read_classes(folder: Path, shape: tuple[int, ...] | None = None) -> RawImages:
    """Returns the pictures in the folders of a folder, with the folders' names as labels."""
    files: list[Path] = []
    labels: list[str] = []
    for each in _folders(folder):
        own = _pictures(each)
        if not own and shape is None:
            raise ValueError(f"{each} must hold PNG or JPEG files, got {contents(each)}")
        files += own
        labels += [each.name] * len(own)

    if not files:
        raise ValueError(
            f"{folder} must hold a folder of PNG or JPEG files for each class, "
            f"got {contents(folder)}"
        )
    names = [str(file.relative_to(folder)) for file in files]
    return RawImages(str(folder), _arrays(files, shape), np.array(labels), names, names)


def _folders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path.name)]


def _pictures(folder: Path) -> list[Path]:
    """Returns all PNG and JPEG files in a folder and below it, by name."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(map(is_hidden, path.relative_to(folder).parts))
    )


def _arrays(files: Sequence[Path], shape: tuple[int, ...] | None) -> NDArray[np.uint8]:
    """Returns files as an array of a shape, or of that of the first one and what colours need."""
    image_module, operations = _pillow()
    size = None if shape is None else shape[:2]
    pictures = []
    for file in files:
        picture = _decoded(file, image_module, operations)
        if picture.shape[:2] != (size or picture.shape[:2]):
            example = "the images of the network" if shape is not None else files[0]
            raise ValueError(
                f"{file} must be {_size(size)} pixels (height x width) as {example}, "
                f"got {_size(picture.shape)}"
            )
        size = picture.shape[:2]
        pictures.append(picture)

    coloured = any(_has_colours(picture) for picture in pictures)
    if shape is not None:
        coloured = len(shape) > 2
    return np.stack([_with_channels(picture, coloured) for picture in pictures])


def _decoded(file: Path, image_module: Any, operations: Any) -> NDArray[np.uint8]:
    """Returns a file as (h, w) or (h, w, 3); what is transparent in it is white."""
    try:
        with image_module.open(file, formats=("PNG", "JPEG")) as opened:
            picture = operations.exif_transpose(opened)
            if picture.mode.startswith("I"):
                deep = np.asarray(picture).astype(np.float64)
                return np.rint(deep / _SIXTEEN_TO_EIGHT).astype(np.uint8)
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                ground = image_module.new("RGBA", picture.size, _WHITE)
                picture = image_module.alpha_composite(ground, picture)
            return np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))
    except (OSError, ValueError, SyntaxError, image_module.DecompressionBombError) as error:
        raise ValueError(f"{file} must be a PNG or JPEG image, got {error}") from None


def _has_colours(picture: NDArray[np.uint8]) -> bool:
    return picture.ndim > 2 and bool((picture != picture[..., :1]).any())


def _with_channels(picture: NDArray[np.uint8], coloured: bool) -> NDArray[np.uint8]:
    """Returns a picture with three channels or none; what has colours becomes grey by its luma."""
    if coloured:
        return picture if picture.ndim > 2 else np.stack([picture] * _COLOURS, axis=-1)
    if picture.ndim == 2:
        return picture
    image_module, _ = _pillow()
    return np.asarray(image_module.fromarray(picture).convert("L"))


def _size(shape: Sequence[int] | None) -> str:
    return " x ".join(map(str, (shape or ())[:2]))


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError(
            'PNG and JPEG files need Pillow: pip install "isingprop[images]"'
        ) from None
    return Image, ImageOps
