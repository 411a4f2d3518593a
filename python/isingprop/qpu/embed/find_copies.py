"""Finds disjoint copies of a network on a chip."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding
from isingprop.qpu.embed.line_packing import MAX_LENGTH_RATIO, line_packing
from isingprop.qpu.embed.lines import Lines
from isingprop.qpu.embed.path_packing import PathPacking
from isingprop.qpu.embed.stars import Star, Stars
from isingprop.util.checks import whole_number

# Version of the search in the keys of stored embeddings; a change of what it finds changes it.
ALGORITHM = 3

# Where no time is set, the search ends after this work of PathPacking, half a minute to a minute,
# or earlier where work up to the best packing was followed by far more without a better one.
_MAX_WORK = 1_200_000
_WORK_IN_VAIN, _FACTOR_IN_VAIN = 300_000, 3
# A chip that holds more copies than this is not packed with crossing paths.
_PLENTY = 24
# Packings without any copy after which a network counts as too large for crossing paths.
_MAX_IN_VAIN = 20
# Time limit of minorminer, which needs half of it for the paper's network.
_SEARCH_SECONDS = 240


class Packed(NamedTuple):
    """Disjoint copies of a network, and how far the search for them went."""

    copies: list[Embedding]  #: ordered by their number of qubits
    tried: int = 0  #: number of packings of crossing paths
    work: int = 0  #: their work
    work_to_best: int = 0  #: the work up to the packing with these copies

    @property
    def is_final(self) -> bool:
        """Whether a search without a time limit ends here."""
        enough = _WORK_IN_VAIN + _FACTOR_IN_VAIN * self.work_to_best
        return self.work >= min(enough, _MAX_WORK)


def find_copies(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Finds disjoint copies of the network K_{H,O}, as many as it can.

    The chip is packed with rectangles of crossing straight lines in several orders. Where it has
    defects, it is then packed with rectangles of crossing paths, which pass broken qubits, for less
    than a minute. The packing with the most copies is kept, of equals the one with the fewest
    qubits. Where not one rectangle fits, a network with one spin on one side is embedded as a star:
    a long chain for that spin, and a single qubit beside it for each other spin. For other networks
    minorminer searches for one copy of any form, for up to four minutes.

    Args:
        graph: the chip.
        num_hidden: H, hidden spins.
        num_output: O, output spins.

    Returns:
        At least one embedding, all checked against the graph, ordered by their number of qubits.
        The same graph has the same copies.

    Raises:
        ValueError: where none was found; the message says what fits.
        KeyboardInterrupt: on Ctrl-C.

    Example:
        >>> copies = find_copies(WorkingGraph.perfect("zephyr", 3), 30, 10)
        >>> [copy.num_qubits for copy in copies]
        [66, 66]
        >>> copies[0].max_chain_hidden, copies[0].max_chain_output
        (2, 3)

    References:
        Boothby et al. 2016, arXiv:1507.04774, and Goodrich et al. 2018, arXiv:1704.01996 (bicliques
        of straight lines); Guha & Khuller 1998, doi:10.1007/PL00009201 (stars); Cai et al. 2014,
        arXiv:1406.2741 (minorminer).
    """
    *_, found = search(graph, num_hidden, num_output)
    return found.copies


