"""The study of depth: its numbers, files and words on made-up results."""

import json

import numpy as np
import pytest

from helpers.paper.depth_names import QUICK
from helpers.paper.findings import finding, rows_of, text_of
from helpers.paper.made_up import MadeUp, curve, setup
from isingprop.paper.common.methods import Training
from isingprop.paper.depth import depth_study as deep
from isingprop.paper.depth.depth_jobs import variants

SHARES = np.array(
    [-0.01, 0.0, 0.01]
)  # by which the accuracies of seeds 0, 1, 2 differ from their mean

RATES = {True: (0.002, 0.01), False: (0.0005, 0.001, 0.002)}  # of a quick run and of a full one

STUDENT = 4.302653  # t of a 95 % interval for two degrees of freedom

ACCURACY = dict(zip(QUICK, (0.8, 0.78, 0.76, 0.79, 0.7, 0.6, 0.7, 0.6), strict=True))

SECONDS = dict(zip(QUICK, (1.0, 1.0, 1.0, 2.0, 4.0, 2.0, 6.0, 5.0), strict=True))


def made_up(which, accuracy=ACCURACY, shares=SHARES, seconds=SECONDS, best=0):
    """Results for all jobs; the rate of this number is the best for one hidden layer, the largest
    for more.
    """
    names = {method: name for name, method in variants(which).items()}

    def result(job):
        name = names[job.method]
        if isinstance(job, Training):
            assert job.seed not in which.seeds
            wanted = RATES[which.quick][best if name.startswith("1") else -1]
            return curve(np.full(job.epochs, abs(job.learning_rate - wanted)))
        assert job.learning_rate == RATES[which.quick][best if name.startswith("1") else -1], (
            "not the best"
        )
        rise = np.linspace(-0.2, 0.2, job.epochs) * (
            name != QUICK[0]
        )  # of mean 0, so the last differs from the mean
        share = shares[job.seed % 3] * (-1 if name == QUICK[0] else 1)
        reads = np.linspace(0.5, 0.3 if name.startswith("1") else 0.4, job.epochs)
        return {
            "error_reads": reads,
            "error_lowest": reads / 2,
            "seconds": seconds[name] * np.append(np.ones(job.epochs - 1), 100),
            "test_accuracy": accuracy[name] + share + rise,
            "margin": np.array(0.25),
            "largest_problem": np.array(72 if name.endswith("two") else 104),
        }

    return MadeUp(result)


def reproduced(tmp_path, num_seeds=3, **options):
    which = setup(tmp_path, num_seeds=num_seeds)
    runner = made_up(which, **options)
    return deep.reproduce(which, runner), runner


@pytest.mark.parametrize(("num_seeds", "quick"), [(3, True), (2, False)])
def test_the_number_of_jobs_is_known_beforehand(tmp_path, num_seeds, quick, undrawn):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    methods = variants(which)
    names = dict(zip(methods, QUICK, strict=True))
    known = (
        {name: ACCURACY[names[name]] for name in methods},
        {name: SECONDS[names[name]] for name in methods},
    )
    runner = made_up(which, known[0], seconds=known[1])
    numbers = deep.reproduce(which, runner)
    assert (
        deep.number_of_jobs(which)
        == len(runner.jobs)
        == len(methods) * ((2 if quick else 3) + num_seeds)
    )
    trials = [job for job in runner.jobs if isinstance(job, Training)]
    assert {job.epochs for job in runner.jobs} == {numbers["epochs"]} == {3 if quick else 25}
    grid = {(method, rate) for method in methods.values() for rate in RATES[quick]}
    assert {(job.method, job.learning_rate) for job in trials} == grid


def test_the_numbers_follow_from_the_results(tmp_path, undrawn):
    numbers, _ = reproduced(tmp_path)
    assert json.loads((tmp_path / "deep.json").read_text()) == numbers
    assert (numbers["seeds"], numbers["epochs"], numbers["num_tested"], numbers["data"]) == (
        3,
        3,
        360,
        "digits",
    )
    assert tuple(numbers["variants"]) == QUICK
    for name, own in numbers["variants"].items():
        layers = int(name[0])
        assert own["hidden"] == layers * [64 if name == "1x64" else 32]
        assert own["active_layers"] == (None if name.endswith("all") else 2)
        assert own["margin"] == 0.25
        assert own["learning_rate"] == (0.002 if layers == 1 else 0.01)
        assert own["test_accuracy"] == pytest.approx(ACCURACY[name] + 0.2 * (name != QUICK[0]))
        assert own["test_accuracy_last_5"] == pytest.approx(ACCURACY[name])
        for kind in ("test_accuracy", "test_accuracy_last_5"):
            assert own[f"{kind}_se"] == pytest.approx(0.01 / 3**0.5)
        assert own["train_error_reads"] == pytest.approx(0.3 if layers == 1 else 0.4)
        assert own["train_error"] == pytest.approx(0.15 if layers == 1 else 0.2)
        assert own["seconds_per_epoch"] == SECONDS[name], (
            "the median: of a slow epoch there is no trace"
        )
        assert own["largest_problem"] == (72 if name.endswith("two") else 104)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep.csv", "deep.json", "deep.md"]


