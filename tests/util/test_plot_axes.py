"""Ticks and bars of pictures: places, labels and limits."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from isingprop.util.plot_axes import log_ticks, move_beside, plot_end_bars, set_log_ticks

# Narrow and wide axes, at all places of a decade.
AXES = [(start, start * width) for start in (1e-7, 0.021, 0.3, 1.0, 7.0) for width in (1.3, 2.5, 9)]
AXES += [(1.0, 60.0), (5e-6, 0.4), (0.013, 0.24), (1e-12, 1.0)]


@pytest.mark.parametrize(("low", "high"), AXES)
def test_a_logarithmic_axis_has_four_to_ten_ticks(low, high):
    ticks = np.array(log_ticks(low, high))
    assert 4 <= len(ticks) <= 10
    assert (np.diff(ticks) > 0).all()
    assert low <= ticks[0] < ticks[-1] <= high


def test_ticks_are_round_numbers():
    assert log_ticks(0.9, 60) == [1, 3, 10, 30]
    assert log_ticks(0.09, 0.52) == [0.1, 0.2, 0.3, 0.5]
    assert log_ticks(1e-4, 1.2) == [1e-4, 1e-3, 1e-2, 0.1, 1]


def labels(limits, **options):
    axes = Figure().subplots()
    axes.set(yscale="log", ylim=limits)
    set_log_ticks(axes.yaxis, **options)
    return [label.get_text() for label in axes.get_yticklabels()]


def test_labels_are_plain_or_all_powers_of_ten():
    percent = {"factor": 100, "unit": " %"}
    assert labels((1e-4, 1.2), **percent) == ["0.01 %", "0.1 %", "1 %", "10 %", "100 %"]
    assert labels((500, 60_000)) == ["1,000", "3,000", "10,000", "30,000"]
    assert labels((5e-6, 0.2)) == [f"$10^{{{k}}}$" for k in (-5, -4, -3, -2, -1)]
    assert labels((2e-6, 5e-5))[::2] == [r"$2 \times 10^{-6}$", "$10^{-5}$", r"$5 \times 10^{-5}$"]
    assert labels((0.9, 200), most=50) == ["1", "3", "10", "30"]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_bars_of_ends_are_beside_each_other_and_right_of_the_curves(scale):
    axes = Figure().subplots()
    axes.plot([1, 2, 8], [3.0, 2.0, 1.0])
    axes.set(xscale=scale)
    plot_end_bars(axes, [(1.0, (0.5, 0.1)), (1.1, (0.2, 0.2))], [{"color": "k"}, {"color": "b"}])
    [first, second] = axes.containers
    places = [bar.lines[0].get_xdata()[0] for bar in (first, second)]
    assert 8 < places[0] < places[1] < axes.get_xlim()[1]
    [[(_, low), (_, high)]] = first.lines[2][0].get_segments()
    assert (low, high) == pytest.approx((0.5, 1.1))


def test_curves_that_are_moved_keep_their_axis():
    """Places in points are no data, by which the limits are chosen."""
    figure = Figure()
    axes = figure.subplots()
    bars = [axes.errorbar([0, 1], [5, 9], [1, 2]) for _ in range(3)]
    for k, each in enumerate(bars):
        move_beside(each, k, 3)
    assert axes.get_ylim()[0] < 4 < 11 < axes.get_ylim()[1] < 12
    places = [each.lines[0].get_transform().transform((0, 5)) for each in bars]
    assert np.diff([x for x, _ in places]) == pytest.approx([3.5 * figure.dpi / 72] * 2)
    assert len({y for _, y in places}) == 1
