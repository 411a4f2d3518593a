"""The study of equivalence: its images, its baseline, its job, and what its numbers, files and words say."""

import json
import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

import isingprop as ip
import oracle
import tolerances
from isingprop.analysis.scaling import Interval
from isingprop.energy_model.energy_trainer import EnergyTrainer, batches
from isingprop.energy_model.mlp import MLP
from isingprop.energy_model.model import GIBBS, EnergyModel
from isingprop.paper.common.image_pairs import (
    Backpropagation,
    PairImages,
    images_of_classes,
    pair_name,
)
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.mlp_equivalence import equivalence_study as mlp_equivalence
from isingprop.paper.mlp_equivalence.equivalence_findings import findings, verdict
from isingprop.paper.mlp_equivalence.equivalence_jobs import (
    TwinTraining,
    ascent,
    measured,
    moments,
    norm_and_cosine,
    symmetrised_kl,
)
from isingprop.paper.mlp_equivalence.equivalence_outcomes import Outcome
from isingprop.util.checks import seed_for
from paper_job_kinds import small_images
from test_paper_figures import finding, rows_of, text_of, undrawn  # noqa: F401 (used by name)
from test_paper_methods import MadeUp, one_thread, setup  # noqa: F401 (used by all)

IMAGES = small_images()
CURVES = (
    "loss",
    "loss_inherited",
    "log_likelihood",
    "log_likelihood_inherited",
    "mlp_accuracy",
    "mlp_accuracy_inherited",
    "ebm_accuracy",
    "ebm_accuracy_inherited",
    "kl",
    "gradient",
    "cosine",
    "mlp_norm_1",
    "mlp_norm_2",
    "mlp_largest",
    "ebm_norm_1",
    "ebm_norm_2",
    "ebm_largest",
)
SHARES = np.array([-0.01, 0.0, 0.01])  # by which seeds 0, 1, 2 differ from their mean
STUDENT = 4.302653  # t of a 95 % interval for two degrees of freedom


# Images


def labelled(train, test):
    """Images that say which they are."""
    parts = []
    for labels in (train, test):
        pixels = np.linspace(0, 1, 2 * len(labels), dtype=np.float32).reshape(len(labels), 2)
        parts += [pixels, np.array(labels)]
    return ip.ImageSet("made up", *parts, num_classes=10)


def test_a_pair_has_all_training_images_and_equally_many_test_images_of_each_class():
    images = labelled([3, 1, 2, 1, 3, 3], [1, 3, 1, 3, 1, 1, 2, 3])
    pair = PairImages.of(images, (3, 1))
    np.testing.assert_array_equal(pair.train_x, images.train_images[[0, 1, 3, 4, 5]])
    assert pair.train_y.tolist() == [[0], [1], [1], [0], [0]]
    np.testing.assert_array_equal(pair.test_x, images.test_images[[0, 1, 2, 3, 4, 7]])
    assert pair.test_y.tolist() == [[1], [0], [1], [0], [1], [0]]


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([0, 0], [0, 1], "train_labels must have images of class 1, got none"),
        ([0, 1], [1, 1], "test_labels must have images of class 0, got none"),
    ],
)
def test_a_class_that_is_missing_is_refused_before_any_job(
    tmp_path, monkeypatch, train, test, message
):
    monkeypatch.setattr(Setup, "load_all", lambda self: labelled(train, test))
    runner = MadeUp(lambda job: pytest.fail("a job has run"))
    with pytest.raises(ValueError, match=f"^{message}$"):
        mlp_equivalence.reproduce(setup(tmp_path), runner)
    assert list(tmp_path.iterdir()) == []


def test_a_job_is_sent_the_images_of_its_pair_alone():
    images = labelled([3, 1, 2, 1, 3, 3], [1, 3, 1, 3, 1, 1, 2, 3])
    found = images_of_classes(images, (1, 2))
    assert (found.train_labels.tolist(), found.test_labels.tolist()) == ([1, 2, 1], [1, 1, 1, 1, 2])
    np.testing.assert_array_equal(found.train_images, images.train_images[[1, 2, 3]])
    np.testing.assert_array_equal(found.test_images, images.test_images[[0, 2, 4, 5, 6]])
    ours, whole = PairImages.of(found, (1, 2)), PairImages.of(images, (1, 2))
    for name in ("train_x", "train_y", "test_x", "test_y"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(whole, name))


