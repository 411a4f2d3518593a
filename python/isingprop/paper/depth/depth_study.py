"""Compares one, two and three hidden layers, sampled two layers at a time or all at once.

The study carries out the proposal of Section VI of the paper (arXiv:2506.05244), which has no
numbers for deep networks.

Jobs: short `Training` trials of every network at every learning rate, and then a `LayeredTraining`
of every network at its best rate for each seed.

Writes deep.csv, deep.json and deep.md, and the picture deep as PNG and SVG.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.analysis.scaling import standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.rates import Trials, choose_rates
from isingprop.paper.common.study_setup import Setup, described
from isingprop.paper.common.text import finite
from isingprop.paper.depth.depth_jobs import (
    NUM_LATE,
    LayeredTraining,
    Outcome,
    num_tested,
    variants,
)
from isingprop.paper.depth.depth_plot import plot
from isingprop.paper.depth.depth_report import report

_RATES = (0.0005, 0.001, 0.002)
_QUICK_RATES = (0.002, 0.01)  # a few epochs on a few images need larger rates


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: for each network one at each rate, and one for each seed."""
    return len(variants(setup)) * (len(_rates(setup)) + setup.num_seeds)


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Runs the jobs and writes all files of the study; returns what the JSON file has."""
    start = perf_counter()
    images, methods = setup.load_data(), variants(setup)
    epochs = 3 if setup.quick else 25

    trials = choose_rates(setup, runner, images, methods, rates=_rates(setup), epochs=epochs)
    outcomes = _train(setup, runner, images, trials)

    numbers = {
        "variants": {name: _numbers(own) for name, own in outcomes.items()},
        **setup.facts(images),
        "num_tested": num_tested(images),
        "epochs": epochs,
        "seconds": perf_counter() - start,
    }

    setup.write_csv("deep", list(_rows(setup, outcomes)))
    setup.write_json("deep", numbers)
    shown = "Networks of different depth: test accuracy; means over seeds, bars: standard error"
    setup.write_picture("deep", plot(outcomes), shown, described(images))
    setup.write_report("deep", report(setup, images, outcomes, trials))
    return numbers


def _train(setup: Setup, runner: Runner, images: ImageSet, trials: Trials) -> dict[str, Outcome]:
    """Trains each network with each seed at its best rate."""
    methods = variants(setup)
    # The deepest network takes longest, so it starts first.
    grid = [(name, seed) for name in reversed(methods) for seed in setup.seeds]
    jobs = [
        LayeredTraining(methods[name], trials.best[name], trials.epochs, seed)
        for name, seed in grid
    ]
    results = dict(zip(grid, runner.run(jobs, images, "deep"), strict=True))

    outcomes = {}
    for name, method in methods.items():
        own = [results[name, seed] for seed in setup.seeds]
        stacked = {key: np.stack([each[key] for each in own]) for key in own[0]}
        outcomes[name] = Outcome(method, trials.best[name], **stacked)
    return outcomes


def _rates(setup: Setup) -> tuple[float, ...]:
    return _QUICK_RATES if setup.quick else _RATES


def _numbers(own: Outcome) -> dict[str, Any]:
    """Returns the entries of one network in the JSON file."""
    late_key = f"test_accuracy_last_{NUM_LATE}"

    return {
        "hidden": list(own.method.hidden),
        "active_layers": own.method.active_layers,
        "margin": float(own.margin[0]),
        "learning_rate": own.learning_rate,
        "test_accuracy": float(own.last.mean()),
        "test_accuracy_se": finite(standard_error(own.last)),
        late_key: float(own.late.mean()),
        f"{late_key}_se": finite(standard_error(own.late)),
        "train_error": float(own.error_lowest[:, -1].mean()),
        "train_error_reads": float(own.error_reads[:, -1].mean()),
        "seconds_per_epoch": own.seconds_per_epoch,
        "largest_problem": int(own.largest_problem.max()),
    }


def _rows(setup: Setup, outcomes: dict[str, Outcome]) -> Iterator[dict[str, Any]]:
    """Yields the rows of deep.csv."""
    for name, own in outcomes.items():
        for row, seed in enumerate(setup.seeds):
            for k in range(own.test_accuracy.shape[1]):
                where = {"variant": name, "learning_rate": own.learning_rate, "seed": seed}
                yield {
                    **where,
                    "epoch": k + 1,
                    "test_accuracy": float(own.test_accuracy[row, k]),
                    "error_reads": float(own.error_reads[row, k]),
                    "error_lowest": float(own.error_lowest[row, k]),
                }
