"""IsingClassifier: scikit-learn's own checks, and that it learns."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

import isingprop as ip
from isingprop.training.feature_ranges import ranges_without_outliers


# No check is expected to fail. scikit-learn itself skips two: the array API one (it needs an extra
# package) and the one for pandas columns where pandas is not installed.
@pytest.mark.slow
@parametrize_with_checks([ip.IsingClassifier(random_state=0)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([ip.IsingClassifier(num_states=1, random_state=0)])
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


def test_same_random_state_same_predictions():
    X, y = load_digits(return_X_y=True)
    fits = [
        ip.IsingClassifier(num_hidden=20, epochs=1, random_state=3).fit(X[:100], y[:100])
        for _ in range(2)
    ]
    assert np.array_equal(fits[0].predict(X[100:200]), fits[1].predict(X[100:200]))
    assert np.array_equal(fits[0].network_.couplings, fits[1].network_.couplings)


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
