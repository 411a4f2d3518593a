"""The plot of a run, training.png: training errors and test accuracy against epoch."""

from __future__ import annotations

import io
from typing import Any

from isingprop.cli.run_settings import RunSettings
from isingprop.estimator.recipes import CLASS_STATES
from isingprop.training.evaluation import EpochRecord
from isingprop.util.plot_axes import COLOURS, log_ticks, set_log_ticks, set_percent

_INCHES = (9, 4.4)
_DOTS_PER_INCH = 150
_MAX_NAME = 60  # letters of the name of the user's own data
_ORANGE, _BLUE, _GREEN, _PINK, *_ = COLOURS


def history_png(history: list[EpochRecord], settings: RunSettings) -> bytes:
    """Returns the plot of a run as the content of a PNG file."""
    file = io.BytesIO()
    history_figure(history, settings).savefig(file, format="png", dpi=_DOTS_PER_INCH)
    return file.getvalue()


def history_figure(history: list[EpochRecord], settings: RunSettings) -> Any:
    """Returns the plot of a run as a matplotlib Figure."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=_INCHES, layout="constrained")
    errors, accuracy = figure.subplots(1, 2, sharex=True)
    figure.suptitle(_title(settings), fontsize=11, wrap=True)
    _plot_errors(errors, history)
    _plot_accuracy(accuracy, history)
    for axes in (errors, accuracy):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _title(settings: RunSettings) -> str:
    """Returns what was trained how, on what, in two lines."""
    name = settings.data_name
    name = name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"
    name = name.replace("$", r"\$")  # which would begin a formula
    count = "" if settings.num_train is None else f", {settings.num_train:,} training images"

    # Class states are the lowest of each class, and take the place of sampled ones.
    sampled = f"m = {settings.num_states}, sampler {settings.sampler}"
    rule = "equilibrium propagation" if settings.num_states == 1 else "dragon training"
    how = "training on class states" if settings.sampler == CLASS_STATES else f"{rule}, {sampled}"

    hidden = " + ".join(str(size) for size in settings.hidden)
    margin = f", margin {settings.margin:g}" if settings.margin else ""
    return (
        f"{name}{count}: {how}\n{hidden} hidden spins, {settings.optimizer} with learning rate "
        f"{settings.learning_rate:g}{margin}, seed {settings.seed}"
    )


def _plot_errors(axes: Any, history: list[EpochRecord]) -> None:
    epochs = [record.epoch for record in history]
    reads = [record.train_error_reads for record in history]
    lowest = [record.train_error_lowest for record in history]
    if reads != lowest:  # one read of each image is the lowest, too
        axes.plot(epochs, reads, "o-", markersize=3, color=_ORANGE, label="all reads")
        axes.plot(epochs, lowest, "s-", markersize=3, color=_BLUE, label="lowest read")
    else:
        axes.plot(epochs, reads, "o-", markersize=3, color=_ORANGE)

    cycles = [record.wrong_cycles for record in history]
    if cycles[-1] is not None:
        # This line is wide and pale: with one cycle per read it may lie under that of all reads.
        style = {"color": _PINK, "alpha": 0.4, "linewidth": 6, "zorder": 1}
        axes.plot(epochs, cycles, label="cycles that end in a wrong class", **style)

    _set_error_axis(axes, [error for error in reads + lowest + cycles if error is not None])
    axes.set(xlabel="epoch", ylabel="training error")
    axes.set_title("training error, during each epoch", fontsize=10, loc="left")
    if axes.get_legend_handles_labels()[0]:
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16)}
        axes.legend(ncols=2, fontsize=9, frameon=False, **place)


def _set_error_axis(axes: Any, errors: list[float]) -> None:
    """Makes the axis of errors logarithmic, if any is 0 with a place for it."""
    positive = [error for error in errors if error > 0]
    if len(positive) == len(errors):
        axes.set_yscale("log")
        set_log_ticks(axes.yaxis, 100, " %")
        return

    smallest, largest = min(positive, default=0.5), max(positive, default=1.0)
    axes.set_yscale("symlog", linthresh=smallest, linscale=0.3)
    axes.set_ylim(bottom=0)
    ticks = [0.0, *log_ticks(smallest, max(largest, 2 * smallest))]
    axes.set_yticks(ticks, [f"{100 * tick:.4g} %" for tick in ticks])


def _plot_accuracy(axes: Any, history: list[EpochRecord]) -> None:
    epochs = [record.epoch for record in history]
    tested = [record.test_accuracy for record in history]
    axes.plot(epochs, tested, "o-", markersize=3, color=_GREEN)
    axes.set(xlabel="epoch", ylabel="test accuracy")
    title = f"test accuracy, after the last epoch {100 * tested[-1]:.1f} %"
    axes.set_title(title, fontsize=10, loc="left")
    set_percent(axes.yaxis)
