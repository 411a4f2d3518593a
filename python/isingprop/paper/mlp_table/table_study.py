"""Reproduces Tables 1 to 3 and Figs. 4, 14 and 15 of the MLP paper (arXiv:2303.12352).

Perceptrons are trained on 20 images of two classes, by backpropagation and by sampling.

Jobs: one `Search` for each seed and data set, to find the annealer's effective temperature; then
one `Trial` for each pair of classes, method of training (column) and trial.

Files: mlp-table.csv (a row for each pair, column and trial), mlp-table-curves.csv (a row for each
update of these), mlp-table.json, mlp-table.md, mlp-table.png and mlp-table.svg.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from time import perf_counter
from typing import Any

from isingprop.analysis.scaling import standard_error
from isingprop.paper.common.image_pairs import images_of_classes, num_hidden
from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import finite
from isingprop.paper.mlp_table.table_jobs import (
    BATCH_SIZE,
    GRID,
    LEARNING_RATE,
    NUM_IMAGES,
    NUM_READS,
    STAND_IN,
    UPDATES,
    Search,
    Trial,
    trial_seeds,
)
from isingprop.paper.mlp_table.table_outcomes import PASSED, Outcome, Outcomes, Searches
from isingprop.paper.mlp_table.table_plot import plot
from isingprop.paper.mlp_table.table_published import ANNEALER, COLUMNS, Pair, Published, published
from isingprop.paper.mlp_table.table_report import NO_FASHION, report
from isingprop.paper.mlp_table.table_sources import (
    Source,
    is_without_fashion,
    load_sources,
    num_tested,
    pairs_in,
)
from isingprop.util.messages import say


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: searches on each data set, and trials of each pair and column."""
    sources = _sources(setup)
    num_trials = len(pairs_in(setup, sources)) * len(trial_seeds(setup)) * len(COLUMNS)
    return len(sources) * setup.num_seeds + num_trials


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Trains, writes all files, and returns the contents of mlp-table.json."""
    start = perf_counter()
    sources = _sources(setup)
    if is_without_fashion(setup, sources):
        say(NO_FASHION)

    searches = _search(setup, runner, sources)
    outcomes = {
        pair: _train(setup, runner, sources[pair.data], pair, searches.best)
        for pair in pairs_in(setup, sources)
    }
    numbers = {
        "pairs": [
            _pair_numbers(pair, sources[pair.data], columns) for pair, columns in outcomes.items()
        ],
        "annealer": _search_numbers(searches),
        "data": {name: _source_numbers(source) for name, source in sources.items()},
        **_settings(setup),
        "seconds": perf_counter() - start,
    }

    setup.write_csv("mlp-table", list(_rows(setup, outcomes)))
    setup.write_csv("mlp-table-curves", list(_curve_rows(setup, outcomes)))
    setup.write_json("mlp-table", numbers)
    shown = (
        "Accuracy on pairs of classes: mean of successful trials, bands: standard error over them"
    )
    setup.write_picture("mlp-table", plot(outcomes), shown, " and ".join(sources))
    setup.write_report("mlp-table", report(setup, sources, outcomes, searches), papers=None)
    return numbers


@lru_cache(maxsize=1)  # number_of_jobs and reproduce both need them
def _sources(setup: Setup) -> dict[str, Source]:
    return load_sources(setup)


def _search(setup: Setup, runner: Runner, sources: Mapping[str, Source]) -> Searches:
    """Runs the searches for the annealer's temperature on the first pair of each data set."""
    first_pairs = {pair.data: pair for pair in reversed(pairs_in(setup, sources))}
    results = []
    for name, source in sources.items():
        classes = first_pairs[name].classes
        jobs = [Search(classes, num_hidden(setup), seed) for seed in setup.seeds]
        results += runner.run(
            jobs, images_of_classes(source.images, classes), f"mlp-table: beta, {name}"
        )
    return Searches.of(results)


def _train(
    setup: Setup, runner: Runner, source: Source, pair: Pair, beta_effective: float
) -> dict[str, Outcome]:
    """Runs the trials of one pair and returns its outcomes by column."""
    seeds, hidden = trial_seeds(setup), num_hidden(setup)
    jobs = [
        Trial(column, pair.classes, hidden, seed, beta_effective if column == ANNEALER else 1.0)
        for column in COLUMNS
        for seed in seeds
    ]

    results = runner.run(
        jobs, images_of_classes(source.images, pair.classes), f"mlp-table: {pair.title}"
    )
    figures = {} if setup.quick else published(pair)
    return {
        column: Outcome.of(results[k * len(seeds) : (k + 1) * len(seeds)], figures.get(column))
        for k, column in enumerate(COLUMNS)
    }


