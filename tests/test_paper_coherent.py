"""The study of coherent training: its methods, its jobs, and what its files and words say of made-up results."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import isingprop as ip
import tolerances
from isingprop.analysis.scaling import Interval, standard_error
from isingprop.paper.coherent_training import coherent_study as coherent
from isingprop.paper.coherent_training.coherent_curves import Comparison, Outcome, ratio, windows_of
from isingprop.paper.coherent_training.coherent_findings import (
    answer,
    better_or_worse,
    floor_words,
    scale_words,
    verdict,
)
from isingprop.paper.coherent_training.coherent_jobs import (
    PAIRS,
    CoherentTraining,
    Sizes,
    few_classes,
    marked_problem,
    methods_of,
    networks,
    sizes_of,
)
from isingprop.paper.coherent_training.coherent_search import Search, Searches, evenly_spread
from isingprop.paper.coherent_training.coherent_times import AnnealingTimes
from isingprop.paper.common.methods import Training
from isingprop.paper.common.text import percent_with_error
from isingprop.problem import largest_local_fields
from isingprop.quantum.amplification import (
    best_iterations,
    fixed_point_success,
    grover_success,
    growing_lengths,
)
from test_paper_figures import finding, law, rows_of, text_of, undrawn  # noqa: F401 (used by name)
from test_paper_methods import MadeUp, curve, one_thread, setup  # noqa: F401 (used by all)

NAMES = (
    "plain-exact",
    "plain-20",
    "plain-1",
    "amplified-exact",
    "amplified-exact-scaled",
    "amplified-20",
    "amplified-20-scaled",
    "amplified-3-scaled",
)
SHOTS = tuple(name for name in NAMES if "exact" not in name)
SMALL = Sizes(
    num_hidden=2,
    total_time=10.0,
    search_epochs=(2, 6),
    search_times=(20.0, 60.0),
    num_instances=6,
    repetitions=4000,
    time_epochs=(0, 2),
    times=(5.0, 10.0),
)
SHARES = np.array(
    [-0.02, 0.0, 0.02]
)  # by which the exponents of seeds 0, 1, 2 differ from their mean
STUDENT = 4.302653  # t of a 95 % interval for two degrees of freedom
Z = dict(zip(NAMES, (0.5, 0.4, 0.3, 1.2, 0.8, 0.6, 0.4, 0.7), strict=True))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return few_classes(setup(tmp_path_factory.mktemp("data")))


# Images and methods


def test_the_images_are_the_first_of_three_classes(tmp_path, images):
    whole = ip.load_data("digits")
    for classes in range(3):
        own = whole.train_images[whole.train_labels == classes][:10]
        np.testing.assert_array_equal(images.train_images[images.train_labels == classes], own)
    assert len(images.train_labels) == 30
    np.testing.assert_array_equal(images.test_labels, whole.test_labels[whole.test_labels < 3])
    np.testing.assert_array_equal(images.test_images, whole.test_images[whole.test_labels < 3])
    assert (images.num_classes, images.name) == (3, "digits")
    assert len(few_classes(setup(tmp_path, quick=False)).train_labels) == 60


def test_no_more_than_500_images_are_tested(tmp_path, monkeypatch, images):
    many = np.arange(2000) % 10
    pixels = np.random.default_rng(0).random((2000, 4), np.float32)
    large = ip.ImageSet("many", pixels, many, pixels, many, num_classes=10)
    which = setup(tmp_path)
    monkeypatch.setattr(type(which), "load_data", lambda self, num_train: large)
    found = few_classes(which)
    assert (len(found.train_labels), len(found.test_labels)) == (600, 500)
    np.testing.assert_array_equal(found.test_images, pixels[many < 3][:500])


def test_the_methods_differ_in_the_states_that_they_learn_from():
    methods = methods_of(Sizes())
    assert tuple(methods) == NAMES
    plain, even, scaled = ip.Coherent(100.0), ip.Amplified(100.0), ip.Amplified(100.0, exponent=1.0)
    assert [method.sampler for method in methods.values()] == [plain] * 3 + [
        even,
        scaled,
        even,
        scaled,
        scaled,
    ]
    assert [method.num_states for method in methods.values()] == [
        None,
        20,
        1,
        None,
        None,
        20,
        20,
        3,
    ]
    assert len({method.title for method in methods.values()}) == len(NAMES)
    for name, other in PAIRS.items():
        assert (methods[name].num_states == methods[other].num_states) == (
            name != "amplified-3-scaled"
        )
        assert (type(methods[name].sampler), type(methods[other].sampler)) == (
            ip.Amplified,
            ip.Coherent,
        )
    assert Sizes().num_spins == 12


def test_the_anneals_own_time_is_one_of_those_compared(tmp_path):
    for quick in (True, False):
        sizes = sizes_of(setup(tmp_path, quick=quick))
        assert sizes.total_time in sizes.times
        assert sizes.total_time < max(sizes.times)


# Jobs


def network_of(images, seed, num_hidden=2):
    return ip.BipartiteNetwork.random(
        num_inputs=64, num_hidden=num_hidden, num_classes=3, redundancy=2, seed=seed
    )


def wrong_states(network, images):
    """(B, 2^N) bool, by the definition."""
    numbers = np.arange(2 ** (network.num_hidden + network.num_output))
    spins = (
        2 * (numbers[:, None] >> np.arange(network.num_hidden, 14)[None, : network.num_output] & 1)
        - 1
    )
    return network.readout.predict(spins)[None, :] != images.train_labels[:, None]


@pytest.mark.parametrize("name", NAMES)
def test_a_training_is_a_trainers_epochs_and_the_exact_error_after_each(images, name):
    method, network = methods_of(SMALL)[name], network_of(images, 4)
    trainer = ip.Trainer(
        network, method.sampler, num_states=method.num_states, learning_rate=0.02, seed=4
    )
    result, records, errors = CoherentTraining(method, 0.02, 2, 4).run(images), [], []
    for _ in range(2):
        records.append(trainer.train_epoch(images.train_images, images.train_labels))
        chances = ip.Coherent(10.0).weighted_states(network.problem(images.train_images)).weights
        errors.append((chances * wrong_states(network, images)).sum(axis=1).mean())
    np.testing.assert_allclose(result["error"], errors, rtol=1e-9)
    assert result["error_reads"].tolist() == [record.train_error_reads for record in records]
    assert result["applications"].tolist() == [record.applications or 0 for record in records]
    assert (result["applications"] > 0).all() == (name in SHOTS)
    accuracy = trainer.evaluate(images.test_images, images.test_labels).accuracy
    assert result["test_accuracy"] == accuracy
    again = Training(method, 0.02, 2, 4).run(images)
    assert again["error_reads"].tolist() == result["error_reads"].tolist(), (
        "a trial is the same training"
    )


def test_networks_are_in_plain_training_by_exact_expectation_values(images):
    network = network_of(images, 3)
    trainer = ip.Trainer(network, ip.Coherent(10.0), num_states=None, learning_rate=0.01, seed=3)
    wanted = {0: network.input_weights.copy()}
    for epoch in (1, 2):
        trainer.train_epoch(images.train_images, images.train_labels)
        wanted[epoch] = network.input_weights.copy()
    found = {epoch: each.input_weights.copy() for epoch, each in networks(images, SMALL, (0, 2), 3)}
    assert list(found) == [0, 2]
    assert all(tolerances.same_bits(found[epoch], wanted[epoch]) for epoch in found)


def test_the_largest_local_field_is_what_coherent_divides_by(images):
    problem = marked_problem(network_of(images, 1), images)
    fields = largest_local_fields(problem)
    for k in range(5):
        arrays = (problem.couplings, problem.hidden_fields[k : k + 1], problem.output_fields)
        scaled = ip.IsingProblem(*(array.astype(float) / fields[k] for array in arrays))
        wanted = ip.Coherent(10.0, rescale=False).weighted_states(scaled).weights
        np.testing.assert_allclose(
            ip.Coherent(10.0).weighted_states(problem[k : k + 1]).weights, wanted, atol=1e-12
        )


def test_a_search_counts_until_a_wrong_state_is_seen(images):
    """18 means of 4,000 numbers, 4.5 standard errors each: a false alarm in one of 8,000 seeds."""
    found = Search(SMALL, 0).run(images)
    assert len(found["amplitude"]) == 6
    assert set(found["epoch"]) == {2, 6}
    assert set(found["total_time"]) == {20, 60}
    chances = {}
    for epoch, network in networks(images, SMALL, (2, 6), 0):
        for time in (20.0, 60.0):
            weights = (
                ip.Coherent(time).weighted_states(network.problem(images.train_images)).weights
            )
            chances[epoch, time] = np.sqrt((weights * wrong_states(network, images)).sum(axis=1))
    for k, amplitude in enumerate(found["amplitude"]):
        assert abs(chances[found["epoch"][k], found["total_time"][k]] - amplitude).min() < 1e-9
        iterations = best_iterations(amplitude)
        success = grover_success(amplitude, iterations)
        assert found["success"][k] == success
        assert found["amplified"][k] == pytest.approx(success, abs=1e-9)
        for way, chance, cost in (
            ("repetition", amplitude**2, 1),
            ("grover", success, 2 * iterations + 1),
        ):
            error = cost * math.sqrt(1 - chance) / chance / math.sqrt(4000)
            assert abs(found[way][k] - cost / chance) <= 4.5 * error
        mean, square, going_on, so_far = 0.0, 0.0, 1.0, 0
        for length in growing_lengths():
            so_far += 2 * length + 1
            ends = fixed_point_success(amplitude, length, 0.1)
            mean += going_on * ends * so_far
            square += going_on * ends * so_far**2
            going_on *= 1 - ends
            if going_on < 1e-12:
                break
        error = math.sqrt((square - mean**2) / 4000)
        assert abs(found["fixed_point"][k] - mean) <= 4.5 * error


def test_a_search_is_the_same_again_and_another_with_another_seed(images):
    sizes = replace(SMALL, num_instances=3, repetitions=50)
    first, again, other = (Search(sizes, seed).run(images) for seed in (0, 0, 1))
    assert all(tolerances.same_bits(first[name], again[name]) for name in first)
    assert not np.array_equal(first["amplitude"], other["amplitude"])


def test_instances_are_spread_evenly_in_the_logarithm():
    amplitudes = np.geomspace(0.001, 1.0, 301)
    chosen = amplitudes[evenly_spread(amplitudes, 10)]
    assert len(set(chosen)) == 10
    inside = amplitudes[(amplitudes >= 0.005) & (amplitudes <= 0.7)]
    assert (chosen[0], chosen[-1]) == (inside[0], inside[-1])
    steps = np.diff(np.log(chosen))
    np.testing.assert_allclose(steps, steps.mean(), atol=np.log(1000) / 300)
    few = np.array([0.9, 0.1, 0.001, 0.2])
    assert evenly_spread(few, 10) == [1, 3]
    assert evenly_spread(np.array([0.9, 0.001]), 10) == [0, 1], "better these than none"
    assert evenly_spread(np.array([0.1, 0.65, 0.66, 0.67, 0.68]), 4) == [0, 1, 2, 4], (
        "none is taken twice"
    )


def test_annealing_times_are_those_of_single_anneals(images):
    found = AnnealingTimes(SMALL, 1).run(images)
    assert found["ground"].shape == found["right"].shape == (2, 2, 2)
    assert found["field"].shape == (3,)
    for k, (_, network) in enumerate(networks(images, SMALL, (0, 2), 1)):
        problem, wrong = network.problem(images.train_images), wrong_states(network, images)
        fields = largest_local_fields(problem)
        assert found["field"][2 * k] == pytest.approx(fields.mean())
        table = np.stack(
            [ip.coherent.Anneal(problem[b : b + 1], 1.0, 1).energies for b in range(30)]
        )
        lowest = table.argmin(axis=1)
        assert found["wrong_ground"][k] == wrong[np.arange(30), lowest].mean()
        for scale, by in enumerate((fields, np.ones(30))):
            ground, right = [], []
            for b in range(30):
                arrays = (
                    problem.couplings,
                    problem.hidden_fields[b : b + 1],
                    problem.output_fields,
                )
                one = ip.IsingProblem(*(array.astype(float) / by[b] for array in arrays))
                chances = abs(ip.coherent.anneal(one, total_time=10, num_steps=20)) ** 2
                ground.append(chances[lowest[b]])
                right.append(chances[~wrong[b]].sum())
            assert found["ground"][k, scale, 1] == pytest.approx(np.mean(ground))
            assert found["right"][k, scale, 1] == pytest.approx(np.mean(right))


# Numbers, files and words


def search_result(power=None, smallest=0.01, noise=0.0):
    """Instances of which counts follow c A^power."""
    power = {"repetition": -2.0, "grover": -1.0, "fixed_point": -1.1} | (power or {})
    amplitude = np.geomspace(smallest, 0.65, 12)
    counts = {way: 2 * amplitude ** (own + noise) for way, own in power.items()}
    facts = {"amplitude": amplitude, "epoch": np.full(12, 2.0), "total_time": np.full(12, 30.0)}
    return facts | counts | {"success": np.full(12, 0.9), "amplified": np.full(12, 0.9 + 1e-7)}


def times_result(sizes, share):
    """An error of 0.2 at the anneal's own time, 0.05 with twice as much; H as it is has a tenth of both."""
    wrong = np.empty((len(sizes.time_epochs), 2, len(sizes.times)))
    wrong[:, 0] = np.where(np.array(sizes.times) > sizes.total_time, 0.05, 0.2) + share
    wrong[:, 1] = wrong[:, 0] / 10
    field = 2.0 + 0.5 * np.arange(max(sizes.time_epochs) + 1)
    wrong_ground = np.full(len(sizes.time_epochs), 0.05)
    return {
        "ground": 0.9 * (1 - wrong),
        "right": 1 - wrong,
        "wrong_ground": wrong_ground,
        "field": field,
    }


