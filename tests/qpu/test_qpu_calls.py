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


def test_a_call_makes_no_more_reads_of_a_task_than_are_allowed():
    for (tasks, reads, copies), most in itertools.product(CASES[::7], (1, 2, 5)):
        parts = split(tasks, reads, copies, reads_of_task=most)
        done = Counter(
            (slot.task, slot.first_read + k) for slot in all_slots(parts) for k in range(slot.count)
        )
        assert done == Counter(itertools.product(range(tasks), range(reads)))
        for part in parts:
            made = Counter()
            for slot in part.slots:
                made[slot.task] += slot.count
            assert max(made.values()) <= most
        assert len(parts) == -(-tasks // copies) * -(-reads // most)


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


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_calls_that_may_make_few_reads_make_all_of_them_all_the_same(most):
    for tasks, reads, copies in CASES:
        parts = split(tasks, reads, copies, lambda used: (1, most))
        done = Counter(
            (slot.task, slot.first_read + k) for slot in all_slots(parts) for k in range(slot.count)
        )
        assert done == Counter(itertools.product(range(tasks), range(reads)))
        assert max(part.reads for part in parts) <= most
        assert all(max(slot.count for slot in part.slots) == part.reads for part in parts)
        assert all(len(part.slots) <= copies for part in parts)
        if reads <= most:
            assert parts == split(tasks, reads, copies)
        spread = max(1, copies // tasks)
        assert len(parts) == -(-reads // (spread * most)) * -(-tasks // copies)


def test_the_calls_for_what_is_left_after_some_calls_are_the_others():
    for tasks, reads, copies in CASES:
        if tasks > copies:
            continue
        parts = split(tasks, reads, copies, lambda used: (1, 2))
        for done, part in enumerate(parts):
            first = part.slots[0].first_read
            left = split(tasks, reads - first, copies, lambda used: (1, 2))
            moved = [
                Part(
                    tuple(slot._replace(first_read=slot.first_read + first) for slot in each.slots),
                    each.reads,
                )
                for each in left
            ]
            assert moved == parts[done:]


def test_the_max_number_of_reads_depends_on_the_copies_in_use():
    most = {4: 10, 1: 25}
    parts = split(5, 25, 4, lambda used: (1, most[used]))
    assert [(len(part.slots), part.reads) for part in parts] == [(4, 10), (4, 10), (4, 5), (1, 25)]


def test_a_call_makes_no_fewer_reads_than_it_must():
    [part] = split(1, 5, 4, lambda used: (3, 10))
    assert (part.reads, [slot.count for slot in part.slots]) == (3, [2, 2, 1])


@pytest.mark.parametrize("name", ["num_tasks", "reads", "copies"])
def test_numbers_below_one_are_refused_by_name(name):
    arguments = {"num_tasks": 1, "reads": 1, "copies": 1}
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0$"):
        split(**{**arguments, name: 0})
    with pytest.raises(TypeError, match=f"^{name} must be an integer, got 1.5$"):
        split(**{**arguments, name: 1.5})