def test_pairs_have_the_papers_names():
    assert pair_name("mnist", (0, 1)) == pair_name("digits", (0, 1)) == "0-1"
    assert [pair_name("fashion-mnist", pair) for pair in ((2, 3), (3, 9))] == [
        "Pullover-Dress",
        "Dress-Ankle Boot",
    ]
    assert pair_name("fashion-mnist", (5, 7)) == "Sandal-Sneaker"


@pytest.mark.parametrize(("size", "per_round"), [(3, 2), (7, 1), (1, 7)])
def test_batches_go_through_the_inputs_in_a_new_order_each_time(size, per_round):
    drawn = [batch.tolist() for batch in islice(batches(7, size, 4), 4 * per_round)]
    assert drawn == [batch.tolist() for batch in islice(batches(7, size, 4), 4 * per_round)]
    assert drawn != [batch.tolist() for batch in islice(batches(7, size, 5), 4 * per_round)]
    rounds = [
        [n for batch in drawn[k : k + per_round] for n in batch]
        for k in range(0, len(drawn), per_round)
    ]
    for order in rounds:
        assert len(set(order)) == len(order) == size * per_round
        assert set(order) <= set(range(7))
    assert len({tuple(order) for order in rounds}) > 1


# The baseline


def first_weights(num_inputs, num_hidden, seed):
    """As scikit-learn draws them for sigmoid units: uniform, each layer's weights and then its biases."""
    random, arrays = np.random.RandomState(np.random.MT19937(seed)), []
    for sizes in ((num_inputs, num_hidden), (num_hidden, 1)):
        bound = math.sqrt(2 / sum(sizes))
        arrays += [random.uniform(-bound, bound, sizes).T, random.uniform(-bound, bound, sizes[1])]
    return arrays


def adam(arrays, gradients, state, step, rate):
    """Kingma & Ba 2015, the last two lines of Section 2, which scikit-learn follows: epsilon is not corrected."""
    for k, slope in enumerate(gradients):
        m, v = state.setdefault(k, (np.zeros_like(slope), np.zeros_like(slope)))
        state[k] = m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        arrays[k] = arrays[k] - rate * math.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m / (
            np.sqrt(v) + 1e-8
        )


def by_hand(arrays, x, y):
    """The slope of the mean cross-entropy of a perceptron in W1, b, W2, c."""
    first, b, second, c = arrays
    hidden = 1 / (1 + np.exp(-(x @ first.T + b)))
    error = 1 / (1 + np.exp(-(hidden @ second.T + c))) - y
    back = error * second * hidden * (1 - hidden)
    return [back.T @ x / len(x), back.mean(axis=0), error.T @ hidden / len(x), error.mean(axis=0)]


@pytest.mark.parametrize("seed", [3, 2**32 + 3])
def test_the_baseline_makes_one_adam_step_of_the_cross_entropy_for_each_batch(seed):
    random, arrays, state = np.random.default_rng(0), first_weights(6, 5, seed), {}
    perceptron = Backpropagation(5, 0.01, 4, seed)
    for step in range(1, 5):
        x, y = random.random((4, 6)), np.array([[0], [1], [1], [step % 2]], np.int8)
        adam(arrays, by_hand(arrays, x, y), state, step, 0.01)
        mlp = perceptron.step(x, y)
        ours = mlp.input_weights, mlp.hidden_bias, mlp.output_weights, mlp.output_bias
        for mine, wanted in zip(ours, arrays, strict=True):
            np.testing.assert_allclose(mine, wanted, rtol=0, atol=1e-12)


def test_a_perceptron_that_is_returned_does_not_change_with_the_next_step():
    pair = PairImages.of(IMAGES, (1, 2))
    perceptron = Backpropagation(5, 0.1, 4, 0)
    mlp = perceptron.step(pair.train_x[:4], pair.train_y[:4])
    before = {name: array.copy() for name, array in mlp.parameters().items()}
    perceptron.step(pair.train_x[:4], pair.train_y[:4])
    assert all(
        tolerances.same_bits(array, before[name]) for name, array in mlp.parameters().items()
    )


