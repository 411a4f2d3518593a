"""Amplitude amplification in closed form: phases, success probabilities, numbers of applications.

The operator Q = -U S_0(alpha) U† S_w(beta) acts in the plane that is spanned by the marked part of
psi = U |+...+> and by the rest of it. With A the amplitude of the marked part, which holds states
of wrong classes in training,

    psi = sqrt(1 - |A|^2) psi_rest + A psi_marked,
    S_w(beta) = 1 - (1 - e^(i beta)) P_marked,
    S_0(alpha) = 1 - (1 - e^(-i alpha)) |+...+><+...+|.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import real_number

Method: TypeAlias = Literal["grover", "fixed-point"]

# Lengths are not doubled beyond this number of iterations, which is enough for |A| = 1e-6.
MAX_ITERATIONS = 2**24


def applications(num_iterations: int) -> int:
    """Returns how often U and U† are applied: once for psi, and twice for each iteration."""
    return 1 + 2 * num_iterations


def best_iterations(amplitude: float) -> int:
    """Returns the best number k of Grover iterations for a known |A|.

    It brings (2k + 1) arcsin |A| nearest to pi / 2.

    Example:
        >>> best_iterations(0.1), best_iterations(0.5), best_iterations(0.9)
        (7, 1, 0)
    """
    return 0 if amplitude == 0 else round(math.pi / (4 * math.asin(min(amplitude, 1.0))) - 0.5)


def grover_success(amplitude: float, num_iterations: int) -> float:
    """Returns the probability of a marked state after k Grover iterations.

        sin^2((2k + 1) arcsin |A|)

    Example:
        >>> round(grover_success(0.1, 7), 4)
        0.9953

    References:
        Brassard, Høyer, Mosca & Tapp 2002, arXiv:quant-ph/0005055.
    """
    return math.sin(applications(num_iterations) * math.asin(min(amplitude, 1.0))) ** 2


def grover_phases(num_iterations: int) -> NDArray[np.float64]:
    """Returns alpha and beta of each Grover iteration, (num_iterations, 2): all are pi."""
    return np.full((num_iterations, 2), math.pi)


def fixed_point_success(amplitude: float, num_iterations: int, failure: float) -> float:
    """Returns the probability of a marked state after a fixed-point sequence of length L = 2k + 1.

        1 - failure T_L(T_{1/L}(1 / sqrt(failure)) sqrt(1 - |A|^2))^2

    T are Chebyshev polynomials. The probability is at least 1 - failure for every
    |A| >= log(2 / sqrt(failure)) / L, approximately.

    Example:
        >>> [round(fixed_point_success(0.5, k, failure=0.1), 3) for k in (1, 2, 3)]
        [0.836, 0.985, 0.901]

    References:
        Yoder, Low & Chuang 2014, doi:10.1103/PhysRevLett.113.210501, Eq. (1).
    """
    length = applications(num_iterations)
    root = math.sqrt(failure)
    x = math.cosh(math.acosh(1 / root) / length) * math.sqrt(max(0.0, 1 - amplitude**2))
    return 1 - (root * _chebyshev(length, x)) ** 2


def _chebyshev(length: int, x: float) -> float:
    """Returns the Chebyshev polynomial T_L(x) for x >= 0."""
    return math.cos(length * math.acos(x)) if x <= 1 else math.cosh(length * math.acosh(x))


def fixed_point_phases(num_iterations: int, failure: float) -> NDArray[np.float64]:
    """Returns alpha and beta of each fixed-point iteration, (num_iterations, 2).

        alpha_j = -beta_{k - j + 1} = 2 arccot(tan(2 pi j / L) sqrt(1 - gamma^2)),
        1 / gamma = T_{1/L}(failure^(-1/2))

    References:
        Yoder, Low & Chuang 2014, Eq. (11).
    """
    length = applications(num_iterations)
    gamma = 1 / math.cosh(math.acosh(1 / math.sqrt(failure)) / length)
    root = math.sqrt(1 - gamma**2)
    tangents = (math.tan(2 * math.pi * j / length) * root for j in range(1, num_iterations + 1))
    alpha = np.array([2 * math.atan2(1.0, tangent) for tangent in tangents])  # arccot, in (0, pi)
    return np.stack([alpha, -alpha[::-1]], axis=1)


def growing_lengths() -> Iterator[int]:
    """Yields numbers of iterations whose lengths double, 0, 1, 3, 7 ..., to try for an unknown |A|.

    The measured state of a run shows whether it is marked; if not, the next run is twice as long.
    All runs together apply U and U† at most twice as often as the last run.
    """
    num_iterations = 0
    while num_iterations <= MAX_ITERATIONS:
        yield num_iterations
        num_iterations = 2 * num_iterations + 1


def lengths(amplitude: float, method: Method, failure: float) -> list[int]:
    """Returns the numbers of iterations of all runs up to the first that succeeds.

    "grover" needs a single run. "fixed-point" succeeds with a probability of 1 - failure; see
    `isingprop.coherent.amplify`.
    """
    if method == "grover":
        return [best_iterations(amplitude)]

    tried = []
    for num_iterations in growing_lengths():
        tried.append(num_iterations)
        if fixed_point_success(amplitude, num_iterations, failure) >= 1 - failure:
            break
    return tried


def check_method(method: object) -> None:
    """Raises ValueError unless `method` is "grover" or "fixed-point"."""
    if not isinstance(method, str) or method not in ("grover", "fixed-point"):
        raise ValueError(f"method must be 'grover' or 'fixed-point', got {method!r}")


def failure_probability(value: float) -> float:
    """Returns `value` as a failure probability, which must be in (0, 1)."""
    failure = real_number("failure", value, above=0.0)
    if failure >= 1:
        raise ValueError(f"failure must be below 1, got {failure}")
    return failure
