"""Energy-based models to test on, and their exact probabilities by enumeration, in plain NumPy and
double precision.

A model is anything with the arrays input_weights (K, N), output_weights (M, K), hidden_bias (K,)
and output_bias (M,). A joint distribution is (B, 2^M, 2^K); bit k of an index is unit k.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.oracle import normalised
from isingprop import EnergyModel


def random_energy_model(
    num_inputs: int = 4,
    num_hidden: int = 5,
    num_outputs: int = 2,
    *,
    seed: int = 0,
    scale: float = 1.0,
) -> EnergyModel:
    """All four parameters normally distributed, biases too."""
    random = np.random.default_rng([seed, num_inputs, num_hidden, num_outputs])
    shapes = (num_hidden, num_inputs), (num_outputs, num_hidden), num_hidden, num_outputs
    return EnergyModel(*(scale * random.normal(size=shape) for shape in shapes))


def bits(num_units: int) -> NDArray[np.float64]:
    """All (2^n, n) values of bits; bit k of a number is unit k."""
    return np.array(
        [[number >> k & 1 for k in range(num_units)] for number in range(2**num_units)],
        dtype=np.float64,
    )


def joint(model: Any, x: NDArray[np.float64], *, sign: int = 1) -> NDArray[np.float64]:
    """P(k, y | x) ~ exp(sign * (k W1 x + y W2 k + b k + c y)), by enumeration: (B, 2^M, 2^K)."""
    hidden, outputs = bits(model.input_weights.shape[0]), bits(model.output_weights.shape[0])
    result = []
    for each in np.asarray(x, np.float64):
        fields = model.input_weights @ each + model.hidden_bias
        exponents = (
            outputs @ model.output_weights @ hidden.T
            + hidden @ fields
            + (outputs @ model.output_bias)[:, None]
        )
        result.append(normalised(sign * exponents.reshape(1, -1)).reshape(exponents.shape))
    return np.array(result)


def output_log_prob(model: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """log P(y | x), (B, 2^M), for any number of hidden units and weights of any size: one unit at a
    time.
    """
    outputs = bits(model.output_weights.shape[0])
    fields = np.asarray(x, np.float64) @ model.input_weights.T + model.hidden_bias
    logs = np.tile(outputs @ model.output_bias, (len(fields), 1))
    for k in range(fields.shape[1]):
        logs += np.logaddexp(0, fields[:, k, None] + outputs @ model.output_weights[:, k])
    return logs - np.logaddexp.reduce(logs, axis=1)[:, None]


def log_likelihood(model: Any, x: NDArray[np.float64], y: NDArray[np.int8]) -> float:
    """The mean of log P(y | x), by enumeration of all (k, y)."""
    numbers = (np.asarray(y, np.int64) << np.arange(np.shape(y)[1])).sum(axis=1)
    return float(np.log(joint(model, x).sum(axis=2)[np.arange(len(numbers)), numbers]).mean())


def slopes(
    function: Callable[[Any], float], model: Any, step: float = 2.0**-9
) -> dict[str, NDArray[np.float64]]:
    """Central differences of function(model) in each parameter, with an error of step^4."""
    names = "input_weights", "output_weights", "hidden_bias", "output_bias"
    start = {name: np.array(getattr(model, name)) for name in names}
    result = {name: np.empty_like(array) for name, array in start.items()}

    def moved(name: str, index: tuple[int, ...], change: float) -> float:
        arrays = {each: array.copy() for each, array in start.items()}
        arrays[name][index] += change
        return function(type(model)(**arrays))

    for name, array in start.items():
        for index in np.ndindex(array.shape):
            near, far = (moved(name, index, d) - moved(name, index, -d) for d in (step, 2 * step))
            result[name][index] = (8 * near - far) / (12 * step)
    return result
