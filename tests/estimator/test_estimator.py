"""IsingClassifier: scikit-learn's own checks, and that it learns."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

import isingprop as ip
from helpers import tolerances
from isingprop.data.feature_ranges import ranges_without_outliers
from isingprop.estimator import held_out_beta
from isingprop.network.calibration import calibration_error

# scikit-learn itself skips checks that need pandas or an array API where they are not installed.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "the order of samples and the number of updates differ: weights equal repeated samples in "
        "the mean of each update only"
    )
}


def expected(estimator):
    return EXPECTED


@pytest.mark.slow
@parametrize_with_checks(
    [ip.IsingClassifier(random_state=0)], expected_failed_checks=expected, xfail_strict=True
)
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [ip.IsingClassifier(num_states=1, random_state=0)], expected_failed_checks=expected
)
def test_scikit_learn_conventions_with_one_state(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_learns_digits_and_names_classes_as_given():
    X, y = load_digits(return_X_y=True)
    names = np.array([f"digit {label}" for label in y])
    model = ip.IsingClassifier(epochs=8, random_state=1).fit(X[:1400], names[:1400])
    assert model.score(X[1400:], names[1400:]) > 0.88
    assert len(model.history_) == 8
    assert set(model.predict(X[:50])) <= set(names)


@pytest.mark.slow
def test_a_white_background_is_learned_like_a_black_one():
    X, y = load_digits(return_X_y=True)
    dark, white = (
        ip.IsingClassifier(epochs=8, random_state=1).fit(pixels[:1400], y[:1400])
        for pixels in (X, 16 - X)
    )
    assert white.score(16 - X[1400:], y[1400:]) > dark.score(X[1400:], y[1400:]) - 0.02


def test_same_random_state_same_predictions():
    X, y = load_digits(return_X_y=True)
    fits = [
        ip.IsingClassifier(num_hidden=20, epochs=1, random_state=3).fit(X[:100], y[:100])
        for _ in range(2)
    ]
    assert np.array_equal(fits[0].predict(X[100:200]), fits[1].predict(X[100:200]))
    assert np.array_equal(fits[0].network_.couplings, fits[1].network_.couplings)


def spread_samples(num_classes, *, seed=0):
    """Samples whose class shows in one feature each, with noise."""
    random = np.random.default_rng(seed)
    y = random.integers(num_classes, size=120)
    return random.normal(size=(120, 6)) + 3 * (np.arange(6) == y[:, None]), y


@pytest.mark.parametrize("num_classes", [2, 3, 5])
def test_predictions_decisions_and_probabilities_agree(num_classes):
    X, y = spread_samples(num_classes)
    model = ip.IsingClassifier(20, epochs=3, random_state=0).fit(X[:80], y[:80])
    decisions, classes = model.decision_function(X), model.predict(X)
    probabilities = model.predict_proba(X)

    assert probabilities.shape == (120, num_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=tolerances.PROBABILITY)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), classes)
    energies = model.network_.class_energies(model._pixels(X))
    if num_classes == 2:
        np.testing.assert_array_equal(decisions, energies[:, 0] - energies[:, 1])
        np.testing.assert_array_equal(decisions > 0, classes == 1)
    else:
        np.testing.assert_array_equal(decisions, -energies)
        np.testing.assert_array_equal(decisions.argmax(axis=1), classes)
    assert tolerances.same_bits(
        probabilities, model.network_.predict_proba(model._pixels(X), model.network_.beta)
    )


def test_beta_comes_from_samples_that_its_network_was_not_trained_on(monkeypatch):
    """Two networks of half the samples each; the energies are those of the other half."""
    trained, fitted = [], {}

    def make(self, samples, *arguments):
        trainer = make_before(self, samples, *arguments)
        trained.append((trainer.network, samples.pixels))
        return trainer

    def fit(energies, labels, **options):
        fitted.update(energies=energies, labels=labels, options=options)
        return 0.25

    make_before = ip.IsingClassifier._trainer
    monkeypatch.setattr(ip.IsingClassifier, "_trainer", make)
    monkeypatch.setattr(held_out_beta, "likeliest_beta", fit)
    X, y = spread_samples(3)
    model = ip.IsingClassifier(10, epochs=1, random_state=0).fit(X, y)

    assert model.network_.beta == 0.25
    assert fitted["options"] == {"prior": 1.0}
    np.testing.assert_array_equal(fitted["labels"], y)
    (whole, all_pixels), *halves = trained
    assert model.network_ is whole
    assert [len(pixels) for _, pixels in trained] == [120, 60, 60]
    for network, pixels in halves:
        seen = (all_pixels[:, None] == pixels).all(axis=2).any(axis=1)
        assert seen.sum() == 60
        assert abs(np.bincount(y[seen]) - np.bincount(y) / 2).max() <= 1
        np.testing.assert_array_equal(
            fitted["energies"][~seen], network.class_energies(all_pixels[~seen])
        )


@pytest.mark.parametrize("num_samples", [2, 3, 40])
def test_labels_that_nothing_tells_have_nearly_equal_probabilities(num_samples):
    """Of equal samples, each half expects the labels that the other one has fewer of."""
    X, y = np.ones((num_samples, 2)), np.arange(num_samples) % 2
    model = ip.IsingClassifier(5, epochs=2, random_state=0).fit(X, y)
    assert np.isfinite(model.network_.beta)
    probabilities = model.predict_proba(X)
    assert (abs(probabilities - 0.5) < 0.25).all()
    np.testing.assert_array_equal(probabilities.argmax(axis=1), model.predict(X))


# The measured errors are 0.03, 0.05 and 0.02 (medians of three to five splits).
@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "most"), [(load_breast_cancer, 0.07), (load_wine, 0.09), (load_digits, 0.03)]
)
def test_probabilities_are_calibrated(load, most):
    X, y = load(return_X_y=True)
    X, test_X, y, test_y = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    model = ip.IsingClassifier(random_state=0).fit(X, y)
    assert calibration_error(model.predict_proba(test_X), test_y) < most


def test_an_estimator_that_is_not_fitted_says_so():
    for name in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(ip.IsingClassifier(), name)(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_hidden": 0}, "num_hidden must be at least 1, got 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"num_states": 0}, "num_states must be at least 1, got 0"),
        ({"learning_rate": -1.0}, "learning_rate must be finite and above 0, got -1.0"),
    ],
)
def test_refuses_bad_arguments_in_fit(arguments, message):
    X, y = load_digits(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        ip.IsingClassifier(random_state=0, **arguments).fit(X[:20], y[:20])


TABLES = {
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "iris": load_iris,
    "digits": load_digits,
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("count", [20, 100, None])
def test_all_values_of_ordinary_tables_count_for_their_ranges(table, count):
    X, _ = TABLES[table](return_X_y=True)
    X = X[np.random.default_rng(0).permutation(len(X))[:count]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lowest, highest = ranges_without_outliers(X)
    np.testing.assert_array_equal(lowest, X.min(axis=0))
    np.testing.assert_array_equal(highest, X.max(axis=0))


def test_a_few_bright_pixels_at_the_edge_of_images_are_no_outliers():
    X = np.zeros((1000, 1))
    X[:60] = 1 / 255
    X[0] = 1.0
    assert ranges_without_outliers(X)[1] == 1.0


@pytest.mark.parametrize("size", [1e3, -1e3, 1e300])
def test_outliers_do_not_count_and_are_told(size):
    X, _ = load_wine(return_X_y=True)
    spoilt = X.copy()
    spoilt[[3, 7]] *= size
    others = np.delete(X, [3, 7], axis=0)
    message = (
        f"X should be without outliers, got some in 2 of 178 samples, in features 0, 1, 2, 3, 4, "
        f"...: such as {spoilt[3, 0]:g} in sample 3, feature 0, whose other values are in "
        f"[{others[:, 0].min():g}, {others[:, 0].max():g}]"
    )
    with pytest.warns(UserWarning, match=re.escape(message)):
        lowest, highest = ranges_without_outliers(spoilt)
    np.testing.assert_array_equal(lowest, others.min(axis=0))
    np.testing.assert_array_equal(highest, others.max(axis=0))


def test_the_first_values_beyond_twenty_times_nine_tenths_are_outliers():
    X = np.arange(-50.0, 51.0)[:, None]  # nine tenths are within 45 of the median
    for last, is_outlier in ((900.0, False), (901.0, True)):
        X[-1] = last
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _, highest = ranges_without_outliers(X)
        assert (highest[0], len(caught)) == ((49.0, 1) if is_outlier else (last, 0))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 5])
def test_outliers_do_not_spoil_the_accuracy(rows):
    """Without their clipping it is 0.39, the share of the largest class."""
    X, y = load_wine(return_X_y=True)
    X, test_X, y, test_y = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    X[np.random.default_rng(0).choice(len(X), rows, replace=False)] *= 1000
    with pytest.warns(UserWarning, match=f"got some in {rows} of 124 samples"):
        model = ip.IsingClassifier(random_state=0).fit(X, y)
    assert model.score(test_X, test_y) > 0.9
