"""The study of equivalence: numbers, files and pictures of made-up results."""

import json

import numpy as np
import pytest

import isingprop as ip
from helpers.paper.equivalence_results import CURVES, SHARES, STUDENT, course
from helpers.paper.findings import finding, rows_of, text_of
from helpers.paper.made_up import MadeUp, setup
from isingprop.paper.common.image_pairs import PairImages
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.mlp_equivalence import equivalence_study as mlp_equivalence
from isingprop.paper.mlp_equivalence.equivalence_jobs import (
    moments,
)

LEVELS = {(0, 1): 0.95, (2, 3): 0.9, (3, 9): 0.85, (5, 7): 0.8, (4, 8): 0.75}


def made_up():
    """Perceptrons have the accuracy of their pair, models 0.01 less; sampled ones 0.02 less."""

    def result(job):
        level = LEVELS[job.classes] + SHARES[job.seed % 3]
        less = 0.01 if job.num_reads is None else 0.02
        logits = np.full((len(moments(job.num_updates)), 4), job.seed / 10)
        return course(
            job.num_updates,
            mlp_accuracy=level,
            ebm_accuracy=level - less,
            kl=0.001 * (job.seed + 1),
            logits=logits,
        )

    return MadeUp(result)


def reproduced(tmp_path, **options):
    which, runner = setup(tmp_path, **options), made_up()
    return mlp_equivalence.reproduce(which, runner), runner


class Noting(MadeUp):
    """Notes what images the jobs are sent with."""

    def run(self, jobs, images, description):
        self.sent = [*getattr(self, "sent", []), images]
        return super().run(jobs, images, description)


@pytest.mark.slow
def test_jobs_are_sent_out_pair_by_pair(tmp_path, undrawn):
    runner = Noting(made_up().result)
    mlp_equivalence.reproduce(setup(tmp_path, quick=False), runner)
    assert [set(images.train_labels) | set(images.test_labels) for images in runner.sent] == list(
        map(set, LEVELS)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("num_seeds", "quick"), [(3, True), (2, False)])
def test_the_number_of_jobs_is_known_beforehand(tmp_path, num_seeds, quick, undrawn):
    _, runner = reproduced(tmp_path, num_seeds=num_seeds, quick=quick)
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    assert (
        mlp_equivalence.number_of_jobs(which) == len(runner.jobs) == (2 if quick else 6) * num_seeds
    )
    pairs = list(LEVELS)[: 1 if quick else 5]
    assert {(job.classes, job.seed) for job in runner.jobs if job.num_reads is None} == {
        (pair, seed) for pair in pairs for seed in range(num_seeds)
    }
    assert {job.classes for job in runner.jobs if job.num_reads is not None} == {(0, 1)}
    assert {(job.num_hidden, job.num_updates) for job in runner.jobs} == {
        (32, 80) if quick else (548, 200)
    }


@pytest.mark.slow
def test_fashion_has_pairs_of_its_own(tmp_path, monkeypatch, undrawn):
    monkeypatch.setattr(Setup, "load_all", lambda self: ip.load_data("digits"))
    numbers, runner = reproduced(tmp_path, data="fashion-mnist", quick=False)
    assert list(numbers["pairs"]) == ["Pullover-Dress", "Dress-Ankle Boot"]
    assert [job.classes for job in runner.jobs if job.num_reads is None] == 3 * [(2, 3)] + 3 * [
        (3, 9)
    ]
    assert list(numbers["sampled"]) == ["Pullover-Dress"]


@pytest.mark.slow
def test_the_numbers_follow_from_the_results(tmp_path, undrawn):
    numbers, _ = reproduced(tmp_path, quick=False)
    assert json.loads((tmp_path / "mlp-equivalence.json").read_text()) == numbers
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"mlp-equivalence.{kind}" for kind in ("csv", "json", "md")
    ]
    digits = ip.load_data("digits")
    assert (numbers["seeds"], numbers["updates"], numbers["num_hidden"], numbers["data"]) == (
        3,
        200,
        548,
        "digits",
    )
    assert numbers["num_train"] == len(digits.train_labels), "all there are"
    for (first, second), level in LEVELS.items():
        own = numbers["pairs"][f"{first}-{second}"]
        pair = PairImages.of(digits, (first, second))
        assert numbers["images"][f"{first}-{second}"] == [len(pair.train_x), len(pair.test_x)]
        assert own["mlp_accuracy"] == pytest.approx(level)
        assert own["ebm_accuracy"] == pytest.approx(level - 0.01)
        assert own["mlp_accuracy_se"] == pytest.approx(0.01 / 3**0.5)
        assert own["mlp_weights_in_ebm"] == pytest.approx(
            [0.9 - level, *interval_of_shares(0.9 - level)], abs=1e-6
        )
        assert own["ebm_weights_in_mlp"][0] == pytest.approx(0.9 - level + 0.01)
        assert (own["kl"], own["kl_first"], own["kl_largest"]) == pytest.approx(
            (0.002, 0.002, 0.002)
        )
        assert own["kl_largest_after"] == 1
        assert own["kl_change_in_last_third"] == [0, 0, 0]
        assert own["kl_between_perceptrons"] > 0
    assert list(numbers["sampled"]) == ["0-1"]
    assert numbers["sampled"]["0-1"]["ebm_accuracy"] == pytest.approx(0.93)


