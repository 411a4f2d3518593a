"""The C++ kernels.

Arrays are C-ordered and of exactly the dtype that is stated; another dtype is a TypeError, never
a copy. B is the number of problems or images, R of reads, H of hidden spins, O of output spins and
I of inputs.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]  # the same type throughout a call

COLD_BETA: float  #: reads that end at this relative beta, or colder, descend by default

def anneal(
    couplings: _Floats,
    hidden_fields: _Floats,
    output_fields: _Floats,
    betas: NDArray[np.float64],
    relative: bool,
    descend: bool | None,
    num_reads: int,
    seed: int,
    streams: NDArray[np.uint64],
    initial: NDArray[np.int8] | None,
    num_threads: int,
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.float64]]:
    """Samples states of B problems by simulated annealing.

    Args:
        couplings: (H, O), shared by all problems.
        hidden_fields: (B, H).
        output_fields: (B, O), or (1, O) for all problems.
        betas: (num_sweeps,), the inverse temperature of each sweep.
        relative: whether betas are relative to each problem, see cpp/chains/local_scales.h.
        descend: whether a zero-temperature descent ends each read; None is where the last beta is
            at least 4 / (local field).
        num_reads: R, reads of each problem.
        seed: names the random numbers, together with the stream and the number of the read.
        streams: (B,), the random stream of each problem.
        initial: (B or 1, R or 1, H + O), start states of -1 or +1; None for random ones.
        num_threads: at least 1; the states do not depend on it.

    Returns:
        spins (B, R, H + O), energies (B, R), and the first and the last inverse temperature
        (B, 2) in 1 / (unit of the couplings).
    """

def descend(
    couplings: _Floats,
    hidden_fields: _Floats,
    output_fields: _Floats,
    initial: NDArray[np.int8],
    num_threads: int,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Flips spins of given states until no single flip lowers the energy.

    All hidden spins that gain flip first, then all output spins, and so on. A spin whose local
    field is exactly 0 keeps its sign. No random numbers are used.

    Args:
        couplings: (H, O), shared by all problems.
        hidden_fields: (B, H).
        output_fields: (B, O), or (1, O) for all problems.
        initial: (B or 1, R, H + O), start states of -1 or +1.
        num_threads: at least 1; the states do not depend on it.

    Returns:
        spins (B, R, H + O) and energies (B, R).
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
    """Samples states of B problems by parallel tempering.

    Arguments that are not listed here are those of `anneal`.

    Args:
        betas: (K,), the ladder of inverse temperatures, ascending.
        num_sweeps: of each replica, at least 1.
        target: the rung whose last states are returned, or -1 for the lowest state of any rung,
            after a descent.
        adaptive: whether the ladder adapts during the first half of the sweeps.

    Returns:
        spins (B, R, H + O), energies (B, R), ladders (B, R, K) in 1 / (unit of J), swap acceptance
        (B, R, K - 1) and round trips (B, R).
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
    """Samples states of B problems by cyclic annealing from the references `initial`.

    Arguments that are not listed here are those of `anneal`.

    Args:
        betas: (num_sweeps,), the inverse temperature of each sweep of a cycle.
        biases: (num_sweeps,), the pull toward the reference in each sweep, in the unit of J.
        num_cycles: at least 1.
        initial: (B or 1, R or 1, H + O), the references.

    Returns:
        spins (B, R, H + O), energies (B, R), and the states (B, R, num_cycles, H + O) in which the
        cycles ended.
    """

