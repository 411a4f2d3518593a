"""Where the IDX files of MNIST and Fashion-MNIST are, in a folder that the user names."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(data_dir: str | os.PathLike[str] | None = None) -> tuple[str, Path] | None:
    """Returns the folder of IDX files and what names it: "data_dir" or "ISINGPROP_DATA".

    The name comes first. None means that neither of them names a folder.
    """
    if data_dir is not None:
        return "data_dir", Path(data_dir)
    folder = os.environ.get("ISINGPROP_DATA")
    return ("ISINGPROP_DATA", Path(folder)) if folder else None


def paths_in(source: str, folder: Path, name: str, files: tuple[str, ...]) -> list[Path]:
    """Returns the paths of `files` in `folder/name` if that folder exists, else in `folder`.

    All of them must be in the same folder. `source` is what names the folder in messages.
    """
    advice = "or unset data_dir and ISINGPROP_DATA to download it"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{source} must be a folder, got {str(folder)!r}: make it, {advice}"
        )

    home = folder / name if (folder / name).is_dir() else folder
    paths = []
    for file in files:
        # The archives of Kaggle have folders that are named like the file in them.
        candidates = (home / f"{file}.gz", home / file, home / file / file)
        found = [path for path in candidates if path.is_file()]
        if not found:
            raise FileNotFoundError(
                f"{source} must hold {file}[.gz], got none in {str(home)!r}: put it there, {advice}"
            )
        paths.append(found[0])

    return paths
