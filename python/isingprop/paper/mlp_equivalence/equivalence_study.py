"""Reproduces Figs. 3 and 8 to 13 of the MLP paper (arXiv:2303.12352).

A perceptron and an energy-based model, its twin, are trained apart and then exchange their weights.

Jobs: for each seed one `TwinTraining` for each pair of classes by exact gradients, and one more by
sampled gradients for the first pair.

Files: mlp-equivalence.csv (a row for each pair, kind of gradient, seed and measurement),
mlp-equivalence.json, mlp-equivalence.md, mlp-equivalence.png and mlp-equivalence.svg.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

from isingprop.analysis.scaling import Interval, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.image_pairs import PairImages, images_of_classes, num_hidden, pair_name
from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import finite
from isingprop.paper.mlp_equivalence.equivalence_jobs import (
    BATCH_SIZE,
    LEARNING_RATE,
    TwinTraining,
)
from isingprop.paper.mlp_equivalence.equivalence_outcomes import Outcome
from isingprop.paper.mlp_equivalence.equivalence_plot import plot
from isingprop.paper.mlp_equivalence.equivalence_report import report

_DIGITS = ((0, 1), (2, 3), (3, 9), (5, 7), (4, 8))  # Fig. 3, Figs. 8 to 11
_FASHION = ((2, 3), (3, 9))  # Figs. 12 and 13
_NUM_READS = 2  # samples of each image where gradients are sampled


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: for each seed one for each pair, and one more for the first."""
    return (len(_pairs(setup)) + 1) * setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Trains, writes all files, and returns the contents of mlp-equivalence.json."""
    start = perf_counter()
    images = setup.load_all()
    pairs = {
        pair_name(setup.data, classes): PairImages.of(images, classes) for classes in _pairs(setup)
    }
    exact, sampled = _trained(setup, runner, images)

    numbers = {
        "pairs": {name: _numbers(outcome) for name, outcome in exact.items()},
        "sampled": {name: _numbers(outcome) for name, outcome in sampled.items()},
        **setup.facts(images),
        "images": {name: [len(pair.train_x), len(pair.test_x)] for name, pair in pairs.items()},
        "num_hidden": num_hidden(setup),
        "updates": _num_updates(setup),
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "num_reads": _NUM_READS,
        "seconds": perf_counter() - start,
    }

    setup.write_csv("mlp-equivalence", list(_rows(setup, exact, sampled)))
    setup.write_json("mlp-equivalence", numbers)
    shown = (
        "Perceptrons (MLP) and energy-based models (EBM) on pairs of classes; means, bands: "
        "standard error over seeds"
    )
    setup.write_picture("mlp-equivalence", plot(exact, sampled), shown, setup.data)
    text = report(setup, numbers, list(exact.values()), list(sampled.values()))
    setup.write_report("mlp-equivalence", text, papers=None)
    return numbers


def _trained(
    setup: Setup, runner: Runner, images: ImageSet
) -> tuple[dict[str, Outcome], dict[str, Outcome]]:
    """Trains every pair by exact gradients, and the first pair by sampled gradients, too.

    Pairs run one after another, so that workers receive only the images of the pair.

    Returns:
        The outcomes by exact and by sampled gradients, each by the name of the pair.
    """
    exact: dict[str, Outcome] = {}
    sampled: dict[str, Outcome] = {}
    hidden, updates = num_hidden(setup), _num_updates(setup)
    for classes in _pairs(setup):
        name = pair_name(setup.data, classes)
        num_reads = (None,) if exact else (None, _NUM_READS)
        jobs = [
            TwinTraining(classes, hidden, updates, seed, reads)
            for reads in num_reads
            for seed in setup.seeds
        ]

        results = runner.run(jobs, images_of_classes(images, classes), f"mlp-equivalence {name}")
        exact[name] = Outcome.of(name, updates, results[: setup.num_seeds])
        if len(num_reads) > 1:
            sampled[name] = Outcome.of(f"{name} (sampled)", updates, results[setup.num_seeds :])
    return exact, sampled


def _num_updates(setup: Setup) -> int:
    return 80 if setup.quick else 200


def _pairs(setup: Setup) -> Sequence[tuple[int, int]]:
    pairs = _FASHION if setup.data == "fashion-mnist" else _DIGITS
    return pairs[:1] if setup.quick else pairs


def _numbers(outcome: Outcome) -> dict[str, Any]:
    """Returns the numbers of one outcome for JSON.

    They are means over seeds after the last update with their standard errors, and the course of
    the divergence.
    """
    largest, where = outcome.farthest(outcome.mean("kl"))
    change = outcome.late_change()

    return {
        **{name: float(outcome.end(name).mean()) for name in outcome.curves},
        **{f"{name}_se": finite(standard_error(outcome.end(name))) for name in outcome.curves},
        "kl_first": float(outcome.mean("kl")[0]),
        "kl_largest": largest,
        "kl_largest_after": where,
        "kl_change_in_last_third": _interval(change),
        "kl_between_perceptrons": finite(outcome.between[:, -1].mean()),
        "ebm_weights_in_mlp": _interval(
            outcome.difference("mlp_accuracy_inherited", "ebm_accuracy")
        ),
        "mlp_weights_in_ebm": _interval(
            outcome.difference("ebm_accuracy_inherited", "mlp_accuracy")
        ),
    }


def _interval(value: Interval) -> list[float | None]:
    return [finite(each) for each in value]


def _rows(
    setup: Setup, exact: Mapping[str, Outcome], sampled: Mapping[str, Outcome]
) -> Iterator[dict[str, Any]]:
    """Yields the rows of mlp-equivalence.csv."""
    for kind, each in (("exact", exact), ("sampled", sampled)):
        for name, outcome in each.items():
            for row, seed in enumerate(setup.seeds):
                for k, update in enumerate(outcome.updates):
                    keys = {"pair": name, "gradient_kind": kind, "seed": seed}
                    curves = {key: float(curve[row, k]) for key, curve in outcome.curves.items()}
                    yield {**keys, "update": int(update), **curves}
