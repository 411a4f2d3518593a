"""Tests of exponents: exact power laws, the likelihood they maximise, and how far intervals can
be trusted.
"""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import sem, ttest_1samp
from scipy.stats import t as student

from helpers import tolerances
from isingprop.analysis.scaling import (
    Interval,
    PowerLaw,
    fit_power_law,
    mean_interval,
    standard_error,
)

# What the fit stops at: of its exponent and of the logarithm of its prefactor.
FIT = 1e-6

# A few roundings of double precision.
ROUNDING = 1e-12


WINDOWS = {
    "the first decade": np.arange(1, 11),
    "100 epochs": np.arange(1, 101),
    "a late window": np.arange(10, 101),
    "two epochs": np.array([3, 4]),
    "not in order": np.array([40.0, 2.0, 9.0, 0.5]),
}


def by_likelihood(epochs, errors):
    """(z, A) of the largest Poisson likelihood, by a general optimiser with its gradient."""
    x, scale = np.log(epochs), errors.max()
    y = errors / scale

    def loss(parameters):
        mu = np.exp(parameters[0] - parameters[1] * x)
        slope = mu - y
        return (mu - y * np.log(mu)).sum(), np.array([slope.sum(), -(slope * x).sum()])

    found = minimize(loss, [0.0, 0.0], jac=True, method="BFGS", options={"gtol": 1e-9})
    assert np.abs(found.jac).max() < FIT, found.message
    return found.x[1], scale * np.exp(found.x[0])


def by_logarithms(epochs, errors):
    """What must not be done: least squares of the logarithms, without the errors of 0, which have
    none.
    """
    seen = errors > 0
    return -np.polyfit(np.log(epochs[seen]), np.log(errors[seen]), 1)[0]


def counted(z, prefactor, num_epochs, num_images, repetitions, seed=0):
    """Errors in which each of the images is wrong with the chance that the law says."""
    epochs = np.arange(1, num_epochs + 1)
    chance = np.minimum(prefactor * epochs**-z, 1)
    return epochs, np.random.default_rng(seed).binomial(
        num_images, chance, (repetitions, num_epochs)
    ) / num_images


@pytest.mark.parametrize("prefactor", [0.9, 0.03, 1e-4])
@pytest.mark.parametrize("z", [-0.2, 0.0, 0.56, 1.01, 2.5])
@pytest.mark.parametrize("window", WINDOWS)
def test_an_exact_power_law_is_recovered(window, z, prefactor):
    epochs = WINDOWS[window]
    errors = prefactor * epochs.astype(float) ** -z
    errors /= max(1, errors.max())
    law = fit_power_law(epochs, errors)
    assert abs(law.exponent - z) < FIT
    assert abs(np.log(law.prefactor / (errors * epochs.astype(float) ** z)[0])) < FIT


def test_the_prefactor_is_the_error_at_epoch_1():
    assert fit_power_law([2, 4, 8], [0.4, 0.2, 0.1]) == pytest.approx(PowerLaw(1.0, 0.8), abs=FIT)


@pytest.mark.parametrize(
    ("z", "prefactor", "num_images"), [(0.64, 0.5, 1000), (1.01, 0.4, 1000), (1.5, 0.3, 300)]
)
def test_a_noisy_curve_with_zeros_has_the_largest_likelihood(z, prefactor, num_images):
    epochs, curves = counted(z, prefactor, 100, num_images, 10)
    assert (curves == 0).any() or num_images * prefactor * 100**-z > 10
    for errors in curves:
        law, twin = fit_power_law(epochs, errors), by_likelihood(epochs, errors)
        assert law == pytest.approx(twin, abs=10 * FIT)


def test_of_two_nonzero_errors_among_zeros_the_likelihood_is_the_largest_too():
    errors = np.zeros(50)
    errors[[0, 4]] = 0.3, 0.002
    epochs = np.arange(1, 51)
    assert fit_power_law(epochs, errors) == pytest.approx(
        by_likelihood(epochs, errors), abs=10 * FIT
    )


def test_an_error_of_0_counts_where_least_squares_of_logarithms_leaves_it_out():
    """200 curves of 300 images each, z = 1.3: a tenth of a wrong image in the last epochs."""
    z = 1.3
    epochs, curves = counted(z, 0.1, 100, 300, 200)
    assert (curves[:, -30:] == 0).mean() > 0.8
    fitted = np.array(
        [[fit_power_law(epochs, each).exponent, by_logarithms(epochs, each)] for each in curves]
    )
    # The estimate's own bias is of the order of its variance, 0.005, which is one standard error of
    # this mean.
    score = (fitted.mean(axis=0) - z) / (fitted.std(axis=0) / np.sqrt(len(curves)))
    assert abs(score[0]) < tolerances.SIGMAS
    assert score[1] < -4 * tolerances.SIGMAS