def absolute_betas(
    couplings: _Floats,
    hidden_fields: _Floats,
    output_fields: _Floats,
    relative: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Converts inverse temperatures that are relative to each of B problems.

    Args:
        couplings: (H, O), shared by all problems.
        hidden_fields: (B, H).
        output_fields: (B, O), or (1, O) for all problems.
        relative: (K,), in the sense of cpp/chains/local_scales.h, at least 0.

    Returns:
        (B, K), in 1 / (unit of J). For parts of a problem that share no coupling this is the
        geometric mean over spins.
    """

def anneal_graph(
    ends: NDArray[np.int64],
    couplings: NDArray[np.float64],
    fields: NDArray[np.float64],
    betas: NDArray[np.float64],
    relative: bool,
    descend: bool | None,
    num_reads: int,
    first_read: int,
    seed: int,
    initial: NDArray[np.int8] | None,
    num_threads: int,
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.float64]]:
    """Samples states of a problem on any graph by simulated annealing.

    Args:
        ends: (E, 2), the two different spins of each coupling, each pair once.
        couplings: (E,).
        fields: (N,).
        betas: (num_sweeps,), the inverse temperature of each sweep, which may be infinite if it is
            not relative. There may be none.
        relative: whether betas are relative to the problem, see cpp/chains/local_scales.h.
        descend: whether a zero-temperature descent ends each read; None is where the last beta is
            at least 4, or 4 / (root mean square of the local field) if it is not relative.
        num_reads: R >= 1.
        first_read: the number of the first read, >= 0.
        seed: names the random numbers, together with the number of the read.
        initial: (R, N), start states of -1 or +1; None for random ones.
        num_threads: at least 1; the states do not depend on it.

    Returns:
        spins (R, N), energies (R,), and the first and the last inverse temperature (2,) in
        1 / (unit of the couplings), NaN without sweeps.
    """

def temper_graph(
    ends: NDArray[np.int64],
    couplings: NDArray[np.float64],
    fields: NDArray[np.float64],
    betas: NDArray[np.float64],
    num_sweeps: int,
    target: int,
    relative: bool,
    adaptive: bool,
    num_reads: int,
    first_read: int,
    seed: int,
    initial: NDArray[np.int8] | None,
    num_threads: int,
) -> tuple[
    NDArray[np.int8],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
]:
    """Samples states of a problem on any graph by parallel tempering.

    The arguments are those of `anneal_graph` and of `temper`.

    Returns:
        spins (R, N), energies (R,), ladders (R, K) in 1 / (unit of the couplings), swap acceptance
        (R, K - 1) and round trips (R,).
    """

def absolute_graph_betas(
    ends: NDArray[np.int64],
    couplings: NDArray[np.float64],
    fields: NDArray[np.float64],
    relative: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Converts inverse temperatures (n,) that are relative to a problem on any graph.

    The other arguments are those of `anneal_graph`.

    Returns:
        (n,), in 1 / (unit of the couplings). For parts of a problem that share no coupling this is
        the geometric mean over spins.
    """

def energies(
    couplings: _Floats, hidden_fields: _Floats, output_fields: _Floats, spins: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Returns the energies (B, R) of spins (B, R, H + O), in double precision."""

def anneal_rotors(
    ends: NDArray[np.int64],
    couplings: NDArray[np.float64],
    fields: NDArray[np.float64],
    offsets: NDArray[np.float64],
    transverse: NDArray[np.float64],
    longitudinal: NDArray[np.float64],
    gains: NDArray[np.float64],
    widths: NDArray[np.float64],
    num_reads: int,
    first_read: int,
    seed: int,
    stream: int,
    initial: NDArray[np.float32] | None,
    num_threads: int,
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Anneals N rotors in a transverse field: spin-vector Monte Carlo.

    Rotor i has an angle theta_i in [0, pi]. The energy of sweep t, in units of kT, is

        -a_t sum_i sin(theta_i)
        + b_t [sum_i (g_t h_i + f_i) cos(theta_i) + sum_ij J_ij cos(theta_i) cos(theta_j)].

    A sweep updates rotors 0 ... N - 1 in this order, by Metropolis's rule. A rotor is offered
    theta + w_t eps with eps uniform in [-pi, pi], mirrored at 0 and at pi. The transverse-field
    updates of Albash & Marshall have w_t = min(1, a_t / b_t); a rotor whose w_t is 0 stays.

    Arithmetic is in float32. Numbers depend on the model, not on the order of its couplings, and on
    the seed, the stream and the number of the read.

    Args:
        ends: (E, 2), the rotors that are coupled: two different ones in each row, each pair once.
        couplings: (E,), J of each row, from -1e9 to 1e9.
        fields: (N,), h, from -1e9 to 1e9.
        offsets: (N,), f, fields that the gain does not multiply, from -1e9 to 1e9.
        transverse: (S,), a of each sweep, from 0 to 1e9; S may be 0, which returns the start.
        longitudinal: (S,), b, from 0 to 1e9.
        gains: (S,), g, from -1e9 to 1e9.
        widths: (S,), w, from 0 to 1.
        num_reads: R, at least 1.
        first_read: the number of the first read, at least 0: calls with 0 and with 2 give the same
            reads as one call with both.
        seed: names the random numbers, together with the stream and the number of the read.
        stream: the random stream.
        initial: (R or 1, N), start angles from 0 to float32(pi); None for pi / 2, the ground state
            in the transverse field alone.
        num_threads: at least 1; the states do not depend on it.

    Returns:
        spins (R, N), the signs of cos(theta), and angles (R, N), theta. The spin of a rotor at
        exactly float32(pi / 2) is random.

    References:
        Shin et al. 2014, arXiv:1401.7087; Albash & Marshall 2021, arXiv:2009.04934.
    """

def local_fields(
    images: NDArray[np.float32],
    input_weights: NDArray[np.float32],
    hidden_bias: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Returns b + x W, (B, H), for images (B, I) in [0, 1] and *transposed* weights (I, H)."""

def spin_fields(
    spins: NDArray[np.int8], couplings: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns b + s J, (R, n), for spins (R, m) and couplings (m, n), summed in order of spins."""

def reference_states(
    couplings: _Floats, hidden_fields: _Floats, targets: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Returns the lowest states (B, K, H + O) whose outputs are the targets (B, K, O), Eq. (7)."""

def class_energies(
    couplings: _Floats, hidden_fields: _Floats, output_fields: _Floats, num_classes: int
) -> NDArray[np.float64]:
    """Returns the energies of those states for the code of each class, (B, num_classes).

    Args:
        couplings: (H, O), shared by all problems; class k has the outputs from k O / num_classes
            up to the next class.
        hidden_fields: (B, H).
        output_fields: (B, O), or (1, O) for all problems.
        num_classes: K, of which O is a multiple.
    """

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
    """Adds the update of Eqs. (5) and (6) to the first four arrays, in place.

    Args:
        input_weights: *transposed*, (I, H).
        couplings: (H, O).
        hidden_bias: (H,).
        output_bias: (O,).
        rates: (4,), the learning rates of the four arrays, in their order.
        images: (B, I).
        free_spins: (B, m, H + O).
        nudged_spins: (B, n, H + O).
        free_weights: (B, m), of the free reads; None for 1 / m each.
    """

def energy_table(
    couplings: NDArray[np.float64],
    hidden_fields: NDArray[np.float64],
    output_fields: NDArray[np.float64],
    num_threads: int,
) -> NDArray[np.float64]:
    """Returns the energies (2^N,) of all states of one problem (H, O), (H,) and (O,).

    Bit k of the index is 1 where spin k is +1, hidden spins first.
    """

def evolve(
    state: NDArray[np.complex64] | NDArray[np.complex128],
    energies: NDArray[np.float64],
    phases: NDArray[np.float64],
    angles: NDArray[np.float64],
    num_threads: int,
) -> float:
    """Applies exp(-i phases[n] E) exp(i angles[n-1] sum X) ... exp(-i phases[0] E) to `state`.

    The state (2^N,) is changed in place; phases has one number more than angles. Returns the sum of
    probabilities.
    """

def train_classes(
    input_weights: NDArray[np.float32],
    couplings: NDArray[np.float32],
    hidden_bias: NDArray[np.float32],
    output_bias: NDArray[np.float32],
    num_classes: int,
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    order: NDArray[np.int64],
    batch_size: int,
    push: float,
    rates: NDArray[np.float32],
    means: NDArray[np.float32] | None,
    squares: NDArray[np.float32] | None,
    num_steps: int,
    drift: NDArray[np.float32] | None,
    num_averaged: int,
    num_threads: int,
) -> int:
    """Trains an epoch, or a part of it, on class states; returns the number of wrong images.

    The free state of an image is its lowest class state, the nudged one that of its label; see
    cpp/training/class_epoch.h. The first four arrays are changed, and means, squares and drift.

    Args:
        input_weights: *transposed*, (I, H).
        couplings: (H, O).
        hidden_bias: (H,).
        output_bias: (O,).
        num_classes: K, of which O is a multiple.
        images: (n, I), in [0, 1].
        labels: (n,), 0 ... K - 1.
        order: the images to learn from, in minibatches of batch_size.
        batch_size: at least 1.
        push: added to the fields of the label's own outputs.
        rates: (minibatches, 4), in the order of the first four arguments.
        means: of Adam, one for each parameter in that order; None for plain steps.
        squares: likewise.
        num_steps: of Adam, that were made before.
        drift: of the average, likewise; None without one.
        num_averaged: updates in the average before.
        num_threads: at least 1.
    """

def adam(
    values: NDArray[np.float32],
    changes: NDArray[np.float32],
    means: NDArray[np.float32],
    squares: NDArray[np.float32],
    drift: NDArray[np.float32] | None,
    rate: float,
    step: int,
    weight: float,
) -> None:
    """Makes one step of Adam in place; all arrays are (n,), and changes become 0.

    Args:
        values: the parameters.
        changes: the direction in which they should move.
        means: running means of the changes.
        squares: running means of their squares.
        drift: gets weight * step; or None.
        rate: learning rate.
        step: t, 1 for the first.
        weight: of the step in the drift.
    """

def weighted_sums(
    rows: NDArray[np.float64], weights: NDArray[np.float64], bias: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns bias + rows weights, (B, N) times (N, K), each summed in the order of N: (B, K)."""

def output_distribution(
    hidden_fields: NDArray[np.float64],
    output_weights: NDArray[np.float64],
    output_bias: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns log P(y | x) and P(y | x), both (B, 2^M), of an energy-based model.

    Args:
        hidden_fields: W1 x + b, (B, K).
        output_weights: W2, (M, K).
        output_bias: c, (M,).
    """

def hidden_means(
    hidden_fields: NDArray[np.float64],
    output_weights: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns sum_y w_by E[k | x_b, y], (B, K), and sum_by w_by y E[k | x_b, y]^T, (M, K).

    Args:
        hidden_fields: W1 x + b, (B, K).
        output_weights: W2, (M, K).
        weights: w, (B, 2^M), of output patterns y.
    """

def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns 1 / (1 + exp(-x)), (n, m)."""

def softplus(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns log(1 + exp(x)), (n, m)."""

def available_kernels() -> list[str]:
    """Returns the instruction sets that this processor can run, narrowest registers first."""

def current_kernel() -> str:
    """Returns the instruction set in use."""

def select_kernel(name: str) -> None:
    """Puts another instruction set in use, for all threads. The results do not change."""
