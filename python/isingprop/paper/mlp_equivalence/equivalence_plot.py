"""The picture of the study of equivalence: for each pair the panels of Fig. 3.

The accuracies of perceptrons and of energy-based models have a panel each, since six bands in one
would hide each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from isingprop.analysis.scaling import standard_error
from isingprop.paper.mlp_equivalence.equivalence_outcomes import Outcome
from isingprop.util.plot_axes import COLOURS, set_log_ticks, set_percent

_EXACT, _SAMPLED, *_, _BACKPROP = COLOURS  # the colour says how the weights were trained
_GREY = "#777777"
#: The titles of the panels in a row, and the scales of their vertical axes.
_PANELS = {
    "cross-entropy in MLPs (nats)": "log",
    "−log-likelihood in EBMs (nats)": "log",
    "test accuracy of MLPs": "linear",
    "test accuracy of EBMs": "linear",
    "symmetrised KL (nats)": "log",
}


def plot(exact: Mapping[str, Outcome], sampled: Mapping[str, Outcome]) -> Any:
    """Plots a row of panels for each pair and returns the figure.

    Args:
        exact: outcomes of exact gradients, by pair.
        sampled: outcomes of sampled gradients, for some of the pairs.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 1.2 + 2.4 * len(exact)), layout="constrained")
    rows = figure.subplots(len(exact), len(_PANELS), squeeze=False, sharex=True)
    for (name, outcome), row in zip(exact.items(), rows, strict=True):
        _plot_models(row, outcome, _EXACT, "EBM")
        if name in sampled:
            _plot_models(row, sampled[name], _SAMPLED, "sampled EBM")
        _plot_backpropagation(row, outcome)
        row[0].set_ylabel(name, fontsize=12, fontweight="bold")
        row[1].sharey(row[0])
        row[3].sharey(row[2])

    for column, (title, scale) in zip(rows.T, _PANELS.items(), strict=True):
        column[0].set_title(title, fontsize=11)
        column[-1].set_xlabel("updates")
        for axes in column:
            _set_axes(axes, scale)

    handles = [
        line for axes in rows[0, 2:] for line in axes.lines if not line.get_label().startswith("_")
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=10)
    return figure


def _plot_models(row: Any, outcome: Outcome, colour: str, name: str) -> None:
    """Plots what has the weights of energy-based models.

    Full lines are perceptrons with these weights, dashed lines are the models.
    """
    loss, likelihood, mlp, ebm, divergence = row
    _line(loss, outcome, "loss_inherited", colour, "-")
    _line(likelihood, outcome, "log_likelihood", colour, "--", sign=-1)
    label = f"MLP with the {name}'s weights"
    _line(mlp, outcome, "mlp_accuracy_inherited", colour, "-", label=label)
    _line(ebm, outcome, "ebm_accuracy", colour, "--", label=name)
    _line(divergence, outcome, "kl", colour, "-")


def _plot_backpropagation(row: Any, outcome: Outcome) -> None:
    """Plots what has the weights of the perceptron, and how far perceptrons of two seeds differ."""
    loss, likelihood, mlp, ebm, divergence = row
    _line(loss, outcome, "loss", _BACKPROP, "-")
    _line(likelihood, outcome, "log_likelihood_inherited", _BACKPROP, "--", sign=-1)
    _line(mlp, outcome, "mlp_accuracy", _BACKPROP, "-", label="MLP")
    label = "EBM with the MLP's weights"
    _line(ebm, outcome, "ebm_accuracy_inherited", _BACKPROP, "--", label=label)
    mean, label = outcome.between.mean(axis=0), "KL between MLPs of two seeds"
    divergence.plot(outcome.updates, mean, color=_GREY, linestyle=":", label=label)


def _line(
    axes: Any,
    outcome: Outcome,
    name: str,
    colour: str,
    style: str,
    *,
    sign: int = 1,
    label: str = "_",
) -> None:
    """Plots the mean of a curve over seeds, and its standard error as a band."""
    mean = sign * outcome.mean(name)
    bars = np.array([standard_error(column) for column in outcome.curves[name].T])
    axes.plot(outcome.updates, mean, color=colour, linestyle=style, linewidth=1.3, label=label)
    axes.fill_between(
        outcome.updates, mean - bars, mean + bars, color=colour, alpha=0.15, linewidth=0
    )


def _set_axes(axes: Any, scale: str) -> None:
    axes.set(xscale="log", yscale=scale)
    axes.grid(alpha=0.25)
    axes.tick_params(labelsize=8)
    set_log_ticks(axes.xaxis)
    if scale == "log":
        set_log_ticks(axes.yaxis)
    else:
        set_percent(axes.yaxis)