# What is measured


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def test_the_divergence_is_the_sum_of_both_over_both_classes():
    random = np.random.default_rng(0)
    u, v = random.normal(size=(2, 50))
    p, q = (np.stack([sigmoid(w), 1 - sigmoid(w)]) for w in (u, v))
    wanted = (p * np.log(p / q) + q * np.log(q / p)).sum(axis=0)
    np.testing.assert_allclose(symmetrised_kl(u, v), wanted, rtol=1e-9)
    assert tolerances.same_bits(symmetrised_kl(u, v), symmetrised_kl(v, u))
    assert not symmetrised_kl(u, u).any()


@pytest.mark.parametrize("side", [1, -1])
def test_the_divergence_keeps_its_digits_where_outputs_are_sure(side):
    """sigma(-u) = exp(-u) but for a relative error of exp(-40); 1 - sigma(-u) rounds to 1."""
    wanted = (math.exp(-40) - math.exp(-50)) * 10
    assert float(symmetrised_kl(np.array(side * 40.0), np.array(side * 50.0))) == pytest.approx(
        wanted, rel=1e-12, abs=0
    )
    far = float(symmetrised_kl(np.array(side * 800.0), np.array(-side * 800.0)))
    assert far == 1600


def small_mlp(seed=0, scale=1.0):
    return MLP(**oracle.random_energy_model(4, 5, 1, seed=seed, scale=scale).parameters())


def test_the_ascent_of_a_perceptron_is_the_slope_of_minus_its_loss():
    random, mlp = np.random.default_rng(1), small_mlp()
    x, y = random.random((6, 4)), random.integers(2, size=(6, 1))
    slopes = oracle.slopes(lambda each: -each.loss(x, y), mlp)
    for name, array in ascent(mlp, x, y).parameters().items():
        np.testing.assert_allclose(array, slopes[name], rtol=0, atol=1e-9)


def test_gradients_are_compared_over_all_their_parameters():
    first = MLP([[3.0]], [[0.0]], [0.0], [4.0])
    assert norm_and_cosine(first, first) == (5, pytest.approx(1))
    assert norm_and_cosine(first, MLP([[-6.0]], [[0.0]], [0.0], [-8.0])) == (5, pytest.approx(-1))
    assert norm_and_cosine(first, MLP([[4.0]], [[0.0]], [0.0], [-3.0])) == (5, 0)
    assert norm_and_cosine(first, MLP([[3.0]], [[12.0]], [0.0], [4.0])) == (
        5,
        pytest.approx(5 / 13),
    )


