"""The results of the study of equivalence over the seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.mlp_equivalence.equivalence_jobs import moments, symmetrised_kl
from isingprop.util.checks import Doubles


@dataclass(frozen=True, eq=False)
class Outcome:
    """The curves of one pair of classes and one kind of gradient, over the seeds.

    Args:
        title: names the pair, and the kind of gradient if it is not the exact one.
        updates: (moments,), the updates after which the job measured.
        curves: (seeds, moments) arrays, by the names of `measured`.
        between: (seeds, moments), the divergence between the perceptron of a seed and those of the
            other seeds, averaged over these; NaN if there is one seed.
    """

    title: str
    updates: NDArray[np.int64]
    curves: dict[str, Doubles]
    between: Doubles

    @classmethod
    def of(cls, title: str, num_updates: int, results: Sequence[Arrays]) -> Outcome:
        """Stacks the results of `TwinTraining`, one for each seed."""
        names = sorted(name for name in results[0] if name != "logits")
        curves = {name: np.stack([result[name] for result in results]) for name in names}
        between = _between([result["logits"] for result in results])
        return cls(title, np.array(moments(num_updates)), curves, between)

    def end(self, name: str) -> Doubles:
        """Returns a curve's values after the last update, (seeds,)."""
        return self.curves[name][:, -1]

    def mean(self, name: str) -> Doubles:
        """Returns a curve averaged over seeds, (moments,)."""
        mean: Doubles = self.curves[name].mean(axis=0)
        return mean

    def farthest(self, curve: Doubles) -> tuple[float, int]:
        """Returns the max of a (moments,) curve, and the update after which it is reached."""
        k = int(np.argmax(curve))
        return float(curve[k]), int(self.updates[k])

    def difference(self, first: str, second: str) -> Interval:
        """Returns the difference of two curves after the last update, between equal seeds."""
        return mean_interval(self.end(first) - self.end(second))

    def gap(self, first: str, second: str, sign: int = 1) -> Doubles:
        """Returns the max over seeds of |first - sign second| of two curves, (moments,)."""
        gap: Doubles = abs(self.curves[first] - sign * self.curves[second]).max(axis=0)
        return gap

    def late_change(self) -> Interval:
        """Returns how much the divergence changes in the last third of the updates."""
        two_thirds = int(np.searchsorted(self.updates, 2 * self.updates[-1] / 3))
        return mean_interval(self.end("kl") - self.curves["kl"][:, two_thirds])


def _between(logits: Sequence[Doubles]) -> Doubles:
    """Averages the divergence of each seed's perceptron to those of the other seeds.

    Args:
        logits: (moments, m) for each seed.

    Returns:
        (seeds, moments); NaN if there is one seed.
    """
    if len(logits) == 1:
        return np.full((1, len(logits[0])), math.nan)

    means = []
    for k, own in enumerate(logits):
        others = [
            symmetrised_kl(own, other).mean(axis=1) for j, other in enumerate(logits) if j != k
        ]
        means.append(np.mean(others, axis=0))
    return np.array(means)
