"""DivergedError: training whose parameters have left the range in which states can be sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Kernels take local fields up to 1e30, the sums of 1e5 numbers of this size.
_LARGEST = 1e25


class DivergedError(ValueError):
    """Training has diverged: a parameter is not finite or beyond 1e25."""


def check_converging(
    parameters: Mapping[str, NDArray[Any]],
    moment: str,
    learning_rate: object,
    cause: Exception | None = None,
) -> None:
    """Raises DivergedError if a parameter is not finite or beyond 1e25.

    Args:
        parameters: arrays by name.
        moment: when they became so, for the message.
        learning_rate: that of the training, for the message.
        cause: the error that was raised at such parameters.
    """
    for name, array in parameters.items():
        largest = np.abs(array).max()  # NaN if any is
        if not largest <= _LARGEST:
            raise DivergedError(
                f"training diverged in {moment}: {name} reached {largest:.2g} with "
                f"learning_rate = {learning_rate}, take a smaller one"
            ) from cause


@contextmanager
def converging(
    parameters: Callable[[], Mapping[str, NDArray[Any]]], moment: str, learning_rate: object
) -> Iterator[None]:
    """Works like `check_converging` at the end, and also in place of an error on the way."""
    try:
        yield
    except (ValueError, ArithmeticError) as error:
        check_converging(parameters(), moment, learning_rate, error)
        raise
    check_converging(parameters(), moment, learning_rate)
