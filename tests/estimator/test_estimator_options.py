"""IsingClassifier: weights, parts, warm starts, early stopping, searches and scorers."""

import copy
import pickle
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score

import isingprop as ip
from helpers import tolerances
from isingprop.estimator.fitting import Samples
from isingprop.estimator.held_out_beta import beta_of_unseen
from isingprop.training.minibatches import random_order, weighted_rows

X, Y = load_digits(return_X_y=True)


def small(**options):
    return ip.IsingClassifier(20, **{"epochs": 2, "random_state": 0, **options})


def same(one, two):
    mine, others = one.network_.parameters(), two.network_.parameters()
    return all(tolerances.same_bits(mine[name], others[name]) for name in mine)


# Weights of images


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.999])
def test_images_come_as_often_as_their_weight_says_rounded_down_or_up(offset):
    weights = np.random.default_rng(0).random(1000) ** 4
    times = np.bincount(weighted_rows(weights, offset), minlength=1000)
    wanted = 1000 * weights / weights.sum()
    assert times.sum() == 1000
    assert (times >= np.floor(wanted) - tolerances.ENERGY).all()
    assert (abs(times - wanted) < 1).all()


def test_their_mean_number_of_times_is_exact():
    weights = np.array([0.0, 1.0, 2.0, 0.5, 7.0])
    offsets = (np.arange(1000) + 0.5) / 1000
    times = [np.bincount(weighted_rows(weights, each), minlength=5) for each in offsets]
    np.testing.assert_allclose(np.mean(times, axis=0), 5 * weights / 10.5, atol=2e-3)


@pytest.mark.parametrize("weight", [1.0, 0.1, 1e-300, 1e300])
def test_equal_weights_are_no_weights(weight):
    order = random_order(3, 2, 50)
    np.testing.assert_array_equal(random_order(3, 2, 50, np.full(50, weight)), order)


@pytest.mark.parametrize("num_states", [1, 2], ids=["one call of a kernel", "minibatches"])
def test_the_mean_epoch_is_that_of_repeated_images(num_states):
    """At rate 0, where errors are counted over images as often as they come."""
    images, labels = X[:40] / 16, Y[:40]
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=20, num_classes=10)
    sampler, zero = ip.ClassStates(network.readout), ip.LearningRates.of(0.0)
    weights = np.where(network.predict(images) == labels, 1, 0) + np.arange(40) % 2

    def mean_error(images, labels, weights, epochs):
        trainer = ip.Trainer(network, sampler, num_states=num_states, learning_rate=zero)
        records = [trainer.train_epoch(images, labels, weights=weights) for _ in range(epochs)]
        return np.mean([record.train_error_lowest for record in records])

    repeated = [np.repeat(array, weights, axis=0) for array in (images, labels)]
    expected, alone = mean_error(*repeated, None, 1), mean_error(images, labels, None, 1)
    assert abs(alone - expected) > 0.05
    assert abs(mean_error(images, labels, weights, 40) - expected) < 0.02


# Weights of samples


def test_a_weight_of_0_leaves_a_sample_out_and_equal_ones_change_nothing():
    weights = (np.arange(300) % 3 > 0).astype(float)
    whole = small().fit(X[:300], Y[:300], sample_weight=2 * weights)
    part = small().fit(X[:300][weights > 0], Y[:300][weights > 0])
    assert same(whole, part)
    assert whole.network_.beta == part.network_.beta


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [None, ip.Annealing(5)], ids=["class states", "sampled"])
def test_weights_of_classes_are_weights_of_their_samples(sampler):
    favoured = {label: 20.0 if label == 3 else 1.0 for label in range(10)}
    by_class = small(class_weight=favoured, sampler=sampler).fit(X[:300], Y[:300])
    by_sample = small(sampler=sampler).fit(X[:300], Y[:300], np.where(Y[:300] == 3, 20, 1))
    plain = small(sampler=sampler).fit(X[:300], Y[:300])
    assert same(by_class, by_sample)
    assert by_class.network_.beta == by_sample.network_.beta
    found, usual = (each.predict_proba(X[300:])[:, 3].mean() for each in (by_class, plain))
    assert found > usual


