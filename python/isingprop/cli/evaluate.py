"""The command `isingprop evaluate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from isingprop.cli.console import (
    one_line_errors,
    percent,
    print_json,
    print_qpu_seconds,
    qpu_seconds,
    test_numbers,
)
from isingprop.cli.options import AsJson, DataDir, Threads, absolute
from isingprop.cli.run_folder import RunFolder
from isingprop.training.trainer import Trainer


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    data_dir: DataDir = None,
    num_test: Annotated[
        int | None, Option(min=1, help="Test images, balanced over classes [default: the run's].")
    ] = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Test the model of a run on test images, by the lowest of 10 states of each."""
    with one_line_errors():
        run = RunFolder.open(folder)
        settings = replace(run.settings, threads=threads)
        if data_dir is not None:
            settings = replace(settings, data_dir=absolute(data_dir))
        if num_test is not None:
            settings = replace(settings, num_test=num_test)

        images, labels = settings.load_test_images()
        sampler = settings.make_sampler(settings.test_sampler)
        run.keep_answers(sampler)
        network = settings.load_network(run.model)
        trainer = Trainer(
            network, sampler, active_layers=settings.active_layers, seed=settings.seed
        )
        result = trainer.evaluate(images, labels)

    if as_json:
        numbers = {"test_accuracy": result.accuracy, **test_numbers(result)}
        print_json({"model": str(run.model), **numbers, "qpu_seconds": qpu_seconds(trainer)})
    else:
        typer.echo(f"test accuracy   {percent(result)}, {result.unclassified:.1%} unclassified")
        print_qpu_seconds(trainer, run)
