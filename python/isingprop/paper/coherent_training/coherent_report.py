"""The report on coherent training: its tables, findings and choices, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from isingprop.analysis.scaling import interval_of, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.coherent_training.coherent_curves import KINDS, Comparison, Outcome, windows_of
from isingprop.paper.coherent_training.coherent_findings import NUM_LAST, findings
from isingprop.paper.coherent_training.coherent_jobs import (
    NETWORK_RATE,
    PAIRS,
    REDUNDANCY,
    Sizes,
    sizes_of,
)
from isingprop.paper.coherent_training.coherent_search import (
    EXPECTED_EXPONENTS,
    FITTED_BELOW,
    MAX_AMPLITUDE,
    MIN_AMPLITUDE,
    MIN_INSTANCES,
    STRATEGIES,
    Searches,
)
from isingprop.paper.coherent_training.coherent_times import SCALES, Times
from isingprop.paper.common.rates import Trials, rule, trial_table
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import (
    bullets,
    decimal,
    interval,
    percent,
    percent_with_error,
    table,
)

TARGETS = (0.1, 0.05, 0.02, 0.01, 0.005)  # errors whose cost in applications is tabulated
_SHOWN_EPOCHS = (1, 3, 10, 25, 50)  # of the table of errors, beside the last epoch
_FIELD_EPOCHS = (0, 1, 3, 10, 25)  # of the table of fields, beside the last epoch

_PAPER = (
    "The paper (arXiv:2506.05244, Section V) proposes to train on a machine that stays coherent. "
    "An anneal U ends in a right part and a wrong part, of amplitude A (here always its absolute "
    "value); the wrong one alone teaches anything. To see it takes about A^−2 anneals, and with "
    "amplitude amplification about A^−1 applications of U and its inverse U†. Training on the "
    "wrong part alone, Eq. (13), “can potentially double the scaling exponent, z”. The paper has "
    "no numbers for that. Here the state vector is simulated."
)
_CHOICES = (
    "Data: {data}, the classes 0, 1 and 2; {num_train} training images, the first {per_class} of "
    "each, and {num_test} test images. {seeds}; brackets are Student's 95 % interval over seeds, ± "
    "is the standard error.",
    "Networks: {num_hidden} hidden spins and {redundancy} outputs for each class, {num_spins} "
    "qubits; one image per update.",
    "Anneal: total time {total_time:g}, s(t) = t / total time, −ΣX as the driver (with the sign of "
    "Eq. (11) the start state would be the highest one), H divided by its largest local field, "
    "Trotter steps of 0.5. Except for (c), where that is varied.",
    "(a) The networks of (c) after {search_epochs} epochs, all training images, anneals of total "
    "time {search_times}; of each seed up to {num_instances} instances with {least:g} ≤ A ≤ "
    "{most:g}, spread evenly in log A as far as there are any. Counts are means over "
    "{repetitions:,} repetitions: repetition and Grover draw the number of tries from the "
    "simulated probability of a wrong state, as that of measurements is; the fixed point is the "
    'sampler Amplified(method="fixed-point"), which tries 0, 1, 3, 7 ... iterations (failure 0.1). '
    "Grover is told A, which costs nothing here, and makes a try as sure as can be: for A above "
    "0.5 shorter ones would find sooner. Exponents: least squares of log count on log A below A = "
    "{fitted:g}, for each seed.",
    "(b) Error after an epoch: the mean of A² over all training images, with no noise of "
    "measurements in it; where nothing else is said, it is this one. Error during an epoch: of the "
    "plain anneal, each image before its own update; A² where expectation values are exact, "
    "otherwise the m states that are measured. The first epoch begins untrained, so its error is "
    "larger during it than after it, which makes z larger. Unclassified states are wrong. Exact: "
    "expectation values as of infinitely many measurements, Eq. (10); they have no number of "
    "applications. Amplified states are those of the best number of Grover iterations for A, as if "
    "that were known for nothing. m = 20: shots per image and update.",
    "“rate ∝ A”: the update of an image is multiplied by A, so that it shrinks as the error does. "
    "With A² it would be nearly the plain update, in which wrong states have that weight and right "
    "ones teach next to nothing; with 1 it is the paper's.",
    "z: Poisson regression of the error on the epoch (or on the applications up to its end), over "
    "all epochs, and in a longer training over the first 10 and from the 10th on. Differences are "
    "of equal seeds.",
    "Applications needed: up to the end of the first epoch with no larger error, median over "
    "seeds; a dash where half of the seeds or more do not get there. An error that goes up and "
    "down gets there sooner than its mean does.",
    "(c) Networks trained on exact expectation values of the plain state, with rate "
    "{network_rate:g} and total time {total_time:g}; the probability of all states of wrong or "
    "right classes, means over the training images. “As it is”: H not divided, with the same steps "
    "of 0.5.",
    "{rule} A run takes {epochs} epochs. The errors of trials are those during the epochs.",
)


def report(
    setup: Setup,
    images: ImageSet,
    searches: Searches,
    outcomes: Mapping[str, Outcome],
    times: Times,
    trials: Trials,
) -> str:
    """Returns the text of coherent.md."""
    sizes, methods = sizes_of(setup), {name: each.method for name, each in outcomes.items()}
    facts = _facts(setup, images, sizes) | {"rule": rule(trials, methods)}

    parts = [
        "# Coherent training: wrong states by amplitude amplification",
        _PAPER,
        "## (a) Applications of U and U† until a wrong state is seen",
        _searches(searches),
        "## (b) Training error",
        _errors(outcomes),
        "### Exponents z of error ∝ epoch^−z",
        _exponents(outcomes),
        "### z of amplified minus z of plain training, and minus twice that",
        _differences(outcomes),
        "### Against applications of U and U†",
        _applications(outcomes),
        "## (c) Annealing time",
        _times(times),
        "The largest local field, which H is divided by, in the units of J:",
        _fields(times),
        "## What this says",
        bullets(findings(searches, outcomes, times, sizes, trials)),
        f"## Every rate: error in the last third of {trials.epochs} epochs, and z over them (one "
        "seed)",
        trial_table(trials, methods),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]

    return "\n\n".join(parts) + "\n"


def _facts(setup: Setup, images: ImageSet, sizes: Sizes) -> dict[str, Any]:
    """Returns the values that fill in the text of the choices, except for the rule of the rates."""
    return {
        "data": images.name,
        "num_train": len(images.train_labels),
        "num_test": len(images.test_labels),
        "seeds": f"{setup.num_seeds} seed{'s' if setup.num_seeds > 1 else ''}",
        "per_class": sizes.per_class,
        "num_hidden": sizes.num_hidden,
        "redundancy": REDUNDANCY,
        "num_spins": sizes.num_spins,
        "total_time": sizes.total_time,
        "search_epochs": ", ".join(map(str, sizes.search_epochs)),
        "search_times": " and ".join(f"{time:g}" for time in sizes.search_times),
        "num_instances": sizes.num_instances,
        "repetitions": sizes.repetitions,
        "least": MIN_AMPLITUDE,
        "most": MAX_AMPLITUDE,
        "fitted": FITTED_BELOW,
        "network_rate": NETWORK_RATE,
        "epochs": sizes.epochs,
    }


def _searches(searches: Searches) -> str:
    """Tabulates the exponents of part (a), with notes on the instances."""
    rows = [
        [title, str(EXPECTED_EXPONENTS[name]), interval(searches.exponent(name))]
        for name, title in STRATEGIES.items()
    ]

    amplitudes = searches.pooled("amplitude")
    notes = [f"{amplitudes.size} instances, A: {amplitudes.min():.2g} to {amplitudes.max():.2g}."]
    if left_out := searches.num_seeds_left_out():
        notes.append(
            f"Seeds left out for fewer than {MIN_INSTANCES} of them below "
            f"A = {FITTED_BELOW:g}: {left_out}."
        )
    return "\n\n".join([table(["", "expected exponent of A", "measured"], rows), " ".join(notes)])


def _errors(outcomes: Mapping[str, Outcome]) -> str:
    """Tabulates training errors and test accuracy of every method."""
    first, *_ = outcomes.values()
    epochs = first.error.shape[1]
    shown = [epoch for epoch in sorted({*_SHOWN_EPOCHS, epochs}) if epoch <= epochs]

    rows = []
    for outcome in outcomes.values():
        columns = [outcome.error[:, epoch - 1] for epoch in shown]
        columns += [outcome.mean_of_last(NUM_LAST), outcome.test_accuracy]
        cells = [
            percent_with_error(float(column.mean()), standard_error(column)) for column in columns
        ]
        rows.append([outcome.method.title, f"{outcome.learning_rate:g}", *cells])

    header = [
        "",
        "rate",
        *(f"epoch {epoch}" for epoch in shown),
        f"mean of the last {NUM_LAST}",
        "test accuracy",
    ]
    return table(header, rows)


def _windows(outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    """Returns the epochs of each window, in words."""
    first, *_ = outcomes.values()
    return {
        name: f"epochs {low} to {high}"
        for name, (low, high) in windows_of(first.error.shape[1]).items()
    }


def _exponents(outcomes: Mapping[str, Outcome]) -> str:
    """Tabulates z of every method, for each kind of error and each window."""
    columns = list(product(KINDS, _windows(outcomes)))
    rows = [
        [each.method.title, *(interval(interval_of(each.exponents(*column))) for column in columns)]
        for each in outcomes.values()
    ]

    header = [
        f"{when}, {epochs}" for when, epochs in product(KINDS.values(), _windows(outcomes).values())
    ]
    return table(["error", *header], rows)


def _differences(outcomes: Mapping[str, Outcome]) -> str:
    """Tabulates how z of amplified training differs from z and from 2 z of plain training."""
    windows, rows = _windows(outcomes), []
    for (kind, when), (name, plain_name) in product(KINDS.items(), PAIRS.items()):
        amplified, plain = outcomes[name], outcomes[plain_name]
        comparisons = [Comparison.of(amplified, plain, kind, window) for window in windows]
        cells = [interval(difference) for each in comparisons for difference in each]
        rows.append([when, f"{amplified.method.title}, against {plain.method.title}", *cells])

    header = [
        f"{epochs}, minus {what}" for epochs in windows.values() for what in ("plain", "2 × plain")
    ]
    return table(["error", "", *header], rows)


def _applications(outcomes: Mapping[str, Outcome]) -> str:
    """Tabulates z against applications, and how many of them methods that measure need."""
    rows = []
    for outcome in outcomes.values():
        if not outcome.has_applications:
            continue
        z = interval(interval_of(outcome.exponents_of_applications()))
        needed = [outcome.applications_to(error) for error in TARGETS]
        cells = [f"{count:,.0f}" if math.isfinite(count) else "–" for count in needed]
        per_epoch = outcome.applications[:, [0, -1]].mean(axis=0)
        rows.append([outcome.method.title, z, *cells, *(f"{count:,.0f}" for count in per_epoch)])

    header = [
        "",
        "z against applications",
        *(f"to an error of {percent(error)}" for error in TARGETS),
    ]
    return table([*header, "in the first epoch", "in the last"], rows)


def _times(times: Times) -> str:
    """Tabulates the probabilities of right classes and of ground states against annealing time."""
    rows = []
    for k, epoch in enumerate(times.epochs):
        for scale, rescale in enumerate(SCALES):
            for what, values in (("right class", times.right), ("ground state", times.ground)):
                columns = values[:, k, scale].T
                cells = [
                    percent_with_error(float(column.mean()), standard_error(column))
                    for column in columns
                ]
                rows.append([str(epoch), "divided" if rescale else "as it is", what, *cells])

    return table(
        ["epochs", "H", "probability of", *(f"time {time:g}" for time in times.total_times)], rows
    )


def _fields(times: Times) -> str:
    """Tabulates the largest local field, averaged over images and seeds, against epochs."""
    epochs = times.field.shape[1]
    shown = [epoch for epoch in sorted({*_FIELD_EPOCHS, epochs - 1}) if epoch < epochs]
    means = np.array([times.field[:, epoch].mean() for epoch in shown])
    return table(["after epoch", *map(str, shown)], [["largest local field", *map(decimal, means)]])
