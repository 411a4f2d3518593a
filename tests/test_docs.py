"""What docstrings and the page for contributors say is true."""

import ast
import builtins
import doctest
import inspect
import os
import re
import subprocess
import sys
import typing
from pathlib import Path

import numpy.typing
import pytest

import isingprop as ip

OUTSIDE = (builtins, typing, numpy.typing)

NOWHERE = "http://127.0.0.1:9"  # no proxy is there
README = Path(__file__).parents[1] / "README.md"
beside_the_sources = pytest.mark.skipif(
    not README.is_file(), reason="the sources are not beside the tests"
)


def docstrings(source: str) -> list[str]:
    """All docstrings of a module, those of functions in functions, too."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return [ast.get_docstring(node) or "" for node in nodes]


def test_all_examples_of_docstrings_run(tmp_path):
    """None is hidden from doctest, writes into the current folder or needs the network."""
    modules = Path(ip.__file__).parent.rglob("*.py")
    texts = [text for path in modules for text in docstrings(path.read_text())]
    examples = [text for text in texts if doctest.DocTestParser().get_examples(text)]
    assert not any("SKIP" in text for text in examples)

    here = tmp_path / "here"
    here.mkdir()
    offline = {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
    options = ["-c", str(README.parent / "pyproject.toml"), "-v", "-p", "no:benchmark"]
    command = [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--doctest-modules", "--pyargs", "isingprop"],
        cwd=here,
        env={**os.environ, **offline, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.findall(r"(\d+) passed", done.stdout) == [str(len(examples))]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", ["predict", "sample_states", "Trainer"])
def test_the_types_that_help_shows_are_public(name):
    """Of this package; others are Python's and numpy's."""
    shown = re.findall(r"\b[A-Z]\w+", str(inspect.signature(getattr(ip, name))))
    own = {word for word in shown if not any(word in dir(module) for module in OUTSIDE)}
    assert {"Network", "Sampler"} <= own
    assert own - {"Schedule"} <= set(ip.__all__)


@beside_the_sources
def test_the_contributors_page_names_files_that_exist():
    """Names of files and folders in backquotes, each the end of a path, or a part of one."""
    package = README.parent / "python" / "isingprop"
    named = re.findall(r"`([\w.-]+/[\w./-]*|\w+\.pyi?)`", (package / "README.md").read_text())
    inside = {name for name in named if not name.startswith(("cpp/", "tests/"))}
    files = [path for pattern in ("*.py*", "*.json") for path in package.rglob(pattern)]
    paths = [f"/{path.relative_to(package.parent)}" for path in files]

    missing = {name for name in inside if not any(f"/{name}" in path for path in paths)}
    assert len(inside) > 40
    assert not missing
