"""Options of a chip that the commands `isingprop qpu` share, and the copies that it holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from isingprop.cli.options import count
from isingprop.cli.shell.shell_commands import CHIP, NETWORK
from isingprop.qpu.emulator.named_chip import is_emulated
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.qpu.chip.chip_file import ChipDescription
    from isingprop.qpu.chip.working_graph import WorkingGraph
    from isingprop.qpu.embed.embedding import Embedding


class Topology(StrEnum):
    """The topologies of D-Wave's chips."""

    PEGASUS = "pegasus"
    ZEPHYR = "zephyr"


#: The chip of a command that need not be given one.
DEFAULT_CHIP = "advantage2_system1"

ChipTopology = Annotated[
    Topology | None, Option(rich_help_panel=CHIP, help="Topology of a perfect chip.")
]
ChipSize = Annotated[
    int | None,
    Option(
        metavar="M",
        rich_help_panel=CHIP,
        help="P_M or Z_M, with --topology [default: 16 or 12].",
    ),
]
ChipFile = Annotated[
    str | None,
    Option(
        metavar="FILE|NAME",
        rich_help_panel=CHIP,
        help="A solver's properties in JSON, as json.dump(sampler.properties, file) writes them; "
        "or advantage2_system1 or advantage_system4.1, as D-Wave listed them in 2026.",
    ),
]
SolverName = Annotated[
    str | None,
    Option(metavar="NAME", rich_help_panel=CHIP, help="A solver of your D-Wave account."),
]
HiddenSpins = Annotated[int, count(NETWORK, "Hidden spins of the network.")]
OutputSpins = Annotated[int, count(NETWORK, "Output spins of the network.")]


def check_chip_options(
    topology: Topology | None, size: int | None, chip: str | None, solver: str | None
) -> None:
    """Checks that the options name one chip."""
    if sum(option is not None for option in (topology, chip, solver)) != 1:
        raise typer.BadParameter("one of --topology, --chip and --solver must be given")
    if topology is None and size is not None:
        raise typer.BadParameter("--size must go with --topology: other chips have their own")


@contextmanager
def chosen_chip(
    topology: Topology | None, size: int | None, chip: str | None, solver: str | None
) -> Iterator[ChipDescription | Any]:
    """Yields the description of the chip that the options name, or the device of a solver.

    Raises:
        ConnectionError: without a D-Wave account or such a solver.
        OSError, ValueError: for a file that cannot be read or describes no chip, or a solver that
            is an emulated chip.
    """
    if solver is not None and is_emulated(solver):
        raise ValueError(
            "--solver must be a solver of your D-Wave account, got "
            f"{solver}; other chips are --topology or --chip"
        )
    if solver is not None:
        from isingprop.qpu.calls.connection import open_device

        with open_device(solver) as device:
            yield device
    else:
        from isingprop.qpu.chip.chip_file import ChipDescription

        yield ChipDescription.of(topology.value, size) if topology else _described(chip or "")


def find_copies(
    graph: WorkingGraph,
    hidden: int,
    output: int,
    *,
    apex: bool = False,
    seconds: float | None = None,
) -> tuple[list[Embedding], float, bool]:
    """Embeds a network as often as it fits, and says so on stderr where that takes long.

    With `apex` it is one with a further spin in each layer, as cyclic annealing takes it. With
    `seconds` the search goes on for so long, also where copies are stored.

    Returns:
        The copies, best first; the seconds it took; whether they came from the cache folder.
    """
    from isingprop.qpu.calls.programmed_chip import network_copies
    from isingprop.qpu.embed.embedding_cache import stored_copies

    began = time.perf_counter()
    copies = stored_copies(graph, hidden + apex, output + apex) if seconds is None else None
    cached = copies is not None
    if copies is None:
        limit = "up to a minute, or some" if seconds is None else f"{seconds:g} s, or"
        say(
            f"isingprop: embedding {hidden} x {output} spins on {graph.graph_id}: {limit} minutes "
            "if hardly anything fits"
        )
        copies = network_copies(graph, hidden, output, apex=apex, seconds=seconds)

    return copies, time.perf_counter() - began, cached


def _described(chip: str) -> ChipDescription:
    """Returns the chip that --chip names or whose file it is."""
    from isingprop.qpu.chip.chip_file import REAL_CHIPS, ChipDescription, real_chip_name

    if real_chip_name(chip) is not None:
        return ChipDescription.of(chip)
    try:
        return ChipDescription.read(chip)
    except OSError as error:
        names = " or ".join(REAL_CHIPS.values())
        raise ValueError(
            f"--chip must be {names} or a file that can be read, got {chip} ({error.strerror})"
        ) from None
