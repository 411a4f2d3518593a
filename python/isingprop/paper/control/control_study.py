"""The control experiment: what sampled states add to class states, and to backpropagation.

Every method of `control_methods` trains on the same images from networks of the same seeds, each at
its own best rate for each number of training images. A class state is the lowest state whose
outputs are the code of a class; it needs no sampler.

Jobs: for each number of training images short trials of every method at every learning rate, which
hold out training images, and then a `ControlTraining` of every method at its best rate for each
seed.

Writes control.csv, control_rates.csv, control_seconds.csv, control.json and control.md, and the
picture control as PNG and SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from isingprop.analysis.scaling import mean_interval
from isingprop.data.load import ImageSet
from isingprop.paper.common.chip_time import qpu_seconds
from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.rates import Trials, choose_by_held_out
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import json_interval
from isingprop.paper.control.control_findings import COMPARED
from isingprop.paper.control.control_jobs import CURVES, LOW_STATES, ControlTraining
from isingprop.paper.control.control_methods import Size, methods_for, rates_for, sizes
from isingprop.paper.control.control_outcomes import Outcome, SizeOutcome
from isingprop.paper.control.control_plot import plot
from isingprop.paper.control.control_report import report


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: trials of each rate, and one for each seed."""
    total = 0
    for size in sizes(setup):
        rates = rates_for(setup).values()
        total += size.num_folds * sum(map(len, rates)) + setup.num_seeds * len(rates)
    return total


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Runs the jobs and writes all files of the study; returns what the JSON file has."""
    start = perf_counter()
    outcomes = [train_size(setup, runner, size) for size in sizes(setup)]

    numbers = {
        "sizes": {str(each.size.num_train): _numbers_of_size(each) for each in outcomes},
        **setup.facts(outcomes[0].images),
        "seconds": perf_counter() - start,
    }

    _write_rows(setup, outcomes)
    setup.write_json("control", numbers)
    shown = "Ising machines and backpropagation, held-out rates; means, bars: range over seeds"
    setup.write_picture("control", plot(outcomes), shown, setup.data)
    setup.write_report("control", report(setup, outcomes), papers=None)
    return numbers


def train_size(setup: Setup, runner: Runner, size: Size) -> SizeOutcome:
    """Chooses the rates of all methods for a number of training images, and trains all seeds."""
    images = setup.load_data(size.num_train)
    trials = choose_by_held_out(
        setup,
        runner,
        images,
        methods_for(size.epochs),
        rates_for(setup),
        epochs=size.epochs,
        num_folds=size.num_folds,
    )
    return SizeOutcome(size, images, trials, _train(setup, runner, images, size, trials))


def _train(
    setup: Setup, runner: Runner, images: ImageSet, size: Size, trials: Trials
) -> dict[str, Outcome]:
    """Trains each method with each seed at its best rate."""
    methods = methods_for(size.epochs)
    # All methods of one seed come before the next seed, so that fewer seeds are a part of more.
    grid = [(name, seed) for seed in setup.seeds for name in methods]
    jobs = [
        ControlTraining(methods[name], trials.best[name], size.epochs, seed) for name, seed in grid
    ]
    results = runner.run(jobs, images, f"control, {size.num_train} images")
    found = dict(zip(grid, results, strict=True))

    return {
        name: Outcome.of(
            method,
            trials.best[name],
            qpu_seconds(method, images),
            [found[name, seed] for seed in setup.seeds],
        )
        for name, method in methods.items()
    }


def _numbers_of_size(each: SizeOutcome) -> dict[str, Any]:
    """Returns the entries of a number of training images in the JSON file."""
    differences = {
        f"{own}-minus-{other}": json_interval(each.methods[own].ahead_of(each.methods[other]))
        for own, other in COMPARED
    }
    return {
        "epochs": each.size.epochs,
        "methods": {name: _numbers(own) for name, own in each.methods.items()},
        "differences": differences,
    }


def _numbers(own: Outcome) -> dict[str, Any]:
    """Returns the entries of a method in the JSON file."""
    numbers = {
        "learning_rate": own.learning_rate,
        "test_accuracy": json_interval(own.last("test_accuracy")),
        "train_error": json_interval(own.last("train_error")),
        "z": json_interval(own.z),
        "seconds_per_epoch": own.seconds_per_epoch,
        "qpu_seconds_per_epoch": own.qpu_seconds,
    }

    if own.is_ising:
        numbers["test_accuracy_sampled"] = json_interval(mean_interval(own.sampled_accuracy))
        numbers["sampled_minus_closed"] = json_interval(own.gain_of_sampled_answers())
        numbers["low_states"] = {name: json_interval(own.last(name)) for name in LOW_STATES}
    return numbers


def _write_rows(setup: Setup, outcomes: Sequence[SizeOutcome]) -> None:
    """Writes control.csv, control_seconds.csv and control_rates.csv."""
    curves, seconds, rates = [], [], []
    for each in outcomes:
        size = {"num_train": each.size.num_train}
        rates += [size | row for row in each.trials.rows]
        for name, own in each.methods.items():
            for row, seed in enumerate(setup.seeds):
                for k in range(each.size.epochs):
                    where = size | {"method": name, "seed": seed, "epoch": k + 1}
                    curves.append(where | _epoch(own, row, k))
                    seconds.append(where | {"seconds": float(own.arrays["seconds"][row, k])})

    setup.write_csv("control", curves)
    setup.write_csv("control_seconds", seconds)
    setup.write_csv("control_rates", rates)


def _epoch(own: Outcome, row: int, k: int) -> dict[str, float | str]:
    """Returns what was measured in an epoch of a seed; empty where a network has no energies."""
    names = [name for name in (*CURVES, *LOW_STATES) if name != "seconds"]
    return {name: float(own.arrays[name][row, k]) if name in own.arrays else "" for name in names}
