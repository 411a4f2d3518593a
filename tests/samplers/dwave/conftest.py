"""D-Wave samplers on emulated chips."""

import pytest

import isingprop as ip
from helpers import oracle
from helpers.dwave.dwave_cases import CountedQPU, H, O


@pytest.fixture(scope="module")
def problem():
    return oracle.random_problem(H, O, num_problems=7, seed=1)


@pytest.fixture
def make(tmp_path):
    """Makes samplers, in tmp_path/record if nothing else is said, and closes them after the
    test.
    """
    made = []

    def make(mode="forward", *, solver=None, folder="record", **settings):
        solver = CountedQPU() if solver is None else solver
        made.append(ip.DWave(mode, solver=solver, record=tmp_path / folder, **settings))
        return made[-1]

    yield make
    for sampler in made:
        sampler.close()
