"""Stars on a chip: one long chain of qubits, the centre, and single qubits beside it, the leaves.

A network with one spin on one side is a star. A leaf never needs more than one qubit: that one of its chain which is
beside the centre. So the largest star is a spanning tree with the most leaves, which is NP-hard to find; this is the
greedy rule, from many first qubits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.working_graph import WorkingGraph

_NUM_STARTS = 200  # first qubits that are tried, evenly spaced


class Star(NamedTuple):
    """A centre and what lies beside it.

    Args:
        centre: a chain of qubits, connected.
        leaves: qubits that are not in the centre and are coupled to it.
    """

    centre: tuple[int, ...]
    leaves: tuple[int, ...]


class Stars:
    """The stars on the qubits of a chip, of which some can be taken away.

    Args:
        graph: the chip.

    Example:
        >>> star = Stars(WorkingGraph.perfect("pegasus", 3)).find(60)
        >>> len(star.centre), len(star.leaves)
        (6, 60)

    References:
        Guha & Khuller 1998, doi:10.1007/PL00009201 (connected dominating sets by greedy growth).
    """

    def __init__(self, graph: WorkingGraph) -> None:
        """See the class."""
        self._qubits = graph.qubits
        self._neighbours = _neighbours(graph)
        self._free = np.append(np.ones(len(graph.qubits), dtype=bool), False)

    def take_away(self, qubits: tuple[int, ...]) -> None:
        """From now on these qubits are in use."""
        self._free[np.searchsorted(self._qubits, qubits)] = False

    def find(self, num_leaves: int) -> Star | None:
        """A star with so many leaves, that with the fewest qubits in its centre of those found; None if none was."""
        trees = [tree for tree in self._trees(num_leaves) if tree.num_leaves >= num_leaves]
        return (
            self._star(min(trees, key=lambda tree: len(tree.centre)), num_leaves) if trees else None
        )

    def largest(self) -> Star:
        """The star with the most leaves of those found."""
        best = max(self._trees(len(self._qubits)), key=lambda tree: tree.num_leaves)
        return self._star(best, best.num_leaves)

    def _trees(self, num_leaves: int) -> list[_Tree]:
        """One from each first qubit, with so many leaves or as many as it gets."""
        free = np.flatnonzero(self._free)
        trees = [_Tree(self._neighbours, self._free, first) for first in _evenly(free, _NUM_STARTS)]
        for tree in trees:
            tree.grow(num_leaves)
            tree.prune(num_leaves)
        return trees

    def _star(self, tree: _Tree, num_leaves: int) -> Star:
        centre, leaves = self._qubits[tree.centre], self._qubits[tree.leaves()[:num_leaves]]
        return Star(tuple(centre.tolist()), tuple(leaves.tolist()))


class _Tree:
    """A star that grows: its centre is a tree of qubits, numbered 0 ... Q - 1; Q stands for none.

    Args:
        neighbours: (Q + 1, D), as from `_neighbours`.
        free: (Q + 1,), which qubits may be used.
        first: qubit of the centre.
    """

    def __init__(self, neighbours: NDArray[np.int64], free: NDArray[np.bool_], first: int) -> None:
        """See the class."""
        self._neighbours = neighbours
        self._unreached = free.copy()
        self._gain = free[neighbours].sum(axis=1)  # unreached neighbours
        self._parent = np.full(
            len(free), len(free) - 1
        )  # the qubit of the centre from which one was reached
        self._turn = np.zeros(
            len(free), dtype=np.int64
        )  # of leaves: the later reached the smaller, > 0
        self.centre: list[int] = []
        self.num_leaves = 0
        self._reach(np.array([first]))
        self._add(first)

    def grow(self, num_leaves: int) -> None:
        """Makes leaves part of the centre until there are enough: each time the one that reaches the most qubits.

        Of equals the oldest, which keeps the centre small across. A leaf that reaches one qubit replaces itself; it may
        lead to more of them beyond, and `prune` takes it back if it does not.
        """
        while 0 < self.num_leaves < num_leaves:
            best = int(
                np.where(self._turn > 0, self._gain * len(self._turn) + self._turn, 0).argmax()
            )
            if self._gain[best] == 0:
                return
            self._add(best)

    def prune(self, num_leaves: int) -> None:
        """Makes ends of the centre leaves again, unless that leaves fewer than so many, and fewer than there were."""
        beside = np.bincount(
            self._neighbours[self.centre].ravel(), minlength=len(self._turn)
        )  # qubits of the centre
        children = np.bincount(self._parent[self.centre], minlength=len(self._turn))
        least = min(num_leaves, self.num_leaves)
        for qubit in self.centre[:0:-1]:
            own = self._neighbours[qubit]
            lost = int(((self._turn[own] > 0) & (beside[own] == 1)).sum())
            if children[qubit] == 0 and self.num_leaves - lost + 1 >= least:
                self._turn[own[beside[own] == 1]] = 0
                self._turn[qubit] = 1
                beside[own] -= 1
                children[self._parent[qubit]] -= 1
                self.centre.remove(qubit)
                self.num_leaves -= lost - 1

    def leaves(self) -> NDArray[np.int64]:
        """The leaves, ascending."""
        return np.flatnonzero(self._turn)

    def _add(self, qubit: int) -> None:
        self.centre.append(qubit)
        self._turn[qubit] = 0
        beside = self._neighbours[qubit]
        beside = beside[self._unreached[beside]]
        self._reach(beside)
        self._turn[beside] = len(self._turn) - len(self.centre)
        self._parent[beside] = qubit
        self.num_leaves += len(beside) - (len(self.centre) > 1)

    def _reach(self, qubits: NDArray[np.int64]) -> None:
        self._unreached[qubits] = False
        np.subtract.at(self._gain, self._neighbours[qubits].ravel(), 1)


def _neighbours(graph: WorkingGraph) -> NDArray[np.int64]:
    """(Q + 1, D): the numbers of the qubits that are coupled to each, filled up with Q, as is the row of Q itself."""
    num_qubits = len(graph.qubits)
    ends = np.searchsorted(graph.qubits, graph.couplers)
    ends = np.concatenate([ends, ends[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    degree = np.bincount(ends[:, 0], minlength=num_qubits)
    column = np.arange(len(ends)) - np.repeat(np.cumsum(degree) - degree, degree)
    neighbours = np.full((num_qubits + 1, degree.max()), num_qubits)
    neighbours[ends[:, 0], column] = ends[:, 1]
    return neighbours


def _evenly(numbers: NDArray[np.int64], most: int) -> list[int]:
    """At most so many of them, evenly spaced."""
    step = max(1, -(-len(numbers) // most))
    chosen: list[int] = numbers[::step].tolist()
    return chosen


def diameter(graph: WorkingGraph, chain: tuple[int, ...]) -> int:
    """The couplers between the two qubits of a chain that are farthest apart inside it."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    qubits = np.sort(chain)
    ends = np.searchsorted(qubits, graph.couplers[np.isin(graph.couplers, qubits).all(axis=1)])
    inside = csr_array((np.ones(len(ends)), tuple(ends.T)), shape=(len(qubits), len(qubits)))
    return int(shortest_path(inside, directed=False, unweighted=True).max())
