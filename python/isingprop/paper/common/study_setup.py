"""What all experiments of one command have in common: data, seeds, size, and where their files go."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from isingprop.data.load import ImageSet, load_data
from isingprop.util.files import write_atomically

# Okabe & Ito's colours, which the colour-blind can tell apart; yellow is left out, since it is too pale for a line.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

_DPI = 120
_PAPER_IMAGES = 1000
_QUICK_IMAGES = 300


@dataclass(frozen=True)
class Setup:
    """All that decides the numbers of an experiment, and the folder for its files.

    Args:
        data: "mnist", "fashion-mnist" or "digits".
        data_dir: folder of IDX files, or None.
        num_seeds: repetitions, each with a network and random numbers of its own.
        seed: of the first; the others follow.
        quick: a small version of everything, to see that it works: its numbers mean little.
        out: folder of numbers, pictures and reports.
    """

    data: str
    data_dir: str | None
    num_seeds: int
    seed: int
    quick: bool
    out: Path

    @property
    def seeds(self) -> range:
        """The seeds."""
        return range(self.seed, self.seed + self.num_seeds)

    @property
    def num_train(self) -> int:
        """Training images: the paper has 1,000."""
        return _QUICK_IMAGES if self.quick else _PAPER_IMAGES

    @property
    def train_sizes(self) -> tuple[int, int]:
        """The same, and a larger number (a smaller one in a quick run)."""
        if self.quick:
            return self.num_train, _QUICK_IMAGES // 3
        return self.num_train, 1437 if self.data == "digits" else 10_000  # there are no more digits

    def load_data(self, num_train: int | None = None) -> ImageSet:
        """Training images, the same number of each class, and all test images."""
        num_train = self.num_train if num_train is None else num_train
        return _load(self.data, self.data_dir, num_train)

    def load_all(self) -> ImageSet:
        """All images there are."""
        return _load(self.data, self.data_dir, None)

    def facts(self, images: ImageSet) -> dict[str, Any]:
        """What numbers are of, for JSON."""
        return {
            "data": images.name,
            "num_train": len(images.train_labels),
            "num_test": len(images.test_labels),
            "quick": self.quick,
            "seeds": self.num_seeds,
            "first_seed": self.seed,
        }

    @property
    def is_papers(self) -> bool:
        """Whether numbers may be held against the paper's."""
        return self.data == "mnist" and not self.quick

    def write_csv(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Writes `out`/name.csv: one line for each row, all with the keys of the first."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.out / f"{name}.csv", text.getvalue().encode())

    def write_json(self, name: str, numbers: dict[str, Any]) -> None:
        """Writes `out`/name.json."""
        write_atomically(self.out / f"{name}.json", json.dumps(numbers, indent=2).encode() + b"\n")

    def write_report(self, name: str, text: str, papers: str | None = "1,000 MNIST images") -> None:
        """Writes `out`/name.md.

        Args:
            name: of the experiment.
            text: Markdown.
            papers: what the paper's numbers are of, for a warning where these are of something else; None where no
                such warning is wanted.
        """
        write_atomically(self.out / f"{name}.md", (self._note(papers) + text).encode())

    def _note(self, papers: str | None) -> str:
        if papers is None:
            told = f"*A quick run on {self.data}: it shows that all works, and its numbers mean little.*\n\n"
            return told if self.quick else ""
        if self.is_papers:
            return ""
        run = "A quick run on" if self.quick else "On"
        return f"*{run} {self.data}: its numbers are not to be held against the paper's, which are of {papers}.*\n\n"

    def write_picture(self, name: str, figure: Any) -> None:
        """Writes `out`/name.png and name.svg: equal pictures are equal bytes."""
        import matplotlib

        for kind, metadata in (
            ("png", {"Software": None}),
            ("svg", {"Date": None, "Creator": None}),
        ):
            content = io.BytesIO()
            with matplotlib.rc_context({"svg.hashsalt": "isingprop"}):
                figure.savefig(content, format=kind, dpi=_DPI, metadata=metadata)
            write_atomically(self.out / f"{name}.{kind}", content.getvalue())


def select_images(images: ImageSet, train: NDArray[Any], test: NDArray[Any]) -> ImageSet:
    """Some of the images, by masks or by numbers."""
    return replace(
        images,
        train_images=images.train_images[train],
        train_labels=images.train_labels[train],
        test_images=images.test_images[test],
        test_labels=images.test_labels[test],
    )


@lru_cache(maxsize=4)  # every figure asks for them again
def _load(name: str, data_dir: str | None, num_train: int | None) -> ImageSet:
    return load_data(name, data_dir=data_dir, num_train=num_train)
