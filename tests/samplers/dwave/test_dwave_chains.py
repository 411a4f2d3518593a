"""The chain strength that is chosen for a network: torque compensation, above a floor."""

import numpy as np
import pytest
from dwave.embedding.chain_strength import uniform_torque_compensation

import isingprop as ip
from helpers import oracle
from helpers.dwave.dwave_cases import starts_for
from isingprop.qpu.settings import LEAST_CHAIN

SIZES = (0.0, 1e-30, 1e-9, 1e-6, 1e-3, 0.01, 0.03, 0.1, 1.0)


def weak(size, shape=(12, 20), field=0.0):
    """A network of couplings of this size, with fields of another."""
    random = np.random.default_rng(0)
    return ip.IsingProblem(
        size * random.uniform(-1, 1, shape),
        field * random.normal(size=(2, shape[0])),
        np.zeros((1, shape[1])),
    )


@pytest.fixture(scope="module")
def chip():
    return ip.EmulatedQPU("zephyr", 3)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["forward", "cyclic"])
def test_the_chain_strength_is_torque_compensation_above_a_floor(make, chip, mode):
    qpu = make(mode, solver=chip, num_copies=1)
    strengths = []
    for size in SIZES:
        problem = weak(size)
        initial = None if mode == "forward" else starts_for(problem)
        call = qpu.first_request(problem, seed=1, initial=initial).call
        floor = LEAST_CHAIN / call.notes["scale"]
        torque = 0.0
        if mode == "forward" and size > 1e-20:
            torque = uniform_torque_compensation(problem.to_bqm())
        strengths.append(call.notes["chain_strength"])
        assert strengths[-1] >= floor
        if mode == "forward":
            assert strengths[-1] == pytest.approx(min(max(torque, floor), 4 * floor))
    assert strengths == sorted(strengths)
    assert strengths[0] == strengths[3] < strengths[-1], "no jump at 0, and growth in the end"


@pytest.mark.slow
@pytest.mark.parametrize("field", [0.0, 0.3])
@pytest.mark.parametrize("size", [0.0, 1e-6, 1e-3])
@pytest.mark.parametrize(("model", "most"), [("classical", 0.02), ("svmc-tf", 0.1)])
def test_the_chains_of_a_network_with_weak_couplings_hold(make, model, most, size, field):
    """The floor is a rule of the classical model; rotors freeze hotter, and 6 to 8 % break."""
    qpu = make(solver=ip.EmulatedQPU("zephyr", 3, model=model))
    assert qpu.copies(12, 20)[0].max_chain_hidden > 1
    states = qpu.sample(weak(size, field=field), num_reads=200, seed=1)
    assert states.info["chain_break_fraction"] < most
    loose = make(solver=qpu.device, chain_strength=1e-3, folder="loose")
    states = loose.sample(weak(size, field=field), num_reads=200, seed=1)
    assert states.info["chain_break_fraction"] > most


def test_a_chain_strength_that_is_set_has_no_floor(make, chip):
    qpu = make(solver=chip, chain_strength=1e-3)
    assert qpu.first_request(weak(0.1), seed=1).call.notes["chain_strength"] == 1e-3


def test_a_network_without_room_in_cyclic_mode_is_named_by_its_own_numbers(make):
    with pytest.raises(
        ValueError,
        match=r"^30 x 30 spins take one more spin in each layer in modes cyclic and fast: .* 31 ",
    ):
        make("cyclic").sample(oracle.random_problem(30, 30), seed=1)