def test_what_is_measured_is_by_its_name(monkeypatch):
    monkeypatch.setattr("isingprop.paper.mlp_equivalence.equivalence_jobs.NUM_EVALUATED", 9)
    random = np.random.default_rng(2)
    test = 2 * random.normal(size=(30, 4)), random.integers(2, size=(30, 1))
    pair = PairImages(random.random((20, 4)), random.integers(2, size=(20, 1)), *test)
    mlp, model = small_mlp(seed=2, scale=2), oracle.random_energy_model(4, 5, 1, seed=3, scale=2)
    found = measured(mlp, model, pair, mlp.logits(pair.test_x)[:, 0])
    assert set(found) == set(CURVES)
    x, y, of_model, of_mlp = (
        pair.train_x[:9],
        pair.train_y[:9],
        model.to_mlp(),
        EnergyModel.from_mlp(mlp),
    )
    p, q = (each.predict_proba(pair.test_x)[:, 0] for each in (mlp, of_model))
    both = ((p - q) * (np.log(p / (1 - p)) - np.log(q / (1 - q)))).mean()
    wanted = {
        "loss": mlp.loss(x, y),
        "loss_inherited": of_model.loss(x, y),
        "log_likelihood": oracle.log_likelihood(model, x, y),
        "log_likelihood_inherited": oracle.log_likelihood(of_mlp, x, y),
        "mlp_accuracy": (mlp.predict(pair.test_x) == pair.test_y).mean(),
        "mlp_accuracy_inherited": (of_model.predict(pair.test_x) == pair.test_y).mean(),
        "ebm_accuracy": (model.predict(pair.test_x) == pair.test_y).mean(),
        "ebm_accuracy_inherited": (of_mlp.predict(pair.test_x) == pair.test_y).mean(),
        "kl": both,
        "gradient": math.sqrt(
            sum((array**2).sum() for array in model.gradient(x, y).parameters().values())
        ),
        "cosine": norm_and_cosine(model.gradient(x, y), ascent(of_model, x, y))[1],
        "mlp_norm_1": math.sqrt((mlp.input_weights**2).sum()),
        "mlp_norm_2": math.sqrt((mlp.output_weights**2).sum()),
        "mlp_largest": max(abs(mlp.input_weights).max(), abs(mlp.output_weights).max()),
        "ebm_norm_1": math.sqrt((model.input_weights**2).sum()),
        "ebm_norm_2": math.sqrt((model.output_weights**2).sum()),
        "ebm_largest": max(abs(model.input_weights).max(), abs(model.output_weights).max()),
    }
    assert found == pytest.approx(wanted)
    accuracies = {found[name] for name in CURVES if "accuracy" in name}
    assert len(accuracies) == 4, "else they could be mistaken for each other"


def test_small_weights_make_the_gradients_of_the_twins_equal():
    """Their difference is of the order of the weights."""
    random = np.random.default_rng(3)
    x, y = random.random((40, 4)), random.integers(2, size=(40, 1))
    cosines = []
    for scale in (1.0, 0.1, 0.01):
        model = oracle.random_energy_model(4, 5, 1, seed=2, scale=scale)
        cosines.append(norm_and_cosine(model.gradient(x, y), ascent(model.to_mlp(), x, y))[1])
    assert cosines[0] < cosines[1] < cosines[2]
    assert cosines[2] > 1 - 1e-4


# The job


def test_it_is_measured_often_in_the_beginning_and_after_the_last_update():
    assert moments(1) == [1]
    assert moments(2) == [1, 2]
    assert moments(31) == [1, 2, 3, 5, 7, 10, 15, 20, 30, 31]
    assert moments(150) == [1, 2, 3, 5, 7, 10, 15, *range(20, 101, 10), 120, 140, 150]
    assert moments(300)[-3:] == [260, 280, 300]


@pytest.mark.parametrize("num_reads", [None, 3])
def test_a_job_trains_both_on_the_same_batches(monkeypatch, num_reads):
    monkeypatch.setattr("isingprop.paper.mlp_equivalence.equivalence_jobs.BATCH_SIZE", 4)
    result = TwinTraining((1, 2), 5, 6, 7, num_reads).run(IMAGES)
    pair = PairImages.of(IMAGES, (1, 2))
    model = EnergyModel.random(num_inputs=16, num_hidden=5, scale=0.01, seed=7)
    sampler = None if num_reads is None else GIBBS
    trainer = EnergyTrainer(
        model, sampler, num_reads=num_reads or 1, learning_rate=0.001, batch_size=4, seed=7
    )
    perceptron, rows, logits = Backpropagation(5, 0.001, 4, 7), [], []
    for update, batch in enumerate(
        islice(batches(len(pair.train_x), 4, seed_for(7, 1)), 6), start=1
    ):
        mlp, model = (
            each.step(pair.train_x[batch], pair.train_y[batch]) for each in (perceptron, trainer)
        )
        if update != 4:
            logits.append(mlp.logits(pair.test_x)[:, 0])
            rows.append(measured(mlp, model, pair, logits[-1]))
    assert set(result) == {*CURVES, "logits"}
    assert {name: result[name].tolist() for name in CURVES} == {
        name: [row[name] for row in rows] for name in CURVES
    }
    assert result["logits"].tolist() == np.array(logits).tolist()


