"""Reproduces Fig. 5 of the MLP paper (arXiv:2303.12352): sampling time against the size of a model.

It compares a processor, running several samplers, with the estimated access time of two chips.

Jobs: one `Sampling` for each repetition, and one `Stars` for each chip.

Files: mlp-runtime.csv (a row for each contender, repetition and size), mlp-runtime_stars.csv (a row
for each chip and size), mlp-runtime.json, mlp-runtime.md, mlp-runtime.png and mlp-runtime.svg.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from isingprop.paper.common.jobs import Runner
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import finite
from isingprop.paper.mlp_runtime.runtime_curves import (
    ANNEALING_SECONDS,
    ANNEALING_TIME,
    FULL,
    QUICK,
    ChipTimes,
    Curve,
    Plan,
    crossing,
    curves_of,
    ratios,
)
from isingprop.paper.mlp_runtime.runtime_jobs import NUM_READS, Sampling, Stars
from isingprop.paper.mlp_runtime.runtime_plot import plot
from isingprop.paper.mlp_runtime.runtime_report import report


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: one for each repetition, and one for each chip."""
    return setup.num_seeds + len(_plan(setup).chips)


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Times the contenders, writes all files, and returns the contents of mlp-runtime.json.

    Repetitions run one at a time, whatever the number of workers: side by side they would take each
    other's memory bandwidth.
    """
    start = perf_counter()
    images, plan = setup.load_data(), _plan(setup)
    repetitions = [Sampling(plan.sizes, seed) for seed in setup.seeds]
    curves = curves_of(plan, [runner.run([job], images, "mlp-runtime")[0] for job in repetitions])
    stars = [Stars(*chip, plan.sizes) for chip in plan.chips]
    chips = _chips(plan, runner.run(stars, images, "mlp-runtime stars"))

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
    shown = (
        "Time to sample n units joined to one other, one thread; median, bands: range over "
        "repetitions"
    )
    setup.write_picture("mlp-runtime", plot(plan, curves, chips), shown, f"{NUM_READS:,} samples")
    setup.write_report("mlp-runtime", report(setup, images, plan, curves, chips), papers=None)
    return numbers


def _plan(setup: Setup) -> Plan:
    return QUICK if setup.quick else FULL


def _chips(plan: Plan, results: Sequence[dict[str, Any]]) -> list[ChipTimes]:
    """Adds access times to the results of `Stars`.

    The timing data are those of the real chip of the topology.
    """
    from isingprop.qpu.chip.chip_file import ChipDescription

    return [
        ChipTimes.of(plan, chip, result, ChipDescription.of(*chip).properties)
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
    """Yields the rows of mlp-runtime.csv."""
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
    """Yields the rows of mlp-runtime_stars.csv."""
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
