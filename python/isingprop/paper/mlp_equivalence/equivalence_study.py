"""Fig. 3 of the MLP paper: a perceptron and its energy-based twin, trained apart, exchange their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.analysis.scaling import Interval, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.image_pairs import PairImages, images_of_classes, num_hidden, pair_name
from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.study_setup import COLOURS, Setup
from isingprop.paper.common.text import finite
from isingprop.paper.mlp_equivalence.equivalence_jobs import (
    BATCH_SIZE,
    LEARNING_RATE,
    Outcome,
    TwinTraining,
)
from isingprop.paper.mlp_equivalence.equivalence_report import report

_DIGITS = ((0, 1), (2, 3), (3, 9), (5, 7), (4, 8))  # Fig. 3, Figs. 8 to 11
_FASHION = ((2, 3), (3, 9))  # Figs. 12 and 13
_NUM_READS = 2
_EXACT, _SAMPLED, *_, _BACKPROP = COLOURS  # for whose weights they are
_GREY = "#777777"
_PANELS = {
    "cross-entropy in MLPs (nats)": "log",
    "−log-likelihood in EBMs (nats)": "log",
    "test accuracy": "linear",
    "symmetrised KL (nats)": "log",
}


def number_of_jobs(setup: Setup) -> int:
    """For each seed one for each pair, and one more for the first pair."""
    return (len(_pairs(setup)) + 1) * setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Trains, writes mlp-equivalence.csv, .json, .png, .svg and .md; returns what the JSON file has."""
    start = perf_counter()
    images = setup.load_all()
    pairs = {
        pair_name(setup.data, classes): PairImages.of(images, classes) for classes in _pairs(setup)
    }
    exact, sampled = _trained(setup, runner, images)
    numbers = {
        "pairs": {name: _numbers(own) for name, own in exact.items()},
        "sampled": {name: _numbers(own) for name, own in sampled.items()},
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
    setup.write_picture("mlp-equivalence", _draw(exact, sampled))
    text = report(setup, numbers, list(exact.values()), list(sampled.values()))
    setup.write_report("mlp-equivalence", text, papers=None)
    return numbers


def _trained(
    setup: Setup, runner: Runner, images: ImageSet
) -> tuple[dict[str, Outcome], dict[str, Outcome]]:
    """By exact gradients, each pair; by sampled ones, the first. A pair at a time, whose images alone are sent out."""
    exact: dict[str, Outcome] = {}
    sampled: dict[str, Outcome] = {}
    hidden, updates = num_hidden(setup), _num_updates(setup)
    for classes in _pairs(setup):
        name = pair_name(setup.data, classes)
        ways = (None,) if exact else (None, _NUM_READS)
        jobs = [
            TwinTraining(classes, hidden, updates, seed, reads)
            for reads in ways
            for seed in setup.seeds
        ]
        results = runner.run(jobs, images_of_classes(images, classes), f"mlp-equivalence {name}")
        exact[name] = Outcome.of(name, updates, results[: setup.num_seeds])
        if len(ways) > 1:
            sampled[name] = Outcome.of(f"{name} (sampled)", updates, results[setup.num_seeds :])
    return exact, sampled


def _num_updates(setup: Setup) -> int:
    return 80 if setup.quick else 200


def _pairs(setup: Setup) -> Sequence[tuple[int, int]]:
    pairs = _FASHION if setup.data == "fashion-mnist" else _DIGITS
    return pairs[:1] if setup.quick else pairs


def _numbers(own: Outcome) -> dict[str, Any]:
    """Means over seeds with their standard errors, after the last update; and the course of the divergence."""
    largest, where = own.farthest(own.mean("kl"))
    change = own.late_change()
    return {
        **{name: float(own.end(name).mean()) for name in own.curves},
        **{f"{name}_se": finite(standard_error(own.end(name))) for name in own.curves},
        "kl_first": float(own.mean("kl")[0]),
        "kl_largest": largest,
        "kl_largest_after": where,
        "kl_change_in_last_third": _interval(change),
        "kl_between_perceptrons": finite(own.between[:, -1].mean()),
        "ebm_weights_in_mlp": _interval(own.difference("mlp_accuracy_inherited", "ebm_accuracy")),
        "mlp_weights_in_ebm": _interval(own.difference("ebm_accuracy_inherited", "mlp_accuracy")),
    }


def _interval(value: Interval) -> list[float | None]:
    return [finite(each) for each in value]


def _rows(
    setup: Setup, exact: Mapping[str, Outcome], sampled: Mapping[str, Outcome]
) -> Iterator[dict[str, Any]]:
    for kind, each in (("exact", exact), ("sampled", sampled)):
        for name, own in each.items():
            for row, seed in enumerate(setup.seeds):
                for k, update in enumerate(own.updates):
                    values = {curve: float(values[row, k]) for curve, values in own.curves.items()}
                    yield {
                        "pair": name,
                        "gradient_kind": kind,
                        "seed": seed,
                        "update": int(update),
                        **values,
                    }


def _draw(exact: Mapping[str, Outcome], sampled: Mapping[str, Outcome]) -> Any:
    """A row for each pair: what the paper has in the four panels of Fig. 3."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 1.2 + 2.4 * len(exact)), layout="constrained")
    rows = figure.subplots(len(exact), len(_PANELS), squeeze=False, sharex=True)
    for (name, own), row in zip(exact.items(), rows, strict=True):
        _draw_models(row, own, _EXACT, "EBM")
        if name in sampled:
            _draw_models(row, sampled[name], _SAMPLED, "sampled EBM")
        loss, likelihood, accuracy, divergence = row
        _line(loss, own, "loss", _BACKPROP, "-")
        _line(likelihood, own, "log_likelihood_inherited", _BACKPROP, "--", sign=-1)
        _line(accuracy, own, "mlp_accuracy", _BACKPROP, "-", label="MLP")
        _line(
            accuracy,
            own,
            "ebm_accuracy_inherited",
            _BACKPROP,
            "--",
            label="EBM with the MLP's weights",
        )
        mean = own.between.mean(axis=0)
        divergence.plot(
            own.updates, mean, color=_GREY, linestyle=":", label="KL between MLPs of two seeds"
        )
        loss.set_ylabel(name, fontsize=12, fontweight="bold")
    for column, (title, scale) in zip(rows.T, _PANELS.items(), strict=True):
        column[0].set_title(title, fontsize=11)
        column[-1].set_xlabel("updates")
        for axes in column:
            axes.set(xscale="log", yscale=scale)
            axes.grid(alpha=0.25)
            axes.tick_params(labelsize=8)
            _write_out(axes.xaxis)
            if scale == "log":
                _write_out(axes.yaxis)
    told = [
        line for axes in rows[0, 2:] for line in axes.lines if not line.get_label().startswith("_")
    ]
    figure.legend(handles=told, loc="outside lower center", ncols=4, frameon=False, fontsize=10)
    return figure


def _write_out(axis: Any) -> None:
    """Labels at 1, 2 and 5 times the powers of ten, written without powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axis.set_minor_formatter(NullFormatter())


def _draw_models(row: Any, own: Outcome, colour: str, name: str) -> None:
    """What has the weights of energy-based models: a full line for perceptrons, dashes for the models."""
    loss, likelihood, accuracy, divergence = row
    _line(loss, own, "loss_inherited", colour, "-")
    _line(likelihood, own, "log_likelihood", colour, "--", sign=-1)
    _line(
        accuracy, own, "mlp_accuracy_inherited", colour, "-", label=f"MLP with the {name}'s weights"
    )
    _line(accuracy, own, "ebm_accuracy", colour, "--", label=name)
    _line(divergence, own, "kl", colour, "-")


def _line(
    axes: Any, own: Outcome, name: str, colour: str, style: str, *, sign: int = 1, label: str = "_"
) -> None:
    """The mean over seeds and its standard error."""
    mean = sign * own.mean(name)
    bars = np.array([standard_error(column) for column in own.curves[name].T])
    axes.plot(own.updates, mean, color=colour, linestyle=style, linewidth=1.3, label=label)
    axes.fill_between(own.updates, mean - bars, mean + bars, color=colour, alpha=0.15, linewidth=0)
