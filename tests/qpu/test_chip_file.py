"""Chips as they are described: real ones by name and from files, and perfect ones."""

import gzip
import json

import numpy as np
import pytest

from isingprop.qpu.chip.chip_file import REAL_CHIPS, ChipDescription
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

NAMES = {"advantage_system4.1": "advantage_system4_1", "Advantage2_system1": "advantage2_system1"}


def small_solver() -> dict:
    """The properties of a Z1 with some broken parts, as a solver lists them."""
    qpu = EmulatedQPU("zephyr", 1, broken_qubits=[3], broken_couplers=[[0, 24]])
    return qpu.properties | {"chip_id": "small", "h_range": [-5.0, 5.0]}


def beside(properties: dict) -> dict:
    """The same with qubits and couplers beside the other properties."""
    kept = {key: properties[key] for key in properties if key not in ("qubits", "couplers")}
    nodes, edges = properties["qubits"], properties["couplers"]
    return {"metadata": {}, "nodes": nodes, "edges": edges, "properties": kept}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_real_chip_is_what_dwave_lists(name, shared_data):
    listed = ChipDescription.read(shared_data / "chips" / f"{NAMES[name]}.json.gz")
    chip = ChipDescription.of(name)
    assert chip.graph.digest == listed.graph.digest
    assert chip.name == listed.name
    known, told = (dict(each.properties) for each in (chip, listed))
    ours, theirs = (np.array(each.pop("anneal_offset_ranges")) for each in (known, told))
    assert known == told
    assert ours.shape == theirs.shape
    inward = np.abs(theirs) - np.abs(ours)
    assert (inward >= 0).all()
    assert inward.max() < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("name", ["advantage2_system1", "ADVANTAGE2_SYSTEM1"])
def test_the_emulated_chip_of_a_name_has_its_graph_and_properties(name):
    qpu = EmulatedQPU(name)
    assert (len(qpu.nodelist), len(qpu.edgelist)) == (4578, 41531)
    assert qpu.properties["chip_id"].startswith("emulated-Advantage2_system1-")
    assert qpu.properties["topology"] == {"type": "zephyr", "shape": [12, 4]}
    assert qpu.properties["num_qubits"] == len(qpu.properties["anneal_offset_ranges"]) == 4800
    assert qpu.properties_of == "Advantage2_system1"
    graph = WorkingGraph.of(qpu)
    assert graph.digest == ChipDescription.of(name).graph.digest


@pytest.mark.slow
@pytest.mark.parametrize("topology", REAL_CHIPS)
def test_a_perfect_chip_has_the_properties_of_the_real_one_of_its_topology(topology):
    perfect, real = ChipDescription.of(topology, 2), ChipDescription.of(REAL_CHIPS[topology])
    own = {"topology", "num_qubits", "anneal_offset_ranges"}
    assert {
        key for key in real.properties if perfect.properties[key] != real.properties[key]
    } == own
    assert perfect.graph.digest == WorkingGraph.perfect(topology, 2).digest
    assert EmulatedQPU(topology, 2).properties["chip_id"] == f"emulated-{perfect.graph.graph_id}"
    (low, high), *others = np.array(perfect.properties["anneal_offset_ranges"])[
        perfect.graph.qubits
    ]
    assert (np.array(others) == (low, high)).all()
    ranges = np.array(real.properties["anneal_offset_ranges"])[real.graph.qubits]
    assert (ranges[:, 0].max(), ranges[:, 1].min()) == (low, high)


def test_a_change_of_one_chips_properties_leaves_the_next_as_it_is():
    first = EmulatedQPU("zephyr", 1)
    first.properties["problem_timing_data"]["typical_programming_time"] = 0.0
    first.properties["h_range"][0] = 0.0
    again = EmulatedQPU("zephyr", 1).properties
    assert again["problem_timing_data"]["typical_programming_time"] > 0
    assert again["h_range"] == [-6, 6]


@pytest.mark.parametrize("arranged", [dict, beside])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_in_each_of_its_forms(tmp_path, arranged, packed):
    content = json.dumps(arranged(small_solver())).encode()
    (tmp_path / "chip").write_bytes(gzip.compress(content) if packed else content)
    chip = ChipDescription.read(tmp_path / "chip")
    graph = WorkingGraph.perfect("zephyr", 1).without([3], [[0, 24]])
    assert chip.graph.digest == graph.digest
    assert (chip.chip_id, chip.properties["h_range"]) == ("small", [-5, 5])
    qpu = EmulatedQPU(chip)
    assert (qpu.nodelist, qpu.properties["h_range"]) == (graph.qubits.tolist(), [-5, 5])
    assert qpu.properties["chip_id"].startswith("emulated-small-")
    assert EmulatedQPU(chip, broken_qubits=[5]).nodelist == graph.without([5]).qubits.tolist()


def changed(**properties):
    return {key: value for key, value in (small_solver() | properties).items() if value != "gone"}


WRONG = {
    "it does not hold JSON: ": b"{",
    "it does not hold JSON: Compressed file ended": gzip.compress(b"{}")[:-5],
    "it does not hold JSON: it is longer than 33554432 bytes": gzip.compress(bytes(2**20)) * 33,
    "its content must be an object, got list": [1, 2],
    "its properties must hold topology, got none": {"qubits": [1], "couplers": []},
    "its properties must hold qubits, got none": changed(qubits="gone"),
    "its properties must hold couplers, got none": changed(couplers="gone"),
    "topology must have a type and a shape, got zephyr": changed(topology="zephyr"),
    "topology must be pegasus or zephyr, got 'chimera'": changed(
        topology={"type": "chimera", "shape": [16, 16, 4]}
    ),
    "shape must be a list of numbers, got []": changed(topology={"type": "zephyr", "shape": []}),
    "shape of zephyr must be [1, 4], got [1, 3]": changed(
        topology={"type": "zephyr", "shape": [1, 3]}
    ),
    "size must be an integer, got '1'": changed(topology={"type": "zephyr", "shape": ["1", 4]}),
    "qubits must be working qubits of zephyr-1-": changed(qubits=[1, 48]),
    "qubits must be whole numbers, got dtype float64": changed(qubits=[0.5]),
    "qubits must have at least one qubit, got none": changed(qubits=[], couplers=[]),
    "couplers must be working couplers of zephyr-1-": changed(couplers=[[0, 2]]),
    "couplers must join two of the qubits, got [3, 34]": changed(couplers=[[34, 3]]),
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_file_that_describes_no_chip_is_refused(tmp_path, reason, assert_refused):
    content = WRONG[reason]
    path = tmp_path / "chip.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    refusal = f"ValueError: {path} must describe a solver of D-Wave, but {reason}"
    assert_refused(lambda: ChipDescription.read(path), refusal)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"chip\.json"):
        ChipDescription.read(tmp_path / "chip.json")


@pytest.mark.parametrize("name", ["annealing_time_range", "problem_timing_data", "parameters"])
def test_a_chip_without_a_property_of_every_qpu_is_not_emulated(tmp_path, name, assert_refused):
    (tmp_path / "chip").write_text(json.dumps(changed(**{name: "gone"})))
    chip = ChipDescription.read(tmp_path / "chip")
    refusal = f"ValueError: solver small must have the property {name}, got none"
    assert_refused(lambda: EmulatedQPU(chip), refusal)
    assert_refused(lambda: EmulatedQPU(chip, 2), "ValueError: size must be None for a Chip")
