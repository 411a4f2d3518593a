"""The two phases of a minibatch: free states, and the nudged states that they are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from isingprop.network.base_network import Floats32, Network
from isingprop.network.layer_order import from_sides, to_sides
from isingprop.problem import IsingProblem
from isingprop.samplers.protocol import Sampler, Weighing, declared
from isingprop.states import States
from isingprop.training.layer_sweeps import (
    cooled,
    forward_sweep,
    in_network_order,
    per_chain,
    whole_states,
)
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checks import Spins, seed_for


class Batch(NamedTuple):
    """The images of one update, as far as sampling is concerned."""

    fields: Floats32  #: what acts on layer 1, (B, n_1)
    streams: NDArray[np.uint64]  #: (B,), the random streams of the images
    labels: NDArray[np.int64]  #: y, (B,)
    outputs: Spins  #: n[y], (B, 1, O)
    wrong_outputs: Spins | None  #: outputs of the states to start from, (B, m, O)
    free_seed: int
    nudged_seed: int


class Step(NamedTuple):
    """Free and nudged states from which the parameters of two layers, or of all, are updated."""

    layer: int | None  #: the lower of the two layers; None for whole states
    free: Spins  #: (B, m, .)
    nudged: Spins  #: (B, m or 1, .)
    weights: NDArray[np.float64] | None = None  #: of the free states, (B, m)


@dataclass(frozen=True)
class Plan:
    """How to sample both phases; see the arguments of Trainer for what the fields mean."""

    sampler: Sampler
    warm_sampler: Sampler
    num_states: int | None  #: None: all states, with weights
    nudge: float | None
    skip_correct: bool
    margin: float
    nudged_from_free: bool  #: Trainer's nudged_start is "free"
    active_layers: int | None


class Phases(Protocol):
    """Both phases of a minibatch of one network."""

    def free(self, batch: Batch, log: SamplingLog) -> States:
        """Returns whole states, (B, m, N), with the energies of H[x] whatever the margin."""
        ...

    def steps(self, batch: Batch, free: States, log: SamplingLog) -> Iterator[Step]:
        """Returns what to learn from; the network is updated between any two steps."""
        ...


def phases_of(network: Network, plan: Plan) -> Phases:
    """Returns the phases of a network: whole states at once, or two layers at a time."""
    if network.num_hidden_layers == 1 or plan.active_layers is None:
        return _WholeNetwork(network, plan)
    return _LayerSweep(network, plan)


class _WholeNetwork:
    """Phases in which all layers are sampled at once, as one bipartite problem."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self._network, self._plan = network, plan
        self._takes_marks = declared(plan.sampler).takes_marks
        self._deep = network.num_hidden_layers > 1
        self._output_bias = network.layer_biases[-1][None, :]  # a view, which follows the training

    def free(self, batch: Batch, log: SamplingLog) -> States:
        network, plan = self._network, self._plan
        initial = None
        if batch.wrong_outputs is not None:
            initial = network.states_with_outputs(batch.fields, batch.wrong_outputs)
        problem = self._problem(batch, self._margin_fields(batch))
        if self._takes_marks:
            problem.marked = network.readout.wrong_outputs(batch.labels)

        if plan.num_states is None:
            states = log.weighted_states(cast(Weighing, plan.sampler), problem)
        else:
            seed, num_states = batch.free_seed, plan.num_states
            states = log.sample(plan.sampler, problem, num_states, seed, initial, free=True)

        if plan.margin:
            states = _with_energies_of(self._problem(batch), states)
        return in_network_order(network, states)

    def steps(self, batch: Batch, free: States, log: SamplingLog) -> Iterator[Step]:
        yield Step(None, free.spins, self._nudged(batch, free, log), free.weights)

    def _nudged(self, batch: Batch, free: States, log: SamplingLog) -> Spins:
        """Returns the nudged states: a sampled one, that of Eq. (7), or hidden layers at rest.

        Returns:
            (B, 1, N) with one hidden layer, but (B, m, N) with skip_correct, where the free states
            of correct images stand in for nudged ones, and with more hidden layers.
        """
        if self._plan.nudge is not None:
            return self._sampled_nudged(batch, free, log)
        if self._deep:
            return self._rested(batch, free, log)
        return self._network.states_with_outputs(batch.fields, batch.outputs)

    def _sampled_nudged(self, batch: Batch, free: States, log: SamplingLog) -> Spins:
        """Returns one read of H_N for each image, or its free states where they are all correct."""
        network, plan = self._network, self._plan
        correct = np.zeros(len(batch.outputs), dtype=bool)
        if plan.skip_correct:
            outputs = free.spins[:, :, network.num_hidden :]
            correct = (outputs == batch.outputs).all(axis=(1, 2))
        if correct.all():
            return free.spins

        assert plan.nudge is not None
        pull = np.float32(-plan.nudge) * batch.outputs[:, 0].astype(np.float32)
        problem = self._problem(batch, pull)
        nudged = log.sample(plan.sampler, problem, 1, batch.nudged_seed).spins
        return np.where(correct[:, None, None], free.spins, nudged) if correct.any() else nudged

    def _rested(self, batch: Batch, free: States, log: SamplingLog) -> Spins:
        """Returns states with outputs n[y] whose hidden layers went downhill from the free states.

        With nudged_start = "random" the hidden layers are sampled anew instead.
        """
        network, plan = self._network, self._plan
        assert plan.num_states is not None  # Trainer
        problem = network.hidden_problem(batch.fields, batch.outputs[:, 0], batch.streams)
        hidden, sizes = free.spins[..., : network.num_hidden], network.sizes[:-1]

        if plan.nudged_from_free:
            start, num_threads = to_sides(hidden, sizes), declared(plan.sampler).num_threads
            rested = cooled(problem, start, num_threads)
        else:
            seed = batch.nudged_seed
            rested = log.sample(plan.sampler, problem, plan.num_states, seed).spins

        outputs = np.broadcast_to(batch.outputs, (*hidden.shape[:2], network.num_output))
        return np.concatenate([from_sides(rested, sizes), outputs], axis=2)

    def _margin_fields(self, batch: Batch) -> Floats32 | None:
        """Returns the fields that raise the label's states by the margin over those of others."""
        if not self._plan.margin:
            return None
        outputs = batch.outputs[:, 0]
        if self._deep:
            push = whole_code_push(self._plan.margin, self._network)
            return np.float32(push) * outputs.astype(np.float32)
        push = own_outputs_push(self._plan.margin, self._network)
        return np.float32(push) * (outputs > 0).astype(np.float32)

    def _problem(self, batch: Batch, push: Floats32 | None = None) -> IsingProblem:
        """Returns the problem of H[x], with a push (B, O) on the outputs."""
        output_fields = self._output_bias if push is None else self._output_bias + push
        return self._network.problem_of(batch.fields, output_fields, batch.streams)


