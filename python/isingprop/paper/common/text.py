"""Formats numbers, intervals, tables and lists for the Markdown reports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from isingprop.analysis.scaling import Interval

_ONE_DECIMAL_FROM = 0.0995  # per cent get one decimal from here on, two decimals below


def percent(value: float) -> str:
    """Formats a fraction as per cent; a dash for NaN."""
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f} %" if value >= _ONE_DECIMAL_FROM else f"{100 * value:.2f} %"


def percent_with_error(value: float, error: float) -> str:
    """Formats a fraction and its standard error as per cent; without the error if that is NaN."""
    if math.isnan(error):
        return percent(value)
    return f"{percent(value).removesuffix(' %')} ± {100 * error:.2f} %"


def decimal(value: float | None) -> str:
    """Formats a number to two decimals; a dash for None or NaN."""
    return "–" if value is None or math.isnan(value) else f"{value:.2f}"


def interval(value: Interval) -> str:
    """Formats a mean and its confidence interval to two decimals."""
    mean, low, high = (decimal(each) for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"


def interval_of_percent(value: Interval) -> str:
    """Formats a difference of fractions and its confidence interval in percentage points."""
    mean, low, high = (f"{100 * each:+.1f}" for each in value)
    return mean if math.isnan(value.low) else f"{mean} [{low}, {high}]"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Formats a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """Formats a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def finite(value: float) -> float | None:
    """Returns the value, or None where it is not finite: JSON cannot express NaN."""
    return float(value) if math.isfinite(value) else None


def json_interval(interval: Interval) -> dict[str, float | None]:
    """Returns an interval as entries for a JSON file."""
    return {name: finite(value) for name, value in interval._asdict().items()}


def counted(number: int, what: str) -> str:
    """Formats a number with its noun: "1 trial", "2 trials"."""
    return f"{number} {what}{'' if number == 1 else 's'}"