def made_up(which, z=Z, *, best=0, search=search_result):
    """Results for all jobs: power laws; the rate of this number is the best one."""
    sizes = sizes_of(which)
    names = {method: name for name, method in methods_of(sizes).items()}

    def result(job):
        if isinstance(job, Training):
            assert job.seed not in which.seeds
            return curve(np.full(job.epochs, 0.1 + abs(job.learning_rate - sizes.rates[best])))
        share = SHARES[job.seed % 3]
        if isinstance(job, Search):
            return search(noise=share)
        if isinstance(job, AnnealingTimes):
            return times_result(sizes, share / 10)
        assert isinstance(job, CoherentTraining)
        assert job.learning_rate == sizes.rates[best], "not the best"
        name = names[job.method]
        own = law(z[name] + share, job.epochs, 0.4)
        applications = np.full(
            job.epochs, 0.0 if name not in SHOTS else 100.0 * (1 + NAMES.index(name))
        )
        return {
            "error": own,
            "error_reads": law(z[name] + share + 0.1, job.epochs, 0.4),
            "applications": applications,
            "test_accuracy": np.array(0.9 + share),
        }

    return MadeUp(result)


def reproduced(tmp_path, num_seeds=3, quick=True, **options):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    return coherent.reproduce(which, made_up(which, **options))


