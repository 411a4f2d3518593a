"""Fig. 4: training error after the first epoch against the number of states m."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, mean_interval, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.jobs import Arrays, Runner
from isingprop.paper.common.methods import DRAGON, NUM_SWEEPS
from isingprop.paper.common.study_setup import COLOURS, Setup
from isingprop.paper.common.text import (
    bullets,
    finite,
    interval_of_percent,
    percent_with_error,
    table,
)

_NUM_STATES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 50, 70, 100)
_QUICK_NUM_STATES = (1, 3, 10, 30)
_RATE = 0.001  # the house's own
_RATES = (0.0003, _RATE, 0.003)  # where the error falls fastest, and half a decade on either side
_NUM_CLASSES = 10  # m_0 of the paper
_KINDS = {
    "error": "after the epoch, lowest of 10 states",
    "error_reads": "during the epoch, all states",
    "error_lowest": "during the epoch, lowest state",
}


@dataclass(frozen=True)
class FirstEpoch:
    """Trains a network for one epoch with each number of states, from the same parameters in the same order."""

    learning_rate: float
    seed: int
    num_states: tuple[int, ...]

    def run(self, images: ImageSet) -> Arrays:
        """For each number of states error_reads and error_lowest during the epoch, and error after it."""
        rows = []
        for num_states in self.num_states:
            trainer = replace(DRAGON, num_states=num_states).trainer(
                images, self.learning_rate, self.seed
            )
            record = trainer.train_epoch(images.train_images, images.train_labels)
            after = trainer.evaluate(images.train_images, images.train_labels)
            rows.append((1 - after.accuracy, record.train_error_reads, record.train_error_lowest))
        return dict(zip(_KINDS, np.array(rows).T, strict=True))


Errors = dict[str, NDArray[np.float64]]  # of each kind, (seeds, numbers of states)


def number_of_jobs(setup: Setup) -> int:
    """One for each rate and seed."""
    return len(_RATES) * setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Trains, writes fig4.csv, .json, .png, .svg and .md; returns what the JSON file has."""
    start = perf_counter()
    images = setup.load_data()
    num_states = _QUICK_NUM_STATES if setup.quick else _NUM_STATES
    grid = [(rate, seed) for rate in _RATES for seed in setup.seeds]
    results = dict(
        zip(
            grid,
            runner.run([FirstEpoch(*each, num_states) for each in grid], images, "fig4"),
            strict=True,
        )
    )
    errors: dict[float, Errors] = {
        rate: {
            kind: np.stack([results[rate, seed][kind] for seed in setup.seeds]) for kind in _KINDS
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
    setup.write_picture("fig4", _draw(num_states, errors))
    setup.write_report("fig4", _report(setup, images, num_states, errors))
    return numbers


def _rows(
    setup: Setup, num_states: tuple[int, ...], errors: dict[float, Errors]
) -> Iterator[dict[str, Any]]:
    for rate, kinds in errors.items():
        for row, seed in enumerate(setup.seeds):
            for column, m in enumerate(num_states):
                values = {kind: float(array[row, column]) for kind, array in kinds.items()}
                yield {"learning_rate": rate, "seed": seed, "m": m, **values}


def _draw(num_states: tuple[int, ...], errors: dict[float, Errors]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    ticks = [m for m in (1, 3, 10, 30, 100) if m in num_states]
    for axes, kind, title in zip(panels, ("error", "error_reads"), "ab", strict=True):
        for colour, marker, (rate, kinds) in zip(COLOURS, "os^", errors.items(), strict=False):
            bars = [standard_error(column) for column in kinds[kind].T]
            style = {
                "color": colour,
                "marker": marker,
                "markersize": 4,
                "linewidth": 1,
                "capsize": 2,
            }
            axes.errorbar(
                num_states, kinds[kind].mean(axis=0), bars, label=f"rate {rate:g}", **style
            )
        axes.axvline(
            _NUM_CLASSES,
            color="0.4",
            linestyle="--",
            linewidth=1,
            label="m = 10, the number of classes",
        )
        axes.set(xscale="log", xlabel="states per image, m", ylabel="training error")
        axes.set_title(f"({title}) {_KINDS[kind]}", loc="left")
        axes.set_xticks(ticks, [str(m) for m in ticks])
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.yaxis.set_tick_params(labelleft=True)
        axes.grid(alpha=0.25)
    panels[0].set_ylim(bottom=0)
    handles, labels = panels[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _slopes(
    num_states: tuple[int, ...], values: NDArray[np.float64], few: bool
) -> NDArray[np.float64]:
    """The change of the error with a tenfold m, by least squares for each seed: up to m = 10, or from there on."""
    m = np.array(num_states)
    part = m <= _NUM_CLASSES if few else m >= _NUM_CLASSES
    return np.array([np.polyfit(np.log10(m[part]), row[part], 1)[0] for row in values])


def _report(
    setup: Setup, images: ImageSet, num_states: tuple[int, ...], errors: dict[float, Errors]
) -> str:
    shown = [column for column, m in enumerate(num_states) if m in (1, 3, 10, 30, 100)]
    rows = []
    for rate, kinds in errors.items():
        for kind in _KINDS:
            columns = kinds[kind].T[shown]
            cells = [
                percent_with_error(float(column.mean()), standard_error(column))
                for column in columns
            ]
            slopes = [
                interval_of_percent(mean_interval(_slopes(num_states, kinds[kind], few)))
                for few in (True, False)
            ]
            rows.append([f"{rate:g}", _KINDS[kind], *cells, *slopes])
    header = [
        "rate",
        "error",
        *(f"m = {num_states[column]}" for column in shown),
        "× 10 below m = 10",
        "× 10 above",
    ]
    choices = [
        f"Data: {images.name}, {len(images.train_labels)} training images; {setup.num_seeds} seeds; ± is the standard "
        "error over seeds, brackets are Student's 95 % interval.",
        f"Simulated annealing, {NUM_SWEEPS} sweeps and a descent; the same initial parameters and order of images for "
        "every m of a seed; one rate for all parameters, and the same for every m.",
        "× 10: the change of the error in points where m grows tenfold, the slope of a straight line in log m.",
        "After the epoch: the network as it is then, by the lowest of 10 states of each training image. During: the "
        "states that were learned from, each before its own update. The paper says training error during the first "
        "epoch.",
    ]
    return (
        "\n\n".join(
            [
                "# Fig. 4: training error after the first epoch against m",
                "The paper: the error falls clearly up to m = 10, the number of classes, and no more beyond; the "
                "authors take this as a sign of one basin for each class.",
                "## Here",
                table(header, rows),
                bullets(_findings(num_states, errors, setup.is_papers)),
                "## Choices",
                bullets(choices),
            ]
        )
        + "\n"
    )


def _findings(
    num_states: tuple[int, ...], errors: dict[float, Errors], is_papers: bool
) -> Iterator[str]:
    seen = 0
    for rate, kinds in errors.items():
        for kind in _KINDS:
            below, above = (
                mean_interval(_slopes(num_states, kinds[kind], few)) for few in (True, False)
            )
            verdict = ""
            if below.high < 0:
                verdict = (
                    ": it goes on falling" if above.high < 0 else ": no fall is left to be seen"
                )
                seen += above.high >= 0
            yield (
                f"Rate {rate:g}, {_KINDS[kind]}: a tenfold m changes the error by {_change(below)} up to m = 10 and "
                f"by {_change(above)} beyond{verdict}."
            )
    told = "A fall up to m = 10 and none to be seen beyond"
    paper = ", as in the paper," if is_papers else ""
    yield f"{told}{paper} is what {seen} of {len(errors) * len(_KINDS)} measures show."
    yield "Of more states the lowest is lower, so the error of the lowest state falls with m whatever the network."


def _change(slope: Interval) -> str:
    verdict = "no more than chance may"
    if math.isnan(slope.low):
        verdict = "one seed: no error bar"
    elif slope.high < 0:
        verdict = "a fall"
    elif slope.low > 0:
        verdict = "a rise"
    return f"{interval_of_percent(slope)} points ({verdict})"
