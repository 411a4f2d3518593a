"""Resumable: what a trainer has done so far, in checkpoints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Floats32
from isingprop.training.checkpoints import Checkpoint, CheckpointFile, run_settings
from isingprop.training.evaluation import EpochRecord
from isingprop.training.learning_rule import LearningRates
from isingprop.training.minibatches import checked_images, same_checksum
from isingprop.training.optimizer import Optimizer, put_back
from isingprop.training.trainer_options import FixedOptions
from isingprop.util.checked_files import naming

if TYPE_CHECKING:
    from isingprop.data.load import ImageSet


class Resumable(FixedOptions):
    """The part of a Trainer that writes and reads checkpoints."""

    history: list[EpochRecord]
    _given_rate: float | LearningRates
    _optimizer: Optimizer
    further_settings: dict[str, Any]  #: of the caller, that `restore` compares, too
    _data_checksum: int | None  #: of the training images and labels
    _test_checksum: int | None  #: of the test images and labels
    _checkpoint_files: dict[Path, CheckpointFile]

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Writes all that `restore` needs: parameters, settings and history, or nothing at all.

        Of a long history a trainer that has saved to this path before keeps the earlier records in
        a second file, `<path>.history.jsonl`, so that to save after each epoch costs the same
        however many there were. `restore` needs that file, too, in the same folder.
        """
        file = Path(path).absolute()
        optimizer = {"arrays": self._optimizer.state, **self._optimizer.counts()}
        parameters, settings = self.network.parameters(), run_settings(self)
        sums = self._data_checksum, self._test_checksum
        checkpoint = Checkpoint(parameters, settings, self.history, *sums, optimizer)
        self._checkpoint_files.setdefault(file, CheckpointFile(file)).save(checkpoint)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Continues the run of the trainer that wrote the checkpoint, to the same bits.

        This trainer must have been made with the same arguments. The result is that of a run that
        was never stopped, if its samplers give the same states for the same seed
        (`FromDimod.repeats`).

        Raises:
            FileNotFoundError: where there is no file, or not the second one that it needs.
            ValueError: for a file of another kind or version, a network of another shape, or other
                settings.
        """
        checkpoint = Checkpoint.load(path)
        follow_images = not isinstance(self._given_rate, LearningRates)
        checkpoint.check_settings(self, path, follow_images=follow_images)
        with naming(path):
            parameters = checkpoint.parameters_for(self.network, path)
            self._optimizer.put_back(checkpoint.optimizer)
        put_back(self.network, parameters)
        self.history, self._test_checksum = checkpoint.history, checkpoint.test_checksum
        self._data_checksum = checkpoint.data_checksum
        self._set_rates(LearningRates(**checkpoint.settings["learning_rates"]))

    def check_images(self, images: ImageSet) -> list[tuple[Floats32, NDArray[np.int64]]]:
        """Returns the training and test images with labels, those that the run began with.

        The network keeps their format.
        """
        if not hasattr(images, "train_images"):
            raise TypeError(
                f"images must be an ImageSet, got {type(images).__name__}: "
                "ImageSet.from_arrays(x, y) makes one of arrays"
            )

        checked = []
        for part, before in (("train", self._data_checksum), ("test", self._test_checksum)):
            arrays = getattr(images, f"{part}_images"), getattr(images, f"{part}_labels")
            checked.append(checked_images(self.network, part, *arrays))
            same_checksum(before if self.history else None, *checked[-1], part)
        if images.num_classes == self.network.num_classes:
            self.network.input_format = images.input_format
        return checked

    def _set_rates(self, rates: LearningRates) -> None:
        """Sets the learning rates, which nobody else may."""
        self.__dict__["learning_rates"] = rates
