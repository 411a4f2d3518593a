"""The command `isingprop qpu embed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from isingprop.cli.console import one_line_errors, print_json
from isingprop.cli.options import AsJson
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
from isingprop.cli.shell.shell_commands import RUN

if TYPE_CHECKING:
    from isingprop.qpu.chip.working_graph import WorkingGraph
    from isingprop.qpu.embed.embedding import Embedding


def embed(
    topology: ChipTopology = None,
    size: ChipSize = None,
    chip: ChipFile = None,
    solver: SolverName = None,
    hidden: HiddenSpins = 120,
    output: OutputSpins = 40,
    seconds: Annotated[
        float | None,
        Option(
            min=0,
            metavar="S",
            rich_help_panel=RUN,
            help="Time to search for more and shorter chains, beyond what is stored.",
        ),
    ] = None,
    draw: Annotated[
        Path | None,
        Option(metavar="FILE.png", rich_help_panel=RUN, help="Picture of the copies."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Embed as many disjoint copies of a network as fit on a chip.

    They are kept in the cache folder.
    """
    check_chip_options(topology, size, chip, solver)
    with one_line_errors():
        _check_picture(draw)
        with chosen_chip(topology, size, chip, solver) as chosen:
            from isingprop.qpu.chip.chip_file import ChipDescription
            from isingprop.qpu.chip.working_graph import WorkingGraph

            described = isinstance(chosen, ChipDescription)
            graph = chosen.graph if described else WorkingGraph.of(chosen)

        copies, seconds, cached = find_copies(graph, hidden, output, seconds=seconds)
        if draw is not None:
            from isingprop.qpu.embed.embedding_plot import plot_copies

            plot_copies(graph, copies, draw)

    if as_json:
        print_json(_report(graph, copies) | {"seconds": seconds, "cached": cached})
    else:
        source = ", from the cache folder" if cached else ""
        _print_report(graph, copies, f"{seconds:.3g} s{source}")


def _check_picture(path: Path | None) -> None:
    if path is not None and path.suffix.lower() != ".png":
        raise ValueError(f"--draw must be a file that ends in .png, got {path}")
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise ValueError(f"--draw must be a file in a folder that is there, got {path}")


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
        f"chip            {graph.graph_id}: {len(graph.qubits)} qubits, "
        f"{len(graph.couplers)} couplers"
    )
    typer.echo(
        f"copies          {len(copies)} of {len(best.hidden)} x {len(best.output)} spins, "
        f"{used} qubits in all"
    )
    typer.echo(
        f"best copy       {best.num_qubits} qubits, longest chains "
        f"{best.max_chain_hidden} (hidden) and {best.max_chain_output} (output)"
    )
    typer.echo(f"time            {seconds}")
