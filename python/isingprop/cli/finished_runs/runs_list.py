"""The command `isingprop runs`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from isingprop.cli.console import one_line, one_line_errors, print_json
from isingprop.cli.options import AsJson
from isingprop.cli.run_folder import RunFolder
from isingprop.training.checkpoints import Checkpoint
from isingprop.training.evaluation import EpochRecord
from isingprop.util.messages import say

# Settings that have a column of their own, or change no number of a run.
_LEFT_OUT = ("epochs", "threads", "data_dir")
_DIGITS = 8  # of a checksum


@dataclass(frozen=True)
class _Run:
    """A run folder as it is on disk."""

    path: Path
    settings: dict[str, Any]
    history: list[EpochRecord]

    @classmethod
    def read(cls, path: Path) -> _Run:
        """Reads settings and history; a run without a finished epoch has an empty one."""
        run = RunFolder.open(path)
        history = Checkpoint.load(run.checkpoint).history if run.checkpoint.is_file() else []
        return cls(path, asdict(run.settings), history)

    @property
    def seconds(self) -> float:
        """Wall time of all epochs and their tests."""
        return sum(record.seconds + record.seconds_testing for record in self.history)

    def row(self, settings: dict[str, str]) -> dict[str, str]:
        """Returns the cells of the run's row by the names of their columns, with some settings."""
        last = self.history[-1] if self.history else None
        cells = {
            "run": str(self.path),
            "epochs": f"{len(self.history)}/{self.settings['epochs']}",
            "test": f"{last.test_accuracy:.1%}" if last else "-",
            "train error": f"{last.train_error_lowest:.2%}" if last else "-",
            "time": f"{self.seconds:.1f} s",
        }
        return cells | settings

    def numbers(self) -> dict[str, Any]:
        """Returns the run as JSON has it."""
        last = self.history[-1] if self.history else None
        return {
            "run": str(self.path),
            "epochs": len(self.history),
            "test_accuracy": last and last.test_accuracy,
            "train_error": last and last.train_error_lowest,
            "seconds": self.seconds,
            "settings": self.settings,
        }


def runs(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR", help="Folders of runs, or folders that hold them [default: runs]."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List runs with accuracy, time, and settings that differ."""
    with one_line_errors():
        found = [_read(path) for path in _run_folders(folders or [Path("runs")])]
    read = [run for run in found if run is not None]

    if as_json:
        print_json({"runs": [run.numbers() for run in read]})
    else:
        settings = _differing([run.settings for run in read])
        for line in _table([run.row(own) for run, own in zip(read, settings, strict=True)]):
            typer.echo(line)


def _run_folders(folders: Iterable[Path]) -> list[Path]:
    """Returns the folders of runs among some folders and those in them, in natural order.

    Raises:
        FileNotFoundError: where a folder neither is nor holds one.
    """
    paths = []
    for folder in folders:
        is_run = (folder / "config.json").is_file()
        inside = [folder] if is_run else [path.parent for path in folder.glob("*/config.json")]
        if not inside:
            raise FileNotFoundError(f"{folder} must be or hold folders of runs, got none")
        paths += sorted(inside, key=_natural)
    return paths


def _read(path: Path) -> _Run | None:
    """Reads a run; one that does not read is a line on stderr, and no reason to hide the others."""
    try:
        return _Run.read(path)
    except (OSError, ValueError) as error:
        say(f"Warning: {one_line(error)}")
        return None


def _natural(path: Path) -> tuple[str, int]:
    """Returns what sorts mnist-10 behind mnist-9."""
    stem = path.name.rstrip("0123456789")
    return str(path.parent / stem), int(path.name[len(stem) :] or 0)


def _differing(settings: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Returns the settings of each run that are not the same in all runs, as texts, in order."""
    texts = [{name: _text(value) for name, value in each.items()} for each in settings]
    data = {each["data"] for each in texts}
    sums = {(each["data"], each["data_sha256"]) for each in texts}
    for each in texts:
        each["data"] = _shortened(each["data"], data)
        # Other data have another name, which says more.
        each["data_sha256"] = each["data_sha256"][:_DIGITS] if len(sums) > len(data) else "-"

    names = [name for name in (texts[0] if texts else ()) if name not in _LEFT_OUT]
    varied = [name for name in names if len({each[name] for each in texts}) > 1]
    return [{name: each[name] for name in varied} for each in texts]


def _shortened(text: str, others: Iterable[str]) -> str:
    """Returns the last name of a path, if no other path among others ends in it."""
    last = Path(text).name
    return text if any(Path(other).name == last and other != text for other in others) else last


def _text(value: Any) -> str:
    """Returns a setting as its option has it."""
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(rows: Sequence[dict[str, str]]) -> list[str]:
    """Returns the lines of a table, its columns as wide as they need to be."""
    if not rows:
        return []
    names = list(rows[0])
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    lines = [{name: name for name in names}, *rows]
    return ["  ".join(row[name].ljust(widths[name]) for name in names).rstrip() for row in lines]
