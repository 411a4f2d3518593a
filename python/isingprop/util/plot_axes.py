"""Colours, ticks and bars that all pictures of the package share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

# The palette of Okabe & Ito, which colour-blind readers can tell apart. Its yellow is left out
# because it is too pale for a line.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

_MIN_TICKS = 4  # with fewer ticks a value cannot be read from a logarithmic axis
_MAX_TICKS = 10  # more labels would run into each other
#: Ticks within a decade, sparse to dense.
_MANTISSAS = ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), tuple(range(1, 10)))
_PLAIN = 1e-4, 1e6  # the labels of an axis between them are plain numbers, else powers of ten
# Distances of bars at the end of curves, in widths of the curves.
_FIRST_BAR, _NEXT_BAR = 0.05, 0.025
_BESIDE_POINTS = 3.5  # distance of bars that are side by side, in points of 1/72 inch


def log_ticks(low: float, high: float) -> list[float]:
    """Returns the places of four to ten ticks within the limits of a logarithmic axis.

    They are 1, 2 and 5 times powers of ten or the like. Where the limits are so close that there
    are no four of these, the places are equidistant.

    Args:
        low: lower limit, > 0.
        high: upper limit, > low.

    Example:
        >>> log_ticks(0.9, 60)
        [1.0, 3.0, 10.0, 30.0]
    """
    from matplotlib.ticker import MaxNLocator

    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in _MANTISSAS:
        places = [float(f"{m}e{k}") for k in decades for m in mantissas]
        ticks = [place for place in places if low <= place <= high]
        if len(ticks) >= _MIN_TICKS:
            return ticks[:: -(-len(ticks) // _MAX_TICKS)]

    even = MaxNLocator(_MAX_TICKS - 1, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(place) for place in even if low <= place <= high]


def set_log_ticks(axis: Any, factor: float = 1.0, unit: str = "", most: float = math.inf) -> None:
    """Sets the ticks of a logarithmic axis, after its limits, so that values can be read.

    Args:
        axis: the x or y axis of a matplotlib Axes.
        factor: labels are values times this factor; 100 for per cent.
        unit: text after each label.
        most: no tick is beyond it, though the axis may be.
    """
    low, high = sorted(axis.get_view_interval())
    ticks = log_ticks(low, min(high, most))
    plain = all(_PLAIN[0] <= factor * tick < _PLAIN[1] for tick in ticks)
    label = "{:,.6g}".format if plain else _power_of_ten
    axis.set_ticks(ticks, [label(factor * tick) + unit for tick in ticks])
    axis.set_tick_params(which="minor", labelleft=False, labelbottom=False)


def set_percent(axis: Any) -> None:
    """Labels the ticks of a linear axis of fractions in per cent."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))


def plot_end_bars(
    axes: Any, ends: Sequence[tuple[float, tuple[float, float]]], styles: Sequence[dict[str, Any]]
) -> None:
    """Plots the last point of each curve again with its error bar, side by side right of them.

    Bands around many curves would hide each other. Limits of the x axis are set here.

    Args:
        axes: a matplotlib Axes with curves that begin and end at equal places.
        ends: a mean and the (below, above) lengths of its bar for each curve.
        styles: colour, marker and further arguments for the points of each curve.
    """
    scale = axes.xaxis.get_transform()
    first, last = scale.transform(axes.lines[0].get_xdata()[[0, -1]])
    width = (last - first) or 1.0

    places = [last + width * (_FIRST_BAR + k * _NEXT_BAR) for k in range(len(ends))]
    limits = first - width * _NEXT_BAR, last + width * (_FIRST_BAR + len(ends) * _NEXT_BAR)
    positions = scale.inverted().transform(places)
    axes.set_xlim(*scale.inverted().transform(limits))
    for place, (mean, (below, above)), style in zip(positions, ends, styles, strict=True):
        axes.errorbar([place], [mean], [[below], [above]], capsize=2, elinewidth=1, **style)


def move_beside(container: Any, k: int, count: int) -> None:
    """Moves curve number k of so many sideways by some points, with its error bars.

    Error bars at equal places are then side by side.

    Args:
        container: what errorbar of a matplotlib Axes has returned.
        k: 0 for the first curve.
        count: number of curves.
    """
    from matplotlib.transforms import ScaledTranslation

    points = _BESIDE_POINTS * (k - (count - 1) / 2)
    for artist in container.get_children():
        scale = artist.axes.figure.dpi_scale_trans
        artist.set_transform(artist.axes.transData + ScaledTranslation(points / 72, 0, scale))


def _power_of_ten(value: float) -> str:
    """Returns a number as text for matplotlib, with a power of ten."""
    mantissa, exponent = f"{value:.1e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if float(mantissa) == 1 else rf"${float(mantissa):g} \times {power}$"
