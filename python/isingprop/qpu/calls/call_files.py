"""The file of one call: a safetensors file with the call and, once it is there, its answer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.calls.call_data import Answer, Call, Tile, decode
from isingprop.qpu.settings import QUBIT_SETTINGS
from isingprop.util.checked_files import load_tensors, save_tensors
from isingprop.util.checks import Spins, check_shape

_KIND = "qpu-call"
_BITS = 8  # qubits in a byte
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
    call, timing, _ = _load(path, _ARRAYS)
    return call, timing


@lru_cache(maxsize=8)
def load_answer(path: Path) -> Answer:
    """Reads an answer. It is cached, as an answer never changes once it is written.

    Raises:
        ValueError: for a file that does not hold an answer.
    """
    call, timing, samples = _load_answer(path)
    spins, broken = decode(call, samples)
    return Answer(call, timing or {}, spins, broken)


def load_samples(path: Path) -> Spins:
    """Reads the qubits of an answer, (R, Q) in the order of the call's qubits."""
    return _load_answer(path)[2]


def _load_answer(path: Path) -> tuple[Call, dict[str, Any] | None, Spins]:
    """Reads a call, its timing data and its qubits, (R, Q)."""
    call, timing, arrays = _load(path, (*_ARRAYS, "samples"))
    bits = np.unpackbits(arrays["samples"], axis=1, count=len(call.qubits)).astype(np.int8)
    samples: Spins = 2 * bits - 1
    return call, timing, samples


def _load(
    path: Path, names: tuple[str, ...]
) -> tuple[Call, dict[str, Any] | None, dict[str, NDArray[Any]]]:
    """Reads a call, its timing data or None, and the named arrays."""
    arrays, metadata = load_tensors(path, _KIND, names)

    try:
        head = dict(json.loads(metadata["call"]))
        timing = head.pop("timing", None)
        head.pop("chain_break_fraction", None)
        head["tiles"] = tuple(Tile(**tile) for tile in head["tiles"])
        given: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        by_qubit = {name: arrays[name] for name in QUBIT_SETTINGS if name in arrays}
        call = Call(**given, **head, by_qubit=by_qubit)
        if call_path(path.parent, call.label) != path:
            raise ValueError(f"label must be {path.stem}, got {call.label}")
        _check(call, arrays.get("samples"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must hold a call of a chip, got {error!r}") from None

    return call, timing, arrays


def _check(call: Call, packed: NDArray[np.uint8] | None) -> None:
    """Raises ValueError where the parts of a call and its answer do not fit together.

    A file without a checksum may be damaged in any of them.
    """
    num_copies, num_spins = call.flips.shape
    num_qubits, num_reads = len(call.qubits), call.parameters["num_reads"]

    check_shape("chain_lengths", call.chain_lengths, (num_copies, num_spins))
    if (call.chain_lengths < 1).any() or call.chain_lengths.sum() != num_qubits:
        raise ValueError(f"chain_lengths must be at least 1 and sum up to {num_qubits}")
    if not 1 <= call.num_spins <= num_spins <= call.num_spins + 1:
        raise ValueError(f"num_spins must be {num_spins}, or 1 less, got {call.num_spins}")
    for name, count, least, most in (
        ("tiles", len(call.tiles), 1, num_copies),
        *(("first_read", tile.first_read, 0, math.inf) for tile in call.tiles),
        *(("count", tile.count, 1, num_reads) for tile in call.tiles),
    ):
        if not least <= count <= most:
            raise ValueError(f"{name} must be {least} to {most}, got {count}")
    if packed is not None:
        check_shape("samples", packed, (num_reads, -(-num_qubits // _BITS)))
