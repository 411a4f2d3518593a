"""Calls of the kernels for a model: those of two layers for a dense one, else those of graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop import kernels
from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import anneal
from isingprop.samplers.as_dimod.spin_model import SpinModel
from isingprop.samplers.as_dimod.two_colouring import Layers
from isingprop.samplers.tempering import temper
from isingprop.states import States
from isingprop.util.checks import Doubles, Spins

_NUM_THREADS = 1
_LADDERS = "betas", "swap_acceptance", "round_trips"  # what kernels tell of the ladder of a read


@dataclass(frozen=True)
class Reads:
    """Some reads of a call: their random streams have the numbers first ... first + count - 1."""

    first: int
    count: int
    initial: Spins | None  #: (count, N), start states; None for random ones


class Sampled(NamedTuple):
    """What a kernel returns for some reads."""

    spins: Spins  #: (count, N)
    energies: Doubles  #: (count,), without the offset of the model
    range: Doubles  #: (2,), the first and the last inverse temperature in 1 / (unit of J)
    ladders: dict[str, NDArray[np.number]]  #: `info` of tempering, one row for each read


def anneal_model(
    model: SpinModel,
    betas: Doubles,
    reads: Reads,
    *,
    relative: bool,
    descend: bool | None,
    seed: int,
) -> Sampled:
    """Anneals a model, with one sweep at each of the given inverse temperatures.

    Args:
        model: N variables.
        betas: (num_sweeps,), >= 0 or infinite; none at all returns the start states.
        reads: start states must be given for a dense model.
        relative: whether betas are relative to the model, see `isingprop.Annealing`.
        descend: whether reads end with a descent; None is where the last beta is cold.
        seed: names the random numbers, together with the read.
    """
    layers = model.layers
    if layers is None or reads.initial is None or not len(betas) or np.isinf(betas).any():
        spins, energies, ends = kernels.anneal_graph(
            model.ends,
            model.couplings,
            model.fields,
            betas,
            relative,
            descend,
            reads.count,
            reads.first,
            seed,
            reads.initial,
            _NUM_THREADS,
        )
        return Sampled(spins, energies, ends, {})

    problem, start = _in_layers(layers, reads.first, reads.initial)
    states = anneal(
        problem, betas, relative=relative, descend=descend, seed=seed, initial=start[:, None]
    )
    return _of_layers(layers, states, states.info["betas"][0], ())


def temper_model(
    model: SpinModel,
    betas: Doubles,
    reads: Reads,
    *,
    num_sweeps: int,
    relative: bool,
    adaptive: bool,
    target: int | None,
    seed: int,
) -> Sampled:
    """Tempers a model, with a replica at each of the given inverse temperatures.

    Args:
        model: see `anneal_model`.
        betas: (num_betas,), > 0 and finite, rising or constant.
        reads: see `anneal_model`.
        num_sweeps: sweeps of each replica.
        relative: see `anneal_model`.
        adaptive: whether the inner rungs move.
        target: the rung whose last states are returned, or None for the lowest states of all.
        seed: see `anneal_model`.
    """
    layers = model.layers
    if layers is None or reads.initial is None:
        spins, energies, *ladders = kernels.temper_graph(
            model.ends,
            model.couplings,
            model.fields,
            betas,
            num_sweeps,
            -1 if target is None else target,
            relative,
            adaptive,
            reads.count,
            reads.first,
            seed,
            reads.initial,
            _NUM_THREADS,
        )
        ends: Doubles = ladders[0][0, [0, -1]].astype(np.float64)
        return Sampled(spins, energies, ends, dict(zip(_LADDERS, ladders, strict=True)))

    problem, start = _in_layers(layers, reads.first, reads.initial)
    states = temper(
        problem,
        betas,
        num_sweeps=num_sweeps,
        relative=relative,
        adaptive=adaptive,
        target=target,
        seed=seed,
        initial=start[:, None],
    )
    return _of_layers(layers, states, states.info["betas"][0, 0, [0, -1]], _LADDERS)


def _in_layers(layers: Layers, first: int, initial: Spins) -> tuple[IsingProblem, Spins]:
    """Returns a problem for each read, and the start states (count, H + O)."""
    start = np.empty_like(initial)
    start[:, layers.slots] = initial
    return layers.problem(first, len(initial)), start


def _of_layers(layers: Layers, states: States, ends: Doubles, names: tuple[str, ...]) -> Sampled:
    """Returns states of one read for each problem as those of the variables."""
    ladders = {name: states.info[name][:, 0] for name in names}
    return Sampled(states.spins[:, 0, layers.slots], states.energies[:, 0], ends, ladders)