def test_a_seed_gives_the_same_arrays_and_another_seed_or_way_others():
    job = TwinTraining((1, 2), 5, 3, 7)
    first, again, other, sampled = (
        each.run(IMAGES) for each in (job, job, replace(job, seed=8), replace(job, num_reads=2))
    )
    assert all(tolerances.same_bits(first[name], again[name]) for name in first)
    assert not [
        name
        for name in ("loss", "log_likelihood", "kl")
        if np.array_equal(first[name], other[name])
    ]
    assert first["loss"].tolist() == sampled["loss"].tolist(), "the perceptron is the same"
    assert first["log_likelihood"].tolist() != sampled["log_likelihood"].tolist()


# Numbers, files and words


def course(num_updates, **changes):
    """A result: curves over the moments, of which `changes` gives some, as numbers or as arrays."""
    count = len(moments(num_updates))
    falling = np.linspace(0.7, 0.1, count)
    values = {
        "loss": falling,
        "loss_inherited": falling,
        "log_likelihood": -falling,
        "log_likelihood_inherited": -falling,
        **{name: 0.9 for name in CURVES if "accuracy" in name},
        "kl": 0.001,
        "gradient": 0.5,
        "cosine": np.linspace(1, 0.9, count),
        **{name: np.linspace(1, 4, count) for name in CURVES if "norm" in name},
        **{name: 0.25 for name in CURVES if "largest" in name},
        **changes,
    }
    logits = values.pop("logits", np.zeros((count, 6)))
    return {name: np.array(np.broadcast_to(value, count)) for name, value in values.items()} | {
        "logits": logits
    }


def outcome(title="0-1", num_seeds=3, num_updates=80, **changes):
    """Over seeds: a change may be a function of the seed."""
    results = [
        course(
            num_updates,
            **{name: each(seed) if callable(each) else each for name, each in changes.items()},
        )
        for seed in range(num_seeds)
    ]
    return Outcome.of(title, num_updates, results)


def said(beginning, *exact, sampled=()):
    (line,) = [line for line in findings(exact, sampled) if line.startswith(beginning)]
    return line


def peaked(first, largest, end, num_updates=80):
    """A curve that is `largest` after update 5."""
    curve = np.full(len(moments(num_updates)), end, dtype=float)
    curve[:4] = first, first, first, largest
    return curve


def shared(mean, sign=1):
    """Differs from seed to seed."""
    return lambda seed: mean + sign * SHARES[seed]


def test_curves_are_held_by_seed_and_update():
    own = outcome(loss=lambda seed: peaked(0.3, 0.9 + SHARES[seed], 0.2))
    assert own.updates.tolist() == moments(80)
    assert set(own.curves) == set(CURVES)
    assert own.curves["loss"].shape == (3, len(moments(80)))
    assert own.curves["loss"][:, 3].tolist() == pytest.approx([0.89, 0.9, 0.91])
    assert own.end("loss").tolist() == [0.2, 0.2, 0.2]
    assert own.mean("loss")[3] == pytest.approx(0.9)
    assert own.farthest(own.mean("loss")) == (pytest.approx(0.9), 5)
    likelihood, loss = own.curves["log_likelihood"][:, 3], np.array([0.89, 0.9, 0.91])
    assert own.gap("log_likelihood", "loss")[3] == pytest.approx(max(abs(likelihood - loss)))
    assert own.gap("log_likelihood", "loss", sign=-1)[3] == pytest.approx(
        max(abs(likelihood + loss))
    )


def test_gaps_of_seeds_do_not_cancel():
    apart = outcome(
        loss=lambda seed: peaked(0.3, 0.9, 0.2 + SHARES[seed]), loss_inherited=peaked(0.3, 0.9, 0.2)
    )
    assert sum(SHARES[seed] for seed in range(3)) == pytest.approx(0)
    assert apart.gap("loss", "loss_inherited")[-1] == pytest.approx(max(map(abs, SHARES)))


def test_differences_at_the_end_are_of_equal_seeds():
    own = outcome(
        mlp_accuracy=shared(0.9), ebm_accuracy=shared(0.8), ebm_accuracy_inherited=shared(0.9, -1)
    )
    assert own.difference("mlp_accuracy", "ebm_accuracy") == pytest.approx((0.1, 0.1, 0.1))
    half = STUDENT * 0.02 / 3**0.5
    assert own.difference("mlp_accuracy", "ebm_accuracy_inherited") == pytest.approx(
        (0, -half, half), abs=1e-6
    )


