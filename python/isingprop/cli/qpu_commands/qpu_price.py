"""The command `isingprop qpu estimate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from isingprop.cli.console import one_line_errors, print_json
from isingprop.cli.options import AsJson
from isingprop.cli.qpu_commands.chip_options import (
    ChipSize,
    HiddenSpins,
    OutputSpins,
    Topology,
    find_copies,
)

if TYPE_CHECKING:
    from isingprop.qpu.estimate import Estimate


class Mode(StrEnum):
    """The ways in which DWave anneals."""

    FORWARD = "forward"
    REVERSE = "reverse"
    CYCLIC = "cyclic"


def estimate(
    topology: Annotated[
        Topology | None, Option(help="Of a perfect chip in place of a solver.")
    ] = None,
    size: ChipSize = None,
    solver: Annotated[
        str | None, Option(metavar="NAME", help="A solver of your D-Wave account.")
    ] = None,
    hidden: HiddenSpins = 120,
    output: OutputSpins = 40,
    mode: Annotated[Mode, Option(help="Of the training; tests anneal forward.")] = Mode.FORWARD,
    num_train: Annotated[int, Option(min=1, help="Training images.")] = 1000,
    num_test: Annotated[int, Option(min=0, help="Test images, after each epoch.")] = 100,
    epochs: Annotated[int, Option(min=1, help="Passes over the training images.")] = 30,
    num_states: Annotated[int, Option(min=1, help="States per image and update.")] = 20,
    batch_size: Annotated[int, Option(min=1, help="Images per update, which share calls.")] = 1,
    annealing_time: Annotated[
        float, Option(metavar="US", help="Of a read, in microseconds.")
    ] = 20.0,
    as_json: AsJson = False,
) -> None:
    """Say what training would cost in calls and seconds of QPU access time; nothing is sent."""
    _check_chip_options(topology, size, solver)
    with one_line_errors(), _device(topology, size, solver) as device:
        from isingprop.qpu.chip.working_graph import WorkingGraph
        from isingprop.samplers.dwave import DWave

        sampler = DWave(mode.value, annealing_time=annealing_time, solver=device)
        ancillas = mode is Mode.CYCLIC  # one more spin per layer, which carries its fields
        # The estimate would embed, too, but would not say that it may take minutes.
        find_copies(WorkingGraph.of(device), hidden + ancillas, output + ancillas)
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


def _check_chip_options(topology: Topology | None, size: int | None, solver: str | None) -> None:
    if (solver is None) == (topology is None):
        raise typer.BadParameter(
            "one of --topology (a stand-in) and --solver must be given, and not both"
        )
    if solver is not None and size is not None:
        raise typer.BadParameter("--size cannot be said with --solver: a solver has its own")


@contextmanager
def _device(topology: Topology | None, size: int | None, solver: str | None) -> Iterator[Any]:
    if topology is not None:
        from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

        yield EmulatedQPU(topology.value, size)
        return

    from isingprop.qpu.calls.connection import open_device

    with open_device(solver) as device:
        yield device


def _priced(price: Estimate, epochs: int) -> dict[str, Any]:
    """Returns the estimate, and the calls and seconds of training and tests over all epochs."""
    return asdict(price) | {
        "train_calls": epochs * price.calls_per_epoch,
        "train_seconds": epochs * price.seconds_per_epoch,
        "test_calls": epochs * price.test_calls_per_epoch,
        "test_seconds": epochs * price.test_seconds_per_epoch,
    }


def _print_price(report: dict[str, Any]) -> None:
    stand_in = f", a stand-in: perfect, with the timing data of {report['timing_of']}"
    about = stand_in if report["stand_in"] else ""
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
