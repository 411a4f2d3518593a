"""The picture of the study of run times, like Fig. 5 of the MLP paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isingprop.paper.mlp_runtime.runtime_curves import (
    ANNEALING_SECONDS,
    TITLES,
    ChipTimes,
    Curve,
    Plan,
)
from isingprop.util.plot_axes import COLOURS, set_log_ticks

_BLACK = COLOURS[-1]
_CHIP_STYLES = ("-", "--")


def plot(plan: Plan, curves: Mapping[str, Curve], chips: Sequence[ChipTimes]) -> Any:
    """Plots seconds against n, for all contenders and chips, and returns the figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    axes = figure.add_subplot(
        xscale="log",
        yscale="log",
        xlabel="n, units joined to a single other one",
        ylabel="time for 1,000 samples (s)",
    )

    _plot_contenders(axes, curves)
    _plot_chips(axes, chips)
    for size, chip in zip(plan.paper[1:], chips, strict=False):
        _mark(axes, size, f"paper, {chip.name}: {size}", "-.")

    set_log_ticks(axes.xaxis)
    set_log_ticks(axes.yaxis)
    axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _plot_contenders(axes: Any, curves: Mapping[str, Curve]) -> None:
    """Plots the median time of each contender, with a band from min to max over repetitions."""
    for (name, curve), colour, marker in zip(curves.items(), COLOURS, "osD^", strict=False):
        low, high = curve.seconds.min(axis=0), curve.seconds.max(axis=0)
        axes.fill_between(curve.sizes, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(
            curve.sizes, curve.median, color=colour, marker=marker, markersize=4, label=TITLES[name]
        )


def _plot_chips(axes: Any, chips: Sequence[ChipTimes]) -> None:
    """Plots the access time of each chip with its largest model, and the time of the anneals."""
    for chip, style in zip(chips, _CHIP_STYLES, strict=True):
        label = f"QPU access time, {chip.name}"
        _line(axes, chip.sizes, chip.seconds, style, label)
        text = f"largest found on {chip.name}: {chip.largest:,}"
        _mark(axes, chip.largest, text, style)

    ends = [1, max(chip.largest for chip in chips)]
    _line(axes, ends, [ANNEALING_SECONDS] * 2, ":", "QPU, anneals alone")


def _line(axes: Any, sizes: Any, seconds: Any, style: str, label: str) -> None:
    axes.plot(sizes, seconds, color=_BLACK, linestyle=style, linewidth=1.8, label=label)


def _mark(axes: Any, size: int, text: str, style: str) -> None:
    """Marks a size by a vertical line, with its meaning above the panel."""
    axes.axvline(size, color="#777777", linestyle=style, linewidth=0.8)

    axes.annotate(
        text,
        (size, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-2, 3),
        textcoords="offset points",
        rotation=45,
        rotation_mode="anchor",
        fontsize=8,
        color="#555555",
    )
