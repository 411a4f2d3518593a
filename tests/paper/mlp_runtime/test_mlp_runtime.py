"""The study of run times: its jobs, power laws and crossings, and what its files and words say of
made-up times.
"""

import json
import math

import numpy as np
import pytest

from helpers import tolerances
from helpers.paper.findings import finding, rows_of, text_of
from helpers.paper.job_kinds import small_images
from helpers.paper.made_up import MadeUp, setup
from isingprop import EmulatedQPU
from isingprop.energy_model.model import EnergyModel
from isingprop.paper.mlp_runtime import runtime_jobs as mlp_runtime_runs
from isingprop.paper.mlp_runtime import runtime_study as mlp_runtime
from isingprop.paper.mlp_runtime.runtime_curves import (
    FULL,
    QUICK,
    ChipTimes,
    Curve,
    Plan,
    crossing,
    curves_of,
    ratios,
)
from isingprop.paper.mlp_runtime.runtime_jobs import CONTENDERS, NUM_READS, Sampling, Stars, gibbs
from isingprop.paper.mlp_runtime.runtime_plot import plot
from isingprop.paper.mlp_runtime.runtime_report import findings
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.stars import Stars as StarsOf
from isingprop.qpu.embed.stars import diameter
from isingprop.qpu.estimate import access_time

IMAGES = small_images()

PROPERTIES = EmulatedQPU("pegasus", 2).properties

SLOWNESS = dict(zip(CONTENDERS, (1e-5, 1e-3, 1e-4, 1e-9), strict=True))  # seconds for each unit

CHAINS = {"P4": 28, "Z3": 24, "P16": 499, "Z15": 480}


# The jobs


def test_a_repetition_times_every_contender_at_every_size():
    seconds = Sampling((1, 4), seed=3).run(IMAGES)["seconds"]
    assert seconds.shape == (len(CONTENDERS), 2)
    assert (seconds > 0).all()


def test_calls_take_turns_and_short_ones_are_timed_over_several(monkeypatch):
    clock, order = [0.0], []

    def calls(images, size, seed):
        def make(name):
            def call():
                clock[0] += size * SLOWNESS[name]
                order.append((size, name))

            return call

        return {name: make(name) for name in CONTENDERS}

    monkeypatch.setattr(mlp_runtime_runs, "_calls", calls)
    monkeypatch.setattr(mlp_runtime_runs, "process_time", lambda: clock[0])
    monkeypatch.setattr(mlp_runtime_runs, "_MIN_SECONDS", 1e-5)
    sizes = (10, 20, 40)
    seconds = Sampling(sizes, seed=2).run(IMAGES)["seconds"]
    assert seconds == pytest.approx(np.outer(list(SLOWNESS.values()), sizes))
    assert order[:4] == [(1, name) for name in CONTENDERS], (
        "all that is made at the first call is not timed"
    )
    assert order.count((10, "products")) == pytest.approx(
        1000, abs=1
    )  # a sum of so many is rounded
    assert order.count((10, "isingprop")) == 1
    begins = [next(name for size, name in order if size == wanted) for wanted in sizes]
    assert begins == ["gibbs", "dwave-samplers", "isingprop"]


def test_matrix_products_sample_the_model():
    """Twenty seeds of 1,000 independent samples, against the exact probability."""
    model = EnergyModel.random(num_inputs=16, num_hidden=6, scale=0.7, seed=10)
    x = IMAGES.train_images[:1]
    exact = float(np.exp(model.log_prob(x))[0, 1])
    fields, weights = (
        model.hidden_fields(x)[0].astype(np.float32),
        model.output_weights.T.astype(np.float32),
    )
    drawn = [gibbs(fields, weights, seed) for seed in range(20)]
    assert drawn[0].shape == (NUM_READS, 1)
    error = math.sqrt(exact * (1 - exact) / (20 * NUM_READS))
    assert 0.1 < exact < 0.9
    assert abs(np.mean(drawn) - exact) < tolerances.SIGMAS * error


def test_what_is_timed_samples_the_same_model():
    """Each call makes 1,000 states of 6 + 1 spins; the mean of the single one is that of
    the model.
    """
    calls = mlp_runtime_runs._calls(IMAGES, 6, seed=5)
    model = EnergyModel.random(
        num_inputs=16, num_hidden=6, scale=mlp_runtime_runs.WEIGHT_SCALE, seed=5
    )
    exact = float(np.exp(model.log_prob(IMAGES.train_images[:1]))[0, 1])
    ours, theirs = calls["isingprop"]().spins[0], calls["dwave-samplers"]().record.sample
    assert ours.shape == theirs.shape == (NUM_READS, 7)
    for outputs in (ours[:, -1] > 0, theirs[:, -1] > 0, calls["gibbs"]()):
        assert abs(outputs.mean() - exact) < tolerances.SIGMAS * math.sqrt(
            exact * (1 - exact) / NUM_READS
        )
    assert calls["products"]().shape == (NUM_READS, 1)