def test_the_late_change_is_of_the_last_third():
    updates = np.array(moments(300))
    own = outcome(num_updates=300, kl=np.where(updates < 200, 5.0, updates / 1000))
    assert own.late_change() == pytest.approx((0.1, 0.1, 0.1))


def test_perceptrons_of_two_seeds_are_compared_in_all_pairs():
    """Logits u, v, 0 on all images: seed 0 has (u, v) and (u, 0) to average."""
    count, u, v = len(moments(80)), 1.0, -2.0

    def between(a, b):
        return (sigmoid(a) - sigmoid(b)) * (a - b)

    own = outcome(logits=lambda seed: np.full((count, 6), (u, v, 0.0)[seed]))
    wanted = [
        between(u, v) + between(u, 0),
        between(v, u) + between(v, 0),
        between(0, u) + between(0, v),
    ]
    assert own.between.shape == (3, count)
    np.testing.assert_allclose(own.between[:, -1], np.array(wanted) / 2)
    assert np.isnan(outcome(num_seeds=1).between).all()


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.1, 0.05, 0.2), "better"),
        ((-0.1, -0.2, -0.05), "worse"),
        ((0.1, -0.05, 0.2), "no difference to be seen"),
        ((0.0, 0.0, 0.0), "no difference to be seen"),
        ((0.1, math.nan, math.nan), "one seed, so no verdict"),
    ],
)
def test_a_verdict_follows_from_the_interval(interval, words):
    assert verdict(Interval(*interval)) == words


NEAR = "approaches zero, as the paper says (ends below 0.01 nats and a tenth of its largest value)"


def test_the_divergence_approaches_zero_where_it_ends_small_and_has_fallen():
    near = outcome("near", kl=peaked(0.02, 0.2, 0.009))
    always = outcome("always small", kl=peaked(0.002, 0.003, 0.002))
    large = outcome("large", kl=peaked(0.02, 0.9, 0.02))
    line = said("Divergence", near, always, large)
    assert line.startswith(
        f"Divergence: {NEAR}: near; does not approach zero: always small, large. In the last"
    )


def test_a_divergence_that_rises_again_does_not_approach_zero():
    curve = peaked(0.02, 0.2, 0.001)
    curve[-1] = 0.002
    line = said("Divergence", outcome("back", kl=curve))
    assert (
        line
        == "Divergence: was near zero, but rises again (ends below 0.01 nats): back. In the last third: rising: back."
    )


def test_the_divergence_falls_or_rises_in_the_last_third():
    """Of 80 updates: from the 60th on, the third last but one of the moments."""

    def late(change, spread=0.0):
        def curve(seed):
            values = np.full(len(moments(80)), 0.1)
            values[-1] += change + spread * SHARES[seed]
            return values

        return curve

    falls, rises = outcome("a", kl=late(-0.05, 1)), outcome("b", kl=late(0.05, 1))
    unknown = outcome("c", kl=late(0.02, 1))
    line = said("Divergence", falls, rises, unknown)
    assert line.endswith("In the last third: still falling: a; rising: b; no change to be seen: c.")
    assert said("Divergence", outcome(num_seeds=1)).endswith("one seed, so no verdict: 0-1.")


def test_the_divergence_is_held_against_that_of_two_perceptrons():
    """Each seed has another logit than the others on an image of its own."""
    count, apart = len(moments(80)), float(symmetrised_kl(np.array(1.0), np.array(0.0))) * 2 / 3
    logits = {"logits": lambda seed: np.tile(np.eye(3)[seed], (count, 1))}
    nearer, farther = (
        outcome("a", kl=apart - 0.01, **logits),
        outcome("b", kl=apart + 0.01, **logits),
    )
    below = outcome("c", kl=lambda seed: apart - 0.001 + SHARES[seed], **logits)
    above = outcome("d", kl=lambda seed: apart + 0.001 + SHARES[seed], **logits)
    line = said("Against two MLPs", nearer, farther, below, above)
    assert line.endswith("nearer: a; farther: b; as far, as far as can be seen: c, d.")
    assert not [
        line for line in findings([outcome(num_seeds=1)], []) if line.startswith("Against two MLPs")
    ]


