"""Numbers as a report says them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from isingprop.analysis.scaling import Interval

_LARGE = 0.0995  # a fraction from which one decimal of per cent is enough


def percent(value: float) -> str:
    """A fraction as per cent."""
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f} %" if value >= _LARGE else f"{100 * value:.2f} %"


def percent_with_error(value: float, error: float) -> str:
    """A fraction and its standard error as per cent."""
    return (
        percent(value)
        if math.isnan(error)
        else f"{percent(value).removesuffix(' %')} ± {100 * error:.2f} %"
    )


def decimal(value: float | None) -> str:
    """To two decimals."""
    return "–" if value is None or math.isnan(value) else f"{value:.2f}"


def interval(value: Interval) -> str:
    """A mean with its confidence interval, to two decimals."""
    mean, low, high = (decimal(each) for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"


def interval_of_percent(value: Interval) -> str:
    """A difference of fractions with its confidence interval, in points of per cent."""
    mean, low, high = (f"{100 * each:+.1f}" for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def finite(value: float) -> float | None:
    """For JSON, which has no word for NaN."""
    return float(value) if math.isfinite(value) else None


def counted(number: int, what: str) -> str:
    """1 trial, 2 trials."""
    return f"{number} {what}{'' if number == 1 else 's'}"
