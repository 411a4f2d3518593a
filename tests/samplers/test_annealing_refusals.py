"""What the annealer refuses."""

import numpy as np
import pytest

from helpers import oracle
from isingprop import Annealing

GOOD = oracle.random_problem(2, 1, num_problems=3)

INF = float("inf")

UP, TWO = np.ones((1, 1, 3), np.int8), np.ones((2, 1, 3), np.int8)


def sample(*arguments, **options):
    return Annealing().sample(GOOD, *arguments, **options)


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: Annealing(0), "ValueError: num_sweeps must be at least 1, got 0"),
        (lambda: Annealing(1.5), "TypeError: num_sweeps must be an integer, got 1.5"),
        (
            lambda: Annealing(1, 3),
            "ValueError: beta_range must be two numbers (first, last), got 3",
        ),
        (
            lambda: Annealing(1, (1, 2, 3)),
            "ValueError: beta_range must be two numbers (first, last), got (",
        ),
        (
            lambda: Annealing(1, (-1, 1)),
            "ValueError: beta_range[0] must be finite and at least 0, got -1.0",
        ),
        (
            lambda: Annealing(1, (1, INF)),
            "ValueError: beta_range[1] must be finite and at least 0, got inf",
        ),
        (lambda: Annealing(1, (1, "2")), "TypeError: beta_range[1] must be a number, got '2'"),
        (
            lambda: Annealing(1, (0, 1)),
            "ValueError: beta_range must be positive for a geometric schedule, ",
        ),
        (lambda: Annealing(num_threads=0), "ValueError: num_threads must be at least 1, got 0"),
        (
            lambda: Annealing(num_threads=9999),
            "ValueError: num_threads must be at most 1024, got 9999",
        ),
        (lambda: Annealing(descend=1), "TypeError: descend must be True or False, got 1"),
        (lambda: Annealing().sample("J"), "TypeError: problem must be an IsingProblem, got str"),
        (lambda: sample(0), "ValueError: num_reads must be at least 1, got 0"),
        (lambda: sample(2.0), "TypeError: num_reads must be an integer, got 2.0"),
        (lambda: sample(2**63), "ValueError: num_reads must be at most"),
        (lambda: sample(seed=-1), "ValueError: seed must be at least 0, got -1"),
        (lambda: sample(seed=2**64), f"ValueError: seed must be at most {2**64 - 1}, got {2**64}"),
        (lambda: sample(seed=0.5), "TypeError: seed must be an integer, got 0.5"),
        (
            lambda: sample(initial=UP * 1.0),
            "TypeError: initial must be int8 spins, got dtype float64",
        ),
        (
            lambda: sample(initial=UP[0]),
            "ValueError: initial must have shape (3, 1, 3), got (1, 3)",
        ),
        (
            lambda: sample(initial=TWO),
            "ValueError: initial must have shape (3, 1, 3), got (2, 1, 3)",
        ),
        (
            lambda: sample(4, initial=TWO.swapaxes(0, 1)),
            "ValueError: initial must have shape (1, 4, 3), got",
        ),
        (
            lambda: sample(initial=UP[..., :2]),
            "ValueError: initial must have shape (1, 1, 3), got (1, 1, 2)",
        ),
        (
            lambda: sample(initial=0 * UP),
            "ValueError: initial must be -1 or +1, got 0 at flat index 0",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


@pytest.mark.parametrize("name", ["couplings", "hidden_fields", "output_fields"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_arrays_that_went_bad_after_the_problem_was_made_are_refused(name, value):
    """As after a diverged update: a network's problem shares its couplings."""
    problem = oracle.random_problem(3, 2)
    getattr(problem, name)[0, -1] = value
    with pytest.raises(ValueError, match=r"(couplings|fields) must be finite"):
        Annealing().sample(problem, seed=0)
