"""Time of one Trotter step of the simulated annealer, beside memory's limit, plain NumPy, QuTiP and
quimb.

    python bench/coherent.py [--qubits 12 16 20 24] [--steps 100] [--repeats 5] [--others]

A step rotates every qubit and multiplies by one diagonal of phases. What bounds it on big states is
memory: it reads and writes every amplitude and reads every energy once, and cannot take less than a
copy of as many bytes on as many threads, which is timed in the same round. (A share above 1: caches
hold the state, but not the copy.) NumPy views the state as (-1, 2, 2^q) for each qubit q and works
on slices.

--others solves the same Schroedinger equation with QuTiP (sesolve) and quimb (Evolution,
"integrate"), at their default tolerances, and compares with the fewest steps (a power of 2) whose
infidelity is no higher than theirs. The truth is many more steps. Each of them runs once for each
of ours, and ratios are medians over such pairs.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

import isingprop as ip
from isingprop.coherent import Anneal

Array = np.ndarray

TOTAL_TIME = 10.0
BYTES = {"complex128": 16, "complex64": 8}  # of an amplitude
ENERGY_BYTES = 8
LEAST_WORK = 2**22  # amplitudes of a timed run of NumPy, so that small states take several steps
COPIES = 4  # in one timing
LEAST_MEASURED = 18  # qubits whose memory stands out from the interpreter's own
OTHER_QUBITS = (8, 12, 16)
TRUE_STEPS, MOST_STEPS = 2**15, 2**13  # of the truth, and of ours in search of their fidelity


@dataclass
class Point:
    """Returns the seconds of a step, of one in NumPy, and of a copy of as many bytes."""

    qubits: int
    dtype: str
    threads: int
    step: list[float] = field(default_factory=list)
    numpy: list[float] = field(default_factory=list)
    copy: list[float] = field(default_factory=list)


def make_problem(qubits: int) -> ip.IsingProblem:
    """Returns a problem with couplings of order 1 / sqrt(N), two thirds of whose spins are hidden.

    Energies per spin then do not grow with N.
    """
    random = np.random.Generator(np.random.PCG64(0))
    hidden = qubits * 2 // 3
    shapes = (hidden, qubits - hidden), (1, hidden), (1, qubits - hidden)
    return ip.IsingProblem(*(random.uniform(-1, 1, shape) / np.sqrt(qubits) for shape in shapes))


def seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def numpy_steps(state: Array, energies: Array, steps: int) -> None:
    """In place, at the angles of one time."""
    cosine, sine = np.cos(0.1), 1j * np.sin(0.1)
    for _ in range(steps):
        for q in range(len(energies).bit_length() - 1):
            pairs = state.reshape(-1, 2, 2**q)
            a, b = pairs[:, 0].copy(), pairs[:, 1].copy()
            pairs[:, 0] = cosine * a + sine * b
            pairs[:, 1] = sine * a + cosine * b
        state *= np.exp(-0.1j * energies)


def copy_seconds(moved: int, threads: int) -> float:
    """Returns the seconds of a copy that reads and writes this many bytes, in a part per thread."""
    source, target = np.ones(moved // 2, np.uint8), np.ones(moved // 2, np.uint8)
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        run_all = pool.map if threads > 1 else map

        def copy() -> None:
            for _ in range(COPIES):
                list(run_all(lambda pair: np.copyto(*pair), parts))

        copy()
        return seconds_of(copy) / COPIES


def measure(qubits: int, steps: int, repeats: int, processors: int) -> list[Point]:
    """Each round times all of them in turn."""
    problem = make_problem(qubits)
    points = [
        Point(qubits, dtype, threads) for dtype in BYTES for threads in sorted({1, processors})
    ]
    for _ in range(repeats):
        for point in points:
            run = Anneal(problem, TOTAL_TIME, steps, dtype=point.dtype, num_threads=point.threads)
            point.step.append(seconds_of(partial(run.forward, run.start())) / steps)
            point.copy.append(
                copy_seconds(2**qubits * (2 * BYTES[point.dtype] + ENERGY_BYTES), point.threads)
            )
        few = max(1, LEAST_WORK >> qubits)
        seconds = (
            seconds_of(
                partial(numpy_steps, Anneal(problem, TOTAL_TIME, 1).start(), run.energies, few)
            )
            / few
        )
        for point in points:
            point.numpy.append(seconds)
    return points


def high_water() -> int:
    """The most memory that this process has had, in bytes. Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def memory_growth(qubits: int) -> float:
    """Of one call of `anneal`, over 2^N amplitudes of 16 bytes."""
    ip.coherent.anneal(make_problem(4), total_time=1, num_steps=2)
    before = high_water()
    ip.coherent.anneal(make_problem(qubits), total_time=1, num_steps=2)
    return (high_water() - before) / (16 * 2**qubits)


