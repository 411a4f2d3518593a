"""Fig. 5 from made-up results: what its numbers, files and words say follows from them."""

import contextlib
import json

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from helpers.paper.findings import BEST, SHARES, answer, finding, law, rows_of, text_of
from helpers.paper.made_up import MadeUp, setup
from isingprop.paper.common.curves import METHODS, ORDER, PUBLISHED
from isingprop.paper.common.methods import LEARNING_RATES
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.zhang2025 import accuracy_table as table
from isingprop.paper.zhang2025 import fig2, fig3, fig4, fig5

SAMPLED = {"dragon", "cyclic", "equilibrium"}

# Numbers of jobs


class Enough(Exception):  # noqa: N818 (no error)
    """Raised by a runner that cannot make up any results."""


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


@pytest.mark.slow
def test_fig5_has_a_price_for_methods_that_sample(true_price, images):
    prices = {name: true_price(method, images) for name, method in METHODS.items()}
    sampled = {name: price for name, price in prices.items() if price is not None}
    assert set(sampled) == SAMPLED
    assert min(sampled.values()) > 0


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
        assert (own["qpu_seconds_per_epoch"] is None) == (name not in SAMPLED)


@pytest.mark.slow
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
    # Equal for all methods, so: the errors of epochs 1, 3, 10, 30, 100 and the cost of an error of
    # 1 %.
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
    assert len(rows) == 7 * 3 * 10
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
    assert len(trials) == 7 * 4
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
        "class states, m = 1",
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
        "in 0 of 10 epochs. backpropagation, ReLU makes no error at all in any seed for the "
        "first time in epoch 6." in versus
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
        "class states, m = 1",
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


def test_fig5_can_be_read(tmp_path, figures):
    """Every axis has ticks enough, both axes of epochs are one, and dotted lines are explained."""
    reproduced5(tmp_path)
    figure = figures["fig5"]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            assert sum(low <= place <= high for place in axis.get_majorticklocs()) >= 4
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    [legend] = figure.legends
    assert legend.get_texts()[-1].get_text().startswith("fit: error = A epoch")


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_fig5_is_drawn_where_errors_are_0(tmp_path):
    """They have no place on a logarithmic axis; warnings are errors here."""
    reproduced5(tmp_path, num_seeds=1, special={("dragon", 0), ("backprop-1200", 0), ("cyclic", 0)})
    assert (tmp_path / "fig5.png").read_bytes().startswith(b"\x89PNG")
