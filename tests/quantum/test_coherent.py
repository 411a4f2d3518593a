"""Tests of the simulated quantum annealer: against Schrödinger's equation, Trotter steps by
hand, bits.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from helpers import oracle, tolerances
from helpers.samplers.quantum_cases import (
    BOTH,
    TIME,
    problem_of,
    random_state,
    sum_of_probabilities,
)
from isingprop import IsingProblem, kernels
from isingprop.coherent import anneal

SHAPES = [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 3), (3, 5)]

# Up to 14 spins are one tile; from 15 on passes over rows take turns with passes over columns.
TILED = [(8, 7), (9, 7)]


def infidelity(first, second):
    return 1 - abs(np.vdot(first, second)) ** 2


def by_hand(problem, num_steps, s, *, state=None, total_time=TIME):
    """The Trotter steps of the docstring, from the oracle's energies."""
    num_spins, step = problem.num_spins, total_time / num_steps
    energies = oracle.energies(problem, oracle.up_states(num_spins))[0]
    halves = np.repeat(s * step / 2, 2)
    phases = [halves[0], *halves[1:-1].reshape(-1, 2).sum(axis=1), halves[-1]]
    start = np.full(2**num_spins, 2 ** (-num_spins / 2), complex) if state is None else state
    return oracle.trotter(start, energies, np.array(phases), (1 - s) * step)


def bent(t):
    return (t / TIME) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("schedule", [None, bent])
def test_anneal_tends_to_the_solution_of_schroedingers_equation(shape, schedule):
    problem = problem_of(*shape)
    exact = oracle.schroedinger(problem, TIME, 300, schedule)
    wrong = oracle.schroedinger(problem, TIME, 300, schedule, sign=1)
    states = [
        anneal(problem, total_time=TIME, num_steps=n, schedule=schedule) for n in (10, 40, 160)
    ]
    away = [infidelity(state, exact) for state in states]
    assert away[0] > 10 * away[1] > 100 * away[2]
    assert away[2] < tolerances.INFIDELITY
    assert infidelity(states[2], wrong) > 0.1, "the sign of Eq. (11) must be another one"


