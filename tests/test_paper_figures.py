"""Figs. 4 and 5 and the table from made-up results: what their numbers, files and words say follows from them."""

import contextlib
import csv
import json

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import isingprop as ip
from isingprop.paper.common.curves import METHODS, ORDER, PUBLISHED
from isingprop.paper.common.methods import LAYDEVANT2024, LAYDEVANT2024_RATE, LEARNING_RATES
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.zhang2025 import accuracy_table as table
from isingprop.paper.zhang2025 import fig2, fig3, fig4, fig5
from isingprop.paper.zhang2025.fig4 import FirstEpoch
from paper_job_kinds import small_images
from test_paper_methods import MadeUp, curve, one_thread, setup  # noqa: F401 (used by all)

NAMES = {**{method: name for name, method in METHODS.items()}, LAYDEVANT2024: "laydevant2024"}
BEST = {"dragon": 1e-3, "backprop-sigmoid": 1e-1}  # and 1e-2 for the others
SHARES = np.array(
    [-0.02, 0.0, 0.02]
)  # by which the exponents of seeds 0, 1, 2 differ from their mean


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures take longer than all the rest."""
    monkeypatch.setattr(Setup, "write_picture", lambda self, name, figure: None)


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def text_of(folder, name):
    """The report, which must be whole, and the JSON file, which must be read by any reader of JSON."""

    def refuse(word):
        raise AssertionError(word)

    json.loads((folder / f"{name}.json").read_text(), parse_constant=refuse)
    text = (folder / f"{name}.md").read_text()
    for fragment in ("nan", "None", "{", "}", "inf "):
        assert fragment not in text.replace("finite", ""), fragment
    return text


def finding(text, beginning):
    """The one bullet that begins so."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"- {beginning}")]
    return line


# Numbers of jobs


class Enough(Exception):  # noqa: N818 (no error)
    """Raised by a runner that cannot make up any results."""


def law(z, epochs, prefactor=0.5):
    return prefactor * np.arange(1.0, epochs + 1) ** -z


@pytest.mark.parametrize(("num_seeds", "quick"), [(3, True), (2, False)])
@pytest.mark.parametrize(
    "module", [fig2, fig3, fig4, fig5, table], ids=lambda module: module.__name__[16:]
)
def test_the_number_of_jobs_is_known_beforehand(tmp_path, undrawn, module, num_seeds, quick):
    """Figs. 2 and 3 ask once for all; nothing is made up for them here."""
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    made_up = module not in (fig2, fig3)
    runner = MadeUp(answer(which) if made_up else stop)
    with contextlib.nullcontext() if made_up else pytest.raises(Enough):
        module.reproduce(which, runner)
    assert module.number_of_jobs(which) == len(runner.jobs)


def stop(job):
    raise Enough


def answer(which, *, errors=None, spread=True, special=()):
    """Results for all jobs: power laws with the published exponents, which differ from seed to seed.

    Args:
        which: the setup.
        errors: a function of (name, epochs) for other errors than these.
        spread: whether exponents differ from seed to seed.
        special: pairs of (name, seed) whose only error is in the first epoch.
    """

    def result(job):
        if isinstance(job, FirstEpoch):
            return plateau(job)
        name, trial = NAMES[job.method], job.seed not in which.seeds
        distance = abs(np.log10(job.learning_rate / BEST.get(name, 1e-2)))
        if trial:
            return curve(law(1.0, job.epochs, 0.1 + 0.1 * distance), accuracy=0.1)
        assert name == "laydevant2024" or distance == 0, "trained at another rate than the best"
        if (name, job.seed) in special:
            return curve([0.5] + [0.0] * (job.epochs - 1))
        z = PUBLISHED.get(name, 0.7) + (SHARES[job.seed % 3] if spread else 0)
        reads = (
            law(z, job.epochs)
            if errors is None
            else np.array(errors(name, job.epochs), dtype=float)
        )
        lowest = reads if "backprop" in name else reads / 2
        return curve(
            reads, lowest, 0.8 + 0.01 * (job.seed % 3), 0.7 + 0.1 * (job.seed % 3), seconds=0.25
        )

    return result


