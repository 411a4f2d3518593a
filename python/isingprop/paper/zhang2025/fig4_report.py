"""Writes the report of Fig. 4: a table of errors, findings, and the choices behind the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, mean_interval, standard_error
from isingprop.data.load import ImageSet
from isingprop.paper.common.methods import NUM_SWEEPS
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, interval_of_percent, percent_with_error, table

Errors = dict[str, NDArray[np.float64]]  # by kind, (seeds, numbers of states)

NUM_CLASSES = 10  # m_0 of the paper
SHOWN_STATES = (1, 3, 10, 30, 100)  # numbers of states m in the table and on the axes
# The title of each kind of error of a FirstEpoch job.
KINDS = {
    "error": "after the epoch, lowest of 10 states",
    "error_reads": "during the epoch, all states",
    "error_lowest": "during the epoch, lowest state",
}
_PAPER = (
    "The paper: the error falls clearly up to m = 10, the number of classes, and no more beyond; "
    "the authors take this as a sign of one basin for each class."
)
_CHOICES = (
    "Data: {data}, {num_train} training images; {seeds} seeds; ± is the standard "
    "error over seeds, brackets are Student's 95 % interval.",
    f"Simulated annealing, {NUM_SWEEPS} sweeps and a descent; the same initial parameters and "
    f"order of images for "
    "every m of a seed; one rate for all parameters, and the same for every m.",
    "× 10: the change of the error in points where m grows tenfold, the slope of a straight line "
    "in log m.",
    "After the epoch: the network as it is then, by the lowest of 10 states of each training "
    "image. During: the states that were learned from, each before its own update. The paper says "
    "training error during the first epoch.",
)


def _slopes(
    num_states: tuple[int, ...], values: NDArray[np.float64], few: bool
) -> NDArray[np.float64]:
    """Returns the change of the error when m grows tenfold, for each seed.

    It is the slope of a least-squares fit over log10 m.

    Args:
        num_states: numbers of states m.
        values: (seeds, numbers of states).
        few: whether to fit up to m = 10, or else from m = 10 on.
    """
    m = np.array(num_states)
    part = m <= NUM_CLASSES if few else m >= NUM_CLASSES
    return np.array([np.polyfit(np.log10(m[part]), row[part], 1)[0] for row in values])


def report(
    setup: Setup, images: ImageSet, num_states: tuple[int, ...], errors: dict[float, Errors]
) -> str:
    """Returns the text of fig4.md.

    Args:
        setup: the settings of the command.
        images: the images that the study used.
        num_states: numbers of states m.
        errors: the errors of each rate and kind, (seeds, numbers of states).
    """
    facts = {
        "data": images.name,
        "num_train": len(images.train_labels),
        "seeds": setup.num_seeds,
    }

    parts = [
        "# Fig. 4: training error after the first epoch against m",
        _PAPER,
        "## Here",
        _errors(num_states, errors),
        bullets(_findings(num_states, errors, setup.is_papers)),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]
    return "\n\n".join(parts) + "\n"


def _errors(num_states: tuple[int, ...], errors: dict[float, Errors]) -> str:
    """Returns the table of errors and slopes."""
    shown = [column for column, m in enumerate(num_states) if m in SHOWN_STATES]

    rows = []
    for rate, kinds in errors.items():
        for kind in KINDS:
            columns = kinds[kind].T[shown]
            cells = [
                percent_with_error(float(column.mean()), standard_error(column))
                for column in columns
            ]
            slopes = [
                interval_of_percent(mean_interval(_slopes(num_states, kinds[kind], few)))
                for few in (True, False)
            ]
            rows.append([f"{rate:g}", KINDS[kind], *cells, *slopes])

    header = [
        "rate",
        "error",
        *(f"m = {num_states[column]}" for column in shown),
        "× 10 below m = 10",
        "× 10 above",
    ]
    return table(header, rows)


def _findings(
    num_states: tuple[int, ...], errors: dict[float, Errors], is_papers: bool
) -> Iterator[str]:
    """Yields a sentence on each measure at each rate, and one on all of them."""
    num_as_published = 0
    for rate, kinds in errors.items():
        for kind in KINDS:
            below, above = (
                mean_interval(_slopes(num_states, kinds[kind], few)) for few in (True, False)
            )

            verdict = ""
            if below.high < 0:
                falls = above.high < 0
                verdict = ": it goes on falling" if falls else ": no fall is left to be seen"
                num_as_published += above.high >= 0

            yield (
                f"Rate {rate:g}, {KINDS[kind]}: a tenfold m changes the error by {_change(below)} "
                f"up to m = 10 and by {_change(above)} beyond{verdict}."
            )

    paper = ", as in the paper," if is_papers else ""
    yield (
        f"A fall up to m = 10 and none to be seen beyond{paper} is what {num_as_published} of "
        f"{len(errors) * len(KINDS)} measures show."
    )
    yield (
        "Of more states the lowest is lower, so the error of the lowest state falls with m "
        "whatever the network."
    )


def _change(slope: Interval) -> str:
    """Formats a slope with its verdict."""
    verdict = "no more than chance may"
    if math.isnan(slope.low):
        verdict = "one seed: no error bar"
    elif slope.high < 0:
        verdict = "a fall"
    elif slope.low > 0:
        verdict = "a rise"
    return f"{interval_of_percent(slope)} points ({verdict})"
