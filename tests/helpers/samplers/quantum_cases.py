"""Problems and states for the simulated quantum annealer."""

import numpy as np

from helpers import oracle

TIME = 4.0

BOTH = [np.complex128, np.complex64]


def problem_of(num_hidden, num_output, *, seed=0):
    return oracle.random_problem(num_hidden, num_output, seed=seed, dtype=np.float64)


def random_state(num_spins, dtype=np.complex128):
    parts = np.random.default_rng(num_spins).normal(size=(2, 2**num_spins))
    return ((parts[0] + 1j * parts[1]) / np.linalg.norm(parts)).astype(dtype)


def sum_of_probabilities(state):
    return float((state.real.astype(float) ** 2 + state.imag.astype(float) ** 2).sum())
