"""How reads of problems are shared out over calls to a chip with copies of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from isingprop.util.checks import whole_number


class Slot(NamedTuple):
    """Some reads of a task, which one copy of the network samples in a call.

    They are its reads first_read ... first_read + count - 1.
    """

    task: int
    first_read: int
    #: At least 1 and at most the reads of the call; further reads of the copy are dropped.
    count: int  # type: ignore[assignment]  # hides tuple.count()


@dataclass(frozen=True)
class Part:
    """The share of one call: its number of reads, and the work of each copy in it."""

    slots: tuple[Slot, ...]  #: one for each copy in use
    reads: int  #: num_reads of the call, same for all copies


def split(num_tasks: int, reads: int, copies: int) -> list[Part]:
    """Shares `reads` reads of each task out over calls.

        tasks >= copies: ceil(tasks / copies) calls, each of up to `copies` tasks and all their
        reads; tasks < copies:  one call of ceil(reads / k) reads, each task on up to k =
        floor(copies / tasks) copies.

    Args:
        num_tasks: number of tasks, each with its own fields and start state, at least 1.
        reads: reads of each task, at least 1.
        copies: number of disjoint copies of the network on the chip, at least 1.

    Returns:
        The calls; tasks are in order within and across them. Each read of each task occurs exactly
        once.

    Raises:
        ValueError: for a number below 1.

    Example:
        >>> [call] = split(num_tasks=2, reads=5, copies=5)
        >>> call.reads, [tuple(slot) for slot in call.slots]  # (task, first read, count)
        (3, [(0, 0, 3), (0, 3, 2), (1, 0, 3), (1, 3, 2)])
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
    """Returns slots that together make all reads of a task, up to `per_copy` of them in each."""
    return [Slot(task, first, min(per_copy, reads - first)) for first in range(0, reads, per_copy)]
