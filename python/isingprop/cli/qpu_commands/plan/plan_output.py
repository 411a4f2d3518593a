"""What `isingprop qpu plan` prints."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from isingprop.cli.console import json_number
from isingprop.cli.qpu_commands.plan.learning_curves import CHECK_SEEDS, SEEDS
from isingprop.cli.run_settings import RunSettings

if TYPE_CHECKING:
    from isingprop.cli.qpu_commands.plan.plan_search import Expected, Plan
    from isingprop.cli.qpu_commands.plan.planner import Report

_SHOWN = 5  # plans in the table
# The options of `isingprop train` that a plan sets, by their names in RunSettings; what a chip's
# settings are otherwise, they are in trials.
_OPTIONS = (
    "data",
    "data_dir",
    "num_train",
    "num_test",
    "epochs",
    "hidden",
    "sampler",
    "qpu_solver",
    "num_states",
    "batch_size",
    "learning_rate",
    "schedule",
    "qpu_annealing_time",
    "test_sampler",
    "qpu_budget",
)


def command(settings: RunSettings) -> str:
    """Returns the command that trains with some settings."""
    words = ["isingprop", "train"]
    for name in _OPTIONS:
        if (value := getattr(settings, name)) is not None:
            text = ",".join(map(str, value)) if name == "hidden" else _text(value)
            words += ["--" + name.replace("_", "-"), text]
    return shlex.join(words)


def _text(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _numbers(plan: Plan, report: Report) -> dict[str, Any]:
    """Returns the row of a plan."""
    return {
        **plan.choice._asdict(),
        "learning_rate": report.curves.rates[plan.choice.batch_size],
        "calls": plan.calls,
        "seconds": plan.seconds,
        "expected_error": plan.expected.error,
        "standard_error": plan.expected.standard_error,
    }


def as_json_object(report: Report, facts: dict[str, Any]) -> dict[str, Any]:
    """Returns what `--json` prints."""
    qualities = [asdict(each) for each in report.qualities]

    return {
        **facts,
        "plans": [_numbers(plan, report) for plan in report.plans[:_SHOWN]],
        "seconds_left": report.seconds_left,
        "command": command(report.settings),
        "checked_error": report.checked.error,
        "checked_standard_error": report.checked.standard_error,
        "qualities": [
            each | {"beta_effective": json_number(each["beta_effective"])} for each in qualities
        ],
        "reference": report.curves.reference._asdict(),
        "trials": report.num_trials,
        "trials_made": report.num_made,
        "num_test": report.curves.num_test,
    }


def lines(report: Report, facts: dict[str, Any]) -> Iterator[str]:
    """Yields the lines that the command prints."""
    perfect = ", a perfect chip with its properties" if facts["perfect"] else ""
    yield f"chip            {facts['chip']}{perfect}"
    yield (
        "network         {hidden} x {output} spins; a call holds {copies} copies, "
        "{num_qubits} qubits".format_map(facts)
    )
    yield from _quality_lines(report)

    yield from _trial_lines(report)
    yield from _table(report)
    yield (
        f"check           {len(CHECK_SEEDS)} trials of the first plan itself, with other seeds: "
        f"error {_percent(report.checked)}"
    )
    yield (
        f"left            {report.seconds_left:.2f} s of {60 * facts['minutes']:g} s; the first "
        f"plan takes {report.plans[0].seconds:.2f} s"
    )
    yield f"command         {command(report.settings)}"


def _quality_lines(report: Report) -> Iterator[str]:
    """Yields what the reads of the emulated chip are worth."""
    calls = sum(each.num_calls for each in report.qualities)
    yield (
        f"reads           of an emulated chip, rotors in its measured fields ({calls} calls); "
        "a real one's may be better or worse"
    )

    for each in report.qualities:
        sweeps = "1 sweep" if each.num_sweeps == 1 else f"{each.num_sweeps} sweeps"
        yield (
            f"                {each.annealing_time:g} us: {each.chain_break_fraction:.1%} of "
            f"chains broken, energies {each.excess:.2%} above the lowest, as after {sweeps} of "
            "anneal"
        )


def _trial_lines(report: Report) -> Iterator[str]:
    """Yields what was tried, and what is assumed beyond that."""
    curves, reference = report.curves, report.curves.reference
    error = curves.batch_sizes[reference.batch_size].mean()

    yield (
        f"trials          {report.num_trials} training runs on the CPU with reads like these "
        f"({report.num_made} of them new), {len(SEEDS)} seeds each, {curves.num_test} test images:"
    )
    yield (
        f"                all images x epochs at batch {reference.batch_size}, "
        f"{reference.num_states} reads, {reference.annealing_time:g} us; other batches, rates, "
        "reads and times"
    )
    yield (
        f"                at {reference.num_images} x {reference.epochs} only (error {error:.1%}), "
        "whose ratios are taken to hold everywhere"
    )


def _table(report: Report) -> Iterator[str]:
    """Yields the table of the best plans."""
    yield (
        "plans           images epochs batch reads  us  rate     calls  seconds  expected error "
        "(± seeds, test images)"
    )
    for plan in report.plans[:_SHOWN]:
        row = _numbers(plan, report)
        yield (
            "                {num_images:6} {epochs:6} {batch_size:5} {num_states:5} "
            "{annealing_time:3g}  {learning_rate:<8.5g} {calls:5} {seconds:8.2f}  ".format_map(row)
            + _percent(plan.expected)
        )


def _percent(expected: Expected) -> str:
    return f"{expected.error:.1%} ± {expected.standard_error:.1%}"
