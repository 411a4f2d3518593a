"""Annealing of rotors: bits, starts, splits, refusals, Ctrl-C."""

import signal
import subprocess
import time

import numpy as np
import pytest

from helpers import tolerances
from helpers.processes import started
from helpers.rotors import PI, Rotors, Sweeps, anneal, twin
from isingprop import kernels

TRIANGLE = Rotors(
    fields=(0.5, -1.0, 0.25, 0.0),
    couplings={(2, 0): 1.0, (0, 1): -0.7, (1, 2): 0.3},
    offsets=(0.1, 0.0, -0.2, 0.0),
)
TIMES = np.linspace(0.05, 0.95, 12)
FORWARD = Sweeps(
    4 * (1 - TIMES), 5 * TIMES, np.linspace(1, -1, 12), np.minimum(1, 0.8 * (1 - TIMES) / TIMES)
)


def test_angles_are_those_of_a_twin_in_numpy(on_every_kernel):
    expected = twin(TRIANGLE, FORWARD, 21, seed=7, stream=2**63 + 1)
    for spins, angles in on_every_kernel(
        lambda: anneal(TRIANGLE, FORWARD, 21, seed=7, stream=2**63 + 1)
    ):
        assert tolerances.same_bits(angles, expected)
        assert tolerances.same_bits(spins, np.where(expected < PI / 2, 1, -1).astype(np.int8))


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_bits_do_not_depend_on_threads_and_split(num_threads):
    spins, angles = anneal(TRIANGLE, FORWARD, 150)
    parts = [
        anneal(TRIANGLE, FORWARD, count, first_read=first, num_threads=num_threads)
        for first, count in ((0, 1), (1, 100), (101, 49))
    ]
    assert tolerances.same_bits(np.concatenate([part[0] for part in parts]), spins)
    assert tolerances.same_bits(np.concatenate([part[1] for part in parts]), angles)


def test_no_sweep_returns_the_start():
    none = Sweeps.constant(0, 1, 1)
    spins, angles = anneal(TRIANGLE, none, 1000)
    assert (angles == PI / 2).all()
    assert abs(spins.mean(dtype=float)) < tolerances.SIGMAS / np.sqrt(spins.size)

    start = np.array([[0, 1, 3, PI]], np.float32)
    spins, angles = anneal(TRIANGLE, none, 2, initial=start)
    assert tolerances.same_bits(angles, np.repeat(start, 2, axis=0))
    assert spins.tolist() == [[1, 1, -1, -1]] * 2


def test_one_start_serves_all_reads():
    start = np.array([[0, 1, 3, PI]], np.float32)
    one = anneal(TRIANGLE, FORWARD, 5, initial=start)
    many = anneal(TRIANGLE, FORWARD, 5, initial=np.repeat(start, 5, axis=0))
    assert tolerances.same_bits(one[1], many[1])


def test_an_anneal_goes_on_from_its_angles():
    """Two halves, the second of which starts from the first, come to where strong fields pull."""
    rotors = Rotors(fields=(1.0, -1.0), couplings={})
    _, middle = anneal(rotors, Sweeps.constant(10, 1, 1), 50)
    strong = Sweeps.constant(300, 0, 50, width=0.1)
    spins, angles = anneal(rotors, strong, 50, initial=middle, stream=3)
    assert (spins == [-1, 1]).all()
    assert np.abs(angles - [PI, 0]).max() < 1


