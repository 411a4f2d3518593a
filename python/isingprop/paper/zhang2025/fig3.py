"""Fig. 3: the states of five images of one digit, in a poorly and in a well trained network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import embed, spreads
from isingprop.analysis.scaling import interval_of
from isingprop.data.load import ImageSet
from isingprop.paper.common.jobs import Arrays, Runner
from isingprop.paper.common.methods import NUM_SWEEPS
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, finite, interval, percent, table
from isingprop.paper.zhang2025.fig2 import LEARNING_RATE
from isingprop.paper.zhang2025.landscape_plot import legend_entries, limits, scatter
from isingprop.paper.zhang2025.moments import (
    Course,
    epoch_name,
    from_json,
    json_interval,
    states_of,
)
from isingprop.readout import UNCLASSIFIED

_DIGIT = 7
_NUM_SHOWN = 5
_STATES = ("poorly trained", "well trained")
_PAPER = (
    "The paper: five images of the digit 7. In a poorly trained network their low-energy states are a "
    'mixture of several output classes; in a well-trained one they "become more closely spaced and their output '
    'class is almost surely" 7. No numbers are given.'
)
_CHOICES = (
    "Images: {data}; drawn are the first test images of class {digit}. The paper's text says training images, which "
    "a trained network knows; its caption says test images. Averages are over all test images of the class and "
    "{seeds} seeds, with Student's 95 % interval over seeds in brackets.",
    "Training: dragon training as in Fig. 2, rate {rate:g}. Poorly trained is after {epochs[0]:g} epochs, where "
    "states begin to know their class, and well trained after {epochs[1]:g}, the end of Fig. 2.",
    f"States: {{reads}} for each image by simulated annealing of {NUM_SWEEPS} sweeps and a zero-temperature descent.",
    "Map: SMACOF of all distinct states of a row together; all panels have one scale. Equal states share a dot, "
    "whose area grows as the square root of how often it was found.",
    "Distance (d in the titles): the mean number of spins in which two reads of an image differ.",
)
_MEASURES = {
    "distance": "distance of two reads (spins)",
    "right": "fraction of states in the class",
    "unclassified": "unclassified",
    "num_classes": "different output classes of an image",
}
_AREA = 8.0  # points^2 of a state that was found once
_ALMOST_SURELY = 0.95  # of all states


@dataclass(frozen=True)
class Digit:
    """The states of all test images of one class at the moments of a course."""

    course: Course
    digit: int
    num_shown: int
    num_reads: int

    def run(self, images: ImageSet) -> Arrays:
        """Arrays with one row for each moment: of every image, and maps of the first num_shown of them."""
        pixels = images.test_images[images.test_labels == self.digit]
        known = images.train_images[images.train_labels == self.digit]
        found = []
        for network in self.course.networks(images):
            _, classes = states_of(network, known, self.num_reads, self.course.seed)
            tested = self._at(*states_of(network, pixels, self.num_reads, self.course.seed))
            found.append(tested | {"right_training": (classes == self.digit).mean(axis=1)})
        return {name: np.stack([each[name] for each in found]) for name in found[0]}

    def _at(self, spins: NDArray[np.int8], classes: NDArray[np.int64]) -> Arrays:
        shown = spins[: self.num_shown]
        landscape = embed(shown.reshape(-1, spins.shape[2]), seed=self.course.seed)
        return {
            "distance": spreads(spins),
            "right": (classes == self.digit).mean(axis=1),
            "unclassified": (classes == UNCLASSIFIED).mean(axis=1),
            "num_classes": np.array(
                [len(np.unique(each[each != UNCLASSIFIED])) for each in classes]
            ),
            "classes": classes[: self.num_shown],
            "points": landscape.points.reshape(*shown.shape[:2], 2),
            "stress": np.array([landscape.stress]),
        }


def moments_of(setup: Setup) -> tuple[float, float]:
    """In epochs, those of Fig. 2: within the transition, and at the end."""
    return (0.3, 3.0) if setup.quick else (0.1, 13.0)


def number_of_jobs(setup: Setup) -> int:
    """One for each seed."""
    return setup.num_seeds


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Writes fig3.csv, fig3_points.csv, .json, .png, .svg and .md; returns what JSON has."""
    start = perf_counter()
    images = setup.load_data()
    digit = _digit(images)
    courses = [Course(seed, LEARNING_RATE, moments_of(setup)) for seed in setup.seeds]
    num_reads = 20 if setup.quick else 100
    found = runner.run(
        [Digit(course, digit, _NUM_SHOWN, num_reads) for course in courses], images, "one digit"
    )
    numbers = _numbers(digit, moments_of(setup), found) | setup.facts(images)
    _write_rows(setup, images, digit, found)
    setup.write_picture("fig3", _draw(images, digit, moments_of(setup), found[0]))
    setup.write_report("fig3", _report(setup, images, numbers, num_reads))
    numbers["seconds"] = perf_counter() - start
    setup.write_json("fig3", numbers)
    return numbers


