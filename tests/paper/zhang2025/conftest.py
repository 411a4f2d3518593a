"""Fixtures of the figures of landscapes."""

import pytest

import isingprop as ip
from helpers.paper.landscapes import InProcess, setup_in
from isingprop.paper.zhang2025 import fig2, fig3


@pytest.fixture(scope="session")
def images():
    return ip.load_data("digits", num_train=300)


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """Both figures in quick mode: the folder and what they returned."""
    folder = tmp_path_factory.mktemp("figures")
    setup = setup_in(folder)
    return folder, fig2.reproduce(setup, InProcess()), fig3.reproduce(setup, InProcess())
