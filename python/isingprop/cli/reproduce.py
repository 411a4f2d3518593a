"""The command `isingprop reproduce`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer
from typer import Option

from isingprop.cli.console import INTERRUPTED, one_line_errors, print_json
from isingprop.cli.options import AsJson, DataDir, count
from isingprop.cli.shell.shell_commands import DATA, RUN
from isingprop.data.load import DataName
from isingprop.util.files import make_folder, remove_leftovers
from isingprop.util.folder_lock import FolderLock
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.paper.common.study_setup import Setup

_Figure = Literal[
    "fig2",
    "fig3",
    "fig4",
    "fig5",
    "table",
    "deep",
    "control",
    "coherent",
    "mlp-equivalence",
    "mlp-table",
    "mlp-runtime",
    "all",
]

_FIGURES: tuple[str, ...] = get_args(_Figure)[:-1]
# The module of each study, relative to isingprop.paper.
_STUDIES = {
    "fig2": "zhang2025.fig2",
    "fig3": "zhang2025.fig3",
    "fig4": "zhang2025.fig4",
    "fig5": "zhang2025.fig5",
    "table": "zhang2025.accuracy_table",
    "deep": "depth.depth_study",
    "control": "control.control_study",
    "coherent": "coherent_training.coherent_study",
    "mlp-equivalence": "mlp_equivalence.equivalence_study",
    "mlp-table": "mlp_table.table_study",
    "mlp-runtime": "mlp_runtime.runtime_study",
}
# Studies for which a few images are enough, so that they take the digits.
_ON_DIGITS = ("coherent", "mlp-runtime")
# Studies that use other images than Setup.num_train says.
_WITH_OWN_IMAGES = ("mlp-equivalence", "mlp-table", "mlp-runtime")
_WIDTH = 2 + max(map(len, _FIGURES))


def reproduce(
    figure: Annotated[
        _Figure,
        typer.Argument(
            metavar="FIGURE",
            show_choices=False,
            help=f"What to reproduce: {', '.join(_FIGURES)} or all.",
        ),
    ],
    data: Annotated[
        DataName | None,
        Option(
            rich_help_panel=DATA,
            help="Images [default: mnist; with --quick, coherent or mlp-runtime and no --data-dir "
            "digits].",
        ),
    ] = None,
    data_dir: DataDir = None,
    seeds: Annotated[int, count(RUN, "Repetitions, which error bars are over.")] = 5,
    seed: Annotated[
        int,
        count(RUN, "Of the first repetition; all random numbers follow.", least=0, most=2**32),
    ] = 0,
    quick: Annotated[
        bool,
        Option(
            "--quick",
            rich_help_panel=RUN,
            help="A small version, to see that it works: its numbers mean little.",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        count(RUN, "Processes on this machine [default: one for each core].", most=1024),
    ] = None,
    scheduler: Annotated[
        str | None,
        Option(
            metavar="ADDRESS",
            rich_help_panel=RUN,
            help="Dask scheduler, such as tcp://host:8786, in place of processes.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        Option(
            rich_help_panel=RUN,
            help="Folder; what is finished there is not run again [default: runs/reproduce, "
            "with --quick runs/quick].",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute and draw the papers' figures, and further studies.

    These are of depth, sampling and coherence. Numbers have error bars; they are saved with the
    figures and a report.
    """
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("--workers cannot be said with --scheduler: a cluster has its own")
    from isingprop.paper.common.study_setup import Setup

    if data is None:
        data = "digits" if (quick or figure in _ON_DIGITS) and data_dir is None else "mnist"
    out = out or Path("runs/quick" if quick else "runs/reproduce")
    folder = None if data_dir is None else str(data_dir)
    names = _FIGURES if figure == "all" else (figure,)

    with one_line_errors():
        if out.exists() and not out.is_dir():
            raise FileExistsError(f"--out must be a folder, got the file {out}")
        setup = Setup(data=data, data_dir=folder, num_seeds=seeds, seed=seed, quick=quick, out=out)
        numbers = _reproduce(names, setup, workers or len(os.sched_getaffinity(0)), scheduler)

    if as_json:
        print_json(numbers if figure == "all" else numbers[figure])
        return
    for name, found in numbers.items():
        typer.echo(f"{name:<{_WIDTH}}{found['seconds']:7.1f} s   {out / name}.md")


def _reproduce(
    names: tuple[str, ...], setup: Setup, workers: int, scheduler: str | None
) -> dict[str, dict[str, Any]]:
    from isingprop.paper.common.jobs import Runner

    modules = {name: importlib.import_module(f"isingprop.paper.{_STUDIES[name]}") for name in names}
    _load_data(names, setup)
    num_jobs = sum(module.number_of_jobs(setup) for module in modules.values())

    jobs = setup.out / "jobs"
    try:
        with (
            Runner(jobs, workers=workers, scheduler=scheduler, num_jobs=num_jobs) as runner,
            _locked(setup.out, jobs),
        ):
            return {name: module.reproduce(setup, runner) for name, module in modules.items()}
    except KeyboardInterrupt:
        say(f"Interrupted; what is finished is kept in {setup.out}: say the same again to go on")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _locked(out: Path, jobs: Path) -> Iterator[None]:
    """Makes and locks the folder of results, and removes what killed commands have left there."""
    make_folder(out)
    lock = FolderLock(out)
    try:
        remove_leftovers(out)
        remove_leftovers(jobs)
        yield
    finally:
        lock.release()


def _load_data(names: tuple[str, ...], setup: Setup) -> None:
    """Loads the images once before any work, so that missing ones are refused at once."""
    if not set(names) <= set(_WITH_OWN_IMAGES):
        setup.load_data(max(setup.train_sizes) if {"table", "control"} & set(names) else None)
    if "mlp-equivalence" in names:
        setup.load_all()