def test_the_same_weights_are_held_against_each_other_in_both():
    """Loss plus log-likelihood; where the largest is, and the largest at the end with its share of the loss."""
    falling = np.linspace(0.7, 0.1, len(moments(80)))
    bump = peaked(0.0, -0.05, 0.002)
    plain, bent = outcome("plain"), outcome("bent", log_likelihood=bump - falling)
    assert said("With the EBM's", plain, bent) == (
        "With the EBM's weights in both, loss and −log-likelihood of a seed differ by at most 0.05 nats (bent, update "
        "5); at the end by at most 0.002 (bent), 2 % of the loss."
    )
    assert "differ by at most 0 nats" in said("With the MLP's", plain, bent)
    bent = outcome("bent", log_likelihood_inherited=bump - falling)
    assert "at most 0.05 nats (bent, update 5)" in said("With the MLP's", plain, bent)


def test_it_is_told_from_when_on_losses_are_near():
    falling = np.linspace(0.7, 0.1, len(moments(80)))
    early = outcome("early", loss_inherited=falling + peaked(0, 0.3, 0.005))
    always = outcome("always", loss_inherited=falling - 0.009)
    never = outcome("never", loss_inherited=falling + peaked(0, 0.3, 0.02))
    line = said("Trained apart", early, always, never)
    assert "early 0.3 (update 5), less than 0.01 from update 7 on, 0.005 at the end" in line
    assert "never more, 0.009 at the end" in line
    assert line.endswith("never 0.3 (update 5), more than 0.01 still at the end, 0.02 at the end.")


@pytest.mark.parametrize(
    ("beginning", "first", "second"),
    [
        ("An EBM with the MLP's weights, minus the MLP", "ebm_accuracy_inherited", "mlp_accuracy"),
        ("An MLP with the EBM's weights, minus the EBM", "mlp_accuracy_inherited", "ebm_accuracy"),
        ("An MLP with the EBM's weights, minus the MLP", "mlp_accuracy_inherited", "mlp_accuracy"),
    ],
)
def test_inherited_accuracies_are_held_against_the_owners(beginning, first, second):
    same = outcome("same", **{first: shared(0.9), second: shared(0.9, -1)})
    worse = outcome("worse one", **{first: shared(0.8), second: shared(0.9)})
    better = outcome("better one", **{first: shared(0.95), second: shared(0.9)})
    half = 100 * STUDENT * 0.02 / 3**0.5
    line = said(beginning, same, worse, better)
    assert (
        f"same +0.0 [{-half:+.1f}, {half:+.1f}], worse one -10.0 [-10.0, -10.0], better one +5.0 ["
        in line
    )
    assert line.endswith("; no difference to be seen: same; worse: worse one; better: better one.")


def test_it_is_told_how_far_gradients_and_weights_go():
    first = outcome("a", ebm_norm_1=np.linspace(1, 3, 14), cosine=np.linspace(0.99, 0.8, 14))
    second = outcome("b", ebm_norm_1=np.linspace(2, 16, 14), ebm_norm_2=np.linspace(0.5, 12, 14))
    assert said("W1 of the EBM", first, second) == (
        "W1 of the EBM grows 3 to 8 times (norm); the two gradients with its weights turn away from each other: their "
        "cosine is 0.9900 or more after the first update and 0.8000 or more at the end."
    )
    assert "do not all turn away" in said("W1 of the EBM", first, outcome("c", cosine=0.9))
    line = said("Weights are", first, second)
    assert line.startswith(
        "Weights are smaller than one in absolute value, as the paper says of its own: the largest is 0.25."
    )
    assert line.endswith("‖W2‖ / ‖W1‖ of the EBM is at most 1.3.")
    for name in ("mlp_largest", "ebm_largest"):
        line = said("Weights are", first, outcome("d", **{name: lambda seed: 0.9 + seed / 10}))
        assert line.startswith("Weights are not all below one: the largest is 1.10.")


