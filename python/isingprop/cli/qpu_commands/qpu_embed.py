"""The command `isingprop qpu embed`."""

from __future__ import annotations

import json
from pathlib import Path
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
    from isingprop.qpu.chip.working_graph import WorkingGraph
    from isingprop.qpu.embed.embedding import Embedding


def embed(
    topology: Annotated[Topology, Option(help="Topology of the chip.")],
    size: ChipSize = None,
    hidden: HiddenSpins = 120,
    output: OutputSpins = 40,
    broken: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help='JSON of what is missing: {"qubits": [...], "couplers": [[u, v], ...]}.',
        ),
    ] = None,
    draw: Annotated[Path | None, Option(metavar="FILE.png", help="Picture of the copies.")] = None,
    as_json: AsJson = False,
) -> None:
    """Embed as many disjoint copies of a network as fit on a chip; they are kept in the cache
    folder.
    """
    with one_line_errors():
        _check_picture(draw)
        graph = _graph(topology, size, broken)
        copies, seconds, cached = find_copies(graph, hidden, output)
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
