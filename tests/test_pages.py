"""What README, guides and RESULTS.md show is true: their Python and their commands run."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import typer

import isingprop as ip
from helpers.cli.cli_runs import isingprop
from helpers.idx_files import write_folder
from isingprop.cli.commands import app
from isingprop.data.download import FILES

README = Path(__file__).parents[1] / "README.md"
DOCS = README.parent / "python" / "docs"
PAGES = [README, README.parent / "bench" / "RESULTS.md", *sorted(DOCS.glob("*.md"))]
CI_COMMAND = "isingprop reproduce all --quick"
NUM_LEAVES = 60

if not README.is_file():
    pytest.skip("the sources are not beside the tests", allow_module_level=True)


def blocks_of_python(page):
    """Returns each block of Python with the block of output after it, or "" if there is none."""
    pattern = r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?"
    return re.findall(pattern, page.read_text(), flags=re.DOTALL)


def commands_of(page):
    """Returns the lines of shell blocks that run this package's command."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("isingprop ")]


def seed_sequence_of_a_seed(entropy=None, sequence=np.random.SeedSequence):
    """Returns NumPy's SeedSequence; refuses to take a seed from the operating system."""
    assert entropy is not None, "the page shows what changes from run to run: name a seed"
    return sequence(entropy)


def write_leaves(path, with_species):
    """Writes a table of leaves of two species, which differ in their length."""
    rng = np.random.default_rng(0)
    species = np.arange(NUM_LEAVES) % 2
    length = rng.normal(3 + 2 * species, 0.3)
    width = rng.normal(1, 0.3, NUM_LEAVES)
    columns = {"length": length, "width": width}
    if with_species:
        columns["species"] = np.where(species, "oak", "ash")
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]))


def noisy_digits():
    """Returns the files of MNIST, with 1,500 training and 300 test images of ten classes."""
    rng = np.random.default_rng(0)
    shapes = rng.random((10, 28, 28)) < 0.2
    arrays = []
    for count in (1500, 300):
        labels = np.arange(count, dtype=np.uint8) % 10
        noise = rng.integers(0, 60, (count, 28, 28))
        arrays += [(noise + 190 * shapes[labels]).astype(np.uint8), labels]
    return dict(zip(FILES, arrays, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_a_page_prints_what_the_page_shows(page, tmp_path, monkeypatch, capsys):
    """Blocks of a page go on with what those before have made. Every seed is named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(np.random, "SeedSequence", seed_sequence_of_a_seed)
    names = {}
    for code, shown in blocks_of_python(page):
        exec(compile(code, page.name, "exec"), names)
        assert capsys.readouterr().out == shown


def test_pages_show_python():
    assert {"README.md", "training.md"} <= {page.name for page in PAGES if blocks_of_python(page)}
    assert len(README.read_text().splitlines()) <= 150


def test_no_line_of_a_page_is_taken_for_a_comment():
    """MyST leaves out lines that begin with a percent sign, and does not warn."""
    lines = [line for page in PAGES for line in page.read_text().splitlines()]
    assert not [line for line in lines if line.startswith("%")]


def test_the_readme_has_the_two_commands_of_one_line_each():
    commands = re.findall(r"```sh\n(pip install .*?)```", README.read_text(), flags=re.DOTALL)
    assert commands == ["pip install . && isingprop train\n", 'pip install ".[test]" && pytest\n']


@pytest.mark.slow
def test_commands_of_the_readme_run(tmp_path):
    """On generated files in place of MNIST and of a user's table. `.ci/run` runs the last one."""
    write_folder(tmp_path / "mnist", noisy_digits())
    write_leaves(tmp_path / "leaves.csv", with_species=True)
    write_leaves(tmp_path / "new-leaves.csv", with_species=False)
    commands = [each for each in commands_of(README) if "needs an account" not in each]

    assert commands.pop().startswith(f"{CI_COMMAND} ")
    assert f"\n{CI_COMMAND} " in (README.parent / ".ci" / "run").read_text()
    for command in commands:
        words = shlex.split(command, comments=True)
        data = {"ISINGPROP_DATA": str(tmp_path / "mnist")} if "mnist" in command else {}
        done = isingprop(*words[1:], cwd=tmp_path, **data)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert (tmp_path / "species.csv").read_text().count("\n") == 1 + NUM_LEAVES
    assert (tmp_path / "runs" / "first" / "report.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_on_a_page_are_understood(page):
    """Subcommands, options and choices exist; nothing is run."""
    for text in commands_of(page):
        words = iter(shlex.split(text, comments=True)[1:])
        command = typer.main.get_command(app)
        while hasattr(command, "commands"):
            command = command.commands[next(words)]
        command.make_context("isingprop", list(words))


def test_every_public_name_is_in_the_reference_once():
    pages = [page.read_text() for page in (DOCS / "reference").glob("*.rst")]
    named = [name for text in pages for name in re.findall(r"^.. auto\w+:: (\S+)", text, re.M)]
    modules = {"isingprop.dimod": "dimod", "isingprop.coherent": "coherent"}
    assert sorted(modules.get(name, name) for name in named) == sorted([*ip.__all__, "dimod"])
