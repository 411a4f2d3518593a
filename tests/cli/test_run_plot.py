"""The plot of a run: its title, axes and legend."""

from dataclasses import fields, replace

import pytest

from helpers.cli.settings_of_runs import settings_of_a_run
from isingprop.cli.run_plot import history_figure
from isingprop.training.evaluation import EpochRecord

SETTINGS = settings_of_a_run(
    epochs=5, num_states=1, hidden=(120,), sampler="class-states", optimizer="adam", margin=5.0
)
ERRORS = (0.87, 0.52, 0.38, 0.3, 0.15)


def history(reads=ERRORS, lowest=ERRORS, cycles=None):
    others = {field.name: 0.0 for field in fields(EpochRecord)}
    return [
        EpochRecord(
            **others
            | {
                "epoch": k + 1,
                "train_error_reads": reads[k],
                "train_error_lowest": lowest[k],
                "test_accuracy": 0.9 + k / 100,
                "wrong_cycles": cycles,
            }
        )
        for k in range(len(reads))
    ]


def title(**changes):
    return history_figure(history(), replace(SETTINGS, **changes)).get_suptitle()


def test_the_title_says_what_was_trained_and_how():
    assert title() == (
        "digits, 300 training images: training on class states\n"
        "120 hidden spins, adam with learning rate 0.001, margin 5, seed 7"
    )
    single = title(sampler="anneal", num_train=None, margin=None, optimizer="sgd")
    assert single.startswith("digits: equilibrium propagation, m = 1, sampler anneal\n")
    several = title(sampler="cyclic", num_states=9, hidden=(30, 20))
    assert "dragon training, m = 9, sampler cyclic\n30 + 20 hidden spins" in several


@pytest.mark.slow
def test_a_title_is_not_cut_off_or_read_as_a_formula():
    figure = history_figure(history(), replace(SETTINGS, data=f"/home/{'$x_' * 60}.npz"))
    figure.draw_without_rendering()
    extent = figure._suptitle.get_window_extent()
    assert figure.bbox.x0 <= extent.x0 < extent.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("lowest", "smallest"), [(ERRORS, "20 %"), ((0.3, 0.1, 0.02, 0, 0), "0 %"), ((0,) * 5, "0 %")]
)
def test_errors_can_be_read_from_the_axis(lowest, smallest):
    axes, _ = history_figure(history(lowest=lowest), SETTINGS).axes
    low, high = axes.get_ylim()
    labels = [
        label.get_text()
        for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        if low <= place <= high
    ]
    assert len(labels) >= 4
    assert labels[0] == smallest
    assert len(set(labels)) == len(labels)


@pytest.mark.slow
def test_equal_curves_are_one_and_a_legend_is_outside_the_panel():
    one, _ = history_figure(history(), SETTINGS).axes
    assert len(one.lines) == 1
    assert one.get_legend() is None

    figure = history_figure(history(lowest=[each / 2 for each in ERRORS], cycles=0.2), SETTINGS)
    several, accuracy = figure.axes
    assert len(several.lines) == 3
    figure.draw_without_rendering()
    assert several.get_legend().get_window_extent().y1 < several.get_window_extent().y0
    colours = [line.get_color() for axes in (several, accuracy) for line in axes.lines]
    assert len(set(colours)) == 4
