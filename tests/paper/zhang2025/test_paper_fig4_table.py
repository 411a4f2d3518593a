"""Fig. 4 and the table of accuracies from made-up results."""

import json

import numpy as np
import pytest

import isingprop as ip
from helpers.paper.findings import BEST, answer, finding, plateau, rows_of, text_of
from helpers.paper.job_kinds import small_images
from helpers.paper.made_up import MadeUp, setup
from isingprop.paper.common.methods import LAYDEVANT2024, LAYDEVANT2024_RATE
from isingprop.paper.zhang2025 import accuracy_table as table
from isingprop.paper.zhang2025 import fig4
from isingprop.paper.zhang2025.fig4 import FirstEpoch


def reproduced4(tmp_path, num_seeds=3, quick=True, **options):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    runner = MadeUp(lambda job: plateau(job, **options))
    return fig4.reproduce(which, runner), runner


def test_fig4_numbers_follow_from_the_errors(tmp_path, undrawn):
    numbers, runner = reproduced4(tmp_path, quick=False, noise=0.01)
    assert json.loads((tmp_path / "fig4.json").read_text()) == numbers
    m = numbers["m"]
    assert m[:10] == list(range(1, 11))
    assert m[-1] == 100
    assert m == sorted(set(m))
    kinds = ("error", "error_reads", "error_lowest")
    for key in (*kinds, *(f"{kind}_se" for kind in kinds)):
        assert len(numbers[key]) == len(m), key
    rate, seeds = (
        numbers["learning_rate"],
        [job.seed for job in runner.jobs if job.learning_rate == numbers["learning_rate"]],
    )
    assert sorted(seeds) == [0, 1, 2]
    own = np.stack(
        [plateau(job, noise=0.01)["error"] for job in runner.jobs if job.learning_rate == rate]
    )
    assert numbers["error"] == pytest.approx(own.mean(axis=0).tolist())
    assert numbers["error_se"] == pytest.approx((own.std(axis=0, ddof=1) / 3**0.5).tolist())
    assert numbers["error_reads"] == pytest.approx((own / 2).mean(axis=0).tolist())
    assert numbers["error_lowest_se"] == pytest.approx((own.std(axis=0, ddof=1) / 3**1.5).tolist())
    assert numbers["seeds"] == 3
    rows = rows_of(tmp_path / "fig4.csv")
    assert len(rows) == len(runner.jobs) * len(m)
    row = next(
        row
        for row in rows
        if (float(row["learning_rate"]), row["seed"], row["m"]) == (rate, "1", "20")
    )
    assert float(row["error"]) == own[1, m.index(20)]


def verdicts(text):
    """Of each rate and measure: what is said of few states, of many, and of both."""
    found = {}
    for line in text.splitlines():
        if line.startswith("- Rate "):
            before, after = line.removesuffix(".").split(" beyond")
            below, above = (
                part.rsplit(" points (", 1)[1].split(")")[0]
                for part in before.split(" up to m = 10 ")
            )
            found[line.removeprefix("- ").split(":")[0]] = below, above, after.removeprefix(": ")
    assert len(found) == 3 * 3
    return found


FALL_ENDS, FALL_GOES_ON = "no fall is left to be seen", "it goes on falling"


def test_fig4_sees_the_fall_end_where_it_ends(tmp_path, undrawn):
    reproduced4(tmp_path, quick=False, noise=0.001)
    text = text_of(tmp_path, "fig4")
    said = verdicts(text)
    assert set(said.values()) == {("a fall", "no more than chance may", FALL_ENDS)}
    assert "the error by -20.0 [-20.1, -19.9] points" in finding(
        text, "Rate 0.001, after the epoch"
    )


def test_fig4_sees_no_end_where_the_error_goes_on_falling(tmp_path, undrawn):
    reproduced4(tmp_path, quick=False, ends=False, noise=0.001)
    assert set(verdicts(text_of(tmp_path, "fig4")).values()) == {("a fall", "a fall", FALL_GOES_ON)}


@pytest.mark.parametrize("steeper", [False, True])
def test_fig4_speaks_of_no_fall_in_a_rise(tmp_path, undrawn, steeper):
    def result(job):
        m = np.log10(job.num_states)
        errors = (
            0.1
            + 0.1 * m
            + 0.1 * steeper * np.maximum(m - 1, 0)
            + 0.001 * job.seed * np.array([1, 0, 0, 1])
        )
        return dict.fromkeys(("error", "error_reads", "error_lowest"), errors)

    fig4.reproduce(setup(tmp_path), MadeUp(result))
    assert set(verdicts(text_of(tmp_path, "fig4")).values()) == {("a rise", "a rise", "")}


def test_fig4_of_one_seed_claims_nothing_that_takes_several(tmp_path, undrawn):
    numbers, _ = reproduced4(tmp_path, num_seeds=1)
    assert numbers["error_se"] == [None] * len(numbers["m"])
    text = text_of(tmp_path, "fig4")
    assert "±" not in text.split("## Choices")[0]
    assert "chance" not in text, "one seed does not tell what chance does"


