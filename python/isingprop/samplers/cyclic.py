"""Cyclic annealing on the CPU, from reference states."""

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

_MAX_CYCLES = 10_000


@dataclass(frozen=True)
class Cyclic(BaseSampler, returns_checked_states=True):
    """Cyclic annealing: reheats near a reference state r and cools down again, num_cycles times.

        E_k(s) = E(s) - bias_k sum_i r_i s_i,   k = 0 ... num_sweeps - 1

    Each cycle starts from the reference at beta_first. The bias falls in equal steps from `bias` to
    0 while beta grows geometrically to beta_last, and a zero-temperature descent of E ends the
    cycle. The lowest state so far is the reference of the next cycle. Without the bias a cycle
    would forget its start.

    The start states are the references. In training they are the nudged states of the wrong
    classes, Eq. (7), from Trainer(..., references="wrong-classes"). Without start states, annealing
    over the same range finds the references. The `info` of the states holds cycle_spins,
    (B, R, num_cycles, N), the final state of each cycle.

    Args:
        num_sweeps: sweeps of each cycle, 1 to 10 million.
        beta_range: (first, last) inverse temperature, see `Annealing`, whose default rule is used.
        num_threads: threads over reads; changes the speed, never the states.
        num_cycles: cycles of each read, 1 to 10,000.
        bias: strength of the pull toward the reference, finite and >= 0, in the units of J. 0.4
            suits the paper's network at its initial scale, where random states have local fields of
            0.4. It does not grow with the couplings in training, so the pull becomes relatively
            weaker.

    Example:
        >>> problem = IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> up = np.ones((1, 1, 2), dtype=np.int8)
        >>> states = Cyclic(num_sweeps=10, bias=10.0).sample(problem, seed=0, initial=up)
        >>> states.spins, states.info["cycle_spins"].shape
        (array([[[1, 1]]], dtype=int8), (1, 1, 1, 2))

    References:
        arXiv:2506.05244, Section IV. Wang, Yeh & Kamenev 2022, doi:10.1038/s41467-022-33179-y, use
        a quantum annealer; Baldwin 2025, arXiv:2511.00150, has a temperature in place of the
        transverse field, like this class.
    """

    num_sweeps: int = 30
    beta_range: BetaRange | None = None
    num_threads: int = 1
    num_cycles: int = field(default=1, kw_only=True)
    bias: float = field(default=0.4, kw_only=True)

    def __post_init__(self) -> None:
        """Checks and converts all arguments."""
        object.__setattr__(self, "num_sweeps", sweep_number(self.num_sweeps))
        object.__setattr__(self, "beta_range", beta_range_of(self.beta_range))
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))
        num_cycles = whole_number("num_cycles", self.num_cycles, least=1, most=_MAX_CYCLES)
        object.__setattr__(self, "num_cycles", num_cycles)
        object.__setattr__(self, "bias", real_number("bias", self.bias, least=0.0))

    @property
    def ends_in_descent(self) -> bool:
        """True."""
        return True

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Runs num_reads series of cycles for each problem, from `initial` or from annealed states.

        Args:
            problem: B problems over N spins.
            num_reads: see `Annealing.sample`.
            seed: see `Annealing.sample`.
            initial: the references, int8 (B, R, N), or with a length of 1 in place of B or R.

        Returns:
            The lowest state of each read, which may be the reference itself, with exact energies;
            `info` holds the seed, the range of beta and cycle_spins.

        Raises:
            ValueError: for num_reads < 1, references that do not fit, or fields that are not
                finite.
            KeyboardInterrupt: on Ctrl-C, within a few milliseconds.
        """
        check_problem(problem)
        seed = seed_number(seed)
        num_reads = read_number(num_reads)
        betas = geometric(*(self.beta_range or RELATIVE_BETA_RANGE), self.num_sweeps)

        references = start_states(initial)
        if references is None:
            references = self._annealed(problem, betas, num_reads, seed)

        spins, energies, cycle_spins = kernels.cycle(
            problem.couplings,
            problem.hidden_fields,
            problem.output_fields,
            betas,
            _falling(self.bias, self.num_sweeps),
            self.num_cycles,
            self.beta_range is None,
            num_reads,
            seed,
            problem.streams,
            references,
            self.num_threads,
        )

        info = {"seed": seed, **beta_info(self.beta_range), "cycle_spins": cycle_spins}
        return States.trusted(spins, energies, info).changed(cycle_spins=cycle_spins)

    def _annealed(
        self, problem: IsingProblem, betas: NDArray[np.float64], num_reads: int, seed: int
    ) -> Spins:
        """Returns references that annealing over the same range finds, (B, R, N)."""
        annealed = anneal(
            problem,
            betas,
            relative=self.beta_range is None,
            num_reads=num_reads,
            seed=seed,
            num_threads=self.num_threads,
        )
        return annealed.spins


def _falling(bias: float, count: int) -> NDArray[np.float64]:
    """Returns (count,) biases that fall from `bias` to 0 in equal steps; a single one is `bias`."""
    return bias * (1.0 - np.arange(count) / max(1, count - 1))
