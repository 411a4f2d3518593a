"""Files of the Gset and of the Biq Mac Library, as binary quadratic models to be minimised.

    # comment lines, at the start only
    n m
    i j w        m lines, 1 <= i, j <= n, each pair once

A file whose name ends in .sparse is a quadratic program in bits, min x^T Q x with a symmetric Q of
which it lists one half, the diagonal included. Any other is a graph of the max-cut problem: spins
of either side of the cut, with J_ij = w_ij, and a cut of (sum of w - energy) / 2.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import dimod

QUADRATIC_PROGRAM = ".sparse"
HEADER = re.compile(r"(\d+)\s+(\d+)", re.ASCII)
ENTRY = re.compile(r"(\d+)\s+(\d+)\s+([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)", re.ASCII)


def read_model(path: Path) -> dimod.BinaryQuadraticModel:
    """Returns the model in a file, with variables 0 ... n - 1.

    Raises:
        ValueError: for anything else than the format above, with the file and the number of the
            line.
    """
    is_program = path.suffix == QUADRATIC_PROGRAM
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    start = next((k for k, line in enumerate(lines) if not line.startswith("#")), len(lines))
    num_variables, num_entries = _header(lines, start, path)

    entries: dict[tuple[int, int], float] = {}
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if not line.strip() and not any(map(str.strip, lines[number:])):
            break  # blank lines at the end
        where = f"{path}, line {number}"
        i, j, value = _entry(line, num_variables, where)
        if i == j and not is_program:
            raise ValueError(f"{where}: an edge must join two vertices, got {line!r}")
        if (i, j) in entries:
            raise ValueError(f"{where}: each pair must be given once, got {i + 1} {j + 1} again")
        entries[i, j] = value
    if len(entries) != num_entries:
        raise ValueError(
            f"{path}, line {start + 1}: {num_entries} entries must follow, got {len(entries)}"
        )

    model = dimod.BinaryQuadraticModel("BINARY" if is_program else "SPIN")
    for variable in range(num_variables):
        model.add_variable(variable)
    for (i, j), value in entries.items():
        if i == j:
            model.add_linear(i, value)
        else:
            model.add_quadratic(i, j, 2 * value if is_program else value)
    return model


def _header(lines: list[str], start: int, path: Path) -> tuple[int, int]:
    where, line = f"{path}, line {start + 1}", lines[start] if start < len(lines) else ""
    found = HEADER.fullmatch(line.strip())
    if not found:
        raise ValueError(f"{where}: two whole numbers, n and m, expected, got {line!r}")
    num_variables, num_entries = map(int, found.groups())
    if num_variables < 1:
        raise ValueError(f"{where}: n must be at least 1, got {line!r}")
    return num_variables, num_entries


def _entry(line: str, num_variables: int, where: str) -> tuple[int, int, float]:
    """Returns i <= j, which count from 0, and the value."""
    found = ENTRY.fullmatch(line.strip())
    if not found:
        raise ValueError(f"{where}: two whole numbers and a number, i j w, expected, got {line!r}")
    first, second = sorted(map(int, found.groups()[:2]))
    value = float(found[3])
    if first < 1 or second > num_variables:
        raise ValueError(f"{where}: i and j must be in 1 ... {num_variables}, got {line!r}")
    if not math.isfinite(value):
        raise ValueError(f"{where}: w must be finite, got {line!r}")
    return first - 1, second - 1, value
