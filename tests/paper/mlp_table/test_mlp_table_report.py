"""The MLP paper's tables: numbers, files and words that follow from made-up results."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from helpers.paper.findings import finding, rows_of, text_of
from helpers.paper.made_up import setup
from helpers.paper.table_results import (
    CONSTANT,
    RISING,
    TWO_THREE,
    ending,
    folder_of,
    near_the_paper,
    outcome,
    papers,
    reproduced,
    rising_to,
    searched,
)
from isingprop.paper.common import study_setup as papers_setup
from isingprop.paper.mlp_table import table_study as mlp_table
from isingprop.paper.mlp_table.table_findings import findings
from isingprop.paper.mlp_table.table_jobs import (
    GRID,
    Search,
    Trial,
)
from isingprop.paper.mlp_table.table_outcomes import Searches
from isingprop.paper.mlp_table.table_published import COLUMNS, Pair, pairs_of, published


@pytest.fixture
def both(tmp_path):
    folder_of(tmp_path, "mnist")
    folder_of(tmp_path, "fashion-mnist", parts=("t10k",), each=20)
    return papers(tmp_path)


@pytest.mark.parametrize("quick", [True, False])
def test_the_number_of_jobs_is_known_beforehand(tmp_path, undrawn, both, quick):
    which = setup(tmp_path) if quick else both
    _, runner = reproduced(which)
    assert (
        mlp_table.number_of_jobs(which)
        == len(runner.jobs)
        == (3 + 3 * 3 * 4 if quick else 2 * 3 + 16 * 9 * 4)
    )
    assert {job.num_hidden for _, job in runner.jobs} == {32 if quick else 548}
    assert len(set(runner.jobs)) == len(runner.jobs)
    searches = {(name, job.classes) for name, job in runner.jobs if isinstance(job, Search)}
    assert searches == (
        {("digits", (2, 3))} if quick else {("mnist", (2, 3)), ("fashion-mnist", (2, 3))}
    )
    trials = dict.fromkeys(
        Pair(name, job.classes) for name, job in runner.jobs if isinstance(job, Trial)
    )
    assert list(trials) == (
        pairs_of("digits")[:3] if quick else [*pairs_of("mnist"), *pairs_of("fashion-mnist")]
    )


def test_the_numbers_follow_from_the_results(tmp_path, both, undrawn):
    numbers, _ = reproduced(both)
    assert json.loads((tmp_path / "mlp-table.json").read_text()) == numbers
    assert numbers["data"]["fashion-mnist"] == {
        "num_train": 100,
        "num_test": 100,
        "halves_of_test_images": True,
    }
    assert (numbers["trials"], numbers["updates"], numbers["num_hidden"]) == (9, 20, 548)
    first = numbers["pairs"][0]
    assert (first["title"], first["num_test"]) == ("2-3", 24)
    own = first["columns"]["annealer"]
    assert own["published"] == {"test_accuracy": 0.8586, "steps_to_70": 7, "success": 0.28}
    assert own["successful"] == 6
    assert own["success"][0] == pytest.approx(2 / 3)
    assert own["test_accuracy"] == pytest.approx(0.8586)
    assert own["test_accuracy_sd"] == pytest.approx(0.02 * math.sqrt(6 / 5))
    assert own["test_accuracy_all"] == pytest.approx((2 * 0.8586 + 0.5) / 3)
    assert own["steps_to_70"] == 17
    assert (own["verdict"], own["difference_in_se"]) == ("within", pytest.approx(0, abs=1e-9))
    assert "published" not in first["columns"]["exact"]
    assert numbers["annealer"]["beta_effective"] == 8
    assert numbers["annealer"]["estimate"] == 11
    assert numbers["annealer"]["divergence"] == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.1, 0.1])
    files = {"csv", "json", "md"}
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        *(f"mlp-table.{kind}" for kind in files),
        "mlp-table-curves.csv",
    }


@pytest.mark.slow
def test_a_row_is_a_trial_and_the_curves_are_beside_it(tmp_path, both, undrawn):
    numbers, _ = reproduced(both)
    rows, curves = rows_of(tmp_path / "mlp-table.csv"), rows_of(tmp_path / "mlp-table-curves.csv")
    assert (len(rows), len(curves)) == (16 * 4 * 9, 16 * 4 * 9 * 20)
    keys = ("data", "pair", "column", "trial")
    courses = {}
    for row in curves:
        courses.setdefault(tuple(row[key] for key in keys), []).append(float(row["test_accuracy"]))
    for row in rows:
        course = courses[tuple(row[key] for key in keys)]
        assert float(row["test_accuracy"]) == course[-1]
        assert row["successful"] == str(int(min(course[-5:]) >= 0.6))
        above = [k + 1 for k, accuracy in enumerate(course) if accuracy > 0.7]
        assert row["first_above_70"] == (str(above[0]) if above else "")
    for pair in numbers["pairs"]:
        for column, own in pair["columns"].items():
            some = [
                row
                for row in rows
                if (row["data"], row["pair"], row["column"])
                == (pair["data"], pair["title"], column)
            ]
            assert sum(int(row["successful"]) for row in some) == own["successful"]
            assert np.mean([float(row["test_accuracy"]) for row in some]) == pytest.approx(
                own["test_accuracy_all"]
            )


def test_all_published_accuracies_within(tmp_path, both, undrawn):
    reproduced(both)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "Accuracy: ")
    assert line.endswith(
        "of 48 published figures 48 are within 2 standard deviations of ours, 0 are outside, and "
        "0 have no verdict. "
        "16 of 16 pairs have none outside."
    )
    for beginning in ("Outside: ", "Fewer than "):
        assert f"- {beginning}" not in text
    assert "0 of 48 means differ" in finding(text, "A second look: ")
    assert finding(text, "Fashion-MNIST's training files are missing: ")
    assert (
        "| mnist | 2-3 | 82.8 ± 2.2 (6) | *82.8* | 77.4 ± 2.2 (6) | *77.4* | 85.9 ± 2.2 (6) | "
        "*85.9* | 80.0" in text
    )
    assert "| mnist | 5-9 | 18 | *11* | >20 | *>20* | >20 | *>20* | 18 |" in text
    assert "| mnist | 2-3 | 67 [30, 93] | *50* |" in text
    line = finding(text, "70 % is reached within ")
    assert line.endswith("in the paper, but not here: 8-9, Classical-2."), (
        "which is published to end at 66 %"
    )
    assert text.count("(!)") == text.count("(?)") == 1, "the legend"
    assert "*A quick run" not in text


def one_apart(pair, column, other):
    """As near_the_paper, with another result in one place."""

    def curve(job, name):
        return (
            other(job)
            if (Pair(name, job.classes), job.column) == (pair, column)
            else near_the_paper(job, name)
        )

    return curve


def test_a_published_accuracy_outside_is_named_with_its_numbers(tmp_path, both, undrawn):
    apart = one_apart(
        Pair("mnist", (8, 9)), "classical-2", lambda job: rising_to((0.79, 0.8, 0.81)[job.seed % 3])
    )
    numbers, _ = reproduced(both, apart)
    text = text_of(tmp_path, "mlp-table")
    assert " 47 are within 2 standard deviations of ours, 1 are outside, and 0 " in finding(
        text, "Accuracy: "
    )
    told = "Outside: 8-9, Classical-2: 66.2 % published, 80.0 ± 0.9 % in 9 successful trials here. "
    told += "Of all trials 80.0 %; successful are 100.0 %, published 40.0 %."
    assert finding(text, "Outside: ") == f"- {told}"
    assert "80.0 ± 0.9 (9) (!)" in text
    assert "1 of 48 means differ by more than 2 standard errors" in finding(text, "A second look: ")
    assert "8-9, Classical-2 (+23" in finding(text, "A second look: ")
    assert finding(text, "Accuracy: ").endswith("15 of 16 pairs have none outside.")
    verdicts = [own.get("verdict") for pair in numbers["pairs"] for own in pair["columns"].values()]
    assert (verdicts.count("outside"), verdicts.count("within"), verdicts.count(None)) == (
        1,
        47,
        16,
    )


@pytest.mark.slow
def test_where_the_paper_does_not_reach_70_percent_is_told(tmp_path, both, undrawn):
    reproduced(both, one_apart(Pair("mnist", (5, 9)), "annealer", lambda job: rising_to(0.8)))
    line = finding(
        text_of(tmp_path, "mlp-table"),
        "70 % is reached within 20 updates here, but not in the paper: ",
    )
    assert line.endswith(": 5-9, annealer.")


def test_too_few_successful_trials_give_no_verdict(tmp_path, both, undrawn):
    few = one_apart(
        Pair("mnist", (0, 1)), "annealer", lambda job: rising_to(0.9) if job.seed < 2 else CONSTANT
    )
    reproduced(both, few)
    text = text_of(tmp_path, "mlp-table")
    assert " 47 are within 2 standard deviations of ours, 0 are outside, and 1 " in finding(
        text, "Accuracy: "
    )
    assert finding(text, "Fewer than 3 successful trials").endswith(": 0-1, annealer (2 of 9).")
    assert "90.0 ± 0.0 (2) (?)" in text
    line = finding(text, "Published rates of success outside our intervals: ")
    assert "0-1, annealer (22.2 %, published 100.0 %)" in line


def test_no_successful_trial_at_all_is_told(tmp_path, both, undrawn):
    reproduced(both, lambda job, name: CONSTANT)
    text = text_of(tmp_path, "mlp-table")
    assert " 0 are within 2 standard deviations of ours, 0 are outside, and 48 " in finding(
        text, "Accuracy: "
    )
    assert "- A second look: " not in text
    assert "0 successful with both, 144 with neither" in finding(
        text, "annealer against exact gradients"
    )
    assert "| mnist | 2-3 | – (0) (?) | *82.8* |" in text
    assert "in the paper, but not here: 2-3, Classical-1; " in finding(
        text, "70 % is reached within 20 updates"
    )


def test_the_means_are_held_against_the_published_ones(tmp_path, both, undrawn):
    def shifted(job, name):
        return near_the_paper(job, name) + 0.01 * (job.column == "classical-1")

    reproduced(both, shifted)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "Our mean accuracy minus the published one, points, mean over pairs: ")
    assert "Classical-1 +1.00 [+1.00, +1.00]; Classical-2 " in line
    line = finding(text, "Success, mean over pairs: ")
    assert "Classical-1 66.7 % (published 65.6 %)" in line
    line = finding(text, "Updates to 70 %, mean over the pairs that both reach it: ")
    figures = [
        published(pair)["classical-1"]
        for name in ("mnist", "fashion-mnist")
        for pair in pairs_of(name)
    ]
    steps = [np.argmax(rising_to(each.accuracy) + 0.01 > 0.7) + 1 for each in figures]
    assert f"Classical-1 {np.mean(steps):.1f} (published 8.7; 16 pairs)" in line


def test_what_sampling_costs_is_told(tmp_path, both, undrawn):
    values = {"classical-2": 0.8, "annealer": 0.75, "exact": 0.79, "classical-1": 0.8}
    fails = {"annealer": 0, "exact": 1}

    def curve(job, name):
        return CONSTANT if job.seed == fails.get(job.column) else rising_to(values[job.column])

    reproduced(both, curve)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "Classical-2 against exact gradients, the same trials: ")
    assert (
        "128 successful with both, 0 with neither, 16 with Classical-2 alone, 0 with exact "
        "gradients alone" in line
    )
    assert line.endswith("where both are, Classical-2 ends higher by +1.00 [+1.00, +1.00] points.")
    line = finding(text, "annealer against exact gradients, the same trials: ")
    assert (
        "112 successful with both, 0 with neither, 16 with annealer alone, 16 with exact "
        "gradients alone" in line
    )
    assert line.endswith("where both are, annealer ends higher by -4.00 [-4.00, -4.00] points.")


@pytest.mark.parametrize("best", [0, 3, 5])
def test_the_temperature_is_the_grids_best(tmp_path, undrawn, best):
    reproduced(setup(tmp_path), best=best)
    text = text_of(tmp_path, "mlp-table")
    line = finding(text, "The annealer's beta_effective is ")
    assert f"is {GRID[best]:g} by the least divergence, 0.05 nats (Gibbs sampling: 0.001)" in line
    assert "States.beta_effective says 11, and its schedule ends at 10" in line
    assert ("end of the grid" in line) == (best != 3)
    cells = ["0.1"] * 6
    cells[best] = "**0.05**"
    assert f"| divergence (nats) | {' | '.join(cells)} |" in text


def test_searches_are_over_all_updates_and_seeds():
    own = [searched(), searched()]
    own[1]["divergence"][:, 1] = 0.02  # against 0.05, but the other has 0.1
    assert Searches.of(own).best == 8.0
    own[0]["divergence"][10:, 1] = 0.0  # in the mean 0.05 - 0.0025
    own[0]["estimate"][:, 1], own[1]["estimate"][:, 1] = 5.0, np.append(np.full(19, 7.0), np.inf)
    assert (Searches.of(own).best, Searches.of(own).estimated) == (2.0, 6.0)


@pytest.mark.parametrize(
    ("logit", "told"), [(20.0, "most outputs are as good as certain"), (2.0, "not yet certain")]
)
def test_the_first_update_is_told(logit, told):
    curves = {column: outcome(RISING, CONSTANT, paper=None, logit=logit) for column in COLUMNS}
    curves["exact"] = replace(curves["exact"], first_logit=np.array([30.0, 30.0]))
    lines = list(findings({TWO_THREE: curves}, Searches.of([searched()])))
    (line,) = [line for line in lines if line.startswith("After the first update")]
    assert f" {logit:.1f} by backpropagation and 30.0 by exact gradients" in line
    assert told in line


def test_the_definition_of_success_is_tried_with_other_numbers():
    curves = {
        column: outcome(CONSTANT, *ending(0.58, 0.62, 0.66), paper=None) for column in COLUMNS
    }
    lines = list(findings({TWO_THREE: curves}, Searches.of([searched()])))
    assert "50.0 % of all trials are successful with a least accuracy of 60 %" in lines[-1]
    assert lines[-1].endswith("with others it would be 75.0 % from 55 %, 25.0 % from 65 %.")


def test_a_quick_run_has_no_published_figures_and_says_what_it_is(tmp_path, undrawn):
    numbers, _ = reproduced(setup(tmp_path))
    text = text_of(tmp_path, "mlp-table")
    assert text.startswith("*A quick run on digits")
    assert finding(text, "There are no published figures for a quick run or for these data")
    assert not any(words in text for words in ("in italics", "diamonds"))
    assert "*paper*" not in text
    assert all(
        "published" not in own for pair in numbers["pairs"] for own in pair["columns"].values()
    )
    folder_of(tmp_path, "mnist")
    numbers, _ = reproduced(setup(tmp_path, data="mnist", data_dir=str(tmp_path)))
    assert all(
        "published" not in own for pair in numbers["pairs"] for own in pair["columns"].values()
    )


@pytest.mark.slow
@pytest.mark.parametrize("num_seeds", [3, 1])
def test_it_is_drawn_to_the_same_bytes(tmp_path, num_seeds):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        reproduced(setup(tmp_path / folder, num_seeds=num_seeds))
    for name in ("mlp-table.png", "mlp-table.svg", "mlp-table.csv", "mlp-table-curves.csv"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "mlp-table.svg").read_text().rstrip().endswith("</svg>")


def test_the_papers_pairs_are_drawn_with_its_figures(tmp_path, both, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        papers_setup.Setup,
        "write_picture",
        lambda self, name, figure, *_: drawn.append((name, figure)),
    )
    reproduced(both)
    ((name, figure),) = drawn
    assert name == "mlp-table"
    panels = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in panels] == [
        pair.title for pair in (*pairs_of("mnist"), *pairs_of("fashion-mnist"))
    ]
    lines = panels[0].lines
    curves = [line for line in lines if len(line.get_xdata()) == 20]
    places = [line for line in lines if len(line.get_xdata()) == 1]
    (legend,) = figure.legends
    *_, published = legend.get_texts()
    assert published.get_text() == "published, after the last update"
    assert len(curves) == 4
    assert [float(line.get_ydata()[0]) for line in places] == [0.8277, 0.7742, 0.8586]
    assert [float(line.get_xdata()[0]) for line in places] == [21, 21, 21]
    assert curves[0].get_ydata()[-1] == pytest.approx(0.8277)
