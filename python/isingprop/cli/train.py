"""The command `isingprop train`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer import Option

from isingprop.cli.console import one_line_errors
from isingprop.cli.first_request import show_first_request
from isingprop.cli.options import (
    SAMPLERS_TEXT,
    AsJson,
    DataDir,
    Threads,
    absolute,
    hidden_layers,
    positive,
    sampler_name,
    whole,
)
from isingprop.cli.recipe_options import recipe_settings
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.run_settings import RunSettings
from isingprop.cli.shell.shell_commands import DATA, LEARNING, NETWORK, QPU, RUN, SAMPLING
from isingprop.cli.training_run import run_training
from isingprop.data.formats.openml_table import PREFIX
from isingprop.data.idx_paths import data_folder
from isingprop.data.load import NAMES

# Options that may be given together with --resume: these do not change the numbers of the run.
_CHANGEABLE = {"epochs", "data_dir", "threads", "qpu_solver", "qpu_budget", "snapshots"}
_WITH_RESUME = {"resume", "as_json", "dry_run", *_CHANGEABLE}
# Options that are a setting as they are, and those that a recipe sets where they are not given.
_AS_GIVEN = (
    *("label", "num_train", "num_test", "epochs", "test_sampler", "qpu_solver"),
    *("beta_effective", "seed", "threads", "snapshots"),
)
_OF_RECIPES = (
    *("sampler", "num_states", "num_sweeps", "learning_rate", "batch_size"),
    *("optimizer", "schedule", "margin", "average_from"),
)


def train(
    context: typer.Context,
    data: Annotated[
        str,
        Option(
            metavar=f"{'|'.join(NAMES)}|openml:NAME|FILE|FOLDER",
            rich_help_panel=DATA,
            help="Images to train on. Your own: .npz, .csv, .tsv or .parquet, a folder of IDX "
            "files, or one of PNG or JPEG files with a folder for each class.",
        ),
    ] = "digits",
    label: Annotated[
        str | None,
        Option(
            metavar="COLUMN",
            rich_help_panel=DATA,
            help="Column of labels of a table: its name, or its number from 0 "
            "[default: label, class or target].",
        ),
    ] = None,
    data_dir: DataDir = None,
    num_train: Annotated[
        int | None, whole("num_train", DATA, "Training images, balanced over classes.")
    ] = None,
    num_test: Annotated[
        int | None, whole("num_test", DATA, "Test images, balanced over classes.")
    ] = None,
    epochs: Annotated[
        int, whole("epochs", LEARNING, "Passes over the training images, in all.")
    ] = 30,
    recipe: Annotated[
        Literal["tuned", "paper"],
        Option(
            rich_help_panel=LEARNING,
            help="What settings in brackets are: tuned on held-out images (the paper's for chips, "
            "cyclic annealing and deep networks), or the paper's.",
        ),
    ] = "tuned",
    num_states: Annotated[
        int | None,
        whole(
            "num_states",
            SAMPLING,
            "States per image and update; 1: equilibrium propagation [3 or 1; paper 20].",
        ),
    ] = None,
    num_sweeps: Annotated[
        int | None,
        whole(
            "num_sweeps",
            SAMPLING,
            "Sweeps per state: of each replica, or in each cycle [20; paper 30].",
        ),
    ] = None,
    hidden: Annotated[
        str, Option(metavar="N[,N...]", rich_help_panel=NETWORK, help="Spins of each hidden layer.")
    ] = "120",
    active_layers: Annotated[
        Literal["2", "all"],
        Option(
            rich_help_panel=NETWORK,
            help="With more than one hidden layer: sweep over the layers, two at a time, "
            "or sample all at once.",
        ),
    ] = "2",
    learning_rate: Annotated[
        float | None,
        Option(
            rich_help_panel=LEARNING,
            help="Rate of couplings (half of it with more than one hidden layer) and biases; "
            "that of input weights follows from the images [0.001].",
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        whole(
            "batch_size",
            LEARNING,
            "Images per update, which is their mean; they share QPU calls [10; paper 1].",
        ),
    ] = None,
    optimizer: Annotated[
        Literal["sgd", "adam"] | None,
        Option(rich_help_panel=LEARNING, help="How updates move parameters [adam; paper sgd]."),
    ] = None,
    schedule: Annotated[
        Literal["constant", "linear", "cosine"] | None,
        Option(
            rich_help_panel=LEARNING,
            help="How the rate falls to 0 over all epochs [linear; paper constant].",
        ),
    ] = None,
    margin: Annotated[
        float | None,
        Option(
            min=0.0,
            rich_help_panel=LEARNING,
            help="Energy by which the label must win [5; paper 0].",
        ),
    ] = None,
    average_from: Annotated[
        int | None,
        whole(
            "average_from",
            LEARNING,
            "First epoch of those over which the model is averaged [none].",
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        Option(
            metavar="NAME",
            rich_help_panel=SAMPLING,
            help=f"What finds the states: {SAMPLERS_TEXT} [class-states; paper anneal].",
        ),
    ] = None,
    test_sampler: Annotated[
        str | None,
        Option(
            metavar="NAME",
            rich_help_panel=SAMPLING,
            help="What finds those of test images [default: --sampler].",
        ),
    ] = None,
    qpu_solver: Annotated[
        str | None,
        Option(
            metavar="NAME|emulated:CHIP[:SIZE]",
            rich_help_panel=QPU,
            help="D-Wave solver [default: your account's], or an emulated chip: pegasus, zephyr, "
            "advantage_system4.1 or advantage2_system1.",
        ),
    ] = None,
    qpu_scale: Annotated[
        float | None,
        Option(
            metavar="X",
            rich_help_panel=QPU,
            help="The chip's J over the network's; the chip clips large values "
            "[default: what leaves chains their strength].",
        ),
    ] = None,
    qpu_annealing_time: Annotated[
        float | None,
        Option(
            metavar="US",
            rich_help_panel=QPU,
            help="Annealing time of a read of the chip, in microseconds [20].",
        ),
    ] = None,
    qpu_budget: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            rich_help_panel=QPU,
            help="QPU access time that the run may cost in all, a hard stop.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        Option(
            "--dry-run",
            rich_help_panel=QPU,
            help="Show the first request to the QPU; send and write nothing. It needs no account.",
        ),
    ] = False,
    beta_effective: Annotated[
        bool,
        Option(
            "--beta-effective",
            rich_help_panel=SAMPLING,
            help="Log the effective inverse temperature of states; inf after a descent.",
        ),
    ] = False,
    seed: Annotated[int, whole("seed", RUN, "All random numbers follow from it.")] = 0,
    threads: Threads = 1,
    snapshots: Annotated[
        bool,
        Option(
            rich_help_panel=RUN,
            help="Keep the model of each epoch for `isingprop report`: 4 bytes a parameter, "
            "0.4 MB and some ms an epoch for MNIST and 120 spins.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        Option(rich_help_panel=RUN, help="New folder for the run [default: runs/<data>-<n>]."),
    ] = None,
    resume: Annotated[
        Path | None, Option(rich_help_panel=RUN, help="Go on with the run in this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a network, and keep it in a run folder.

    The folder has settings, history, checkpoint, model and a picture of the training.
    """
    settings = settings_of(context.params)
    with one_line_errors(), _opened(resume, dry_run) as folder:
        if folder is not None:
            settings = _resumed(context, folder.settings, settings)
        if dry_run:
            show_first_request(settings, folder, as_json)
        else:
            run_training(settings, out, folder, as_json)