def own_outputs_push(margin: float, network: Network) -> float:
    """Returns p such that fields p on the label's own outputs raise its states by the margin."""
    return margin / (2 * network.readout.redundancy)


def whole_code_push(margin: float, network: Network) -> float:
    """Returns p such that the fields p n[y] raise the label's states by the margin over others.

    Two codes differ in 2 * redundancy outputs, each of which then counts 2 p.
    """
    return margin / (4 * network.readout.redundancy)


class _LayerSweep:
    """Phases in which two layers are sampled at a time while the others are frozen."""

    def __init__(self, network: Network, plan: Plan) -> None:
        assert plan.num_states is not None  # Trainer
        self._network, self._plan, self._num_states = network, plan, plan.num_states

    def free(self, batch: Batch, log: SamplingLog) -> States:
        network, plan = self._network, self._plan
        push = whole_code_push(plan.margin, network) * batch.outputs[:, 0].astype(np.float64)

        spins = forward_sweep(
            network,
            plan.sampler,
            batch.fields,
            batch.streams,
            self._num_states,
            batch.free_seed,
            log,
            push,
        )
        return whole_states(network, batch.fields, batch.streams, spins)

    def steps(self, batch: Batch, free: States, log: SamplingLog) -> Iterator[Step]:
        """Returns layers (L - 1, L) down to (1, 2), with the same random numbers in both phases."""
        network, top = self._network, self._network.num_hidden_layers
        first, second = free.spins.copy(), self._nudged_start(batch, free, log)

        where = network.active(top)
        second[..., where] = network.with_outputs(batch.fields, second, batch.outputs)
        yield Step(
            top, np.ascontiguousarray(first[..., where]), np.ascontiguousarray(second[..., where])
        )

        for layer in range(top - 1, 0, -1):
            seed = seed_for(batch.nudged_seed, layer)
            pair = [self._resample(layer, batch, spins, seed, log) for spins in (first, second)]
            yield Step(layer, pair[0], pair[1])

    def _nudged_start(self, batch: Batch, free: States, log: SamplingLog) -> Spins:
        """Returns the states whose outputs become n[y]: the free ones, or newly sampled ones."""
        if self._plan.nudged_from_free:
            return free.spins.copy()

        network, sampler = self._network, self._plan.sampler
        seed = seed_for(
            batch.nudged_seed, network.num_hidden_layers + 1
        )  # no pair of layers has this number
        fields, streams, num_states = batch.fields, batch.streams, self._num_states
        return forward_sweep(network, sampler, fields, streams, num_states, seed, log, free=False)

    def _resample(
        self, layer: int, batch: Batch, spins: Spins, seed: int, log: SamplingLog
    ) -> Spins:
        """Samples two layers of whole states in place and returns their spins."""
        plan, where = self._plan, self._network.active(layer)
        problem = self._network.layer_problem(layer, batch.fields, spins, batch.streams)
        if plan.nudged_from_free:
            states = log.sample(plan.warm_sampler, problem, 1, seed, per_chain(spins[..., where]))
        else:
            states = log.sample(plan.sampler, problem, 1, seed)

        pair = states.spins.reshape(*spins.shape[:2], -1)
        spins[..., where] = pair
        return pair


def _with_energies_of(problem: IsingProblem, states: States) -> States:
    """Returns the states, and any unamplified ones, with the energies of another problem."""
    plain = states.unamplified
    return states.changed(
        energies=problem.energies(states.spins),
        unamplified=None if plain is None else _with_energies_of(problem, plain),
    )
