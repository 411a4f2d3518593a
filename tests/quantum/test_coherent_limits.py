"""What the simulated quantum annealer refuses, when it stops, how much memory it takes."""

import signal
import subprocess
import time
import tracemalloc

import numpy as np
import pytest

from helpers import oracle, tolerances
from helpers.processes import started
from helpers.samplers.quantum_cases import (
    BOTH,
    TIME,
    problem_of,
    random_state,
    sum_of_probabilities,
)
from isingprop import IsingProblem, kernels
from isingprop.coherent import amplify, anneal

ONE, TWO = problem_of(2, 1), oracle.random_problem(2, 1, num_problems=2)

WIDE = oracle.random_problem(20, 7)

STRONG = IsingProblem([[1e12]], [[0.0]], [[0.0]])

PLUS = np.full(8, 8**-0.5)


def run(problem=ONE, **options):
    return anneal(problem, **{"total_time": TIME, "num_steps": 2, **options})


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: run(None), "TypeError: problem must be an IsingProblem, got NoneType"),
        (lambda: run(TWO), "ValueError: problem must be one problem, such as problem[:1], got 2"),
        (
            lambda: run(WIDE),
            "ValueError: problem must have at most 26 spins, got 27: amplitudes and energies of "
            "2^27 "
            "states would take 3 GB",
        ),
        (
            lambda: run(WIDE, dtype="c8"),
            "ValueError: problem must have at most 26 spins, got 27: amplitudes and energies "
            "of 2^27 states would take 2 GB",
        ),
        (
            lambda: run(oracle.random_problem(1200, 100)),
            "ValueError: problem must have at most 26 spins, got 1300: amplitudes and energies "
            "of 2^1300 states would take 10^384 GB",
        ),
        (
            lambda: run(STRONG),
            "ValueError: the phase of a step, total_time / num_steps times all |h| and |J|, must "
            "be "
            "at most 1e+09, got 1e+12",
        ),
        (lambda: run(total_time=0), "ValueError: total_time must be finite and above 0, got 0.0"),
        (
            lambda: run(total_time=np.nan),
            "ValueError: total_time must be finite and above 0, got nan",
        ),
        (lambda: run(total_time="1"), "TypeError: total_time must be a number, got '1'"),
        (lambda: run(num_steps=0), "ValueError: num_steps must be at least 1, got 0"),
        (
            lambda: run(num_steps=10_000_001),
            "ValueError: num_steps must be at most 10000000, got 10000001",
        ),
        (lambda: run(num_steps=2.0), "TypeError: num_steps must be an integer, got 2.0"),
        (lambda: run(num_threads=0), "ValueError: num_threads must be at least 1, got 0"),
        (
            lambda: run(dtype=float),
            "ValueError: dtype must be complex128 or complex64, got <class 'float'>",
        ),
        (
            lambda: run(dtype="spin"),
            "ValueError: dtype must be complex128 or complex64, got 'spin'",
        ),
        (
            lambda: run(dtype=">c16"),
            "ValueError: dtype must be complex128 or complex64, got '>c16'",
        ),
        (
            lambda: run(schedule=lambda t: t),
            "ValueError: schedule must have values in [0, 1], got 1 to 3",
        ),
        (
            lambda: run(schedule=lambda t: -t / 10),
            "ValueError: schedule must have values in [0, 1], got -0.3 to -0.1",
        ),
        (lambda: run(schedule=lambda t: np.nan), "ValueError: schedule(t) must be finite, got nan"),
        (lambda: run(schedule=lambda t: None), "TypeError: schedule(t) must be a number, got None"),
        (lambda: run(schedule=[0, 1]), "ValueError: schedule must have shape (n, 2), got (2,)"),
        (
            lambda: run(schedule=[(0, 0), (2, 0.5), (2, 0.7), (4, 1)]),
            "ValueError: schedule must have times that rise from 0 to total_time = 4.0, got "
            "[0.0, 2.0, 2.0, 4.0]",
        ),
        (
            lambda: run(schedule=[(0, 0), (3, 1)]),
            "ValueError: schedule must have times that rise from 0 to total_time",
        ),
        (
            lambda: run(schedule=[(1, 0), (4, 1)]),
            "ValueError: schedule must have times that rise from 0 to total_time",
        ),
        (
            lambda: run(schedule=[(0, 0), (4, 1.5)]),
            "ValueError: schedule must have values in [0, 1], got 0.375 to 1.125",
        ),
        (lambda: run(dtype=","), "ValueError: dtype must be complex128 or complex64, got ','"),
        (lambda: run(reverse="no"), "TypeError: reverse must be True or False, got 'no'"),
        (
            lambda: run(reverse=True),
            "ValueError: initial must be given where reverse is True, got None",
        ),
        (lambda: run(initial=PLUS[:4]), "ValueError: initial must have shape (8,), got (4,)"),
        (
            lambda: run(initial=["1"] * 8),
            "TypeError: initial must be an array of numbers, got dtype <U1",
        ),
        (
            lambda: run(initial=2 * PLUS),
            "ValueError: initial must have probabilities that sum to 1, got 4",
        ),
        (
            lambda: run(initial=np.nan * PLUS),
            "ValueError: initial must have probabilities that sum to 1, got nan",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


def test_bad_arguments_are_refused_in_order_before_any_work(assert_refused, monkeypatch):
    monkeypatch.delattr(kernels, "energy_table")
    bad = {
        "total_time": 0,
        "num_steps": 0,
        "schedule": lambda t: 2,
        "dtype": int,
        "problem": WIDE,
        "num_threads": 0,
    }
    good = {"total_time": 1, "num_steps": 1, "schedule": None, "dtype": complex, "problem": ONE}
    for name in good:
        with pytest.raises(ValueError, match=name):
            run(**bad)
        bad[name] = good[name]
    assert_refused(lambda: run(**bad), "ValueError: num_threads must be at least 1, got 0")


def test_rounding_of_a_schedule_is_not_refused():
    """0.1 * 3 is not 0.3, and a float32 0.1 is not 0.1."""
    straight = anneal(ONE, total_time=0.3, num_steps=3)
    for schedule in (
        [[0, 0], [0.1 * 3, 1]],
        np.array([[0, 0], [0.3, 1 + 1e-7]], np.float32),
        lambda t: t / 0.3 + 1e-16,
    ):
        np.testing.assert_allclose(
            anneal(ONE, total_time=0.3, num_steps=3, schedule=schedule), straight, atol=1e-7
        )


@pytest.mark.parametrize(
    "options",
    [
        {"initial": PLUS[:4]},
        {"initial": 2 * PLUS},
        {"reverse": True},
        {"marked": [True]},
        {"method": "x"},
        {"failure": 2},
    ],
)
def test_nothing_is_done_for_bad_input(monkeypatch, options):
    monkeypatch.setattr(kernels, "energy_table", lambda *_: pytest.fail("work before refusal"))
    call = anneal if {"initial", "reverse"} & set(options) else amplify
    with pytest.raises((TypeError, ValueError)):
        call(ONE, total_time=TIME, num_steps=2, **options)


@pytest.mark.parametrize("dtype", BOTH)
def test_rounding_does_not_add_up_over_applications(dtype):
    """It would, to 1e-12 and 1e-4 (2e-7 a step with a constant angle)."""
    options = {"total_time": 50.0, "num_steps": 200, "schedule": lambda t: 0.4, "dtype": dtype}
    found = amplify(ONE, marked=np.arange(8) < 1, num_iterations=500, **options)
    assert abs(sum_of_probabilities(found.state) - 1) < (
        1e-14 if dtype == np.complex128 else tolerances.SAID_OF_SUM
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.complex128, 1e-10), (np.complex64, 1e-2)])
@pytest.mark.parametrize("side", [-1, 1])
def test_probabilities_that_do_not_sum_to_1_stop_the_run(monkeypatch, dtype, tolerance, side):
    sums = [1 + side * 0.9 * tolerance, 1 + side * 1.1 * tolerance, np.nan]
    monkeypatch.setattr(kernels, "evolve", lambda *args: sums.pop(0))
    assert run(dtype=dtype).shape == (8,)
    for told in (str(sums[0]), "nan"):
        with pytest.raises(
            FloatingPointError, match=f"must sum to 1 within {tolerance:g}, got {told}"
        ):
            run(dtype=dtype)


