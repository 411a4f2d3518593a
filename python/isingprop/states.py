"""States: what a sampler returns and all that learning sees."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Spins, check_shape, float_array, spin_array

if TYPE_CHECKING:
    from isingprop.problem import IsingProblem

_MAX_CACHED = 16  # spins whose 2^N states are kept: a megabyte
# Doublings of a guess at beta, from 1 / (largest local field); a beta beyond that counts as
# infinite.
_MAX_DOUBLINGS = 100


class QPUUsage(NamedTuple):
    """What the calls cost that states of a chip come from."""

    seconds: float  #: of QPU access time
    chain_break_fraction: float  #: of all chains of all reads
    clipped: int  #: fields and couplings that were out of the chip's range, over all calls
    beta_effective: float  #: of the reads as they came from the chip, before any descent
    calls_estimated: int = 0  #: whose seconds are D-Wave's own estimate, as the answer has none
    energies_wrong: int = 0  #: reads whose energy in the answer is not that of their states


@dataclass(frozen=True, eq=False)
class States:
    """R final states, called reads, for each of B sets of fields, with their energies.

    Args:
        spins: (B, R, N), -1 or +1, hidden spins first, then output spins.
        energies: (B, R), in the units of the couplings.
        info: what else the sampler reports, such as its seed and its range of inverse temperatures.
        weights: (B, R), >= 0, how much each read counts in sums; None for 1 / R. Those of one
            problem sum to 1, or to less where its update is to be smaller.
        cycle_spins: (B, R, num_cycles, N), where each annealing cycle ended, from `Cyclic`.
        unamplified: the states before their marked ones were amplified, from `Amplified`.
        applications: (B,), how often U and its inverse were applied, from a coherent sampler.
        qpu_usage: what the states cost on a chip, from `DWave` and `Replay`.

    Raises:
        ValueError: for another shape, a spin that is not -1 or +1, an energy that is not finite, or
            a weight below 0.

    Example:
        >>> states = States(spins=[[[1, -1], [1, 1]]], energies=[[0.5, -2.0]])
        >>> states.lowest().spins
        array([[[1, 1]]], dtype=int8)
        >>> states.mean_spins()
        array([[1., 0.]])
    """

    spins: Spins
    energies: NDArray[np.float64]
    info: dict[str, Any] = field(default_factory=dict)
    weights: NDArray[np.float64] | None = None
    cycle_spins: Spins | None = None
    unamplified: States | None = None
    applications: NDArray[np.int64] | None = None
    qpu_usage: QPUUsage | None = None

    def __post_init__(self) -> None:
        """Checks and converts spins, energies and weights."""
        spins = spin_array("spins", self.spins, shape=(None, None, None))
        energies = float_array("energies", self.energies, shape=spins.shape[:2])
        object.__setattr__(self, "spins", spins)
        object.__setattr__(self, "energies", energies.astype(np.float64, copy=False))

        if self.weights is None:
            return
        weights = float_array("weights", self.weights, shape=spins.shape[:2])
        if weights.min() < 0:
            raise ValueError(f"weights must be at least 0, got {weights.min()}")
        object.__setattr__(self, "weights", weights.astype(np.float64, copy=False))

    @classmethod
    def trusted(
        cls,
        spins: Spins,
        energies: NDArray[np.float64],
        info: dict[str, Any],
        weights: NDArray[np.float64] | None = None,
    ) -> States:
        """Returns states without checks, for kernels of our own, which cannot go wrong here."""
        states = object.__new__(cls)
        states.__dict__.update(spins=spins, energies=energies, info=info, weights=weights)
        return states

    def changed(self, **fields: Any) -> States:
        """Returns the states with some fields replaced by ones that are known to fit."""
        states = object.__new__(States)
        states.__dict__.update(self.__dict__ | fields)
        return states

    def __repr__(self) -> str:
        """Returns the numbers of problems, reads and spins, and the range of the energies."""
        problems, reads, num_spins = self.spins.shape
        energies = "no energies"
        if self.energies.size:
            energies = f"energies {self.energies.min():.6g} ... {self.energies.max():.6g}"
        return f"States({problems} x {reads} reads of {num_spins} spins, {energies})"

    @property
    def num_reads(self) -> int:
        """R, the number of reads for each set of fields."""
        return int(self.spins.shape[1])

    def lowest(self) -> States:
        """Returns the read of lowest energy for each set of fields, as states with one read.

        It is the first of equals. Reads of weight 0 do not count, unless all have it.
        """
        rows = np.arange(len(self.energies))[:, None]
        best = self.lowest_read()[:, None]
        return States.trusted(self.spins[rows, best], self.energies[rows, best], self.info)

    def lowest_read(self) -> NDArray[np.int64]:
        """Returns the number of the read that `lowest` takes for each set of fields: (B,)."""
        energies = self.energies
        if self.weights is not None:
            counts = self.weights > 0
            energies = np.where(counts | ~counts.any(axis=1, keepdims=True), energies, np.inf)
        return np.asarray(energies.argmin(axis=1))

    def mean_spins(self) -> NDArray[np.float64]:
        """Returns the mean of each spin over the reads, (B, N), in [-1, 1].

        It is the mean of Eq. (6), or, with weights, the weighted sum of Eq. (10).
        """
        if self.weights is not None:
            return np.asarray(np.einsum("br,brn->bn", self.weights, self.spins))
        return np.asarray(self.spins.mean(axis=1, dtype=np.float64))

    def beta_effective(self, problem: IsingProblem) -> float:
        """Returns the inverse temperature at which the states look sampled.

            beta = argmax sum_k log sigma(-2 beta s_k f_k),   sigma(x) = 1 / (1 + exp(-x))

        This is the maximum of the pseudolikelihood. The sum goes over all spins of all reads of all
        problems, weighted where the states have weights. f_k is the local field of spin k: its own
        and what comes through its couplings, so turning it over changes the energy by -2 s_k f_k.
        For Boltzmann-distributed states the result tends to their beta. Other states have a result,
        too: it says how often single spins are excited, and how far.

        Args:
            problem: the B problems that the states belong to.

        Returns:
            beta in 1 / (unit of J); < 0 where sum_k s_k f_k > 0. +inf where no flip would lower the
            energy and some would raise it, as after a descent (unless, by rounding, one lowers it a
            little), -inf where none would raise it and some would lower it, NaN where all local
            fields are 0.

        Raises:
            ValueError: for a problem that does not fit the states, or local fields that are not
                finite.

        Example:
            >>> from isingprop import IsingProblem
            >>> problem = IsingProblem([[0.0]], hidden_fields=[[1.0]], output_fields=[[0.0]])
            >>> spins = [[[-1, 1], [-1, 1], [-1, 1], [1, 1]]]
            >>> states = States(spins, energies=[[-1, -1, -1, 1]])
            >>> round(states.beta_effective(problem), 6)  # three of four are down: log(3) / 2
            0.549306

        References:
            Besag 1975, doi:10.2307/2987782.
        """
        check_shape("spins", self.spins, (len(problem), None, problem.num_spins))
        aligned = _aligned_fields(self.spins, problem)
        weights = np.ones(1)
        if self.weights is not None:
            weights = np.broadcast_to(self.weights[..., None], aligned.shape)
        return _most_likely_beta(aligned, weights)


def _aligned_fields(spins: Spins, problem: IsingProblem) -> NDArray[np.float64]:
    """Returns s_k f_k of all states, (B, R, N): > 0 where turning spin k over lowers the energy."""
    couplings = problem.couplings.astype(np.float64)
    hidden, output = np.split(spins.astype(np.float64), [problem.num_hidden], axis=2)

    with np.errstate(over="ignore", invalid="ignore"):  # _most_likely_beta refuses infinite fields
        on_hidden = hidden * (problem.hidden_fields[:, None] + output @ couplings.T)
        on_output = output * (problem.output_fields[:, None] + hidden @ couplings)
    return np.concatenate([on_hidden, on_output], axis=2)


def _most_likely_beta(aligned: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Returns the beta at which sum w x sigma(2 beta x) over all fields x is 0.

    The sum is minus half the slope of the log-pseudolikelihood, and it grows with beta.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    if weights.size > 1:
        counts = weights > 0
        if not counts.any():
            return math.nan
        aligned, weights = aligned[counts], weights[counts]

    smallest, greatest = float(aligned.min()), float(aligned.max())
    largest = max(-smallest, greatest)
    if not math.isfinite(largest):
        raise ValueError(f"local fields must be finite, got sizes up to {largest}")
    if smallest >= 0 or greatest <= 0:
        return math.nan if largest == 0 else math.copysign(math.inf, -smallest - greatest)
    relative = aligned.ravel() / largest

    def slope(beta: float) -> float:
        return float((weights * relative * expit(2 * beta * relative)).sum())

    # The root is bracketed by doubling a guess, and then found in the bracket.
    side = math.copysign(1.0, -slope(0.0))
    for doublings in range(_MAX_DOUBLINGS):
        if side * slope(side * 2**doublings) >= 0:
            return float(brentq(slope, 0.0, side * 2**doublings, xtol=1e-14)) / largest
    return side * math.inf


def basis(num_spins: int) -> Spins:
    """Returns the spins of all 2^N states, (2^N, N), read-only.

    Bit k of the number of a state is 1 where spin k is +1.
    """
    return _cached_basis(num_spins) if num_spins <= _MAX_CACHED else _basis(num_spins)


def _basis(num_spins: int) -> Spins:
    """Computes what `basis` returns."""
    numbers = np.arange(2**num_spins, dtype=np.int32)
    spins = np.empty((len(numbers), num_spins), np.int8)
    for k in range(num_spins):
        spins[:, k] = 2 * (numbers >> k & 1) - 1
    spins.flags.writeable = False
    return spins


_cached_basis = lru_cache(maxsize=4)(_basis)
