"""How the source is laid out: who imports whom, how long files are, how docstrings open.

Each rule is also shown a small wrong sample, which it must reject.
"""

import re
from functools import partial
from pathlib import Path

import pytest

from helpers import TESTS
from helpers import source_rules as rules

ROOT = TESTS.parent
PACKAGE = ROOT / "python" / "isingprop"
MODULES = sorted(PACKAGE.rglob("*.py"))
CPP = sorted(path for kind in ("*.h", "*.cc") for path in (ROOT / "cpp").rglob(kind))
TEST_FILES = sorted(TESTS.rglob("*.py"))

pytestmark = pytest.mark.skipif(not PACKAGE.is_dir(), reason="the sources are not beside the tests")

# A package imports only what stands above it; nothing imports the last three but cli, which imports
# paper, and __main__, which imports cli.
ORDER = (
    "_core",
    "util",
    "kernels",
    "problem",
    "states",
    "readout",
    "quantum",
    "network",
    "data",
    "qpu",
    "samplers",
    "training",
    "estimator",
    "energy_model",
    "analysis",
    "coherent",
    "dimod",
    "isingprop",  # the public face
    "paper",
    "cli",
    "__main__",
)
# What a package may not import although it stands above. Only kernels.py knows the compiled core;
# samplers know nothing of networks and data; training knows no samplers but annealing and class
# states.
ABOVE_BUT_FORBIDDEN = {
    "samplers": ("network", "data"),
    "training": tuple(
        f"samplers.{path.stem}"
        for path in (PACKAGE / "samplers").glob("*.py")
        if path.stem not in ("__init__", "annealing", "arguments", "class_states", "protocol")
    ),
}
# The table of cpp/README.md: what a folder may include beside its own files.
INNER = ("simd", "kernels")
CPP_MAY_INCLUDE = {
    "util": (),
    "simd": (),
    "kernels": ("simd",),
    "targets": INNER,
    "chains": ("util", *INNER, "targets"),
    "graphs": ("util", *INNER, "targets", "chains"),
    "samplers": ("util", *INNER, "targets", "chains", "graphs"),
    "quantum": ("util", *INNER, "targets"),
    "rotors": ("util", *INNER, "targets"),
    "training": ("util", *INNER, "targets"),
    "bindings": (
        *("util", *INNER, "targets", "chains", "graphs", "samplers"),
        *("quantum", "rotors", "training"),
    ),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def forbidden(package: str) -> tuple[str, ...]:
    core = () if package in ("_core", "kernels") else ("_core",)
    return (*core, *ABOVE_BUT_FORBIDDEN.get(package, ()))


def complaints(rule, files):
    """What a rule, rule(name, source), says of all these files."""
    return [each for path in files for each in rule(name_of(path), path.read_text())]


def test_docstrings_are_sentences():
    assert complaints(rules.fragments, MODULES) == []


def test_long_functions_have_paragraphs():
    assert complaints(rules.without_paragraphs, MODULES) == []


def test_a_package_imports_only_what_stands_above_it():
    found = []
    for path in MODULES:
        module = module_of(path).removesuffix(".__init__")
        package = rules.package_of(module, ORDER) or ""
        arguments = name_of(path), path.read_text(), module, ORDER, forbidden(package)
        found += rules.against_the_order(*arguments, path.stem == "__init__")
    assert found == []


def test_a_folder_of_cpp_includes_only_what_it_may():
    found = []
    for path in CPP:
        name = str(path.relative_to(ROOT / "cpp"))
        found += rules.forbidden_includes(name, path.read_text(), CPP_MAY_INCLUDE)
    assert found == []


def test_files_are_short():
    assert complaints(rules.too_long, (*MODULES, *CPP)) == []
    tests = partial(rules.too_long, limit=rules.MAX_TEST_LINES)
    assert complaints(tests, TEST_FILES) == []


def test_folders_hold_few_files():
    folders = (ROOT / "python", ROOT / "cpp", TESTS)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    tracked = [path for path in files if path.suffix not in (".pyc", ".so")]
    assert rules.crowded(tracked) == []


def test_every_module_has_a_name_of_its_own():
    modules = [module_of(path).removesuffix(".__init__") for path in MODULES]
    assert rules.homonyms(modules) == []


def test_every_test_file_has_a_name_of_its_own():
    names = [path.stem for path in TEST_FILES if path.stem.startswith("test_")]
    assert len(names) == len(set(names))


def test_no_test_file_imports_another():
    pattern = re.compile(r"^\s*(?:from|import) (?:\w+\.)*test_\w+", re.MULTILINE)
    assert [name_of(path) for path in TEST_FILES if pattern.search(path.read_text())] == []


# Wrong samples


@pytest.mark.parametrize("opening", ["Of", "As", "Those", "The same", "With", "In"])
@pytest.mark.parametrize("owner", ["", "class A:\n    ", "def f():\n    "])
def test_a_fragment_is_seen(opening, owner):
    assert len(rules.fragments("a.py", f'{owner}"""{opening} all reads."""')) == 1
    assert rules.fragments("a.py", f'{owner}"""Returns all reads."""') == []
    assert rules.fragments("a.py", f'{owner}"""Inverse temperature of all reads."""') == []


def test_a_long_file_is_seen():
    assert rules.too_long("a.py", "x = 1\n" * 351) == ["a.py has 351 lines"]
    assert rules.too_long("a.py", "x = 1\n" * 350) == []


def test_a_crowded_folder_is_seen():
    files = [Path("a", f"{k}.py") for k in range(17)]
    assert rules.crowded(files) == ["a has 17 files"]
    assert rules.crowded(files[1:]) == []


def test_homonyms_are_seen():
    assert len(rules.homonyms(["p.a.run", "p.b.run", "p.c"])) == 2
    assert len(rules.homonyms(["p.run", "p.b.run"])) == 2
    assert rules.homonyms(["p.a", "p.b"]) == []


def test_a_long_function_without_paragraphs_is_seen():
    body = "    x = 1\n"
    assert len(rules.without_paragraphs("a.py", "def f():\n" + 12 * body)) == 1
    assert rules.without_paragraphs("a.py", "def f():\n" + 11 * body) == []
    assert rules.without_paragraphs("a.py", "def f():\n" + 6 * body + "\n" + 6 * body) == []
    blank_in_docstring = 'def f():\n    """Does it.\n\n    Twice.\n    """\n' + 12 * body
    assert len(rules.without_paragraphs("a.py", blank_in_docstring)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("isingprop.util.checks", "from isingprop import kernels"),
        ("isingprop.network.bipartite", "from isingprop._core import anneal"),
        ("isingprop.network.bipartite", "def f():\n    from isingprop import _core"),
        ("isingprop.samplers.cyclic", "import isingprop.network.layered"),
        ("isingprop.samplers.cyclic", "if TYPE_CHECKING:\n    from isingprop.training import x"),
        ("isingprop.samplers.cyclic", "from ..training import trainer"),
        ("isingprop.samplers.cyclic", "import isingprop as ip"),
        ("isingprop.samplers.cyclic", "from isingprop import BipartiteNetwork"),
        ("isingprop.training.trainer", "from isingprop.samplers.dwave import DWave"),
        ("isingprop.training.trainer", "from isingprop.samplers import dwave"),
        ("isingprop.data.load", "from isingprop.paper.common import text"),
        ("isingprop.paper.common.text", "from isingprop.cli import console"),
        ("isingprop.strange", "import numpy"),
    ],
)
def test_an_import_against_the_order_is_seen(module, source):
    package = rules.package_of(module, ORDER) or ""
    assert len(rules.against_the_order("a.py", source, module, ORDER, forbidden(package))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("isingprop.kernels", "from isingprop import _core"),
        ("isingprop.cli.app", "from isingprop.paper.common import text"),
        ("isingprop.training.trainer", "from isingprop.samplers.annealing import Annealing"),
        ("isingprop.training.trainer", "from isingprop import kernels"),
        ("isingprop.paper.common.text", "import isingprop as ip"),
        ("isingprop.samplers.cyclic", "from . import annealing\nimport dimod"),
    ],
)
def test_an_import_in_the_order_is_none_of_it(module, source):
    package = rules.package_of(module, ORDER) or ""
    assert rules.against_the_order("a.py", source, module, ORDER, forbidden(package)) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("simd/vec.h", '#include "kernels/annealing/chain.h"'),
        ("kernels/annealing/chain.cc", "#include <pybind11/pybind11.h>"),
        ("kernels/annealing/chain.cc", '#include "kernels/network/update.h"'),
        ("quantum/evolution.cc", '#include "samplers/annealing.h"'),
        ("util/pool.cc", '#  include "samplers/annealing.h"'),
        ("attic/pool.cc", "#include <vector>"),
    ],
)
def test_a_forbidden_include_is_seen(name, source):
    assert len(rules.forbidden_includes(name, source, CPP_MAY_INCLUDE)) == 1
    right = '#include "util/pool.h"\n#include <vector>\n'
    assert rules.forbidden_includes("bindings/arrays.h", right, CPP_MAY_INCLUDE) == []