# Fig. 5


def reproduced5(tmp_path, num_seeds=3, quick=True, **options):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    return fig5.reproduce(which, MadeUp(answer(which, **options)))


@pytest.fixture(scope="module")
def laws(tmp_path_factory):
    """Fig. 5 of power laws with the published exponents: its folder and its numbers."""
    folder = tmp_path_factory.mktemp("laws")
    with threadpool_limits(1), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Setup, "is_papers", True)
        return folder, reproduced5(folder)


def test_fig5_numbers_follow_from_the_curves(laws):
    folder, numbers = laws
    assert json.loads((folder / "fig5.json").read_text()) == numbers
    assert tuple(numbers["methods"]) == ORDER
    assert (numbers["seeds"], numbers["epochs"]) == (3, 10)
    assert numbers["seconds"] > 0
    for name, own in numbers["methods"].items():
        z = PUBLISHED.get(name, 0.7)
        # Student's t for two degrees of freedom, 4.3027, times 0.02 / sqrt(3).
        assert own["z"] == pytest.approx(z, abs=1e-6)
        assert own["z_high"] - own["z"] == pytest.approx(0.049683, abs=1e-5)
        assert own["z"] - own["z_low"] == pytest.approx(0.049683, abs=1e-5)
        assert own["z_lowest"] == pytest.approx(z, abs=1e-6)
        assert own["learning_rate"] == BEST.get(name, 1e-2)
        finals = 0.5 * 10.0 ** -(z + SHARES)
        assert own["final_error"] == pytest.approx(finals.mean())
        assert own["final_error_se"] == pytest.approx(finals.std(ddof=1) / 3**0.5)
        assert own["final_error_lowest"] == pytest.approx(
            finals.mean() / (1 if "backprop" in name else 2)
        )
        assert own["test_accuracy"] == pytest.approx(0.81)
        assert own["test_accuracy_se"] == pytest.approx(0.01 / 3**0.5)
        assert own["seconds_per_epoch"] == 0.25
        assert own.get("z_published") == PUBLISHED.get(name)
        assert (own["qpu_seconds_per_epoch"] is None) == ("backprop" in name)


def test_fig5_of_a_full_run_has_100_epochs_and_tells_early_from_late(tmp_path, undrawn):
    epochs = np.arange(1, 101)

    def broken(name, num_epochs):
        assert num_epochs == 100
        return np.where(epochs <= 10, 0.5 * epochs**-0.5, 0.5 * 10**1.0 * epochs**-1.5)

    numbers = reproduced5(tmp_path, quick=False, errors=broken)
    own = numbers["methods"]["dragon"]
    assert (own["z_early"], own["z_late"]) == pytest.approx((0.5, 1.5), abs=1e-6)
    assert 0.5 < own["z"] < 1.5
    text = text_of(tmp_path, "fig5")
    (line,) = [
        line
        for line in text.split("## Errors")[0].splitlines()
        if line.startswith("| dragon, m = 20 |")
    ]
    z = f"{own['z']:.2f}"
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:3] == ["0.001", "1.01"]
    by_logarithms = -np.polyfit(np.log(epochs), np.log(broken("", 100)), 1)[0]
    assert [cell.split(" [")[0] for cell in cells[3:]] == [
        z,
        "0.50",
        "1.50",
        f"{by_logarithms:.2f}",
        z,
    ]
    bent = finding(text, "No power law")
    assert all(method.title in bent for method in METHODS.values())
    # Equal for all methods, so: the errors of epochs 1, 3, 10, 30, 100 and the cost of an error of 1 %.
    (line,) = [
        line
        for line in text.split("## Errors")[1].split("##")[0].splitlines()
        if line.startswith("| dragon")
    ]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:] == [
        "50.0 ± 0.00 % (25.0 %)",
        "28.9 ± 0.00 % (14.4 %)",
        "15.8 ± 0.00 % (7.91 %)",
        "3.04 ± 0.00 % (1.52 %)",
        "0.50 ± 0.00 % (0.25 %)",
        "81.0 ± 0.58 %",
    ]
    cost = text.split("## Cost")[1].split("##")[0]
    (line,) = [line for line in cost.splitlines() if line.startswith("| backpropagation, sigmoid")]
    first = int(np.flatnonzero(broken("", 100) <= 0.01)[0]) + 1
    assert line.split(" | ")[1:] == [str(first), f"{first / 4:.2g} s", "– |"]


