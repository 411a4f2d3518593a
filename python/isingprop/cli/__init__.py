"""The command line: `isingprop train`, `evaluate`, `qpu` and `reproduce`."""

from isingprop.cli.commands import app, main

__all__ = ["app", "main"]