def _opened(path: Path | None, dry_run: bool) -> AbstractContextManager[RunFolder | None]:
    """Opens the folder of a run to resume, which is locked unless nothing is to be written."""
    if path is None:
        return nullcontext()
    return nullcontext(RunFolder.open(path)) if dry_run else RunFolder.resume(path)


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
        data=_data(options["data"], options["label"]),
        data_dir=_data_dir(options["data"], options["data_dir"]),
        hidden=layers,
        active_layers=None if options["active_layers"] == "all" else 2,
        **chosen,
        **on_chip,
    )


def _data(data: str, label: str | None) -> str:
    """Returns the name of a data set, or the absolute path of the user's own."""
    if data in NAMES and label is not None:
        raise typer.BadParameter(f"--label must go with a table of your own, got --data {data}")
    if data in NAMES or data.startswith(PREFIX):
        return data
    if not Path(data).exists():
        raise typer.BadParameter(
            f"--data must be {', '.join(NAMES)}, {PREFIX}NAME, or a file or folder that is there, "
            f"got {data}"
        )
    return str(Path(data).absolute())


def _data_dir(data: str, given: Path | None) -> str | None:
    """Returns the folder of IDX files, absolute, that the option or ISINGPROP_DATA names.

    The run keeps it, so that later commands read the same files, whatever the environment is then.
    """
    has_idx_files = data in ("mnist", "fashion-mnist")
    found = None if given is None and not has_idx_files else data_folder(given)
    if found is None or (given is None and not found[1].is_dir()):
        return None  # what the environment names and is not there, loading refuses by its name
    return absolute(found[1])


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
