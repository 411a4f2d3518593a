"""The user's own images, from a file or folder of any kind that there is a reader for."""

from __future__ import annotations

from pathlib import Path

from isingprop.data.formats import csv_table, idx_folder, npz_arrays, picture_files
from isingprop.data.formats.openml_table import PREFIX, read_openml
from isingprop.data.formats.parquet_table import read_parquet, read_unlabelled_parquet
from isingprop.data.formats.raw_images import RawData, RawImages, contents
from isingprop.util.input_format import InputFormat

_TABLES = (".csv", ".tsv")
_ARRAYS = (".npz", ".npy")
_KINDS = ".npz, .csv, .tsv or .parquet, an IDX file, or a folder of IDX, PNG or JPEG files"


def read_labelled(source: str, label: str | None = None) -> RawData:
    """Reads images with labels.

    Args:
        source: path of a file or folder, or openml:NAME.
        label: the column of labels in a table, see `labelled_columns`; None for other sources.

    Raises:
        FileNotFoundError: where there is nothing at the path.
        ValueError: for what no reader knows, or refuses.
    """
    path = Path(source)
    is_table = path.suffix.lower() in (*_TABLES, ".parquet") and not path.is_dir()
    if label is not None and not is_table:
        raise ValueError(f"label must go with a table, .csv, .tsv or .parquet, got {source}")
    if source.startswith(PREFIX):
        return read_openml(source)

    suffix = _checked(path).suffix.lower()
    if path.is_dir():
        return _read_folder(path)
    if suffix == ".npz":
        return npz_arrays.read_npz(path)
    if suffix in _TABLES:
        return csv_table.read_csv(path, label)
    if suffix == ".parquet":
        return read_parquet(path, label)
    if idx_folder.is_idx_name(path):
        return idx_folder.read_idx_set(path)
    raise ValueError(f"{path} must be {_KINDS}")


def read_unlabelled(
    source: str, known: InputFormat, *, num_inputs: int, label: str | None = None
) -> RawImages:
    """Reads images to classify; labels that are there, too, are left out.

    Args:
        source: path of a file or folder.
        known: of the images of the network.
        num_inputs: pixels of an image.
        label: a column of a table that may be there and is no pixel.

    Raises:
        FileNotFoundError: where there is nothing at the path.
        ValueError: for what no reader knows, or refuses.
    """
    path = _checked(Path(source))
    suffix = path.suffix.lower()
    if path.is_dir():
        if (found := idx_folder.find_idx_folder(path)) is not None:
            return idx_folder.read_unlabelled_idx_folder(found)
        return picture_files.read_pictures(path, _picture_shape(known))

    if suffix in picture_files.SUFFIXES:
        return picture_files.read_pictures(path, _picture_shape(known))
    if suffix in _ARRAYS:
        return npz_arrays.read_unlabelled_npz(path)
    if suffix in (*_TABLES, ".parquet"):
        read = csv_table.read_unlabelled_csv if suffix in _TABLES else read_unlabelled_parquet
        return read(path, num_inputs=num_inputs, label=label, wanted=known.column_names)
    if idx_folder.is_idx_name(path):
        return idx_folder.read_idx_images(path)
    raise ValueError(f"{path} must be .npy, PNG or JPEG, {_KINDS}")


def name_of(source: str) -> str:
    """Returns the name of a data set: that of its file or folder without its suffix."""
    if source.startswith(PREFIX):
        return source.removeprefix(PREFIX)
    path = Path(source).absolute()
    return path.name if path.is_dir() else path.stem


def _read_folder(folder: Path) -> RawData:
    """Reads a folder of IDX files, or of folders of pictures."""
    if (found := idx_folder.find_idx_folder(folder)) is not None:
        return idx_folder.read_idx_folder(found)
    if picture_files.has_class_folders(folder):
        return picture_files.read_class_folders(folder)
    raise ValueError(
        f"{folder} must hold IDX files, such as train-images-idx3-ubyte, or a folder of PNG or "
        f"JPEG files for each class, got {contents(folder)}"
    )


def _picture_shape(known: InputFormat) -> tuple[int, ...] | None:
    """Returns the shape of pictures that a network takes, where it is that of pictures."""
    shape = known.image_shape
    is_picture = shape is not None and (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3))
    return shape if is_picture else None


def _checked(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"no file or folder at {path}")
    return path
