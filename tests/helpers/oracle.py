"""Problems and networks to test on, and exact answers by enumeration, in plain NumPy and double
precision.

None of the package's kernels is used for an answer. A problem is anything with the arrays couplings
(H, O), hidden_fields (B, H) and output_fields (B or 1, O).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import expm_multiply

from helpers import tolerances
from isingprop import BipartiteNetwork, IsingProblem
from isingprop.network.bipartite import PARAMETERS

MAX_SPINS = 16  # 65,536 states
MOVE = 63 / 64  # the chance of a move that does not raise the energy (metropolis_rule.h)


def random_problem(
    num_hidden: int,
    num_output: int,
    *,
    num_problems: int = 1,
    seed: int = 0,
    dtype: type = np.float32,
    field: float = 0.5,
    shared_output_fields: bool = False,
    band: int | None = None,
) -> IsingProblem:
    """Couplings and fields from U(-1, 1), the fields times `field`; with `band` none between spins
    further apart.
    """
    random = np.random.default_rng([seed, num_hidden, num_output])
    couplings = random.uniform(-1, 1, (num_hidden, num_output))
    if band is not None:
        couplings[np.abs(np.subtract(*np.indices(couplings.shape))) > band] = 0
    hidden_fields = field * random.uniform(-1, 1, (num_problems, num_hidden))
    rows = 1 if shared_output_fields else num_problems
    output_fields = field * random.uniform(-1, 1, (rows, num_output))
    return IsingProblem(
        couplings.astype(dtype), hidden_fields.astype(dtype), output_fields.astype(dtype)
    )


def lattice_problem(*, seed: int = 0) -> tuple[IsingProblem, IsingProblem, NDArray[np.int64]]:
    """A 3 x 4 lattice among 72 spins without couplings, the lattice alone, and the numbers of its
    spins in the whole.

    So few couplings that the samplers hold spans of rows and columns only, some of which lie in two
    blocks of 16.
    """
    i, j = np.indices((3, 4)).reshape(2, -1)
    white, black = np.flatnonzero((i + j) % 2 == 0), np.flatnonzero((i + j) % 2)
    coupled = np.abs(i[white, None] - i[black]) + np.abs(j[white, None] - j[black]) == 1
    whole = random_problem(20, 64, seed=seed, band=-1)
    rows, columns = 13 + np.arange(6), 29 + np.arange(6)
    whole.couplings[np.ix_(rows, columns)] = coupled * np.random.default_rng(seed).choice(
        [-1, 1], coupled.shape
    )
    parts = (
        whole.couplings[np.ix_(rows, columns)],
        whole.hidden_fields[:, rows],
        whole.output_fields[:, columns],
    )
    return whole, IsingProblem(*parts), np.concatenate([rows, 20 + columns])


def random_spins(*shape: int, seed: int = 0) -> NDArray[np.int8]:
    return np.where(np.random.default_rng(seed).random(shape) < 0.5, -1, 1).astype(np.int8)


def random_network(
    num_inputs: int = 7,
    num_hidden: int = 5,
    num_classes: int = 3,
    redundancy: int = 2,
    *,
    seed: int = 0,
) -> BipartiteNetwork:
    """All four parameters normally distributed, biases too."""
    random = np.random.default_rng([seed, num_inputs, num_hidden])
    num_output = num_classes * redundancy
    shapes = (num_hidden, num_inputs), (num_hidden, num_output), num_hidden, num_output
    return BipartiteNetwork(
        *(random.normal(size=shape) for shape in shapes), num_classes=num_classes
    )


def random_images(num_images: int, num_inputs: int = 7, *, seed: int = 0) -> NDArray[np.float32]:
    """Four pixels of five are dark, as in MNIST."""
    bright, lit = np.random.default_rng([seed, num_inputs]).random((2, num_images, num_inputs))
    return np.where(lit < 0.2, bright, 0).astype(np.float32)


def on_grid(array: NDArray[np.float32], quantum: float = 2.0**-6) -> NDArray[np.float32]:
    """Rounded to binary fractions so coarse that float32 sums of some hundred products of two are
    exact.
    """
    return np.round(array / quantum).astype(np.float32) * np.float32(quantum)


def slow_gradient(
    images: NDArray[np.float32], free: NDArray[np.int8], nudged: NDArray[np.int8], num_hidden: int
) -> dict[str, NDArray[np.float64]]:
    """Eqs. (5), (6), one read at a time: the change of each parameter by its name."""
    change: dict[str, Any] = dict.fromkeys(PARAMETERS, 0.0)
    for pixels, *phases in zip(images.astype(np.float64), free, nudged, strict=True):
        for sign, reads in zip((1, -1), phases, strict=True):
            for read in reads.astype(np.float64):
                share, s, t = sign / len(reads) / len(images), read[:num_hidden], read[num_hidden:]
                for name, slope in zip(
                    PARAMETERS, (np.outer(s, pixels), np.outer(s, t), s, t), strict=True
                ):
                    change[name] = change[name] + share * slope
    return change


def all_states(num_spins: int) -> NDArray[np.int8]:
    """All (2^N, N) states; bit k of a state's number says whether spin k is down."""
    if num_spins > MAX_SPINS:
        raise ValueError(f"num_spins must be at most {MAX_SPINS}, got {num_spins}")
    down = (np.arange(2**num_spins)[:, None] >> np.arange(num_spins)) & 1
    return (1 - 2 * down).astype(np.int8)