def interval_of_shares(mean):
    half = STUDENT * 0.01 / 3**0.5
    return mean - half, mean + half


def test_one_seed_has_no_errors_and_no_verdicts(tmp_path, undrawn):
    numbers, _ = reproduced(tmp_path, num_seeds=1)
    own = numbers["pairs"]["0-1"]
    assert own["kl_se"] is own["kl_between_perceptrons"] is own["mlp_weights_in_ebm"][1] is None
    text = text_of(tmp_path, "mlp-equivalence")
    found = text.split("## Choices")[0]
    assert "±" not in found
    for word in ("better", "worse", "falling", "nearer"):
        assert word not in found
    assert "One seed;" in text


def test_a_row_is_a_measurement_of_a_seed(tmp_path, undrawn):
    reproduced(tmp_path)
    rows = rows_of(tmp_path / "mlp-equivalence.csv")
    assert len(rows) == 2 * 3 * len(moments(80))
    assert list(rows[0]) == ["pair", "gradient_kind", "seed", "update", *sorted(CURVES)]
    (row,) = [
        row
        for row in rows
        if (row["pair"], row["gradient_kind"], row["seed"], row["update"])
        == ("0-1", "sampled", "2", "15")
    ]
    assert float(row["ebm_accuracy"]) == pytest.approx(0.95 + 0.01 - 0.02)
    assert float(row["loss"]) == pytest.approx(course(80)["loss"][6])
    assert float(row["kl"]) == pytest.approx(0.003)


@pytest.mark.slow
def test_the_report_has_a_line_for_each_pair_in_each_table(tmp_path, undrawn):
    reproduced(tmp_path, quick=False)
    text = text_of(tmp_path, "mlp-equivalence")
    for title in (*(f"{first}-{second}" for first, second in LEVELS), "0-1 (sampled)"):
        lines = [line for line in text.splitlines() if line.startswith(f"| {title} |")]
        assert len(lines) == 4
    accuracies, losses, divergences, drift = [
        line for line in text.splitlines() if line.startswith("| 2-3 |")
    ]
    assert accuracies == "| 2-3 | 90.0 ± 0.58 % | 90.0 ± 0.00 % | 89.0 ± 0.58 % | 90.0 ± 0.00 % |"
    assert losses == "| 2-3 | 0.1 | 0.1 | 0.1 | 0.1 |"
    assert divergences.startswith("| 2-3 | 0.002 | 0.002 (1) | 0.002 ± 0.00058 | ")
    assert (
        drift == "| 2-3 | 1.0000 | 0.9000 | 0.9000 | 0.5 to 0.5 | 1 to 4 | 1 to 4 | 0.25 | 0.25 |"
    )
    assert finding(text, "Divergence: ")
    assert text.startswith("# A perceptron"), "no warning of the number of images"
    assert "3 seeds" in text


def test_a_quick_run_says_so(tmp_path, undrawn):
    reproduced(tmp_path)
    assert text_of(tmp_path, "mlp-equivalence").startswith("*A quick run on digits: ")


@pytest.mark.slow
def test_a_row_of_the_picture_is_a_pair(tmp_path, figures):
    reproduced(tmp_path, quick=False)
    rows = np.reshape(figures["mlp-equivalence"].axes, (5, 5))
    assert [row[0].get_ylabel() for row in rows] == [
        f"{first}-{second}" for first, second in LEVELS
    ]
    assert [[len(axes.lines) for axes in row] for row in rows] == [
        [3, 3, 3, 3, 3],
        *4 * [[2, 2, 2, 2, 2]],
    ]
    for loss, likelihood, mlp, ebm, _ in rows:
        assert loss.get_ylim() == likelihood.get_ylim()
        assert mlp.get_ylim() == ebm.get_ylim()
    for row, level in zip(rows, LEVELS.values(), strict=True):
        lines = {line.get_label(): line.get_ydata() for axes in row[2:] for line in axes.lines}
        assert lines["MLP"][-1] == pytest.approx(level)
        assert lines["EBM"][-1] == pytest.approx(level - 0.01)
        assert (
            lines["EBM with the MLP's weights"][-1]
            == lines["MLP with the EBM's weights"][-1]
            == pytest.approx(0.9)
        )
        assert (
            np.concatenate([line.get_ydata() for axes in row[:2] for line in axes.lines]) > 0
        ).all()


@pytest.mark.slow
@pytest.mark.parametrize("num_seeds", [3, 1])
def test_it_is_drawn_to_the_same_bytes(tmp_path, num_seeds):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        reproduced(tmp_path / folder, num_seeds=num_seeds)
    for kind in ("png", "svg", "csv"):
        name = f"mlp-equivalence.{kind}"
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
