"""A run folder: its settings, and what is written into it after each epoch."""

from __future__ import annotations

import csv
import importlib
import io
import json
import math
import platform
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from isingprop.data.load import ImageSet, load_data
from isingprop.network.base_network import Network
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.samplers import Annealing, Cyclic, DWave, FromDimod, Sampler, Tempering
from isingprop.training.evaluation import EpochRecord
from isingprop.training.learning_rule import LearningRates
from isingprop.training.trainer import Trainer
from isingprop.training.trainer_options import WRONG_CLASSES
from isingprop.util.files import write_atomically

_DWAVE_MODES = {"dwave": "forward", "dwave-reverse": "reverse", "dwave-cyclic": "cyclic"}
_OWN_SAMPLERS: dict[str, type[Annealing | Tempering | Cyclic]] = {
    "anneal": Annealing,
    "temper": Tempering,
    "cyclic": Cyclic,
}
SAMPLER_NAMES = (*_OWN_SAMPLERS, *_DWAVE_MODES)
_FROM_REFERENCES = ("cyclic", "dwave-reverse", "dwave-cyclic")
_EMULATED = r"emulated:(pegasus|zephyr)(?::(\d+))?"


@dataclass(frozen=True)
class RunSettings:
    """All that decides the numbers of a run, and the number of threads, which does not."""

    data: str
    data_dir: str | None
    num_train: int | None
    num_test: int | None
    epochs: int
    num_states: int
    num_sweeps: int
    hidden: tuple[int, ...]
    learning_rate: float
    sampler: str
    seed: int
    threads: int
    beta_effective: bool = False
    batch_size: int = 1
    test_sampler: str | None = None
    qpu_solver: str | None = None
    qpu_budget: float | None = None
    active_layers: int | None = 2

    def load_data(self) -> ImageSet:
        """The images."""
        return load_data(
            self.data, data_dir=self.data_dir, num_train=self.num_train, num_test=self.num_test
        )

    def make_sampler(self, name: str | None = None) -> Sampler:
        """What draws the states: the sampler of this name, or that of the run."""
        name = self.sampler if name is None else name
        check_sampler_name("sampler", name)
        if name in _OWN_SAMPLERS:
            return _OWN_SAMPLERS[name](num_sweeps=self.num_sweeps, num_threads=self.threads)
        if name in _DWAVE_MODES:
            return DWave(
                _DWAVE_MODES[name], budget=self.qpu_budget, solver=_qpu_solver(self.qpu_solver)
            )
        return _dimod_sampler(name, self.num_sweeps)

    def _check_qpu(self) -> None:
        """One budget and one folder of answers are for one chip in one mode."""
        dwave = [name for name in (self.sampler, self.test_sampler) if name in _DWAVE_MODES]
        if len(set(dwave)) > 1:
            raise ValueError(
                f"test_sampler must be {self.sampler} or no D-Wave chip, got {self.test_sampler}"
            )
        for name in ("qpu_solver", "qpu_budget"):
            if not dwave and (value := getattr(self, name)) is not None:
                raise ValueError(
                    f"{name} must go with sampler {', '.join(_DWAVE_MODES)}, got {value} with {self.sampler}"
                )

    def make_trainer(self, images: ImageSet) -> Trainer:
        """An untrained network and its trainer."""
        self._check_qpu()
        sampler, from_starts = self.make_sampler(), self.sampler in _FROM_REFERENCES
        return Trainer(
            self._make_network(images),
            sampler,
            num_states=self.num_states,
            learning_rate=LearningRates.for_images(
                self.learning_rate, images.train_images, deep=self._deep
            ),
            batch_size=self.batch_size,
            # One hidden layer begins in the states of Eq. (7); of more, the backward sweep begins where they are.
            references=WRONG_CLASSES if from_starts and not self._deep else None,
            warm_sampler=sampler if from_starts and self._deep else None,
            beta_effective=self.beta_effective or self.sampler in _DWAVE_MODES,
            test_sampler=None
            if self.test_sampler in (None, self.sampler)
            else self.make_sampler(self.test_sampler),
            active_layers=self.active_layers,
            seed=self.seed,
        )

    @property
    def _deep(self) -> bool:
        return len(self.hidden) > 1

    def _make_network(self, images: ImageSet) -> Network:
        sizes = {
            "num_inputs": images.train_images.shape[1],
            "num_classes": images.num_classes,
            "seed": self.seed,
        }
        if self._deep:
            return LayeredNetwork.random(hidden=self.hidden, **sizes)
        return BipartiteNetwork.random(num_hidden=self.hidden[0], **sizes)

    def load_network(self, path: Path) -> Network:
        """The model of the run."""
        return LayeredNetwork.load(path) if self._deep else BipartiteNetwork.load(path)


def check_sampler_name(name: str, value: str) -> None:
    """Refuses what is neither one of ours nor dimod:MODULE:CLASS."""
    if value not in SAMPLER_NAMES and not re.fullmatch(r"dimod:[\w.]+:\w+", value):
        raise ValueError(
            f"{name} must be {', '.join(SAMPLER_NAMES)} or dimod:MODULE:CLASS, got {value!r}"
        )


