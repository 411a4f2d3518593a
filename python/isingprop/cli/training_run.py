"""One training run: starts or resumes it, saves every epoch, and reports how it ended."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from isingprop.cli.console import INTERRUPTED, one_line, summarise
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.run_settings import RunSettings
from isingprop.data.load import ImageSet
from isingprop.qpu.calls.connection import QPUBudgetError
from isingprop.samplers.dwave import DWave
from isingprop.training.divergence import DivergedError
from isingprop.training.trainer import Trainer
from isingprop.util.messages import say


def run_training(
    settings: RunSettings, out: Path | None, folder: RunFolder | None, as_json: bool
) -> None:
    """Trains to the last epoch of the settings, tests the network and prints a summary.

    Args:
        settings: the settings of the run.
        out: the new folder of the run; None takes the first free runs/<data>-<n>.
        folder: the folder of the run to resume, locked; None starts a new run.
        as_json: prints one JSON object in place of lines.
    """
    images = settings.load_data()
    settings = replace(settings, data_sha256=images.checksum)
    for note in images.notes:
        say(f"isingprop: {note}")

    trainer = settings.make_trainer(images)
    if folder is None:
        folder = _create_folder(trainer, out, settings)
    else:
        folder.settings = settings
        _restore(trainer, folder, images)
        folder.write_settings()

    with folder:
        folder.keep_answers(trainer.sampler, trainer.test_sampler)
        say(
            f"isingprop: {trainer.network}, {len(images.train_images)} training images, "
            f"run folder {folder.path}"
        )
        _train(trainer, folder, images, as_json)


def _train(trainer: Trainer, folder: RunFolder, images: ImageSet, as_json: bool) -> None:
    """Trains in a locked folder, to the last epoch of its settings."""
    result, stopped = None, None
    with _resumable(folder):
        left = folder.settings.epochs - len(trainer.history)
        if not trainer.history:
            folder.keep_snapshot(trainer)
        try:
            for _ in trainer.train(images, left, progress=True) if left > 0 else ():
                folder.save(trainer)
            result = trainer.evaluate(images.test_images, images.test_labels)
            _save_with_beta(trainer, folder, images)
        except QPUBudgetError as error:
            stopped = str(error)
            say(f"Stopped: {stopped}; {_how_to_resume(folder)} --qpu-budget SECONDS")
        if trainer.history:
            folder.plot(trainer.history)

    summarise(trainer, result, stopped, folder, as_json)


def _save_with_beta(trainer: Trainer, folder: RunFolder, images: ImageSet) -> None:
    """Saves the model again, with the beta of its probabilities where the run is to find one."""
    model, settings = trainer.model, folder.settings
    if settings.finds_beta:
        say("isingprop: training on either half of the images, for the probabilities of classes")
        settings.fit_beta(model, images)
        model.save(folder.model)


def _create_folder(trainer: Trainer, out: Path | None, settings: RunSettings) -> RunFolder:
    for sampler in (trainer.sampler, trainer.test_sampler):
        if isinstance(sampler, DWave):
            for shape in trainer.problem_shapes:
                sampler.copies(*shape)  # a network that does not fit leaves no folder behind
    return RunFolder.create(out, settings)


def _restore(trainer: Trainer, folder: RunFolder, images: ImageSet) -> None:
    if not folder.checkpoint.is_file():
        return
    trainer.restore(folder.checkpoint)
    trainer.check_images(images)

    done = len(trainer.history)
    if folder.settings.epochs < done:
        raise ValueError(
            f"--epochs must be at least {done}, all so far, got {folder.settings.epochs}"
        )
    folder.save(trainer)  # completes a run that was killed between two files


@contextmanager
def _resumable(folder: RunFolder) -> Iterator[None]:
    """Ends the command after an error or Ctrl-C with one line that says how to go on."""
    try:
        yield
    except DivergedError as error:
        advice = f"begin a new run with --learning-rate below {folder.settings.learning_rate:g}"
        if folder.checkpoint.is_file():
            advice += f"; {folder.path} keeps the last epoch before"
        raise typer.TyperException(f"{error}; {advice}") from None
    except KeyboardInterrupt:
        say(f"Interrupted; {_how_to_resume(folder)}")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # a sampler of the user's own may raise anything
        raise typer.TyperException(f"{one_line(error)}; {_how_to_resume(folder)}") from None


def _how_to_resume(folder: RunFolder) -> str:
    return f"go on with: isingprop train --resume {shlex.quote(str(folder.path))}"
