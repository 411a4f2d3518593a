"""Fig. 5 of the MLP paper: time to sample against the size of the model, on a processor and on a chip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.study_setup import COLOURS, Setup
from isingprop.paper.common.text import finite
from isingprop.paper.mlp_runtime.runtime_curves import (
    ANNEALING_SECONDS,
    ANNEALING_TIME,
    FULL,
    QUICK,
    TITLES,
    ChipTimes,
    Curve,
    Plan,
    crossing,
    curves_of,
    ratios,
)
from isingprop.paper.mlp_runtime.runtime_jobs import NUM_READS, Sampling, Stars
from isingprop.paper.mlp_runtime.runtime_report import report

_BLACK = COLOURS[-1]
_STYLES = ("-", "--")  # of chips


def number_of_jobs(setup: Setup) -> int:
    """For each repetition one, and one for each chip."""
    return setup.num_seeds + len(_plan(setup).chips)


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Times, writes mlp-runtime.csv, .json, .png, .svg and .md; returns what the JSON file has.

    Beside them mlp-runtime_stars.csv. Jobs run one at a time, whatever the number of workers: side by side they would
    take each other's memory bandwidth.
    """
    start = perf_counter()
    images, plan = setup.load_data(), _plan(setup)
    jobs = [Sampling(plan.sizes, seed) for seed in setup.seeds]
    curves = curves_of(plan, [runner.run([job], images, "mlp-runtime")[0] for job in jobs])
    chips = _chips(
        plan,
        runner.run([Stars(*chip, plan.sizes) for chip in plan.chips], images, "mlp-runtime stars"),
    )
    numbers = {
        "contenders": {name: _numbers(curve, chips) for name, curve in curves.items()},
        "ratio": np.median(ratios(curves), axis=0).tolist(),
        "chips": {chip.name: _chip_numbers(chip) for chip in chips},
        **setup.facts(images),
        "sizes": plan.sizes,
        "fit_from": plan.fit_from,
        "num_reads": NUM_READS,
        "annealing_time": ANNEALING_TIME,
        "seconds": perf_counter() - start,
    }
    setup.write_csv("mlp-runtime", list(_rows(setup, curves)))
    setup.write_csv("mlp-runtime_stars", list(_star_rows(chips)))
    setup.write_json("mlp-runtime", numbers)
    setup.write_picture("mlp-runtime", _draw(plan, curves, chips))
    setup.write_report("mlp-runtime", report(setup, images, plan, curves, chips), papers=None)
    return numbers


def _plan(setup: Setup) -> Plan:
    return QUICK if setup.quick else FULL


def _chips(plan: Plan, results: Sequence[dict[str, Any]]) -> list[ChipTimes]:
    """With the timing data of the stand-in, which are the same for each size and topology."""
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

    properties = EmulatedQPU("zephyr", 1).properties
    return [
        ChipTimes.of(plan, chip, result, properties)
        for chip, result in zip(plan.chips, results, strict=True)
    ]


def _numbers(curve: Curve, chips: Sequence[ChipTimes]) -> dict[str, Any]:
    exponent = curve.exponent
    return {
        "exponent": exponent.mean,
        "exponent_low": finite(exponent.low),
        "exponent_high": finite(exponent.high),
        "overtakes_annealing": crossing(curve, ANNEALING_SECONDS),
        "overtakes_access": {chip.name: crossing(curve, chip) for chip in chips},
        "seconds": curve.median.tolist(),
    }


def _chip_numbers(chip: ChipTimes) -> dict[str, Any]:
    return {
        "largest": chip.largest,
        "sizes": chip.sizes.tolist(),
        "chain": chip.chain.tolist(),
        "diameter": chip.diameter.tolist(),
        "access_seconds": chip.seconds.tolist(),
    }


def _rows(setup: Setup, curves: Mapping[str, Curve]) -> Iterator[dict[str, Any]]:
    for name, curve in curves.items():
        for row, seed in enumerate(setup.seeds):
            for column, size in enumerate(curve.sizes):
                yield {
                    "contender": name,
                    "seed": seed,
                    "n": size,
                    "seconds": float(curve.seconds[row, column]),
                }


def _star_rows(chips: Sequence[ChipTimes]) -> Iterator[dict[str, Any]]:
    for chip in chips:
        for size, chain, diameter, seconds in zip(
            chip.sizes, chip.chain, chip.diameter, chip.seconds, strict=True
        ):
            yield {
                "chip": chip.name,
                "n": int(size),
                "chain": int(chain),
                "diameter": int(diameter),
                "access_seconds": float(seconds),
            }


def _draw(plan: Plan, curves: Mapping[str, Curve], chips: Sequence[ChipTimes]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    axes = figure.add_subplot(
        xscale="log",
        yscale="log",
        xlabel="n, units joined to a single other one",
        ylabel="seconds for 1,000 samples",
    )
    for (name, curve), colour, marker in zip(curves.items(), COLOURS, "osD^", strict=False):
        low, high = curve.seconds.min(axis=0), curve.seconds.max(axis=0)
        axes.fill_between(curve.sizes, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(
            curve.sizes, curve.median, color=colour, marker=marker, markersize=4, label=TITLES[name]
        )
    most = max(chip.largest for chip in chips)
    for chip, style in zip(chips, _STYLES, strict=True):
        label = f"QPU access time, {chip.name}"
        axes.plot(
            chip.sizes, chip.seconds, color=_BLACK, linestyle=style, linewidth=1.8, label=label
        )
        _mark(
            axes, chip.largest, f"largest found on {chip.name}: {chip.largest:,}", style, "bottom"
        )
    label = "QPU, anneals alone"
    axes.plot(
        [1, most], [ANNEALING_SECONDS] * 2, color=_BLACK, linestyle=":", linewidth=1.8, label=label
    )
    for size, chip in zip(plan.paper[1:], chips, strict=False):
        _mark(axes, size, f"paper, {chip.name}: {size}", "-.", "top")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _mark(axes: Any, size: int, text: str, style: str, side: str) -> None:
    """A vertical line with its meaning beside it, where no curve is."""
    axes.axvline(size, color="#777777", linestyle=style, linewidth=0.8)
    axes.annotate(
        text,
        (size, 0.02 if side == "bottom" else 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(-2, 0),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va=side,
        fontsize=8,
        color="#555555",
    )
