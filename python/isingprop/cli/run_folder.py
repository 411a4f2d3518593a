"""The folder of a run: its settings, and the files that are written into it after each epoch."""

from __future__ import annotations

import csv
import io
import platform
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from isingprop.cli.run_plot import history_png
from isingprop.cli.run_settings import RunSettings
from isingprop.samplers import DWave, Sampler
from isingprop.training.evaluation import EpochRecord
from isingprop.training.trainer import Trainer
from isingprop.util.checked_files import load_json, save_json
from isingprop.util.files import write_atomically
from isingprop.util.growing_file import GrowingFile


class RunFolder:
    """A run on disk: config.json (its settings), history.csv, checkpoint, model and plot."""

    def __init__(self, path: Path, settings: RunSettings) -> None:
        """Keeps the path and settings; use `create` for a new folder, `open` for an old one."""
        self.path = path
        self.settings = settings
        self.checkpoint = path / "checkpoint.safetensors"
        self.model = path / "model.safetensors"
        names = [field.name for field in fields(EpochRecord)]
        self._history = GrowingFile[EpochRecord](
            path / "history.csv",
            lambda record: _csv_line(getattr(record, name) for name in names),
            header=_csv_line(names),
        )

    @classmethod
    def create(cls, path: Path | None, settings: RunSettings) -> RunFolder:
        """Makes a new folder at `path`, or at the first free of runs/<data>-1, runs/<data>-2, ...

        Raises:
            FileExistsError: if the path is a file, or a folder with something in it.
        """
        path = (
            _make_next_free(Path("runs"), settings.data_name) if path is None else _make_empty(path)
        )
        folder = cls(path, settings)
        folder.write_settings()
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Opens the folder that a run has made.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if its settings cannot be read, or are those of another version.
        """
        config = path / "config.json"
        if not config.is_file():
            raise FileNotFoundError(
                f"{path} must be the folder of a run, got one without config.json"
            )

        content = load_json(config, "the settings of a run", is_editable=True)
        try:
            hidden = content["settings"]["hidden"]  # a number in the first version's run folders
            layers = tuple(hidden) if isinstance(hidden, list) else (hidden,)
            if not layers:
                raise ValueError("no hidden layer")
            settings = RunSettings(**{**content["settings"], "hidden": layers})
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{config} must hold the settings of a run, got {error}") from None

        return cls(path, settings)

    def keep_answers(self, *samplers: Sampler) -> None:
        """Makes D-Wave samplers write their answers into this folder."""
        for sampler in samplers:
            if isinstance(sampler, DWave):
                sampler.record = self.path / "qpu"

    def write_settings(self) -> None:
        """Writes config.json: the settings, and the versions that the run uses."""
        from isingprop import __version__

        versions = {
            "isingprop": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        }
        content = {"settings": asdict(self.settings), "versions": versions}
        save_json(self.path / "config.json", content, indent=2)

    def save(self, trainer: Trainer) -> None:
        """Writes checkpoint and model, each of them whole or not at all, and adds to the history.

        The checkpoint comes first: the other two follow from it after a crash. The first call
        writes the whole history anew.
        """
        trainer.save_checkpoint(self.checkpoint)
        trainer.model.save(self.model)
        self._history.hold(trainer.history)

    def plot(self, history: list[EpochRecord]) -> None:
        """Writes training.png: errors and accuracy against epoch."""
        write_atomically(self.path / "training.png", history_png(history, self.settings))


def _make_empty(path: Path) -> Path:
    # A run that was killed in its first moment leaves nothing but temporary files.
    if path.is_file() or (
        path.is_dir() and not all(_is_temporary(name) for name in path.iterdir())
    ):
        raise FileExistsError(
            f"{path} must be new or empty, got one that is not; --resume goes on with a run"
        )
    path.mkdir(parents=True, exist_ok=True)
    return path


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == ".tmp"


def _make_next_free(parent: Path, name: str) -> Path:
    number = 1
    while True:
        path = parent / f"{name}-{number}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return path


def _csv_line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