def test_scale_and_order_do_not_change_the_exponent():
    epochs, (errors,) = counted(0.8, 0.5, 30, 200, 1)
    law = fit_power_law(epochs, errors)
    shuffled = np.random.default_rng(0).permutation(30)
    assert fit_power_law(epochs[shuffled], errors[shuffled]).exponent == pytest.approx(
        law.exponent, abs=FIT
    )
    tenth = fit_power_law(epochs, errors / 1000)
    assert tenth == pytest.approx(PowerLaw(law.exponent, law.prefactor / 1000), rel=FIT)
    slower = fit_power_law(10 * epochs, errors)
    assert slower == pytest.approx(
        PowerLaw(law.exponent, law.prefactor * 10**law.exponent), rel=FIT
    )


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("count", [2, 3, 5, 30])
def test_mean_and_interval_are_scipys(count, confidence):
    values = np.random.default_rng(count).normal(3, 2, count)
    found = mean_interval(values, confidence)
    theirs = student.interval(confidence, count - 1, values.mean(), sem(values))
    assert found == pytest.approx((values.mean(), *theirs), rel=ROUNDING)
    low, high = ttest_1samp(values, 0).confidence_interval(confidence)
    assert found[1:] == pytest.approx((low, high), rel=ROUNDING)
    assert standard_error(values) == pytest.approx(sem(values), rel=ROUNDING)
    assert mean_interval(values) == mean_interval(values.tolist(), 0.95)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 5])
def test_a_95_percent_interval_holds_the_truth_19_times_in_20(count):
    """By a binomial z-score, which the normal's 1.96 in place of Student's t fails."""
    repetitions = 2000
    samples = np.random.default_rng(7).normal(1.0, 0.5, (repetitions, count))
    intervals = np.array([mean_interval(each) for each in samples])
    sigma = np.sqrt(repetitions * 0.95 * 0.05)

    def score(low, high):
        return (((low <= 1) & (high >= 1)).sum() - 0.95 * repetitions) / sigma

    assert abs(score(intervals[:, 1], intervals[:, 2])) < tolerances.SIGMAS
    half = 1.96 * samples.std(axis=1, ddof=1) / np.sqrt(count)
    assert score(intervals[:, 0] - half, intervals[:, 0] + half) < -tolerances.SIGMAS


def test_one_value_says_nothing_of_the_spread():
    found = mean_interval([0.25])
    assert isinstance(found, Interval)
    assert found.mean == 0.25
    assert np.isnan([found.low, found.high, standard_error([0.25])]).all()


def test_equal_values_have_no_spread():
    assert mean_interval([0.25] * 4) == Interval(0.25, 0.25, 0.25)
    assert standard_error([0.25] * 4) == 0


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (
            lambda: fit_power_law([1, 2], "x"),
            "TypeError: errors must be an array of real numbers, got dtype <U1",
        ),
        (
            lambda: fit_power_law("x", [0.5, 0.2]),
            "TypeError: epochs must be an array of real numbers, got dtype <U1",
        ),
        (lambda: fit_power_law([], []), "ValueError: epochs must have shape (n,), got (0,)"),
        (
            lambda: fit_power_law([1, 2], [[0.5, 0.2]]),
            "ValueError: errors must have shape (2,), got (1, 2)",
        ),
        (
            lambda: fit_power_law([1, 2, 3], [0.5, 0.2]),
            "ValueError: errors must have shape (3,), got (2,)",
        ),
        (lambda: fit_power_law([0, 1], [0.5, 0.2]), "ValueError: epochs must be above 0, got 0.0"),
        (
            lambda: fit_power_law([1, np.inf], [0.5, 0.2]),
            "ValueError: epochs must be finite, got inf at index (1,)",
        ),
        (
            lambda: fit_power_law([1, 2], [0.5, np.nan]),
            "ValueError: errors must be finite, got nan at index (1,)",
        ),
        (
            lambda: fit_power_law([1, 2], [0.5, 1.5]),
            "ValueError: errors must be in [0, 1], got 0.5 to 1.5",
        ),
        (
            lambda: fit_power_law([1, 2], [-0.5, 0.5]),
            "ValueError: errors must be in [0, 1], got -0.5 to 0.5",
        ),
        (
            lambda: fit_power_law([1, 2, 3], [0.5, 0, 0]),
            "ValueError: errors must be above 0 at two epochs at least, got [0.5]",
        ),
        (
            lambda: fit_power_law([1, 1, 3], [0.5, 0.4, 0]),
            "ValueError: errors must be above 0 at two epochs at least, got [0.5 0.4]",
        ),
        (
            lambda: fit_power_law([1, 2], [0, 0]),
            "ValueError: errors must be above 0 at two epochs at least, got []",
        ),
        # Of two bad arguments the first is named.
        (lambda: fit_power_law([0, 1], [0.5, 1.5]), "ValueError: epochs must be above 0, got 0.0"),
        (lambda: fit_power_law([[1]], "x"), "ValueError: epochs must have shape (n,), got (1, 1)"),
        (lambda: mean_interval([]), "ValueError: values must have shape (n,), got (0,)"),
        (
            lambda: mean_interval([1, np.inf]),
            "ValueError: values must be finite, got inf at index (1,)",
        ),
        (
            lambda: mean_interval([True]),
            "TypeError: values must be an array of real numbers, got dtype bool",
        ),
        (lambda: mean_interval([1, 2], 1.0), "ValueError: confidence must be below 1, got 1.0"),
        (
            lambda: mean_interval([1, 2], 0),
            "ValueError: confidence must be finite and above 0, got 0.0",
        ),
        (lambda: mean_interval([1, 2], "x"), "TypeError: confidence must be a number, got 'x'"),
        (lambda: mean_interval([], 2), "ValueError: values must have shape (n,), got (0,)"),
        (lambda: standard_error(3.0), "ValueError: values must have shape (n,), got ()"),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)
