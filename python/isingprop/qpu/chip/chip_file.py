"""Descriptions of chips: real ones by name or from a file, and perfect ones of the same topology.

The folder `real_chips` describes two real chips, each with the source of its facts.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from isingprop.qpu.chip.working_graph import DIGEST_LENGTH, WorkingGraph
from isingprop.util.checks import Doubles

#: The names of the real chips by topology.
REAL_CHIPS = {"pegasus": "Advantage_system4.1", "zephyr": "Advantage2_system1"}
_FOLDER = Path(__file__).with_name("real_chips")
_GZIP = b"\x1f\x8b"  # the first bytes of every gzip file
_MAX_BYTES = 2**25  # of JSON; the largest chip of 2026 has 3.7 MB
_THOUSANDTHS = 1000
_GRAPH_LISTS = {"qubits": "nodes", "couplers": "edges"}  # properties, and their names beside them


@dataclass(frozen=True, eq=False)
class ChipDescription:
    """The working graph and the solver properties of one chip.

    Args:
        graph: working graph of the chip.
        properties: solver properties as D-Wave lists them, without "qubits" and "couplers";
            "chip_id" is the name of the real chip that has them.
        is_perfect: whether the graph is a perfect one in place of the real chip's.

    Example:
        >>> chip = ChipDescription.of("advantage2_system1")
        >>> len(chip.graph.qubits), chip.properties["h_gain_schedule_range"]
        (4578, [-1.0, 1.0])
        >>> small = ChipDescription.of("zephyr", 4)
        >>> len(small.graph.qubits), small.properties["h_gain_schedule_range"]
        (576, [-1.0, 1.0])
    """

    graph: WorkingGraph
    properties: Mapping[str, Any]
    is_perfect: bool = False

    @property
    def chip_id(self) -> str:
        """The name of the real chip that has the properties."""
        return str(self.properties.get("chip_id", self.graph.topology))

    @property
    def name(self) -> str:
        """The name of the graph of a perfect chip, or that of a real chip with a digest."""
        if self.is_perfect:
            return self.graph.graph_id
        return f"{self.chip_id}-{self.graph.digest[:DIGEST_LENGTH]}"

    @classmethod
    def of(cls, topology: str, size: int | None = None) -> Self:
        """Returns a perfect chip by its topology, or a real chip by its name.

        A perfect chip has the properties of the real chip of its topology: Advantage_system4.1
        (Pegasus) or Advantage2_system1 (Zephyr). The anneal offsets of its qubits are those that
        all qubits of the real chip can have.

        Args:
            topology: "pegasus", "zephyr", "Advantage_system4.1" or "Advantage2_system1"; names
                of real chips also in lower case, and with "_" for ".".
            size: m of P_m or Z_m, like in `WorkingGraph.perfect`; None for a real chip.

        Raises:
            ValueError: for another name, a size out of range, or a size for a real chip.
        """
        if isinstance(topology, str) and topology in REAL_CHIPS:
            return cls._perfect(topology, size)
        if (name := real_chip_name(topology)) is None:
            known = ", ".join([*REAL_CHIPS, *REAL_CHIPS.values()])
            raise ValueError(f"topology must be one of {known}, got {topology!r}")
        if size is not None:
            raise ValueError(f"size must be None for {name}, which has its own, got {size}")
        return cls._real(name)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Returns the chip that a file describes.

        Args:
            path: a JSON file, which gzip may have compressed. It holds a solver's properties, as
                `json.dump(sampler.properties, file)` writes them, or an object with the keys
                "properties", "nodes" (qubits) and "edges" (couplers).

        Raises:
            OSError: for a file that cannot be read.
            ValueError: for a file that does not describe a Pegasus or Zephyr chip.
        """
        try:
            return cls._from_json(_json_of(Path(path).read_bytes()))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} must describe a solver of D-Wave, but {error}") from None

    @classmethod
    def of_solver(cls, properties: Mapping[str, Any]) -> Self:
        """Returns the chip with a solver's properties, among them its qubits and couplers.

        Raises:
            ValueError: for a chip that is neither Pegasus nor Zephyr.
        """
        return cls._from_json(dict(properties))

    def without(self, qubits: ArrayLike, couplers: ArrayLike = ()) -> Self:
        """Returns this chip without some qubits and couplers, like `WorkingGraph.without`."""
        return replace(self, graph=self.graph.without(qubits, couplers))

    @classmethod
    def _perfect(cls, topology: str, size: int | None) -> Self:
        """Returns a perfect chip with the properties of a real one."""
        graph, facts = WorkingGraph.perfect(topology, size), facts_of(REAL_CHIPS[topology])
        offsets = _offsets(facts)
        common = np.array([offsets[:, 0].max(), offsets[:, 1].min()])
        return cls(graph, _properties(facts, graph, common), is_perfect=True)

    @classmethod
    def _real(cls, name: str) -> Self:
        """Returns a real chip from the facts that are stored."""
        facts = facts_of(name)
        perfect = _perfect_graph(facts["properties"]["topology"])
        graph = perfect.without(facts["missing_qubits"], facts["missing_couplers"])
        return cls(graph, _properties(facts, graph, _offsets(facts)))

    @classmethod
    def _from_json(cls, content: Any) -> Self:
        """Returns the chip of a file's content."""
        if not isinstance(content, dict):
            raise TypeError(f"its content must be an object, got {type(content).__name__}")
        properties = content.get("properties", content)
        if not isinstance(properties, dict) or "topology" not in properties:
            raise ValueError("its properties must hold topology, got none")

        lists: dict[str, Any] = {}
        for name, beside in _GRAPH_LISTS.items():
            lists[name] = properties.get(name, content.get(beside))
            if lists[name] is None:
                raise ValueError(f"its properties must hold {name}, got none")

        graph = _perfect_graph(properties["topology"]).only(lists["qubits"], lists["couplers"])
        kept = {name: value for name, value in properties.items() if name not in _GRAPH_LISTS}
        return cls(graph, kept)