def state_numbers(spins: NDArray[np.int8]) -> NDArray[np.int64]:
    """The rows of all_states that (..., N) spins are."""
    return ((spins < 0).astype(np.int64) << np.arange(spins.shape[-1])).sum(axis=-1)


def up_states(num_spins: int) -> NDArray[np.int8]:
    """As all_states, but bit k of a state's number says whether spin k is up, as in state
    vectors.
    """
    return -all_states(num_spins)


def on_spin(matrix: NDArray[np.float64], spin: int, num_spins: int) -> sp.csr_array:
    """A 2 x 2 matrix on one spin of a state vector, whose bit 0 is the last factor of the Kronecker
    product.
    """
    low, high = sp.eye_array(2**spin), sp.eye_array(2 ** (num_spins - 1 - spin))
    return sp.csr_array(sp.kron(high, sp.kron(matrix, low)))


def hamiltonian(problem: IsingProblem) -> tuple[sp.csr_array, sp.csr_array]:
    """sum X and H of the first problem, (2^N, 2^N), from Kronecker products; the state of bit 1 has
    Z = +1.
    """
    couplings, hidden_fields, output_fields = _doubles(problem)
    num_hidden, num_spins = len(couplings), problem.num_spins
    x, z = (
        [on_spin(np.array(m), k, num_spins) for k in range(num_spins)]
        for m in ([[0, 1], [1, 0]], [[-1, 0], [0, 1]])
    )
    fields = np.concatenate([hidden_fields[0], output_fields[0]])
    diagonal = sum(field * each for field, each in zip(fields, z, strict=True))
    for (i, a), coupling in np.ndenumerate(couplings):
        diagonal = diagonal + coupling * z[i] @ z[num_hidden + a]
    return sum(x[1:], x[0]), diagonal


def schroedinger(
    problem: IsingProblem,
    total_time: float,
    num_steps: int,
    schedule: Callable[[float], float] | None = None,
    *,
    sign: int = -1,
) -> NDArray[np.complex128]:
    """|+...+> after the exponential of sign * (1 - s) sum X + s H at the middle of each of many
    short steps.
    """
    driver, diagonal = hamiltonian(problem)
    state = np.full(2**problem.num_spins, 2 ** (-problem.num_spins / 2), complex)
    step = total_time / num_steps
    for k in range(num_steps):
        time = (k + 0.5) * step
        s = time / total_time if schedule is None else schedule(time)
        state = expm_multiply(
            -1j * step * (sign * (1 - s) * driver + s * diagonal), state, traceA=0
        )
    return state


