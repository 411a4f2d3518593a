"""The commands `isingprop qpu ...`: what a D-Wave chip holds, and what a run on it costs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from isingprop.cli.console import one_line_errors, print_json
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.qpu.chip.working_graph import WorkingGraph
    from isingprop.qpu.embed.embedding import Embedding
    from isingprop.qpu.estimate import Estimate

qpu_app = typer.Typer(
    help="What a D-Wave chip holds, and what a run on it costs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Topology(StrEnum):
    """The topologies of D-Wave's chips."""

    PEGASUS = "pegasus"
    ZEPHYR = "zephyr"


class Mode(StrEnum):
    """How DWave trains."""

    FORWARD = "forward"
    REVERSE = "reverse"
    CYCLIC = "cyclic"


@qpu_app.command()
def embed(
    topology: Annotated[Topology, Option(help="Topology of the chip.")],
    size: Annotated[int | None, Option(metavar="M", help="P_M or Z_M [default: 16 or 12].")] = None,
    hidden: Annotated[int, Option(min=1, help="Hidden spins of the network.")] = 120,
    output: Annotated[int, Option(min=1, help="Output spins of the network.")] = 40,
    broken: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help='JSON of what is missing: {"qubits": [...], "couplers": [[u, v], ...]}.',
        ),
    ] = None,
    draw: Annotated[Path | None, Option(metavar="FILE.png", help="Picture of the copies.")] = None,
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Embed as many disjoint copies of a network as fit on a chip; they are kept in the cache folder."""
    with one_line_errors():
        _check_picture(draw)
        graph = _graph(topology, size, broken)
        copies, seconds, cached = _copies(graph, hidden, output)
        if draw is not None:
            from isingprop.qpu.embed.embedding_plot import plot_copies

            plot_copies(graph, copies, draw)
    if as_json:
        print_json(_report(graph, copies) | {"seconds": seconds, "cached": cached})
    else:
        _print_report(
            graph, copies, f"{seconds:.3g} s" + (", from the cache folder" if cached else "")
        )


@qpu_app.command()
def estimate(
    topology: Annotated[
        Topology | None, Option(help="Of a perfect chip that stands in for a solver.")
    ] = None,
    size: Annotated[int | None, Option(metavar="M", help="P_M or Z_M [default: 16 or 12].")] = None,
    solver: Annotated[
        str | None, Option(metavar="NAME", help="A solver of your D-Wave account.")
    ] = None,
    hidden: Annotated[int, Option(min=1, help="Hidden spins of the network.")] = 120,
    output: Annotated[int, Option(min=1, help="Output spins of the network.")] = 40,
    mode: Annotated[Mode, Option(help="Of the training; tests anneal forward.")] = Mode.FORWARD,
    num_train: Annotated[int, Option(min=1, help="Training images.")] = 1000,
    num_test: Annotated[int, Option(min=0, help="Test images, after each epoch.")] = 100,
    epochs: Annotated[int, Option(min=1, help="Passes over the training images.")] = 30,
    num_states: Annotated[int, Option(min=1, help="States per image and update.")] = 20,
    batch_size: Annotated[int, Option(min=1, help="Images per update, which share calls.")] = 1,
    annealing_time: Annotated[
        float, Option(metavar="US", help="Of a read, in microseconds.")
    ] = 20.0,
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Say what training would cost in calls and seconds of QPU access time; nothing is sent."""
    if (solver is None) == (topology is None):
        raise typer.BadParameter(
            "one of --topology (a stand-in) and --solver must be given, and not both"
        )
    if solver is not None and size is not None:
        raise typer.BadParameter("--size cannot be said with --solver: a solver has its own")
    with one_line_errors(), _device(topology, size, solver) as device:
        from isingprop.qpu.chip.working_graph import WorkingGraph
        from isingprop.samplers.dwave import DWave

        sampler = DWave(mode.value, annealing_time=annealing_time, solver=device)
        apex = mode is Mode.CYCLIC
        _copies(
            WorkingGraph.of(device), hidden + apex, output + apex
        )  # says so where that takes long
        price = sampler.estimate(
            num_images=num_train,
            epochs=epochs,
            num_states=num_states,
            batch_size=batch_size,
            num_test=num_test,
            num_hidden=hidden,
            num_output=output,
        )
    run = {
        "hidden": hidden,
        "output": output,
        "mode": mode.value,
        "epochs": epochs,
        "annealing_time": annealing_time,
    }
    report = {
        "solver": device.properties["chip_id"],
        "stand_in": solver is None,
        **run,
        **_priced(price, epochs),
    }
    if as_json:
        print_json(report)
    else:
        _print_price(report)


