"""Checkpoint: parameters, settings and history of a run, in files that stay whole after a crash."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Network
from isingprop.samplers.protocol import declared
from isingprop.training.evaluation import EpochRecord
from isingprop.training.optimizer import SGD, schedule_name
from isingprop.training.trainer_options import TrainerOptions
from isingprop.util.checked_files import check_names, load_tensors, naming, save_tensors
from isingprop.util.checks import Floats, float_array, whole_number
from isingprop.util.growing_file import GrowingFile

# So many records at least go into the second file at once. Shorter runs have one file, and a longer
# one writes the newest records, fewer than these and some 0.4 KB each, with every checkpoint.
_BLOCK = 50
_MAX_NAME = 255  # of a file, on Linux
_MAX_CRC32 = 2**32 - 1
_OPTIMIZER = "optimizer."  # begins the names of the optimizer's arrays, where it has any


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that a trainer needs to continue the run of another."""

    parameters: dict[str, NDArray[np.float32]]
    settings: dict[str, Any]  #: all that decides the numbers of the run, as JSON has it
    history: list[EpochRecord]
    data_checksum: int | None  #: of the training images and labels
    test_checksum: int | None  #: of the test images and labels, where they are known
    #: Of Optimizer: its arrays by name, and its counts.
    optimizer: dict[str, Any]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Reads a checkpoint that a `CheckpointFile` has written.

        Raises:
            FileNotFoundError: where there is no file, or not the one with the earlier records.
            ValueError: for a file of another kind or version, or a damaged one.
        """
        tensors, metadata = load_tensors(path, "checkpoint", ())
        try:
            settings = dict(json.loads(metadata["settings"]))
            checksum = json.loads(metadata["data_checksum"])
            test_checksum = json.loads(metadata.get("test_checksum", "null"))
            counts = dict(json.loads(metadata.get("optimizer", "{}")))
            is_split = "earlier_history" in metadata
            earlier = _Earlier(**json.loads(metadata["earlier_history"])) if is_split else None
            latest = json.loads(metadata["latest_history" if is_split else "history"])
            if not isinstance(latest, list):
                raise TypeError(f"history must be a list, got {latest!r:.80}")
            history = _records(latest)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"{path} must hold the settings and history of a run, got {error!r}"
            ) from None

        with naming(path):
            if earlier is not None:
                history = earlier.load(path) + history
            _check_history(history, checksum)
            if test_checksum is not None:
                whole_number("test_checksum", test_checksum, least=0, most=_MAX_CRC32)
        begins = len(_OPTIMIZER)
        arrays = {
            name[begins:]: tensors.pop(name)
            for name in list(tensors)
            if name.startswith(_OPTIMIZER)
        }
        optimizer = {**counts, "arrays": arrays}
        return cls(tensors, settings, history, checksum, test_checksum, optimizer)

    def check_settings(
        self, options: TrainerOptions, path: str | os.PathLike[str], *, follow_images: bool
    ) -> None:
        """Raises ValueError for a setting that is not as when the checkpoint was written.

        Checkpoints from before a further setting was there do not know it. With `follow_images` the
        rate of input weights may differ: the first epoch decides it.
        """
        for name, mine in run_settings(options).items():
            saved: Any = self.settings.get(name)
            compared = saved
            if name == "learning_rates" and follow_images and saved:
                compared = {**saved, "input_weights": mine["input_weights"]}
            is_new = name in options.further_settings and name not in self.settings
            if compared != mine and not is_new:
                raise ValueError(f"{name} must be {saved} as in the checkpoint {path}, got {mine}")

    def parameters_for(self, network: Network, path: str | os.PathLike[str]) -> dict[str, Floats]:
        """Returns the parameters, checked to be complete, finite and of the network's shapes."""
        check_names(path, self.parameters, network.parameters())
        return {
            name: float_array(
                f"{name} in {path}", self.parameters[name], shape=array.shape, single=True
            )
            for name, array in network.parameters().items()
        }