def test_fig5_rows_are_the_curves_and_the_trials(laws):
    tmp_path = laws[0]
    rows = rows_of(tmp_path / "fig5.csv")
    assert len(rows) == 6 * 3 * 10
    row = next(
        row for row in rows if (row["method"], row["seed"], row["epoch"]) == ("dragon", "2", "4")
    )
    assert float(row["error_reads"]) == 0.5 * 4**-1.03
    assert float(row["error_lowest"]) == 0.25 * 4**-1.03
    assert row["learning_rate"] == "0.001"
    assert len({(row["method"], row["seed"], row["epoch"]) for row in rows}) == len(rows)
    assert "seconds" not in rows[0], "times would make the same run's files differ"
    seconds = rows_of(tmp_path / "fig5_seconds.csv")
    assert [row["seconds"] for row in seconds] == ["0.25"] * len(rows)
    trials = rows_of(tmp_path / "fig5_rates.csv")
    assert len(trials) == 6 * 4
    assert {float(row["learning_rate"]) for row in trials} == set(LEARNING_RATES[::2])


def test_fig5_agrees_with_the_paper_where_its_exponent_is_in_the_interval(laws):
    text = text_of(laws[0], "fig5")
    assert "z = 1.01 [0.96, 1.06] at the best rate agrees with the paper's 1.01" in finding(
        text, "dragon, m = 20:"
    )
    assert "z = 0.78 [0.73, 0.83] at the best rate agrees with the paper's 0.78" in finding(
        text, "backpropagation, ReLU:"
    )
    assert "cyclic" not in "".join(line for line in text.splitlines() if "the paper's" in line)
    wanted = [
        "dragon, m = 20",
        "backpropagation, ReLU, 1,200 hidden",
        "backpropagation, ReLU",
        "cyclic, m = 9",
    ]
    wanted.append("equilibrium, m = 1")
    ranked = finding(text, "Exponents from large to small: ")
    assert (
        ranked
        == f"- Exponents from large to small: {'; '.join([*wanted, 'backpropagation, sigmoid'])}."
    )
    versus = finding(
        text, "Dragon training has a smaller error (all states) than backpropagation, ReLU "
    )
    assert "in 9 of 10 epochs" in versus, "in the first one they are equal"
    assert "no error" not in versus
    assert (
        "In the last epoch, all states (lowest state): 4.89 % (2.44 %) against 8.30 % (8.30 %)."
        in versus
    )
    edge = finding(text, "At the end of the grid of rates")
    assert edge.endswith("backpropagation, sigmoid.")
    assert "dragon" not in edge


def test_fig5_differs_from_the_paper_where_its_exponent_is_outside(tmp_path, undrawn, monkeypatch):
    monkeypatch.setattr(Setup, "is_papers", True)
    reproduced5(tmp_path, errors=lambda name, epochs: law(1.2 if name == "dragon" else 0.4, epochs))
    text = text_of(tmp_path, "fig5")
    assert "z = 1.20 [1.20, 1.20] at the best rate differs from the paper's 1.01" in finding(
        text, "dragon, m = 20:"
    )
    for name in ("equilibrium", "backprop-relu", "backprop-sigmoid", "backprop-1200"):
        assert f"differs from the paper's {PUBLISHED[name]}" in finding(
            text, f"{METHODS[name].title}:"
        )


