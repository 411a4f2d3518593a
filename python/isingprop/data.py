"""Labelled images: digits (part of scikit-learn), MNIST and Fashion-MNIST (cached download, or a folder)."""

from __future__ import annotations

import fcntl
import gzip
import math
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ImageSet", "class_balanced", "load_data", "read_idx"]

NUM_CLASSES = 10  # of each data set
URLS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
}
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
MD5_SUMS = {  # of the published FILES, gzipped, in their order
    "mnist": (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
}
TIMEOUT_S = 30  # to connect, and without a single byte after that
CHUNK_BYTES = 2**16  # at most so much comes twice after a lost connection
IDX_START = b"\0\0\x08"  # two zeros, then the type: unsigned byte
IDX_MAX_DIMENSIONS = 32  # NumPy's own limit before 2.0
GZIP_START = b"\x1f\x8b"

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Raw = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # images, labels; not yet checked


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class ImageSet:
    """Training and test images with their labels, checked when it is made.

    Pixels become C-contiguous float32 and labels int64; an array that is so already is not copied.

    Args:
        name: What to call it in messages and run folders.
        train_images: ``(n, pixels)``, floating, in [0, 1].
        train_labels: ``(n,)``, integers in 0 … num_classes - 1.
        test_images: ``(m, pixels)``, as train_images.
        test_labels: ``(m,)``, as train_labels.
        num_classes: At least 1.

    Raises:
        ValueError: A wrong shape, no images, NaN or infinity, a pixel or a label out of range.
        TypeError: Not NumPy arrays, pixels that are not floating, labels that are not integers.

    Example:
        >>> pixels, labels = np.array([[0, 255], [255, 0]], dtype=np.uint8), np.array([0, 1])
        >>> ImageSet("two", pixels / 255, labels, pixels / 255, labels, num_classes=2).train_images
        array([[0., 1.],
               [1., 0.]], dtype=float32)
    """

    name: str
    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    num_classes: int

    def __post_init__(self) -> None:
        """Refuses what does not fit together."""
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a string, got {self.name!r}")
        _check_count("num_classes", self.num_classes)  # first, as it gives the labels their range
        pixels = None
        for images_name, labels_name in (("train_images", "train_labels"), ("test_images", "test_labels")):
            images = _checked_images(images_name, getattr(self, images_name), pixels)
            labels = _checked_labels(labels_name, getattr(self, labels_name), len(images), self.num_classes)
            object.__setattr__(self, images_name, images)
            object.__setattr__(self, labels_name, labels)
            pixels = images.shape[1]
        object.__setattr__(self, "num_classes", int(self.num_classes))  # NumPy's integers are no JSON


def load_data(
    name: str,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    num_train: int | None = None,
    num_test: int | None = None,
) -> ImageSet:
    """Loads a data set by name: ten classes, pixels in [0, 1].

    MNIST and Fashion-MNIST come from ``data_dir``, else from the folder that the environment variable
    ISINGPROP_DATA names, else from a download, made once and checked; one that was cut off goes on at the
    next call. The folder, or its subfolder of the data set's name, holds the four IDX files, gzipped or not,
    with any number of images of any size. Of the digits, a fixed random fifth are the test images.

    Args:
        name: "digits" (1,437 + 360 of 8 x 8), "mnist" or "fashion-mnist" (60,000 + 10,000 of 28 x 28).
        data_dir: Folder of IDX files; not for "digits".
        num_train: Keep so many training images, chosen by `class_balanced`; the papers use 1,000 of MNIST.
        num_test: The same for the test images; the papers use 100.

    Returns:
        The images and labels, in published order (digits: in that of their split).

    Raises:
        ValueError: An unknown name, a count outside 1 … the images there are, a file that is not IDX.
        TypeError: A count that is not an integer, a name or a folder of the wrong type.
        FileNotFoundError: The folder or one of its four files is missing.
        ConnectionError: The download failed on the network.
        OSError: The download failed otherwise, or its checksum is wrong.

    Example:
        >>> load_data("digits", num_train=100).train_images.shape
        (100, 64)

    References:
        LeCun et al. 1998, doi:10.1109/5.726791 (MNIST); Xiao et al. 2017, arXiv:1708.07747 (Fashion-MNIST);
        Alpaydin & Kaynak 1998, UCI repository, optdigits (digits).
    """
    _check_request(name, data_dir, num_train, num_test)
    (train, test), white = (_digits(), 16) if name == "digits" else (_idx_sets(name, data_dir), 255)
    train, test = (
        _prepared("num_train", train, num_train, white),
        _prepared("num_test", test, num_test, white),
    )
    return ImageSet(name, *train, *test, num_classes=NUM_CLASSES)


def class_balanced(labels: npt.NDArray[np.integer[Any]], num_images: int, num_classes: int) -> Labels:
    """Chooses the papers' subset: the first images of each class, in published order.

    Walks the labels in order and keeps an image while its class has fewer than its quota, which is
    num_images // num_classes, plus one for the first num_images % num_classes classes. Where a class runs
    short, the earliest images not yet kept fill up. So 1,000 of the MNIST training set are the first 100 of
    each class, and 100 of its test set the first 10 of each class: the published subset MNIST/100.

    Args:
        labels: ``(n,)`` integers in 0 … num_classes - 1.
        num_images: How many to keep, 1 … n.
        num_classes: At least 1.

    Returns:
        ``(num_images,)`` indices, ascending.

    Raises:
        ValueError: A label or a count out of range, or labels of another shape.
        TypeError: Labels that are not an integer array, or a count that is not an integer.

    Example:
        >>> class_balanced(np.array([0, 0, 0, 1, 1, 0]), num_images=4, num_classes=2)
        array([0, 1, 3, 4])

    References:
        Laydevant, Marković & Grollier 2024, doi:10.1038/s41467-024-46879-4 (MNIST/100).
    """
    _check_count("num_classes", num_classes)
    labels = _checked_labels("labels", labels, None, num_classes)
    _check_count("num_images", num_images, available=len(labels))
    quota, larger = divmod(num_images, num_classes)
    kept = np.concatenate([np.flatnonzero(labels == c)[: quota + (c < larger)] for c in range(num_classes)])
    others = np.setdiff1d(np.arange(len(labels)), kept)
    return np.sort(np.concatenate([kept, others[: num_images - len(kept)]]))


def read_idx(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8]:
    """Reads an IDX file of unsigned bytes, the format of MNIST, gzipped or not.

    The layout: 00 00 08, one byte for the number of dimensions, each size as a big-endian 32-bit number, then
    the data in row-major order.

    Args:
        path: The file.

    Returns:
        The array, of the shape that the file states.

    Raises:
        ValueError: The file is not IDX of unsigned bytes, does not unpack, is empty, too short or too long.
        OSError: The file cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = Path(file.name).write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        ...     read_idx(file.name)
        array([7, 2, 1], dtype=uint8)

    References:
        LeCun, Cortes & Burges, "The MNIST database of handwritten digits", section on file formats.
    """
    content = _unpacked(Path(path))
    dimensions = content[3] if len(content) > 3 and content.startswith(IDX_START) else 0
    if not 1 <= dimensions <= IDX_MAX_DIMENSIONS:
        start = content[:4].hex(" ") or "nothing"
        raise ValueError(f"{path} must start with 00 00 08 and 01 to 20 (its dimensions), got {start}")
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise ValueError(f"{path} must hold a header of {header} bytes, got {len(content)}")
    shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
    got, size = len(content) - header, math.prod(shape)
    if size == 0 or got != size:  # before any array is made: the header may lie
        raise ValueError(f"{path} must hold {size or 'some'} bytes of data, shape {shape}, got {got}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()


def _unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(GZIP_START):
        return content
    try:
        return gzip.decompress(content)
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{path} must unpack with gzip, got {len(content)} bytes that do not: {error}"
        ) from error


def _check_count(name: str, value: object, available: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1 and available is None:
        raise ValueError(f"{name} must be at least 1, got {value}")
    if available is not None and not 1 <= value <= available:
        raise ValueError(f"{name} must be from 1 to {available}, the images there are, got {value}")


def _check_array(name: str, array: object, kind: type, kind_name: str) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array, got {type(array).__name__}")
    if not np.issubdtype(array.dtype, kind):
        raise TypeError(f"{name} must be {kind_name}, got dtype {array.dtype}")


def _checked_images(name: str, images: npt.NDArray[Any], pixels: int | None) -> Images:
    _check_array(name, images, np.floating, "floating (divide bytes by 255)")
    if images.ndim != 2 or pixels not in (None, images.shape[1]):
        raise ValueError(f"{name} must have shape (n, {pixels or 'pixels'}), got {images.shape}")
    if images.size == 0:
        raise ValueError(f"{name} must have at least one image and one pixel, got shape {images.shape}")
    low, high = images.min(), images.max()  # both are NaN if any pixel is
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name} must be finite, got {high if np.isfinite(low) else low}")
    if low < 0 or high > 1:
        raise ValueError(f"{name} must be in [0, 1], got {low if low < 0 else high}")
    return np.ascontiguousarray(images, dtype=np.float32)


def _checked_labels(name: str, labels: npt.NDArray[Any], count: int | None, num_classes: int) -> Labels:
    _check_array(name, labels, np.integer, "integers")
    if labels.ndim != 1 or labels.size == 0 or count not in (None, labels.size):
        raise ValueError(f"{name} must have shape ({count or 'n'},), got {labels.shape}")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise ValueError(f"{name} must be from 0 to {num_classes - 1}, got {low if low < 0 else high}")
    return np.ascontiguousarray(labels, dtype=np.int64)


def _check_request(name: object, data_dir: object, num_train: object, num_test: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {name!r}")
    if name not in ("digits", *URLS):
        raise ValueError(f"name must be one of {', '.join(('digits', *URLS))}, got {name!r}")
    if not isinstance(data_dir, (str, os.PathLike, type(None))):
        raise TypeError(f"data_dir must be a path, got {data_dir!r}")
    if name == "digits" and data_dir is not None:
        raise ValueError(f"data_dir must be None for digits (part of scikit-learn), got {str(data_dir)!r}")
    for argument, count in (("num_train", num_train), ("num_test", num_test)):
        if count is not None:
            _check_count(argument, count)


def _digits() -> tuple[Raw, Raw]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images, labels, test_size=360, stratify=labels, random_state=0)
    return (split[0], split[2]), (split[1], split[3])


def _idx_sets(name: str, data_dir: str | os.PathLike[str] | None) -> tuple[Raw, Raw]:
    if data_dir is not None:
        paths = _paths_in("data_dir", Path(data_dir), name)
    elif os.environ.get("ISINGPROP_DATA"):
        paths = _paths_in("ISINGPROP_DATA", Path(os.environ["ISINGPROP_DATA"]), name)
    else:
        paths = [_cached(name, file + ".gz", md5) for file, md5 in zip(FILES, MD5_SUMS[name], strict=True)]
    return _read_pair(*paths[:2]), _read_pair(*paths[2:])


def _paths_in(source: str, folder: Path, name: str) -> list[Path]:
    """The four FILES in ``folder/name`` if there is one, else in ``folder``: never some here, some there."""
    folder, advice = folder.expanduser(), "or unset data_dir and ISINGPROP_DATA to download it"
    if not folder.is_dir():
        raise FileNotFoundError(f"{source} must be a folder, got {str(folder)!r}: make it, {advice}")
    home = folder / name if (folder / name).is_dir() else folder
    paths = []
    for file in FILES:
        stems = (file, file.replace("-idx", ".idx"))
        found = [path for stem in stems for end in (".gz", "") if (path := home / (stem + end)).is_file()]
        if not found:
            raise FileNotFoundError(
                f"{source} must hold {file}[.gz], got none in {str(home)!r}: put it there, {advice}"
            )
        paths.append(found[0])
    return paths


def _read_pair(images_path: Path, labels_path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    images, labels = read_idx(images_path), read_idx(labels_path)
    for path, array, dimensions in ((images_path, images, 3), (labels_path, labels, 1)):
        if array.ndim != dimensions:
            raise ValueError(f"{path} must have {dimensions} dimensions, got {array.ndim}")
    if len(labels) != len(images):
        raise ValueError(f"{labels_path} must hold {len(images)} labels, one per image, got {len(labels)}")
    if labels.max() >= NUM_CLASSES:
        raise ValueError(f"{labels_path} must hold labels from 0 to {NUM_CLASSES - 1}, got {labels.max()}")
    return images, labels


def _prepared(argument: str, raw: Raw, count: int | None, white: int) -> Raw:
    images, labels = raw
    if count is not None:
        _check_count(argument, count, available=len(labels))
        kept = class_balanced(labels, count, NUM_CLASSES)
        images, labels = images[kept], labels[kept]
    pixels = images.reshape(len(labels), -1).astype(np.float32)
    pixels /= np.float32(white)  # in place: MNIST's are 188 MB
    return pixels, labels


def _cached(name: str, file: str, md5: str) -> Path:
    """The file in the user's cache, downloaded unless it is there with the right sum."""
    import pooch
    import requests

    folder = Path(pooch.os_cache("isingprop")) / name
    path, url = folder / file, URLS[name] + file
    if path.exists() and pooch.file_hash(str(path), alg="md5") == md5:
        return path  # nothing was written: the cache may be read-only
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("a") as lock:  # two processes must not write one .part
            with suppress(OSError):  # some network file systems know no locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            pooch.retrieve(url, f"md5:{md5}", file, folder, downloader=_resume)
    except (OSError, ValueError) as error:
        lost = isinstance(error, (ConnectionError, requests.RequestException))
        kind = ConnectionError if lost and not isinstance(error, requests.HTTPError) else OSError
        reason = " ".join(str(error).split())  # one line
        advice = "call again to go on, or get it by hand and name its folder with data_dir or ISINGPROP_DATA"
        raise kind(f"cannot download {url}: {reason}; {advice}") from error
    return path


def _resume(url: str, output_file: str, pooch: object) -> None:
    """Completes FILE.part beside ``output_file`` and renames it: a downloader for pooch.

    A lost connection leaves the .part for the next call. A whole one is renamed before pooch checks its sum,
    and pooch deletes what it refuses: a corrupt part cannot stay.
    """
    import requests

    part = Path(output_file).with_name(url.rpartition("/")[2] + ".part")
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        if have and response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            return _resume(url, output_file, pooch)
        response.raise_for_status()
        with part.open("ab" if response.status_code == HTTPStatus.PARTIAL_CONTENT else "wb") as file:
            got = sum(file.write(chunk) for chunk in response.iter_content(CHUNK_BYTES))
        if got < (promised := int(response.headers.get("Content-Length", got))):  # urllib3 1 does not tell
            raise ConnectionError(f"lost the connection after {got} of {promised} bytes")
    part.replace(output_file)
    return None
