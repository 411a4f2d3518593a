"""The simulated quantum annealer as a sampler: Coherent measures the final states of anneals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from isingprop.problem import IsingProblem, all_fields, largest_local_fields
from isingprop.quantum.amplified_anneal import marked_states
from isingprop.quantum.measurement import FinalState, Measurement, states_of
from isingprop.quantum.state_vector import MOST_STEPS, Anneal, check_spins
from isingprop.quantum.time_schedule import Schedule, schedule_values
from isingprop.samplers.arguments import check_problem, read_number, thread_number
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import (
    Doubles,
    Spins,
    real_number,
    seed_number,
    true_or_false,
    whole_number,
)

# The default step, in units of hbar over the transverse field, which equals the largest local
# field. The probability of wrong classes is then right to 0.002 on networks of 14 spins, trained or
# not.
_STEP = 0.5


@dataclass(frozen=True)
class Coherent(BaseSampler, returns_checked_states=True):
    """Measures the final state of a simulated coherent anneal; see `isingprop.coherent.anneal`.

    H is divided by the largest local field that any spin can have,

        f = max_k (|h_k| + sum_j |J_kj|),

    like D-Wave's auto-scale. Without it, the steps of the same anneal would become coarser and
    coarser as weights grow in training. (With fields up to 17, steps of 0.5 put 31 % of a trained
    network's states into wrong classes; finer steps do not.)

    Args:
        total_time: > 0, in hbar over the transverse field, which is 1 like the largest local field.
        num_steps: Trotter steps, 1 to 10 million; default: steps of 0.5.
        schedule: see `isingprop.coherent.anneal`. A lambda cannot be sent to another process.
        rescale: whether to divide H as above; False leaves it in the units of J.
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
        """Checks and converts all arguments."""
        total_time = real_number("total_time", self.total_time, above=0.0)
        object.__setattr__(self, "total_time", total_time)

        if self.num_steps is not None:
            num_steps = whole_number("num_steps", self.num_steps, least=1, most=MOST_STEPS)
            object.__setattr__(self, "num_steps", num_steps)
        elif self._steps > MOST_STEPS:
            max_time = _STEP * MOST_STEPS
            raise ValueError(
                f"total_time must be at most {max_time:g} without num_steps, got {total_time:g}"
            )

        # Nested tuples, so that samplers of equal settings compare equal.
        if self.schedule is not None and not callable(self.schedule):
            points = np.asarray(self.schedule).tolist()
            if np.ndim(points) > 1:
                points = tuple(map(tuple, points))
            object.__setattr__(self, "schedule", points)
        schedule_values(self.schedule, self.total_time, self._steps)

        true_or_false("rescale", self.rescale)
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))

    @property
    def takes_initial(self) -> bool:
        """Whether sample() can use start states: False, since an anneal starts from |+...+>."""
        return False

    @property
    def _steps(self) -> int:
        """The number of Trotter steps, given or by default."""
        return math.ceil(self.total_time / _STEP) if self.num_steps is None else self.num_steps

    def settings(self) -> dict[str, Any]:
        """Returns all that decides the states, by name."""
        s = None
        if self.schedule is not None:
            s = schedule_values(self.schedule, self.total_time, self._steps).tolist()

        return {
            "name": type(self).__name__,
            "total_time": self.total_time,
            "num_steps": self._steps,
            "schedule": s,
            "rescale": self.rescale,
        }

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
            seed: 0 ... 2^64 - 1; None takes a random one. Read r of problem b depends only on the
                seed, on problem.streams[b] and on r.
            initial: None; an anneal starts from |+...+>.

        Returns:
            States with exact energies. `info` holds the seed; `applications` (B,), how often U and
            U† were applied; and, where the problem has marked states, `marked_probability` (B,),
            which is |A|^2 in U |+...+>.

        Raises:
            ValueError: for start states, too many spins, or fields that are not finite.
            FloatingPointError, KeyboardInterrupt: like `isingprop.coherent.anneal`.
        """
        num_reads, seed = self._checked(problem, num_reads, seed, initial)
        return self._collected(problem, lambda end: (end.measured(seed, num_reads),), seed=seed)

    def weighted_states(self, problem: IsingProblem) -> States:
        """Returns all 2^N states of each problem, weighted by their probabilities.

        Sums over them are the exact expectation values <Z> and <ZZ>, Eq. (10), which a finite
        number of measurements only estimates. They take N + 16 bytes for each state.
        """
        check_problem(problem)
        return self._collected(problem, lambda end: (end.all_states(),))

    def scaled(self, problem: IsingProblem) -> Iterator[IsingProblem]:
        """Yields each problem as it is annealed, in float64, with its stream and its marks."""
        largest, couplings = largest_local_fields(problem), problem.couplings.astype(np.float64)
        scales = np.where(largest > 0, largest, 1.0) if self.rescale else np.ones(len(problem))

        for b, (row, scale) in enumerate(zip(all_fields(problem), scales, strict=True)):
            hidden, output = np.split(row[None] / scale, [problem.num_hidden], axis=1)
            own = problem[b : b + 1]
            yield IsingProblem(
                couplings / scale, hidden, output, streams=own.streams, marked=own.marked
            )

    def _checked(
        self, problem: IsingProblem, num_reads: int, seed: int | None, initial: Spins | None
    ) -> tuple[int, int]:
        """Checks the arguments of `sample`; returns num_reads and the seed."""
        check_problem(problem)
        if initial is not None:
            raise ValueError(
                f"initial must be None for {type(self).__name__}, which starts from |+...+>"
            )
        return read_number(num_reads), seed_number(seed)

    def _collected(
        self,
        problem: IsingProblem,
        measure: Callable[[FinalState], tuple[Measurement, ...]],
        **info: Any,
    ) -> States:
        """Anneals one problem after another and measures each final state at once.

        `measure` returns one measurement, or two, of which the second is of the state before
        amplification; it becomes `unamplified`. `info` is added to that of the states.
        """
        measurements = [measure(end) for end in self._final_states(problem)]
        states, *plain = (states_of(problem, each) for each in zip(*measurements, strict=True))

        if plain:
            info["unamplified"] = plain[0]
        states.info.update(info)
        return states.changed(unamplified=plain[0] if plain else None)

    def _final_states(self, problem: IsingProblem) -> Iterator[FinalState]:
        """Yields the final state of the anneal of each problem."""
        check_spins(problem.num_spins, np.dtype(np.complex128))
        for scaled in self.scaled(problem):
            probabilities = self._probabilities(scaled)
            yield FinalState(probabilities, marked_states(scaled), int(scaled.streams[0]))

    def _probabilities(self, scaled: IsingProblem) -> Doubles:
        """Returns the probabilities of all states at the end of an anneal, (2^N,)."""
        run = Anneal(
            scaled, self.total_time, self._steps, self.schedule, num_threads=self.num_threads
        )
        psi = run.forward(run.start())
        probabilities: Doubles = np.square(psi.real) + np.square(psi.imag)
        return probabilities
