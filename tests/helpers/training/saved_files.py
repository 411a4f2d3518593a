"""What saving writes into a folder: its contents at any instant, and how many bytes."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def states_after_a_kill(folder, patches, work):
    """All contents of a folder in which `work` can be killed, with torn ends of files that grow."""
    states = []

    def note():
        files = contents(folder)
        if not states or states[-1] != files:
            states.append(files)

    def noted(function):
        def call(*arguments):
            note()
            result = function(*arguments)
            note()
            return result

        return call

    patches.setattr(os, "fsync", noted(os.fsync))
    patches.setattr(Path, "replace", noted(Path.replace))
    work()
    note()

    torn = []
    for before, after in pairwise(states):
        for name in set(before) & set(after):
            old, new = before[name], after[name]
            if old != new and new.startswith(old):
                middle = (len(old) + len(new)) // 2
                torn += [before | {name: new[:k]} for k in (len(old) + 1, middle, len(new) - 1)]
    assert torn, "no file grew"
    return states + torn


def bytes_per_save(folder, trainer, save, first, count):
    """The mean of the bytes that are written to save the epochs after `first`, `count` of them.

    The trainer's history is filled with copies of its first record, and saved once before.
    """
    record = trainer.history[0]
    done = len(trainer.history)
    trainer.history += [replace(record, epoch=k) for k in range(done + 1, first + 1)]
    save()
    total, before = 0, _files(folder)

    for epoch in range(first + 1, first + count + 1):
        trainer.history.append(replace(record, epoch=epoch))
        save()
        after = _files(folder)
        for name, found in after.items():
            grew = name in before and found.st_ino == before[name].st_ino
            total += found.st_size - (before[name].st_size if grew else 0)
        before = after
    return total / count


def _files(folder):
    return {path.name: path.stat() for path in folder.iterdir()}
