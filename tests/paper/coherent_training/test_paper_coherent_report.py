"""The study of coherent training: numbers, tables and exponents of made-up results."""

import json
import math

import numpy as np
import pytest

from helpers.paper.coherent_results import (
    NAMES,
    SHARES,
    SHOTS,
    SMALL,
    STUDENT,
    Z,
    made_up,
    reproduced,
)
from helpers.paper.findings import finding, law, rows_of, text_of
from helpers.paper.made_up import setup
from isingprop.analysis.scaling import standard_error
from isingprop.paper.coherent_training import coherent_study as coherent
from isingprop.paper.coherent_training.coherent_curves import Outcome, windows_of
from isingprop.paper.coherent_training.coherent_jobs import (
    PAIRS,
    methods_of,
    sizes_of,
)
from isingprop.paper.coherent_training.coherent_search import Search
from isingprop.paper.coherent_training.coherent_times import AnnealingTimes
from isingprop.paper.common.methods import Training
from isingprop.paper.common.text import percent_with_error


@pytest.mark.slow
@pytest.mark.parametrize(("num_seeds", "quick"), [(3, True), (2, False)])
def test_the_number_of_jobs_is_known_beforehand(tmp_path, num_seeds, quick, undrawn):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    runner = made_up(which)
    coherent.reproduce(which, runner)
    sizes = sizes_of(which)
    assert (
        coherent.number_of_jobs(which) == len(runner.jobs) == 8 * len(sizes.rates) + 10 * num_seeds
    )
    trials = [job for job in runner.jobs if isinstance(job, Training)]
    assert {job.learning_rate for job in trials} == set(sizes.rates)
    assert {job.epochs for job in trials} == {sizes.trial_epochs}
    for kind in (Search, AnnealingTimes):
        assert [job.seed for job in runner.jobs if isinstance(job, kind)] == list(which.seeds)


def test_the_numbers_follow_from_the_results(tmp_path, undrawn):
    numbers = reproduced(tmp_path)
    assert json.loads((tmp_path / "coherent.json").read_text()) == numbers
    facts = {
        "data": "digits",
        "num_train": 30,
        "num_test": 107,
        "seeds": 3,
        "epochs": 6,
        "num_spins": 10,
    }
    assert facts.items() <= numbers.items()
    half = STUDENT * 0.02 / 3**0.5
    assert tuple(numbers["methods"]) == NAMES
    for name, own in numbers["methods"].items():
        assert own["learning_rate"] == 0.01
        for kind, z in (("error", Z[name]), ("error_reads", Z[name] + 0.1)):
            assert own["z"][kind]["all"] == pytest.approx([z, z - half, z + half], abs=1e-6)
            assert set(own["z"][kind]) == {"all"}
        last = 0.4 * 6 ** -(Z[name] + SHARES)
        assert own["train_error"] == pytest.approx(last.mean())
        assert own["train_error_se"] == pytest.approx(last.std(ddof=1) / 3**0.5)
        assert own["test_accuracy"] == pytest.approx(0.9)
        assert ("z_applications" in own) == ("applications" in own) == (name in SHOTS)
        if name in SHOTS:
            assert own["z_applications"] == pytest.approx(
                [Z[name], Z[name] - half, Z[name] + half], abs=1e-6
            )
            assert own["applications"] == 600 * (1 + NAMES.index(name))
    assert tuple(numbers["comparisons"]) == tuple(PAIRS)
    for name, other in PAIRS.items():
        found = numbers["comparisons"][name]
        assert found["plain"] == other
        for kind, more in (("error", 0.0), ("error_reads", 0.1)):
            assert found[kind]["all"]["minus_plain"] == pytest.approx(
                3 * [Z[name] - Z[other]], abs=1e-6
            )
            double = Z[name] - 2 * Z[other] - more
            assert found[kind]["all"]["minus_double"] == pytest.approx(
                [double, double - half, double + half], abs=1e-6
            )
    search = numbers["search"]
    for way, power in {"repetition": -2, "grover": -1, "fixed_point": -1.1}.items():
        assert search["exponents"][way] == pytest.approx([power, power - half, power + half])
    assert search["instances"] == [12, 12, 12]
    assert search["largest_difference"] == pytest.approx(1e-7)
    assert search["fitted"] == 3 * [int((np.geomspace(0.01, 0.65, 12) < 0.3).sum())]
    times = numbers["times"]
    assert (times["epochs"], times["total_times"], times["rescale"]) == (
        [0, 6],
        [5, 15, 30, 60],
        [True, False],
    )
    np.testing.assert_allclose(np.array(times["right"])[:, 0, 2], 0.8)
    np.testing.assert_allclose(np.array(times["ground"])[:, 1, 2], 0.9 * 0.98)
    assert times["largest_local_field"] == pytest.approx([2, 2.5, 3, 3.5, 4, 4.5, 5])
    kinds = (
        "coherent.csv",
        "coherent.json",
        "coherent.md",
        "coherent_search.csv",
        "coherent_times.csv",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kinds)


