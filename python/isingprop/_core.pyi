"""The C++ kernels. Arrays are C-ordered and of exactly the dtype stated; another dtype is a TypeError, never a copy."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]  # one of them throughout a call

def anneal(
    couplings: _Floats,
    hidden_fields: _Floats,
    output_fields: _Floats,
    betas: NDArray[np.float64],
    relative: bool,
    descend: bool,
    num_reads: int,
    seed: int,
    streams: NDArray[np.uint64],
    initial: NDArray[np.int8] | None,
    num_threads: int,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Simulated annealing of (B, H) and (B or 1, O) fields under (H, O) couplings.

    betas: (num_sweeps,), in units of 1 / (rms local field) where relative. initial: (B or 1, R or 1, H + O) spins.
    Returns spins (B, R, H + O) and energies (B, R).
    """

def temper(
    couplings: _Floats,
    hidden_fields: _Floats,
    output_fields: _Floats,
    betas: NDArray[np.float64],
    num_sweeps: int,
    target: int,
    relative: bool,
    adaptive: bool,
    num_reads: int,
    seed: int,
    streams: NDArray[np.uint64],
    initial: NDArray[np.int8] | None,
    num_threads: int,
) -> tuple[
    NDArray[np.int8],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
]:
    """Parallel tempering of the same problems.

    betas: (K,), the ladder, rising. target: the rung whose last states are wanted, or -1 for the lowest, descended.
    Returns spins, energies, ladders (B, R, K) in 1 / (unit of J), swap acceptance (B, R, K - 1), round trips (B, R).
    """

def cycle(
    couplings: _Floats,
    hidden_fields: _Floats,
    output_fields: _Floats,
    betas: NDArray[np.float64],
    biases: NDArray[np.float64],
    num_cycles: int,
    relative: bool,
    num_reads: int,
    seed: int,
    streams: NDArray[np.uint64],
    initial: NDArray[np.int8],
    num_threads: int,
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int8]]:
    """Cyclic annealing of the same problems from the references `initial`.

    betas, biases: (num_sweeps,), of each sweep of a cycle; betas in units of 1 / (rms local field) where relative.
    Returns spins, energies, and the states (B, R, num_cycles, H + O) in which the cycles ended.
    """

def energies(
    couplings: _Floats, hidden_fields: _Floats, output_fields: _Floats, spins: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Energies (B, R) of spins (B, R, H + O)."""

def local_fields(
    images: NDArray[np.float32],
    input_weights: NDArray[np.float32],
    hidden_bias: NDArray[np.float32],
) -> NDArray[np.float32]:
    """b + x W for images (B, I) in [0, 1] and *transposed* weights (I, H): (B, H)."""

def spin_fields(
    spins: NDArray[np.int8], couplings: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """b + s J for spins (R, m) and couplings (m, n), summed in the order of spins: (R, n)."""

def reference_states(
    couplings: NDArray[np.float32], hidden_fields: NDArray[np.float32], targets: NDArray[np.int8]
) -> NDArray[np.int8]:
    """The lowest states (B, K, H + O) with outputs targets (B, K, O)."""

def update(
    input_weights: NDArray[np.float32],
    couplings: NDArray[np.float32],
    hidden_bias: NDArray[np.float32],
    output_bias: NDArray[np.float32],
    rates: NDArray[np.float32],
    images: NDArray[np.float32],
    free_spins: NDArray[np.int8],
    nudged_spins: NDArray[np.int8],
    free_weights: NDArray[np.float64] | None = None,
) -> None:
    """Adds the update of Eqs. (5), (6) to the first four arrays, in place; *transposed* weights (I, H).

    free_weights: (B, m), of the free reads; None for 1 / m each.
    """

def energy_table(
    couplings: NDArray[np.float64],
    hidden_fields: NDArray[np.float64],
    output_fields: NDArray[np.float64],
    num_threads: int,
) -> NDArray[np.float64]:
    """Energies (2^N,) of all states of one problem, (H, O), (H,) and (O,); bit k of the index is 1 for spin k up."""

def evolve(
    state: NDArray[np.complex128] | NDArray[np.complex64],
    energies: NDArray[np.float64],
    phases: NDArray[np.float64],
    angles: NDArray[np.float64],
    num_threads: int,
) -> float:
    """exp(-i phases[n] E) exp(i angles[n-1] sum X) ... exp(i angles[0] sum X) exp(-i phases[0] E) on (2^N,), in place.

    Returns the sum of probabilities.
    """

def weighted_sums(
    rows: NDArray[np.float64], weights: NDArray[np.float64], bias: NDArray[np.float64]
) -> NDArray[np.float64]:
    """bias + rows weights, (B, N) times (N, K), each summed in the order of N: (B, K)."""

def output_distribution(
    hidden_fields: NDArray[np.float64],
    output_weights: NDArray[np.float64],
    output_bias: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log P(y | x) and P(y | x), (B, 2^M), of an energy-based model: W1 x + b (B, K), W2 (M, K) and c (M,)."""

def hidden_means(
    hidden_fields: NDArray[np.float64],
    output_weights: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """sum_y w_by E[k | x_b, y] (B, K) and sum_by w_by y E[k | x_b, y]^T (M, K), for weights w (B, 2^M) of outputs."""

def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), (n, m)."""

def softplus(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(1 + exp(x)), (n, m)."""

def available_kernels() -> list[str]:
    """The instruction sets this processor can run, narrowest first."""

def current_kernel() -> str:
    """The instruction set in use."""

def select_kernel(name: str) -> None:
    """Puts another instruction set in use, for all threads. The results do not change."""
