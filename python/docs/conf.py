"""How Sphinx builds the pages: `sphinx-build -W python/docs FOLDER`, with the extra `docs`."""

import re
import subprocess
import sys
from importlib.metadata import version as version_of
from typing import Any

from sphinx.application import Sphinx

project = "isingprop"
author = "The isingprop authors"
version = version_of("isingprop")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser"]
html_theme = "furo"
html_title = f"isingprop {version}"
myst_heading_anchors = 2
nitpick_ignore_regex: list[tuple[str, str]] = []

# Docstrings are plain text with code in single backquotes.
default_role = "code"
autodoc_typehints = "description"
autodoc_member_order = "bysource"
# What other packages have written is documented there.
_FOREIGN = "BaseEstimator,ClassifierMixin,Exception,Generic,Protocol,Structured,Sampler,tuple"
autodoc_default_options = {"members": True, "inherited-members": _FOREIGN}


def _command_page(_: Sphinx, page: str, source: list[str]) -> None:
    """Appends what `--help` says of every command to the page of commands."""
    if page == "command":
        command = [sys.executable, "-m", "typer", "isingprop.cli.commands", "utils", "docs"]
        text = subprocess.run(
            [*command, "--name", "isingprop"], check=True, capture_output=True, text=True
        ).stdout
        source[0] += text.split("\n", 1)[1]


def _keep_bars(*arguments: Any) -> None:
    """Takes the bars of |x| in a docstring for themselves, where they stand outside of code."""
    lines: list[str] = arguments[-1]
    for number, line in enumerate(lines):
        parts = re.split(r"(`[^`]*`)", line)
        lines[number] = "".join(
            part if part.startswith("`") else part.replace("|", r"\|") for part in parts
        )


def setup(app: Sphinx) -> None:
    """Registers both functions."""
    app.connect("source-read", _command_page)
    app.connect("autodoc-process-docstring", _keep_bars)
