"""What is asked of a chip, under names that do not depend on the chip, and the states that answers make of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from isingprop.problem import IsingProblem, all_fields
from isingprop.qpu.calls.record import Answer, Index
from isingprop.states import QPUUsage, States
from isingprop.util.checks import Floats, Spins, broadcast_starts

# Of what goes into a request's digest: answers recorded under another version are not found.
_VERSION = 1


@dataclass(frozen=True, eq=False)
class Task:
    """Reads of one problem, from one start state where there is one."""

    request: str  #: digest of the problem, its start state, the seed and the sampler's settings
    problem: int
    reads: tuple[int, ...]  #: of the states that are asked for, those that this task gives
    start: Spins | None  #: (N,)


def tasks_of(
    problem: IsingProblem,
    num_reads: int,
    seed: int,
    initial: Spins | None,
    settings: Mapping[str, Any],
) -> list[Task]:
    """One task for each problem and each of its different start states."""
    starts = (
        None
        if initial is None
        else broadcast_starts(initial, (len(problem), num_reads, problem.num_spins))
    )
    couplings = hashlib.sha256(problem.couplings.astype("<f8").tobytes()).hexdigest()
    fields = all_fields(problem).astype("<f8")
    tasks = []
    for b, stream in enumerate(problem.streams.tolist()):
        for start, reads in _by_start(None if starts is None else starts[b], num_reads):
            asked = [
                _VERSION,
                settings,
                num_reads,
                seed,
                stream,
                reads,
                problem.couplings.shape,
                couplings,
            ]
            digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
            digest.update(fields[b].tobytes() + (b"" if start is None else start.tobytes()))
            tasks.append(Task(digest.hexdigest(), b, tuple(reads), start))
    return tasks


def _by_start(starts: Spins | None, num_reads: int) -> list[tuple[Spins | None, list[int]]]:
    """The different start states of a problem, (R, N), and which reads begin in each."""
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
    """The states of answered tasks: their reads in order, or the lowest of more than were asked for.

    `info` has beta_effective of all reads as they came from the chip.
    """
    spins = np.empty((len(problem), num_reads, problem.num_spins), np.int8)
    raw: list[list[Spins]] = [[] for _ in range(len(problem))]
    answers: dict[str, Answer] = {}
    for task in tasks:
        reads, answer = index.reads(task.request)
        answers[answer.call.label] = answer
        alone = problem[task.problem : task.problem + 1]
        reads = _without_ties(alone, reads)
        ends = _descended(alone, reads) if descend else reads
        kept = np.arange(len(reads))
        if len(reads) > len(task.reads):
            kept = alone.energies(ends[None])[0].argsort(kind="stable")[: len(task.reads)]
        raw[task.problem].append(reads)
        spins[task.problem, list(task.reads)] = ends[kept]
    beta = States.trusted(
        np.stack([np.concatenate(each) for each in raw]), np.empty(0), {}
    ).beta_effective(problem)
    costs = _told(list(answers.values()))
    usage = QPUUsage(costs["qpu_seconds"], costs["chain_break_fraction"], costs["clipped"], beta)
    info = {"seed": seed, "sampler": "DWave", **costs, "beta_effective": beta}
    return States.trusted(spins, problem.energies(spins), info).changed(qpu_usage=usage)


def _without_ties(problem: IsingProblem, reads: Spins) -> Spins:
    """Gives each spin that is 0, for a tie in its chain, the sign that lowers the energy: first to hidden ones.

    (n, N) states of one problem in and out.
    """
    if reads.all():
        return reads
    hidden, output = np.split(reads, [problem.num_hidden], axis=1)
    hidden = np.where(
        hidden == 0, _lower(problem.hidden_fields + output @ problem.couplings.T, 1), hidden
    )
    output = np.where(
        output == 0, _lower(problem.output_fields + hidden @ problem.couplings, 1), output
    )
    return np.concatenate([hidden, output], axis=1, dtype=np.int8)


def _descended(problem: IsingProblem, reads: Spins) -> Spins:
    """Turns spins over, a layer at a time, until none would lower the energy: (n, N) of one problem in and out."""
    couplings = problem.couplings.astype(np.float64)
    hidden, output = np.split(reads, [problem.num_hidden], axis=1)
    for _ in range(problem.num_spins):  # a bound on rounding going in circles; some five are enough
        before = hidden, output
        hidden = _lower(problem.hidden_fields + output @ couplings.T, hidden)
        output = _lower(problem.output_fields + hidden @ couplings, output)
        if np.array_equal(hidden, before[0]) and np.array_equal(output, before[1]):
            break
    return np.concatenate([hidden, output], axis=1)


def _lower(fields: Floats, spins: Spins | int) -> Spins:
    """The spins of lowest energy in these local fields, and those that are there where a field is 0."""
    return np.where(fields == 0, spins, np.where(fields > 0, -1, 1)).astype(np.int8)


def _told(answers: list[Answer]) -> dict[str, Any]:
    """What `info` says of the calls that the states are from."""
    calls: list[dict[str, Any]] = [
        {
            "label": answer.call.label,
            "problem_id": answer.call.problem_id,
            "chain_break_fraction": answer.chain_break_fraction,
            "timing": dict(answer.timing),
            "parameters": deepcopy(answer.call.parameters),
            **answer.call.notes,
        }
        for answer in answers
    ]
    return {
        "calls": calls,
        "qpu_seconds": sum(answer.seconds for answer in answers),
        "chain_break_fraction": float(
            np.average(
                [answer.chain_break_fraction for answer in answers],
                weights=[answer.num_chains for answer in answers],
            )
        ),
        "clipped": sum(call["clipped"] for call in calls),
    }
