"""A cache of embeddings in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding
from isingprop.qpu.embed.find_copies import ALGORITHM, Packed, search
from isingprop.qpu.embed.lines import Chains
from isingprop.util.checked_files import load_json, save_json
from isingprop.util.checks import whole_number

_PROGRESS = ("tried", "work", "work_to_best")  # of Packed, how far a search went


def copies_of(
    graph: WorkingGraph, num_hidden: int, num_output: int, seconds: float | None = None
) -> list[Embedding]:
    """Returns what `find_copies` finds, from the cache folder where it is stored there.

    Better copies are stored as soon as they are found, where the folder can be written, so that a
    search that was ended goes on where it was. The other arguments, the result and the errors are
    those of `find_copies`.

    Args:
        graph: the chip.
        num_hidden: H, hidden spins.
        num_output: O, output spins.
        seconds: time to go on beyond what is stored; None: until the search ends by itself.
    """
    found = _stored(graph, num_hidden, num_output)
    copies = [] if found is None else found.copies
    if found is None or seconds is not None or not found.is_final:
        for better in search(graph, num_hidden, num_output, known=found, seconds=seconds):
            _store(graph, num_hidden, num_output, better)
            copies = better.copies
    return copies


def stored_copies(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding] | None:
    """Returns the stored copies of a search that has ended by itself, or None."""
    found = _stored(graph, num_hidden, num_output)
    return found.copies if found is not None and found.is_final else None


def _stored(graph: WorkingGraph, num_hidden: int, num_output: int) -> Packed | None:
    """Returns what is stored, checked against the graph; None where there is nothing valid."""
    key = _key(graph, num_hidden, num_output)
    try:
        content = load_json(_path(key), "embeddings")
        copies = [
            Embedding(_chains(copy["hidden"]), _chains(copy["output"]))
            for copy in content["copies"]
        ]
        valid = content["key"] == key and _valid(copies, graph, num_hidden, num_output)
        progress = [whole_number(name, content[name], least=0) for name in _PROGRESS]
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None  # the file is missing or damaged

    return Packed(copies, *progress) if valid else None


def _store(graph: WorkingGraph, num_hidden: int, num_output: int, found: Packed) -> None:
    """Stores copies. Without a folder that can be written, the next call searches again."""
    if not found.copies:
        return

    key = _key(graph, num_hidden, num_output)
    content = {
        "key": key,
        **{name: getattr(found, name) for name in _PROGRESS},
        "copies": [{"hidden": copy.hidden, "output": copy.output} for copy in found.copies],
    }
    path = _path(key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_json(path, content)


def _key(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[str | int]:
    """Returns all that determines the copies.

    The graph's name is no part of it, so that a chip and its emulation share them.
    """
    return [ALGORITHM, graph.digest, int(num_hidden), int(num_output)]


def _path(key: list[str | int]) -> Path:
    """Returns the file for a key, which is named by the key's digest."""
    import pooch

    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    return Path(pooch.os_cache("isingprop")) / "embeddings" / f"{name}.json"


def _valid(copies: list[Embedding], graph: WorkingGraph, num_hidden: int, num_output: int) -> bool:
    """Returns whether there are copies of K_{H,O}, all disjoint, that fit on the graph."""
    qubits = [qubit for copy in copies for qubit in copy.qubits]
    return (
        len(copies) > 0
        and len(set(qubits)) == len(qubits)
        and all((len(copy.hidden), len(copy.output)) == (num_hidden, num_output) for copy in copies)
        and all(copy.fits(graph) for copy in copies)
    )


def _chains(value: Any) -> Chains:
    """Returns chains read from JSON as tuples; qubits must be int, and not bool."""
    if not all(type(qubit) is int for chain in value for qubit in chain):
        raise TypeError
    return tuple(tuple(chain) for chain in value)
