"""Fixtures of the figures of landscapes."""

import pytest

import isingprop as ip
from helpers.paper.landscapes import InProcess, setup_in
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
def _prices_are_remembered():
    """The price of an epoch on a QPU takes seconds to embed the network into a whole chip."""
    prices, true = {}, fig5._qpu_seconds

    def remembered(method, images):
        asked = method, len(images.train_labels), images.num_classes
        if asked not in prices:
            prices[asked] = true(method, images)
        return prices[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fig5, "_qpu_seconds", remembered)
        yield
