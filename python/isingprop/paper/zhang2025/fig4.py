"""Fig. 4 of the paper: training error after the first epoch against the number of states m.

Jobs: `FirstEpoch` for each learning rate and seed, which trains once with each number of states.

Writes fig4.csv, fig4.json and fig4.md, and the picture fig4 as PNG and SVG.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.analysis.scaling import standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.jobs import Arrays, Runner
from isingprop.paper.common.methods import DRAGON
from isingprop.paper.common.study_setup import Setup, described
from isingprop.paper.common.text import finite
from isingprop.paper.zhang2025.fig4_report import KINDS, NUM_CLASSES, SHOWN_STATES, Errors, report
from isingprop.util.plot_axes import COLOURS, move_beside, set_percent

_NUM_STATES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 50, 70, 100)
_QUICK_NUM_STATES = (1, 3, 10, 30)
_RATE = 0.001  # the default of Trainer; the numbers of the JSON file are for this rate
# The rate at which the error falls fastest, and half a decade on either side of it.
_RATES = (0.0003, _RATE, 0.003)


@dataclass(frozen=True)
class FirstEpoch:
    """A job that trains for one epoch with each number of states.

    All networks start from the same parameters and see the images in the same order.
    """

    learning_rate: float
    seed: int
    num_states: tuple[int, ...]

    def run(self, images: ImageSet) -> Arrays:
        """Trains the networks.

        Returns:
            One value for each number of states: error_reads and error_lowest, the errors during the
            epoch, and error, that of the network after it.
        """
        rows = []
        for num_states in self.num_states:
            trainer = replace(DRAGON, num_states=num_states).trainer(
                images, self.learning_rate, self.seed
            )
            record = trainer.train_epoch(images.train_images, images.train_labels)
            after = trainer.evaluate(images.train_images, images.train_labels)
            rows.append((1 - after.accuracy, record.train_error_reads, record.train_error_lowest))
        return dict(zip(KINDS, np.array(rows).T, strict=True))


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: one for each rate and seed."""
    return len(_RATES) * setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Runs the jobs and writes all files of the study; returns what the JSON file has."""
    start = perf_counter()
    images = setup.load_data()
    num_states = _QUICK_NUM_STATES if setup.quick else _NUM_STATES

    grid = [(rate, seed) for rate in _RATES for seed in setup.seeds]
    jobs = [FirstEpoch(rate, seed, num_states) for rate, seed in grid]
    results = dict(zip(grid, runner.run(jobs, images, "fig4"), strict=True))
    errors: dict[float, Errors] = {
        rate: {
            kind: np.stack([results[rate, seed][kind] for seed in setup.seeds]) for kind in KINDS
        }
        for rate in _RATES
    }

    numbers: dict[str, Any] = {"m": list(num_states), "learning_rate": _RATE}
    for kind, values in errors[_RATE].items():
        numbers[kind] = values.mean(axis=0).tolist()
        numbers[f"{kind}_se"] = [finite(standard_error(column)) for column in values.T]
    numbers |= setup.facts(images) | {"seconds": perf_counter() - start}

    setup.write_csv("fig4", list(_rows(setup, num_states, errors)))
    setup.write_json("fig4", numbers)
    shown = (
        "Dragon training: error of the first epoch against the number of states; means, bars: "
        "standard error over seeds"
    )
    setup.write_picture("fig4", plot(num_states, errors), shown, described(images))
    setup.write_report("fig4", report(setup, images, num_states, errors))
    return numbers


def _rows(
    setup: Setup, num_states: tuple[int, ...], errors: dict[float, Errors]
) -> Iterator[dict[str, Any]]:
    """Yields the rows of fig4.csv."""
    for rate, kinds in errors.items():
        for row, seed in enumerate(setup.seeds):
            for column, m in enumerate(num_states):
                values = {kind: float(array[row, column]) for kind, array in kinds.items()}
                yield {"learning_rate": rate, "seed": seed, "m": m, **values}


def plot(num_states: tuple[int, ...], errors: dict[float, Errors]) -> Any:
    """Returns a figure of the error after the epoch and during it, with a line for each rate.

    Args:
        num_states: numbers of states m.
        errors: the errors of each rate and kind, (seeds, numbers of states).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)

    ticks = [m for m in SHOWN_STATES if m in num_states]
    for axes, kind, title in zip(panels, ("error", "error_reads"), "ab", strict=True):
        _plot_errors(axes, kind, num_states, errors)
        axes.set(xscale="log", xlabel="states per image, m", ylabel="training error")
        axes.set_title(f"({title}) {KINDS[kind]}", loc="left")
        axes.set_xticks(ticks, [str(m) for m in ticks])
        set_percent(axes.yaxis)
        axes.yaxis.set_tick_params(labelleft=True)
        axes.grid(alpha=0.25)

    panels[0].set_ylim(bottom=0)
    handles, labels = panels[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _plot_errors(
    axes: Any, kind: str, num_states: tuple[int, ...], errors: dict[float, Errors]
) -> None:
    """Plots means over seeds with standard errors, and a line at m = 10."""
    style: dict[str, Any] = {"markersize": 4, "linewidth": 1, "capsize": 2}
    for k, (rate, kinds) in enumerate(errors.items()):
        mean = kinds[kind].mean(axis=0)
        bars = [standard_error(column) for column in kinds[kind].T]
        label = f"learning rate {rate:g}"
        style |= {"color": COLOURS[k], "marker": "os^"[k]}
        move_beside(axes.errorbar(num_states, mean, bars, label=label, **style), k, len(errors))

    label = "m = 10, the number of classes"
    axes.axvline(NUM_CLASSES, color="0.4", linestyle="--", linewidth=1, label=label)
