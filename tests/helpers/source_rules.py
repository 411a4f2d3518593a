"""Rules for the source, read with `ast` and regular expressions; each returns its complaints."""

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

FACE = "isingprop"  # the package itself, whose names are public
MAX_LINES = 350
MAX_TEST_LINES = 400
MAX_FILES = 16
PARAGRAPH_LINES = 12  # a function with as many lines or more has a blank one among them
FRAGMENT = re.compile(r"(Of|As|Those|The same|With|In)\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


@functools.cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def fragments(name: str, source: str) -> list[str]:
    """Docstrings that open as a fragment of a sentence does."""
    nodes = (node for node in ast.walk(_parsed(source)) if isinstance(node, Documented))
    return [
        f"{name}:{getattr(node, 'lineno', 1)}: {text.splitlines()[0]}"
        for node in nodes
        if FRAGMENT.match(text := ast.get_docstring(node) or "")
    ]


def too_long(name: str, source: str, limit: int = MAX_LINES) -> list[str]:
    count = len(source.splitlines())
    return [f"{name} has {count} lines"] if count > limit else []


def crowded(files: Sequence[Path]) -> list[str]:
    """Folders that hold too many of these files themselves."""
    counts = Counter(path.parent for path in files)
    return [f"{folder} has {n} files" for folder, n in counts.items() if n > MAX_FILES]


def homonyms(modules: Sequence[str]) -> list[str]:
    """Dotted names of modules and packages whose last words are the same."""
    counts = Counter(module.rpartition(".")[2] for module in modules)
    return [module for module in modules if counts[module.rpartition(".")[2]] > 1]


def without_paragraphs(name: str, source: str) -> list[str]:
    """Long functions of several statements without a blank line between any two of them."""
    lines = source.splitlines()
    found = []
    for node in ast.walk(_parsed(source)):
        if isinstance(node, Function):
            documented = ast.get_docstring(node) is not None
            body = node.body[documented:]
            first = body[0].lineno if body else node.end_lineno
            text = lines[first - 1 : node.end_lineno]
            if len(body) > 1 and len(text) >= PARAGRAPH_LINES and all(text):
                found.append(f"{name}:{node.lineno}: {node.name}")
    return found


def imported(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """The line and the dotted name of all that a module imports, wherever in it."""
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parent = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parent, *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def package_of(module: str, order: Sequence[str]) -> str | None:
    """The line of the order that a dotted name belongs to; None if there is none."""
    inside = module.removeprefix(f"{FACE}.")
    return next((line for line in order if f"{inside}.".startswith(f"{line}.")), None)


def against_the_order(
    name: str,
    source: str,
    module: str,
    order: Sequence[str],
    forbidden: Sequence[str] = (),
    is_package: bool = False,
) -> list[str]:
    """Imports of what stands below the importing module in the order, or is forbidden to it."""
    own = package_of(module, order)
    if own is None:
        return [f"{name}: no line of the order is for {module}"]

    found = []
    for line, target in imported(source, module, is_package):
        if f"{target}.".startswith(f"{FACE}."):
            # What is no package of the order is a name of the public face.
            other = package_of(target, order) or FACE
            excluded = any(f"{target}.".startswith(f"{FACE}.{each}.") for each in forbidden)
            if other != own and (order.index(other) > order.index(own) or excluded):
                found.append(f"{name}:{line}: {own} imports {target}")
    return found


def forbidden_includes(name: str, source: str, may: Mapping[str, Sequence[str]]) -> list[str]:
    """Includes of folders that a file's own may not include, and of pybind11 outside of bindings.

    Subjects of kernels/, the folders in it, may not include each other either, but metropolis.
    """
    own, subject = name.split("/")[0], name.split("/")[1]
    if own not in may:
        return [f"{name}: no row of the table is for {own}"]

    found = []
    for included in INCLUDE.findall(source):
        folder, *rest = included.split("/")
        foreign = folder in may and folder not in (own, *may[own])
        other_subject = own == folder == "kernels" and rest[0] not in (subject, "metropolis")
        if foreign or other_subject or (folder == "pybind11" and own != "bindings"):
            found.append(f"{name}: includes {included}")
    return found