@pytest.mark.parametrize(("num_seeds", "quick"), [(3, True), (2, False)])
def test_the_number_of_jobs_is_known_beforehand(tmp_path, num_seeds, quick, undrawn):  # noqa: F811
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


def test_the_numbers_follow_from_the_results(tmp_path, undrawn):  # noqa: F811
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


def test_a_row_is_an_epoch_or_an_instance_or_an_annealing_time(tmp_path, undrawn):  # noqa: F811
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


def test_tables_have_as_many_columns_as_their_heads(tmp_path, undrawn):  # noqa: F811
    reproduced(tmp_path)
    text = text_of(tmp_path, "coherent")
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 8
    assert all(len({line.count("|") for line in block}) == 1 for block in blocks)


def test_the_tables_of_errors_have_means_over_seeds(tmp_path, undrawn):  # noqa: F811
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


@pytest.mark.parametrize("quick", [True, False])
def test_only_a_quick_run_has_a_note(tmp_path, undrawn, quick):  # noqa: F811
    reproduced(tmp_path, quick=quick)
    first, *_ = text_of(tmp_path, "coherent").splitlines()
    assert first.startswith("*A quick run on digits" if quick else "# Coherent training")
    assert "paper's, which are of" not in text_of(tmp_path, "coherent")


def test_exponents_are_of_all_epochs_and_in_a_long_training_of_the_first_and_the_last(
    tmp_path,
    undrawn,  # noqa: F811
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


def test_a_dash_is_for_errors_that_are_not_reached(tmp_path, undrawn):  # noqa: F811
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


def test_of_an_error_that_no_method_reaches_nothing_is_told(tmp_path, undrawn):  # noqa: F811
    reproduced(tmp_path, z=dict.fromkeys(NAMES, 0.1))
    assert "- Fewest applications" not in text_of(tmp_path, "coherent")


# Verdicts

ABOVE, ACROSS, BELOW = (Interval(mean, mean - 0.5, mean + 0.5) for mean in (1.0, 0.0, -1.0))
NOTHING = Interval(math.nan, math.nan, math.nan)
ALONE = Interval(1.0, math.nan, math.nan)


@pytest.mark.parametrize(
    ("to_plain", "to_double", "told"),
    [
        (ABOVE, ABOVE, "more than twice as large"),
        (ABOVE, ACROSS, "larger, and twice as large is not ruled out"),
        (ABOVE, BELOW, "larger, but less than twice as large"),
        (ACROSS, ACROSS, "neither equal nor twice as large is ruled out"),
        (ACROSS, BELOW, "no larger to be seen, and less than twice as large"),
        (BELOW, BELOW, "smaller"),
        (BELOW, ACROSS, "smaller"),
        (ALONE, ALONE, "one seed, so no verdict"),
        (NOTHING, NOTHING, "no exponent in every seed, so no verdict"),
    ],
)
def test_a_verdict_is_of_both_differences(to_plain, to_double, told):
    assert verdict(Comparison(to_plain, to_double)) == told


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (
            ["smaller", "larger, but less than twice as large"],
            "No: in no amplified training is it twice",
        ),
        (
            ["smaller", "no larger to be seen, and less than twice as large"],
            "No: in no amplified training is it twice",
        ),
        (
            ["more than twice as large", "smaller"],
            "double not ruled out: “0”; less than double: “1”.",
        ),
        (
            ["larger, and twice as large is not ruled out", "more than twice as large"],
            "double not ruled out: “0”, “1”.",
        ),
        (
            ["neither equal nor twice as large is ruled out", "smaller"],
            "less than double: “1”; neither equal nor double ruled out: “0”.",
        ),
    ],
)
def test_the_answer_follows_from_all_verdicts(verdicts, told):
    assert answer({str(k): each for k, each in enumerate(verdicts)}).startswith(told)


