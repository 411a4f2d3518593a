"""Runs of all kinds that reports are made of, trained once."""

import pytest

from helpers.cli import cli_runs
from isingprop.cli.report.report_payload import payload_of
from isingprop.cli.run_folder import RunFolder

FEW = ("--num-train", "40", "--num-test", "60", "--epochs", "2")
RUNS = {
    "class-states": ("--hidden", "12", "--snapshots"),
    "anneal": ("--hidden", "12", "--snapshots", "--recipe", "paper", "--num-states", "3"),
    "deep": ("--hidden", "8,7", "--num-states", "2"),
}


@pytest.fixture(scope="session")
def run_of(tmp_path_factory):
    """run_of(kind): the folder of a run, whose files must stay as they are."""
    made = {}

    def run_of(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            done = cli_runs.isingprop("train", *FEW, *RUNS[kind], "--out", kind, cwd=folder)
            assert done.returncode == 0, done.stderr
            made[kind] = folder / kind
        return made[kind]

    return run_of


@pytest.fixture(scope="session")
def report_of(run_of):
    """report_of(kind): the run and the numbers of its page."""
    made = {}

    def report_of(kind):
        if kind not in made:
            run = RunFolder.open(run_of(kind))
            made[kind] = run, payload_of(run)
        return made[kind]

    return report_of
