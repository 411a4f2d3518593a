"""The command `isingprop qpu rehearse`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer import Option

from isingprop.cli.console import OTHER_ERROR, one_line_errors, print_json
from isingprop.cli.options import AsJson, with_options_of
from isingprop.cli.qpu_commands.chip_options import (
    DEFAULT_CHIP,
    ChipFile,
    SolverName,
    chosen_chip,
    find_copies,
)
from isingprop.cli.run_samplers import DWAVE_MODES
from isingprop.cli.shell.shell_commands import SAMPLING
from isingprop.cli.train import settings_of, train
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.cli.rehearsal.checklist import Check
    from isingprop.cli.rehearsal.rehearsal_plan import RehearsalPlan
    from isingprop.cli.run_settings import RunSettings
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

# Probability that a qubit is read out with the wrong sign. D-Wave states a fidelity of the read-out
# of over 99 %; the temperature is the default one of emulated chips.
_FLIP_RATE = 0.002
# Options of `train` without a meaning for a rehearsal, and what stands for them.
_NOT_OF_REHEARSALS = {"qpu_solver": None, "beta_effective": False, "snapshots": False}
_LEFT_OUT = ("context", "sampler", "dry_run", "out", "resume", "as_json", *_NOT_OF_REHEARSALS)


@with_options_of(train, left_out=_LEFT_OUT)
def rehearse(
    chip: ChipFile = None,
    solver: SolverName = None,
    sampler: Annotated[
        Literal["dwave", "dwave-reverse", "dwave-cyclic"],
        Option(rich_help_panel=SAMPLING, help="How the chip anneals."),
    ] = "dwave",
    as_json: AsJson = False,
    **options: Any,
) -> None:
    """Rehearse a training run on an emulated chip.

    It goes through a budget stop, faults and a kill. A local server stands in for D-Wave and
    nothing is paid. It has the properties and the working graph of --chip (advantage2_system1 if
    none is given) or of --solver, which is only read. Some images are trained on with the options
    of `isingprop train`. The exit code is 0 if all checks have passed.
    """
    planned = settings_of({**options, **_NOT_OF_REHEARSALS, "sampler": sampler})
    if chip is not None and solver is not None:
        raise typer.BadParameter("--chip cannot be said with --solver")

    start = perf_counter()
    with one_line_errors(), tempfile.TemporaryDirectory(prefix="isingprop-") as folder:
        device = _emulated(chip, solver)
        plan, checks, embedding = _rehearse(planned, device, Path(folder))

    seconds = perf_counter() - start - embedding
    _print(plan, checks, device.properties_of, seconds, embedding, as_json)
    if not all(check.passed for check in checks):
        raise typer.Exit(OTHER_ERROR)


def _emulated(chip: str | None, solver: str | None) -> EmulatedQPU:
    """Returns an emulated chip with noise."""
    from isingprop.cli.rehearsal.child_commands import preload
    from isingprop.qpu.chip.chip_file import ChipDescription

    with chosen_chip(None, None, chip or DEFAULT_CHIP, solver) as chosen:
        description = chosen if solver is None else ChipDescription.of_solver(chosen.properties)
    preload()  # goes on while the chip is made and the network embedded

    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

    return EmulatedQPU(description, flip_rate=_FLIP_RATE)


def _rehearse(
    planned: RunSettings, chip: EmulatedQPU, folder: Path
) -> tuple[RehearsalPlan, list[Check], float]:
    """Rehearses a planned run in a temporary folder.

    Returns:
        The plan, the checks, and the seconds that the embedding took.
    """
    from isingprop.cli.rehearsal.checklist import checklist
    from isingprop.cli.rehearsal.rehearsal_plan import make_plan
    from isingprop.cli.rehearsal.rehearsed_run import rehearse_run
    from isingprop.qpu.chip.limits import Limits
    from isingprop.qpu.chip.working_graph import WorkingGraph

    images = planned.load_data()
    trainer = planned.make_trainer(images)
    graph = WorkingGraph.of(chip)
    apex = DWAVE_MODES[planned.sampler] == "cyclic"
    found = [find_copies(graph, *shape, apex=apex) for shape in trainer.problem_shapes]

    plan = make_plan(planned, images, trainer, chip, folder / "unused")
    small = plan.settings
    say(
        f"isingprop: rehearsing about {plan.calls} calls on an emulated {chip.properties_of}: "
        f"{small.num_train} images, {small.num_states} states, {small.epochs} epochs"
    )
    run = rehearse_run(small, plan.small_budget, chip, folder)

    copies = [each for each, _, _ in found]
    checks = list(checklist(plan, copies, run, Limits.of(chip.properties, graph)))
    return plan, checks, sum(seconds for _, seconds, _ in found)


def _print(
    plan: RehearsalPlan,
    checks: list[Check],
    chip: str,
    seconds: float,
    embedding: float,
    as_json: bool,
) -> None:
    """Prints the checklist of a rehearsal on a chip, and how long it and the embedding took."""
    small = plan.settings
    passed = sum(check.passed for check in checks)
    report = {
        "ok": passed == len(checks),
        "solver": chip,
        "sampler": small.sampler,
        "num_train": small.num_train,
        "num_states": small.num_states,
        "epochs": small.epochs,
        "seconds": seconds,
        "embedding_seconds": embedding,
        "checks": [check.as_json() for check in checks],
    }
    if as_json:
        print_json(report)
        return

    for check in checks:
        typer.echo(check.line())
    besides = f", besides {embedding:.0f} s of embedding" if embedding >= 1 else ""
    time = f"{seconds:.0f} s{besides}"
    typer.echo(f"{'in all':<16}{passed} of {len(checks)} checks have passed, in {time}")
