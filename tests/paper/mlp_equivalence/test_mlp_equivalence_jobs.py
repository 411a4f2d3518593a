"""The study of equivalence: its images, its baseline and its job."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

import isingprop as ip
from helpers import energy_oracle, tolerances
from helpers.paper.equivalence_results import CURVES, sigmoid
from helpers.paper.job_kinds import small_images
from helpers.paper.made_up import MadeUp, setup
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
from isingprop.paper.mlp_equivalence.equivalence_jobs import (
    TwinTraining,
    ascent,
    measured,
    moments,
    norm_and_cosine,
    symmetrised_kl,
)
from isingprop.util.checks import seed_for

IMAGES = small_images()


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
    """As scikit-learn draws them for sigmoid units: uniform, each layer's weights and then its
    biases.
    """
    random, arrays = np.random.RandomState(np.random.MT19937(seed)), []
    for sizes in ((num_inputs, num_hidden), (num_hidden, 1)):
        bound = math.sqrt(2 / sum(sizes))
        arrays += [random.uniform(-bound, bound, sizes).T, random.uniform(-bound, bound, sizes[1])]
    return arrays


def adam(arrays, gradients, state, step, rate):
    """Kingma & Ba 2015, the last two lines of Section 2, which scikit-learn follows: epsilon is not
    corrected.
    """
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
    return MLP(**energy_oracle.random_energy_model(4, 5, 1, seed=seed, scale=scale).parameters())


def test_the_ascent_of_a_perceptron_is_the_slope_of_minus_its_loss():
    random, mlp = np.random.default_rng(1), small_mlp()
    x, y = random.random((6, 4)), random.integers(2, size=(6, 1))
    slopes = energy_oracle.slopes(lambda each: -each.loss(x, y), mlp)
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
    mlp, model = (
        small_mlp(seed=2, scale=2),
        energy_oracle.random_energy_model(4, 5, 1, seed=3, scale=2),
    )
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
        "log_likelihood": energy_oracle.log_likelihood(model, x, y),
        "log_likelihood_inherited": energy_oracle.log_likelihood(of_mlp, x, y),
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
        model = energy_oracle.random_energy_model(4, 5, 1, seed=2, scale=scale)
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
