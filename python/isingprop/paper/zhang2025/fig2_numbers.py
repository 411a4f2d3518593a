"""Computes the numbers of Fig. 2: means over seeds, order, overlaps, and the rows of its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import PAIRS
from isingprop.analysis.scaling import interval_of
from isingprop.paper.common.jobs import Arrays
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import finite, json_interval

# The measures that fig2.csv has one column of, beside distances, silhouette and stress.
_MEASURES = (
    "accuracy",
    "accuracy_images",
    "reads_right",
    "unclassified",
    "distinct",
    "neighbours",
)


def summary(moments: tuple[float, ...], stacked: Arrays, maps: list[Arrays]) -> dict[str, Any]:
    """Returns the numbers of the JSON file.

    Args:
        moments: times in epochs.
        stacked: the results of `Statistics`, with seeds as the first axis.
        maps: the results of `Map` at each moment, for the first seed.

    Returns:
        Means over seeds with their intervals at each moment, and the measures of the maps.
    """
    distances, silhouettes = stacked["distances"], stacked["silhouette"]
    curves = {
        "accuracy": stacked["accuracy"],
        "accuracy_images": stacked["accuracy_images"],
        "reads_right": stacked["reads_right"],
        "unclassified": stacked["unclassified"],
        "distinct": stacked["distinct"],
        **{f"distance_{kind}": distances[:, :, k] for k, kind in enumerate(PAIRS)},
        "order": order_parameter(distances),
        "silhouette": silhouettes[:, :, -1],
        "neighbours": stacked["neighbours"],
    }

    return {
        "epochs": list(moments),
        **{name: _intervals(curve) for name, curve in curves.items()},
        "class_silhouettes": _intervals(silhouettes[:, -1, :-1]),
        "map": {
            "stress": [each["stress"].item() for each in maps],
            "distinct": [each["distinct"].item() for each in maps],
            "class_silhouettes": [finite(value) for value in maps[-1]["silhouette"][:-1]],
            "silhouette": [finite(each["silhouette"][-1]) for each in maps],
            "accuracy": stacked["accuracy"][0].tolist(),
            "accuracy_images": stacked["accuracy_images"][0].tolist(),
        },
    }


def _intervals(curves: NDArray[np.float64]) -> list[dict[str, float | None]]:
    """Returns the intervals over seeds, the first axis, of each column."""
    return [json_interval(interval_of(column)) for column in curves.T]


def order_parameter(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns 1 - (mean distance within a class) / (mean distance between classes).

    It is 0 if the class of an image has no effect on its states.

    Args:
        distances: (..., 3), mean distances of the kinds of pairs in `landscape.PAIRS`.
    """
    return np.asarray(1 - distances[..., 1] / distances[..., 2])


def overlap_curves(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the distribution of overlaps for each kind of pair, averaged over seeds.

    Args:
        counts: (seeds, 3, N + 1), numbers of pairs that differ in 0 ... N spins.

    Returns:
        The overlaps q, (N + 1,), and their probabilities P(q), (3, N + 1).
    """
    totals = np.maximum(counts.sum(axis=2, keepdims=True), 1)
    q = 1 - 2 * np.arange(counts.shape[2]) / (counts.shape[2] - 1)
    return q, (counts / totals).mean(axis=0)


def write_rows(
    setup: Setup,
    moments: tuple[float, ...],
    stacked: Arrays,
    maps: list[Arrays],
    points: list[NDArray[np.float64]],
) -> None:
    """Writes fig2.csv (measures), fig2_points.csv (maps) and fig2_overlaps.csv (P(q))."""
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    overlaps: list[dict[str, Any]] = []
    for k, epoch in enumerate(moments):
        for i, seed in enumerate(setup.seeds):
            row = {"seed": seed, "epoch": epoch, **_measures(stacked, i, k)}
            # Maps are of the first seed only.
            rows.append(row | {"stress": maps[k]["stress"].item() if i == 0 else ""})

        cells += [{"epoch": epoch, **cell} for cell in _cells(maps[k], points[k])]

        q, probabilities = overlap_curves(stacked["counts"][:, k])
        for kind, curve in zip(PAIRS, probabilities, strict=True):
            overlaps += [
                {"epoch": epoch, "pairs": kind, "q": f"{a:.6g}", "probability": f"{b:.6g}"}
                for a, b in zip(q, curve, strict=True)
            ]

    setup.write_csv("fig2", rows)
    setup.write_csv("fig2_points", cells)
    setup.write_csv("fig2_overlaps", overlaps)


def _measures(stacked: Arrays, i: int, k: int) -> dict[str, Any]:
    """Returns the measures of seed number i at moment number k."""
    return {
        **{name: stacked[name][i, k].item() for name in _MEASURES},
        **{
            f"distance_{kind}": stacked["distances"][i, k, j].item() for j, kind in enumerate(PAIRS)
        },
        "silhouette": stacked["silhouette"][i, k, -1].item(),
    }


def _cells(landscape: Arrays, points: NDArray[np.float64]) -> Iterator[dict[str, Any]]:
    """Yields a row for each state of one map."""
    for (image, read), found in np.ndenumerate(landscape["classes"]):
        x, y = (f"{value:.3f}" for value in points[image, read])
        yield {
            "image": int(landscape["images"][image]),
            "read": read,
            "label": int(landscape["labels"][image]),
            "class": int(found),
            "x": x,
            "y": y,
        }
