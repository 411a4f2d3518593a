"""`isingprop report`: the file that it writes, and what it refuses."""

import hashlib
import json
import re
import shutil
import sys

import pytest

from helpers.cli.settings_of_runs import settings_of_a_run
from isingprop.cli.report.report_page import json_in_html, page_of
from isingprop.cli.run_folder import RunFolder
from isingprop.samplers.dwave import DWave


def payload_in(page):
    found = re.search(r'<script type="application/json" id="payload">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_the_same_run_gives_the_same_bits(isingprop, run_of, report_of, tmp_path):
    shutil.copytree(run_of("class-states"), tmp_path / "class-states")
    done = isingprop("report", "class-states")
    assert (done.code, done.out) == (0, "report          class-states/report.html\n"), done.err
    first = tmp_path / "class-states" / "report.html"
    assert isingprop("report", "class-states", "--out", "b.html", "--threads", "2").code == 0
    assert checksum(first) == checksum(tmp_path / "b.html")
    page = first.read_text()
    assert payload_in(page) == json.loads(json.dumps(report_of("class-states")[1]))
    assert len(page) < 8_000_000
    assert str(tmp_path) not in page


@pytest.mark.slow
def test_a_report_of_a_chip_run_calls_no_chip(isingprop, whole, tmp_path, monkeypatch):
    folder, _ = whole("dwave", isingprop)
    shutil.copytree(folder, tmp_path / "run")
    before = sorted((tmp_path / "run" / "qpu").rglob("*"))

    def refuse(*_, **__):
        raise AssertionError("the chip was called")

    monkeypatch.setattr(DWave, "sample", refuse)
    assert isingprop("report", "run").code == 0
    assert sorted((tmp_path / "run" / "qpu").rglob("*")) == before


@pytest.fixture
def begun(tmp_path):
    """The folder of a run that was killed in its first epoch."""
    sizes = {"num_train": 40, "num_test": 60, "num_states": 1, "num_sweeps": 10, "hidden": (8,)}
    settings = settings_of_a_run(**sizes, seed=0)
    return RunFolder.create(tmp_path / "begun", settings)


def test_without_plotly_the_command_says_what_to_install(isingprop, begun, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    done = isingprop("report", "begun")
    assert done.code == 1
    assert done.err == 'Error: a report needs plotly: pip install "isingprop[report]"\n'


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["nowhere"], "nowhere must be the folder of a run, got one without config.json"),
        (["begun"], "begun must be a run with a finished epoch, got none"),
        (
            ["begun", "--out", "no/file.html"],
            "--out must be a file in a folder that is there, got no/file.html",
        ),
        (["begun", "--out", "."], "--out must be a file in a folder that is there, got ."),
    ],
)
def test_refusals(isingprop, begun, arguments, refusal):
    done = isingprop("report", *arguments)
    assert (done.code, done.err) == (1, f"Error: {refusal}\n")
    assert {path.name for path in begun.path.iterdir()} == {"config.json", "lock"}


@pytest.mark.slow
def test_a_damaged_snapshot_is_refused_by_name(isingprop, run_of, tmp_path):
    shutil.copytree(run_of("anneal"), tmp_path / "run")
    path = tmp_path / "run" / "snapshots" / "epoch-00001.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    refused = isingprop("report", "run")
    assert refused.code == 1
    assert "epoch-00001.safetensors" in refused.err
    assert not (tmp_path / "run" / "report.html").exists()


def test_no_text_ends_its_element():
    names = ["</script><script>alert(1)</script>", "<!--", "@@styles@@", "\\1"]
    text = json_in_html({"classes": names})
    assert "<" not in text
    assert json.loads(text) == {"classes": names}
    assert payload_in(page_of({"classes": names})) == {"classes": names}


def test_numbers_that_json_does_not_have_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_in_html({"x": float("nan")})
