"""What is sampled of a network: free states, and for a minibatch the nudged states that they are held against."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.checks import Spins, image_array, seed_number, whole_number
from isingprop.layered import LayeredNetwork, Network, from_sides, to_sides
from isingprop.network import BipartiteNetwork
from isingprop.problem import IsingProblem, stream_array
from isingprop.samplers import Sampler, draw
from isingprop.samplers.annealing import anneal
from isingprop.states import States

_MOST_SWEEPS = 20  # after the first
_QPU_NUMBERS = ("qpu_seconds", "chain_break_fraction", "clipped")
# One sweep at a beta at which nothing goes up, in units of 1 / (rms local field); then the descent to the end.
_COLD = np.array([1e6])
_START = 0  # a stage of a sweep is named by its lower layer, 1 ... L - 1; this is the random start before the first


class Meter:
    """Asks samplers for states, and keeps account of it.

    Args:
        max_spins: refuse to send a larger problem.
        beta_effective: keep the effective inverse temperature of the free states.
    """

    def __init__(self, *, max_spins: int | None = None, beta_effective: bool = False) -> None:
        """Starts at zero."""
        self.max_spins = max_spins
        self.beta_effective = beta_effective
        self.seconds = 0.0  #: inside samplers
        self.largest = 0  #: spins of the largest problem that was sent
        self._betas: list[float] = []
        self._told: list[dict[str, float]] = []

    def draw(
        self,
        sampler: Sampler,
        problem: IsingProblem,
        num_reads: int,
        seed: int,
        initial: Spins | None = None,
        *,
        free: bool = False,
    ) -> States:
        """The states of a sampler, found to be what was asked for."""
        num_spins = problem.num_spins
        if self.max_spins is not None and num_spins > self.max_spins:
            raise ValueError(f"max_spins must be at least {num_spins} for {problem}, got {self.max_spins}")
        self.largest = max(self.largest, num_spins)
        start = perf_counter()
        states = draw(sampler, problem, num_reads, seed, initial)
        self.seconds += perf_counter() - start
        if "qpu_seconds" in states.info:  # all of its info would be too much to keep for an epoch
            self._told.append({name: states.info[name] for name in _QPU_NUMBERS})
        if self.beta_effective and free:
            told = states.info.get("beta_effective")  # of a QPU's reads before their descent
            self._betas.append(states.beta_effective(problem) if told is None else told)
        return states

    def numbers(self) -> dict[str, Any]:
        """What a record says of them."""
        numbers: dict[str, Any] = {"seconds_sampling": self.seconds, "largest_problem": self.largest or None}
        if self._betas:
            numbers["beta_effective"] = float(np.median(self._betas))
        if self._told:
            sums = {name: math.fsum(told[name] for told in self._told) for name in _QPU_NUMBERS}
            numbers |= sums
            numbers["chain_break_fraction"] /= len(self._told)
            numbers["clipped"] = int(sums["clipped"])
        return numbers


class Batch(NamedTuple):
    """The images of an update, as far as sampling is concerned."""

    fields: NDArray[np.float32]  #: of layer 1, (B, n_1)
    streams: NDArray[np.uint64]  #: (B,)
    outputs: Spins  #: n[y], (B, 1, O)
    wrong_outputs: Spins | None  #: of the states to start from, (B, m, O)
    free_seed: int
    nudged_seed: int


class Step(NamedTuple):
    """Free and nudged states whose parameters are to be updated: of two layers, or of all."""

    layer: int | None  #: the lower of the two
    free: Spins  #: (B, m, .)
    nudged: Spins  #: (B, m or 1, .)


@dataclass(frozen=True)
class Plan:
    """How to sample; see Trainer."""

    sampler: Sampler
    warm_sampler: Sampler
    num_states: int
    nudge: float | None
    skip_correct: bool
    margin: float
    nudged_from_free: bool


class Phases(Protocol):
    """What a kind of network has sampled for a minibatch."""

    def free(self, batch: Batch, meter: Meter) -> States:
        """Whole states, (B, m, N), of which the energies do not have the margin."""
        ...

    def steps(self, batch: Batch, free: States, meter: Meter) -> Iterator[Step]:
        """What to learn from; the network is trained between any two."""
        ...


def phases_of(network: Network, plan: Plan, active_layers: int | None) -> Phases:
    """Those for this kind of network."""
    if isinstance(network, BipartiteNetwork):
        return _OneHiddenLayer(network, plan)
    return _AllLayers(network, plan) if active_layers is None else _TwoLayers(network, plan)


def problem_shapes(network: Network, active_layers: int | None) -> list[tuple[int, int]]:
    """Hidden and output spins of all problems that samplers will be sent."""
    sizes = (network.num_hidden, network.num_output) if isinstance(network, BipartiteNetwork) else network.sizes
    if active_layers is None:
        return [(sum(sizes[::2]), sum(sizes[1::2]))]
    return list(pairwise(sizes))


def sample_states(
    network: Network,
    sampler: Sampler,
    images: ArrayLike,
    num_reads: int = 10,
    seed: int | None = 0,
    *,
    streams: ArrayLike | None = None,
    active_layers: int | None = 2,
    meter: Meter | None = None,
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
        meter: keeps account of what is sampled.

    Returns:
        (B, R, N), the hidden layers first and the outputs last.

    Raises:
        ValueError: for a wrong shape or a pixel outside [0, 1].

    References:
        arXiv:2506.05244, Section VI.
    """
    num_reads, seed, meter = whole_number("num_reads", num_reads, least=1), seed_number(seed), meter or Meter()
    check_active_layers(active_layers)
    pixels = image_array("images", images, num_inputs=network.num_inputs)
    fields, numbers = network.hidden_fields(pixels), stream_array(streams, len(pixels))
    network = single(network)
    if isinstance(network, BipartiteNetwork):
        problem = IsingProblem.trusted(network.couplings, fields, network.output_bias[None, :], numbers)
        return meter.draw(sampler, problem, num_reads, seed)
    if active_layers is None:
        return _all_at_once(network, sampler, fields, network.biases[-1][None, :], numbers, num_reads, seed, meter)
    spins = _forward(network, sampler, fields, numbers, num_reads, seed, meter)
    for _ in range(_MOST_SWEEPS):
        before = spins.copy()
        _descend(network, fields, numbers, spins)
        if (spins == before).all():
            break
    return _measured(network, fields, numbers, spins)