def _digit(images: ImageSet) -> int:
    """The paper's, or the last class that there are both training and test images of."""
    there = np.intersect1d(images.train_labels, images.test_labels)
    return _DIGIT if _DIGIT in there else int(there[-1])


def _numbers(digit: int, moments: tuple[float, ...], found: list[Arrays]) -> dict[str, Any]:
    """Of all test images of the digit, and of the images shown: means over images, then over seeds."""
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
    rows, cells = [], []
    numbers = np.flatnonzero(images.test_labels == digit)
    for k, epoch in enumerate(moments_of(setup)):
        for seed, each in zip(setup.seeds, found, strict=True):
            for i, image in enumerate(numbers):
                where = {"seed": seed, "epoch": epoch, "image": int(image)}
                rows.append({**where, **{name: each[name][k, i].item() for name in _MEASURES}})
        for (i, read), c in np.ndenumerate(found[0]["classes"][k]):
            x, y = (f"{value:.3f}" for value in found[0]["points"][k, i, read])
            cells.append(
                {
                    "epoch": epoch,
                    "image": int(numbers[i]),
                    "read": read,
                    "class": int(c),
                    "x": x,
                    "y": y,
                }
            )
    setup.write_csv("fig3", rows)
    setup.write_csv("fig3_points", cells)


def _draw(images: ImageSet, digit: int, moments: tuple[float, ...], found: Arrays) -> Any:
    from matplotlib.figure import Figure

    shown = images.test_images[images.test_labels == digit][:_NUM_SHOWN]
    figure = Figure(figsize=(9.5, 6.6), layout="constrained")
    panels = figure.subplots(1 + len(moments), len(shown), squeeze=False)
    for axes, pixels in zip(panels[0], shown, strict=True):
        _draw_image(axes, pixels)
    corners = limits([points.reshape(-1, 2) for points in found["points"]])
    for k, row in enumerate(panels[1:]):
        for i, axes in enumerate(row):
            scatter(axes, found["points"][k, i], found["classes"][k, i], area=_AREA)
            right, distance = found["right"][k, i], found["distance"][k, i]
            axes.set_title(f"{right:.0%} class {digit}, d = {distance:.1f}", fontsize=9)
            axes.set(xlim=(corners[0][0], corners[1][0]), ylim=(corners[0][1], corners[1][1]))
            axes.set_box_aspect(1)
            axes.tick_params(labelsize=8, labelleft=i == 0, labelbottom=k == len(moments) - 1)
        row[0].set_ylabel(
            f"{_STATES[k]} ({epoch_name(moments[k])})\nMDS coordinate 2 (spins)", fontsize=9
        )
    for axes in panels[-1]:
        axes.set_xlabel("MDS coordinate 1 (spins)", fontsize=9)
    handles = legend_entries(images.num_classes)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        fontsize=9,
        columnspacing=1.0,
        handletextpad=0.1,
    )
    return figure


def _draw_image(axes: Any, pixels: NDArray[np.float32]) -> None:
    """As a square where it is one, else as one row."""
    side = isqrt(len(pixels))
    axes.imshow(
        pixels.reshape(side if side * side == len(pixels) else 1, -1), cmap="gray_r", vmin=0, vmax=1
    )
    axes.set(xticks=[], yticks=[])


def _report(setup: Setup, images: ImageSet, numbers: dict[str, Any], num_reads: int) -> str:
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
    for k, (state, epoch) in enumerate(zip(_STATES, numbers["epochs"], strict=True)):
        cells = [interval(from_json(numbers[name][k])) for name in _MEASURES]
        rows.append([f"{state} ({epoch_name(epoch)})", *cells])
    return rows


def _findings(numbers: dict[str, Any]) -> Iterator[str]:
    """In words that follow from the numbers."""
    digit = numbers["digit"]
    poor, well = (from_json(each) for each in numbers["distance"])
    change = "more closely spaced" if well.mean < poor.mean else "no more closely spaced"
    closer = from_json(numbers["fraction_closer"]).mean
    yield (
        f"In the well-trained network the states of an image are {change}: two reads differ in {well.mean:.1f} spins, "
        f"{poor.mean:.1f} before; they are closer for {percent(closer)} of the images."
    )
    poor, well = (from_json(each) for each in numbers["right"])
    sure = "almost surely" if well.mean > _ALMOST_SURELY else "not almost surely"
    yield (
        f"Their output class is {sure} {digit}: it is for {percent(well.mean)} of the states of test images "
        f"({percent(poor.mean)} before)."
    )
    poor, well = (from_json(each) for each in numbers["right_training"])
    yield f"Of training images of the class it is for {percent(well.mean)} of the states ({percent(poor.mean)} before)."
    shown = float(np.mean(numbers["shown_right"][1]))
    yield f"Of the {len(numbers['shown_right'][1])} images drawn it is for {percent(shown)}, in the first seed."
    yield f"Stress-1 of the maps: {numbers['stress'][0]:.2f} and {numbers['stress'][1]:.2f}."
