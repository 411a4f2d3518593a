"""The simulated quantum annealer as a sampler: of its final states, or of its marked ones, amplified."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem, all_fields, largest_local_fields
from isingprop.quantum.amplification import (
    Method,
    applications,
    best_iterations,
    check_method,
    failure_probability,
    fixed_point_success,
    grover_success,
    growing_lengths,
)
from isingprop.quantum.amplified_anneal import marked_states
from isingprop.quantum.state_vector import MOST_STEPS, Anneal, check_spins
from isingprop.quantum.time_schedule import Schedule, schedule_values
from isingprop.samplers.arguments import check_problem, read_number, thread_number
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States, basis
from isingprop.util.checks import (
    Doubles,
    Spins,
    real_number,
    seed_number,
    true_or_false,
    whole_number,
)

# hbar over the transverse field, which is as large as the largest local field. The probability of wrong classes is then
# right to 0.002 on networks of 14 spins, trained or not.
_STEP = 0.5
# What a seed is used for.
_PLAIN, _AMPLIFIED = range(2)


class _Draw(NamedTuple):
    """States of one problem."""

    numbers: NDArray[np.int64] | None  #: (R,), or all
    weights: Doubles | None  #: (R,), or all the same
    applications: int | None  #: of U and U†
    marked_probability: float  #: in psi


@dataclass(frozen=True, eq=False)
class _End:
    """What U has made of |+...+>."""

    probabilities: Doubles  #: (2^N,)
    marked: NDArray[np.bool_] | None  #: (2^N,)
    stream: int

    @cached_property
    def marked_probability(self) -> float:
        """|A|^2."""
        return (
            0.0 if self.marked is None else min(float(self.probabilities[self.marked].sum()), 1.0)
        )

    def random(self, seed: int, purpose: int, num_reads: int) -> Doubles:
        """Two numbers in [0, 1) for each read: (R, 2)."""
        words = [
            number >> shift & 0xFFFFFFFF for number in (seed, self.stream) for shift in (0, 32)
        ]
        return np.random.Generator(np.random.PCG64([*words, purpose])).random((num_reads, 2))

    def draw(self, chances: Doubles, random: Doubles) -> NDArray[np.int64]:
        """Numbers of states, (R,), with probabilities in proportion to (2^N,) chances, by (R,) random numbers."""
        cumulative = chances.cumsum()
        last = np.searchsorted(cumulative, cumulative[-1])  # the last one that has a chance
        drawn: NDArray[np.int64] = np.minimum(
            np.searchsorted(cumulative, random * cumulative[-1], side="right"), last
        )
        return drawn

    def shots(self, seed: int, num_reads: int) -> _Draw:
        """Measurements of psi."""
        numbers = self.draw(self.probabilities, self.random(seed, _PLAIN, num_reads)[:, 0])
        return _Draw(numbers, None, num_reads, self.marked_probability)

    def all_states(self) -> _Draw:
        """All states, weighted."""
        return _Draw(None, self.probabilities, None, self.marked_probability)


@dataclass(frozen=True)
class Coherent(BaseSampler, returns_checked_states=True):
    """Measures the final state of a coherent anneal, simulated; see isingprop.coherent.anneal.

    H is divided by the largest local field that any spin can have,

        f = max_k (|h_k| + sum_j |J_kj|),

    as D-Wave's auto-scale does: without it, weights that grow in training make the steps of the same anneal ever
    coarser. (With fields up to 17, steps of 0.5 put 31 % of a trained network's states into wrong classes; finer ones
    do not.)

    Args:
        total_time: > 0, in hbar over the transverse field, which is 1 as the largest local field is.
        num_steps: Trotter steps, 1 to 10 million; default: steps of 0.5.
        schedule: see isingprop.coherent.anneal. A lambda cannot be sent to another process.
        rescale: divide H as above; False takes it as it is, in the units of J.
        num_threads: changes the speed, never the states; more than one helps from 15 spins on.

    Example:
        >>> problem = IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> Coherent(total_time=50).sample(problem, num_reads=3, seed=0).spins
        array([[[-1, -1],
                [-1, -1],
                [-1, -1]]], dtype=int8)

    References:
        arXiv:2506.05244, Section V.
    """

    total_time: float = 40.0
    num_steps: int | None = None
    schedule: Schedule | None = None
    rescale: bool = True
    num_threads: int = 1

    def __post_init__(self) -> None:
        """Checks all arguments."""
        object.__setattr__(
            self, "total_time", real_number("total_time", self.total_time, above=0.0)
        )
        if self.num_steps is not None:
            object.__setattr__(
                self,
                "num_steps",
                whole_number("num_steps", self.num_steps, least=1, most=MOST_STEPS),
            )
        elif self._steps > MOST_STEPS:
            most = _STEP * MOST_STEPS
            raise ValueError(
                f"total_time must be at most {most:g} without num_steps, got {self.total_time:g}"
            )
        if self.schedule is not None and not callable(self.schedule):
            points = np.asarray(self.schedule).tolist()
            object.__setattr__(
                self, "schedule", tuple(map(tuple, points)) if np.ndim(points) > 1 else points
            )
        schedule_values(self.schedule, self.total_time, self._steps)
        true_or_false("rescale", self.rescale)
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))

    @property
    def takes_initial(self) -> bool:
        """False: an anneal starts from |+...+>."""
        return False

    @property
    def _steps(self) -> int:
        return math.ceil(self.total_time / _STEP) if self.num_steps is None else self.num_steps

    def settings(self) -> dict[str, Any]:
        """All that decides the states."""
        s = (
            None
            if self.schedule is None
            else schedule_values(self.schedule, self.total_time, self._steps).tolist()
        )
        told = {
            "name": type(self).__name__,
            "total_time": self.total_time,
            "num_steps": self._steps,
        }
        return told | {"schedule": s, "rescale": self.rescale}

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Measures all spins at the end of num_reads anneals of each problem.

        Args:
            problem: B problems over N <= 26 spins.
            num_reads: R >= 1.
            seed: read r of problem b depends only on the seed, on problem.streams[b] and on r; None draws one.
            initial: None; an anneal starts from |+...+>.

        Returns:
            States with exact energies. `info` has the seed, `applications` (B,), how often U and U† were applied, and,
            where the problem has marked states, `marked_probability` (B,), |A|^2 in U |+...+>.

        Raises:
            ValueError: for start states, too many spins, or fields that are not finite.
            FloatingPointError, KeyboardInterrupt: as isingprop.coherent.anneal.
        """
        num_reads, seed = self._checked(problem, num_reads, seed, initial)
        return self._measured(problem, lambda end: (end.shots(seed, num_reads),), seed=seed)

    def weighted_states(self, problem: IsingProblem) -> States:
        """All 2^N states of each problem, each with its probability as its weight: expectation values without noise.

        Sums over them are <Z> and <ZZ>, Eq. (10), as no finite number of measurements has them. They take N + 16 bytes
        for each state.
        """
        check_problem(problem)
        return self._measured(problem, lambda end: (end.all_states(),))

    def _checked(
        self, problem: IsingProblem, num_reads: int, seed: int | None, initial: Spins | None
    ) -> tuple[int, int]:
        """The arguments of `sample`."""
        check_problem(problem)
        if initial is not None:
            raise ValueError(
                f"initial must be None for {type(self).__name__}, which starts from |+...+>"
            )
        return read_number(num_reads), seed_number(seed)

    def _measured(
        self, problem: IsingProblem, measure: Callable[[_End], tuple[_Draw, ...]], **info: Any
    ) -> States:
        """Anneals one problem after the other, each measured at once; of several draws the second is unamplified."""
        draws = [measure(end) for end in self._ends(problem)]
        states, *plain = (_states_of(problem, each) for each in zip(*draws, strict=True))
        if plain:
            info["unamplified"] = plain[0]
        states.info.update(info)
        return states.changed(unamplified=plain[0] if plain else None)

    def scaled(self, problem: IsingProblem) -> Iterator[IsingProblem]:
        """Each of the problems as it is annealed, in float64, with its stream and its marks."""
        largest, couplings = largest_local_fields(problem), problem.couplings.astype(np.float64)
        scales = np.where(largest > 0, largest, 1.0) if self.rescale else np.ones(len(problem))
        for b, (row, scale) in enumerate(zip(all_fields(problem), scales, strict=True)):
            hidden, output = np.split(row[None] / scale, [problem.num_hidden], axis=1)
            own = problem[b : b + 1]
            yield IsingProblem(
                couplings / scale, hidden, output, streams=own.streams, marked=own.marked
            )

    def _ends(self, problem: IsingProblem) -> Iterator[_End]:
        check_spins(problem.num_spins, np.dtype(np.complex128))
        for scaled in self.scaled(problem):
            yield _End(self._probabilities(scaled), marked_states(scaled), int(scaled.streams[0]))

    def _probabilities(self, scaled: IsingProblem) -> Doubles:
        run = Anneal(
            scaled, self.total_time, self._steps, self.schedule, num_threads=self.num_threads
        )
        psi = run.forward(run.start())
        probabilities: Doubles = np.square(psi.real) + np.square(psi.imag)
        return probabilities


