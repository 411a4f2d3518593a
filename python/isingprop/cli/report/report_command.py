"""The command `isingprop report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from isingprop.cli.console import one_line_errors
from isingprop.cli.options import DataDir, Threads, absolute
from isingprop.cli.report.report_page import page_of, plotly_script
from isingprop.cli.report.report_payload import payload_of
from isingprop.cli.run_folder import RunFolder
from isingprop.util.files import write_atomically


def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    out: Annotated[
        Path | None, Option(metavar="FILE", help="HTML file to write [default: RUN/report.html].")
    ] = None,
    data_dir: DataDir = None,
    threads: Threads = 1,
) -> None:
    """Write an HTML file that shows a run and needs no network.

    It has curves, confused images, weights, and states in training. States through training need a
    run with --snapshots; they are sampled on the CPU, whatever the sampler of the run.
    """
    with one_line_errors():
        run = RunFolder.open(folder)
        file = _checked_file(folder / "report.html" if out is None else out)
        run.settings = replace(run.settings, threads=threads)
        if data_dir is not None:
            run.settings = replace(run.settings, data_dir=absolute(data_dir))

        plotly_script()  # the states would be sampled in vain without it
        write_atomically(file, page_of(payload_of(run)).encode())

    typer.echo(f"report          {file}")


def _checked_file(path: Path) -> Path:
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"--out must be a file in a folder that is there, got {path}")
    return path