def single(network: Network) -> Network:
    """The same arrays as a BipartiteNetwork, where there is one hidden layer."""
    return network.shallow() if isinstance(network, LayeredNetwork) and len(network.couplings) == 1 else network


def check_active_layers(value: object) -> None:
    """Refuses what is not 2 or None."""
    if value is not None:
        whole_number("active_layers", value, least=2, most=2)


class _OneHiddenLayer:
    """The problem is the whole network."""

    def __init__(self, network: BipartiteNetwork, plan: Plan) -> None:
        self._network, self._plan = network, plan

    def free(self, batch: Batch, meter: Meter) -> States:
        network, plan = self._network, self._plan
        initial = None
        if batch.wrong_outputs is not None:
            initial = network.states_with_outputs(batch.fields, batch.wrong_outputs)
        problem = self._problem(batch, plan.margin)
        states = meter.draw(plan.sampler, problem, plan.num_states, batch.free_seed, initial, free=True)
        if not plan.margin:
            return states
        energies = self._problem(batch).energies(states.spins)
        return States.trusted(states.spins, energies, states.info)

    def steps(self, batch: Batch, free: States, meter: Meter) -> Iterator[Step]:
        yield Step(None, free.spins, self._nudged(batch, free, meter))

    def _nudged(self, batch: Batch, free: States, meter: Meter) -> Spins:
        """(B, 1, N): the states of Eq. (7), or one sampled read of H_N.

        With skip_correct (B, m, N), where the free states of correct images stand in for nudged ones.
        """
        network, plan = self._network, self._plan
        if plan.nudge is None:
            return network.states_with_outputs(batch.fields, batch.outputs)
        correct = np.zeros(len(batch.outputs), dtype=bool)
        if plan.skip_correct:
            correct = (free.spins[:, :, network.num_hidden :] == batch.outputs).all(axis=(1, 2))
        if correct.all():
            return free.spins
        states = meter.draw(plan.sampler, self._problem(batch, -plan.nudge), 1, batch.nudged_seed)
        return np.where(correct[:, None, None], free.spins, states.spins) if correct.any() else states.spins

    def _problem(self, batch: Batch, push: float = 0.0) -> IsingProblem:
        """H[x] + push * sum_a n_a[y] t_a."""
        output_fields = _pushed(self._network.output_bias, batch.outputs, push)
        return IsingProblem.trusted(self._network.couplings, batch.fields, output_fields, batch.streams)