@pytest.mark.slow
def test_anneal_is_qutips():
    qutip = pytest.importorskip("qutip", reason="QuTiP is not installed (test extra)")
    for shape in ((1, 1), (2, 2), (4, 2)):
        problem = problem_of(*shape)
        fields = np.concatenate([problem.hidden_fields[0], problem.output_fields[0]])

        # In QuTiP the first factor is the highest bit, and basis(2, 0), which is bit 0, has Z = +1.
        def on(operator, k, n=problem.num_spins):
            return qutip.tensor([operator if j == k else qutip.qeye(2) for j in reversed(range(n))])

        z = [-on(qutip.sigmaz(), k) for k in range(len(fields))]
        diagonal = sum(field * each for field, each in zip(fields, z, strict=True))
        for (i, a), coupling in np.ndenumerate(problem.couplings):
            diagonal += coupling * z[i] * z[shape[0] + a]
        driver = -sum(on(qutip.sigmax(), k) for k in range(len(fields)))
        plus = qutip.tensor([(qutip.basis(2, 0) + qutip.basis(2, 1)).unit()] * len(fields))
        terms = [[driver, lambda t: 1 - t / TIME], [diagonal, lambda t: t / TIME]]
        exact = qutip.sesolve(
            terms, plus, [0, TIME], options={"atol": 1e-10, "rtol": 1e-9}
        ).final_state.full()[:, 0]
        away = [infidelity(anneal(problem, total_time=TIME, num_steps=n), exact) for n in (10, 160)]
        assert away[0] > 1000 * away[1]
        assert away[1] < tolerances.INFIDELITY


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3)])
def test_error_of_the_state_falls_with_the_square_of_the_number_of_steps(shape):
    problem = problem_of(*shape)
    driver, diagonal = oracle.hamiltonian(problem)

    def slope(t, state):
        s = t / TIME
        return -1j * (s * (diagonal @ state) - (1 - s) * (driver @ state))

    start = np.full(2**problem.num_spins, 2 ** (-problem.num_spins / 2), complex)
    exact = solve_ivp(slope, (0, TIME), start, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    steps = 2 ** np.arange(6, 12)
    errors = [
        np.linalg.norm(anneal(problem, total_time=TIME, num_steps=int(n)) - exact) for n in steps
    ]
    exponents = np.diff(np.log2(errors))
    assert ((exponents > -2.1) & (exponents < -1.9)).all(), exponents


@pytest.mark.parametrize("shape", [*SHAPES, (5, 4), (7, 7), *TILED])
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_steps_are_those_of_the_formula(kernel, shape, num_steps):
    problem, s = problem_of(*shape), (np.arange(num_steps) + 0.5) / num_steps
    amplitudes = anneal(problem, total_time=TIME, num_steps=num_steps)
    assert (amplitudes.shape, amplitudes.dtype) == ((2**problem.num_spins,), np.complex128)
    assert np.abs(amplitudes - by_hand(problem, num_steps, s)).max() < tolerances.AMPLITUDE


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("num_spins", [1, 2, 3, 4, 5])
def test_small_states_under_any_phases_and_angles(kernel, num_spins, dtype):
    """Smaller than a block of the kernels; a single spin is no problem, but a state."""
    random = np.random.default_rng(num_spins)
    energies, phases, angles = (
        random.normal(size=2**num_spins),
        random.normal(size=5),
        3 * random.normal(size=4),
    )
    state = random_state(num_spins, dtype)
    expected = oracle.trotter(state.astype(complex), energies, phases, angles)
    total = kernels.evolve(state, energies, phases, angles, 1)
    bound = tolerances.AMPLITUDE if dtype is np.complex128 else tolerances.SINGLE_AMPLITUDE
    assert np.abs(state - expected).max() < bound
    assert abs(total - 1) < 10 * bound


@pytest.mark.slow
@pytest.mark.parametrize(
    ("num_spins", "dtype"),
    [(2, BOTH[0]), (14, BOTH[0]), (19, BOTH[0]), (22, BOTH[0]), (25, BOTH[1])],
)
@pytest.mark.parametrize("num_steps", [2, 3])
def test_spins_without_couplings_go_each_its_own_way(num_spins, dtype, num_steps):
    """As many as have tiles of every form; the amplitude of a state is then a product."""
    fields = np.random.default_rng(0).uniform(-1, 1, num_spins)
    problem = IsingProblem(np.zeros((num_spins - 1, 1)), [fields[:-1]], [fields[-1:]])
    state = anneal(problem, total_time=TIME, num_steps=num_steps, dtype=dtype)
    numbers = np.unique(
        np.concatenate(
            [[0, len(state) - 1], np.random.default_rng(1).integers(0, len(state), 1000)]
        )
    )
    s, expected = (np.arange(num_steps) + 0.5) / num_steps, np.ones(len(numbers), complex)
    for k, field in enumerate(fields):
        step = TIME / num_steps
        phases = np.convolve(s, [step / 2, step / 2])
        single = oracle.trotter(
            np.full(2, 0.5**0.5, complex), np.array([-field, field]), phases, (1 - s) * step
        )
        expected *= single[numbers >> k & 1]
    largest = np.abs(expected).max()
    bound = tolerances.AMPLITUDE if dtype is np.complex128 else tolerances.SINGLE_AMPLITUDE
    assert np.abs(state[numbers] - expected).max() < bound * largest


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("shape", [*SHAPES, (7, 7), *TILED])
def test_backward_undoes_forward(shape, dtype):
    problem = problem_of(*shape)
    options = {"total_time": TIME, "num_steps": 20, "dtype": dtype}
    bound = tolerances.AMPLITUDE if dtype is np.complex128 else tolerances.SINGLE_AMPLITUDE
    start = random_state(problem.num_spins, dtype)
    given = start.copy()
    there = anneal(problem, initial=start, **options)
    back = anneal(problem, initial=there, reverse=True, **options)
    assert tolerances.same_bits(start, given), "left alone"
    assert np.abs(there - start).max() > 100 * bound
    assert np.abs(back - start).max() < 10 * bound
    assert abs(sum_of_probabilities(there) - 1) < 10 * bound
    here = anneal(problem, initial=start, reverse=True, **options)
    assert np.abs(anneal(problem, initial=here, **options) - start).max() < 10 * bound
    assert abs(np.vdot(here, start) - np.vdot(start, there)) < 10 * bound, "<U† a|a> = <a|U a>"


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", [0.001, 1]
)  # weak couplings leave the state near |+...+>, where roundings add up
def test_complex64_is_as_good_as_it_says(size):
    arrays = problem_of(10, 8)
    problem = IsingProblem(
        size * arrays.couplings, size * arrays.hidden_fields, size * arrays.output_fields
    )
    single, double = (
        anneal(problem, total_time=200, num_steps=100, dtype=dtype) for dtype in BOTH[::-1]
    )
    assert (single.dtype, double.dtype) == (np.complex64, np.complex128)
    assert np.abs(single - double).max() < tolerances.SAID_OF_AMPLITUDES * np.abs(double).max()
    assert abs(infidelity(single.astype(complex), double)) < 2 * tolerances.SAID_OF_SUM
    total = sum_of_probabilities(single)
    assert (
        abs(infidelity(single.astype(complex) / total**0.5, double)) < tolerances.SAID_OF_INFIDELITY
    )
    assert abs(total - 1) < tolerances.SAID_OF_SUM


