"""The table of test accuracies: six training methods, on the papers' 1,000 images and on 10,000.

Jobs: for each number of training images short `Training` trials of the methods that choose their
learning rate, which hold out training images, and then a full `Training` of every method for each
seed.

Writes table.csv, table.json and table.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import mean_interval, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.curves import METHODS, epochs_of
from isingprop.paper.common.jobs import Arrays, Runner
from isingprop.paper.common.methods import (
    CLOSED_FORM,
    LAYDEVANT2024,
    LAYDEVANT2024_RATE,
    PAPER_TEST_IMAGES,
    Method,
    Training,
)
from isingprop.paper.common.rates import choose_by_held_out, held_out_rule, rates_of
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import (
    bullets,
    finite,
    interval_of_percent,
    percent,
    percent_with_error,
    table,
)

# Methods that choose their learning rate in trials; the preset of Laydevant et al. has its own.
_TUNED: dict[str, Method] = {
    "dragon": METHODS["dragon"],
    "equilibrium": METHODS["equilibrium"],
    "class-states": METHODS["class-states"],
    "closed-form": CLOSED_FORM,
    "backprop-relu": METHODS["backprop-relu"],
}
_METHODS: dict[str, Method] = {
    **_TUNED,
    "laydevant2024": LAYDEVANT2024,
}
# Published accuracies, by data, method and number of training images.
_PUBLISHED = {("mnist", "laydevant2024", 1000): "88.8 ± 1.5 %"}

_CHOICES = (
    "Data: {data}, the first images of each class; 120 hidden units or spins; {seeds} seeds. ± is "
    "the standard error over seeds, brackets are Student's 95 % interval of the differences of "
    "equal seeds.",
    "{few} of them: the first test images of each class, as in the papers. On so few, the "
    "standard error of one accuracy is up to {alone} for the choice of images alone, which more "
    "seeds do not lessen: read it beside the other column.",
    "A test image counts by the lowest of 10 states; the preset's by the lowest of 10 of its own; "
    "with class states by the lowest class state. "
    "The training error is of the states that were learned from, by the lowest of 20 (dragon), 1 "
    "(equilibrium) or 10 (preset); with a margin these are pushed away from the label, and their "
    "error is larger for it.",
    "{rule}",
    "Class states: the lowest state whose outputs are the code of a class, in closed form, in "
    "place of a sampled one, with all else as in dragon training. With a margin and Adam: the "
    "label must win by an energy of 5, couplings are drawn 0.3 times as large, 10 images per "
    "update, and the rate falls to 0 in a straight line.",
    "laydevant2024: W from 0.5 U(±1/√I), J from 0.25 U(±1/√120); the nudged state is sampled, "
    "with nudge 5; the lowest of 10 reads of 100 sweeps in both phases; rates 0.01/5 for weights "
    "and 0.001/5 for biases; no update where all outputs are those of the class already. Other "
    "than in their code: each read ends in a descent; the nudged phase does not start from the "
    "free state; the lowest of the reads of their simulated annealer counts, not the first; "
    "nothing is clipped to the ranges of a chip; they train for 50 epochs; equal class scores are "
    "wrong, not the first class.",
)

# The results of all seeds, by method and number of training images.
Results = dict[tuple[str, int], list[Arrays]]
# The learning rate of each method, by number of training images.
Rates = dict[int, dict[str, float]]


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: the trials, and one for each method, size and seed."""
    num_trials = len(_TUNED) * len(rates_of(setup))
    return (num_trials + len(_METHODS) * setup.num_seeds) * len(_sizes(setup))


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Runs the jobs and writes all files of the study; returns what the JSON file has."""
    start = perf_counter()
    data = {size: setup.load_data(size) for size in _sizes(setup)}

    rates = {size: _choose_rates(setup, runner, images) for size, images in data.items()}
    results = _train(setup, runner, data, rates)

    numbers = {
        "methods": {
            name: {
                "sizes": {
                    str(size): _numbers(rates[size][name], results[name, size]) for size in data
                },
            }
            for name in _METHODS
        },
        **setup.facts(data[setup.num_train]),
        "seconds": perf_counter() - start,
    }

    setup.write_csv("table", list(_rows(setup, rates, results)))
    setup.write_json("table", numbers)
    setup.write_report("table", _report(setup, data, rates, results))
    return numbers


def _choose_rates(setup: Setup, runner: Runner, images: ImageSet) -> dict[str, float]:
    """Returns the rate of each method for a number of training images."""
    grid = dict.fromkeys(_TUNED, rates_of(setup))
    epochs = _trial_epochs(setup, len(images.train_labels))
    trials = choose_by_held_out(setup, runner, images, _TUNED, grid, epochs=epochs)
    return trials.best | {"laydevant2024": LAYDEVANT2024_RATE}


def _trial_epochs(setup: Setup, size: int) -> int:
    """Returns the number of epochs of a trial, a third of those of a run."""
    return -(-_sizes(setup)[size] // 3)


def _train(setup: Setup, runner: Runner, data: dict[int, ImageSet], rates: Rates) -> Results:
    """Trains each method on each number of images with each seed."""
    results: Results = {}
    for size, epochs in _sizes(setup).items():
        # The preset takes longest, so it starts first.
        grid = [(name, seed) for name in reversed(_METHODS) for seed in setup.seeds]
        jobs = [Training(_METHODS[name], rates[size][name], epochs, seed) for name, seed in grid]
        found = runner.run(jobs, data[size], f"table, {size} images")
        for (name, _), result in zip(grid, found, strict=True):
            results.setdefault((name, size), []).append(result)
    return results


def _sizes(setup: Setup) -> dict[int, int]:
    """Returns the number of epochs for each number of training images."""
    return dict(zip(setup.train_sizes, (epochs_of(setup), 5 if setup.quick else 20), strict=True))


def _numbers(learning_rate: float, results: list[Arrays]) -> dict[str, float | None]:
    """Returns the rate, the mean test accuracies over seeds, and their standard errors."""
    numbers: dict[str, float | None] = {"learning_rate": learning_rate}
    for kind in ("test_accuracy", "test_accuracy_100"):
        values = _over_seeds(results, kind)
        numbers |= {kind: float(values.mean()), f"{kind}_se": finite(standard_error(values))}
    return numbers


def _over_seeds(results: list[Arrays], kind: str) -> NDArray[np.float64]:
    return np.array([float(result[kind]) for result in results])


def _rows(setup: Setup, rates: Rates, results: Results) -> Iterator[dict[str, Any]]:
    """Yields the rows of table.csv."""
    for (name, size), own in results.items():
        for seed, result in zip(setup.seeds, own, strict=True):
            errors, lowest = result["error_reads"], result["error_lowest"]

            yield {
                "method": name,
                "num_train": size,
                "epochs": len(errors),
                "learning_rate": rates[size][name],
                "seed": seed,
                "test_accuracy": float(result["test_accuracy"]),
                "test_accuracy_100": float(result["test_accuracy_100"]),
                "error_reads": float(errors[-1]),
                "error_lowest": float(lowest[-1]),
            }


def _report(
    setup: Setup,
    data: dict[int, ImageSet],
    rates: Rates,
    results: Results,
) -> str:
    """Returns the text of table.md."""
    images = data[setup.num_train]
    num_few = min(PAPER_TEST_IMAGES, len(images.test_labels))
    facts = {
        "data": images.name,
        "seeds": setup.num_seeds,
        "few": num_few,
        # The error sqrt(p (1 - p) / n) is largest at p = 1/2; at 90 % it is 0.6 times that.
        "alone": percent((0.25 / num_few) ** 0.5),
        "rule": " ".join(
            f"{size:,} images. {held_out_rule(_trial_epochs(setup, size))}" for size in data
        ),
    }

    parts = [
        "# Test accuracy",
        _accuracies(setup, images, rates, results),
        "## What this says",
        bullets(_findings(setup, results)),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]
    return "\n\n".join(parts) + "\n"


def _accuracies(setup: Setup, images: ImageSet, rates: Rates, results: Results) -> str:
    """Returns the table of accuracies."""
    rows = []
    for name, method in _METHODS.items():
        for size, epochs in _sizes(setup).items():
            own = results[name, size]
            tested = []
            for kind in ("test_accuracy", "test_accuracy_100"):
                values = _over_seeds(own, kind)
                tested.append(percent_with_error(float(values.mean()), standard_error(values)))
            error = percent(float(np.mean([result["error_lowest"][-1] for result in own])))
            published = _PUBLISHED.get((setup.data, name, size), "–")

            row = [method.title, f"{size:,}", str(epochs), f"{rates[size][name]:g}"]
            rows.append([*row, *tested, published, error])

    num_tested = len(images.test_labels)
    header = [
        "",
        "training images",
        "epochs",
        "rate",
        f"{num_tested:,} test images",
        f"{min(PAPER_TEST_IMAGES, num_tested)} of them",
        f"published, on {PAPER_TEST_IMAGES}",
        "training error, lowest state",
    ]
    return table(header, rows)


def _findings(setup: Setup, results: Results) -> Iterator[str]:
    """Yields sentences that compare dragon training with each other method, seed by seed."""
    for size in _sizes(setup):
        dragon = _over_seeds(results["dragon", size], "test_accuracy")
        for name in _METHODS:
            if name != "dragon":
                ahead = mean_interval(dragon - _over_seeds(results[name, size], "test_accuracy"))
                yield (
                    f"{size:,} training images, test accuracy of dragon training minus that of "
                    f"{_METHODS[name].title}: {interval_of_percent(ahead)} points."
                )
