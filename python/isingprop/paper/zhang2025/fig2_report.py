"""What Fig. 2 says, in words that follow from its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import PAIRS
from isingprop.analysis.scaling import Interval
from isingprop.data.load import ImageSet
from isingprop.paper.common.methods import DRAGON, NUM_HIDDEN, NUM_SWEEPS
from isingprop.paper.common.study_setup import Setup
from isingprop.paper.common.text import bullets, decimal, interval, percent, table
from isingprop.paper.zhang2025.moments import Map, Statistics, from_json

_PAPER = (
    "The paper: 100 low-energy states from a D-Wave chip for each of 100 test images, at nine moments of 13 epochs "
    "of training on 1,000 images; the 10,000 states are mapped to the plane by MDS of Hamming distances. The "
    "accuracy on these 100 images goes from 6 % to 92 %, and the states come together in ten separate basins, one "
    "for each class: a transition from a glass to an ordered phase. There are no error bars and no measure of the "
    "basins."
)
_CHOICES = (
    "Data: {data}, {num_train} training images (the first of each class); states of {num_images} test images (the "
    "first of each class), {num_reads} for each; accuracy also on all {num_test} test images, by the lowest of 10 "
    "states. The accuracy on {num_images} images has a standard error of up to {error} and should not be read alone.",
    f"Network: {{inputs}}-{NUM_HIDDEN}-{{outputs}}. Dragon training, m = {DRAGON.num_states}, one image at a time.",
    "Learning rate: {rate:g} for all parameters, chosen among 0.0001, 0.0003 and 0.001 on MNIST with two seeds "
    "because its accuracy on 100 test images after 13 epochs, 91 %, was nearest to the paper's; the others ended at "
    "88 %. The paper does not say its rate.",
    "Moments: {moments} epochs. The paper does not say its nine. Fractions are of the first epoch, which goes "
    "through the training images in a random order, cut there.",
    f"States: simulated annealing of {NUM_SWEEPS} sweeps and a zero-temperature descent, as in training, in place of "
    "the chip. So they are local minima, and many reads of a trained network end in the same one; without the "
    "descent (tried on MNIST) there are several times as many different states, in basins about one spin wider.",
    "Map: SMACOF (scikit-learn) of at most {num_landmarks} random distinct states, from their two principal "
    "components; the other states are placed by their own stress to these. Equal states share a dot, whose area "
    "grows as the square root of how often it was found, and count once in placing. Stress is Kruskal's stress-1 "
    "over all pairs, repeated ones with their weight. Maps of one row have one scale; each is turned or mirrored to "
    "fit the next.",
    "Distances and P(q): all pairs of states, of one image, of two images of one (true) class, and of two classes. "
    "Order: 1 − (within a class) / (between classes), 0 where the class of the image leaves no trace in its states.",
    "Basins: states are grouped by their own output class, unclassified ones left out. Silhouette: 1 for single "
    "states far apart, 0 for none; by Hamming distance over all seeds and by distance in the map for the first seed. "
    "Neighbours: how often the nearest state of another image has the same output class. Outputs are a part of the "
    "state, so some of this is by construction: two classes' code words differ in {code} of {num_spins} spins.",
    "Brackets: Student's 95 % interval of the mean over {seeds} seeds, each with a network of its own. The maps and "
    "the stress are of the first seed.",
)
# Kaufman & Rousseeuw 1990 call a silhouette above 0.5 a reasonable structure and one above 0.25 a weak one.
_REASONABLE, _WEAK = 0.5, 0.25


def report(
    setup: Setup, images: ImageSet, statistics: Statistics, first: Map, numbers: dict[str, Any]
) -> str:
    """The text of fig2.md."""
    sampling, num_images = statistics.sampling, len(statistics.sampling.rows(images))
    outputs = 4 * images.num_classes
    facts = {
        "data": images.name,
        "num_train": len(images.train_labels),
        "num_test": len(images.test_labels),
        "num_images": num_images,
        "num_reads": sampling.num_reads,
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
        bullets(_findings(numbers, num_images, setup.is_papers)),
        "## Choices",
        bullets(choice.format(**facts) for choice in _CHOICES),
    ]
    return "\n\n".join(parts) + "\n"


def _intervals(numbers: dict[str, Any], name: str) -> list[Interval]:
    """Of each moment."""
    return [from_json(each) for each in numbers[name]]


def _percent_interval(value: Interval) -> str:
    if np.isnan(value.low):
        return percent(value.mean)
    return f"{percent(value.mean)} [{100 * value.low:.1f}, {100 * value.high:.1f}]"


def _accuracies(numbers: dict[str, Any], num_images: int) -> str:
    names = ("accuracy_images", "accuracy", "reads_right", "unclassified")
    columns = [[_percent_interval(value) for value in _intervals(numbers, name)] for name in names]
    columns.append([interval(value) for value in _intervals(numbers, "order")])
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
    columns = [[interval(value) for value in _intervals(numbers, name)] for name in names]
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


def _findings(numbers: dict[str, Any], num_images: int, is_papers: bool) -> Iterator[str]:
    few, every = _intervals(numbers, "accuracy_images"), _intervals(numbers, "accuracy")
    paper = " (paper: 6 % to 92 %)" if is_papers else ""
    yield (
        f"Accuracy goes from {percent(few[0].mean)} to {percent(few[-1].mean)} on the {num_images} images{paper} and "
        f"from {percent(every[0].mean)} to {percent(every[-1].mean)} on all test images."
    )
    if few[-1].low > every[-1].high:
        yield f"The {num_images} images are easier than the others: their accuracy alone says too much."
    unclassified = _intervals(numbers, "unclassified")
    yield (
        f"Unclassified states go from {percent(unclassified[0].mean)} to {percent(unclassified[-1].mean)}; they count "
        "as wrong, so an untrained network may be worse than a guess."
    )
    yield from _transition(numbers)
    yield from _basins(numbers)
    stress = numbers["map"]["stress"]
    yield (
        f"The maps have a stress of {min(stress):.2f} to {max(stress):.2f} (Kruskal calls 0.1 fair and 0.2 poor): "
        "trust distances and silhouettes rather than the map."
    )


def _transition(numbers: dict[str, Any]) -> Iterator[str]:
    """Where order appears, how far, and what becomes of distances."""
    epochs, order = numbers["epochs"], _intervals(numbers, "order")
    start, end = order[0], order[-1]
    risen = start.high < end.low
    told = "the intervals do not overlap" if risen else "the intervals overlap, or it does not rise"
    if np.isnan(start.low) or np.isnan(end.low):
        told = "there is no interval to say whether that is chance"
    yield f"Order goes from {interval(start)} to {interval(end)}; {told}."
    means = np.array([each.mean for each in order])
    rise = _largest_step(means) if risen else None
    if rise is not None:
        share = (means[epochs.index(1.0)] - means[0]) / (means[-1] - means[0])
        yield (
            f"The largest step of that comes between epochs {epochs[rise]:g} and {epochs[rise + 1]:g}; "
            f"{percent(share)} of it comes in the first epoch."
        )
    fall = _largest_step(
        np.array([each.mean for each in _intervals(numbers, "distance_same_image")])
    )
    if rise is not None and fall is not None and fall < rise:
        yield (
            f"The largest step in the distance of two states of one image comes before that, between epochs "
            f"{epochs[fall]:g} and {epochs[fall + 1]:g}: states first come together, whatever their class, and then "
            "part by class."
        )
    changes = [
        (label, _intervals(numbers, f"distance_{kind}"))
        for label, kind in zip(_WORDS, PAIRS, strict=True)
    ]
    spans = "; ".join(
        f"{label} from {decimal(own[0].mean)} to {decimal(own[-1].mean)}" for label, own in changes
    )
    yield f"Mean distances in spins: {spans}."


def _largest_step(means: NDArray[np.float64]) -> int | None:
    """After which moment comes the largest change in the direction of the whole; None where there is no telling."""
    steps = np.diff(means) * np.sign(means[-1] - means[0])
    return int(steps.argmax()) if np.isfinite(means).all() else None


_WORDS = ("same image", "same class", "other classes")


def _basins(numbers: dict[str, Any]) -> Iterator[str]:
    """Which output classes have a basin of their own at the end."""
    for where, values in (
        (
            "by Hamming distance, over seeds",
            [each.mean for each in _intervals(numbers, "class_silhouettes")],
        ),
        (
            "in the last map",
            [np.nan if v is None else v for v in numbers["map"]["class_silhouettes"]],
        ),
    ):
        clear = [c for c, value in enumerate(values) if value > _REASONABLE]
        unclear = [c for c, value in enumerate(values) if not value > _REASONABLE]
        text = f"Basins {where}: {len(clear)} of {len(values)} output classes have a silhouette above {_REASONABLE}"
        finite = [value for value in values if np.isfinite(value)]
        text += f" ({min(finite):.2f} to {max(finite):.2f})" if finite else ""
        weak = ", ".join(
            f"{c} ({decimal(values[c])}{', weak' if values[c] > _WEAK else ''})" for c in unclear
        )
        yield text + (f"; not so: {weak}." if unclear else ".")
    near = _intervals(numbers, "neighbours")
    yield (
        f"The nearest state of another image has the same output class in {percent(near[-1].mean)} of cases at the "
        f"end, {percent(near[0].mean)} at the start."
    )
