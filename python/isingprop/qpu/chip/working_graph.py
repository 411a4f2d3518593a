"""The working qubits and couplers of a chip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.util.checks import whole_number

if TYPE_CHECKING:
    import networkx

_DEFAULT_SIZES = {"pegasus": 16, "zephyr": 12}  # of Advantage and Advantage2
_MIN_SIZES = {"pegasus": 2, "zephyr": 1}  # P1 has no couplers
_MAX_SIZE = 40  # over twice the largest chip; a far larger graph would run out of memory late
DIGEST_LENGTH = 12  #: hex digits of a digest in the name of a graph


@dataclass(frozen=True, eq=False)
class WorkingGraph:
    """The working qubits and couplers of one chip.

    Args:
        topology: "pegasus" or "zephyr".
        shape: D-Wave's topology shape: (m,) of Pegasus P_m, (m, t) of Zephyr Z_m,t.
        qubits: (Q,), ascending.
        couplers: (E, 2), u < v in each row, rows in ascending order.
        graph_id: the solver's own name of this graph; for a graph without a solver, a name with a
            digest of all of the above.

    The constructor checks nothing: `perfect`, `of` and `without` make graphs in this order.

    Example:
        >>> graph = WorkingGraph.perfect("zephyr", 1)
        >>> len(graph.qubits), len(graph.couplers), graph.without([0]).qubits[0]
        (48, 280, np.int64(1))

    References:
        Boothby et al. 2020, arXiv:2003.00133 (Pegasus); D-Wave 14-1056A-A (Zephyr).
    """

    topology: str
    shape: tuple[int, ...]
    qubits: NDArray[np.int64]
    couplers: NDArray[np.int64]
    graph_id: str

    @classmethod
    def perfect(cls, topology: str, size: int | None = None) -> WorkingGraph:
        """Returns the graph P_size or Z_size without a defect.

        Args:
            topology: "pegasus" or "zephyr".
            size: m; None takes that of the largest chips, 16 (Pegasus) or 12 (Zephyr).

        Raises:
            ValueError: for another topology or a size that is too small or too large.
        """
        if not isinstance(topology, str) or topology not in _DEFAULT_SIZES:
            raise ValueError(f"topology must be pegasus or zephyr, got {topology!r}")

        m = _DEFAULT_SIZES[topology]
        if size is not None:
            m = whole_number("size", size, least=_MIN_SIZES[topology], most=_MAX_SIZE)

        shape = (m,) if topology == "pegasus" else (m, 4)
        graph = _dwave_graph(topology, shape)
        return cls._ordered(topology, shape, graph.nodes, graph.edges, None)

    @classmethod
    def of(cls, device: Any) -> WorkingGraph:
        """Returns the graph of a device: a DWaveSampler, MockDWaveSampler or EmulatedQPU.

        Raises:
            ValueError: for a chip that is neither Pegasus nor Zephyr.
        """
        described = device.properties["topology"]
        topology, shape = described["type"], tuple(map(int, described["shape"]))
        if topology not in _DEFAULT_SIZES:
            raise ValueError(f"topology of the device must be pegasus or zephyr, got {topology!r}")

        graph_id = getattr(getattr(device, "solver", None), "graph_id", None)
        return cls._ordered(topology, shape, device.nodelist, device.edgelist, graph_id)

    def without(self, qubits: ArrayLike, couplers: ArrayLike = ()) -> WorkingGraph:
        """Returns this graph without some qubits, their couplers, and some further couplers.

        Args:
            qubits: (n,) working qubits to remove.
            couplers: (n, 2) working couplers to remove, with the two qubits in either order.

        Raises:
            ValueError: for a qubit or coupler that this graph does not have.
            TypeError: for what is not a whole number.
        """
        broken, known, wanted = self._checked(qubits, couplers)
        kept = ~np.isin(known, wanted) & ~np.isin(self.couplers, broken).any(axis=1)
        left = np.setdiff1d(self.qubits, broken)
        return self._ordered(self.topology, self.shape, left, self.couplers[kept], None)

    def only(self, qubits: ArrayLike, couplers: ArrayLike) -> WorkingGraph:
        """Returns this graph without all qubits and couplers but some.

        Args:
            qubits: (n,) working qubits to keep, at least one.
            couplers: (n, 2) working couplers between them to keep, with the two qubits in either
                order.

        Raises:
            ValueError: for no qubit, or a qubit or coupler that this graph does not have.
            TypeError: for what is not a whole number.
        """
        chosen, known, wanted = self._checked(qubits, couplers)
        if not chosen.size:
            raise ValueError("qubits must have at least one qubit, got none")
        kept = self.couplers[np.isin(known, wanted)]
        apart = ~np.isin(kept, chosen).all(axis=1)
        if apart.any():
            got = kept[apart.argmax()].tolist()
            raise ValueError(f"couplers must join two of the qubits, got {got}")
        return self._ordered(self.topology, self.shape, chosen, kept, None)

    def _checked(
        self, qubits: ArrayLike, couplers: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Checks that this graph has some qubits and couplers.

        Returns:
            The qubits, and the keys of all couplers of this graph and of those given.
        """
        chosen = _whole_numbers("qubits", qubits, (-1,))
        unknown = chosen[~np.isin(chosen, self.qubits)]
        if unknown.size:
            raise ValueError(f"qubits must be working qubits of {self.graph_id}, got {unknown[0]}")

        pairs = np.sort(_whole_numbers("couplers", couplers, (-1, 2)), axis=1)
        known, wanted = coupler_keys(self.couplers), coupler_keys(pairs)
        missing = ~(np.isin(pairs, self.qubits).all(axis=1) & np.isin(wanted, known))
        if missing.any():
            got = np.reshape(couplers, (-1, 2))[missing.argmax()].tolist()
            raise ValueError(f"couplers must be working couplers of {self.graph_id}, got {got}")
        return chosen, known, wanted

    def to_networkx(self) -> networkx.Graph:
        """Returns this graph as dwave.graphs makes it, with its topology in its attributes."""
        return _dwave_graph(
            self.topology,
            self.shape,
            node_list=self.qubits.tolist(),
            edge_list=map(tuple, self.couplers.tolist()),
        )

    @property
    def digest(self) -> str:
        """The SHA-256, in hex, of the topology, its shape, the qubits and the couplers."""
        content = hashlib.sha256(json.dumps([self.topology, self.shape]).encode())
        for array in (self.qubits, self.couplers):
            content.update(len(array).to_bytes(8, "little") + array.astype("<i8").tobytes())
        return content.hexdigest()

    @classmethod
    def _ordered(
        cls,
        topology: str,
        shape: tuple[int, ...],
        qubits: Iterable[int],
        couplers: Iterable[tuple[int, int]],
        graph_id: str | None,
    ) -> WorkingGraph:
        """Returns a graph with its arrays sorted; without a graph_id it is named by its digest."""
        nodes = np.unique(np.array(list(qubits), dtype=np.int64))
        pairs = np.sort(np.array(list(couplers), dtype=np.int64).reshape(-1, 2), axis=1)
        graph = cls(topology, shape, nodes, np.unique(pairs, axis=0), graph_id or "")

        if not graph_id:
            name = f"{topology}-{shape[0]}-{graph.digest[:DIGEST_LENGTH]}"
            object.__setattr__(graph, "graph_id", name)
        return graph


def _dwave_graph(topology: str, shape: tuple[int, ...], **lists: Iterable[Any]) -> networkx.Graph:
    """Returns the graph that dwave.graphs generates; `lists` are its node_list and edge_list."""
    import dwave.graphs

    make = dwave.graphs.pegasus_graph if topology == "pegasus" else dwave.graphs.zephyr_graph
    return make(*shape, **lists)


def _whole_numbers(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Returns `values` as int64 in `shape`, which is (-1,) or (-1, columns); [] has no rows."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers, got dtype {array.dtype}")

    if array.size and (array.ndim, array.shape[1:]) != (len(shape), shape[1:]):
        wanted = ", ".join(["n", *map(str, shape[1:])])
        raise ValueError(
            f"{name} must have shape ({wanted}{',' * (len(shape) == 1)}), got {array.shape}"
        )

    return array.astype(np.int64).reshape(shape)


def coupler_keys(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns one number (n,) for each coupler (n, 2), which sorts as its two qubits do.

    The first qubit takes the high bits; the qubits of every chip are below 2^31.
    """
    return (pairs[:, 0] << 31) + pairs[:, 1]
