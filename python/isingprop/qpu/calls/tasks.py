"""Tasks: the requests of a sampler, named independently of any chip, and states from answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from isingprop.problem import IsingProblem, all_fields
from isingprop.qpu.calls.call_data import Answer
from isingprop.qpu.calls.record import Index
from isingprop.states import QPUUsage, States
from isingprop.util.checks import Floats, Spins, broadcast_starts

# Version of the content of a request's digest; answers with another version are not found.
_VERSION = 1


@dataclass(frozen=True, eq=False)
class Task:
    """The reads of one problem that share a start state, or have none."""

    request: str  #: digest of the problem, its start state, the seed and the sampler's settings
    problem: int  #: index of the problem
    reads: tuple[int, ...]  #: indices of the reads that this task gives
    start: Spins | None  #: (N,), the start state
    num_reads: int  #: reads that the chip makes for it, at least len(reads)


class MissingReads(NamedTuple):
    """The reads first ... first + num_reads - 1 of a task, which no recorded answer has."""

    task: Task
    first: int
    num_reads: int


def tasks_of(
    problem: IsingProblem,
    num_reads: int,
    seed: int,
    initial: Spins | None,
    settings: Mapping[str, Any],
) -> list[Task]:
    """Returns one task for each problem and each of its different start states.

    Args:
        problem: B problems.
        num_reads: R, reads of each problem.
        seed: seed of the request.
        initial: start states, (B, R, N) or with a length of 1 in place of B or R, or None.
        settings: settings of the sampler, which are part of the digest; "num_reads" are the reads
            that the chip makes at least for each task, or None.
    """
    starts = (
        None
        if initial is None
        else broadcast_starts(initial, (len(problem), num_reads, problem.num_spins))
    )
    couplings = hashlib.sha256(problem.couplings.astype("<f8").tobytes()).hexdigest()
    fields = all_fields(problem).astype("<f8")
    least_reads = settings.get("num_reads") or 1

    tasks = []
    for b, stream in enumerate(problem.streams.tolist()):
        for start, reads in _by_start(None if starts is None else starts[b], num_reads):
            counts = num_reads, seed, stream, reads
            content = [_VERSION, settings, *counts, problem.couplings.shape, couplings]
            digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
            digest.update(fields[b].tobytes() + (b"" if start is None else start.tobytes()))
            made = max(len(reads), least_reads)
            tasks.append(Task(digest.hexdigest(), b, tuple(reads), start, made))
    return tasks


def missing_reads(tasks: Sequence[Task], index: Index | None = None) -> list[MissingReads]:
    """Returns the reads of tasks that the answers in an index do not have.

    Equal problems of one stream are one request, whose answer serves all of them: only one of the
    tasks is in the result.

    Args:
        tasks: the tasks.
        index: the recorded answers; None: there are none.
    """
    missing = []
    for task in {task.request: task for task in tasks}.values():
        gaps = [(0, task.num_reads)]
        if index is not None:
            gaps = index.missing(task.request, task.num_reads)
        missing += [MissingReads(task, first, num_reads) for first, num_reads in gaps]
    return missing


def _by_start(starts: Spins | None, num_reads: int) -> list[tuple[Spins | None, list[int]]]:
    """Returns the different states among start states (R, N), each with its reads."""
    if starts is None:
        return [(None, list(range(num_reads)))]

    found: dict[bytes, list[int]] = {}
    for r, start in enumerate(starts):
        found.setdefault(start.tobytes(), []).append(r)
    return [(starts[reads[0]], reads) for reads in found.values()]


def states_of(
    problem: IsingProblem,
    num_reads: int,
    seed: int,
    tasks: Sequence[Task],
    index: Index,
    *,
    descend: bool,
) -> States:
    """Returns the states of answered tasks.

    A task has its reads in order or, where the chip made more than were requested, those of lowest
    energy. `info` has beta_effective of all reads as the chip returned them.

    Args:
        problem: B problems.
        num_reads: R, reads of each problem.
        seed: seed of the request, for `info`.
        tasks: tasks that together give all reads.
        index: the recorded answers.
        descend: whether reads end with a zero-temperature descent.
    """
    spins = np.empty((len(problem), num_reads, problem.num_spins), np.int8)
    raw: list[list[Spins]] = [[] for _ in range(len(problem))]
    answers: dict[str, Answer] = {}
    for task in tasks:
        reads, parts = index.reads(task.request)
        answers |= {answer.call.label: answer for answer in parts}

        alone = problem[task.problem : task.problem + 1]
        reads = _break_ties(alone, reads)
        ends = alone.descended(reads[None])[0] if descend else reads
        kept = np.arange(len(reads))
        if len(reads) > len(task.reads):
            kept = alone.energies(ends[None])[0].argsort(kind="stable")[: len(task.reads)]
        raw[task.problem].append(reads)
        spins[task.problem, list(task.reads)] = ends[kept]

    all_reads = np.stack([np.concatenate(each) for each in raw])
    beta = States.trusted(all_reads, np.empty(0), {}).beta_effective(problem)
    costs = _call_info(list(answers.values()))
    usage = QPUUsage(
        costs["qpu_seconds"],
        costs["chain_break_fraction"],
        costs["clipped"],
        beta,
        costs["calls_estimated"],
        costs["energies_wrong"],
    )
    info = {"seed": seed, "sampler": "DWave", **costs, "beta_effective": beta}
    return States.trusted(spins, problem.energies(spins), info).changed(qpu_usage=usage)


def _break_ties(problem: IsingProblem, reads: Spins) -> Spins:
    """Gives each spin that is 0, for a tie in its chain, the sign of lower energy.

    Hidden spins come first. `reads` are (n, N) states of one problem, as is the result.
    """
    if reads.all():
        return reads

    hidden, output = np.split(reads, [problem.num_hidden], axis=1)
    fields = problem.hidden_fields + output @ problem.couplings.T
    hidden = np.where(hidden == 0, _lower(fields), hidden)
    fields = problem.output_fields + hidden @ problem.couplings
    output = np.where(output == 0, _lower(fields), output)
    return np.concatenate([hidden, output], axis=1, dtype=np.int8)


def _lower(fields: Floats) -> Spins:
    """Returns the spins of lowest energy in local fields; +1 where a field is 0."""
    return np.where(fields > 0, -1, 1).astype(np.int8)


def _call_info(answers: list[Answer]) -> dict[str, Any]:
    """Returns the entries of `info` on the calls that the states come from."""
    calls: list[dict[str, Any]] = [
        {
            "label": answer.call.label,
            "problem_id": answer.call.problem_id,
            "chain_break_fraction": answer.chain_break_fraction,
            "timing": dict(answer.timing),
            "energies_wrong": answer.call.energies_wrong,
            "parameters": deepcopy(answer.call.parameters),
            **answer.call.notes,
        }
        for answer in answers
    ]

    broken = np.average(
        [answer.chain_break_fraction for answer in answers],
        weights=[answer.num_chains for answer in answers],
    )

    return {
        "calls": calls,
        "qpu_seconds": sum(answer.cost.seconds for answer in answers),
        "calls_estimated": sum(answer.cost.is_estimate for answer in answers),
        "energies_wrong": sum(answer.call.energies_wrong or 0 for answer in answers),
        "chain_break_fraction": float(broken),
        "clipped": sum(call["clipped"] for call in calls),
    }