class RunFolder:
    """settings (config.json), history.csv, checkpoint, model and picture of one run."""

    def __init__(self, path: Path, settings: RunSettings) -> None:
        """See `create` and `open`."""
        self.path = path
        self.settings = settings
        self.checkpoint = path / "checkpoint.safetensors"
        self.model = path / "model.safetensors"

    @classmethod
    def create(cls, path: Path | None, settings: RunSettings) -> RunFolder:
        """A new folder at `path`, or at the first free runs/<data>-1, -2, ...

        Raises:
            FileExistsError: where there is a folder with something in it, or a file.
        """
        path = _make_next_free(Path("runs"), settings.data) if path is None else _make_empty(path)
        folder = cls(path, settings)
        folder.write_settings()
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """A folder that a run has made.

        Raises:
            FileNotFoundError: where there is none.
            ValueError: where its settings do not read, or are another version's.
        """
        config = path / "config.json"
        if not config.is_file():
            raise FileNotFoundError(
                f"{path} must be the folder of a run, got one without config.json"
            )
        try:
            content = json.loads(config.read_text())
            hidden = content["settings"]["hidden"]  # older runs have one number
            layers = tuple(hidden) if isinstance(hidden, list) else (hidden,)
            if not layers:
                raise ValueError("no hidden layer")
            settings = RunSettings(**{**content["settings"], "hidden": layers})
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{config} must hold the settings of a run, got {error}") from None
        return cls(path, settings)

    def keep_answers(self, *samplers: Sampler) -> None:
        """Has D-Wave samplers write their answers into this folder."""
        for sampler in samplers:
            if isinstance(sampler, DWave):
                sampler.record = self.path / "qpu"

    def write_settings(self) -> None:
        """Writes config.json: the settings and the versions they ran under."""
        from isingprop import __version__

        versions = {
            "isingprop": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        }
        content = {"settings": asdict(self.settings), "versions": versions}
        write_atomically(self.path / "config.json", json.dumps(content, indent=2).encode() + b"\n")

    def save(self, trainer: Trainer) -> None:
        """Writes checkpoint, model and history, each whole or not at all; the checkpoint, which has all, first."""
        trainer.save_checkpoint(self.checkpoint)
        trainer.network.save(self.model)
        write_atomically(self.path / "history.csv", _csv(trainer.history).encode())

    def draw(self, history: list[EpochRecord]) -> None:
        """Draws training.png: errors and accuracy against epoch."""
        figure = io.BytesIO()
        _draw_history(history, self.settings, figure)
        write_atomically(self.path / "training.png", figure.getvalue())


def _qpu_solver(name: str | None) -> Any:
    """What DWave takes as a solver: a name, or the emulation that emulated:TOPOLOGY[:SIZE] names."""
    emulated = re.fullmatch(_EMULATED, name or "")
    if emulated is None:
        if (name or "").startswith("emulated"):
            raise ValueError(
                f"qpu_solver must be emulated:pegasus or emulated:zephyr, with :SIZE if need be, got {name!r}"
            )
        return name
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

    topology, size = emulated.groups()
    return EmulatedQPU(topology, None if size is None else int(size))


def _dimod_sampler(name: str, num_sweeps: int) -> FromDimod:
    """The sampler that dimod:MODULE:CLASS names, with num_sweeps where it takes that."""
    _, module_name, class_name = name.split(":")
    try:
        sampler = getattr(importlib.import_module(module_name), class_name)()
    except (
        Exception
    ) as error:  # whatever a stranger's module raises, for instance for want of a token
        raise ValueError(
            f"sampler {name} cannot be made: {type(error).__name__}: {error}"
        ) from error
    wrapped = FromDimod(sampler)
    return FromDimod(sampler, num_sweeps=num_sweeps) if "num_sweeps" in wrapped.takes else wrapped


def _make_empty(path: Path) -> Path:
    # What a run that was killed in its first moment leaves is nothing.
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


def _csv(history: list[EpochRecord]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [field.name for field in fields(EpochRecord)], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(asdict(record) for record in history)
    return text.getvalue()


def _draw_history(history: list[EpochRecord], settings: RunSettings, file: Any) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    epochs = [record.epoch for record in history]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    errors, accuracy = figure.subplots(1, 2)
    dragon = f"dragon training, m = {settings.num_states}"
    rule = "equilibrium propagation" if settings.num_states == 1 else dragon
    hidden = " + ".join(str(size) for size in settings.hidden)
    figure.suptitle(f"{settings.data}: {rule}, {hidden} hidden spins, seed {settings.seed}")
    reads = [record.train_error_reads for record in history]
    lowest = [record.train_error_lowest for record in history]
    errors.plot(epochs, reads, "o-", markersize=3, label="all reads")
    errors.plot(epochs, lowest, "s-", markersize=3, label="lowest read")
    # A logarithmic axis has no place for an error of 0, so it is linear below the smallest that is not.
    smallest = min([error for error in reads + lowest if error > 0], default=1.0)
    errors.set_yscale("symlog", linthresh=smallest, linscale=0.3)
    errors.set_yticks([0.0, *(10.0**k for k in range(math.ceil(math.log10(smallest)), 1))])
    errors.set_ylim(bottom=0)
    errors.set(xlabel="epoch", ylabel="training error")
    cycles = [record.wrong_cycles for record in history]
    if cycles[-1] is not None:
        # Broad and pale: with one cycle in each read it may lie under the curve of all reads.
        errors.plot(
            epochs,
            cycles,
            color="tab:red",
            alpha=0.3,
            linewidth=6,
            label="cycles that end in a\nwrong class",
        )
    errors.legend()
    tested = [record.test_accuracy for record in history]
    accuracy.plot(epochs, tested, "o-", markersize=3, color="tab:green")
    accuracy.set(xlabel="epoch", ylabel="test accuracy", title=f"last {tested[-1]:.1%}")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    for axes in (errors, accuracy):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(file, format="png", dpi=150)
