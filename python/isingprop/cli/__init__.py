"""The command line: `isingprop train`, `evaluate`, `qpu` and `reproduce`."""

from isingprop.cli.app import main

__all__ = ["main"]
