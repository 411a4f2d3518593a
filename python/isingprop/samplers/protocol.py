"""The contract of samplers: what each declares of itself, and how its answers are checked."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from inspect import Parameter, signature
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np

from isingprop.problem import IsingProblem
from isingprop.states import States
from isingprop.util.checks import Spins, float_array, spin_array

_WEIGHT_ROUNDING = 1e-6


class Sampler(Protocol):
    """Anything that samples low-energy states: a CPU kernel, a QPU, a stranger's own class.

    A bare `sample()` is enough. Samplers that can do more say so by deriving from `BaseSampler`.
    """

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Samples num_reads states for each of the B problems.

        Args:
            problem: B problems over N spins.
            num_reads: R >= 1.
            seed: the same seed gives the same states; None draws one.
            initial: start states, (B, R, N) or with a length of 1 in place of B or R, where the
                sampler can use them.
        """
        ...


@runtime_checkable
class Weighing(Protocol):
    """A sampler that also gives all states with their weights."""

    def weighted_states(self, problem: IsingProblem) -> States:
        """Returns all 2^N states of each of the B problems, (B, 2^N, N), with weights."""
        ...


class BaseSampler:
    """A sampler that declares what it can do. All samplers of isingprop derive from it.

    A subclass defines `sample()` and overrides what differs from the values here. Parameters are
    those of its constructor, kept in attributes of the same names, so that `get_params` and
    `set_params` follow scikit-learn's conventions.

    Example:
        >>> from isingprop import Annealing
        >>> sampler = Annealing(num_sweeps=30)
        >>> sampler.set_params(num_sweeps=100).get_params()["num_sweeps"]
        100
    """

    #: Whether sample() can only return states that fit, so that checking them would be a waste.
    #: A subclass says so for itself alone: `class Mine(BaseSampler, returns_checked_states=True)`.
    returns_checked_states: ClassVar[bool] = False

    def __init_subclass__(cls, *, returns_checked_states: bool = False) -> None:
        """Declares the subclass; the states of a subclass of its own are checked again."""
        super().__init_subclass__()
        cls.returns_checked_states = returns_checked_states

    @property
    def takes_initial(self) -> bool:
        """Whether sample() can use start states."""
        return True

    @property
    def takes_marks(self) -> bool:
        """Whether sample() looks for the states that a problem has marked."""
        return False

    @property
    def ends_in_descent(self) -> bool:
        """Whether reads end in a zero-temperature descent, so that they follow no temperature.

        Here it is what the settings say of `descend`.
        """
        return self.settings().get("descend") is True

    @property
    def num_threads(self) -> int:
        """The number of threads that CPU work beside this sampler may use."""
        return 1

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Samples states; see `Sampler.sample`."""
        raise TypeError(f"{type(self).__name__} must define sample()")

    def settings(self) -> dict[str, Any]:
        """Returns all that decides the states, by name: what a checkpoint compares."""
        parameters = self.get_params()
        parameters.pop("num_threads", None)

        return {"name": type(self).__name__, **parameters}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the arguments of the constructor by name; `deep` has no effect."""
        names = [each.name for each in _arguments(type(self)) if each.kind not in _VARIADIC]
        return {name: getattr(self, name) for name in names}

    def __sklearn_clone__(self) -> Self:
        """Returns an equal sampler, for scikit-learn's searches, which change its parameters."""
        return type(self)(**self.get_params())

    def set_params(self, **params: Any) -> Self:
        """Changes arguments of the constructor in place, all or none of them, and returns self.

        Raises:
            ValueError: for a name that is no argument, or a value that the constructor refuses.
        """
        arguments = _arguments(type(self))
        open_ended = any(each.kind is Parameter.VAR_KEYWORD for each in arguments)
        names = [each.name for each in arguments]
        for name in params:
            if name not in names and not open_ended:
                raise ValueError(f"parameters must be of {names}, got {name!r}")

        fresh = type(self)(**(self.get_params() | params))
        self.__dict__.clear()
        self.__dict__.update(fresh.__dict__)
        return self


class _Undeclared(BaseSampler):
    """A stranger's sampler: what it does not declare by deriving is read off its attributes."""

    def __init__(self, sampler: Sampler) -> None:
        """Wraps the sampler."""
        self._sampler = sampler

    @property
    def takes_initial(self) -> bool:
        """Its attribute of this name, or else whether sample() has an argument `initial`."""
        declared = getattr(self._sampler, "takes_initial", None)
        if declared is not None:
            return bool(declared)
        arguments = signature(self._sampler.sample).parameters.values()
        return any(each.name == "initial" or each.kind is each.VAR_KEYWORD for each in arguments)

    @property
    def takes_marks(self) -> bool:
        """Its attribute of this name, default False."""
        return bool(getattr(self._sampler, "takes_marks", False))

    @property
    def ends_in_descent(self) -> bool:
        """Its attribute of this name, default False."""
        return bool(getattr(self._sampler, "ends_in_descent", False))

    @property
    def num_threads(self) -> int:
        """Its attribute of this name, default 1."""
        return int(getattr(self._sampler, "num_threads", 1))

    def settings(self) -> dict[str, Any]:
        """Returns its own settings(), or its name and the fields of a dataclass."""
        if callable(settings := getattr(self._sampler, "settings", None)):
            return dict(settings())

        fields: dict[str, Any] = {}
        if is_dataclass(self._sampler) and not isinstance(self._sampler, type):
            fields = asdict(self._sampler)
            fields.pop("num_threads", None)
        return {"name": type(self._sampler).__name__, **fields}


