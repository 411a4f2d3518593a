"""Checkpoint: parameters, settings and history of a run, in a file that is never half-written."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Network
from isingprop.samplers.protocol import declared
from isingprop.training.evaluation import EpochRecord
from isingprop.training.trainer_options import TrainerOptions
from isingprop.util.checks import Floats, float_array
from isingprop.util.files import check_names, load_tensors, save_tensors


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that a trainer needs to continue the run of another."""

    parameters: dict[str, NDArray[np.float32]]
    settings: dict[str, Any]  #: all that decides the numbers of the run, as JSON has it
    history: list[EpochRecord]
    data_checksum: int | None  #: of the training images and labels

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file."""
        metadata = {
            "settings": json.dumps(self.settings),
            "history": json.dumps([asdict(record) for record in self.history]),
            "data_checksum": json.dumps(self.data_checksum),
        }
        save_tensors(path, "checkpoint", dict(self.parameters), metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Reads a checkpoint that `save` has written.

        Raises:
            FileNotFoundError: where there is no file.
            ValueError: for a file of another kind or version, or a damaged one.
        """
        tensors, metadata = load_tensors(path, "checkpoint", ())
        try:
            settings = dict(json.loads(metadata["settings"]))
            history = [EpochRecord(**record) for record in json.loads(metadata["history"])]
            checksum = json.loads(metadata["data_checksum"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} must hold the settings and history of a run, got {error!r}"
            ) from None

        return cls(tensors, settings, history, checksum)

    def parameters_for(self, network: Network, path: str | os.PathLike[str]) -> dict[str, Floats]:
        """Returns the parameters, checked to be complete, finite and of the network's shapes."""
        check_names(path, self.parameters, network.parameters())
        return {
            name: float_array(
                f"{name} in {path}", self.parameters[name], shape=array.shape, single=True
            )
            for name, array in network.parameters().items()
        }


def run_settings(options: TrainerOptions) -> dict[str, Any]:
    """Returns all that decides the numbers of a run, as JSON holds it.

    The number of threads is not among it.
    """
    own_test = options.test_sampler is options.sampler
    settings: dict[str, Any] = {
        "network": str(options.network),
        "sampler": declared(options.sampler).settings(),
        "num_states": options.num_states,
        "learning_rates": asdict(options.learning_rates),
        "batch_size": options.batch_size,
        "nudge": options.nudge,
        "skip_correct": options.skip_correct or None,  # checkpoints from before it have none
        "references": options.references,
        **_deep_settings(options),
        "num_test_reads": options.num_test_reads,
        "test_sampler": None if own_test else declared(options.test_sampler).settings(),
        "seed": options.seed,
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