def test_both_panels_have_one_axis_and_bars_are_on_the_late_means(tmp_path, figures):
    reproduced(tmp_path)
    course, ends = figures["deep"].axes
    assert course.get_ylim() == ends.get_ylim()
    assert not course.collections, "eight bands would hide each other"
    assert len(ends.collections) == len(QUICK)


def test_only_the_last_five_epochs_are_in_the_mean(tmp_path, undrawn):
    which = setup(tmp_path, quick=False)
    names = dict(zip(variants(which), QUICK, strict=True))
    numbers = deep.reproduce(
        which, made_up(which, dict.fromkeys(names, 0.5), seconds=dict.fromkeys(names, 1.0))
    )
    late = 0.5 + np.linspace(-0.2, 0.2, 25)[-5:].mean()
    assert numbers["variants"]["2x120-two"]["test_accuracy_last_5"] == pytest.approx(late)
    assert "mean of the last 5" in text_of(tmp_path, "deep")
    line = finding(text_of(tmp_path, "deep"), "Still rising in the last 10 epochs")
    assert all(method.title in line for method in variants(which).values())


def test_a_row_is_an_epoch_of_a_seed(tmp_path, undrawn):
    reproduced(tmp_path)
    rows = rows_of(tmp_path / "deep.csv")
    assert len(rows) == len(QUICK) * 3 * 3
    (row,) = [
        row for row in rows if (row["variant"], row["seed"], row["epoch"]) == ("3x32-two", "2", "1")
    ]
    assert row["learning_rate"] == "0.01"
    assert float(row["test_accuracy"]) == pytest.approx(0.7 + 0.01 - 0.2)
    assert (float(row["error_reads"]), float(row["error_lowest"])) == (0.5, 0.25)
    assert not [name for name in row if "seconds" in name], "a second run has other times"


def test_differences_are_of_equal_seeds(tmp_path, undrawn):
    """1x32 varies against the others, and so the differences twice as much; the rest vary
    together.
    """
    reproduced(tmp_path)
    text = text_of(tmp_path, "deep")
    (line,) = [line for line in text.splitlines() if line.startswith("| 2 × 32 (all at once) | -")]
    half = STUDENT * 2 / 3**0.5  # points
    assert line.split(" | ")[1] == f"-20.0 [{-20 - half:+.1f}, {-20 + half:+.1f}]"
    assert line.split(" | ")[2] == "-18.0 [-18.0, -18.0]"
    (line,) = [
        line for line in text.splitlines() if line.startswith("| 2 × 32 (all at once) | 0.25")
    ]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2:] == ["0.01", "80.0 ± 0.58 %", "60.0 ± 0.58 %", "40.0 % (20.0 %)", "2 s", "104"]


def accuracies(two, three):
    one = {name: ACCURACY[name] for name in QUICK[:4]}
    return {**one, "2x32-two": two, "2x32-all": two, "3x32-two": three, "3x32-all": three}


def verdict(tmp_path, *options, **more):
    reproduced(tmp_path, accuracy=accuracies(*options), **more)
    text = text_of(tmp_path, "deep")
    (line,) = [line for line in text.splitlines() if line.startswith("- Depth ")]
    return text, line


@pytest.fixture
def titles(tmp_path):
    return [method.title for name, method in variants(setup(tmp_path)).items() if name[0] != "1"]


def test_depth_helps_where_a_deep_network_is_better_than_all_others(tmp_path, undrawn, titles):
    """0.03 better than the best: half an interval is 0.05 against 1x32, which varies against the
    others.
    """
    text, line = verdict(tmp_path, 0.87, 0.82)
    assert line.endswith(f"better than every network of one hidden layer: {', '.join(titles[:2])}.")
    assert line.startswith("- Depth helps")
    told = f"better: {', '.join(titles[:2])}; no difference to be seen: {', '.join(titles[2:])}."
    assert finding(text, "Against 1 × 32: ") == f"- Against 1 × 32: {told}"
    assert finding(text, "Against 1 × 64: ") == f"- Against 1 × 64: better: {', '.join(titles)}."


