"""Fig. 3 of the paper: states of five images of one digit, in a poorly and a well trained network.

Jobs: `Digit` for each seed, which samples the states of all test images of the digit at both
moments and embeds those of five images in the plane.

Writes fig3.csv and fig3_points.csv, fig3.json and fig3.md, and the picture fig3 as PNG and SVG.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import embed, spreads
from isingprop.analysis.scaling import interval_of
from isingprop.data.load import ImageSet
from isingprop.paper.common.jobs import Arrays, Runner
from isingprop.paper.common.methods import NUM_SWEEPS
from isingprop.paper.common.study_setup import Setup, described
from isingprop.paper.common.text import bullets, finite, interval, json_interval, percent, table
from isingprop.paper.zhang2025.fig2 import LEARNING_RATE
from isingprop.paper.zhang2025.fig3_plot import TRAINED, plot
from isingprop.paper.zhang2025.moments import (
    Course,
    epoch_name,
    from_json,
    states_of,
)
from isingprop.readout import UNCLASSIFIED

_DIGIT = 7
_NUM_SHOWN = 5
_PAPER = (
    "The paper: five images of the digit 7. In a poorly trained network their low-energy states "
    "are a "
    'mixture of several output classes; in a well-trained one they "become more closely spaced and '
    'their output class is almost surely" 7. No numbers are given.'
)
_CHOICES = (
    "Images: {data}; drawn are the first test images of class {digit}. The paper's text says "
    "training images, which a trained network knows; its caption says test images. Averages are "
    "over all test images of the class and {seeds} seeds, with Student's 95 % interval over seeds "
    "in brackets.",
    "Training: dragon training as in Fig. 2, rate {rate:g}. Poorly trained is after {epochs[0]:g} "
    "epochs, where states begin to know their class, and well trained after {epochs[1]:g}, the "
    "end of Fig. 2.",
    f"States: {{reads}} for each image by simulated annealing of {NUM_SWEEPS} sweeps and a "
    f"zero-temperature descent.",
    "Map: SMACOF of all distinct states of a row together; all panels have one scale. Equal "
    "states share a dot, whose area grows as the square root of how often it was found.",
    "Distance (d in the titles): the mean number of spins in which two reads of an image differ.",
)
# The columns of the table, by the names of the arrays of a Digit job.
_MEASURES = {
    "distance": "distance of two reads (spins)",
    "right": "fraction of states in the class",
    "unclassified": "unclassified",
    "num_classes": "different output classes of an image",
}
_ALMOST_SURELY = 0.95  # fraction of states in the class from which the report says so


@dataclass(frozen=True)
class Digit:
    """A job that samples the states of all test images of one class at the moments of a course.

    Its result has one row for each moment. For every image: distance, the mean number of spins in
    which two reads differ; right and unclassified, fractions of its reads; num_classes, the number
    of different output classes. For the first num_shown images: classes and points of their reads,
    and the stress of the map. For every training image of the class: right_training, the fraction
    of its reads in the class.
    """

    course: Course
    digit: int
    num_shown: int
    num_reads: int

    def run(self, images: ImageSet) -> Arrays:
        """Trains a network and measures its states at each moment."""
        pixels = images.test_images[images.test_labels == self.digit]
        known = images.train_images[images.train_labels == self.digit]

        found = []
        for network in self.course.networks(images):
            _, classes = states_of(network, known, self.num_reads, self.course.seed)
            tested = self._measure(*states_of(network, pixels, self.num_reads, self.course.seed))
            found.append(tested | {"right_training": (classes == self.digit).mean(axis=1)})

        return {name: np.stack([each[name] for each in found]) for name in found[0]}

    def _measure(self, spins: NDArray[np.int8], classes: NDArray[np.int64]) -> Arrays:
        shown = spins[: self.num_shown]
        landscape = embed(shown.reshape(-1, spins.shape[2]), seed=self.course.seed)
        numbers_of_classes = [len(np.unique(own[own != UNCLASSIFIED])) for own in classes]

        return {
            "distance": spreads(spins),
            "right": (classes == self.digit).mean(axis=1),
            "unclassified": (classes == UNCLASSIFIED).mean(axis=1),
            "num_classes": np.array(numbers_of_classes),
            "classes": classes[: self.num_shown],
            "points": landscape.points.reshape(*shown.shape[:2], 2),
            "stress": np.array([landscape.stress]),
        }


def moments_of(setup: Setup) -> tuple[float, float]:
    """Returns two moments of Fig. 2 in epochs: one within the transition, and the end."""
    return (0.3, 3.0) if setup.quick else (0.1, 13.0)


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: one for each seed."""
    return setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Runs the jobs and writes all files of the study; returns what the JSON file has."""
    start = perf_counter()
    images, moments = setup.load_data(), moments_of(setup)
    digit = _digit(images)

    courses = [Course(seed, LEARNING_RATE, moments) for seed in setup.seeds]
    num_reads = 20 if setup.quick else 100
    jobs = [Digit(course, digit, _NUM_SHOWN, num_reads) for course in courses]
    found = runner.run(jobs, images, "one digit")

    numbers = _numbers(digit, moments, found) | setup.facts(images)
    _write_rows(setup, images, digit, found)
    shown = images.test_images[images.test_labels == digit][:_NUM_SHOWN]
    picture = plot(shown, digit, images.num_classes, moments, found[0])
    shown = (
        f"Test images of class {digit} and their low-energy states in the network of seed "
        f"{setup.seed}; d: mean distance of two states (spins)"
    )
    setup.write_picture("fig3", picture, shown, described(images))
    setup.write_report("fig3", _report(numbers, num_reads))
    numbers["seconds"] = perf_counter() - start
    setup.write_json("fig3", numbers)
    return numbers


def _digit(images: ImageSet) -> int:
    """Returns the paper's digit, or else the last class with training and test images."""
    present = np.intersect1d(images.train_labels, images.test_labels)
    return _DIGIT if _DIGIT in present else int(present[-1])


