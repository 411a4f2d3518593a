"""short_repr: the repr of a dataclass that holds arrays, in one line."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np


def short_repr(self: Any) -> str:
    """Returns the class and its fields, with the shape and dtype in place of an array.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Map:
        ...     points: np.ndarray
        ...     stress: float
        ...
        ...     __repr__ = short_repr
        >>> Map(np.zeros((1000, 2)), 0.5)
        Map(points=(1000, 2) float64, stress=0.5)
    """
    parts = []
    for field in fields(self):
        value = getattr(self, field.name)
        text = f"{value.shape} {value.dtype}" if isinstance(value, np.ndarray) else repr(value)
        parts.append(f"{field.name}={text}")
    return f"{type(self).__name__}({', '.join(parts)})"