GOOD = {
    "ends": np.array([[0, 1], [2, 1]]),
    "couplings": np.ones(2),
    "fields": np.zeros(3),
    "offsets": np.zeros(3),
    "transverse": np.ones(4),
    "longitudinal": np.ones(4),
    "gains": np.ones(4),
    "widths": np.ones(4),
    "num_reads": 2,
    "first_read": 0,
    "seed": 0,
    "stream": 0,
    "initial": None,
    "num_threads": 1,
}


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"ends": np.zeros((2, 3), int)}, "ends must have shape (2, 2), got (2, 3)"),
        ({"ends": np.zeros(4, int)}, "ends must have shape (n, 2), got (4,)"),
        ({"ends": np.array([[0, 3], [2, 1]])}, "ends must be from 0 to 2, got 3 at flat index 1"),
        ({"ends": np.array([[0, 1], [-1, 1]])}, "ends must be from 0 to 2, got -1 at flat index 2"),
        (
            {"ends": np.array([[0, 1], [2, 2]])},
            "ends must be two different rotors in each row, got 2 twice in row 1",
        ),
        ({"ends": np.array([[0, 1], [1, 0]])}, "ends must have each pair once, got 0 and 1 twice"),
        ({"couplings": np.ones(3)}, "couplings must have shape (2,), got (3,)"),
        ({"couplings": np.array([1, np.nan])}, "couplings must be from -1e9 to 1e9, got nan"),
        ({"fields": np.zeros(0)}, "fields must have shape (n,), got (0,)"),
        ({"fields": np.array([0, 0, np.inf])}, "fields must be from -1e9 to 1e9, got inf"),
        ({"offsets": np.zeros(2)}, "offsets must have shape (3,), got (2,)"),
        ({"transverse": np.ones((4, 1))}, "transverse must have shape (n,), got (4, 1)"),
        ({"transverse": -np.ones(4)}, "transverse must be from 0 to 1e9, got -1"),
        ({"longitudinal": np.ones(3)}, "longitudinal must have shape (4,), got (3,)"),
        ({"gains": np.full(4, 2e9)}, "gains must be from -1e9 to 1e9, got 2000000000"),
        ({"widths": np.full(4, 1.5)}, "widths must be from 0 to 1, got 1.5"),
        ({"num_reads": 0}, "num_reads must be at least 1, got 0"),
        ({"first_read": -1}, "first_read must be at least 0, got -1"),
        ({"initial": np.zeros((3, 3), "f4")}, "initial must have shape (2, 3), got (3, 3)"),
        (
            {"initial": np.full((1, 3), 3.15, "f4")},
            "initial must be from 0 to float32(pi), got 3.1",
        ),
        ({"num_threads": 0}, "num_threads must be at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_refused(wrong, refusal, assert_refused):
    assert_refused(lambda: kernels.anneal_rotors(**GOOD | wrong), f"ValueError: {refusal}")


def test_models_without_couplings_are_models():
    free = GOOD | {"ends": np.zeros((0, 2), int), "couplings": np.zeros(0)}
    spins, angles = kernels.anneal_rotors(**free)
    assert spins.shape == angles.shape == (2, 3)


def test_energies_of_the_largest_strengths_are_finite():
    """A rotor whose energy were infinite or NaN would never move."""
    huge = np.full(4, 1e9)
    strong = {"transverse": huge, "longitudinal": huge, "gains": huge, "couplings": np.full(2, 1e9)}
    _, angles = kernels.anneal_rotors(**GOOD | strong | {"fields": np.full(3, 1e9)})
    assert (angles > PI / 2).all()


@pytest.mark.slow
@pytest.mark.parametrize("num_threads", [1, 2])
def test_ctrl_c_ends_a_long_anneal(num_threads):
    code = f"""
import time
import numpy as np
from isingprop import kernels
ones, none = np.ones(10_000_000), np.zeros(0)
print("ready", flush=True)
try:
    model = np.zeros((0, 2), int), none, ones[:500], ones[:500]
    kernels.anneal_rotors(*model, ones, ones, ones, ones, 200, 0, 0, 0, None, {num_threads})
except KeyboardInterrupt:
    print(time.monotonic())
"""
    with started("-c", code, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        caught, _ = process.communicate(timeout=tolerances.INTERRUPT_SECONDS + 1)
    assert float(caught) - sent < tolerances.INTERRUPT_SECONDS
