"""Checks of answers before they are written: whether they fit their calls, and their own states."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.calls.call_data import Call, PreparedCall
from isingprop.util.checks import Doubles, Spins, spin_array

_MAX_ENTRIES = 100  # of timing data that are kept; D-Wave's have about ten
_MAX_TEXT = 300  # characters of an entry that are kept
_MAX_WHOLE = 2**63  # files hold whole numbers of 64 bits
_MAX_NAMED = 5  # qubits that a message names
_ROUNDING = 2.0**-53  # largest relative rounding error of a double
_BLOCK = 1_000_000  # products of two spins in memory at a time


class Reads(NamedTuple):
    """The reads of an answer as a chip gave them, one after the other."""

    samples: Spins  #: (R, Q), with the qubits in the order of the call
    energies: Doubles  #: (R,), as the answer has them


def reads_of(sampleset: Any, call: Call) -> Reads:
    """Returns the reads of an answer.

    Args:
        sampleset: the answer, a dimod.SampleSet.
        call: the call that it answers.

    Raises:
        ValueError: for an answer to another problem, or one that does not have the qubits or the
            number of reads of the call, or other values than -1 and +1.
    """
    for name, own in (("problem_id", call.problem_id), ("problem_label", call.label)):
        told = sampleset.info.get(name, own)
        if own is not None and told != own:
            raise ValueError(f"{name} must be {own}, got {told!r:.{_MAX_TEXT}}")

    variables = np.array(sampleset.variables, dtype=np.int64)
    _check_qubits(variables, call)
    counts = np.asarray(sampleset.record.num_occurrences, dtype=np.int64)
    num_reads = call.parameters["num_reads"]
    if (counts < 0).any() or counts.sum() != num_reads:
        raise ValueError(f"it must have {num_reads} reads, got {counts.sum()}")

    order = np.argsort(variables)[np.argsort(np.argsort(call.qubits))]
    rows, energies = sampleset.record.sample, sampleset.record.energy
    samples = spin_array("samples", rows, shape=(len(counts), len(variables)))
    return Reads(
        np.repeat(samples[:, order], counts, axis=0),
        np.repeat(np.asarray(energies, dtype=np.float64), counts),
    )


def num_wrong_energies(prepared: PreparedCall, reads: Reads) -> int:
    """Returns the number of reads whose energy is not that of their own states,

        E = sum_q h_q s_q + sum_qp J_qp s_q s_p.

    Energies are equal up to rounding: in any order of summation, a sum of n doubles is off by at
    most (n - 1) 2^-53 times the sum of their sizes (Higham 2002, doi:10.1137/1.9780898718027,
    Section 4.2), and both energies are such a sum.

    Args:
        prepared: the call with the problem that was sent.
        reads: its reads; an energy that is not finite counts as wrong.
    """
    qubits = prepared.call.qubits
    column = np.zeros(int(qubits.max()) + 1, np.int64)
    column[qubits] = np.arange(len(qubits))
    h = np.array([prepared.h[qubit] for qubit in qubits.tolist()])
    j = np.fromiter(prepared.j.values(), np.float64, len(prepared.j))
    ends = column[np.fromiter(chain.from_iterable(prepared.j), np.int64, 2 * len(j))]

    rows = np.ascontiguousarray(reads.samples.T)
    energies = h @ rows.astype(np.float64)
    block = max(1, _BLOCK // len(reads.samples))
    for first in range(0, len(j), block):
        u, v = ends[2 * first : 2 * (first + block)].reshape(-1, 2).T
        energies += j[first : first + block] @ (rows.take(u, axis=0) * rows.take(v, axis=0)).astype(
            np.float64
        )

    sizes = np.abs(h).sum() + np.abs(j).sum()
    tolerance = 2 * (len(h) + len(j)) * _ROUNDING * sizes
    # A comparison with NaN is false.
    return int((~(np.abs(reads.energies - energies) <= tolerance)).sum())


def plain_timing(timing: object) -> dict[str, Any]:
    """Returns the timing data of an answer as every file of JSON can hold them, whatever they are.

    Numbers that are finite, truth values and short texts stay; all else becomes text.
    """
    if not isinstance(timing, Mapping):
        return {} if timing is None else {"not a mapping": _text(timing)}

    plain: dict[str, Any] = {}
    for name, value in list(timing.items())[:_MAX_ENTRIES]:
        number = value.item() if isinstance(value, np.generic) else value
        plain[name[:_MAX_TEXT] if isinstance(name, str) else _text(name)] = (
            number if _is_plain(number) else _text(number)
        )
    return plain


def problem_id_of(told: object) -> str | None:
    """Returns the id of a problem as D-Wave told it; None for what cannot be one."""
    return told if isinstance(told, str) and 0 < len(told) <= _MAX_TEXT else None


def _check_qubits(variables: NDArray[np.int64], call: Call) -> None:
    """Raises ValueError where the variables of an answer are not the qubits of its call."""
    if np.array_equal(np.sort(variables), np.sort(call.qubits)):
        return

    text = f"it must have the {len(call.qubits)} qubits of its call, got {len(variables)}"
    differences = {
        "without": np.setdiff1d(call.qubits, variables),
        "with": np.setdiff1d(variables, call.qubits),
    }
    for word, found in differences.items():
        if found.size:
            names = ", ".join(map(str, found[:_MAX_NAMED]))
            text += f", {word} {names}{', ...' if found.size > _MAX_NAMED else ''}"
    raise ValueError(text)


def _is_plain(value: object) -> bool:
    """Returns whether JSON has a value as it is, in few characters."""
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return abs(value) < _MAX_WHOLE
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) and len(value) <= _MAX_TEXT


def _text(value: object) -> str:
    """Returns what shows a value in few characters."""
    try:
        return repr(value)[:_MAX_TEXT]
    except Exception:  # a number with too many digits, lists nested too deeply: as they come
        return f"a {type(value).__name__} that cannot be shown"
