"""The command `isingprop predict`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from typer import Option

from isingprop.cli.console import one_line_errors
from isingprop.cli.options import AsJson
from isingprop.cli.run_folder import RunFolder
from isingprop.data.formats.own_source import read_unlabelled
from isingprop.data.preparation import scaled_for
from isingprop.network.base_network import Network
from isingprop.network.bipartite import BipartiteNetwork
from isingprop.network.layered import LayeredNetwork
from isingprop.readout import UNCLASSIFIED
from isingprop.samplers.annealing import Annealing
from isingprop.training import evaluation
from isingprop.util.files import write_atomically
from isingprop.util.messages import say

_DIGITS = 9  # of probabilities and energies: more than single precision has


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or a model file.")],
    images: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="Images: .npz, .npy, .csv, .tsv, .parquet, IDX, PNG, JPEG, or a folder of those.",
        ),
    ],
    label: Annotated[
        str | None,
        Option(
            metavar="COLUMN", help="Column of a table that is no pixel [default: the run's label]."
        ),
    ] = None,
    out: Annotated[Path | None, Option(help="File to write [default: print].")] = None,
    as_json: AsJson = False,
) -> None:
    """Classify images with the model of a run.

    The output is CSV with a row for each image, or JSON. Values are scaled as those that the model
    was trained on. With one hidden layer a row has the probability of each class, or its energy
    where the model has no beta; with more, the class of the lowest of 10 reads.
    """
    with one_line_errors():
        if out is not None and (out.is_dir() or not out.parent.is_dir()):
            raise ValueError(f"--out must be a file in a folder that is there, got {out}")
        if out is not None and not as_json and out.suffix.lower() == ".json":
            raise ValueError(f"--out must be a file for CSV, got {out}: add --json for JSON")
        path, network, own_label = _model(run)
        raw = read_unlabelled(
            str(images),
            network.input_format,
            num_inputs=network.num_inputs,
            label=label or own_label,
        )
        pixels, scaling = scaled_for(raw, network.input_format, network.num_inputs)
        say(f"isingprop: {network}, {len(pixels)} images from {images}, {scaling}")

        found = Predictions.of(network, pixels, raw.names)
        text = found.json(path) if as_json else found.csv()
        if out is not None:
            write_atomically(out, text.encode())
    if out is None:
        typer.echo(text, nl=False)


def _model(path: Path) -> tuple[Path, Network, str | None]:
    """Returns the model's file, the network, and the label of the run's table, if it is a run."""
    if path.is_dir():
        run = RunFolder.open(path)
        return run.model, run.settings.load_network(run.model), run.settings.label
    try:
        return path, BipartiteNetwork.load(path), None
    except ValueError as error:
        if f"got 'isingprop-{LayeredNetwork._kind}'" not in str(error):
            raise
        return path, LayeredNetwork.load(path), None


@dataclass(frozen=True)
class Predictions:
    """The classes of images, with what they come from.

    Args:
        classes: (n,) numbers of classes, -1 where an image is unclassified.
        class_names: (K,).
        kind: "probabilities" or "energies" of the classes; None where neither is known.
        numbers: (n, K) of this kind.
        image_names: (n,); None for 0, 1, ...
        beta: of the probabilities.
    """

    classes: NDArray[np.int64]
    class_names: Sequence[str]
    kind: str | None
    numbers: NDArray[np.float64]
    image_names: Sequence[str] | None
    beta: float | None

    @classmethod
    def of(
        cls, network: Network, pixels: NDArray[np.float32], names: Sequence[str] | None
    ) -> Predictions:
        """Classifies (n, I) images."""
        known = network.class_names, names
        if network.num_hidden_layers > 1:
            classes = evaluation.predict(network, Annealing(), pixels)
            nothing = np.empty((len(pixels), 0))
            return cls(classes, known[0], None, nothing, known[1], None)

        shallow: BipartiteNetwork = network.shallow()
        energies = shallow.class_energies(pixels)
        classes = energies.argmin(axis=1)
        if shallow.beta is None:
            return cls(classes, known[0], "energies", energies, known[1], None)
        probabilities = shallow.predict_proba(pixels)
        return cls(classes, known[0], "probabilities", probabilities, known[1], shallow.beta)

    def csv(self) -> str:
        """Returns a table with a header: image, class, and a column for each class."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        start = {"probabilities": "p_", "energies": "energy_", None: ""}[self.kind]
        columns = self.class_names if self.kind else ()
        writer.writerow(["image", "class", *(start + name for name in columns)])
        for image, name, row in self._rows():
            writer.writerow([image, name, *(f"{value:.{_DIGITS}g}" for value in row)])
        return text.getvalue()

    def json(self, model: Path) -> str:
        """Returns an object of JSON in one line."""
        predictions = []
        for image, name, row in self._rows():
            entry: dict[str, Any] = {"image": image, "class": name}
            if self.kind is not None:
                entry[self.kind] = dict(zip(self.class_names, row.tolist(), strict=True))
            predictions.append(entry)
        return (
            json.dumps({"model": str(model), "beta": self.beta, "predictions": predictions}) + "\n"
        )

    def _rows(self) -> Iterator[tuple[str | int, str | None, NDArray[np.float64]]]:
        """Yields the name of each image, that of its class, and the numbers of the classes."""
        for k, (number, row) in enumerate(zip(self.classes, self.numbers, strict=True)):
            image = k if self.image_names is None else self.image_names[k]
            yield image, None if number == UNCLASSIFIED else self.class_names[number], row
