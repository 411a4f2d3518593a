"""A folder of recorded calls: calls are on disk before they are sent, answers before their use."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from isingprop.qpu.calls.call_data import Answer, Call, cost_of
from isingprop.qpu.calls.call_files import call_path, load_answer, load_call, save_call
from isingprop.util.checked_files import load_json, save_json
from isingprop.util.checks import Spins
from isingprop.util.files import make_folder, remove_leftovers
from isingprop.util.folder_lock import FolderLock


class Record:
    """A folder with settings.json, and one safetensors file for each call and its answer.

    `of` makes a record or shares the one that is open. A folder that is no record yet is made one
    by the first call, so that nothing is left behind where no call is made. From then on, or at
    once, the folder is locked for other processes until the record is released or collected.

    Raises:
        ValueError: for a folder with the answers of another sampler, or a file that does not read.
        BlockingIOError: for a folder in which another process writes.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Locks and reads a folder that is a record; writes nothing into any other."""
        self.folder = folder
        self.settings = settings
        self._lock: FolderLock | None = None
        self._users: weakref.WeakSet[object] = weakref.WeakSet()
        self.request_lock = threading.RLock()  #: held by the thread that requests missing answers

        if _is_record(folder):
            self._open()
        else:
            self.index = Index(folder)

    @classmethod
    def of(cls, folder: Path, settings: Mapping[str, Any], user: object | None = None) -> Record:
        """Returns the record of a folder, which need not exist.

        Samplers of one process share it, as when a notebook's cell is run again.

        Args:
            folder: folder of the calls.
            settings: settings of the sampler, as JSON has them; a folder holds the answers of one
                sampler.
            user: the object that calls `release` in the end, or None.
        """
        key = folder.resolve()
        with _OPENING:
            record = _OPEN_RECORDS.get(key)
            if record is None or record.settings != settings or not record.is_there():
                record = _OPEN_RECORDS[key] = cls(folder, settings)
            if user is not None:
                record._users.add(user)
        return record

    def release(self, user: object) -> None:
        """Removes a user, and unlocks the folder after the last one.

        The record may live on, for instance in the frames of an exception.
        """
        self._users.discard(user)
        if not self._users and self._lock is not None:
            self._lock.release()

    def is_there(self) -> bool:
        """Returns whether the folder is still the one that this process has locked, or no record.

        It is not where the record was released or the folder replaced, nor in a process that was
        forked from the one that locked it.
        """
        return not _is_record(self.folder) if self._lock is None else self._lock.holds()

    def begin(self, call: Call) -> None:
        """Writes a call that is about to be sent.

        Raises:
            ValueError, BlockingIOError: where another process has made a record of the folder since
                this one was opened.
        """
        self._save(call)
        self.index.add(call, None)

    def identify(self, call: Call, problem_id: str) -> Call:
        """Writes the id under which D-Wave keeps the answer, and returns the call with it."""
        call = replace(call, problem_id=problem_id)
        self.begin(call)
        return call

    def finish(self, call: Call, samples: Spins, timing: Mapping[str, Any]) -> None:
        """Writes the answer: (R, Q) qubits in the order of call.qubits, and its timing data."""
        self._save(call, samples, timing)
        self.index.add(call, dict(timing))

    def drop(self, call: Call) -> None:
        """Removes a call that D-Wave refused or did not answer; nothing was charged for it."""
        self.index.remove(call)
        call_path(self.folder, call.label).unlink(missing_ok=True)

    def _save(
        self, call: Call, samples: Spins | None = None, timing: Mapping[str, Any] | None = None
    ) -> None:
        """Writes a call, and its answer where there is one."""
        if self._lock is None:
            self._make()
        save_call(self.folder, call, samples, timing)

    def _make(self) -> None:
        """Makes a record of a folder that was none."""
        with _OPENING:  # other threads that look for the record wait until it is there
            make_folder(self.folder)
            self._open()
            if not self.index.is_empty:  # the calls to come were chosen without those answers
                self._lock = None
                raise BlockingIOError(
                    f"{self.folder} must be written by one process at a time, got answers of "
                    "another one; the same call again takes them"
                )
            _OPEN_RECORDS[self.folder.resolve()] = self

    def _open(self) -> None:
        """Locks the folder and reads it."""
        # Settings are also checked before the lock, since they explain a refusal better.
        _check_settings(self.folder, self.settings)
        lock = FolderLock(self.folder)
        # The traceback of an error would refer to self and keep the folder locked.
        with lock.released_on_error():
            remove_leftovers(self.folder)
            if not _check_settings(self.folder, self.settings):
                save_json(self.folder / "settings.json", self.settings, indent=2)
            self.index = Index(self.folder)
        self._lock = lock


class _Reads(NamedTuple):
    """Reads of a request that an answered call has."""

    first: int
    count: int  # type: ignore[assignment]  # hides tuple.count()
    label: str  #: of the call
    tile: int  #: index in the tiles of the call


class Index:
    """The calls in a folder: which reads are answered, and which calls wait for an answer.

    The reads of a request may come from several calls; it is answered when all of them are.
    """

    def __init__(self, folder: Path) -> None:
        """Reads all calls of the folder, without the qubits of their answers."""
        self._folder = folder
        self._answered: dict[str, list[_Reads]] = {}  # by request, latest answers first
        self.pending: dict[str, Call] = {}  #: calls without an answer by label
        self.seconds = 0.0  #: QPU access time that was charged for all answers
        self.num_estimated = 0  #: answers among these that do not say their access time
        self.energies_wrong = 0  #: reads of all answers with an energy that is not their states'
        for path in sorted(folder.glob("*.safetensors")):
            call, timing = load_call(path)
            self.add(call, timing)

    @property
    def is_empty(self) -> bool:
        """Whether there are no calls."""
        return not self._answered and not self.pending

    def missing(self, request: str, num_reads: int) -> list[tuple[int, int]]:
        """Returns which of `num_reads` reads of a request no answer has.

        Returns:
            (first read, number of reads) of each gap, in order; [] for a request that is answered.
        """
        gaps, end = [], 0
        for reads in [*self._parts(request), _Reads(num_reads, 0, "", 0)]:
            if reads.first > end:
                gaps.append((end, reads.first - end))
            end = reads.first + reads.count
        return gaps

    def add(self, call: Call, timing: dict[str, Any] | None) -> None:
        """Adds a call on disk, which is answered where there is timing data."""
        if timing is None:
            self.pending[call.label] = call
            return
        self.pending.pop(call.label, None)
        for k, tile in enumerate(call.tiles):
            reads = _Reads(tile.first_read, tile.count, call.label, k)
            self._answered.setdefault(tile.request, []).insert(0, reads)
        cost = cost_of(call, timing)
        self.seconds += cost.seconds
        self.num_estimated += cost.is_estimate
        self.energies_wrong += call.energies_wrong or 0

    def remove(self, call: Call) -> None:
        """Removes a call without an answer."""
        self.pending.pop(call.label, None)

    def reads(self, request: str) -> tuple[Spins, list[Answer]]:
        """Returns the states read for a request, (n, N) with 0 for ties, and their answers."""
        spins, answers = [], []
        for reads in self._parts(request):
            answer = load_answer(call_path(self._folder, reads.label))
            spins.append(answer.spins[reads.tile, : reads.count])
            answers.append(answer)
        return np.concatenate(spins), answers

    def _parts(self, request: str) -> list[_Reads]:
        """Returns the reads of a request in order, without those that another answer has, too."""
        parts: list[_Reads] = []
        for reads in sorted(self._answered.get(request, ()), key=lambda each: each.first):
            if not parts or reads.first >= parts[-1].first + parts[-1].count:
                parts.append(reads)
        return parts


def read_settings(folder: Path) -> dict[str, Any]:
    """Reads the settings of the sampler whose answers a folder holds.

    Raises:
        FileNotFoundError: for a folder that is no record.
        ValueError: for settings that do not read, or are not those that were written.
    """
    path = folder / "settings.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} must be a folder of recorded answers, got one without settings.json"
        )
    return load_json(path, "the settings of a sampler")


def _is_record(folder: Path) -> bool:
    """Returns whether a folder has settings or calls."""
    return (folder / "settings.json").exists() or any(folder.glob("*.safetensors"))


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> bool:
    """Returns whether a folder has settings; refuses one with those of another sampler."""
    if not (folder / "settings.json").exists():
        return False
    if (saved := read_settings(folder)) != settings:
        raise ValueError(
            f"record {folder} must hold answers of {dict(settings)}, got those of {saved}"
        )
    return True


_OPENING = threading.Lock()
# Open records by folder, while anything refers to them.
_OPEN_RECORDS: weakref.WeakValueDictionary[Path, Record] = weakref.WeakValueDictionary()
