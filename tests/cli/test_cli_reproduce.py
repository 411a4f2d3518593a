"""The command that reproduces the figures: what it prints, writes and computes again."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.cli.cli_reproduce import TWO_SEEDS, contents, results_of, without_seconds
from helpers.cli.cli_runs import error_lines, isingprop
from helpers.idx_files import write_folder
from isingprop import cli
from isingprop.cli import reproduce as cli_reproduce
from isingprop.paper.common.study_setup import Setup

FIGURES = (
    "fig2",
    "fig3",
    "fig4",
    "fig5",
    "table",
    "deep",
    "control",
    "coherent",
    "mlp-equivalence",
    "mlp-table",
    "mlp-runtime",
)

DRAWN = ("csv", "json", "md", "png", "svg")


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """`reproduce all`, once for all tests: its folder and its answer."""
    folder = tmp_path_factory.mktemp("everything")
    result = isingprop("reproduce", "all", *TWO_SEEDS, "--out", "out", cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder, result


# All figures


@pytest.mark.slow
def test_all_figures_are_one_json_object_and_nothing_else(everything):
    _, result = everything
    assert len(result.stdout.splitlines()) == 1
    numbers = json.loads(result.stdout)
    assert tuple(numbers) == FIGURES
    lines = result.stderr.splitlines()
    assert 1 < len(lines) <= 10
    pattern = r".+: \d+/\d+ jobs, \d\d:\d\d, \d\d:\d\d left"
    assert [line for line in lines if not re.fullmatch(pattern, line)] == []
    fig5, table = numbers["fig5"], numbers["table"]
    wanted = {
        "dragon",
        "cyclic",
        "equilibrium",
        "class-states",
        "backprop-relu",
        "backprop-sigmoid",
        "backprop-1200",
    }
    assert set(fig5["methods"]) == wanted
    for own in fig5["methods"].values():
        assert {"z", "z_low", "z_high", "final_error", "learning_rate"} <= set(own)
        assert own["z"] is None or own["z_low"] < own["z"] < own["z_high"]
        assert 0 <= own["final_error"] <= 1
    assert (fig5["seeds"], numbers["fig4"]["seeds"], table["seeds"]) == (2, 2, 2)
    assert (
        len(numbers["fig4"]["m"])
        == len(numbers["fig4"]["error"])
        == len(numbers["fig4"]["error_se"])
    )
    assert len(table["methods"]) == 6
    assert len(numbers["deep"]["variants"]) == 8
    for own in numbers["deep"]["variants"].values():
        assert {"hidden", "active_layers", "margin", "learning_rate", "train_error"} <= set(own)
        assert own["seconds_per_epoch"] > 0
        assert 0 <= own["test_accuracy"] <= 1
        assert own["largest_problem"] <= sum(own["hidden"]) + 40
        assert own["active_layers"] is None or own["largest_problem"] <= max(own["hidden"]) + 40
    (control,) = numbers["control"]["sizes"].values()
    assert len(control["methods"]) == 12
    for own in control["methods"].values():
        assert 0 < own["test_accuracy"]["mean"] < 1
        assert ("low_states" in own) == ("test_accuracy_sampled" in own)
        assert "low_states" in own or own["qpu_seconds_per_epoch"] is None
    assert len(numbers["coherent"]["methods"]) == 8
    for own in numbers["coherent"]["methods"].values():
        assert 0 < own["train_error"] < 0.7, "two thirds of the classes are wrong"
        assert own["test_accuracy"] > 0.5, "a third of the images would be right by chance"
        assert ("z_applications" in own) == ("applications" in own)
    assert numbers["coherent"]["search"]["largest_difference"] < 1e-9
    repetition, grover = (
        numbers["coherent"]["search"]["exponents"][way][0] for way in ("repetition", "grover")
    )
    assert repetition < -1.5 < grover < -0.5
    (twins,) = numbers["mlp-equivalence"]["pairs"].values()
    assert min(twins["mlp_accuracy"], twins["ebm_accuracy_inherited"]) > 0.8, (
        "half of the images is right by chance"
    )
    assert 0 < twins["kl"] < 0.1
    assert twins["cosine"] > 0.9
    assert all(own["seconds"] > 0 for own in numbers.values())


@pytest.mark.slow
def test_all_figures_leave_whole_files(everything):
    folder, result = everything
    out, numbers = folder / "out", json.loads(result.stdout)
    assert sorted(path.name for path in folder.iterdir()) == ["out"]
    names = {path.name for path in out.iterdir()}
    for figure in FIGURES:
        assert {f"{figure}.{kind}" for kind in (DRAWN if figure != "table" else DRAWN[:3])} <= names
        assert without_seconds(json.loads((out / f"{figure}.json").read_text())) == without_seconds(
            numbers[figure]
        )
    assert not [name for name in names if name.startswith(".") or name.endswith("tmp")]
    for path in out.iterdir():
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG"), path.name
        if path.suffix == ".svg":
            assert path.read_text().rstrip().endswith("</svg>"), path.name
        if path.suffix == ".csv":
            with path.open() as file:
                rows = list(csv.DictReader(file))
            assert rows, path.name
            assert all(None not in row and None not in row.values() for row in rows), path.name


@pytest.mark.slow
@pytest.mark.parametrize("figure", FIGURES)
def test_a_report_is_whole(everything, figure):
    text = (everything[0] / "out" / f"{figure}.md").read_text()
    note, empty, title = text.splitlines()[:3]
    assert note.startswith("*A quick run on digits")
    assert (empty, title[:2]) == ("", "# ")
    assert text.endswith("\n")
    for fragment in ("nan", "None", "{", "}", "array(", "np."):
        assert fragment not in text, fragment
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert tables
    for line, above in zip(tables[1:], tables, strict=False):
        if line.startswith("| ---"):
            assert line.count("|") == above.count("|")
    assert "digits" in text, "the data are named"
    assert "2 seeds" in text, "and how many repetitions there were"


@pytest.mark.slow
def test_what_all_figures_left_is_not_computed_again(everything):
    """By fig4, in their folder: its own jobs are among those that are finished."""
    out = everything[0] / "out"
    before, files = results_of(out), contents(out)
    result = isingprop("reproduce", "fig4", *TWO_SEEDS, "--out", "out", cwd=everything[0])
    assert without_seconds(json.loads(result.stdout)) == without_seconds(
        json.loads(everything[1].stdout)["fig4"]
    )
    assert results_of(out) == before
    assert contents(out) == files


# One figure


@pytest.mark.slow
def test_json_is_one_object_with_lists_of_one_length(fig4):
    folder, result = fig4
    assert len(result.stdout.splitlines()) == 1
    assert error_lines(result.stderr) == []
    numbers = json.loads(result.stdout)
    assert numbers["m"] == [1, 3, 10, 30]
    lists = [value for value in numbers.values() if isinstance(value, list)]
    assert {"error", "error_se"} <= set(numbers)
    assert {len(each) for each in lists} == {4}
    assert all(0 <= error <= 1 for error in numbers["error"])
    names = {path.name for path in (folder / "out").iterdir()}
    assert names == {*(f"fig4.{kind}" for kind in DRAWN), "jobs", "lock"}
    assert json.loads((folder / "out" / "fig4.json").read_text()) == numbers


@pytest.mark.slow
def test_a_second_run_in_the_folder_computes_nothing_and_says_the_same(fig4):
    folder, result = fig4
    before, files = results_of(folder / "out"), contents(folder / "out")
    again = isingprop("reproduce", "fig4", *TWO_SEEDS, "--out", "out", cwd=folder)
    assert without_seconds(json.loads(again.stdout)) == without_seconds(json.loads(result.stdout))
    assert results_of(folder / "out") == before
    assert contents(folder / "out") == files
    assert before


@pytest.mark.slow
def test_the_numbers_and_pictures_do_not_depend_on_the_number_of_workers(fig4, tmp_path):
    folder, result = fig4
    alone = isingprop(
        "reproduce", "fig4", *TWO_SEEDS, "--workers", "1", "--out", "out", cwd=tmp_path
    )
    assert without_seconds(json.loads(alone.stdout)) == without_seconds(json.loads(result.stdout))
    files = contents(tmp_path / "out")
    assert {"fig4.csv", "fig4.png"} <= set(files)
    assert files == contents(folder / "out")
    for name in ("fig4.svg", "fig4.md"):
        assert (tmp_path / "out" / name).read_text() == (folder / "out" / name).read_text()


@pytest.mark.slow
def test_more_seeds_and_others_are_computed_beside_those_that_are_there(fig4, tmp_path):
    """Seeds 1 and 2 after 0 and 1: one of them is new."""
    folder, result = fig4
    shutil.copytree(folder / "out", tmp_path / "out")
    before = results_of(tmp_path / "out")
    other = isingprop("reproduce", "fig4", *TWO_SEEDS, "--seed", "1", "--out", "out", cwd=tmp_path)
    assert json.loads(other.stdout)["error"] != json.loads(result.stdout)["error"]
    after = results_of(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert 2 * len(after) == 3 * len(before)


@pytest.mark.slow
def test_without_json_a_line_says_where_the_report_is(fig4, tmp_path):
    shutil.copytree(fig4[0] / "out", tmp_path / "out")
    result = isingprop("reproduce", "fig4", "--quick", "--seeds", "2", "--out", "out", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert line.split()[0] == "fig4"
    assert line.split()[-1] == str(Path("out", "fig4.md"))


@pytest.mark.slow
def test_mnist_has_784_pixels(shared_data, tmp_path):
    options = "--quick", "--seeds", "1", "--data-dir", str(shared_data)
    result = isingprop("reproduce", "fig4", *options, "--out", "out", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    numbers = json.loads(result.stdout)
    assert numbers["error_se"] == [None] * len(numbers["m"])
    assert "mnist, 300 training images" in (tmp_path / "out" / "fig4.md").read_text()
    assert min(numbers["error"]) < 0.6, "a tenth of the images would be right by chance"


@pytest.mark.parametrize(
    ("figure", "quick", "data_dir", "wanted"),
    [
        ("coherent", False, None, "digits"),
        ("coherent", True, None, "digits"),
        ("coherent", False, "folder", "mnist"),
        ("mlp-runtime", False, None, "digits"),
        ("mlp-equivalence", False, None, "mnist"),
        ("mlp-equivalence", True, None, "digits"),
        ("mlp-table", False, None, "mnist"),
        ("deep", False, None, "mnist"),
        ("deep", True, None, "digits"),
        ("deep", True, "folder", "mnist"),
        ("all", False, None, "mnist"),
    ],
)
def test_the_data_are_mnist_unless_digits_do(
    tmp_path, monkeypatch, figure, quick, data_dir, wanted
):
    asked = []

    def noted(names, setup, workers, scheduler):
        asked.append((names, setup.data, setup.data_dir))
        return {name: {"seconds": 1.0} for name in names}

    monkeypatch.setattr(cli_reproduce, "_reproduce", noted)
    command = ["reproduce", figure, "--out", str(tmp_path)] + quick * ["--quick"]
    result = CliRunner().invoke(
        cli.app, command + ([] if data_dir is None else ["--data-dir", data_dir])
    )
    assert result.exit_code == 0, result.output
    assert asked == [(FIGURES if figure == "all" else (figure,), wanted, data_dir)]


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (("fig4",), [None]),
        (("fig4", "table"), [(300, 100)]),
        (("control",), [(300, 100)]),
        (("mlp-equivalence",), ["all"]),
        (("mlp-table", "mlp-runtime"), []),
        (("fig4", "mlp-equivalence"), [None, "all"]),
    ],
)
def test_the_images_that_are_needed_are_read_before_any_work(tmp_path, monkeypatch, names, asked):
    """Some of the perceptron's studies see to it themselves."""
    loaded = []
    setup = Setup(data="digits", data_dir=None, num_seeds=1, seed=0, quick=True, out=tmp_path)
    monkeypatch.setattr(Setup, "load_data", lambda self, num_train=None: loaded.append(num_train))
    monkeypatch.setattr(Setup, "load_all", lambda self: loaded.append("all"))
    cli_reproduce._load_data(names, setup)
    assert loaded == [max(each) if isinstance(each, tuple) else each for each in asked]


@pytest.mark.slow
def test_a_study_of_all_images_takes_a_small_folder(tmp_path):
    """60 training images, where the figures ask for 300."""
    write_folder(tmp_path / "few")
    options = (
        "--data-dir",
        "few",
        "--quick",
        "--seeds",
        "1",
        "--workers",
        "1",
        "--out",
        "out",
        "--json",
    )
    result = isingprop("reproduce", "mlp-equivalence", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    numbers = json.loads(result.stdout)
    assert (numbers["num_train"], numbers["images"]) == (60, {"0-1": [12, 6]})
