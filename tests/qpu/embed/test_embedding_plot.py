"""The plot of copies on a chip."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from isingprop.qpu.chip.fabric import Fabric
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding_plot import copies_figure
from isingprop.qpu.embed.find_copies import find_copies
from isingprop.util.plot_axes import COLOURS


@pytest.mark.slow
def test_each_copy_has_its_number_in_its_middle_and_a_colour_for_all_readers():
    graph = WorkingGraph.perfect("zephyr", 3)
    copies = find_copies(graph, 4, 4)
    assert len(copies) > len(COLOURS)
    figure = copies_figure(graph, copies)
    [axes] = figure.axes

    middles = Fabric.of(graph).bars().mean(axis=1)
    assert [text.get_text() for text in axes.texts] == [str(k + 1) for k in range(len(copies))]
    for text, copy in zip(axes.texts, copies, strict=True):
        own = middles[np.searchsorted(graph.qubits, copy.qubits)]
        assert (own.min(axis=0) <= text.get_position()).all()
        assert (own.max(axis=0) >= text.get_position()).all()

    dark = {to_hex(bars.get_color()[0]).upper() for bars in axes.collections[2::2]}
    assert dark == set(COLOURS)
