"""Maps between spins of the network and qubits of a chip, in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Doubles, Spins

if TYPE_CHECKING:
    from isingprop.qpu.chip.working_graph import WorkingGraph
    from isingprop.qpu.embed.embedding import Embedding

Indices = NDArray[np.int64]


class Program:
    """Copies of one logical graph on a chip: which qubits and couplers stand for what.

    Logical spins are the hidden ones, the output ones and, with `apex`, one more that is coupled to
    all others: its chain consists of those of the last hidden and the last output spin of
    K_{H+1,O+1}. Logical couplings are J, row by row, then those of the apex to spins
    0 ... H + O - 1.

    A field is shared out equally over the qubits of its chain, and a coupling over the couplers
    between its two chains. So the physical energy of unbroken chains is the logical one minus
    chain_strength for each coupler inside a chain.

    Example: hidden chain (4,), output chain (5, 9), couplers 4-5, 4-9 and 5-9. The fields h, g and
    the coupling J become h on 4; g / 2 on 5 and on 9; J / 2 on 4-5 and on 4-9; -chain_strength on
    5-9.

    Args:
        graph: the chip.
        copies: disjoint embeddings of K_{H,O}, or of K_{H+1,O+1} with `apex`.
        num_hidden: H.
        num_output: O.
        apex: whether there is a spin that is coupled to all others.
    """

    def __init__(
        self,
        graph: WorkingGraph,
        copies: Sequence[Embedding],
        num_hidden: int,
        num_output: int,
        *,
        apex: bool = False,
    ) -> None:
        """Finds what each qubit and each coupler of the chip stands for."""
        self.graph = graph
        self.num_copies = len(copies)
        self.num_spins = num_hidden + num_output + apex  #: logical spins of a copy
        self._edges = _logical_edges(num_hidden, num_output, apex)
        self.num_couplings = len(self._edges)  #: logical couplings of a copy

        chains = [chain for copy in copies for chain in _chains(copy, num_hidden, num_output, apex)]
        lengths = np.array([len(chain) for chain in chains])
        self.chain_lengths: Indices = lengths.reshape(self.num_copies, self.num_spins)
        self.qubits: Indices = np.concatenate([np.array(chain, dtype=np.int64) for chain in chains])
        self._chain = np.repeat(np.arange(len(chains)), lengths)
        self._copy_of_qubit = self._chain // self.num_spins

        self._map_couplers()
        self._qubit_keys = self.qubits.tolist()
        self._coupler_keys = list(map(tuple, graph.couplers[self.rows].tolist()))

    def _map_couplers(self) -> None:
        """Finds the couplers inside chains, and those between chains with a coupling."""
        chain_of = np.full(int(self.graph.qubits.max()) + 1, -1)
        chain_of[self.qubits] = self._chain
        # The chains at both ends of each coupler, -1 for none.
        u, v = chain_of[self.graph.couplers].T
        copy, u_spin, v_spin = u // self.num_spins, u % self.num_spins, v % self.num_spins
        number = np.full((self.num_spins, self.num_spins), -1)
        i, k = self._edges.T
        number[i, k] = number[k, i] = np.arange(self.num_couplings)

        same_copy = (u >= 0) & (v >= 0) & (u // self.num_spins == v // self.num_spins)
        inside = same_copy & (u == v)
        between = same_copy & ~inside & (number[u_spin, v_spin] >= 0)
        rows = np.flatnonzero(inside | between)
        self.rows: Indices = rows  #: rows of graph.couplers that are programmed
        self._inside = inside[rows]
        self._copy_of_row = copy[rows]

        coupling = copy[rows] * self.num_couplings + number[u_spin, v_spin][rows]
        self._coupling = coupling[~self._inside]
        counts = np.bincount(self._coupling, minlength=self.num_copies * self.num_couplings)
        if not counts.all():
            raise ValueError(
                "copies must have a coupler for each coupling, got an embedding without"
            )
        self._shares = 1.0 / counts[self._coupling]

    def fields(self, linear: Doubles) -> Doubles:
        """Returns the field of each of `qubits`, (Q,), from logical fields (copies, spins)."""
        return (linear / self.chain_lengths).ravel()[self._chain]

    def couplings(self, quadratic: Doubles, flips: Spins, chain_strength: float) -> Doubles:
        """Returns the coupling of each of `rows`.

        Args:
            quadratic: (copies, couplings), logical couplings.
            flips: (copies, spins), -1 for spins that are reversed, which changes the sign of their
                couplings.
            chain_strength: > 0, strength of the couplings inside chains.
        """
        u, v = self._edges.T
        reversed_couplings = (quadratic * flips[:, u] * flips[:, v]).ravel()
        values = np.full(len(self.rows), -chain_strength)
        values[~self._inside] = reversed_couplings[self._coupling] * self._shares
        return values

    def spread(self, spins: Spins) -> Spins:
        """Returns the logical spin (copies, spins) of each of `qubits`: (Q,)."""
        each: Spins = spins.ravel()[self._chain]
        return each

    def used_qubits(self, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Returns which of `qubits` belong to the copies that are used, a mask (copies,)."""
        chosen: NDArray[np.bool_] = used[self._copy_of_qubit]
        return chosen

    def used_rows(self, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Returns which of `rows` belong to the copies that are used, a mask (copies,)."""
        chosen: NDArray[np.bool_] = used[self._copy_of_row]
        return chosen

    def as_dicts(
        self, used: NDArray[np.bool_], fields: Doubles, couplings: Doubles
    ) -> tuple[dict[int, float], dict[tuple[int, int], float]]:
        """Returns h and J of the copies that are used, as Ocean's samplers take them."""
        qubits, rows = self.used_qubits(used), self.used_rows(used)
        h = zip(compress(self._qubit_keys, qubits), fields[qubits].tolist(), strict=True)
        j = zip(compress(self._coupler_keys, rows), couplings[rows].tolist(), strict=True)
        return dict(h), dict(j)


def majority(
    samples: Spins, chain_lengths: NDArray[np.integer[Any]]
) -> tuple[Spins, NDArray[np.bool_]]:
    """Returns the value of each chain by the majority of its qubits.

    Args:
        samples: (R, Q) qubits, -1 or +1, chain by chain.
        chain_lengths: (n,) qubits of each chain.

    Returns:
        (R, n) spins, 0 for a tie; and (R, n), whether the qubits of a chain differ (it is broken).
    """
    starts = np.concatenate([[0], np.cumsum(chain_lengths)[:-1]])
    sums = np.add.reduceat(samples, starts, axis=1, dtype=np.int16)
    return np.sign(sums).astype(np.int8), np.abs(sums) != chain_lengths


def _chains(copy: Embedding, num_hidden: int, num_output: int, apex: bool) -> list[tuple[int, ...]]:
    """Returns the chains of a copy in the order of logical spins."""
    chains = [*copy.hidden[:num_hidden], *copy.output[:num_output]]
    return [*chains, copy.hidden[num_hidden] + copy.output[num_output]] if apex else chains


def _logical_edges(num_hidden: int, num_output: int, apex: bool) -> Indices:
    """Returns the two spins of each logical coupling: (E, 2)."""
    rows, columns = np.indices((num_hidden, num_output)).reshape(2, -1)
    edges = np.stack([rows, columns + num_hidden], axis=1)
    if not apex:
        return edges

    spins = np.arange(num_hidden + num_output)
    return np.concatenate([edges, np.stack([spins, np.full_like(spins, len(spins))], axis=1)])