def _numbers(digit: int, moments: tuple[float, ...], found: list[Arrays]) -> dict[str, Any]:
    """Returns the numbers of the JSON file.

    Means are over all test images of the digit and then over seeds; entries that start with
    `shown_` are those of the plotted images in the first seed.
    """
    numbers: dict[str, Any] = {"digit": digit, "epochs": list(moments)}
    numbers["num_images"] = int(found[0]["distance"].shape[1])

    for name in _MEASURES:
        means = np.stack([each[name].mean(axis=1) for each in found])
        numbers[name] = [json_interval(interval_of(column)) for column in means.T]
        numbers[f"shown_{name}"] = [
            [finite(value) for value in row[:_NUM_SHOWN]] for row in found[0][name]
        ]

    training = np.stack([each["right_training"].mean(axis=1) for each in found])
    numbers["right_training"] = [json_interval(interval_of(column)) for column in training.T]
    closer = np.stack([(each["distance"][1] < each["distance"][0]).mean() for each in found])
    numbers["fraction_closer"] = json_interval(interval_of(closer))
    numbers["stress"] = found[0]["stress"].ravel().tolist()
    return numbers


def _write_rows(setup: Setup, images: ImageSet, digit: int, found: list[Arrays]) -> None:
    """Writes fig3.csv (measures of all images) and fig3_points.csv (the map)."""
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    numbers = np.flatnonzero(images.test_labels == digit)
    for k, epoch in enumerate(moments_of(setup)):
        for seed, each in zip(setup.seeds, found, strict=True):
            for i, image in enumerate(numbers):
                where = {"seed": seed, "epoch": epoch, "image": int(image)}
                rows.append({**where, **{name: each[name][k, i].item() for name in _MEASURES}})

        # The map is of the first seed.
        for (i, read), c in np.ndenumerate(found[0]["classes"][k]):
            where = {"epoch": epoch, "image": int(numbers[i]), "read": read}
            x, y = (f"{value:.3f}" for value in found[0]["points"][k, i, read])
            cells.append({**where, "class": int(c), "x": x, "y": y})

    setup.write_csv("fig3", rows)
    setup.write_csv("fig3_points", cells)


def _report(numbers: dict[str, Any], num_reads: int) -> str:
    choices = [choice.format(**numbers, reads=num_reads, rate=LEARNING_RATE) for choice in _CHOICES]

    parts = [
        f"# Fig. 3: images of class {numbers['digit']}",
        _PAPER,
        f"## All {numbers['num_images']} test images of this class",
        table(["", *_MEASURES.values()], _rows(numbers)),
        "## What this says",
        bullets(_findings(numbers)),
        "## Choices",
        bullets(choices),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(numbers: dict[str, Any]) -> list[list[str]]:
    rows = []
    for k, (state, epoch) in enumerate(zip(TRAINED, numbers["epochs"], strict=True)):
        cells = [interval(from_json(numbers[name][k])) for name in _MEASURES]
        rows.append([f"{state} ({epoch_name(epoch)})", *cells])
    return rows


def _findings(numbers: dict[str, Any]) -> Iterator[str]:
    """Yields sentences on how the states of an image change with training."""
    digit = numbers["digit"]
    poor, well = (from_json(each) for each in numbers["distance"])
    closer = from_json(numbers["fraction_closer"]).mean
    change = "more closely spaced" if well.mean < poor.mean else "no more closely spaced"
    yield (
        f"In the well-trained network the states of an image are {change}: two reads differ in "
        f"{well.mean:.1f} spins, {poor.mean:.1f} before; they are closer for {percent(closer)} of "
        f"the images."
    )

    poor, well = (from_json(each) for each in numbers["right"])
    sure = "almost surely" if well.mean > _ALMOST_SURELY else "not almost surely"
    yield (
        f"Their output class is {sure} {digit}: it is for {percent(well.mean)} of the states of "
        f"test images ({percent(poor.mean)} before)."
    )

    poor, well = (from_json(each) for each in numbers["right_training"])
    yield (
        f"Of training images of the class it is for {percent(well.mean)} of the states "
        f"({percent(poor.mean)} before)."
    )

    shown = float(np.mean(numbers["shown_right"][1]))
    yield (
        f"Of the {len(numbers['shown_right'][1])} images drawn it is for {percent(shown)}, in the "
        "first seed."
    )
    yield f"Stress-1 of the maps: {numbers['stress'][0]:.2f} and {numbers['stress'][1]:.2f}."