def test_stars_of_a_small_chip():
    graph = WorkingGraph.perfect("pegasus", 2)
    result = Stars("pegasus", 2, (1, 20, 30, 34)).run(IMAGES)
    assert result["largest"] == len(StarsOf(graph).largest().leaves) == 33
    centres = [StarsOf(graph).find(size).centre for size in (1, 20, 30)]
    assert result["chain"].tolist() == [*map(len, centres), 0, len(StarsOf(graph).largest().centre)]
    assert result["diameter"].tolist()[:3] == [diameter(graph, centre) for centre in centres]
    assert result["diameter"][3] == 0 < result["diameter"][4]


# Curves


def power(exponent, sizes=(1, 10, 100, 1000), fit_from=10, scale=1e-3, shares=(1.0,)):
    seconds = scale * np.array(sizes, dtype=float) ** exponent
    return Curve(sizes, fit_from, np.outer(shares, seconds))


def test_the_exponent_is_that_of_large_sizes():
    curve = power(1.25, shares=(0.9, 1.0, 1.2))
    curve.seconds[:, 0] = 1.0  # what a call costs at least
    assert curve.exponent == pytest.approx((1.25, 1.25, 1.25))
    assert math.isnan(power(1.0).exponent.low), "one repetition tells nothing of the spread"


def test_between_sizes_and_beyond_a_power_law_is_itself():
    curve = power(1.25, shares=(0.9, 1.0, 1.2))
    sizes = np.array([1.0, 7.0, 1000.0, 50_000.0])
    assert curve.at(sizes) == pytest.approx(1e-3 * sizes**1.25)


@pytest.mark.parametrize(
    ("limit", "wanted"), [(0.0205, 21), (0.5e-3, 1), (30.0005, 30_001), (1e9, None)]
)
def test_where_a_constant_is_overtaken(limit, wanted):
    found = crossing(power(1.0), limit)
    assert found == wanted if wanted is None else found == pytest.approx(wanted, rel=1e-3)


def test_overtaking_is_for_good():
    """Faster again later, and slower in the end."""
    seconds = np.array([[2.0, 0.5, 2.0, 4.0]])
    assert crossing(Curve((1, 10, 100, 1000), 100, seconds), 1.0) == pytest.approx(10**1.5, abs=1)


