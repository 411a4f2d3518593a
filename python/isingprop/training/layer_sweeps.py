"""Whole states of a network: all layers at once, or by forward sweeps over two layers at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.problem import IsingProblem, stream_array
from isingprop.samplers.annealing import anneal
from isingprop.samplers.protocol import Sampler, check_sampler, declared
from isingprop.states import States
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checks import Spins, image_array, seed_for, seed_number, whole_number

_MAX_SWEEPS = 20  # downhill, after the first sweep
# An inverse temperature at which nothing goes up, in units of 1 / (local field).
_COLD = np.array([1e12])
# Seeds of a sweep are numbered by its lower layer, 1 ... L - 1; this is the random start before it.
_START = 0


def sample_states(
    network: Network,
    sampler: Sampler,
    images: ArrayLike,
    num_reads: int = 10,
    seed: int | None = 0,
    *,
    streams: ArrayLike | None = None,
    active_layers: int | None = 2,
    max_spins: int | None = None,
) -> States:
    """Samples low-energy states of H[x], with their energies.

    With more than one hidden layer the states come from forward sweeps. The first sweep starts from
    random states and samples layers (1, 2), (2, 3) ... (L - 1, L) in turn, with the others frozen
    where they are. The next sweeps go downhill, until no state changes any more, or 20 times.

    Args:
        network: of any depth.
        sampler: samples the states.
        images: (B, I), floating point, in [0, 1].
        num_reads: R >= 1.
        seed: None draws one.
        streams: (B,), default 0 ... B - 1: the random streams of the images.
        active_layers: None samples all layers at once.
        max_spins: refuse to send the sampler a larger problem.

    Returns:
        (B, R, N), the hidden layers first and the outputs last.

    Raises:
        ValueError: for a wrong shape or a pixel outside [0, 1].

    References:
        arXiv:2506.05244, Section VI.
    """
    check_sampler(sampler)
    num_reads, seed = whole_number("num_reads", num_reads, least=1), seed_number(seed)
    check_active_layers(active_layers)
    log = SamplingLog(max_spins=max_spins)
    pixels = image_array("images", images, num_inputs=network.num_inputs)
    network.check_finite()
    fields, numbers = network.hidden_fields(pixels), stream_array(streams, len(pixels))

    if network.num_hidden_layers == 1 or active_layers is None:
        problem = network.problem_of(fields, network.layer_biases[-1][None, :], numbers)
        return in_network_order(network, log.sample(sampler, problem, num_reads, seed))

    spins = forward_sweep(network, sampler, fields, numbers, num_reads, seed, log)
    for _ in range(_MAX_SWEEPS):
        before = spins.copy()
        _descend_forward(network, fields, numbers, spins, declared(sampler).num_threads)
        if (spins == before).all():
            break
    return whole_states(network, fields, numbers, spins)


def check_active_layers(value: object) -> None:
    """Refuses a value that is not 2 or None."""
    if value is not None and (isinstance(value, bool) or value != 2):
        raise ValueError(f"active_layers must be 2 or None, got {value!r}")


def forward_sweep(
    network: Network,
    sampler: Sampler,
    fields: Floats32,
    streams: NDArray[np.uint64],
    num_states: int,
    seed: int,
    log: SamplingLog,
    push: NDArray[np.float64] | None = None,
    *,
    free: bool = True,
) -> Spins:
    """Samples layers (1, 2), (2, 3) ... (L - 1, L) in turn, from random states.

    Args:
        network: with at least two hidden layers.
        sampler: samples two layers at a time.
        fields: (B, n_1), what acts on layer 1.
        streams: (B,), the random streams of the images.
        num_states: m, chains per image.
        seed: of the whole sweep; each two layers have a seed that follows from it.
        log: counts the states.
        push: (B, n_L), added to the fields of the outputs.
        free: whether the states are those of H[x], for the log.

    Returns:
        (B, m, N), whole states.
    """
    spins = _random_spins(seed_for(seed, _START), streams, num_states, sum(network.sizes))
    top = network.num_hidden_layers

    for layer in range(1, top + 1):
        problem = network.layer_problem(layer, fields, spins, streams)
        if layer == top and push is not None:
            per_state = np.repeat(np.asarray(push, dtype=np.float32), num_states, axis=0)
            problem = IsingProblem.trusted(
                problem.couplings,
                problem.hidden_fields,
                problem.output_fields + per_state,
                problem.streams,
            )
        states = log.sample(sampler, problem, 1, seed_for(seed, layer), free=free)
        spins[..., network.active(layer)] = states.spins.reshape(*spins.shape[:2], -1)

    return spins


def cooled(problem: IsingProblem, start: Spins, num_threads: int) -> Spins:
    """Returns (B, R, N) states after one cold sweep of annealing and a zero-temperature descent.

    In the cold sweep a spin turns over with probability 63/64 if that does not raise the energy,
    even if its local field is 0. `IsingProblem.descended` has no such sweep, and can end in other
    states; this one stays as it is because the bits of trained deep networks follow from it.

    Args:
        problem: B problems.
        start: (B, R, N), states to start from.
        num_threads: threads over states; changes the speed, never the states.
    """
    states = anneal(
        problem,
        _COLD,
        relative=True,
        num_reads=start.shape[1],
        seed=0,
        initial=start,
        num_threads=num_threads,
    )
    return states.spins


def in_network_order(network: Network, states: States) -> States:
    """Returns states of all layers at once, in the problem's order, with layer 1 first.

    With one hidden layer the two orders are the same.
    """
    if network.num_hidden_layers == 1:
        return states
    return States.trusted(network.from_problem(states.spins), states.energies, states.info)


def whole_states(
    network: Network, fields: Floats32, streams: NDArray[np.uint64], spins: Spins
) -> States:
    """Returns whole states (B, R, N) with the energies of H[x]."""
    problem = network.problem_of(fields, network.layer_biases[-1][None, :], streams)
    return States.trusted(spins, problem.energies(network.to_problem(spins)), {})


def per_chain(spins: Spins) -> Spins:
    """Returns (B, m, N) states as start states of B * m problems with one read, (B * m, 1, N)."""
    return np.ascontiguousarray(spins).reshape(-1, 1, spins.shape[2])


def _descend_forward(
    network: Network,
    fields: Floats32,
    streams: NDArray[np.uint64],
    spins: Spins,
    num_threads: int,
) -> None:
    """Lets each two layers in turn go downhill from where they are, in place."""
    for layer in range(1, len(network.sizes)):
        where = network.active(layer)
        problem = network.layer_problem(layer, fields, spins, streams)
        ends = cooled(problem, per_chain(spins[..., where]), num_threads)
        spins[..., where] = ends.reshape(*spins.shape[:2], -1)


def _random_spins(seed: int, streams: NDArray[np.uint64], num_states: int, num_spins: int) -> Spins:
    """Returns random start states (B, m, N), those of each image from its own stream."""
    size = num_states * num_spins
    bits = np.empty((len(streams), size), dtype=np.uint8)

    for row, stream in zip(bits, streams, strict=True):
        key = np.array([seed, stream], dtype=np.uint64)
        words = np.random.Philox(key=key).random_raw(-(-size // 64))
        row[...] = np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), count=size)

    return (2 * bits.astype(np.int8) - 1).reshape(len(streams), num_states, num_spins)
