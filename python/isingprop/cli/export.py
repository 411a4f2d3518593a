"""The command `isingprop export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isingprop.cli.console import one_line_errors
from isingprop.cli.run_folder import RunFolder


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.onnx", help="ONNX model to write.")],
) -> None:
    """Write the model of a run as an ONNX model.

    It needs no sampler. The network must have one hidden layer.
    """
    with one_line_errors():
        run = RunFolder.open(folder)
        _check_file(file)
        network = run.settings.load_network(run.model)
        network.to_onnx(file)

    typer.echo(f"ONNX model      {file}")


def _check_file(path: Path) -> None:
    if path.suffix.lower() != ".onnx":
        raise ValueError(f"FILE must end in .onnx, got {path}")
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"FILE must be a file in a folder that is there, got {path}")
