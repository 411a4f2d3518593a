"""Run times against model size: power laws, access times of chips, and where the curves cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, interval_of
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.mlp_runtime.runtime_jobs import CONTENDERS, NUM_READS
from isingprop.util.checks import Doubles

ANNEALING_TIME = 20.0  # microseconds for a read, as in the paper
ANNEALING_SECONDS = NUM_READS * ANNEALING_TIME / 1e6  # of the anneals of one call
#: The contenders' names in tables and pictures.
TITLES = dict(
    zip(
        CONTENDERS,
        ("isingprop", "dwave-samplers", "NumPy, block Gibbs", "NumPy, one product of the MLP"),
        strict=True,
    )
)
_MAX_UNITS = 10**7  # crossings are searched up to this n
_NUM_SEARCHED = 20_001  # sizes at which a crossing is looked for, spread evenly in log n

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The sizes and chips of a study, of models with n units joined to a single one.

    Args:
        sizes: values of n that are timed, ascending.
        fit_from: power laws are fitted from this n on.
        chips: (topology, size) of each chip.
        paper: values of n that the paper has.
    """

    sizes: Sizes
    fit_from: int
    chips: tuple[tuple[str, int], ...]
    paper: Sizes


FULL = Plan(
    sizes=(1, 2, 5, 10, 20, 50, 100, 200, 548, 654, 834, 1500, 2500, 5000, 10_000, 20_000),
    fit_from=500,
    chips=(("pegasus", 16), ("zephyr", 15)),
    paper=(548, 654, 834),
)
QUICK = Plan(
    sizes=(1, 3, 10, 30, 100, 300), fit_from=30, chips=(("pegasus", 4), ("zephyr", 3)), paper=()
)


@dataclass(frozen=True, eq=False)
class Curve:
    """The times of one contender.

    Args:
        sizes: values of n, ascending.
        fit_from: the power law is fitted from this n on.
        seconds: (repetitions, sizes), the time of a call.
    """

    sizes: Sizes
    fit_from: int
    seconds: Doubles

    @cached_property
    def median(self) -> Doubles:
        """The median time over repetitions, (sizes,)."""
        return np.median(self.seconds, axis=0)

    @cached_property
    def exponent(self) -> Interval:
        """The exponent p of seconds = A n^p, with its confidence interval over repetitions.

        It is fitted by least squares of logarithms.
        """
        return interval_of([self._fit(row)[0] for row in self.seconds])

    def at(self, sizes: Doubles) -> Doubles:
        """Returns the median time at any sizes >= 1.

        Between the timed sizes it is interpolated by straight lines of logarithms; beyond them it
        is extrapolated by the power law.
        """
        inside = np.interp(np.log(sizes), np.log(self.sizes), np.log(self.median))
        exponent, constant = self._fit(self.median)
        beyond = constant + exponent * np.log(sizes)
        return np.exp(np.where(sizes <= self.sizes[-1], inside, beyond))

    def _fit(self, seconds: Doubles) -> tuple[float, float]:
        """Fits p and log A to the times of one repetition, or to their median, (sizes,)."""
        fitted = np.array(self.sizes) >= self.fit_from
        exponent, constant = np.polyfit(np.log(self.sizes)[fitted], np.log(seconds[fitted]), 1)
        return float(exponent), float(constant)


@dataclass(frozen=True, eq=False)
class ChipTimes:
    """The access times of one chip that holds one copy of a model with n units joined to one.

    Args:
        name: the name of the chip's graph, such as P16.
        sizes: values of n that fit, ascending; the last is the largest found.
        chain: the qubits of the single unit, for each size.
        diameter: the couplers between the two qubits of the chain that are farthest apart.
        seconds: the QPU access time of a call of NUM_READS reads of ANNEALING_TIME.
    """

    name: str
    sizes: NDArray[np.int64]
    chain: NDArray[np.int64]
    diameter: NDArray[np.int64]
    seconds: Doubles

    @classmethod
    def of(
        cls, plan: Plan, chip: tuple[str, int], result: Arrays, properties: Mapping[str, Any]
    ) -> ChipTimes:
        """Computes access times from a result of `Stars`; `properties` has the timing data."""
        from isingprop.qpu.estimate import access_time

        sizes = np.array([*plan.sizes, int(result["largest"])])
        order = np.argsort(sizes, kind="stable")
        order = order[result["chain"][order] > 0]  # the chain is empty if the model does not fit
        sizes, chain, diameter = sizes[order], result["chain"][order], result["diameter"][order]
        seconds = [
            access_time(properties, qubits, NUM_READS, annealing_time=ANNEALING_TIME)
            for qubits in (sizes + chain).tolist()
        ]
        return cls(f"{chip[0][0].upper()}{chip[1]}", sizes, chain, diameter, np.array(seconds))

    @property
    def largest(self) -> int:
        """The largest n that was found to fit."""
        return int(self.sizes[-1])

    def at(self, sizes: Doubles) -> Doubles:
        """Returns the access time at any sizes >= 1, in seconds.

        Between the sizes it is interpolated linearly in log n; beyond them it is that of the
        largest.
        """
        return np.interp(np.log(sizes), np.log(self.sizes), self.seconds)


def crossing(curve: Curve, seconds: ChipTimes | float) -> int | None:
    """Returns the min n from which on a contender takes longer than a chip or a constant time.

    Returns:
        That n; None if the contender is still faster at 10^7 units.
    """
    sizes = np.unique(np.geomspace(1, _MAX_UNITS, _NUM_SEARCHED).round())
    limit = seconds.at(sizes) if isinstance(seconds, ChipTimes) else np.full(len(sizes), seconds)

    below = np.flatnonzero(curve.at(sizes) < limit)
    first = 0 if len(below) == 0 else int(below[-1]) + 1
    return int(sizes[first]) if first < len(sizes) else None


def curves_of(plan: Plan, results: Sequence[Arrays]) -> dict[str, Curve]:
    """Makes a curve for each contender from the results of `Sampling`, one for each repetition."""
    seconds = np.stack([result["seconds"] for result in results], axis=1)
    return {
        name: Curve(plan.sizes, plan.fit_from, each)
        for name, each in zip(CONTENDERS, seconds, strict=True)
    }


def ratios(curves: Mapping[str, Curve]) -> Doubles:
    """Returns the time of dwave-samplers divided by isingprop's, (repetitions, sizes).

    Both times of a ratio belong to the same repetition.
    """
    return curves["dwave-samplers"].seconds / curves["isingprop"].seconds