def test_without_a_verdict_there_is_no_answer():
    assert answer({"0": "one seed, so no verdict", "1": "smaller"}) is None


SMALLER, EQUAL, LARGER = (Interval(mean, mean / 1.5, mean * 1.5) for mean in (0.5, 1.0, 2.0))


def test_better_is_a_smaller_error():
    told = [better_or_worse(each) for each in (SMALLER, LARGER, EQUAL, ALONE)]
    assert told == ["better", "worse", "no difference to be seen", "one seed, so no verdict"]


def test_ratios_are_of_equal_seeds():
    found = ratio(np.array([0.1, 0.2, 0.4]), np.array([0.2, 0.4, 0.8]))
    assert found == pytest.approx((0.5, 0.5, 0.5))
    spread = np.exp(np.array([-1.0, 0.0, 1.0]))
    half = STUDENT / 3**0.5
    assert ratio(spread, np.ones(3)) == pytest.approx(
        (1.0, math.exp(-half), math.exp(half)), rel=1e-6
    )


def test_what_is_left_is_diabatic_where_ground_states_are_right():
    assert floor_words(0.2, 0.05).startswith("Most of it, 75.0 %, is diabatic")
    assert floor_words(0.2, 0.15).startswith("A part of it, 25.0 %, is diabatic")
    assert floor_words(0.2, 0.2) == "Nothing of it need be the anneal's."


