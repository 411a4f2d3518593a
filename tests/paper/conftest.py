"""Fixtures of all studies."""

import pytest
from threadpoolctl import threadpool_limits

from isingprop.paper.common.study_setup import Setup


@pytest.fixture(autouse=True)
def one_thread():
    """As in a worker: two that wait for each other take many times as long where there is other
    work.
    """
    with threadpool_limits(1):
        yield


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures take longer than all the rest."""
    monkeypatch.setattr(Setup, "write_picture", lambda *_: None)


@pytest.fixture
def figures(monkeypatch):
    """The figures of all pictures by name, which are not written."""
    drawn = {}
    monkeypatch.setattr(
        Setup, "write_picture", lambda self, name, figure, *_: drawn.update({name: figure})
    )
    return drawn
