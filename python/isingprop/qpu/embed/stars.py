"""Stars on a chip: one long chain of qubits, the centre, and single qubits beside it, the leaves.

A network with one spin on one side is a star. A leaf never needs more than one qubit, namely the
qubit of its chain that is coupled to the centre. So the largest star is a spanning tree with the
most leaves, which is NP-hard to find; this is the greedy rule, started from many qubits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.working_graph import WorkingGraph

_NUM_STARTS = 200  # first qubits that are tried, evenly spaced


class Star(NamedTuple):
    """A star of qubits.

    Args:
        centre: a connected chain of qubits.
        leaves: qubits outside the centre, each of which is coupled to it.
    """

    centre: tuple[int, ...]
    leaves: tuple[int, ...]


class Stars:
    """Finds stars on the qubits of a chip that are not in use.

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
        """Lists the neighbours of each qubit of the graph, all of which are free."""
        self._qubits = graph.qubits
        self._neighbours = graph.neighbours()
        self._free = np.append(np.ones(len(graph.qubits), dtype=bool), False)

    def remove(self, qubits: tuple[int, ...]) -> None:
        """Marks qubits as used."""
        self._free[np.searchsorted(self._qubits, qubits)] = False

    def find(self, num_leaves: int) -> Star | None:
        """Returns the star found with so many leaves and the shortest centre; None without one."""
        trees = [tree for tree in self._trees(num_leaves) if tree.num_leaves >= num_leaves]
        if not trees:
            return None
        return self._star(min(trees, key=lambda tree: len(tree.centre)), num_leaves)

    def largest(self) -> Star:
        """Returns the star with the most leaves of those found."""
        best = max(self._trees(len(self._qubits)), key=lambda tree: tree.num_leaves)
        return self._star(best, best.num_leaves)

    def _trees(self, num_leaves: int) -> list[_Tree]:
        """Returns a tree grown from each first qubit, with up to `num_leaves` leaves."""
        free = np.flatnonzero(self._free)
        trees = [_Tree(self._neighbours, self._free, first) for first in _evenly(free, _NUM_STARTS)]
        for tree in trees:
            tree.grow(num_leaves)
            tree.prune(num_leaves)
        return trees

    def _star(self, tree: _Tree, num_leaves: int) -> Star:
        """Returns a tree as a star with `num_leaves` of its leaves."""
        centre, leaves = self._qubits[tree.centre], self._qubits[tree.leaves()[:num_leaves]]
        return Star(tuple(centre.tolist()), tuple(leaves.tolist()))


class _Tree:
    """A star that grows: its centre is a tree of qubits, numbered 0 ... Q - 1; Q stands for none.

    Args:
        neighbours: (Q + 1, D), as `WorkingGraph.neighbours` has them.
        free: (Q + 1,), which qubits may be used.
        first: the first qubit of the centre.
    """

    def __init__(self, neighbours: NDArray[np.int64], free: NDArray[np.bool_], first: int) -> None:
        """Starts a tree whose centre is one qubit and whose leaves are its free neighbours."""
        self._neighbours = neighbours
        self._unreached = free.copy()
        self._gain = free[neighbours].sum(axis=1)  # number of unreached neighbours
        # The qubit of the centre from which each qubit was reached.
        self._parent = np.full(len(free), len(free) - 1)
        # Above 0 for leaves, larger for those reached earlier; 0 for all other qubits.
        self._leaf_age = np.zeros(len(free), dtype=np.int64)
        self.centre: list[int] = []
        self.num_leaves = 0

        self._reach(np.array([first]))
        self._add(first)

    def grow(self, num_leaves: int) -> None:
        """Adds leaves to the centre until there are `num_leaves` leaves, or none can be gained.

        Each step adds the leaf that reaches the most qubits, of equals the one reached earliest,
        which keeps the diameter of the centre small. A leaf that reaches one qubit only replaces
        itself, but may lead to more qubits beyond; `prune` reverts it where it does not.
        """
        while 0 < self.num_leaves < num_leaves:
            score = self._gain * len(self._leaf_age) + self._leaf_age
            best = int(np.where(self._leaf_age > 0, score, 0).argmax())
            if self._gain[best] == 0:
                return
            self._add(best)

    def prune(self, num_leaves: int) -> None:
        """Turns ends of the centre back into leaves where enough leaves remain.

        Enough is the smaller of `num_leaves` and the present number.
        """
        num_qubits = len(self._leaf_age)
        # For each qubit, how many qubits of the centre are coupled to it, and were reached from it.
        beside = np.bincount(self._neighbours[self.centre].ravel(), minlength=num_qubits)
        children = np.bincount(self._parent[self.centre], minlength=num_qubits)

        min_leaves = min(num_leaves, self.num_leaves)
        for qubit in self.centre[:0:-1]:
            own = self._neighbours[qubit]
            lost = int(((self._leaf_age[own] > 0) & (beside[own] == 1)).sum())
            if children[qubit] == 0 and self.num_leaves - lost + 1 >= min_leaves:
                self._leaf_age[own[beside[own] == 1]] = 0
                self._leaf_age[qubit] = 1
                beside[own] -= 1
                children[self._parent[qubit]] -= 1
                self.centre.remove(qubit)
                self.num_leaves -= lost - 1

    def leaves(self) -> NDArray[np.int64]:
        """Returns the leaves in ascending order."""
        return np.flatnonzero(self._leaf_age)

    def _add(self, qubit: int) -> None:
        """Moves a leaf into the centre; its unreached neighbours become leaves."""
        self.centre.append(qubit)
        self._leaf_age[qubit] = 0

        beside = self._neighbours[qubit]
        beside = beside[self._unreached[beside]]
        self._reach(beside)
        self._leaf_age[beside] = len(self._leaf_age) - len(self.centre)
        self._parent[beside] = qubit
        # The first qubit of the centre was no leaf before.
        self.num_leaves += len(beside) - (len(self.centre) > 1)

    def _reach(self, qubits: NDArray[np.int64]) -> None:
        """Marks qubits as reached, so that their neighbours gain less."""
        self._unreached[qubits] = False
        np.subtract.at(self._gain, self._neighbours[qubits].ravel(), 1)


def _evenly(numbers: NDArray[np.int64], max_count: int) -> list[int]:
    """Returns at most `max_count` of the numbers, evenly spaced."""
    step = max(1, -(-len(numbers) // max_count))
    chosen: list[int] = numbers[::step].tolist()
    return chosen


def diameter(graph: WorkingGraph, chain: tuple[int, ...]) -> int:
    """Returns the number of couplers between the two qubits of a chain that are farthest apart.

    Paths outside the chain do not count.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    qubits = np.sort(chain)
    ends = np.searchsorted(qubits, graph.couplers[np.isin(graph.couplers, qubits).all(axis=1)])
    inside = csr_array((np.ones(len(ends)), tuple(ends.T)), shape=(len(qubits), len(qubits)))
    return int(shortest_path(inside, directed=False, unweighted=True).max())