def test_complex64_at_a_constant_angle_whose_roundings_add_up():
    """By 2e-7 for each step, to 2e-4."""
    options = {"total_time": 100, "num_steps": 1000, "schedule": lambda t: 0.5}
    single, double = (anneal(problem_of(6, 4), dtype=dtype, **options) for dtype in BOTH[::-1])
    assert abs(sum_of_probabilities(single) - 1) < tolerances.SAID_OF_SUM
    assert abs(infidelity(single.astype(complex), double)) < tolerances.INFIDELITY


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (2, 2), (4, 5), (7, 7), *TILED])
def test_same_bits_on_every_kernel_and_any_number_of_threads(on_every_kernel, shape, dtype):
    problem = problem_of(*shape)
    options = {"total_time": TIME, "num_steps": 5, "dtype": dtype}
    states = [
        each
        for num_threads in (1, 2, 3, 7, None)
        for each in on_every_kernel(lambda n=num_threads: anneal(problem, num_threads=n, **options))
    ]
    assert tolerances.same_bits(*states)
    single = [
        array.astype(np.float32).astype(float) for array in (problem.couplings, *fields_of(problem))
    ]
    wide = anneal(IsingProblem(*single), **options)
    narrow = anneal(IsingProblem(*(array.astype(np.float32) for array in single)), **options)
    assert tolerances.same_bits(wide, narrow)


def fields_of(problem):
    return problem.hidden_fields, problem.output_fields


@pytest.mark.parametrize("shape", [*SHAPES, (1, 9), (9, 1), (7, 8)])
def test_energies_of_the_table_are_those_of_the_states(on_every_kernel, shape):
    problem = problem_of(*shape)
    args = problem.couplings, problem.hidden_fields[0], problem.output_fields[0]
    tables = [
        each for n in (1, 3) for each in on_every_kernel(lambda n=n: kernels.energy_table(*args, n))
    ]
    assert tolerances.same_bits(*tables)
    error = np.abs(tables[0] - problem.energies(oracle.up_states(problem.num_spins)[None])[0])
    assert (error <= tolerances.ENERGY * oracle.sum_of_sizes(problem)).all()


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0), (TIME, 1)],
        [(0, 0.9), (1, 0.2), (3.5, 0.7), (TIME, 0.3)],
        np.float32([[0, 1], [4, 1]]),
    ],
)
def test_schedules_are_read_at_the_middle_of_each_step(points):
    problem, num_steps = problem_of(2, 2), 16
    times = (np.arange(num_steps) + 0.5) * TIME / num_steps
    s = np.interp(times, *np.array(points, float).T)
    seen = []

    def function(t):
        seen.append(t)
        return np.interp(t, *np.array(points, float).T)

    states = [
        anneal(problem, total_time=TIME, num_steps=num_steps, schedule=each)
        for each in (points, function)
    ]
    assert seen == times.tolist()
    assert tolerances.same_bits(*states)
    assert np.abs(states[0] - by_hand(problem, num_steps, s)).max() < tolerances.AMPLITUDE
    options = {"total_time": TIME, "num_steps": num_steps}
    linear = [anneal(problem, schedule=each, **options) for each in (None, lambda t: t / TIME)]
    assert np.abs(linear[0] - linear[1]).max() < tolerances.AMPLITUDE


def test_a_slow_anneal_ends_in_the_ground_state():
    problem = problem_of(3, 3)
    ground = oracle.energies(problem, oracle.up_states(6))[0].argmin()
    left = [
        1 - abs(anneal(problem, total_time=t, num_steps=20 * t)[ground]) ** 2
        for t in (10, 100, 1000)
    ]
    assert left[0] > 5 * left[1] > 25 * left[2]
    assert left[2] < 0.01
