"""The folder of a run: its settings, and the files that are written into it after each epoch."""

from __future__ import annotations

import csv
import io
import platform
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Self

import numpy as np

from isingprop.cli.report.snapshots import snapshot_path
from isingprop.cli.run_plot import history_png
from isingprop.cli.run_settings import RunSettings
from isingprop.samplers import DWave, Sampler
from isingprop.training.evaluation import EpochRecord
from isingprop.training.trainer import Trainer
from isingprop.util.checked_files import load_json, naming, save_json
from isingprop.util.files import (
    folders_flushed_once,
    is_temporary,
    make_folder,
    remove_leftovers,
    write_atomically,
)
from isingprop.util.folder_lock import LOCK_FILE, FolderLock
from isingprop.util.growing_file import GrowingFile


class RunFolder:
    """A run on disk: config.json (its settings), history.csv, checkpoint, model and plot.

    A folder from `create` or `resume` is locked until the end of its context: no other process
    writes into it. Readers need no lock, since each file is whole at any instant.
    """

    def __init__(self, path: Path, settings: RunSettings, lock: FolderLock | None = None) -> None:
        """Keeps the path and settings; use `create`, `resume`, or `open`, which is for reading."""
        self.path = path
        self.settings = settings
        self._lock = lock

        self.checkpoint = path / "checkpoint.safetensors"
        self.model = path / "model.safetensors"
        names = [field.name for field in fields(EpochRecord)]
        self._history = GrowingFile[EpochRecord](
            path / "history.csv",
            lambda record: _csv_line(getattr(record, name) for name in names),
            header=_csv_line(names),
            flushed=False,  # the checkpoint, which is, holds the same records
        )

    @classmethod
    def create(cls, path: Path | None, settings: RunSettings) -> RunFolder:
        """Makes a new folder at `path`, or at the first free of runs/<data>-1, runs/<data>-2, ...

        Raises:
            FileExistsError: if the path is a file, or a folder with something in it.
            BlockingIOError: for a folder in which another process is at work.
        """
        lock = (
            _lock_next_free(Path("runs"), settings.data_name) if path is None else _lock_empty(path)
        )
        with lock.released_on_error():
            folder = cls(lock.folder, settings, lock)
            folder._remove_leftovers()
            folder.write_settings()
        return folder

    @classmethod
    def resume(cls, path: Path) -> RunFolder:
        """Opens the folder that a run has made, to go on with the run.

        Raises:
            FileNotFoundError, ValueError: like `open`.
            BlockingIOError: for a folder in which another process is at work.
        """
        cls.open(path)  # into what is no run's folder nothing is written
        lock = FolderLock(path)
        with lock.released_on_error():
            folder = cls.open(path)  # anew, as another process may have gone on with it
            folder._lock = lock
            folder._remove_leftovers()
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
        with naming(config):
            return cls(path, RunSettings.read(content.get("settings")))

    def __enter__(self) -> Self:
        """Returns the folder itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Unlocks the folder."""
        self.unlock()

    def unlock(self) -> None:
        """Lets other processes write into the folder, if this one has locked it."""
        if self._lock is not None:
            self._lock.release()

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

        Checkpoint and model are on the disk when it returns. The checkpoint comes first: the others
        follow from it after a crash. The first call writes the whole history anew.
        """
        with folders_flushed_once():
            trainer.save_checkpoint(self.checkpoint)
            trainer.model.save(self.model)
            self.keep_snapshot(trainer)
            self._history.hold(trainer.history)

    def _remove_leftovers(self) -> None:
        """Removes what killed processes have left of the run's own files."""
        names = ("config.json", f"{self.checkpoint.name}*", self.model.name, "history.csv")
        remove_leftovers(self.path, *names, "training.png")
        remove_leftovers(snapshot_path(self.path, 0).parent)

    def keep_snapshot(self, trainer: Trainer) -> None:
        """Writes the model as that of the last epoch, if the run keeps the models of all epochs."""
        if self.settings.snapshots:
            path = snapshot_path(self.path, len(trainer.history))
            make_folder(path.parent)
            trainer.model.save(path)

    def plot(self, history: list[EpochRecord]) -> None:
        """Writes training.png: errors and accuracy against epoch. The history is flushed, too."""
        self._history.flush()
        write_atomically(self.path / "training.png", history_png(history, self.settings))


def _lock_empty(path: Path) -> FolderLock:
    """Locks a folder that is new or empty."""
    _check_empty(path)  # nothing is written into a folder that holds something else
    make_folder(path)
    lock = FolderLock(path)
    with lock.released_on_error():
        _check_empty(path)  # another run may have come first
    return lock


def _check_empty(path: Path) -> None:
    """Refuses a file, and a folder with more in it than a run leaves that was killed at once."""
    if path.is_file() or (
        path.is_dir()
        and not all(each.name == LOCK_FILE or is_temporary(each) for each in path.iterdir())
    ):
        raise FileExistsError(
            f"{path} must be new or empty, got one that is not; --resume goes on with a run"
        )


def _lock_next_free(parent: Path, name: str) -> FolderLock:
    """Makes and locks a new folder: the first of name-1, name-2, ... that nobody else has made."""
    number = 1
    while True:
        path = parent / f"{name}-{number}"
        try:
            make_folder(path, exist_ok=False)
            return _lock_empty(path)
        except (FileExistsError, BlockingIOError):
            number += 1


def _csv_line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