def _settings(setup: Setup) -> dict[str, Any]:
    """Returns the settings of the study for JSON."""
    return {
        "quick": setup.quick,
        "seeds": setup.num_seeds,
        "first_seed": setup.seed,
        "trials": len(trial_seeds(setup)),
        "num_hidden": num_hidden(setup),
        "num_train": NUM_IMAGES,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "num_reads": NUM_READS,
        "updates": UPDATES,
    }


def _source_numbers(source: Source) -> dict[str, Any]:
    return {
        "num_train": len(source.images.train_labels),
        "num_test": len(source.images.test_labels),
        "halves_of_test_images": source.halved,
    }


def _pair_numbers(pair: Pair, source: Source, columns: Mapping[str, Outcome]) -> dict[str, Any]:
    return {
        "data": pair.data,
        "classes": list(pair.classes),
        "title": pair.title,
        "num_test": num_tested(source, pair),
        "columns": {column: _numbers(outcome) for column, outcome in columns.items()},
    }


def _numbers(outcome: Outcome) -> dict[str, Any]:
    every, last = outcome.accuracy[:, -1], outcome.last

    return {
        "successful": outcome.num_successful,
        "success": list(outcome.success),
        "test_accuracy": finite(last.mean()) if last.size else None,
        "test_accuracy_sd": finite(last.std(ddof=1)) if last.size > 1 else None,
        "test_accuracy_all": float(every.mean()),
        "test_accuracy_all_sd": finite(every.std(ddof=1)) if every.size > 1 else None,
        "steps_to_70": outcome.steps(),
        "logit_after_first": float(outcome.first_logit.mean()),
        **({} if outcome.published is None else _comparison(outcome, outcome.published)),
    }


def _comparison(outcome: Outcome, paper: Published) -> dict[str, Any]:
    return {
        "published": {
            "test_accuracy": paper.accuracy,
            "steps_to_70": paper.steps,
            "success": paper.success,
        },
        "verdict": outcome.verdict().value,
        "difference_in_se": finite(outcome.difference()),
        "success_within": outcome.is_success_within(),
    }


def _search_numbers(searches: Searches) -> dict[str, Any]:
    return {
        "num_sweeps": STAND_IN.num_sweeps,
        "beta_range": list(STAND_IN.beta_range or ()),
        "grid": list(GRID),
        "divergence": searches.means.tolist(),
        "divergence_se": [
            finite(standard_error(each)) for each in searches.divergence.mean(axis=1).T
        ],
        "beta_effective": searches.best,
        "estimate": finite(searches.estimated),
        "gibbs_divergence": float(searches.gibbs.mean()),
    }


def _rows(setup: Setup, outcomes: Outcomes) -> Iterator[dict[str, Any]]:
    """Yields the rows of mlp-table.csv."""
    for pair, column, seed, row, outcome in _trials(setup, outcomes):
        passed = outcome.accuracy[row] > PASSED
        yield {
            **_names(pair, column, seed),
            "test_accuracy": float(outcome.accuracy[row, -1]),
            "successful": int(outcome.successful[row]),
            "first_above_70": int(passed.argmax()) + 1 if passed.any() else "",
            "logit_after_first": float(outcome.first_logit[row]),
        }


def _curve_rows(setup: Setup, outcomes: Outcomes) -> Iterator[dict[str, Any]]:
    """Yields the rows of mlp-table-curves.csv."""
    for pair, column, seed, row, outcome in _trials(setup, outcomes):
        for k, accuracy in enumerate(outcome.accuracy[row]):
            yield {**_names(pair, column, seed), "update": k + 1, "test_accuracy": float(accuracy)}


def _names(pair: Pair, column: str, seed: int) -> dict[str, Any]:
    return {"data": pair.data, "pair": pair.title, "column": column, "trial": seed}


def _trials(setup: Setup, outcomes: Outcomes) -> Iterator[tuple[Pair, str, int, int, Outcome]]:
    """Yields the pair, the column, the seed, the row and the outcome of each trial."""
    for pair, columns in outcomes.items():
        for column, outcome in columns.items():
            for row, seed in enumerate(trial_seeds(setup)):
                yield pair, column, seed, row, outcome