class _TwoLayers:
    """The active-layer sweep: two layers are free, the others frozen where they are."""

    def __init__(self, network: LayeredNetwork, plan: Plan) -> None:
        self._network, self._plan = network, plan

    def free(self, batch: Batch, meter: Meter) -> States:
        network, plan = self._network, self._plan
        push = plan.margin * batch.outputs[:, 0]
        spins = _forward(
            network, plan.sampler, batch.fields, batch.streams, plan.num_states, batch.free_seed, meter, push
        )
        return _measured(network, batch.fields, batch.streams, spins)

    def steps(self, batch: Batch, free: States, meter: Meter) -> Iterator[Step]:
        """From layers (L - 1, L) down to (1, 2); free and nudged chains are sampled with the same random numbers."""
        network, plan, num_states = self._network, self._plan, self._plan.num_states
        first, seed = free.spins.copy(), batch.nudged_seed
        if plan.nudged_from_free:
            second = free.spins.copy()
        else:
            second = _forward(network, plan.sampler, batch.fields, batch.streams, num_states, seed, meter)
        top = len(network.couplings)
        where = network.active(top)
        second[..., where] = network.with_outputs(batch.fields, second, batch.outputs)
        yield Step(top, np.ascontiguousarray(first[..., where]), np.ascontiguousarray(second[..., where]))
        for layer in range(top - 1, 0, -1):
            where = network.active(layer)
            pair = []
            for spins in (first, second):
                problem = network.stage_of(layer, batch.fields, spins, batch.streams)
                stage_seed = _stage_seed(seed, layer)
                if plan.nudged_from_free:
                    warm = _per_chain(spins[..., where])
                    states = meter.draw(plan.warm_sampler, problem, 1, stage_seed, warm)
                else:
                    states = meter.draw(plan.sampler, problem, 1, stage_seed)
                spins[..., where] = states.spins.reshape(*spins.shape[:2], -1)
                pair.append(states.spins.reshape(*spins.shape[:2], -1))
            yield Step(layer, pair[0], pair[1])


class _AllLayers:
    """All layers at once: a layer couples to its neighbours only, so they are one bipartite problem."""

    def __init__(self, network: LayeredNetwork, plan: Plan) -> None:
        self._network, self._plan = network, plan

    def free(self, batch: Batch, meter: Meter) -> States:
        network, plan = self._network, self._plan
        output_fields = _pushed(network.biases[-1], batch.outputs, plan.margin)
        states = _all_at_once(
            network, plan.sampler, batch.fields, output_fields, batch.streams, plan.num_states, batch.free_seed, meter
        )
        return _measured(network, batch.fields, batch.streams, states.spins) if plan.margin else states

    def steps(self, batch: Batch, free: States, meter: Meter) -> Iterator[Step]:
        """Outputs become n[y], and the hidden layers come to rest: from the free state, or sampled anew."""
        network, plan = self._network, self._plan
        problem = network.hidden_problem(batch.fields, batch.outputs[:, 0], batch.streams)
        hidden, num_states = free.spins[..., : network.num_hidden], plan.num_states
        sizes = network.sizes[:-1]
        if plan.nudged_from_free:
            warm = to_sides(hidden, sizes)
            states = anneal(problem, _COLD, relative=True, num_reads=num_states, seed=batch.nudged_seed, initial=warm)
        else:
            states = meter.draw(plan.sampler, problem, num_states, batch.nudged_seed)
        outputs = np.broadcast_to(batch.outputs, (*hidden.shape[:2], network.num_output))
        nudged = np.concatenate([from_sides(states.spins, sizes), outputs], axis=2)
        yield Step(None, free.spins, nudged)


