"""What tests of faults ask of a local server, and what must be true in the end."""

import pytest

from helpers import tolerances
from helpers.dwave.dwave_runs import on_disk
from isingprop.qpu.calls.record import Index

H, O = 4, 3  # noqa: E741 (the field's letters)

NUM_CALLS = 3  # for six problems on two copies

# Five reads: the answer is of a length that shows when a byte is missing, which is not so of four.
ASKED = {"num_reads": 5, "seed": 1}

CLIENT_SECONDS = 0.4  # the client's patience with a request

OFFLINE = "Solver is offline"


def assert_paid_once_and_kept(sapi, qpu, states, wanted, num_calls=NUM_CALLS):
    assert len(sapi.paid) == num_calls
    assert sorted(on_disk(qpu.record)) == sorted((paid.id, True) for paid in sapi.paid)
    assert Index(qpu.record).pending == {}
    assert tolerances.same_bits(states.spins, wanted.spins)
    assert tolerances.same_bits(states.energies, wanted.energies)
    assert qpu.qpu_seconds == pytest.approx(sum(paid.qpu_access_time for paid in sapi.paid) * 1e-6)
