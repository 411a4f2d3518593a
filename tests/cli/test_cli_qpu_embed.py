"""The command `isingprop qpu embed`: each test runs it in a process of its own."""

import gzip
import json
import os
import struct

import pytest

import isingprop as ip
from helpers.cli.cli_runs import assert_refused, isingprop
from helpers.dwave.small_service import SmallService
from isingprop.qpu.chip.working_graph import WorkingGraph

NETWORK = ("--hidden", "30", "--output", "10")

SMALL = ("--topology", "zephyr", "--size", "3", *NETWORK)


@pytest.fixture
def embed(tmp_path):
    """embed(*options): the command in a folder of its own, with a cache of its own."""

    def run(*options, **account):
        cache = os.fspath(tmp_path / "cache")
        return isingprop("qpu", "embed", *options, cwd=tmp_path, XDG_CACHE_HOME=cache, **account)

    return run


def content_of(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.slow
def test_the_json_says_what_was_found_and_the_second_time_comes_from_the_cache(embed):
    first, second = embed(*SMALL, "--json"), embed(*SMALL, "--json")
    content = content_of(first)
    assert content.pop("seconds") > 0
    graph = WorkingGraph.perfect("zephyr", 3)
    assert content == {
        "qubits": 66,
        "max_chain_hidden": 2,
        "max_chain_output": 3,
        "copies": 2,
        "qubits_of_copies": [66, 66],
        "hidden": 30,
        "output": 10,
        "topology": "zephyr",
        "shape": [3, 4],
        "graph_id": graph.graph_id,
        "working_qubits": 336,
        "working_couplers": len(graph.couplers),
        "cached": False,
    }
    assert first.stderr.startswith("isingprop: embedding 30 x 10 spins")
    assert len(first.stderr.splitlines()) == 1
    again = content_of(second)
    del again["seconds"]
    assert again == content | {"cached": True}
    assert second.stderr == ""


@pytest.mark.slow
def test_without_json_it_is_four_lines(embed):
    result = embed(*SMALL)
    assert result.returncode == 0, result.stderr
    chip, copies, best, time = result.stdout.splitlines()
    assert chip.split(":")[1] == " 336 qubits, 2808 couplers"
    assert copies.split(maxsplit=1)[1] == "2 of 30 x 10 spins, 132 qubits in all"
    assert best.split(maxsplit=2)[2] == "66 qubits, longest chains 2 (hidden) and 3 (output)"
    assert time.startswith("time ")


@pytest.mark.slow
def test_seconds_search_beyond_what_is_stored(embed):
    chip = "--chip", "advantage2_system1", "--json"
    few = content_of(embed(*chip, "--seconds", "0.5"))
    more = content_of(embed(*chip, "--seconds", "10"))
    assert not few["cached"]
    assert 0.5 < few["seconds"] < 30
    assert more["copies"] >= max(2, few["copies"])
    assert more["qubits"] < 900 < few["working_qubits"]


@pytest.mark.slow
def test_the_default_network_is_the_papers(embed):
    content = content_of(embed("--topology", "zephyr", "--json"))
    assert (content["hidden"], content["output"], content["shape"]) == (120, 40, [12, 4])
    assert (content["qubits"], content["copies"]) == (680, 5)


@pytest.mark.slow
def test_the_largest_star_of_the_paper_on_perceptrons(embed):
    result = embed(
        "--topology", "pegasus", "--size", "16", "--hidden", "654", "--output", "1", "--json"
    )
    content = content_of(result)
    assert (content["hidden"], content["output"], content["max_chain_hidden"]) == (654, 1, 1)
    assert (content["copies"], content["max_chain_output"], content["qubits"]) == (5, 51, 705)


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_a_chip_of_a_solver_s_own_json(embed, tmp_path, packed):
    qpu = ip.EmulatedQPU("zephyr", 3, broken_qubits=[7, 8, 9], broken_couplers=[[0, 168]])
    content = json.dumps(qpu.properties).encode()
    (tmp_path / "chip").write_bytes(gzip.compress(content) if packed else content)
    content = content_of(embed("--chip", "chip", *NETWORK, "--json"))
    graph = WorkingGraph.of(qpu)
    assert content["graph_id"] == graph.graph_id
    assert (content["working_qubits"], content["working_couplers"]) == (333, len(graph.couplers))


@pytest.mark.slow
def test_a_real_chip_is_known_by_its_name(embed):
    content = content_of(embed("--chip", "advantage2_system1", *NETWORK, "--json"))
    assert (content["working_qubits"], content["working_couplers"]) == (4578, 41531)
    assert (content["topology"], content["shape"]) == ("zephyr", [12, 4])
    assert content["copies"] > 40


@pytest.mark.slow
def test_a_solver_of_the_account(embed):
    with SmallService({"broken": ip.EmulatedQPU("zephyr", 3, broken_qubits=[7])}) as sapi:
        content = content_of(embed("--solver", "broken", *NETWORK, "--json", **sapi.environment))
        unknown = embed("--solver", "none", *NETWORK, **sapi.environment)
        assert sapi.paid == []
    assert content["graph_id"] == WorkingGraph.perfect("zephyr", 3).without([7]).graph_id
    assert content["working_qubits"] == 335
    assert_refused(unknown, 1, "none", "dwave solvers")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"qubits": [33], "couplers": []}', "but its properties must hold topology, got none"),
        ("[1, 2]", "chip.json must describe a solver of D-Wave, but its content must be an object"),
        ("{", "chip.json must describe a solver of D-Wave, but it does not hold JSON"),
        (
            None,
            "--chip must be Advantage_system4.1 or Advantage2_system1 or a file that can be read",
        ),
    ],
)
def test_a_chip_that_is_wrong(embed, tmp_path, text, reason):
    if text is not None:
        (tmp_path / "chip.json").write_text(text)
    assert_refused(embed("--chip", "chip.json", *NETWORK), 1, reason)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        ((), 2, "one of --topology, --chip and --solver must be given"),
        (("--topology", "zephyr", "--chip", "x"), 2, "--topology, --chip and --solver"),
        (("--chip", "advantage2_system1", "--solver", "x"), 2, "--topology, --chip and --solver"),
        (("--chip", "advantage2_system1", "--size", "3"), 2, "--size must go with --topology"),
        (("--topology", "chimera"), 2, "chimera"),
        (("--topology", "zephyr", "--size", "0"), 1, "size must be at least 1, got 0"),
        (("--topology", "zephyr", "--size", "1", "--hidden", "0"), 2, "--hidden"),
        (
            ("--topology", "zephyr", "--size", "1", "--hidden", "40", "--output", "9"),
            1,
            "must fit on zephyr-1-",
        ),
        (
            ("--topology", "zephyr", "--size", "1", "--hidden", "45", "--output", "1"),
            1,
            "at most 44 were found to fit",
        ),
        (
            (*SMALL, "--draw", "picture.jpg"),
            1,
            "--draw must be a file that ends in .png, got picture.jpg",
        ),
        (
            (*SMALL, "--draw", "nowhere/picture.png"),
            1,
            "--draw must be a file in a folder that is there",
        ),
    ],
)
def test_slips_are_one_line(embed, options, code, reason):
    result = embed(*options)
    assert result.stdout == ""
    assert result.returncode == code
    assert reason in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_the_picture_is_a_png_1600_pixels_wide(embed, tmp_path):
    assert len(content_of(embed(*SMALL, "--draw", "picture.png", "--json"))) > 0
    content = (tmp_path / "picture.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">I", content[16:20]) == (1600,)