def test_fig5_says_plainly_that_backpropagation_makes_no_errors_any_more(tmp_path, undrawn):
    def errors(name, epochs):
        return (
            law(1.0, epochs, 0.2)
            * (np.arange(epochs) < 5 if name == "backprop-relu" else 1)
            * (1 + (name == "dragon"))
        )

    numbers = reproduced5(tmp_path, errors=errors)
    text = text_of(tmp_path, "fig5")
    versus = finding(
        text, "Dragon training has a smaller error (all states) than backpropagation, ReLU "
    )
    assert (
        "in 0 of 10 epochs. backpropagation, ReLU makes no error at all in any seed for the first time in epoch 6."
        in versus
    )
    assert "4.00 % (2.00 %) against 0.00 % (0.00 %)." in versus
    assert numbers["methods"]["backprop-relu"]["final_error"] == 0
    other = finding(text, "Dragon training has a smaller error (all states) than equilibrium")
    assert "in 0 of 10 epochs" in other
    assert "no error" not in other


def test_fig5_has_null_for_an_exponent_of_a_seed_without_errors(tmp_path, undrawn):
    numbers = reproduced5(tmp_path, special={("dragon", 1), ("backprop-1200", 0)})
    for name in ORDER:
        own = numbers["methods"][name]
        gone = name in ("dragon", "backprop-1200")
        assert (
            [own["z"], own["z_low"], own["z_high"], own["z_lowest"], own["z_early"]] == [None] * 5
        ) == gone
        assert own["final_error"] >= 0
    text = text_of(tmp_path, "fig5")
    ranked = finding(text, "Exponents from large to small: ")
    wanted = [
        "backpropagation, ReLU",
        "cyclic, m = 9",
        "equilibrium, m = 1",
        "backpropagation, sigmoid",
    ]
    assert ranked == f"- Exponents from large to small: {'; '.join(wanted)}.", (
        "what has none has no rank"
    )
    (line,) = [
        line
        for line in text.split("## Errors")[0].splitlines()
        if line.startswith("| dragon, m = 20 |")
    ]
    assert [cell.strip() for cell in line.strip("|").split("|")][3:] == ["–"] * 5


def test_fig5_of_one_seed_has_exponents_without_intervals(tmp_path, undrawn):
    numbers = reproduced5(tmp_path, num_seeds=1)
    for name in ORDER:
        own = numbers["methods"][name]
        assert own["z"] == pytest.approx(PUBLISHED.get(name, 0.7) - 0.02, abs=1e-6)
        for missing in (
            "z_low",
            "z_high",
            "z_lowest_low",
            "z_lowest_high",
            "final_error_se",
            "test_accuracy_se",
        ):
            assert own[missing] is None, missing
    text = text_of(tmp_path, "fig5")
    assert "the paper's 1.01" not in text.split("## What this says")[1].split("##")[0]
    assert "±" not in text.split("## Errors")[1].split("##")[0]


