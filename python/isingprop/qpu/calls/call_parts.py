"""How problems become calls of a chip that holds several copies of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from isingprop.util.checks import whole_number


class Slot(NamedTuple):
    """What one copy does in a call: reads first_read ... first_read + count - 1 of a task."""

    task: int
    first_read: int
    #: At least 1 and at most the reads of the call; what the copy reads beyond it is dropped. It hides tuple.count().
    count: int  # type: ignore[assignment]


@dataclass(frozen=True)
class Part:
    """One call."""

    slots: tuple[Slot, ...]  #: one for each copy in use, at most as many as there are copies
    reads: int  #: num_reads of the call, the same for all copies


def split(num_tasks: int, reads: int, copies: int) -> list[Part]:
    """Shares `reads` reads of each task out over calls.

        tasks >= copies: ceil(tasks / copies) calls, each of up to `copies` tasks and all their reads;
        tasks < copies:  one call of ceil(reads / k) reads, each task on up to k = floor(copies / tasks) copies.

    Args:
        num_tasks: problems with fields (and, from references, a start state) of their own, at least 1.
        reads: of each task, at least 1.
        copies: disjoint copies of the network on the chip, at least 1.

    Returns:
        The calls in order; tasks in order within and across them. Each read of each task occurs exactly once.

    Raises:
        ValueError: for a number below 1.

    Example:
        >>> split(num_tasks=2, reads=5, copies=5)
        [Part(slots=(Slot(task=0, first_read=0, count=3), Slot(task=0, first_read=3, count=2), \
Slot(task=1, first_read=0, count=3), Slot(task=1, first_read=3, count=2)), reads=3)]
        >>> [len(part.slots) for part in split(num_tasks=50, reads=20, copies=4)]
        [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2]
    """
    num_tasks = whole_number("num_tasks", num_tasks, least=1)
    reads = whole_number("reads", reads, least=1)
    copies = whole_number("copies", copies, least=1)
    per_copy = -(-reads // max(1, copies // num_tasks))
    calls = (range(first, min(first + copies, num_tasks)) for first in range(0, num_tasks, copies))
    return [
        Part(tuple(slot for task in tasks for slot in _slots(task, reads, per_copy)), per_copy)
        for tasks in calls
    ]


def _slots(task: int, reads: int, per_copy: int) -> list[Slot]:
    return [Slot(task, first, min(per_copy, reads - first)) for first in range(0, reads, per_copy)]
