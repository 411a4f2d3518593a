"""Pictures of all studies: their titles."""

import pytest
from matplotlib.figure import Figure

import isingprop as ip
from isingprop.paper.common.study_setup import Setup, described


@pytest.mark.parametrize(
    ("num_seeds", "quick", "end"), [(5, False, ", 5 seeds"), (1, True, ", 1 seed, quick run")]
)
def test_a_title_says_what_is_shown_and_with_which_settings(tmp_path, num_seeds, quick, end):
    setup = Setup("digits", None, num_seeds, 0, quick, tmp_path)
    images = ip.load_data("digits", num_train=1000)
    figure = Figure(figsize=(3, 2), layout="constrained")
    figure.subplots()
    shown = "Errors of a method with a name that is far longer than the figure is wide"
    setup.write_picture("name", figure, shown, described(images))
    assert figure.get_suptitle() == f"{shown}\ndigits, 1,000 training images{end}"

    figure.draw_without_rendering()
    extent = figure._suptitle.get_window_extent()
    assert figure.bbox.x0 <= extent.x0 < extent.x1 <= figure.bbox.x1
    assert extent.y0 > figure.axes[0].get_window_extent().y1
