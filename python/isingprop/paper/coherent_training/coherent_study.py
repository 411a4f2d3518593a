"""A study of coherent training: wrong states by amplitude amplification, and what they do for learning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.analysis.scaling import Interval, interval_of, standard_error
from isingprop.paper.coherent_training.coherent_curves import KINDS, Comparison, Outcome, windows_of
from isingprop.paper.coherent_training.coherent_jobs import (
    PAIRS,
    CoherentTraining,
    few_classes,
    methods_of,
    sizes_of,
)
from isingprop.paper.coherent_training.coherent_plot import draw
from isingprop.paper.coherent_training.coherent_report import TARGETS, report
from isingprop.paper.coherent_training.coherent_search import WAYS, Search, Searches, fitted
from isingprop.paper.coherent_training.coherent_times import SCALES, AnnealingTimes, Times
from isingprop.paper.common.jobs import Job, Runner
from isingprop.paper.common.rates import choose_rates
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import finite


def number_of_jobs(setup: Setup) -> int:
    """Trials of each method at each rate; then for each seed a run of each, a search and a series of times."""
    sizes = sizes_of(setup)
    num_methods = len(methods_of(sizes))
    return num_methods * len(sizes.rates) + (num_methods + 2) * setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Trains and searches, writes coherent.csv, .json, .png, .svg and .md; returns what the JSON file has.

    Beside them coherent_search.csv and coherent_times.csv.
    """
    start = perf_counter()
    images, sizes = few_classes(setup), sizes_of(setup)
    methods = methods_of(sizes)
    trials = choose_rates(
        setup, runner, images, methods, rates=sizes.rates, epochs=sizes.trial_epochs
    )
    jobs: dict[tuple[str, int], Job] = {}
    for seed in setup.seeds:
        jobs["search", seed] = Search(sizes, seed)
        jobs["times", seed] = AnnealingTimes(sizes, seed)
        for name, method in methods.items():
            jobs[name, seed] = CoherentTraining(method, trials.best[name], sizes.epochs, seed)
    results = dict(zip(jobs, runner.run(list(jobs.values()), images, "coherent"), strict=True))
    found = {
        kind: [results[kind, seed] for seed in setup.seeds]
        for kind in (*methods, "search", "times")
    }
    searches, times = Searches(found["search"]), Times.of(sizes, found["times"])
    outcomes = {
        name: Outcome.of(method, trials.best[name], found[name]) for name, method in methods.items()
    }
    numbers = {
        "search": _search_numbers(searches),
        "methods": {name: _method_numbers(own) for name, own in outcomes.items()},
        "comparisons": {
            name: _comparison_numbers(outcomes, name, plain) for name, plain in PAIRS.items()
        },
        "times": _time_numbers(times),
        **setup.facts(images),
        "num_spins": sizes.num_spins,
        "total_time": sizes.total_time,
        "epochs": sizes.epochs,
        "seconds": perf_counter() - start,
    }
    setup.write_csv("coherent", list(_rows(setup, outcomes)))
    setup.write_csv("coherent_search", list(_search_rows(setup, searches)))
    setup.write_csv("coherent_times", list(_time_rows(setup, times)))
    setup.write_json("coherent", numbers)
    setup.write_picture("coherent", draw(searches, outcomes, times))
    text = report(setup, images, searches, outcomes, times, trials)
    setup.write_report("coherent", text, papers=None)
    return numbers


def _interval(value: Interval) -> list[float | None]:
    return [finite(each) for each in value]


def _search_numbers(searches: Searches) -> dict[str, Any]:
    return {
        "exponents": {way: _interval(searches.exponent(way)) for way in WAYS},
        "instances": [len(own["amplitude"]) for own in searches.seeds],
        "fitted": [int(fitted(own).sum()) for own in searches.seeds],
        "largest_difference": searches.largest_difference(),
    }


def _method_numbers(own: Outcome) -> dict[str, Any]:
    windows = windows_of(own.error.shape[1])
    z = {
        kind: {window: _interval(interval_of(own.exponents(kind, window))) for window in windows}
        for kind in KINDS
    }
    numbers: dict[str, Any] = {
        "learning_rate": own.learning_rate,
        "train_error": float(own.error[:, -1].mean()),
        "train_error_se": finite(standard_error(own.error[:, -1])),
        "test_accuracy": float(own.test_accuracy.mean()),
        "z": z,
    }
    if own.has_applications:
        numbers["z_applications"] = _interval(interval_of(own.exponents_of_applications()))
        numbers["applications"] = float(own.used[:, -1].mean())
        numbers["applications_to"] = {
            f"{error:g}": finite(own.applications_to(error)) for error in TARGETS
        }
    return numbers


def _comparison_numbers(outcomes: Mapping[str, Outcome], name: str, plain: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {"plain": plain}
    for kind, window in product(KINDS, windows_of(outcomes[name].error.shape[1])):
        found = Comparison.of(outcomes[name], outcomes[plain], kind, window)
        of_kind = numbers.setdefault(kind, {})
        of_kind[window] = {what: _interval(value) for what, value in found._asdict().items()}
    return numbers


def _time_numbers(times: Times) -> dict[str, Any]:
    return {
        "epochs": list(times.epochs),
        "total_times": list(times.total_times),
        "rescale": list(SCALES),
        "ground": times.ground.mean(axis=0).tolist(),
        "right": times.right.mean(axis=0).tolist(),
        "wrong_ground": times.wrong_ground.mean(axis=0).tolist(),
        "largest_local_field": times.field.mean(axis=0).tolist(),
    }


def _rows(setup: Setup, outcomes: Mapping[str, Outcome]) -> Iterator[dict[str, Any]]:
    for name, own in outcomes.items():
        for row, seed in enumerate(setup.seeds):
            for k in range(own.error.shape[1]):
                yield {
                    "method": name,
                    "learning_rate": own.learning_rate,
                    "seed": seed,
                    "epoch": k + 1,
                    "error": float(own.error[row, k]),
                    "error_reads": float(own.error_reads[row, k]),
                    "applications": int(own.used[row, k]) if own.has_applications else "",
                }


def _search_rows(setup: Setup, searches: Searches) -> Iterator[dict[str, Any]]:
    for seed, own in zip(setup.seeds, searches.seeds, strict=True):
        for k in np.argsort(own["amplitude"]):
            yield {"seed": seed, **{name: float(values[k]) for name, values in own.items()}}


def _time_rows(setup: Setup, times: Times) -> Iterator[dict[str, Any]]:
    for row, seed in enumerate(setup.seeds):
        for index in np.ndindex(times.ground.shape[1:]):
            epoch, scale, column = index
            yield {
                "seed": seed,
                "epoch": times.epochs[epoch],
                "rescale": SCALES[scale],
                "total_time": times.total_times[column],
                "ground": float(times.ground[row, *index]),
                "right": float(times.right[row, *index]),
            }
