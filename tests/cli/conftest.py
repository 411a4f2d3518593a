"""Commands and finished runs that several files share."""

import json
from pathlib import Path

import pytest

from helpers.cli import cli_runs
from helpers.cli.cli_reproduce import TWO_SEEDS
from helpers.dwave.chip_commands import SMALL, run


@pytest.fixture
def isingprop(capfd, monkeypatch, tmp_path):
    """Runs the command in tmp_path."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(capfd, monkeypatch, *arguments)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A run of each mode that nothing stopped: its folder and what it printed."""
    made = {}

    def whole(sampler, isingprop) -> tuple[Path, dict]:
        if sampler not in made:
            folder = tmp_path_factory.mktemp(sampler) / "run"
            done = isingprop("train", *SMALL, "--sampler", sampler, "--out", folder, "--json")
            assert done.code == 0, done.err
            made[sampler] = folder, json.loads(done.out)
        return made[sampler]

    return whole


@pytest.fixture(scope="session")
def fig4(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fig4")
    result = cli_runs.isingprop(
        "reproduce", "fig4", *TWO_SEEDS, "--workers", "2", "--out", "out", cwd=folder
    )
    assert result.returncode == 0, result.stderr
    return folder, result
