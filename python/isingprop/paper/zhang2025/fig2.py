"""Fig. 2: low-energy states through training as maps of the plane, and what a picture cannot prove."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import PAIRS
from isingprop.analysis.scaling import interval_of
from isingprop.paper.common.jobs import Arrays, Job, Runner
from isingprop.paper.common.study_setup import COLOURS, Setup
from isingprop.paper.common.text import finite
from isingprop.paper.zhang2025.fig2_report import report
from isingprop.paper.zhang2025.landscape_plot import (
    aligned,
    legend_entries,
    limits,
    scatter,
    write_classes,
)
from isingprop.paper.zhang2025.moments import (
    Course,
    Map,
    Sampling,
    Statistics,
    epoch_name,
    json_interval,
)

LEARNING_RATE = 3e-4
_COLUMNS = 3  # of panels
_SHOWN_OVERLAPS = 5  # moments at most of which P(q) is drawn
_LABELS = {
    "same_image": "same image",
    "same_class": "same class, other image",
    "other_class": "other class",
}


def moments_of(setup: Setup) -> tuple[float, ...]:
    """In epochs: half decades of the first epoch, in which most happens, and then up to the paper's 13."""
    return (
        (0.0, 0.1, 0.3, 1.0, 3.0)
        if setup.quick
        else (0.0, 0.03, 0.1, 0.3, 1.0, 2.0, 4.0, 7.0, 13.0)
    )


def jobs_of(setup: Setup) -> tuple[list[Statistics], list[Map]]:
    """One job for the numbers of each seed, and one for each picture of the first seed."""
    sampling = Sampling(30, 20) if setup.quick else Sampling(100, 100)
    num_landmarks = 300 if setup.quick else 2000
    moments = moments_of(setup)
    courses = [Course(seed, LEARNING_RATE, moments) for seed in setup.seeds]
    cut = [Course(setup.seed, LEARNING_RATE, moments[: k + 1]) for k in range(len(moments))]
    return [Statistics(course, sampling) for course in courses], [
        Map(each, sampling, num_landmarks) for each in cut
    ]


def number_of_jobs(setup: Setup) -> int:
    """Numbers for each seed, and a map for each moment."""
    return setup.num_seeds + len(moments_of(setup))


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Writes fig2.csv, .json, .png, .svg, .md, fig2_order.png and .svg, fig2_points.csv and fig2_overlaps.csv."""
    start = perf_counter()
    images = setup.load_data()
    statistics, maps = jobs_of(setup)
    jobs: list[Job] = [*maps, *statistics]  # the first map is the longest
    found = runner.run(jobs, images, "landscapes")
    maps_found, seeds_found = found[: len(maps)], found[len(maps) :]
    moments = moments_of(setup)
    stacked = {name: np.stack([each[name] for each in seeds_found]) for name in seeds_found[0]}
    points = aligned([each["points"] for each in maps_found])
    numbers = _numbers(moments, stacked, maps_found) | setup.facts(images)
    _write_rows(setup, moments, stacked, maps_found, points)
    setup.write_picture(
        "fig2", _draw_maps(moments, stacked, maps_found, points, images.num_classes)
    )
    setup.write_picture("fig2_order", _draw_order(moments, stacked))
    setup.write_report("fig2", report(setup, images, statistics[0], maps[0], numbers))
    numbers["seconds"] = perf_counter() - start
    setup.write_json("fig2", numbers)
    return numbers


def _numbers(moments: tuple[float, ...], stacked: Arrays, maps: list[Arrays]) -> dict[str, Any]:
    """Means over seeds with their intervals, at each moment; maps are of the first seed."""
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
        **{
            name: [json_interval(interval_of(column)) for column in curve.T]
            for name, curve in curves.items()
        },
        "class_silhouettes": [
            json_interval(interval_of(column)) for column in silhouettes[:, -1, :-1].T
        ],
        "map": {
            "stress": [each["stress"].item() for each in maps],
            "distinct": [each["distinct"].item() for each in maps],
            "class_silhouettes": [finite(value) for value in maps[-1]["silhouette"][:-1]],
            "silhouette": [finite(each["silhouette"][-1]) for each in maps],
            "accuracy": stacked["accuracy"][0].tolist(),
            "accuracy_images": stacked["accuracy_images"][0].tolist(),
        },
    }


def order_parameter(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - (mean distance within a class) / (that between classes), (..., 3) in: 0 where classes mean nothing."""
    return np.asarray(1 - distances[..., 1] / distances[..., 2])