def trotter(
    state: NDArray[np.complex128],
    energies: NDArray[np.float64],
    phases: NDArray[np.float64],
    angles: NDArray[np.float64],
) -> NDArray[np.complex128]:
    """exp(-i phases[n] E) exp(i angles[n - 1] sum X) ... exp(-i phases[0] E) of a state, one bit at
    a time.
    """
    state = np.exp(-1j * phases[0] * energies) * state
    for phase, angle in zip(phases[1:], angles, strict=True):
        for k in range(len(state).bit_length() - 1):
            pairs = state.reshape(-1, 2, 2**k)
            state = (np.cos(angle) * pairs + 1j * np.sin(angle) * pairs[:, ::-1]).ravel()
        state = np.exp(-1j * phase * energies) * state
    return state


def energies(problem: IsingProblem, spins: NDArray[np.int8]) -> NDArray[np.float64]:
    """E of (B, R, N) spins, or of (R, N) spins in every problem: (B, R)."""
    couplings, hidden_fields, output_fields = _doubles(problem)
    hidden, output = np.split(spins.astype(np.float64), [len(couplings)], axis=-1)
    own = (hidden * hidden_fields[:, None]).sum(axis=-1) + (output * output_fields[:, None]).sum(
        axis=-1
    )
    return own + ((hidden @ couplings) * output).sum(axis=-1)


def sum_of_sizes(problem: IsingProblem) -> NDArray[np.float64]:
    """The sum of |each term| of E, which rounding errors are measured by: (B, 1)."""
    couplings, hidden_fields, output_fields = (np.abs(array) for array in _doubles(problem))
    return (hidden_fields.sum(axis=1) + output_fields.sum(axis=1) + couplings.sum())[:, None]


def local_fields(problem: IsingProblem, spins: NDArray[np.int8]) -> NDArray[np.float64]:
    """f of (B, R, N) spins: turning spin k over changes the energy by -2 s_k f_k."""
    couplings, hidden_fields, output_fields = _doubles(problem)
    hidden, output = np.split(spins.astype(np.float64), [len(couplings)], axis=-1)
    on_hidden = hidden_fields[:, None] + output @ couplings.T
    on_output = output_fields[:, None] + hidden @ couplings
    return np.concatenate([on_hidden, on_output], axis=-1)


def slack(problem: IsingProblem) -> NDArray[np.float64]:
    """How far above 0 the s_k f_k of a state may be that no flip improves, on the samplers' grid:
    (B, 1, N).
    """
    sizes = np.abs(_doubles(problem)[0])
    largest = max(sizes.sum(axis=0).max(), sizes.sum(axis=1).max())
    rows = len(problem.hidden_fields)
    outputs = np.broadcast_to(problem.output_fields, (rows, problem.num_output))
    fields = np.abs(np.concatenate([problem.hidden_fields, outputs], axis=1))[:, None]
    return (
        tolerances.COUPLING_GRID * largest * max(sizes.shape) + tolerances.FIELD_ROUNDING * fields
    )


def ground_energies(problem: IsingProblem) -> NDArray[np.float64]:
    """(B, 1)."""
    return energies(problem, all_states(problem.num_spins)).min(axis=1, keepdims=True)


def class_energies(problem: IsingProblem, outputs: NDArray[np.int8]) -> NDArray[np.float64]:
    """The lowest energy over all hidden states with each of (K, O) outputs: (B, K)."""
    couplings, hidden_fields, output_fields = _doubles(problem)
    outputs = outputs.astype(np.float64)
    fields = hidden_fields[:, None] + outputs @ couplings.T
    over_hidden = fields @ all_states(problem.num_hidden).astype(np.float64).T
    return output_fields @ outputs.T + over_hidden.min(axis=-1)