@pytest.mark.slow
def test_a_row_is_an_epoch_or_an_instance_or_an_annealing_time(tmp_path, undrawn):
    reproduced(tmp_path)
    rows = rows_of(tmp_path / "coherent.csv")
    assert len(rows) == len(NAMES) * 3 * 6
    (row,) = [
        row
        for row in rows
        if (row["method"], row["seed"], row["epoch"]) == ("amplified-20", "2", "3")
    ]
    assert (row["learning_rate"], row["applications"]) == ("0.01", "1800")
    assert float(row["error"]) == pytest.approx(0.4 * 3 ** -(0.6 + 0.02))
    assert float(row["error_reads"]) == pytest.approx(0.4 * 3 ** -(0.7 + 0.02))
    assert {row["applications"] for row in rows if row["method"] not in SHOTS} == {""}
    rows = rows_of(tmp_path / "coherent_search.csv")
    assert [row["seed"] for row in rows] == 12 * ["0"] + 12 * ["1"] + 12 * ["2"]
    assert float(rows[12]["repetition"]) == pytest.approx(2e4)
    rows = rows_of(tmp_path / "coherent_times.csv")
    assert len(rows) == 3 * 2 * 2 * 4
    row = rows[-2]
    assert (row["seed"], row["epoch"], row["rescale"], row["total_time"]) == (
        "2",
        "6",
        "False",
        "30.0",
    )
    assert float(row["right"]) == pytest.approx(1 - 0.0202)


def test_tables_have_as_many_columns_as_their_heads(tmp_path, undrawn):
    reproduced(tmp_path)
    text = text_of(tmp_path, "coherent")
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 8
    assert all(len({line.count("|") for line in block}) == 1 for block in blocks)


def test_the_tables_of_errors_have_means_over_seeds(tmp_path, undrawn):
    reproduced(tmp_path)
    text = text_of(tmp_path, "coherent")
    (row,) = [
        line for line in text.splitlines() if line.startswith("| amplified, m = 20 | 0.01 | ")
    ]
    errors = 0.4 * np.arange(1, 7) ** -(0.6 + SHARES[:, None])
    columns = [errors[:, 0], errors[:, 2], errors[:, 5], errors[:, 1:].mean(axis=1), 0.9 + SHARES]
    assert (
        row
        == "| "
        + " | ".join(["amplified, m = 20", "0.01", *(told(column) for column in columns)])
        + " |"
    )
    (row,) = [line for line in text.splitlines() if line.startswith("| 6 | divided | right class")]
    assert row.split(" | ")[5] == told(0.8 - SHARES / 10)


def told(column):
    return percent_with_error(column.mean(), standard_error(column))


@pytest.mark.slow
@pytest.mark.parametrize("quick", [True, False])
def test_only_a_quick_run_has_a_note(tmp_path, undrawn, quick):
    reproduced(tmp_path, quick=quick)
    first, *_ = text_of(tmp_path, "coherent").splitlines()
    assert first.startswith("*A quick run on digits" if quick else "# Coherent training")
    assert "paper's, which are of" not in text_of(tmp_path, "coherent")


