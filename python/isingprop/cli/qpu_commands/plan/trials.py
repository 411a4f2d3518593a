"""Trials: training runs on the CPU with states as good as those of a chip."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from isingprop.cli.qpu_commands.plan.measurements import Measurements
from isingprop.cli.run_settings import RunSettings
from isingprop.data.load import ImageSet
from isingprop.samplers.annealing import Annealing
from isingprop.training.divergence import DivergedError
from isingprop.training.trainer import Trainer
from isingprop.util.messages import say

_ALL_WRONG = 1.0  # test error of a run that diverges


class Run(NamedTuple):
    """What is varied between trials."""

    num_images: int
    epochs: int
    batch_size: int
    num_states: int
    learning_rate: float
    num_sweeps: int  #: of annealing on the CPU, which stands in for the chip


class Trials:
    """Training runs on the CPU, whose test errors are kept in the cache folder.

    They are what `isingprop train` would do, to the number of images, the order of the minibatches
    and the falling learning rate, but `anneal` with few sweeps samples in place of the chip. Like a
    chip's reads, its states end in a descent.

    Args:
        settings: settings of the runs on the chip; what `Run` has is replaced.
        images: all images that a run may use.
    """

    def __init__(self, settings: RunSettings, images: ImageSet) -> None:
        """Reads the errors that are known."""
        self._settings = settings
        self._images = lru_cache(maxsize=2)(self._load)  # 60,000 images take 190 MB
        settings_of_all = (settings.hidden, settings.schedule, settings.num_sweeps)
        self._known = Measurements("errors", digest(images), *settings_of_all)
        self._used: set[tuple[object, ...]] = set()
        self.num_made = 0  #: trials that were not in the cache folder
        #: Called with the images times epochs of each trial when its error is known.
        self.done: Callable[[int], object] = lambda work: None

    @property
    def num_used(self) -> int:
        """Number of trials whose error was asked for."""
        return len(self._used)

    def error(self, run: Run, seed: int) -> float:
        """Returns the test error of a run after its last epoch: 1 if it diverges."""
        key = (*run, seed)
        self._used.add(key)
        error = self._known.get(key)
        if error is None:
            error = self._measured(run, seed)
            self._known.put(key, error)
            self.num_made += 1
        self.done(run.num_images * run.epochs)
        return float(error)

    def trainer(self, run: Run, seed: int) -> Trainer:
        """Returns the trainer of a run before its first epoch."""
        settings = replace(
            self._settings,
            num_train=run.num_images,
            epochs=run.epochs,
            batch_size=run.batch_size,
            num_states=run.num_states,
            learning_rate=run.learning_rate,
            num_sweeps=run.num_sweeps,
            seed=seed,
            sampler="anneal",
            test_sampler=None,
            qpu_solver=None,
        )

        trainer = settings.make_trainer(self._images(run.num_images))
        own = Annealing(num_sweeps=self._settings.num_sweeps)
        trainer.replace_samplers(test_sampler=own)
        return trainer

    def trained(self, run: Run, seed: int) -> Trainer:
        """Returns the trainer after a run.

        Raises:
            DivergedError: where training diverges.
        """
        images, trainer = self._images(run.num_images), self.trainer(run, seed)
        for _ in range(run.epochs):
            trainer.train_epoch(images.train_images, images.train_labels, run.epochs)
        return trainer

    def _measured(self, run: Run, seed: int) -> float:
        if self.num_made == 0:
            say("isingprop: training on the CPU; Ctrl-C keeps the training runs that are done")
        images = self._images(run.num_images)
        try:
            trainer = self.trained(run, seed)
        except DivergedError:
            return _ALL_WRONG
        return 1 - trainer.evaluate(images.test_images, images.test_labels).accuracy

    def _load(self, num_images: int) -> ImageSet:
        return replace(self._settings, num_train=num_images).load_data()


def digest(images: ImageSet) -> str:
    """Returns a digest of all images and labels."""
    content = hashlib.sha256()
    for part in ("train_images", "train_labels", "test_images", "test_labels"):
        content.update(getattr(images, part).tobytes())
    return content.hexdigest()
