"""What is sampled for a minibatch: free states, and the nudged states that they are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layer_order import from_sides, to_sides
from isingprop.network.layered import LayeredNetwork, Network
from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import anneal
from isingprop.samplers.protocol import Sampler, Weighing, declared
from isingprop.states import States
from isingprop.training.layer_sweeps import COLD, all_at_once, forward, measured, per_chain
from isingprop.training.sampling_log import SamplingLog
from isingprop.util.checks import Spins, seed_for


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
    weights: NDArray[np.float64] | None = None  #: of the free ones, (B, m)


@dataclass(frozen=True)
class Plan:
    """How to sample; see Trainer."""

    sampler: Sampler
    warm_sampler: Sampler
    num_states: int | None  #: None: all states, with weights
    nudge: float | None
    skip_correct: bool
    margin: float
    nudged_from_free: bool


class Phases(Protocol):
    """What a kind of network has sampled for a minibatch."""

    def free(self, batch: Batch, log: SamplingLog) -> States:
        """Whole states, (B, m, N), of which the energies do not have the margin."""
        ...

    def steps(self, batch: Batch, free: States, log: SamplingLog) -> Iterator[Step]:
        """What to learn from; the network is trained between any two."""
        ...


def phases_of(network: Network, plan: Plan, active_layers: int | None) -> Phases:
    """Those for this kind of network."""
    if isinstance(network, BipartiteNetwork):
        return _OneHiddenLayer(network, plan)
    assert plan.num_states is not None  # Trainer
    kind = _TwoLayers if active_layers else _AllLayers
    return kind(network, plan, plan.num_states)


class _OneHiddenLayer:
    """The problem is the whole network."""

    def __init__(self, network: BipartiteNetwork, plan: Plan) -> None:
        self._network, self._plan = network, plan

    def free(self, batch: Batch, log: SamplingLog) -> States:
        network, plan = self._network, self._plan
        initial = None
        if batch.wrong_outputs is not None:
            initial = network.states_with_outputs(batch.fields, batch.wrong_outputs)
        problem = self._problem(batch, plan.margin)
        if declared(plan.sampler).takes_marks:
            readout = network.readout
            problem.marked = readout.wrong_outputs(readout.predict(batch.outputs[:, 0]))
        if plan.num_states is None:
            states = log.weighted_states(cast(Weighing, plan.sampler), problem)
        else:
            states = log.sample(
                plan.sampler, problem, plan.num_states, batch.free_seed, initial, free=True
            )
        return _measured_by(self._problem(batch), states) if plan.margin else states

    def steps(self, batch: Batch, free: States, log: SamplingLog) -> Iterator[Step]:
        yield Step(None, free.spins, self._nudged(batch, free, log), free.weights)

    def _nudged(self, batch: Batch, free: States, log: SamplingLog) -> Spins:
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
        states = log.sample(plan.sampler, self._problem(batch, -plan.nudge), 1, batch.nudged_seed)
        return (
            np.where(correct[:, None, None], free.spins, states.spins)
            if correct.any()
            else states.spins
        )

    def _problem(self, batch: Batch, push: float = 0.0) -> IsingProblem:
        """H[x] + push * sum_a n_a[y] t_a."""
        output_fields = _pushed(self._network.output_bias, batch.outputs, push)
        return IsingProblem.trusted(
            self._network.couplings, batch.fields, output_fields, batch.streams
        )


class _TwoLayers:
    """The active-layer sweep: two layers are free, the others frozen where they are."""

    def __init__(self, network: LayeredNetwork, plan: Plan, num_states: int) -> None:
        self._network, self._plan, self._num_states = network, plan, num_states

    def free(self, batch: Batch, log: SamplingLog) -> States:
        network, plan = self._network, self._plan
        push = plan.margin * batch.outputs[:, 0]
        spins = forward(
            network,
            plan.sampler,
            batch.fields,
            batch.streams,
            self._num_states,
            batch.free_seed,
            log,
            push,
        )
        return measured(network, batch.fields, batch.streams, spins)

    def steps(self, batch: Batch, free: States, log: SamplingLog) -> Iterator[Step]:
        """From layers (L - 1, L) down to (1, 2); free and nudged chains are sampled with the same random numbers."""
        network, plan, num_states = self._network, self._plan, self._num_states
        first, seed, top = free.spins.copy(), batch.nudged_seed, len(network.couplings)
        if plan.nudged_from_free:
            second = free.spins.copy()
        else:
            apart = seed_for(seed, top + 1)  # no stage has this number
            second = forward(
                network,
                plan.sampler,
                batch.fields,
                batch.streams,
                num_states,
                apart,
                log,
                free=False,
            )
        where = network.active(top)
        second[..., where] = network.with_outputs(batch.fields, second, batch.outputs)
        yield Step(
            top, np.ascontiguousarray(first[..., where]), np.ascontiguousarray(second[..., where])
        )
        for layer in range(top - 1, 0, -1):
            where = network.active(layer)
            pair = []
            for spins in (first, second):
                problem = network.stage_of(layer, batch.fields, spins, batch.streams)
                own_seed = seed_for(seed, layer)
                if plan.nudged_from_free:
                    warm = per_chain(spins[..., where])
                    states = log.sample(plan.warm_sampler, problem, 1, own_seed, warm)
                else:
                    states = log.sample(plan.sampler, problem, 1, own_seed)
                pair.append(states.spins.reshape(*spins.shape[:2], -1))
                spins[..., where] = pair[-1]
            yield Step(layer, pair[0], pair[1])


class _AllLayers:
    """All layers at once: a layer couples to its neighbours only, so they are one bipartite problem."""

    def __init__(self, network: LayeredNetwork, plan: Plan, num_states: int) -> None:
        self._network, self._plan, self._num_states = network, plan, num_states

    def free(self, batch: Batch, log: SamplingLog) -> States:
        network, plan = self._network, self._plan
        output_fields = _pushed(network.biases[-1], batch.outputs, plan.margin)
        num_states, seed = self._num_states, batch.free_seed
        states = all_at_once(
            network,
            plan.sampler,
            batch.fields,
            output_fields,
            batch.streams,
            num_states,
            seed,
            log,
        )
        return (
            measured(network, batch.fields, batch.streams, states.spins) if plan.margin else states
        )

    def steps(self, batch: Batch, free: States, log: SamplingLog) -> Iterator[Step]:
        """Outputs become n[y], and the hidden layers come to rest: from the free state, or sampled anew."""
        network, plan = self._network, self._plan
        problem = network.hidden_problem(batch.fields, batch.outputs[:, 0], batch.streams)
        hidden, num_states = free.spins[..., : network.num_hidden], self._num_states
        sizes = network.sizes[:-1]
        if plan.nudged_from_free:
            warm = to_sides(hidden, sizes)
            threads = declared(plan.sampler).num_threads
            states = anneal(
                problem,
                COLD,
                relative=True,
                num_reads=num_states,
                seed=0,
                initial=warm,
                num_threads=threads,
            )
        else:
            states = log.sample(plan.sampler, problem, num_states, batch.nudged_seed)
        outputs = np.broadcast_to(batch.outputs, (*hidden.shape[:2], network.num_output))
        nudged = np.concatenate([from_sides(states.spins, sizes), outputs], axis=2)
        yield Step(None, free.spins, nudged)


def _measured_by(problem: IsingProblem, states: States) -> States:
    """The states with energies of another problem, and so those that they were amplified from."""
    plain = states.unamplified
    return states.changed(
        energies=problem.energies(states.spins),
        unamplified=None if plain is None else _measured_by(problem, plain),
    )


def _pushed(bias: NDArray[np.float32], outputs: Spins, push: float) -> NDArray[np.float32]:
    """b + push * n[y], (B, O); without a push (1, O), a view that follows the training."""
    if not push:
        return bias[None, :]
    return bias[None, :] + np.float32(push) * outputs[:, 0].astype(np.float32)