@pytest.mark.slow
def test_exponents_are_of_all_epochs_and_in_a_long_training_of_the_first_and_the_last(
    tmp_path,
    undrawn,
):
    assert windows_of(10) == {"all": (1, 10)}
    assert windows_of(50) == {"all": (1, 50), "early": (1, 10), "late": (10, 50)}
    numbers = reproduced(tmp_path, quick=False)
    for name in NAMES:
        for kind in ("error", "error_reads"):
            assert set(numbers["methods"][name]["z"][kind]) == {"all", "early", "late"}
    text = text_of(tmp_path, "coherent")
    for when in ("during each epoch", "after it"):
        for epochs in ("1 to 50", "1 to 10", "10 to 50"):
            finding(text, f"z of errors {when}, epochs {epochs}, against plain training")
    finding(text, "These are 30 comparisons")
    outcome = outcome_of(
        [[*law(1.0, 10, 0.4), *(0.04 * (np.arange(11, 51) / 10) ** -0.2)]], np.ones((1, 50))
    )
    for kind, power in (("error", 1), ("error_reads", 2)):
        assert outcome.exponents(kind, "early") == pytest.approx([1.0 * power], abs=1e-6)
        assert outcome.exponents(kind, "late") == pytest.approx([0.2 * power], abs=1e-6)
        assert 0.2 * power < outcome.exponents(kind, "all")[0] < power


def outcome_of(error, applications):
    error = np.array(error)
    return Outcome(
        methods_of(SMALL)["plain-20"],
        0.01,
        error,
        error**2,
        np.array(applications),
        np.ones(len(error)),
    )


def test_applications_are_counted_up_to_the_epoch_that_gets_there():
    rows = [[0.4, 0.05, 0.06], [0.4, 0.2, 0.05], [0.01, 0.4, 0.4]]
    outcome = outcome_of(rows, 3 * [[10, 20, 30]])
    assert outcome.cumulative_applications.tolist() == 3 * [[10, 30, 60]]
    assert outcome.applications_to(0.05) == 30
    assert outcome.applications_to(0.4) == 10
    assert outcome.applications_to(0.01) == math.inf
    assert outcome_of(rows[:2], 2 * [[10, 20, 30]]).applications_to(0.05) == 45
    assert outcome_of(rows[1:], 2 * [[10, 20, 30]]).applications_to(0.01) == math.inf


def test_exponents_of_applications_are_fitted_to_their_sums():
    """Where every epoch takes twice as many as the one before, sums grow from a to (2^K - 1) a."""
    applications = 100 * 2.0 ** np.arange(6)
    outcome = outcome_of([0.4 * (applications.cumsum() / 100) ** -0.3], [applications])
    assert outcome.exponents_of_applications() == pytest.approx([0.3], abs=1e-6)


@pytest.mark.slow
def test_a_dash_is_for_errors_that_are_not_reached(tmp_path, undrawn):
    numbers = reproduced(tmp_path, z=Z | {"plain-20": 1.7})
    assert numbers["methods"]["plain-20"]["applications_to"] == {
        "0.1": 600,
        "0.05": 800,
        "0.02": 1200,
        "0.01": None,
        "0.005": None,
    }
    text = text_of(tmp_path, "coherent")
    (row,) = [
        line
        for line in text.splitlines()
        if line.startswith("| plain, m = 20 | 1.70 [1.65, 1.75] | 600")
    ]
    assert row == "| plain, m = 20 | 1.70 [1.65, 1.75] | 600 | 800 | 1,200 | – | – | 200 | 200 |"
    assert finding(text, "Fewest applications to an error of 10.0 %: ").endswith(
        ": plain, m = 20, 600."
    )
    assert finding(text, "Fewest applications to an error of 2.00 %: ").endswith(
        ": plain, m = 20, 1,200."
    )


@pytest.mark.slow
def test_of_an_error_that_no_method_reaches_nothing_is_told(tmp_path, undrawn):
    reproduced(tmp_path, z=dict.fromkeys(NAMES, 0.1))
    assert "- Fewest applications" not in text_of(tmp_path, "coherent")
