"""What every sampler can do, and how its answers are taken."""

from __future__ import annotations

from inspect import signature
from typing import Protocol

import numpy as np

from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import Annealing, Reannealing
from isingprop.samplers.coherent_annealing import Amplified, Coherent
from isingprop.samplers.cyclic import Cyclic
from isingprop.samplers.tempering import Tempering
from isingprop.states import States
from isingprop.util.checks import Spins, float_array, spin_array

# Their states come from kernels that cannot return anything else; checking them again would cost a tenth of an epoch.
_OWN = (Annealing, Reannealing, Tempering, Cyclic, Coherent, Amplified)


_WEIGHT_ROUNDING = 1e-6


class Sampler(Protocol):
    """Anything that draws low-energy states: a CPU kernel, a QPU, a stranger's dimod sampler."""

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Draws num_reads states for each of the B problems.

        Args:
            problem: B problems over N spins.
            num_reads: R >= 1.
            seed: the same seed gives the same states; None draws one.
            initial: start states, (B, R, N) or with a length of 1 in place of B or R, where the sampler can use them.
        """
        ...


class Weighing(Protocol):
    """A sampler that has all states with their weights, too."""

    def weighted_states(self, problem: IsingProblem) -> States:
        """All 2^N states of each of the B problems, (B, 2^N, N), with weights."""
        ...


def check_sampler(sampler: object, role: str = "sampler") -> None:
    """Refuses what is no sampler, before any work; `role` is the name of the argument.

    Raises:
        TypeError: for a class, an object without sample(), or a dimod sampler that is not wrapped.
    """
    name = type(sampler).__name__
    if isinstance(sampler, type):
        raise TypeError(f"{role} must be an instance, got the class {sampler.__name__}")
    if not callable(getattr(sampler, "sample", None)):
        raise TypeError(f"{role} must have a method sample(), got {name}")
    if hasattr(sampler, "sample_ising"):
        wrapped = (
            f"DWave(solver={name}())" if hasattr(sampler, "edgelist") else f"FromDimod({name}())"
        )
        raise TypeError(
            f"{role} must be one of isingprop's, got the dimod sampler {name}: use {wrapped}"
        )


def takes_initial(sampler: Sampler) -> bool:
    """Whether it can use start states: what it says of itself, or else whether sample() has such an argument."""
    told = getattr(sampler, "takes_initial", None)
    if told is not None:
        return bool(told)
    arguments = signature(sampler.sample).parameters.values()
    return any(
        argument.name == "initial" or argument.kind is argument.VAR_KEYWORD
        for argument in arguments
    )


def takes_marks(sampler: Sampler) -> bool:
    """Whether it looks for the states that a problem has marked."""
    return bool(getattr(sampler, "takes_marks", False))


def threads_of(sampler: Sampler) -> int:
    """How many threads what goes along with this sampler may use."""
    return int(getattr(sampler, "num_threads", 1))


def draw(
    sampler: Sampler,
    problem: IsingProblem,
    num_reads: int,
    seed: int | None,
    initial: Spins | None = None,
) -> States:
    """The states of a sampler, found to be what was asked for.

    Raises:
        TypeError: where it returns something else than States.
        ValueError: for states of another shape, a spin that is not -1 or +1 or an energy that is not finite, by name.
    """
    if initial is None:  # and not initial=None, of which a simple sampler need not know
        states = sampler.sample(problem, num_reads=num_reads, seed=seed)
    else:
        states = sampler.sample(problem, num_reads=num_reads, seed=seed, initial=initial)
    return (
        states
        if type(sampler) in _OWN
        else _found_good(states, type(sampler).__name__, problem, num_reads)
    )


def weigh(sampler: Weighing, problem: IsingProblem) -> States:
    """All states of a sampler that has their weights, found to be so.

    Raises:
        TypeError, ValueError: as `draw`, and for states without weights.
    """
    states = sampler.weighted_states(problem)
    if type(sampler) in _OWN:
        return states
    name = type(sampler).__name__
    states = _found_good(states, name, problem, None)
    if states.weights is None:
        raise ValueError(f"weights from {name} must be there, got None")
    return states


def _found_good(states: object, name: str, problem: IsingProblem, num_reads: int | None) -> States:
    if not isinstance(states, States):
        called = "weighted_states" if num_reads is None else "sample"
        raise TypeError(f"{name}.{called}() must return States, got {type(states).__name__}")
    if not isinstance(states.info, dict):
        raise TypeError(f"info from {name} must be a dict, got {type(states.info).__name__}")
    spins = spin_array(
        f"spins from {name}", states.spins, shape=(len(problem), num_reads, problem.num_spins)
    )
    energies = float_array(f"energies from {name}", states.energies, shape=spins.shape[:2])
    weights = states.weights
    if weights is not None:
        weights = float_array(f"weights from {name}", weights, shape=spins.shape[:2]).astype(
            np.float64, copy=False
        )
        if weights.min() < 0 or weights.sum(axis=1).max() > 1 + _WEIGHT_ROUNDING:
            raise ValueError(
                f"weights from {name} must be at least 0 and sum to at most 1, got {weights}"
            )
    return States.trusted(spins, energies.astype(np.float64, copy=False), states.info, weights)
