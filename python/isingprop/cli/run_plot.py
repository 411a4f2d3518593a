"""The plot of a run, training.png: training errors and test accuracy against epoch."""

from __future__ import annotations

import io
import math
from typing import Any

from isingprop.cli.run_settings import RunSettings
from isingprop.training.evaluation import EpochRecord

_INCHES = (9, 3.8)
_DOTS_PER_INCH = 150


def history_png(history: list[EpochRecord], settings: RunSettings) -> bytes:
    """Returns the plot of a run as the content of a PNG file."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=_INCHES, layout="constrained")
    errors, accuracy = figure.subplots(1, 2)
    figure.suptitle(_title(settings))
    _plot_errors(errors, history)
    _plot_accuracy(accuracy, history)
    for axes in (errors, accuracy):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DOTS_PER_INCH)
    return file.getvalue()


def _title(settings: RunSettings) -> str:
    dragon = f"dragon training, m = {settings.num_states}"
    rule = "equilibrium propagation" if settings.num_states == 1 else dragon
    hidden = " + ".join(str(size) for size in settings.hidden)
    name = settings.data_name.replace("$", r"\$")  # which would begin a formula
    return f"{name}: {rule}, {hidden} hidden spins, seed {settings.seed}"


def _plot_errors(axes: Any, history: list[EpochRecord]) -> None:
    epochs = [record.epoch for record in history]
    reads = [record.train_error_reads for record in history]
    lowest = [record.train_error_lowest for record in history]
    axes.plot(epochs, reads, "o-", markersize=3, label="all reads")
    axes.plot(epochs, lowest, "s-", markersize=3, label="lowest read")

    # A logarithmic axis cannot show an error of 0, so it is linear below the smallest other error.
    smallest = min([error for error in reads + lowest if error > 0], default=1.0)
    axes.set_yscale("symlog", linthresh=smallest, linscale=0.3)
    axes.set_yticks([0.0, *(10.0**k for k in range(math.ceil(math.log10(smallest)), 1))])
    axes.set_ylim(bottom=0)
    axes.set(xlabel="epoch", ylabel="training error")

    cycles = [record.wrong_cycles for record in history]
    if cycles[-1] is not None:
        # This line is wide and pale: with one cycle per read it may lie under that of all reads.
        style = {"color": "tab:red", "alpha": 0.3, "linewidth": 6}
        axes.plot(epochs, cycles, label="cycles that end in a\nwrong class", **style)
    axes.legend(loc="upper right")  # the search for the best place takes long on a busy machine


def _plot_accuracy(axes: Any, history: list[EpochRecord]) -> None:
    from matplotlib.ticker import PercentFormatter

    epochs = [record.epoch for record in history]
    tested = [record.test_accuracy for record in history]
    axes.plot(epochs, tested, "o-", markersize=3, color="tab:green")
    axes.set(xlabel="epoch", ylabel="test accuracy", title=f"last {tested[-1]:.1%}")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
