"""What the documentation shows is true: the examples of docstrings and of the README run."""

import builtins
import doctest
import importlib
import inspect
import pkgutil
import re
import typing
from pathlib import Path

import numpy.typing
import pytest

import isingprop as ip

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(ip.__path__, "isingprop.")
    if module.name != "isingprop._core"
)

OUTSIDE = (builtins, typing, numpy.typing)

README = Path(__file__).parents[1] / "README.md"
beside_the_sources = pytest.mark.skipif(
    not README.is_file(), reason="the sources are not beside the tests"
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_some_modules_have_examples():
    finder = doctest.DocTestFinder()
    examples = [
        test
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        if test.examples
    ]
    assert len(examples) >= 7


@pytest.mark.parametrize("name", ["predict", "sample_states", "Trainer"])
def test_the_types_that_help_shows_are_public(name):
    """Of this package; others are Python's and numpy's."""
    shown = re.findall(r"\b[A-Z]\w+", str(inspect.signature(getattr(ip, name))))
    own = {word for word in shown if not any(word in dir(module) for module in OUTSIDE)}
    assert {"Network", "Sampler"} <= own
    assert own - {"Schedule"} <= set(ip.__all__)


@pytest.mark.slow
@beside_the_sources
def test_the_examples_of_the_readme(tmp_path, monkeypatch, capsys):
    """The others go on with what the first one made."""
    monkeypatch.chdir(tmp_path)
    shallow, deep, coherent, twin = re.findall(
        r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL
    )
    names = {}
    exec(compile(shallow, "README.md", "exec"), names)
    assert (tmp_path / "model.safetensors").is_file()
    fast, sampled = capsys.readouterr().out.splitlines()[:2]
    assert float(fast.split()[0]) > 0.9
    assert float(sampled.split()[1]) > 0.9
    exec(compile(deep, "README.md", "exec"), names)
    assert float(capsys.readouterr().out) > 0.9
    assert names["states"].spins.shape == (100, 20, 280)
    exec(compile(coherent, "README.md", "exec"), names)
    _, success, num_forward, num_reversed = map(float, capsys.readouterr().out.split())
    assert success > 0.9
    assert num_forward == num_reversed + 1 > 2
    exec(compile(twin, "README.md", "exec"), names)
    assert float(capsys.readouterr().out.split()[0]) > 0.9
    assert names["outputs"].shape == (5, 1000, 1)


@beside_the_sources
def test_the_readme_has_the_two_commands_of_one_line_each():
    commands = re.findall(r"```sh\n(pip install .*?)```", README.read_text(), flags=re.DOTALL)
    assert commands == ["pip install . && isingprop train\n", 'pip install ".[test]" && pytest\n']


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
