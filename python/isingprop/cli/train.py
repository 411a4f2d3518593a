"""The command `isingprop train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer import Option

from isingprop.cli.console import one_line_errors
from isingprop.cli.first_request import show_first_request
from isingprop.cli.options import (
    SAMPLER_METAVAR,
    AsJson,
    DataDir,
    Threads,
    absolute,
    hidden_layers,
    positive,
    sampler_name,
)
from isingprop.cli.recipe_options import recipe_settings
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.run_settings import RunSettings
from isingprop.cli.training_run import run_training
from isingprop.data.load import DataName
from isingprop.samplers.arguments import MOST_SWEEPS

# A hundred times the max that the paper samples; far more would fail late, for lack of memory.
_MAX_STATES = 10_000
# Options that may be given together with --resume: these do not change the numbers of the run.
_CHANGEABLE = {"epochs", "data_dir", "threads", "qpu_solver", "qpu_budget"}
_WITH_RESUME = {"resume", "as_json", "dry_run", *_CHANGEABLE}
# Options that are a setting as they are, and those that a recipe sets where they are not given.
_AS_GIVEN = (
    *("data", "num_train", "num_test", "epochs", "test_sampler", "qpu_solver"),
    *("beta_effective", "seed", "threads"),
)
_OF_RECIPES = (
    *("sampler", "num_states", "num_sweeps", "learning_rate", "batch_size"),
    *("optimizer", "schedule", "margin", "average_from"),
)


def train(
    context: typer.Context,
    data: Annotated[DataName, Option(help="Images to train on.")] = "digits",
    data_dir: DataDir = None,
    num_train: Annotated[
        int | None, Option(min=1, help="Training images, balanced over classes.")
    ] = None,
    num_test: Annotated[
        int | None, Option(min=1, help="Test images, balanced over classes.")
    ] = None,
    epochs: Annotated[int, Option(min=1, help="Passes over the training images, in all.")] = 30,
    recipe: Annotated[
        Literal["tuned", "paper"],
        Option(help="What settings in brackets are: tuned on held-out images, or the paper's."),
    ] = "tuned",
    num_states: Annotated[
        int | None,
        Option(
            min=1,
            max=_MAX_STATES,
            help="States per image and update; 1: equilibrium propagation [3 or 1; paper 20].",
        ),
    ] = None,
    num_sweeps: Annotated[
        int | None,
        Option(
            min=1,
            max=MOST_SWEEPS,
            help="Sweeps per state: of each replica, or in each cycle [20; paper 30].",
        ),
    ] = None,
    hidden: Annotated[str, Option(metavar="N[,N...]", help="Spins of each hidden layer.")] = "120",
    active_layers: Annotated[
        Literal["2", "all"],
        Option(
            help="With more than one hidden layer: sweep over the layers, two at a time, "
            "or sample all at once."
        ),
    ] = "2",
    learning_rate: Annotated[
        float | None,
        Option(
            help="Rate of couplings (half of it with more than one hidden layer) and biases; "
            "that of input weights follows from the images [0.001]."
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        Option(
            min=1,
            help="Images per update, which is their mean; they share QPU calls [10; paper 1].",
        ),
    ] = None,
    optimizer: Annotated[
        Literal["sgd", "adam"] | None, Option(help="How updates move parameters [adam; paper sgd].")
    ] = None,
    schedule: Annotated[
        Literal["constant", "linear", "cosine"] | None,
        Option(help="How the rate falls to 0 over all epochs [linear; paper constant]."),
    ] = None,
    margin: Annotated[
        float | None,
        Option(min=0.0, help="Energy by which the label must win [5; paper 0]."),
    ] = None,
    average_from: Annotated[
        int | None,
        Option(min=1, help="First epoch of those over which the model is averaged [none]."),
    ] = None,
    sampler: Annotated[
        str | None,
        Option(metavar=SAMPLER_METAVAR, help="What finds the states [class-states; paper anneal]."),
    ] = None,
    test_sampler: Annotated[
        str | None,
        Option(metavar=SAMPLER_METAVAR, help="The same for test images [default: --sampler]."),
    ] = None,
    qpu_solver: Annotated[
        str | None,
        Option(
            metavar="NAME|emulated:CHIP[:SIZE]",
            help="D-Wave solver [default: your account's], or an emulated chip: pegasus, zephyr, "
            "advantage_system4.1 or advantage2_system1.",
        ),
    ] = None,
    qpu_scale: Annotated[
        float | None,
        Option(
            metavar="X",
            help="The chip's J over the network's; the chip clips large values "
            "[default: what leaves chains their strength].",
        ),
    ] = None,
    qpu_annealing_time: Annotated[
        float | None,
        Option(metavar="US", help="Annealing time of a read of the chip, in microseconds [20]."),
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
    threads: Threads = 1,
    out: Annotated[
        Path | None, Option(help="New folder for the run [default: runs/<data>-<n>].")
    ] = None,
    resume: Annotated[Path | None, Option(help="Go on with the run in this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a network; keep settings, history, checkpoint, model and picture in a run folder."""
    settings = settings_of(context.params)
    with one_line_errors():
        folder = None if resume is None else RunFolder.open(resume)
        if folder is not None:
            settings = _resumed(context, folder.settings, settings)
        if dry_run:
            show_first_request(settings, folder, as_json)
        else:
            run_training(settings, out, folder, as_json)


def settings_of(options: Mapping[str, Any]) -> RunSettings:
    """Returns the settings that the options of `train` stand for, by the names of its parameters.

    Raises:
        typer.BadParameter: for a wrong value.
    """
    layers = hidden_layers(options["hidden"])
    sampler, test_sampler = options["sampler"], options["test_sampler"]
    if sampler is not None:
        sampler_name("--sampler", sampler)
    if test_sampler is not None:
        sampler_name("--test-sampler", test_sampler)

    chosen = recipe_settings(options["recipe"], sampler, deep=len(layers) > 1)
    chosen |= {name: options[name] for name in _OF_RECIPES if options[name] is not None}
    positive("--learning-rate", chosen["learning_rate"])
    on_chip: dict[str, Any] = {
        name: None
        if options[name] is None
        else positive("--" + name.replace("_", "-"), options[name])
        for name in ("qpu_budget", "qpu_scale", "qpu_annealing_time")
    }

    return RunSettings(
        **{name: options[name] for name in _AS_GIVEN},
        data_dir=absolute(options["data_dir"]),
        hidden=layers,
        active_layers=None if options["active_layers"] == "all" else 2,
        **chosen,
        **on_chip,
    )


def _resumed(context: typer.Context, old: RunSettings, given: RunSettings) -> RunSettings:
    """Returns the settings of the old run with the changes that the command line may make."""
    on_command_line = {name for name in context.params if _is_given(context, name)}
    fixed = sorted(on_command_line - _WITH_RESUME)
    if fixed:
        names = ", ".join("--" + name.replace("_", "-") for name in fixed)
        raise typer.BadParameter(
            f"{names} cannot be said with --resume: the run keeps what it began with"
        )

    changed = {name: getattr(given, name) for name in on_command_line & _CHANGEABLE}
    return replace(old, **changed)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