def test_words_of_scales_follow_from_the_ratio():
    told = [scale_words(each).split(":")[0] for each in (SMALLER, LARGER, EQUAL, ALONE)]
    assert told == ["Better", "Worse", "(no difference to be seen)", "(one seed, so no verdict)"]


def test_findings_on_searches_hold_the_exponents_against_what_is_expected(tmp_path, undrawn):  # noqa: F811
    def search(noise):
        return search_result(
            {"repetition": -1.8, "grover": -1.08, "fixed_point": -1.2}, noise=noise
        )

    reproduced(tmp_path, search=search)
    text = text_of(tmp_path, "coherent")
    told = "- repetition: applications grow as A to the power -1.80 [-1.85, -1.75], where -2 is expected"
    assert finding(text, "repetition: ") == f"{told}: less steep than that."
    line = finding(text, "Grover, A known: ")
    told = (
        "-1.08 [-1.13, -1.03], where -1 is expected: near it, the rest being of higher order in A."
    )
    assert line.endswith(told)
    assert finding(text, "fixed point, A unknown: ").endswith(
        "where -1 is expected: steeper than that."
    )
    assert "closed form within 1e-07." in finding(text, "U and U† run step by step")
    assert "36 instances, A: 0.01 to 0.65." in text


def test_a_seed_with_too_few_instances_is_left_out_and_told(tmp_path, undrawn):  # noqa: F811
    def search(noise):
        return search_result(smallest=0.25 if noise < 0 else 0.01, noise=noise)

    numbers = reproduced(tmp_path, search=search)
    assert numbers["search"]["exponents"]["repetition"][0] == pytest.approx(-1.99)
    assert "Seeds left out for fewer than 5 of them below A = 0.3: 1." in text_of(
        tmp_path, "coherent"
    )