def test_sampled_gradients_are_held_against_exact_ones():
    exact = outcome("0-1", log_likelihood=shared(-0.2)), outcome("2-3", log_likelihood=-9.0)
    sampled = outcome("0-1 (sampled)", log_likelihood=shared(-0.23))
    assert said("0-1 (sampled), minus", *exact, sampled=[sampled]) == (
        "0-1 (sampled), minus exact gradients: log-likelihood -0.03 [-0.03, -0.03] nats (worse)."
    )
    assert said("These are", *exact, sampled=[sampled]).startswith(
        "These are 16 intervals of 95 %, of which 0.8 would"
    )
    assert not [
        line for line in findings([outcome(num_seeds=1)], []) if line.startswith("These are")
    ]


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


def test_jobs_are_sent_out_pair_by_pair(tmp_path, undrawn):  # noqa: F811
    runner = Noting(made_up().result)
    mlp_equivalence.reproduce(setup(tmp_path, quick=False), runner)
    assert [set(images.train_labels) | set(images.test_labels) for images in runner.sent] == list(
        map(set, LEVELS)
    )


@pytest.mark.parametrize(("num_seeds", "quick"), [(3, True), (2, False)])
def test_the_number_of_jobs_is_known_beforehand(tmp_path, num_seeds, quick, undrawn):  # noqa: F811
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


def test_fashion_has_pairs_of_its_own(tmp_path, monkeypatch, undrawn):  # noqa: F811
    monkeypatch.setattr(Setup, "load_all", lambda self: ip.load_data("digits"))
    numbers, runner = reproduced(tmp_path, data="fashion-mnist", quick=False)
    assert list(numbers["pairs"]) == ["Pullover-Dress", "Dress-Ankle Boot"]
    assert [job.classes for job in runner.jobs if job.num_reads is None] == 3 * [(2, 3)] + 3 * [
        (3, 9)
    ]
    assert list(numbers["sampled"]) == ["Pullover-Dress"]


def test_the_numbers_follow_from_the_results(tmp_path, undrawn):  # noqa: F811
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


def test_one_seed_has_no_errors_and_no_verdicts(tmp_path, undrawn):  # noqa: F811
    numbers, _ = reproduced(tmp_path, num_seeds=1)
    own = numbers["pairs"]["0-1"]
    assert own["kl_se"] is own["kl_between_perceptrons"] is own["mlp_weights_in_ebm"][1] is None
    text = text_of(tmp_path, "mlp-equivalence")
    found = text.split("## Choices")[0]
    assert "±" not in found
    for word in ("better", "worse", "falling", "nearer"):
        assert word not in found
    assert "One seed;" in text


def test_a_row_is_a_measurement_of_a_seed(tmp_path, undrawn):  # noqa: F811
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


def test_the_report_has_a_line_for_each_pair_in_each_table(tmp_path, undrawn):  # noqa: F811
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


def test_a_quick_run_says_so(tmp_path, undrawn):  # noqa: F811
    reproduced(tmp_path)
    assert text_of(tmp_path, "mlp-equivalence").startswith("*A quick run on digits: ")


def test_a_row_of_the_picture_is_a_pair(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(Setup, "write_picture", lambda self, name, figure: figures.append(figure))
    reproduced(tmp_path, quick=False)
    (figure,) = figures
    rows = np.reshape(figure.axes, (5, 4))
    assert [row[0].get_ylabel() for row in rows] == [
        f"{first}-{second}" for first, second in LEVELS
    ]
    assert [[len(axes.lines) for axes in row] for row in rows] == [
        [3, 3, 6, 3],
        *4 * [[2, 2, 4, 2]],
    ]
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


@pytest.mark.parametrize("num_seeds", [3, 1])
def test_it_is_drawn_to_the_same_bytes(tmp_path, num_seeds):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        reproduced(tmp_path / folder, num_seeds=num_seeds)
    for kind in ("png", "svg", "csv"):
        name = f"mlp-equivalence.{kind}"
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