def search(
    graph: WorkingGraph,
    num_hidden: int,
    num_output: int,
    *,
    known: Packed | None = None,
    seconds: float | None = None,
) -> Iterator[Packed]:
    """Yields better and better copies of K_{H,O}, as `find_copies` describes; the last is the best.

    Args:
        graph: the chip.
        num_hidden: H, hidden spins.
        num_output: O, output spins.
        known: what was yielded before, from where the search goes on.
        seconds: time after which no further packing with crossing paths begins where there is a
            copy; None: they end after work that depends on no clock.

    Raises:
        ValueError: where no copy was found.
    """
    num_hidden = whole_number("num_hidden", num_hidden, least=1, most=len(graph.qubits))
    num_output = whole_number("num_output", num_output, least=1, most=len(graph.qubits))
    deadline = None if seconds is None else time.monotonic() + seconds

    if known is None:
        known = Packed(_straight(graph, num_hidden, num_output))
        if _is_best(graph, known.copies, num_hidden, num_output):
            yield known._replace(work=_MAX_WORK)
            return
        if known.copies:
            yield known

    packing = PathPacking(graph, num_hidden, num_output, known.copies, known.tried)
    before = known.work
    while packing.copies or packing.tried < _MAX_IN_VAIN:
        ended = known.is_final if deadline is None else time.monotonic() > deadline
        if packing.copies and ended:
            break
        packing.improve()

        work = before + packing.work
        work_to_best = known.work_to_best if packing.copies == known.copies else work
        known = Packed(packing.copies, packing.tried, work, work_to_best)
        yield known

    if not packing.copies:
        copies = _any_form(graph, num_hidden, num_output)
        yield Packed(copies, packing.tried, _MAX_WORK, _MAX_WORK)


def _straight(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Returns copies of straight lines or, where there are none, stars; none where neither fits."""
    lines = [copy for copy in line_packing(graph, num_hidden, num_output) if copy.fits(graph)]
    if not lines and min(num_hidden, num_output) == 1:
        lines = _stars(graph, num_hidden, num_output)
    return sorted(lines, key=lambda copy: copy.num_qubits)


def _is_best(
    graph: WorkingGraph, copies: list[Embedding], num_hidden: int, num_output: int
) -> bool:
    """Returns whether crossing paths are not worth a try.

    On a chip without defects straight lines are the shortest chains.
    """
    if not copies:
        return False
    plenty = len(copies) > _PLENTY or min(num_hidden, num_output) == 1
    return plenty or graph.digest == WorkingGraph.perfect(graph.topology, graph.shape[0]).digest


def _stars(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Returns disjoint stars whose centres are at most 1.5 times as long as the shortest one."""
    stars, num_leaves = Stars(graph), max(num_hidden, num_output)
    copies: list[Embedding] = []
    max_length = math.inf
    while (star := stars.find(num_leaves)) is not None and len(star.centre) <= max_length:
        max_length = min(max_length, MAX_LENGTH_RATIO * len(star.centre))
        copies.append(_copy_of(star, num_output))
        stars.remove(copies[-1].qubits)

    if not copies:
        raise ValueError(
            f"num_hidden and num_output must fit on {graph.graph_id}, got {num_hidden} and "
            f"{num_output}; beside 1 spin at most {len(stars.largest().leaves)} were found to fit"
        )
    return copies


def _copy_of(star: Star, num_output: int) -> Embedding:
    """Returns a star as an embedding; its centre is the spin that is alone on its side."""
    leaves = tuple((qubit,) for qubit in star.leaves)
    if num_output == 1:
        return Embedding(leaves, (star.centre,))
    return Embedding((star.centre,), leaves)


def _any_form(graph: WorkingGraph, num_hidden: int, num_output: int) -> list[Embedding]:
    """Returns one embedding of any form, found by minorminer."""
    import networkx
    from minorminer import find_embedding

    num_spins, num_couplings = num_hidden + num_output, num_hidden * num_output
    if num_spins <= len(graph.qubits) and num_couplings <= len(graph.couplers):
        network = networkx.complete_bipartite_graph(num_hidden, num_output)
        found = find_embedding(network, graph.to_networkx(), timeout=_SEARCH_SECONDS, random_seed=0)
        chains = tuple(tuple(found[spin]) for spin in sorted(found))
        copy = Embedding(chains[:num_hidden], chains[num_hidden:])
        if found and copy.fits(graph):
            return [copy]

    lines = Lines(graph)
    raise ValueError(
        f"num_hidden and num_output must fit on {graph.graph_id}, got {num_hidden} and "
        f"{num_output}; beside {num_output} spins there is room for at most "
        f"{lines.max_beside(num_output)}, "
        f"beside {num_hidden} for at most {lines.max_beside(num_hidden)}"
    )
