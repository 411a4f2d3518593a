"""Derives the sentences of the report of Fig. 2 from its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import PAIRS
from isingprop.analysis.scaling import Interval
from isingprop.paper.common.text import decimal, interval, percent
from isingprop.paper.zhang2025.moments import from_json

# Kaufman & Rousseeuw 1990 call a structure reasonable if its silhouette is above 0.5, and weak if
# it is above 0.25.
_REASONABLE, _WEAK = 0.5, 0.25
_PAIR_NAMES = ("same image", "same class", "other classes")  # in the order of landscape.PAIRS


def intervals(numbers: dict[str, Any], name: str) -> list[Interval]:
    """Returns the interval of a measure at each moment."""
    return [from_json(each) for each in numbers[name]]


def findings(numbers: dict[str, Any], num_images: int, is_papers: bool) -> Iterator[str]:
    """Yields sentences on accuracy, order, basins and the quality of the maps.

    Args:
        numbers: the contents of fig2.json.
        num_images: number of images whose states were sampled.
        is_papers: whether numbers may be compared with the paper's.
    """
    few, every = intervals(numbers, "accuracy_images"), intervals(numbers, "accuracy")
    paper = " (paper: 6 % to 92 %)" if is_papers else ""
    yield (
        f"Accuracy goes from {percent(few[0].mean)} to {percent(few[-1].mean)} on the {num_images} "
        f"images{paper} and from {percent(every[0].mean)} to {percent(every[-1].mean)} on all test "
        f"images."
    )
    if few[-1].low > every[-1].high:
        yield (
            f"The {num_images} images are easier than the others: their accuracy alone says too "
            "much."
        )

    unclassified = intervals(numbers, "unclassified")
    yield (
        f"Unclassified states go from {percent(unclassified[0].mean)} to "
        f"{percent(unclassified[-1].mean)}; they count "
        "as wrong, so an untrained network may be worse than a guess."
    )

    yield from _transition(numbers)
    yield from _basins(numbers)

    stress = numbers["map"]["stress"]
    yield (
        f"The maps have a stress of {min(stress):.2f} to {max(stress):.2f} (Kruskal calls 0.1 fair "
        f"and 0.2 poor): "
        "trust distances and silhouettes rather than the map."
    )


def _transition(numbers: dict[str, Any]) -> Iterator[str]:
    """Yields sentences on where order appears, how large it is, and how distances change."""
    order = intervals(numbers, "order")
    start, end = order[0], order[-1]
    rises = start.high < end.low

    comparison = "the intervals overlap, or it does not rise"
    if rises:
        comparison = "the intervals do not overlap"
    if np.isnan(start.low) or np.isnan(end.low):
        comparison = "there is no interval to say whether that is chance"
    yield f"Order goes from {interval(start)} to {interval(end)}; {comparison}."

    if rises:
        yield from _steps(numbers)

    spans = []
    for label, kind in zip(_PAIR_NAMES, PAIRS, strict=True):
        own = intervals(numbers, f"distance_{kind}")
        spans.append(f"{label} from {decimal(own[0].mean)} to {decimal(own[-1].mean)}")
    yield f"Mean distances in spins: {'; '.join(spans)}."


def _steps(numbers: dict[str, Any]) -> Iterator[str]:
    """Yields sentences on when order rises most, and whether distances fall before that."""
    epochs = numbers["epochs"]
    order = np.array([each.mean for each in intervals(numbers, "order")])
    rise = _largest_step(order)
    if rise is None:
        return
    share = (order[epochs.index(1.0)] - order[0]) / (order[-1] - order[0])
    yield (
        f"The largest step of that comes between epochs {epochs[rise]:g} and "
        f"{epochs[rise + 1]:g}; {percent(share)} of it comes in the first epoch."
    )

    distances = np.array([each.mean for each in intervals(numbers, "distance_same_image")])
    fall = _largest_step(distances)
    if fall is not None and fall < rise:
        yield (
            f"The largest step in the distance of two states of one image comes before that, "
            f"between epochs {epochs[fall]:g} and {epochs[fall + 1]:g}: states first come "
            f"together, whatever their class, and then "
            "part by class."
        )


def _largest_step(means: NDArray[np.float64]) -> int | None:
    """Returns the moment before the largest step in the direction of the overall change.

    It returns None if a mean is not finite.
    """
    steps = np.diff(means) * np.sign(means[-1] - means[0])
    return int(steps.argmax()) if np.isfinite(means).all() else None


def _basins(numbers: dict[str, Any]) -> Iterator[str]:
    """Yields sentences on which output classes have a basin of their own at the end."""
    over_seeds = [each.mean for each in intervals(numbers, "class_silhouettes")]
    yield _separate_basins("by Hamming distance, over seeds", over_seeds)
    in_map = [np.nan if v is None else v for v in numbers["map"]["class_silhouettes"]]
    yield _separate_basins("in the last map", in_map)

    near = intervals(numbers, "neighbours")
    yield (
        f"The nearest state of another image has the same output class in {percent(near[-1].mean)} "
        f"of cases at the end, {percent(near[0].mean)} at the start."
    )


def _separate_basins(where: str, silhouettes: list[float]) -> str:
    """Returns a sentence on how many classes have a large silhouette, and which do not."""
    clear = [c for c, value in enumerate(silhouettes) if value > _REASONABLE]
    unclear = [c for c, value in enumerate(silhouettes) if not value > _REASONABLE]
    text = (
        f"Basins {where}: {len(clear)} of {len(silhouettes)} output classes have a silhouette "
        f"above {_REASONABLE}"
    )

    finite = [value for value in silhouettes if np.isfinite(value)]
    text += f" ({min(finite):.2f} to {max(finite):.2f})" if finite else ""

    details = ", ".join(
        f"{c} ({decimal(silhouettes[c])}{', weak' if silhouettes[c] > _WEAK else ''})"
        for c in unclear
    )
    return text + (f"; not so: {details}." if unclear else ".")
