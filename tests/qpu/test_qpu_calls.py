"""Tests of calls: which copy reads what in which call."""

import itertools
from collections import Counter

import pytest

from isingprop.qpu.calls.call_parts import Part, Slot, split

CASES = list(itertools.product(range(1, 14), range(1, 14), range(1, 8)))


def all_slots(parts):
    return [slot for part in parts for slot in part.slots]


def test_each_read_of_each_task_occurs_exactly_once():
    for tasks, reads, copies in CASES:
        parts = split(tasks, reads, copies)
        done = Counter(
            (slot.task, slot.first_read + k) for slot in all_slots(parts) for k in range(slot.count)
        )
        assert done == Counter(itertools.product(range(tasks), range(reads))), (
            tasks,
            reads,
            copies,
        )


def test_no_copy_is_idle_or_reads_more_than_its_call_does():
    for tasks, reads, copies in CASES:
        for part in split(tasks, reads, copies):
            assert 1 <= len(part.slots) <= copies
            assert all(1 <= slot.count <= part.reads for slot in part.slots)
            assert max(slot.count for slot in part.slots) == part.reads


def test_as_many_tasks_as_copies_or_more_fill_calls_in_order():
    for tasks, reads, copies in CASES:
        if tasks >= copies:
            parts = split(tasks, reads, copies)
            assert len(parts) == -(-tasks // copies)
            assert all(len(part.slots) == copies for part in parts[:-1])
            assert {part.reads for part in parts} == {reads}
            assert all_slots(parts) == [Slot(task, 0, reads) for task in range(tasks)]


def test_fewer_tasks_than_copies_share_one_call_with_the_fewest_reads():
    for tasks, reads, copies in CASES:
        if tasks < copies:
            [part] = split(tasks, reads, copies)
            spread = copies // tasks
            assert part.reads == -(-reads // spread)
            assert list(part.slots) == sorted(part.slots)
            assert max(Counter(slot.task for slot in part.slots).values()) <= spread


@pytest.mark.parametrize(
    ("tasks", "reads", "copies", "parts"),
    [
        (1, 1, 1, [Part((Slot(0, 0, 1),), 1)]),
        (3, 2, 2, [Part((Slot(0, 0, 2), Slot(1, 0, 2)), 2), Part((Slot(2, 0, 2),), 2)]),
        (1, 20, 3, [Part((Slot(0, 0, 7), Slot(0, 7, 7), Slot(0, 14, 6)), 7)]),
        (1, 5, 4, [Part((Slot(0, 0, 2), Slot(0, 2, 2), Slot(0, 4, 1)), 2)]),
        (2, 1, 5, [Part((Slot(0, 0, 1), Slot(1, 0, 1)), 1)]),
    ],
)
def test_calls_worked_out_by_hand(tasks, reads, copies, parts):
    assert split(tasks, reads, copies) == parts


@pytest.mark.parametrize("name", ["num_tasks", "reads", "copies"])
def test_numbers_below_one_are_refused_by_name(name):
    arguments = {"num_tasks": 1, "reads": 1, "copies": 1}
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0$"):
        split(**{**arguments, name: 0})
    with pytest.raises(TypeError, match=f"^{name} must be an integer, got 1.5$"):
        split(**{**arguments, name: 1.5})
