"""Options of a chip that the commands `isingprop qpu` share, and the copies that it holds."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from typer import Option

from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.qpu.chip.working_graph import WorkingGraph
    from isingprop.qpu.embed.embedding import Embedding


class Topology(StrEnum):
    """The topologies of D-Wave's chips."""

    PEGASUS = "pegasus"
    ZEPHYR = "zephyr"


ChipSize = Annotated[int | None, Option(metavar="M", help="P_M or Z_M [default: 16 or 12].")]
HiddenSpins = Annotated[int, Option(min=1, help="Hidden spins of the network.")]
OutputSpins = Annotated[int, Option(min=1, help="Output spins of the network.")]


def find_copies(
    graph: WorkingGraph, hidden: int, output: int
) -> tuple[list[Embedding], float, bool]:
    """Embeds a network as often as it fits, and says so on stderr where that may take long.

    Returns:
        The copies, best first; the seconds it took; whether they came from the cache folder.
    """
    from isingprop.qpu.embed.embedding_cache import copies_of, stored_copies

    began = time.perf_counter()
    copies = stored_copies(graph, hidden, output)
    cached = copies is not None
    if copies is None:
        say(
            f"isingprop: embedding {hidden} x {output} spins on {graph.graph_id}; "
            "minutes if the chip is badly broken"
        )
        copies = copies_of(graph, hidden, output)

    return copies, time.perf_counter() - began, cached
