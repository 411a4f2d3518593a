"""The models of single epochs in a run folder, which `isingprop train --snapshots` keeps."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = "snapshots"
_NAME = re.compile(r"epoch-(\d+)\.safetensors")


def snapshot_path(run: Path, epoch: int) -> Path:
    """Returns the file of the model after an epoch of the run in this folder; 0 is before all."""
    return run / _FOLDER / f"epoch-{epoch:05d}.safetensors"


def snapshot_paths(run: Path) -> dict[int, Path]:
    """Returns the files of all kept models by their epochs, ascending."""
    folder = run / _FOLDER
    files = folder.iterdir() if folder.is_dir() else ()
    found = {int(match[1]): path for path in files if (match := _NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


def evenly_spaced(epochs: list[int], most: int) -> list[int]:
    """Returns at most `most` of some ascending epochs, with the first and the last of them.

    Example:
        >>> evenly_spaced([0, 1, 2, 3, 4, 5, 6, 7, 8], 4)
        [0, 3, 5, 8]
    """
    if len(epochs) <= most:
        return epochs
    return [epochs[round(k * (len(epochs) - 1) / (most - 1))] for k in range(most)]