def test_of_one_seed_without_enough_instances_all_is_drawn_and_there_is_no_exponent(tmp_path):
    numbers = reproduced(
        tmp_path, num_seeds=1, quick=False, search=lambda noise: search_result(smallest=0.32)
    )
    assert numbers["search"]["exponents"]["grover"] == [None, None, None]
    text = text_of(tmp_path, "coherent")
    assert finding(text, "Grover, A known: ").endswith(
        "no seed has 5 instances with A below 0.3, so no exponent."
    )
    assert (tmp_path / "coherent.png").is_file()


def test_findings_compare_equal_seeds(tmp_path, undrawn):  # noqa: F811
    """Exponents of a seed all move together, so differences to plain have no width, but those to twice it do."""
    reproduced(tmp_path)
    text = text_of(tmp_path, "coherent")
    during, after = [
        line for line in text.splitlines() if "| amplified, m = 20, against plain, m = 20 |" in line
    ]
    half = STUDENT * 0.02 / 3**0.5
    assert after.split(" | ")[2:] == [
        "0.20 [0.20, 0.20]",
        f"-0.20 [{-0.2 - half:.2f}, {-0.2 + half:.2f}] |",
    ]
    assert during.split(" | ")[2:] == [
        "0.20 [0.20, 0.20]",
        f"-0.30 [{-0.3 - half:.2f}, {-0.3 + half:.2f}] |",
    ]
    line = finding(text, "z of errors after it, epochs 1 to 6, against plain training: ")
    told = "amplified, exact: more than twice as large; amplified, exact, rate ∝ A: larger, but less than twice as large"
    assert f": {told}; amplified, m = 20: larger, but" in line
    told = "amplified, m = 20, rate ∝ A: no larger to be seen, and less than twice as large"
    assert line.endswith(f"; {told}; amplified, m = 3, rate ∝ A: more than twice as large.")
    line = finding(text, "Does z of errors after it double? ")
    assert (
        "out: “amplified, exact”, “amplified, m = 3, rate ∝ A”; less than double: “amplified, exact, rate ∝ A”,"
        in line
    )
    line = finding(text, "amplified, m = 20, over plain, m = 20, ratio of errors: ")
    ends = np.exp(np.mean([np.log(end(0.6 + share) / end(0.4 + share)) for share in SHARES]))
    assert (
        "after 1 epoch 1.00 [1.00, 1.00] (no difference to be seen), after 3 0.80 [0.80, 0.80] (better)"
        in line
    )
    assert f"at the end {ends:.2f} [" in line
    assert finding(text, "z against applications, amplified, m = 20, minus").endswith(
        "0.20 [0.20, 0.20] (larger)."
    )
    line = finding(text, "amplified, m = 20, rate ∝ A, takes ")
    assert (
        "takes 4 times the applications of plain, m = 20, in the first epoch and 4 times in the last"
        in line
    )


