"""A checkpoint: parameters, settings and history of a run in one file, written whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Network
from isingprop.training.evaluation import EpochRecord
from isingprop.util.checks import Floats, float_array
from isingprop.util.files import check_names, load_tensors, save_tensors


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a trainer needs to go on where another was."""

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
        """Reads what `save` wrote.

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
        """The parameters, found to be all there, finite and of the network's shapes."""
        check_names(path, self.parameters, network.parameters())
        return {
            name: float_array(
                f"{name} in {path}", self.parameters[name], shape=array.shape, single=True
            )
            for name, array in network.parameters().items()
        }
