"""The ranges that a chip accepts: of fields, couplings, sums of couplings, reads and times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from isingprop.qpu.chip.schedules import MICROSECONDS_PER_SECOND, solver_property
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.util.checks import Doubles

Indices: TypeAlias = NDArray[np.int64]
Range: TypeAlias = tuple[float, float]

# Sums of couplings may be beyond a bound by this much, since they depend on the order of summation.
_ROUNDING = 1e-9


class CouplingSums(NamedTuple):
    """Which of R couplings are added up in each of S sums, as n pairs of a coupling and a sum."""

    what: str  #: the summands, as error messages name them
    qubits: Indices  #: (S,), the qubit that all couplings of a sum share
    summand: Indices  #: (n,), the coupling of a pair, 0 ... R - 1
    total: Indices  #: (n,), the sum of a pair, 0 ... S - 1


@dataclass(frozen=True, eq=False)
class Limits:
    """The ranges of one chip; `of` reads them from the chip's properties.

    Example:
        >>> from isingprop.qpu.chip.working_graph import WorkingGraph
        >>> ranges = {"h_range": [-4, 4], "extended_j_range": [-2, 1], "num_reads_range": [1, 100]}
        >>> bounds = {"problem_run_duration_range": [0, 1e6], "per_qubit_coupling_range": [-18, 15]}
        >>> graph = WorkingGraph.perfect("pegasus", 2)
        >>> limits = Limits.of({**ranges, **bounds}, graph)
        >>> limits.clip(np.array([0.5, -5.0]), np.array([1.5]))
        (array([ 0.5, -4. ]), array([1.]), 2)
        >>> limits.check_coupling_sums(np.full(len(graph.couplers), -1.0))
    """

    h_range: Range
    j_range: Range  #: extended_j_range where the chip has it, else j_range
    num_reads_range: Range  #: reads of one call
    problem_run_duration_range: Range  #: us, of one call
    coupling_range: Range  #: of sums of couplings; infinite on a chip that does not bound them
    coupling_sums: CouplingSums

    @classmethod
    def of(
        cls, properties: Mapping[str, Any], graph: WorkingGraph, rows: Indices | None = None
    ) -> Limits:
        """Returns the limits of a chip, for problems that use some of its couplers.

        Args:
            properties: solver properties of the chip.
            graph: working qubits and couplers of the chip.
            rows: (R,), the rows of graph.couplers that J belongs to, in its order; None: all.

        Raises:
            ValueError: for a chip without one of the properties that every QPU has.
        """
        couplers = graph.couplers if rows is None else graph.couplers[rows]
        if "per_group_coupling_range" in properties:
            bounded, sums = "per_group_coupling_range", _group_sums(graph, couplers)
        else:
            bounded, sums = "per_qubit_coupling_range", _qubit_sums(couplers)

        return cls(
            h_range=_range(properties, "h_range"),
            j_range=_range(
                properties, "extended_j_range" if "extended_j_range" in properties else "j_range"
            ),
            num_reads_range=_range(properties, "num_reads_range"),
            problem_run_duration_range=_range(properties, "problem_run_duration_range"),
            coupling_range=_range(properties, bounded)
            if bounded in properties
            else (-np.inf, np.inf),
            coupling_sums=sums,
        )

    def clip(self, h: Doubles, J: Doubles) -> tuple[Doubles, Doubles, int]:
        """Moves values that are out of range to the nearest bound.

        Args:
            h: fields, of any shape.
            J: couplings, of any shape.

        Returns:
            (h, J, the number of values that were out of range).
        """
        new_h = np.clip(h, *self.h_range)
        new_J = np.clip(J, *self.j_range)
        return new_h, new_J, int(np.count_nonzero(new_h != h) + np.count_nonzero(new_J != J))

    def check_coupling_sums(self, J: Doubles) -> None:
        """Checks the sum of the couplings of each qubit, or of each group of its couplers.

        Args:
            J: (R,), couplings of the rows of graph.couplers that were given to `of`.

        Raises:
            ValueError: for a sum out of range; it names the qubit whose sum is farthest from it.
        """
        sums = self.coupling_sums
        values = np.bincount(sums.total, weights=J[sums.summand], minlength=len(sums.qubits))

        low, high = self.coupling_range
        excess = np.maximum(low - values, values - high)
        if not excess.max(initial=0.0) <= _ROUNDING:  # also true where a sum is NaN
            worst = int(excess.argmax())
            raise ValueError(
                f"sum of {sums.what} of qubit {sums.qubits[worst]} must be in [{low:g}, {high:g}], "
                f"got {values[worst]:.6g}; lower scale or chain_strength"
            )

    def reads_range(self, access_time: Callable[[int], float]) -> tuple[int, int]:
        """Returns the min and the max number of reads of a call.

        The whole access time must fit into problem_run_duration_range. D-Wave's own rule leaves out
        the programming time and the delays between reads, a few percent of it, so the chip accepts
        every call of at most so many reads.

        Args:
            access_time: gives the seconds of a call by its number of reads, like
                `estimate.access_time`; it is linear in them.

        Raises:
            ValueError: for a chip whose calls may not take the time of the min number of reads.
        """
        least, most = map(int, self.num_reads_range)
        longest = self.problem_run_duration_range[1] / MICROSECONDS_PER_SECOND
        if access_time(most) <= longest:
            return least, most

        shortest, each = access_time(least), access_time(least + 1) - access_time(least)
        if shortest > longest:
            microseconds = shortest * MICROSECONDS_PER_SECOND
            low, high = self.problem_run_duration_range
            raise ValueError(
                f"problem_run_duration_range must allow a call of {least} read"
                f"{'s' * (least > 1)}, which takes {microseconds:.6g} us, got [{low:g}, {high:g}]"
            )

        most = least + int((longest - shortest) / each)
        return least, most if access_time(most) <= longest else most - 1


def check_anneal_offsets(offsets: Doubles, properties: Mapping[str, Any]) -> None:
    """Checks that the anneal offset of each qubit, (qubits of the chip,), is in its range.

    Raises:
        ValueError: for an offset that is not; the message names the first such qubit.
    """
    low, high = np.array(solver_property(properties, "anneal_offset_ranges")).T
    # Qubits that do not work have a range of 0 or, on some solvers, NaN.
    wrong = ~(((offsets >= low) & (offsets <= high)) | (offsets == 0))
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(
            f"anneal_offsets must be in anneal_offset_ranges, [{low[k]:g}, {high[k]:g}] for qubit "
            f"{k}, got {offsets[k]:g}"
        )


def _range(properties: Mapping[str, Any], name: str) -> Range:
    """Returns a property of the chip that is a range, as (lower bound, upper bound)."""
    low, high = solver_property(properties, name)
    return float(low), float(high)


def _qubit_sums(couplers: Indices) -> CouplingSums:
    """Returns one sum for each qubit, over all of its couplers."""
    qubits, total = np.unique(couplers.T.ravel(), return_inverse=True)
    return CouplingSums("couplings", qubits, np.tile(np.arange(len(couplers)), 2), total)


def _group_sums(graph: WorkingGraph, couplers: Indices) -> CouplingSums:
    """Returns a sum for each of the two groups of couplers that a qubit of a Zephyr chip has."""
    from dwave.system.coupling_groups import coupling_groups

    number = {pair: k for k, pair in enumerate(map(tuple, couplers.tolist()))}
    used = graph.to_networkx().edge_subgraph(number)
    groups = [group for group in coupling_groups(used) if group]

    qubits = np.array([group[0][1] for group in groups], dtype=np.int64)
    summand = np.array(
        [number[min(pair), max(pair)] for group in groups for pair in group], dtype=np.int64
    )
    total = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return CouplingSums("a group of couplings", qubits, summand, total)