def test_balanced_classes_have_equal_weights_in_sum():
    rare = np.concatenate([np.flatnonzero(Y == 0)[:100], np.flatnonzero(Y == 1)[:20]])
    model = small(class_weight="balanced")
    *_, weights = model._weighed(X[rare], Y[rare], None)
    assert weights[:100].sum() == pytest.approx(weights[100:].sum())
    assert model.fit(X[rare], Y[rare]).score(X[rare], Y[rare]) > 0.9


def test_weighted_samples_count_in_beta_like_repeated_ones():
    random = np.random.default_rng(1)
    energies, labels = random.random((40, 3)), random.integers(3, size=40)
    energies[np.arange(40), labels] -= 0.4
    weights = np.tile([1.0, 2.0, 0.0, 1.0], 10)  # n of them in sum
    rows = np.repeat(np.arange(40), weights.astype(int))
    expected = beta_of_unseen(energies[rows], labels[rows])
    assert beta_of_unseen(energies, labels, weights) == expected


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(19), "sample_weight must have shape (20,), got (19,)"),
        (np.full(20, -1.0), "sample_weight must be at least 0 and not all zero, got -1 ... -1"),
        (np.zeros(20), "sample_weight must be at least 0 and not all zero, got 0 ... 0"),
        (np.full(20, np.nan), "sample_weight must be finite, got nan"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        small().fit(X[:20], Y[:20], sample_weight=weights)


# Parts


def in_parts(model, count=600, size=100, first=0):
    for k in range(first, count, size):
        model.partial_fit(X[k : k + size], Y[k : k + size], classes=range(10))
    return model


def test_parts_train_one_network():
    model = in_parts(small())
    assert len(model.history_) == 6
    assert model.score(X[600:], Y[600:]) > 0.5
    np.testing.assert_allclose(model.predict_proba(X[600:]).sum(axis=1), 1)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_with_the_same_bits(copied):
    first = in_parts(small(), 200)
    second = copied(first)
    for model in (first, second):
        in_parts(model, 400, first=200)
    assert same(first, second)
    assert first.network_.beta == second.network_.beta


def test_parts_go_on_with_a_fitted_network():
    model = small().fit(X[:300], Y[:300])
    before = copy.deepcopy(model)
    scaling = model._scaling
    model.partial_fit(X[300:400], Y[300:400])
    assert model._scaling is scaling
    assert len(model.history_) == 1
    assert not same(model, before)
    assert small().fit(X[:300], Y[:300]).predict(X).tolist() == before.predict(X).tolist()


def test_beta_is_that_of_energies_before_training_on_them(monkeypatch):
    asked, model = [], in_parts(small(), 100)
    before = copy.deepcopy(model.network_)

    def fit(energies, labels, weights):
        asked.append((energies.copy(), labels.copy()))
        return 0.25

    monkeypatch.setattr("isingprop.estimator.fitting.beta_of_unseen", fit)
    in_parts(model, 200, first=100)
    ((energies, labels),) = asked
    np.testing.assert_array_equal(energies, before.class_energies(model._pixels(X[100:200])))
    np.testing.assert_array_equal(labels, Y[100:200])
    assert model.network_.beta == 0.25


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: small().partial_fit(X[:9], Y[:9]), "classes must be passed on the first call"),
        (
            lambda: small().partial_fit(X[:20], Y[:20], classes=[0, 1]),
            r"y must hold labels of \[0 1\], got 2",
        ),
        (lambda: small().partial_fit(X[:9], Y[:9] * 0, [0]), r"classes must be at least 2, got"),
        (
            lambda: in_parts(small(), 100).partial_fit(X[:9], Y[:9], [0, 1]),
            r"classes must be \[0 1 2 3 4 5 6 7 8 9\] as before, got \[0, 1\]",
        ),
        (
            lambda: small(class_weight="balanced").partial_fit(X[:9], Y[:9], range(10)),
            "class_weight must be None or by class in partial_fit, got 'balanced'",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(fit, message):
    with pytest.raises(ValueError, match=message):
        fit()


# Warm starts


@pytest.mark.slow
def test_a_warm_start_goes_on_where_a_fit_ended():
    model = small(warm_start=True, epochs=3).fit(X[:600], Y[:600])
    first = model.score(X[600:], Y[600:])
    network = model.network_
    second = model.fit(X[:600], Y[:600]).score(X[600:], Y[600:])
    assert model.network_ is not network, "the network of the first fit is left as it was"
    assert second > first
    cold = small(epochs=3).fit(X[:600], Y[:600])
    assert same(cold.fit(X[:600], Y[:600]), small(epochs=3).fit(X[:600], Y[:600]))


def test_a_warm_start_needs_the_classes_of_before():
    model = small(warm_start=True).fit(X[:300], Y[:300])
    kept = Y[:300] < 5
    with pytest.raises(ValueError, match=r"y must hold \[0 1 2 3 4 5 6 7 8 9\] with warm_start"):
        model.fit(X[:300][kept], Y[:300][kept])


# Early stopping


def test_the_best_network_is_kept_and_training_ends():
    model = small(epochs=200, early_stopping=True, n_iter_no_change=3).fit(X[:500], Y[:500])
    scores, best = model.validation_scores_, model.best_epoch_
    assert len(scores) == len(model.history_) == best + 3 < 200
    assert scores[best - 1] == max(scores)
    assert scores.index(max(scores)) == best - 1

    samples = Samples(model._pixels(X[:500]), Y[:500], None)
    own, held = samples.split(0.1, model._seed)
    assert (len(own.labels), len(held.labels)) == (450, 50)
    assert abs(np.bincount(held.labels) - 5).max() <= 1
    assert (model.network_.predict(held.pixels) == held.labels).mean() == max(scores)
    energies = model.network_.class_energies(held.pixels)
    assert model.network_.beta == beta_of_unseen(energies, held.labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_fraction": 0.0}, "validation_fraction must be finite and above 0"),
        ({"validation_fraction": 1.0}, "validation_fraction must be finite and "),
        ({"n_iter_no_change": 0}, "n_iter_no_change must be at least 1, got 0"),
    ],
)
def test_early_stopping_checks_its_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        small(early_stopping=True, **options).fit(X[:100], Y[:100])