def declared(sampler: Sampler) -> BaseSampler:
    """Returns what a sampler declares of itself: the sampler, or a description of a stranger's."""
    return sampler if isinstance(sampler, BaseSampler) else _Undeclared(sampler)


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
        on_chip = hasattr(sampler, "edgelist")
        wrapped = f"DWave(solver={name}())" if on_chip else f"FromDimod({name}())"
        raise TypeError(
            f"{role} must be one of isingprop's, got the dimod sampler {name}: use {wrapped}"
        )


def check_has_temperature(sampler: object) -> None:
    """Refuses what is no sampler, and one whose reads end in a descent.

    Raises:
        TypeError: see `check_sampler`.
        ValueError: for a sampler whose states are lowest states, not samples at a temperature.
    """
    check_sampler(sampler)
    if declared(sampler).ends_in_descent:  # type: ignore[arg-type]
        raise ValueError(
            "sampler must sample at a temperature, without a descent at the end, as "
            f"Annealing(beta_range=(1, 1)) and DWave(descend=False) do; got {sampler!r}"
        )


def sample_from(
    sampler: Sampler,
    problem: IsingProblem,
    num_reads: int,
    seed: int | None,
    initial: Spins | None = None,
) -> States:
    """Samples states and checks that they are what was asked for.

    Raises:
        TypeError: where the sampler returns something other than States.
        ValueError: for states of another shape, a spin that is not -1 or +1 or an energy that is
            not finite, by name.
    """
    if initial is None:  # not initial=None: a simple sampler need not have the argument
        states = sampler.sample(problem, num_reads=num_reads, seed=seed)
    else:
        states = sampler.sample(problem, num_reads=num_reads, seed=seed, initial=initial)

    return states if _is_checked(sampler) else _checked(sampler, states, problem, num_reads)


def weighted_states_from(sampler: Weighing, problem: IsingProblem) -> States:
    """Returns all states of a sampler that gives their weights, checked.

    Raises:
        TypeError, ValueError: like `sample_from`, and for states without weights.
    """
    states = sampler.weighted_states(problem)
    if _is_checked(sampler):
        return states

    states = _checked(sampler, states, problem, None)
    if states.weights is None:
        raise ValueError(f"weights from {type(sampler).__name__} must be there, got None")
    return states


def _is_checked(sampler: object) -> bool:
    """Returns whether the states need no check, which would cost a tenth of an epoch."""
    return isinstance(sampler, BaseSampler) and sampler.returns_checked_states


def _checked(
    sampler: object, states: object, problem: IsingProblem, num_reads: int | None
) -> States:
    """Returns states, checked, in the dtypes of our own; None stands for any number of reads."""
    name = type(sampler).__name__
    if not isinstance(states, States):
        called = "weighted_states" if num_reads is None else "sample"
        raise TypeError(f"{name}.{called}() must return States, got {type(states).__name__}")
    if not isinstance(states.info, dict):
        raise TypeError(f"info from {name} must be a dict, got {type(states.info).__name__}")

    shape = (len(problem), num_reads, problem.num_spins)
    spins = spin_array(f"spins from {name}", states.spins, shape=shape)
    given = float_array(f"energies from {name}", states.energies, shape=spins.shape[:2])
    energies = given.astype(np.float64, copy=False)

    weights = states.weights
    if weights is not None:
        given = float_array(f"weights from {name}", weights, shape=spins.shape[:2])
        weights = given.astype(np.float64, copy=False)
        if weights.min() < 0 or weights.sum(axis=1).max() > 1 + _WEIGHT_ROUNDING:
            raise ValueError(
                f"weights from {name} must be at least 0 and sum to at most 1, got {weights}"
            )

    ends = states.cycle_spins
    if ends is not None:
        shape = (*spins.shape[:2], None, spins.shape[2])
        ends = spin_array(f"cycle_spins from {name}", ends, shape=shape)

    return states.changed(spins=spins, energies=energies, weights=weights, cycle_spins=ends)


_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _arguments(cls: type) -> list[Parameter]:
    """Returns the parameters of a constructor, without self."""
    return list(signature(cls).parameters.values())
