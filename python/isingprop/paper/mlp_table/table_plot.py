"""The picture of the MLP paper's trials, as its Figs. 4, 14 and 15."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from isingprop.paper.common.study_setup import COLOURS
from isingprop.paper.mlp_table.table_outcomes import LEAST_SUCCESSES, Outcome
from isingprop.paper.mlp_table.table_published import (
    ANNEALER,
    CLASSICAL_1,
    CLASSICAL_2,
    EXACT,
    Pair,
)

TITLES = {
    CLASSICAL_1: "Classical-1: backpropagation",
    CLASSICAL_2: "Classical-2: Gibbs sampling",
    ANNEALER: "annealer (paper: Quantum-1)",
    EXACT: "exact gradients",
}

_ORANGE, _BLUE, _GREEN, *_, _BLACK = COLOURS
_STYLES: dict[str, dict[str, Any]] = {
    CLASSICAL_1: {"color": _ORANGE, "linestyle": "-"},
    CLASSICAL_2: {"color": _BLUE, "linestyle": "--"},
    ANNEALER: {"color": _GREEN, "linestyle": "-."},
    EXACT: {"color": _BLACK, "linestyle": ":"},
}
_DIAMOND: dict[str, Any] = {"marker": "D", "markersize": 4, "fillstyle": "none"}
_MOST_COLUMNS = 4
_PANEL = 2.7, 2.1  # inches
_BESIDE = 1.0  # updates after the last one, where the published accuracies are
_BANDS = (CLASSICAL_1, CLASSICAL_2, ANNEALER)  # a fourth one hides the others


def draw(outcomes: Mapping[Pair, Mapping[str, Outcome]]) -> Any:
    """A panel for each pair: test accuracy after each update, mean and standard deviation of successful trials."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    num_columns = min(_MOST_COLUMNS, len(outcomes))
    num_rows = -(-len(outcomes) // num_columns)
    size = _PANEL[0] * num_columns, _PANEL[1] * num_rows + 0.9
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(num_rows, num_columns, sharex=True, sharey=True, squeeze=False)
    for axes, (pair, columns) in zip(grid.flat, outcomes.items(), strict=False):
        for column, own in columns.items():
            _curve(axes, column, own)
        axes.set_title(pair.title, fontsize=10)
        axes.set_ylim(0.4, 1.01)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(alpha=0.25)
    for axes in list(grid.flat)[len(outcomes) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("test accuracy")
    for axes in grid[-1]:
        axes.set_xlabel("update")
    if any(own.published for columns in outcomes.values() for own in columns.values()):
        grid[0, 0].plot([], [], color="grey", linestyle="none", label="published", **_DIAMOND)
    lines, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        lines,
        labels,
        loc="outside lower center",
        ncols=min(3, num_columns),
        frameon=False,
        fontsize=9,
    )
    return figure


def _curve(axes: Any, column: str, own: Outcome) -> None:
    style, mean, sd = _STYLES[column], own.curve, own.curve_sd
    updates = np.arange(1, len(mean) + 1)
    axes.plot(updates, mean, linewidth=1.4, label=TITLES[column], **style)
    if column in _BANDS and own.num_successful >= LEAST_SUCCESSES:
        axes.fill_between(
            updates, mean - sd, mean + sd, color=style["color"], alpha=0.13, linewidth=0
        )
    if own.published is not None:
        place = len(mean) + _BESIDE
        axes.plot(place, own.published.accuracy, color=style["color"], **_DIAMOND)
