"""Whole states of a network: all layers at once, or by forward sweeps over two layers at a time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layered import LayeredNetwork, Network
from isingprop.problem import IsingProblem, stream_array
from isingprop.samplers.annealing import anneal
from isingprop.samplers.protocol import Sampler, check_sampler, declared
from isingprop.states import States
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checks import Spins, image_array, seed_for, seed_number, whole_number

_MOST_SWEEPS = 20  # after the first
# One sweep at a beta at which nothing goes up, in units of 1 / (rms local field); then the descent to the end.
COLD = np.array([1e12])
_START = 0  # a stage of a sweep is named by its lower layer, 1 ... L - 1; this is the random start before the first


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
    """Low-energy states of H[x], with their energies.

    With more than one hidden layer: forward sweeps, the first one by the sampler from random states, layers (1, 2),
    (2, 3) ... (L - 1, L) in turn with the others frozen where they are; the next ones downhill, until no state changes
    any more, or 20 times.

    Args:
        network: of any depth.
        sampler: draws the states.
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
    fields, numbers = network.hidden_fields(pixels), stream_array(streams, len(pixels))
    network = single(network)
    if isinstance(network, BipartiteNetwork):
        problem = IsingProblem.trusted(
            network.couplings, fields, network.output_bias[None, :], numbers
        )
        return log.sample(sampler, problem, num_reads, seed)
    if active_layers is None:
        return all_at_once(
            network, sampler, fields, network.biases[-1][None, :], numbers, num_reads, seed, log
        )
    spins = forward(network, sampler, fields, numbers, num_reads, seed, log)
    for _ in range(_MOST_SWEEPS):
        before = spins.copy()
        _descend(network, fields, numbers, spins, declared(sampler).num_threads)
        if (spins == before).all():
            break
    return measured(network, fields, numbers, spins)


def single(network: Network) -> Network:
    """The same arrays as a BipartiteNetwork, where there is one hidden layer."""
    return (
        network.shallow()
        if isinstance(network, LayeredNetwork) and len(network.couplings) == 1
        else network
    )


def check_active_layers(value: object) -> None:
    """Refuses what is not 2 or None."""
    if value is not None and (isinstance(value, bool) or value != 2):
        raise ValueError(f"active_layers must be 2 or None, got {value!r}")


def num_hidden_layers(network: Network) -> int:
    """1 for a BipartiteNetwork."""
    return len(network.sizes) - 1


def problem_shapes(network: Network, active_layers: int | None) -> list[tuple[int, int]]:
    """Hidden and output spins of the problems that samplers are sent for free states."""
    return [sides(network.sizes)] if active_layers is None else list(pairwise(network.sizes))


def sides(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Hidden and output spins of layers of these sizes as one bipartite problem."""
    return sum(sizes[::2]), sum(sizes[1::2])


def forward(
    network: LayeredNetwork,
    sampler: Sampler,
    fields: NDArray[np.float32],
    streams: NDArray[np.uint64],
    num_states: int,
    seed: int,
    log: SamplingLog,
    push: NDArray[np.float32] | None = None,
    *,
    free: bool = True,
) -> Spins:
    """Layers (1, 2), (2, 3) ... (L - 1, L) in turn, from a random start: (B, m, N)."""
    spins = _random_spins(seed_for(seed, _START), streams, num_states, sum(network.sizes))
    top = len(network.couplings)
    for layer in range(1, top + 1):
        problem = network.stage_of(layer, fields, spins, streams)
        if layer == top and push is not None:
            output_fields = problem.output_fields + np.repeat(
                np.asarray(push, dtype=np.float32), num_states, axis=0
            )
            problem = IsingProblem.trusted(
                problem.couplings, problem.hidden_fields, output_fields, problem.streams
            )
        states = log.sample(sampler, problem, 1, seed_for(seed, layer), free=free)
        spins[..., network.active(layer)] = states.spins.reshape(*spins.shape[:2], -1)
    return spins


def _descend(
    network: LayeredNetwork,
    fields: NDArray[np.float32],
    streams: NDArray[np.uint64],
    spins: Spins,
    num_threads: int,
) -> None:
    """One forward sweep in place in which each two layers go downhill from where they are."""
    for layer in range(1, len(network.sizes)):
        problem, where = network.stage_of(layer, fields, spins, streams), network.active(layer)
        states = anneal(
            problem,
            COLD,
            relative=True,
            seed=0,
            initial=per_chain(spins[..., where]),
            num_threads=num_threads,
        )
        spins[..., where] = states.spins.reshape(*spins.shape[:2], -1)


def all_at_once(
    network: LayeredNetwork,
    sampler: Sampler,
    fields: NDArray[np.float32],
    output_fields: NDArray[np.float32],
    streams: NDArray[np.uint64],
    num_reads: int,
    seed: int,
    log: SamplingLog,
) -> States:
    """States (B, R, N) of all layers, with the energies that go with these (B or 1, n_L) fields of the outputs."""
    problem = network.problem_of(fields, output_fields, streams)
    states = log.sample(sampler, problem, num_reads, seed, free=True)
    return States.trusted(network.from_problem(states.spins), states.energies, states.info)


def measured(
    network: LayeredNetwork, fields: NDArray[np.float32], streams: NDArray[np.uint64], spins: Spins
) -> States:
    """With the energies of H[x]."""
    problem = network.problem_of(fields, network.biases[-1][None, :], streams)
    return States.trusted(spins, problem.energies(network.to_problem(spins)), {})


def per_chain(spins: Spins) -> Spins:
    """(B, m, N) to (B * m, 1, N)."""
    return np.ascontiguousarray(spins).reshape(-1, 1, spins.shape[2])


def _random_spins(seed: int, streams: NDArray[np.uint64], num_states: int, num_spins: int) -> Spins:
    """The start of each image's chains, from its own stream."""
    size = num_states * num_spins
    bits = np.empty((len(streams), size), dtype=np.uint8)
    for row, stream in zip(bits, streams, strict=True):
        words = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)).random_raw(
            -(-size // 64)
        )
        row[...] = np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), count=size)
    return (2 * bits.astype(np.int8) - 1).reshape(len(streams), num_states, num_spins)
