"""Contacts between chains: adds qubits where two chains are not coupled, removes needless ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MAX_QUBITS = 6  # that a contact may cost; longer ways make chains that break
Indices = NDArray[np.int64]


class Contacts:
    """Hidden and output chains on a chip, and which of them are coupled.

    Args:
        neighbours: (Q + 1, D), the neighbours of each qubit, as `WorkingGraph.neighbours` has them;
            Q stands for none.
        free: (Q + 1,), qubits that may be used besides those of the chains.
        hidden: H chains of qubits.
        output: O chains of qubits.
    """

    def __init__(
        self,
        neighbours: Indices,
        free: NDArray[np.bool_],
        hidden: list[Indices],
        output: list[Indices],
    ) -> None:
        """Counts the couplers between all chains."""
        self.chains = [chain.tolist() for chain in (*hidden, *output)]
        self._num_hidden = len(hidden)
        self._neighbours = neighbours
        self._free = free
        self._owner = np.full(len(free), -1)  # the chain that has each qubit
        for k, chain in enumerate(self.chains):
            self._owner[chain] = k

        number = len(self.chains)
        self._count = np.zeros((number, number), dtype=np.int64)
        for k, chain in enumerate(self.chains):
            self._count[k] = self._couplers(chain)

    def missing(self) -> Indices:
        """Returns the hidden and output chains that are not coupled: (n, 2)."""
        pairs = np.argwhere(self._count[: self._num_hidden, self._num_hidden :] == 0)
        pairs[:, 1] += self._num_hidden
        return pairs

    def complete(self) -> bool:
        """Adds free qubits until all hidden chains are coupled to all output chains.

        Returns:
            Whether that was possible.
        """
        for hidden, output in self.missing():
            if self._count[hidden, output]:  # by a qubit added for another pair
                continue
            way = self._way(hidden, output)
            if way is None:
                return False

            longer = len(self.chains[hidden]) + len(way) > len(self.chains[output])
            self._add(output if longer else hidden, way)
        return True

    def prune(self) -> None:
        """Removes ends of chains as long as all chains stay connected and coupled."""
        waiting = [(k, qubit) for k, chain in enumerate(self.chains) for qubit in chain]
        while waiting:
            k, qubit = waiting.pop()
            beside = self._owner[self._neighbours[qubit]]
            if self._owner[qubit] != k or np.count_nonzero(beside == k) != 1:
                continue  # it was removed, is alone, or joins parts of its chain

            lost = np.bincount(beside[beside >= 0], minlength=len(self.chains))
            needed = (lost > 0) & (lost == self._count[k]) & self._opposite(k)
            if not needed.any():
                self._remove(k, qubit, lost)
                waiting += [(k, rest) for rest in self.chains[k] if rest in self._neighbours[qubit]]

    def _couplers(self, qubits: list[int]) -> Indices:
        """Returns the number of couplers between some qubits and each chain."""
        beside = self._owner[self._neighbours[qubits]]
        return np.bincount(beside[beside >= 0], minlength=len(self.chains))

    def _opposite(self, k: int) -> NDArray[np.bool_]:
        """Returns which chains must be coupled to chain k."""
        is_output = np.arange(len(self.chains)) >= self._num_hidden
        opposite: NDArray[np.bool_] = is_output != (k >= self._num_hidden)
        return opposite

    def _way(self, start: int, target: int) -> list[int] | None:
        """Returns the fewest free qubits that join two chains, from one to the other."""
        came_from = np.full(len(self._owner), -1)
        seen = ~(self._free & (self._owner < 0))
        layer = np.array(self.chains[start])
        for _ in range(_MAX_QUBITS):
            beside = self._neighbours[layer]
            new = ~seen[beside]
            from_qubit, to_qubit = np.repeat(layer, new.sum(axis=1)), beside[new]
            layer, where = np.unique(to_qubit, return_index=True)
            seen[layer] = True
            came_from[layer] = from_qubit[where]

            arrived = (self._owner[self._neighbours[layer]] == target).any(axis=1)
            if arrived.any():
                return _back(came_from, int(layer[arrived.argmax()]))
        return None

    def _add(self, k: int, qubits: list[int]) -> None:
        """Adds free qubits to chain k."""
        self.chains[k] += qubits
        self._owner[qubits] = k
        new = self._couplers(qubits)
        self._count[k] += new
        self._count[:, k] += new

    def _remove(self, k: int, qubit: int, lost: Indices) -> None:
        """Removes a qubit of chain k, whose couplers to each chain are `lost`."""
        self.chains[k].remove(qubit)
        self._owner[qubit] = -1
        self._count[k] -= lost
        self._count[:, k] -= lost


def _back(came_from: Indices, qubit: int) -> list[int]:
    """Returns the qubits from which `qubit` was reached, with itself, the last one first."""
    way = [qubit]
    while (qubit := int(came_from[qubit])) >= 0:
        way.append(qubit)
    return way[:-1]  # the last one is of the chain that was started from
