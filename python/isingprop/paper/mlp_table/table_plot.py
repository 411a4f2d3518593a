"""The picture of the study of the MLP paper's tables, like its Figs. 4, 14 and 15."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from isingprop.paper.mlp_table.table_outcomes import MIN_SUCCESSES, Outcome, Outcomes
from isingprop.paper.mlp_table.table_published import ANNEALER, CLASSICAL_1, CLASSICAL_2, EXACT
from isingprop.util.plot_axes import COLOURS, set_percent

#: The titles of the columns in tables and pictures.
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
_MAX_COLUMNS = 4  # of panels
_PANEL = 2.7, 2.1  # width and height in inches
_LEGEND_HEIGHT = 0.9  # inches
_BESIDE = 1.0  # updates after the last one, where the published accuracies are plotted
_BANDS = (CLASSICAL_1, CLASSICAL_2, ANNEALER)  # a fourth band would hide the others
_MARGIN = 0.01  # beyond the accuracies, so that no curve lies on the frame
_LOWEST = 0.4  # the axis of accuracies begins there, or lower where a curve does


def plot(outcomes: Outcomes) -> Any:
    """Plots test accuracy against updates in a panel for each pair, and returns the figure.

    Curves are means over successful trials, bands are their standard errors.
    """
    from matplotlib.figure import Figure

    num_columns = min(_MAX_COLUMNS, len(outcomes))
    num_rows = -(-len(outcomes) // num_columns)  # rounded up
    size = _PANEL[0] * num_columns, _PANEL[1] * num_rows + _LEGEND_HEIGHT
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(num_rows, num_columns, sharex=True, sharey=True, squeeze=False)

    for axes, (pair, columns) in zip(grid.flat, outcomes.items(), strict=False):
        _plot_pair(axes, pair.title, columns)
    for axes in list(grid.flat)[len(outcomes) :]:
        axes.set_axis_off()
    grid[0, 0].set_ylim(min(_LOWEST, _lowest(outcomes) - _MARGIN), 1 + _MARGIN)
    for axes in grid[:, 0]:
        axes.set_ylabel("test accuracy")
    for axes in grid[-1]:
        axes.set_xlabel("update")

    if any(outcome.published for columns in outcomes.values() for outcome in columns.values()):
        grid[0, 0].plot(
            [],
            [],
            color="grey",
            linestyle="none",
            label="published, after the last update",
            **_DIAMOND,
        )
    figure.legend(
        *grid[0, 0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(3, num_columns),
        frameon=False,
        fontsize=9,
    )
    return figure


def _lowest(outcomes: Outcomes) -> float:
    """Returns the smallest mean accuracy of all curves; 1 without any."""
    curves = [outcome.curve for columns in outcomes.values() for outcome in columns.values()]
    return float(np.nanmin([1.0, *np.concatenate(curves)]))


def _plot_pair(axes: Any, title: str, columns: Mapping[str, Outcome]) -> None:
    """Plots the panel of one pair."""
    for column, outcome in columns.items():
        _plot_column(axes, column, outcome)
    axes.set_title(title, fontsize=10)
    set_percent(axes.yaxis)
    axes.grid(alpha=0.25)


def _plot_column(axes: Any, column: str, outcome: Outcome) -> None:
    """Plots the curve, the band and the published accuracy of one column."""
    style, mean, error = _STYLES[column], outcome.curve, outcome.curve_error
    updates = np.arange(1, len(mean) + 1)
    axes.plot(updates, mean, linewidth=1.4, label=TITLES[column], **style)
    if column in _BANDS and outcome.num_successful >= MIN_SUCCESSES:
        axes.fill_between(
            updates, mean - error, mean + error, color=style["color"], alpha=0.13, linewidth=0
        )
    if outcome.published is not None:
        place = len(mean) + _BESIDE
        axes.plot(place, outcome.published.accuracy, color=style["color"], **_DIAMOND)
