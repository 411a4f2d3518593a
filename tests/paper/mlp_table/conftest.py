"""Fixtures of the MLP paper's tables."""

import pytest

import isingprop as ip
from isingprop.paper.common import study_setup as papers_setup
from isingprop.paper.mlp_table import table_jobs as mlp_table_runs
from isingprop.paper.mlp_table import table_study as mlp_table


@pytest.fixture(autouse=True)
def _no_data_but_what_a_test_names(monkeypatch):
    def refuse(name):
        raise ConnectionError(f"no network for {name}")

    monkeypatch.delenv("ISINGPROP_DATA", raising=False)
    monkeypatch.setattr(ip.data.load, "download", refuse)
    mlp_table._sources.cache_clear()
    papers_setup._load.cache_clear()


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures take longer than all the rest."""
    monkeypatch.setattr(mlp_table, "plot", lambda outcomes: None)
    monkeypatch.setattr(papers_setup.Setup, "write_picture", lambda *_: None)


@pytest.fixture(autouse=True)
def three_trials_per_seed(monkeypatch):
    """Of which the tests count the successes."""
    monkeypatch.setattr(mlp_table_runs, "_TRIALS_PER_SEED", 3)
