"""The numbers, images and sentences of a report, which the page reads as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.cli.finished_runs.confusion import Confusion
from isingprop.cli.report import report_texts
from isingprop.cli.report.image_sheets import (
    MAX_SIDE,
    RGB,
    Shape,
    Sheet,
    framed,
    grey_levels,
    image_shape,
    two_colours,
)
from isingprop.cli.report.snapshots import evenly_spaced, snapshot_paths
from isingprop.cli.report.training_landscape import NUM_IMAGES, TrainingLandscape
from isingprop.cli.run_folder import RunFolder
from isingprop.data.load import Images, Labels
from isingprop.data.subsets import class_balanced
from isingprop.network.base_network import Network
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.samplers.annealing import Annealing
from isingprop.training.checkpoints import Checkpoint
from isingprop.training.evaluation import EpochRecord, Evaluation, predict
from isingprop.training.minibatches import TEST
from isingprop.util.checks import Doubles, seed_for
from isingprop.util.input_format import InputFormat
from isingprop.util.plot_axes import COLOURS

MAX_EPOCHS = 16  # on the slider
_MAX_HIDDEN = 200  # spins whose input weights are shown
# Images behind a cell of the confusion matrix; they become smaller before there are fewer.
_MAX_PER_CELL, _MIN_PER_CELL = 20, 5
_SIDES = MAX_SIDE, MAX_SIDE // 2, MAX_SIDE // 4
# Of pictures before they are compressed, which noise cannot be. With plotly.js, of 4.8 MB, and
# a third more bytes in the text of the page, it has less than 8 MB.
_IMAGE_BYTES, _WEIGHT_BYTES = 1_000_000, 800_000
_EMPTY = 0.5  # grey level of the places of a rectangle without a pixel
_CURVES = ("epoch", "train_error_reads", "train_error_lowest", "test_accuracy", "wrong_cycles")
_LOW, _HIGH = COLOURS[1], COLOURS[0]  # of the lowest and the highest input weight: blue, orange


@dataclass(frozen=True, eq=False)
class Tested:
    """The test images of a run, and what its last model takes them for."""

    images: Images
    labels: Labels
    classes: NDArray[np.int64]  #: -1 for none
    errors: Doubles  #: (B,), energy of the label above that of the class; 0 for deep networks
    by_energies: bool

    @classmethod
    def of(cls, network: Network, run: RunFolder) -> Tested:
        """Classifies the test images as `isingprop evaluate` does, but never on a chip."""
        settings = run.settings
        images, labels = settings.load_test_images()
        if isinstance(network, BipartiteNetwork):
            energies = network.class_energies(images)
            above = energies[np.arange(len(labels)), labels] - energies.min(axis=1)
            return cls(images, labels, energies.argmin(axis=1), above, True)

        classes = predict(
            network,
            Annealing(num_sweeps=settings.num_sweeps, num_threads=settings.threads),
            images,
            seed=seed_for(settings.seed, TEST, 0),
            active_layers=settings.active_layers,
        )
        return cls(images, labels, classes, np.zeros(len(labels)), False)

    def cells(self, most: int) -> dict[tuple[int, int], list[int]]:
        """Returns the numbers of at most `most` images for each label and predicted class.

        Those with the largest error come first, and equal ones in their order.
        """
        cells: dict[tuple[int, int], list[int]] = {}
        for number in np.argsort(-self.errors, kind="stable").tolist():
            cell = cells.setdefault((int(self.labels[number]), int(self.classes[number])), [])
            if len(cell) < most:
                cell.append(number)
        return cells


def payload_of(run: RunFolder) -> dict[str, Any]:
    """Returns all that the page of a run shows, as JSON has it.

    Raises:
        FileNotFoundError: for a run without a finished epoch, or without its data.
    """
    if not run.checkpoint.is_file():
        raise FileNotFoundError(f"{run.path} must be a run with a finished epoch, got none")
    history = Checkpoint.load(run.checkpoint).history
    network = run.settings.load_network(run.model)
    tested = Tested.of(network, run)
    shape = image_shape(network.num_inputs, network.input_format.image_shape)

    num_shown = min(NUM_IMAGES, len(tested.labels))
    shown = class_balanced(tested.labels, num_shown, network.num_classes)
    images = _images(tested, network.input_format, shape, shown)
    result = Evaluation.of(tested.classes, tested.labels)
    return {
        "title": run.path.resolve().name,
        "summary": report_texts.summary_text(network, run.settings, history),
        "accuracy": report_texts.accuracy_text(result, by_energies=tested.by_energies),
        # Two that change no number; the folder of the data is nobody else's business.
        "settings": {
            name: value
            for name, value in (asdict(run.settings) | {"data": run.settings.data_name}).items()
            if name not in ("data_dir", "threads")
        },
        "colours": COLOURS,
        "classes": list(network.class_names),
        "redundancy": network.readout.redundancy,
        "curves": _curves(history, report_texts.curves_text(run.settings)),
        "images": images,
        "confusion": _confusion(tested, network, images),
        "hidden": _hidden(network, shape),
        "landscape": _landscape(run, network, tested, shown, len(history)),
    }


def _curves(history: Sequence[EpochRecord], text: str) -> dict[str, Any]:
    """Returns columns of the history; None stands for NaN."""
    columns = {name: [getattr(record, name) for record in history] for name in _CURVES}
    finite = {
        name: [None if value is None or math.isnan(value) else value for value in column]
        for name, column in columns.items()
    }
    return {"text": text, **finite}


def _images(
    tested: Tested, known: InputFormat, shape: Shape, shown: NDArray[np.int64]
) -> dict[str, Any]:
    """Returns the sheet of test images: those of the map, and some of each confusion cell."""
    for side, most in product(_SIDES, range(_MAX_PER_CELL, _MIN_PER_CELL - 1, -1)):
        cells = tested.cells(most)
        numbers = sorted({*shown.tolist(), *(n for cell in cells.values() for n in cell)})
        size = framed(tested.images[:1], shape, _EMPTY, side).size
        if size * len(numbers) <= _IMAGE_BYTES:
            break

    place = {number: tile for tile, number in enumerate(numbers)}
    looks = known.as_given(tested.images[numbers])
    sheet = Sheet.of(grey_levels(framed(looks, shape, _EMPTY, side)))
    return {
        "sheet": sheet.payload(),
        "numbers": numbers,
        "labels": tested.labels[numbers].tolist(),
        "predicted": tested.classes[numbers].tolist(),
        "mostPerCell": most,
        "cells": [
            [label, predicted, [place[number] for number in cell]]
            for (label, predicted), cell in sorted(cells.items())
        ],
    }


def _confusion(tested: Tested, network: Network, images: dict[str, Any]) -> dict[str, Any]:
    """Returns the confusion matrix, and the tiles of misclassified images, worst first."""
    counts = Confusion.of(tested.classes, tested.labels, network.num_classes)
    numbers = np.array(images["numbers"])
    tiles = np.array(
        [tile for label, found, cell in images["cells"] if label != found for tile in cell],
        np.int64,
    )
    order = np.lexsort((numbers[tiles], -tested.errors[numbers[tiles]]))
    num_wrong = int((tested.classes != tested.labels).sum())
    text = report_texts.wrong_text(len(tiles), num_wrong, by_energies=tested.by_energies)
    return {**asdict(counts), "wrong": tiles[order].tolist(), "wrongText": text}


def _hidden(network: Network, shape: Shape) -> dict[str, Any]:
    """Returns the sheet of the input weights of hidden spins, averaged over colours."""
    size = RGB * framed(network.input_weights[:1], shape, 0.0)[..., 0].size
    num_shown = min(_MAX_HIDDEN, max(1, _WEIGHT_BYTES // size))
    weights = network.input_weights[:num_shown].astype(np.float64)
    images = framed(weights, shape, 0.0).mean(axis=3, keepdims=True)
    largest = float(np.abs(images).max())

    sheet = Sheet.of(two_colours(images, largest, (_LOW, _HIGH)))
    return {
        "text": report_texts.hidden_text(len(weights), network, shape),
        "sheet": sheet.payload(),
        "largest": float(f"{largest:.4g}"),
        "colours": [_LOW, _HIGH],
        "bias": [float(f"{bias:.4g}") for bias in network.layer_biases[0][:num_shown]],
    }


def _landscape(
    run: RunFolder,
    network: Network,
    tested: Tested,
    shown: NDArray[np.int64],
    num_epochs: int,
) -> dict[str, Any]:
    """Returns the states of the shown images at some of the kept epochs, or at the last one."""
    kept = snapshot_paths(run.path)
    files = {epoch: kept[epoch] for epoch in evenly_spaced(list(kept), MAX_EPOCHS)}
    files = files or {num_epochs: run.model}
    landscape = TrainingLandscape.of(files, run.settings, tested.images[shown])

    return {
        "text": report_texts.landscape_text(len(shown), run.settings, landscape.stress),
        "snapshots": report_texts.snapshots_text(list(files), len(kept), num_epochs),
        "epochs": list(files),
        "images": shown.tolist(),
        "stress": landscape.stress,
        **landscape.payload(network, tested.labels[shown]),
    }
