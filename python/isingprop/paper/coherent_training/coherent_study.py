"""The study of coherent training, proposed in Section V of arXiv:2506.05244 without numbers.

It asks whether training only on wrong states, found by amplitude amplification, doubles the scaling
exponent z. The study has four parts: (a) applications of the anneal U until a wrong state is seen,
(b) training error against epochs, (c) success against annealing time, and (d) training error
against applications.

Jobs: `Training` for each method and learning rate, to choose the rates; then for each seed one
`CoherentTraining` for each method, one `Search` and one `AnnealingTimes`.

Files: coherent.csv (a row for each method, seed and epoch), coherent_search.csv (an instance),
coherent_times.csv (an annealing time), coherent.json, coherent.md, coherent.png and coherent.svg.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.analysis.scaling import Interval, interval_of, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.coherent_training.coherent_curves import KINDS, Comparison, Outcome, windows_of
from isingprop.paper.coherent_training.coherent_jobs import (
    PAIRS,
    CoherentTraining,
    few_classes,
    methods_of,
    sizes_of,
)
from isingprop.paper.coherent_training.coherent_plot import plot
from isingprop.paper.coherent_training.coherent_report import TARGETS, report
from isingprop.paper.coherent_training.coherent_search import (
    STRATEGIES,
    Search,
    Searches,
    is_fitted,
)
from isingprop.paper.coherent_training.coherent_times import SCALES, AnnealingTimes, Times
from isingprop.paper.common.jobs import Job, Runner
from isingprop.paper.common.rates import Trials, choose_rates
from isingprop.paper.common.study_setup import Setup, described
from isingprop.paper.common.text import finite


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: the trials of all rates, then those of all seeds."""
    sizes = sizes_of(setup)
    num_methods = len(methods_of(sizes))
    return num_methods * len(sizes.rates) + (num_methods + 2) * setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Trains and searches, writes all files, and returns the contents of coherent.json."""
    start = perf_counter()
    images, sizes = few_classes(setup), sizes_of(setup)
    trials = choose_rates(
        setup, runner, images, methods_of(sizes), rates=sizes.rates, epochs=sizes.trial_epochs
    )
    searches, outcomes, times = _run_jobs(setup, runner, images, trials)

    numbers = {
        **_numbers(searches, outcomes, times),
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
    shown = (
        f"Coherent training of {sizes.num_spins} spins, anneals of time {sizes.total_time:g} in "
        "(b) and (d); means over seeds, bars: standard error"
    )
    setup.write_picture("coherent", plot(searches, outcomes, times), shown, described(images))
    text = report(setup, images, searches, outcomes, times, trials)
    setup.write_report("coherent", text, papers=None)
    return numbers


def _run_jobs(
    setup: Setup, runner: Runner, images: ImageSet, trials: Trials
) -> tuple[Searches, dict[str, Outcome], Times]:
    """Runs the jobs of all seeds and sorts their results by part of the study."""
    sizes = sizes_of(setup)
    methods = methods_of(sizes)
    jobs: dict[tuple[str, int], Job] = {}
    for seed in setup.seeds:
        jobs["search", seed] = Search(sizes, seed)
        jobs["times", seed] = AnnealingTimes(sizes, seed)
        for name, method in methods.items():
            jobs[name, seed] = CoherentTraining(method, trials.best[name], sizes.epochs, seed)

    results = dict(zip(jobs, runner.run(list(jobs.values()), images, "coherent"), strict=True))
    by_kind = {
        kind: [results[kind, seed] for seed in setup.seeds]
        for kind in (*methods, "search", "times")
    }

    outcomes = {
        name: Outcome.of(method, trials.best[name], by_kind[name])
        for name, method in methods.items()
    }
    return Searches(by_kind["search"]), outcomes, Times.of(sizes, by_kind["times"])


def _numbers(searches: Searches, outcomes: Mapping[str, Outcome], times: Times) -> dict[str, Any]:
    """Returns the results of all parts for JSON."""
    return {
        "search": _search_numbers(searches),
        "methods": {name: _method_numbers(outcome) for name, outcome in outcomes.items()},
        "comparisons": {
            name: _comparison_numbers(outcomes, name, plain) for name, plain in PAIRS.items()
        },
        "times": _time_numbers(times),
    }


def _interval(value: Interval) -> list[float | None]:
    return [finite(each) for each in value]


def _search_numbers(searches: Searches) -> dict[str, Any]:
    return {
        "exponents": {name: _interval(searches.exponent(name)) for name in STRATEGIES},
        "instances": [len(result["amplitude"]) for result in searches.seeds],
        "fitted": [int(is_fitted(result).sum()) for result in searches.seeds],
        "largest_difference": searches.largest_difference(),
    }


def _method_numbers(outcome: Outcome) -> dict[str, Any]:
    windows = windows_of(outcome.error.shape[1])
    z = {
        kind: {
            window: _interval(interval_of(outcome.exponents(kind, window))) for window in windows
        }
        for kind in KINDS
    }

    numbers: dict[str, Any] = {
        "learning_rate": outcome.learning_rate,
        "train_error": float(outcome.error[:, -1].mean()),
        "train_error_se": finite(standard_error(outcome.error[:, -1])),
        "test_accuracy": float(outcome.test_accuracy.mean()),
        "z": z,
    }

    if outcome.has_applications:
        numbers["z_applications"] = _interval(interval_of(outcome.exponents_of_applications()))
        numbers["applications"] = float(outcome.cumulative_applications[:, -1].mean())
        numbers["applications_to"] = {
            f"{error:g}": finite(outcome.applications_to(error)) for error in TARGETS
        }
    return numbers


def _comparison_numbers(outcomes: Mapping[str, Outcome], name: str, plain: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {"plain": plain}
    for kind, window in product(KINDS, windows_of(outcomes[name].error.shape[1])):
        comparison = Comparison.of(outcomes[name], outcomes[plain], kind, window)
        of_kind = numbers.setdefault(kind, {})
        of_kind[window] = {key: _interval(value) for key, value in comparison._asdict().items()}
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
    """Yields the rows of coherent.csv."""
    for name, outcome in outcomes.items():
        used = outcome.cumulative_applications

        for row, seed in enumerate(setup.seeds):
            for k in range(outcome.error.shape[1]):
                yield {
                    "method": name,
                    "learning_rate": outcome.learning_rate,
                    "seed": seed,
                    "epoch": k + 1,
                    "error": float(outcome.error[row, k]),
                    "error_reads": float(outcome.error_reads[row, k]),
                    "applications": int(used[row, k]) if outcome.has_applications else "",
                }


def _search_rows(setup: Setup, searches: Searches) -> Iterator[dict[str, Any]]:
    """Yields the rows of coherent_search.csv, for each seed by ascending |A|."""
    for seed, result in zip(setup.seeds, searches.seeds, strict=True):
        for k in np.argsort(result["amplitude"]):
            yield {"seed": seed, **{name: float(values[k]) for name, values in result.items()}}


def _time_rows(setup: Setup, times: Times) -> Iterator[dict[str, Any]]:
    """Yields the rows of coherent_times.csv."""
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