def _check_picture(path: Path | None) -> None:
    if path is not None and path.suffix.lower() != ".png":
        raise ValueError(f"--draw must be a file that ends in .png, got {path}")
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise ValueError(f"--draw must be a file in a folder that is there, got {path}")


def _graph(topology: Topology, size: int | None, broken: Path | None) -> WorkingGraph:
    from isingprop.qpu.chip.working_graph import WorkingGraph

    graph = WorkingGraph.perfect(topology.value, size)
    if broken is None:
        return graph
    try:
        return graph.without(**_broken(broken))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{broken}: {error}") from None


def _broken(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_bytes())
    names = sorted(content) if isinstance(content, dict) else type(content).__name__
    if not isinstance(content, dict) or not set(content) <= {"qubits", "couplers"}:
        raise ValueError(f"keys must be qubits and couplers, got {names}")
    return {"qubits": [], **content}


def _copies(graph: WorkingGraph, hidden: int, output: int) -> tuple[list[Embedding], float, bool]:
    from isingprop.qpu.embed.embedding_cache import copies_of, stored_copies

    began = time.perf_counter()
    copies = stored_copies(graph, hidden, output)
    cached = copies is not None
    if copies is None:
        say(
            f"isingprop: embedding {hidden} x {output} spins on {graph.graph_id}; minutes if the chip is badly broken"
        )
        copies = copies_of(graph, hidden, output)
    return copies, time.perf_counter() - began, cached


def _report(graph: WorkingGraph, copies: list[Embedding]) -> dict[str, Any]:
    best = copies[0]
    return {
        "qubits": best.num_qubits,
        "max_chain_hidden": best.max_chain_hidden,
        "max_chain_output": best.max_chain_output,
        "copies": len(copies),
        "qubits_of_copies": [copy.num_qubits for copy in copies],
        "hidden": len(best.hidden),
        "output": len(best.output),
        "topology": graph.topology,
        "shape": graph.shape,
        "graph_id": graph.graph_id,
        "working_qubits": len(graph.qubits),
        "working_couplers": len(graph.couplers),
    }


def _print_report(graph: WorkingGraph, copies: list[Embedding], seconds: str) -> None:
    best = copies[0]
    used = sum(copy.num_qubits for copy in copies)
    typer.echo(
        f"chip            {graph.graph_id}: {len(graph.qubits)} qubits, {len(graph.couplers)} couplers"
    )
    typer.echo(
        f"copies          {len(copies)} of {len(best.hidden)} x {len(best.output)} spins, {used} qubits in all"
    )
    typer.echo(
        f"best copy       {best.num_qubits} qubits, longest chains {best.max_chain_hidden} (hidden) "
        f"and {best.max_chain_output} (output)"
    )
    typer.echo(f"time            {seconds}")


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
    """The estimate, and the whole run's training and tests apart."""
    return asdict(price) | {
        "train_calls": epochs * price.calls_per_epoch,
        "train_seconds": epochs * price.seconds_per_epoch,
        "test_calls": epochs * price.test_calls_per_epoch,
        "test_seconds": epochs * price.test_seconds_per_epoch,
    }


def _print_price(report: dict[str, Any]) -> None:
    about = (
        ", a stand-in: perfect, with the timing data of Advantage 4.1 in 2022"
        if report["stand_in"]
        else ""
    )
    typer.echo(f"chip            {report['solver']}{about}")
    for text in (
        "network         {hidden} x {output} spins; a call holds {copies} copies, {num_qubits} qubits",
        "an epoch        {calls_per_epoch_one_copy} calls, {seconds_per_epoch_one_copy:.2f} s with 1 copy",
        "                {calls_per_epoch} calls, {seconds_per_epoch:.2f} s with {copies} copies",
        "a test          {test_calls_per_epoch} calls, {test_seconds_per_epoch:.2f} s",
        "the run         {epochs} epochs: {train_calls} calls, {train_seconds:.1f} s of training; "
        "{test_calls} calls, {test_seconds:.1f} s of tests; {calls} calls, {seconds:.1f} s in all",
    ):
        typer.echo(text.format_map(report))
