"""Calls and answers to write into records, and ways to damage them."""

import errno
import os

import numpy as np

from isingprop.qpu.calls.call_data import Call, Tile
from isingprop.qpu.calls.record import Record

SETTINGS = {"name": "DWave", "mode": "forward", "descend": True, "num_reads": None}

TIMING = {"qpu_access_time": 15_250.0, "qpu_programming_time": 15_000.0}


def a_call(
    label="isingprop-1", *, requests=("first", "second"), num_reads=3, apex=False, seed=0
) -> Call:
    """Two copies of three spins (and an apex), chains of 1 to 4 qubits, some of them turned
    over.
    """
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, (2, 3 + apex)).astype(np.int32)
    flips = random.choice(np.array([-1, 1], np.int8), lengths.shape)
    return Call(
        label=label,
        tiles=tuple(Tile(request, 2 * k, 0, num_reads - k) for k, request in enumerate(requests)),
        num_spins=3,
        qubits=random.permutation(1000)[: lengths.sum()].astype(np.int32),
        chain_lengths=lengths,
        flips=flips,
        initial_state=random.choice(np.array([-1, 1], np.int8), lengths.sum()),
        parameters={
            "num_reads": num_reads,
            "anneal_schedule": [[0.0, 1.0], [0.1, 0.3], [20.0, 1.0]],
        },
        notes={
            "solver": "a chip",
            "scale": 0.1,
            "chain_strength": 1 / 3,
            "clipped": 0,
            "estimated_seconds": 0.015,
        },
    )


def random_samples(call, seed=1):
    shape = call.parameters["num_reads"], len(call.qubits)
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), shape)


def has(index, request) -> bool:
    """Whether the first read of a request is recorded."""
    return index.missing(request, 1) == []


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def damaged(folder, damage):
    """A folder with one answer, and its file after some damage."""
    record = Record.of(folder, SETTINGS)
    call = a_call()
    record.begin(call)
    record.finish(call, random_samples(call), TIMING)
    del record
    path = folder / f"{call.label}.safetensors"
    damage(path)
    return path


def fail_for_want_of_space(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
