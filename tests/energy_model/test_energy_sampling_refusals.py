"""What sampling of energy-based models refuses."""

import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler

from helpers.training.energy_samplers import case
from isingprop import Annealing, States
from isingprop.energy_model.model import GIBBS

# Refusals

MODEL, X, Y = case()


class Nameless:
    """No sampler."""


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda: MODEL.problem(X[:, :2]), "ValueError: x must have shape (n, 4), got (4, 2)"),
        (
            lambda: MODEL.problem(X * np.nan),
            "ValueError: x must be finite, got nan at index (0, 0)",
        ),
        (
            lambda: MODEL.problem(X, beta_effective=0),
            "ValueError: beta_effective must be finite and above 0, got 0.0",
        ),
        (
            lambda: MODEL.problem(X, beta_effective=-1),
            "ValueError: beta_effective must be finite and above 0, got -1",
        ),
        (
            lambda: MODEL.problem(X, beta_effective="1"),
            "TypeError: beta_effective must be a number, got '1'",
        ),
        (
            lambda: MODEL.problem(X, beta_effective=np.nan),
            "ValueError: beta_effective must be finite and above 0, got",
        ),
        (
            lambda: MODEL.problem(X, streams=[1]),
            "ValueError: streams must have shape (4,), got (1,)",
        ),
        (lambda: MODEL.sample(X[0]), "ValueError: x must have shape (n, 4), got (4,)"),
        (
            lambda: MODEL.sample(X, Nameless()),
            "TypeError: sampler must have a method sample(), got Nameless",
        ),
        (
            lambda: MODEL.sample(X, Annealing),
            "TypeError: sampler must be an instance, got the class Annealing",
        ),
        (
            lambda: MODEL.sample(X, SimulatedAnnealingSampler()),
            "TypeError: sampler must be one of isingprop's, got the dimod sampler "
            "SimulatedAnnealingSampler: use FromD",
        ),
        (lambda: MODEL.sample(X, num_reads=0), "ValueError: num_reads must be at least 1, got 0"),
        (
            lambda: MODEL.sample(X, num_reads=2.0),
            "TypeError: num_reads must be an integer, got 2.0",
        ),
        (lambda: MODEL.sample(X, seed=-1), "ValueError: seed must be at least 0, got -1"),
        (
            lambda: MODEL.sample(X, beta_effective=0),
            "ValueError: beta_effective must be finite and above 0, got 0.0",
        ),
        (
            lambda: MODEL.outputs(States(np.ones((4, 3, 6)), np.zeros((4, 3)))),
            "ValueError: spins must have shape (n, n, 7), got (4, 3, 6)",
        ),
        (
            lambda: MODEL.frequencies(np.ones((2, 3))),
            "ValueError: outputs must have shape (n, n, 2), got (2, 3)",
        ),
        (
            lambda: MODEL.frequencies(np.full((1, 1, 2), 3)),
            "ValueError: outputs must be 0 or 1, got 3 at index (0, 0",
        ),
        (
            lambda: MODEL.divergence(X, np.ones((4, 3, 1))),
            "ValueError: outputs must have shape (4, n, 2), got (4, 3",
        ),
        (
            lambda: MODEL.divergence(X, np.ones((3, 3, 2))),
            "ValueError: outputs must have shape (4, n, 2), got (3, 3, ",
        ),
        (
            lambda: MODEL.estimate_beta_effective(X, None),
            "TypeError: sampler must have a method sample(), got NoneType",
        ),
        (
            lambda: MODEL.outputs(
                States(np.ones((4, 3, 7)), np.zeros((4, 3)), weights=np.ones((4, 3)) / 3)
            ),
            "ValueError: states must be samples, got states with weights",
        ),
        (
            lambda: MODEL.sample("x", None, 0, -1, beta_effective=0),
            "TypeError: x must be an array of real numbers",
        ),
        (
            lambda: MODEL.sample(X, None, 0, -1, beta_effective=0),
            "TypeError: sampler must have a method sample()",
        ),
        (
            lambda: MODEL.sample(X, GIBBS, 0, -1, beta_effective=0),
            "ValueError: num_reads must be at least 1, got 0",
        ),
        (
            lambda: MODEL.problem("x", beta_effective=0),
            "TypeError: x must be an array of real numbers",
        ),
        (
            lambda: MODEL.search_beta_effective(X, None, [0], 0, -1),
            "TypeError: sampler must have a method sample()",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1], 0, -1),
            "ValueError: num_reads must be at least 1, got 0",
        ),
        (
            lambda: MODEL.estimate_beta_effective(X, GIBBS, 0),
            "ValueError: num_reads must be at least 1, got 0",
        ),
        (
            lambda: MODEL.estimate_beta_effective(X, GIBBS, guess=0),
            "ValueError: guess must be finite and above 0, got",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, []),
            "ValueError: grid must have shape (n,), got (0,)",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [[1.0]]),
            "ValueError: grid must have shape (n,), got (1, 1)",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1, 0]),
            "ValueError: grid[1] must be finite and above 0, got 0",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1, -2]),
            "ValueError: grid[1] must be finite and above 0, got -2",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [np.nan]),
            "ValueError: grid must be finite, got nan at index ",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, ["1"]),
            "TypeError: grid must be an array of real numbers, got",
        ),
        (
            lambda: MODEL.search_beta_effective(X, Nameless(), [1]),
            "TypeError: sampler must have a method sample(), got",
        ),
        (
            lambda: MODEL.search_beta_effective(X, GIBBS, [1], 0),
            "ValueError: num_reads must be at least 1, got 0",
        ),
    ],
)
def test_refusals(assert_refused, call, refusal):
    assert_refused(call, refusal)


def test_bad_arguments_are_refused_before_any_work(counting_sampler):
    for call in (
        lambda: MODEL.search_beta_effective(X, counting_sampler, [1.0, 2.0, 0.0]),
        lambda: MODEL.search_beta_effective(X, counting_sampler, [1.0], seed=-1),
        lambda: MODEL.sample(X, counting_sampler, beta_effective=0),
        lambda: MODEL.sample(X[:, 1:], counting_sampler),
    ):
        with pytest.raises(ValueError, match="must"):
            call()
    assert counting_sampler.calls == 0