def test_fig5_is_drawn_to_the_same_bytes(laws, tmp_path):
    picture = (laws[0] / "fig5.svg").read_text()
    for line in (
        "training error",
        "epoch",
        "time on one core (s)",
        "estimated QPU access time (s)",
    ):
        assert f"<!-- {line} -->" in picture
    for name, method in METHODS.items():
        published = f" (paper: {PUBLISHED[name]})" if name in PUBLISHED else ""
        assert f"<!-- {method.title}: z = " in picture
        assert f"]{published} -->" in picture
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Setup, "is_papers", True)
        reproduced5(tmp_path)
    names = (
        "fig5.csv",
        "fig5.json",
        "fig5.md",
        "fig5.png",
        "fig5.svg",
        "fig5_rates.csv",
        "fig5_seconds.csv",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for name in names:
        if name != "fig5.json":
            assert (tmp_path / name).read_bytes() == (laws[0] / name).read_bytes(), name


def test_fig5_is_drawn_where_errors_are_0(tmp_path):
    """They have no place on a logarithmic axis; warnings are errors here."""
    reproduced5(tmp_path, num_seeds=1, special={("dragon", 0), ("backprop-1200", 0), ("cyclic", 0)})
    assert (tmp_path / "fig5.png").read_bytes().startswith(b"\x89PNG")


# Fig. 4


def plateau(job, falls=("error", "error_reads", "error_lowest"), ends=True, noise=0.0):
    """Errors that fall by 20 points up to m = 10 and by none beyond it, or by 10 from end to end."""
    m = np.log10(job.num_states)
    errors = 0.5 - 0.2 * np.minimum(m, 1) if ends else 0.5 - 0.1 * m
    errors = errors + noise * np.sin(10 * (job.seed + 1) * (1 + m))
    errors = errors + (0.1 if job.learning_rate == 0.003 else 0)
    return {kind: errors / (1 + k) for k, kind in enumerate(falls)}


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
    for line in ("states per image, m", "training error", "rate 0.001"):
        assert f"<!-- {line} -->" in picture
    names = [f"fig4.{kind}" for kind in ("csv", "json", "md", "png", "svg")]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_fig4_trains_from_the_same_parameters_in_the_same_order_for_every_m():
    """Those of the seed: each m is one epoch of a trainer of its own, and a test on the images of training."""
    images, found = small_images(), FirstEpoch(0.001, 3, (1, 4)).run(small_images())
    for k, m in enumerate((1, 4)):
        network = ip.BipartiteNetwork.random(num_inputs=16, num_hidden=120, num_classes=10, seed=3)
        trainer = ip.Trainer(network, ip.Annealing(30), num_states=m, learning_rate=0.001, seed=3)
        record = trainer.train_epoch(images.train_images, images.train_labels)
        assert found["error_reads"][k] == record.train_error_reads
        assert found["error_lowest"][k] == record.train_error_lowest
        assert (
            found["error"][k]
            == 1 - trainer.evaluate(images.train_images, images.train_labels).accuracy
        )


# The table


def reproduced_table(tmp_path, num_seeds=3, quick=True):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    runner = MadeUp(answer(which))
    return table.reproduce(which, runner), runner


def test_the_tables_numbers_follow_from_the_results(tmp_path, undrawn):
    numbers, runner = reproduced_table(tmp_path)
    assert json.loads((tmp_path / "table.json").read_text()) == numbers
    assert set(numbers["methods"]) == {"dragon", "equilibrium", "backprop-relu", "laydevant2024"}
    assert (numbers["num_test"], numbers["seeds"]) == (360, 3)
    for name, own in numbers["methods"].items():
        wanted = LAYDEVANT2024_RATE if name == "laydevant2024" else BEST.get(name, 1e-2)
        assert own["learning_rate"] == wanted
        assert list(own["sizes"]) == ["300", "100"]
        for size in own["sizes"].values():
            assert size["test_accuracy"] == pytest.approx(0.81)
            assert size["test_accuracy_se"] == pytest.approx(0.01 / 3**0.5)
            assert size["test_accuracy_100"] == pytest.approx(0.8)
            assert size["test_accuracy_100_se"] == pytest.approx(0.1 / 3**0.5)
    rates = {job.learning_rate for job in runner.jobs if job.method == LAYDEVANT2024}
    assert rates == {LAYDEVANT2024_RATE}, "the preset has its own and tries no other"
    rows = rows_of(tmp_path / "table.csv")
    assert len(rows) == 4 * 2 * 3
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
    assert sum(" | 10,000 | " in line for line in rows) == 4


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