@dataclass(frozen=True)
class Amplified(Coherent, returns_checked_states=True):
    """Measures the marked states of a coherent anneal, amplified; see isingprop.coherent.amplify.

    A Trainer marks the states of wrong classes. A problem without marks is sampled as by Coherent.

    Args:
        total_time: and the next four as of Coherent.
        num_steps: see Coherent.
        schedule: see Coherent.
        rescale: see Coherent.
        num_threads: see Coherent.
        method: "grover" takes |A| to be known, and runs the best number of iterations for it. "fixed-point" knows
            nothing: runs of 0, 1, 3, 7 ... iterations, until one ends in a marked state.
        failure: of "fixed-point", in (0, 1).
        exponent: >= 0, the weight of an image's states is |A|^exponent: 0 for the paper's Eq. (13), 1 for a learning
            rate in proportion to |A|; 2 is nearly the update of Coherent, whose marked states have this weight.

    `info` is that of Coherent, and `unamplified`: what Coherent would have given, which a Trainer takes its training
    error from. The applications do not count it.

    References:
        arXiv:2506.05244, Eqs. (12) and (13).
    """

    method: Method = "grover"
    failure: float = 0.1
    exponent: float = 0.0

    def __post_init__(self) -> None:
        """Checks all arguments."""
        super().__post_init__()
        check_method(self.method)
        object.__setattr__(self, "failure", failure_probability(self.failure))
        object.__setattr__(self, "exponent", real_number("exponent", self.exponent, least=0.0))

    @property
    def takes_marks(self) -> bool:
        """True: the marked states are amplified."""
        return True

    def settings(self) -> dict[str, Any]:
        """All that decides the states."""
        return super().settings() | {
            "method": self.method,
            "failure": self.failure,
            "exponent": self.exponent,
        }

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """As Coherent.sample, of the amplified state."""
        num_reads, seed = self._checked(problem, num_reads, seed, initial)
        return self._measured(
            problem,
            lambda end: (self._amplified_shots(end, seed, num_reads), end.shots(seed, num_reads)),
            seed=seed,
        )

    def weighted_states(self, problem: IsingProblem) -> States:
        """As Coherent.weighted_states, of the marked part of the state alone, Eq. (13): weights of 0 without one."""
        check_problem(problem)
        return self._measured(problem, lambda end: (self._marked_part(end), end.all_states()))

    def _marked_part(self, end: _End) -> _Draw:
        if end.marked is None:
            return end.all_states()
        weights = np.where(end.marked, end.probabilities, 0.0)
        if end.marked_probability > 0:
            weights *= self._strength(end) / end.marked_probability
        return end.all_states()._replace(weights=weights)

    def _amplified_shots(self, end: _End, seed: int, num_reads: int) -> _Draw:
        plain = end.shots(seed, num_reads)
        if end.marked is None:
            return plain
        strength = self._strength(end)
        weights = None if strength == 1 else np.full(num_reads, strength / num_reads)
        if end.marked_probability == 0:  # Q leaves psi as it is
            return plain._replace(weights=weights)
        state, luck = end.random(seed, _AMPLIFIED, num_reads).T
        hits, count = self._runs(math.sqrt(end.marked_probability), luck)
        parts = [
            end.draw(np.where(part, end.probabilities, 0.0), state)
            for part in (end.marked, ~end.marked)
        ]
        return plain._replace(numbers=np.where(hits, *parts), weights=weights, applications=count)

    def _strength(self, end: _End) -> float:
        """|A|^exponent."""
        return float(end.marked_probability ** (self.exponent / 2))

    def _runs(self, amplitude: float, luck: Doubles) -> tuple[NDArray[np.bool_], int]:
        """Whether each read ends in a marked state, (R,), and the applications of all of them."""
        if self.method == "grover":
            num_iterations = best_iterations(amplitude)
            return luck < grover_success(amplitude, num_iterations), len(luck) * applications(
                num_iterations
            )
        count, left = 0, np.ones(len(luck))  # probability that nothing has been found
        going_on = np.ones(len(luck), bool)
        for num_iterations in growing_lengths():
            count += int(going_on.sum()) * applications(num_iterations)
            left *= 1 - fixed_point_success(amplitude, num_iterations, self.failure)
            going_on &= luck < left
            if not going_on.any():
                break
        return ~going_on, count


def _states_of(problem: IsingProblem, draws: tuple[_Draw, ...]) -> States:
    """With exact energies."""
    info: dict[str, Any] = {}
    applied = None
    if draws[0].numbers is None:
        spins = np.repeat(basis(problem.num_spins)[None], len(problem), axis=0)
    else:
        numbers = np.stack([draw.numbers for draw in draws if draw.numbers is not None])
        spins = (2 * (numbers[..., None] >> np.arange(problem.num_spins) & 1) - 1).astype(np.int8)
        applied = np.array([draw.applications for draw in draws])
        info["applications"] = applied
    if problem.marked is not None:
        info["marked_probability"] = np.array([draw.marked_probability for draw in draws])
    weights = None
    if any(draw.weights is not None for draw in draws):
        alike = np.full(spins.shape[1], 1 / spins.shape[1])
        weights = np.stack([alike if draw.weights is None else draw.weights for draw in draws])
    states = States.trusted(spins, problem.energies(spins), info, weights)
    return states.changed(applications=applied)