def boltzmann(problem: IsingProblem, beta: float) -> NDArray[np.float64]:
    """exp(-beta E) / Z of all states: (B, 2^N)."""
    return normalised(-beta * energies(problem, all_states(problem.num_spins)))


def output_boltzmann(problem: IsingProblem, beta: float) -> NDArray[np.float64]:
    """Probabilities of all output states, any number of hidden spins summed out: (B, 2^O).

    P(t) ~ exp(-beta sum_a g_a t_a) prod_i 2 cosh(beta f_i(t)).
    """
    couplings, hidden_fields, output_fields = _doubles(problem)
    output = all_states(problem.num_output).astype(np.float64)
    fields = beta * (hidden_fields[:, None] + output @ couplings.T)
    log_weights = np.logaddexp(fields, -fields).sum(axis=-1) - beta * output_fields @ output.T
    return normalised(log_weights)


def slow_sampler(
    problem: IsingProblem,
    beta: float,
    num_reads: int,
    num_sweeps: int,
    *,
    move: float = MOVE,
    stale: bool = False,
    forgets_output_fields: bool = False,
) -> NDArray[np.int64]:
    """State numbers (R,) from the annealer's algorithm in slow NumPy, all up at first; flaws on
    demand.
    """
    random = np.random.default_rng(0)
    s = np.ones((num_reads, problem.num_hidden), np.float32)
    t = np.ones((num_reads, problem.num_output), np.float32)
    output_fields = problem.output_fields * (0 if forgets_output_fields else 1)
    for _ in range(num_sweeps):
        before = s
        s = _turn(random, s, problem.hidden_fields + t @ problem.couplings.T, beta, move)
        t = _turn(
            random, t, output_fields + (before if stale else s) @ problem.couplings, beta, move
        )
    return state_numbers(np.concatenate([s, t], axis=1))


def slow_tempering(
    problem: IsingProblem,
    betas: NDArray[np.float64],
    num_reads: int,
    num_sweeps: int,
    *,
    gain: float = 1.0,
) -> NDArray[np.int64]:
    """State numbers (K, R) on all rungs from parallel tempering's algorithm in slow NumPy, all up
    at first.

    Of the logarithm of the weight that a swap gains it takes `gain` times: -1 has the wrong sign, 0
    ignores energies.
    """
    random = np.random.default_rng(0)
    s, t = (
        np.ones((len(betas), num_reads, n), np.float32)
        for n in (problem.num_hidden, problem.num_output)
    )
    beta = betas[:, None, None]
    for sweep in range(num_sweeps):
        s = _turn(random, s, problem.hidden_fields + t @ problem.couplings.T, beta)
        t = _turn(random, t, problem.output_fields + s @ problem.couplings, beta)
        states = np.concatenate([s, t], axis=2)
        sums = energies(problem, states.reshape(-1, problem.num_spins)).reshape(
            len(betas), num_reads
        )
        for k in range(sweep % 2, len(betas) - 1, 2):
            gains = gain * (betas[k] - betas[k + 1]) * (sums[k] - sums[k + 1])
            done = random.random(num_reads) < MOVE * np.exp(np.minimum(0, gains))
            states[k : k + 2, done] = states[k : k + 2, done][::-1]
        s, t = np.split(states, [problem.num_hidden], axis=2)
    return state_numbers(states)


def _turn(
    random: np.random.Generator,
    spins: NDArray[np.float32],
    fields: NDArray[np.float32],
    beta: float | NDArray[np.float64],
    move: float = MOVE,
) -> NDArray[np.float32]:
    """One half-sweep of Metropolis's rule."""
    accepted = move * np.exp(np.minimum(0, 2 * beta * spins * fields))
    return np.where(random.random(spins.shape, dtype=np.float32) < accepted, -spins, spins)


def normalised(log_weights: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _doubles(problem: IsingProblem) -> tuple[NDArray[np.float64], ...]:
    arrays = problem.couplings, problem.hidden_fields, problem.output_fields
    return tuple(array.astype(np.float64) for array in arrays)