def test_the_sum_of_probabilities_is_that_of_the_state():
    for num_spins, dtype in ((1, BOTH[0]), (3, BOTH[1]), (10, BOTH[0]), (16, BOTH[0])):
        state = (0.5 * random_state(num_spins)).astype(dtype)
        total = kernels.evolve(state, np.ones(2**num_spins), np.ones(3), np.ones(2), 2)
        assert total == pytest.approx(0.25, rel=1e-5)
        assert total == pytest.approx(sum_of_probabilities(state), rel=1e-12)


@pytest.mark.parametrize("case", ["forward", "backward"])
@pytest.mark.parametrize("dtype", BOTH)
def test_memory_of_an_anneal(case, dtype):
    problem = oracle.random_problem(10, 9)
    start = anneal(problem, total_time=1, num_steps=1, dtype=dtype)
    tracemalloc.start()
    try:
        options = {} if case == "forward" else {"initial": start, "reverse": True}
        anneal(problem, total_time=1, num_steps=2, dtype=dtype, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Of the tiles' copies, which are not traced, there is half a megabyte for each thread.
    assert peak < tolerances.STATE_BYTES * len(start)
    if case == "forward":
        assert peak < 1.01 * (start.itemsize + 8) * len(start), "as the docstring says"


@pytest.mark.slow
@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("num_hidden", [1, 15])
def test_ctrl_c_ends_a_long_anneal(num_hidden, num_threads):
    """Of few spins, whose steps are short, and of many."""
    code = f"""
import time, numpy as np, isingprop as ip
problem = ip.IsingProblem(np.ones(({num_hidden}, 5)), np.ones((1, {num_hidden})), np.ones((1, 5)))
print("ready", flush=True)
try:
    ip.coherent.anneal(problem, total_time=1, num_steps=10_000_000, num_threads={num_threads})
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
"""
    with started("-c", code, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        sent = time.monotonic()  # the same clock in all processes
        process.send_signal(signal.SIGINT)
        caught, _ = process.communicate(timeout=tolerances.INTERRUPT_SECONDS + 1)
    assert float(caught) - sent < tolerances.INTERRUPT_SECONDS
