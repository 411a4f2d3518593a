"""Writes the report of Fig. 2: tables, findings, and the choices behind the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from isingprop.analysis.landscape import PAIRS
from isingprop.analysis.scaling import Interval
from isingprop.data.load import ImageSet
from isingprop.paper.common.methods import DRAGON, NUM_HIDDEN, NUM_SWEEPS
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, decimal, interval, percent, table
from isingprop.paper.zhang2025.fig2_findings import findings, intervals
from isingprop.paper.zhang2025.moments import Map, Statistics
from isingprop.readout import Readout

_PAPER = (
    "The paper: 100 low-energy states from a D-Wave chip for each of 100 test images, at nine "
    "moments of 13 epochs of training on 1,000 images; the 10,000 states are mapped to the plane "
    "by MDS of Hamming distances. The accuracy on these 100 images goes from 6 % to 92 %, and the "
    "states come together in ten separate basins, one for each class: a transition from a glass to "
    "an ordered phase. There are no error bars and no measure of the basins."
)
_CHOICES = (
    "Data: {data}, {num_train} training images (the first of each class); states of {num_images} "
    "test images (the first of each class), {num_reads} for each; accuracy also on all {num_test} "
    "test images, by the lowest of 10 states. The accuracy on {num_images} images has a standard "
    "error of up to {error} and should not be read alone.",
    f"Network: {{inputs}}-{NUM_HIDDEN}-{{outputs}}. Dragon training, m = {DRAGON.num_states}, one "
    f"image at a time.",
    "Learning rate: {rate:g} for all parameters, chosen among 0.0001, 0.0003 and 0.001 on MNIST "
    "with two seeds because its accuracy on 100 test images after 13 epochs, 91 %, was nearest to "
    "the paper's; the others ended at 88 %. The paper does not say its rate.",
    "Moments: {moments} epochs. The paper does not say its nine. Fractions are of the first "
    "epoch, which goes through the training images in a random order, cut there.",
    f"States: simulated annealing of {NUM_SWEEPS} sweeps and a zero-temperature descent, as in "
    f"training, in place of "
    "the chip. So they are local minima, and many reads of a trained network end in the same one; "
    "without the descent (tried on MNIST) there are several times as many different states, in "
    "basins about one spin wider.",
    "Map: SMACOF (scikit-learn) of at most {num_landmarks} random distinct states, from their two "
    "principal components; the other states are placed by their own stress to these. Equal states "
    "share a dot, whose area grows as the square root of how often it was found, and count once "
    "in placing. Stress is Kruskal's stress-1 over all pairs, repeated ones with their weight. "
    "Maps of one row have one scale; each is turned or mirrored to fit the next.",
    "Distances and P(q): all pairs of states, of one image, of two images of one (true) class, "
    "and of two classes. Order: 1 − (within a class) / (between classes), 0 where the class of "
    "the image leaves no trace in its states.",
    "Basins: states are grouped by their own output class, unclassified ones left out. "
    "Silhouette: 1 for single states far apart, 0 for none; by Hamming distance over all seeds "
    "and by distance in the map for the first seed. Neighbours: how often the nearest state of "
    "another image has the same output class. Outputs are a part of the state, so some of this is "
    "by construction: two classes' code words differ in {code} of {num_spins} spins.",
    "Brackets: Student's 95 % interval of the mean over {seeds} seeds, each with a network of its "
    "own. The maps and the stress are of the first seed.",
)


def report(
    setup: Setup, images: ImageSet, statistics: Statistics, first: Map, numbers: dict[str, Any]
) -> str:
    """Returns the text of fig2.md.

    Args:
        setup: the settings of the command.
        images: the images that the study used.
        statistics: the job of the first seed.
        first: the job of the first map.
        numbers: the contents of fig2.json.
    """
    num_images = len(statistics.sampling.rows(images))
    facts = _facts(setup, images, statistics, first, numbers)

    parts = [
        "# Fig. 2: the landscape through training",
        _PAPER,
        "## Accuracy and order, over seeds",
        _accuracies(numbers, num_images),
        "## Distances, over seeds (spins)",
        _distances(numbers),
        "## The maps, first seed",
        _maps(numbers, num_images),
        "## What this says",
        bullets(findings(numbers, num_images, setup.is_papers)),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(
    setup: Setup, images: ImageSet, statistics: Statistics, first: Map, numbers: dict[str, Any]
) -> dict[str, Any]:
    """Returns the values that the texts of _CHOICES name."""
    num_images = len(statistics.sampling.rows(images))
    outputs = Readout(images.num_classes).num_output

    return {
        "data": images.name,
        "num_train": len(images.train_labels),
        "num_test": len(images.test_labels),
        "num_images": num_images,
        "num_reads": statistics.sampling.num_reads,
        "error": percent(0.5 / np.sqrt(num_images)),
        "inputs": images.train_images.shape[1],
        "outputs": outputs,
        "rate": statistics.course.learning_rate,
        "moments": ", ".join(f"{epoch:g}" for epoch in numbers["epochs"]),
        "num_landmarks": first.num_landmarks,
        "code": 2 * outputs // images.num_classes,
        "num_spins": NUM_HIDDEN + outputs,
        "seeds": setup.num_seeds,
    }


def _percent_interval(value: Interval) -> str:
    """Formats a mean fraction and its interval as per cent."""
    if np.isnan(value.low):
        return percent(value.mean)
    return f"{percent(value.mean)} [{100 * value.low:.1f}, {100 * value.high:.1f}]"


def _accuracies(numbers: dict[str, Any], num_images: int) -> str:
    names = ("accuracy_images", "accuracy", "reads_right", "unclassified")
    columns = [[_percent_interval(value) for value in intervals(numbers, name)] for name in names]

    columns.append([interval(value) for value in intervals(numbers, "order")])

    epochs = [f"{epoch:g}" for epoch in numbers["epochs"]]
    header = [
        "epoch",
        f"accuracy, {num_images} images",
        "accuracy, all",
        "states right",
        "unclassified",
        "order",
    ]
    return table(header, zip(epochs, *columns, strict=True))


def _distances(numbers: dict[str, Any]) -> str:
    names = [f"distance_{kind}" for kind in PAIRS] + ["silhouette", "neighbours"]
    columns = [[interval(value) for value in intervals(numbers, name)] for name in names]
    header = [
        "epoch",
        "same image",
        "same class",
        "other class",
        "silhouette of output classes",
        "neighbours",
    ]
    return table(header, zip([f"{epoch:g}" for epoch in numbers["epochs"]], *columns, strict=True))


def _maps(numbers: dict[str, Any], num_images: int) -> str:
    own = numbers["map"]

    rows = [
        [
            f"{epoch:g}",
            percent(few),
            percent(every),
            str(distinct),
            f"{stress:.2f}",
            decimal(silhouette),
        ]
        for epoch, few, every, distinct, stress, silhouette in zip(
            numbers["epochs"],
            own["accuracy_images"],
            own["accuracy"],
            own["distinct"],
            own["stress"],
            own["silhouette"],
            strict=True,
        )
    ]

    header = [
        "epoch",
        f"accuracy, {num_images} images",
        "accuracy, all",
        "distinct states",
        "stress-1",
        "silhouette",
    ]
    return table(header, rows)
