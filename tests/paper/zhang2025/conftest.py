"""Fixtures of the figures of landscapes."""

import pytest

import isingprop as ip
from helpers.paper.landscapes import InProcess, setup_in
from isingprop.paper.common.chip_time import qpu_seconds
from isingprop.paper.common.methods import IsingMethod
from isingprop.paper.zhang2025 import fig2, fig3, fig5


@pytest.fixture(scope="session")
def images():
    return ip.load_data("digits", num_train=300)


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """Both figures in quick mode: the folder and what they returned."""
    folder = tmp_path_factory.mktemp("figures")
    setup = setup_in(folder)
    return folder, fig2.reproduce(setup, InProcess()), fig3.reproduce(setup, InProcess())


@pytest.fixture(scope="session", autouse=True)
def true_price():
    """Fig. 5's price of a method on a QPU, in place of which all other tests have a made-up one.

    To embed a network into a whole chip takes seconds.
    """

    def made_up(method, images):
        sampled = isinstance(method, IsingMethod) and not isinstance(method.sampler, ip.ClassStates)
        return 1.0 if sampled else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fig5, "qpu_seconds", made_up)
        yield qpu_seconds
