"""The file of one call: a safetensors file with the call and, once it is there, its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.calls.call_data import Answer, Call, Tile, decode
from isingprop.qpu.settings import QUBIT_SETTINGS
from isingprop.util.checked_files import load_tensors, save_tensors
from isingprop.util.checks import Spins

_KIND = "qpu-call"
_ARRAYS = ("qubits", "chain_lengths", "flips", "initial_state")


def call_path(folder: Path, label: str) -> Path:
    """Returns the file of a call in a record's folder."""
    return folder / f"{label}.safetensors"


def save_call(
    folder: Path, call: Call, samples: Spins | None = None, timing: Mapping[str, Any] | None = None
) -> None:
    """Writes a call, and its answer where `samples` are given.

    Args:
        folder: folder of the record.
        call: the call.
        samples: (R, Q) qubits in the order of call.qubits, written as one bit each.
        timing: D-Wave's timing data of the answer.
    """
    arrays: dict[str, NDArray[Any]] = {name: getattr(call, name) for name in _ARRAYS}
    arrays |= call.by_qubit
    head = {
        "label": call.label,
        "tiles": [vars(tile) for tile in call.tiles],
        "num_spins": call.num_spins,
        "parameters": call.parameters,
        "notes": call.notes,
        "problem_id": call.problem_id,
        "energies_wrong": call.energies_wrong,
    }

    if samples is not None:
        arrays["samples"] = np.packbits(samples > 0, axis=1)
        head |= {"timing": dict(timing or {}), "chain_break_fraction": decode(call, samples)[1]}

    save_tensors(
        call_path(folder, call.label), _KIND, arrays, {"call": json.dumps(head, allow_nan=False)}
    )


def load_call(path: Path) -> tuple[Call, dict[str, Any] | None]:
    """Reads a call without its answer.

    Returns:
        (call, timing data), which is None where the call is not answered.

    Raises:
        ValueError: for a file that does not hold a call.
    """
    arrays, metadata = load_tensors(path, _KIND, _ARRAYS)

    try:
        head = dict(json.loads(metadata["call"]))
        timing = head.pop("timing", None)
        head.pop("chain_break_fraction", None)
        head["tiles"] = tuple(Tile(**tile) for tile in head["tiles"])
        given: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        by_qubit = {name: arrays[name] for name in QUBIT_SETTINGS if name in arrays}
        call = Call(**given, **head, by_qubit=by_qubit)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must hold a call of a chip, got {error!r}") from None

    return call, timing


@lru_cache(maxsize=8)
def load_answer(path: Path) -> Answer:
    """Reads an answer. It is cached, as an answer never changes once it is written."""
    call, timing = load_call(path)
    spins, broken = decode(call, load_samples(path))
    return Answer(call, timing or {}, spins, broken)


def load_samples(path: Path) -> Spins:
    """Reads the qubits of an answer, (R, Q) in the order of the call's qubits."""
    arrays = load_tensors(path, _KIND, ("samples", "qubits"))[0]
    bits = np.unpackbits(arrays["samples"], axis=1, count=len(arrays["qubits"])).astype(np.int8)
    samples: Spins = 2 * bits - 1
    return samples