def real_chip_name(chip: object) -> str | None:
    """Returns the name of a real chip as D-Wave writes it; None for anything else."""
    names = {_file_stem(name): name for name in REAL_CHIPS.values()}
    return names.get(_file_stem(chip)) if isinstance(chip, str) else None


def _file_stem(name: str) -> str:
    """Returns the name of a chip as the file of its facts has it."""
    return name.lower().replace(".", "_")


@lru_cache(maxsize=len(REAL_CHIPS))
def facts_of(name: str) -> dict[str, Any]:
    """Returns what is stored of a real chip; it must not be changed."""
    content: dict[str, Any] = json.loads((_FOLDER / f"{_file_stem(name)}.json").read_bytes())
    return content


def _offsets(facts: Mapping[str, Any]) -> Doubles:
    """Returns the least and the greatest anneal offset of each working qubit, (Q, 2)."""
    return np.reshape(facts["anneal_offset_thousandths"], (-1, 2)) / _THOUSANDTHS


def _properties(facts: Mapping[str, Any], graph: WorkingGraph, offsets: Doubles) -> dict[str, Any]:
    """Returns the stored properties, for a graph whose qubits have anneal offsets (Q or 1, 2)."""
    num_qubits = _nominal_qubits(*graph.shape)
    ranges = np.zeros((num_qubits, 2))
    ranges[graph.qubits] = offsets

    return {
        **deepcopy(facts["properties"]),
        "topology": {"type": graph.topology, "shape": list(graph.shape)},
        "num_qubits": num_qubits,
        "anneal_offset_ranges": ranges.tolist(),
    }


def _nominal_qubits(m: int, t: int | None = None) -> int:
    """Returns the number of qubits of P_m or Z_m,t, working or not, as a solver lists it."""
    return 24 * m * (m - 1) if t is None else 4 * t * m * (2 * m + 1)


def _perfect_graph(topology: Any) -> WorkingGraph:
    """Returns the perfect graph of a solver's property "topology"."""
    if not isinstance(topology, dict) or not {"type", "shape"} <= topology.keys():
        raise ValueError(f"topology must have a type and a shape, got {topology}")
    kind, shape = topology["type"], topology["shape"]
    if not isinstance(shape, list | tuple) or not shape:
        raise ValueError(f"shape must be a list of numbers, got {shape!r}")

    graph = WorkingGraph.perfect(kind, shape[0])
    if tuple(shape) != graph.shape:
        raise ValueError(f"shape of {kind} must be {list(graph.shape)}, got {list(shape)}")
    return graph


def _json_of(content: bytes) -> Any:
    """Returns the value of a JSON text, which gzip may have compressed."""
    try:
        if content.startswith(_GZIP):
            content = gzip.GzipFile(fileobj=BytesIO(content)).read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ValueError(f"it is longer than {_MAX_BYTES} bytes")
        return json.loads(content)
    except (EOFError, OSError, zlib.error, ValueError, RecursionError) as error:
        raise ValueError(f"it does not hold JSON: {error}") from None
