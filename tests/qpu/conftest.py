"""Fixtures of the records of calls."""

import pytest

from helpers.dwave.qpu_records import SETTINGS
from isingprop.qpu.calls.record import Record


@pytest.fixture
def record(tmp_path):
    return Record.of(tmp_path, SETTINGS)
