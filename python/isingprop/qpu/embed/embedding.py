"""Embeddings of complete bipartite networks on a chip: every spin is a chain of qubits."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.lines import Chains


@dataclass(frozen=True)
class Embedding:
    """One copy of a network on a chip: a chain of qubits for each hidden and each output spin.

    Args:
        hidden: H chains of qubits.
        output: O chains of qubits.
    """

    hidden: Chains
    output: Chains

    @property
    def num_qubits(self) -> int:
        """The number of qubits in all chains."""
        return len(self.qubits)

    @property
    def max_chain_hidden(self) -> int:
        """The number of qubits in the longest hidden chain."""
        return max(map(len, self.hidden))

    @property
    def max_chain_output(self) -> int:
        """The number of qubits in the longest output chain."""
        return max(map(len, self.output))

    @property
    def max_chain(self) -> int:
        """The number of qubits in the longest chain."""
        return max(self.max_chain_hidden, self.max_chain_output)

    @cached_property
    def qubits(self) -> tuple[int, ...]:
        """The qubits chain by chain, hidden chains first."""
        return tuple(itertools.chain(*self.hidden, *self.output))

    def fits(self, graph: WorkingGraph) -> bool:
        """Returns whether a graph has all qubits and couplers that the network needs.

        Chains must be disjoint and connected, and each hidden chain must be coupled to each output
        chain.
        """
        qubits = np.array(self.qubits, dtype=np.int64)
        chains = self.hidden + self.output
        if len(np.unique(qubits)) < len(qubits) or not np.isin(qubits, graph.qubits).all():
            return False

        chain_of = np.full(int(graph.qubits[-1]) + 1, -1)
        chain_of[qubits] = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
        couplers = graph.couplers[(chain_of[graph.couplers] >= 0).all(axis=1)]
        ends = chain_of[couplers]
        if not _connected(qubits, chain_of, couplers[ends[:, 0] == ends[:, 1]]):
            return False

        coupled = np.zeros((len(chains), len(chains)), dtype=bool)
        coupled[ends[:, 0], ends[:, 1]] = coupled[ends[:, 1], ends[:, 0]] = True
        return bool(coupled[: len(self.hidden), len(self.hidden) :].all())


def _connected(
    qubits: NDArray[np.int64], chain_of: NDArray[np.int64], couplers: NDArray[np.int64]
) -> bool:
    """Returns whether the couplers, each inside a chain, connect the qubits of every chain.

    Each connected piece ends up with the lowest number of its qubits, which spreads by one coupler
    per round.
    """
    piece = np.arange(len(chain_of))
    while True:
        before = piece.copy()
        np.minimum.at(piece, couplers[:, 0], before[couplers[:, 1]])
        np.minimum.at(piece, couplers[:, 1], before[couplers[:, 0]])
        if (piece == before).all():
            return len(np.unique(piece[qubits])) == len(np.unique(chain_of[qubits]))


def better(one: list[Embedding], other: list[Embedding]) -> list[Embedding]:
    """Returns the longer of two lists of copies.

    Of equals it is the one whose longest chain is shorter, then the one with fewer qubits, then the
    first.
    """
    return min(one, other, key=_rank)


def _rank(copies: list[Embedding]) -> tuple[int, int, int]:
    """Returns a key by which better lists of copies come first."""
    longest = max((copy.max_chain for copy in copies), default=0)
    return -len(copies), longest, sum(copy.num_qubits for copy in copies)