def print_points(points: list[Point], steps: int) -> None:
    print(f"medians; steps of {steps}; NumPy: complex128 on one thread")
    print(
        f"{'N':>3} {'dtype':<11}{'threads':>7}{'ms/step':>10}{'ns/amp/gate':>13}{'100 steps':>11}",
        end="",
    )
    print(f"{'copy GB/s':>11}{'limit ms':>10}{'share':>7}{'NumPy/ours':>12}")
    for x in points:
        step, copy = median(x.step), median(x.copy)
        moved = 2**x.qubits * (2 * BYTES[x.dtype] + ENERGY_BYTES)
        share, ratio = median(np.divide(x.copy, x.step)), median(np.divide(x.numpy, x.step))
        print(f"{x.qubits:3} {x.dtype:<11}{x.threads:7}{1e3 * step:10.4f}", end="")
        print(f"{1e9 * step / (2**x.qubits * (x.qubits + 1)):13.4f}{100 * step:9.3f} s", end="")
        print(f"{moved / copy / 1e9:11.1f}{1e3 * copy:10.4f}{share:7.2f}{ratio:12.1f}")


def sum_of_x(qubits: int):
    """sum_k X_k, sparse."""
    import scipy.sparse as sparse

    states = np.arange(2**qubits)
    columns = (states[:, None] ^ (1 << np.arange(qubits))).ravel()
    return sparse.csr_matrix((np.ones(len(columns)), (np.repeat(states, qubits), columns)))


def solve_qutip(energies: Array, state: Array) -> Callable[[], Array]:
    import qutip
    import scipy.sparse as sparse

    transverse = qutip.Qobj(-sum_of_x(len(state).bit_length() - 1))
    diagonal = qutip.Qobj(sparse.diags_array(energies).tocsr())
    parts = [[transverse, lambda t: 1 - t / TOTAL_TIME], [diagonal, lambda t: t / TOTAL_TIME]]
    hamiltonian, start = qutip.QobjEvo(parts), qutip.Qobj(state)
    return lambda: qutip.sesolve(hamiltonian, start, [0, TOTAL_TIME]).final_state.full().ravel()


def solve_quimb(energies: Array, state: Array) -> Callable[[], Array]:
    import quimb
    import scipy.sparse as sparse

    transverse, diagonal = (
        -sum_of_x(len(state).bit_length() - 1),
        sparse.diags_array(energies).tocsr(),
    )

    def hamiltonian(t: float):
        return (1 - t / TOTAL_TIME) * transverse + t / TOTAL_TIME * diagonal

    def solve() -> Array:
        evolution = quimb.Evolution(quimb.qu(state, qtype="ket"), hamiltonian, method="integrate")
        evolution.update_to(TOTAL_TIME)
        return np.asarray(evolution.pt).ravel()

    return solve


OTHERS = {"qutip": solve_qutip, "quimb": solve_quimb}


def infidelity(state: Array, truth: Array) -> float:
    return max(0.0, 1 - abs(np.vdot(state, truth)) ** 2 / np.vdot(state, state).real)


def compare_with(name: str, qubits: int, repeats: int) -> None:
    """One line: both times to the other's fidelity."""
    problem = make_problem(qubits)

    def ours(steps: int) -> Array:
        return ip.coherent.anneal(problem, total_time=TOTAL_TIME, num_steps=steps)

    truth, start = ours(TRUE_STEPS), Anneal(problem, TOTAL_TIME, 1)
    solve = OTHERS[name](start.energies, start.start())
    error = infidelity(solve(), truth)
    steps = 1
    while steps < MOST_STEPS and infidelity(ours(steps), truth) > error:
        steps *= 2
    seconds = [(seconds_of(solve), seconds_of(partial(ours, steps))) for _ in repeat(None, repeats)]
    theirs, own = (median(column) for column in zip(*seconds, strict=True))
    ratio = median(a / b for a, b in seconds)
    print(
        f"{qubits:3} {name:<7}{error:12.1e}{infidelity(ours(steps), truth):12.1e}{steps:7}", end=""
    )
    print(f"{theirs:11.4f}{own:11.5f}{ratio:9.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--qubits", type=int, nargs="+", default=[12, 16, 20, 24], metavar="N")
    parser.add_argument("--steps", type=int, default=100, metavar="N")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="rounds; medians count")
    parser.add_argument(
        "--others", action="store_true", help="QuTiP and quimb too, where installed"
    )
    args = parser.parse_args()
    processors = len(os.sched_getaffinity(0))
    print_points(
        [x for n in args.qubits for x in measure(n, args.steps, args.repeats, processors)],
        args.steps,
    )
    for n in filter(LEAST_MEASURED.__le__, args.qubits):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            print(
                f"N = {n}: memory grows by {pool.submit(memory_growth, n).result():.2f} "
                "x 2^N x 16 bytes"
            )
    if args.others:
        print(f"total time {TOTAL_TIME}; infidelity, and seconds to reach it")
        print(f"{'N':>3} {'other':<7}{'its error':>12}{'our error':>12}{'steps':>7}", end="")
        print(f"{'its s':>11}{'our s':>11}{'ratio':>9}")
        for name in OTHERS:
            for n in OTHER_QUBITS if importlib.util.find_spec(name) else ():
                compare_with(name, n, args.repeats)


if __name__ == "__main__":
    main()
