"""Derives the sentences of the report of Fig. 5 from its curves and trials."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from isingprop.paper.common.curves import EARLY, METHODS, ORDER, PUBLISHED, Curves
from isingprop.paper.common.rates import Trials
from isingprop.paper.common.text import interval, percent

_LEARNS = 0.5  # a network learns if its error at the end of a trial is below this


def findings(curves: dict[str, Curves], trials: Trials, is_papers: bool) -> Iterator[str]:
    """Yields sentences on exponents, power laws, and dragon training against other methods.

    Args:
        curves: the curves of each method.
        trials: the trials of learning rates.
        is_papers: whether numbers may be compared with the paper's.
    """
    exponents = {name: curves[name].exponent(curves[name].error_reads) for name in ORDER}
    for name, published in PUBLISHED.items() if is_papers else ():
        z = exponents[name]
        if not math.isnan(z.low):
            inside = "agrees with" if z.low <= published <= z.high else "differs from"
            yield (
                f"{METHODS[name].title}: z = {interval(z)} at the best rate {inside} the paper's "
                f"{published}."
            )

    known = [name for name in ORDER if not math.isnan(exponents[name].mean)]
    if len(known) > 1:
        ranked = sorted(known, key=lambda name: -exponents[name].mean)
        titles = "; ".join(METHODS[name].title for name in ranked)
        yield f"Exponents from large to small: {titles}."

    if bent := "; ".join(METHODS[name].title for name in ORDER if _is_bent(curves[name])):
        yield (
            f"No power law, since the intervals of z early and late do not overlap or no errors "
            f"are left late: {bent}. "
            "Their z depends on the epochs that are fitted, by more than its interval, which is "
            "over seeds only."
        )

    yield _dragon_against(curves, "backprop-relu")
    yield _dragon_against(curves, "equilibrium")

    edges = [METHODS[name].title for name in ORDER if trials.best[name] in _grid_ends(trials)]
    if edges:
        yield f"At the end of the grid of rates, so perhaps not at its best: {'; '.join(edges)}."
    yield from _at_equal_rates(trials)


def _is_bent(curves: Curves) -> bool:
    """Returns whether the errors contradict one power law over all epochs."""
    early, late = curves.early_and_late()
    if curves.error_reads.shape[1] <= EARLY or math.isnan(early.low):
        return False
    return math.isnan(late.low) or early.high < late.low or late.high < early.low


def _dragon_against(curves: dict[str, Curves], other: str) -> str:
    """Compares the mean errors over seeds of dragon training and another method, epoch by epoch."""
    dragon, rival = curves["dragon"], curves[other]
    title, epochs = METHODS[other].title, dragon.error_reads.shape[1]
    better = int((dragon.error_reads.mean(axis=0) < rival.error_reads.mean(axis=0)).sum())
    text = (
        f"Dragon training has a smaller error (all states) than {title} in {better} of {epochs} "
        "epochs."
    )

    ends = []
    for name, own in (("Dragon training", dragon), (title, rival)):
        faultless = np.flatnonzero(own.error_reads.max(axis=0) == 0)
        if faultless.size:
            text += (
                f" {name} makes no error at all in any seed for the first time in epoch "
                f"{faultless[0] + 1}."
            )
        reads, lowest = float(own.error_reads[:, -1].mean()), float(own.error_lowest[:, -1].mean())
        ends.append(f"{percent(reads)} ({percent(lowest)})")

    return f"{text} In the last epoch, all states (lowest state): {ends[0]} against {ends[1]}."


def _at_equal_rates(trials: Trials) -> Iterator[str]:
    """Yields a sentence on which exponent is larger at equal rates, where both methods learn."""
    cells = {(row["method"], row["learning_rate"]): row for row in trials.rows}

    rates_of_verdict: dict[str, list[str]] = {}
    for rate in sorted({rate for _, rate in cells}):
        dragon, rival = cells["dragon", rate], cells["backprop-relu", rate]
        if max(dragon["error"], rival["error"]) < _LEARNS:
            verdict = _larger_exponent(dragon["z"], rival["z"])
            rates_of_verdict.setdefault(verdict, []).append(f"{rate:g}")

    if rates_of_verdict:
        parts = "; ".join(
            f"{verdict} at {', '.join(rates)}" for verdict, rates in rates_of_verdict.items()
        )
        yield (
            f"At one and the same rate, where both learn (one seed, {trials.epochs} epochs): "
            f"{parts}."
        )


def _larger_exponent(dragon: float | None, rival: float | None) -> str:
    if dragon is None or rival is None:
        return "one of the two has too few errors for a z"
    ahead = "dragon training" if dragon > rival else METHODS["backprop-relu"].title
    return f"{ahead} has the larger z"


def _grid_ends(trials: Trials) -> set[float]:
    """Returns the smallest and the largest rate of the grid."""
    rates = [row["learning_rate"] for row in trials.rows]
    return {min(rates), max(rates)}