def _write_rows(
    setup: Setup,
    moments: tuple[float, ...],
    stacked: Arrays,
    maps: list[Arrays],
    points: list[NDArray[np.float64]],
) -> None:
    rows, cells, overlaps = [], [], []
    for k, epoch in enumerate(moments):
        for i, seed in enumerate(setup.seeds):
            names = (
                "accuracy",
                "accuracy_images",
                "reads_right",
                "unclassified",
                "distinct",
                "neighbours",
            )
            row = {
                "seed": seed,
                "epoch": epoch,
                **{name: stacked[name][i, k].item() for name in names},
            }
            row |= {
                f"distance_{kind}": stacked["distances"][i, k, j].item()
                for j, kind in enumerate(PAIRS)
            }
            row["silhouette"] = stacked["silhouette"][i, k, -1].item()
            rows.append(row | {"stress": maps[k]["stress"].item() if i == 0 else ""})
        for (image, read), found in np.ndenumerate(maps[k]["classes"]):
            where = {"epoch": epoch, "image": int(maps[k]["images"][image]), "read": read}
            x, y = (f"{value:.3f}" for value in points[k][image, read])
            cells.append(
                {
                    **where,
                    "label": int(maps[k]["labels"][image]),
                    "class": int(found),
                    "x": x,
                    "y": y,
                }
            )
        q, probabilities = overlap_curves(stacked["counts"][:, k])
        for kind, curve in zip(PAIRS, probabilities, strict=True):
            overlaps += [
                {"epoch": epoch, "pairs": kind, "q": f"{a:.6g}", "probability": f"{b:.6g}"}
                for a, b in zip(q, curve, strict=True)
            ]
    setup.write_csv("fig2", rows)
    setup.write_csv("fig2_points", cells)
    setup.write_csv("fig2_overlaps", overlaps)