class CheckpointFile:
    """A checkpoint that is written again and again, at a cost that does not grow with the history.

    The first `save` writes one file with everything. Later ones leave the earlier records of a long
    history in a second file beside it, `<name>.history.jsonl`, to which blocks of records are
    added, one JSON object a line. The checkpoint says how many of its bytes count: it is written
    after them and renamed, so at any instant the two files hold the last checkpoint or the new one.
    """

    def __init__(self, path: Path) -> None:
        """Takes the path of the checkpoint; no file is touched."""
        self._path = path
        self._earlier = self._no_records()
        self._is_ours = False

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes the checkpoint, whole or not at all."""
        history = checkpoint.history
        if not self._earlier.begins(history):  # another run's, as after Trainer.restore
            self._earlier, self._is_ours = self._no_records(), False

        # Any checkpoint that was here before may need the second file, which is left as it is until
        # there is one that does not.
        earlier = self._earlier
        if self._is_ours and len(history) - earlier.count >= _BLOCK:
            earlier.hold(history)

        latest = f"[{', '.join(map(_as_json, history[earlier.count :]))}]"
        metadata = {
            "settings": json.dumps(checkpoint.settings),
            "data_checksum": json.dumps(checkpoint.data_checksum),
            "test_checksum": json.dumps(checkpoint.test_checksum),
        }
        if earlier.count == 0:
            metadata["history"] = latest
        else:
            # Versions that know one file only miss "history", and refuse the checkpoint.
            counted = _Earlier(earlier.path.name, earlier.count, earlier.size, earlier.sha256)
            metadata |= {"earlier_history": json.dumps(vars(counted)), "latest_history": latest}

        tensors = dict(checkpoint.parameters)
        if arrays := checkpoint.optimizer["arrays"]:
            tensors |= {_OPTIMIZER + name: array for name, array in arrays.items()}
            counts = {name: each for name, each in checkpoint.optimizer.items() if name != "arrays"}
            metadata["optimizer"] = json.dumps(counts)
        save_tensors(self._path, "checkpoint", tensors, metadata)
        self._is_ours = True

    def _no_records(self) -> GrowingFile[EpochRecord]:
        """Returns the second file, whose content does not count yet."""
        path = self._path.with_name(f"{self._path.name}.history.jsonl")
        return GrowingFile(path, lambda record: _as_json(record) + "\n")


@dataclass(frozen=True)
class _Earlier:
    """The earlier records of a checkpoint, in a second file in its folder."""

    file: str
    records: int
    size: int  #: of these records, in bytes; more may follow that do not count
    sha256: str | None = None  #: of these bytes
    crc32: int | None = None  #: of these bytes, in checkpoints from before there was a SHA-256

    def __post_init__(self) -> None:
        """Checks what a file says of another one."""
        known = isinstance(self.file, str) and 0 < len(self.file) <= _MAX_NAME
        if not known or Path(self.file).name != self.file:
            raise ValueError(f"file must be the name of a file, got {self.file!r:.80}")
        for name in ("records", "size"):
            whole_number(name, getattr(self, name), least=0, most=sys.maxsize)

    def load(self, checkpoint: str | os.PathLike[str]) -> list[EpochRecord]:
        """Reads the records that a checkpoint needs."""
        path = Path(checkpoint).with_name(self.file)
        if not path.is_file():
            raise FileNotFoundError(
                f"no history file at {path}, which {checkpoint} needs: keep the two together"
            )

        with path.open("rb") as file:
            content = file.read(self.size)
        checksum = hashlib.sha256(content).hexdigest()
        is_same = checksum == self.sha256 or (
            self.sha256 is None and zlib.crc32(content) == self.crc32
        )
        if len(content) != self.size or not is_same:
            raise ValueError(
                f"{path} must begin with the {self.records} records that {checkpoint} counts, "
                "got other bytes"
            )
        return _records(json.loads(line) for line in content.splitlines())


@lru_cache(maxsize=2 * _BLOCK)  # the latest records are written with every checkpoint
def _as_json(record: EpochRecord) -> str:
    return json.dumps(vars(record))


def _records(found: Iterable[dict[str, Any]]) -> list[EpochRecord]:
    """Returns records that JSON has as objects."""
    return [EpochRecord.checked(**record) for record in found]


def _check_history(history: list[EpochRecord], checksum: object) -> None:
    """Raises ValueError unless the epochs are 1, 2, 3 ..., with the checksum of their images."""
    for number, record in enumerate(history, 1):
        if record.epoch != number:
            raise ValueError(f"epoch of record {number} must be {number}, got {record.epoch}")
    if history or checksum is not None:
        whole_number("data_checksum", checksum, least=0, most=_MAX_CRC32)


def run_settings(options: TrainerOptions) -> dict[str, Any]:
    """Returns all that decides the numbers of a run, as JSON holds it.

    The number of threads is not among it.
    """
    own_test = options.test_sampler is options.sampler
    settings: dict[str, Any] = {
        "network": str(options.network),
        "sampler": declared(options.sampler).settings(),
        "num_states": options.num_states,
        # Checkpoints from before it was there have none. Rates may follow from it.
        "optimizer": None if options.optimizer == SGD else options.optimizer,
        "learning_rates": asdict(options.learning_rates),
        "batch_size": options.batch_size,
        "nudge": options.nudge,
        "skip_correct": options.skip_correct or None,  # checkpoints from before it have none
        "references": options.references,
        # Checkpoints from before they were there have none of these.
        "schedule": None if options.schedule == "constant" else schedule_name(options.schedule),
        "average_from": options.average_from,
        **_deep_settings(options),
        "num_test_reads": options.num_test_reads,
        "test_sampler": None if own_test else declared(options.test_sampler).settings(),
        "seed": options.seed,
        **options.further_settings,
    }

    normal: dict[str, Any] = json.loads(json.dumps(settings, default=repr))
    return normal


def _deep_settings(options: TrainerOptions) -> dict[str, Any]:
    """Returns the settings of the group of DeepOptions.

    With one hidden layer it is only the margin, since older checkpoints have no more.
    """
    if options.network.num_hidden_layers == 1:
        return {"margin": options.margin or None}
    return {
        "active_layers": options.active_layers,
        "margin": options.margin,
        "nudged_start": options.nudged_start,
        "warm_sampler": declared(options.warm_sampler).settings(),
    }