@pytest.mark.slow
@pytest.mark.parametrize("num_seeds", [1, 2])
def test_fig4_is_drawn_to_the_same_bytes(tmp_path, num_seeds):
    pictures = []
    for _ in range(2):
        reproduced4(tmp_path, num_seeds=num_seeds)
        pictures.append(
            [(tmp_path / f"fig4.{kind}").read_bytes() for kind in ("png", "svg", "csv", "md")]
        )
    assert pictures[0] == pictures[1]
    picture = pictures[0][1].decode()
    for line in ("states per image, m", "training error", "learning rate 0.001"):
        assert f"<!-- {line} -->" in picture
    names = [f"fig4.{kind}" for kind in ("csv", "json", "md", "png", "svg")]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_fig4_trains_from_the_same_parameters_in_the_same_order_for_every_m():
    """Those of the seed: each m is one epoch of a trainer of its own, and a test on the images of
    training.
    """
    images, found = small_images(), FirstEpoch(0.001, 3, (1, 4)).run(small_images())
    for k, m in enumerate((1, 4)):
        network = ip.BipartiteNetwork.random(num_inputs=16, num_hidden=120, num_classes=10, seed=3)
        rates = ip.LearningRates.of(0.001)
        trainer = ip.Trainer(network, ip.Annealing(30), num_states=m, learning_rate=rates, seed=3)
        record = trainer.train_epoch(images.train_images, images.train_labels)
        assert found["error_reads"][k] == record.train_error_reads
        assert found["error_lowest"][k] == record.train_error_lowest
        assert (
            found["error"][k]
            == 1 - trainer.evaluate(images.train_images, images.train_labels).accuracy
        )


# The table

METHODS = (
    "dragon",
    "equilibrium",
    "class-states",
    "closed-form",
    "backprop-relu",
    "laydevant2024",
)


def reproduced_table(tmp_path, num_seeds=3, quick=True):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    runner = MadeUp(answer(which))
    return table.reproduce(which, runner), runner


def test_the_tables_numbers_follow_from_the_results(tmp_path, undrawn):
    numbers, runner = reproduced_table(tmp_path)
    assert json.loads((tmp_path / "table.json").read_text()) == numbers
    assert tuple(numbers["methods"]) == METHODS
    assert (numbers["num_test"], numbers["seeds"]) == (360, 3)
    for name, own in numbers["methods"].items():
        wanted = LAYDEVANT2024_RATE if name == "laydevant2024" else BEST.get(name, 1e-2)
        assert list(own["sizes"]) == ["300", "100"]
        for size in own["sizes"].values():
            assert size["learning_rate"] == wanted
            assert size["test_accuracy"] == pytest.approx(0.81)
            assert size["test_accuracy_se"] == pytest.approx(0.01 / 3**0.5)
            assert size["test_accuracy_100"] == pytest.approx(0.8)
            assert size["test_accuracy_100_se"] == pytest.approx(0.1 / 3**0.5)
    rates = {job.learning_rate for job in runner.jobs if job.method == LAYDEVANT2024}
    assert rates == {LAYDEVANT2024_RATE}, "the preset has its own and tries no other"
    rows = rows_of(tmp_path / "table.csv")
    assert len(rows) == 6 * 2 * 3
    row = next(
        r for r in rows if (r["method"], r["num_train"], r["seed"]) == ("dragon", "100", "2")
    )
    assert (row["epochs"], row["learning_rate"]) == ("5", "0.001")
    assert float(row["test_accuracy"]) == pytest.approx(0.82)
    assert float(row["error_reads"]) == 0.5 * 5**-1.03
    text = text_of(tmp_path, "table")
    (line,) = [line for line in text.splitlines() if line.startswith("| dragon, m = 20 | 300 |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:6] == ["dragon, m = 20", "300", "10", "0.001", "81.0 ± 0.58 %", "80.0 ± 5.77 %"]
    assert "88.8 ± 1.5 %" not in text, "which is of MNIST"
    assert "360 test images" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "table.csv",
        "table.json",
        "table.md",
    ]


def test_the_published_accuracy_stands_where_the_images_are_the_same(tmp_path, shared_data):
    which = setup(tmp_path, data="mnist", data_dir=str(shared_data), num_seeds=1, quick=False)
    table.reproduce(which, MadeUp(answer(which)))
    rows = [line for line in text_of(tmp_path, "table").splitlines() if line.startswith("| ")]
    (line,) = [line for line in rows if "88.8 ± 1.5 %" in line]
    assert line.startswith("| Laydevant et al. 2024 | 1,000 |")
    assert sum(" | 10,000 | " in line for line in rows) == 6


def test_the_table_of_one_seed_has_no_errors(tmp_path, undrawn):
    numbers, _ = reproduced_table(tmp_path, num_seeds=1)
    for own in numbers["methods"].values():
        for size in own["sizes"].values():
            assert size["test_accuracy_se"] is size["test_accuracy_100_se"] is None
    rows = text_of(tmp_path, "table").split("## Choices")[0].replace("88.8 ± 1.5 %", "")
    assert "±" not in rows


def test_a_full_table_of_digits_takes_all_of_them(tmp_path, undrawn):
    """There are 1,437, so the second size is not the paper's 10,000."""
    numbers, runner = reproduced_table(tmp_path, num_seeds=1, quick=False)
    assert list(numbers["methods"]["dragon"]["sizes"]) == ["1000", "1437"]
    assert {job.epochs for job in runner.jobs if job.seed == 0} == {100, 20}
    assert {job.epochs for job in runner.jobs if job.seed != 0} == {34, 7}, "trials"