def overlap_curves(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """q and P(q), the mean over seeds, for each kind of pair: (seeds, 3, N + 1) in, (N + 1,) and (3, N + 1) out."""
    totals = np.maximum(counts.sum(axis=2, keepdims=True), 1)
    q = 1 - 2 * np.arange(counts.shape[2]) / (counts.shape[2] - 1)
    return q, (counts / totals).mean(axis=0)


def _draw_maps(
    moments: tuple[float, ...],
    stacked: Arrays,
    maps: list[Arrays],
    points: list[NDArray[np.float64]],
    num_classes: int,
) -> Any:
    from matplotlib.figure import Figure

    rows = -(-len(moments) // _COLUMNS)
    figure = Figure(figsize=(9, 3.5 * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, sharex="row", sharey="row", squeeze=False)
    for axes in panels.flat[len(moments) :]:
        axes.set_axis_off()
    for k, (axes, epoch) in enumerate(zip(panels.flat, moments, strict=False)):
        scatter(axes, points[k].reshape(-1, 2), maps[k]["classes"].ravel())
        tested, whole = stacked["accuracy_images"][0, k], stacked["accuracy"][0, k]
        count = len(maps[k]["labels"])
        axes.set_title(
            f"{epoch_name(epoch)}: {tested:.0%} of {count} images\n({whole:.1%} of all)",
            fontsize=9.5,
        )
    for k, row in enumerate(panels):
        low, high = limits(points[k * _COLUMNS : (k + 1) * _COLUMNS])
        row[0].set(
            xlim=(low[0], high[0]), ylim=(low[1], high[1]), ylabel="MDS coordinate 2 (spins)"
        )
        for axes in row:
            axes.set_box_aspect(1)
    for axes in panels[-1]:
        axes.set_xlabel("MDS coordinate 1 (spins)")
    last = panels.flat[len(moments) - 1]
    write_classes(last, points[-1].reshape(-1, 2), maps[-1]["classes"].ravel(), num_classes)
    figure.legend(
        handles=legend_entries(num_classes),
        loc="outside lower center",
        ncols=num_classes + 1,
        frameon=False,
        fontsize=9,
        columnspacing=0.9,
        handletextpad=0.1,
    )
    return figure


def _draw_order(moments: tuple[float, ...], stacked: Arrays) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    halves: Any = figure.subfigures(2, 1)
    top, bottom = halves
    left, right = top.subplots(1, 2)
    for k, label in enumerate(_LABELS.values()):
        _draw_curve(left, moments, stacked["distances"][:, :, k], COLOURS[k], "osD"[k], label)
    left.set(
        ylabel="mean Hamming distance (spins)", title="(a) distances of states", ylim=(0, None)
    )
    curves = {
        "test accuracy": (stacked["accuracy"], COLOURS[3], "o"),
        "unclassified states": (stacked["unclassified"], COLOURS[6], "s"),
        "order, 1 − within / between": (order_parameter(stacked["distances"]), COLOURS[1], "D"),
    }
    for label, (values, colour, marker) in curves.items():
        _draw_curve(right, moments, values, colour, marker, label)
    right.set(ylabel="fraction", title="(b) accuracy and order", ylim=(-0.03, 1.03))
    for axes in (left, right):
        _epoch_axis(axes, moments)
        axes.grid(alpha=0.25)
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False, fontsize=8
        )
    _draw_overlaps(bottom, moments, stacked["counts"])
    return figure


def _draw_curve(
    axes: Any, moments: tuple[float, ...], values: NDArray[Any], colour: str, mark: str, label: str
) -> None:
    """The mean over seeds with Student's 95 % interval."""
    means = np.array([interval_of(column) for column in values.T])
    errors = np.nan_to_num(means[:, 2] - means[:, 0])
    style: dict[str, Any] = {"marker": mark, "markersize": 4.5, "linewidth": 1.3, "capsize": 2.5}
    axes.errorbar(moments, means[:, 0], yerr=errors, color=colour, label=label, **style)


def _epoch_axis(axes: Any, moments: tuple[float, ...]) -> None:
    """Logarithmic, with a place for the untrained network."""
    first = min(epoch for epoch in moments if epoch > 0)
    axes.set_xscale("symlog", linthresh=first, linscale=0.5)
    axes.set_xticks(moments, [f"{epoch:g}" for epoch in moments], fontsize=8)
    axes.minorticks_off()
    axes.set(xlabel="epoch (0: untrained)", xlim=(-first / 4, 1.3 * moments[-1]))


def _draw_overlaps(figure: Any, moments: tuple[float, ...], counts: NDArray[np.int64]) -> None:
    """P(q) of each kind of pair, one line for each of some moments, from pale to dark."""
    from matplotlib import colormaps

    shown = np.unique(np.linspace(0, len(moments) - 1, _SHOWN_OVERLAPS).round().astype(int))
    panels = figure.subplots(1, len(PAIRS), sharey=True)
    for j, (axes, label) in enumerate(zip(panels, _LABELS.values(), strict=True)):
        for i, k in enumerate(shown):
            q, probabilities = overlap_curves(counts[:, k])
            colour = colormaps["cividis_r"](0.1 + 0.9 * i / max(len(shown) - 1, 1))
            axes.plot(
                q, probabilities[j], color=colour, linewidth=1.3, label=epoch_name(moments[k])
            )
        axes.set(xlabel="overlap q", title=f"({'cde'[j]}) {label}", yscale="log", ylim=(1e-5, 1))
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("P(q)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(shown), frameon=False, fontsize=9
    )
