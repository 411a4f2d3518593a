"""The picture of coherent training: what can be read from it."""

from itertools import combinations

import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex

from helpers.paper.coherent_results import reproduced

pytestmark = pytest.mark.slow


@pytest.fixture
def panels(tmp_path, figures):
    reproduced(tmp_path)
    search, epochs, times, used = figures["coherent"].axes
    return search, epochs, times, used


def ticks(axis):
    low, high = sorted(axis.get_view_interval())
    return [place for place in axis.get_majorticklocs() if low <= place <= high]


def test_values_can_be_read_from_all_axes(panels):
    assert all(len(ticks(axis)) >= 4 for axes in panels for axis in (axes.xaxis, axes.yaxis))
    _, epochs, times, used = panels
    assert epochs.get_ylim() == used.get_ylim()
    assert times.get_xlabel() == "total time of the anneal (ħ / transverse field)"


def test_a_colour_has_one_meaning(panels):
    search, epochs, times, used = panels
    meanings = [
        {to_hex(line.get_color()) for axes in group for line in axes.lines}
        for group in ((search,), (epochs, used), (times,))
    ]
    assert all(one.isdisjoint(other) for one, other in combinations(meanings, 2))


def test_no_bands_hide_each_other_and_bars_stand_beside_each_other(panels):
    _, epochs, _, _ = panels
    assert not any(isinstance(each, PolyCollection) for each in epochs.collections)
    bars = [each for each in epochs.collections if isinstance(each, LineCollection)]
    places = [bar.get_segments()[0][0, 0] for bar in bars]
    assert len(set(places)) == len(places) == 8
    last = epochs.lines[0].get_xdata()[-1]
    assert last < min(places)
    assert max(places) < epochs.get_xlim()[1]
    assert max(ticks(epochs.xaxis)) <= last