def chip_result(sizes, name, largest):
    fits = np.array(sizes) <= largest
    return {
        "largest": np.array(largest),
        "chain": np.append(fits * (1 + np.array(sizes) // 20), CHAINS[name]),
        "diameter": np.append(5 * fits, 31),
    }


def test_the_time_of_a_call_is_that_of_all_its_qubits():
    plan = Plan((1, 100, 300), 10, (("pegasus", 4),), ())
    chip = ChipTimes.of(plan, ("pegasus", 4), chip_result(plan.sizes, "P4", 236), PROPERTIES)
    assert (chip.name, chip.largest) == ("P4", 236)
    assert chip.sizes.tolist() == [1, 100, 236]
    assert chip.chain.tolist() == [1, 6, 28]
    assert chip.diameter.tolist() == [5, 5, 31]
    wanted = [
        access_time(PROPERTIES, qubits, 1000, annealing_time=20.0) for qubits in (2, 106, 264)
    ]
    assert chip.seconds.tolist() == wanted
    assert chip.at(np.array([1.0, 10.0, 500.0])) == pytest.approx(
        [wanted[0], np.mean(wanted[:2]), wanted[2]]
    )


# Numbers, files and words


def made_up(job):
    """Linear times; those of seed 1 are all a tenth longer, and dwave-samplers' even twice as long.

    But isingprop takes twice as long for one unit.
    """
    if isinstance(job, Sampling):
        seconds = np.outer(list(SLOWNESS.values()), job.sizes) * (1.1 if job.seed == 1 else 1.0)
        seconds[CONTENDERS.index("dwave-samplers")] *= 2 if job.seed == 1 else 1
        seconds[CONTENDERS.index("isingprop"), 0] *= 2
        return {"seconds": seconds}
    name = f"{job.topology[0].upper()}{job.size}"
    largest = {"P4": 236, "Z3": 312, "P16": 5140, "Z15": 6960}[name]
    return chip_result(job.sizes, name, largest)


class OneByOne(MadeUp):
    """Also keeps which jobs came together."""

    def __init__(self, result):
        super().__init__(result)
        self.calls = []

    def run(self, jobs, images, description):
        self.calls.append([type(job) for job in jobs])
        return super().run(jobs, images, description)


@pytest.mark.usefixtures("undrawn")
def test_numbers_and_files(tmp_path):
    runner, given = OneByOne(made_up), setup(tmp_path)
    numbers = mlp_runtime.reproduce(given, runner)
    assert len(runner.jobs) == mlp_runtime.number_of_jobs(given) == 5
    assert runner.calls == [[Sampling]] * 3 + [[Stars, Stars]], (
        "repetitions are not run side by side"
    )
    assert [job.seed for job in runner.jobs[:3]] == [0, 1, 2]
    assert json.loads((tmp_path / "mlp-runtime.json").read_text()) == json.loads(
        json.dumps(numbers)
    )
    ours = numbers["contenders"]["isingprop"]
    assert ours["seconds"] == pytest.approx([2e-5, *(1e-5 * size for size in QUICK.sizes[1:])])
    assert ours["exponent"] == pytest.approx(1)
    assert ours["overtakes_annealing"] == pytest.approx(2000, rel=1e-3)
    assert numbers["ratio"] == pytest.approx([50] + [100] * 5)
    assert numbers["chips"]["P4"]["largest"] == 236
    rows = rows_of(tmp_path / "mlp-runtime.csv")
    assert len(rows) == 4 * 3 * 6
    assert rows[7] == {
        "contender": "isingprop",
        "seed": "1",
        "n": "3",
        "seconds": rows[7]["seconds"],
    }
    assert float(rows[7]["seconds"]) == pytest.approx(3.3e-5)
    stars = rows_of(tmp_path / "mlp-runtime_stars.csv")
    assert [row["n"] for row in stars if row["chip"] == "P4"] == [
        "1",
        "3",
        "10",
        "30",
        "100",
        "236",
    ]


@pytest.mark.usefixtures("undrawn")
def test_the_report_of_a_full_run(tmp_path):
    mlp_runtime.reproduce(setup(tmp_path, quick=False), MadeUp(made_up))
    text = text_of(tmp_path, "mlp-runtime")
    assert text.startswith("# Fig. 5 of the MLP paper")
    assert "| 10,000 | 0.1 | 10 | 1 | 1e-05 | 100.0 | does not fit | does not fit |" in text
    last = access_time(PROPERTIES, 5639, 1000, annealing_time=20.0)
    assert f"| P16 | 5,140, the largest found | 499 | 31 | 5,639 | {last:.3g} s |" in text
    assert "| P16 | 654 | 33 | 5 | 687 |" in text
    against = finding(text, "isingprop against dwave-samplers")
    assert "100.0 times ours at n = 20,000 (100.0 to 200.0 over repetitions)" in against
    assert against.endswith("and at least 50.0 times (at n = 1).")
    assert "grows 2.7-fold from n = 1 to 5,140 (0.106 to 0.292 s)" in finding(
        text, "P16: the access time"
    )
    ours = finding(text, "isingprop, against")
    assert "than P16 for all that fits, they would meet at n = 29,194" in ours
    assert "than Z15 for all that fits, they would meet at n = 21,321" in ours
    theirs = finding(text, "dwave-samplers, against")
    assert "slower than P16 from n = 247 on, which fits" in theirs
    assert "slower than Z15 from n = 203 on, which fits" in theirs
    assert finding(text, "NumPy, one product of the MLP, against").count("at any n") == 2


@pytest.mark.parametrize(
    ("exponent", "kind"),
    [(0.85, "slower than linear"), (0.95, "linear"), (1.05, "linear"), (1.2, "faster than linear")],
)
def test_what_grows_linearly_is_called_so(exponent, kind):
    curves = dict.fromkeys(CONTENDERS, power(exponent, shares=(1.0, 1.0)))
    [line] = [line for line in findings(curves, []) if line.startswith("isingprop: time grows")]
    assert line.endswith(f", {kind}.")
    assert f"p = {exponent:.2f}" in line


def test_ratios_are_of_one_repetition():
    results = [made_up(Sampling((1, 10), seed)) for seed in range(2)]
    curves = curves_of(Plan((1, 10), 1, (), ()), results)
    assert ratios(curves) == pytest.approx(np.array([[50, 100], [100, 200]]))


def test_the_picture_has_all_curves_and_sizes(tmp_path):
    curves = curves_of(FULL, [made_up(Sampling(FULL.sizes, seed)) for seed in range(2)])
    chips = [
        ChipTimes.of(FULL, chip, made_up(Stars(*chip, FULL.sizes)), PROPERTIES)
        for chip in FULL.chips
    ]
    [axes] = plot(FULL, curves, chips).axes
    told = [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]
    assert told[:2] == ["isingprop", "dwave-samplers"]
    assert told[4:] == ["QPU access time, P16", "QPU access time, Z15", "QPU, anneals alone"]
    words = " ".join(text.get_text() for text in axes.texts)
    assert all(number in words for number in ("654", "834", "5,140", "6,960"))
    axes.figure.draw_without_rendering()
    panel = axes.get_window_extent()
    extents = [text.get_window_extent() for text in axes.texts]
    assert all(extent.y0 >= panel.y1 for extent in extents), "text over the data"
    assert all(extent.y1 <= axes.figure.bbox.y1 for extent in extents), "text that is cut off"