def end(z):
    return (0.4 * np.arange(2.0, 7) ** -z).mean()


def test_the_floor_is_told_by_ground_states_and_by_a_longer_anneal(tmp_path, undrawn):  # noqa: F811
    reproduced(tmp_path)
    line = finding(text_of(tmp_path, "coherent"), "The floor, in plain training after 6 epochs: ")
    assert (
        "the error is 20.0 %, and 5.00 % of the ground states are wrong. Most of it, 75.0 %, is diabatic"
        in line
    )
    assert line.endswith(
        "With time 60 in place of 30, and nothing else changed, the error is 5.00 % (better)."
    )
    line = finding(
        text_of(tmp_path, "coherent"),
        "H as it is, not divided by its largest local field (5.0), after 6 ",
    )
    assert "error 2.00 % against 20.0 %. Better: " in line


def test_one_seed_gives_no_verdict(tmp_path, undrawn):  # noqa: F811
    numbers = reproduced(tmp_path, num_seeds=1)
    assert numbers["methods"]["plain-exact"]["z"]["error"]["all"][1:] == [None, None]
    text = text_of(tmp_path, "coherent").split("## Choices")[0]
    assert "- Does z of" not in text
    assert text.count("one seed, so no verdict") >= 4
    for word in ("(better", "(worse", "Better", "Worse", "±", "(larger", "(smaller"):
        assert word not in text


@pytest.mark.parametrize("best", [0, 2, 4])
def test_a_rate_at_the_end_of_the_grid_is_told(tmp_path, undrawn, best):  # noqa: F811
    reproduced(tmp_path, quick=False, best=best)
    text = text_of(tmp_path, "coherent")
    titles = [method.title for method in methods_of(Sizes()).values()]
    if best == 2:
        assert "- At the end of the grid" not in text
    else:
        assert finding(text, "At the end of the grid of rates").endswith(f": {'; '.join(titles)}.")


def test_it_is_drawn_to_the_same_bytes(tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        reproduced(tmp_path / folder)
    names = (
        "coherent.png",
        "coherent.svg",
        "coherent.csv",
        "coherent_search.csv",
        "coherent_times.csv",
        "coherent.md",
    )
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert (tmp_path / "first" / "coherent.svg").read_text().rstrip().endswith("</svg>")


def test_exponents_of_searches_are_of_small_amplitudes_alone():
    """Counts that do not fall any further from A = 0.3 on."""
    amplitude = np.geomspace(0.01, 0.7, 20)
    own = {"amplitude": amplitude, "grover": np.minimum(amplitude, 0.31) ** -1.0}
    assert Searches([own, own]).exponent("grover") == pytest.approx((-1, -1, -1))