# Searches and scorers


def test_a_search_tries_parameters_of_the_sampler():
    model = small(sampler=ip.Annealing(5), epochs=1)
    search = GridSearchCV(model, {"sampler__num_sweeps": [3, 10]}, cv=2, error_score="raise")
    search.fit(X[:100], Y[:100])
    assert search.best_params_["sampler__num_sweeps"] in (3, 10)
    assert model.sampler.num_sweeps == 5


@pytest.mark.parametrize("sampler", [None, "anneal"])
def test_parameters_of_no_sampler_are_refused_with_advice(sampler):
    message = (
        "sampler must be one with set_params(), such as isingprop.Annealing(), for "
        f"sampler__num_sweeps, got {sampler!r}"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        small().set_params(sampler=sampler, sampler__num_sweeps=10)
    assert small().set_params(sampler=ip.Annealing(), sampler__num_sweeps=10).sampler == (
        ip.Annealing(num_sweeps=10)
    )


@pytest.mark.slow
@pytest.mark.parametrize("scoring", ["roc_auc_ovr", "neg_log_loss"])
def test_scorers_of_probabilities_work(scoring):
    scores = cross_val_score(small(epochs=4), X[:400], Y[:400], scoring=scoring, cv=2)
    chance = {"roc_auc_ovr": 0.5, "neg_log_loss": -np.log(10)}[scoring]
    assert (scores > chance + 0.3).all()


def test_verbose_shows_progress(capsys):
    small().fit(X[:100], Y[:100])
    assert capsys.readouterr() == ("", "")
    small(verbose=1).fit(X[:100], Y[:100])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("epoch 1/2: training error ")
    assert lines[-1].startswith("halves: epoch 2/2: training error ")
    assert len(lines) <= 10