def test_depth_does_not_help_where_every_deep_network_is_worse_than_another(
    tmp_path,
    undrawn,
    titles,
):
    text, line = verdict(tmp_path, 0.785, 0.72)
    assert line.startswith("- Depth does not help here: every deep network is worse")
    told = f"no difference to be seen: {', '.join(titles[:2])}; worse: {', '.join(titles[2:])}."
    assert finding(text, "Against 1 × 32: ") == f"- Against 1 × 32: {told}"
    assert finding(text, "Against 1 × 64: ") == f"- Against 1 × 64: worse: {', '.join(titles)}."


@pytest.mark.slow
def test_depth_is_not_seen_to_help_where_the_intervals_say_nothing(tmp_path, undrawn, titles):
    text, line = verdict(tmp_path, 0.82, 0.72)
    assert line.startswith("- Depth is not seen to help here: ")
    told = f"no difference to be seen: {', '.join(titles[:2])}; worse: {', '.join(titles[2:])}."
    assert finding(text, "Against 1 × 32: ") == f"- Against 1 × 32: {told}"
    assert "These are 16 intervals of 95 %, of which 0.8 would" in text


def test_one_seed_gives_no_verdict(tmp_path, undrawn):
    numbers, _ = reproduced(tmp_path, num_seeds=1)
    text = text_of(tmp_path, "deep")
    assert all(own["test_accuracy_se"] is None for own in numbers["variants"].values())
    assert "- Depth " not in text
    assert "one seed, so no verdict" in finding(text, "Against 1 × 32: ")
    for word in ("better", "worse"):
        assert word not in text.split("## Choices")[0]
    assert "±" not in text.split("## Choices")[0]


def test_deep_networks_are_compared_by_depth_and_by_the_way_of_sampling(tmp_path, undrawn, titles):
    accuracy = accuracies(0.7, 0.7) | {"3x32-two": 0.72, "2x32-all": 0.6}
    reproduced(tmp_path, accuracy=accuracy)
    text = text_of(tmp_path, "deep")
    two, two_all, three, three_all = titles
    pairs = [
        (three, two, "+2.0", "better"),
        (two_all, two, "-10.0", "worse"),
        (three_all, two_all, "+10.0", "better"),
    ]
    for own, other, points, told in [*pairs, (three_all, three, "-2.0", "worse")]:
        line = finding(text, f"{own}, minus {other}: ")
        assert line.endswith(f": {points} [{points}, {points}] points ({told}).")
    assert sum(", minus " in line for line in text.splitlines() if line.startswith("- ")) == 4


def test_the_cost_of_each_layer_and_the_largest_problem_are_told(tmp_path, undrawn):
    reproduced(tmp_path)
    text = text_of(tmp_path, "deep")
    assert finding(text, "Two layers at a time, with").endswith(
        ": 1, 4, 6 s per epoch; the third adds 2 s, no more than the second (3 s). Largest "
        "problem: 104, 72, 72 spins."
    )
    assert finding(text, "All at once, with").endswith(
        ": 1, 2, 5 s per epoch; the third adds 3 s, more than the second (1 s). Largest problem: "
        "104, 104, 104 spins."
    )


@pytest.mark.parametrize("best", [0, 1, 2])
def test_a_rate_at_the_end_of_the_grid_is_told(tmp_path, undrawn, best):
    which = setup(tmp_path, quick=False)
    methods = variants(which)
    deep.reproduce(
        which,
        made_up(which, dict.fromkeys(methods, 0.5), seconds=dict.fromkeys(methods, 1.0), best=best),
    )
    edges = [method.title for name, method in methods.items() if best != 1 or name[0] != "1"]
    line = finding(text_of(tmp_path, "deep"), "At the end of the grid of rates")
    assert line.endswith(f": {'; '.join(edges)}.")


@pytest.mark.slow
@pytest.mark.parametrize("num_seeds", [3, 1])
def test_it_is_drawn_to_the_same_bytes(tmp_path, num_seeds):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        reproduced(tmp_path / folder, num_seeds)
    for name in ("deep.png", "deep.svg", "deep.csv"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    svg = (tmp_path / "first" / "deep.svg").read_text()
    assert svg.rstrip().endswith("</svg>")
