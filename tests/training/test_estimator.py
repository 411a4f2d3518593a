"""IsingClassifier: scikit-learn's own checks, and that it learns."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

import isingprop as ip


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
