"""The command `isingprop`."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from typer import Option

from isingprop.cli.console import (
    INTERRUPTED,
    OTHER_ERROR,
    USAGE_ERROR,
    one_line,
    one_line_errors,
    percent,
    print_json,
    qpu_seconds,
    say_qpu_seconds,
    summarise,
    test_numbers,
)
from isingprop.cli.qpu_commands import qpu_app
from isingprop.cli.reproduce import reproduce
from isingprop.cli.run_folder import SAMPLER_NAMES, RunFolder, RunSettings, check_sampler_name
from isingprop.data.load import DataName
from isingprop.qpu.calls.connection import QPUBudgetError
from isingprop.samplers import DWave
from isingprop.samplers.arguments import MOST_SWEEPS
from isingprop.training.trainer import Trainer
from isingprop.util.messages import say

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(qpu_app, name="qpu")
app.command()(reproduce)

# A hundred times the most that the paper samples; far more would fail late, for want of memory.
_MOST_STATES = 10_000
# What may be said together with --resume: these do not change the numbers of the run.
_CHANGEABLE = {"epochs", "data_dir", "threads", "qpu_solver", "qpu_budget"}
_WITH_RESUME = {"resume", "as_json", "dry_run", *_CHANGEABLE}


_SAMPLERS = "|".join([*SAMPLER_NAMES, "dimod:MODULE:CLASS"])


@app.callback()
def isingprop() -> None:
    """Train neural networks with Ising machines."""


@app.command()
def train(
    context: typer.Context,
    data: Annotated[DataName, Option(help="Images to train on.")] = "digits",
    data_dir: Annotated[
        Path | None, Option(help="Folder of IDX files [env: ISINGPROP_DATA].")
    ] = None,
    num_train: Annotated[
        int | None, Option(min=1, help="Training images, balanced over classes.")
    ] = None,
    num_test: Annotated[
        int | None, Option(min=1, help="Test images, balanced over classes.")
    ] = None,
    epochs: Annotated[int, Option(min=1, help="Passes over the training images, in all.")] = 30,
    num_states: Annotated[
        int,
        Option(
            min=1, max=_MOST_STATES, help="States per image and update; 1: equilibrium propagation."
        ),
    ] = 20,
    num_sweeps: Annotated[
        int,
        Option(min=1, max=MOST_SWEEPS, help="Sweeps per state: of each replica, or in each cycle."),
    ] = 30,
    hidden: Annotated[str, Option(metavar="N[,N...]", help="Spins of each hidden layer.")] = "120",
    active_layers: Annotated[
        Literal["2", "all"],
        Option(
            help="With more than one hidden layer: sweep over the layers, two at a time, or sample all at once."
        ),
    ] = "2",
    learning_rate: Annotated[
        float,
        Option(
            help="Rate of couplings (half of it with more than one hidden layer) and biases; that of input weights "
            "follows from the images."
        ),
    ] = 0.001,
    batch_size: Annotated[
        int, Option(min=1, help="Images per update, which is their mean; they share QPU calls.")
    ] = 1,
    sampler: Annotated[str, Option(metavar=_SAMPLERS, help="What draws the states.")] = "anneal",
    test_sampler: Annotated[
        str | None, Option(metavar=_SAMPLERS, help="The same for test images [default: --sampler].")
    ] = None,
    qpu_solver: Annotated[
        str | None,
        Option(
            metavar="NAME|emulated:TOPOLOGY[:SIZE]", help="D-Wave solver [default: your account's]."
        ),
    ] = None,
    qpu_budget: Annotated[
        float | None,
        Option(
            metavar="SECONDS", help="QPU access time that the run may cost in all, a hard stop."
        ),
    ] = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show the first request to the QPU; send and write nothing.")
    ] = False,
    beta_effective: Annotated[
        bool,
        Option(
            "--beta-effective",
            help="Log the effective inverse temperature of states; inf after a descent.",
        ),
    ] = False,
    seed: Annotated[
        int, Option(min=0, max=2**64 - 1, help="All random numbers follow from it.")
    ] = 0,
    threads: Annotated[
        int, Option(min=1, max=1024, help="Changes the speed, never the numbers.")
    ] = 1,
    out: Annotated[
        Path | None, Option(help="New folder for the run [default: runs/<data>-<n>].")
    ] = None,
    resume: Annotated[Path | None, Option(help="Go on with the run in this folder.")] = None,
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Train a network; keep settings, history, checkpoint, model and picture in a run folder."""
    settings = RunSettings(
        data=data,
        data_dir=_absolute(data_dir),
        num_train=num_train,
        num_test=num_test,
        epochs=epochs,
        num_states=num_states,
        num_sweeps=num_sweeps,
        hidden=_hidden_layers(hidden),
        active_layers=None if active_layers == "all" else 2,
        learning_rate=_positive("--learning-rate", learning_rate),
        batch_size=batch_size,
        sampler=_sampler_name("--sampler", sampler),
        test_sampler=None
        if test_sampler is None
        else _sampler_name("--test-sampler", test_sampler),
        qpu_solver=qpu_solver,
        qpu_budget=None if qpu_budget is None else _positive("--qpu-budget", qpu_budget),
        beta_effective=beta_effective,
        seed=seed,
        threads=threads,
    )
    with one_line_errors():
        folder = None if resume is None else RunFolder.open(resume)
        settings = settings if folder is None else _resumed(context, folder.settings, settings)
        if dry_run:
            _show_first_request(settings, folder, as_json)
        else:
            _train(settings, out, folder, as_json)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    data_dir: Annotated[
        Path | None, Option(help="Folder of IDX files [env: ISINGPROP_DATA].")
    ] = None,
    num_test: Annotated[
        int | None, Option(min=1, help="Test images, balanced over classes [default: the run's].")
    ] = None,
    threads: Annotated[
        int, Option(min=1, max=1024, help="Changes the speed, never the numbers.")
    ] = 1,
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Test the model of a run on test images, by the lowest of 10 states of each."""
    with one_line_errors():
        run = RunFolder.open(folder)
        settings = replace(run.settings, threads=threads)
        settings = settings if data_dir is None else replace(settings, data_dir=_absolute(data_dir))
        settings = settings if num_test is None else replace(settings, num_test=num_test)
        images = settings.load_data()
        sampler = settings.make_sampler(settings.test_sampler)
        run.keep_answers(sampler)
        network = settings.load_network(run.model)
        trainer = Trainer(
            network, sampler, active_layers=settings.active_layers, seed=settings.seed
        )
        result = trainer.evaluate(images.test_images, images.test_labels)
    if as_json:
        spent = {"qpu_seconds": qpu_seconds(trainer)}
        print_json(
            {
                "model": str(run.model),
                "test_accuracy": result.accuracy,
                **test_numbers(result),
                **spent,
            }
        )
    else:
        typer.echo(f"test accuracy   {percent(result)}, {result.unclassified:.1%} unclassified")
        say_qpu_seconds(trainer, run)


def main() -> NoReturn:
    """Runs the command; errors are one line on stderr, exit code 2 for usage and 1 for all others."""
    try:
        code = app(standalone_mode=False)
    except typer.Exit as stop:
        code = stop.exit_code
    except typer.TyperException as error:
        message = error.format_message() if isinstance(error, typer.BadParameter) else str(error)
        say(f"Error: {' '.join(message.split())}")
        code = USAGE_ERROR
    sys.exit(code)


def _train(
    settings: RunSettings, out: Path | None, folder: RunFolder | None, as_json: bool
) -> None:
    images = settings.load_data()
    trainer = settings.make_trainer(images)
    if folder is None:
        for sampler in (trainer.sampler, trainer.test_sampler):
            if isinstance(sampler, DWave):
                for shape in trainer.problem_shapes:
                    sampler.copies(*shape)  # before there is a folder
        folder = RunFolder.create(out, settings)
    else:
        folder = RunFolder(folder.path, settings)
        if folder.checkpoint.is_file():
            trainer.restore(folder.checkpoint)
            if settings.epochs < len(trainer.history):
                raise ValueError(
                    f"--epochs must be at least {len(trainer.history)}, all so far, got {settings.epochs}"
                )
            folder.save(trainer)  # a run killed between two files is made whole
        folder.write_settings()
    folder.keep_answers(trainer.sampler, trainer.test_sampler)
    say(
        f"isingprop: {trainer.network}, {len(images.train_images)} training images, run folder {folder.path}"
    )
    result, stopped = None, None
    with _resumable(folder):
        left = settings.epochs - len(trainer.history)
        try:
            for _ in trainer.train(images, left, progress=True) if left > 0 else ():
                folder.save(trainer)
            result = trainer.evaluate(images.test_images, images.test_labels)
        except QPUBudgetError as error:
            stopped = str(error)
            say(f"Stopped: {stopped}; {_go_on(folder)} --qpu-budget SECONDS")
        if trainer.history:
            folder.draw(trainer.history)
    summarise(trainer, result, stopped, folder, as_json)


def _resumed(context: typer.Context, old: RunSettings, given: RunSettings) -> RunSettings:
    """The settings of the old run, but for what may change and was said on the command line."""
    said = {name for name in context.params if _was_said(context, name)}
    fixed = sorted(said - _WITH_RESUME)
    if fixed:
        names = ", ".join("--" + name.replace("_", "-") for name in fixed)
        raise typer.BadParameter(
            f"{names} cannot be said with --resume: the run keeps what it began with"
        )
    changed = {name: getattr(given, name) for name in said & _CHANGEABLE}
    return replace(old, **changed)


def _was_said(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _hidden_layers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) if part.strip().isdecimal() else 0 for part in text.split(","))
    if min(numbers) < 1:
        raise typer.BadParameter(
            f"--hidden must be whole numbers with commas between, at least 1, got {text!r}"
        )
    return numbers


def _sampler_name(name: str, text: str) -> str:
    try:
        check_sampler_name(name, text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text


def _positive(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{name} must be finite and above 0, got {value}")
    return value


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def _show_first_request(settings: RunSettings, folder: RunFolder | None, as_json: bool) -> None:
    from isingprop.samplers.dry_run import DryRun, FirstRequest, body, summary

    images = settings.load_data()
    trainer = settings.make_trainer(images)
    sampler = trainer.sampler
    if not isinstance(sampler, DWave):
        raise ValueError(
            f"--dry-run must go with --sampler dwave, dwave-reverse or dwave-cyclic, got {settings.sampler}"
        )
    if folder is not None:
        folder.keep_answers(sampler)
        if folder.checkpoint.is_file():
            trainer.restore(folder.checkpoint)
    for role in ("sampler", "test_sampler", "warm_sampler"):
        if isinstance(getattr(trainer, role), DWave):
            setattr(trainer, role, DryRun(sampler))
    try:
        trainer.fit(images, epochs=1)
    except FirstRequest as first:
        if as_json:
            print_json(body(first.programmed, sampler.device))
        else:
            typer.echo("\n".join(["first request   shown, not sent", *summary(first.programmed)]))
    else:
        if as_json:
            print_json({})
        else:
            typer.echo("first request   none: all answers of the next epoch are on disk")


@contextmanager
def _resumable(folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"Interrupted; {_go_on(folder)}")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # whatever a stranger's sampler raises
        say(f"Error: {one_line(error)}; {_go_on(folder)}")
        raise typer.Exit(OTHER_ERROR) from None


def _go_on(folder: RunFolder) -> str:
    return f"go on with: isingprop train --resume {shlex.quote(str(folder.path))}"
