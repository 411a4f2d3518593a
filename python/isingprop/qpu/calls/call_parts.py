"""How reads of problems are shared out over calls to a chip with copies of the network."""

from __future__ import annotations

from collections.abc import Callable
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


def split(
    num_tasks: int,
    reads: int,
    copies: int,
    reads_range: Callable[[int], tuple[int, int]] | None = None,
    reads_of_task: int | None = None,
) -> list[Part]:
    """Shares `reads` reads of each task out over calls.

        tasks >= copies: calls of up to `copies` tasks, each on one copy;
        tasks < copies:  calls of all tasks, each on up to k = floor(copies / tasks) copies

    A call makes ceil(reads / k) reads (k = 1 in the first case). Where that is more than a call may
    make, several calls make the reads of its tasks.

    Args:
        num_tasks: number of tasks, each with its own fields and start state, at least 1.
        reads: reads of each task, at least 1.
        copies: number of disjoint copies of the network on the chip, at least 1.
        reads_range: gives the min and the max number of reads of a call by the number of copies in
            use; None: calls may make any number.
        reads_of_task: max number of reads of a task in one call, at least 1; None: any number.

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
        >>> [part.reads for part in split(1, 25_000, 1, lambda copies: (1, 10_000))]
        [10000, 10000, 5000]
    """
    num_tasks = whole_number("num_tasks", num_tasks, least=1)
    reads = whole_number("reads", reads, least=1)
    copies = whole_number("copies", copies, least=1)

    parts = []
    copies_of_task = max(1, copies // num_tasks)
    for first in range(0, num_tasks, copies):
        tasks = range(first, min(first + copies, num_tasks))
        least, most = 1, reads
        if reads_range is not None:
            least, most = reads_range(len(tasks) * min(copies_of_task, reads))
        block = min(copies_of_task * most, reads_of_task or reads)
        parts += _calls(tasks, reads, copies_of_task, least, block)
    return parts


def _calls(tasks: range, reads: int, copies_of_task: int, least: int, block: int) -> list[Part]:
    """Returns the calls for some tasks, each for `block` reads of a task, but fewer in the last.

    So the calls for the reads that are left after some calls are the other calls. A call makes at
    least `least` reads.
    """
    parts = []
    for begin in range(0, reads, block):
        left = min(reads - begin, block)
        per_copy = -(-left // copies_of_task)
        slots = tuple(
            Slot(task, begin + first, min(per_copy, left - first))
            for task in tasks
            for first in range(0, left, per_copy)
        )
        parts.append(Part(slots, max(least, per_copy)))
    return parts
