"""Reader of NumPy's files: .npz with images and labels, .npy with images alone."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from isingprop.data.formats.raw_images import RawData, RawImages, listed

# Names of training images, training labels, test images and test labels, in lower case.
_WITH_TEST = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
)
_WITHOUT_TEST = (("x", "y"), ("images", "labels"), ("data", "target"))
_ADVICE = "x_train, y_train, x_test and y_test, or X and y"


def read_npz(path: Path) -> RawData:
    """Reads arrays by the names of Keras (x_train, ...), as train_images, ..., or as X and y.

    Names may have capital letters. Labels of shape (n, 1) are taken as (n,).

    Raises:
        ValueError: for a file that is no .npz, lacks an array, or holds Python objects.
    """
    with _Arrays(path) as arrays:
        for x_train, y_train, x_test, y_test in _WITH_TEST:
            if x_train in arrays.keys_of:
                test = arrays.images(x_test, y_test) if x_test in arrays.keys_of else None
                notes = arrays.left_out({x_train, y_train, x_test, y_test})
                return RawData(arrays.images(x_train, y_train), test, notes)
        for x, y in _WITHOUT_TEST:
            if x in arrays.keys_of:
                return RawData(arrays.images(x, y), notes=arrays.left_out({x, y}))
        raise ValueError(f"{path} must hold {_ADVICE}, got {listed(arrays.keys_of.values())}")


def read_unlabelled_npz(path: Path) -> RawImages:
    """Reads images: X, images or data, those of a test, or the only array of the file."""
    if path.suffix.lower() == ".npy":
        return RawImages(str(path), _array(path), None)

    with _Arrays(path) as arrays:
        wanted = [x for x, _ in _WITHOUT_TEST] + [x for _, _, x, _ in _WITH_TEST]
        found = [name for name in wanted if name in arrays.keys_of]
        if not found and len(arrays.keys_of) == 1:
            found = list(arrays.keys_of)
        if not found:
            raise ValueError(f"{path} must hold X or x_test, got {listed(arrays.keys_of.values())}")
        return arrays.images(found[0], None)


class _Arrays:
    """The arrays of an .npz file, by their names in lower case."""

    def __init__(self, path: Path) -> None:
        """Opens the file."""
        self._path = path
        self._handle = path.open("rb")  # NumPy does not close what it cannot read
        try:
            self._file: Any = _loaded(path, self._handle)
            if not isinstance(self._file, Mapping):
                raise ValueError(f"{path} must be an .npz file, got a single array")
            self.keys_of = {name.lower(): name for name in self._file}
        except BaseException:
            self._handle.close()
            raise

    def __enter__(self) -> _Arrays:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file."""
        self._file.close()
        self._handle.close()

    def left_out(self, used: Collection[str]) -> tuple[str, ...]:
        """Returns a line about the arrays of other names, if there are any."""
        others = [key for name, key in self.keys_of.items() if name not in used]
        return (f"{self._path}: {listed(others)} left out",) if others else ()

    def images(self, images: str, labels: str | None) -> RawImages:
        """Returns the arrays of these names as images and labels."""
        return RawImages(
            f"{self._path}: {self.keys_of[images]}",
            self._get(images),
            None if labels is None else self._get(labels),
        )

    def _get(self, name: str) -> NDArray[Any]:
        if name not in self.keys_of:
            raise ValueError(f"{self._path} must hold {name}, got {listed(self.keys_of.values())}")
        key = self.keys_of[name]
        return np.asarray(_checked(lambda: self._file[key], f"{self._path}: {key}"))


def _array(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        array = _loaded(path, file)
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{path} must be an .npy file, got several arrays")
        return array


def _loaded(path: Path, file: BinaryIO) -> Any:
    return _checked(lambda: np.load(file, allow_pickle=False), str(path))


def _checked(read: Any, source: str) -> Any:
    """Returns what a function reads with NumPy, whose errors become one that names the source."""
    try:
        return read()
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        if "Object arrays" in str(error):
            raise ValueError(
                f"{source} must hold numbers, or text of type str, got Python objects: save "
                "np.array(labels, dtype=str)"
            ) from None
        # What does not begin as NumPy's files do is taken for a pickle.
        found = "another kind of file" if "pickle" in str(error) else error
        raise ValueError(f"{source} must be a file of NumPy, .npz or .npy, got {found}") from None
