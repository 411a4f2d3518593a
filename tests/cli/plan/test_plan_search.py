"""The search for the best plan, on prices and learning curves that are made up."""

import numpy as np
import pytest

from isingprop.cli.qpu_commands.plan.learning_curves import Curves, reference_of
from isingprop.cli.qpu_commands.plan.plan_search import (
    Choice,
    Expected,
    Levels,
    affordable,
    ranked,
)

LEVELS = Levels((400, 200, 100), (1, 2, 4, 8), (3, 6), (1, 10), (5.0, 100.0))


def price(num_images, batch_size, num_states, annealing_time):
    """A call takes 10 ms to program, and its reads 1 us more than their anneals."""
    calls = -(-num_images // batch_size) * (batch_size // 3)
    return calls, calls * (0.01 + 1e-6 * num_states * (annealing_time + 1))


def made_up(seed):
    """Errors without any order, one for each choice."""
    random = np.random.default_rng(seed)
    return {choice: random.random() for choice in LEVELS.choices()}


def brute_force(errors, budget):
    """(error, seconds) of the best choice that the budget pays for, by loops of its own."""
    best = (np.inf, np.inf)
    for images in (400, 200, 100):
        for epochs in (1, 2, 4, 8):
            if epochs > 2 and images != 400:
                continue
            for batch in (3, 6):
                for states in (1, 10):
                    for time in (5.0, 100.0):
                        cost = epochs * price(images, batch, states, time)[1]
                        error = errors[Choice(images, epochs, batch, states, time)]
                        if cost <= budget:
                            best = min(best, (error, cost))
    return best


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("budget", [0.4, 1.5, 4.0, 100.0])
def test_the_first_plan_is_that_of_brute_force(seed, budget):
    errors = made_up(seed)
    plans = ranked(affordable(LEVELS, price, budget), lambda choice: Expected(errors[choice], 0.0))
    assert (plans[0].expected.error, plans[0].seconds) == brute_force(errors, budget)
    assert [plan.expected.error for plan in plans] == sorted(plan.expected.error for plan in plans)


def test_plans_keep_to_the_budget_and_have_the_price_of_their_epochs():
    for budget in (0.4, 1.5, 4.0):
        priced = affordable(LEVELS, price, budget)
        for each in priced:
            images, epochs, *rest = each.choice
            calls, seconds = price(images, *rest)
            assert (each.calls, each.seconds) == (epochs * calls, epochs * seconds)
            assert each.seconds <= budget
        left_out = set(LEVELS.choices()) - {each.choice for each in priced}
        assert all(c.epochs * price(c.num_images, *c[2:])[1] > budget for c in left_out)


def test_of_equal_errors_the_cheaper_plan_comes_first():
    plans = ranked(affordable(LEVELS, price, 100.0), lambda choice: Expected(0.1, 0.0))
    assert plans[0].seconds == min(plan.seconds for plan in plans)


@pytest.mark.parametrize("seed", range(20))
def test_more_time_is_never_expected_to_end_worse(seed):
    errors = made_up(seed)
    best = [
        ranked(affordable(LEVELS, price, budget), lambda choice: Expected(errors[choice], 0.0))[0]
        for budget in np.geomspace(0.4, 50, 30)
    ]
    found = [plan.expected.error for plan in best]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("target", [0.02, 0.1, 0.5])
def test_the_cheapest_plan_that_reaches_a_target_is_that_of_brute_force(target):
    errors = made_up(3)
    priced = affordable(LEVELS, price, 4.0)
    plans = ranked(priced, lambda choice: Expected(errors[choice], 0.0), target)
    costs = [each.seconds for each in priced if errors[each.choice] <= target]
    assert [plan.seconds for plan in plans] == sorted(costs)
    assert len(costs) < len(priced)


def test_a_target_that_nothing_reaches_leaves_no_plan():
    assert ranked(affordable(LEVELS, price, 4.0), lambda choice: Expected(0.1, 0.0), 0.05) == []


REFERENCE = Choice(200, 2, 3, 10, 5.0)
BATCH, STATES, TIME = {3: 1.0, 6: 1.5}, {1: 2.0, 10: 1.0}, {5.0: 1.0, 100.0: 0.5}


def curves(spread=0.0, num_test=10**9):
    """Curves of errors 8 / images / epochs times factors, with a spread over four seeds."""
    seeds = 1 + spread * np.array([-1.0, 1.0, -1.0, 1.0])
    at = 8 / (REFERENCE.num_images * REFERENCE.epochs)
    lengths = {(n, e): 8 / (n * e) * seeds for n in LEVELS.num_images for e in LEVELS.epochs}
    rates = dict.fromkeys(BATCH, 0.003)
    factors = [{k: at * f * seeds for k, f in each.items()} for each in (BATCH, STATES, TIME)]
    return Curves(REFERENCE, num_test, rates, lengths, *factors)


def test_errors_that_are_products_are_expected_as_they_are():
    made = curves()
    for choice in LEVELS.choices():
        images, epochs, batch, states, time = choice
        error = 8 / (images * epochs) * BATCH[batch] * STATES[states] * TIME[time]
        expected = made.expected(choice)
        assert expected.error == pytest.approx(error)
        assert expected.standard_error == pytest.approx(np.sqrt(error * (1 - error) / 1e9))


def test_the_standard_error_is_that_of_seeds_and_of_test_images():
    """Seeds that are worse everywhere do not blur the factors, whose seeds are the same."""
    error = 8 / 400
    over_seeds = 0.1 * error * np.sqrt(4 / 3) / 2
    few = curves(0.1, num_test=400).expected(Choice(400, 1, 3, 10, 5.0))
    binomial = error * (1 - error) / 400
    assert few.standard_error == pytest.approx(np.sqrt(over_seeds**2 + binomial))
    many = curves(0.1).expected(Choice(400, 1, 3, 1, 5.0))
    assert many.standard_error == pytest.approx(over_seeds, rel=0.1)


def test_factors_that_differ_between_seeds_add_to_the_standard_error():
    made = curves()
    made.num_states[1] = made.num_states[1] * np.array([0.5, 1.5, 0.5, 1.5])
    expected = made.expected(Choice(400, 1, 3, 1, 5.0))
    assert expected.error == pytest.approx(2 * 8 / 400)
    assert expected.standard_error == pytest.approx(expected.error * 0.5 * np.sqrt(4 / 3) / 2)


def test_no_expected_error_is_above_one_or_divided_by_zero():
    made = curves()
    made.num_states[1] = np.ones(4)
    assert made.expected(Choice(100, 1, 6, 1, 5.0)).error == 1.0
    made.num_states[10] = np.zeros(4)
    assert np.isfinite(made.expected(Choice(100, 1, 6, 1, 5.0))).all()


def test_the_reference_does_not_depend_on_the_budget():
    many = Levels((6000, 3000, 1500, 750), (1,), (4, 8), (1, 10), (5.0, 20.0, 100.0))
    assert reference_of(many, 20.0) == Choice(750, 3, 4, 10, 20.0)
    few = Levels((5000,), (1,), (4, 8), (1, 10), (100.0,))
    assert reference_of(few, 20.0) == Choice(5000, 3, 4, 10, 100.0)
