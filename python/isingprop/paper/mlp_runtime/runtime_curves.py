"""Run times against model size: power laws, the time of a call to a chip, and where one overtakes the other."""

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

ANNEALING_TIME = 20.0  # us, the paper's
ANNEALING_SECONDS = NUM_READS * ANNEALING_TIME / 1e6  # of a call
TITLES = dict(
    zip(
        CONTENDERS,
        ("isingprop", "dwave-samplers", "NumPy, block Gibbs", "NumPy, one product of the MLP"),
        strict=True,
    )
)
_MOST = 10**7  # units: what has not overtaken by then is not said to

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """What is timed.

    Args:
        sizes: n, ascending.
        fit_from: the n from which on times are fitted.
        chips: (topology, size).
        paper: n that the paper has.
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
    """Times of one contender.

    Args:
        sizes: n, ascending.
        fit_from: the n from which on times are fitted.
        seconds: (repetitions, sizes), of a call.
    """

    sizes: Sizes
    fit_from: int
    seconds: Doubles

    @cached_property
    def median(self) -> Doubles:
        """(sizes,), over repetitions."""
        return np.median(self.seconds, axis=0)

    @cached_property
    def exponent(self) -> Interval:
        """p of seconds = A n^p, by least squares of logarithms, over repetitions."""
        return interval_of([self._fit(row)[0] for row in self.seconds])

    def at(self, sizes: Doubles) -> Doubles:
        """The median, between sizes by straight lines of logarithms, beyond them by its fit."""
        inside = np.interp(np.log(sizes), np.log(self.sizes), np.log(self.median))
        exponent, constant = self._fit(self.median)
        beyond = constant + exponent * np.log(sizes)
        return np.exp(np.where(sizes <= self.sizes[-1], inside, beyond))

    def _fit(self, seconds: Doubles) -> tuple[float, float]:
        """p and log A."""
        fitted = np.array(self.sizes) >= self.fit_from
        exponent, constant = np.polyfit(np.log(self.sizes)[fitted], np.log(seconds[fitted]), 1)
        return float(exponent), float(constant)


@dataclass(frozen=True, eq=False)
class ChipTimes:
    """Calls to one chip that holds n x 1 once.

    Args:
        name: of its graph.
        sizes: n of the models that fit, ascending; the last is the largest found.
        chain: qubits of the centre of each.
        diameter: couplers between the two of them that are farthest apart.
        seconds: QPU access time of a call of NUM_READS reads of ANNEALING_TIME.
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
        """Of what the job found; `properties` have the timing data."""
        from isingprop.qpu.estimate import access_time

        sizes = np.array([*plan.sizes, int(result["largest"])])
        order = np.argsort(sizes, kind="stable")
        order = order[result["chain"][order] > 0]
        sizes, chain, diameter = sizes[order], result["chain"][order], result["diameter"][order]
        seconds = [
            access_time(properties, qubits, NUM_READS, annealing_time=ANNEALING_TIME)
            for qubits in (sizes + chain).tolist()
        ]
        return cls(f"{chip[0][0].upper()}{chip[1]}", sizes, chain, diameter, np.array(seconds))

    @property
    def largest(self) -> int:
        """The most n that was found to fit."""
        return int(self.sizes[-1])

    def at(self, sizes: Doubles) -> Doubles:
        """Seconds of a call, between sizes by straight lines; beyond them what it is for the largest."""
        return np.interp(np.log(sizes), np.log(self.sizes), self.seconds)


def crossing(curve: Curve, seconds: ChipTimes | float) -> int | None:
    """The least n from which on a contender takes longer than a chip, or than a constant; None if it never does."""
    sizes = np.unique(np.geomspace(1, _MOST, 20_001).round())
    limit = seconds.at(sizes) if isinstance(seconds, ChipTimes) else np.full(len(sizes), seconds)
    below = np.flatnonzero(curve.at(sizes) < limit)
    first = 0 if len(below) == 0 else int(below[-1]) + 1
    return int(sizes[first]) if first < len(sizes) else None


def curves_of(plan: Plan, results: Sequence[Arrays]) -> dict[str, Curve]:
    """Of the results of all repetitions."""
    seconds = np.stack([result["seconds"] for result in results], axis=1)
    return {
        name: Curve(plan.sizes, plan.fit_from, own)
        for name, own in zip(CONTENDERS, seconds, strict=True)
    }


def ratios(curves: Mapping[str, Curve]) -> Doubles:
    """(repetitions, sizes): the time of dwave-samplers over that of isingprop, both of one repetition."""
    return curves["dwave-samplers"].seconds / curves["isingprop"].seconds
