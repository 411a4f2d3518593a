"""Answers of a chip on disk: each call is written before it is sent, and its answer before it is used."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.calls.program import majority
from isingprop.util.checks import Spins
from isingprop.util.files import load_tensors, save_tensors, write_atomically

_KIND = "qpu-call"
_ARRAYS = ("qubits", "chain_lengths", "flips", "initial_state")
_MICROSECONDS = 1e-6


@dataclass(frozen=True, eq=False)
class Tile:
    """What one copy of the network does in a call."""

    request: str  #: digest of the problem and of all that was asked of it
    copy: int
    first_read: int
    count: int  #: of the call's reads, those that are used


@dataclass(frozen=True, eq=False)
class Call:
    """One submission to a chip: all that is needed to make spins of its answer, whoever gets it."""

    label: str
    tiles: tuple[Tile, ...]
    num_spins: int  #: of a problem, without an apex
    qubits: NDArray[np.int32]  #: (Q,) in use, chain by chain
    chain_lengths: NDArray[np.int32]  #: (S, spins of a copy)
    flips: Spins  #: (S, spins of a copy), the spin reversal of each
    initial_state: Spins  #: (Q,), or (0,) where there is none
    parameters: dict[str, Any]  #: of the solver, without label and initial_state
    notes: dict[
        str, Any
    ]  #: solver, graph id, scale, chain strength, clipped values, estimated seconds
    problem_id: str | None = None

    def solver_parameters(self) -> dict[str, Any]:
        """All that the solver is given beside the problem and its label."""
        if not self.initial_state.size:
            return dict(self.parameters)
        start = dict(zip(self.qubits.tolist(), self.initial_state.tolist(), strict=True))
        return {**self.parameters, "initial_state": start}


@dataclass(frozen=True, eq=False)
class Answer:
    """Spins of one call."""

    call: Call
    timing: dict[str, Any]  #: D-Wave's, in microseconds
    spins: Spins  #: (S, R, N), 0 where half of a chain's qubits are +1
    chain_break_fraction: float  #: of all chains of all reads

    @property
    def num_chains(self) -> int:
        """Of all copies in all reads."""
        return int(self.spins.shape[1]) * self.call.chain_lengths.size

    @property
    def seconds(self) -> float:
        """What was charged."""
        return float(self.timing.get("qpu_access_time", 0.0)) * _MICROSECONDS


class Record:
    """A folder of calls: settings.json, and one safetensors file for each call, with its answer as soon as it is here.

    Make one with `of`. It is locked for other processes as long as it is referred to.

    Raises:
        ValueError: for a folder with the answers of another sampler, or a file that does not read.
        BlockingIOError: for a folder in which another process writes.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """See `of`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.settings = settings
        _check_settings(
            folder, settings
        )  # a better reason for a refusal than the lock, where there are both
        self._lock = _locked(folder / "lock")
        self._process = os.getpid()
        self._unlock = weakref.finalize(self, os.close, self._lock)
        self._users: weakref.WeakSet[object] = weakref.WeakSet()
        self.turn = threading.RLock()  #: held by the thread that asks for what is missing
        try:
            if not _check_settings(folder, settings):
                write_atomically(
                    folder / "settings.json", json.dumps(settings, indent=2).encode() + b"\n"
                )
            self.index = Index(folder)
        except BaseException:  # whose traceback would keep the folder locked
            self._unlock()
            raise

    @classmethod
    def of(cls, folder: Path, settings: Mapping[str, Any], user: object | None = None) -> Record:
        """The record in a folder, which is made where it does not exist.

        Two samplers of one process share it, as where a notebook's cell is run again.

        Args:
            folder: of all calls.
            settings: of the sampler, as JSON has them; a folder keeps the answers of one.
            user: who calls `leave` in the end, or None.
        """
        key = folder.resolve()
        with _OPENING:
            record = _OPEN.get(key)
            if record is None or record.settings != settings or not record.is_there():
                record = _OPEN[key] = cls(folder, settings)
            if user is not None:
                record._users.add(user)
        return record

    def leave(self, user: object) -> None:
        """Unlocks the folder after the last user, whoever may still refer to it: the frames of an exception do."""
        self._users.discard(user)
        if not self._users:
            self._unlock()

    def is_there(self) -> bool:
        """Whether the folder is still the one that is locked, by this process and not by one it was forked from."""
        if not self._unlock.alive or self._process != os.getpid():
            return False
        try:
            return os.path.samestat(os.fstat(self._lock), (self.folder / "lock").stat())
        except OSError:
            return False

    def begin(self, call: Call) -> None:
        """Writes a call that is about to be sent."""
        _save(self.folder, call, None, {})
        self.index.add(call, None)

    def identify(self, call: Call, problem_id: str) -> Call:
        """Writes the id under which D-Wave keeps the answer."""
        call = replace(call, problem_id=problem_id)
        self.begin(call)
        return call

    def finish(self, call: Call, samples: Spins, timing: Mapping[str, Any]) -> None:
        """Writes the answer: (R, Q) qubits in the order of call.qubits."""
        _save(self.folder, call, samples, timing)
        self.index.add(call, dict(timing))

    def drop(self, call: Call) -> None:
        """Forgets a call that D-Wave did not take or did not answer; nothing was charged for it."""
        self.index.remove(call)
        _path(self.folder, call.label).unlink(missing_ok=True)


class Index:
    """Which requests a folder has answers of."""

    def __init__(self, folder: Path) -> None:
        """Reads the heads of all calls."""
        self._folder = folder
        self._answered: dict[str, str] = {}
        self.pending: dict[str, Call] = {}  #: by label: calls without an answer
        self.seconds = 0.0  #: charged for all answers
        for path in sorted(folder.glob("*.safetensors")):
            call, timing = _load_head(path)
            self.add(call, timing)

    def __contains__(self, request: str) -> bool:
        """Whether it was answered."""
        return request in self._answered

    def add(self, call: Call, timing: dict[str, Any] | None) -> None:
        """Takes note of a call on disk, answered where there is a timing."""
        if timing is None:
            self.pending[call.label] = call
            return
        self.pending.pop(call.label, None)
        self._answered |= {tile.request: call.label for tile in call.tiles}
        self.seconds += float(timing.get("qpu_access_time", 0.0)) * _MICROSECONDS

    def remove(self, call: Call) -> None:
        """Forgets a call without an answer."""
        self.pending.pop(call.label, None)

    def reads(self, request: str) -> tuple[Spins, Answer]:
        """The states that were read for a request, (n, N) with 0 for ties, and the answer that they are from."""
        answer = _load_answer(_path(self._folder, self._answered[request]))
        tiles = sorted(enumerate(answer.call.tiles), key=lambda each: each[1].first_read)
        parts = [answer.spins[k, : tile.count] for k, tile in tiles if tile.request == request]
        return np.concatenate(parts), answer


def read_settings(folder: Path) -> dict[str, Any]:
    """Those of the sampler whose answers the folder holds."""
    path = folder / "settings.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} must be a folder of recorded answers, got one without settings.json"
        )
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} must hold the settings of a sampler, got {error}") from None


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> bool:
    """Whether the folder has settings; they are found to be these."""
    if not (folder / "settings.json").exists():
        return False
    if (saved := read_settings(folder)) != settings:
        raise ValueError(
            f"record {folder} must hold answers of {dict(settings)}, got those of {saved}"
        )
    return True


def decode(call: Call, samples: Spins) -> tuple[Spins, float]:
    """Spins (S, R, N) of a call from its qubits (R, Q), by majority, and the fraction of chains that are broken.

    Where there is a tie the spin is 0, but for an apex, which is +1.
    """
    spins, broken = majority(samples, call.chain_lengths.ravel())
    # (R, S, spins), each as it was before the spin reversal
    logical = spins.reshape(len(samples), *call.flips.shape) * call.flips
    if (
        call.flips.shape[1] > call.num_spins
    ):  # all states come in pairs; the one with the apex up is meant
        apex = logical[:, :, -1:]
        logical = logical[:, :, :-1] * (apex + (apex == 0))
    return np.ascontiguousarray(logical.swapaxes(0, 1)), float(broken.mean())


def _path(folder: Path, label: str) -> Path:
    return folder / f"{label}.safetensors"


def _save(folder: Path, call: Call, samples: Spins | None, timing: Mapping[str, Any]) -> None:
    arrays: dict[str, NDArray[Any]] = {name: getattr(call, name) for name in _ARRAYS}
    head = {
        "label": call.label,
        "tiles": [vars(tile) for tile in call.tiles],
        "num_spins": call.num_spins,
        "parameters": call.parameters,
        "notes": call.notes,
        "problem_id": call.problem_id,
    }
    if samples is not None:
        arrays["samples"] = np.packbits(samples > 0, axis=1)
        head |= {"timing": dict(timing), "chain_break_fraction": decode(call, samples)[1]}
    save_tensors(_path(folder, call.label), _KIND, arrays, {"call": json.dumps(head)})


def _load_head(path: Path) -> tuple[Call, dict[str, Any] | None]:
    arrays, metadata = load_tensors(path, _KIND, _ARRAYS)
    try:
        head = dict(json.loads(metadata["call"]))
        timing = head.pop("timing", None)
        head.pop("chain_break_fraction", None)
        head["tiles"] = tuple(Tile(**tile) for tile in head["tiles"])
        given: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        call = Call(**given, **head)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must hold a call of a chip, got {error!r}") from None
    return call, timing


@lru_cache(maxsize=8)
def _load_answer(path: Path) -> Answer:
    """An answer never changes once it is written."""
    call, timing = _load_head(path)
    packed = load_tensors(path, _KIND, ("samples",))[0]["samples"]
    bits = np.unpackbits(packed, axis=1, count=len(call.qubits)).astype(np.int8)
    spins, broken = decode(call, 2 * bits - 1)
    return Answer(call, timing or {}, spins, broken)


def _locked(path: Path) -> int:
    """A file that is locked until it is closed or the process ends, however it ends."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise BlockingIOError(
            f"{path.parent} must be written by one process at a time, got another at work"
        ) from None
    return file


_OPENING = threading.Lock()
_OPEN: weakref.WeakValueDictionary[Path, Record] = weakref.WeakValueDictionary()
