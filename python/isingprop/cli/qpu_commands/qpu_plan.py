"""The command `isingprop qpu plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from isingprop.cli.console import INTERRUPTED, one_line_errors, print_json
from isingprop.cli.options import AsJson, DataDir, absolute, positive, whole
from isingprop.cli.qpu_commands.chip_options import (
    DEFAULT_CHIP,
    ChipFile,
    ChipSize,
    ChipTopology,
    HiddenSpins,
    SolverName,
    check_chip_options,
    chosen_chip,
    find_copies,
)
from isingprop.cli.qpu_commands.plan.plan_output import as_json_object, lines
from isingprop.cli.run_settings import RunSettings
from isingprop.cli.shell.shell_commands import DATA, QPU
from isingprop.data.load import DataName, load_data, load_test_images
from isingprop.estimator.recipes import recipe
from isingprop.readout import Readout
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.cli.qpu_commands.plan.planner import Report
    from isingprop.qpu.chip.chip_file import ChipDescription

_MOST_TEST_IMAGES = 1000  # their standard error is 1 % at most, and they are tested in no time


def plan(
    minutes: Annotated[
        float,
        Option(
            metavar="M",
            rich_help_panel=QPU,
            help="QPU access time that the run may cost, in minutes.",
        ),
    ],
    target_error: Annotated[
        float | None,
        Option(
            metavar="E",
            rich_help_panel=QPU,
            help="The cheapest plan that is expected to reach this test error.",
        ),
    ] = None,
    topology: ChipTopology = None,
    size: ChipSize = None,
    chip: ChipFile = None,
    solver: SolverName = None,
    hidden: HiddenSpins = 120,
    data: Annotated[DataName, Option(rich_help_panel=DATA, help="Images to train on.")] = "digits",
    data_dir: DataDir = None,
    num_train: Annotated[
        int | None, whole("num_train", DATA, "Training images that there are, at most [all].")
    ] = None,
    num_test: Annotated[
        int | None, whole("num_test", DATA, "Test images [all, and at most 1000].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the best use of M minutes of a chip.

    Plans are tried on the CPU. The chip is that of --topology, --chip or --solver [default: --chip
    advantage2_system1]. Nothing is sent to it.
    """
    positive("--minutes", minutes)
    if target_error is not None and not 0 < target_error < 1:
        raise typer.BadParameter(f"--target-error must be above 0 and below 1, got {target_error}")
    if topology is None and solver is None and chip is None:
        chip = DEFAULT_CHIP
    check_chip_options(topology, size, chip, solver)

    with one_line_errors(), chosen_chip(topology, size, chip, solver) as chosen:
        from isingprop.qpu.chip.chip_file import ChipDescription

        description = chosen if solver is None else ChipDescription.of_solver(chosen.properties)
        qpu_solver = solver or description.properties["chip_id"]
        if topology is not None:
            qpu_solver = f"emulated:{topology.value}" + ("" if size is None else f":{size}")
        settings = _settings(data, data_dir, num_train, num_test, hidden, qpu_solver)
        report, facts = _made(description, settings, minutes, target_error)

    if as_json:
        print_json(as_json_object(report, facts))
    else:
        for line in lines(report, facts):
            typer.echo(line)


def _settings(
    data: DataName,
    data_dir: Path | None,
    num_train: int | None,
    num_test: int | None,
    hidden: int,
    qpu_solver: str,
) -> RunSettings:
    """Returns the settings of a run on the chip before anything is planned.

    They are the paper's, with a rate that falls to 0: without that a few epochs end wherever the
    last images led.
    """
    if num_test is None:
        _, labels = load_test_images(data, data_dir=data_dir)
        num_test = min(len(labels), _MOST_TEST_IMAGES)

    return RunSettings(
        data=data,
        data_dir=absolute(data_dir),
        num_train=num_train,
        num_test=num_test,
        epochs=1,
        hidden=(hidden,),
        seed=0,
        threads=1,
        test_sampler="anneal",
        qpu_solver=qpu_solver,
        **{**recipe("paper"), "sampler": "dwave", "schedule": "linear"},
    )


def _made(
    chip: ChipDescription, settings: RunSettings, minutes: float, target: float | None
) -> tuple[Report, dict[str, Any]]:
    """Returns the planner's report, and the facts of the chip."""
    from isingprop.cli.qpu_commands.plan.planner import Planner
    from isingprop.qpu.chip.working_graph import WorkingGraph
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

    images = load_data(
        settings.data,
        data_dir=settings.data_dir,
        num_train=settings.num_train,
        num_test=settings.num_test,
    )
    device = EmulatedQPU(chip)
    num_output = Readout(images.num_classes).num_output
    copies, _, _ = find_copies(WorkingGraph.of(device), settings.hidden[0], num_output)
    qubits = [copy.num_qubits for copy in copies]
    facts = {
        "chip": chip.chip_id,
        "perfect": chip.is_perfect,
        "hidden": settings.hidden[0],
        "output": num_output,
        "copies": len(copies),
        "num_qubits": sum(qubits),
        "minutes": minutes,
        "target_error": target,
    }

    try:
        return Planner(device, qubits, settings, images).plan(minutes, target), facts
    except KeyboardInterrupt:
        say("Interrupted; what was measured is kept, and the same command goes on from there.")
        raise typer.Exit(INTERRUPTED) from None