def _forward(
    network: LayeredNetwork,
    sampler: Sampler,
    fields: NDArray[np.float32],
    streams: NDArray[np.uint64],
    num_states: int,
    seed: int,
    meter: Meter,
    push: NDArray[np.float32] | None = None,
) -> Spins:
    """Layers (1, 2), (2, 3) ... (L - 1, L) in turn, from a random start: (B, m, N)."""
    spins = _random_spins(_stage_seed(seed, _START), streams, num_states, sum(network.sizes))
    top = len(network.couplings)
    for layer in range(1, top + 1):
        problem = network.stage_of(layer, fields, spins, streams)
        if layer == top and push is not None:
            output_fields = problem.output_fields + np.repeat(np.asarray(push, dtype=np.float32), num_states, axis=0)
            problem = IsingProblem.trusted(problem.couplings, problem.hidden_fields, output_fields, problem.streams)
        states = meter.draw(sampler, problem, 1, _stage_seed(seed, layer), free=True)
        spins[..., network.active(layer)] = states.spins.reshape(*spins.shape[:2], -1)
    return spins


def _descend(network: LayeredNetwork, fields: NDArray[np.float32], streams: NDArray[np.uint64], spins: Spins) -> None:
    """One forward sweep in place in which each two layers go downhill from where they are."""
    for layer in range(1, len(network.sizes)):
        problem, where = network.stage_of(layer, fields, spins, streams), network.active(layer)
        states = anneal(problem, _COLD, relative=True, seed=0, initial=_per_chain(spins[..., where]))
        spins[..., where] = states.spins.reshape(*spins.shape[:2], -1)


def _all_at_once(
    network: LayeredNetwork,
    sampler: Sampler,
    fields: NDArray[np.float32],
    output_fields: NDArray[np.float32],
    streams: NDArray[np.uint64],
    num_reads: int,
    seed: int,
    meter: Meter,
) -> States:
    problem = network.problem_of(fields, output_fields, streams)
    states = meter.draw(sampler, problem, num_reads, seed, free=True)
    return States.trusted(network.from_problem(states.spins), states.energies, states.info)


def _measured(
    network: LayeredNetwork, fields: NDArray[np.float32], streams: NDArray[np.uint64], spins: Spins
) -> States:
    """With the energies of H[x]."""
    problem = network.problem_of(fields, network.biases[-1][None, :], streams)
    return States.trusted(spins, problem.energies(network.to_problem(spins)), {})


def _pushed(bias: NDArray[np.float32], outputs: Spins, push: float) -> NDArray[np.float32]:
    """b + push * n[y], (B, O); without a push (1, O), a view that follows the training."""
    if not push:
        return bias[None, :]
    return bias[None, :] + np.float32(push) * outputs[:, 0].astype(np.float32)


def _per_chain(spins: Spins) -> Spins:
    """(B, m, N) to (B * m, 1, N)."""
    return np.ascontiguousarray(spins).reshape(-1, 1, spins.shape[2])


@lru_cache(maxsize=256)
def _stage_seed(seed: int, layer: int) -> int:
    return int(np.random.SeedSequence([seed, layer]).generate_state(1, np.uint64)[0])


def _random_spins(seed: int, streams: NDArray[np.uint64], num_states: int, num_spins: int) -> Spins:
    """The start of each image's chains, from its own stream."""
    starts = np.empty((len(streams), num_states, num_spins), dtype=np.int8)
    for row, stream in zip(starts, streams.tolist(), strict=True):
        random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))
        row[...] = 2 * random.integers(0, 2, row.shape, dtype=np.int8) - 1
    return starts
