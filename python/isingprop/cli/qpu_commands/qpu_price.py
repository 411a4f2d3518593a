"""The command `isingprop qpu estimate`."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from isingprop.cli.console import one_line_errors, print_json
from isingprop.cli.options import AsJson, count
from isingprop.cli.qpu_commands.chip_options import (
    ChipFile,
    ChipSize,
    ChipTopology,
    HiddenSpins,
    OutputSpins,
    SolverName,
    check_chip_options,
    chosen_chip,
    find_copies,
)
from isingprop.cli.shell.shell_commands import DATA, LEARNING, SAMPLING

if TYPE_CHECKING:
    from isingprop.qpu.estimate import Estimate


class Mode(StrEnum):
    """The ways in which DWave anneals."""

    FORWARD = "forward"
    REVERSE = "reverse"
    CYCLIC = "cyclic"
    FAST = "fast"


def estimate(
    topology: ChipTopology = None,
    size: ChipSize = None,
    chip: ChipFile = None,
    solver: SolverName = None,
    hidden: HiddenSpins = 120,
    output: OutputSpins = 40,
    mode: Annotated[
        Mode, Option(rich_help_panel=SAMPLING, help="Of the training; tests anneal forward.")
    ] = Mode.FORWARD,
    num_train: Annotated[int, count(DATA, "Training images.")] = 1000,
    num_test: Annotated[int, count(DATA, "Test images, after each epoch.", least=0)] = 100,
    epochs: Annotated[int, count(LEARNING, "Passes over the training images.")] = 30,
    num_states: Annotated[int, count(SAMPLING, "States per image and update.")] = 20,
    batch_size: Annotated[int, count(LEARNING, "Images per update, which share calls.")] = 1,
    annealing_time: Annotated[
        float,
        Option(metavar="US", rich_help_panel=SAMPLING, help="Of a read, in microseconds."),
    ] = 20.0,
    as_json: AsJson = False,
) -> None:
    """Say what training would cost on a chip.

    The price is in calls and seconds of QPU access time. Nothing is sent.
    """
    check_chip_options(topology, size, chip, solver)
    with one_line_errors(), chosen_chip(topology, size, chip, solver) as chosen:
        from isingprop.qpu.chip.working_graph import WorkingGraph
        from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
        from isingprop.samplers.dwave import DWave

        device = EmulatedQPU(chosen) if solver is None else chosen
        sampler = DWave(mode.value, annealing_time=annealing_time, solver=device)
        # The estimate would embed, too, but would not say that it may take minutes.
        find_copies(WorkingGraph.of(device), hidden, output, apex=mode in (Mode.CYCLIC, Mode.FAST))
        price = sampler.estimate(
            num_images=num_train,
            epochs=epochs,
            num_states=num_states,
            batch_size=batch_size,
            num_test=num_test,
            num_hidden=hidden,
            num_output=output,
        )

    report = {
        "solver": device.properties["chip_id"],
        "stand_in": solver is None,
        "perfect": topology is not None,
        "timing_of": getattr(device, "properties_of", device.properties["chip_id"]),
        "hidden": hidden,
        "output": output,
        "mode": mode.value,
        "epochs": epochs,
        "annealing_time": annealing_time,
        **_priced(price, epochs),
    }
    if as_json:
        print_json(report)
    else:
        _print_price(report)


def _priced(price: Estimate, epochs: int) -> dict[str, Any]:
    """Returns the estimate, and the calls and seconds of training and tests over all epochs."""
    return asdict(price) | {
        "train_calls": epochs * price.calls_per_epoch,
        "train_seconds": epochs * price.seconds_per_epoch,
        "test_calls": epochs * price.test_calls_per_epoch,
        "test_seconds": epochs * price.test_seconds_per_epoch,
    }


def _print_price(report: dict[str, Any]) -> None:
    about = ", a stand-in" if report["stand_in"] else ""
    if report["stand_in"]:
        about += ": perfect, " if report["perfect"] else ": broken parts and all, "
        about += f"with the timing data of {report['timing_of']}"
    typer.echo(f"chip            {report['solver']}{about}")

    for text in (
        "network         {hidden} x {output} spins; a call holds {copies} copies, "
        "{num_qubits} qubits",
        "an epoch        {calls_per_epoch_one_copy} calls, {seconds_per_epoch_one_copy:.2f} s "
        "with 1 copy",
        "                {calls_per_epoch} calls, {seconds_per_epoch:.2f} s with {copies} copies",
        "a test          {test_calls_per_epoch} calls, {test_seconds_per_epoch:.2f} s",
        "the run         {epochs} epochs: {train_calls} calls, {train_seconds:.1f} s of training; "
        "{test_calls} calls, {test_seconds:.1f} s of tests; {calls} calls, {seconds:.1f} s in all",
    ):
        typer.echo(text.format_map(report))
