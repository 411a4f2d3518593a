"""Cyclic annealing on the CPU."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isingprop import kernels
from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import anneal
from isingprop.samplers.arguments import (
    RELATIVE_BETA_RANGE,
    BetaRange,
    beta_info,
    beta_range_of,
    check_problem,
    geometric,
    read_number,
    start_states,
    sweep_number,
    thread_number,
)
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, real_number, seed_number, whole_number

_MOST_CYCLES = 10_000


@dataclass(frozen=True)
class Cyclic(BaseSampler, returns_checked_states=True):
    """Cyclic annealing: reheats near a reference state r and cools down again, num_cycles times.

        E_k(s) = E(s) - bias_k sum_i r_i s_i,   k = 0 ... num_sweeps - 1

    In each cycle the bias falls in equal steps from `bias` to 0 while beta grows geometrically from beta_first, to
    which the reference is reheated at once, to beta_last; a zero-temperature descent of E ends it. The lowest state so
    far is the reference of the next cycle. Without the bias a cycle would forget where it began.

    Args:
        num_sweeps: sweeps of each cycle, 1 to 10 million.
        beta_range: (first, last) as in Annealing, and the same rule where None.
        num_threads: threads over reads; changes the speed, never the states.
        num_cycles: cycles of each read, 1 to 10,000.
        bias: pull toward the reference, finite and >= 0, in the units of J: 0.4 suits the paper's network and its
            initial scale, where random states have local fields of 0.4. It does not grow with the couplings in
            training, so that references hold less and less.

    Start states are the references: in training, the nudged states of the wrong classes, Eq. (7), which
    Trainer(..., references="wrong-classes") gives. Without them, those that annealing over the same range finds.

    The `info` of the states has cycle_spins, (B, R, num_cycles, N): where each cycle ended.

    Example:
        >>> problem = IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> up = np.ones((1, 1, 2), dtype=np.int8)
        >>> states = Cyclic(num_sweeps=10, bias=10.0).sample(problem, seed=0, initial=up)
        >>> states.spins, states.info["cycle_spins"].shape
        (array([[[1, 1]]], dtype=int8), (1, 1, 1, 2))

    References:
        arXiv:2506.05244, Section IV. Wang, Yeh & Kamenev 2022, doi:10.1038/s41467-022-33179-y, do it on a quantum
        annealer; Baldwin 2025, arXiv:2511.00150, has a temperature in place of the transverse field, as here.
    """

    num_sweeps: int = 30
    beta_range: BetaRange | None = None
    num_threads: int = 1
    num_cycles: int = field(default=1, kw_only=True)
    bias: float = field(default=0.4, kw_only=True)

    def __post_init__(self) -> None:
        """Checks all arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "beta_range", beta_range_of(self.beta_range))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))
        object.__setattr__(
            self,
            "num_cycles",
            whole_number("num_cycles", self.num_cycles, least=1, most=_MOST_CYCLES),
        )
        object.__setattr__(self, "bias", real_number("bias", self.bias, least=0.0))

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Cycles num_reads times for each problem, from the reference states `initial` or from annealed ones.

        The arguments are those of Annealing.sample.

        Returns:
            The lowest state of each read, the reference included, with exact energies; `info` has the seed, the range
            of beta and what the class says.

        Raises:
            ValueError: for num_reads < 1, references that do not fit, or fields that are not finite.
            KeyboardInterrupt: on Ctrl-C, within a few milliseconds.
        """
        check_problem(problem)
        seed = seed_number(seed)
        num_reads = read_number(num_reads)
        relative = self.beta_range is None
        betas = geometric(*(self.beta_range or RELATIVE_BETA_RANGE), self.num_sweeps)
        references = start_states(initial)
        if references is None:
            threads = self.num_threads
            annealed = anneal(
                problem,
                betas,
                relative=relative,
                num_reads=num_reads,
                seed=seed,
                num_threads=threads,
            )
            references = annealed.spins
        spins, energies, cycle_spins = kernels.cycle(
            problem.couplings,
            problem.hidden_fields,
            problem.output_fields,
            betas,
            _falling(self.bias, self.num_sweeps),
            self.num_cycles,
            relative,
            num_reads,
            seed,
            problem.streams,
            references,
            self.num_threads,
        )
        info = {"seed": seed, **beta_info(self.beta_range), "cycle_spins": cycle_spins}
        return States.trusted(spins, energies, info).changed(cycle_spins=cycle_spins)


def _falling(bias: float, count: int) -> NDArray[np.float64]:
    """From `bias` to 0 in equal steps; one sweep has the whole of it."""
    return bias * (1.0 - np.arange(count) / max(1, count - 1))
