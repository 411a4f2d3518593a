"""A study of depth: one, two and three hidden layers, sampled two layers at a time or all at once."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.analysis.scaling import standard_error
from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.rates import choose_rates
from isingprop.paper.common.study_setup import COLOURS, Setup
from isingprop.paper.common.text import finite
from isingprop.paper.depth.depth_jobs import (
    NUM_LATE,
    LayeredTraining,
    Outcome,
    num_tested,
    variants,
)
from isingprop.paper.depth.depth_report import report

_RATES = (0.0005, 0.001, 0.002)
_QUICK_RATES = (0.002, 0.01)  # a few epochs on a few images need more
_ORANGE, _BLUE, _GREEN, _PINK, _, _SKY, _BLACK = COLOURS
# A colour for each network of one hidden layer; of more, one for each way of sampling, and a line for each depth.
_ONE_LAYER = {_BLACK: "o", _GREEN: "s", _PINK: "D", _SKY: "v"}
_DEEP: dict[int, dict[str, str]] = {
    2: {"marker": "^", "linestyle": "-"},
    3: {"marker": "P", "linestyle": "-."},
}
_SPREAD = 0.13  # hidden layers between two points of the same depth


def number_of_jobs(setup: Setup) -> int:
    """Trials of each network at each rate, then one run for each seed."""
    return len(variants(setup)) * (len(_rates(setup)) + setup.num_seeds)


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Trains, writes deep.csv, .json, .png, .svg and .md; returns what the JSON file has."""
    start = perf_counter()
    images, methods = setup.load_data(), variants(setup)
    epochs = 3 if setup.quick else 25
    trials = choose_rates(setup, runner, images, methods, rates=_rates(setup), epochs=epochs)
    grid = [(name, seed) for name in reversed(methods) for seed in setup.seeds]  # the longest first
    jobs = [LayeredTraining(methods[name], trials.best[name], epochs, seed) for name, seed in grid]
    results = dict(zip(grid, runner.run(jobs, images, "deep"), strict=True))
    outcomes = {}
    for name, method in methods.items():
        own = [results[name, seed] for seed in setup.seeds]
        outcomes[name] = Outcome(
            method, trials.best[name], **{key: np.stack([r[key] for r in own]) for key in own[0]}
        )
    numbers = {
        "variants": {name: _numbers(own) for name, own in outcomes.items()},
        **setup.facts(images),
        "num_tested": num_tested(images),
        "epochs": epochs,
        "seconds": perf_counter() - start,
    }
    setup.write_csv("deep", list(_rows(setup, outcomes)))
    setup.write_json("deep", numbers)
    setup.write_picture("deep", _draw(outcomes))
    setup.write_report("deep", report(setup, images, outcomes, trials))
    return numbers


def _rates(setup: Setup) -> tuple[float, ...]:
    return _QUICK_RATES if setup.quick else _RATES


def _numbers(own: Outcome) -> dict[str, Any]:
    return {
        "hidden": list(own.method.hidden),
        "active_layers": own.method.active_layers,
        "margin": float(own.margin[0]),
        "learning_rate": own.learning_rate,
        "test_accuracy": float(own.last.mean()),
        "test_accuracy_se": finite(standard_error(own.last)),
        f"test_accuracy_last_{NUM_LATE}": float(own.late.mean()),
        f"test_accuracy_last_{NUM_LATE}_se": finite(standard_error(own.late)),
        "train_error": float(own.error_lowest[:, -1].mean()),
        "train_error_reads": float(own.error_reads[:, -1].mean()),
        "seconds_per_epoch": own.seconds_per_epoch,
        "largest_problem": int(own.largest_problem.max()),
    }


def _rows(setup: Setup, outcomes: dict[str, Outcome]) -> Iterator[dict[str, Any]]:
    for name, own in outcomes.items():
        for row, seed in enumerate(setup.seeds):
            for k in range(own.test_accuracy.shape[1]):
                yield {
                    "variant": name,
                    "learning_rate": own.learning_rate,
                    "seed": seed,
                    "epoch": k + 1,
                    "test_accuracy": float(own.test_accuracy[row, k]),
                    "error_reads": float(own.error_reads[row, k]),
                    "error_lowest": float(own.error_lowest[row, k]),
                }


def _draw(outcomes: dict[str, Outcome]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(9.5, 5.0), layout="constrained")
    course, ends = figure.subplots(1, 2, width_ratios=(1.25, 1))
    styles = iter(
        {"color": colour, "marker": marker, "linestyle": "--"}
        for colour, marker in _ONE_LAYER.items()
    )
    depths = [own.depth for own in outcomes.values()]
    places = {
        depth: iter(_SPREAD * (np.arange(depths.count(depth)) - (depths.count(depth) - 1) / 2))
        for depth in depths
    }
    for own in outcomes.values():
        colour = _BLUE if own.method.active_layers else _ORANGE
        style: dict[str, Any] = (
            next(styles) if own.depth == 1 else _DEEP[own.depth] | {"color": colour}
        )
        mean = own.test_accuracy.mean(axis=0)
        bars = np.array([standard_error(column) for column in own.test_accuracy.T])
        epochs = np.arange(1, len(mean) + 1)
        course.plot(epochs, mean, linewidth=1.2, markersize=4, label=own.method.title, **style)
        course.fill_between(
            epochs, mean - bars, mean + bars, color=style["color"], alpha=0.15, linewidth=0
        )
        where = own.depth + next(places[own.depth])
        ends.errorbar(
            where, own.late.mean(), standard_error(own.late), capsize=3, markersize=6, **style
        )
    num_late = min(NUM_LATE, len(mean))
    course.set(xlabel="epoch", ylabel="test accuracy")
    course.xaxis.set_major_locator(MaxNLocator(integer=True))
    course.set_title("(a) after each epoch", loc="left")
    ends.set(
        xlabel="hidden layers",
        ylabel="test accuracy",
        xlim=(0.5, max(depths) + 0.5),
        xticks=sorted(set(depths)),
    )
    ends.set_title(f"(b) mean over the last {num_late} epochs", loc="left")
    for axes in (course, ends):
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(alpha=0.25)
    figure.legend(
        *course.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=9,
    )
    return figure
